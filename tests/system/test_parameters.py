# SPDX-License-Identifier: ISC
"""Parameters that nothing else shows to have an effect."""
import re

from conftest import message, token, wait_for


def test_tls_in_received(make_suite):
    s = make_suite("--set", "smtpd_tls_received_header=yes",
                   accounts=("alice:secret",))
    subject = token()
    s.send(message(subject), starttls=True)
    text = re.sub(r"\s+", " ", s.wait_message(subject).decode())
    assert re.search(r"Received: from client\.test \(\S+ \[127\.0\.0\.1\]\) "
                     r"\(using TLSv1\.3 with cipher \w+ \(\d+/\d+ bits\)",
                     text), text
    subject = token()
    s.send(message(subject))
    assert b"using TLS" not in s.wait_message(subject)


def test_deferred_transports(make_suite):
    s = make_suite("--set", "defer_transports=store",
                   accounts=("alice:secret",))
    s.send(message())
    wait_for(lambda: "dsn=4.3.2, status=deferred (deferred transport)"
             in s.maillog())
    assert s.messages() == []
    assert "deferred transport" in s.run("postqueue", "-p").stdout


def test_mail_without_helo(make_suite):
    for value, code in ("no", 250), ("yes", 503):
        s = make_suite("--set", "smtpd_helo_required=" + value)
        with s.smtp() as c:
            c.rset()
            c.close()
            c.connect("127.0.0.1", s.port("smtp"))
            assert c.docmd("MAIL FROM:<a@b.test>")[0] == code


def test_check_tells_what_is_not_rewritten(make_suite):
    s = make_suite("--set", "masquerade_domains=example.test")
    assert "header fields stay as they are" in s.barid("check").stdout
