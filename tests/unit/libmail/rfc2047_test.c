/* SPDX-License-Identifier: ISC */
#include "libmail/rfc2047.h"

#include "test.h"

TEST(rfc2047_decode)
{
	static const struct { const char *in, *want; } rows[] = {
		{ "", "" },
		{ "plain = text?", "plain = text?" },
		{ "=?utf-8?Q?a=C3=A4?=", "a\xc3\xa4" },
		{ "=?UTF-8?b?w6Q=?=", "\xc3\xa4" },
		{ "=?iso-8859-1?q?Keld_J=F8rn?= Simonsen",
		    "Keld J\xc3\xb8rn Simonsen" },
		/* RFC 2047 8 */
		{ "=?ISO-8859-1?Q?a?=", "a" },
		{ "=?ISO-8859-1?Q?a?= b", "a b" },
		{ "=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab" },
		{ "=?ISO-8859-1?Q?a?=   =?ISO-8859-1?Q?b?=", "ab" },
		{ "=?ISO-8859-1?Q?a_b?=", "a b" },
		{ "=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=",
		    "a =?ISO-8859-2?Q?_b?=" },
		/* a character cut in two */
		{ "=?utf-8?B?w6Q=?= =?utf-8?B?ww==?= =?utf-8?B?pA==?=",
		    "\xc3\xa4\xc3\xa4" },
		{ "=?utf-8?Q?=C3?= =?iso-8859-1?Q?=A4?=",
		    "\xef\xbf\xbd\xc2\xa4" },
		/* a language (RFC 2231 5) */
		{ "=?us-ascii*en?Q?hi?=", "hi" },
		{ "=?windows-1252?Q?=80?=", "\xe2\x82\xac" },
		{ "=?iso-8859-15?Q?=A4?=", "\xe2\x82\xac" },
		/* in the middle of a word, and blanks inside: both are seen */
		{ "x=?utf-8?Q?a b?=y", "xa by" },
		{ "=?utf-8?Q?a", "=?utf-8?Q?a" },
		{ "=?utf-8?X?a?=", "=?utf-8?X?a?=" },
		{ "=??Q?a?=", "=??Q?a?=" },
		{ "=?=?utf-8?Q?a?=", "=?a" },
		/* 8-bit text: UTF-8 as it is, else taken for Windows-1252 */
		{ "\xc3\xa4 =?utf-8?Q?b?=", "\xc3\xa4 b" },
		{ "\xe4", "\xc3\xa4" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf	out = BUF_INIT;

		rfc2047_decode(&out, slice_of(rows[i].in));
		CHECK_TEXT(buf_slice(&out), rows[i].want, i);
		buf_free(&out);
	}
}
