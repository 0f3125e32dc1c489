# SPDX-License-Identifier: ISC
"""The barid command and the names of Postfix's tools."""
import concurrent.futures
import json
import os
import socket
import time

import pytest

from conftest import BUILD, message, token, wait_for

# nobody answers there: what goes out is deferred
SUITE_OPTIONS = ["--set", "relayhost=[127.0.0.1]:1",
                 "--set", "smtp_tls_security_level=none"]


def ok(r):
    assert r.returncode == 0, r.stdout + r.stderr
    return r.stdout


def rows(text):
    return [json.loads(line) for line in text.splitlines()]


def test_status_ps(suite):
    assert "ready" in ok(suite.barid("status"))
    assert rows(ok(suite.barid("status", "--json"))) == [
        {"running": True, "ready": True, "text": ""}]
    found = rows(ok(suite.barid("ps", "--json")))
    daemons = {r["daemon"] for r in found}
    assert {"master", "smtpd", "imapd", "qmgr", "authd", "logd"} <= daemons
    for r in found:
        assert os.path.exists("/proc/%d" % r["pid"])
        if r["daemon"] == "master":
            continue
        assert r["no_new_privs"] == "1", r
        assert r["seccomp"] == "2", r
        if os.geteuid() == 0:
            assert r["user"] != "root", r
            allowed = 1 << 18 if r["daemon"] == "accountd" else 0
            assert int(r["capabilities"], 16) & ~allowed == 0, r
            assert r["root"] != "/" or r["daemon"] == "mapd", r


def test_accounts(suite):
    name = "a" + token()[:8]
    ok(suite.barid("account", "add", name + "@example.test",
                   "--password-stdin", "--quota", "1m:100", input="pw\n"))
    found = {r["name"]: r for r in rows(ok(suite.barid(
        "account", "list", "--json")))}
    assert found[name + "@example.test"]["quota_bytes"] == 1 << 20
    assert found[name + "@example.test"]["quota_messages"] == 100
    suite.imap(name + ":pw").logout()
    r = suite.barid("account", "add", name + "@example.test",
                    "--password-stdin", input="pw\n")
    assert r.returncode == 1 and name in r.stderr
    ok(suite.barid("account", "password", name + "@example.test",
                   "--password-stdin", input="other\n"))
    with pytest.raises(Exception):
        suite.imap(name + ":pw")
    suite.imap(name + ":other").logout()
    ok(suite.barid("account", "delete", name + "@example.test"))
    assert name not in ok(suite.barid("account", "list"))


def test_domains_and_aliases(suite):
    ok(suite.barid("domain", "add", "second.test"))
    assert "second.test" in ok(suite.barid("domain", "list"))
    ok(suite.barid("alias", "add", "info@second.test", "alice@example.test",
                   "bob@example.test"))
    subject = token()
    suite.send(message(subject), ["info@second.test"])
    suite.wait_message(subject)
    suite.wait_message(subject, "bob:hunter:2")
    assert suite.barid("domain", "delete", "second.test").returncode == 1
    ok(suite.barid("alias", "delete", "info@second.test"))
    ok(suite.barid("domain", "delete", "second.test"))


def queue(suite):
    return rows(ok(suite.run(BUILD / "bin/postqueue", "-j")))


def test_queue(suite):
    subject = token()
    suite.send(message(subject), ["x@foreign.test"], "alice@example.test",
               service="submission", login="alice:secret")

    def deferred():
        return [e for e in queue(suite) if e["queue_name"] == "deferred" and
                e["recipients"][0].get("delay_reason")]
    entry = wait_for(deferred)[0]
    assert entry["sender"] == "alice@example.test"
    assert entry["recipients"][0]["address"] == "x@foreign.test"
    ident = entry["queue_id"]
    text = ok(suite.run(BUILD / "bin/mailq"))
    assert ident in text and "x@foreign.test" in text
    assert text.rstrip().endswith("in 1 Request.")
    assert subject in ok(suite.barid("queue", "show", ident))
    ok(suite.barid("queue", "hold", ident))
    assert queue(suite)[0]["queue_name"] == "hold"
    ok(suite.barid("queue", "release", ident))
    assert queue(suite)[0]["queue_name"] != "hold"
    ok(suite.barid("queue", "flush"))
    wait_for(deferred)
    ok(suite.run(BUILD / "bin/postsuper", "-d", ident))
    wait_for(lambda: not queue(suite))
    assert "empty" in ok(suite.run(BUILD / "bin/mailq"))
    assert suite.barid("queue", "show", ident).returncode == 1


def test_queue_is_changed_at_any_moment(suite):
    """Also while messages are brought back, tried or put away."""
    for _ in range(8):
        suite.send(message(token()), ["x@foreign.test"],
                   "alice@example.test", service="submission",
                   login="alice:secret")
    idents = [e["queue_id"] for e in wait_for(
        lambda: len(queue(suite)) == 8 and queue(suite))]
    for ident in idents:
        ok(suite.barid("queue", "flush"))
        ok(suite.barid("queue", "hold", ident))
        ok(suite.barid("queue", "release", ident))
        ok(suite.run(BUILD / "bin/postsuper", "-d", ident))
    assert queue(suite) == []


def test_queue_is_shown_to_several(make_suite):
    """the same message at a time, while it is tried and put away"""
    s = make_suite(*SUITE_OPTIONS, accounts=["alice:secret"])
    subject = token()
    s.send(message(subject, "hello\r\n" * 20000), ["x@foreign.test"],
           "alice@example.test", service="submission", login="alice:secret")
    ident = wait_for(lambda: queue(s))[0]["queue_id"]

    def pids():
        return [r["pid"] for r in rows(ok(s.barid("ps", "--json")))
                if r["daemon"] == "qmgr"]
    before = pids()

    def show(_):
        return [subject in s.barid("queue", "show", ident).stdout
                for _ in range(10)]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        shown = [pool.submit(show, n) for n in range(6)]
        while not all(f.done() for f in shown):
            ok(s.barid("queue", "flush"))
    assert all(all(f.result()) for f in shown)
    assert pids() == before


def test_queue_of_many(make_suite):
    """each message is listed once, whatever is done to it meanwhile"""
    s = make_suite(*SUITE_OPTIONS, "--set", "minimal_backoff_time=1s",
                   "--set", "maximal_backoff_time=1s",
                   accounts=["alice:secret"])
    count = 700
    with s.smtp("submission", login="alice:secret") as c:
        for _ in range(count):
            c.sendmail("alice@example.test", ["x@foreign.test"], message())
    for _ in range(10):
        ids = [e["queue_id"] for e in queue(s)]
        assert len(ids) == len(set(ids)) == count
        time.sleep(0.2)
    s.stop()
    ids = [e["queue_id"] for e in queue(s)]
    assert len(ids) == len(set(ids)) == count


def test_queue_of_a_stopped_suite(make_suite):
    s = make_suite(*SUITE_OPTIONS, accounts=["alice:secret"])
    subject = token()
    s.send(message(subject), ["x@foreign.test"], "alice@example.test",
           service="submission", login="alice:secret")
    ident = wait_for(lambda: queue(s))[0]["queue_id"]
    s.stop()
    assert queue(s)[0]["queue_id"] == ident
    r = s.barid("status", "--json")
    assert r.returncode == 1
    assert rows(r.stdout) == [{"running": False, "ready": False,
                               "text": "the suite does not run"}]
    assert subject in ok(s.barid("queue", "show", ident))
    ok(s.barid("account", "add", "late@example.test", "--password-stdin",
               input="pw\n"))
    assert "late@example.test" in ok(s.barid("account", "list"))


def test_store_verify(make_suite):
    s = make_suite(accounts=["alice:secret", "bob:hunter2"])
    for _ in range(3):
        s.send(message(), ["alice@example.test", "bob@example.test"])
    # large ones are kept in files of their own
    s.send(message(body="a long line of a letter\r\n" * 40000),
           ["alice@example.test", "bob@example.test"])
    for options in ([], ["--bodies"]):
        found = rows(ok(s.barid("store", "verify", "--json", *options)))
        assert len(found) == 2
        for r in found:
            assert r["checked"] and r["findings"] == [], r
            assert r["messages"] == 4
    s.stop()
    stopped = rows(ok(s.barid("store", "verify", "--bodies", "--json")))
    assert stopped == found
    one = found[0]["account"]
    assert "clean" in ok(s.barid("store", "verify", one))
    assert s.barid("store", "verify", "0123456789abcdef").returncode == 1


def test_store_verify_finds_damage(make_suite):
    s = make_suite(accounts=["alice:secret"])
    subject = token()
    s.send(message(subject, "needle in a haystack\r\n"))
    s.stop()
    account = rows(ok(s.barid("store", "list", "--json")))[0]["account"]
    path = os.path.join(s.directory, "s/data/store", account[:2], account,
                        "meta.mdb")
    data = bytearray(open(path, "rb").read())
    at = data.find(b"needle in a haystack")
    assert at > 0
    while at > 0:
        data[at] ^= 1
        at = data.find(b"needle in a haystack")
    with open(path, "r+b") as f:
        f.write(data)
    r = s.barid("store", "verify", "--bodies")
    assert r.returncode == 1 and account in r.stdout, r.stdout


def test_trace(suite):
    subject = token()
    ok(suite.run(BUILD / "bin/sendmail", "-f", "nobody@example.test",
                 "alice@example.test", input="Subject: %s\nMessage-ID: <%s@x>"
                 "\n\nx\n" % (subject, subject)))
    suite.wait_message(subject)
    # what is delivered is logged a moment later
    wait_for(lambda: "status=sent" in
             suite.barid("trace", subject + "@x").stdout)
    text = ok(suite.barid("trace", subject + "@x"))
    assert "to=<alice@example.test>" in text and "status=sent" in text
    ident = text.splitlines()[0].split("]: ")[1].split(":")[0]
    assert ok(suite.barid("trace", ident)) == text
    assert suite.barid("trace", token()).returncode == 1


def test_conf(suite, tmp_path):
    postconf = BUILD / "bin/postconf"
    for name in ("main.cf", "master.cf"):
        (tmp_path / name).write_text(open(os.path.join(
            suite.config, name)).read())

    def conf(*words):
        return ok(suite.run(postconf, "-c", tmp_path, *words))
    assert conf("mydomain") == "mydomain = example.test\n"
    assert conf("-h", "myorigin") == "example.test\n"
    assert conf("-x", "smtpd_banner") == \
        "smtpd_banner = mail.example.test ESMTP Barid\n"
    assert conf("-d", "smtpd_timeout") == "smtpd_timeout = 300s\n"
    conf("-e", "smtpd_timeout = 10s", "own_name=$mydomain")
    assert conf("smtpd_timeout") == "smtpd_timeout = 10s\n"
    assert "own_name = $mydomain\n" in conf("-n")
    conf("-X", "own_name")
    assert "own_name" not in conf("-n")
    conf("-#", "smtpd_timeout")
    assert conf("smtpd_timeout") == "smtpd_timeout = 300s\n"
    conf("-P", "relay/unix/smtp_helo_timeout=5s")
    assert conf("-P", "relay/unix") == "relay/unix/smtp_helo_timeout = 5s\n"
    conf("-F", "relay/unix/process_limit=7")
    assert "relay/unix/process_limit = 7\n" in conf("-F", "relay/unix")
    assert "relay" in conf("-M", "relay/unix")
    # a row is a line, unless it is to be folded
    row = conf("-M", "submission/inet") or conf(
        "-M", "127.0.0.1:%d/inet" % suite.port("submission"))
    assert row.count("\n") == 1 and " -o syslog_name=" in row
    assert "\n    -o syslog_name=" in conf("-Mf", row.split()[0] + "/inet")
    r = suite.run(postconf, "-c", tmp_path, "-e", "smtpd_timeout=abc")
    assert r.returncode == 1 and "time" in r.stderr

    def barid(*words):
        return suite.run(BUILD / "bin/barid", "-c", tmp_path, "conf", *words)
    ok(barid("set", "smtpd_timeout=20s"))
    assert ok(barid("get", "smtpd_timeout")) == "20s\n"
    assert "+smtpd_timeout = 20s\n" in ok(barid("diff"))
    assert "How long a client" in ok(barid("explain", "smtpd_timeout"))
    ok(barid("unset", "smtpd_timeout"))
    assert "smtpd_timeout =" not in ok(barid("diff"))
    r = barid("set", "smtpd_timeot=3s")
    assert r.returncode == 1 and "smtpd_timeout" in r.stderr


POSTCONF = [    # options; exit status; what it says; as Postfix's but for <<
    (["-m"], 0, "texthash\n"),
    (["-a"], 0, "no plug-ins"),         # << there are cyrus and dovecot
    (["-A"], 0, "does not log in"),     # <<
    (["-l"], 0, "no files"),            # <<
    (["-T", "run-version"], 0, "OpenSSL 3"),
    (["-T", "bogus"], 1, "-T bogus"),
    (["-C", "user"], 0, "own_name = a"),
    (["-C", "bogus"], 1, "-C bogus"),
    (["-C", "user", "mydomain"], 1, "no names"),
    (["-b"], 0, "expanded_delay_text = <<EOF\nThis is the mail system at "
     "host mail.example.test.\n"),
    (["-t", ""], 0, "delay_template = <<EOF\nCharset: us-ascii\nFrom: "),
    (["-t", "/nonexistent"], 1, "/nonexistent"),
    (["-t", "a", "b"], 1, "-t: too many words"),
    (["-m", "a"], 1, "-m: too many words"),
    (["-d", "-n"], 1, "-d -n"),
    (["-h", "-H"], 1, "-h -H"),
    (["-M", "-P"], 1, "-M -P"),
    (["-e", "-X", "own_name"], 1, "-e -X"),
    (["-d", "own_name=b"], 1, "-d cannot be used with -e"),
    (["-x", "-M"], 1, "-x cannot be used with -M"),
    (["-X", "own_name=b"], 1, "a name alone"),
    (["-FX", "relay/unix/chroot"], 1, "always has a value"),
    (["-F", "relay/unix/bogus"], 1, "no field"),
    (["-P", "relay/unix/bogus"], 0, "nothing of that name"),
    (["-M", "bogus/unix"], 0, "nothing of that name"),
    (["-o", "bogus"], 1, "bogus"),
    (["-oown_name=c", "own_name"], 0, "own_name = c\n"),
    (["-E"], 1, "usage: postconf"),
    (["-q"], 1, "usage: postconf"),
    (["-e"], 1, "-e needs names"),
    (["bogus"], 0, "bogus: unknown parameter"),
    (["-nf", "long_name"], 0, "long_name = %s\n    %s\n" %
     (" ".join(["word"] * 13), " ".join(["word"] * 7))),
]


USAGE = [       # command line; status; what it says
    ("postqueue", 64, "usage: postqueue"),
    ("postqueue -z", 64, "usage: postqueue"),
    ("postqueue -p -f", 64, "usage: postqueue"),
    ("postqueue -p more", 64, "usage: postqueue"),
    ("mailq more", 64, "usage: mailq"),
    ("mailq -z", 64, "mailq"),
    ("newaliases more", 64, "usage: newaliases"),
    ("newaliases -z", 64, "usage: newaliases"),
    ("sendmail -bp more", 64, "more"),
    ("sendmail -bi more", 64, "more"),
    ("sendmail -bs more", 64, "more"),
    ("sendmail -q more", 64, "more"),
    ("sendmail", 64, "give recipients"),
    ("sendmail -z", 64, "sendmail"),
    ("postsuper", 1, "usage: postsuper"),
    ("postsuper -d", 1, "postsuper"),
    ("postsuper -d ALL bogus", 1, "no queue \"bogus\""),
    ("postcat", 1, "usage: postcat"),
    ("postcat -hq X", 1, "-h is not done"),
    ("postmap", 1, "usage: postmap"),
    ("postmap -q a -d b x", 1, "only one of"),
    ("postmap -s -q a x", 1, "only one of"),
    ("postmap -b -q - x", 1, "-b: "),
    ("postmap -F x", 1, "-F: "),
    ("postmap -U x", 1, "-U: "),
    ("postalias", 1, "usage: postalias"),
    ("postlog -p bogus x", 1, "bogus"),
]


@pytest.mark.parametrize("line,status,says", USAGE)
def test_usage(suite, line, status, says):
    """a wrong command line does nothing and says so"""
    name, *words = line.split()
    r = suite.run(BUILD / "bin" / name, *words)
    assert (r.returncode, says in r.stderr) == (status, True), r
    assert r.stdout == ""


def test_words_that_name_no_message(suite):
    """an empty variable of a script is not all there is"""
    suite.send(message(token()), ["x@foreign.test"], "alice@example.test",
               service="submission", login="alice:secret")
    ident = wait_for(lambda: queue(suite))[0]["queue_id"]
    ok(suite.run(BUILD / "bin/postsuper", "-h", ident))
    wait_for(lambda: queue(suite)[0]["queue_name"] == "hold")
    for says, *words in [
            ("not a queue id", "postsuper", "-d", ""),
            ("not a queue id", "postsuper", "-d", "", "hold"),
            ("not a queue id", "postsuper", "-H", "x" * 300),
            ("not a queue id", "postqueue", "-i", ""),
            ("not a destination", "postqueue", "-s", ""),
            ("not a queue id", "postcat", "-q", ""),
            ("not a queue id", "barid", "queue", "delete", ""),
            ("not a queue id", "barid", "queue", "delete", ident + ":hold"),
            ("not a queue id", "barid", "queue", "release", ":hold"),
            ("no queue \"\"", "barid", "queue", "delete", "ALL:"),
            ("no queue \"bogus\"", "barid", "queue", "delete", "ALL:bogus"),
            ("not a queue id", "barid", "queue", "show", ""),
            ("not a destination", "barid", "queue", "flush", "--site", "")]:
        r = suite.run(BUILD / "bin" / words[0], *words[1:])
        assert r.returncode != 0 and says in r.stderr, (words, r)
        assert [(e["queue_id"], e["queue_name"]) for e in queue(suite)] == [
            (ident, "hold")], words
    ok(suite.barid("queue", "delete", "ALL:hold"))
    assert queue(suite) == []


def test_postsuper_queues(suite):
    """only those in the queues that are named, ids from a file as well"""
    suite.send(message(token()), ["x@foreign.test"], "alice@example.test",
               service="submission", login="alice:secret")
    ident = wait_for(lambda: queue(suite))[0]["queue_id"]
    ok(suite.run(BUILD / "bin/postsuper", "-h", ident))
    wait_for(lambda: queue(suite)[0]["queue_name"] == "hold")
    for words, lines in [
            (["-d", ident, "deferred"], ""),
            (["-d", "-", "deferred"], ident + "\n"),
            (["-d", "ALL", "deferred", "active"], ""),
            (["-d", "-", "active"], "\n%s and more\n" % ident)]:
        suite.run(BUILD / "bin/postsuper", *words, input=lines)
        assert [e["queue_id"] for e in queue(suite)] == [ident], words
    ok(suite.run(BUILD / "bin/postsuper", "-d", "-", "deferred", "hold",
                 input=ident + "\n"))
    assert queue(suite) == []


def test_postsuper_all_while_nothing_is_tried_yet(make_suite):
    """also what was just taken, and has no record yet"""
    with socket.socket() as hole:       # takes connections, and says nothing
        hole.bind(("127.0.0.1", 0))
        hole.listen(50)
        s = make_suite("--set", "transport_maps=inline:{slow.test=smtp:"
                       "[127.0.0.1]:%d}" % hole.getsockname()[1],
                       accounts=["alice:secret"])
        for _ in range(12):
            s.send(message(token()), ["x@slow.test"], "alice@example.test",
                   service="submission", login="alice:secret")
        assert {e["queue_name"] for e in wait_for(
            lambda: len(queue(s)) == 12 and queue(s))} == {"active"}
        ok(s.run(BUILD / "bin/postsuper", "-d", "ALL", "deferred", "hold"))
        assert len(queue(s)) == 12
        r = s.run(BUILD / "bin/postsuper", "-d", "ALL")
        assert r.returncode == 0 and "postsuper: 12 messages" in r.stderr, r
        assert len(queue(s)) <= 5       # those that are just being tried
    wait_for(lambda: not queue(s))


def test_postconf_templates(suite, tmp_path):
    """what -t prints is read as a bounce_template_file"""
    postconf = BUILD / "bin/postconf"
    one = ok(suite.run(postconf, "-t", ""))
    path = tmp_path / "templates"
    path.write_text(one)
    assert ok(suite.run(postconf, "-t", path)) == one
    path.write_text(one.replace("Subject: Delayed", "Subject: Late"))
    assert "Subject: Late" in ok(suite.run(
        postconf, "-o", "bounce_template_file=%s" % path, "-t"))


@pytest.mark.parametrize("words,status,says", POSTCONF)
def test_postconf_options(suite, tmp_path, words, status, says):
    """what is not done is refused, not passed over; nothing is changed"""
    main = open(os.path.join(suite.config, "main.cf")).read() + \
        "own_name = a\nlong_name = %s\n" % " ".join(["word"] * 20)
    (tmp_path / "main.cf").write_text(main)
    master = open(os.path.join(suite.config, "master.cf")).read()
    (tmp_path / "master.cf").write_text(master)
    r = suite.run(BUILD / "bin/postconf", "-c", tmp_path, *words)
    assert (r.returncode, says in r.stdout + r.stderr) == (status, True), r
    assert (tmp_path / "main.cf").read_text() == main
    assert (tmp_path / "master.cf").read_text() == master


@pytest.mark.parametrize("options,sender", [
    (["alice@example.test"], None),
    (["-f", "me@other.test", "-F", "My Name", "alice@example.test"],
     "me@other.test"),
    (["-i", "-f", "<>", "alice@example.test"], ""),
])
def test_sendmail(suite, options, sender):
    subject = token()
    ok(suite.run(BUILD / "bin/sendmail", *options,
                 input="Subject: %s\n\nfirst\n" % subject))
    got = suite.wait_message(subject)
    assert b"first\r\n" in got
    if sender is not None:
        assert b"Return-Path: <%s>" % sender.encode() in got
    if "-F" in options:
        assert b"My Name" in got


def test_sendmail_t_and_dots(suite):
    subject = token()
    ok(suite.run(BUILD / "bin/sendmail", "-t", input="To: alice@example.test"
                 "\nBcc: bob@example.test\nSubject: %s\n\na\n.\nb\n" %
                 subject))
    got = suite.wait_message(subject)
    assert got.endswith(b"a\r\n") and b"Bcc" not in got
    suite.wait_message(subject, "bob:hunter:2")
    subject = token()
    ok(suite.run(BUILD / "bin/sendmail", "-oi", "alice@example.test",
                 input="Subject: %s\n\na\n.\nb\n" % subject))
    assert suite.wait_message(subject).endswith(b"a\r\n.\r\nb\r\n")


def test_sendmail_refusals(suite):
    assert suite.run(BUILD / "bin/sendmail").returncode == 64
    r = suite.run(BUILD / "bin/sendmail", "-C", "/nonexistent",
                  "alice@example.test", input="x\n")
    assert r.returncode == 78, r.stderr


def test_sendmail_bs(suite):
    subject = token()
    out = ok(suite.run(
        BUILD / "bin/sendmail", "-bs", input="EHLO here\r\n"
        "MAIL FROM:<me@other.test>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\n"
        "Subject: %s\r\n\r\n..dot\r\n.\r\nQUIT\r\n" % subject))
    codes = [line[:4] for line in out.splitlines() if line[3] == " "]
    assert codes == ["220 ", "250 ", "250 ", "250 ", "354 ", "250 ", "221 "]
    assert suite.wait_message(subject).endswith(b"\r\n.dot\r\n")


def test_maps(suite, tmp_path):
    table = tmp_path / "table"
    table.write_text("# a comment\nkey  value one\nOther\tsecond\n")
    for kind in ("hash", "btree", "lmdb"):
        ok(suite.run(BUILD / "bin/postmap", "%s:%s" % (kind, table)))
        assert ok(suite.run(BUILD / "bin/postmap", "-q", "key", "%s:%s" % (
            kind, table))) == "value one\n"
        assert suite.run(BUILD / "bin/postmap", "-q", "none", "%s:%s" % (
            kind, table)).returncode == 1
        assert ok(suite.barid("map", "query", "%s:%s" % (kind, table),
                              "other")) == "second\n"
    assert ok(suite.run(BUILD / "bin/postmap", "-q", "a",
                        "inline:{a=b}")) == "b\n"


def test_aliases_as_postfix_prints_them(suite, tmp_path):
    table = tmp_path / "aliases"
    table.write_text("root: a, b\n")
    alias = str(BUILD / "bin/postalias")
    ok(suite.run(alias, "hash:%s" % table))
    assert ok(suite.run(alias, "-s", "hash:%s" % table)) == "root:\ta, b\n"
    assert ok(suite.run(alias, "-q", "root", "hash:%s" % table)) == "a, b\n"
    assert ok(suite.run(alias, "-q", "-", "hash:%s" % table,
                        input="root\n")) == "root:\ta, b\n"


def test_reload_keeps_sessions(suite):
    m = suite.imap()
    with suite.smtp() as s:
        ok(suite.barid("reload"))
        assert s.noop()[0] == 250
        assert m.noop()[0] == "OK"
        m.logout()
    subject = token()
    suite.send(message(subject))
    suite.wait_message(subject)


def test_wrong_words(suite):
    for words in (["frob"], ["queue", "frob"], ["queue", "show"],
                  ["account", "add"], ["reload", "--json"],
                  ["map", "query", "static:x", "y", "--json"]):
        r = suite.barid(*words)
        assert r.returncode == 2, words
        assert r.stderr


def test_postlog(suite):
    word = token()
    ok(suite.run(BUILD / "bin/postlog", "-t", "scripts/backup", "-p", "warn",
                 "done", word))
    if os.geteuid() == 0:
        wait_for(lambda: "warning: done " + word in suite.maillog())


def test_words_for_admins(suite):
    """errors say what is wrong and what to do"""
    for words, says in [
            (["conf", "explain", "smtpd_timeout"], "read by: smtpd"),
            (["conf", "explain", "delivery_mode"], "service 127.0.0.1:%d "
             "(master.cf, line " % suite.port("smtp")),
            (["map", "query", "inline:{a=b}", "a"], "b"),
            (["map", "query", "smtpd_forbidden_maps", "a"], None),
            (["conf", "explain", "always_bcc"], "of Postfix"),
            (["conf", "get", "smtpd_tiemout"], "smtpd_timeout"),
            (["conf", "get", "xyzzy"], "barid conf list"),
            (["map", "query", "hash:/nonexistent/x", "a"],
             "barid map make hash:/nonexistent/x"),
            (["trace", token()], "older log files"),
            (["store", "verify", "zzz"], "barid account show"),
            (["store", "verify", "0" * 16], "barid store list"),
            (["status", "x"], "usage: barid status [--json]\n")]:
        r = suite.barid(*words)
        if says is None:
            assert r.returncode != 0
        else:
            assert says in r.stdout + r.stderr, words


def test_map_query_of_a_parameter(make_suite):
    s = make_suite("--set", "virtual_alias_maps=inline:{a=b} inline:{c=d}",
                   accounts=("alice:secret",))
    assert ok(s.barid("map", "query", "virtual_alias_maps", "c")) == "d\n"
    assert s.barid("map", "query", "virtual_alias_maps", "e").returncode == 1
