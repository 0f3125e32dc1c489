# SPDX-License-Identifier: ISC
"""Rewriting of envelope addresses: what a delivered message and the log say."""
import re

from conftest import message, token, wait_for

SUITE_OPTIONS = [
    "--set", "sender_canonical_maps=inline:{ {j.doe@corp.test=john@corp.test} }",
    "--set", "recipient_canonical_maps=inline:{ {chief@example.test="
             "alice@example.test} }",
    "--set", "canonical_maps=inline:{ {@old.test=@new.test} }",
    "--set", "recipient_delimiter=+",
    "--set", "masquerade_domains=masq.test",
    "--set", "masquerade_exceptions=root",
]


def sent(suite, sender, rcpt="alice@example.test", **how):
    """the sender of a message as the queue has it, and its recipient"""
    subject = token()
    suite.send(message(subject), [rcpt], sender=sender, **how)
    text = suite.wait_message(subject).decode()
    identity = re.search(r"Message-ID: <(\S+)>", text).group(1)

    def look():
        log = suite.maillog()
        queue_id = re.search(r"(\S+): message-id=<%s>" % re.escape(identity),
                             log)
        return queue_id and (
            re.search(r" %s: from=<(\S*)>," % queue_id.group(1), log),
            re.search(r" %s: to=<(\S*)>," % queue_id.group(1), log))
    found = wait_for(lambda: look() and all(look()) and look())
    return found[0].group(1), found[1].group(1)


def test_senders(suite):
    for given, becomes in [
            ("j.doe@corp.test", "john@corp.test"),
            ("j.doe+list@corp.test", "john+list@corp.test"),
            ("someone@old.test", "someone@new.test"),
            ("a@host.masq.test", "a@masq.test"),
            ("root@host.masq.test", "root@host.masq.test"),
            ("other@elsewhere.test", "other@elsewhere.test"),
            ("", "")]:
        assert sent(suite, given)[0] == becomes, given


def test_recipients(suite):
    assert sent(suite, "x@y.test", "chief@example.test")[1] == \
        "alice@example.test"
    assert sent(suite, "x@y.test", "chief+now@example.test")[1] == \
        "alice+now@example.test"
