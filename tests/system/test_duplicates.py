# SPDX-License-Identifier: ISC
"""A client that did not hear that its message was taken sends it again: that
is one message. One that heard it and sends the same again means two."""
import json
import os
import signal
import threading
import time

import pytest

from conftest import message, token, wait_for
from test_smtp import Raw


SUITE_OPTIONS = ("--set", "recipient_delimiter=+")


def transaction(suite, text, rcpts=("alice@example.test",), service="smtp"):
    """all of it but the final dot"""
    r = Raw(suite.port(service))
    assert r.say("EHLO client.test")[0] == 250
    if service != "smtp":
        assert r.say("AUTH PLAIN AGFsaWNlAHNlY3JldA==")[0] == 235
    assert r.say("MAIL FROM:<sender@other.test>")[0] == 250
    for rcpt in rcpts:
        assert r.say("RCPT TO:<%s>" % rcpt)[0] == 250
    assert r.say("DATA")[0] == 354
    r.socket.sendall(text.encode())
    return r


def send(suite, text, quit=True, **how):
    """the answer; without quit the session ends before another word"""
    r = transaction(suite, text, **how)
    answer = r.say(".")
    if quit:
        assert r.say("QUIT")[0] == 221
    r.close()
    return answer


def count(suite, subject, login="alice:secret"):
    return sum(subject.encode() in m for m in suite.messages(login))


def settled(suite, subject, n, login="alice:secret"):
    """so many, and no more come"""
    wait_for(lambda: count(suite, subject, login) >= n)
    time.sleep(0.5)
    assert count(suite, subject, login) == n


def processes(suite, name):
    return [p["pid"] for p in map(json.loads,
            suite.barid("ps", "--json").stdout.splitlines())
            if p["daemon"] == name]


def noted(suite):
    """all sessions have ended, and what is told of that has arrived"""
    def ended():
        log = suite.maillog()
        return log.count(": disconnect from ") == log.count(": connect from ")
    wait_for(ended)
    time.sleep(0.2)


def test_heard(suite):
    subject = token()
    text = message(subject)
    for _ in range(2):
        assert send(suite, text)[0] == 250
    settled(suite, subject, 2)


def test_unheard(suite):
    subject = token()
    text = message(subject)
    assert send(suite, text, quit=False)[0] == 250
    noted(suite)
    # the copies of it that are not heard of either are the same, too
    for _ in range(2):
        assert send(suite, text, quit=False)[0] == 250
        noted(suite)
    code, said = send(suite, text)
    assert code == 250 and "Ok:" in said
    settled(suite, subject, 1)
    # that was heard: one more is one more
    assert send(suite, text)[0] == 250
    settled(suite, subject, 2)


def test_nothing_read(suite):
    """gone behind the final dot, without a look at the answer"""
    subject = token()
    text = message(subject)
    r = transaction(suite, text)
    r.socket.sendall(b".\r\n")
    wait_for(lambda: count(suite, subject) == 1)
    r.close()
    noted(suite)
    assert send(suite, text)[0] == 250
    settled(suite, subject, 1)


def test_pipelined_quit(suite):
    """what was sent before the answer does not show that it was heard"""
    subject = token()
    text = message(subject)
    r = transaction(suite, text)
    r.socket.sendall(b".\r\nQUIT\r\n")
    assert r.reply()[0] == 250 and r.reply()[0] == 221
    r.close()
    noted(suite)
    assert send(suite, text)[0] == 250
    settled(suite, subject, 1)


def test_several_ahead(suite):
    """several messages before the first answer is read"""
    subjects = [token() for _ in range(5)]
    texts = [message(subject) for subject in subjects]
    r = Raw(suite.port("smtp"))
    assert r.say("EHLO client.test")[0] == 250
    r.socket.sendall(b"".join(
        b"MAIL FROM:<sender@other.test>\r\nRCPT TO:<alice@example.test>\r\n"
        b"BDAT %d LAST\r\n%s" % (len(text), text.encode())
        for text in texts))
    wait_for(lambda: all(count(suite, subject) for subject in subjects))
    r.close()
    noted(suite)
    for text in texts:
        assert send(suite, text)[0] == 250
    for subject in subjects:
        settled(suite, subject, 1)


def test_content_shows_it(suite):
    """who sends content has heard the 354, and all that was said before"""
    subject = token()
    text = message(subject)
    r = transaction(suite, text)
    r.socket.sendall(b".\r\nMAIL FROM:<sender@other.test>\r\n"
                     b"RCPT TO:<alice@example.test>\r\nDATA\r\n")
    assert [r.reply()[0] for _ in range(4)] == [250, 250, 250, 354]
    r.socket.sendall(b"Subject: cut off\r\n")
    time.sleep(0.2)
    r.close()
    noted(suite)
    assert send(suite, text)[0] == 250
    settled(suite, subject, 2)


@pytest.mark.parametrize("change", ["no id", "body", "sender", "rcpt"])
def test_others(suite, change):
    """what is not the same is another message"""
    subject = token()
    text = second = message(subject)
    rcpts = ("alice@example.test",)
    if change == "no id":
        lines = text.split("\r\n")
        text = second = "\r\n".join(l for l in lines
                                    if not l.startswith("Message-ID"))
    elif change == "body":
        second = text + "x\r\n"
    elif change == "rcpt":
        rcpts = ("alice+x@example.test",)
    assert send(suite, text, quit=False)[0] == 250
    noted(suite)
    if change == "sender":
        with suite.smtp() as s:
            s.sendmail("another@other.test", ["alice@example.test"], second)
    else:
        assert send(suite, second, rcpts=rcpts)[0] == 250
    settled(suite, subject, 2)


def test_queued(suite):
    """in the queue as well"""
    subject = token()
    text = message(subject, sender="alice@example.test")
    first = send(suite, text, quit=False, service="submission")
    assert first[0] == 250 and "queued as" in first[1]
    noted(suite)
    assert send(suite, text, service="submission")[0] == 250
    settled(suite, subject, 1)


@pytest.mark.parametrize("number", [1, 2])
def test_in_flight(make_suite, number):
    """a copy that overtakes the first one waits its turn, by whatever
    process it comes"""
    s = make_suite(*SUITE_OPTIONS, "--set",
                   "master_service_processes=%d" % number,
                   accounts=("alice:secret",))
    subject = token()
    text = message(subject)
    s.send(message(token()))
    stopped = processes(s, "account")
    assert stopped
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        r = transaction(s, text)
        r.socket.sendall(b".\r\n")
        time.sleep(1)
        r.close()
        for _ in range(6):
            code, said = send(s, text)
            assert code == 451 and "still being delivered" in said
        # another part of the same message is none of it
        other = transaction(s, text, rcpts=("alice+b@example.test",))
        other.socket.sendall(b".\r\n")
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    assert other.reply()[0] == 250
    other.close()
    wait_for(lambda: count(s, subject) == 2)
    noted(s)
    assert send(s, text)[0] == 250
    settled(s, subject, 2)


def test_copy_is_faster_than_the_news(make_suite):
    """the first one is over, and its smtpd has yet to see that the client has
    gone"""
    s = make_suite(*SUITE_OPTIONS, accounts=("alice:secret",))
    subject = token()
    text = message(subject, sender="alice@example.test")
    s.send(message(token()))
    r = transaction(s, text, service="submission")
    stopped = [p["pid"] for p in map(json.loads, s.barid(
        "ps", "--json").stdout.splitlines()) if p["daemon"] == "smtpd" and
        p["service"].endswith(":%d" % s.port("submission"))]
    accounts = processes(s, "account")
    assert stopped and accounts
    for pid in accounts:
        os.kill(pid, signal.SIGSTOP)
    r.socket.sendall(b".\r\n")
    time.sleep(0.5)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    r.close()
    for pid in accounts:
        os.kill(pid, signal.SIGCONT)

    def news():
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    wait_for(lambda: count(s, subject) == 1, pause=0.01)
    late = threading.Timer(0.3, news)
    late.start()
    assert send(s, text)[0] == 250
    late.join()
    settled(s, subject, 1)


@pytest.mark.parametrize("pause", [
    0, pytest.param(35, marks=pytest.mark.long)])
def test_news_is_late(make_suite, pause):
    """copies come by other processes before these can have heard of the first
    one's end, however long that takes and whichever is delivered first"""
    s = make_suite("--set", "master_service_processes=2",
                   "--set", "cleanup_slot_stock=64",
                   accounts=("alice:secret",))
    for _ in range(16):         # both cleanups have slots
        assert send(s, message(token(), sender="alice@example.test"),
                    service="submission")[0] == 250
    stopped = processes(s, "qmgr")
    subject = token()
    text = message(subject, sender="alice@example.test")
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        for i in range(5):
            assert send(s, text, quit=i == 4, service="submission")[0] == 250
            noted(s)
        time.sleep(pause)
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    settled(s, subject, 1)
    assert send(s, text, service="submission")[0] == 250
    settled(s, subject, 2)


def test_death_is_told_late(make_suite):
    """who owed the answer died, and the copy came before anybody heard that"""
    s = make_suite("--set", "cleanup_slot_stock=64", accounts=("alice:secret",))
    assert send(s, message(token(), sender="alice@example.test"),
                service="submission")[0] == 250
    subject = token()
    text = message(subject, sender="alice@example.test")
    stopped = processes(s, "qmgr")
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        assert send(s, text, service="submission")[0] == 250
        for pid in processes(s, "smtpd"):
            os.kill(pid, signal.SIGKILL)
        time.sleep(1)
        assert send(s, text, service="submission")[0] == 250
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    settled(s, subject, 1)
    assert send(s, text, service="submission")[0] == 250
    settled(s, subject, 2)


def test_other_part_is_no_copy(suite):
    """that another part of the message was heard of says nothing of this"""
    subject = token()
    text = message(subject)
    assert send(suite, text, quit=False)[0] == 250
    noted(suite)
    for _ in range(2):
        assert send(suite, text, rcpts=("alice+b@example.test",))[0] == 250
    assert send(suite, text)[0] == 250
    settled(suite, subject, 3)


@pytest.mark.parametrize("who", ["smtpd", "cleanup", "qmgr", "all"])
def test_killed(make_suite, who):
    """whoever owed the answer died: nobody knows who heard it"""
    s = make_suite(accounts=("alice:secret",))
    subject = token()
    text = message(subject)
    assert send(s, text)[0] == 250
    if who == "all":
        for line in s.barid("ps", "--json").stdout.splitlines():
            if json.loads(line)["daemon"] != "master":
                os.kill(json.loads(line)["pid"], signal.SIGKILL)
        s.stop(signal.SIGKILL)
        s = make_suite(directory=s.directory)
    else:
        for pid in processes(s, who):
            os.kill(pid, signal.SIGKILL)

    def again():
        try:
            return send(s, text)[0] == 250
        except (OSError, AssertionError):
            return False
    time.sleep(0.5)
    wait_for(again)
    settled(s, subject, 1)


def test_across_a_restart(make_suite):
    """what was told of before is known to the next ones"""
    s = make_suite(accounts=("alice:secret",))
    subjects = token(), token()
    texts = [message(subject) for subject in subjects]
    for text in texts:
        assert send(s, text, quit=False)[0] == 250
    noted(s)
    for pid in processes(s, "qmgr"):
        os.kill(pid, signal.SIGKILL)
    time.sleep(1)
    wait_for(lambda: processes(s, "qmgr"))
    assert send(s, texts[0])[0] == 250
    s.stop()
    s = make_suite(directory=s.directory)
    assert send(s, texts[1])[0] == 250
    for subject in subjects:
        settled(s, subject, 1)


def test_parts_side_by_side(suite):
    """one message in several transactions at once"""
    subject = token()
    text = message(subject)
    parts = [transaction(suite, text, rcpts=(rcpt,)) for rcpt in (
        "alice@example.test", "bob@example.test", "alice+1@example.test")]
    for r in parts:
        r.socket.sendall(b".\r\n")
    for r in parts:
        assert r.reply()[0] == 250
        r.close()
    settled(suite, subject, 2)
    settled(suite, subject, 1, "bob:hunter:2")


def test_many_clients_that_vanish(suite):
    """what is remembered of them is bounded"""
    def vanish(n):
        for i in range(n):
            send(suite, message(token(), to="bob@example.test"), quit=False,
                 rcpts=("bob@example.test",))
    threads = [threading.Thread(target=vanish, args=(300,)) for _ in range(4)]
    subject = token()
    text = message(subject)
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert send(suite, text, quit=False)[0] == 250
    noted(suite)
    assert send(suite, text)[0] == 250
    settled(suite, subject, 1)
