# SPDX-License-Identifier: ISC
"""LMTP in both directions, and who writes the lines of deliveries."""
import os
import pathlib
import re
import socketserver
import tempfile
import threading

import pytest

from conftest import message, token, wait_for


def result_line(s, rcpt):
    """the line of the log that says what became of a recipient"""
    return wait_for(lambda: re.findall(
        r" (\S+)\[\d+\]: (\S+: to=<%s>.*)" % re.escape(rcpt), s.maillog()))


DELAYS = (r"delay=[\d.]+, delays=[\d.]+/[\d.]+/[\d.]+/[\d.]+, "
          r"dsn=\d\.\d\.\d, status=")


def test_agents_log_their_results(make_suite):
    """each under its own name, once for each recipient; those that nobody
    was asked for as error, as in Postfix"""
    s = make_suite("--set", "transport_maps=inline:{ { gone.test = discard:} "
                   "}", "--set", "relayhost=[127.0.0.1]:1",
                   accounts=["alice:secret"])
    submit(s, ["alice@example.test", "x@gone.test", "x@away.test"])
    for rcpt, program, words in (
            ("alice@example.test", "barid/lmtpd", "status=sent"),
            ("x@gone.test", "barid/discard", "status=sent"),
            ("x@away.test", "barid/smtp", "status=deferred (connect to")):
        lines = result_line(s, rcpt)
        assert len(lines) == 1
        assert lines[0][0] == program, lines
        assert words in lines[0][1]
        assert re.search(DELAYS, lines[0][1])

    def suspended():
        submit(s, ["y@away.test"])
        return [l for l in result_line(s, "y@away.test")
                if "delivery temporarily suspended: connect to" in l[1]]
    assert wait_for(suspended)[0][0] == "barid/error"


class LmtpServer:
    """an LMTP server on a Unix socket; answers of recipients are scripted:
    address -> (reply to RCPT or None, reply behind the content)"""

    def __init__(self, path, script=None):
        self.script = script or {}
        self.letters = []
        server = self

        class Handler(socketserver.StreamRequestHandler):
            def say(self, text):
                self.wfile.write(text.encode() + b"\r\n")

            def content(self, rcpts):
                data, line = b"", self.rfile.readline()
                while line and line != b".\r\n":
                    data += line
                    line = self.rfile.readline()
                taken = []
                for rcpt in rcpts:
                    text = server.script.get(rcpt, (None, None))[1] or \
                        "250 2.0.0 <%s> Saved" % rcpt
                    if text[0] == "2":
                        taken.append(rcpt)
                    self.say(text)
                server.letters.append((taken, data))

            def handle(self):
                rcpts = []
                self.say("220 store.test LMTP")
                for line in self.rfile:
                    line = line.decode().strip()
                    word = line.upper()[:4]
                    if word == "LHLO":
                        self.say("250-store.test\r\n250-PIPELINING\r\n"
                                 "250-ENHANCEDSTATUSCODES\r\n250 8BITMIME")
                    elif word == "RCPT":
                        rcpt = line[line.index("<") + 1:line.index(">")]
                        text = server.script.get(rcpt, (None, None))[0] or \
                            "250 2.1.5 OK"
                        if text[0] == "2":
                            rcpts.append(rcpt)
                        self.say(text)
                    elif word == "DATA":
                        if not rcpts:
                            self.say("503 5.5.1 No recipients")
                            continue
                        self.say("354 OK")
                        self.content(rcpts)
                    elif word == "QUIT":
                        self.say("221 2.0.0 Bye")
                        return
                    else:
                        if word in ("MAIL", "RSET"):
                            rcpts = []
                        self.say("250 2.0.0 OK")

        class Server(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True
        self.server = Server(str(path), Handler)
        os.chmod(path, 0o666)
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def submit(s, rcpts, subject=None):
    s.send(message(subject, "hello\r\n", sender="alice@example.test"), rcpts,
           service="submission", login="alice:secret",
           sender="alice@example.test")


@pytest.fixture
def folder():
    """a short path that every user may search"""
    with tempfile.TemporaryDirectory(prefix="lmtp-") as path:
        os.chmod(path, 0o755)
        yield pathlib.Path(path)


def test_client_unix_socket(make_suite, folder):
    """each recipient gets its own answer, and its own line in the log"""
    server = LmtpServer(folder / "lmtp", {
        "never@store.test": (None, "550 5.7.1 <never@store.test> no"),
        "later@store.test": (None, "451 4.2.0 <later@store.test> busy"),
        "nobody@store.test": ("550 5.1.1 <nobody@store.test> who?", None)})
    path = "unix:%s" % (folder / "lmtp")
    s = make_suite("--set", "transport_maps=inline:{ { store.test = lmtp:%s "
                   "} }" % path, accounts=["alice:secret"])
    subject = token()
    submit(s, ["ok@store.test", "never@store.test", "later@store.test",
               "nobody@store.test"], subject)
    for rcpt, words in (("ok", "dsn=2.0.0, status=sent (250 2.0.0"),
                        ("never", "dsn=5.7.1, status=bounced (host "),
                        ("later", "dsn=4.2.0, status=deferred (host "),
                        ("nobody", "dsn=5.1.1, status=bounced (host ")):
        program, line = result_line(s, rcpt + "@store.test")[0]
        assert program == "barid/lmtp"
        assert words in line
        assert "relay=mail.example.test[%s]" % (folder / "lmtp") in line
    taken, data = server.letters[0]
    assert taken == ["ok@store.test"] and subject.encode() in data
    report = s.wait_message("Final-Recipient: rfc822; never@store.test")
    assert b"nobody@store.test" in report and b"later@" not in report
    server.close()


def test_client_unix_socket_not_named(make_suite, folder):
    """only what the configuration names is opened for the client"""
    server = LmtpServer(folder / "lmtp")
    maps = folder / "transport"
    maps.write_text("store.test lmtp:unix:%s\n"
                    "other.test lmtp:unix:%s/../%s/lmtp\n" %
                    (folder / "lmtp", folder, folder.name))
    s = make_suite("--set", "transport_maps=texthash:%s" % maps,
                   accounts=["alice:secret"])
    submit(s, ["x@store.test"])
    line = result_line(s, "x@store.test")[0][1]
    assert "Operation not permitted (lmtp_unix_paths does not name it)" in line
    assert "status=deferred" in line
    assert "asked for the socket %s" % (folder / "lmtp") in s.maillog()
    assert not server.letters
    s.close()
    s = make_suite("--set", "transport_maps=texthash:%s" % maps, "--set",
                   "lmtp_unix_paths=%s/" % folder, accounts=["alice:secret"])
    submit(s, ["x@store.test"])
    assert "status=sent" in result_line(s, "x@store.test")[0][1]
    submit(s, ["x@other.test"])
    assert "not permitted" in result_line(s, "x@other.test")[0][1]
    server.close()


def test_client_unix_socket_below_queue(make_suite, folder):
    """as Postfix has it: relative to queue_directory; one that is not there
    defers"""
    s = make_suite("--set", "transport_maps=inline:{ { store.test = "
                   "lmtp:unix:private/dovecot-lmtp } }",
                   "--set", "minimal_backoff_time=1s", "--set",
                   "maximal_backoff_time=2s", "--set", "queue_run_delay=1s",
                   accounts=["alice:secret"])
    submit(s, ["x@store.test"])
    line = result_line(s, "x@store.test")[0][1]
    assert "No such file or directory" in line and "status=deferred" in line
    server = LmtpServer(pathlib.Path(
        s.directory, "s/queue/private/dovecot-lmtp"))
    wait_for(lambda: server.letters)
    server.close()
