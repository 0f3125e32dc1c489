# SPDX-License-Identifier: ISC
"""Hostile code in every daemon's place.

A library is preloaded into the real daemons of a running suite. Each starts,
enters its sandbox, serves; then the library tries what an intruder would. No
daemon may do more than its row says; without the sandbox every attempt
succeeds, so that the drill is known to bite.
"""
import collections
import fcntl
import imaplib
import json
import os
import re
import smtplib
import socket
import subprocess
import sys
import threading
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
           'dnsd', 'logd', 'bounce'}
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
    def __init__(self, tmp, bare=False, forge=None):
        self.suite = s = cs.Suite(tmp, accounts=2).prepare()
        with open(f'{s.etc}/main.cf', 'a') as f:    # smtp, dnsd, bounce are
            f.write('mynetworks = 127.0.0.0/8\n'   # used as well
                    'maximal_queue_lifetime = 0s\n'
                    'bounce_queue_lifetime = 0s\n'
                    'service_throttle_time = 1s\n')
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
        self.outcomes = collections.defaultdict(set)
        if forge:
            with open(f'{self.place}/progress', 'wb') as f:
                f.write(bytes(4096))
            os.chmod(f'{self.place}/progress', 0o666)
            s.start()
            s.send(s.through, 'FIRST', 500, to=f'u2@{cs.DOMAIN}')
            rows = s.barid('account', 'list', '--json').stdout.splitlines()
            s.stop()
            # what master may open for smtp, and for nobody else
            self.lmtp = socket.socket(socket.AF_UNIX)
            self.lmtp.bind(f'{s.suite}/queue/private/drill')
            self.lmtp.listen(100)
            os.chmod(f'{s.suite}/queue/private/drill', 0o777)
            other = next(r for r in map(json.loads, rows)
                         if r['name'].startswith('u2@'))
            self.env.update(DRILL_FORGE=forge, DRILL_ACCOUNT=other['account'],
                            DRILL_DELAY='1')

    def run(self, arguments=(), wait=20, want=DAEMONS, last='done'):
        """Start, have everything used, and read what was told."""
        s = self.suite
        try:
            s.start(env=self.env, pass_fds=[self.fd], arguments=arguments)
            end = time.monotonic() + wait
            self.over = threading.Event()
            users = [threading.Thread(target=self.use, args=(n,), daemon=True)
                     for n in range(3)]
            for u in users:
                u.start()
            while time.monotonic() < end:
                done = {k for k, v in self.read().items() if last in v}
                if want <= done:
                    break
                time.sleep(0.2)
            self.over.set()
            if last == 'forged':        # others and master have read it by
                time.sleep(1.5)         # then
            assert s.master.poll() is None, s.log()
            return self.read()
        finally:
            s.stop()
            os.close(self.fd)
            self.unix.close()
            self.tcp.close()

    def use(self, number):
        """Have everything used, until it is over."""
        s, n = self.suite, 0
        while not self.over.is_set():
            n += 1
            for port in (s.through, s.queue):
                s.send(port, f'D{number}N{n}P{port}', 500, timeout=2)
            s.send(s.queue, f'D{number}N{n}R', 500, to='x@relay.example',
                   timeout=2)
            self.log_in()
            self.over.wait(0.02)

    def log_in(self):
        """Have imapd, authd, signd and dnsd asked."""
        try:
            with imaplib.IMAP4('127.0.0.1', s_imap(self.suite), 2) as c:
                c.login(f'u1@{cs.DOMAIN}', 'secret')
                c.select()
        except (OSError, imaplib.IMAP4.error):
            pass
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
                if not line.endswith('\n'):
                    break
                name, _, what, could = line.split()
                if '/' in what and what[0] in '<>':
                    self.outcomes[what].add(could)
                    continue
                if ':' in what:
                    what, ino = what.split(':')
                    self.held[name].add(int(ino))
                found[name][what] = found[name].get(what, False) or \
                    could == 'yes'
        return found


def s_imap(suite):
    """localserve's port of IMAP."""
    return suite.base + 3


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
        if a == 'done':
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
    """Without a sandbox each attempt succeeds, in every daemon's place."""
    drill = Drill(tmp_path, bare=True)
    want = {n for n in DAEMONS if '+' not in n}     # a child is its zygote
    found = drill.run(['-n'], want=want)
    print(table(found))
    missing = want - {n for n in found if 'done' in found[n]}
    assert not missing, (missing, drill.suite.log())
    refused = {(n, a) for n, tried in found.items() for a, could in
               tried.items() if not could and
               (os.geteuid() == 0 or a not in AS_ROOT) and
               (a != 'new-namespace' or has_namespaces())}
    assert not refused, sorted(refused)


def has_namespaces():
    """May anybody make a user namespace here? Nobody may in a chroot."""
    return subprocess.run(['unshare', '--user', 'true'],
                          stderr=subprocess.DEVNULL).returncode == 0


LONG = bool(os.environ.get('BARID_LONG'))
TO_MAPD = {'map_rcpt', 'map_client', 'map_from'}
TO_CLEANUP = {
    '>cleanup': {'content_channel'}, '>cleanup-channel': {'content_begin'},
    '>cleanup-message': {'content_data', 'content_end', 'content_abort'},
}
LOGIN = {'auth_start', 'auth_continue', 'auth_cancel'}
SIGN = {'sign_certs', 'sign_tls', 'sign_ticket_keys'}
# what may be said at all: {daemon: {to: messages}}; to logd nothing is
# answered, and whom a daemon may call is asked of master
MAY_SAY = {
    'smtpd': {'>mapd': TO_MAPD, '>authd': LOGIN, '>signd': SIGN,
              '>dnsd': {'dns_ask'}, **TO_CLEANUP},
    'pickup': {'>mapd': TO_MAPD, **TO_CLEANUP},
    'cleanup': {'>mapd': TO_MAPD, '>qmgr': {
        'queue_hello', 'queue_lease', 'queue_return', 'queue_offer',
        'queue_committed', 'queue_forget', 'queue_unlinked'}},
    'qmgr': {'>mapd': TO_MAPD, '>smtp': {'delivery_ask'},
             '>lmtpd': {'delivery_ask'}, '>bounce': {'bounce_ask'}},
    'bounce': {'>mapd': TO_MAPD, **TO_CLEANUP},
    'smtp': {'>dnsd': {'dns_ask'}},
    'lmtpd': {'>stored': {'store_deliver'},
              '>account-delivery': {'deliver_ask'}},
    'mapd': {'>authd': {'auth_account', 'auth_exists'},
             '>stored': {'store_quota'}},
    'imapd': {'>authd': LOGIN, '>signd': SIGN, '>stored': {
        'store_session', 'store_resume', 'store_forget'}},
    'stored': {'>authd': {'auth_confirm', 'auth_account'},
               '>accountd': {'zygote_fork'},
               '>account-process': {
                   'account_start', 'account_delivery', 'account_session',
                   'account_end', 'account_verify', 'account_limits'},
               '>account-session': {'front_data', 'front_close'}},
}
# what no forgery may bring about: an answer, and the field that would say so
NEVER = {
    'auth_step': lambda f: f['outcome'] == 2,           # logged in
    'auth_account_is': lambda f: f['found'] and f['message'] == 'auth_confirm',
    'sign_signature': lambda f: f['signature'],         # with others' keys
    'sign_chains': lambda f: f['certs'],
    'sign_tickets': lambda f: f['keys'],
    'store_channel': lambda f: f['code'] in (0, 250) and
        f['message'] != 'store_deliver',                # somebody's session
    # others than the account whose folder that is
    'zygote_forked': lambda f: f['pid'] and f['flavour'] != 'others',
}


def beyond(daemon, outcomes):
    """What was brought about by forgeries that must not be."""
    may = MAY_SAY.get(daemon, {})
    for what, seen in sorted(outcomes.items()):
        to, message, flavour, _ = what.split('/')
        if message == 'edge' and 'connected' in seen and to != '>logd':
            yield what
        if message == 'want_socket' and 'connected' in seen and \
                (daemon, flavour) != ('smtp', 'allowed'):
            yield what
        for answer in (a for a in seen if '(' in a):
            name, fields = answer[:-1].split('(')
            f = {k: int(v) for k, v in
                 (x.split('=') for x in fields.split(',') if x)}
            f.update(message=message, flavour=flavour)
            if to == '>master':
                continue
            if message not in may.get(to, ()) or flavour == 'beyond' or \
                    name in NEVER and NEVER[name](f):
                yield f'{what}: {answer}'


def forged_table(outcomes):
    """One line a message: what came of it, over all flavours."""
    rows = collections.defaultdict(set)
    for what, seen in outcomes.items():
        to, message, _, _ = what.split('/')
        rows[to, message] |= {a.split('(')[0] for a in seen}
    return '\n'.join(f'{to:18} {message:20} {" ".join(sorted(seen))}'
                     for (to, message), seen in sorted(rows.items()))


@pytest.mark.parametrize('daemon', sorted(
    n for n in DAEMONS if LONG or n in ('smtp', 'smtpd', 'stored')))
def test_forgeries(tmp_path, daemon):
    """Every message of every table, on every edge: what may not be said ends
    the edge, never the one who reads it."""
    d = Drill(tmp_path, forge=daemon)
    found = d.run(wait=60, want={daemon}, last='forged')
    print(forged_table(d.outcomes))
    assert 'forged' in found[daemon], (sorted(d.outcomes), d.suite.log())
    if daemon in MAY_SAY:       # it did bite: what is allowed is answered
        assert any('(' in a for seen in d.outcomes.values() for a in seen)
    if '+' not in daemon:       # an account process cannot ask master
        asked = d.outcomes['>master/want_socket/outside/call']
        assert asked == {'refused'}, d.outcomes
        asked = d.outcomes['>master/want_socket/allowed/call']
        assert asked == {'connected' if daemon == 'smtp' else 'refused'}
    log = d.suite.log(100000).splitlines()
    died = [x for x in log if 'by signal ' in x and not re.search(
        rf'process {daemon.split("+")[0]} .* killed by signal 9$', x)]
    died += [x for x in log if 'Assertion' in x or 'Sanitizer' in x]
    assert not died, died
    assert not list(beyond(daemon, d.outcomes))
