# SPDX-License-Identifier: ISC
"""A whole suite for each test module, and the programs that talk to it.

BARID_BUILD names the folder it was built in (default: build/ in the tree).
Every process is ended by its own id.
"""
import imaplib
import json
import mmap
import os
import pathlib
import select
import shutil
import signal
import smtplib
import socket
import ssl
import struct
import subprocess
import tempfile
import time
import uuid

import pytest

import crash_suite

TREE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BARID_BUILD", TREE / "build")).resolve()
PORTS = 12          # of one suite, from its base port on
START_LIMIT = 90    # seconds; builds with sanitizers are slow


def free_base_port():
    """a port that is free, and so are those behind it"""
    for base in range(21000 + os.getpid() % 400 * 20, 60000, 20):
        taken = False
        for port in range(base, base + PORTS):
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    s.bind(("127.0.0.1", port))
                except OSError:
                    taken = True
                    break
        if not taken:
            return base
    raise RuntimeError("no free ports")


def token():
    return uuid.uuid4().hex


def wait_for(what, limit=20, pause=0.1):
    """what() as soon as it is true; fails when the time is over"""
    end = time.monotonic() + limit
    while True:
        result = what()
        if result:
            return result
        assert time.monotonic() < end, "waited %s seconds in vain" % limit
        time.sleep(pause)


def have(program):
    """the path of a program that a test needs; without it the test fails"""
    path = shutil.which(program) or shutil.which(
        program, path="/usr/sbin:/sbin:/usr/lib/postfix/sbin")
    assert path, "%s is not installed; see runtests" % program
    return path


class Suite:
    """a running localserve"""

    def __init__(self, *options, domain="example.test", accounts=(),
                 directory=None):
        self.own_directory = directory is None
        self.directory = directory or tempfile.mkdtemp(prefix="barid-")
        if self.own_directory:
            os.chmod(self.directory, 0o755)
        self.domain = domain
        self.base = free_base_port()
        command = [BUILD / "bin/barid", "localserve",
                   "--directory", os.path.join(self.directory, "s"),
                   "--base-port", str(self.base), "--domain", domain]
        for account in accounts:
            command += ["--account", account]
        command += options
        self.errors = open(os.path.join(self.directory, "stderr"), "a+")
        self.process = subprocess.Popen(
            [str(c) for c in command], stdout=subprocess.PIPE,
            stderr=self.errors, text=True)
        line = self._first_line()
        self.info = json.loads(line)
        self.endpoints = self.info["endpoints"]
        self.ca = self.info["ca_file"]
        self.config = self.info["config_directory"]

    def _first_line(self):
        ready, _, _ = select.select([self.process.stdout], [], [], START_LIMIT)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            self.stop()
            pytest.fail("localserve did not start:\n" + self.log())
        return line

    def log(self):
        text = pathlib.Path(self.directory, "stderr").read_text()
        path = pathlib.Path(self.directory, "s/data/log/maillog")
        if path.exists():
            text += path.read_text(errors="replace")[-20000:]
        return text

    def maillog(self):
        path = pathlib.Path(self.directory, "s/data/log/maillog")
        return path.read_text(errors="replace")

    def port(self, service):
        return self.endpoints[service]["port"]

    def tls(self):
        return ssl.create_default_context(cafile=self.ca)

    def stop(self, how=signal.SIGTERM):
        """end it; says how many seconds that took"""
        begin = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        return time.monotonic() - begin

    def close(self):
        self.stop()
        self.process.stdout.close()
        self.errors.close()
        if self.own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    # --- talking to it
    def smtp(self, service="smtp", login=None, starttls=False):
        if self.endpoints[service]["tls"] == "implicit":
            s = smtplib.SMTP_SSL("localhost", self.port(service), timeout=30,
                                 context=self.tls())
        else:
            s = smtplib.SMTP("127.0.0.1", self.port(service), timeout=30)
        s.ehlo("client.test")
        if starttls:
            s._host = "localhost"
            s.starttls(context=self.tls())
            s.ehlo("client.test")
        if login:
            s.login(*login.split(":", 1))
        return s

    def imap(self, login="alice:secret", service="imap"):
        if self.endpoints[service]["tls"] == "implicit":
            m = imaplib.IMAP4_SSL("localhost", self.port(service), timeout=30,
                                  ssl_context=self.tls())
        else:
            m = imaplib.IMAP4("127.0.0.1", self.port(service), timeout=30)
        if login:
            m.login(*login.split(":", 1))
        return m

    def send(self, text, rcpts=("alice@example.test",),
             sender="sender@other.test", **how):
        with self.smtp(**how) as s:
            return s.sendmail(sender, list(rcpts), text)

    def messages(self, login="alice:secret", folder="INBOX"):
        """all messages of a mailbox, as bytes"""
        m = self.imap(login)
        try:
            m.select(folder, readonly=True)
            data = m.uid("FETCH", "1:*", "(BODY.PEEK[])")[1]
            return [part[1] for part in data if isinstance(part, tuple)]
        finally:
            m.logout()

    def wait_message(self, needle, login="alice:secret", folder="INBOX",
                     limit=30):
        """the message that has these bytes, when it has come"""
        def look():
            found = [m for m in self.messages(login, folder)
                     if needle.encode() in m]
            assert len(found) < 2, "the message is there twice"
            return found
        return wait_for(look, limit)[0]

    def run(self, *command, **how):
        """a tool of the build, with this suite's configuration"""
        env = dict(os.environ, MAIL_CONFIG=self.config,
                   PATH="%s:%s" % (BUILD / "bin", os.environ["PATH"]))
        how.setdefault("timeout", 60)
        return subprocess.run([str(c) for c in command], env=env, text=True,
                              capture_output=True, **how)

    def barid(self, *words, **how):
        return self.run(BUILD / "bin/barid", "-c", self.config, *words, **how)


@pytest.fixture(scope="module")
def suite(request):
    """a suite with alice and bob; a module may set SUITE_OPTIONS"""
    s = Suite(*getattr(request.module, "SUITE_OPTIONS", ()),
              accounts=getattr(request.module, "SUITE_ACCOUNTS",
                               ("alice:secret", "bob:hunter:2")))
    yield s
    s.close()


@pytest.fixture
def make_suite():
    """start further suites; they end with the test"""
    started = []

    def make(*options, **how):
        s = Suite(*options, **how)
        started.append(s)
        return s
    yield make
    for s in started:
        s.close()


class Disk:
    """one whose room a test says; see helpers/fulldisk.c"""

    def __init__(self, path):
        crash_suite.make("tests/system/helpers/fulldisk.so")
        with open(path, "w+b") as f:
            f.write(struct.pack("=q", -1))
            f.flush()
            os.chmod(f.name, 0o644)
            self.page = mmap.mmap(f.fileno(), 8)
        self.environment = {
            "FULLDISK": str(path),
            "LD_PRELOAD": str(BUILD / "tests/system/helpers/fulldisk.so")}

    def __call__(self, count=None):
        """the bytes that are free; below 0: as many as one likes"""
        if count is not None:
            self.page[:] = struct.pack("=q", count)
        return struct.unpack("=q", self.page[:])[0]


@pytest.fixture
def small_disk(tmp_path, monkeypatch):
    """start a suite on a disk of its own: the suite, and its disk"""
    for folder in (tmp_path.parent.parent, tmp_path.parent, tmp_path):
        if os.geteuid() == 0:           # others' daemons are who they are
            os.chmod(folder, 0o755)
    disk = Disk(tmp_path / "room")
    started = []

    def make(*options, **how):
        with monkeypatch.context() as m:
            for name, value in disk.environment.items():
                m.setenv(name, value)
            started.append(Suite(*options, directory=str(tmp_path), **how))
        return started[-1], disk
    yield make
    for s in started:
        s.close()


def message(subject=None, body="hello\r\n", sender="sender@other.test",
            to="alice@example.test"):
    subject = subject or token()
    return ("From: <%s>\r\nTo: <%s>\r\nSubject: %s\r\n"
            "Message-ID: <%s@letters.test>\r\n"
            "Date: Mon, 02 Nov 2026 10:00:00 +0000\r\n\r\n%s" %
            (sender, to, subject, token(), body))


def pytest_collection_modifyitems(config, items):
    """tests marked long are no part of an ordinary run"""
    if os.environ.get("BARID_LONG"):
        return
    out = [i for i in items if i.get_closest_marker("long")]
    if out:
        items[:] = [i for i in items if not i.get_closest_marker("long")]
        config.hook.pytest_deselected(items=out)
