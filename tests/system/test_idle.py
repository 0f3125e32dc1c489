# SPDX-License-Identifier: ISC
"""Idle clients: their account's process leaves, and comes back for them."""
import os
import pathlib
import random
import re
import signal
import socket
import threading
import time

import pytest

from conftest import message, token, wait_for

ACCOUNTS = 24
EACH = 10           # connections of each account
# few processes, so that they have to take turns
OPTIONS = ("--accounts", "u:%d:secret" % ACCOUNTS)
for name, value in (("authd_hash_memory", "64k"), ("authd_hash_passes", "1"),
                    ("accountd_idle_delay", "200ms"),
                    ("stored_account_idle_time", "1s"),
                    ("stored_account_processes", "8")):
    OPTIONS += ("--set", "%s=%s" % (name, value))


class Idler:
    """a connection in IDLE"""

    def __init__(self, suite, number):
        self.user = "u%d@example.test" % number
        self.s = socket.create_connection(("127.0.0.1", suite.port("imap")),
                                          timeout=30)
        self.got = b""
        self.wait(rb"\* OK.*")
        self.say("a LOGIN %s secret" % self.user)
        answer = self.wait(rb"a .*")
        assert answer.startswith(b"a OK"), answer
        self.say("b SELECT INBOX")
        self.wait(rb"b OK.*")
        self.say("c IDLE")
        self.wait(rb"\+.*")

    def say(self, line):
        self.s.sendall(line.encode() + b"\r\n")

    def wait(self, pattern, limit=30):
        """the line that matches; what came up to it is dropped"""
        end = time.monotonic() + limit
        line = re.compile(rb"(?m)^" + pattern + rb"\r\n")
        while True:
            m = line.search(self.got)
            if m:
                self.got = self.got[m.end():]
                return m[0]
            assert time.monotonic() < end, (pattern, self.got)
            more = self.s.recv(4096)
            if not more:
                raise EOFError(self.got)
            self.got += more

    def close(self):
        self.s.close()


def family(pid):
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


def account_processes(suite):
    """the zygote first, as its pid is the least"""
    return sorted(p for p, n in family(suite.process.pid).items()
                  if n == "accountd")


def kill(pids):
    for p in pids:
        try:
            os.kill(p, signal.SIGKILL)
        except ProcessLookupError:
            pass


def all_asleep(suite):
    return wait_for(lambda: len(account_processes(suite)) == 1, 30)


@pytest.fixture(scope="module")
def crowd_suite():
    from conftest import Suite
    s = Suite(*OPTIONS)
    yield s
    s.close()


@pytest.fixture
def idlers(crowd_suite):
    made = []

    def make(number):
        made.append(Idler(crowd_suite, number))
        return made[-1]
    yield make
    for i in made:
        i.close()


def test_crowd_sleeps_and_answers(crowd_suite, idlers):
    everybody = [idlers(n % ACCOUNTS + 1) for n in range(ACCOUNTS * EACH)]
    all_asleep(crowd_suite)

    # mail wakes those of its account, and nobody else
    subject = token()
    crowd_suite.send(message(subject), ["u3@example.test"])
    for i in everybody:
        if i.user == "u3@example.test":
            i.wait(rb"\* 1 EXISTS", 15)
    assert all(not i.got for i in everybody
               if i.user != "u3@example.test")
    all_asleep(crowd_suite)

    # all speak at once: there are fewer processes than accounts
    for i in everybody:
        i.say("DONE")
    for i in everybody:
        i.wait(rb"c OK.*")
    for i in everybody:
        i.say("d NOOP")
    for i in everybody:
        i.wait(rb"d OK.*")
    assert "cannot be started" not in crowd_suite.maillog()


def test_killed_while_it_idles(crowd_suite, idlers):
    one = idlers(1)
    asleep = idlers(2)
    crowd_suite.send(message(), ["u1@example.test"])
    one.wait(rb"\* \d+ EXISTS")
    processes = account_processes(crowd_suite)
    assert len(processes) > 1
    kill(processes[1:])
    # who was awake is told; a clean end, not silence
    begin = time.monotonic()
    with pytest.raises(EOFError):
        assert one.wait(rb"\* BYE.*", 10)
        one.wait(rb"nothing more", 10)
    assert time.monotonic() - begin < 10
    idlers(1)
    asleep.say("DONE")
    try:
        asleep.wait(rb"c OK.*")
    except EOFError as e:
        assert b"BYE" in e.args[0]


def test_all_killed_while_all_sleep(crowd_suite, idlers):
    some = [idlers(n + 1) for n in range(8)]
    all_asleep(crowd_suite)
    victims = account_processes(crowd_suite)
    assert len(victims) == 1                    # the zygote
    kill(victims)
    for i in some:
        i.say("DONE")
    for i in some:
        i.wait(rb"c OK.*")


def log_in(suite, number):
    """the answer to LOGIN, or what came instead"""
    with socket.create_connection(("127.0.0.1", suite.port("imap")),
                                  timeout=60) as s:
        f = s.makefile("rb")
        f.readline()
        s.sendall(b"a LOGIN u%d@example.test secret\r\n" % number)
        return f.readline()


def test_logins_while_processes_are_killed(crowd_suite):
    """every login succeeds, whoever dies when"""
    for _ in range(5):
        kill(account_processes(crowd_suite))
        begin = time.monotonic()
        for n in range(4):
            got = log_in(crowd_suite, n + 1)
            assert got.startswith(b"a OK"), got
        assert time.monotonic() - begin < 15


def test_logins_into_processes_that_die(crowd_suite):
    """killed again and again, at any instant of the hand-over"""
    stop = threading.Event()
    killed = []

    def killer():
        wait = random.Random(1)
        while not stop.wait(wait.uniform(0.005, 0.2)):
            victims = account_processes(crowd_suite)[1:]
            killed.extend(victims)
            kill(victims)

    thread = threading.Thread(target=killer)
    thread.start()
    try:
        n = 0
        while n < 300 or len(killed) <= 10:
            got = log_in(crowd_suite, n % 6 + 1)
            assert got.startswith(b"a OK"), (n, got)
            n += 1
            assert n < 3000, "the killer met %d processes" % len(killed)
    finally:
        stop.set()
        thread.join()


def test_mail_while_processes_die(crowd_suite, idlers):
    """who idles hears of every message, or is told to come again"""
    wait = random.Random(2)
    count = 0
    for _ in range(12):
        some = [idlers(7) for _ in range(3)]
        if wait.random() < 0.5:
            all_asleep(crowd_suite)
        for i in some:
            i.got = b""
        crowd_suite.send(message(), ["u7@example.test"])
        count += 1
        if wait.random() < 0.5:
            time.sleep(wait.uniform(0, 0.05))
            kill(account_processes(crowd_suite)[1:])
        for i in some:
            got = i.wait(rb"\* (%d EXISTS|BYE.*)" % count)
            if b"BYE" not in got:
                i.say("DONE")
                try:
                    i.wait(rb"(c OK|\* BYE).*")
                except (EOFError, OSError):
                    pass
            i.close()


def test_half_closed(crowd_suite):
    """a client that says no more still hears the answers (printf | nc)"""
    for n in (8, 8, 9):
        with socket.create_connection(
                ("127.0.0.1", crowd_suite.port("imap")), timeout=30) as s:
            s.sendall(b"a LOGIN u%d@example.test secret\r\n"
                      b"b SELECT INBOX\r\nc SEARCH ALL\r\n" % n)
            s.shutdown(socket.SHUT_WR)
            got = s.makefile("rb").read()
        assert b"\r\nc OK SEARCH completed\r\n" in got, got
    with socket.create_connection(
            ("127.0.0.1", crowd_suite.port("imap")), timeout=30) as s:
        s.sendall(b"a CAPABILITY\r\n")
        s.shutdown(socket.SHUT_WR)
        assert b"a OK" in s.makefile("rb").read()
