# SPDX-License-Identifier: ISC
"""Programs that others wrote."""
import os
import random
import subprocess
import time

import pytest

from conftest import have, message, token, wait_for

LONG = bool(os.environ.get("BARID_LONG"))


def run(*command, **how):
    how.setdefault("timeout", 120)
    r = subprocess.run([str(c) for c in command], capture_output=True,
                       text=True, **how)
    assert r.returncode == 0, r.stdout + r.stderr
    return r.stdout


@pytest.mark.parametrize("service,options", [
    ("smtp", []),
    ("submission", ["--tls", "-a", "PLAIN", "-au", "alice", "-ap", "secret"]),
    ("submission", ["-a", "LOGIN", "-au", "alice", "-ap", "secret"]),
    ("submissions", ["--tls-on-connect", "-a", "-au", "alice@example.test",
                     "-ap", "secret"]),
])
def test_swaks(suite, service, options):
    subject = token()
    run(have("swaks"), "--server", "localhost", "--port",
        suite.port(service), "--from", "alice@example.test", "--to",
        "bob@example.test", "--header", "Subject: " + subject, "--body",
        "by swaks", *options)
    assert b"by swaks" in suite.wait_message(subject, "bob:hunter:2")


def test_swaks_refused(suite):
    r = subprocess.run([have("swaks"), "--server", "127.0.0.1", "--port",
                        str(suite.port("smtp")), "--from", "a@other.test",
                        "--to", "x@foreign.test"], capture_output=True,
                       text=True, timeout=60)
    assert r.returncode == 24   # no recipient was taken
    assert "554 5.7.1" in r.stdout


@pytest.mark.parametrize("url,options", [
    ("smtp://127.0.0.1:{submission}", []),
    ("smtp://localhost:{submission}", ["--ssl-reqd"]),
    ("smtps://localhost:{submissions}", []),
])
def test_curl_smtp(suite, tmp_path, url, options):
    subject = token()
    path = tmp_path / "message"
    path.write_text(message(subject), newline="")
    ports = {name: suite.port(name) for name in suite.endpoints}
    run(have("curl"), "-sS", "--cacert", suite.ca, url.format(**ports),
        "-u", "alice:secret", "--mail-from", "alice@example.test",
        "--mail-rcpt", "bob@example.test", "-T", path, *options)
    suite.wait_message(subject, "bob:hunter:2")


@pytest.mark.parametrize("url,options", [
    ("imap://127.0.0.1:{imap}", []),
    ("imap://localhost:{imap}", ["--ssl-reqd"]),
    ("imaps://localhost:{imaps}", []),
])
def test_curl_imap(suite, url, options):
    subject = token()
    suite.send(message(subject))
    ports = {name: suite.port(name) for name in suite.endpoints}
    curl = [have("curl"), "-sS", "--cacert", suite.ca, "-u", "alice:secret",
            *options]
    base = url.format(**ports)
    found = run(*curl, base + "/INBOX?SUBJECT%20" + subject).split()
    assert found[:2] == ["*", "SEARCH"] and len(found) == 3, found
    assert subject in run(*curl, base + "/INBOX;MAILINDEX=" + found[2])
    assert "INBOX" in run(*curl, base + "/")


def test_msmtp(suite, tmp_path):
    subject = token()
    conf = tmp_path / "msmtprc"
    conf.write_text(
        "account default\nhost localhost\nport %d\nfrom alice@example.test\n"
        "auth on\nuser alice\npassword secret\ntls on\ntls_starttls on\n"
        "tls_trust_file %s\n" % (suite.port("submission"), suite.ca))
    conf.chmod(0o600)
    run(have("msmtp"), "-C", conf, "bob@example.test",
        input=message(subject).replace("\r\n", "\n"))
    suite.wait_message(subject, "bob:hunter:2")


def test_mutt(suite, tmp_path):
    """mutt sends a letter, and then reads and files it over IMAP"""
    subject = token()
    rc = tmp_path / "muttrc"
    rc.write_text(
        "set realname=Alice\nset from=alice@example.test\nset use_from=yes\n"
        "set smtp_url=smtp://alice@localhost:%d/\nset smtp_pass=secret\n"
        "set smtp_authenticators=plain\nset imap_user=alice\n"
        "set imap_pass=secret\nset folder=imaps://localhost:%d/\n"
        "set spoolfile=+INBOX\nset ssl_force_tls=yes\n"
        "set certificate_file=%s\nset copy=no\nset header_cache=\n"
        "set delete=yes\nset mbox_type=Maildir\nset quit=yes\nset move=no\n"
        "set confirmappend=no\nset confirmcreate=no\nset sleep_time=0\n"
        "set ssl_usesystemcerts=no\nset wait_key=no\n"
        % (suite.port("submission"), suite.port("imaps"), suite.ca))
    env = dict(os.environ, HOME=str(tmp_path), TERM="xterm")
    run(have("mutt"), "-n", "-F", rc, "-s", subject, "alice@example.test",
        input="a letter by mutt\n", env=env)
    suite.wait_message(subject)
    box = "mutt" + token()
    m = suite.imap()
    m.create(box)
    m.logout()
    command = ("%s -n -F %s -f =INBOX -e 'push \"<limit>~s%s<enter>"
               "<copy-message>=%s<enter><quit>\"'" %
               (have("mutt"), rc, subject, box))
    run("script", "-qec", command, "/dev/null", env=env,
        stdin=subprocess.DEVNULL)
    assert b"a letter by mutt" in suite.wait_message(subject, folder=box)


def make_maildir(path, count):
    """letters of many sizes and shapes"""
    dice = random.Random(7)
    for sub in ("cur", "new", "tmp"):
        (path / sub).mkdir(parents=True)
    for i in range(count):
        lines = ["line %d of %d äöü" % (n, i)
                 for n in range(dice.choice((1, 10, 100, 2000)))]
        if i % 3 == 0:
            kind = ("multipart/mixed; boundary=\"b%d\"" % i)
            body = ("--b%d\n\n%s\n--b%d\nContent-Type: application/pdf\n\n"
                    "%s\n--b%d--\n" % (i, "\n".join(lines), i, "x" * 70, i))
        else:
            kind, body = "text/plain; charset=utf-8", "\n".join(lines) + "\n"
        (path / "cur" / ("%d.%d.host:2,%s" % (i, i, dice.choice(
            ("", "S", "FS", "RS"))))).write_text(
            "From: sender%d@other.test\nTo: alice@example.test\n"
            "Subject: letter %d\nMessage-ID: <%d.%s@maildir.test>\n"
            "Date: Mon, 02 Nov 2026 10:%02d:00 +0000\n"
            "Content-Type: %s\nContent-Transfer-Encoding: 8bit\n\n%s" %
            (i, i, i, token(), i % 60, kind, body))


def test_mbsync(suite, tmp_path):
    """200 letters up and down; then there is nothing to do"""
    box = "sync" + token()
    make_maildir(tmp_path / "near" / box, 200)
    conf = tmp_path / "mbsyncrc"
    conf.write_text(
        "IMAPAccount a\nHost localhost\nPort %d\nUser alice\nPass secret\n"
        "SSLType IMAPS\nCertificateFile %s\n\n"
        "IMAPStore far\nAccount a\n\n"
        "MaildirStore near\nPath %s/\nInbox %s/inbox\nSubFolders Verbatim\n\n"
        "MaildirStore copy\nPath %s/\nInbox %s/inbox2\nSubFolders Verbatim\n\n"
        "Channel up\nFar :far:\nNear :near:\nPattern %s\nCreate Both\n"
        "Expunge Both\nSyncState *\n\n"
        "Channel down\nFar :far:\nNear :copy:\nPattern %s\nCreate Both\n"
        "Expunge Both\nSyncState *\n" %
        (suite.port("imaps"), suite.ca, tmp_path / "near", tmp_path,
         tmp_path / "copy", tmp_path, box, box))
    (tmp_path / "copy").mkdir()
    mbsync = [have("mbsync"), "-c", conf]
    run(*mbsync, "up")
    assert len(suite.messages(folder=box)) == 200
    names = sorted(os.listdir(tmp_path / "near" / box / "cur"))
    run(*mbsync, "up")      # nothing to do
    assert len(suite.messages(folder=box)) == 200
    assert sorted(os.listdir(tmp_path / "near" / box / "cur")) == names
    run(*mbsync, "down")

    def letters(path):
        found = {}
        for sub in ("cur", "new"):
            for f in (path / sub).iterdir():
                text = f.read_bytes().split(b"\n")
                text = [t for t in text if not t.startswith(b"X-TUID")]
                flags = f.name.partition(":2,")[2]
                found[b"\n".join(text)] = flags
        return found
    assert letters(tmp_path / "near" / box) == letters(tmp_path / "copy" / box)
    # a change on one side, and another on the other
    m = suite.imap()
    m.select(box)
    m.store("1:5", "+FLAGS", r"(\Flagged)")
    m.store("6", "+FLAGS", r"(\Deleted)")
    m.expunge()
    m.logout()
    run(*mbsync, "up")
    near = letters(tmp_path / "near" / box)
    assert len(near) == 199
    assert sum("F" in flags for flags in near.values()) >= 5


def test_smtp_source(make_suite):
    """many messages over many sessions; each is there once"""
    count = 20000 if LONG else 2000
    users = 20
    s = make_suite("--accounts", "u:%d:pass" % users)
    source = have("smtp-source")
    for batch in range(users):
        run(source, "-m", count // users, "-s", 10, "-l", 2000, "-f",
            "sender@other.test", "-t", "u%d@example.test" % (batch + 1),
            "127.0.0.1:%d" % s.port("smtp"), timeout=600)
    total = 0
    for user in range(1, users + 1):
        m = s.imap("u%d:pass" % user)
        n = int(m.select(readonly=True)[1][0])
        ids = m.uid("FETCH", "1:*", "(BODY.PEEK[HEADER.FIELDS "
                    "(MESSAGE-ID)])")[1]
        ids = [i[1] for i in ids if isinstance(i, tuple)]
        assert len(set(ids)) == n
        total += n
        m.logout()
    assert total == count
