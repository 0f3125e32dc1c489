# SPDX-License-Identifier: ISC
"""Far more idle connections of one account than may be awake at a time."""
import os
import signal
import socket
import time

import pytest

from conftest import Suite, message
from test_idle import Idler, account_processes, all_asleep

CROWD = 250
LIMIT = 20
OPTIONS = ("--accounts", "u:2:secret")
for name, value in (("authd_hash_memory", "64k"), ("authd_hash_passes", "1"),
                    ("accountd_idle_delay", "200ms"),
                    ("accountd_session_limit", str(LIMIT)),
                    ("stored_account_idle_time", "10s")):
    OPTIONS += ("--set", "%s=%s" % (name, value))


@pytest.fixture(scope="module")
def full_suite():
    s = Suite(*OPTIONS)
    yield s
    s.close()


@pytest.fixture(scope="module")
def everybody(full_suite):
    """each takes the place of an earlier one, which sleeps"""
    made = [Idler(full_suite, 1) for _ in range(CROWD)]
    yield made
    for i in made:
        i.close()


def hear(everybody, count):
    """each is told, once, and of nothing else"""
    for n, i in enumerate(everybody):
        try:
            i.wait(rb"\* %d EXISTS" % count, 60)
        except (EOFError, OSError) as e:
            pytest.fail("client %d: %s" % (n, e))


def idle_again(everybody, tag):
    for i in everybody:
        i.say("%s IDLE" % tag)
    for i in everybody:
        i.wait(rb"\+.*", 60)


def test_mail_while_the_process_lives(full_suite, everybody):
    """most sleep, a few are awake: all hear of it, soon"""
    alive = account_processes(full_suite)[1:]
    assert len(alive) == 1
    for count in (1, 2):
        begin = time.monotonic()
        full_suite.send(message(), ["u1@example.test"])
        hear(everybody, count)
        assert time.monotonic() - begin < 30
    assert account_processes(full_suite)[1:] == alive
    assert all(b"BYE" not in i.got for i in everybody)


def test_all_speak_at_once(full_suite, everybody):
    for i in everybody:
        i.say("DONE")
    for i in everybody:
        i.wait(rb"c OK.*", 60)
    for i in everybody:
        i.say("d NOOP")
    for i in everybody:
        i.wait(rb"d OK.*", 60)
    idle_again(everybody, "e")
    assert "too many sessions" not in full_suite.maillog()


def test_change_of_another_session(full_suite, everybody):
    """a flag that one sets is told to those that sleep"""
    one = everybody[0]
    one.say("DONE")
    one.wait(rb"e OK.*")
    one.say(r"f STORE 1 +FLAGS (\Flagged)")
    one.wait(rb"f OK.*")
    for i in everybody[1:]:
        i.wait(rb"\* 1 FETCH \(.*\\Flagged.*", 60)
    one.say("e IDLE")
    one.wait(rb"\+.*")


def test_mail_after_the_process_left(full_suite, everybody):
    all_asleep(full_suite)
    full_suite.send(message(), ["u1@example.test"])
    hear(everybody, 3)
    for i in everybody:
        i.say("DONE")
    for i in everybody:
        i.wait(rb"e OK.*", 60)
    assert "too many sessions" not in full_suite.maillog()


def test_logins_beyond_the_limit_when_all_are_busy(full_suite):
    """a command that is not finished keeps its session awake; a login that
    finds only such ones is told"""
    busy = []
    try:
        for _ in range(LIMIT):
            busy.append(Idler(full_suite, 2))
            busy[-1].say("DONE")
            busy[-1].wait(rb"c OK.*")
            busy[-1].say("d APPEND INBOX {10}")     # whose text is missing
            busy[-1].wait(rb"\+.*")
        begin = time.monotonic()
        with pytest.raises(EOFError) as e:
            busy.append(Idler(full_suite, 2))
        assert b"* BYE [LIMIT]" in e.value.args[0]
        assert 15 < time.monotonic() - begin < 29
        # one of them finishes, and there is room
        busy[0].say("0123456789")
        busy[0].wait(rb"d (OK|NO).*")
        busy.append(Idler(full_suite, 2))
    finally:
        for i in busy:
            i.close()


@pytest.mark.long
def test_login_into_a_process_that_is_slow(full_suite):
    """it is handed over again after half a minute; one session answers"""
    idler = Idler(full_suite, 2)
    slow = account_processes(full_suite)[-1]
    os.kill(slow, signal.SIGSTOP)
    try:
        with socket.create_connection(
                ("127.0.0.1", full_suite.port("imap")), timeout=60) as s:
            s.sendall(b"a LOGIN u2@example.test secret\r\nb NOOP\r\n")
            time.sleep(33)
            os.kill(slow, signal.SIGCONT)
            time.sleep(1)
            s.sendall(b"c LOGOUT\r\n")
            got = s.makefile("rb").read()
    finally:
        os.kill(slow, signal.SIGCONT)
    for tag in (b"a", b"b", b"c"):
        assert got.count(b"\r\n%s OK" % tag) == 1, got
    idler.say("DONE")
    idler.wait(rb"c OK.*")
    idler.close()
