# SPDX-License-Identifier: ISC
"""An installed suite as systemd runs it: a copy of the system is booted in a
container that has no network but its loopback, and a unit of the test's own
says in it what systemctl, barid and the journal have to say. For
package_test."""
import json
import pathlib
import re
import subprocess

UNIT = """[Unit]
Description=what the suite is asked
After=barid.service
[Service]
Type=oneshot
Environment=LC_ALL=C SYSTEMD_COLORS=0
StandardOutput=append:/boot-test.out
StandardError=inherit
ExecStart=/bin/sh /boot-test.sh
ExecStopPost=/bin/systemctl --no-block poweroff
[Install]
WantedBy=multi-user.target
"""

# each step says what it found; "have" is what the test looks for
SCRIPT = r"""
step() { echo "== $*"; }
have() { systemctl show -p "$1" --value barid; }
states() {
	step "$1 $(have Type) $(have ActiveState) $(have SubState)" \
	    "$(have Result)"
	have StatusText
}
master() { have MainPID; }
banner() { timeout 10 python3 -c '
import socket
s = socket.create_connection(("127.0.0.1", 25), 5)
print(s.recv(100).decode().split()[0])'; }
step boot; systemctl list-units --failed --no-legend --plain barid.service
states booted; banner; barid status
barid ps --json >/boot-test.ps
first=$(master)
test "$first" = "$(cat /var/spool/barid/master.pid)" && step main pid
systemctl reload barid; step "reload $?"; states reloaded; banner
test "$first" = "$(master)" && step same pid
kill -HUP "$first"; sleep 1; states hup
cp /etc/barid/main.cf /main.cf; echo broken >>/etc/barid/main.cf
systemctl reload barid; step "broken reload $?"; states broken; banner
kill -HUP "$first"; sleep 1; states broken-hup
cp /main.cf /etc/barid/main.cf; systemctl reload barid; states mended
kill -9 "$first"; sleep 3; states killed
test "$first" != "$(master)" && step other pid; banner
pgrep -f '^/usr/lib/barid/master' | wc -l
systemctl restart barid; step "restart $?"; states restarted; banner
begin=$(date +%s%N); systemctl stop barid; step "stop $?"
echo "ms $(( ($(date +%s%N) - begin) / 1000000 ))"
states stopped; pgrep -f /usr/lib/barid/ | wc -l
systemctl start barid; step "start $?"; states started; banner
step journal; journalctl -b -u barid -o cat --no-pager
step log; tail -n 300 /var/lib/barid/log/maillog
"""


def prepare(root):
    """the copy, with the unit that asks"""
    (root / "etc/systemd/system/boot-test.service").write_text(UNIT)
    (root / "boot-test.sh").write_text(SCRIPT)
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(exist_ok=True)
    (wants / "boot-test.service").symlink_to(
        "/etc/systemd/system/boot-test.service")
    (root / "usr/sbin/policy-rc.d").unlink(missing_ok=True)


def boot(root, limit=240):
    """boots that system, which ends by itself; what was found, by step"""
    root = pathlib.Path(root)
    prepare(root)
    p = subprocess.run(
        ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit",
         "--private-network", "--directory", root, "--boot",
         "--console=pipe"], text=True, timeout=limit,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, errors="replace")
    out = root / "boot-test.out"
    assert out.exists(), "not booted: " + p.stdout[-5000:]
    found, name = {}, None
    for line in out.read_text(errors="replace").splitlines():
        if line.startswith("== "):
            name = line[3:]
            found[name] = []
        elif name:
            found[name].append(line)
    found["ps"] = [json.loads(x) for x in
                   (root / "boot-test.ps").read_text().splitlines()]
    return found


READY = "all services are ready"


def check(found):
    """what systemd must say of it"""
    def of(step, state, *first):
        key = [k for k in found if k.startswith(step + " notify ")]
        assert key == ["%s notify %s" % (step, state)], (step, key, found)
        assert [re.split(r"[;-]", x)[0].strip() for x in
                found[key[0]][:len(first)]] == list(first), (step, found)

    assert found["boot"] == [], found
    of("booted", "active running success", READY, "220")
    assert found["booted notify active running success"][2:] == [
        "the suite is running; all services are ready"], found
    assert len(found["ps"]) >= 8, found["ps"]
    for row in found["ps"]:         # the unit's own limits take nothing away
        assert row["daemon"] == "master" or (
            row["user"].startswith("barid-") and str(row["seccomp"]) == "2" and
            row["no_new_privs"] in (True, "1", 1)), row
    assert "main pid" in found and "same pid" in found, found
    assert "reload 0" in found, found
    of("reloaded", "active running success", READY, "220")
    of("hup", "active running success", READY)
    assert "broken reload 1" in found, found
    of("broken", "active running success", READY, "220")
    of("broken-hup", "active running success", READY)
    of("mended", "active running success", READY)
    of("killed", "active running success", READY)
    assert found["other pid"][:2] == ["220", "1"], found["other pid"]
    assert "restart 0" in found, found
    of("restarted", "active running success", READY, "220")
    assert int(found["stop 0"][0].split()[1]) < 8000, found["stop 0"]
    of("stopped", "inactive dead success")
    assert found["stopped notify inactive dead success"][-1] == "0", found
    assert "start 0" in found, found
    of("started", "active running success", READY, "220")
