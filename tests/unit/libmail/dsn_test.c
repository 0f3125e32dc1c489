/* SPDX-License-Identifier: ISC */
#include "libmail/dsn.h"
#include "libutil/arena.h"
#include "libutil/buf.h"
#include "libutil/diag.h"
#include "test.h"

#define NOW	1767225600
#define DATE	"Thu, 1 Jan 2026 00:00:00 +0000"

static const struct slice content[] = {
	S_INIT("Received: from x\r\n"),
	S_INIT("Subject: hi\r\nMessage-ID: <1@example.org>\r\n\r\nbody\r\n"),
};

static bool
lookup(void *arg, struct slice name, struct slice *ret_value)
{
	(void)arg;
	if (slice_equal(name, S("delay_warning_time")))
		*ret_value = S("4h");
	else if (slice_equal(name, S("maximal_queue_lifetime")))
		*ret_value = S("5d");
	else
		return false;
	return true;
}

/* the report that the tests change */
struct fixture {
	struct arena		arena;
	struct status		status;
	struct dsn_recipient	rcpt;
	struct dsn_report	r;
	struct buf		head, tail;
	enum dsn_returns	returns;
};

static void
begin(struct fixture *f)
{
	*f = (struct fixture){ .arena = ARENA_INIT };
	f->status = status_make(550, "5.1.1", "host mx.example.net[192.0.2.1] "
	    "said: 550 5.1.1 <bob@example.net> User unknown "
	    "(in reply to RCPT TO command)");
	f->rcpt = (struct dsn_recipient){ .action = DSN_FAILED,
	    .status = &f->status, .remote_mta = S("mx.example.net"),
	    .diagnostic = S("550 5.1.1 <bob@example.net> User unknown") };
	f->r = (struct dsn_report){ .kind = DSN_FAILURE,
	    .host = S("mx.example.org"), .software = S("Barid"),
	    .id = S("4cB1yN0bbcz6"), .now = NOW, .queue_id = S("4cB1yN0bbcz5"),
	    .arrival = NOW, .header = content[0], .content = content,
	    .content_count = COUNT(content), .recipients = &f->rcpt,
	    .recipient_count = 1, .lookup = lookup };
	CHECK_INT(addr_parse(S("bob@example.net"), &f->arena, 0,
	    &f->rcpt.recipient), 0, 0);
	CHECK_INT(addr_parse(S("ann@example.org"), &f->arena, 0,
	    &f->r.sender), 0, 0);
	f->r.to = f->r.sender;
}

static void
format(struct fixture *f)
{
	buf_reset(&f->head);
	buf_reset(&f->tail);
	CHECK_INT(dsn_format(&f->r, &f->arena, &f->head, &f->tail, &f->returns),
	    0, 0);
}

static void
end(struct fixture *f)
{
	arena_free(&f->arena);
	buf_free(&f->head);
	buf_free(&f->tail);
}

/* has - is the text in the head? */
static bool
has(const struct fixture *f, const char *text)
{
	return slice_find_slice(buf_slice(&f->head), slice_of(text)) !=
	    SLICE_NONE;
}

TEST(dsn_failure)
{
	static const struct dsn_template template = { S_INIT("us-ascii"),
	    S_INIT("MAILER-DAEMON (Mail System)"), S_INIT("Returned"),
	    S_INIT("Copy"), S_INIT("From $myhostname.\n") };
	struct fixture f;

	begin(&f);
	f.r.template = &template;
	f.r.envid = S("env 1");
	f.rcpt.orcpt_type = S("rfc822");
	f.rcpt.orcpt = S("robert@example.net");
	f.rcpt.last_attempt = NOW;
	f.rcpt.final_log_id = S("log 7");
	format(&f);
	CHECK_INT(f.returns, DSN_RETURNS_CONTENT, 0);
	CHECK_TEXT(buf_slice(&f.head),
	    "Date: " DATE "\r\n"
	    "From: MAILER-DAEMON@mx.example.org (Mail System)\r\n"
	    "Subject: Returned\r\n"
	    "To: ann@example.org\r\n"
	    "Message-ID: <4cB1yN0bbcz6@mx.example.org>\r\n"
	    "Auto-Submitted: auto-replied\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
	    "\tboundary=\"=_4cB1yN0bbcz6.1\"\r\n"
	    "\r\n"
	    "This is a message in MIME format.\r\n"
	    "\r\n--=_4cB1yN0bbcz6.1\r\n"
	    "Content-Description: Notification\r\n"
	    "Content-Type: text/plain; charset=us-ascii\r\n"
	    "\r\n"
	    "From mx.example.org.\r\n"
	    "\r\n"
	    "<bob@example.net> (expanded from <robert@example.net>): host\r\n"
	    "    mx.example.net[192.0.2.1] said: 550 5.1.1 <bob@example.net> "
	    "User unknown\r\n"
	    "    (in reply to RCPT TO command)\r\n"
	    "\r\n--=_4cB1yN0bbcz6.1\r\n"
	    "Content-Description: Delivery report\r\n"
	    "Content-Type: message/delivery-status\r\n"
	    "\r\n"
	    "Original-Envelope-Id: env 1\r\n"
	    "Reporting-MTA: dns; mx.example.org\r\n"
	    "X-Barid-Queue-ID: 4cB1yN0bbcz5\r\n"
	    "X-Barid-Sender: rfc822; ann@example.org\r\n"
	    "Arrival-Date: " DATE "\r\n"
	    "\r\n"
	    "Original-Recipient: rfc822; robert@example.net\r\n"
	    "Final-Recipient: rfc822; bob@example.net\r\n"
	    "Action: failed\r\n"
	    "Status: 5.1.1\r\n"
	    "Remote-MTA: dns; mx.example.net\r\n"
	    "Diagnostic-Code: smtp; 550 5.1.1 <bob@example.net> User unknown\r\n"
	    "Last-Attempt-Date: " DATE "\r\n"
	    "Final-Log-ID: log 7\r\n"
	    "\r\n--=_4cB1yN0bbcz6.1\r\n"
	    "Content-Description: Undelivered Message\r\n"
	    "Content-Type: message/rfc822\r\n"
	    "\r\n", 0);
	CHECK_TEXT(buf_slice(&f.tail), "\r\n--=_4cB1yN0bbcz6.1--\r\n", 0);
	end(&f);
}

TEST(dsn_what_is_returned)
{
	struct fixture f;

	begin(&f);
	f.r.ret = SMTP_RET_HDRS;
	format(&f);
	CHECK_INT(f.returns, DSN_RETURNS_HEADER, 0);
	CHECK(has(&f, "Content-Type: text/rfc822-headers\r\n\r\n"
	    "Received: from x\r\n"), 0);
	CHECK(slice_has_suffix(buf_slice(&f.head), content[0]), 0);

	f.r.ret = SMTP_RET_FULL;
	f.r.size_limit = content[0].len + content[1].len - 1;
	format(&f);
	CHECK_INT(f.returns, DSN_RETURNS_HEADER, 1);
	f.r.size_limit++;
	format(&f);
	CHECK_INT(f.returns, DSN_RETURNS_CONTENT, 2);

	f.r.postmaster_copy = true;
	format(&f);
	CHECK_INT(f.returns, DSN_RETURNS_HEADER, 3);
	CHECK(has(&f, "Subject: Postmaster Copy: Undelivered Mail\r\n"), 3);
	CHECK(has(&f, "Auto-Submitted: auto-generated\r\n"), 3);
	end(&f);
}

TEST(dsn_delay_and_success)
{
	struct fixture f;

	begin(&f);
	f.r.kind = DSN_DELAY;
	f.rcpt.action = DSN_DELAYED;
	f.rcpt.retry_until = NOW;
	f.status = status_make(450, "4.4.1", "connect to mx.example.net: "
	    "Connection timed out");
	f.rcpt.remote_mta = f.rcpt.diagnostic = SLICE_EMPTY;
	format(&f);
	CHECK_INT(f.returns, DSN_RETURNS_HEADER, 0);
	CHECK(has(&f, "more than\r\n4 hour(s)"), 0);
	CHECK(has(&f, "is\r\n5 day(s) old"), 0);
	CHECK(has(&f, "Action: delayed\r\nStatus: 4.4.1\r\nDiagnostic-Code: "
	    "x-barid; connect to mx.example.net: Connection timed "
	    "out\r\nWill-Retry-Until: " DATE "\r\n"), 0);

	f.r.kind = DSN_SUCCESS;
	f.rcpt.action = DSN_RELAYED;
	f.rcpt.remote_mta = S("mx.example.net");
	f.status = status_make(250, "2.0.0", "250 Ok");
	format(&f);
	CHECK(has(&f, "<bob@example.net>: relayed: 250 Ok\r\n"), 1);
	CHECK(has(&f, "Action: relayed\r\nStatus: 2.0.0\r\nRemote-MTA: dns; "
	    "mx.example.net\r\n\r\n--"), 1);
	end(&f);
}

TEST(dsn_smtputf8)
{
	struct buf long_orcpt = BUF_INIT;
	struct fixture f;

	begin(&f);
	CHECK_INT(addr_parse(S("b\xc3\xb6@b\xc3\xbc" "cher.example"), &f.arena,
	    ADDR_UTF8, &f.rcpt.recipient), 0, 0);
	f.rcpt.orcpt_type = S("utf-8");
	f.rcpt.orcpt = S("\xc3\xb6@example.net");
	f.rcpt.diagnostic = S("550 n\xc3\xb6");
	f.r.is_8bit = true;
	format(&f);
	CHECK(has(&f, "Content-Type: message/delivery-status\r\n\r\n"), 0);
	CHECK(has(&f, "Original-Recipient: utf-8; \\x{F6}@example.net\r\n"
	    "Final-Recipient: utf-8; b\\x{F6}@xn--bcher-kva.example\r\n"), 0);
	CHECK(has(&f, "Diagnostic-Code: smtp; 550 n??\r\n"), 0);
	CHECK(has(&f, "text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n"), 0);
	CHECK(has(&f, "Content-Type: message/rfc822\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n"), 0);

	f.r.smtputf8 = true;
	format(&f);
	CHECK(has(&f, "Content-Type: message/global-delivery-status\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n"), 1);
	CHECK(has(&f, "Original-Recipient: utf-8; \xc3\xb6@example.net\r\n"
	    "Final-Recipient: utf-8; b\xc3\xb6@b\xc3\xbc" "cher.example\r\n"), 1);
	CHECK(has(&f, "Content-Type: message/global\r\n"), 1);

	/* six times as long in ASCII: no line holds it, and the field goes */
	for (unsigned i = 0; i < 200; i++)
		buf_add_text(&long_orcpt, "\xc3\xb6");
	f.rcpt.orcpt = buf_slice(&long_orcpt);
	format(&f);
	CHECK(has(&f, "Original-Recipient"), 2);
	f.r.smtputf8 = false;
	format(&f);
	CHECK(!has(&f, "Original-Recipient"), 3);
	buf_free(&long_orcpt);
	end(&f);
}

TEST(dsn_thread)
{
	struct fixture f;
	struct buf refs = BUF_INIT;

	begin(&f);
	f.r.message_id = S(" <1@example.org>\r\n");
	f.r.references = S("<a@x>\r\n <b@x> junk <1@example.org>");
	format(&f);
	CHECK(!has(&f, "References:"), 0);
	f.r.threaded = true;
	format(&f);
	CHECK(has(&f, "References: <a@x>\r\n <b@x>\r\n <1@example.org>\r\n"
	    "In-Reply-To: <1@example.org>\r\n"), 1);

	for (unsigned i = 0; i < 50; i++)
		buf_addf(&refs, "<%u@x> ", i);
	f.r.references = buf_slice(&refs);
	format(&f);
	CHECK(has(&f, "References: <30@x>\r\n <31@x>\r\n"), 2);
	CHECK(has(&f, " <49@x>\r\n <1@example.org>\r\n"), 2);

	f.r.message_id = S("<a\r\nBcc: x>");
	format(&f);
	CHECK(!has(&f, "References:"), 3);
	buf_free(&refs);
	end(&f);
}

TEST(dsn_boundary_occurs_nowhere)
{
	static const struct slice pieces[] = {
		S_INIT("text =_4cB1yN0bbcz6.1 text =_4c"), S_INIT("B1yN0"),
		S_INIT("bbcz6"), S_INIT(".2 and in the header"),
	};
	struct fixture f;

	begin(&f);
	f.r.content = pieces;
	f.r.content_count = COUNT(pieces);
	f.r.header = S("X: =_4cB1yN0bbcz6.3\r\n");
	format(&f);
	CHECK_TEXT(buf_slice(&f.tail), "\r\n--=_4cB1yN0bbcz6.4--\r\n", 0);
	end(&f);
}

TEST(dsn_foreign_text_stays_in_its_line)
{
	struct fixture f;
	char word[2000];

	begin(&f);
	memset(word, 'w', sizeof(word));
	f.rcpt.diagnostic = S("550 a\r\nBcc: evil\r\n\r\nb\x01");
	f.rcpt.remote_mta = S("x\r\ny");
	f.rcpt.orcpt_type = S("rfc822");
	f.rcpt.orcpt = S("a\r\nb");
	f.rcpt.final_log_id = slice_over(word, sizeof(word));
	format(&f);
	CHECK(!has(&f, "\nBcc"), 0);
	CHECK(!has(&f, "\ny"), 0);
	CHECK(!has(&f, "\nb"), 0);
	CHECK(!has(&f, "\x01"), 0);
	end(&f);
}

TEST(dsn_template_parse)
{
	static const struct { const char *in; int want; const char *subject,
	    *text; } cases[] = {
		{ "", 0, "Undelivered Mail Returned to Sender", NULL },
		{ "# none\n\n", 0, "Undelivered Mail Returned to Sender", NULL },
		{ "failure_template = <<EOF\nFrom: a\nSubject: b\n\nx\ny\nEOF\n",
		    0, "b", "x\ny\n" },
		{ "failure_template=<<X\r\nfrom: a\r\nSUBJECT:  b \r\n\r\nX\r\n",
		    0, "b", "" },
		{ "failure_template = <<EOF\nCharset: utf-8\nFrom: a\n"
		    "Subject: b\n\n\xc3\xb6\nEOF", 0, "b", "\xc3\xb6\n" },
		{ "failure_template = <<EOF\nFrom: a\nSubject: b\n\n\xc3\xb6\n"
		    "EOF", -EBADMSG },
		{ "failure_template = <<EOF\nFrom: a\n\nx\nEOF", -EBADMSG },
		{ "failure_template = <<EOF\nFrom: a\nSubject: b\n\nx\n", -EBADMSG },
		{ "failure_template = <<EOF\nFrom: a\nEOF\n", -EBADMSG },
		{ "failure_template = <<EOF\nFoo: a\n\nEOF\n", -EBADMSG },
		{ "failure_template = x\n", -EBADMSG },
		{ "failing_template = <<EOF\n", -EBADMSG },
		{ "junk\n", -EBADMSG },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct dsn_templates t;
		struct diag d = DIAG_INIT;

		if (CHECK_INT(dsn_template_parse(slice_of(cases[i].in), &t, &d),
		    cases[i].want, i) < 0) {
			CHECK(d.line > 0 && d.text[0] != '\0', i);
			continue;
		}
		CHECK_TEXT(t.of[DSN_FAILURE].subject, cases[i].subject, i);
		if (cases[i].text != NULL)
			CHECK_TEXT(t.of[DSN_FAILURE].text, cases[i].text, i);
		CHECK_TEXT(t.of[DSN_SUCCESS].subject,
		    "Successful Mail Delivery Report", i);
	}
}

TEST(dsn_template_expand)
{
	static const struct { const char *in, *want; } cases[] = {
		{ "a\nb\n", "a\r\nb\r\n" },
		{ "a\r\nb", "a\r\nb" },
		{ "$delay_warning_time, ${delay_warning_time}x "
		    "$(delay_warning_time)", "4h, 4hx 4h" },
		{ "$delay_warning_time_seconds $delay_warning_time_minutes "
		    "$maximal_queue_lifetime_hours $maximal_queue_lifetime_weeks",
		    "14400 240 120 0" },
		{ "$$5 $unknown $unknown_hours ${open $(x} $ $", "$5 $unknown "
		    "$unknown_hours ${open $(x} $ $" },
	};
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_reset(&b);
		dsn_template_expand(&b, slice_of(cases[i].in), lookup, NULL);
		CHECK_TEXT(buf_slice(&b), cases[i].want, i);
	}
	buf_free(&b);
}
