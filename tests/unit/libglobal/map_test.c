/* SPDX-License-Identifier: ISC */
/* Tables of every type: opening, lookups, walking, changes. */
#include "libglobal/map.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "libglobal/map_make.h"
#include "libutil/diag.h"
#include "test.h"

/* path_of - a path in the folder of this run; the last four stay valid */
static const char *
path_of(const char *name)
{
	static char path[4][4096];
	static unsigned next;
	char *p = path[next++ % COUNT(path)];

	snprintf(p, sizeof(path[0]), "%s/%s", test_tmpdir(), name);
	return p;
}

/* write_file - make a file with that text; lends its path */
static const char *
write_file(const char *name, const char *text)
{
	const char *path = path_of(name);
	FILE *f = fopen(path, "w");

	CHECK(f != NULL, 0);
	fputs(text, f);
	fclose(f);
	return path;
}

/* open_type - a table of that type over a file with that text */
static int
open_type(const char *type, const char *text, unsigned flags, struct diag *d,
    struct map **ret_map)
{
	char spec[4200];

	snprintf(spec, sizeof(spec), "%s:%s", type, write_file("t", text));
	return map_open(slice_of(spec), flags, d, ret_map);
}

/* check_get - a lookup and what it must give; want NULL: not there */
static void
check_get(struct map *m, const char *key, const char *want, size_t row)
{
	struct buf value = BUF_INIT;

	if (CHECK_INT(map_get(m, slice_of(key), &value),
	    want == NULL ? -ENOENT : 0, row) == 0)
		CHECK_TEXT(buf_slice(&value), want, row);
	buf_free(&value);
}

struct lookup {
	const char	*key;
	const char	*want;
};

/* check_table - open, look all up, close */
static void
check_table(const char *type, const char *text, const struct lookup *l,
    size_t count)
{
	struct diag d = DIAG_INIT;
	struct map *m = NULL;

	if (CHECK_INT(open_type(type, text, 0, &d, &m), 0, 0) < 0) {
		printf("# %s\n", d.text);
		return;
	}
	for (size_t i = 0; i < count; i++)
		check_get(m, l[i].key, l[i].want, i);
	map_close(&m);
}

TEST(types_are_in_order)
{
	const struct map_type *t;

	for (size_t i = 0; (t = map_type_at(i)) != NULL; i++) {
		CHECK(map_type_find(slice_of(t->name)) == t, i);
		if (i > 0)
			CHECK(strcmp(map_type_at(i - 1)->name, t->name) < 0, i);
		CHECK((t->flags & MAP_TYPE_BUILT) == 0 || t->suffix[0] == '.', i);
	}
	CHECK(map_type_find(S("nis")) == NULL, 0);
}

TEST(types_without_files)
{
	static const struct {
		const char	*spec;
		const char	*key;
		const char	*want;
		int		 r;
	} cases[] = {
		{ "static:x", "anything", "x", 0 },
		{ "static:{a b, c}", "", "a b, c", 0 },
		{ "inline:{a=b, { c d = e f }, {G = h}}", "a", "b", 0 },
		{ "inline:{a=b, { c d = e f }, {G = h} }", "c d", "e f", 0 },
		{ "inline:{a=b, { c d = e f }, {G = h} }", "g", "h", 0 },
		{ "inline:{a=b}", "A", "b", 0 },
		{ "inline:{a={x}}", "a", "{x}", 0 },
		{ "inline:{a=b}", "c", NULL, -ENOENT },
		{ "inline:", "c", NULL, -ENOENT },
		{ "internal:x", "c", NULL, -ENOENT },
		{ "fail:x", "c", NULL, -EIO },
		{ "environ:", "MAP_TEST_VARIABLE", NULL, -ENOENT },
		{ "unix:passwd.byname", "root", NULL, 0 },
		{ "unix:passwd.byname", "no such user", NULL, -ENOENT },
		{ "unix:group.byname", "root", NULL, 0 },
		{ "unix:group.byname", "no such group", NULL, -ENOENT },
		{ "proxy:inline:{a=b}", "a", "b", 0 },
		{ "proxy:unix:passwd.byname", "root", NULL, 0 },
		{ "randmap:{x, x}", "a", "x", 0 },
		{ "randmap:{{a b}}", "a", "a b", 0 },
		{ "unionmap:{inline:{a=1}, inline:{a=2}, inline:{b=3}}", "a",
			"1,2", 0 },
		{ "unionmap:{inline:{a=1}, inline:{a=2}, inline:{b=3}}", "b",
			"3", 0 },
		{ "unionmap:{inline:{a=1}, inline:{b=3}}", "c", NULL, -ENOENT },
		{ "unionmap:{inline:{a=1}, fail:}", "a", NULL, -EIO },
		{ "pipemap:{inline:{a=b}, inline:{b=c}}", "a", "c", 0 },
		{ "pipemap:{inline:{a=b}, inline:{b=c}}", "b", NULL, -ENOENT },
		{ "pipemap:{inline:{a=b}, fail:}", "a", NULL, -EIO },
		{ "pipemap:{inline:{a=b}, unionmap:{static:1, static:2}}",
			"a", "1,2", 0 },
	};
	struct buf value = BUF_INIT;
	struct map *m;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct diag d = DIAG_INIT;

		if (CHECK_INT(map_open(slice_of(cases[i].spec), 0, &d, &m), 0,
		    i) < 0) {
			printf("# %s\n", d.text);
			continue;
		}
		buf_reset(&value);
		CHECK_INT(map_get(m, slice_of(cases[i].key), &value),
		    cases[i].r, i);
		if (cases[i].want != NULL)
			CHECK_TEXT(buf_slice(&value), cases[i].want, i);
		if (cases[i].r < 0)
			CHECK_INT((long long)value.len, 0, i);
		map_close(&m);
	}
	buf_free(&value);
}

TEST(bad_specs_are_named)
{
	static const struct {
		const char	*spec;
		const char	*text;		/* part of the diagnosis */
	} cases[] = {
		{ "", "type:name" },
		{ "/etc/aliases", "type:name" },
		{ "nis:mail.aliases", "no table type \"nis\"" },
		{ "inline:{a}", "not key=text" },
		{ "inline:{=a}", "no key" },
		{ "inline:{a=b, {c=d", "partner" },
		{ "unionmap:{}", "names no table" },
		{ "unionmap:{x}", "type:name" },
		{ "pipemap:{hash:/nonexistent}", "cannot open" },
		{ "unix:hosts", "unix:passwd.byname" },
		{ "randmap:{}", "names no text" },
		{ "hash:", "names no file" },
		{ "lmdb:/nonexistent/x", "/nonexistent/x.lmdb" },
		{ "texthash:/nonexistent/x", "/nonexistent/x" },
		{ "texthash:/", "directory" },
		{ "proxy:proxy:proxy:proxy:proxy:proxy:proxy:proxy:proxy:"
			"static:x", "deeper" },
	};
	struct map *m = NULL;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct diag d = DIAG_INIT;

		CHECK(map_open(slice_of(cases[i].spec), 0, &d, &m) < 0, i);
		if (!CHECK(slice_find_slice(slice_of(d.text),
		    slice_of(cases[i].text)) != SLICE_NONE, i))
			printf("# %s\n", d.text);
		CHECK(m == NULL, i);
		/* tolerated, it opens, and fails every lookup */
		if (CHECK_INT(map_open(slice_of(cases[i].spec), MAP_TOLERATE,
		    NULL, &m), 0, i) == 0) {
			int r = map_get(m, S("x"), NULL);

			CHECK(r < 0 && r != -ENOENT, i);
		}
		map_close(&m);
	}
}

/* what is no built file is told from one that cannot be read */
TEST(broken_files_are_named)
{
	static const struct {
		const char	*type;
		const char	*text;
	} cases[] = {
		{ "lmdb", "" },			/* LMDB would begin in it */
		{ "lmdb", "some text" },
		{ "lmdb", "TWO PAGES" },
		{ "hash", "some text" },
		{ "hash", "TWO PAGES" },
		{ "btree", "some text" },
	};
	static char pages[8193];

	memset(pages, 'x', sizeof(pages) - 1);
	for (size_t i = 0; i < COUNT(cases); i++) {
		char name[40], spec[1100], want[200];
		struct diag d = DIAG_INIT;
		struct map *m = NULL;
		char *built;

		snprintf(name, sizeof(name), "broken%zu.%s", i,
		    strcmp(cases[i].type, "lmdb") == 0 ? "lmdb" : "db");
		built = slice_dup(slice_of(write_file(name,
		    strcmp(cases[i].text, "TWO PAGES") == 0 ? pages :
		    cases[i].text)));
		snprintf(spec, sizeof(spec), "%s:%.*s", cases[i].type,
		    (int)(strrchr(built, '.') - built), built);
		snprintf(want, sizeof(want), "is no %s file: build it again",
		    cases[i].type);
		CHECK(map_open(slice_of(spec), 0, &d, &m) < 0, i);
		if (!CHECK(slice_find_slice(slice_of(d.text),
		    slice_of(want)) != SLICE_NONE, i))
			printf("# %s\n", d.text);
		map_close(&m);
		free(built);
	}
}

/* cut_gets - lookups of all keys, none of which may be missing */
static void
cut_gets(struct map *m, size_t keys, int want, size_t row)
{
	for (size_t i = 0; i < keys; i++) {
		char key[40];

		snprintf(key, sizeof(key), "key%zu", i);
		if (map_get(m, slice_of(key), NULL) != want) {
			CHECK_INT(map_get(m, slice_of(key), NULL), want, row);
			return;
		}
	}
}

/* skip - walk on */
static int
skip(void *arg, struct slice key, struct slice value)
{
	(void)arg, (void)key, (void)value;
	return 0;
}

/* cut off in place while it is open: nothing faults, nothing is said to be
 * missing; made anew it is as before */
TEST(file_that_is_cut_short)
{
	static const struct {
		const char	*type;
		const char	*suffix;
		unsigned	 part;		/* of 100 that is left */
	} cases[] = {
		{ "lmdb", "lmdb", 99 },
		{ "lmdb", "lmdb", 50 },
		{ "lmdb", "lmdb", 0 },
		{ "hash", "db", 99 },
		{ "hash", "db", 50 },
		{ "hash", "db", 0 },
		{ "btree", "db", 99 },
		{ "btree", "db", 50 },
		{ "btree", "db", 0 },
	};
	enum { KEYS = 3000 };
	struct map_make_options o = MAP_MAKE_OPTIONS_INIT;
	struct buf text = BUF_INIT;
	const char *path;

	for (size_t i = 0; i < KEYS; i++)
		buf_addf(&text, "key%zu a text that fills some pages\n", i);
	path = write_file("cut", buf_cstr(&text));
	for (size_t i = 0; i < COUNT(cases); i++) {
		char spec[4200], built[4200];
		struct map *m = NULL, *late = NULL;
		struct diag d = DIAG_INIT;
		struct stat st;

		snprintf(spec, sizeof(spec), "%s:%s", cases[i].type, path);
		snprintf(built, sizeof(built), "%s.%s", path, cases[i].suffix);
		CHECK_INT(map_make(slice_of(spec), &o, NULL, NULL), 0, i);
		if (CHECK_INT(map_open(slice_of(spec), 0, &d, &m), 0, i) < 0)
			continue;
		CHECK_INT(map_get(m, S("key0"), NULL), 0, i);
		CHECK(stat(built, &st) == 0, i);
		CHECK(truncate(built, st.st_size * cases[i].part / 100) == 0, i);

		cut_gets(m, KEYS, -EUCLEAN, i);
		CHECK_INT(map_each(m, skip, NULL), -EUCLEAN, i);
		CHECK(map_changed(m), i);
		CHECK(map_refresh(m, &d) < 0, i);
		if (!CHECK(slice_find_slice(slice_of(d.text),
		    S("build it again with postmap")) != SLICE_NONE, i))
			printf("# %s\n", d.text);
		CHECK(map_open(slice_of(spec), 0, NULL, &late) < 0, i);
		map_close(&late);

		CHECK_INT(map_make(slice_of(spec), &o, NULL, NULL), 0, i);
		CHECK_INT(map_refresh(m, NULL), 1, i);
		cut_gets(m, KEYS, 0, i);
		map_close(&m);
	}
	buf_free(&text);
}

TEST(texthash)
{
	static const struct lookup cases[] = {
		{ "user@example.org", "one two" },
		{ "USER@Example.Org", "one two" },
		{ "b", "first" },
		{ "\"quoted key\"@x", "v" },
		{ "long", "a b\t  c" },
		{ "none", NULL },
		{ "novalue", NULL },
		{ "", NULL },
		{ "end", "without newline" },
	};

	check_table("texthash", "# comment\n"
	    "User@Example.ORG  one two \n\n"
	    "b\tfirst\nb second\nnovalue\n"
	    "\"quoted key\"@x v\r\n"
	    "long a\n\n#c\n b\n\t  c\n"
	    "end without newline", cases, COUNT(cases));
}

TEST(texthash_tells_of_odd_lines)
{
	static const struct {
		const char	*text;
		uint32_t	 line;
		const char	*what;
	} cases[] = {
		{ "a b\n\na c\n", 3, "was there before" },
		{ "# x\n\nnovalue\n", 3, "key value" },
		{ "\"a b\n", 1, "\"" },
	};
	struct map *m;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct diag *n;

		if (CHECK_INT(open_type("texthash", cases[i].text, 0, NULL, &m),
		    0, i) < 0)
			continue;
		n = map_notice(m);
		if (CHECK(n != NULL, i)) {
			CHECK_INT(n->line, cases[i].line, i);
			CHECK(strstr(n->text, cases[i].what) != NULL, i);
			CHECK(strstr(n->file, "/t") != NULL, i);
		}
		map_close(&m);
	}
}

TEST(pcre)
{
	static const struct lookup cases[] = {
		{ "HELLO world", "greeting" },
		{ "user+ext@dom.example", "ext of user at dom.example" },
		{ "price", "costs $5 or price" },
		{ "Case", NULL },
		{ "case", "case matters" },
		{ "inner yes", "in both" },
		{ "inner no", "in the outer only" },
		{ "a|b", "delimiter" },
		{ "a/b", "escaped" },
		{ "xyz", "negative" },
		{ "an x for a price", NULL },
		{ "spaced", "extended" },
		{ "xxylong", "ungreedy x" },
		{ "opt", "[]" },
		{ "j\303\244nner", "one letter" },
	};

	check_table("pcre",
	    "/^hello/ greeting\n"
	    "/^([^+]+)\\+([^@]+)@(.*)$/ $2 of ${1} at $(3)\n"
	    "/^price$/ costs $$5 or $0\n"
	    "/^case$/i case matters\n"
	    "if /^inner/\n"
	    "if /yes$/\n/./ in both\nendif\n"
	    "if !/yes$/\n/./ in the outer only\nENDIF\n"
	    "endif\n"
	    "|^a\\|b$| delimiter\n"
	    "/^a\\/b$/ escaped\n"
	    "/^ s p a c e d $/x extended\n"
	    "/^(x+)(.*)long$/U ungreedy $1\n"
	    "/^opt(ional)?$/ [$1]\n"
	    "/^j.nner$/ one byte\n"
	    "/^j[\303\244]nner$/ one letter\n"
	    "!/case|price/ negative\n", cases, COUNT(cases));
}

TEST(regexp)
{
	static const struct lookup cases[] = {
		{ "HELLO world", "greeting" },
		{ "user+ext@dom.example", "ext of user at dom.example" },
		{ "CASE", "basic" },
		{ "case", "case matters" },
		{ "inner", "in" },
		{ "other", "negative" },
	};

	check_table("regexp",
	    "/^hello/ greeting\n"
	    "/^([^+]+)\\+([^@]+)@(.*)$/ $2 of ${1} at $(3)\n"
	    "/^case$/i case matters\n"
	    "/^\\(case\\)$/x basic\n"
	    "if /^inner/\n!/x/ in\nendif\n"
	    "!/hello/ negative\n", cases, COUNT(cases));
}

TEST(cidr)
{
	static const struct lookup cases[] = {
		{ "192.0.2.7", "one host" },
		{ "192.0.2.8", "network" },
		{ "192.0.3.1", "if" },
		{ "192.0.1.1", "v4" },
		{ "::ffff:192.0.2.7", "one host" },
		{ "2001:db8::1", "v6 host" },
		{ "2001:DB8:0::1", "v6 host" },
		{ "2001:db8:1::1", "v6 network" },
		{ "2002::1", NULL },
		{ "example.org", NULL },
		{ "", NULL },
	};

	check_table("cidr",
	    "192.0.2.7 one host\n"
	    "192.0.2.0/24 network\n"
	    "192.0.2.0/25 never reached\n"
	    "if 192.0.2.0/23\n!192.0.2.0/24 if\nendif\n"
	    "[2001:db8::1]/128 v6 host\n"
	    "2001:db8::/32 v6 network\n"
	    "0.0.0.0/0 v4\n", cases, COUNT(cases));
}

TEST(bad_rules_are_named)
{
	static const struct {
		const char	*type;
		const char	*text;
		unsigned	 flags;
		uint32_t	 line;
		const char	*what;
	} cases[] = {
		{ "pcre", "\n\n/(/ x\n", 0, 3, "pattern is wrong" },
		{ "pcre", "/a/Q x\n", 0, 1, "no flag \"Q\"" },
		{ "pcre", "/a x\n", 0, 1, "no / at its end" },
		{ "pcre", "abc x\n", 0, 1, "delimiters" },
		{ "pcre", "/a/-x x\n", 0, 1, "behind the pattern" },
		{ "pcre", "/a/\n", 0, 1, "no text" },
		{ "pcre", "/(a)/ $2\n", 0, 1, "has 1 groups" },
		{ "pcre", "/(a)/ $x\n", 0, 1, "$$" },
		{ "pcre", "/(a)/ ${1\n", 0, 1, "$$" },
		{ "pcre", "/(a)/ a $\n", 0, 1, "$$" },
		{ "pcre", "!/(a)/ $1\n", 0, 1, "with !" },
		{ "pcre", "/(a)/ $1\n", MAP_NO_SUBSTITUTION, 1, "not allowed" },
		{ "pcre", "if /a/\n/b/ c\n", 0, 1, "no endif" },
		{ "pcre", "/b/ c\nendif\n", 0, 2, "without if" },
		{ "pcre", "if /a/ x\nendif\n", 0, 1, "pattern of an if" },
		{ "pcre", "if /a/\nendif x\n", 0, 2, "behind endif" },
		{ "regexp", "/(/ x\n", 0, 1, "pattern is wrong" },
		{ "regexp", "/a/A x\n", 0, 1, "no flag \"A\"" },
		{ "cidr", "192.0.2.1/24 x\n", 0, 1, "bits set" },
		{ "cidr", "192.0.2.0/33 x\n", 0, 1, "0 to 32" },
		{ "cidr", "2001:db8::/129 x\n", 0, 1, "0 to 128" },
		{ "cidr", "192.0.2 x\n", 0, 1, "network/bits" },
		{ "cidr", "192.0.2.0/24\n", 0, 1, "no text" },
	};
	struct map *m = NULL;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct diag d = DIAG_INIT;

		CHECK_INT(open_type(cases[i].type, cases[i].text,
		    cases[i].flags, &d, &m), -EBADMSG, i);
		CHECK_INT(d.line, cases[i].line, i);
		if (!CHECK(strstr(d.text, cases[i].what) != NULL, i))
			printf("# %s\n", d.text);
		CHECK(strstr(d.file, "/t") != NULL, i);
		map_close(&m);
	}
}

TEST(pcre_gives_up)		/* a pattern that explodes is no answer */
{
	char key[64];
	struct map *m;

	memset(key, 'a', sizeof(key));
	key[sizeof(key) - 1] = '!';
	if (CHECK_INT(open_type("pcre", "/^(a+)+$/ x\n", 0, NULL, &m), 0, 0) < 0)
		return;
	CHECK_INT(map_get(m, slice_over(key, sizeof(key)), NULL), -EOVERFLOW, 0);
	map_close(&m);
}

TEST(keys_of_any_length)
{
	char key[5000];
	struct map *m;

	memset(key, 'A', sizeof(key));
	if (CHECK_INT(open_type("pcre", "/^a{5000}$/ x\n", 0, NULL, &m), 0, 0) == 0)
		CHECK_INT(map_get(m, slice_over(key, sizeof(key)), NULL), 0, 0);
	map_close(&m);
	if (CHECK_INT(open_type("texthash", "a x\n", 0, NULL, &m), 0, 1) == 0)
		for (size_t n = 990; n < 1010; n++)
			CHECK_INT(map_get(m, slice_over(key, n), NULL),
			    -ENOENT, n);
	map_close(&m);
}

TEST(lists)
{
	struct buf value = BUF_INIT;
	struct map_list *l = NULL;
	struct diag d = DIAG_INIT;
	char text[8300];

	snprintf(text, sizeof(text), "inline:{a=1}, pcre:%s\n"
	    "inline:{ a=3, {b c=4} }", write_file("t", "/^.b/ 2\n"));
	if (CHECK_INT(map_list_open(slice_of(text), 0, &d, &l), 0, 0) < 0)
		return;
	CHECK(map_list_at(l, 2) != NULL && map_list_at(l, 3) == NULL, 0);
	CHECK_INT(map_list_get(l, MAP_LIST_ALL, S("a"), &value), 0, 0);
	CHECK_TEXT(buf_slice(&value), "1", 0);
	buf_reset(&value);
	CHECK_INT(map_list_get(l, MAP_LIST_ALL, S("xb"), &value), 0, 0);
	CHECK_TEXT(buf_slice(&value), "2", 0);
	CHECK_INT(map_list_get(l, MAP_LIST_FIXED_ONLY, S("xb"), NULL),
	    -ENOENT, 0);
	CHECK_INT(map_list_get(l, MAP_LIST_ALL, S("b c"), NULL), 0, 0);
	CHECK_INT(map_list_get(NULL, MAP_LIST_ALL, S("a"), NULL), -ENOENT, 0);
	map_list_close(&l);
	CHECK(map_list_is_empty(NULL), 0);
	CHECK_INT(map_list_open(S(" , "), 0, &d, &l), 0, 0);
	CHECK(map_list_is_empty(l), 0);
	map_list_close(&l);
	CHECK_INT(map_list_open(S("static:x {y"), 0, &d, &l), -EBADMSG, 0);
	CHECK_INT(map_list_open(S("static:x texthash:/nonexistent"), 0, &d, &l),
	    -ENOENT, 0);
	/* tolerated: the lookups that reach it fail */
	CHECK_INT(map_list_open(S("inline:{a=1} texthash:/nonexistent"),
	    MAP_TOLERATE, &d, &l), 0, 0);
	CHECK_INT(map_list_get(l, MAP_LIST_ALL, S("a"), NULL), 0, 0);
	CHECK_INT(map_list_get(l, MAP_LIST_ALL, S("b"), NULL), -EIO, 0);
	map_list_close(&l);
	buf_free(&value);
}

TEST(a_changed_file_is_opened_again)
{
	struct diag d = DIAG_INIT;
	struct map *m;

	if (CHECK_INT(open_type("pcre", "/a/ 1\n", 0, &d, &m), 0, 0) < 0)
		return;
	CHECK_INT(map_refresh(m, &d), 0, 0);
	check_get(m, "a", "1", 0);
	write_file("t", "/a/ 22\n");
	CHECK(map_changed(m), 0);
	check_get(m, "a", "1", 0);	/* until it is refreshed */
	CHECK_INT(map_refresh(m, &d), 1, 0);
	check_get(m, "a", "22", 0);
	write_file("t", "/(/ broken\n");
	CHECK_INT(map_refresh(m, &d), -EBADMSG, 0);
	CHECK_INT(d.line, 1, 0);
	check_get(m, "a", "22", 0);	/* the old content stays */
	write_file("t", "/a/ 333\n");
	CHECK_INT(map_refresh(m, &d), 1, 0);
	check_get(m, "a", "333", 0);
	map_close(&m);
}

TEST(a_table_may_come_later)
{
	char spec[4200];
	struct diag d = DIAG_INIT;
	struct map *m;

	snprintf(spec, sizeof(spec), "unionmap:{static:s texthash:%s}",
	    path_of("later"));
	if (CHECK_INT(map_open(slice_of(spec), MAP_TOLERATE, &d, &m), 0, 0) < 0)
		return;
	CHECK_INT(map_get(m, S("a"), NULL), -EIO, 0);
	CHECK(map_refresh(m, &d) < 0, 0);
	write_file("later", "a b\n");
	CHECK_INT(map_refresh(m, &d), 1, 0);
	check_get(m, "a", "s,b", 0);
	write_file("later", "a bcd\n");
	CHECK_INT(map_refresh(m, &d), 1, 0);
	check_get(m, "a", "s,bcd", 0);
	map_close(&m);
}

/* look_up - many lookups, beside refreshes */
static void *
look_up(void *arg)
{
	static const char *const keys[] = { "a", "bb", "none" };
	intptr_t bad = 0;

	for (size_t i = 0; i < 3000; i++) {
		int r = map_get(arg, slice_of(keys[i % 3]), NULL);

		bad += r != (i % 3 == 2 ? -ENOENT : 0);
	}
	return (void *)bad;
}

TEST(threads)			/* the sanitizers watch */
{
	static const char *const types[] = { "texthash", "hash", "lmdb" };
	pthread_t thread[3];
	char spec[4200];
	struct map *m;

	for (size_t i = 0; i < COUNT(types); i++) {
		const char *path = write_file("threads", "a 1\nbb 2\n");
		struct map_make_options o = MAP_MAKE_OPTIONS_INIT;

		snprintf(spec, sizeof(spec), "%s:%s", types[i], path);
		if (i > 0)
			CHECK_INT(map_make(slice_of(spec), &o, NULL, NULL), 0, i);
		if (CHECK_INT(map_open(slice_of(spec), 0, NULL, &m), 0, i) < 0)
			continue;
		for (size_t k = 0; k < COUNT(thread); k++)
			pthread_create(&thread[k], NULL, look_up, m);
		for (size_t k = 0; k < 20; k++) {
			write_file("threads", "a 1\nbb 2\n");
			if (i > 0)
				CHECK_INT(map_make(slice_of(spec), &o, NULL,
				    NULL), 0, i);
			CHECK(map_refresh(m, NULL) >= 0, i);
		}
		for (size_t k = 0; k < COUNT(thread); k++) {
			void *bad;

			pthread_join(thread[k], &bad);
			CHECK_INT((intptr_t)bad, 0, i);
		}
		map_close(&m);
	}
}
