/* SPDX-License-Identifier: ISC */
/* Addresses in tables, whole and in parts; addresses out of tables. */
#include "libglobal/map_search.h"

#include <stdio.h>

#include "libglobal/map.h"
#include "libutil/arena.h"
#include "libutil/diag.h"
#include "test.h"

/* example.org is local */
static int
is_local(void *arg, struct slice domain)
{
	(void)arg;
	return slice_equal_nocase(domain, S("example.org"));
}

TEST(map_search_address)
{
	static const struct {
		unsigned	 parts;
		const char	*table;
		const char	*address;
		const char	*want;		/* NULL: not there */
		const char	*extension;
	} cases[] = {
		/* the order: each key wins over those behind it */
		{ MAP_SEARCH_ADDRESS, "inline:{u+e@example.org=1, u@example.org=2,"
		  "u+e=3, u=4, @example.org=5}", "u+e@example.org", "1", "" },
		{ MAP_SEARCH_ADDRESS, "inline:{u@example.org=2,"
		  "u+e=3, u=4, @example.org=5}", "u+e@example.org", "2", "+e" },
		{ MAP_SEARCH_ADDRESS, "inline:{u+e=3, u=4, @example.org=5}",
		  "u+e@example.org", "3", "" },
		{ MAP_SEARCH_ADDRESS, "inline:{u=4, @example.org=5}",
		  "u+e@example.org", "4", "+e" },
		{ MAP_SEARCH_ADDRESS, "inline:{@example.org=5}",
		  "u+e@example.org", "5", "" },
		/* case */
		{ MAP_SEARCH_ADDRESS, "inline:{u@example.org=1}",
		  "U@Example.ORG", "1", "" },
		/* names alone only in local domains */
		{ MAP_SEARCH_ADDRESS, "inline:{u=4}", "u@example.net", NULL, "" },
		{ MAP_SEARCH_ADDRESS, "inline:{u=4}", "u", "4", "" },
		{ MAP_SEARCH_ADDRESS, "inline:{u=4}", "u+e", "4", "+e" },
		{ 0, "inline:{u=4}", "u+e", "4", "+e" },
		{ 0, "inline:{u=4}", "u@example.org", NULL, "" },
		/* transport tables */
		{ MAP_SEARCH_TRANSPORT, "inline:{u@a.example.net=1,"
		  "a.example.net=2, .example.net=3}", "u+e@a.example.net", "1",
		  "+e" },
		{ MAP_SEARCH_TRANSPORT, "inline:{a.example.net=2,"
		  ".example.net=3}", "u@a.example.net", "2", "" },
		{ MAP_SEARCH_TRANSPORT, "inline:{.example.net=3}",
		  "u@a.example.net", "3", "" },
		{ MAP_SEARCH_TRANSPORT, "inline:{.net=3}", "u@a.example.net",
		  "3", "" },
		{ MAP_SEARCH_TRANSPORT, "inline:{.example.net=3}",
		  "u@example.net", NULL, "" },
		{ MAP_SEARCH_TRANSPORT, "inline:{example.net=3}",
		  "u@a.example.net", NULL, "" },
		{ MAP_SEARCH_TRANSPORT | MAP_SEARCH_PARENTS,
		  "inline:{example.net=3}", "u@a.example.net", "3", "" },
		{ MAP_SEARCH_TRANSPORT | MAP_SEARCH_PARENTS,
		  "inline:{net=3}", "u@a.example.net", "3", "" },
		{ MAP_SEARCH_TRANSPORT, "inline:{u=1, @a.example.net=2}",
		  "u@a.example.net", NULL, "" },
		/* access tables */
		{ MAP_SEARCH_ACCESS, "inline:{example.net=1, u+e@=2, u@=3}",
		  "u+e@example.net", "1", "" },
		{ MAP_SEARCH_ACCESS, "inline:{u+e@=2, u@=3}",
		  "u+e@example.net", "2", "" },
		{ MAP_SEARCH_ACCESS, "inline:{u@=3}", "u+e@example.net", "3",
		  "+e" },
		/* quotes in keys */
		{ MAP_SEARCH_ADDRESS, "inline:{{\"a b\"@example.net = 1}}",
		  "a b@example.net", "1", "" },
		{ MAP_SEARCH_ADDRESS, "inline:{{a b@example.net = 1}}",
		  "a b@example.net", "1", "" },
		/* several tables: the whole key in all comes first */
		{ MAP_SEARCH_ADDRESS, "inline:{@example.net=2},"
		  "inline:{u@example.net=1}", "u@example.net", "1", "" },
		{ MAP_SEARCH_ADDRESS, "fail:x", "u@example.net", "", "" },
		{ MAP_SEARCH_ADDRESS, "", "u@example.net", NULL, "" },
		{ MAP_SEARCH_ADDRESS, "inline:{a=1}", "", NULL, "" },
	};
	const struct map_search how = {
		.delimiters = { S_INIT("+"), true, S_INIT("double-bounce") },
		.is_local = is_local,
	};
	struct buf value = BUF_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice extension = SLICE_EMPTY;
		struct map_list *l = NULL;
		struct diag d = DIAG_INIT;
		int want = cases[i].want == NULL ? -ENOENT :
		    cases[i].want[0] == '\0' ? -EIO : 0;

		buf_reset(&value);
		if (CHECK_INT(map_list_open(slice_of(cases[i].table), 0, &d,
		    &l), 0, i) < 0) {
			printf("# %s\n", d.text);
			continue;
		}
		if (CHECK_INT(map_search_address(l, &how, cases[i].parts,
		    slice_of(cases[i].address), &value, &extension), want,
		    i) == 0) {
			CHECK_TEXT(buf_slice(&value), cases[i].want, i);
			CHECK_TEXT(extension, cases[i].extension, i);
		}
		map_list_close(&l);
	}
	buf_free(&value);
}

TEST(patterns_get_the_whole_only)
{
	const struct map_search how = {
		.delimiters = { S_INIT("+"), true, S_INIT("double-bounce") },
		.is_local = is_local,
	};
	struct map_list *l = NULL;
	char spec[4200];
	FILE *f;

	snprintf(spec, sizeof(spec), "%s/p", test_tmpdir());
	f = fopen(spec, "w");
	fputs("/^u@/ no\n/^@/ no\n/^u$/ no\n/^U\\+e@Example.org$/i yes\n", f);
	fclose(f);
	snprintf(spec, sizeof(spec), "pcre:%s/p", test_tmpdir());
	if (CHECK_INT(map_list_open(slice_of(spec), 0, NULL, &l), 0, 0) < 0)
		return;
	CHECK_INT(map_search_address(l, &how, MAP_SEARCH_ADDRESS,
	    S("u+e@example.org"), NULL, NULL), -ENOENT, 0);
	CHECK_INT(map_search_address(l, &how, MAP_SEARCH_ADDRESS |
	    MAP_SEARCH_ACCESS, S("U+e@Example.org"), NULL, NULL), 0, 1);
	map_list_close(&l);
}

TEST(map_search_next)
{
	static const struct {
		const char	*text;
		const char	*want;	/* each address and ";", | for others */
	} cases[] = {
		{ "a@b", "a@b;" },
		{ "a@b, c@d e@f\tg", "a@b;c@d;e@f;g;" },
		{ " , a , ", "a;" },
		{ "", "" },
		{ "<a@b>, <\"x y\"@c>", "a@b;x y@c;" },
		{ "\"x, \\\"y\"@c", "x, \"y@c;" },
		{ "a (comment, (nested) x) b", "a;b;" },
		{ "\"|/bin/cmd a, b\", c", "|/bin/cmd a, b|c;" },
		{ "/var/x, :include:/y", "/var/x|:include:/y|" },
		{ "a\\ b@c", "a b@c;" },
		{ "<>", ";" },
		{ "\"a@b", "!" },
		{ "<a@b", "!" },
		{ "a, (x", "a;!" },
		{ "a\\", "!" },
	};
	struct arena a = ARENA_INIT;
	struct buf got = BUF_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice rest = slice_of(cases[i].text), address;
		bool is_address;
		int r;

		buf_reset(&got);
		while ((r = map_search_next(&rest, &a, &address,
		    &is_address)) > 0) {
			buf_add(&got, address);
			buf_add_byte(&got, is_address ? ';' : '|');
		}
		if (r < 0)
			buf_add_byte(&got, '!');
		CHECK_TEXT(buf_slice(&got), cases[i].want, i);
	}
	buf_free(&got);
	arena_free(&a);
}
