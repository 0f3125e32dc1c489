/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "libmail/imap_date.h"
#include "libmail/imap_seqset.h"

TEST(imap_seqset)
{
	static const struct {
		const char *in;
		uint32_t largest;
		const char *want;	/* resolved; NULL: refused */
		uint32_t top;
	} cases[] = {
		{ "1", 10, "1", 1 },
		{ "*", 10, "10", 10 },
		{ "2,4:7,9,12:*", 15, "2,4:7,9,12:15", 15 },
		{ "*:4,5:7", 10, "4:10", 10 },	/* RFC 3501 9 */
		{ "559:*", 7, "7:559", 559 },
		{ "4:2", 10, "2:4", 4 },
		{ "1,2,3", 10, "1:3", 3 },
		{ "3,1,2,7", 10, "1:3,7", 7 },
		{ "4294967295,1", 1, "1,4294967295", UINT32_MAX },
		{ "1:4294967295,5", 1, "1:4294967295", UINT32_MAX },
		{ "", 1, NULL, 0 },
		{ "0", 1, NULL, 0 },
		{ "1,", 1, NULL, 0 },
		{ "1:", 1, NULL, 0 },
		{ ",1", 1, NULL, 0 },
		{ "1:2:3", 1, NULL, 0 },
		{ "1 ", 1, NULL, 0 },
		{ "a", 1, NULL, 0 },
		{ "4294967296", 1, NULL, 0 },
	};
	struct arena	a = ARENA_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct imap_seqset set;
		struct buf	b = BUF_INIT;

		if (CHECK_INT(imap_seqset_parse(&a, slice_of(cases[i].in),
		    &set), cases[i].want == NULL ? -EBADMSG : 0, i) == 0) {
			imap_seqset_format(&b, &set);
			CHECK_TEXT(buf_slice(&b), cases[i].in, i);
			buf_reset(&b);
			CHECK_INT(imap_seqset_resolve(&set, cases[i].largest),
			    cases[i].top, i);
			imap_seqset_format(&b, &set);
			CHECK_TEXT(buf_slice(&b), cases[i].want, i);
		}
		buf_free(&b);
		arena_reset(&a);
	}
	arena_free(&a);
}

TEST(imap_seqset_has)
{
	struct arena	a = ARENA_INIT;
	struct imap_seqset set;

	CHECK_INT(imap_seqset_parse(&a, S("2,4:7,9,12:15"), &set), 0, 0);
	(void)imap_seqset_resolve(&set, 15);
	for (uint32_t n = 1; n < 20; n++)
		CHECK(imap_seqset_has(&set, n) == (n == 2 ||
		    (n >= 4 && n <= 7) || n == 9 || (n >= 12 && n <= 15)), n);
	arena_free(&a);
}

TEST(imap_setwriter)
{
	static const uint32_t numbers[] = { 1, 2, 3, 5, 7, 8 };
	struct buf	b = BUF_INIT;
	struct imap_setwriter w;

	imap_setwriter_begin(&w, &b);
	imap_setwriter_end(&w);
	CHECK_TEXT(buf_slice(&b), "", 0);
	for (size_t i = 0; i < COUNT(numbers); i++)
		imap_setwriter_add(&w, numbers[i]);
	imap_setwriter_end(&w);
	CHECK_TEXT(buf_slice(&b), "1:3,5,7:8", 0);
	buf_free(&b);
}

TEST(imap_moment)
{
	static const struct {
		const char *in;
		int64_t seconds;
		int zone;
		bool ok;
	} cases[] = {
		{ "\"17-Jul-1996 02:44:25 -0700\"", 837596665, -420, true },
		{ "\" 1-Jan-1970 00:00:00 +0000\"", 0, 0, true },
		{ "\"29-Feb-2024 23:59:59 +1345\"", 1709201699, 825, true },
		{ "\"31-Dec-1969 23:59:59 +0000\"", -1, 0, true },
		{ "\"01-Mar-0001 00:00:00 +0000\"", -62130499200, 0, true },
		{ "\"29-Feb-2023 00:00:00 +0000\"", 0, 0, false },
		{ "\"1-Jan-1970 00:00:00 +0000\"", 0, 0, false },
		{ "\" 1-Jan-1970 24:00:00 +0000\"", 0, 0, false },
		{ "\" 1-Jan-1970 00:00:00 0000\"", 0, 0, false },
		{ "\" 1-Jan-1970 00:00:00 +0060\"", 0, 0, false },
		{ "\" 0-Jan-1970 00:00:00 +0000\"", 0, 0, false },
		{ " 1-Jan-1970 00:00:00 +0000", 0, 0, false },
	};
	struct arena	a = ARENA_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct imap_segment s = { slice_of(cases[i].in), SLICE_EMPTY,
			false };
		struct imap_fault fault;
		struct imap_moment m;
		struct imap_lex l;
		struct buf	b = BUF_INIT;

		imap_lex_init(&l, &s, 1, &a, &fault);
		if (CHECK_INT(imap_lex_moment(&l, &m), cases[i].ok ? 0 :
		    -EBADMSG, i) == 0) {
			CHECK_INT(m.seconds, cases[i].seconds, i);
			CHECK_INT(m.zone, cases[i].zone, i);
			imap_format_moment(&b, m);
			CHECK_INT((long long)b.len, 28, i);
			if (cases[i].in[1] != '0')
				CHECK_TEXT(buf_slice(&b), cases[i].in, i);
		}
		buf_free(&b);
	}
	arena_free(&a);
}
