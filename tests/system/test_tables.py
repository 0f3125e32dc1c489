# SPDX-License-Identifier: ISC
"""Table files that are damaged under the mail system's feet."""
import json
import os
import subprocess

import pytest

from conftest import BUILD, wait_for


def reply(suite, rcpt):
    """the code of RCPT for this address"""
    with suite.smtp() as s:
        s.mail("sender@other.test")
        return s.rcpt(rcpt)[0]


def make(table):
    """build it; that needs no configuration"""
    subprocess.run([BUILD / "bin/barid", "map", "make", table], check=True,
                   timeout=60)


def processes(suite):
    """those of mapd"""
    return [row["pid"] for row in map(
        json.loads, suite.barid("ps", "--json").stdout.splitlines())
            if row["daemon"] == "mapd"]


@pytest.mark.parametrize("kind,suffix", [("lmdb", "lmdb"), ("hash", "db")])
@pytest.mark.parametrize("part", [0, 0.5])
def test_file_cut_short_in_place(make_suite, tmp_path, kind, suffix, part):
    """who is in it must wait, nobody is said to be unknown, other tables go
    on, and once it is made anew all is well"""
    for folder in (tmp_path.parent.parent, tmp_path.parent, tmp_path):
        os.chmod(folder, 0o755)         # mapd is somebody else
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    cut.write_text("".join("user%d@relay.test ok\n" % i for i in range(3000)))
    whole.write_text("list@example.test alice@example.test\n")
    for name in ("cut", "whole"):
        make("%s:%s" % (kind, tmp_path / name))
    built = tmp_path / ("cut." + suffix)
    s = make_suite("--set", "relay_domains=relay.test",
                   "--set", "relay_recipient_maps=%s:%s" % (kind, cut),
                   "--set", "virtual_alias_maps=%s:%s" % (kind, whole),
                   accounts=["alice:secret"])
    known, unknown = "user2999@relay.test", "nobody@relay.test"
    assert (reply(s, known), reply(s, unknown)) == (250, 550)
    assert reply(s, "list@example.test") == 250
    mapd = processes(s)

    os.truncate(built, int(built.stat().st_size * part))
    for _ in range(3):
        assert reply(s, known) == 451
        assert reply(s, unknown) == 451
        assert reply(s, "list@example.test") == 250
    def told():
        """mapd looks at its files once a second, when it is asked"""
        assert reply(s, known) == 451
        return [line for line in s.maillog().splitlines()
                if str(built) in line]
    line = wait_for(told)[-1]
    assert "build it again with postmap %s:%s" % (kind, cut) in line, line

    make("%s:%s" % (kind, cut))
    wait_for(lambda: reply(s, known) == 250)
    assert reply(s, unknown) == 550
    assert reply(s, "list@example.test") == 250
    assert processes(s) == mapd           # it is the one that began
