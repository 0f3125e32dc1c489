/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "libmail/imap_format.h"
#include "libmail/imap_mailbox.h"

TEST(imap_utf7)
{
	static const struct { const char *wire, *utf8; } cases[] = {
		{ "", "" },
		{ "INBOX", "INBOX" },
		{ "a&-b", "a&b" },
		{ "&AOk-", "\303\251" },
		{ "~peter/mail/&U,BTFw-/&ZeVnLIqe-", /* RFC 3501 5.1.3 */
		    "~peter/mail/\345\217\260\345\214\227/"
		    "\346\227\245\346\234\254\350\252\236" },
		{ "&2D3eAA-", "\360\237\230\200" },
		{ "&AOk-&-", "\303\251&" },
		{ "&AOk-x&AOk-", "\303\251x\303\251" },
	};
	struct arena	a = ARENA_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice	got;
		struct buf	b = BUF_INIT;

		if (CHECK_INT(imap_utf7_decode(&a, slice_of(cases[i].wire),
		    &got), 0, i) == 0)
			CHECK_TEXT(got, cases[i].utf8, i);
		imap_utf7_encode(&b, slice_of(cases[i].utf8));
		CHECK_TEXT(buf_slice(&b), cases[i].wire, i);
		buf_free(&b);
	}
	arena_free(&a);
}

TEST(imap_utf7_refuses)
{
	static const char *const cases[] = {
		"a&b", "&", "&AOk", "&AOk-&AOk-", "&AGE-", "&AO-", "&AOl-",
		"&2D0-", "&3gA-", "\303\251", "a\tb", "&/AAA-", "&AA-",
	};
	struct arena	a = ARENA_INIT;
	struct slice	got;

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_INT(imap_utf7_decode(&a, slice_of(cases[i]), &got),
		    -EBADMSG, i);
	arena_free(&a);
}

TEST(imap_utf7_encode_repairs)
{
	struct buf	b = BUF_INIT;

	imap_utf7_encode(&b, S("a\377b"));
	CHECK_TEXT(buf_slice(&b), "a&,,0-b", 0);
	buf_free(&b);
}

TEST(imap_match)
{
	static const struct {
		const char *pattern, *name;
		bool want;
	} cases[] = {
		{ "*", "a/b/c", true },
		{ "*", "", true },
		{ "%", "a", true },
		{ "%", "a/b", false },
		{ "%/%", "a/b", true },
		{ "%/%", "a/b/c", false },
		{ "a*c", "a/b/c", true },
		{ "a%c", "a/b/c", false },
		{ "*%", "a/b", true },
		{ "%*", "a/b", true },
		{ "*b%", "a/bb/bc", true },
		{ "*/%x", "a/bx/cx", true },
		{ "*/%x", "a/b/c", false },
		{ "INBOX", "INBOX", true },
		{ "INBOX", "INBOXES", false },
		{ "", "", true },
		{ "", "a", false },
		{ "%a%b%", "xaybz", true },
		{ "%a%b%", "xa/b", false },
		{ "*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaa", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK(imap_match(slice_of(cases[i].pattern),
		    slice_of(cases[i].name)) == cases[i].want, i);
}

/* the definition, without cleverness */
static bool
match_plain(const char *p, const char *n)
{
	if (*p == '\0')
		return *n == '\0';
	if (*p == '*' || *p == '%') {
		if (match_plain(p + 1, n))
			return true;
		return *n != '\0' && (*p == '*' || *n != '/') &&
		    match_plain(p, n + 1);
	}
	return *p == *n && match_plain(p + 1, n + 1);
}

TEST(imap_match_all_short_ones)
{
	static const char letters[] = "a/*%";
	char	pattern[7] = "", name[7] = "";
	size_t	matches = 0;

	for (unsigned i = 0; i < 4096; i++)
		for (unsigned j = 0; j < 128; j++) {
			size_t	plen = i % 7 > 6 ? 6 : i % 7, nlen = 0;

			for (size_t k = 0; k < plen; k++)
				pattern[k] = letters[i >> (2 * k) & 3];
			pattern[plen] = '\0';
			for (unsigned k = j; k > 1; k >>= 1)
				name[nlen++] = letters[k & 1];
			name[nlen] = '\0';
			if (imap_match(slice_of(pattern), slice_of(name)) !=
			    match_plain(pattern, name))
				test_fail(__FILE__, __LINE__, i, "%s on %s",
				    pattern, name);
			matches += match_plain(pattern, name);
		}
	CHECK(matches > 1000, matches);
}

TEST(imap_mailbox_fault)
{
	static const struct { const char *name; bool ok; } cases[] = {
		{ "a", true }, { "a/b c", true }, { "a//b", false },
		{ "/a", false }, { "a/", false }, { "", false },
		{ "a*", false }, { "a/%", false },
		{ "1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/"
		    "0/1/2", true },
		{ "1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/"
		    "0/1/2/3", false },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK((imap_mailbox_fault(slice_of(cases[i].name)) == NULL) ==
		    cases[i].ok, i);
}

TEST(imap_format_strings)
{
	static const struct {
		struct slice in;
		const char *string, *astring;
	} cases[] = {
		{ S_INIT(""),		"\"\"",		"\"\"" },
		{ S_INIT("abc"),	"\"abc\"",	"abc" },
		{ S_INIT("a b"),	"\"a b\"",	"\"a b\"" },
		{ S_INIT("a\"\\"),	"\"a\\\"\\\\\"", "\"a\\\"\\\\\"" },
		{ S_INIT("a\r\nb"),	"{4}\r\na\r\nb", "{4}\r\na\r\nb" },
		{ S_INIT("\303\251"),	"{2}\r\n\303\251", "{2}\r\n\303\251" },
		{ S_INIT("a\0b\0"),	"{4}\r\na b ",	"{4}\r\na b " },
		{ S_INIT("nil"),	"\"nil\"",	"\"nil\"" },
		{ S_INIT("a]"),		"\"a]\"",	"a]" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf	b = BUF_INIT;

		imap_format_string(&b, cases[i].in);
		CHECK_TEXT(buf_slice(&b), cases[i].string, i);
		buf_reset(&b);
		imap_format_astring(&b, cases[i].in);
		CHECK_TEXT(buf_slice(&b), cases[i].astring, i);
		buf_free(&b);
	}
}
