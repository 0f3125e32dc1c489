/* SPDX-License-Identifier: ISC */
#include "libmail/sortkey.h"

#include "test.h"

TEST(sortkey_subject)
{
	static const struct { const char *in, *want; bool reply; } rows[] = {
		{ "", "", false },
		{ "hello", "hello", false },
		{ "  a \t b\r\n c ", "a b c", false },
		{ "Re: hello", "hello", true },
		{ "RE:hello", "hello", true },
		{ "re : hello", "hello", true },
		{ "Fw: Fwd: re: hello", "hello", true },
		{ "Re[2]: hello", "hello", true },
		{ "Re [list] : hello", "hello", true },
		{ "[list] Re: hello", "hello", true },
		{ "[list] hello", "hello", false },
		{ "[list] [bug 1] hello", "hello", false },
		{ "[list]", "[list]", false },
		{ "Re: [list]", "[list]", true },
		{ "hello (fwd)", "hello", true },
		{ "hello (FWD) (fwd) ", "hello", true },
		{ "[fwd: hello]", "hello", true },
		{ "[Fwd: Re: hello (fwd)]", "hello", true },
		{ "[fwd: [fwd: hello]]", "hello", true },
		{ "[fwd: hello", "[fwd: hello", false },
		{ "Reply: x", "Reply: x", false },
		{ "Re", "Re", false },
		{ "Re:", "", true },
		{ "[a[b] x", "[a[b] x", false },
		{ "=?utf-8?Q?Re=3A_=C3=A4?=", "\xc3\xa4", true },
		{ "Re: =?utf-8?Q?a?=\r\n =?utf-8?Q?b?=", "ab", true },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf	out = BUF_INIT;

		CHECK(sortkey_subject(&out, slice_of(rows[i].in)) ==
		    rows[i].reply, i);
		CHECK_TEXT(buf_slice(&out), rows[i].want, i);
		buf_free(&out);
	}
}

/* subjects made to be slow */
TEST(sortkey_subject_hostile)
{
	static const char *const parts[] = { "[a]", "[", "re:", "(fwd)",
		"[fwd:", " ", "re[", "=?utf-8?Q?[a]?= " };

	for (size_t i = 0; i < COUNT(parts); i++) {
		struct buf	in = BUF_INIT, out = BUF_INIT;

		while (in.len < 1 << 20)
			buf_add_text(&in, parts[i]);
		(void)sortkey_subject(&out, buf_slice(&in));
		CHECK(out.len <= 2048, i);
		buf_free(&in);
		buf_free(&out);
	}
}

TEST(sortkey_addresses)
{
	static const struct { const char *to, *mailbox, *display; } rows[] = {
		{ "", "", "" },
		{ "a@b", "a", "a@b" },
		{ "Joe Doe <a@b>, c@d", "a", "Joe Doe" },
		{ "=?utf-8?Q?J=C3=B6?= <a@b>", "a", "J\xc3\xb6" },
		{ "Team: x@y;, c@d", "Team", "x@y" },
		{ "nobody:;", "nobody", "nobody" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena	a = ARENA_INIT;
		struct buf	out = BUF_INIT;
		struct envelope	e;

		envelope_from_header(arena_printf(&a, "To: %s\r\n\r\n",
		    rows[i].to), &a, &e);
		sortkey_mailbox(&out, &e.list[ENVELOPE_TO]);
		CHECK_TEXT(buf_slice(&out), rows[i].mailbox, i);
		buf_reset(&out);
		sortkey_display(&out, &e.list[ENVELOPE_TO]);
		CHECK_TEXT(buf_slice(&out), rows[i].display, i);
		buf_free(&out);
		arena_free(&a);
	}
}

TEST(sortkey_fold)
{
	struct buf	a = BUF_INIT, b = BUF_INIT;

	sortkey_fold(&a, S("Stra\xc3\x9f" "e \xc3\x84_x"));
	sortkey_fold(&b, S("STRA\xc3\x9f" "E \xc3\xa4_X"));
	CHECK_SLICE(buf_slice(&a), buf_slice(&b), 0);
	buf_free(&a);
	buf_free(&b);
}
