# SPDX-License-Identifier: ISC
"""The accounts database by the barid command: all that has records in it."""
import json

import pytest

from conftest import message, token, wait_for


def ok(r):
    assert r.returncode == 0, r.stdout + r.stderr
    return r.stdout


def rows(text):
    return [json.loads(line) for line in text.splitlines()]


def fails(r, *words):
    assert r.returncode == 1, r.stdout + r.stderr
    for word in words:
        assert word in r.stderr, r.stderr


def members(suite, noun, name):
    found = rows(ok(suite.barid(noun, "members", name, "--json")))
    assert all(r["name"] == name for r in found)
    return [r["member"] for r in found]


def walk_members(suite, noun):
    """add, join, leave, set, members, list, delete of a noun"""
    name = "m%s@example.test" % token()[:8]
    alice, bob = "alice@example.test", "bob@example.test"
    fails(suite.barid(noun, "join", name, bob), name)
    fails(suite.barid(noun, "add", name, "nobody@example.test"),
          "nobody@example.test")
    fails(suite.barid(noun, "add", "x@elsewhere.test", bob),
          "elsewhere.test", "add it first")
    ok(suite.barid(noun, "add", name, alice))
    fails(suite.barid(noun, "add", name, bob), "already")
    ok(suite.barid(noun, "join", name.upper(), bob, alice))
    assert members(suite, noun, name) == [alice, bob]
    assert ok(suite.barid(noun, "members", name)).split() == [alice, bob]
    fails(suite.barid(noun, "leave", name, "carol@example.test"),
          "carol@example.test is no member")
    ok(suite.barid(noun, "leave", name, alice))
    assert members(suite, noun, name) == [bob]
    ok(suite.barid(noun, "set", name, alice))
    entry = [r for r in rows(ok(suite.barid(noun, "list", "--json")))
             if r["name"] == name]
    assert entry[0]["members"] == [alice]
    assert ("account" in entry[0]) == (noun == "shared")
    assert name + "  " + alice in ok(suite.barid(noun, "list"))
    fails(suite.barid(noun, "delete", alice), alice)
    ok(suite.barid(noun, "delete", name))
    fails(suite.barid(noun, "members", name), "there is no " + noun, name)
    fails(suite.barid(noun, "members", "no address"), "no address")
    assert suite.barid(noun, "add", name).returncode == 2


@pytest.mark.parametrize("noun", ["group", "shared"])
def test_members(suite, noun):
    walk_members(suite, noun)


def test_mail_for_a_group(suite):
    name = "crew%s@example.test" % token()[:8]
    ok(suite.barid("group", "add", name, "alice@example.test"))
    ok(suite.barid("group", "join", name, "bob@example.test"))
    subject = token()
    suite.send(message(subject), [name])
    suite.wait_message(subject)
    suite.wait_message(subject, "bob:hunter:2")
    ok(suite.barid("group", "leave", name, "bob@example.test"))
    subject = token()
    suite.send(message(subject), [name])
    suite.wait_message(subject)
    assert not [m for m in suite.messages("bob:hunter:2")
                if subject.encode() in m]


def test_mail_for_a_shared_account(suite):
    name = "desk%s@example.test" % token()[:8]
    ok(suite.barid("shared", "add", name, "alice@example.test"))
    suite.send(message(token()), [name])
    found = rows(ok(suite.barid("shared", "list", "--json")))
    account = [r["account"] for r in found if r["name"] == name][0]
    wait_for(lambda: account in ok(suite.barid("store", "list", "--json")))
    with pytest.raises(Exception):      # it has no password
        suite.imap(name + ":")


def walk_accounts(suite):
    name = "q%s@example.test" % token()[:8]
    ok(suite.barid("account", "add", name, "--password-stdin", input="pw\n"))
    ok(suite.barid("account", "name", name, "Quentin Example"))
    ok(suite.barid("account", "quota", name, "3m:7"))
    ok(suite.barid("account", "disable", name))
    shown = rows(ok(suite.barid("account", "show", name.upper(), "--json")))
    assert len(shown) == 1
    assert shown[0]["name"] == name
    assert shown[0]["display_name"] == "Quentin Example"
    assert shown[0]["quota_bytes"] == 3 << 20
    assert shown[0]["quota_messages"] == 7
    assert shown[0]["enabled"] is False
    assert len(shown[0]["account"]) == 16
    text = ok(suite.barid("account", "show", name))
    assert "disabled" in text and "id " + shown[0]["account"] in text
    ok(suite.barid("account", "enable", name))
    ok(suite.barid("account", "quota", name, "default"))
    shown = rows(ok(suite.barid("account", "show", name, "--json")))
    assert shown[0]["enabled"] is True and shown[0]["quota_bytes"] == 0
    fails(suite.barid("account", "quota", name, "much"), "much", "5g:100000")
    fails(suite.barid("account", "show", "x" + name), "x" + name)
    fails(suite.barid("account", "delete", "x" + name), "x" + name)
    ok(suite.barid("account", "delete", name))

    ok(suite.barid("domain", "add", "other.test"))
    ok(suite.barid("domain", "quota", "other.test", "1g"))
    found = {r["name"]: r for r in rows(ok(suite.barid(
        "domain", "list", "--json")))}
    assert found["other.test"]["quota_bytes"] == 1 << 30
    ok(suite.barid("alias", "add", "@other.test", "alice@example.test"))
    ok(suite.barid("alias", "set", "@other.test", "bob@example.test",
                   "x@far.example"))
    found = {r["name"]: r for r in rows(ok(suite.barid(
        "alias", "list", "--json")))}
    assert found["@other.test"]["targets"] == ["bob@example.test",
                                               "x@far.example"]
    fails(suite.barid("domain", "delete", "other.test"), "aliases")
    ok(suite.barid("alias", "delete", "@other.test"))
    fails(suite.barid("alias", "delete", "@other.test"), "@other.test")
    ok(suite.barid("domain", "delete", "other.test"))
    fails(suite.barid("domain", "delete", "other.test"), "other.test")


def test_accounts(suite):
    walk_accounts(suite)


def test_while_it_is_stopped(make_suite):
    """the same in the file itself"""
    s = make_suite(accounts=("alice:secret", "bob:secret"))
    s.stop()
    walk_accounts(s)
    for noun in "group", "shared":
        walk_members(s, noun)


def walk_full_disk(suite, disk):
    """no room: it is said, nothing is lost, and it goes on when there is"""
    ok(suite.barid("domain", "add", "full.test"))
    many = ["x%d@far.test" % i for i in range(300)]

    def add(i):
        return suite.barid("alias", "add", "a%d@full.test" % i, *many)

    def aliases():
        return len({row["name"] for row in rows(
            ok(suite.barid("alias", "list", "--json")))
                    if row["name"].endswith("@full.test")})
    disk(20000)
    done = 0
    while (r := add(done)).returncode == 0:
        done += 1
        assert done < 50
    for r in r, add(done):
        fails(r, "the accounts database cannot be written",
              "No space left on device")
    assert aliases() == done
    disk(-1)
    ok(add(done))
    assert aliases() == done + 1


def test_full_disk(small_disk):
    suite, disk = small_disk(accounts=("alice:secret",))
    walk_full_disk(suite, disk)
    suite.send(message(subject := token()))
    suite.wait_message(subject)


def test_full_disk_while_it_is_stopped(small_disk, monkeypatch):
    suite, disk = small_disk(accounts=("alice:secret",))
    suite.stop()
    for name, value in disk.environment.items():
        monkeypatch.setenv(name, value)
    walk_full_disk(suite, disk)


def test_help(suite):
    for words, says in [
            (["--help"], "barid group join"),
            (["group", "--help"], "barid group join"),
            (["group", "join", "--help"], "Put members into a group."),
            (["help", "group"], "barid group members")]:
        assert says in ok(suite.barid(*words))
    r = suite.barid("group", "del", "x@example.test")
    assert r.returncode == 2
    assert "there is no command group del" in r.stderr
    assert "barid group delete" in r.stderr
