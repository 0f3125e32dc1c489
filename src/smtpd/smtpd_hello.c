/* SPDX-License-Identifier: ISC */
/* HELO and EHLO; what is offered. Either one ends a transaction (RFC 5321
 * 4.1.4). */
#include "smtpd/smtpd.h"

/* discarded - is this keyword left out? */
static bool
discarded(const struct smtpd_client *c, const char *keyword)
{
	const struct param_list *l = &c->p->smtpd_discard_ehlo_keywords;

	for (size_t i = 0; i < l->count; i++)
		if (slice_equal_nocase(l->item[i], slice_of(keyword)))
			return true;
	return false;
}

static bool
offers_auth(const struct smtpd_client *c)
{
	return c->p->smtpd_sasl_auth_enable && c->login[0] == '\0' && !c->lmtp &&
	    (c->tls || !c->p->smtpd_tls_auth_only);
}

/* keywords - what is offered, one a line, in the order clients know */
static void
keywords(const struct smtpd_client *c, struct buf *out)
{
	const struct { const char *name; bool on; } rows[] = {
		{ "PIPELINING", true },
		{ "SIZE", true },
		{ "VRFY", !c->p->disable_vrfy_command },
		{ "STARTTLS", smtpd_offers_tls(c) },
		{ "AUTH", offers_auth(c) },
		{ "ENHANCEDSTATUSCODES", true },
		{ "8BITMIME", true },
		/* in LMTP the client reports successes (RFC 3461 5.2.3) */
		{ "DSN", !c->lmtp },
		{ "SMTPUTF8", c->p->smtputf8_enable },
		{ "CHUNKING", true },
		{ "PRDR", c->through && !c->lmtp },	/* draft-hall-prdr */
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!rows[i].on || discarded(c, rows[i].name))
			continue;
		buf_addf(out, "%s", rows[i].name);
		if (slice_equal(slice_of(rows[i].name), S("SIZE")))
			buf_addf(out, " %llu",
			    (unsigned long long)c->p->message_size_limit);
		if (slice_equal(slice_of(rows[i].name), S("AUTH")))
			buf_add_text(out, " PLAIN LOGIN");
		buf_add_byte(out, '\n');
	}
}

/* hello - take the name, and begin anew */
static int
hello(struct smtpd_client *c, struct slice args, bool esmtp,
    struct status *ret_bad)
{
	struct arena		a = ARENA_INIT;
	struct smtp_helo	h;
	int			r;

	r = smtp_parse_helo(args, &a, SMTP_UTF8, &h, ret_bad);
	if (r == 0) {
		(void)snprintf(c->helo, sizeof(c->helo), "%.*s",
		    SLICE_ARG(h.text));
		txn_reset(c);
		c->esmtp = esmtp;
		c->state = IN_GREETED;
	}
	arena_free(&a);
	return r;
}

/* cmd_helo - RFC 5321 4.1.1.1 */
int
cmd_helo(struct task *t, struct smtpd_client *c, struct slice args)
{
	struct status bad;

	if (hello(c, args, false, &bad) < 0)
		return smtpd_refuse(t, c, "HELO", SLICE_EMPTY, &bad);
	return smtpd_reply(t, c, 250, "%.*s", SLICE_ARG(c->p->myhostname));
}

/* extended - the answer to EHLO and LHLO */
static int
extended(struct task *t, struct smtpd_client *c, struct slice args,
    const char *verb)
{
	struct buf	lines = BUF_INIT;
	struct slice	rest, line;
	struct status	bad;
	int		r;

	if (hello(c, args, true, &bad) < 0)
		return smtpd_refuse(t, c, verb, SLICE_EMPTY, &bad);
	keywords(c, &lines);
	rest = buf_slice(&lines);
	r = stream_writef(t, &c->stream, "250%c%.*s\r\n",
	    rest.len > 0 ? '-' : ' ', SLICE_ARG(c->p->myhostname));
	while (r == 0 && rest.len > 0) {
		line = slice_split(&rest, '\n');
		r = stream_writef(t, &c->stream, "250%c%.*s\r\n",
		    rest.len > 0 ? '-' : ' ', SLICE_ARG(line));
	}
	buf_free(&lines);
	return r;
}

/* cmd_ehlo - RFC 5321 4.1.1.1 */
int
cmd_ehlo(struct task *t, struct smtpd_client *c, struct slice args)
{
	return extended(t, c, args, "EHLO");
}

/* cmd_lhlo - RFC 2033 4.1 */
int
cmd_lhlo(struct task *t, struct smtpd_client *c, struct slice args)
{
	return extended(t, c, args, "LHLO");
}
