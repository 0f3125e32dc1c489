# SPDX-License-Identifier: ISC
"""Daemons are killed at random instants under load. What got a 250 is in a
mailbox once; nothing is there twice; the stores are whole."""
import os
import random
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import crash_suite as cs                                    # noqa: E402

# the whole family at the end: only then must master be started again
ROUNDS = [['smtpd'], ['cleanup'], ['qmgr'], ['lmtpd'], ['accountd'],
          ['stored'], ['mapd'], ['authd'], ['logd'], ['signd'], ['*']]


@pytest.fixture
def suite(tmp_path):
    cs.make('tests/system/helpers/store_tool')
    s = cs.Suite(tmp_path).prepare().start()
    yield s
    s.stop()


def rounds():
    """All in turn; the fewest end with the whole family, too."""
    count = int(os.environ.get('BARID_ROUNDS', 50 if os.environ.get(
        'BARID_LONG') else len(ROUNDS)))
    return [ROUNDS[i % len(ROUNDS)] for i in range(-count, 0)]


def test_kill(suite):
    seed = int(os.environ.get('BARID_SEED', random.randrange(1 << 30)))
    rng = random.Random(seed)
    print('BARID_SEED', seed)
    suite.load(1)()                     # everything has started
    assert suite.acked, suite.log()
    for names in rounds():
        before = len(suite.acked)
        wait = suite.load(1.5, rng=rng)
        time.sleep(rng.uniform(0.1, 1.2))
        suite.kill(names)
        if '*' in names:
            suite.master.wait()
            suite.stop()
        wait()
        if suite.master is None:
            suite.start()
        print(names, len(suite.acked) - before, 'accepted')
    # it works as before
    before = len(suite.acked)
    end = time.monotonic() + 30
    while len(suite.acked) == before and time.monotonic() < end:
        suite.load(1)()
    assert len(suite.acked) > before, suite.log()
    suite.drain()
    assert not suite.large_files(), (seed, suite.large_files(0), suite.log())
    suite.stop()
    lost, twice = suite.judge()
    print(len(suite.sent), 'sent', len(suite.acked), 'accepted')
    assert not lost and not twice, (seed, len(lost), lost[:10],
                                    len(twice), twice[:10])
