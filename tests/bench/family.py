# SPDX-License-Identifier: ISC
"""What a whole family of daemons has used: CPU, memory, flushes.

A family is a process and all that descend from it. CPU counts the living by
the scheduler's nanoseconds and the reaped by what their parents inherited.
"""
import os

TICK = os.sysconf('SC_CLK_TCK')


def _stat(pid):
    try:
        with open(f'/proc/{pid}/stat') as f:
            text = f.read()
    except OSError:
        return None
    end = text.rindex(')')
    return text[text.index('(') + 1:end], text[end + 2:].split()


def _table():
    found = {}
    for name in os.listdir('/proc'):
        if name.isdigit() and (st := _stat(name)):
            found[int(name)] = st
    return found


def members(root, table=None):
    """The pids of the family of a root process."""
    table = table or _table()
    children = {}
    for pid, (_, field) in table.items():
        children.setdefault(int(field[1]), []).append(pid)
    seen, todo = [], [root] if root in table else []
    while todo:
        pid = todo.pop()
        if pid not in seen:
            seen.append(pid)
            todo += children.get(pid, [])
    return seen


def names(root):
    """{pid: name} of a family."""
    table = _table()
    return {p: table[p][0] for p in members(root, table)}


def _on_cpu(pid):
    ns = 0
    try:
        for thread in os.listdir(f'/proc/{pid}/task'):
            with open(f'/proc/{pid}/task/{thread}/schedstat') as f:
                ns += int(f.read().split()[0])
    except (OSError, ValueError, IndexError):
        pass
    return ns / 1e9


def cpu(root):
    """Seconds of CPU of the family, user and system."""
    table = _table()
    total = 0.0
    for pid in members(root, table):
        field = table[pid][1]
        ticks = (int(field[11]) + int(field[12])) / TICK
        # threads that have ended are in the ticks only
        total += max(ticks, _on_cpu(pid))
        total += (int(field[13]) + int(field[14])) / TICK
    return total


def pss(root):
    """KiB of memory of the family; what is shared is counted once."""
    total = 0
    for pid in members(root):
        try:
            with open(f'/proc/{pid}/smaps_rollup') as f:
                for line in f:
                    if line.startswith('Pss:'):
                        total += int(line.split()[1])
        except OSError:
            pass
    return total


def device_flushes(path):
    """Flush requests that the device of a path has finished since boot."""
    dev = os.stat(path).st_dev
    at = f'/sys/dev/block/{os.major(dev)}:{os.minor(dev)}/stat'
    with open(at) as f:
        field = f.read().split()
    return int(field[15]) if len(field) > 15 else None
