# SPDX-License-Identifier: ISC
"""barid check: a configuration that works has no error, and each mistake is
found, with its place."""
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile

import pytest

from conftest import BUILD, free_base_port

MAIN = """compatibility_level = 3.11
myhostname = mail.example.test
alias_maps =
local_recipient_maps = inline:{{ a=b }}
daemon_directory = {build}/libexec/barid
queue_directory = {folder}/queue
data_directory = {folder}/data
"""


def check(folder, main="", master="", json_lines=True):
    """exit status and findings of a configuration"""
    etc = folder / "etc"
    etc.mkdir(exist_ok=True)
    (etc / "main.cf").write_text(MAIN.format(build=BUILD, folder=folder) + main)
    (etc / "master.cf").write_text(
        "127.0.0.1:%d inet n - n - - smtpd\n" % free_base_port() + master)
    r = subprocess.run([BUILD / "bin/barid", "-c", etc, "check"] +
                       (["--json"] if json_lines else []),
                       text=True, capture_output=True, timeout=60)
    assert r.stderr == ""
    if not json_lines:
        return r.returncode, r.stdout
    return r.returncode, [json.loads(line) for line in r.stdout.splitlines()]


def test_nothing_wrong(tmp_path):
    tmp_path.chmod(0o755)
    status, found = check(tmp_path)
    assert status == 0, found
    assert not [f for f in found if f["level"] == "error"]
    status, text = check(tmp_path, json_lines=False)
    assert text.splitlines()[-1].startswith("0 errors, ")


@pytest.mark.parametrize("line, where, text", [
    ("smtpd_tiemout = 3s", "main.cf:8", "smtpd_timeout"),
    ("smtpd_timeout = 3 fortnights", "main.cf:8", "is not a time"),
    ("smtpd_timeout = 2h", "main.cf:8", "smtpd_timeout"),
    ("disable_vrfy_command = maybe", "main.cf:8", "disable_vrfy_command"),
    ("virtual_alias_maps = hash:/nonexistent/a", "virtual_alias_maps",
     "/nonexistent/a"),
    ("virtual_alias_maps = frob:a", "virtual_alias_maps", "frob"),
    ("queue_directory = queue", "queue_directory", "not an absolute path"),
    ("queue_directory = /nonexistent/a/b", "queue_directory",
     "make that folder"),
    ("data_directory = /etc/passwd", "data_directory", "no folder"),
    ("daemon_directory = /nonexistent", "daemon_directory", "/nonexistent"),
    ("smtpd_tls_chain_files = /nonexistent/key", "smtpd_tls_chain_files",
     "/nonexistent/key"),
    ("smtpd_tls_cert_file = /etc/passwd", "smtpd_tls_cert_file",
     "no certificate"),
])
def test_main(tmp_path, line, where, text):
    status, found = check(tmp_path, line + "\n")
    assert status == 1, found
    hits = [f for f in found if f["level"] == "error" and
            f["where"].endswith(where) and text in f["text"]]
    assert hits, found


@pytest.mark.parametrize("line, level, text", [
    ("biff = no", "note", "no biff service"),
    ("smtpd_use_tls = yes", "warning", "smtpd_tls_security_level = may"),
    ("milter_default_action = accept", "warning", "Milters"),
    ("mailbox_size_limit = 0", "warning", "barid account quota"),
])
def test_of_postfix(tmp_path, line, level, text):
    """a file of Postfix's works; what it loses is said"""
    status, found = check(tmp_path, line + "\n")
    assert status == 0, found
    hits = [f for f in found if f["level"] == level and text in f["text"]]
    assert len(hits) == 1 and hits[0]["where"].endswith("main.cf:8"), found


@pytest.mark.parametrize("row, level, text", [
    ("frob inet n - - - - smtpd", "error", "no such address or port"),
    ("127.0.0.1:1 inet n - - - - frobd", "error", "no daemon is called frobd"),
    ("smtp unix - - - - - smtp -o smtp_tiemout=3", "error", "smtp_tiemout"),
    ("smtp unix - - - - - smtp -o smtp_helo_timeout=never", "error",
     "is not a time"),
    ("tlsmgr unix - - - 1000? 1 tlsmgr", "note", "done by signd"),
    ("rewrite unix - - - - - trivial-rewrite", "note", "done by mapd"),
    ("anvil unix - - - - 1 anvil", "warning", "runs nothing"),
])
def test_master(tmp_path, row, level, text):
    status, found = check(tmp_path, master=row + "\n")
    assert status == (1 if level == "error" else 0), found
    assert [f for f in found if f["level"] == level and
            text in f["text"]], found


@pytest.fixture
def open_folder():
    """one that every user can reach"""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield pathlib.Path(folder)


def test_own_mail(open_folder):
    """the host's mail is somebody's, by a table or by the accounts"""
    def lost(main):
        status, found = check(open_folder,
                              "mydestination = $myhostname\n" + main)
        assert status == 0, found
        found = [f for f in found if "leads nowhere" in f["text"]]
        assert all(f["level"] == "warning" for f in found), found
        return [f["where"] for f in found]

    def barid(*args):
        subprocess.run([BUILD / "bin/barid", "-c", open_folder / "etc", *args],
                       check=True, timeout=30, input=b"secret\n")

    assert lost("") == ["postmaster", "root"]
    assert lost("alias_maps = inline:{root=a@far.test}\n"
                "local_recipient_maps = $alias_maps\n") == ["postmaster"]
    assert lost("local_recipient_maps =\nalias_maps = inline:{"
                "root=nobody@mail.example.test, postmaster=root}\n") == \
        ["postmaster", "root"]
    assert lost("virtual_alias_maps = inline:{postmaster=b@far.test, "
                "root=nobody@mail.example.test}\n") == ["root"]
    barid("domain", "add", "mail.example.test")
    assert lost("") == ["postmaster", "root"]
    barid("account", "add", "--password-stdin", "root@mail.example.test")
    assert lost("") == ["postmaster"]
    barid("alias", "add", "postmaster@mail.example.test",
          "root@mail.example.test")
    assert lost("") == []
    assert not (open_folder / "queue").exists()


def certificate(folder, name, days, host="mail.example.test"):
    key, cert = folder / (name + ".key"), folder / (name + ".pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                    str(days), "-subj", "/CN=" + host, "-addext",
                    "subjectAltName=DNS:" + host, "-keyout", key, "-out",
                    cert], check=True, capture_output=True)
    key.chmod(0o600)
    return key, cert


def test_certificates(tmp_path):
    key, cert = certificate(tmp_path, "good", 100)
    other, _ = certificate(tmp_path, "other", 100)
    soon_key, soon = certificate(tmp_path, "soon", 3)
    away_key, away = certificate(tmp_path, "away", 100, "else.test")

    def of(first, second):
        return check(tmp_path, "smtpd_tls_chain_files = %s, %s\n" %
                     (first, second))

    status, found = of(key, cert)
    assert status == 0, found
    assert "smtpd_tls_chain_files" not in [f["where"] for f in found]
    status, found = of(other, cert)
    assert status == 1 and "no certificate of" in str(found), found
    status, found = of(soon_key, soon)
    assert status == 0 and "within a week" in str(found), found
    status, found = of(away_key, away)
    assert status == 0 and "not for mail.example.test" in str(found), found
    key.chmod(0o644)
    status, found = of(key, cert)
    assert status == 1 and "everybody may read" in str(found), found


def test_writable(tmp_path):
    (tmp_path / "queue").mkdir()
    os.chmod(tmp_path / "queue", 0o777)
    status, found = check(tmp_path)
    assert status == 1 and "chmod o-w" in str(found), found


@pytest.mark.parametrize("main, row, where, text", [
    ("a line\n", "", "main.cf:8:", 'no "=" behind "a line"'),
    ("myhostname = (none)\n", "", "main.cf:8:", "is no name of a host"),
    ("myhostname = 192.0.2.1\n", "", "main.cf:8:", "is no name of a host"),
    ("mydomain = a..b\n", "", "main.cf:8:", "is no name of a host"),
    ("master_stop_limit = soon\n", "", "main.cf:8:", "is not a time"),
    ("", "frob inet n", "master.cf:2:", "3 of its 8 fields"),
    ("", "a unix - - - - - smtp -o b", "master.cf:2:", '"b"'),
    ("", "127.0.0.1:1 inet n - - - - frobd", "master.cf:2:",
     "no daemon is called frobd"),
    ("", "127.0.0.1:{taken} inet n - - - - smtpd", "master.cf:",
     "Address already in use; stop the program that does (ss -ltnp"),
    ("", "192.0.2.1:{taken} inet n - - - - smtpd", "master.cf:",
     "see inet_interfaces"),
])
def test_start(tmp_path, main, row, where, text):
    """master says what is wrong, in which file, and ends"""
    etc = tmp_path / "etc"
    etc.mkdir()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        (etc / "main.cf").write_text(
            MAIN.format(build=BUILD, folder=tmp_path) + main)
        (etc / "master.cf").write_text(
            "127.0.0.1:%d inet n - n - - smtpd\n" % free_base_port() +
            row.format(taken=taken.getsockname()[1]) + "\n")
        r = subprocess.run([BUILD / "libexec/barid/master", "-c", etc],
                           text=True, capture_output=True, timeout=60)
    assert r.returncode == 1
    assert r.stderr.startswith("master: fatal: %s/%s" % (etc, where)), r.stderr
    assert text in r.stderr and r.stderr.count("\n") == 1, r.stderr


@pytest.mark.parametrize("name, myhostname, warned", [
    ("mail.example.org", "mail.example.org", False),
    ("my_host.example.org", "my_host.example.org", False),
    ("box", "box.localdomain", True),
    ("localhost", "localhost.localdomain", True),
    ("(none)", "localhost.localdomain", True),
    ("a..b", "localhost.localdomain", True),
    ("m\u00fcnchen.example", "localhost.localdomain", True),
    ("192.0.2.1", "localhost.localdomain", True),
])
def test_name_of_host(tmp_path, name, myhostname, warned):
    """whatever the host is called"""
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "main.cf").write_text(
        MAIN.format(build=BUILD, folder=tmp_path).replace(
            "myhostname = mail.example.test\n", ""))
    (etc / "master.cf").write_text("")
    script = ("import socket, sys, subprocess\n"
              "socket.sethostname(sys.argv[1])\n"
              "for words in (['conf', 'get', 'myhostname'], ['check']):\n"
              "    subprocess.run([*sys.argv[2:], *words])\n")
    if os.geteuid() != 0:
        return                  # then a host has the name it has
    r = subprocess.run(["unshare", "--uts", sys.executable, "-c", script,
                        name, BUILD / "bin/barid", "-c", etc], text=True,
                       capture_output=True, timeout=60)
    assert r.stdout.splitlines()[0] == myhostname, r.stdout + r.stderr
    assert ("other servers will distrust it" in r.stdout) == warned, r.stdout
