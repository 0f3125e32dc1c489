# SPDX-License-Identifier: ISC
"""IMAP as Python's imaplib speaks it."""
import imaplib
import socket
import time

import pytest

from conftest import message, token, wait_for


@pytest.fixture
def imap(suite):
    m = suite.imap()
    yield m
    try:
        m.logout()
    except (imaplib.IMAP4.error, OSError):
        pass


def ok(result):
    assert result[0] == "OK", result
    return result[1]


@pytest.fixture
def box(imap):
    """an empty mailbox of its own"""
    name = "t" + token()
    ok(imap.create(name))
    ok(imap.select(name))
    return name


def put(imap, box, subject=None, flags=""):
    ok(imap.append(box, flags, None, message(subject).encode()))


def test_greeting_and_tls(suite):
    m = suite.imap(None)
    assert "STARTTLS" in m.capabilities
    m._host = m.host = "localhost"
    m.starttls(suite.tls())
    m.login("alice", "secret")
    m.logout()
    suite.imap(service="imaps").logout()


def test_wrong_password(suite):
    with pytest.raises(imaplib.IMAP4.error):
        suite.imap("alice:wrong")


def test_append_fetch(imap, box):
    put(imap, box, "one", r"(\Seen \Flagged)")
    ok(imap.noop())
    data = ok(imap.fetch("1", "(FLAGS UID RFC822.SIZE INTERNALDATE ENVELOPE "
                         "BODYSTRUCTURE BODY[HEADER.FIELDS (SUBJECT)])"))
    text = b" ".join(d if isinstance(d, bytes) else b" ".join(d)
                     for d in data)
    assert rb"\Seen" in text and rb"\Flagged" in text
    assert b'"one"' in text
    assert b"Subject: one\r\n\r\n" in text
    assert b'("TEXT" "PLAIN"' in text.upper()


def test_store_search_expunge(imap, box):
    for i in range(5):
        put(imap, box, "subject %d" % i)
    assert ok(imap.search(None, "ALL")) == [b"1 2 3 4 5"]
    ok(imap.store("2:3", "+FLAGS", r"(\Deleted)"))
    assert ok(imap.search(None, "DELETED")) == [b"2 3"]
    assert ok(imap.search(None, "SUBJECT", '"subject 4"')) == [b"5"]
    assert ok(imap.expunge()) == [b"2", b"2"]
    assert ok(imap.uid("SEARCH", "ALL")) == [b"1 4 5"]


def test_copy_move(imap, box):
    put(imap, box, "copied")
    ok(imap.create(box + "/sub"))
    ok(imap.copy("1", box + "/sub"))
    ok(imap.uid("MOVE", "1", box + "/sub"))
    assert ok(imap.select(box)) == [b"0"]
    assert ok(imap.select(box + "/sub")) == [b"2"]


def test_mailboxes(imap, box):
    ok(imap.rename(box, box + "x"))
    ok(imap.subscribe(box + "x"))
    names = b" ".join(ok(imap.lsub()))
    assert box.encode() + b"x" in names
    assert b"MESSAGES 0" in ok(imap.status(box + "x", "(MESSAGES UNSEEN)"))[0]
    ok(imap.unsubscribe(box + "x"))
    ok(imap.delete(box + "x"))
    assert imap.select(box + "x")[0] == "NO"
    ok(imap.select("INBOX"))


def test_special_use(imap):
    text = b" ".join(ok(imap.list()))
    for use in (rb"\Sent", rb"\Drafts", rb"\Trash", rb"\Junk"):
        assert use in text, use


def test_idle(suite, imap):
    """another session's mail is told of at once"""
    ok(imap.select("INBOX"))
    imap.send(b"i1 IDLE\r\n")
    while not imap.readline().startswith(b"+"):
        pass
    suite.send(message())
    imap.sock.settimeout(10)
    while b"EXISTS" not in imap.readline():
        pass
    imap.send(b"DONE\r\n")
    while not imap.readline().startswith(b"i1 OK"):
        pass


def test_two_sessions(suite, imap, box):
    other = suite.imap()
    ok(other.select(box))
    put(imap, box, "shared")
    ok(other.noop())
    assert ok(other.search(None, "ALL")) == [b"1"]
    ok(other.store("1", "+FLAGS", r"(\Answered)"))
    ok(imap.noop())
    assert rb"\Answered" in ok(imap.fetch("1", "(FLAGS)"))[0]
    other.logout()


def test_bad_commands(suite):
    """each is answered, and the next one is understood"""
    with socket.create_connection(
            ("127.0.0.1", suite.port("imap")), 30) as s:
        f = s.makefile("rb")
        assert f.readline().startswith(b"* OK")
        for n, line in enumerate([b"FROB", b"SELECT INBOX", b"LOGIN x",
                                  b"LOGIN {99999999999}", b"NOOP\0"]):
            s.sendall(b"t%d " % n + line + b"\r\n")
            got = f.readline()
            assert b"BAD" in got, (line, got)
        for line in (b"\r\n", b"+\r\n", b"\xff\r\n"):
            s.sendall(line)
        s.sendall(b"last NOOP\r\n")
        while True:
            got = f.readline()
            assert got
            if got.startswith(b"last"):
                break
        assert got.startswith(b"last OK")


def test_sleeps_and_wakes(suite, imap, box):
    """a session that is idle for a while goes on as if nothing had been"""
    put(imap, box, "kept")
    time.sleep(3)
    ok(imap.noop())
    assert ok(imap.search(None, "ALL")) == [b"1"]
