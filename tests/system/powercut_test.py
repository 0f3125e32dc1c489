# SPDX-License-Identifier: ISC
"""The power fails at any instant: what got a 250 is in a mailbox once.

One recording is made under load; then the disk is rebuilt as it could be
after sampled steps, the suite is started on it, and the tokens are counted.
With a flush of one kind taken as not made, the count must fail: so each flush
in the code is needed, and this test would notice its loss.
"""
import copy
import fcntl
import os
import random
import shutil
import subprocess
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import crash_suite as cs                                    # noqa: E402
import powercut_replay as pr                                # noqa: E402

ROOTS = ['queue', 'data', 'etc', 'tables']
TABLES = ['lmdb', 'hash']
WAITS = 'waits.example'      # nobody is there
# flushes that nothing acknowledged hangs on, and why they are there
BESIDE = {
    'queue/slot/32k/NUMBER.new: flush': 'a slot that is free yet: its size '
    'and blocks are there before its first use, so that a commit has data '
    'alone to flush; without it that commit would flush them as well',
    'queue/slot/256k/NUMBER.new: flush': 'the same',
    'queue/slot/2m/NUMBER.new: flush': 'the same',
    'data/store/ACCOUNT/snap/new.tmp: flush': 'a dump for salvage, checked '
    'by its checksums where it is used; what it is of is in the environment',
    'data/store/ACCOUNT/snap: folder flush': 'before older dumps are removed',
    'tables/__db.hash.db.NEW: flush': "Berkeley DB's own, when it makes a "
    'file; that one is flushed again under the name it is renamed from',
}
LONG = bool(os.environ.get('BARID_LONG'))


class Recording:
    def __init__(self, tmp):
        self.suite = s = cs.Suite(tmp).prepare()
        for name in ('queue', 'data/auth'):     # all is made under the
            at = f'{s.suite}/{name}'            # recorder's eyes
            for e in os.listdir(at):
                e = f'{at}/{e}'
                shutil.rmtree(e) if os.path.isdir(e) else os.unlink(e)
        with open(f'{s.etc}/main.cf', 'a') as f:    # mail that waits
            f.write('mynetworks = 127.0.0.0/8\n'
                    f'transport_maps = inline:{{{WAITS}=smtp:[127.0.0.1]:9}}\n')
        os.mkdir(f'{s.suite}/tables')
        for kind in TABLES:
            with open(f'{s.suite}/tables/{kind}', 'w') as f:
                f.write('always here\n')
        self.base = f'{tmp}/base'
        cs.clone(s.suite, self.base)
        path = f'{tmp}/recording'
        low = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.fd = fcntl.fcntl(low, fcntl.F_DUPFD, 1000)
        os.close(low)
        self.disk0 = pr.Disk(self.base, s.suite, ROOTS)
        lib = f'{cs.BUILD}/tests/system/helpers/recorder.so'
        self.how = how = {'env': dict(
            os.environ, LD_PRELOAD=lib, RECORDER_FD=str(self.fd)),
            'pass_fds': [self.fd]}
        rng = random.Random(1)
        s.start(**how)
        try:
            self.make_accounts()
            wait = self.load(rng)
            self.one_of_each()
            self.administer()
            self.configure()
            wait()
            self.make_compact()
            s.kill(['*'])               # what follows is a recovery
            s.master.wait()
            s.stop()
            s.start(**how)
            wait = self.load(rng)
            self.one_of_each()
            wait()
            self.verify()
            time.sleep(2)               # the packer's turn
        finally:
            s.stop()
            os.close(self.fd)
        self.records = pr.records(path)
        self.acks = [i + 1 for i, r in enumerate(self.records) if r.op == 'K']
        self.live = f'{tmp}/live'
        # the numbers of the files that the recording speaks of are gone
        # when the tree is rebuilt: what they were is kept in disk0
        os.rename(s.suite, self.live)
        os.mkdir(s.suite)
        for extra in os.listdir(self.live):
            if extra not in ROOTS:
                cs.clone(f'{self.live}/{extra}', f'{s.suite}/{extra}')
        os.chmod(s.suite, os.stat(self.live).st_mode & 0o7777)

    def told(self, fact):
        os.write(self.fd, pr.token_record(fact))

    def load(self, rng):
        return self.suite.load(
            3 if LONG else 1.5, threads=4, rng=rng, on_ok=self.told,
            sizes=[500, 3000, 20000, 100000] * 4 + [200000, 300000, 2500000])

    def one_of_each(self):
        """Each size once by each way, whatever chance sends."""
        s = self.suite
        s.begun += 1
        for n, size in enumerate((800, 30000, 150000, 300000, 2500000)):
            for port in (s.through, s.queue):
                assert s.send(port, f'E{s.begun}Q{n}Q{port}Q', size,
                              self.told), s.log()

    def make_accounts(self):
        s = self.suite
        p = s.barid('domain', 'add', cs.DOMAIN)
        assert p.returncode == 0, p.stderr
        for n in range(s.accounts):
            name = f'u{n + 1}@{cs.DOMAIN}'
            p = s.barid('account', 'add', name, '--password-stdin',
                        stdin='secret\n')
            assert p.returncode == 0, p.stderr
            self.told(f'account:{name}')

    def administer(self):
        """What people are told to be done has to last as well."""
        s = self.suite
        for n in range(4):
            token = f'W{n}Q'
            assert s.send(s.queue, token, 500, to=f'{token}@{WAITS}'.lower(),
                          on_ok=lambda t: self.told(f'waits:{t}')), s.log()
        waiting = {m['recipients'][0]['address']: m['queue_id']
                   for m in s.drain(20, stays=WAITS)}
        for n, verb in enumerate(('hold', 'delete')):
            token = f'W{n}Q'
            self.told(f'begun-{verb}:{token}')
            p = s.barid('queue', verb, waiting[f'{token}@{WAITS}'.lower()])
            assert p.returncode == 0, p.stderr
            self.told(f'{verb}:{token}')

    def tool(self, *words, stdin=None):
        """A tool of Barid's, under the recorder's eyes."""
        p = subprocess.run(
            [f'{cs.BUILD}/bin/{words[0]}', '-c', self.suite.etc, *words[1:]],
            capture_output=True, text=True, timeout=60, input=stdin,
            **self.how)
        assert p.returncode == 0, (words, p.stderr)
        return p.stdout

    def configure(self):
        """Files that tools write: a built table, the configuration."""
        for kind in TABLES:
            spec = f'{kind}:{self.suite.suite}/tables/{kind}'
            self.tool('postmap', spec)
            self.told(f'map-{kind}:always')
            for n in range(3):
                self.tool('postmap', '-i', spec, stdin=f'key{n} here\n')
                self.told(f'map-{kind}:key{n}')
        for n in range(3):
            self.tool('barid', 'conf', 'set', f'bounce_size_limit={60000 + n}')
            self.told(f'set:{60000 + n}')

    def make_compact(self):
        """Bodies come into the environment of one account and leave it
        again, until the file is mostly empty; then more mail."""
        s = self.suite
        store = f'{s.suite}/data/store'

        def sizes():
            return {at: os.path.getsize(f'{at}/meta.mdb')
                    for at, _, files in os.walk(store) if 'meta.mdb' in files}
        before, sent = sizes(), 0
        while all(size >= before.get(at, 0) for at, size in sizes().items()):
            before = {at: max(size, before.get(at, 0))
                      for at, size in sizes().items()}
            assert sent < 400, (before, s.log())
            if sent % 40 == 0:          # more than is packed meanwhile
                time.sleep(0 if sent == 0 else 3)
            assert s.send(s.through, f'C{sent}Q', 220000, self.told,
                          to=f'u1@{cs.DOMAIN}'), s.log()
            sent += 1
        for n in range(4):
            assert s.send(s.through, f'CC{n}Q', 900, self.told,
                          to=f'u1@{cs.DOMAIN}'), s.log()

    def verify(self):
        """And what salvage writes; there is nothing to salvage."""
        p = self.suite.barid('store', 'verify', '--bodies', '--repair')
        assert p.returncode == 0, p.stdout + p.stderr

    def settings_amiss(self, facts):
        """Tables and the configuration: what they had stays."""
        s = self.suite
        for kind in TABLES:
            table = f'{s.suite}/tables/{kind}'
            for key in sorted(f.split(':')[1] for f in facts
                              if f.startswith(f'map-{kind}:')):
                p = subprocess.run(
                    [f'{cs.BUILD}/bin/postmap', '-c', s.etc, '-q', key,
                     f'{kind}:{table}'], capture_output=True, text=True)
                if p.stdout != 'here\n':
                    yield f'{kind}: {key} is not there: {p.stderr}'
        least = max([int(f[4:]) for f in facts if f.startswith('set:')] or [0])
        p = s.barid('conf', 'get', 'bounce_size_limit')
        if int(p.stdout) < least:
            yield f'{p.stdout.strip()} was set to {least}'

    def amiss(self, facts, left):
        """What was told to be done and is not so."""
        s = self.suite
        facts = {f for f in facts if ':' in f}
        yield from self.settings_amiss(facts)
        places = {}
        for m in left:
            for r in m['recipients']:
                token = r['address'].split('@')[0].upper()
                if token in places:
                    yield f'{token} waits twice'
                places[token] = m['queue_name']
        p = s.barid('account', 'list')
        accounts = p.stdout
        if p.returncode != 0:
            yield f'no accounts: {p.stderr}'
        for kind, what in (f.split(':', 1) for f in facts):
            if kind == 'account' and what not in accounts:
                yield f'{what} is no account'
            if kind == 'waits' and what not in places and \
                    f'begun-delete:{what}' not in facts:
                yield f'{what} does not wait'
            if kind == 'hold' and places.get(what) != 'hold':
                yield f'{what} is not on hold'
            if kind == 'delete' and what in places:
                yield f'{what} was deleted'

    def disk(self, count, ignore=None):
        """The disk after so many records."""
        d = copy.deepcopy(self.disk0)
        d.ignore = ignore
        for r in self.records[:count]:
            d.step(r)
        return d

    def outcome(self, disk, rng=None):
        """What is wrong after this power cut; '' if nothing."""
        s = self.suite
        disk.write(s.suite, rng)
        try:
            s.start()
            left = s.drain(40, stays=WAITS)
            amiss = sorted(self.amiss(disk.acked, left))
            s.stop()
            mail = {t for t in disk.acked if ':' not in t}
            lost, twice = s.judge(mail)
        except AssertionError as e:
            return f'{str(e)[-600:]}\n{s.log(8)}'
        finally:
            s.stop()
        if lost or twice:
            return (f'{len(lost)} of {len(mail)} lost {lost[:3]}, '
                    f'{len(twice)} twice {twice[:3]}')
        return ', '.join(amiss)


@pytest.fixture(scope='module')
def recording(tmp_path_factory):
    cs.make('tests/system/helpers/store_tool',
            'tests/system/helpers/recorder.so')
    r = Recording(tmp_path_factory.mktemp('powercut'))
    yield r
    r.suite.stop()


def test_records(recording):
    ops = {r.op for r in recording.records}
    assert {'C', 'N', 'S', 'E', 'K'} <= ops, ops
    d = recording.disk(len(recording.records))
    assert len(d.acked) > 20
    for kind, n in sorted(d.flushes.items()):
        print(f'{len(n):6} {kind}')


def test_cut(recording):
    seed = int(os.environ.get('BARID_SEED', random.randrange(1 << 30)))
    print('BARID_SEED', seed)
    rng = random.Random(seed)
    total = len(recording.records)
    acks = recording.acks
    cuts = [(acks[-1], None), (rng.choice(acks), None)]
    for _ in range(40 if LONG else 3):
        cuts.append((rng.randrange(1, total), None))
        # and random parts of what was not flushed
        cuts.append((rng.choice(acks + [rng.randrange(1, total)]),
                     random.Random(rng.random())))
    for at, some in cuts:
        wrong = recording.outcome(recording.disk(at), some)
        assert not wrong, (seed, at, total, bool(some), wrong)


def places(recording, whole, kind):
    """Where a flush of that kind may matter: (steps, seed of what else is
    kept). Just after it something is acknowledged; or the next flush makes a
    name last whose content is not there, or is in part."""
    steps = set(whole.flushes[kind])
    if 'folder flush' in kind:          # then what is in it matters, too
        inside = kind.split(':')[0] + '/'
        for k, n in whole.flushes.items():
            if k.startswith(inside) and '/' not in k[len(inside):]:
                steps |= set(n[-6:])
    acks = recording.acks
    ends = [i + 1 for i, r in enumerate(recording.records) if r.op == 'E']
    after = sorted({next((k for k in acks if k > i), acks[-1])
                    for i in steps})
    for at in [acks[-1], acks[len(acks) // 2], acks[0], *after[-12:]]:
        yield at, None
    for i in whole.flushes[kind][-3:]:
        if kind.endswith('.new: flush'):    # a name that came too early
            for seed in range(1, 9):
                yield i + 2, seed
                yield i + 3, seed
        for at in [e for e in ends if e > i + 1][:2]:
            for seed in (None, 1, 2, 3):
                yield at, seed
    for i, r in enumerate(recording.records):   # what people had done
        if r.op == 'K' and b':' in bytes(r.data):
            yield i + 1, None


@pytest.mark.long
def test_each_flush_is_needed(recording):
    """The table of all flushes, and what happens without each."""
    whole = recording.disk(len(recording.records))
    missed = []

    def outcome(at, seed, without=None):
        return recording.outcome(
            recording.disk(at, without and (lambda k, r: k == without)),
            seed and random.Random(seed))
    for kind, n in sorted(whole.flushes.items()):
        wrong = ''
        for at, seed in [] if kind in BESIDE else places(
                recording, whole, kind):
            wrong = outcome(at, seed, kind)
            if wrong:           # and it is for want of that flush
                assert not outcome(at, seed), (at, seed, wrong)
                break
        print(f'{kind} ({len(n)}):', wrong.splitlines()[0][-100:] if wrong
              else BESIDE.get(kind, 'NOT SEEN'), flush=True)
        if not wrong and kind not in BESIDE:
            missed.append(kind)
    assert not missed, missed
