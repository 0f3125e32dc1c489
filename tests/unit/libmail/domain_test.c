/* SPDX-License-Identifier: ISC */
#include "libmail/domain.h"
#include "libmail/idna.h"
#include "libutil/arena.h"
#include "test.h"

#define L63 "a23456789b123456789c123456789d123456789e123456789f123456789g123"

TEST(domain_parse)
{
	enum { U = DOMAIN_UTF8, E = DOMAIN_LENIENT, L = DOMAIN_LITERAL };
	static const struct {
		const char *in; unsigned flags; int want; const char *name;
	} cases[] = {
		{ "example.org", 0, 0, "example.org" },
		{ "Mail.EXAMPLE.Org", 0, 0, "mail.example.org" },
		{ "localhost", 0, 0, "localhost" },
		{ "3com.com", 0, 0, "3com.com" },
		{ "192.0.2.1", 0, 0, "192.0.2.1" },
		{ "a-b.example", 0, 0, "a-b.example" },
		{ "", 0, -EBADMSG, NULL },
		{ ".", 0, -EBADMSG, NULL },
		{ ".", E, -EBADMSG, NULL },
		{ ".example.org", E, -EBADMSG, NULL },
		{ "example..org", E, -EBADMSG, NULL },
		{ "example.org.", 0, -EBADMSG, NULL },
		{ "example.org.", E, 0, "example.org" },
		{ "-a.example", E, -EBADMSG, NULL },
		{ "a-.example", E, -EBADMSG, NULL },
		{ "a_b.example", 0, -EBADMSG, NULL },
		{ "a_b.example", E, 0, "a_b.example" },
		{ "a b", E, -EBADMSG, NULL },
		{ "a@b", E, -EBADMSG, NULL },
		{ L63 ".example", 0, 0, L63 ".example" },
		{ L63 "4.example", 0, -EMSGSIZE, NULL },
		{ L63 "." L63 "." L63 "." L63, 0, 0, L63 "." L63 "." L63 "." L63 },
		{ L63 "." L63 "." L63 "." L63 ".a", 0, -EMSGSIZE, NULL },
		/* Unicode */
		{ "b\xc3\xbc" "cher.example", U, 0, "xn--bcher-kva.example" },
		{ "B\xc3\x9c" "CHER.example", U, 0, "xn--bcher-kva.example" },
		{ "bu\xcc\x88" "cher.example", U, 0, "xn--bcher-kva.example" },
		{ "stra\xc3\x9f" "e.example", U, 0, "xn--strae-oqa.example" },
		{ "XN--BCHER-KVA.example", 0, 0, "xn--bcher-kva.example" },
		{ "b\xc3\xbc" "cher.example", 0, -EOPNOTSUPP, NULL },
		{ "b\xfc" "cher.example", U, -EILSEQ, NULL },
		{ "b\xed\xa0\x80.example", U, -EILSEQ, NULL },	/* surrogate */
		{ "\xc0\xaf.example", U, -EILSEQ, NULL },	/* long form */
		/* a mapping must not make separators: U+2100, U+FF0F, U+FF20 */
		{ "a\xe2\x84\x80" "b.example", U, -EBADMSG, NULL },
		{ "a\xef\xbc\x8f" "b.example", U, -EBADMSG, NULL },
		{ "a\xef\xbc\xa0" "b.example", U, -EBADMSG, NULL },
		{ "\xe3\x80\x82", U, -EBADMSG, NULL },		/* a lone full stop */
		/* literals (RFC 5321 4.1.3) */
		{ "[192.0.2.1]", 0, -EBADMSG, NULL },
		{ "[192.0.2.1]", L, 0, "[192.0.2.1]" },
		{ "[IPv6:2001:DB8::1]", L, 0, "[IPv6:2001:db8::1]" },
		{ "[ipv6:2001:db8:0:0:0:0:0:1]", L, 0, "[IPv6:2001:db8::1]" },
		{ "[IPv6:::ffff:192.0.2.1]", L, 0, "[IPv6:::ffff:192.0.2.1]" },
		{ "[2001:db8::1]", L, -EBADMSG, NULL },
		{ "[IPv6:192.0.2.1]", L, -EBADMSG, NULL },
		{ "[IPv6:fe80::1%eth0]", L, -EBADMSG, NULL },
		{ "[192.0.2.256]", L, -EBADMSG, NULL },
		{ "[192.0.2.1", L, -EBADMSG, NULL },
		{ "[", L, -EBADMSG, NULL },
		{ "[]", L, -EBADMSG, NULL },
		{ "[x-tag:data]", L, -EBADMSG, NULL },
	};
	struct arena a = ARENA_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct domain d = DOMAIN_INIT;

		if (CHECK_INT(domain_parse(slice_of(cases[i].in), &a,
		    cases[i].flags, &d), cases[i].want, i) < 0)
			CHECK(d.kind == DOMAIN_NONE, i);
		else
			CHECK_TEXT(d.name, cases[i].name, i);
		arena_reset(&a);
	}
	arena_free(&a);
}

TEST(domain_text_and_literal)
{
	struct arena a = ARENA_INIT;
	struct domain d = DOMAIN_INIT;

	CHECK_INT(domain_parse(S("Example.ORG."), &a, DOMAIN_LENIENT, &d), 0, 0);
	CHECK_TEXT(d.text, "Example.ORG", 0);
	CHECK(!domain_is_utf8(&d), 0);
	CHECK_TEXT(domain_literal_address(&d), "", 0);
	CHECK_INT(domain_parse(S("[IPV6:2001:0db8::1]"), &a, DOMAIN_LITERAL, &d),
	    0, 1);
	CHECK_TEXT(domain_literal_address(&d), "2001:db8::1", 1);
	CHECK_INT(domain_parse(S("[127.0.0.1]"), &a, DOMAIN_LITERAL, &d), 0, 2);
	CHECK_TEXT(domain_literal_address(&d), "127.0.0.1", 2);
	arena_free(&a);
}

TEST(domain_tree)
{
	CHECK(domain_is_within(S("a.example.org"), S("example.org")), 0);
	CHECK(domain_is_within(S("example.org"), S("example.org")), 1);
	CHECK(!domain_is_within(S("badexample.org"), S("example.org")), 2);
	CHECK(!domain_is_within(S("org"), S("example.org")), 3);
	CHECK_TEXT(domain_parent(S("a.b.c")), "b.c", 4);
	CHECK_TEXT(domain_parent(S("c")), "", 5);
}

TEST(idna_to_unicode)
{
	static const struct { const char *in, *want; } cases[] = {
		{ "xn--bcher-kva.example", "b\xc3\xbc" "cher.example" },
		{ "mail.xn--bcher-kva", "mail.b\xc3\xbc" "cher" },
		{ "example.org", "example.org" },
		{ "xn--\x01.example", "xn--\x01.example" },
		{ "xn--zzzzzzzzzzzzzzzz99999.example",
		    "xn--zzzzzzzzzzzzzzzz99999.example" },
	};
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_reset(&b);
		idna_to_unicode(slice_of(cases[i].in), &b);
		CHECK_TEXT(buf_slice(&b), cases[i].want, i);
	}
	buf_free(&b);
}
