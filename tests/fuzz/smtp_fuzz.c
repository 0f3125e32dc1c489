/* SPDX-License-Identifier: ISC */
/* Command lines: MAIL and RCPT that parse are formatted and parse back equal;
 * a refusal always has a reply, and the reply fits on a line. */
#include "libmail/smtp.h"
#include "libmail/smtp_xtext.h"
#include "libutil/arena.h"
#include "libutil/utf8.h"
#include "test.h"

/* check_refusal - can it be sent as it is? */
static void
check_refusal(const struct status *s, struct buf *scratch)
{
	FUZZ_CHECK(status_is_permanent(s));
	FUZZ_CHECK(s->text_len > 0);
	buf_reset(scratch);
	status_format(scratch, s);
	FUZZ_CHECK(scratch->len <= 510);
	FUZZ_CHECK(utf8_is_valid(buf_slice(scratch)));
	FUZZ_CHECK(slice_find(buf_slice(scratch), '\r') == SLICE_NONE);
	FUZZ_CHECK(slice_find(buf_slice(scratch), '\n') == SLICE_NONE);
}

static void
check_mail(struct slice args, unsigned flags, struct arena *a,
    struct buf *scratch)
{
	struct smtp_mail	m, again;
	struct status		s = STATUS_INIT;

	if (smtp_parse_mail(args, a, flags, &m, &s) < 0) {
		check_refusal(&s, scratch);
		return;
	}
	buf_reset(scratch);
	smtp_format_mail(scratch, &m);
	FUZZ_CHECK(smtp_parse_mail(buf_slice(scratch), a, SMTP_UTF8, &again,
	    NULL) == 0);
	FUZZ_CHECK(smtp_mail_equal(&m, &again));
}

static void
check_rcpt(struct slice args, unsigned flags, struct arena *a,
    struct buf *scratch)
{
	struct smtp_rcpt	m, again;
	struct status		s = STATUS_INIT;

	if (smtp_parse_rcpt(args, a, flags, &m, &s) < 0) {
		check_refusal(&s, scratch);
		return;
	}
	buf_reset(scratch);
	smtp_format_rcpt(scratch, &m, (flags & SMTP_UTF8) != 0);
	FUZZ_CHECK(smtp_parse_rcpt(buf_slice(scratch), a, flags & ~SMTP_STRICT,
	    &again, NULL) == 0);
	FUZZ_CHECK(smtp_rcpt_equal(&m, &again));
	buf_reset(scratch);
	smtp_format_rcpt(scratch, &m, false);
	FUZZ_CHECK(addr_needs_utf8(&m.recipient) ||
	    utf8_is_ascii(buf_slice(scratch)));
}

FUZZ(smtp)
{
	struct arena		a = ARENA_INIT;
	struct slice		args, text;
	struct smtp_helo	helo;
	struct smtp_bdat	bdat;
	struct smtp_auth	auth;
	struct addr		addr;
	struct status		s = STATUS_INIT;
	enum smtp_verb		verb = smtp_parse_verb(input, NULL, &args);

	FUZZ_CHECK(verb < SMTP_VERB_COUNT);
	if (smtp_check_args(verb, args, &s) < 0)
		check_refusal(&s, scratch);
	for (unsigned flags = 0; flags < 4; flags++) {
		check_mail(args, flags, &a, scratch);
		check_rcpt(args, flags, &a, scratch);
		if (smtp_parse_helo(args, &a, flags, &helo, &s) < 0)
			check_refusal(&s, scratch);
		if (smtp_parse_vrfy(args, &a, flags, &addr, &s) < 0)
			check_refusal(&s, scratch);
	}
	if (smtp_parse_bdat(args, &bdat, &s) < 0)
		check_refusal(&s, scratch);
	if (smtp_parse_auth(args, &a, &auth, &s) < 0)
		check_refusal(&s, scratch);

	buf_reset(scratch);
	smtp_xtext_encode(scratch, input);
	FUZZ_CHECK(smtp_xtext_decode(buf_slice(scratch), &a, &text) == 0);
	FUZZ_CHECK(slice_equal(text, input));
	if (utf8_is_valid(input)) {
		buf_reset(scratch);
		smtp_unitext_encode(scratch, input, true);
		FUZZ_CHECK(utf8_is_ascii(buf_slice(scratch)));
		FUZZ_CHECK(smtp_unitext_decode(buf_slice(scratch), &a,
		    &text) == 0);
		FUZZ_CHECK(slice_equal(text, input));
	}
	arena_free(&a);
}
