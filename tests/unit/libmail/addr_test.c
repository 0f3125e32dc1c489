/* SPDX-License-Identifier: ISC */
#include "libmail/addr.h"
#include "libutil/arena.h"
#include "libutil/buf.h"
#include "libutil/cursor.h"
#include "test.h"

#define N64 "a23456789b123456789c123456789d123456789e123456789f123456789g1234"

enum {
	NUL = ADDR_MAY_BE_NULL,
	PM = ADDR_MAY_BE_POSTMASTER,
	BARE = ADDR_MAY_LACK_DOMAIN,
	U = ADDR_UTF8,
	E = ADDR_LENIENT,
};

TEST(addr_parse_path)
{
	static const struct {
		const char *in; unsigned flags; int want; const char *local,
		    *domain, *format;
	} cases[] = {
		{ "<a@example.org>", 0, 0, "a", "example.org", "a@example.org" },
		{ "<A.b+c@Example.ORG>", 0, 0, "A.b+c", "example.org",
		    "A.b+c@Example.ORG" },
		{ "<>", NUL, 0, "", "", "" },
		{ "<>", 0, -EBADMSG },
		{ "<postmaster>", PM, 0, "postmaster", "", "postmaster" },
		{ "<PostMaster>", PM, 0, "PostMaster", "", "PostMaster" },
		{ "<root>", PM, -EBADMSG },
		{ "<root>", BARE, 0, "root", "", "root" },
		{ "<\"\">", BARE, -EBADMSG },
		{ "<\"\"@example.org>", 0, 0, "", "example.org",
		    "\"\"@example.org" },
		/* source routes are read and dropped (RFC 5321 4.1.1.3) */
		{ "<@a.example,@b.example:c@d.example>", 0, 0, "c", "d.example",
		    "c@d.example" },
		{ "<@[192.0.2.1],@[IPv6:::1]:c@d.example>", 0, 0, "c",
		    "d.example", "c@d.example" },
		{ "<@a.example:>", 0, -EBADMSG },
		{ "<@a.example c@d.example>", 0, -EBADMSG },
		{ "<@:c@d.example>", 0, -EBADMSG },
		{ "<@a.example>", 0, -EBADMSG },
		/* quotes */
		{ "<\"a b\"@example.org>", 0, 0, "a b", "example.org",
		    "\"a b\"@example.org" },
		{ "<\"abc\"@example.org>", 0, 0, "abc", "example.org",
		    "abc@example.org" },
		{ "<\"a\\\"b\\\\c\"@example.org>", 0, 0, "a\"b\\c", "example.org",
		    "\"a\\\"b\\\\c\"@example.org" },
		{ "<\"a@b\"@example.org>", 0, 0, "a@b", "example.org",
		    "\"a@b\"@example.org" },
		{ "<\">\"@example.org>", 0, 0, ">", "example.org",
		    "\">\"@example.org" },
		{ "<\"a\\\xc3\xa4\"@example.org>", U, 0, "a\xc3\xa4",
		    "example.org", "a\xc3\xa4@example.org" },
		{ "<\"a@example.org>", 0, -EBADMSG },
		{ "<\"a\\", 0, -EBADMSG },
		{ "<\"a\tb\"@example.org>", E, -EBADMSG },
		{ "<\"a\rb\"@example.org>", E, -EBADMSG },
		{ "<a\"b\"@example.org>", E, -EBADMSG },
		/* dots */
		{ "<.a@example.org>", 0, -EBADMSG },
		{ "<a..b@example.org>", 0, -EBADMSG },
		{ "<a.@example.org>", 0, -EBADMSG },
		{ "<a..b.@example.org>", E, 0, "a..b.", "example.org",
		    "\"a..b.\"@example.org" },
		/* literals */
		{ "<a@[192.0.2.1]>", 0, 0, "a", "[192.0.2.1]", "a@[192.0.2.1]" },
		{ "<a@[IPv6:2001:DB8::1]>", 0, 0, "a", "[IPv6:2001:db8::1]",
		    "a@[IPv6:2001:DB8::1]" },
		{ "<a@[192.0.2.1>", 0, -EBADMSG },
		{ "<a@[>]>", 0, -EBADMSG },
		/* Unicode */
		{ "<j\xc3\xb6rg@b\xc3\xbc" "cher.example>", U, 0, "j\xc3\xb6rg",
		    "xn--bcher-kva.example", "j\xc3\xb6rg@b\xc3\xbc" "cher.example" },
		{ "<j\xc3\xb6rg@example.org>", 0, -EOPNOTSUPP },
		{ "<j\xf6rg@example.org>", U, -EILSEQ },
		{ "<j\xf6rg@example.org>", 0, -EILSEQ },
		/* what is broken */
		{ "", E, -EBADMSG },
		{ "<", E, -EBADMSG },
		{ "<a@example.org", E, -EBADMSG },
		{ "<a@>", E, -EBADMSG },
		{ "<a@b@c>", E, -EBADMSG },
		{ "<a@example.org.>", 0, -EBADMSG },
		{ "<a b@example.org>", E, -EBADMSG },
		{ "<<a@example.org>>", E, -EBADMSG },
		{ "<a,b@example.org>", E, -EBADMSG },
		{ "<a@exa\rmple.org>", E, -EBADMSG },
		{ "<a@exa_mple.org>", 0, -EBADMSG },
		/* what is only accepted while parsing is lenient */
		{ "a@example.org", 0, -EBADMSG },
		{ "a@example.org", E, 0, "a", "example.org", "a@example.org" },
		{ "< a@example.org >", 0, -EBADMSG },
		{ "< a@example.org >", E, 0, "a", "example.org", "a@example.org" },
		{ "< >", E | NUL, 0, "", "", "" },
		{ "<a@exa_mple.org.>", E, 0, "a", "exa_mple.org",
		    "a@exa_mple.org" },
		{ "\"a b\"@example.org", E, 0, "a b", "example.org",
		    "\"a b\"@example.org" },
		/* limits (RFC 5321 4.5.3.1) */
		{ "<" N64 "@example.org>", 0, 0, N64, "example.org",
		    N64 "@example.org" },
		{ "<" N64 "5@example.org>", 0, -EMSGSIZE },
		{ "<" N64 "5@example.org>", E, 0, N64 "5", "example.org",
		    N64 "5@example.org" },
		{ "<" N64 N64 N64 N64 "@example.org>", E, -EMSGSIZE },
		{ "<@" N64 "." N64 "." N64 "." N64 ":c@d.example>", 0,
		    -EMSGSIZE },
	};
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice in = slice_of(cases[i].in);
		struct cursor c = cursor_over(in);
		struct addr addr = ADDR_INIT;

		if (CHECK_INT(addr_parse_path(&c, &a, cases[i].flags, &addr),
		    cases[i].want, i) < 0) {
			CHECK(cursor_left(&c) == in.len, i);
			continue;
		}
		CHECK(cursor_at_end(&c), i);
		CHECK_TEXT(addr.local, cases[i].local, i);
		CHECK_TEXT(addr.domain.name, cases[i].domain, i);
		buf_reset(&b);
		addr_format(&b, &addr);
		CHECK_TEXT(buf_slice(&b), cases[i].format, i);
		arena_reset(&a);
	}
	arena_free(&a);
	buf_free(&b);
}

TEST(addr_path_leaves_the_rest)
{
	struct arena a = ARENA_INIT;
	struct cursor c = cursor_over(S("<a@b.example> SIZE=1"));
	struct addr addr;

	CHECK_INT(addr_parse_path(&c, &a, 0, &addr), 0, 0);
	CHECK_TEXT(cursor_rest(&c), " SIZE=1", 0);
	c = cursor_over(S("a@b.example SIZE=1"));
	CHECK_INT(addr_parse_path(&c, &a, E, &addr), 0, 1);
	CHECK_TEXT(cursor_rest(&c), " SIZE=1", 1);
	arena_free(&a);
}

TEST(addr_parse)
{
	static const struct { const char *in; unsigned flags; int want; } cases[] = {
		{ "a@example.org", 0, 0 },
		{ "", NUL, 0 },
		{ "", 0, -EBADMSG },
		{ "<a@example.org>", 0, -EBADMSG },
		{ "a@example.org ", 0, -EBADMSG },
		{ "root", BARE, 0 },
		{ "a@", BARE, -EBADMSG },
	};
	struct arena a = ARENA_INIT;
	struct addr addr;

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_INT(addr_parse(slice_of(cases[i].in), &a, cases[i].flags,
		    &addr), cases[i].want, i);
	arena_free(&a);
}

TEST(addr_quotes_count_against_the_limit)
{
	struct arena a = ARENA_INIT;
	struct domain d = DOMAIN_INIT;
	struct addr addr = ADDR_INIT;
	char quotes[300];

	memset(quotes, '"', sizeof(quotes));
	CHECK_INT(domain_parse(S("example.org"), &a, 0, &d), 0, 0);
	CHECK_INT(addr_make(&a, slice_over(quotes, 249), &d, &addr), 0, 1);
	CHECK_INT(addr.text.len, 249 * 2 + 2 + 1 + 11, 1);
	CHECK_INT(addr_make(&a, slice_over(quotes, 250), &d, &addr), -EMSGSIZE, 2);
	CHECK_INT(addr_make(&a, S("a\r\nb"), &d, &addr), -EBADMSG, 3);
	CHECK_INT(addr_make(&a, S("a b"), &d, &addr), 0, 4);
	CHECK_TEXT(addr.text, "\"a b\"@example.org", 4);
	arena_free(&a);
}

TEST(addr_compare_and_keys)
{
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT;
	struct addr x, y;

	CHECK_INT(addr_parse(S("\"Abc\"@EXAMPLE.org"), &a, 0, &x), 0, 0);
	CHECK_INT(addr_parse(S("Abc@example.ORG"), &a, 0, &y), 0, 0);
	CHECK(addr_equal(&x, &y), 0);
	CHECK_TEXT(addr_lookup_key(&a, &x), "abc@example.org", 0);
	CHECK_INT(addr_parse(S("abc@example.org"), &a, 0, &y), 0, 1);
	CHECK(!addr_equal(&x, &y), 1);		/* local parts have case */
	CHECK(!addr_needs_utf8(&y), 1);

	CHECK_INT(addr_parse(S("\xc3\x96@B\xc3\xbc" "cher.example"), &a, U, &x),
	    0, 2);
	CHECK(addr_needs_utf8(&x), 2);
	CHECK_TEXT(addr_lookup_key(&a, &x), "\xc3\xb6@xn--bcher-kva.example", 2);
	CHECK_INT(addr_parse(S("x@B\xc3\xbc" "cher.example"), &a, U, &x), 0, 3);
	CHECK(!addr_needs_utf8(&x), 3);
	addr_format_ascii(&b, &x);
	CHECK_TEXT(buf_slice(&b), "x@xn--bcher-kva.example", 3);
	arena_free(&a);
	buf_free(&b);
}

TEST(addr_fold)
{
	static const struct { const char *in, *want; } cases[] = {
		{ "abc", "abc" },
		{ "ABC.x", "abc.x" },
		{ "\xc3\x84\xc3\x97\xc3\x9f", "\xc3\xa4\xc3\x97\xc3\x9f" },
		{ "\xc4\xb0\xc4\xb1", "\xc4\xb0\xc4\xb1" },	/* Turkish I */
		{ "\xc5\xb8\xc5\xbd", "\xc3\xbf\xc5\xbe" },
		{ "\xce\x86\xce\xa9", "\xce\xac\xcf\x89" },
		{ "\xd0\x81\xd0\x96\xd0\xaf", "\xd1\x91\xd0\xb6\xd1\x8f" },
		{ "\xe1\xba\xa0", "\xe1\xba\xa1" },
		{ "\xe6\x97\xa5", "\xe6\x97\xa5" },
		{ "\xf0\x9f\x98\x80" "A", "\xf0\x9f\x98\x80" "a" },
	};
	struct arena a = ARENA_INIT;

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_TEXT(addr_fold(&a, slice_of(cases[i].in)), cases[i].want, i);
	arena_free(&a);
}

TEST(addr_split)
{
	static const struct {
		const char *in, *set; const char *user; char delimiter;
		const char *extension;
	} cases[] = {
		{ "user+ext", "+", "user", '+', "ext" },
		{ "user+a+b", "+", "user", '+', "a+b" },
		{ "user-a+b", "+-", "user", '-', "a+b" },
		{ "user+a-b", "+-", "user", '+', "a-b" },
		{ "user", "+", "user", '\0', "" },
		{ "user+", "+", "user", '+', "" },
		{ "+ext", "+", "+ext", '\0', "" },
		{ "user+ext", "", "user+ext", '\0', "" },
		{ "postmaster+x", "+", "postmaster", '+', "x" },
		{ "mailer-daemon", "-", "mailer-daemon", '\0', "" },
		{ "MAILER-DAEMON", "-", "MAILER-DAEMON", '\0', "" },
		{ "double-bounce", "-", "double-bounce", '\0', "" },
		{ "owner-list", "-", "owner-list", '\0', "" },
		{ "list-request", "-", "list-request", '\0', "" },
		{ "owner-list+x", "+", "owner-list", '+', "x" },
		{ "-request", "-", "-request", '\0', "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct addr_delimiters d = { slice_of(cases[i].set), true,
		    S("double-bounce") };
		struct addr_parts p = addr_split(slice_of(cases[i].in), &d);

		CHECK_TEXT(p.user, cases[i].user, i);
		CHECK_INT(p.delimiter, cases[i].delimiter, i);
		CHECK_TEXT(p.extension, cases[i].extension, i);
	}
	CHECK_TEXT(addr_split(S("owner-x"), &(struct addr_delimiters){ S("-"),
	    false, SLICE_EMPTY }).user, "owner", 0);
}

TEST(addr_format_name)
{
	static const struct { const char *in, *want; } cases[] = {
		{ "Ann Smith", "Ann Smith" },
		{ "Ann Q. Smith", "\"Ann Q. Smith\"" },
		{ "A \"B\" \\C", "\"A \\\"B\\\" \\\\C\"" },
		{ "Smith, Ann", "\"Smith, Ann\"" },
		{ "a\r\nb", "\"ab\"" },
		{ "", "\"\"" },
		{ "a  b", "\"a  b\"" },
		{ "a ", "\"a \"" },
	};
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_reset(&b);
		addr_format_name(&b, slice_of(cases[i].in));
		CHECK_TEXT(buf_slice(&b), cases[i].want, i);
	}
	buf_free(&b);
}
