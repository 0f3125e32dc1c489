/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "libglobal/drop.h"

TEST(head)
{
	static const struct { uint32_t envelope; uint64_t content; int want; }
	    cases[] = {
		{ 0, 0, 0 },
		{ 1, 2, 0 },
		{ DROP_ENVELOPE_MAX, UINT64_MAX, 0 },
		{ DROP_ENVELOPE_MAX + 1, 0, -EBADMSG },
		{ UINT32_MAX, 0, -EBADMSG },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct drop_head h = { cases[i].envelope, cases[i].content };
		struct drop_head back = { 0, 0 };
		struct buf	 b = BUF_INIT;

		drop_format_head(&b, &h);
		CHECK_INT(b.len, DROP_HEAD_SIZE, i);
		if (CHECK_INT(drop_parse_head(buf_slice(&b), &back),
		    cases[i].want, i) == 0) {
			CHECK_INT(back.envelope, h.envelope, i);
			CHECK(back.content == h.content, i);
		}
		/* neither less nor more */
		CHECK_INT(drop_parse_head(slice_sub(buf_slice(&b), 0,
		    DROP_HEAD_SIZE - 1), &back), -EBADMSG, i);
		buf_add_byte(&b, 'x');
		CHECK_INT(drop_parse_head(buf_slice(&b), &back), -EBADMSG, i);
		buf_free(&b);
	}
}

TEST(names)
{
	static const struct { const char *name; bool is; } cases[] = {
		{ "0123456789abcdef", true },
		{ "0000000000000000", true },
		{ "0123456789abcde", false },
		{ "0123456789abcdef0", false },
		{ "0123456789abcdeF", false },
		{ "0123456789abcde/", false },
		{ "new.0123456789ab", false },
		{ "..", false },
		{ "", false },
		{ DROP_CORRUPT, false },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_INT(drop_is_name(slice_of(cases[i].name)), cases[i].is,
		    i);
}
