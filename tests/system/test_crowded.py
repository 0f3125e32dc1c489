# SPDX-License-Identifier: ISC
"""Far more mail than may be tried at a time, half of it for a host that is
away, while the queue manager dies and administrators change their minds: each
message is delivered once."""
import collections
import os
import random
import re
import threading
import time

import pytest

from conftest import wait_for
from crash_suite import Suite, make
from test_lmtp import LmtpServer, folder  # noqa: F401 (a fixture)

LONG = bool(os.environ.get("BARID_LONG"))
COUNT, TIMES = (2000, 60) if LONG else (150, 5)
LIMIT = 20


@pytest.fixture
def crowd(tmp_path, folder):
    make("tests/system/helpers/store_tool")
    s = Suite(tmp_path).prepare()
    with open(f"{s.etc}/main.cf", "a") as f:
        f.write("relay_domains = store.test\n"
                "transport_maps = inline:{ { store.test = lmtp:unix:"
                f"{folder}/lmtp }} }}\n"
                f"qmgr_message_active_limit = {LIMIT}\n"
                "through_time_limit = 1s\n")
    yield s.start()
    s.stop()


def load(s, rng, threads=6):
    """to the one, to the other, to both; those that go to the other"""
    away, left = set(), list(range(COUNT))

    def work():
        while left:
            token = f"T{left.pop():x}Q".upper()
            here = f"u{rng.randrange(s.accounts) + 1}@example.com"
            kind = rng.randrange(3)
            to = [here] * (kind != 0) + ["far@store.test"] * (kind != 1)
            port = rng.choice([s.through, s.queue])
            # whose answer was not heard goes somewhere once or nowhere
            if s.send(port, token, 500, to=to) and kind != 1:
                away.add(token)
                if kind == 0:
                    s.acked.discard(token)
    running = [threading.Thread(target=work) for _ in range(threads)]
    for t in running:
        t.start()
    return running, away


def disturb(s, rng):
    """one thing that somebody may do, or that may happen, at any moment"""
    what = rng.randrange(8)
    if what == 0:
        s.kill(["qmgr"])
    elif what == 1:
        s.barid("reload")
    elif what in (2, 3):
        s.barid("queue", ["hold", "release"][what - 2], "ALL")
    elif what == 4:
        s.barid("queue", "flush")
    else:
        some = s.queued() or []
        for entry in rng.sample(some, min(len(some), 5)):
            s.barid("queue", rng.choice(["hold", "release", "requeue",
                                         "show"]), entry["queue_id"])


def test_crowded(crowd, folder):
    s = crowd
    seed = int(os.environ.get("BARID_SEED", random.randrange(1 << 30)))
    rng = random.Random(seed)
    print("BARID_SEED", seed)
    running, away = load(s, rng)
    times = 0
    while any(t.is_alive() for t in running) or times < TIMES:
        disturb(s, rng)
        times += 1
        time.sleep(rng.uniform(0, 0.5))
    assert len(s.acked | away) > COUNT // 2, s.log()
    there = LmtpServer(folder / "lmtp")
    wait_for(lambda: s.barid("queue", "release", "ALL").returncode == 0)
    s.barid("queue", "flush")
    s.drain(240 if LONG else 60)
    found = collections.Counter()
    for rcpts, data in there.letters:
        if rcpts:
            found[re.search(rb"Subject: (\S+)", data)[1].decode()] += 1
    there.close()
    s.stop()
    lost, twice = s.judge()
    print(COUNT, "sent", len(s.acked | away), "accepted", times, "disturbed")
    assert not lost and not twice, (seed, lost[:10], twice[:10])
    assert not [t for t in away if found[t] != 1], seed
    assert max(found.values()) == 1, seed
