# SPDX-License-Identifier: ISC
"""The servers that are compared: Barid from a build, Postfix and Dovecot from
Debian's packages, each with a private configuration under one folder. Every
server is ended by the pid that was started."""
import grp
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time

DOMAIN = 'bench.example'
PASSWORD = 'secret'


def wait_port(port, limit=20, host='127.0.0.1'):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        try:
            with socket.create_connection((host, port), timeout=2) as s:
                if s.recv(64):
                    return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f'nothing answers on port {port}')


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w') as f:
        f.write(text)


def wait_gone(pid, limit):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except OSError:
            return True
        time.sleep(0.05)
    return False


class Server:
    """What a server is: start, stop, the roots of its family, its ports."""
    def __init__(self, folder):
        self.folder = folder
        self.running = []
        self.had = 0            # messages in the mailboxes, as last counted

    def launch(self, argv, **more):
        log = open(os.path.join(self.folder, 'output'), 'ab')
        p = subprocess.Popen(argv, stdout=log, stderr=log,
                             stdin=subprocess.DEVNULL, **more)
        self.running.append(p)
        return p

    def roots(self):
        return [p.pid for p in self.running]

    def stop(self):
        for p in reversed(self.running):
            p.send_signal(signal.SIGTERM)
            try:
                p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        self.running = []


class BaridAccept(Server):
    """Barid with everything routed to discard, in queue mode."""
    name = 'Barid'

    def __init__(self, build, folder, port):
        super().__init__(folder)
        self.build, self.smtp = build, port

    def start(self):
        etc = f'{self.folder}/etc'
        write(f'{etc}/main.cf', f'''daemon_directory = {self.build}/libexec/barid
queue_directory = {self.folder}/queue
data_directory = {self.folder}/data
myhostname = mail.{DOMAIN}
mydestination = {DOMAIN}
local_transport = discard:
default_transport = discard:
local_recipient_maps =
alias_maps =
''')
        write(f'{etc}/master.cf', f'127.0.0.1:{self.smtp} inet n - - - - '
              'smtpd -o delivery_mode=queue\n')
        self.launch([f'{self.build}/libexec/barid/master', '-c', etc])
        wait_port(self.smtp)
        return self


class BaridSuite(Server):
    """Barid as localserve starts it, with accounts u0001 and on."""
    name = 'Barid'

    def __init__(self, build, folder, port, accounts=0, sets=()):
        super().__init__(folder)
        self.build, self.base = build, port
        self.accounts, self.sets = accounts, sets
        self.smtp, self.imap, self.imaps = port, port + 3, port + 4

    def start(self):
        argv = [f'{self.build}/bin/barid', 'localserve', '--directory',
                self.folder + '/suite', '--base-port', str(self.base),
                '--domain', DOMAIN]
        if self.accounts:
            argv += ['--accounts', f'u:{self.accounts}:{PASSWORD}']
        for s in self.sets:
            argv += ['--set', s]
        with open(self.folder + '/output', 'ab') as log:
            p = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=log,
                                 stdin=subprocess.DEVNULL)
        self.running.append(p)
        line = p.stdout.readline()
        if not line:
            raise RuntimeError('barid localserve did not start: see '
                               + self.folder + '/output')
        self.told = json.loads(line)
        return self

    def user(self, i):
        return f'u{i}@{DOMAIN}'

    def users(self):
        return f'u%u@{DOMAIN}'

    def count(self, i):
        import imaplib
        box = imaplib.IMAP4('127.0.0.1', self.imap, timeout=30)
        box.login(self.user(i), PASSWORD)
        n = int(box.select('INBOX', readonly=True)[1][0])
        box.logout()
        return n

    def delivered(self):
        return sum(self.count(i + 1) for i in range(self.accounts))


class Postfix(Server):
    """Debian's Postfix; all mail to a transport."""
    name = 'Postfix'

    def __init__(self, folder, port, transport='discard:'):
        super().__init__(folder)
        self.smtp, self.transport = port, transport

    def start(self):
        etc, d = f'{self.folder}/etc', self.folder
        for sub in ('queue', 'data'):
            os.makedirs(f'{d}/{sub}', exist_ok=True)
        shutil.chown(f'{d}/data', 'postfix')
        write(f'{etc}/main.cf', f'''compatibility_level = 3.6
queue_directory = {d}/queue
data_directory = {d}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {d}/log
maillog_file_prefixes = /
myhostname = mail.{DOMAIN}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
mynetworks = 127.0.0.0/8
default_transport = {self.transport}
relay_transport = {self.transport}
alias_maps =
smtpd_client_connection_count_limit = 0
default_process_limit = 120
''')
        rows = '''127.0.0.1:%d inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
lmtp unix - - n - 20 lmtp
discard unix - - n - - discard
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
''' % self.smtp
        write(f'{etc}/master.cf', rows)
        subprocess.run(['postfix', '-c', etc, 'check'], timeout=60,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.launch(['/usr/lib/postfix/sbin/master', '-c', etc, '-d'],
                    start_new_session=True)
        wait_port(self.smtp)
        return self

    def queue_empty(self):
        for part in ('active', 'incoming', 'deferred', 'maildrop'):
            for _, _, files in os.walk(f'{self.folder}/queue/{part}'):
                if files:
                    return False
        return True


class Dovecot(Server):
    """Debian's Dovecot: LMTP on a Unix socket, IMAP, maildirs."""
    name = 'Dovecot'

    def __init__(self, folder, port, tls=None):
        super().__init__(folder)
        self.imap, self.imaps, self.tls = port, port + 1, tls
        self.lmtp = f'{folder}/lmtp'

    def start(self):
        d = self.folder
        # neither root's nor anybody's mail: an unprivileged uid of its own
        uid = pwd.getpwnam('mail').pw_uid
        gid = grp.getgrnam('mail').gr_gid
        os.makedirs(f'{d}/mail', exist_ok=True)
        os.chown(f'{d}/mail', uid, gid)
        tls = 'ssl = no'
        if self.tls:
            tls = (f'ssl = yes\nssl_cert = <{self.tls[0]}\n'
                   f'ssl_key = <{self.tls[1]}')
        write(f'{d}/dovecot.conf', f'''base_dir = {d}/run
state_dir = {d}/state
instance_name = bench
listen = 127.0.0.1
protocols = imap lmtp
{tls}
log_path = {d}/log
mail_location = maildir:{d}/mail/%n
first_valid_uid = 1
disable_plaintext_auth = no
default_client_limit = 25000
default_process_limit = 12000
mail_max_userip_connections = 20000
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={d}/mail/%n allow_all_users=yes
}}
service lmtp {{
  unix_listener {self.lmtp} {{
    mode = 0666
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {self.imap}
  }}
  inet_listener imaps {{
    port = {self.imaps if self.tls else 0}
  }}
}}
service imap {{
  vsz_limit = 0
}}
''')
        self.launch(['dovecot', '-F', '-c', f'{d}/dovecot.conf'])
        wait_port(self.imap)
        return self

    def delivered(self):
        total = 0
        for box in os.listdir(f'{self.folder}/mail'):
            for sub in ('new', 'cur'):
                at = f'{self.folder}/mail/{box}/{sub}'
                if os.path.isdir(at):
                    total += len(os.listdir(at))
        return total


class PostfixDovecot(Server):
    """Postfix that delivers to Dovecot's LMTP."""
    name = 'Postfix + Dovecot'

    def __init__(self, folder, port):
        super().__init__(folder)
        for sub in ('dovecot', 'postfix'):
            os.makedirs(f'{folder}/{sub}', exist_ok=True)
        self.dovecot = Dovecot(f'{folder}/dovecot', port + 1)
        self.postfix = Postfix(f'{folder}/postfix', port,
                               f'lmtp:unix:{self.dovecot.lmtp}')
        self.smtp = port

    def start(self):
        self.dovecot.start()
        self.postfix.start()
        return self

    def roots(self):
        return self.dovecot.roots() + self.postfix.roots()

    def users(self):
        return f'u%u@{DOMAIN}'

    def delivered(self):
        return self.dovecot.delivered()

    def stop(self):
        self.postfix.stop()
        self.dovecot.stop()
