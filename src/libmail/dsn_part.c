/* SPDX-License-Identifier: ISC */
/*
 * Whatever comes from outside (replies, addresses, names of hosts) goes
 * through dsn_part_fold or add_safe, so that it cannot end its line.
 */
#include "libmail/dsn_part.h"

#include "libmail/smtp_xtext.h"
#include "libutil/buf.h"
#include "libutil/calendar.h"
#include "libutil/utf8.h"

#define COLUMN_MAX	78
#define WORD_MAX	900		/* RFC 5322 2.1.1: 998 in a line */

/* add_safe - append text with "?" for controls */
static void
add_safe(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char	b = (unsigned char)text.data[i];

		buf_add_byte(out, b < ' ' || b == 0x7f ? '?' : text.data[i]);
	}
}

/* column_of - how long the last line is */
static size_t
column_of(const struct buf *out)
{
	struct slice	s = buf_slice(out);
	size_t		lf = slice_find_last(s, '\n');

	return lf == SLICE_NONE ? s.len : s.len - lf - 1;
}

/* dsn_part_fold - words, as many on a line as fit */
void
dsn_part_fold(struct buf *out, struct slice text, const char *indent)
{
	size_t		column = column_of(out);
	bool		first = true;
	struct slice	word;

	while (slice_next_word(&text, " \t\r\n", &word)) {
		word = utf8_cut(word, WORD_MAX);
		if (!first && column + 1 + word.len > COLUMN_MAX) {
			buf_add(out, S("\r\n"));
			buf_add_text(out, indent);
			column = strlen(indent);
		} else if (!first) {
			buf_add_byte(out, ' ');
			column++;
		}
		add_safe(out, word);
		column += word.len;
		first = false;
	}
}

/* dsn_part_lookup - a name in a template */
bool
dsn_part_lookup(void *names, struct slice name, struct slice *ret_value)
{
	const struct dsn_names	*n = names;
	const struct dsn_report	*r = n->report;

	if (slice_equal(name, S("myhostname"))) {
		*ret_value = r->host;
		return true;
	}
	if (slice_equal(name, S("mail_name"))) {
		*ret_value = r->software;
		return true;
	}
	return r->lookup != NULL && r->lookup(r->lookup_arg, name, ret_value);
}

/* dsn_action_name - as RFC 3464 2.3.3 has it */
const char *
dsn_action_name(enum dsn_action action)
{
	static const char *const names[] = {
		[DSN_FAILED] = "failed",
		[DSN_DELAYED] = "delayed",
		[DSN_DELIVERED] = "delivered",
		[DSN_RELAYED] = "relayed",
		[DSN_EXPANDED] = "expanded",
	};

	return names[action];
}

/* is_expanded - is the recipient another than the sender wrote? */
static bool
is_expanded(const struct dsn_recipient *rcpt)
{
	struct buf	text = BUF_INIT;
	bool		same;

	if (rcpt->orcpt.len == 0)
		return false;
	addr_format(&text, &rcpt->recipient);
	same = slice_equal_nocase(buf_slice(&text), rcpt->orcpt);
	buf_free(&text);
	return !same;
}

/* add_result - one recipient's paragraph */
static void
add_result(struct buf *out, const struct dsn_recipient *rcpt)
{
	struct buf	text = BUF_INIT;

	buf_add_byte(&text, '<');
	addr_format(&text, &rcpt->recipient);
	buf_add_byte(&text, '>');
	if (is_expanded(rcpt)) {
		buf_add(&text, S(" (expanded from <"));
		buf_add(&text, rcpt->orcpt);
		buf_add(&text, S(">)"));
	}
	buf_add(&text, S(": "));
	if (rcpt->action != DSN_FAILED && rcpt->action != DSN_DELAYED)
		buf_addf(&text, "%s: ", dsn_action_name(rcpt->action));
	buf_add(&text, status_text(rcpt->status));
	buf_add(out, S("\r\n"));
	dsn_part_fold(out, buf_slice(&text), "    ");
	buf_add(out, S("\r\n"));
	buf_free(&text);
}

/* dsn_part_notice - the text for people */
void
dsn_part_notice(struct buf *out, const struct dsn_report *r,
    const struct dsn_template *t)
{
	struct dsn_names	names = { r };

	dsn_template_expand(out, t->text, dsn_part_lookup, &names);
	if (column_of(out) > 0)
		buf_add(out, S("\r\n"));
	for (size_t i = 0; i < r->recipient_count; i++)
		add_result(out, &r->recipients[i]);
}

/* add_field - "Name: type; text" */
static void
add_field(struct buf *out, const char *name, const char *type,
    struct slice text)
{
	if (text.len == 0)
		return;
	buf_add_text(out, name);
	buf_add(out, S(": "));
	if (type != NULL) {
		buf_add_text(out, type);
		buf_add(out, S("; "));
	}
	dsn_part_fold(out, text, "    ");
	buf_add(out, S("\r\n"));
}

/* add_date - a field with a time, unless it is 0 */
static void
add_date(struct buf *out, const char *name, int64_t time, int zone)
{
	if (time == 0)
		return;
	buf_addf(out, "%s: ", name);
	calendar_format_rfc5322(out, time, zone);
	buf_add(out, S("\r\n"));
}

/* format_address - "rfc822; a@b" or "utf-8; a@b", in the form that can stand
 * in this kind of report (RFC 6533 3) */
static void
format_address(struct buf *out, struct slice type, struct slice text,
    bool smtputf8)
{
	if (slice_equal_nocase(type, S("rfc822")) && !utf8_is_ascii(text))
		type = S("utf-8");
	add_safe(out, type);
	buf_add(out, S("; "));
	if (utf8_is_ascii(text) || smtputf8)
		add_safe(out, text);
	else
		smtp_unitext_encode(out, text, true);
}

/* add_original - ORCPT, unless it is too long for a line in this form: half
 * of it would name another recipient, and the field may be missing */
static void
add_original(struct buf *out, const struct dsn_recipient *rcpt, bool smtputf8)
{
	struct buf	text = BUF_INIT;

	format_address(&text, rcpt->orcpt_type, rcpt->orcpt, smtputf8);
	if (rcpt->orcpt.len > 0 && text.len <= WORD_MAX) {
		buf_add(out, S("Original-Recipient: "));
		buf_add(out, buf_slice(&text));
		buf_add(out, S("\r\n"));
	}
	buf_free(&text);
}

/* add_address - the same for an address of ours; may not be missing */
static void
add_address(struct buf *out, const char *name, const struct addr *addr,
    bool smtputf8)
{
	struct buf	plain = BUF_INIT, text = BUF_INIT;

	if (smtputf8)
		addr_format(&plain, addr);
	else
		addr_format_ascii(&plain, addr);
	format_address(&text, S("rfc822"), buf_slice(&plain), smtputf8);
	buf_addf(out, "%s: ", name);
	buf_add(out, utf8_cut(buf_slice(&text), WORD_MAX));
	buf_add(out, S("\r\n"));
	buf_free(&plain);
	buf_free(&text);
}

/* add_diagnostic - what the other host said, or we ourselves */
static void
add_diagnostic(struct buf *out, const struct dsn_recipient *rcpt,
    bool smtputf8)
{
	const char	*type = rcpt->remote_mta.len > 0 ? "smtp" : "x-barid";
	struct slice	said = rcpt->diagnostic;
	struct buf	ours = BUF_INIT, text = BUF_INIT;

	if (rcpt->action != DSN_FAILED && rcpt->action != DSN_DELAYED)
		return;
	if (said.len == 0) {
		status_format(&ours, rcpt->status);
		said = rcpt->remote_mta.len > 0 ? buf_slice(&ours) :
		    status_text(rcpt->status);
	}
	/* the field is ASCII in any report that a 7-bit reader may get */
	for (size_t i = 0; i < said.len; i++)
		buf_add_byte(&text, (unsigned char)said.data[i] >= 0x80 &&
		    !smtputf8 ? '?' : said.data[i]);
	add_field(out, "Diagnostic-Code", type, buf_slice(&text));
	buf_free(&ours);
	buf_free(&text);
}

/* add_recipient - the fields of one recipient (RFC 3464 2.3) */
static void
add_recipient(struct buf *out, const struct dsn_report *r,
    const struct dsn_recipient *rcpt)
{
	buf_add(out, S("\r\n"));
	add_original(out, rcpt, r->smtputf8);
	add_address(out, "Final-Recipient", &rcpt->recipient, r->smtputf8);
	buf_addf(out, "Action: %s\r\nStatus: ", dsn_action_name(rcpt->action));
	status_code_format(out, rcpt->status->enhanced);
	buf_add(out, S("\r\n"));
	add_field(out, "Remote-MTA", "dns", rcpt->remote_mta);
	add_diagnostic(out, rcpt, r->smtputf8);
	add_date(out, "Last-Attempt-Date", rcpt->last_attempt, r->zone);
	add_field(out, "Final-Log-ID", NULL, rcpt->final_log_id);
	if (rcpt->action == DSN_DELAYED)
		add_date(out, "Will-Retry-Until", rcpt->retry_until, r->zone);
}

/* dsn_part_status - the part for programs */
void
dsn_part_status(struct buf *out, const struct dsn_report *r)
{
	add_field(out, "Original-Envelope-Id", NULL, r->envid);
	add_field(out, "Reporting-MTA", "dns", r->host);
	add_field(out, "X-Barid-Queue-ID", NULL, r->queue_id);
	if (!addr_is_null(&r->sender))
		add_address(out, "X-Barid-Sender", &r->sender, r->smtputf8);
	add_date(out, "Arrival-Date", r->arrival, r->zone);
	for (size_t i = 0; i < r->recipient_count; i++)
		add_recipient(out, r, &r->recipients[i]);
}
