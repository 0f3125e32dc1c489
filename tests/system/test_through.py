# SPDX-License-Identifier: ISC
"""Through mode: what the client hears, and what becomes of the rest."""
import json
import os
import re
import signal
import smtplib
import socketserver
import threading
import time

import pytest

from conftest import message, token, wait_for
from test_smtp import Raw


class Lmtp:
    """a next hop that speaks LMTP; local parts say what it answers at the end
    of the content: no... 550, later... 451, slow... after a pause"""

    def __init__(self):
        self.letters = []       # (sender, recipient, content), those taken
        self.tried = []         # recipients, at each try
        hop = self

        class Handler(socketserver.StreamRequestHandler):
            def say(self, text):
                self.wfile.write(text.encode() + b"\r\n")

            def result(self, sender, rcpt, content):
                hop.tried.append(rcpt)
                if rcpt.startswith("slow"):
                    time.sleep(4)
                if rcpt.startswith("no") or rcpt.startswith("slowno"):
                    return "550 5.7.1 %s wants no such mail" % rcpt
                if rcpt.startswith("later"):
                    return "451 4.2.0 %s not now" % rcpt
                hop.letters.append((sender, rcpt, content))
                return "250 2.1.5 ok"

            def handle(self):
                sender, rcpts = "", []
                self.say("220 hop.test LMTP")
                while True:
                    line = self.rfile.readline().decode().strip()
                    word = line.upper()[:4]
                    if not line or word == "QUIT":
                        return
                    if word == "LHLO":
                        self.say("250-hop.test\r\n250-PIPELINING\r\n"
                                 "250 ENHANCEDSTATUSCODES")
                    elif word == "DATA":
                        self.say("354 go on")
                        content, more = b"", self.rfile.readline()
                        while more not in (b".\r\n", b""):
                            content += more
                            more = self.rfile.readline()
                        for rcpt in rcpts:
                            self.say(self.result(sender, rcpt, content))
                        rcpts = []
                    else:
                        path = re.search(r"<([^>]*)>", line)
                        if word == "MAIL":
                            sender, rcpts = path.group(1), []
                        elif word == "RCPT":
                            rcpts.append(path.group(1))
                        self.say("250 2.0.0 ok")

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def find(self, needle):
        return [l for l in list(self.letters) if needle.encode() in l[2]]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def hop():
    h = Lmtp()
    yield h
    h.close()


def options(hop, *more):
    out = []
    for setting in (
            "transport_maps=inline:{ { hop.test = lmtp:[127.0.0.1]:%d } }"
            % hop.port,
            "relay_domains=hop.test",
            "virtual_alias_maps=inline:{ { both@example.test = "
            "alice@example.test, no-both@hop.test } }",
            "bounce_notice_recipient=bob@example.test",
            "minimal_backoff_time=1s", "maximal_backoff_time=2s",
            "queue_run_delay=1s", *more):
        out += ["--set", setting]
    return out


ACCOUNTS = ("alice:secret", "bob:hunter:2")


@pytest.fixture(scope="module")
def suite(hop):
    from conftest import Suite
    s = Suite(*options(hop), accounts=ACCOUNTS)
    yield s
    s.close()


@pytest.fixture
def raw(suite):
    r = Raw(suite.port("smtp"))
    yield r
    r.close()


def begin(raw, rcpts, sender="sender@other.test", parameters=""):
    """up to the content; the replies to RCPT"""
    assert raw.say("EHLO client.test")[0] == 250
    assert raw.say("MAIL FROM:<%s>%s" % (sender, parameters))[0] == 250
    said = [raw.say("RCPT TO:<%s>" % r) for r in rcpts]
    return said


def content(raw, text):
    assert raw.say("DATA")[0] == 354
    return raw.say(text.encode() + b".\r\n")


def queue(suite):
    out = suite.run("postqueue", "-j").stdout
    return [json.loads(line) for line in out.splitlines()]


def entry(suite, queue_id):
    found = [e for e in queue(suite) if e["queue_id"] == queue_id]
    return found[0] if found else None


def id_of(text):
    return text.split()[-1]


def on_hold(suite, queue_id):
    e = entry(suite, queue_id)
    return e and e["queue_name"] == "hold" and e


def notices(suite, queue_id):
    return [m for m in suite.messages("bob:hunter:2")
            if ("Mail on hold: " + queue_id).encode() in m]


def mixed(suite, raw, rcpts, **how):
    """a message with that fate; its queue id, as the client heard it"""
    subject = token()
    begin(raw, rcpts, **how)
    code, text = content(raw, message(subject))
    assert code == 250, text
    return subject, id_of(text)


def test_all_refused(hop, raw):
    begin(raw, ["no1@hop.test", "no2@hop.test"])
    code, text = content(raw, message())
    assert code == 550 and text.startswith("5.7.1"), text
    assert "wants no such mail" in text


def test_refused_copy_is_held(suite, hop, raw):
    """one copy delivered, one refused, and nobody to tell: the copy is on
    hold, the postmaster knows, once"""
    subject, queue_id = mixed(suite, raw,
                              ["alice@example.test", "no-a@hop.test"])
    suite.wait_message(subject, limit=2)
    e = wait_for(lambda: on_hold(suite, queue_id))
    assert [r["address"] for r in e["recipients"]] == ["no-a@hop.test"]
    assert "wants no such mail" in e["recipients"][0]["delay_reason"]
    assert hop.tried.count("no-a@hop.test") == 1
    notice = wait_for(lambda: notices(suite, queue_id))[0]
    assert b"Return-Path: <>" in notice
    assert b"Auto-Submitted: auto-generated" in notice
    assert b"no-a@hop.test wants no such mail" in notice
    assert b"<sender@other.test>" in notice
    assert ("barid queue release " + queue_id).encode() in notice
    assert subject.encode() in notice
    assert b"\r\nhello\r\n" not in notice       # the header alone
    listed = suite.barid("queue", "list").stdout
    assert "wants no such mail" in listed and queue_id in listed
    shown = suite.barid("queue", "show", queue_id)
    assert subject in shown.stdout
    assert "on hold" in shown.stderr
    assert "no-a@hop.test: " in shown.stderr
    assert "wants no such mail" in shown.stderr

    # released it is tried again; refused again it is held, without a word
    done = suite.barid("queue", "release", queue_id)
    assert done.returncode == 0, done.stderr
    wait_for(lambda: hop.tried.count("no-a@hop.test") == 2)
    wait_for(lambda: on_hold(suite, queue_id))
    time.sleep(1)
    assert len(notices(suite, queue_id)) == 1
    assert suite.barid("queue", "delete", queue_id).returncode == 0
    wait_for(lambda: not entry(suite, queue_id))
    assert len([m for m in suite.messages() if subject.encode() in m]) == 1


def test_others_do_not_wait_for_a_held_copy(suite, hop, raw):
    """what was deferred goes on while a copy is held"""
    subject, queue_id = mixed(suite, raw, ["no-b@hop.test", "later-b@hop.test"])
    wait_for(lambda: notices(suite, queue_id))
    wait_for(lambda: hop.tried.count("later-b@hop.test") >= 3)
    assert hop.tried.count("no-b@hop.test") == 1
    assert entry(suite, queue_id)["queue_name"] in ("deferred", "active")
    assert len(notices(suite, queue_id)) == 1
    suite.barid("queue", "delete", queue_id)


def test_next_qmgr_hears_at_once(make_suite, hop):
    """a cleanup without work tells the next qmgr which slots it holds"""
    s = make_suite(*options(hop), accounts=ACCOUNTS)
    with s.smtp(login="alice:secret", starttls=True) as c:
        c.sendmail("alice@example.test", ["bob@example.test"], message())
    found = [json.loads(line) for line in
             s.barid("ps", "--json").stdout.splitlines()]
    os.kill([p["pid"] for p in found if p["daemon"] == "qmgr"][0],
            signal.SIGKILL)
    wait_for(lambda: s.maillog().count("known messages") == 2, limit=7)
    assert "did not say which slots they hold" not in s.maillog()


def test_held_over_a_restart(make_suite, hop, tmp_path):
    tmp_path.chmod(0o755)
    how = {"accounts": ACCOUNTS, "directory": str(tmp_path)}
    s = make_suite(*options(hop), **how)
    raw = Raw(s.port("smtp"))
    _, queue_id = mixed(s, raw, ["alice@example.test", "no-r@hop.test"])
    wait_for(lambda: on_hold(s, queue_id))
    raw.close()
    s.close()
    s = make_suite(*options(hop), **how)
    assert "wants no such mail" in \
        on_hold(s, queue_id)["recipients"][0]["delay_reason"]
    assert hop.tried.count("no-r@hop.test") == 1


def test_notice_that_cannot_go_makes_none(make_suite, hop):
    s = make_suite(*options(hop, "bounce_notice_recipient=no-pm@hop.test"),
                   accounts=ACCOUNTS)
    raw = Raw(s.port("smtp"))
    _, queue_id = mixed(s, raw, ["alice@example.test", "no-n@hop.test"])
    wait_for(lambda: on_hold(s, queue_id))
    wait_for(lambda: hop.tried.count("no-pm@hop.test") == 1)
    time.sleep(2)
    assert hop.tried.count("no-pm@hop.test") == 1
    assert [e["queue_id"] for e in queue(s)] == [queue_id]
    raw.close()


def test_notice_that_cannot_be_made_comes_later(make_suite, hop, tmp_path):
    tmp_path.chmod(0o755)
    how = {"accounts": ACCOUNTS, "directory": str(tmp_path)}
    s = make_suite(*options(hop, "bounce_template_file=/nonexistent"), **how)
    raw = Raw(s.port("smtp"))
    _, queue_id = mixed(s, raw, ["alice@example.test", "no-g@hop.test"])
    wait_for(lambda: "no report could be made" in s.maillog())
    raw.close()
    s.close()
    s = make_suite(*options(hop), **how)
    wait_for(lambda: notices(s, queue_id))
    wait_for(lambda: on_hold(s, queue_id))
    assert hop.tried.count("no-g@hop.test") == 1


def test_report_that_cannot_be_made_is_no_hurry(make_suite, hop):
    """the recipient is not tried over and over for it"""
    s = make_suite(*options(hop, "bounce_template_file=/nonexistent",
                            "minimal_backoff_time=300s",
                            "maximal_backoff_time=400s"), accounts=ACCOUNTS)
    with s.smtp(login="alice:secret", starttls=True) as c:
        c.sendmail("alice@example.test", ["bob@example.test",
                                          "no-k@hop.test"], message())
    # until it is written the time is 0
    wait_for(lambda: [e for e in queue(s)
                      if e["next_attempt"] > time.time() + 200])
    time.sleep(1)
    assert hop.tried.count("no-k@hop.test") == 1


def test_null_sender_is_held(suite, hop, raw):
    """a report from outside has nobody to tell, and is not dropped"""
    _, queue_id = mixed(suite, raw, ["alice@example.test", "no-0@hop.test"],
                        sender="")
    wait_for(lambda: on_hold(suite, queue_id))
    wait_for(lambda: notices(suite, queue_id))


def test_no_backscatter_from_a_relay(suite, hop, raw):
    """mail of strangers for a domain that is relayed is no reason to write to
    its sender"""
    _, queue_id = mixed(suite, raw, ["ok-r@hop.test", "no-s@hop.test"],
                        sender="alice@example.test")
    wait_for(lambda: on_hold(suite, queue_id))
    assert not [m for m in suite.messages() if b"no-s@hop.test" in m]


def test_verified_sender_hears(suite, hop):
    """who logged in gets a report, and nothing is held"""
    subject = token()
    with suite.smtp(login="alice:secret", starttls=True) as s:
        assert s.sendmail(
            "alice@example.test", ["bob@example.test", "no-v@hop.test"],
            message(subject, sender="alice@example.test")) == {}
    suite.wait_message(subject, "bob:hunter:2", limit=2)
    report = suite.wait_message("no-v@hop.test wants no such mail")
    assert b"Return-Path: <>" in report
    assert b"report-type=delivery-status" in report
    assert b"Final-Recipient: rfc822; no-v@hop.test" in report
    assert b"Action: failed" in report
    assert hop.tried.count("no-v@hop.test") == 1
    wait_for(lambda: not [e for e in queue(suite) if "no-v@hop.test" in
                          [r["address"] for r in e["recipients"]]])


def test_delays_are_told_to_the_verified_alone(make_suite, hop):
    s = make_suite(*options(hop, "delay_warning_time=1s"), accounts=ACCOUNTS)
    with s.smtp() as c:
        c.sendmail("alice@example.test", ["later-1@hop.test"], message())
    with s.smtp(login="alice:secret", starttls=True) as c:
        c.sendmail("alice@example.test", ["later-2@hop.test"], message())
    report = s.wait_message("Action: delayed")
    assert b"later-2@hop.test" in report
    wait_for(lambda: hop.tried.count("later-1@hop.test") > 3)
    assert not [m for m in s.messages() if b"later-1@hop.test" in m]


def test_network_of_ours_hears(make_suite, hop):
    """a client in mynetworks is no stranger"""
    s = make_suite(*options(hop, "mynetworks=127.0.0.0/8"), accounts=ACCOUNTS)
    s.send(message(), ["bob@example.test", "no-w@hop.test"],
           sender="alice@example.test")
    s.wait_message("no-w@hop.test wants no such mail")


def test_success_is_reported(suite):
    """NOTIFY=SUCCESS is heard in through mode too (RFC 3461 5.2.1)"""
    with suite.smtp(login="alice:secret", starttls=True) as s:
        s.mail("alice@example.test")
        assert s.rcpt("bob@example.test", ["NOTIFY=SUCCESS"])[0] == 250
        assert s.data(message())[0] == 250
    report = suite.wait_message("Action: delivered")
    assert b"Final-Recipient: rfc822; bob@example.test" in report


# --- PRDR

def test_prdr_is_offered(suite, raw):
    assert "PRDR" in raw.say("EHLO client.test")[1].split("\n")
    with suite.smtp("submission", starttls=True) as s:
        assert not s.has_extn("PRDR")
    with suite.smtp("submission", login="alice:secret", starttls=True) as s:
        assert s.docmd("MAIL", "FROM:<alice@example.test> PRDR")[0] == 501


def prdr(raw, rcpts, text):
    begin(raw, rcpts, parameters=" PRDR")
    code, said = content(raw, text)
    if code != 353:
        return [(code, said)]
    return [raw.reply() for _ in range(len(rcpts) + 1)]


def test_prdr_mixed(suite, hop, raw):
    """each hears its own; nothing is held, reported or tried again"""
    subject = token()
    said = prdr(raw, ["alice@example.test", "no-p@hop.test",
                      "bob@example.test"], message(subject))
    assert [code for code, _ in said] == [250, 550, 250, 250], said
    assert "no-p@hop.test wants no such mail" in said[1][1]
    assert raw.say("NOOP")[0] == 250            # and no reply too many
    suite.wait_message(subject, limit=2)
    suite.wait_message(subject, "bob:hunter:2", limit=2)
    queue_id = id_of(said[3][1])
    assert not entry(suite, queue_id)
    assert hop.tried.count("no-p@hop.test") == 1
    assert not notices(suite, queue_id)


def test_prdr_all_refused(hop, raw):
    said = prdr(raw, ["no-q@hop.test", "no-t@hop.test"], message())
    assert [code for code, _ in said] == [550, 550, 550], said


def test_prdr_temporary(suite, hop, raw):
    """what is not finished is taken, and goes on"""
    said = prdr(raw, ["no-u@hop.test", "later-u@hop.test"], message())
    assert [code for code, _ in said] == [550, 250, 250], said
    queue_id = id_of(said[2][1])
    wait_for(lambda: hop.tried.count("later-u@hop.test") >= 2)
    e = entry(suite, queue_id)
    assert [r["address"] for r in e["recipients"]] == ["later-u@hop.test"]
    assert hop.tried.count("no-u@hop.test") == 1
    assert not notices(suite, queue_id)
    suite.barid("queue", "delete", queue_id)


def test_prdr_alias(suite, hop, raw):
    """an alias that half of its targets refuse is taken, and that half is
    held; named twice it is answered twice"""
    said = prdr(raw, ["both@example.test", "no-x@hop.test",
                      "both@example.test"], message())
    assert [code for code, _ in said] == [250, 550, 250, 250], said
    e = wait_for(lambda: on_hold(suite, id_of(said[3][1])))
    assert [r["address"] for r in e["recipients"]] == ["no-both@hop.test"]


def test_named_twice_is_one_copy(suite, raw):
    """however it is written"""
    subject = token()
    said = prdr(raw, ["alice@example.test", "ALICE@example.test",
                      "Alice@EXAMPLE.test"], message(subject))
    assert [code for code, _ in said] == [250, 250, 250, 250], said
    suite.wait_message(subject, limit=2)        # fails if it is there twice


def test_prdr_and_the_time_limit(make_suite, hop):
    """attempts that still run when the time is over are not begun again"""
    s = make_suite(*options(hop, "through_time_limit=1s",
                            "lmtp_destination_recipient_limit=1"),
                   accounts=ACCOUNTS)
    raw = Raw(s.port("smtp"))
    said = prdr(raw, ["alice@example.test", "no-l@hop.test",
                      "slow-l@hop.test", "slowno-l@hop.test"], message())
    assert [code for code, _ in said] == [250, 550, 250, 250, 250], said
    queue_id = id_of(said[4][1])
    e = wait_for(lambda: on_hold(s, queue_id))
    assert [r["address"] for r in e["recipients"]] == ["slowno-l@hop.test"]
    for name in ("no-l", "slow-l", "slowno-l"):
        assert hop.tried.count(name + "@hop.test") == 1
    raw.close()


def test_prdr_whole_message_refused(raw):
    """one answer for all where one is true of all"""
    loop = "Received: from x by y; Mon, 02 Nov 2026 10:00:00 +0000\r\n" * 60
    said = prdr(raw, ["alice@example.test", "bob@example.test"],
                loop + message())
    assert [code for code, _ in said] == [554], said


# --- through_split_recipients

def test_split_recipients(make_suite, hop):
    s = make_suite(*options(hop, "through_split_recipients=yes"),
                   accounts=ACCOUNTS)
    raw = Raw(s.port("smtp"))
    said = begin(raw, ["alice@example.test", "bob@example.test",
                       "no-y@hop.test", "alice@example.test"])
    assert [code for code, _ in said] == [250, 452, 452, 250], said
    assert said[1][1].startswith("4.5.3")
    assert content(raw, message())[0] == 250
    said = begin(raw, ["no-y@hop.test", "no-z@hop.test",
                       "bob@example.test"])
    assert [code for code, _ in said] == [250, 250, 452], said
    assert content(raw, message())[0] == 550
    # an alias of several is alone
    said = begin(raw, ["both@example.test", "alice@example.test"])
    assert [code for code, _ in said] == [250, 452], said
    # with PRDR nothing need be split, and in queue mode nothing
    raw.say("RSET")
    said = begin(raw, ["alice@example.test", "no-y@hop.test"],
                 parameters=" PRDR")
    assert [code for code, _ in said] == [250, 250], said
    raw.close()
    with s.smtp("submission", login="alice:secret", starttls=True) as c:
        assert c.sendmail("alice@example.test",
                          ["alice@example.test", "bob@example.test"],
                          message()) == {}


def test_split_with_a_real_client(make_suite, hop):
    """smtplib sends those answered 452 to nobody: they are told apart"""
    s = make_suite(*options(hop, "through_split_recipients=yes"),
                   accounts=ACCOUNTS)
    subject = token()
    left = s.send(message(subject), ["alice@example.test",
                                     "bob@example.test"])
    assert list(left) == ["bob@example.test"]
    assert left["bob@example.test"][0] == 452
    s.send(message(subject), list(left))
    s.wait_message(subject)
    s.wait_message(subject, "bob:hunter:2")
