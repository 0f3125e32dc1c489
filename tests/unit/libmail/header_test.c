/* SPDX-License-Identifier: ISC */
#include "libmail/header.h"

#include "test.h"

TEST(header_id_of)
{
	static const struct { const char *in; enum header_id want; } rows[] = {
		{ "From", HEADER_FROM },
		{ "fRoM", HEADER_FROM },
		{ "Subject \t", HEADER_SUBJECT },
		{ "Message-Id", HEADER_MESSAGE_ID },
		{ "Fron", HEADER_OTHER },
		{ "Fro", HEADER_OTHER },
		{ "X-Foo", HEADER_OTHER },
		{ "", HEADER_OTHER },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		CHECK_INT(header_id_of(slice_of(rows[i].in)), rows[i].want, i);
	for (size_t i = 0; i < HEADER_ID_COUNT; i++)
		CHECK_INT(header_id_of(header_name_of((enum header_id)i)),
		    (long long)i, i);
	CHECK_TEXT(header_name_of(HEADER_OTHER), "", 0);
}

/* each field as name=raw value|, then what is left */
TEST(header_next)
{
	static const struct { const char *in, *want; } rows[] = {
		{ "", "" },
		{ "A: b\r\n\r\nbody", "A= b\r\n|~body" },
		{ "A: b\r\n c\r\n\td\r\nE:f\r\n\r\n", "A= b\r\n c\r\n\td\r\n|E=f\r\n|~" },
		{ "A : b\r\n", "A= b\r\n|~" },
		{ "A:", "A=|~" },
		{ "A:\r\n \r\nB: c\r\n\r\n", "A=\r\n \r\n|B= c\r\n|~" },
		{ "A: b\nC: d\n\nbody", "A= b\n|C= d\n|~body" },
		{ "\r\nbody", "~body" },
		{ "\r", "~\r" },
		{ " A: b\r\n", "~ A: b\r\n" },
		{ "A: b\r\nno field\r\n", "A= b\r\n|~no field\r\n" },
		{ "A: b\r\nn\xc3\xb6: x\r\n", "A= b\r\n|~n\xc3\xb6: x\r\n" },
		{ ": x\r\n", "~: x\r\n" },
		{ "From a@b Tue Feb  3 04:05:06 2026\r\nA: b\r\n\r\n",
		    "A= b\r\n|~" },
		{ ">From a@b Tue Feb  3 04:05:06 2026\r\n more\r\nA: b\r\n",
		    "A= b\r\n|~" },
		{ "From a@b Tue Feb  3 04:05:06 2026\r\n", "~" },
		{ "A: b\r\nFrom here on: text\r\n",
		    "A= b\r\n|~From here on: text\r\n" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cursor		c = cursor_over(slice_of(rows[i].in));
		struct header_field	f;
		struct buf		out = BUF_INIT;

		while (header_next(&c, &f)) {
			buf_add(&out, f.name);
			buf_add_byte(&out, '=');
			buf_add(&out, f.value);
			buf_add_byte(&out, '|');
		}
		if (rows[i].in[0] != '\0')
			buf_add_byte(&out, '~');
		buf_add(&out, cursor_rest(&c));
		CHECK_TEXT(buf_slice(&out), rows[i].want, i);
		CHECK_INT((long long)header_length(slice_of(rows[i].in)),
		    (long long)(slice_of(rows[i].in).len - cursor_left(&c)), i);
		buf_free(&out);
	}
}

TEST(header_find)
{
	struct slice		h = S("To: a\r\nX-Foo: b\r\nto: c\r\n\r\nCc: d");
	struct header_field	f;

	CHECK(header_find(h, HEADER_TO, &f), 0);
	CHECK_TEXT(f.raw, "To: a\r\n", 0);
	CHECK(header_find_name(h, S("x-foo"), &f), 0);
	CHECK_TEXT(f.value, " b\r\n", 0);
	CHECK(!header_find(h, HEADER_CC, &f), 0);
	CHECK(!header_find_name(h, S("x-fo"), &f), 0);
}

TEST(header_unfold)
{
	static const struct { const char *in, *want; } rows[] = {
		{ " a\r\n b\r\n", "a b" },
		{ " a\r\n\tb \r\n", "a\tb" },
		{ "\r\n a", "a" },
		{ "", "" },
		{ " \r\n", "" },
		{ "a\n b\rc", "a bc" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf	out = BUF_INIT;
		struct arena	a = ARENA_INIT;
		struct slice	s;

		header_unfold(&out, slice_of(rows[i].in));
		CHECK_TEXT(buf_slice(&out), rows[i].want, i);
		s = header_unfold_in(&a, slice_of(rows[i].in));
		CHECK_TEXT(s, rows[i].want, i);
		CHECK(s.data != NULL, i);
		buf_free(&out);
		arena_free(&a);
	}
	{
		struct buf	out = BUF_INIT;

		header_unfold(&out, S("a\0b"));
		CHECK_TEXT(buf_slice(&out), "a?b", 0);
		buf_free(&out);
	}
}

TEST(header_message_ids)
{
	static const struct { const char *in, *want; } rows[] = {
		{ "<a@b>", "a@b," },
		{ " <a@b>\r\n <c@d><e@f>\r\n", "a@b,c@d,e@f," },
		{ "your mail of Monday <a@b> (hello)", "a@b," },
		{ "<lo\r\n ng@id>", "long@id," },
		{ "<a <b@c>", "b@c," },
		{ "<> < > <a", "" },
		{ "a@b", "" },
		{ "", "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena	a = ARENA_INIT;
		struct buf	out = BUF_INIT;
		struct slice	ids[8];
		size_t		n = header_message_ids(slice_of(rows[i].in),
		    &a, COUNT(ids), ids);

		for (size_t k = 0; k < n; k++) {
			buf_add(&out, ids[k]);
			buf_add_byte(&out, ',');
		}
		CHECK_TEXT(buf_slice(&out), rows[i].want, i);
		buf_free(&out);
		arena_free(&a);
	}
	{
		struct arena	a = ARENA_INIT;
		struct slice	ids[2];

		CHECK_INT((long long)header_message_ids(S("<a><b><c>"), &a, 2,
		    ids), 2, 0);
		arena_free(&a);
	}
}

TEST(header_select)
{
	struct slice	h = S("To: a\r\n b\r\nFROM: c\r\nSubject: d\r\nto:e\r\n\r\n");
	struct slice	names[2] = { S_INIT("to"), S_INIT("Subject") };
	struct buf	out = BUF_INIT;

	header_select(&out, h, names, 2);
	CHECK_TEXT(buf_slice(&out),
	    "To: a\r\n b\r\nSubject: d\r\nto:e\r\n\r\n", 0);
	buf_reset(&out);
	header_select_not(&out, h, names, 2);
	CHECK_TEXT(buf_slice(&out), "FROM: c\r\n\r\n", 1);
	buf_reset(&out);
	header_select(&out, h, names, 0);
	CHECK_TEXT(buf_slice(&out), "\r\n", 2);
	buf_reset(&out);
	/* no empty line in it: none comes out (RFC 3501 6.4.5) */
	header_select(&out, S("To: a\r\nCc: b\r\n"), names, 2);
	CHECK_TEXT(buf_slice(&out), "To: a\r\n", 3);
	buf_free(&out);
}
