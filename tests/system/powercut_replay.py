# SPDX-License-Identifier: ISC
"""Rebuilds the disk as a power cut could leave it, from a recording.

What counts as safe is what POSIX promises and no more: a file's bytes and
size once the file was flushed (or were written with O_DSYNC), a name once its
folder was flushed. Of what was not flushed, nothing is kept, or, with a
random source, some pages and a first part of each folder's changes.
"""
import collections
import os
import re
import shutil
import struct

HEAD = struct.Struct('=IBBHIIIIQQQQ')
PAGE = 4096
Record = collections.namedtuple(
    'Record', 'op flag pid mode uid gid ino folder offset site name data')


def records(path):
    """The records of a recording, in order; data lent from one buffer."""
    with open(path, 'rb') as f:
        whole = memoryview(f.read())
    at, out = 0, []
    while at < len(whole):
        (length, op, flag, name, pid, mode, uid, gid, ino, folder, offset,
         site) = HEAD.unpack_from(whole, at)
        body = at + HEAD.size
        out.append(Record(chr(op), flag, pid, mode, uid, gid, ino, folder,
                          offset, site, bytes(whole[body:body + name]).decode(),
                          whole[body + name:at + length]))
        at += length
    return out


def token_record(token):
    data = token.encode()
    return HEAD.pack(HEAD.size + len(data), ord('K'), 0, 0, 0, 0, 0, 0, 0, 0,
                     0, 0) + data


def put(content, offset, data):
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset:offset + len(data)] = data


class File:
    def __init__(self, mode, uid, gid, source=None):
        self.mode, self.uid, self.gid = mode, uid, gid
        self.source = source            # of the base: read when needed
        self.safe = None if source else bytearray()
        self.pending = []               # ('N', offset, data), ('T', size)

    def content(self):
        if self.safe is None:
            with open(self.source, 'rb') as f:
                self.safe = bytearray(f.read())
        return self.safe

    @staticmethod
    def apply(content, step):
        if step[0] == 'N':
            put(content, step[1], step[2])
        elif step[0] == 'T':
            if len(content) > step[1]:
                del content[step[1]:]
            else:
                content.extend(bytes(step[1] - len(content)))
        elif len(content) < step[1]:    # allocation
            content.extend(bytes(step[1] - len(content)))

    def flush(self, count):
        for step in self.pending[:count]:
            self.apply(self.content(), step)
        del self.pending[:count]

    def after_cut(self, rng):
        if not self.pending:
            return None if self.safe is None else self.safe
        content = bytearray(self.content())
        for step in self.pending if rng else ():
            if step[0] != 'N':
                if rng.random() < 0.5:
                    self.apply(content, step)
                continue
            for at in range(0, len(step[2]), PAGE):
                if rng.random() < 0.5:
                    put(content, step[1] + at, step[2][at:at + PAGE])
        return content


class Folder:
    def __init__(self, mode, uid, gid):
        self.mode, self.uid, self.gid = mode, uid, gid
        self.safe, self.now = {}, {}    # name: object
        self.pending = []               # (name, object or None)

    def change(self, name, thing):
        self.pending.append((name, thing))
        if thing is None:
            self.now.pop(name, None)
        else:
            self.now[name] = thing

    def flush(self, count):
        for name, thing in self.pending[:count]:
            if thing is None:
                self.safe.pop(name, None)
            else:
                self.safe[name] = thing
        del self.pending[:count]

    def after_cut(self, rng):
        names = dict(self.safe)
        for name, thing in self.pending[:rng.randint(
                0, len(self.pending))] if rng else ():
            if thing is None:
                names.pop(name, None)
            else:
                names[name] = thing
        return names


class Disk:
    """The tree under some roots; `ignore(class, record)` says which flushes
    are to be taken as not made."""
    def __init__(self, base, live, roots, ignore=None):
        self.base, self.roots, self.ignore = base, roots, ignore
        self.by_ino, self.root, self.path = {}, {}, {}
        self.begun = {}
        self.acked = set()
        self.flushes = collections.defaultdict(list)    # kind: steps
        self.steps = 0
        for r in roots:
            self.root[r] = self._scan(os.path.join(live, r),
                                      os.path.join(base, r), r)

    def _scan(self, live, base, name):
        st = os.lstat(live)
        f = Folder(st.st_mode, st.st_uid, st.st_gid)
        self.by_ino[st.st_ino], self.path[st.st_ino] = f, name
        for e in os.scandir(live):
            at, b = os.path.join(live, e.name), os.path.join(base, e.name)
            if e.is_dir(follow_symlinks=False):
                thing = self._scan(at, b, f'{name}/{e.name}')
            elif e.is_file(follow_symlinks=False):
                s = e.stat()
                thing = File(s.st_mode, s.st_uid, s.st_gid, b)
                self.by_ino[s.st_ino] = thing
                self.path[s.st_ino] = f'{name}/{e.name}'
            else:
                continue
            f.safe[e.name] = f.now[e.name] = thing
        return f

    def kind_of(self, record):
        """What a flush is of: its place in the tree, numbers left out."""
        path = self.path.get(record.ino, '?')
        path = re.sub(r'store/[0-9a-f]{2}/[0-9a-f]+', 'store/ACCOUNT', path)
        path = re.sub(r'store/[0-9a-f]{2}$', 'store/SHARD', path)
        path = re.sub(r'big/\S+', 'big/HASH', path)
        path = re.sub(r'large/\S+', 'large/ID', path)
        path = re.sub(r'/\d+(\.\w+)?$', r'/NUMBER\1', path)
        path = re.sub(r'\.[0-9a-f]+\.tmp$', '.NEW', path)
        how = 'write through' if record.op == 'N' else (
            'folder flush' if isinstance(self.by_ino.get(record.ino), Folder)
            else 'flush')
        return f'{path}: {how}' + self.of_compaction(record)

    def of_compaction(self, record):
        """Is it one of an environment that is put in another's place?"""
        thing = self.by_ino.get(record.ino)
        if isinstance(thing, Folder):
            new = [t for n, t in thing.pending if n == 'meta.mdb']
            replaced = bool(new) and 'meta.mdb' in thing.safe
        else:
            path = self.path.get(record.ino, '')
            folder = path.endswith('/meta.mdb.new') and next(
                (self.by_ino[i] for i, p in self.path.items()
                 if p == os.path.dirname(path) and i in self.by_ino), None)
            replaced = bool(folder) and 'meta.mdb' in folder.now
        return ' of a compaction' if replaced else ''

    def _new(self, r, thing):
        folder = self.by_ino.get(r.folder)
        if isinstance(folder, Folder):
            self.by_ino[r.ino] = thing
            self.path[r.ino] = f'{self.path[r.folder]}/{r.name}'
            folder.change(r.name, thing)

    def _flushed(self, r):
        kind = self.kind_of(r)
        self.flushes[kind].append(self.steps)
        return not (self.ignore and self.ignore(kind, r))

    def step(self, r):
        thing = self.by_ino.get(r.ino)
        self.steps += 1
        if r.op == 'K':
            self.acked.add(bytes(r.data).decode())
        elif r.op == 'C':
            self._new(r, File(r.mode, r.uid, r.gid))
        elif r.op == 'D':
            self._new(r, Folder(r.mode, r.uid, r.gid))
        elif r.op == 'U':
            folder = self.by_ino.get(r.folder)
            if isinstance(folder, Folder):
                folder.change(r.name, None)
        elif r.op in 'RL':
            a, b = self.by_ino.get(r.folder), self.by_ino.get(r.ino)
            if isinstance(a, Folder) and isinstance(b, Folder):
                moved = a.now.get(r.name)
                new = bytes(r.data).decode()
                b.change(new, moved)
                for ino, o in self.by_ino.items():
                    if o is moved:
                        self.path[ino] = f'{self.path[r.ino]}/{new}'
                if r.op == 'R':
                    a.change(r.name, None)
        elif thing is None:
            return
        elif r.op == 'N' and isinstance(thing, File):
            if r.flag and self._flushed(r):
                # these bytes are safe, those before them are not
                put(thing.content(), r.offset, r.data)
            else:
                thing.pending.append(('N', r.offset, r.data))
        elif r.op in 'TA' and isinstance(thing, File):
            thing.pending.append((r.op, r.offset))
        elif r.op == 'S':
            self.begun[r.pid, r.offset] = (thing, len(thing.pending))
        elif r.op == 'E':
            began = self.begun.pop((r.pid, r.offset), None)
            if began and began[0] is thing and self._flushed(r):
                # another flush may have taken some of them meanwhile
                thing.flush(min(began[1], len(thing.pending)))

    def write(self, target, rng=None):
        """Make the tree in a folder."""
        for r in self.roots:
            at = os.path.join(target, r)
            shutil.rmtree(at, ignore_errors=True)
            self._write(at, self.root[r], rng)

    def _write(self, at, thing, rng):
        if isinstance(thing, Folder):
            os.mkdir(at)
            for name, child in thing.after_cut(rng).items():
                self._write(os.path.join(at, name), child, rng)
        else:
            content = thing.after_cut(rng)
            if content is None:
                shutil.copyfile(thing.source, at)
            else:
                with open(at, 'wb') as f:
                    f.write(content)
        if os.geteuid() == 0:
            os.chown(at, thing.uid, thing.gid)
        os.chmod(at, thing.mode & 0o7777)
