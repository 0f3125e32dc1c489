# SPDX-License-Identifier: ISC
"""Sessions that change one mailbox at once. Each client keeps what it was told,
as RFC 3501 lets it, and every further word of the server must fit that."""
import random
import re
import socket
import ssl
import threading
import time

import pytest

CLIENTS = 4
STEPS = 90
# so that sessions also sleep and wake between two commands
OPTIONS = ("--set", "accountd_idle_delay=100ms",
           "--set", "stored_account_idle_time=0s",
           "--set", "authd_hash_memory=64k", "--set", "authd_hash_passes=1")
QUIET = ("FETCH", "STORE", "SEARCH")    # no EXPUNGE while these run (7.4.1)


class Client:
    """a client, and the mailbox as it knows it: UIDs by number, None: not
    heard of yet"""

    def __init__(self, suite, name, seed):
        self.name, self.rnd = name, random.Random(seed)
        self.count, self.uids, self.said = 0, [], []
        self.s = socket.create_connection(
            ("127.0.0.1", suite.port("imaps")), 30)
        context = ssl.create_default_context(cafile=suite.ca)
        self.s = context.wrap_socket(self.s, server_hostname="localhost")
        self.f = self.s.makefile("rb")
        self.line()
        self.do("LOGIN alice secret")
        self.select("SELECT")

    def line(self):
        got = self.f.readline()
        assert got, self.said
        self.said = self.said[-20:] + [got]
        return got

    def heard(self, line, quiet):
        m = re.match(rb"\* (\d+) (\w+)", line)
        if not m:
            assert not line.startswith(b"* BYE"), self.said
            return
        number, what = int(m[1]), m[2].decode()
        if what == "EXISTS":
            assert number >= len(self.uids), self.said
            self.uids += [None] * (number - len(self.uids))
            return
        assert number <= len(self.uids), self.said
        if what == "EXPUNGE":
            assert not quiet, self.said
            del self.uids[number - 1]
        elif what == "FETCH":
            uid = re.search(rb"[( ]UID (\d+)", line)
            if uid:
                assert self.uids[number - 1] in (None, int(uid[1])), self.said
                self.uids[number - 1] = int(uid[1])
                known = [u for u in self.uids if u]
                assert known == sorted(set(known)), self.said

    def until(self, tag, quiet=False):
        while True:
            got = self.line()
            if got.startswith(tag):
                return got.split()[1].decode()
            self.heard(got, quiet)

    def do(self, command, literal=None, may_fail=False):
        self.count += 1
        tag = b"%s%d " % (self.name.encode(), self.count)
        self.s.sendall(tag + command.encode() + b"\r\n" +
                       (literal + b"\r\n" if literal else b""))
        status = self.until(tag, command.split()[0] in QUIET)
        assert status == "OK" or (may_fail and status == "NO"), self.said

    def select(self, how):
        self.uids = []
        self.do(how + " many")

    def idle(self):
        self.count += 1
        tag = b"%s%d " % (self.name.encode(), self.count)
        self.s.sendall(tag + b"IDLE\r\n")
        self.until(b"+")
        time.sleep(self.rnd.choice([0, 0.05, 1.3]))
        self.s.sendall(b"DONE\r\n")
        assert self.until(tag) == "OK", self.said

    def numbers(self):
        first = self.rnd.randint(1, len(self.uids))
        return "%d:%d" % (first, min(len(self.uids), first + 4))

    def known(self):
        uid = self.rnd.choice([u for u in self.uids if u] or [1])
        return "%d:%d" % (uid, uid + self.rnd.randint(0, 4))

    def append(self):
        text = b"Subject: m%d\r\n\r\nbody\r\n" % self.rnd.randint(0, 9)
        self.do("APPEND many {%d+}" % len(text), text)

    def store(self):
        self.do("STORE %s %sFLAGS%s (%s)" % (
            self.numbers(), self.rnd.choice(["+", "-", ""]),
            self.rnd.choice(["", ".SILENT"]),
            self.rnd.choice([r"\Seen", r"\Deleted", r"\Flagged",
                             "word%d" % self.rnd.randint(0, 70)])),
            may_fail=True)

    def step(self):
        if len(self.uids) < 5:
            self.append()
            self.do("NOOP")
            return
        what = self.rnd.choice([
            self.append, self.store, self.idle,
            lambda: self.do("NOOP"), lambda: self.do("EXPUNGE"),
            lambda: self.do("FETCH %s (UID FLAGS)" % self.numbers(),
                            may_fail=True),
            lambda: self.do("UID FETCH 1:* (FLAGS)"),
            lambda: self.do("SEARCH NOT " + self.numbers()),
            lambda: self.do("UID SEARCH OR DELETED SUBJECT m1"),
            lambda: self.do(r"UID STORE %s +FLAGS.SILENT (\Deleted)" %
                            self.known()),
            lambda: self.do("UID EXPUNGE " + self.known()),
            lambda: self.do("UID COPY %s many" % self.known()),
            lambda: self.do("UID MOVE %s other" % self.known()),
            lambda: self.select("EXAMINE") or self.do("NOOP") or
            self.select("SELECT"),
            lambda: time.sleep(self.rnd.choice([0.1, 0.12, 1.3])),
        ])
        what()

    def run(self, failures):
        try:
            for _ in range(STEPS):
                self.step()
        except (AssertionError, OSError) as e:
            failures.append((self.name, e))


@pytest.mark.parametrize("seed", [1, 2])
def test_many_in_one_mailbox(make_suite, seed):
    suite = make_suite(*OPTIONS, accounts=["alice:secret"])
    m = suite.imap()
    assert m.create("many")[0] == m.create("other")[0] == "OK"
    m.logout()
    failures = []
    clients = [Client(suite, name, seed * 100 + n)
               for n, name in enumerate("abcd"[:CLIENTS])]
    threads = [threading.Thread(target=c.run, args=(failures,))
               for c in clients]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures

    # in the end all believe the same, and that is what is there
    for c in clients:
        c.select("SELECT")
        c.do("UID FETCH 1:* (FLAGS)")
    assert all(c.uids == clients[0].uids for c in clients)
    assert suite.barid("store", "verify").returncode == 0
