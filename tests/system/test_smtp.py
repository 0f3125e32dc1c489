# SPDX-License-Identifier: ISC
"""SMTP as clients speak it."""
import json
import os
import tempfile
import smtplib
import socket

import pytest

from conftest import message, token


class Raw:
    """a connection that says exactly what it is told"""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 30)
        self.file = self.socket.makefile("rb")
        assert self.reply()[0] == 220

    def reply(self):
        lines = []
        while True:
            line = self.file.readline()
            assert line, "connection closed"
            lines.append(line[4:].rstrip(b"\r\n").decode())
            if line[3:4] != b"-":
                return int(line[:3]), "\n".join(lines)

    def say(self, text):
        self.socket.sendall(text if isinstance(text, bytes)
                            else text.encode() + b"\r\n")
        return self.reply()

    def close(self):
        self.file.close()
        self.socket.close()


@pytest.fixture
def raw(suite):
    r = Raw(suite.port("smtp"))
    yield r
    r.close()


def envelope(raw, rcpt="alice@example.test"):
    assert raw.say("EHLO client.test")[0] == 250
    assert raw.say("MAIL FROM:<sender@other.test>")[0] == 250
    assert raw.say("RCPT TO:<%s>" % rcpt)[0] == 250


def test_keywords(raw):
    code, text = raw.say("EHLO client.test")
    assert code == 250
    for word in ("PIPELINING", "SIZE 10240000", "8BITMIME", "SMTPUTF8",
                 "CHUNKING", "ENHANCEDSTATUSCODES", "STARTTLS",
                 "AUTH PLAIN LOGIN", "DSN"):
        assert word in text.split("\n"), word


def test_delivery(suite):
    subject = token()
    assert suite.send(message(subject)) == {}
    got = suite.wait_message(subject, limit=2)
    assert b"Return-Path: <sender@other.test>" in got
    assert b"\r\nReceived: from client.test" in got
    assert got.endswith(b"\r\n\r\nhello\r\n")


def test_through_mode_is_done_at_250(suite):
    """the mail is in the mailbox when the client hears 250"""
    for _ in range(5):
        subject = token()
        suite.send(message(subject))
        assert any(subject.encode() in m for m in suite.messages())


def test_several_recipients(suite):
    subject = token()
    suite.send(message(subject), ["alice@example.test", "bob@example.test"])
    suite.wait_message(subject)
    suite.wait_message(subject, "bob:hunter:2")


def test_unknown_user(raw):
    raw.say("EHLO client.test")
    raw.say("MAIL FROM:<sender@other.test>")
    code, text = raw.say("RCPT TO:<nobody@example.test>")
    assert code == 550 and text.startswith("5.1.1"), text


def test_relay_denied(raw):
    raw.say("EHLO client.test")
    raw.say("MAIL FROM:<sender@other.test>")
    code, text = raw.say("RCPT TO:<someone@foreign.test>")
    assert code == 554 and text.startswith("5.7.1"), text


def test_submission_wants_a_login(suite):
    raw = Raw(suite.port("submission"))
    raw.say("EHLO client.test")
    code, text = raw.say("MAIL FROM:<alice@example.test>")
    assert code == 530 and text.startswith("5.7.0"), text
    raw.close()


@pytest.mark.parametrize("service,starttls", [
    ("submission", False), ("submission", True), ("submissions", False),
    ("smtp", True)])
def test_login_and_send(suite, service, starttls):
    subject = token()
    suite.send(message(subject, sender="alice@example.test"),
               ["bob@example.test"], "alice@example.test", service=service,
               login="alice:secret", starttls=starttls)
    got = suite.wait_message(subject, "bob:hunter:2")
    # submission says nothing of the client (smtpd_hide_client_session)
    assert (b"client.test" in got) == (service == "smtp")
    assert (b"with ESMTPSA" in got) == (service == "smtp")


def test_wrong_password(suite):
    with pytest.raises(smtplib.SMTPAuthenticationError) as e:
        suite.smtp("submission", login="alice:wrong")
    assert e.value.smtp_code == 535


def test_vrfy_noop_rset_help(raw):
    assert raw.say("HELO client.test")[0] == 250
    assert raw.say("NOOP")[0] == 250
    assert raw.say("VRFY alice@example.test")[0] == 252
    assert raw.say("RSET")[0] == 250
    assert raw.say("FROB")[0] in (500, 502)
    assert raw.say("RCPT TO:<alice@example.test>")[0] == 503
    assert raw.say("DATA")[0] == 503
    assert raw.say("QUIT")[0] == 221


def test_pipelining(suite, raw):
    subject = token()
    raw.say("EHLO client.test")
    raw.socket.sendall(
        b"MAIL FROM:<sender@other.test>\r\nRCPT TO:<alice@example.test>\r\n"
        b"RCPT TO:<nobody@example.test>\r\nDATA\r\n")
    assert [raw.reply()[0] for _ in range(4)] == [250, 250, 550, 354]
    assert raw.say(message(subject).encode() + b".\r\n")[0] == 250
    suite.wait_message(subject)


def test_bdat(suite, raw):
    subject = token()
    envelope(raw)
    text = message(subject, "one\r\n.\r\ntwo\r\n").encode()
    half = len(text) // 2
    assert raw.say(b"BDAT %d\r\n" % half + text[:half])[0] == 250
    rest = text[half:]
    assert raw.say(b"BDAT %d LAST\r\n" % len(rest) + rest)[0] == 250
    assert suite.wait_message(subject).endswith(b"one\r\n.\r\ntwo\r\n")


def test_dots(suite, raw):
    subject = token()
    envelope(raw)
    assert raw.say("DATA")[0] == 354
    assert raw.say(message(subject, "..one\r\n...\r\n").encode() +
                   b".\r\n")[0] == 250
    assert suite.wait_message(subject).endswith(b"\r\n.one\r\n..\r\n")


def test_too_large(raw):
    raw.say("EHLO client.test")
    code, text = raw.say("MAIL FROM:<sender@other.test> SIZE=20000000")
    assert code == 552 and text.startswith("5.3.4"), text


def test_large(suite):
    """above the limit of memory files, content goes over the disk"""
    subject = token()
    body = "".join("%070d\r\n" % i for i in range(60000))
    suite.send(message(subject, body))
    got = suite.wait_message(subject)
    assert got.endswith(body.encode())


def test_long_line(raw):
    raw.say("EHLO client.test")
    assert raw.say(b"NOOP " + b"x" * 100000 + b"\r\n")[0] == 500
    assert raw.say("NOOP")[0] == 250


def test_nul_and_8bit(raw):
    raw.say("EHLO client.test")
    assert raw.say(b"MAIL FROM:<a\0b@other.test>\r\n")[0] // 100 == 5
    assert raw.say(b"\xff\xfe\r\n")[0] // 100 == 5


def test_vanishing_client(suite):
    """gone in the middle of DATA: no mail, no harm"""
    subject = token()
    raw = Raw(suite.port("smtp"))
    envelope(raw)
    assert raw.say("DATA")[0] == 354
    raw.socket.sendall(message(subject).encode())
    raw.close()
    test_delivery(suite)
    assert not any(subject.encode() in m for m in suite.messages())


def test_smtputf8(suite, raw):
    subject = token()
    raw.say("EHLO client.test")
    assert raw.say("MAIL FROM:<jürgen@other.test> SMTPUTF8 "
                   "BODY=8BITMIME")[0] == 250
    assert raw.say("RCPT TO:<alice@example.test>")[0] == 250
    assert raw.say("DATA")[0] == 354
    text = message(subject, "Grüße\r\n", sender="jürgen@other.test")
    assert raw.say(text.encode() + b".\r\n")[0] == 250
    assert "Grüße".encode() in suite.wait_message(subject)


def test_lists_of_lists(make_suite):
    """a thousand RCPTs, each for a list of many: there is an end, said
    with a 452, and memory stays bounded"""
    members = ["alice+%d@example.test" % i for i in range(300)]
    lists = "".join("list%d@example.test %s\n" % (i, ", ".join(members))
                    for i in range(200))
    table = tempfile.NamedTemporaryFile("w", prefix="lists-")
    table.write(lists)
    table.flush()
    os.chmod(table.name, 0o644)
    s = make_suite("--set", "virtual_alias_maps=texthash:" + table.name,
                   "--set", "recipient_delimiter=+",
                   accounts=["alice:secret"])
    with s.smtp() as c:
        c.ehlo("x")
        c.mail("sender@other.test")
        codes = [c.docmd("RCPT", "TO:<list%d@example.test>" % (i % 200))
                 for i in range(1000)]
        taken = sum(code == 250 for code, _ in codes)
        assert 50 < taken < 500, codes[:3] + codes[-3:]
        for code, text in codes[taken:]:
            assert code == 452 and text.startswith(b"4.5.3"), text
        heaviest = 0
        for line in s.barid("ps", "--json").stdout.splitlines():
            pid = json.loads(line)["pid"]
            with open("/proc/%d/status" % pid) as f:
                for row in f:
                    if row.startswith("VmHWM"):
                        heaviest = max(heaviest, int(row.split()[1]))
        assert heaviest < 150000, heaviest
        c.rset()
        # the next transaction has its own room
        c.mail("sender@other.test")
        assert c.rcpt("list1@example.test")[0] == 250
        c.rset()
    table.close()
