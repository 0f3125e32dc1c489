# SPDX-License-Identifier: ISC
"""A suite of its own for tests that break it: made by localserve, then run
from master alone, so that nothing else starts it again."""
import collections
import json
import os
import random
import shutil
import signal
import smtplib
import socket
import subprocess
import threading
import time

TREE = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.environ.get('BARID_BUILD', f'{TREE}/build')
DOMAIN = 'example.com'


def make(*targets):
    """Build what a test needs; an installed copy has it already."""
    if not os.path.exists(f'{BUILD}/Makefile'):
        return
    subprocess.run(['make', '-s', '-C', BUILD, *targets], check=True,
                   stdout=subprocess.DEVNULL, timeout=300)


def free_base():
    """A base for localserve: nobody listens on the ports from there."""
    while True:
        base = random.randrange(20000, 30000, 40)
        try:
            for port in range(base, base + 21):
                with socket.socket() as s:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    s.bind(('127.0.0.1', port))
            return base
        except OSError:
            continue


def children(pid):
    try:
        with open(f'/proc/{pid}/task/{pid}/children') as f:
            return [int(p) for p in f.read().split()]
    except OSError:
        return []


def comm(pid):
    try:
        with open(f'/proc/{pid}/comm') as f:
            return f.read().strip()
    except OSError:
        return ''


class Suite:
    def __init__(self, folder, accounts=6):
        self.folder, self.accounts = str(folder), accounts
        self.suite = f'{self.folder}/suite'
        self.base = free_base()
        self.through, self.queue = self.base, self.base + 20
        self.master = None
        self.acked, self.sent = set(), set()
        self.lock = threading.Lock()
        self.begun = 0

    def prepare(self):
        """Have localserve make the folder and the accounts; then stop it."""
        os.chmod(self.folder, 0o755)
        with open(f'{self.folder}/localserve.out', 'wb') as err:
            p = subprocess.Popen(
                [f'{BUILD}/bin/barid', 'localserve', '--directory',
                 self.suite, '--base-port', str(self.base), '--domain',
                 DOMAIN, '--accounts', f'u:{self.accounts}:secret'],
                stdout=subprocess.PIPE, stderr=err, stdin=subprocess.DEVNULL)
            line = p.stdout.readline()
            p.send_signal(signal.SIGTERM)
            p.wait(20)
        assert line, open(f'{self.folder}/localserve.out').read()
        self.etc = json.loads(line)['config_directory']
        with open(f'{self.etc}/master.cf', 'a') as f:
            f.write(f'127.0.0.1:{self.queue} inet n - n - - smtpd\n'
                    '    -o delivery_mode=queue\n')
        with open(f'{self.etc}/main.cf', 'a') as f:
            f.write('minimal_backoff_time = 1s\nmaximal_backoff_time = 2s\n'
                    'queue_run_delay = 1s\naccountd_pack_delay = 1s\n')
        return self

    def start(self, arguments=(), **more):
        self.output = open(f'{self.folder}/master.out', 'ab')
        self.master = subprocess.Popen(
            [f'{BUILD}/libexec/barid/master', '-c', self.etc, *arguments],
            stdin=subprocess.DEVNULL, stdout=self.output,
            stderr=self.output, start_new_session=True, cwd=self.folder,
            **more)
        end = time.monotonic() + 30
        for port in (self.through, self.queue):
            while True:
                try:
                    with socket.create_connection(('127.0.0.1', port), 5) as s:
                        if s.recv(100).startswith(b'220'):
                            break
                except OSError:
                    pass
                assert time.monotonic() < end, self.log()
                time.sleep(0.05)
        # it was ours that answered, not one that goes on
        assert self.master.poll() is None, self.log()
        return self

    def log(self, lines=40):
        try:
            with open(f'{self.suite}/data/log/maillog') as f:
                return ''.join(f.readlines()[-lines:])
        except OSError:
            return ''

    def processes(self):
        """{name: [pid]} of all that descend from master."""
        found, todo = collections.defaultdict(list), [self.master.pid]
        while todo:
            pid = todo.pop()
            found[comm(pid)].append(pid)
            todo += children(pid)
        return found

    def kill(self, names):
        """SIGKILL; those of the suite only, each by its pid."""
        for name, pids in self.processes().items():
            for pid in pids:
                if name in names or '*' in names:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass

    def stop(self):
        if self.master is None:
            return
        pids = [p for l in self.processes().values() for p in l]
        if self.master.poll() is None:
            self.master.terminate()
            try:
                self.master.wait(20)
            except subprocess.TimeoutExpired:
                self.master.kill()
                self.master.wait()
        gone_by = time.monotonic() + 10
        for pid in pids:        # orphans see their master's end
            while os.path.exists(f'/proc/{pid}'):
                with open(f'/proc/{pid}/stat') as f:
                    if f.read().rsplit(')', 1)[1].split()[0] == 'Z':
                        break
                if time.monotonic() > gone_by:
                    os.kill(pid, signal.SIGKILL)
                    break
                time.sleep(0.02)
        self.master = None

    # --- load

    def send(self, port, token, size, on_ok=None, to=None, timeout=20):
        """One message, tried once. True only after the 250."""
        with self.lock:
            self.sent.add(token)
        body = (f'From: <a@b.example>\r\nSubject: {token}\r\n'
                f'Message-ID: <{token}@b.example>\r\n\r\n')
        body += ('x' * 70 + '\r\n') * (size // 72)
        to = to or f'u{random.randrange(self.accounts) + 1}@{DOMAIN}'
        to = [to] if isinstance(to, str) else to
        try:
            s = smtplib.SMTP('127.0.0.1', port, 'load.example', timeout=timeout)
            with s:
                s.ehlo()
                s.mail('a@b.example')
                if any(s.rcpt(rcpt)[0] != 250 for rcpt in to):
                    return False
                if s.data(body.encode())[0] != 250:
                    return False
                with self.lock:
                    self.acked.add(token)
                    if on_ok:
                        on_ok(token)
                return True
        except (OSError, smtplib.SMTPException):
            return False

    def load(self, seconds, threads=6, rng=random, on_ok=None, timeout=20,
             sizes=(500, 3000, 20000, 100000) * 4 + (300000, 2500000)):
        """Start senders; returns a function that waits for them."""
        end = time.monotonic() + seconds
        self.begun += 1

        def work(number):
            i = 0
            while time.monotonic() < end:
                token = f'T{self.begun:x}Q{number:x}Q{i:x}Q'.upper()
                port = self.queue if (number + i) % 2 else self.through
                size = rng.choice(sizes)
                if not self.send(port, token, size, on_ok,
                                 timeout=timeout):
                    time.sleep(0.02)
                i += 1
        running = [threading.Thread(target=work, args=(n,))
                   for n in range(threads)]
        for t in running:
            t.start()
        return lambda: [t.join() for t in running]

    # --- counting

    def barid(self, *words, stdin=None):
        return subprocess.run([f'{BUILD}/bin/barid', '-c', self.etc, *words],
                              capture_output=True, text=True, timeout=60,
                              input=stdin)

    def queued(self):
        """The queue's messages; None: it cannot be asked."""
        p = self.barid('queue', 'list', '--json')
        return [json.loads(line) for line in p.stdout.splitlines()] \
            if p.returncode == 0 else None

    def drain(self, limit=60, stays=None):
        """Wait until the queue is empty, but for what is to stay there."""
        end = time.monotonic() + limit
        while True:
            left = self.queued()
            if left is not None and all(
                    stays and r['address'].endswith(stays)
                    for m in left for r in m['recipients']):
                return left
            assert time.monotonic() < end, \
                f'the queue does not drain: {left and left[:5]}\n{self.log()}'
            time.sleep(0.2)

    def large_files(self, limit=20):
        """What stays in queue/large although nothing is in the queue."""
        end = time.monotonic() + limit
        while True:
            left = os.listdir(f'{self.suite}/queue/large')
            if not left or time.monotonic() >= end:
                return left
            time.sleep(0.1)

    def count(self):
        """{token: how often it is in the mailboxes}; proves the store."""
        found = collections.Counter()
        folders = []
        store = f'{self.suite}/data/store'
        for at, _, files in os.walk(store):
            if 'meta.mdb' in files:
                folders.append(at)
        p = subprocess.run([f'{BUILD}/tests/system/helpers/store_tool',
                            *folders], capture_output=True, text=True,
                           timeout=300)
        damage = [l for l in p.stdout.splitlines() if l.startswith('damage')]
        assert p.returncode == 0 and not damage, \
            (p.returncode, damage[:10], p.stderr[-1000:])
        for line in p.stdout.splitlines():
            found[line.split()[-1].upper()] += 1
        return found

    def judge(self, acked=None):
        """Every token that got a 250 once, all others at most once."""
        acked = self.acked if acked is None else acked
        found = self.count()
        lost = [t for t in acked if found[t] == 0]
        twice = [t for t, n in found.items() if n > 1]
        return lost, twice


def clone(source, target):
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(['cp', '-a', source, target], check=True)
