/* SPDX-License-Identifier: ISC */
/* Addresses and networks, lists of patterns, mynetworks by style. */
#include "libglobal/mynetworks.h"

#include <stdio.h>

#include "libglobal/match.h"
#include "libutil/diag.h"
#include "test.h"

/* write_file - make a file with that text; lends its path */
static const char *
write_file(const char *name, const char *text)
{
	static char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", test_tmpdir(), name);
	f = fopen(path, "w");
	CHECK(f != NULL, 0);
	fputs(text, f);
	fclose(f);
	return path;
}

TEST(cidr_parse)
{
	static const struct {
		const char	*in;
		const char	*want;		/* NULL: refused */
	} cases[] = {
		{ "192.0.2.0/24", "192.0.2.0/24" },
		{ "192.0.2.1", "192.0.2.1/32" },
		{ "0.0.0.0/0", "0.0.0.0/0" },
		{ "128.0.0.0/1", "128.0.0.0/1" },
		{ "[2001:DB8::]/32", "[2001:db8::]/32" },
		{ "2001:db8::/32", "[2001:db8::]/32" },
		{ "[2001:db8::/32]", "[2001:db8::]/32" },
		{ "::/0", "[::]/0" },
		{ "[::1]", "[::1]/128" },
		{ "192.0.2.1/24", NULL },
		{ "192.0.2.0/33", NULL },
		{ "192.0.2.0/", NULL },
		{ "192.0.2.0/-1", NULL },
		{ "192.0.2.0/024x", NULL },
		{ "192.0.2", NULL },
		{ "2001:db8::1/32", NULL },
		{ "::/129", NULL },
		{ "", NULL },
		{ "/8", NULL },
	};
	char text[CIDR_TEXT_MAX];
	struct cidr c;
	const char *why;

	for (size_t i = 0; i < COUNT(cases); i++)
		if (CHECK_INT(cidr_parse(slice_of(cases[i].in), &c, &why),
		    cases[i].want == NULL ? -EBADMSG : 0, i) == 0)
			CHECK_TEXT(slice_of(cidr_format(&c, text)),
			    cases[i].want, i);
}

TEST(lists)
{
	static const struct {
		enum match_kind	 kind;
		unsigned	 flags;
		const char	*list;
		const char	*name;
		int		 want;
	} cases[] = {
		{ MATCH_STRINGS, 0, "a, B c", "b", 1 },
		{ MATCH_STRINGS, 0, "a, b c", "d", 0 },
		{ MATCH_STRINGS, 0, "", "d", 0 },
		{ MATCH_STRINGS, 0, "example.org", "x.example.org", 0 },
		{ MATCH_STRINGS, 0, ".example.org", "x.example.org", 0 },
		{ MATCH_STRINGS, MATCH_PARENTS, "example.org", "x.example.org", 0 },
		{ MATCH_STRINGS, 0, "[192.0.2.1]", "[192.0.2.1]", 1 },
		{ MATCH_STRINGS, 0, "[IPv6:::1]", "[ipv6:::1]", 1 },
		{ MATCH_STRINGS, 0, "inline:{a=x}", "A", 1 },
		{ MATCH_STRINGS, 0, "!a, static:x", "a", 0 },
		{ MATCH_STRINGS, 0, "!a, static:x", "b", 1 },
		{ MATCH_STRINGS, 0, "!!a", "a", 1 },
		{ MATCH_STRINGS, 0, "!inline:{a=x}, a", "a", 0 },
		{ MATCH_STRINGS, 0, "fail:x", "a", -EIO },
		{ MATCH_STRINGS, 0, "a, fail:x", "a", 1 },
		{ MATCH_DOMAINS, 0, "example.org", "EXAMPLE.org", 1 },
		{ MATCH_DOMAINS, 0, "example.org", "x.example.org", 0 },
		{ MATCH_DOMAINS, 0, ".example.org", "x.example.org", 1 },
		{ MATCH_DOMAINS, 0, ".example.org", "y.x.example.org", 1 },
		{ MATCH_DOMAINS, 0, ".example.org", "example.org", 0 },
		{ MATCH_DOMAINS, 0, ".example.org", "xexample.org", 0 },
		{ MATCH_DOMAINS, MATCH_PARENTS, "example.org", "x.Example.org", 1 },
		{ MATCH_DOMAINS, MATCH_PARENTS, "example.org", "xexample.org", 0 },
		{ MATCH_DOMAINS, MATCH_PARENTS, "example.org", "org", 0 },
		{ MATCH_DOMAINS, 0, "inline:{.example.org=x}", "a.b.example.org", 1 },
		{ MATCH_DOMAINS, 0, "inline:{example.org=x}", "a.b.example.org", 0 },
		{ MATCH_DOMAINS, MATCH_PARENTS, "inline:{example.org=x}",
			"a.b.example.org", 1 },
		{ MATCH_DOMAINS, MATCH_PARENTS, "inline:{x=x}", "a.b.", 0 },
		{ MATCH_DOMAINS, 0, "inline:{x=x}", "", 0 },
	};
	struct match_list *l;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct diag d = DIAG_INIT;

		if (CHECK_INT(match_list_open(slice_of(cases[i].list),
		    cases[i].kind, cases[i].flags, &d, &l), 0, i) < 0) {
			printf("# %s\n", d.text);
			continue;
		}
		CHECK_INT(match_list_find(l, slice_of(cases[i].name)),
		    cases[i].want, i);
		match_list_close(&l);
	}
	CHECK_INT(match_list_find(NULL, S("a")), 0, 0);
}

TEST(clients)
{
	static const struct {
		const char	*list;
		const char	*name;
		const char	*address;
		int		 want;
	} cases[] = {
		{ "127.0.0.0/8 [::1]/128", "", "127.0.0.1", 1 },
		{ "127.0.0.0/8 [::1]/128", "", "::1", 1 },
		{ "127.0.0.0/8 [::1]/128", "", "[::1]", 1 },
		{ "127.0.0.0/8 [::1]/128", "", "::2", 0 },
		{ "127.0.0.0/8", "", "::ffff:127.0.0.1", 1 },
		{ "!192.0.2.1 192.0.2.0/24", "", "192.0.2.1", 0 },
		{ "!192.0.2.1 192.0.2.0/24", "", "192.0.2.2", 1 },
		{ "2001:db8::/32", "", "2001:db8::5", 1 },
		{ "mail.example.org", "Mail.example.org", "192.0.2.1", 1 },
		{ "mail.example.org", "unknown", "192.0.2.1", 0 },
		{ "unknown", "unknown", "192.0.2.1", 0 },
		{ ".example.org", "mail.example.org", "192.0.2.1", 1 },
		{ "inline:{192.0.2.1=x}", "", "192.0.2.1", 1 },
		{ "inline:{mail.example.org=x}", "mail.example.org",
			"192.0.2.1", 1 },
		{ "static:all", "", "192.0.2.1", 1 },
		{ "fail:x", "", "192.0.2.1", -EIO },
		{ "127.0.0.0/8", "", "not an address", 0 },
		{ "", "", "127.0.0.1", 0 },
	};
	struct match_list *l;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct diag d = DIAG_INIT;

		if (CHECK_INT(match_list_open(slice_of(cases[i].list),
		    MATCH_CLIENTS, 0, &d, &l), 0, i) < 0) {
			printf("# %s\n", d.text);
			continue;
		}
		CHECK_INT(match_list_find_client(l, slice_of(cases[i].name),
		    slice_of(cases[i].address)), cases[i].want, i);
		match_list_close(&l);
	}
}

TEST(files)
{
	struct match_list *l = NULL;
	struct diag d = DIAG_INIT;
	char list[8300], inner[4200];

	snprintf(inner, sizeof(inner), "%s", write_file("inner", "b # none\n"));
	snprintf(list, sizeof(list), "# comment\na,\n %s\n!c static:x", inner);
	snprintf(list, sizeof(list), "x %s", write_file("outer", list));
	if (CHECK_INT(match_list_open(slice_of(list), MATCH_STRINGS, 0, &d, &l),
	    0, 0) < 0) {
		printf("# %s\n", d.text);
		return;
	}
	CHECK_INT(match_list_find(l, S("a")), 1, 0);
	CHECK_INT(match_list_find(l, S("b")), 1, 1);
	CHECK_INT(match_list_find(l, S("c")), 0, 2);
	CHECK_INT(match_list_find(l, S("d")), 1, 3);
	CHECK(!match_list_changed(l), 0);
	write_file("inner", "bb\nc\n");
	CHECK(match_list_changed(l), 1);
	match_list_close(&l);
	/* a file that names itself ends */
	snprintf(list, sizeof(list), "%s/inner", test_tmpdir());
	write_file("inner", list);
	CHECK_INT(match_list_open(slice_of(list), MATCH_STRINGS, 0, &d, &l),
	    -EBADMSG, 2);
	CHECK(strstr(d.text, "deeper") != NULL, 2);
}

TEST(bad_lists_are_named)
{
	static const struct {
		const char	*list;
		const char	*what;
	} cases[] = {
		{ "10.0.0.1/8", "bits set" },
		{ "10.0.0.0/99", "0 to 32" },
		{ "[::1", "network/bits" },
		{ "10.0.0", "network/bits" },
		{ "!", "behind the !" },
		{ "!/etc/x", "cannot be negated" },
		{ "/nonexistent/x", "/nonexistent/x" },
		{ "nis:x", "no table type" },
		{ "{a", "partner" },
	};
	struct match_list *l = NULL;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct diag d = DIAG_INIT;

		CHECK(match_list_open(slice_of(cases[i].list), MATCH_CLIENTS, 0,
		    &d, &l) < 0, i);
		if (!CHECK(strstr(d.text, cases[i].what) != NULL, i))
			printf("# %s\n", d.text);
	}
}

TEST(styles)
{
	static const struct mynetworks_interface ifs[] = {
		{ { false, { 127, 0, 0, 1 } }, 8 },
		{ { false, { 192, 168, 17, 5 } }, 20 },
		{ { false, { 192, 168, 17, 6 } }, 20 },
		{ { false, { 172, 16, 1, 1 } }, 24 },
		{ { true, { [15] = 1 } }, 128 },
		{ { true, { 0x20, 0x01, 0x0d, 0xb8, [15] = 7 } }, 64 },
	};
	static const struct {
		enum mynetworks_style	 style;
		const char		*want;
	} cases[] = {
		{ MYNETWORKS_HOST, "127.0.0.1/32 192.168.17.5/32 "
			"192.168.17.6/32 172.16.1.1/32 [::1]/128 "
			"[2001:db8::7]/128" },
		{ MYNETWORKS_SUBNET, "127.0.0.0/8 192.168.16.0/20 "
			"172.16.1.0/24 [::1]/128 [2001:db8::]/64" },
		{ MYNETWORKS_CLASS, "127.0.0.0/8 192.168.17.0/24 "
			"172.16.0.0/16 [::1]/128 [2001:db8::]/64" },
	};
	struct buf out = BUF_INIT;
	struct match_list *l;

	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_reset(&out);
		mynetworks_format(&out, cases[i].style, ifs, COUNT(ifs));
		CHECK_TEXT(buf_slice(&out), cases[i].want, i);
		CHECK_INT(match_list_open(buf_slice(&out), MATCH_CLIENTS, 0,
		    NULL, &l), 0, i);
		CHECK_INT(match_list_find_client(l, SLICE_EMPTY,
		    S("192.168.17.5")), 1, i);
		match_list_close(&l);
	}
	buf_free(&out);
}
