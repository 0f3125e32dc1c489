# SPDX-License-Identifier: ISC
"""LMTP clients that send to an alias of two mailboxes and of somebody
elsewhere, come again until they hear that it was taken, and often leave before
the answer, while daemons are killed: nothing is lost, and no mailbox has
anything twice. (Another host may: it cannot tell a copy.)"""
import collections
import imaplib
import os
import random
import re
import signal
import threading
import time

import pytest

from conftest import message, token, wait_for
from test_lmtp import (LmtpServer, folder, queue_is_empty,  # noqa: F401
                       signalled, team_suite)
from test_smtp import Raw

SECONDS = 8
BOXES = {"alice@example.test": "alice:secret",
         "bob@example.test": "bob:hunter2"}


def attempt(s, rng, text, stays):
    """once; true if the client heard that it was taken"""
    r = Raw(s.port("lmtp"))
    try:
        for line in ("LHLO client.test", "MAIL FROM:<a@other.test>",
                     "RCPT TO:<team@example.test>", "DATA"):
            if r.say(line)[0] // 100 not in (2, 3):
                return False
        r.socket.sendall(text + b".\r\n")
        if not stays and rng.random() < 0.1:
            time.sleep(rng.uniform(0, 0.02))
            return False
        return r.reply()[0] == 250
    finally:
        r.close()


def client(s, rng, until, sent):
    while time.monotonic() < until:
        subject, tries = token(), 0
        text = message(subject).encode()
        heard = False
        while not heard:
            tries += 1
            assert tries < 1000
            try:
                heard = attempt(s, rng, text, tries > 10)
            except (OSError, AssertionError, ValueError, IndexError):
                pass
            if not heard:
                time.sleep(rng.uniform(0, 0.05))
        sent.append(subject)


def subjects(texts):
    return collections.Counter(
        re.search(rb"Subject: (\S+)", m)[1].decode() for m in texts)


def letters(s, login):
    """all of a mailbox, once who was killed last is there again"""
    try:
        return s.messages(login)
    except imaplib.IMAP4.error:
        return None


@pytest.mark.long
@pytest.mark.parametrize("names", [
    ["cleanup"], ["qmgr"], ["lmtpd"], ["account"], ["stored"],
    ["cleanup", "qmgr", "lmtpd", "account", "stored", "smtp"]])
def test_killed(make_suite, folder, names):
    seed = int(os.environ.get("BARID_SEED", random.randrange(1 << 30)))
    rng = random.Random(seed)
    print("BARID_SEED", seed)
    there = LmtpServer(folder / "lmtp")
    s = team_suite(make_suite, folder, " ".join([*BOXES, "far@store.test"]),
                   "--set", "lmtpd_delivery_timeout=3s")
    for box in BOXES:
        s.send(message(), [box])
    sent, until = [], time.monotonic() + SECONDS
    clients = [threading.Thread(target=client, args=(
        s, random.Random(seed + n), until, sent)) for n in range(1, 6)]
    for c in clients:
        c.start()
    while time.monotonic() < until:
        time.sleep(rng.uniform(0.3, 1.2))
        signalled(s, rng.choice(names), signal.SIGKILL)
    for c in clients:
        c.join()

    def worked_off():
        return s.barid("queue", "flush").returncode == 0 and queue_is_empty(s)
    wait_for(worked_off, 60, 1)
    away = subjects(data for rcpts, data in there.letters if rcpts)
    there.close()
    assert len(sent) > 50
    assert not [t for t in sent if away[t] == 0], seed
    for login in BOXES.values():
        found = subjects(wait_for(lambda: letters(s, login), 60, 1))
        assert not [t for t in sent if found[t] != 1], (seed, login)
    s.stop()
    assert s.barid("store", "verify").returncode == 0
