/* SPDX-License-Identifier: ISC */
#include "libmail/status.h"
#include "libutil/buf.h"
#include "test.h"

TEST(status_parse)
{
	static const struct { const char *in; int want; const char *format; } cases[] = {
		{ "550 5.1.1 User unknown", 0, "550 5.1.1 User unknown" },
		{ "250 2.0.0 Ok", 0, "250 2.0.0 Ok" },
		{ "451 Try again", 0, "451 4.0.0 Try again" },
		{ "550", 0, "550 5.0.0" },
		{ "550 5.7.1", 0, "550 5.7.1" },
		{ "550 5.999.999  x", 0, "550 5.999.999 x" },
		/* a code of another class is not believed, its text is kept */
		{ "450 5.1.1 Odd", 0, "450 4.0.0 Odd" },
		/* what only looks like a code is text */
		{ "550 5.1 foo", 0, "550 5.0.0 5.1 foo" },
		{ "550 5.1.1foo", 0, "550 5.0.0 5.1.1foo" },
		{ "550 5.1.1000 foo", 0, "550 5.0.0 5.1.1000 foo" },
		{ "550 3.1.1 foo", 0, "550 5.0.0 3.1.1 foo" },
		{ "550 a\tb\r\n c\x7f", 0, "550 5.0.0 a b   c" },
		{ "550 \xc3\xa4", 0, "550 5.0.0 \xc3\xa4" },
		{ "550 \xe4x", 0, "550 5.0.0 ?x" },
		{ "354 Go on", -EBADMSG, NULL },
		{ "199 x", -EBADMSG, NULL },
		{ "600 x", -EBADMSG, NULL },
		{ "55", -EBADMSG, NULL },
		{ "", -EBADMSG, NULL },
		{ "5500 x", -EBADMSG, NULL },
		{ "550-x", -EBADMSG, NULL },
	};
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct status s = STATUS_INIT;

		if (CHECK_INT(status_parse(slice_of(cases[i].in), &s),
		    cases[i].want, i) < 0) {
			CHECK(s.code == 0, i);
			continue;
		}
		buf_reset(&b);
		status_format(&b, &s);
		CHECK_TEXT(buf_slice(&b), cases[i].format, i);
	}
	buf_free(&b);
}

TEST(status_text_is_cut_between_characters)
{
	char text[STATUS_TEXT_MAX + 100];
	struct status s;

	memset(text, 'x', sizeof(text));
	s = status_make(550, "5.1.1", "%.*s", STATUS_TEXT_MAX, text);
	CHECK_INT(s.text_len, STATUS_TEXT_MAX, 0);
	CHECK(!slice_has_suffix(status_text(&s), S("...")), 0);
	s = status_make(550, "5.1.1", "%.*s", STATUS_TEXT_MAX + 1, text);
	CHECK_INT(s.text_len, STATUS_TEXT_MAX, 1);
	CHECK(slice_has_suffix(status_text(&s), S("x...")), 1);

	/* a character of two bytes across the cut */
	text[STATUS_TEXT_MAX - 4] = '\xc3';
	text[STATUS_TEXT_MAX - 3] = '\xa4';
	s = status_of(550, (struct status_code){ 5, 1, 1 },
	    slice_over(text, sizeof(text)));
	CHECK_INT(s.text_len, STATUS_TEXT_MAX - 1, 2);
	CHECK(slice_has_suffix(status_text(&s), S("x...")), 2);

	s = status_of(550, (struct status_code){ 5, 1, 1 },
	    slice_over(text, STATUS_TEXT_MAX - 10));
	status_prefix_text(&s, S("host said: "));
	CHECK_INT(s.text_len, STATUS_TEXT_MAX, 3);
	CHECK(slice_has_prefix(status_text(&s), S("host said: xxx")), 3);
	CHECK(slice_has_suffix(status_text(&s), S("x...")), 3);
}

TEST(status_from_errno)
{
	struct status s = status_from_errno(-ENOSPC, "queue");

	CHECK_INT(s.code, 452, 0);
	CHECK_TEXT(status_text(&s), "Insufficient system storage: queue", 0);
	for (int e = 1; e < 4096; e++) {
		s = status_from_errno(-e, NULL);
		CHECK(status_is_temporary(&s) && s.enhanced.class == 4, e);
	}
}

TEST(status_enhanced)
{
	struct status s = STATUS_INIT;
	struct buf b = BUF_INIT;

	CHECK_INT(status_parse_enhanced(S("4.2.2 Mailbox full"), &s), 0, 0);
	CHECK_INT(s.code, 450, 0);
	CHECK_TEXT(status_text(&s), "Mailbox full", 0);
	CHECK_INT(status_parse_enhanced(S("Mailbox full"), &s), -EBADMSG, 1);
	status_set_class(&s, 5);
	status_format(&b, &s);
	CHECK_TEXT(buf_slice(&b), "550 5.2.2 Mailbox full", 2);
	CHECK_TEXT(slice_of(status_code_gist(s.enhanced)), "mailbox is full", 3);
	CHECK(status_code_gist((struct status_code){ 5, 99, 0 }) == NULL, 4);
	buf_free(&b);
}
