/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "dnsd/hosts.h"
#include "dnsd/names.h"
#include "libglobal/dns.h"
#include "libutil/arena.h"

TEST(name_take)
{
	static const struct { const char *in; int want; const char *out; } cases[] = {
		{ "example.org",	0, "example.org" },
		{ "EXAMPLE.org.",	0, "example.org" },
		{ "_25._tcp.mx",	0, "_25._tcp.mx" },
		{ "0/25.2.0.192.in-addr.arpa", 0, "0/25.2.0.192.in-addr.arpa" },
		{ "",			-EBADMSG, NULL },
		{ ".",			-EBADMSG, NULL },
		{ "a..b",		-EBADMSG, NULL },
		{ ".a",			-EBADMSG, NULL },
		{ "a..",		-EBADMSG, NULL },
		{ "a b",		-EBADMSG, NULL },
		{ "a\nb",		-EBADMSG, NULL },
		{ "a\\.b",		-EBADMSG, NULL },
		{ "\xc3\xa4.example",	-EBADMSG, NULL },
		{ "[192.0.2.1]",	-EBADMSG, NULL },
		{ "012345678901234567890123456789012345678901234567890123456789012.x",
		    0, "012345678901234567890123456789012345678901234567890123456789012.x" },
		{ "0123456789012345678901234567890123456789012345678901234567890123.x",
		    -EBADMSG, NULL },
	};
	struct arena	a = ARENA_INIT;
	struct slice	out;
	char		longest[256];

	for (size_t i = 0; i < COUNT(cases); i++) {
		out = SLICE_EMPTY;
		CHECK_INT(name_take(slice_of(cases[i].in), &a, &out),
		    cases[i].want, i);
		CHECK_TEXT(out, cases[i].out, i);
	}
	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = i % 2 == 0 ? 'a' : '.';
	CHECK_INT(name_take(slice_over(longest, 253), &a, &out), 0, 0);
	CHECK_INT(name_take(slice_over(longest, 255), &a, &out), -EBADMSG, 0);
	CHECK_INT(name_take(S("a\0b"), &a, &out), -EBADMSG, 0);
	arena_free(&a);
	CHECK(name_is_within(S("localhost"), "localhost"), 0);
	CHECK(name_is_within(S("a.localhost"), "localhost"), 0);
	CHECK(!name_is_within(S("alocalhost"), "localhost"), 0);
	CHECK(!name_is_within(S("host"), "localhost"), 0);
	CHECK(name_is_numeric(S("192.0.2.1")), 0);
	CHECK(name_is_numeric(S("7")), 0);
	CHECK(!name_is_numeric(S("1.2.0.192.in-addr.arpa")), 0);
}

TEST(record_take)
{
#define DATA(text)	text, sizeof(text) - 1
	static const struct {
		int		type;
		const char	*data;
		size_t		len;
		int		want;
		uint32_t	preference;
		const char	*name;
	} cases[] = {
		{ DNS_MX, DATA("\0\12\2mx\7Example\0"), 0, 10, "mx.example" },
		{ DNS_MX, DATA("\1\0\1a\0"),	0, 256, "a" },
		{ DNS_MX, DATA("\0\0\0"),	0, 0, "" },	/* RFC 7505 */
		{ DNS_MX, DATA("\0"),		-EBADMSG, 0, NULL },
		{ DNS_MX, DATA(""),		-EBADMSG, 0, NULL },
		{ DNS_MX, DATA("\0\12"),	-EBADMSG, 0, NULL },
		{ DNS_MX, DATA("\0\12\2mx"),	-EBADMSG, 0, NULL },
		{ DNS_MX, DATA("\0\12\2mx\0x"),	-EBADMSG, 0, NULL },
		{ DNS_MX, DATA("\0\12\300\14"),	-EBADMSG, 0, NULL },
		{ DNS_MX, DATA("\0\12\3m.x\0"),	-EBADMSG, 0, NULL },
		{ DNS_MX, DATA("\0\12\3m\nx\0"), -EBADMSG, 0, NULL },
		{ DNS_PTR, DATA("\1a\1b\0"),	0, 0, "a.b" },
		{ DNS_CNAME, DATA("\1a\0"),	0, 0, "a" },
		{ DNS_A, DATA("\300\0\2\1"),	0, 0, "" },
		{ DNS_A, DATA("\300\0\2"),	-EBADMSG, 0, NULL },
		{ DNS_AAAA, DATA("\300\0\2\1"),	-EBADMSG, 0, NULL },
		{ DNS_TXT, DATA("\3abc"),	0, 0, "" },
		{ DNS_TLSA, DATA("\3\1\1x"),	0, 0, "" },
	};
	struct arena		a = ARENA_INIT;
	struct msg_dns_record	r;
	struct msg_dns_record	sorted[] = {
		{ .preference = 20, .name = S_INIT("a") },
		{ .preference = 10, .name = S_INIT("b") },
		{ .preference = 20, .name = S_INIT("c") },
		{ .preference = 10, .name = S_INIT("d") },
	};
	struct buf		order = BUF_INIT;
	char			name[300] = "";

	for (size_t i = 0; i < COUNT(cases); i++) {
		r = (struct msg_dns_record){ .preference = 77 };
		if (CHECK_INT(record_take(cases[i].type, slice_over(
		    cases[i].data, cases[i].len), &a, &r), cases[i].want,
		    i) < 0)
			continue;
		CHECK_INT(r.preference, cases[i].preference, i);
		CHECK_TEXT(r.name, cases[i].name, i);
		CHECK((r.data.len > 0) == (cases[i].type != DNS_MX &&
		    cases[i].type != DNS_PTR && cases[i].type != DNS_CNAME), i);
	}
	/* labels without end */
	for (size_t i = 0; i < sizeof(name); i += 2)
		memcpy(name + i, "\1a", 2);
	CHECK_INT(record_take(DNS_PTR, slice_over(name, sizeof(name)), &a, &r),
	    -EBADMSG, 0);
	records_sort(sorted, COUNT(sorted));
	for (size_t i = 0; i < COUNT(sorted); i++)
		buf_add(&order, sorted[i].name);
	CHECK_TEXT(buf_slice(&order), "bdac", 0);
	buf_free(&order);
	arena_free(&a);
}

TEST(servers_add)
{
	static const struct { const char *in; int want; const char *out; } cases[] = {
		{ "192.0.2.1",		0, "192.0.2.1@53" },
		{ "192.0.2.1:5353",	0, "192.0.2.1@5353" },
		{ "localhost:5353",	0, "127.0.0.1@5353" },
		{ "2001:db8::1",	0, "2001:db8::1@53" },
		{ "[2001:db8::1]",	0, "2001:db8::1@53" },
		{ "[2001:db8::1]:54",	0, "2001:db8::1@54" },
		{ "",			-EBADMSG, NULL },
		{ "192.0.2.1:",		-EBADMSG, NULL },
		{ "192.0.2.1:0",	-EBADMSG, NULL },
		{ "192.0.2.1:65536",	-EBADMSG, NULL },
		{ "192.0.2.1:x",	-EBADMSG, NULL },
		{ "[2001:db8::1]54",	-EBADMSG, NULL },
		{ "[2001:db8::1",	-EBADMSG, NULL },
		{ "ns.example",		-EBADMSG, NULL },
		{ "fe80::1%eth0",	-EBADMSG, NULL },
	};
	struct dns_servers	s;

	for (size_t i = 0; i < COUNT(cases); i++) {
		s.count = 0;
		CHECK_INT(servers_add(&s, slice_of(cases[i].in)),
		    cases[i].want, i);
		if (s.count > 0)
			CHECK_TEXT(slice_of(s.v[0].text), cases[i].out, i);
		CHECK_INT(s.count, cases[i].want == 0, i);
	}
	s.count = 0;
	servers_read(&s, S("# nameserver 192.0.2.9\nsearch example.org\n"
	    "nameserver 192.0.2.1\r\nnameserver\n nameserver\t2001:db8::1 x\n"
	    "nameservers 192.0.2.7\nnameserver nonsense"));
	if (CHECK_INT(s.count, 2, 0) == 2)
		CHECK_TEXT(slice_of(s.v[1].text), "2001:db8::1@53", 0);
	for (int i = 0; i < 40; i++)
		CHECK_INT(servers_add(&s, S("192.0.2.1")), 0, i);
	CHECK_INT(s.count, DNS_SERVERS_MAX, 0);
}

static void
count_bad(void *arg, uint32_t line)
{
	*(uint32_t *)arg = *(uint32_t *)arg * 100 + line;
}

TEST(hosts)
{
	struct hosts		 h = HOSTS_INIT;
	const struct hosts_name	*n;
	uint32_t		 bad = 0;

	hosts_read(&h, S("127.0.0.1 localhost\n"
	    "# comment\n\n"
	    "192.0.2.1\tMail.Example.ORG. mail # the server\r\n"
	    "nonsense here\n"
	    "2001:db8::1 mail.example.org\n"
	    "192.0.2.2 mail.example.org\n"
	    "192.0.2.1 second.example.org\n"
	    "192.0.2.3\n"
	    "fe80::1%eth0 link\n"
	    "192.0.2.5 last"), count_bad, &bad);
	CHECK_INT(bad, 510, 0);
	n = hosts_find(&h, S("mail.example.org"));
	if (CHECK(n != NULL, 0)) {
		CHECK_INT(n->v4_count, 2, 0);
		CHECK_INT(n->v6_count, 1, 0);
		CHECK_INT(n->v4[1][3], 2, 0);
	}
	CHECK(hosts_find(&h, S("mail")) != NULL, 0);
	CHECK(hosts_find(&h, S("last")) != NULL, 0);
	CHECK(hosts_find(&h, S("comment")) == NULL, 0);
	CHECK(hosts_find(&h, S("")) == NULL, 0);
	CHECK_TEXT(hosts_find_reverse(&h, S("1.2.0.192.in-addr.arpa")),
	    "mail.example.org", 0);
	CHECK_INT(hosts_find_reverse(&h, S("9.2.0.192.in-addr.arpa")).len, 0, 0);
	hosts_free(&h);
}
