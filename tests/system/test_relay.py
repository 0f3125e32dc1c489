# SPDX-License-Identifier: ISC
"""Mail that goes out: next hops, the resolver, retries, reports."""
import os
import pathlib
import pwd
import re
import shutil
import socket
import socketserver
import struct
import subprocess
import tempfile
import threading
import time

import pytest

from conftest import Suite, free_base_port, have, message, token, wait_for


class Sink:
    """an SMTP server that keeps what it is given; answers may be scripted:
    command word -> list of replies, used up one by one"""

    def __init__(self, port=0, keywords=("PIPELINING", "8BITMIME",
                                         "SMTPUTF8", "DSN"), script=None):
        self.letters = []
        self.sessions = 0
        self.script = script or {}
        self.keywords = keywords
        sink = self

        class Handler(socketserver.StreamRequestHandler):
            def say(self, text):
                self.wfile.write(text.encode() + b"\r\n")

            def answer(self, word, usual):
                replies = sink.script.get(word)
                text = replies.pop(0) if replies else usual
                self.say(text)
                return text[0] in "23"

            def handle(self):
                sink.sessions += 1
                sender, rcpts = None, []
                self.say("220 sink.test ESMTP")
                while True:
                    line = self.rfile.readline().strip().decode(
                        errors="replace")
                    word = line.upper()[:4]
                    if not line or word == "QUIT":
                        if line:
                            self.say("221 bye")
                        return
                    if word == "EHLO":
                        words = ["sink.test", *sink.keywords]
                        for w in words[:-1]:
                            self.say("250-" + w)
                        self.say("250 " + words[-1])
                    elif word == "MAIL":
                        sender, rcpts = None, []
                        if self.answer(word, "250 ok"):
                            sender = line[10:]
                    elif word == "RCPT":
                        if sender is None:
                            self.say("503 whose mail?")
                        elif self.answer(word, "250 ok"):
                            rcpts.append(line[8:])
                    elif word == "DATA":
                        if not rcpts:
                            self.say("554 no recipients")
                            continue
                        self.say("354 go on")
                        data, more = b"", self.rfile.readline()
                        while more != b".\r\n":
                            if not more:
                                return
                            data += more
                            more = self.rfile.readline()
                        if self.answer("END", "250 taken"):
                            sink.letters.append((sender, rcpts, data))
                    else:
                        self.say("250 ok")

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       daemon=True)
        self.thread.start()

    def find(self, needle):
        return [l for l in list(self.letters) if needle.encode() in l[2]]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Names:
    """a name server for a table {(name, type): [rdata...]}"""
    TYPES = {"A": 1, "MX": 15, "AAAA": 28}

    def __init__(self, table):
        self.table = {(n.lower(), self.TYPES[t]): v
                      for (n, t), v in table.items()}
        self.names = {n.lower() for n, _ in table}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    @staticmethod
    def wire(name):
        return b"".join(bytes([len(p)]) + p.encode()
                        for p in name.split(".") if p) + b"\0"

    def rdata(self, kind, value):
        if kind == 1:
            return socket.inet_aton(value)
        if kind == 28:
            return socket.inet_pton(socket.AF_INET6, value)
        return struct.pack(">H", value[0]) + self.wire(value[1])

    def run(self):
        while True:
            try:
                query, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            at, labels = 12, []
            while query[at]:
                labels.append(query[at + 1:at + 1 + query[at]].decode())
                at += 1 + query[at]
            question = query[12:at + 5]
            kind = struct.unpack(">H", query[at + 1:at + 3])[0]
            name = ".".join(labels).lower()
            found = self.table.get((name, kind), [])
            code = 0 if name in self.names else 3
            answer = query[:2] + struct.pack(
                ">HHHHH", 0x8580 | code, 1, len(found), 0, 0) + question
            for value in found:
                data = self.rdata(kind, value)
                answer += b"\xc0\x0c" + struct.pack(
                    ">HHIH", kind, 1, 60, len(data)) + data
            self.socket.sendto(answer, peer)

    def close(self):
        self.socket.close()


@pytest.fixture
def sink():
    s = Sink()
    yield s
    s.close()


def relay(make_suite, sink, *options):
    return make_suite("--set", "relayhost=[127.0.0.1]:%d" % sink.port,
                      "--set", "minimal_backoff_time=1s", "--set",
                      "maximal_backoff_time=2s", "--set",
                      "queue_run_delay=1s", *options,
                      accounts=["alice:secret"])


def submit(s, subject, rcpts, body="hello\r\n", **how):
    how.setdefault("sender", "alice@example.test")
    s.send(message(subject, body, sender="alice@example.test"), rcpts,
           service="submission", login="alice:secret", **how)


def test_relayhost(make_suite, sink):
    s = relay(make_suite, sink)
    subject = token()
    submit(s, subject, ["x@foreign.test", "y@other.test"],
           "one\r\n.\r\n..two\r\n")
    wait_for(lambda: sum(len(l[1]) for l in sink.find(subject)) == 2)
    sender, _, text = sink.find(subject)[0]
    assert "<alice@example.test>" in sender
    assert text.endswith(b"one\r\n..\r\n...two\r\n")
    wait_for(lambda: s.run("postqueue", "-j").stdout == "")


def test_deferred_and_retried(make_suite, sink):
    sink.script["RCPT"] = ["450 4.2.0 not yet", "450 4.2.0 not yet"]
    s = relay(make_suite, sink)
    subject = token()
    submit(s, subject, ["x@foreign.test"])
    wait_for(lambda: sink.find(subject), 30)
    assert "status=deferred" in s.maillog()
    assert len(sink.find(subject)) == 1
    wait_for(lambda: s.run("postqueue", "-j").stdout == "")


def test_refused_is_reported(make_suite, sink):
    sink.script["RCPT"] = ["550 5.1.1 nobody here has that name"]
    s = relay(make_suite, sink)
    subject = token()
    submit(s, subject, ["x@foreign.test"])
    report = s.wait_message("nobody here has that name")
    assert b"Return-Path: <>" in report
    assert b"multipart/report" in report
    assert b"Final-Recipient: rfc822; x@foreign.test" in report
    assert b"Status: 5.1.1" in report
    assert subject.encode() in report


def test_expired_is_reported(make_suite, sink):
    sink.script["MAIL"] = ["451 4.3.0 never"] * 100
    s = relay(make_suite, sink, "--set", "maximal_queue_lifetime=3s")
    subject = token()
    submit(s, subject, ["x@foreign.test"])
    report = s.wait_message("x@foreign.test", limit=40)
    assert b"451 4.3.0 never" in report


def test_survives_a_restart(make_suite, tmp_path):
    """what waits in the queue when the suite stops goes out later"""
    os.chmod(tmp_path, 0o755)
    base = free_base_port() + 11
    options = ["--set", "relayhost=[127.0.0.1]:%d" % base, "--set",
               "minimal_backoff_time=1s", "--set", "maximal_backoff_time=2s",
               "--set", "queue_run_delay=1s"]
    s = make_suite(*options, accounts=["alice:secret"],
                   directory=str(tmp_path))
    subjects = [token() for _ in range(20)]
    for subject in subjects:
        submit(s, subject, ["x@foreign.test"])
    s.close()
    sink = Sink(base)
    try:
        s = make_suite(*options, accounts=["alice:secret"],
                       directory=str(tmp_path))
        wait_for(lambda: len(sink.letters) >= 20, 30)
        time.sleep(1)
        for subject in subjects:
            assert len(sink.find(subject)) == 1
    finally:
        sink.close()


def test_mx_and_addresses(make_suite, sink):
    """the best host that answers; hosts outside loopback are not tried"""
    names = Names({
        ("foreign.test", "MX"): [(10, "dead.foreign.test"),
                                 (20, "good.foreign.test")],
        ("dead.foreign.test", "A"): ["127.0.0.9"],
        ("good.foreign.test", "A"): ["127.0.0.1"],
        ("plain.test", "A"): ["127.0.0.1"],
        ("outside.test", "MX"): [(10, "far.outside.test")],
        ("far.outside.test", "A"): ["192.0.2.1"],
        ("none.test", "MX"): [(0, "")],
    })
    s = make_suite("--set", "dns_resolver=127.0.0.1:%d" % names.port, "--set",
                   "smtp_tcp_port=%d" % sink.port, accounts=["alice:secret"])
    try:
        for rcpt in ("x@foreign.test", "x@plain.test"):
            subject = token()
            submit(s, subject, [rcpt])
            wait_for(lambda: sink.find(subject))
        for rcpt, words in (("x@outside.test", "loopback"),
                            ("x@none.test", "does not accept mail"),
                            ("x@missing.test", "not found")):
            subject = token()
            submit(s, subject, [rcpt])
            line = wait_for(lambda: re.findall(
                r"to=<%s>.*status=(?:bounced|deferred).*" % re.escape(rcpt),
                s.maillog()))[0]
            assert words in line, line
        assert len(sink.letters) == 2
    finally:
        names.close()


def test_transport_maps(make_suite, sink):
    s = make_suite("--set", "transport_maps=inline:{ { mapped.test = "
                   "smtp:[127.0.0.1]:%d } }" % sink.port, "--set",
                   "relayhost=[127.0.0.1]:1", accounts=["alice:secret"])
    subject = token()
    submit(s, subject, ["x@mapped.test"])
    wait_for(lambda: sink.find(subject))


def test_8bit_to_a_7bit_host(make_suite):
    sink = Sink(keywords=("PIPELINING",))
    s = relay(make_suite, sink)
    subject = token()
    text = message(subject, "Grüße\r\n").replace(
        "\r\n\r\n", "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; "
        "charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n", 1)
    with s.smtp("submission", login="alice:secret") as c:
        c.sendmail("alice@example.test", ["x@foreign.test"],
                   text.encode(), mail_options=["BODY=8BITMIME"])
    letter = wait_for(lambda: sink.find(subject))[0][2]
    assert max(letter) < 128
    assert b"quoted-printable" in letter or b"base64" in letter
    sink.close()


@pytest.fixture
def postfix():
    """Debian's Postfix in a folder of its own, as root only"""
    if os.geteuid() != 0:
        pytest.fail("Postfix can be started by root only")
    have("postfix")
    port = free_base_port() + 11
    # Postfix's own user must get to it
    tmp_path = pathlib.Path(tempfile.mkdtemp(prefix="postfix-"))
    etc, queue, data = (tmp_path / n for n in ("etc", "spool", "data"))
    for d in (etc, queue, data):
        d.mkdir()
    os.chmod(tmp_path, 0o755)
    try:
        user = pwd.getpwnam("postfix")
        shutil.chown(data, user.pw_uid, user.pw_gid)
    except KeyError:
        pytest.fail("there is no user postfix; is the package installed?")

    def start(**settings):
        lines = ["compatibility_level = 3.6", "myhostname = pf.test",
                 "mydestination =", "inet_interfaces = 127.0.0.1",
                 "inet_protocols = ipv4", "mynetworks = 127.0.0.0/8",
                 "queue_directory = %s" % queue,
                 "data_directory = %s" % data, "alias_maps =",
                 "maillog_file = /dev/stdout", "local_recipient_maps =",
                 "maillog_file_prefixes = /dev/stdout, /var, /tmp",
                 "maillog_file = %s/log" % tmp_path,
                 "smtp_dns_support_level = disabled"]
        lines += ["%s = %s" % kv for kv in settings.items()]
        (etc / "main.cf").write_text("\n".join(lines) + "\n")
        master = open("/usr/share/postfix/master.cf.dist").read()
        master = re.sub(r"(?m)^smtp +inet .*$",
                        "127.0.0.1:%d inet n - n - - smtpd" % port, master)
        master = re.sub(r"(?m)^(\S+ +(?:unix|inet) +\S+ +\S+ +)\S+",
                        r"\1n", master)
        (etc / "master.cf").write_text(
            master + "postlog unix-dgram n - n - 1 postlogd\n")
        subprocess.run(["postfix", "-c", str(etc), "start"], check=True,
                       capture_output=True, timeout=60)
        return port
    yield start
    subprocess.run(["postfix", "-c", str(etc), "stop"], capture_output=True,
                   timeout=60)
    shutil.rmtree(tmp_path, ignore_errors=True)


def test_postfix_to_barid(suite, postfix):
    port = postfix(relayhost="[127.0.0.1]:%d" % suite.port("smtp"))
    subject = token()
    import smtplib
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as c:
        c.sendmail("sender@other.test", ["alice@example.test",
                                         "bob@example.test"],
                   message(subject))
    assert b"by pf.test (Postfix)" in suite.wait_message(subject)
    suite.wait_message(subject, "bob:hunter:2")


def test_barid_to_postfix(make_suite, postfix, sink):
    """by way of Postfix to a server that shows what it got"""
    port = postfix(relayhost="[127.0.0.1]:%d" % sink.port)
    s = make_suite("--set", "relayhost=[127.0.0.1]:%d" % port,
                   accounts=["alice:secret"])
    subject = token()
    submit(s, subject, ["x@foreign.test"], ".dot\r\n")
    wait_for(lambda: sink.find(subject), 30)
    assert b"by mail.example.test (Barid)" in sink.find(subject)[0][2]
