# SPDX-License-Identifier: ISC
"""The power fails at any instant: what got a 250 is in a mailbox once.

One recording is made under load; then the disk is rebuilt as it could be
after sampled steps, the suite is started on it, and the tokens are counted.
With a flush of one kind taken as not made, the count must fail: so each flush
in the code is needed, and this test would notice its loss.
"""
import copy
import fcntl
import os
import random
import shutil
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import crash_suite as cs                                    # noqa: E402
import powercut_replay as pr                                # noqa: E402

ROOTS = ['queue', 'data']
# flushes that no 250 hangs on, and why they are there
BESIDE = {
    'queue/slot/32k/NUMBER.new: flush': 'a free slot: its zeros are there '
    'so that a commit changes no size; the commit flushes what it wrote',
    'queue/slot/256k/NUMBER.new: flush': 'the same',
    'queue/slot/2m/NUMBER.new: flush': 'the same',
    'data/auth: folder flush': 'the accounts were made before the recording',
}
LONG = bool(os.environ.get('BARID_LONG'))


class Recording:
    def __init__(self, tmp):
        self.suite = s = cs.Suite(tmp).prepare()
        for name in os.listdir(f'{s.suite}/queue'):
            at = f'{s.suite}/queue/{name}'  # made under the recorder's eyes
            shutil.rmtree(at) if os.path.isdir(at) else os.unlink(at)
        self.base = f'{tmp}/base'
        cs.clone(s.suite, self.base)
        path = f'{tmp}/recording'
        low = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        fd = fcntl.fcntl(low, fcntl.F_DUPFD, 1000)
        os.close(low)
        self.disk0 = pr.Disk(self.base, s.suite, ROOTS)
        lib = f'{cs.BUILD}/tests/system/helpers/recorder.so'
        env = dict(os.environ, LD_PRELOAD=lib, RECORDER_FD=str(fd))
        s.start(env=env, pass_fds=[fd])
        try:
            s.load(4 if LONG else 2, threads=5, rng=random.Random(1),
                   sizes=[500, 3000, 20000, 100000] * 4
                   + [200000, 300000, 2500000],
                   on_ok=lambda t: os.write(fd, pr.token_record(t)))()
        finally:
            s.stop()
            os.close(fd)
        self.records = pr.records(path)
        self.live = f'{tmp}/live'
        # the numbers of the files that the recording speaks of are gone
        # when the tree is rebuilt: what they were is kept in disk0
        os.rename(s.suite, self.live)
        shutil.copytree(f'{self.live}/etc', f'{s.suite}/etc')
        for extra in os.listdir(self.live):
            if extra not in ROOTS + ['etc']:
                cs.clone(f'{self.live}/{extra}', f'{s.suite}/{extra}')
        os.chmod(s.suite, os.stat(self.live).st_mode & 0o7777)

    def disk(self, count, ignore=None):
        """The disk after so many records."""
        d = copy.deepcopy(self.disk0)
        d.ignore = ignore
        for r in self.records[:count]:
            d.step(r)
        return d

    def outcome(self, disk, rng=None):
        """What is wrong after this power cut; '' if nothing."""
        s = self.suite
        disk.write(s.suite, rng)
        try:
            s.start()
            s.drain(40)
            s.stop()
            lost, twice = s.judge(disk.acked)
        except AssertionError as e:
            return f'{str(e)[-600:]}\n{s.log(8)}'
        finally:
            s.stop()
        if lost or twice:
            return (f'{len(lost)} of {len(disk.acked)} lost {lost[:3]}, '
                    f'{len(twice)} twice {twice[:3]}')
        return ''


@pytest.fixture(scope='module')
def recording(tmp_path_factory):
    cs.make('tests/system/helpers/store_tool',
            'tests/system/helpers/recorder.so')
    r = Recording(tmp_path_factory.mktemp('powercut'))
    yield r
    r.suite.stop()


def test_records(recording):
    ops = {r.op for r in recording.records}
    assert {'C', 'N', 'S', 'E', 'K'} <= ops, ops
    d = recording.disk(len(recording.records))
    assert len(d.acked) > 20
    for kind, n in sorted(d.flushes.items()):
        print(f'{len(n):6} {kind}')


def test_cut(recording):
    seed = int(os.environ.get('BARID_SEED', random.randrange(1 << 30)))
    print('BARID_SEED', seed)
    rng = random.Random(seed)
    total = len(recording.records)
    acks = [i + 1 for i, r in enumerate(recording.records) if r.op == 'K']
    cuts = [(acks[-1], None), (rng.choice(acks), None)]
    for _ in range(40 if LONG else 4):
        cuts.append((rng.randrange(1, total), None))
        # and random parts of what was not flushed
        cuts.append((rng.choice(acks), random.Random(rng.random())))
    for at, some in cuts:
        wrong = recording.outcome(recording.disk(at), some)
        assert not wrong, (seed, at, total, bool(some), wrong)


@pytest.mark.long
def test_each_flush_is_needed(recording):
    """The table of all flushes, and what happens without each."""
    whole = recording.disk(len(recording.records))
    acks = [i + 1 for i, r in enumerate(recording.records) if r.op == 'K']
    rows, missed = [], []
    ends = [acks[-1], acks[len(acks) // 2], acks[0]]
    for at in ends:                     # with all of them nothing is wrong
        assert not recording.outcome(recording.disk(at)), at
    for kind, n in sorted(whole.flushes.items()):
        wrong = ''
        # where it just mattered, before a delivery makes up for it
        after = sorted({next((k for k in acks if k > i), acks[-1])
                        for i in n})
        for at in ends + after[-6:]:
            wrong = recording.outcome(
                recording.disk(at, lambda k, r: k == kind))
            if wrong:
                break
        rows.append(f'{kind} ({len(n)}): '
                    + (wrong.splitlines()[0][:100] if wrong else 'NOT SEEN'))
        print(rows[-1], flush=True)
        if not wrong and kind not in BESIDE:
            missed.append(kind)
    assert not missed, missed
