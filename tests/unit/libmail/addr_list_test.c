/* SPDX-License-Identifier: ISC */
#include "libmail/addr_list.h"
#include "libutil/arena.h"
#include "libutil/buf.h"
#include "test.h"

/* show - an item as one line: what it means, with its written form behind */
static void
show(struct buf *out, const struct addr_item *i)
{
	if (i->kind == ADDR_ITEM_GROUP_END) {
		buf_add_text(out, "};");
		return;
	}
	if (i->kind == ADDR_ITEM_GROUP_BEGIN) {
		buf_addf(out, "%.*s{", SLICE_ARG(i->name));
		return;
	}
	if (!i->valid) {
		buf_addf(out, "!%.*s;", SLICE_ARG(i->raw));
		return;
	}
	if (i->name.len > 0)
		buf_addf(out, "%.*s|", SLICE_ARG(i->name));
	if (i->route.len > 0)
		buf_addf(out, "%.*s:", SLICE_ARG(i->route));
	if (i->is_null)
		buf_add_text(out, "<>");
	buf_add(out, i->local);
	if (i->domain.len > 0)
		buf_addf(out, "@%.*s", SLICE_ARG(i->domain));
	buf_add_byte(out, ';');
}

TEST(addr_list_next)
{
	static const struct { const char *in, *want; } cases[] = {
		{ "", "" },
		{ " , ,, ", "" },
		{ "a@example.org", "a@example.org;" },
		{ "a@b.example,c@d.example", "a@b.example;c@d.example;" },
		{ "<a@b.example>", "a@b.example;" },
		{ "Mary Smith <mary@x.test>", "Mary Smith|mary@x.test;" },
		{ "\"Joe Q. Public\" <john.q.public@example.com>",
		    "Joe Q. Public|john.q.public@example.com;" },
		{ "\"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
		    "Giant; \"Big\" Box|sysservices@example.net;" },
		{ "John Q. Public <jdoe@example.org>",
		    "John Q. Public|jdoe@example.org;" },
		{ "jdoe@machine.example (John Doe)",
		    "John Doe|jdoe@machine.example;" },
		{ "a@b.example (x (y) \\) z)", "x (y) ) z|a@b.example;" },
		{ "=?utf-8?Q?J=C3=B6rg?= <j@example.org>",
		    "=?utf-8?Q?J=C3=B6rg?=|j@example.org;" },
		{ "J\xc3\xb6rg <j\xc3\xb6@b\xc3\xbc.example>",
		    "J\xc3\xb6rg|j\xc3\xb6@b\xc3\xbc.example;" },
		/* groups */
		{ "A Group:Ed Jones <joe@where.test>,john@one.test;",
		    "A Group{Ed Jones|joe@where.test;john@one.test;};" },
		{ "Undisclosed recipients:;", "Undisclosed recipients{};" },
		{ "(Empty list)(start)Hidden recipients :(nobody(that I know)) ;",
		    "Hidden recipients{};" },
		{ "g:a@b.example,;c@d.example", "g{a@b.example;};c@d.example;" },
		{ "g:a@b.example", "g{a@b.example;};" },
		{ "\"a:b\":;", "a:b{};" },
		/* folding, comments everywhere (RFC 5322 A.5, A.6.3) */
		{ "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
		    "Pete|pete@silly.test;" },
		{ "Joe Q. Public <john.q.public@example.com>,\r\n Mary\r\n\t Smith "
		    "<mary@x.test>",
		    "Joe Q. Public|john.q.public@example.com;"
		    "Mary Smith|mary@x.test;" },
		{ "john . q . public @ example . com",
		    "john.q.public@example.com;" },
		{ "\"a b\" . \"c\"@example.org", "a b.c@example.org;" },
		{ "\"a\\\"b\"@example.org", "a\"b@example.org;" },
		{ "\"Ma\r\n ry\" <m@x.test>", "Ma ry|m@x.test;" },
		/* obsolete routes */
		{ "<@machine.tld,@b.example:mary@example.net>",
		    "@machine.tld,@b.example:mary@example.net;" },
		{ "Mary <@a.example,,@b.example : mary@example.net >",
		    "Mary|@a.example,,@b.example:mary@example.net;" },
		/* literals */
		{ "a@[192.0.2.1]", "a@[192.0.2.1];" },
		{ "a@[IPv6:2001:db8::1], b@c.example",
		    "a@[IPv6:2001:db8::1];b@c.example;" },
		/* met in the wild */
		{ "a@b.example <a@b.example>", "a@b.example|a@b.example;" },
		{ "a@b.example (work) Ann <a@b.example>",
		    "a@b.example Ann|a@b.example;" },
		{ "Ann ann@b.example", "Ann|ann@b.example;" },
		{ "a@b.example;c@d.example", "a@b.example;c@d.example;" },
		{ "root", "root;" },
		{ "<root>", "root;" },
		{ "<>", "<>;" },
		{ "Mail System <>", "Mail System|<>;" },
		{ "a@b.example <>", "a@b.example|<>;" },
		{ "Ann <ann@b.example", "Ann|ann@b.example;" },
		{ "Ann <ann@b.example, c@d.example",
		    "Ann|ann@b.example;c@d.example;" },
		{ "\"Ann <ann@b.example>, c@d.example", "!\"Ann <ann@b.example>, "
		    "c@d.example;" },
		{ "foo..bar.@docomo.example", "foo..bar.@docomo.example;" },
		{ "a@b.example,", "a@b.example;" },
		{ "Ann [Sales] <ann@b.example>", "Ann [Sales]|ann@b.example;" },
		{ "Ann @ Home <ann@b.example>", "Ann @ Home|ann@b.example;" },
		/* what has no one meaning */
		{ "Ann Smith", "!Ann Smith;" },
		{ "a@b@c", "!a@b@c;" },
		{ "<a@b@c>, d@e", "!<a@b@c>;d@e;" },
		{ "a@, b@c", "!a@;b@c;" },
		{ "@b.example", "!@b.example;" },
		{ "a@b.example c@d.example", "!a@b.example c@d.example;" },
		{ "<a@b> <c@d>", "!<a@b> <c@d>;" },
		{ ")x, a@b", "!)x;a@b;" },
		{ ": a@b", "!: a@b;" },
		{ "(", "" },
		{ "\\", "!\\;" },
		{ "a@[", "!a@[;" },
	};
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT;
	struct addr_item item;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice in = slice_of(cases[i].in);
		struct addr_list l = ADDR_LIST_OVER(in);

		buf_reset(&b);
		while (addr_list_next(&l, &a, &item))
			show(&b, &item);
		CHECK_TEXT(buf_slice(&b), cases[i].want, i);
		arena_reset(&a);
	}
	arena_free(&a);
	buf_free(&b);
}

TEST(addr_list_places)
{
	struct slice in = S(" Ann (x) <@r.example:ann (y)@ b.example> , "
	    "\"q r\"@c.example (z)");
	struct addr_list l = ADDR_LIST_OVER(in);
	struct arena a = ARENA_INIT;
	struct addr_item item;

	CHECK(addr_list_next(&l, &a, &item), 0);
	CHECK_TEXT(item.spec, "ann (y)@ b.example", 0);
	CHECK_SLICE(slice_sub(in, item.spec_at, item.spec.len), item.spec, 0);
	CHECK_TEXT(item.raw, "Ann (x) <@r.example:ann (y)@ b.example>", 0);
	CHECK_INT(item.raw_at, 1, 0);
	CHECK(addr_list_next(&l, &a, &item), 1);
	CHECK_TEXT(item.spec, "\"q r\"@c.example", 1);
	CHECK_SLICE(slice_sub(in, item.spec_at, item.spec.len), item.spec, 1);
	CHECK_TEXT(item.raw, "\"q r\"@c.example (z)", 1);
	CHECK_TEXT(item.name, "z", 1);
	CHECK(!addr_list_next(&l, &a, &item), 2);
	arena_free(&a);
}

TEST(addr_list_is_linear)
{
	static const char *const bits[] = { "(", "\"", "<", "@", ",", "a ", "a@b ",
	    "[", "a.", "\\", ":", ";", "()", "a:", "<a" };
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < COUNT(bits); i++) {
		struct addr_item item;
		struct addr_list l;
		size_t n = 0;

		buf_reset(&b);
		while (b.len < 200000)
			buf_add_text(&b, bits[i]);
		l = ADDR_LIST_OVER(buf_slice(&b));
		while (addr_list_next(&l, &a, &item))
			n++;
		CHECK(n <= b.len + 1, i);
		CHECK(a.total < 20 * b.len + 4096, i);
		arena_reset(&a);
	}
	arena_free(&a);
	buf_free(&b);
}
