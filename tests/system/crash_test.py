# SPDX-License-Identifier: ISC
"""Daemons are killed at random instants under load. What got a 250 is in a
mailbox once; nothing is there twice; the stores are whole."""
import os
import random
import signal
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


def test_cleanup_away(suite):
    """A cleanup hangs while qmgr dies and the next one goes on without it:
    its slots are given to another, and then it writes on."""
    seed = int(os.environ.get('BARID_SEED', random.randrange(1 << 30)))
    rng = random.Random(seed)
    print('BARID_SEED', seed)
    suite.stop()
    with open(f'{suite.etc}/main.cf', 'a') as f:
        f.write('master_service_processes = 2\nqmgr_peer_wait = 500ms\n'
                'cleanup_slot_stock = 256\n')
    suite.start()
    suite.load(1)()
    for i in range(5):
        # until it has happened, and for long then if there is time
        if 'were given to others' in suite.log(1000000) and (
                i > 3 or not os.environ.get('BARID_LONG')):
            break
        wait = suite.load(9, rng=rng, threads=8, timeout=8)
        time.sleep(rng.uniform(0.5, 1))
        away, other = rng.sample(suite.processes()['cleanup'], 2)
        os.kill(away, signal.SIGSTOP)
        try:
            suite.kill(['qmgr'])
            # one that starts anew is given the slots that are free, and
            # smtpds that start anew turn to it
            os.kill(other, signal.SIGKILL)
            end = time.monotonic() + 60
            while set(suite.processes()['cleanup']) <= {away, other}:
                assert time.monotonic() < end, suite.log()
                time.sleep(1.5)
                suite.kill(['smtpd'])
                time.sleep(0.5)
            time.sleep(rng.uniform(2, 3))
        finally:
            os.kill(away, signal.SIGCONT)
        wait()
    before = len(suite.acked)
    suite.load(1)()
    assert len(suite.acked) > before, suite.log()
    suite.drain()
    log = suite.log(1000000)
    assert 'queue slots were given to others' in log, (seed, suite.log())
    assert 'said something untrue' not in log, (seed, suite.log())
    suite.stop()
    lost, twice = suite.judge()
    print(len(suite.sent), 'sent', len(suite.acked), 'accepted',
          log.count("is another's"), 'times another was faster')
    assert not lost and not twice, (seed, len(lost), lost[:10],
                                    len(twice), twice[:10])
