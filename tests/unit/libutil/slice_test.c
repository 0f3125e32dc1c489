/* SPDX-License-Identifier: ISC */
#include "test.h"

TEST(slice_to_u64)
{
	static const struct { const char *in; uint64_t max; int want; uint64_t v; } cases[] = {
		{ "0", 10, 0, 0 },
		{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, -ERANGE, 0 },
		{ "11", 10, -ERANGE, 0 },
		{ "", 10, -EBADMSG, 0 },
		{ "-1", 10, -EBADMSG, 0 },
		{ "1 ", 10, -EBADMSG, 0 },
	};
	uint64_t v;

	for (size_t i = 0; i < COUNT(cases); i++) {
		v = 0;
		CHECK_INT(slice_to_u64(slice_of(cases[i].in), cases[i].max, &v),
		    cases[i].want, i);
		CHECK(v == cases[i].v, i);
	}
}

TEST(slice_words)
{
	struct slice rest = S(" a, bc\t,,d "), w;
	static const char *want[] = { "a", "bc", "d" };
	size_t n = 0;

	while (slice_next_word(&rest, ", \t", &w)) {
		CHECK(n < COUNT(want), n);
		CHECK_TEXT(w, want[n], n);
		n++;
	}
	CHECK_INT(n, 3, 0);
}

TEST(slice_trim_and_affixes)
{
	CHECK_TEXT(slice_trim(S(" \r\n x y \t")), "x y", 0);
	CHECK_TEXT(slice_trim(S("   ")), "", 1);
	CHECK(slice_has_prefix_nocase(S("MAIL FROM"), S("mail ")), 0);
	CHECK(!slice_has_suffix(S("b"), S("ab")), 1);
	CHECK(slice_find_slice(S("abcabd"), S("abd")) == 3, 2);
	CHECK(slice_find_slice(S("ab"), S("abc")) == SLICE_NONE, 3);
}
