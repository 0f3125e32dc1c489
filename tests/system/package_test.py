# SPDX-License-Identifier: ISC
"""The packages, built, and installed into a minimal Debian of their own, with
the real users on the real ports, used, upgraded while they run, removed and
purged. That is part of the long run: it needs root, and what "tests/packages
long" installs. What make install and configure do is tested always.

Called as a program, "package_test.py FOLDER", it is the part that runs in
namespaces of its own: nothing of it outlives it, and its ports are private."""
import concurrent.futures
import fcntl
import imaplib
import json
import os
import pathlib
import re
import shutil
import smtplib
import socket
import ssl
import struct
import subprocess
import sys
import time

HOST = "mail.example.test"
TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BARID_BUILD", TOP / "build"))
NAMES = {"barid", "barid-doc", "barid-map-bdb", "barid-map-pcre"}
LATER = "0.1.0+later"
NEEDS = {"debootstrap": "debootstrap", "dpkg-buildpackage": "dpkg-dev",
         "dh": "debhelper", "lintian": "lintian", "swaks": "swaks",
         "systemd-analyze": "systemd", "systemd-sysusers": "systemd",
         "systemd-nspawn": "systemd-container"}


def run(*command, limit=60, check=True, **how):
    """a program; what it said when it fails"""
    p = subprocess.run([str(c) for c in command], text=True, timeout=limit,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **how)
    assert not check or p.returncode == 0, "%s: %d\n%s" % (
        command, p.returncode, p.stdout[-5000:])
    return p


# --- make install, configure

def tree(folder):
    return {str(p.relative_to(folder)): (p.lstat().st_mode,
            p.read_bytes() if p.is_file() and not p.is_symlink() else None)
            for p in folder.rglob("*")}


def test_make_install(tmp_path):
    """by the FHS; again, it changes nothing that an admin wrote"""
    def install():
        run("make", "-s", "-C", BUILD, "install", f"DESTDIR={tmp_path}",
            "prefix=/usr", "sysconfdir=/etc", limit=600)

    install()
    first = tree(tmp_path)
    for name in ("usr/sbin/barid", "usr/lib/barid/master",
                 "usr/lib/barid/modules/map_bdb.so",
                 "usr/lib/barid/modules/map_pcre.so", "etc/barid/main.cf",
                 "usr/lib/barid/compat/sendmail",
                 "usr/share/man/man8/barid.8",
                 "usr/share/doc/barid/README.md",
                 "usr/lib/systemd/system/barid.service"):
        assert name in first, name
    assert not [n for n in first if n.split("/")[0] not in ("usr", "etc")]
    main = tmp_path / "etc/barid/main.cf"
    main.write_text(main.read_text() + "# the admin's\n")
    install()
    again = tree(tmp_path)
    assert {n for n in again if again[n] != first.get(n)} == {
        "etc/barid/main.cf"}
    assert main.read_text().endswith("# the admin's\n")
    run("make", "-s", "-C", BUILD, "uninstall", f"DESTDIR={tmp_path}",
        "prefix=/usr", "sysconfdir=/etc")
    left = {n for n, (_, data) in tree(tmp_path).items() if data is not None}
    assert left == {f"etc/barid/{n}" for n in ("main.cf", "master.cf",
                                               "aliases")}


def test_compile_commands(tmp_path):
    """one entry for every source, with the words a compiler takes"""
    run("make", "-s", "-C", BUILD, "compile_commands.json", limit=120)
    found = json.loads((BUILD / "compile_commands.json").read_text())
    sources = {str(p.relative_to(TOP)) for p in (TOP / "src").glob("*/*.c")}
    assert {str(pathlib.Path(e["file"]).resolve().relative_to(TOP))
            for e in found} == sources
    assert all(pathlib.Path(e["directory"]) == BUILD.resolve() for e in found)
    words = next(e["arguments"] for e in found if e["file"].endswith("slice.c"))
    assert '-DBARID_CONFIG_DIRECTORY="' in " ".join(words)
    run(*words, "-o", tmp_path / "slice.o", cwd=BUILD)


def test_configure_names_what_is_missing(tmp_path):
    """each library is hidden from the linker in turn"""
    libraries = {"ssl": "libssl-dev", "lmdb": "liblmdb-dev", "db": "libdb-dev",
                 "pcre2-8": "libpcre2-dev", "unbound": "libunbound-dev",
                 "idn2": "libidn2-dev", "seccomp": "libseccomp-dev",
                 "zstd": "libzstd-dev", "argon2": "libargon2-dev",
                 "crypt": "libcrypt-dev",
                 "boost_context": "libboost-context-dev"}
    compiler = tmp_path / "cc"
    compiler.write_text('#!/bin/sh\nfor a; do [ "$a" != "-l$HIDDEN" ] || '
                        "exit 1; done\nexec gcc \"$@\"\n")
    compiler.chmod(0o755)
    for library, package in libraries.items():
        p = run(TOP / "configure", "-q", f"--cache-file={tmp_path}/cache",
                f"CC={compiler}", cwd=tmp_path, check=False,
                env=dict(os.environ, HIDDEN=library))
        assert p.returncode != 0, library
        assert f"apt-get install {package}\n" in p.stdout, p.stdout
        cache = tmp_path / "cache"
        if cache.exists():      # what was found stays found
            kept = [x for x in cache.read_text().splitlines(True)
                    if not x.rstrip().endswith("=no}")]
            cache.write_text("".join(kept))


# --- the packages, outside

def build_packages(work, profile=""):
    """dpkg-buildpackage in a copy; the files it makes"""
    source = work / "barid"
    source.mkdir(parents=True)
    names = run("git", "-C", TOP, "ls-files", "-z").stdout.split("\0")
    for name in filter(None, names):
        if (TOP / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TOP / name, source / name)
    options = "parallel=%d noautodbgsym" % (os.cpu_count() or 1)
    run("dpkg-buildpackage", "-us", "-uc", "-b", cwd=source, limit=1500,
        env=dict(os.environ, DEB_BUILD_OPTIONS=options,
                 DEB_BUILD_PROFILES=profile))
    packages = sorted(work.glob("*.deb"))
    files = [line.split(maxsplit=5)[5] for p in packages for line in
             run("dpkg-deb", "-c", p).stdout.splitlines()
             if not line.startswith("d")]
    assert len(files) == len(set(files)), "a file is in two packages"
    return packages


def lint(work):
    # who builds it writes an address of their own into it
    p = run("lintian", "--fail-on=error,warning", "--suppress-tags="
            "bogus-mail-host,bogus-mail-host-in-debian-changelog",
            *work.glob("*.changes"), check=False, limit=300)
    assert p.returncode == 0, p.stdout


def later_packages(work, packages):
    """the same with a higher version and a main.cf that is new"""
    (work / "later").mkdir()
    for package in packages:
        files = work / "later" / package.stem
        run("dpkg-deb", "-R", package, files)
        control = files / "DEBIAN/control"
        control.write_text(control.read_text().replace(
            "Version: 0.1.0\n", f"Version: {LATER}\n").replace(
            "(= 0.1.0)", f"(= {LATER})"))
        conf = files / "etc/barid"
        if conf.exists():
            with open(conf / "main.cf", "a") as f:
                f.write("\n# of the later version\n")
            with open(conf / "aliases", "a") as f:
                f.write("\n# of the later version\n")
        run("dpkg-deb", "-b", "--root-owner-group", files,
            work / "later" / package.name)
    return sorted((work / "later").glob("*.deb"))


def make_system(root):
    """a minimal Debian, in which nothing starts by itself"""
    run("debootstrap", "--variant=minbase", "bookworm", root, limit=900)
    hosts = "127.0.0.1 localhost %s\n::1 localhost\n" % HOST
    (root / "etc/hosts").write_text(hosts)
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    run("chroot", root, "apt-get", "update", "-q", limit=300)


def install(root, packages):
    """them, with what they depend on; barid-map-pcre comes later"""
    for package in packages:
        shutil.copy(package, root / "tmp")
    first = ["/tmp/" + p.name for p in packages if "pcre" not in p.name]
    run("chroot", root, "apt-get", "install", "-y", "-q",
        "--no-install-recommends", *first, "libpcre2-8-0", limit=600,
        env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"))


def check_files(root, work):
    """what systemd's own tools say, and no trace of the folder of the build"""
    unit = work / "barid.service"      # its programs are those in the root
    unit.write_text((root / "lib/systemd/system/barid.service").read_text()
                    .replace("/usr/sbin/", f"{root}/usr/sbin/"))
    said = run("systemd-analyze", "verify", "--man=no", unit).stdout
    assert "barid" not in said, said
    run("systemd-sysusers", f"--root={root}", "barid.conf")
    run("systemd-tmpfiles", f"--root={root}", "--create", "barid.conf")
    trace = str(work).encode()
    for path in [*(root / "usr/lib/barid").rglob("*"),
                 root / "usr/sbin/barid"]:
        if path.is_file() and not path.is_symlink():
            assert trace not in path.read_bytes(), path


COMPAT = """
mount -t proc proc /proc
/etc/init.d/barid start && barid status
barid domain add example.test
echo secret | barid account add alice@example.test --password-stdin
printf 'postmaster: root\nroot: alice@example.test\n' >/etc/aliases
newaliases
nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
printf 'To: postmaster\nSubject: one\n\nhi\n' | nobody /usr/sbin/sendmail -t -i
echo two | mail -s two root
printf 'Subject: stays\n\n' | sendmail -f alice@example.test x@nowhere.example
for i in $(seq 100); do
	log=$(cat /var/lib/barid/log/maillog)
	test "$(echo "$log" | grep -c 'status=sent (Saved')" = 2 &&
	    test "$(postqueue -j | grep -c x@nowhere)" = 1 && break
	sleep 0.1
done
echo "saved $(echo "$log" | grep -c 'to=<alice@example.test>, orig_to=.*Saved')"
nobody mailq | tail -n 1
postqueue -p | tail -n 1
echo "alias $(postmap -q root lmdb:/etc/aliases)"
/etc/init.d/barid stop
"""


def check_compat(base, work):
    """the package that is the host's mail transport agent: in another's
    place, which a program depends on"""
    packages = build_packages(work / "compat", "pkg.barid.compat-names")
    lint(work / "compat")
    root = work / "compat/root"
    run("cp", "-a", base, root, limit=300)
    quiet = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    apt = ("chroot", root, "apt-get", "install", "-y", "-q",
           "--no-install-recommends")
    try:
        run(*apt, "msmtp-mta", "bsd-mailx", limit=600, env=quiet)
        core = [p for p in packages if p.name.startswith("barid_")][0]
        shutil.copy(core, root / "tmp")
        run(*apt, "/tmp/" + core.name, limit=600, env=quiet)
        states = run("chroot", root, "dpkg-query", "-W", "-f",
                     "${Package} ${db:Status-Abbrev}\n", "barid",
                     "bsd-mailx", "msmtp-mta").stdout.split("\n")
        assert [x.strip() for x in states[:3]] == [
            "barid ii", "bsd-mailx ii", "msmtp-mta rc"], states
        assert "postmaster: root" in (root / "etc/aliases").read_text()
        (root / "usr/sbin/policy-rc.d").unlink()
        said = run("unshare", "--net", "--mount", "--pid", "--uts", "--ipc",
                   "--fork", "--kill-child", "sh", "-c",
                   "ip link set lo up; hostname $1; exec chroot $2 sh -c "
                   "\"$3\"", "sh", HOST, root, COMPAT, limit=120).stdout
        for line in ("saved 2", "-- 1 Kbytes in 1 Request.",
                     "alias alice@example.test"):
            assert line in said, said
        assert said.count("-- 1 Kbytes in 1 Request.") == 2, said
    finally:
        shutil.rmtree(root, ignore_errors=True)


def check_boot(root, work):
    """booted by systemd, in a copy: the suite is one of its services"""
    import boot_suite
    other = work / "booted"
    run("cp", "-a", root, other, limit=300)
    try:
        run("chroot", other, "apt-get", "install", "-y", "-q",
            "--no-install-recommends", "systemd-sysv", "python3-minimal",
            "libpython3-stdlib", "procps", limit=600,
            env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"))
        boot_suite.check(boot_suite.boot(other))
    finally:
        shutil.rmtree(other, ignore_errors=True)


def test_package(tmp_path):
    import pytest
    if not os.environ.get("BARID_LONG"):
        control = (TOP / "debian/control").read_text()
        assert {x.split()[1] for x in control.splitlines()
                if x.startswith("Package: ")} == NAMES
        return                  # the rest takes minutes
    assert os.geteuid() == 0, "needs root"
    for program, package in NEEDS.items():
        if shutil.which(program) is None:
            pytest.fail(f"{program} is missing: apt-get install {package}")
    root = tmp_path / "root"
    try:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            system = pool.submit(make_system, root)
            packages = build_packages(tmp_path)
            assert {p.name.split("_")[0] for p in packages} == NAMES
            linted = pool.submit(lint, tmp_path)
            later = later_packages(tmp_path, packages)
            system.result()
        linted.result()
        check_compat(root, tmp_path)
        install(root, packages)
        check_files(root, tmp_path)
        check_boot(root, tmp_path)
        (root / "tmp/later").mkdir()
        for package in later:
            shutil.copy(package, root / "tmp/later")
        for name in ("drill.so", "fulldisk.so"):
            run("make", "-s", "-C", BUILD, f"tests/system/helpers/{name}")
            shutil.copy(BUILD / "tests/system/helpers" / name, root / "tmp")
        print(run("unshare", "--net", "--mount", "--pid", "--uts", "--ipc",
                  "--fork", "--kill-child", sys.executable, __file__, root,
                  limit=400).stdout)
    finally:
        shutil.rmtree(root, ignore_errors=True)


# --- inside

class System:
    """the installed suite"""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.mails = 0
        run("mount", "-t", "proc", "proc", self.root / "proc")
        run("ip", "link", "set", "lo", "up")
        run("hostname", HOST)
        (self.root / "usr/sbin/policy-rc.d").unlink()
        self.tls = ssl.create_default_context(
            cafile=self.root / "etc/barid/tls/cert.pem")
        self.tls.check_hostname = False

    def sh(self, script, **how):
        return run("chroot", self.root, "sh", "-c", script, **how)

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
        self.mails += 1

    def check_mails(self, port=143):
        """all that were sent are there"""
        m = self.imap(port)
        for _ in range(100):
            m.select("INBOX")
            found = m.search(None, "ALL")[1][0].split()
            if len(found) >= self.mails:
                break
            time.sleep(0.1)
        assert len(found) == self.mails, (found, self.mails)
        m.logout()

    def processes(self):
        lines = self.barid("ps", "--json").stdout.splitlines()
        return [json.loads(line) for line in lines]

    def wait_ready(self):
        for _ in range(200):
            p = self.barid("status", check=False)
            if p.returncode == 0:
                return
            time.sleep(0.1)
        raise AssertionError(p.stdout)


def check_processes(system):
    """nobody but master is root, and the kernel confines all others"""
    rows = system.processes()
    assert len(rows) >= 8, rows
    for row in rows:
        if row["daemon"] == "master":
            continue
        assert row["user"].startswith("barid-"), row
        assert row["no_new_privs"] in (True, "1", 1), row
        assert str(row["seccomp"]) == "2", row
    system.step("barid ps")


def check_mail(system):
    system.barid("domain", "add", "example.test")
    system.barid("account", "add", "alice@example.test", "--password-stdin",
                 input="secret\n")
    system.step("domain and account made")
    system.swaks("--port", "25", "--from", "bob@elsewhere.example")
    system.step("swaks to port 25")
    login = ("--auth", "PLAIN", "--auth-user", "alice@example.test",
             "--auth-password", "secret")
    system.swaks("--port", "587", "--tls", *login)
    system.step("swaks to port 587 with TLS and a login")
    system.swaks("--port", "465", "--tls-on-connect", *login)
    system.step("swaks to port 465")
    p = run("swaks", "--server", "127.0.0.1:587", "--to", "a@example.test",
            "--from", "a@example.test", "--tls", check=False)
    assert "530" in p.stdout, p.stdout
    system.step("no submission without a login")
    system.check_mails(143)
    system.check_mails(993)
    system.step("IMAP on 143 and 993")


def check_sendmail(system):
    """a user of the system, who is nobody to Barid, submits"""
    nobody = ["chroot", "--userspec=65534:65534", system.root]
    compat = "/usr/lib/barid/compat/"
    run(*nobody, compat + "sendmail", "alice@example.test",
        input="Subject: from a user\n\nHello\n")
    system.mails += 1
    system.check_mails()
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
        assert len(m.search(None, "ALL")[1][0].split()) == system.mails
        time.sleep(0.5)
    system.check_mails(993)
    m.logout()
    system.step("a reload keeps an open session")


def check_modules(system):
    """a type whose module is missing names its package; once it is there,
    mapd uses it without a restart"""
    system.sh("echo 'any alice@example.test' >/etc/barid/t; "
              "echo '/^z/ alice@example.test' >/etc/barid/p; "
              "/usr/lib/barid/compat/postmap hash:/etc/barid/t")
    said = system.barid("map", "query", "hash:/etc/barid/t", "any").stdout
    assert "alice@example.test" in said
    p = system.barid("map", "query", "pcre:/etc/barid/p", "z", check=False)
    assert "apt-get install barid-map-pcre" in p.stdout, p.stdout
    types = system.sh("/usr/lib/barid/compat/postconf -m").stdout.split()
    assert "hash" in types and "pcre" not in types
    system.step("a missing type of tables names its package")

    system.barid("conf", "set", "virtual_alias_maps="
                 "hash:/etc/barid/t, pcre:/etc/barid/p")
    p = system.barid("check", check=False)
    assert p.returncode != 0 and "barid-map-pcre" in p.stdout, p.stdout
    master = system.processes()[0]["pid"]
    m = system.imap(143)
    system.sh("dpkg -i /tmp/barid-map-pcre_*.deb")
    time.sleep(1)
    system.wait_ready()
    system.swaks("--port", "25", "--to", "zoe@example.test")
    system.check_mails()
    assert system.barid("check", check=False).returncode == 0
    assert system.processes()[0]["pid"] == master
    assert m.noop()[0] == "OK"
    m.logout()
    system.step("an installed module is used at once; sessions stay")


def check_log(system):
    """logrotate's way: rename, then reload"""
    log = system.root / "var/lib/barid/log/maillog"
    system.sh("test ! -e /etc/logrotate.d/barid || "
              "mv /var/lib/barid/log/maillog /var/lib/barid/log/maillog.1")
    system.barid("reload")
    system.wait_ready()
    system.swaks("--port", "25")
    system.check_mails()
    for _ in range(100):
        if log.exists() and log.read_text():
            break
        time.sleep(0.1)
    assert log.read_text()
    system.step("a log that was renamed is begun anew")


def check_upgrade(system):
    """while it runs: what the admin wrote stays, also what is queued"""
    main = system.root / "etc/barid/main.cf"
    main.write_text(main.read_text() + "# the admin's\n")
    before = {row["pid"] for row in system.processes()}
    system.sh("/usr/lib/barid/compat/sendmail -f alice@example.test "
              "x@nowhere.example", input="Subject: waits\n\n")
    for _ in range(100):
        listed = system.sh("/usr/lib/barid/compat/postqueue -j").stdout
        if "x@nowhere.example" in listed:
            break
        time.sleep(0.1)
    queued = json.loads(listed.splitlines()[0])["queue_id"]
    system.sh("DEBIAN_FRONTEND=noninteractive dpkg --force-confold -i "
              "/tmp/later/*.deb", limit=120)
    version = system.sh("dpkg-query -W -f '${Version}' barid").stdout
    assert version == LATER
    system.wait_ready()
    assert before.isdisjoint(row["pid"] for row in system.processes())
    assert main.read_text().endswith("# the admin's\n")
    aliases = (system.root / "etc/barid/aliases").read_text()
    assert "# of the later version" in aliases
    assert (system.root / "etc/barid/main.cf.dpkg-dist").exists()
    listed = system.sh("/usr/lib/barid/compat/postqueue -j").stdout
    assert queued in listed, listed
    system.barid("queue", "delete", queued)
    system.swaks("--port", "25", "--to", "zoe@example.test")
    system.check_mails(993)
    system.step("an upgrade goes on with configuration, queue and mail")


def check_drill(system):
    """hostile code in the installed daemons' places"""
    import drill_test as drill
    main = system.root / "etc/barid/main.cf"
    text = main.read_text()
    main.write_text(text + "maximal_queue_lifetime = 0s\n"
                    "bounce_queue_lifetime = 0s\n")
    place = system.root / "tmp/place"
    place.mkdir(mode=0o777)
    place.chmod(0o777)
    for name in ("secret", "key"):
        (place / name).write_text("x")
    unix, tcp = socket.socket(socket.AF_UNIX), socket.socket()
    unix.bind(str(place / "socket"))
    unix.listen(100)
    (place / "socket").chmod(0o777)
    tcp.bind(("127.0.0.1", 0))
    tcp.listen(1000)
    told = os.open(system.root / "tmp/told", os.O_RDWR | os.O_CREAT |
                   os.O_APPEND, 0o600)
    fd = fcntl.fcntl(told, fcntl.F_DUPFD, 1000)
    master = subprocess.Popen(
        ["chroot", system.root, "env", "LD_PRELOAD=/tmp/drill.so",
         f"DRILL_FD={fd}", "DRILL_PLACE=/tmp/place", "DRILL_DELAY=3",
         f"DRILL_PORT={tcp.getsockname()[1]}", "/usr/lib/barid/master",
         "-c", "/etc/barid"], pass_fds=[fd])
    found = {}
    try:
        system.wait_ready()
        end = time.monotonic() + 40
        while time.monotonic() < end:
            system.swaks("--port", "25")
            system.sh("/usr/lib/barid/compat/sendmail -f alice@example.test "
                      "alice@example.test x@relay.example",
                      input="Subject: d\n\n")
            with smtplib.SMTP("127.0.0.1", 587, timeout=10) as c:
                c.starttls()
            system.imap(143).logout()
            for line in open(system.root / "tmp/told"):
                if line.endswith("\n"):
                    name, _, what, could = line.split()
                    tried = found.setdefault(name, {})
                    what = what.split(":")[0]
                    tried[what] = tried.get(what, False) or could == "yes"
            if drill.DAEMONS <= {n for n in found if "done" in found[n]}:
                break
    finally:
        system.barid("stop", check=False)
        master.wait(timeout=30)
        main.write_text(text)
        for held in (unix, tcp):
            held.close()
        os.close(told)
        os.close(fd)
    print(drill.table(found))
    missing = drill.DAEMONS - {n for n in found if "done" in found[n]}
    assert not missing, missing
    beyond = {(n, a) for n, tried in found.items() for a, could in
              tried.items() if could and a not in drill.MAY.get(n, ())
              and a not in ("done", "write-to-file", "hold-a-folder")}
    assert not beyond, sorted(beyond)
    system.step("the drill")


def check_full_disk(system):
    """an account's first mail comes when the disk is full; and again"""
    room = system.root / "tmp/room"
    room.write_bytes(struct.pack("=q", -1))
    room.chmod(0o666)
    system.barid("account", "add", "carl@example.test", "--password-stdin",
                 input="secret\n")
    system.barid("stop")
    master = subprocess.Popen(
        ["chroot", system.root, "env", "LD_PRELOAD=/tmp/fulldisk.so",
         "FULLDISK=/tmp/room", "/usr/lib/barid/master", "-c", "/etc/barid"])
    try:
        system.wait_ready()
        taken = 0                       # slots that are there have room
        for left in (0, 4096, 20000, -1):
            with open(room, "r+b") as f:
                f.write(struct.pack("=q", left))
            p = run("swaks", "--server", "127.0.0.1", "--to",
                    "carl@example.test", "--from", "alice@example.test",
                    "--timeout", "20", check=False)
            taken += p.returncode == 0
            assert p.returncode == 0 or left >= 0 and re.search(
                r"<\*\* 45[0-2] ", p.stdout), p.stdout
        system.barid("queue", "flush")
        m = imaplib.IMAP4_SSL("127.0.0.1", 993, timeout=20,
                              ssl_context=system.tls)
        m.login("carl@example.test", "secret")
        for _ in range(200):
            found = int(m.select("INBOX")[1][0])
            if found >= taken:
                break
            time.sleep(0.1)
        assert found == taken, (found, taken)
        m.logout()
    finally:
        system.barid("stop", check=False)
        master.wait(timeout=30)
    system.barid("start")
    system.step("a full disk refuses mail, and is forgotten when it is none")


def check_stop(system):
    system.barid("stop")
    for port in (25, 143, 465, 587, 993):
        with socket.socket() as s:
            assert s.connect_ex(("127.0.0.1", port)) != 0, port
    system.step("stopped")
    system.sh("/etc/init.d/barid start && /etc/init.d/barid status")
    system.check_mails(993)
    system.sh("/etc/init.d/barid reload && /etc/init.d/barid restart")
    system.check_mails(993)
    system.sh("/etc/init.d/barid stop; ! /etc/init.d/barid status")
    system.step("started, reloaded, restarted and stopped by the init script")


def check_removal(system):
    """removal stops it and keeps all, also from a new installation; after
    a purge there is no configuration, but mail"""
    system.sh("/etc/init.d/barid start")
    for _ in range(100):        # the drill's reports have come
        said = system.sh("/usr/lib/barid/compat/mailq").stdout
        if "queue is empty" in said:
            break
        time.sleep(0.1)
    m = system.imap(143)
    before, system.mails = system.mails, int(m.select("INBOX")[1][0])
    assert system.mails >= before
    m.logout()
    system.sh("apt-get remove -y -q barid barid-map-bdb barid-map-pcre")
    with socket.socket() as s:
        assert s.connect_ex(("127.0.0.1", 25)) != 0
    assert not (system.root / "usr/sbin/barid").exists()
    assert (system.root / "etc/barid/main.cf").exists()
    system.sh("dpkg -i /tmp/later/*.deb && /etc/init.d/barid start", limit=120)
    system.wait_ready()
    system.check_mails()
    system.step("removed and installed again: mail is there")
    system.sh("apt-get purge -y -q barid barid-map-bdb barid-map-pcre "
              "barid-doc")
    left = [str(p) for p in (system.root / "etc").rglob("*barid*")
            if "/rc" not in str(p) and p.name not in ("t", "p")]
    assert left in ([], [str(system.root / "etc/barid")]), left
    assert not (system.root / "etc/barid/main.cf").exists()
    assert not (system.root / "etc/barid/tls").exists()
    assert any((system.root / "var/lib/barid/store").rglob("meta.mdb"))
    assert (system.root / "var/lib/barid/auth").exists()
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
        second = system.barid("check", check=False)
        assert second.returncode == 0, second.stdout
        check_sendmail(system)
        check_reload(system)
        check_modules(system)
        check_log(system)
        check_upgrade(system)
        check_full_disk(system)
        check_stop(system)
        check_drill(system)
        check_removal(system)
    except BaseException:
        for log in system.root.glob("var/lib/barid/log/*"):
            print(log.read_text(errors="replace")[-10000:])
        print(system.barid("ps", check=False).stdout)
        raise


if __name__ == "__main__":
    main(sys.argv[1])
