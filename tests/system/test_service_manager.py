# SPDX-License-Identifier: ISC
"""What a service manager hears at the socket that NOTIFY_SOCKET names. That
systemd itself starts, reloads and ends the suite by it is part of
package_test."""
import json
import os
import pathlib
import signal
import socket
import time

import pytest

from conftest import Suite


class Manager:
    """its socket, and what came there"""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(name.replace("@", "\0", 1))
        self.socket.settimeout(20)
        self.heard = []

    def wait(self, line):
        """the lines of the next message that has that line"""
        while True:
            lines = self.socket.recv(8192).decode().splitlines()
            self.heard.append(lines)
            if line in lines:
                return lines


def pid_of(suite, daemon):
    rows = [json.loads(x) for x in
            suite.barid("ps", "--json").stdout.splitlines()]
    return [row["pid"] for row in rows if row["daemon"] == daemon][0]


@pytest.mark.parametrize("name", ["path", "@barid-manager-%d" % os.getpid()])
def test_states(tmp_path, monkeypatch, name):
    if name == "path":
        name = str(tmp_path / "notify")
    manager = Manager(name)
    os.chmod(tmp_path, 0o755)
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    suite = Suite(accounts=["alice:secret"])
    try:
        assert "STATUS=all services are ready" in manager.wait("READY=1")

        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        assert suite.barid("reload").returncode == 0
        lines = dict(x.split("=", 1) for x in manager.wait("RELOADING=1"))
        after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        assert before <= int(lines["MONOTONIC_USEC"]) <= after
        assert "STATUS=all services are ready" in manager.wait("READY=1")

        master = pid_of(suite, "master")
        main = pathlib.Path(suite.config, "main.cf")
        text = main.read_text()
        main.write_text(text + "no_such_parameter_at_all\n")
        os.kill(master, signal.SIGHUP)
        manager.wait("RELOADING=1")
        status = manager.wait("READY=1")
        assert [x for x in status if "was not reloaded" in x], status
        main.write_text(text)
        assert suite.barid("reload").returncode == 0
        manager.wait("RELOADING=1")
        assert "STATUS=all services are ready" in manager.wait("READY=1")

        suite.stop()
        lines = dict(x.split("=", 1) for x in manager.wait("STOPPING=1"))
        assert int(lines["EXTEND_TIMEOUT_USEC"]) > 4000000
    finally:
        suite.close()
        manager.socket.close()


def test_failing_service(tmp_path, monkeypatch):
    """a service that dies and comes back is told of"""
    manager = Manager(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    suite = Suite(accounts=["alice:secret"])
    try:
        manager.wait("READY=1")
        os.kill(pid_of(suite, "qmgr"), signal.SIGKILL)
        heard = manager.wait("STATUS=all services are ready")
        assert "READY=1" not in heard       # it was, all the time
        assert [x for lines in manager.heard for x in lines
                if x.startswith("STATUS=") and "qmgr" in x], manager.heard
    finally:
        suite.close()
        manager.socket.close()


def test_nobody_listens(monkeypatch):
    """a socket that is none is told of in the log; the suite runs"""
    monkeypatch.setenv("NOTIFY_SOCKET", "/nonexistent/notify")
    suite = Suite(accounts=["alice:secret"])
    try:
        assert "cannot tell the service manager at /nonexistent/notify" \
            in suite.log()
    finally:
        suite.close()
