# SPDX-License-Identifier: ISC
"""Hostile code in every daemon's place.

A library is preloaded into the real daemons of a running suite. Each starts,
enters its sandbox, serves; then the library tries what an intruder would. No
daemon may do more than its row says; without the sandbox every attempt
succeeds, so that the drill is known to bite.
"""
import collections
import fcntl
import os
import socket
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import crash_suite as cs                                    # noqa: E402

# what design allows beyond nothing: {daemon: attempts}
NET = {'connect-by-TCP', 'connect-by-UDP', 'listen'}
MAY = {
    'smtp': NET - {'listen'}, 'dnsd': NET - {'listen'},
    # the zygote makes its children and confines them
    'accountd': {'fork', 'chroot', 'become-dumpable'},
    # tables may be anywhere, so it has no root of its own
    'mapd': {'open-/etc/passwd', 'open-../../etc/passwd'},
}
DAEMONS = {'smtpd', 'smtp', 'pickup', 'cleanup', 'qmgr', 'lmtpd', 'stored',
           'accountd', 'accountd+child', 'imapd', 'authd', 'mapd', 'signd',
           'dnsd', 'logd'}
# whose files and folders it may hold open, below the suite's folder
OWN = {
    'cleanup': 'queue', 'qmgr': 'queue', 'pickup': 'queue/maildrop',
    'bounce': 'queue/bounce', 'stored': 'data/store',
    'accountd+child': 'data/store/', 'authd': 'data/auth',
    'logd': 'data/log',
}
# needs root even where nothing else forbids it, or a kernel that has it
AS_ROOT = {'become-root', 'chroot', 'unshare'}


class Drill:
    def __init__(self, tmp, bare=False, forge=False):
        self.suite = s = cs.Suite(tmp, accounts=2).prepare()
        with open(f'{s.etc}/main.cf', 'a') as f:    # smtp and dnsd are used
            f.write('mynetworks = 127.0.0.0/8\n')
        self.place = f'{tmp}/place'
        os.mkdir(self.place, 0o777)
        os.chmod(self.place, 0o777)
        for name in ('secret', 'key'):
            with open(f'{self.place}/{name}', 'w') as f:
                f.write('x')
        self.unix = socket.socket(socket.AF_UNIX)
        self.unix.bind(f'{self.place}/socket')
        self.unix.listen(100)
        os.chmod(f'{self.place}/socket', 0o777)
        self.tcp = socket.socket()
        self.tcp.bind(('127.0.0.1', 0))
        self.tcp.listen(1000)
        self.held = collections.defaultdict(set)
        self.told = f'{tmp}/told'
        low = os.open(self.told, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self.fd = fcntl.fcntl(low, fcntl.F_DUPFD, 1000)
        os.close(low)
        self.env = dict(
            os.environ, DRILL_FD=str(self.fd), DRILL_PLACE=self.place,
            DRILL_PORT=str(self.tcp.getsockname()[1]), DRILL_DELAY='3',
            LD_PRELOAD=f'{cs.BUILD}/tests/system/helpers/drill.so')
        if bare:
            self.env['DRILL_BARE'] = '1'
        if forge:
            self.env['DRILL_FORGE'] = '1'

    def run(self, arguments=(), wait=20, want=DAEMONS, last='done'):
        """Start, have everything used, and read what was told."""
        s = self.suite
        try:
            s.start(env=self.env, pass_fds=[self.fd], arguments=arguments)
            end = time.monotonic() + wait
            n = 0
            while time.monotonic() < end:
                n += 1
                for port in (s.through, s.queue):
                    s.send(port, f'D{n}P{port}', 500)
                s.send(s.queue, f'D{n}R', 500, to='x@relay.example')
                self.log_in()
                done = {k for k, v in self.read().items() if last in v}
                if want <= done:
                    break
            if last == 'forging':
                time.sleep(1)           # others have read it by then
            assert s.master.poll() is None, s.log()
            return self.read()
        finally:
            s.stop()
            os.close(self.fd)
            self.unix.close()
            self.tcp.close()

    def log_in(self):
        """Have imapd, signd and dnsd asked."""
        import smtplib
        try:
            with smtplib.SMTP('127.0.0.1', self.suite.through,
                              timeout=3) as c:
                c.starttls()
                c.ehlo()
        except (OSError, smtplib.SMTPException):
            pass

    def read(self):
        """{daemon: {attempt: could any process of it}}"""
        found = collections.defaultdict(dict)
        with open(self.told) as f:
            for line in f:
                name, _, what, could = line.split()
                if ':' in what:
                    what, ino = what.split(':')
                    self.held[name].add(int(ino))
                found[name][what] = found[name].get(what, False) or \
                    could == 'yes'
        return found


@pytest.fixture(autouse=True)
def built():
    cs.make('tests/system/helpers/drill.so')


def table(found):
    """The table of what each could do."""
    names = sorted(found)
    attempts = []
    for name in names:
        attempts += [a for a in found[name] if a not in attempts]
    width = max(map(len, attempts))
    out = [f'{"":{width}}  ' + ' '.join(names)]
    for a in attempts:
        if a in ('done', 'forging'):
            continue
        out.append(f'{a:{width}}  ' + ' '.join(
            f'{"YES" if found[n].get(a) else "-":{len(n)}}' for n in names))
    return '\n'.join(out)


def outside(drill):
    """What daemons hold open that is not theirs."""
    path, top = {}, drill.suite.suite
    for at, folders, files in os.walk(top):
        for name in folders + files:
            full = os.path.join(at, name)
            path[os.lstat(full).st_ino] = os.path.relpath(full, top)
    # what was removed since, or is no part of the suite, has no path
    return [(n, path[i]) for n, held in drill.held.items() for i in held
            if i in path and not (n in OWN and
                                  path[i].startswith(OWN[n]))]


def test_in_the_sandbox(tmp_path):
    drill = Drill(tmp_path)
    found = drill.run()
    print(table(found))
    missing = DAEMONS - {n for n in found if 'done' in found[n]}
    assert not missing, (missing, drill.suite.log())
    assert not outside(drill), outside(drill)
    beyond = {(n, a) for n, tried in found.items() for a, could in
              tried.items() if could and a not in MAY.get(n, ())
              and a not in ('done', 'write-to-file', 'hold-a-folder')}
    assert not beyond, sorted(beyond)


def test_the_drill_bites(tmp_path):
    found = Drill(tmp_path, bare=True).run(['-n'], want={'smtpd', 'logd'})
    print(table(found))
    refused = {a for n in ('smtpd', 'logd') for a, could in found[n].items()
               if not could}
    if os.geteuid() != 0:
        refused -= AS_ROOT
    assert not refused, refused


LONG = bool(os.environ.get('BARID_LONG'))


@pytest.mark.parametrize('daemon', sorted(
    n for n in DAEMONS if '+' not in n and
    (LONG or n in ('smtpd', 'cleanup', 'mapd'))))
def test_forgeries(tmp_path, daemon):
    """Garbage on every edge ends edges, never the one who reads it."""
    d = Drill(tmp_path, forge=True)
    d.env['DRILL_ONLY'] = daemon
    found = d.run(wait=20, want={daemon}, last='forging')
    assert found[daemon].get('forging'), found
    log = d.suite.log(100000)
    for sign in ('signal 6', 'signal 11', 'Assertion'):
        assert sign not in log, [x for x in log.splitlines() if sign in x]
