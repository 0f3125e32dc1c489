# SPDX-License-Identifier: ISC
"""Only CRLF.CRLF ends a message, whatever stands in it."""
import pytest

from conftest import token
from test_smtp import Raw, envelope

ENDS = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r",
        b"\n.\r", b"\r.\n", b"\r\n\0.\r\n", b"\r\n.\0\r\n"]


@pytest.mark.parametrize("end", ENDS, ids=[repr(e)[2:-1] for e in ENDS])
def test_second_message_is_text(suite, end):
    first, second = token(), token()
    raw = Raw(suite.port("smtp"))
    envelope(raw)
    assert raw.say("DATA")[0] == 354
    code, text = raw.say(
        b"Subject: " + first.encode() + b"\r\n\r\nbody" + end +
        b"MAIL FROM:<evil@other.test>\r\nRCPT TO:<bob@example.test>\r\n"
        b"DATA\r\nSubject: " + second.encode() + b"\r\n\r\nsmuggled\r\n.\r\n")
    # one answer to all of it: taken as one message, or refused as a whole
    assert code in (250, 550, 554, 451), text
    assert raw.say("NOOP")[0] == 250
    raw.close()
    assert not any(second.encode() in m
                   for m in suite.messages("bob:hunter:2"))
    if code == 250:
        assert second.encode() in suite.wait_message(first)
