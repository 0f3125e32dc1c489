# SPDX-License-Identifier: ISC
"""A reload: who comes after it is served by the new configuration, whoever
came before it stays."""
import socket
import threading
import time

import pytest

from conftest import Suite, message, token, wait_for


@pytest.fixture
def alone():
    s = Suite("--set", "mynetworks=127.0.0.0/8", "--set",
              "minimal_backoff_time=1h", "--set", "transport_maps="
              "inline:{waits.example=smtp:[127.0.0.1]:9}",
              accounts=["alice:secret"])
    yield s
    s.close()


def change(suite, **settings):
    for name, value in settings.items():
        assert suite.barid("conf", "set", "%s=%s" % (name, value)) \
            .returncode == 0
    assert suite.barid("reload").returncode == 0


def test_new_sessions_have_new_tables(alone):
    """an open session keeps the old table lookups, and only it has them"""
    with alone.smtp() as old:
        old.mail("a@other.test")
        assert old.rcpt("team@example.test")[0] == 550
        change(alone, virtual_alias_maps="inline:{"
               "team@example.test=alice@example.test}")
        for _ in range(3):
            with alone.smtp() as new:
                new.mail("a@other.test")
                assert new.rcpt("team@example.test")[0] == 250
        assert old.rcpt("alice@example.test")[0] == 250
        subject = token()
        assert old.data(message(subject))[0] == 250
    alone.wait_message(subject)


def test_the_queue_has_new_routes(alone):
    """qmgr goes on, and asks for routes anew"""
    alone.send(message(token()), ["x@waits.example"])
    wait_for(lambda: "connect to 127.0.0.1[127.0.0.1]:9: " in alone.maillog())
    change(alone, transport_maps="inline:{waits.example=smtp:[127.0.0.1]:10}")
    assert alone.barid("queue", "flush").returncode == 0
    wait_for(lambda: "connect to 127.0.0.1[127.0.0.1]:10: " in alone.maillog())


def test_again_and_again(alone):
    """no client meets the old processes' end"""
    for _ in range(40):
        with alone.smtp() as s:
            assert alone.barid("reload").returncode == 0
            assert s.noop()[0] == 250
        alone.send(message(token()))


class Sink:
    """an SMTP server that takes its time after the final dot"""

    def __init__(self, pause):
        self.pause, self.taken, self.greeted = pause, [], []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client = self.socket.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,),
                             daemon=True).start()

    def serve(self, client):
        with client, client.makefile("rwb", buffering=0) as f:
            f.write(b"220 sink\r\n")
            in_data = False
            for line in f:
                if in_data and line != b".\r\n":
                    continue
                if in_data:
                    self.taken.append(time.monotonic())
                    time.sleep(self.pause)
                if line.upper().startswith(b"EHLO "):
                    self.greeted.append(line.split()[1].decode())
                in_data = line.upper().startswith(b"DATA")
                try:
                    f.write(b"354 go on\r\n" if in_data else b"250 ok\r\n")
                except OSError:
                    return


def test_a_delivery_is_finished(alone):
    """one that the reload finds at work, by the process that began it"""
    sink = Sink(3)
    change(alone, transport_maps="inline:{waits.example=smtp:[127.0.0.1]:%d}" %
           sink.port, minimal_backoff_time="1s", queue_run_delay="1s")
    try:
        alone.send(message(token()), ["x@waits.example"])
        wait_for(lambda: sink.taken)
        assert alone.barid("reload").returncode == 0
        wait_for(lambda: "to=<x@waits.example>, relay=127.0.0.1[127.0.0.1]:%d"
                 % sink.port in alone.maillog())
        log = [x for x in alone.maillog().splitlines()
               if "to=<x@waits.example>" in x]
        assert len(log) == 1 and "status=sent" in log[0], log
        assert len(sink.taken) == 1
    finally:
        sink.socket.close()


def test_a_busy_agent_is_left(alone):
    """what is delivered after the reload is delivered by the configuration that
    came with it, though the process of the old one is at work yet"""
    sink = Sink(8)
    change(alone, smtp_helo_name="old.example",
           transport_maps="inline:{waits.example=smtp:[127.0.0.1]:%d, "
           "more.example=smtp:[127.0.0.1]:%d}" % (sink.port, sink.port))
    try:
        alone.send(message(token()), ["x@waits.example"])
        wait_for(lambda: sink.taken)
        change(alone, smtp_helo_name="new.example")
        alone.send(message(token()), ["y@more.example"])
        wait_for(lambda: len(sink.greeted) > 1, limit=6)
        assert sink.greeted == ["old.example", "new.example"]
        for who in "x@waits.example", "y@more.example":
            wait_for(lambda: any(
                "to=<%s>" % who in line and "status=sent" in line
                for line in alone.maillog().splitlines()))
        assert len(sink.taken) == 2
    finally:
        sink.socket.close()
