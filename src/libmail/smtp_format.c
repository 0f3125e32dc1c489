/* SPDX-License-Identifier: ISC */
/* The client's half of MAIL and RCPT; smtp_args.c reads it back. */
#include "libmail/smtp.h"
#include "libmail/smtp_xtext.h"
#include "libutil/buf.h"

/* add_path - an address in <> */
static void
add_path(struct buf *out, const struct addr *addr, bool smtputf8)
{
	buf_add_byte(out, '<');
	if (smtputf8)
		addr_format(out, addr);
	else
		addr_format_ascii(out, addr);
	buf_add_byte(out, '>');
}

/* has - was the parameter given? */
static bool
has(uint32_t given, enum smtp_param param)
{
	return (given >> param & 1) != 0;
}

/* smtp_format_mail - "FROM:<a@example.org> SIZE=1000" */
void
smtp_format_mail(struct buf *out, const struct smtp_mail *m)
{
	static const char *const bodies[] = {
		[SMTP_BODY_7BIT] = " BODY=7BIT",
		[SMTP_BODY_8BITMIME] = " BODY=8BITMIME",
		[SMTP_BODY_BINARYMIME] = " BODY=BINARYMIME",
	};
	bool	smtputf8 = m->smtputf8 && has(m->given, SMTP_PARAM_SMTPUTF8);

	buf_add(out, S("FROM:"));
	add_path(out, &m->sender, smtputf8);
	if (has(m->given, SMTP_PARAM_SIZE)) {
		buf_add(out, S(" SIZE="));
		buf_add_u64(out, m->size);
	}
	if (has(m->given, SMTP_PARAM_BODY) && m->body != SMTP_BODY_UNSAID)
		buf_add_text(out, bodies[m->body]);
	if (smtputf8)
		buf_add(out, S(" SMTPUTF8"));
	if (has(m->given, SMTP_PARAM_RET) && m->ret != SMTP_RET_UNSAID)
		buf_add(out, m->ret == SMTP_RET_FULL ? S(" RET=FULL") :
		    S(" RET=HDRS"));
	if (has(m->given, SMTP_PARAM_ENVID) && m->envid.len > 0) {
		buf_add(out, S(" ENVID="));
		smtp_xtext_encode(out, m->envid);
	}
	if (has(m->given, SMTP_PARAM_AUTH)) {
		buf_add(out, S(" AUTH="));
		smtp_xtext_encode(out, m->auth.len == 0 ? S("<>") : m->auth);
	}
	if (has(m->given, SMTP_PARAM_PRDR) && m->prdr)
		buf_add(out, S(" PRDR"));
}

/* add_notify - the list of NOTIFY */
static void
add_notify(struct buf *out, unsigned notify)
{
	static const struct { unsigned bit; const char *name; } rows[] = {
		{ SMTP_NOTIFY_NEVER, "NEVER" },
		{ SMTP_NOTIFY_SUCCESS, "SUCCESS" },
		{ SMTP_NOTIFY_FAILURE, "FAILURE" },
		{ SMTP_NOTIFY_DELAY, "DELAY" },
	};
	const char	*before = " NOTIFY=";

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!(notify & rows[i].bit))
			continue;
		buf_add_text(out, before);
		buf_add_text(out, rows[i].name);
		before = ",";
	}
}

/* add_orcpt - ORCPT in the form that the server can read; left out if that
 * is longer than servers take (RFC 3461 4.2) */
static void
add_orcpt(struct buf *out, const struct smtp_rcpt *r, bool smtputf8)
{
	size_t	before = out->len, value;

	buf_add(out, S(" ORCPT="));
	value = out->len;
	buf_add(out, r->orcpt_type);
	buf_add_byte(out, ';');
	if (slice_equal_nocase(r->orcpt_type, S("utf-8")))
		smtp_unitext_encode(out, r->orcpt, !smtputf8);
	else
		smtp_xtext_encode(out, r->orcpt);
	if (out->len - value > (size_t)SMTP_MAX_ORCPT)
		buf_truncate(out, before);
}

/* smtp_format_rcpt - "TO:<b@example.org> NOTIFY=NEVER" */
void
smtp_format_rcpt(struct buf *out, const struct smtp_rcpt *r, bool smtputf8)
{
	buf_add(out, S("TO:"));
	add_path(out, &r->recipient, smtputf8);
	if (has(r->given, SMTP_PARAM_NOTIFY))
		add_notify(out, r->notify);
	if (has(r->given, SMTP_PARAM_ORCPT) && r->orcpt.len > 0)
		add_orcpt(out, r, smtputf8);
}

/* smtp_mail_equal - does it say the same? */
bool
smtp_mail_equal(const struct smtp_mail *a, const struct smtp_mail *b)
{
	return addr_equal(&a->sender, &b->sender) && a->given == b->given &&
	    a->size == b->size && a->body == b->body && a->ret == b->ret &&
	    a->smtputf8 == b->smtputf8 && a->prdr == b->prdr &&
	    slice_equal(a->envid, b->envid) && slice_equal(a->auth, b->auth);
}

/* smtp_rcpt_equal - does it say the same? */
bool
smtp_rcpt_equal(const struct smtp_rcpt *a, const struct smtp_rcpt *b)
{
	return addr_equal(&a->recipient, &b->recipient) &&
	    a->given == b->given && a->notify == b->notify &&
	    slice_equal_nocase(a->orcpt_type, b->orcpt_type) &&
	    slice_equal(a->orcpt, b->orcpt);
}
