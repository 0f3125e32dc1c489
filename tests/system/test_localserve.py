# SPDX-License-Identifier: ISC
"""The contract of localserve that outside scripts rely on."""
import os
import signal
import shutil
import socket
import ssl
import subprocess
import tempfile
import time

import pytest

from conftest import Suite, message, token


def test_line(suite):
    info = suite.info
    assert info["version"] == 1
    assert info["directory"] == os.path.realpath(
        os.path.join(suite.directory, "s"))
    assert info["domain"] == "example.test"
    assert os.path.exists(os.path.join(info["config_directory"], "main.cf"))
    offsets = {"smtp": 0, "submission": 1, "submissions": 2, "imap": 3,
               "imaps": 4}
    assert set(offsets) <= set(info["endpoints"])
    for name, offset in offsets.items():
        end = info["endpoints"][name]
        assert end["host"] == "127.0.0.1"
        assert end["port"] == suite.base + offset


@pytest.mark.parametrize("name", ["localhost", "example.test",
                                  "mail.example.test"])
def test_certificate_names(suite, name):
    with socket.create_connection(
            ("127.0.0.1", suite.port("imaps")), 30) as plain:
        with suite.tls().wrap_socket(plain, server_hostname=name) as s:
            assert s.version() == "TLSv1.3"
            assert s.recv(4) == b"* OK"


def test_certificate_address(suite):
    with socket.create_connection(
            ("127.0.0.1", suite.port("imaps")), 30) as plain:
        with suite.tls().wrap_socket(plain, server_hostname="127.0.0.1"):
            pass
    with socket.create_connection(
            ("127.0.0.1", suite.port("imaps")), 30) as plain:
        with pytest.raises(ssl.SSLCertVerificationError):
            suite.tls().wrap_socket(plain, server_hostname="other.test")


@pytest.mark.parametrize("login", ["alice:secret",
                                   "alice@example.test:secret",
                                   "bob:hunter:2"])
def test_logins(suite, login):
    """a password may have colons; the domain may be left out"""
    suite.imap(login).logout()
    suite.smtp("submission", login=login).quit()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_stops_within_five_seconds(make_suite, how):
    s = make_suite(accounts=["alice:secret"])
    connection = s.imap()
    assert s.stop(how) < 5
    assert s.process.returncode == 0
    connection.shutdown()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", s.port("smtp")), 1)


def test_ends_when_it_is_killed(make_suite):
    s = make_suite(accounts=["alice:secret"])
    s.process.kill()
    s.process.wait(10)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", s.port("smtp")), 1).close()
        except OSError:
            return
        time.sleep(0.1)
    pytest.fail("the suite outlived localserve")


def test_accounts_and_settings(make_suite):
    s = make_suite("--accounts", "user:30:pass", "--set",
                   "mail_name=Quelle", "--set",
                   "submission:smtpd_banner=$myhostname ESMTP other")
    s.imap("user1:pass").logout()
    s.imap("user30@example.test:pass").logout()
    with socket.create_connection(("127.0.0.1", s.port("smtp")), 30) as c:
        assert c.recv(200) == b"220 mail.example.test ESMTP Quelle\r\n"
    with socket.create_connection(("127.0.0.1", s.port("submission")),
                                  30) as c:
        assert c.recv(200) == b"220 mail.example.test ESMTP other\r\n"


def test_started_again(make_suite, tmp_path):
    """the same folder once more: mail, accounts and certificates stay"""
    os.chmod(tmp_path, 0o755)
    s = make_suite(accounts=["alice:secret"], directory=str(tmp_path))
    subject = token()
    s.send(message(subject))
    ca = open(s.ca).read()
    s.close()
    s = make_suite(accounts=["alice:changed"], directory=str(tmp_path))
    assert s.wait_message(subject, "alice:changed")
    assert open(s.ca).read() == ca


@pytest.mark.parametrize("options,word", [
    (["--account", "nopassword"], "USER:PASSWORD"),
    (["--accounts", "a:b:c"], "PREFIX:COUNT:PASSWORD"),
    (["--set", "novalue"], "NAME=VALUE"),
    (["--set", "nosuch:a=b"], "nosuch"),
])
def test_wrong_options(tmp_path, options, word):
    from conftest import BUILD
    r = subprocess.run([str(BUILD / "bin/barid"), "localserve", "--directory",
                        str(tmp_path), "--base-port", "20000", "--domain",
                        "example.test"] + options, capture_output=True,
                       text=True, timeout=30)
    assert r.returncode != 0
    assert word in r.stderr
    assert r.stdout == ""


def test_unprivileged(tmp_path):
    """who is not root has a suite, too, and is told what it does without"""
    from conftest import BUILD, free_base_port
    import json
    import smtplib
    if os.geteuid() != 0:
        return                  # then all tests run so
    folder = tempfile.mkdtemp(prefix="barid-")
    os.chmod(folder, 0o777)
    base = free_base_port()
    p = subprocess.Popen(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
         str(BUILD / "bin/barid"), "localserve", "--directory",
         folder + "/s", "--base-port", str(base), "--domain", "example.test",
         "--account", "alice:secret"], stdout=subprocess.PIPE,
        stderr=open(folder + "/stderr", "w"), text=True)
    try:
        assert json.loads(p.stdout.readline())["version"] == 1
        with smtplib.SMTP("127.0.0.1", base, timeout=30) as s:
            s.sendmail("a@other.test", ["alice@example.test"], message())
        ps = subprocess.run(
            [str(BUILD / "bin/barid"), "-c", folder + "/s/etc", "ps",
             "--json"], capture_output=True, text=True, timeout=30)
        found = [json.loads(line) for line in ps.stdout.splitlines()]
        assert {"master", "smtpd", "stored"} <= {r["daemon"] for r in found}
        for row in found:
            assert row["user"] == "nobody"
            assert row["daemon"] == "master" or (
                row["seccomp"] == "2" and row["no_new_privs"] == "1"), row
        said = open(folder + "/stderr").read()
        assert "as user nobody" in said and "does without" in said
    finally:
        p.send_signal(signal.SIGTERM)
        p.wait(10)
        p.stdout.close()
        shutil.rmtree(folder, ignore_errors=True)
