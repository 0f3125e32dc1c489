# SPDX-License-Identifier: ISC
"""LMTP in both directions, and who writes the lines of deliveries."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import smtplib
import socket
import socketserver
import subprocess
import tempfile
import threading
import time

import pytest

from conftest import Suite, have, message, token, wait_for
from test_relay import postfix  # noqa: F401 (a fixture)


def result_line(s, rcpt):
    """the line of the log that says what became of a recipient"""
    return wait_for(lambda: re.findall(
        r" (\S+)\[\d+\]: (\S+: to=<%s>.*)" % re.escape(rcpt), s.maillog()))


DELAYS = (r"delay=[\d.]+, delays=[\d.]+/[\d.]+/[\d.]+/[\d.]+, "
          r"dsn=\d\.\d\.\d, status=")


def test_agents_log_their_results(make_suite):
    """each under its own name, once for each recipient; those that nobody
    was asked for as error, as in Postfix"""
    s = make_suite("--set", "transport_maps=inline:{ { gone.test = discard:} "
                   "}", "--set", "relayhost=[127.0.0.1]:1",
                   accounts=["alice:secret"])
    submit(s, ["alice@example.test", "x@gone.test", "x@away.test"])
    for rcpt, program, words in (
            ("alice@example.test", "barid/lmtpd", "status=sent"),
            ("x@gone.test", "barid/discard", "status=sent"),
            ("x@away.test", "barid/smtp", "status=deferred (connect to")):
        lines = result_line(s, rcpt)
        assert len(lines) == 1
        assert lines[0][0] == program, lines
        assert words in lines[0][1]
        assert re.search(DELAYS, lines[0][1])

    def suspended():
        submit(s, ["y@away.test"])
        return [l for l in result_line(s, "y@away.test")
                if "delivery temporarily suspended: connect to" in l[1]]
    assert wait_for(suspended)[0][0] == "barid/error"


class LmtpServer:
    """an LMTP server on a Unix socket; answers of recipients are scripted:
    address -> (reply to RCPT or None, reply behind the content)"""

    def __init__(self, path, script=None):
        self.script = script or {}
        self.letters = []
        self.pause = 0          # before the answers behind the content
        server = self

        class Handler(socketserver.StreamRequestHandler):
            def say(self, text):
                self.wfile.write(text.encode() + b"\r\n")

            def content(self, rcpts):
                data, line = b"", self.rfile.readline()
                while line and line != b".\r\n":
                    data += line
                    line = self.rfile.readline()
                time.sleep(server.pause)
                taken = []
                for rcpt in rcpts:
                    text = server.script.get(rcpt, (None, None))[1] or \
                        "250 2.0.0 <%s> Saved" % rcpt
                    if text[0] == "2":
                        taken.append(rcpt)
                    self.say(text)
                server.letters.append((taken, data))

            def handle(self):
                rcpts = []
                self.say("220 store.test LMTP")
                for line in self.rfile:
                    line = line.decode().strip()
                    word = line.upper()[:4]
                    if word == "LHLO":
                        self.say("250-store.test\r\n250-PIPELINING\r\n"
                                 "250-ENHANCEDSTATUSCODES\r\n250 8BITMIME")
                    elif word == "RCPT":
                        rcpt = line[line.index("<") + 1:line.index(">")]
                        text = server.script.get(rcpt, (None, None))[0] or \
                            "250 2.1.5 OK"
                        if text[0] == "2":
                            rcpts.append(rcpt)
                        self.say(text)
                    elif word == "DATA":
                        if not rcpts:
                            self.say("503 5.5.1 No recipients")
                            continue
                        self.say("354 OK")
                        self.content(rcpts)
                    elif word == "QUIT":
                        with contextlib.suppress(OSError):
                            self.say("221 2.0.0 Bye")   # it may not wait
                        return
                    else:
                        if word in ("MAIL", "RSET"):
                            rcpts = []
                        self.say("250 2.0.0 OK")

        class Server(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True
        self.server = Server(str(path), Handler)
        os.chmod(path, 0o666)
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def submit(s, rcpts, subject=None):
    s.send(message(subject, "hello\r\n", sender="alice@example.test"), rcpts,
           service="submission", login="alice:secret",
           sender="alice@example.test")


@pytest.fixture
def folder():
    """a short path that every user may search"""
    with tempfile.TemporaryDirectory(prefix="lmtp-") as path:
        os.chmod(path, 0o755)
        yield pathlib.Path(path)


def test_client_unix_socket(make_suite, folder):
    """each recipient gets its own answer, and its own line in the log"""
    server = LmtpServer(folder / "lmtp", {
        "never@store.test": (None, "550 5.7.1 <never@store.test> no"),
        "later@store.test": (None, "451 4.2.0 <later@store.test> busy"),
        "nobody@store.test": ("550 5.1.1 <nobody@store.test> who?", None)})
    path = "unix:%s" % (folder / "lmtp")
    s = make_suite("--set", "transport_maps=inline:{ { store.test = lmtp:%s "
                   "} }" % path, accounts=["alice:secret"])
    subject = token()
    submit(s, ["ok@store.test", "never@store.test", "later@store.test",
               "nobody@store.test"], subject)
    for rcpt, words in (("ok", "dsn=2.0.0, status=sent (250 2.0.0"),
                        ("never", "dsn=5.7.1, status=bounced (host "),
                        ("later", "dsn=4.2.0, status=deferred (host "),
                        ("nobody", "dsn=5.1.1, status=bounced (host ")):
        program, line = result_line(s, rcpt + "@store.test")[0]
        assert program == "barid/lmtp"
        assert words in line
        assert "relay=mail.example.test[%s]" % (folder / "lmtp") in line
    taken, data = server.letters[0]
    assert taken == ["ok@store.test"] and subject.encode() in data
    report = s.wait_message("Final-Recipient: rfc822; never@store.test")
    assert b"nobody@store.test" in report and b"later@" not in report
    server.close()


def test_client_asks_no_more_than_helps(make_suite, folder):
    """one "too many" and the other put off: what both want is time"""
    server = LmtpServer(folder / "lmtp", {
        "full@store.test": ("452 4.2.2 <full@store.test> no room", None),
        "busy@store.test": (None, "451 4.2.0 <busy@store.test> busy")})
    s = make_suite("--set", "transport_maps=inline:{ { store.test = "
                   "lmtp:unix:%s } }" % (folder / "lmtp"),
                   accounts=["alice:secret"])
    submit(s, ["busy@store.test", "full@store.test"])
    for rcpt in ("busy", "full"):
        assert "status=deferred" in result_line(s, rcpt + "@store.test")[0][1]
    assert len(server.letters) == 1
    # one that was taken may have made room for the next
    submit(s, ["ok@store.test", "busy@store.test", "full@store.test"])
    assert "status=sent" in result_line(s, "ok@store.test")[0][1]
    assert [l[0] for l in server.letters].count(["ok@store.test"]) == 1
    assert 3 <= len(server.letters) < 6
    server.close()


def test_client_unix_socket_not_named(make_suite, folder):
    """only what the configuration names is opened for the client"""
    server = LmtpServer(folder / "lmtp")
    maps = folder / "transport"
    maps.write_text("store.test lmtp:unix:%s\n"
                    "other.test lmtp:unix:%s/../%s/lmtp\n" %
                    (folder / "lmtp", folder, folder.name))
    s = make_suite("--set", "transport_maps=texthash:%s" % maps,
                   accounts=["alice:secret"])
    submit(s, ["x@store.test"])
    line = result_line(s, "x@store.test")[0][1]
    assert "Operation not permitted (lmtp_unix_paths does not name it)" in line
    assert "status=deferred" in line
    assert "asked for the socket %s" % (folder / "lmtp") in s.maillog()
    assert not server.letters
    s.close()
    s = make_suite("--set", "transport_maps=texthash:%s" % maps, "--set",
                   "lmtp_unix_paths=%s/" % folder, accounts=["alice:secret"])
    submit(s, ["x@store.test"])
    assert "status=sent" in result_line(s, "x@store.test")[0][1]
    submit(s, ["x@other.test"])
    assert "not permitted" in result_line(s, "x@other.test")[0][1]
    server.close()


def test_client_unix_socket_below_queue(make_suite, folder):
    """as Postfix has it: relative to queue_directory; one that is not there
    defers"""
    s = make_suite("--set", "transport_maps=inline:{ { store.test = "
                   "lmtp:unix:private/dovecot-lmtp } }",
                   "--set", "minimal_backoff_time=1s", "--set",
                   "maximal_backoff_time=2s", "--set", "queue_run_delay=1s",
                   accounts=["alice:secret"])
    submit(s, ["x@store.test"])
    line = result_line(s, "x@store.test")[0][1]
    assert "No such file or directory" in line and "status=deferred" in line
    server = LmtpServer(pathlib.Path(
        s.directory, "s/queue/private/dovecot-lmtp"))
    wait_for(lambda: server.letters)
    server.close()


@pytest.fixture(scope="module")
def server():
    """alice takes what fits, carol's mailbox is full"""
    s = Suite("--set", "recipient_delimiter=+", accounts=(
        "alice:secret", "bob:hunter2", "carol:secret3"))
    assert s.barid("account", "quota", "carol@example.test",
                   "1").returncode == 0
    yield s
    s.close()


def lmtp(s):
    c = smtplib.LMTP("127.0.0.1", s.port("lmtp"))
    c.timeout = 30
    return c


def test_server_hello(server):
    with lmtp(server) as c:
        assert c.docmd("EHLO", "x")[0] == 500
        assert c.docmd("HELO", "x")[0] == 500
        assert c.docmd("MAIL", "FROM:<a@other.test>")[0] == 503
        code, text = c.docmd("LHLO", "front.test")
        words = text.decode().split()
        assert code == 250
        for w in ("PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8",
                  "CHUNKING", "SIZE", "STARTTLS"):
            assert w in words
        for w in ("AUTH", "DSN", "PRDR"):
            assert w not in words
        assert c.docmd("AUTH", "PLAIN")[0] == 500
    with server.smtp() as c:
        assert c.docmd("LHLO", "x")[0] == 500


def test_server_recipients(server):
    """who is not here, has no room, or lives elsewhere is refused at RCPT"""
    with lmtp(server) as c:
        c.ehlo("front.test")
        assert c.mail("sender@other.test", ["size=1000"])[0] == 250
        assert c.docmd("DATA")[0] == 503
        code, text = c.rcpt("nobody@example.test")
        assert code == 550 and b"5.1.1" in text
        code, text = c.rcpt("carol@example.test")
        assert code // 100 in (4, 5) and b".2.2" in text
        code, text = c.rcpt("x@foreign.test")
        assert code == 554 and b"5.7.1" in text
        assert c.docmd("DATA")[0] == 503


def test_server_delivers(server):
    """an answer for each recipient, behind the content"""
    subject = token()
    with lmtp(server) as c:
        c.ehlo("front.test")
        c.mail("sender@other.test")
        for rcpt in ("alice@example.test", "bob@example.test",
                     "alice@example.test"):
            assert c.rcpt(rcpt)[0] == 250
        assert c.docmd("DATA")[0] == 354
        c.send(message(subject).encode() + b".\r\n")
        for rcpt in (b"alice@", b"bob@", b"alice@"):
            code, text = c.getreply()
            assert code == 250 and text.startswith(b"2.0.0 <" + rcpt), text
        assert c.noop()[0] == 250
    text = server.wait_message(subject)
    assert b"with LMTP id" in text
    assert text.startswith(b"Return-Path: <sender@other.test>")
    server.wait_message(subject, login="bob:hunter2")
    assert server.run("postqueue", "-j").stdout == ""
    lines = result_line(server, "bob@example.test")
    assert lines[0][0] == "barid/lmtpd"


def test_server_chunks(server):
    subject = token()
    text = message(subject).encode()
    with lmtp(server) as c:
        c.ehlo("front.test")
        c.mail("sender@other.test")
        c.rcpt("alice@example.test")
        c.rcpt("bob@example.test")
        c.send(b"BDAT 10\r\n" + text[:10])
        assert c.getreply()[0] == 250
        c.send(b"BDAT %d LAST\r\n" % (len(text) - 10) + text[10:])
        assert [c.getreply()[0] for _ in range(2)] == [250, 250]
        # too large: each hears it
        c.mail("sender@other.test")
        c.rcpt("alice@example.test")
        c.rcpt("bob@example.test")
        c.send(b"BDAT 10300000 LAST\r\n" + bytes(10300000))
        assert [c.getreply()[0] for _ in range(2)] == [552, 552]
    server.wait_message(subject)


def test_server_starttls(server):
    with lmtp(server) as c:
        c.ehlo("front.test")
        c._host = "localhost"
        assert c.starttls(context=server.tls())[0] == 220
        c.ehlo("front.test")
        subject = token()
        c.sendmail("sender@other.test", ["alice@example.test"],
                   message(subject))
    assert b"with LMTPS id" in server.wait_message(subject)


def test_server_smtp_source(server):
    before = len(server.messages(login="bob:hunter2"))
    r = server.run(have("smtp-source"), "-L", "-s", "4", "-m", "40", "-l",
                   "4000", "-f", "load@other.test", "-t", "bob@example.test",
                   "127.0.0.1:%d" % server.port("lmtp"))
    assert r.returncode == 0, r.stderr
    assert len(server.messages(login="bob:hunter2")) == before + 40


def test_server_unix_socket(make_suite):
    """a row of lmtpd whose socket is public"""
    s = make_suite(accounts=["alice:secret"])
    with open(os.path.join(s.config, "master.cf"), "a") as f:
        f.write("lmtp-in unix n - n - - lmtpd\n")
    s.barid("reload", check=True)
    path = os.path.join(s.directory, "s/queue/public/lmtp-in")
    wait_for(lambda: os.path.exists(path))
    subject = token()
    with smtplib.LMTP(path) as c:
        c.ehlo("front.test")
        assert not c.sendmail("sender@other.test", ["alice@example.test"],
                              message(subject))
    assert b"with LMTP id" in s.wait_message(subject)


def test_server_mixed(make_suite):
    """an alias of a mailbox and of somebody elsewhere: what leaves this host
    goes by way of the queue"""
    s = make_suite("--set", "virtual_alias_maps=inline:{ { both@example.test "
                   "= alice@example.test x@foreign.test } }", "--set",
                   "relayhost=[127.0.0.1]:1", accounts=["alice:secret"])
    subject = token()
    with lmtp(s) as c:
        c.ehlo("front.test")
        c.mail("sender@other.test")
        assert c.rcpt("both@example.test")[0] == 250
        assert c.rcpt("alice@example.test")[0] == 250
        c.docmd("DATA")
        c.send(message(subject).encode() + b".\r\n")
        for rcpt in (b"<both@example.test>", b"<alice@example.test>"):
            code, text = c.getreply()
            assert code == 250 and rcpt in text, text
    assert copies(s, subject) == 2      # it was named twice
    entry = wait_for(lambda: s.run("postqueue", "-j").stdout)
    assert [r["address"] for r in json.loads(entry)["recipients"]] == \
        ["x@foreign.test"]


def test_server_clients(make_suite):
    """this host and mynetworks; others hear 554"""
    s = make_suite(accounts=["alice:secret"])
    own = [a for a in subprocess.run(
        ["hostname", "-I"], capture_output=True, text=True).stdout.split()
        if "." in a]
    assert s.endpoints["lmtp"]["host"] == "127.0.0.1"
    for address in own:
        with pytest.raises(OSError):
            socket.create_connection((address, s.port("lmtp")), timeout=5)


def test_postfix_delivers(server, postfix):
    """Postfix in front, our mailboxes behind: its queue keeps what fails"""
    port = postfix(relayhost="", transport_maps="inline:{example.test=lmtp:"
                   "inet:127.0.0.1:%d}" % server.port("lmtp"))
    subject = token()
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as c:
        c.sendmail("sender@other.test", [
            "alice@example.test", "bob@example.test", "nobody@example.test"],
            message(subject))
    assert b"by pf.test (Postfix)" in server.wait_message(subject)
    server.wait_message(subject, login="bob:hunter2")
    wait_for(lambda: re.search(r"reject: RCPT .*5\.1\.1 <nobody@example.test>"
                               r".* proto=LMTP", server.maillog()))


@pytest.fixture
def dovecot(folder):
    """Debian's Dovecot with an LMTP socket, as root only"""
    if os.geteuid() != 0:
        pytest.fail("Dovecot can be started by root only")
    have("dovecot")
    (folder / "dovecot.conf").write_text("""
base_dir = {0}/run
log_path = {0}/log
protocols = lmtp
ssl = no
auth_username_format = %n
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={0}/mail/%n allow_all_users=yes
}}
passdb {{
  driver = static
  args = nopassword=y
}}
mail_location = maildir:~/Maildir
service lmtp {{
  unix_listener {0}/lmtp {{
    mode = 0600
    user = root
  }}
}}
""".format(folder))
    (folder / "mail").mkdir()
    shutil.chown(folder / "mail", "nobody", "nogroup")
    process = subprocess.Popen([have("dovecot"), "-F", "-c",
                                str(folder / "dovecot.conf")])
    wait_for(lambda: (folder / "lmtp").exists())
    yield folder
    process.terminate()
    process.wait(10)


def test_client_to_dovecot(make_suite, dovecot):
    """the mailboxes of a domain are Dovecot's, behind its Unix socket"""
    s = make_suite("--set", "relay_domains=dove.test", "--set",
                   "relay_transport=lmtp:unix:%s/lmtp" % dovecot,
                   accounts=["alice:secret"])
    subject = token()
    submit(s, ["carl@dove.test", "dora@dove.test"], subject)
    for rcpt in ("carl", "dora"):
        program, line = result_line(s, rcpt + "@dove.test")[0]
        assert program == "barid/lmtp"
        assert "status=sent (250 2.0.0 <%s@dove.test>" % rcpt in line
        letters = list((dovecot / "mail" / rcpt).glob("Maildir/new/*"))
        assert len(letters) == 1 and subject in letters[0].read_text()


def team_suite(make_suite, folder, targets, *options):
    """team@ is an alias of these targets; those in store.test are elsewhere"""
    return make_suite(
        "--set", "transport_maps=inline:{ { store.test = lmtp:unix:%s } }" %
        (folder / "lmtp"),
        "--set", "virtual_alias_maps=inline:{ { team@example.test = %s } }" %
        targets, "--set", "minimal_backoff_time=1s", "--set",
        "maximal_backoff_time=2s", "--set", "queue_run_delay=1s", *options,
        accounts=["alice:secret", "bob:hunter2"])


def to_team(s, text):
    """what the client hears"""
    with lmtp(s) as c:
        c.ehlo("front.test")
        c.mail("sender@other.test")
        assert c.rcpt("team@example.test")[0] == 250
        assert c.docmd("DATA")[0] == 354
        c.send(text + b".\r\n")
        code, reply = c.getreply()
        assert b"<team@example.test>" in reply
        return code, reply.decode()


def copies(s, subject, login="alice:secret"):
    return sum(subject.encode() in m for m in s.messages(login))


def signalled(s, name, how):
    for line in s.barid("ps", "--json").stdout.splitlines():
        if json.loads(line)["daemon"] == name:
            os.kill(json.loads(line)["pid"], how)


def accounts_stopped(s, how):
    signalled(s, "account", how)


def queue_is_empty(s):
    return s.run("postqueue", "-j").stdout == ""


def test_server_alias_of_several(make_suite, folder):
    """one of its targets took the message and the other one elsewhere did
    not: that is the queue's affair, and nobody gets a second copy"""
    there = LmtpServer(folder / "lmtp", {
        "busy@store.test": (None, "451 4.2.0 <busy@store.test> busy")})
    s = team_suite(make_suite, folder, "alice@example.test busy@store.test")
    subject = token()
    code, reply = to_team(s, message(subject).encode())
    assert code == 250, reply
    s.wait_message(subject)
    wait_for(lambda: len(there.letters) > 1)
    there.script.clear()
    wait_for(lambda: queue_is_empty(s))
    assert copies(s, subject) == 1
    assert [l[0] for l in there.letters if l[0]] == [["busy@store.test"]]
    there.close()


def test_server_alias_given_back(make_suite, folder):
    """a mailbox cannot take it now: then it has not gone elsewhere either,
    and goes once when the client comes again"""
    there = LmtpServer(folder / "lmtp")
    s = team_suite(make_suite, folder, "far@store.test alice@example.test",
                   "--set", "lmtpd_delivery_timeout=1s")
    s.send(message())
    subject = token()
    text = message(subject).encode()
    accounts_stopped(s, signal.SIGSTOP)
    try:
        for _ in range(2):
            code, reply = to_team(s, text)
            assert code == 451, reply
            assert not there.letters
    finally:
        accounts_stopped(s, signal.SIGCONT)
    assert queue_is_empty(s)
    code, reply = to_team(s, text)
    assert code == 250, reply
    wait_for(lambda: there.letters)
    wait_for(lambda: queue_is_empty(s))
    assert [l[0] for l in there.letters] == [["far@store.test"]]
    assert copies(s, subject) == 1
    there.close()


def test_server_alias_given_back_often(make_suite, folder):
    """the first copy, whose answer was not heard, is known after many that
    were given back"""
    there = LmtpServer(folder / "lmtp")
    s = team_suite(make_suite, folder, "far@store.test alice@example.test",
                   "--set", "lmtpd_delivery_timeout=1s")
    s.send(message())
    subject = token()
    text = message(subject).encode()
    with contextlib.suppress(smtplib.SMTPException), lmtp(s) as c:
        c.ehlo("front.test")
        c.mail("sender@other.test")
        c.rcpt("team@example.test")
        c.docmd("DATA")
        c.send(text + b".\r\n")
        assert c.getreply()[0] == 250
        c.close()
    signalled(s, "stored", signal.SIGSTOP)
    signalled(s, "account", signal.SIGKILL)
    try:
        for _ in range(6):
            code, reply = to_team(s, text)
            assert code == 451, reply
    finally:
        signalled(s, "stored", signal.SIGCONT)
    code, reply = to_team(s, text)
    assert code == 250, reply
    wait_for(lambda: queue_is_empty(s))
    assert copies(s, subject) == 1
    there.close()


@pytest.mark.parametrize("who", ["qmgr", "cleanup", "lmtpd"])
def test_server_alias_killed(make_suite, folder, who):
    """somebody dies in the middle: the client comes again, and nobody gets a
    second copy"""
    there = LmtpServer(folder / "lmtp")
    s = team_suite(make_suite, folder, "far@store.test alice@example.test")
    s.send(message())
    subject = token()
    text = message(subject).encode()
    answers = []

    def deliver():
        try:
            answers.append(to_team(s, text)[0])
        except (OSError, smtplib.SMTPException, AssertionError):
            answers.append(421)
    accounts_stopped(s, signal.SIGSTOP)
    try:
        client = threading.Thread(target=deliver)
        client.start()
        wait_for(lambda: s.maillog().count("(queue active)") == 2)
        time.sleep(0.2)
        for line in s.barid("ps", "--json").stdout.splitlines():
            if json.loads(line)["daemon"] == who:
                os.kill(json.loads(line)["pid"], signal.SIGKILL)
        if who != "lmtpd":      # that one is asked again
            client.join(30)
    finally:
        accounts_stopped(s, signal.SIGCONT)
    client.join(30)
    assert answers and answers[0] // 100 in (2, 4)
    if answers[0] // 100 == 4:
        assert not there.letters

        def again():
            deliver()
            return answers[-1] == 250
        wait_for(again)
    wait_for(lambda: there.letters)
    wait_for(lambda: queue_is_empty(s))
    assert [l[0] for l in there.letters] == [["far@store.test"]]
    assert copies(s, subject) == 1
    there.close()


def test_server_alias_of_one_elsewhere(make_suite, folder):
    """the next hop's answer is the client's; one that takes longer than the
    client is to wait is not broken off, nor asked for a second time"""
    there = LmtpServer(folder / "lmtp", {
        "far@store.test": (None, "550 5.7.1 <far@store.test> never")})
    s = team_suite(make_suite, folder, "far@store.test",
                   "--set", "through_lmtp_time_limit=1s")
    text = message().encode()
    code, reply = to_team(s, text)
    assert code == 550 and "never" in reply, reply
    there.script["far@store.test"] = (None, "451 4.2.0 busy")
    code, reply = to_team(s, text)
    assert code == 451 and "busy" in reply, reply
    there.script.clear()
    there.pause = 3
    before = len(there.letters)
    code, reply = to_team(s, text)
    assert code == 250 and "queued as" in reply, reply
    wait_for(lambda: queue_is_empty(s))
    assert len(there.letters) == before + 1
    there.close()


@pytest.mark.parametrize("named", [True, False])
def test_server_alias_unfinished(make_suite, folder, named):
    """mailboxes that take longer than the client is to wait: what is under
    way is not given back, whether or not a copy could be told by its
    Message-ID"""
    there = LmtpServer(folder / "lmtp")
    s = team_suite(make_suite, folder,
                   "alice@example.test bob@example.test far@store.test",
                   "--set", "through_lmtp_time_limit=1s")
    for rcpt in ("alice@example.test", "bob@example.test"):
        s.send(message(), [rcpt])
    subject = token()
    text = message(subject)
    if not named:
        text = re.sub(r"(?m)^Message-ID:.*\r\n", "", text)
        assert "message-id" not in text.lower()
    accounts_stopped(s, signal.SIGSTOP)
    try:
        code, reply = to_team(s, text.encode())
        assert code == 250 and "queued as" in reply, reply
        # this does not wait for them
        wait_for(lambda: there.letters)
    finally:
        accounts_stopped(s, signal.SIGCONT)
    wait_for(lambda: queue_is_empty(s))
    assert [l[0] for l in there.letters] == [["far@store.test"]]
    for login in ("alice:secret", "bob:hunter2"):
        assert copies(s, subject, login) == 1
    there.close()
