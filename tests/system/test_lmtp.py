# SPDX-License-Identifier: ISC
"""LMTP in both directions, and who writes the lines of deliveries."""
import re

from conftest import message, token, wait_for


def result_line(s, rcpt, subject_id=None):
    """the line of the log that says what became of a recipient"""
    return wait_for(lambda: re.findall(
        r" (\S+)\[\d+\]: (\S+: to=<%s>.*)" % re.escape(rcpt), s.maillog()))


def test_agents_log_their_results(make_suite):
    """each under its own name, once for each recipient"""
    s = make_suite("--set", "transport_maps=inline:{ { gone.test = discard:}, "
                   "{ later.test = retry:4.3.2 not now } }",
                   accounts=["alice:secret"])
    s.send(message(token(), "hello\r\n", sender="alice@example.test"),
           ["alice@example.test", "x@gone.test", "x@later.test"],
           service="submission", login="alice:secret",
           sender="alice@example.test")
    for rcpt, program, words in (
            ("alice@example.test", "barid/lmtpd", "status=sent"),
            ("x@gone.test", "barid/discard", "status=sent"),
            ("x@later.test", "barid/error", "dsn=4.3.2, status=deferred (not now)")):
        lines = result_line(s, rcpt)
        assert len(lines) == 1
        assert lines[0][0] == program, lines
        assert words in lines[0][1]
        assert re.search(r"delay=[\d.]+, delays=[\d.]+/[\d.]+/[\d.]+/[\d.]+, "
                         r"dsn=\d\.\d\.\d, status=", lines[0][1])
