# SPDX-License-Identifier: ISC
"""Large bodies: one file for all accounts that have them."""
import hashlib
import os
import pathlib
import re
import signal
import smtplib
import threading
import time

import pytest

from conftest import Suite, token, wait_for

ACCOUNTS = ("alice", "bob", "carol")
RCPTS = [a + "@example.test" for a in ACCOUNTS]
LINE = "0123456789abcdef" * 4 + "\r\n"
SET = ("--set", "stored_big_sweep_time=1s")


def large(size=1 << 20):
    """a message of that size, like no other"""
    head = "From: <sender@other.test>\r\nSubject: %s\r\n\r\n" % token()
    return head + LINE * (size // len(LINE) + 1)


def store(suite):
    return pathlib.Path(suite.directory, "s/data/store")


def big_files(suite):
    return [p for p in (store(suite) / "big").iterdir()
            if not p.name.endswith(".tmp")]


def own_links(suite, name):
    return [p for p in store(suite).glob("*/*/big/" + name)
            if re.fullmatch("[0-9a-f]{16}", p.parent.parent.name)]


def family(pid):
    """{pid: name} of a process and all that descend from it"""
    found, todo = {}, [pid]
    while todo:
        p = todo.pop()
        try:
            name = pathlib.Path("/proc/%d/comm" % p).read_text().strip()
            for t in os.listdir("/proc/%d/task" % p):
                todo += map(int, pathlib.Path(
                    "/proc/%d/task/%s/children" % (p, t)).read_text().split())
        except OSError:
            continue
        found[p] = name
    return found


def pids(suite, name):
    return [p for p, n in family(suite.process.pid).items() if n == name]


def kill(suite, name):
    for p in pids(suite, name):
        try:
            os.kill(p, signal.SIGKILL)
        except ProcessLookupError:
            pass


def verified(suite):
    r = suite.barid("store", "verify", "--bodies")
    assert r.returncode == 0, r.stdout + r.stderr


def content_of(data):
    return [part[1] for part in data if isinstance(part, tuple)]


@pytest.fixture(scope="module")
def trio():
    s = Suite(*SET, accounts=[a + ":secret" for a in ACCOUNTS])
    yield s
    s.close()


def all_fetch(suite, text):
    """every account reads the same bytes, whole and in parts"""
    for a in ACCOUNTS:
        m = suite.imap(a + ":secret")
        m.select("INBOX")
        whole = content_of(m.fetch("*", "(BODY.PEEK[])")[1])[0]
        assert whole.endswith(text.encode())
        for at, n in ((0, 1000), (300000, 1000), (len(whole) - 10, 1000)):
            part = content_of(m.fetch("*", "(BODY.PEEK[]<%d.%d>)" %
                                      (at, n))[1])[0]
            assert part == whole[at:at + n]
        m.logout()


def test_one_file_for_all(trio):
    text = large()
    trio.send(text, RCPTS)
    for a in ACCOUNTS:
        trio.wait_message(text[40:80], a + ":secret")
    one, = big_files(trio)
    links = own_links(trio, one.name)
    assert len(links) == len(ACCOUNTS)
    assert {p.stat().st_ino for p in links} == {one.stat().st_ino}
    assert one.stat().st_nlink == len(ACCOUNTS) + 1
    assert one.name == hashlib.sha256(one.read_bytes()).hexdigest()
    all_fetch(trio, text)

    # the same once more is the same file
    trio.send(text, RCPTS[:1])
    m = trio.imap("alice:secret")
    m.select("INBOX")
    wait_for(lambda: m.select("INBOX")[1] == [b"2"])
    assert len(big_files(trio)) in (1, 2)
    m.store("2", "+FLAGS", r"(\Deleted)")
    m.expunge()

    # copies and moved ones share it, and keep it alive
    m.create("other")
    m.create("third")
    assert m.copy("1", "other")[0] == "OK"
    assert m._simple_command("MOVE", "1", "third")[0] == "OK"
    assert one.stat().st_nlink == len(ACCOUNTS) + 1
    verified(trio)
    for box in ("other", "third"):
        m.select(box)
        got = content_of(m.fetch("1", "(BODY.PEEK[])")[1])[0]
        assert got.endswith(text.encode())
        m.store("1", "+FLAGS", r"(\Deleted)")
        m.expunge()
        if box == "other":
            assert one.stat().st_nlink == len(ACCOUNTS) + 1
    m.logout()
    wait_for(lambda: one.stat().st_nlink == len(ACCOUNTS))
    for left, a in ((1, "bob"), (0, "carol")):
        m = trio.imap(a + ":secret")
        m.select("INBOX")
        assert content_of(m.fetch("1", "(BODY.PEEK[])")[1])[0].endswith(
            text.encode())
        m.store("1", "+FLAGS", r"(\Deleted)")
        m.expunge()
        m.logout()
        wait_for(lambda: len(own_links(trio, one.name)) == left)
    wait_for(lambda: not big_files(trio))
    verified(trio)


def test_append_shares_it(trio):
    """what APPEND brings is the same file for all, and for deliveries"""
    text = large(300000)
    for a in ACCOUNTS[:2]:
        m = trio.imap(a + ":secret")
        assert m.append("Drafts", r"(\Seen)", None, text.encode())[0] == "OK"
        m.logout()
    one, = big_files(trio)
    assert one.read_bytes() == text.encode()
    assert len(own_links(trio, one.name)) == 2
    m = trio.imap("alice:secret")
    assert m.append("Sent", "", None, text.encode())[0] == "OK"
    assert one.stat().st_nlink == 3
    verified(trio)
    for box in ("Drafts", "Sent"):
        m.select(box)
        assert content_of(m.fetch("*", "(BODY.PEEK[])")[1])[0] == \
            text.encode()
        m.store("1", "+FLAGS", r"(\Deleted)")
        m.expunge()
    m.logout()
    m = trio.imap("bob:secret")
    m.select("Drafts")
    m.store("1", "+FLAGS", r"(\Deleted)")
    m.expunge()
    m.logout()
    wait_for(lambda: not big_files(trio))
    verified(trio)


def test_nobody_can_change_it(trio):
    text = large(300000)
    trio.send(text, RCPTS[:1])
    trio.wait_message(text[40:80])
    link = wait_for(lambda: [p for f in big_files(trio)
                             for p in own_links(trio, f.name)])[0]
    st = link.stat()
    assert st.st_mode & 0o777 == 0o440
    zygote = pathlib.Path("/proc/%d/status" % pids(trio, "accountd")[0])
    uid = int(re.search(r"Uid:\s+(\d+)", zygote.read_text())[1])
    users = {re.search(r"Uid:\s+(\d+)", pathlib.Path(
        "/proc/%d/status" % p).read_text())[1]
        for n in ("stored", "accountd") for p in pids(trio, n)}
    if len(users) > 1:
        assert st.st_uid != uid
    if uid == os.geteuid():
        return                  # root, or who runs the test, is no stranger
    child = os.fork()
    if child == 0:
        os.setgid(st.st_gid)
        os.setuid(uid)
        try:
            os.close(os.open(link, os.O_RDONLY))
            os.open(link, os.O_WRONLY)
        except PermissionError as e:
            os._exit(0 if e.filename and os.access(link, os.R_OK) else 2)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.fixture
def disk(small_disk):
    return small_disk(*SET, accounts=[a + ":secret" for a in ACCOUNTS])


def refused(suite, text):
    """for now: with a 4xx"""
    with pytest.raises((smtplib.SMTPDataError, smtplib.SMTPRecipientsRefused,
                        smtplib.SMTPSenderRefused)) as e:
        suite.send(text, RCPTS[:1])
    codes = [c for c, _ in getattr(e.value, "recipients", {}).values()] or \
        [e.value.smtp_code]
    assert set(codes) <= {450, 451, 452}, e.value


def test_full_disk(disk):
    s, room = disk
    first = large(300000)
    s.send(first, RCPTS)
    for a in ACCOUNTS:
        s.wait_message(first[40:80], a + ":secret")
    room(400000)
    text = large()
    refused(s, text)
    assert room() < 400000              # it came to the disk
    room(0)
    refused(s, large(300000))
    for a in ACCOUNTS:                  # what is there can be read
        s.wait_message(first[40:80], a + ":secret")
    room(-1)
    verified(s)
    s.send(text, RCPTS)
    for a in ACCOUNTS:
        s.wait_message(text[40:80], a + ":secret")
        s.wait_message(first[40:80], a + ":secret")
    verified(s)
    assert not [p for p in (store(s) / "big").glob("*.tmp")]


@pytest.mark.parametrize("size", [500, 20000, 200000])
def test_ever_less_room(disk, size):
    """the disk is full at each step in turn: what got a 250 is there once,
    and nothing else, and all goes on by itself"""
    s, room = disk
    sent = []
    for left in [0, *range(1, 60, 7)]:
        room(left * (8192 + size // 4))
        text = large(size)
        try:
            s.send(text, RCPTS)
            sent.append(text)
        except (OSError, smtplib.SMTPException):
            pass
    room(-1)
    assert 0 < len(sent) < 10
    last = large(size)
    wait_for(lambda: not s.send(last, RCPTS))
    for a in ACCOUNTS:
        def whole():
            s.barid("queue", "flush")
            have = s.messages(a + ":secret")
            return all(sum(h.endswith(t.encode()) for h in have) == 1
                       for t in [*sent, last])
        wait_for(whole, 60, 1)
    verified(s)


@pytest.mark.parametrize("size", [5000, 300000])
def test_append_to_a_full_disk(disk, size):
    """NO, and the session goes on, reads, and takes it when there is room"""
    s, room = disk
    m = s.imap("alice:secret")
    text, count = large(size), 1
    assert m.append("INBOX", "", None, text.encode())[0] == "OK"
    m.select("INBOX")
    room(0)             # what was free inside the files is used first
    while m.append("INBOX", "", None, large(size).encode())[0] == "OK":
        count += 1
        assert count < 100
    status, why = m.append("INBOX", "", None, large(size).encode())
    assert status == "NO" and b"no room" in why[0], why
    got = content_of(m.fetch("1", "(BODY[])")[1])[0]
    assert got == text.encode()
    room(-1)
    assert m.append("INBOX", "", None, large(size).encode())[0] == "OK"
    assert m.store("1", "+FLAGS", r"(\Flagged)")[0] == "OK"
    assert m.select("INBOX")[1] == [b"%d" % (count + 1)]
    m.logout()
    verified(s)


def test_killed_meanwhile(trio):
    sent, over = [], threading.Event()

    def sender():
        while not over.is_set():
            text = large(400000)
            try:
                trio.send(text, RCPTS)
                sent.append(text)
            except (OSError, smtplib.SMTPException):
                pass

    workers = [threading.Thread(target=sender) for _ in range(2)]
    for w in workers:
        w.start()
    for name in ("stored", "accountd", "stored", "accountd"):
        time.sleep(1.5)
        kill(trio, name)
    time.sleep(1)
    over.set()
    for w in workers:
        w.join()
    assert sent
    for a in ACCOUNTS:
        def whole():
            # an attempt may fail after the last time this was said
            trio.barid("queue", "flush")
            have = trio.messages(a + ":secret")
            return all(sum(h.endswith(t.encode()) for h in have) == 1
                       for t in sent)
        wait_for(whole, 60, 1)
    verified(trio)
    left = set()
    for f in big_files(trio):
        if f.stat().st_nlink == 1:
            left.add(f.name)
    wait_for(lambda: not left & {f.name for f in big_files(trio)})
