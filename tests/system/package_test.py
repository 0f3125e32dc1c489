# SPDX-License-Identifier: ISC
"""The packages, built, and installed into a minimal Debian of their own, with
the real users on the real ports. Part of the long run: needs root, debootstrap
and the packages of debian/control's Build-Depends.

Called as a program, "package_test.py FOLDER", it is the part that runs in
namespaces of its own: nothing of it outlives it."""
import imaplib
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import time

HOST = "mail.example.test"
TOP = pathlib.Path(__file__).resolve().parents[2]


def run(*command, limit=60, check=True, **how):
    """a program; what it said when it fails"""
    p = subprocess.run([str(c) for c in command], text=True, timeout=limit,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **how)
    assert not check or p.returncode == 0, "%s: %d\n%s" % (
        command, p.returncode, p.stdout[-5000:])
    return p


# --- outside

def build_packages(work):
    """dpkg-buildpackage in a copy; the files it makes"""
    source = work / "barid"
    source.mkdir()
    names = run("git", "-C", TOP, "ls-files", "-z").stdout.split("\0")
    for name in filter(None, names):
        if (TOP / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TOP / name, source / name)
    options = "parallel=%d noautodbgsym" % (os.cpu_count() or 1)
    run("dpkg-buildpackage", "-us", "-uc", "-b", cwd=source, limit=1500,
        env=dict(os.environ, DEB_BUILD_OPTIONS=options))
    return sorted(work.glob("*.deb"))


def make_system(root, packages):
    """a minimal Debian with the packages"""
    run("debootstrap", "--variant=minbase", "bookworm", root, limit=900)
    hosts = "127.0.0.1 localhost %s\n::1 localhost\n" % HOST
    (root / "etc/hosts").write_text(hosts)
    for package in packages:
        shutil.copy(package, root / "tmp")
    run("chroot", root, "sh", "-c", "apt-get update -q && "
        "apt-get install -y -q --no-install-recommends /tmp/*.deb",
        env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"), limit=600)


def test_package(tmp_path):
    import pytest
    if not os.environ.get("BARID_LONG"):
        packages = (TOP / "debian/control").read_text()
        assert "Package: barid\n" in packages
        return                  # the rest takes minutes
    assert os.geteuid() == 0, "needs root"
    for program in ("debootstrap", "dpkg-buildpackage", "dh", "swaks"):
        if shutil.which(program) is None:
            pytest.fail(program + " is not installed: apt-get install "
                        "debootstrap dpkg-dev debhelper swaks")
    packages = build_packages(tmp_path)
    assert len(packages) == 2
    root = tmp_path / "root"
    try:
        make_system(root, packages)
        print(run("unshare", "--net", "--mount", "--pid", "--uts", "--ipc",
                  "--fork", "--kill-child", sys.executable, __file__, root,
                  limit=300).stdout)
    finally:
        shutil.rmtree(root, ignore_errors=True)


# --- inside

class System:
    """the installed suite"""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        run("mount", "-t", "proc", "proc", self.root / "proc")
        run("ip", "link", "set", "lo", "up")
        run("hostname", HOST)
        self.tls = ssl.create_default_context(
            cafile=self.root / "etc/barid/tls/cert.pem")
        self.tls.check_hostname = False

    def barid(self, *words, **how):
        return run("chroot", self.root, "barid", *words, **how)

    def step(self, text):
        print("ok -", text, flush=True)

    def imap(self, port):
        if port == 993:
            m = imaplib.IMAP4_SSL("127.0.0.1", port, timeout=20,
                                  ssl_context=self.tls)
        else:
            m = imaplib.IMAP4("127.0.0.1", port, timeout=20)
            m.starttls(self.tls)
        m.login("alice@example.test", "secret")
        return m

    def swaks(self, *options):
        run("swaks", "--server", "127.0.0.1", "--to", "alice@example.test",
            "--from", "alice@example.test", "--timeout", "20", *options)

    def wait_mails(self, port, want):
        m = self.imap(port)
        for _ in range(100):
            m.select("INBOX")
            found = m.search(None, "ALL")[1][0].split()
            if len(found) >= want:
                break
            time.sleep(0.1)
        assert len(found) == want, "%d mails, not %d" % (len(found), want)
        m.logout()


def check_processes(system):
    """nobody but master is root, and the kernel confines all others"""
    lines = system.barid("ps", "--json").stdout.splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) >= 8, lines
    for row in rows:
        if row["daemon"] == "master":
            continue
        assert row["user"].startswith("barid-"), row
        assert row["no_new_privs"] in (True, "1", 1), row
        assert str(row["seccomp"]) == "2", row


def check_mail(system):
    system.barid("domain", "add", "example.test")
    system.barid("account", "add", "alice@example.test", "--password-stdin",
                 input="secret\n")
    system.step("domain and account made")
    system.swaks("--port", "25", "--from", "bob@elsewhere.example")
    system.step("swaks to port 25")
    system.swaks("--port", "587", "--tls", "--auth", "PLAIN", "--auth-user",
                 "alice@example.test", "--auth-password", "secret")
    system.step("swaks to port 587 with TLS and a login")
    system.swaks("--port", "465", "--tls-on-connect", "--auth", "PLAIN",
                 "--auth-user", "alice@example.test", "--auth-password",
                 "secret")
    system.step("swaks to port 465")
    p = run("swaks", "--server", "127.0.0.1:587", "--to", "a@example.test",
            "--from", "a@example.test", "--tls", check=False)
    assert "530" in p.stdout, p.stdout
    system.step("no submission without a login")
    system.wait_mails(143, 3)
    system.wait_mails(993, 3)
    system.step("IMAP on 143 and 993")


def check_sendmail(system):
    """a user of the system, who is nobody to Barid, submits"""
    nobody = ["chroot", "--userspec=65534:65534", system.root]
    compat = "/usr/lib/barid/compat/"
    run(*nobody, compat + "sendmail", "alice@example.test",
        input="Subject: from a user\n\nHello\n")
    system.wait_mails(143, 4)
    system.step("sendmail as a user")
    p = run("chroot", system.root, compat + "mailq")
    assert "queue is empty" in p.stdout, p.stdout
    p = run(*nobody, "barid", "queue", "delete", "ALL", check=False)
    assert p.returncode != 0, p.stdout
    system.step("mailq, and no queue commands for users")


def check_reload(system):
    m = system.imap(143)
    m.select("INBOX")
    system.barid("reload")
    for _ in range(3):
        assert m.noop()[0] == "OK"
        assert len(m.search(None, "ALL")[1][0].split()) == 4
        time.sleep(0.5)
    system.wait_mails(993, 4)
    m.logout()
    system.step("a reload keeps an open session")


def check_upgrade(system):
    """without a service manager the package itself goes on with the new one"""
    before = system.barid("ps", "--json").stdout
    run("chroot", system.root, "sh", "-c", "dpkg -i /tmp/barid_*.deb")
    system.barid("status")
    after = system.barid("ps", "--json").stdout
    assert {json.loads(row)["pid"] for row in before.splitlines()}.isdisjoint(
        json.loads(row)["pid"] for row in after.splitlines())
    system.wait_mails(993, 4)
    system.step("an upgrade starts it again")


def check_stop(system):
    system.barid("stop")
    for port in (25, 143, 465, 587, 993):
        with socket.socket() as s:
            assert s.connect_ex(("127.0.0.1", port)) != 0, port
    system.step("stopped")
    system.barid("start")
    system.wait_mails(993, 4)
    system.barid("stop")
    system.step("started again, with its mail")


def check_removal(system):
    run("chroot", system.root, "dpkg", "--purge", "barid", "barid-doc")
    assert not (system.root / "etc/barid").exists()
    assert (system.root / "var/lib/barid/store").exists()
    system.step("purged; mail is kept")


def main(root):
    system = System(root)
    first = system.barid("check", check=False)
    assert first.returncode == 0, first.stdout
    system.step("barid check")
    system.barid("start")
    try:
        system.step("barid start")
        check_mail(system)
        check_processes(system)
        system.step("barid ps")
        second = system.barid("check", check=False)
        assert second.returncode == 0, second.stdout
        check_sendmail(system)
        check_reload(system)
        check_upgrade(system)
        check_stop(system)
        check_removal(system)
    except BaseException:
        for log in system.root.glob("var/lib/barid/log/*"):
            print(log.read_text(errors="replace")[-10000:])
        print(system.barid("ps", check=False).stdout)
        raise


if __name__ == "__main__":
    main(sys.argv[1])
