# SPDX-License-Identifier: ISC
"""Local submission: sendmail, postdrop, the drop folder, pickup; and what
ordinary users may see and do of the queue."""
import collections
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time

import pytest

from conftest import BUILD, message, token, wait_for

UID = 12345         # nobody's
AS_USER = ["setpriv", "--reuid=%d" % UID, "--regid=%d" % UID,
           "--clear-groups", "--no-new-privs"]
root_only = pytest.mark.skipif(os.geteuid() != 0,
                               reason="only root can be other users")
BIG = "Subject: x\n\n" + "x\n" * 4000000
SUITE_OPTIONS = ["--set", "relayhost=[127.0.0.1]:1",
                 "--set", "smtp_tls_security_level=none"]


class Programs:
    """copies that other users can reach; postdrop is setgid, or not"""

    def __init__(self, suite):
        self.suite = suite
        self.folder = tempfile.mkdtemp(prefix="barid-bin-")
        os.chmod(self.folder, 0o755)
        for name in ("sendmail", "mailq", "postqueue", "barid"):
            shutil.copy(BUILD / "bin/barid", os.path.join(self.folder, name))
        self.postdrop = os.path.join(self.folder, "postdrop")
        shutil.copy(BUILD / "libexec/barid/postdrop", self.postdrop)
        os.chmod(self.postdrop, 0o755)
        # read by the tools; the suite that runs does not look again
        self.conf = os.path.join(suite.config, "main.cf")
        with open(self.conf) as f:
            self.before = f.read()
        with open(self.conf, "a") as f:
            f.write("daemon_directory = %s\n" % self.folder)

    def close(self):
        with open(self.conf, "w") as f:
            f.write(self.before)
        shutil.rmtree(self.folder)

    def setgid(self):
        os.chown(self.postdrop, 0, os.stat(drop_folder(self.suite)).st_gid)
        os.chmod(self.postdrop, 0o2755)
        return self

    def run(self, name, *words, user=AS_USER, **how):
        how.setdefault("timeout", 60)
        how.setdefault("input", "")
        # what sets a bit must be allowed to have its effect
        user = [w for w in user if w != "--no-new-privs"]
        return subprocess.run(
            user + [os.path.join(self.folder, name),
                    "-c" if name in ("postqueue", "barid", "postdrop") else
                    "-C", self.suite.config, *map(str, words)],
            capture_output=True, text=True, cwd="/", **how)

    def sendmail(self, *words, **how):
        return self.run("sendmail", *words, **how)


def drop_folder(suite):
    return os.path.join(suite.directory, "s/queue/maildrop")


def dropped(suite, below=""):
    return [n for n in os.listdir(os.path.join(drop_folder(suite), below))
            if n != "corrupt"]


def ok(r):
    assert r.returncode == 0, (r.returncode, r.stdout, r.stderr)
    return r.stdout


def pids(suite, *daemons):
    rows = [json.loads(line) for line in
            ok(suite.barid("ps", "--json")).splitlines()]
    return [r["pid"] for r in rows if r["daemon"] in daemons]


@pytest.fixture
def programs(suite):
    p = Programs(suite)
    if os.geteuid() == 0:
        p.setgid()
    yield p
    p.close()


@root_only
def test_as_another_user(suite, programs):
    subject = token()
    ok(programs.sendmail("-f", "me@other.test", "alice@example.test",
                         input="Subject: %s\n\nx\n" % subject))
    got = suite.wait_message(subject).decode()
    assert re.search(r"from userid %d\)\s+id " % UID, got), got
    ident = re.search(r"\)\s+id (\w+)", got).group(1)
    assert "%s: uid=%d from=<me@other.test>" % (ident, UID) in suite.maillog()
    wait_for(lambda: not dropped(suite))


@root_only
def test_the_folder_is_closed(suite, programs):
    folder = drop_folder(suite)
    st = os.stat(folder)
    assert stat.S_IMODE(st.st_mode) == 0o1730
    for command in (["ls", folder], ["touch", folder + "/0123456789abcdef"],
                    ["ls", folder + "/corrupt"]):
        r = subprocess.run(AS_USER + command, capture_output=True)
        assert r.returncode != 0, command


@root_only
def test_without_the_bit(suite, programs):
    os.chmod(programs.postdrop, 0o755)
    r = programs.sendmail("alice@example.test", input="x\n")
    assert r.returncode == 67 and "-f" in r.stderr     # he has no name
    r = programs.sendmail("-f", "me@other.test", "alice@example.test",
                          input="x\n")
    assert r.returncode == 69
    assert "setgid" in r.stderr
    # root needs no bit
    subject = token()
    ok(programs.sendmail("alice@example.test", user=[],
                         input="Subject: %s\n\nx\n" % subject))
    suite.wait_message(subject)


@root_only
def test_a_configuration_of_the_users_own(suite, programs):
    with tempfile.TemporaryDirectory() as own:
        os.chmod(own, 0o755)
        for name in ("main.cf", "master.cf"):
            shutil.copy(os.path.join(suite.config, name), own)
        os.chown(os.path.join(own, "main.cf"), UID, UID)
        r = subprocess.run(["setpriv", "--reuid=%d" % UID, "--clear-groups",
                            "--regid=%d" % UID, programs.postdrop, "-c", own],
                           capture_output=True, text=True, input="")
        assert r.returncode == 75 and "must belong to root" in r.stdout, r


@root_only
def test_authorized_submit_users(suite, programs):
    with open(programs.conf, "a") as f:
        f.write("authorized_submit_users = !unknown, static:anyone\n")
    r = programs.sendmail("-f", "a@b.test", "alice@example.test", input="x\n")
    assert r.returncode == 77 and "not allowed" in r.stderr, r
    subject = token()
    ok(programs.sendmail("-f", "a@b.test", "alice@example.test", user=[],
                         input="Subject: %s\n\nx\n" % subject))
    suite.wait_message(subject)


def test_while_stopped(make_suite):
    s = make_suite(*SUITE_OPTIONS, accounts=["alice:secret"])
    s.stop()
    p = Programs(s)
    user = []
    if os.geteuid() == 0:
        p.setgid()
        user = AS_USER
    subjects = [token() for _ in range(5)]
    for subject in subjects:
        ok(p.sendmail("-f", "a@b.test", "alice@example.test", user=user,
                      input="Subject: %s\n\nx\n" % subject))
    files = dropped(s)
    assert len(files) == 5
    for name in files:
        st = os.stat(os.path.join(drop_folder(s), name))
        assert st.st_uid == (UID if user else os.geteuid())
        assert stat.S_IMODE(st.st_mode) == 0o640
    p.close()
    again = make_suite(directory=s.directory)
    for subject in subjects:
        again.wait_message(subject)
    assert not dropped(again)


def test_files_that_are_no_messages(suite):
    folder = drop_folder(suite)
    good, subject = os.path.join(folder, "%016x" % 1), token()
    os.mkfifo(os.path.join(folder, "%016x" % 2))
    os.symlink("/etc/passwd", os.path.join(folder, "%016x" % 3))
    os.mkdir(os.path.join(folder, "%016x" % 4))
    for number, text in ((5, b""), (6, b"x" * 1000), (7, b"BaridDr1\1" +
                                                      b"\0" * 100)):
        with open(os.path.join(folder, "%016x" % number), "wb") as f:
            f.write(text)
    for name in dropped(suite):
        if not os.path.islink(os.path.join(folder, name)):
            os.chmod(os.path.join(folder, name), 0o644)
    # a file with two names is one that a user can still write to
    with open(good, "wb") as f:
        f.write(b"BaridDr1")
    os.chmod(good, 0o644)
    os.link(good, os.path.join(suite.directory, "other"))
    ok(suite.run(BUILD / "bin/sendmail", "alice@example.test",
                 input="Subject: %s\n\nx\n" % subject))
    suite.wait_message(subject)
    wait_for(lambda: dropped(suite) == ["%016x" % 4])   # a folder stays
    os.rmdir(os.path.join(folder, "%016x" % 4))
    assert len(dropped(suite, "corrupt")) == 4
    for why in ("no regular file; removed", "it has another name",
                "it is cut short", "its length is wrong",
                "it does not begin as one"):
        wait_for(lambda: "not taken: " + why in suite.maillog())
    for name in dropped(suite, "corrupt"):
        os.unlink(os.path.join(folder, "corrupt", name))


def test_cut_short(suite):
    """a program that ends in the middle has sent nothing"""
    p = subprocess.Popen([BUILD / "bin/sendmail", "-C", suite.config,
                          "alice@example.test"], stdin=subprocess.PIPE)
    p.stdin.write(b"Subject: x\n\n" + b"x\n" * 100000)
    p.stdin.flush()
    wait_for(lambda: dropped(suite))
    assert dropped(suite)[0].startswith("new.")
    p.kill()
    p.wait(10)
    wait_for(lambda: not dropped(suite))
    p.stdin.close()


@pytest.mark.parametrize("words,text,code,says", [
    (["alice@example.test"], "", 0, ""),
    ([], "x\n", 64, "give recipients"),
    (["-t"], "Subject: x\n\nTo: a@b.test\n", 64, "No recipient addresses"),
    (["-t"], "To: undisclosed-recipients:;\n\n", 64, "No recipient"),
    (["-t"], "To: a b c@\n\n", 64, "is no address"),
    (["-t"], "To: alice@example.test\n" + "X: 45678\n" * 12000 + "\n", 69,
     "header_size_limit"),
    (["-t", "alice@example.test"], "Subject: x\n\n", 0, ""),
    (["-N", "sometimes", "alice@example.test"], "", 64, "never"),
    (["-R", "half", "alice@example.test"], "", 64, "full or hdrs"),
    (["-B", "9BIT", "alice@example.test"], "", 64, "8BITMIME"),
    (["-B", "8BITMIME", "-N", "failure,delay", "-R", "hdrs", "-V", "id",
      "-G", "-oi", "-oem", "-v", "-O", "DeliveryMode=b",
      "alice@example.test"], "From: x@y.test\n\nx\n", 0, ""),
    (["-V", "x" * 101, "alice@example.test"], "", 64, "envelope id"),
    (["-f", "x" * 513, "alice@example.test"], "", 64, "sender"),
    (["alice@example.test\nbob@example.test"], "", 64, "control character"),
    ([""], "", 64, "empty"),
    (["-bd"], "", 64, "barid start"),
    (["-bv", "alice@example.test"], "", 69, "-N success"),
    (["-bz"], "", 64, "not done here"),
    (["-XV+=", "alice@example.test"], "", 69, "VERP"),
    (["-O", "requiretls=yes", "alice@example.test"], "", 69, "REQUIRETLS"),
    (["-qZ"], "", 64, "-qIqueue_id"),
    (["-q"], "", 0, ""),
    (["-q1h"], "", 64, "give recipients"),
    (["-bp"], "", 0, ""),
    (["alice@example.test"], BIG, 69, "too big"),
    (["-C", "/nonexistent", "alice@example.test"], "", 78, "nonexistent"),
], ids=lambda v: str(v)[:20])
def test_answers(suite, words, text, code, says):
    r = suite.run(BUILD / "bin/sendmail", *words, input=text)
    assert r.returncode == code, (r, words)
    assert says in r.stderr, r.stderr


def test_odd_callers(suite):
    """without standard descriptors, and with a small limit for files"""
    r = suite.run("sh", "-c", "sendmail -f a@b.test alice@example.test "
                  "<&- >&- 2>&-")
    assert r.returncode == 0
    r = suite.run("sh", "-c", "ulimit -f 8; sendmail -f a@b.test "
                  "alice@example.test", input="x" * 70000)
    assert r.returncode == 69 and "limit of this process" in r.stderr, r
    wait_for(lambda: not dropped(suite))


def test_header_recipients(suite):
    subject = token()
    ok(suite.run(BUILD / "bin/sendmail", "-t", input="To: x@foreign.test\n"
                 "Resent-To: alice@example.test\nResent-Bcc: bob@example.test"
                 "\nSubject: %s\n\nx\n" % subject))
    got = suite.wait_message(subject)
    assert b"Resent-To" in got and b"Resent-Bcc" not in got
    suite.wait_message(subject, "bob:hunter:2")
    assert "x@foreign.test" not in ok(suite.run(BUILD / "bin/mailq"))


def test_a_long_header(suite):
    """recipients are found behind 40 kB of other fields"""
    subject = token()
    ok(suite.run(BUILD / "bin/sendmail", "-t", input="X: 45678\n" * 9000 +
                 "To: alice@example.test\nSubject: %s\n\nx\n" % subject))
    suite.wait_message(subject)


def test_refused_for_good_is_returned(suite):
    """what cleanup does not take comes back to its sender"""
    subject = token()
    ok(suite.run(BUILD / "bin/sendmail", "-f", "alice@example.test",
                 "bob@example.test", input="Received: x\n" * 60 +
                 "Subject: %s\n\nx\n" % subject))
    got = suite.wait_message(subject).decode()
    assert "multipart/report" in got and "bob@example.test" in got
    assert "Action: failed" in got
    wait_for(lambda: not dropped(suite))
    # nobody to tell: it is kept
    ok(suite.run(BUILD / "bin/sendmail", "-f", "<>", "bob@example.test",
                 input="Received: x\n" * 60 + "\n"))
    wait_for(lambda: dropped(suite, "corrupt"))
    for name in dropped(suite, "corrupt"):
        os.unlink(os.path.join(drop_folder(suite), "corrupt", name))


def test_smtp_on_a_pipe(suite):
    subject = token()
    out = ok(suite.run(
        BUILD / "bin/sendmail", "-bs", input="EHLO here\r\n"
        "MAIL FROM:<me@other.test>\r\n"
        "RCPT TO:<alice@example.test> NOTIFY=NEVER\r\n"
        "RCPT TO:<x@foreign.test> NOTIFY=FAILURE ORCPT=rfc822;a+2Bb@c.test\r\n"
        "DATA\r\nSubject: %s\r\n\r\nx\r\n.\r\nQUIT\r\n" % subject))
    assert "\r\n250 2.0.0 Ok" in out or "\n250 2.0.0 Ok" in out, out
    suite.wait_message(subject)


def queue(run):
    return [json.loads(x) for x in ok(run("postqueue", "-j")).splitlines()]


@root_only
def test_the_queue_for_users(suite, programs):
    subject = token()
    ok(programs.sendmail("-f", "alice@example.test", "x@foreign.test",
                         input="Subject: %s\n\nx\n" % subject))
    entry = wait_for(lambda: [e for e in queue(programs.run) if
                              e["queue_name"] == "deferred"])[0]
    ident = entry["queue_id"]
    assert ident in ok(programs.run("mailq"))
    assert ident in ok(programs.run("postqueue", "-p"))
    assert ident in ok(programs.run("barid", "queue", "list"))
    ok(programs.run("postqueue", "-i", ident))
    ok(programs.run("postqueue", "-f"))
    ok(programs.run("sendmail", "-q"))
    for words in (["show", ident], ["delete", ident], ["hold", ident]):
        r = programs.run("barid", "queue", *words)
        assert r.returncode == 1, words
        assert "only root and the mail owner" in r.stderr, r.stderr
    assert [e for e in queue(programs.run) if e["queue_id"] == ident]

    with open(programs.conf, "w") as f:
        f.write(programs.before + "authorized_mailq_users = root\n"
                "authorized_flush_users = inline:{root=x}\n")
    try:
        ok(suite.barid("reload"))
        r = programs.run("mailq")
        assert r.returncode == 69 and "authorized_mailq_users" in r.stderr, r
        r = programs.run("postqueue", "-f")
        assert r.returncode == 69 and "authorized_flush_users" in r.stderr, r
        assert ident in ok(programs.run("mailq", user=[]))
    finally:
        with open(programs.conf, "w") as f:
            f.write(programs.before)
        ok(suite.barid("reload"))
    ok(suite.run(BUILD / "bin/postsuper", "-d", ident))


@root_only
def test_the_queue_of_a_stopped_suite(make_suite):
    s = make_suite(accounts=["alice:secret"])
    s.stop()
    p = Programs(s)
    r = p.run("mailq")
    assert r.returncode == 69 and "does not run" in r.stderr, r
    r = p.run("postqueue", "-f")
    assert r.returncode == 69 and "does not run" in r.stderr, r
    assert "empty" in ok(p.run("mailq", user=[]))
    p.close()


def test_wakes_do_no_harm(suite):
    """whoever connects and says anything only has pickup look"""
    subject = token()
    for _ in range(200):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(os.path.join(suite.directory, "s/queue/public/pickup"))
            try:
                s.send(b"\xff" * 100)
            except OSError:
                pass
    ok(suite.run(BUILD / "bin/sendmail", "alice@example.test",
                 input="Subject: %s\n\nx\n" % subject))
    suite.wait_message(subject)
    assert pids(suite, "pickup")


def test_killed_at_random(make_suite):
    """pickup and cleanup die again and again; every message that was accepted
    is there once"""
    s = make_suite(accounts=["alice:secret"])
    count, threads = 300, 6
    seed = int(os.environ.get("BARID_SEED", random.randrange(1 << 30)))
    rng = random.Random(seed)
    print("BARID_SEED", seed)
    accepted, lock = set(), threading.Lock()

    def work(numbers):
        for n in numbers:
            size = 3000 if n % 50 == 0 else n
            r = s.run(BUILD / "bin/sendmail", "-f", "a@b.test",
                      "alice@example.test", input="Subject: T%dT%dT\n\n%s" %
                      (seed, n, ("x" * 70 + "\n") * (size * 12)))
            if r.returncode == 0:
                with lock:
                    accepted.add(n)
    running = [threading.Thread(target=work, args=(range(i, count, threads),))
               for i in range(threads)]
    for t in running:
        t.start()
    kills = 0
    while any(t.is_alive() for t in running):
        time.sleep(rng.uniform(0.02, 0.4))
        for pid in pids(s, rng.choice(["pickup", "cleanup", "cleanup"])):
            try:
                os.kill(pid, signal.SIGKILL)
                kills += 1
            except ProcessLookupError:
                pass
    for t in running:
        t.join()
    assert len(accepted) == count and kills > 5, (len(accepted), kills)

    def arrived():
        found = collections.Counter(
            int(m.group(1)) for x in s.messages() for m in
            [re.search(rb"Subject: T%dT(\d+)T" % seed, x)] if m)
        return found
    wait_for(lambda: not dropped(s), 120, 0.5)
    end = time.monotonic() + 30
    while set(arrived()) != accepted and time.monotonic() < end:
        time.sleep(1)
    wait_for(lambda: "empty" in s.run(BUILD / "bin/mailq").stdout, 60, 0.5)
    found = arrived()
    print(kills, "kills", len(found), "found", "large:",
          os.listdir(os.path.join(s.directory, "s/queue/large")))
    print(s.maillog()[-30000:])
    assert set(found) == accepted, sorted(accepted - set(found))
    assert not [n for n, k in found.items() if k > 1], found
    assert not dropped(s, "corrupt")
