/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "libutil/cursor.h"
#include "libutil/utf8.h"

TEST(utf8_validate)
{
	static const struct {
		struct slice in; size_t valid; size_t length;
	} cases[] = {
		{ S_INIT(""), 0, 0 }, { S_INIT("plain"), 5, 5 },
		{ S_INIT("\0\x7f"), 2, 2 },
		{ S_INIT("\xc2\x80"), 2, 1 }, { S_INIT("\xdf\xbf"), 2, 1 },
		{ S_INIT("\xe0\xa0\x80"), 3, 1 }, { S_INIT("\xef\xbf\xbf"), 3, 1 },
		{ S_INIT("\xf0\x90\x80\x80"), 4, 1 },
		{ S_INIT("\xf4\x8f\xbf\xbf"), 4, 1 },		/* the last one */
		{ S_INIT("12345678\xc3\xbc" "12345678"), 18, 17 },
		{ S_INIT("12345678\xff" "12345678"), 8, 17 },
		{ S_INIT("\x80"), 0, 1 }, { S_INIT("a\xbf"), 1, 2 },
		{ S_INIT("\xc0\x80"), 0, 2 }, { S_INIT("\xc1\xbf"), 0, 2 },
		{ S_INIT("\xe0\x9f\xbf"), 0, 3 },		/* overlong */
		{ S_INIT("\xf0\x8f\xbf\xbf"), 0, 4 },
		{ S_INIT("\xed\xa0\x80"), 0, 3 }, { S_INIT("\xed\xbf\xbf"), 0, 3 },
		{ S_INIT("\xed\x9f\xbf"), 3, 1 },
		{ S_INIT("\xf4\x90\x80\x80"), 0, 4 },		/* too large */
		{ S_INIT("\xf5\x80\x80\x80"), 0, 4 }, { S_INIT("\xff"), 0, 1 },
		{ S_INIT("\xc3"), 0, 1 }, { S_INIT("\xe2\x82"), 0, 2 },
		{ S_INIT("\xc3\x28"), 0, 2 }, { S_INIT("\xe2\x28\xa1"), 0, 3 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		CHECK_INT((int)utf8_valid_prefix(cases[i].in),
		    (int)cases[i].valid, i);
		CHECK_INT(utf8_is_valid(cases[i].in),
		    cases[i].valid == cases[i].in.len, i);
		CHECK_INT((int)utf8_length(cases[i].in), (int)cases[i].length, i);
	}
	CHECK(utf8_is_ascii(S("0123456789\x7f")), 0);
	CHECK(!utf8_is_ascii(S("01234567\x80")), 1);
}

TEST(utf8_round_trip)		/* every character there is */
{
	struct buf out = BUF_INIT;
	struct cursor c;
	uint32_t got = 0;

	for (uint32_t ch = 0; ch <= 0x110000; ch++) {
		bool is = ch <= 0x10ffff && (ch < 0xd800 || ch > 0xdfff);

		buf_reset(&out);
		utf8_encode(&out, ch);
		c = cursor_over(buf_slice(&out));
		if (utf8_decode(&c, &got) < 0 || !cursor_at_end(&c) ||
		    got != (is ? ch : UTF8_REPLACEMENT))
			CHECK(false, ch);
	}
	CHECK_INT(utf8_decode(&c, &got), -EBADMSG, 0);	/* at its end */
	buf_free(&out);
}

TEST(utf8_cut)
{
	static const struct { struct slice in; size_t max, want; } cases[] = {
		{ S_INIT("abc"), 3, 3 }, { S_INIT("abc"), 2, 2 },
		{ S_INIT("a\xc3\xbc"), 2, 1 }, { S_INIT("a\xc3\xbc"), 3, 3 },
		{ S_INIT("\xf0\x9f\x98\x80x"), 3, 0 },
		{ S_INIT("\xf0\x9f\x98\x80x"), 4, 4 },
		{ S_INIT("\x80\x80\x80\x80\x80\x80"), 5, 5 },	/* no UTF-8 */
		{ S_INIT("abc"), 0, 0 }, { S_INIT(""), 0, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_INT((int)utf8_cut(cases[i].in, cases[i].max).len,
		    (int)cases[i].want, i);
}
