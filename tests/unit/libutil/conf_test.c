/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "libutil/conf.h"
#include "libutil/conf_edit.h"
#include "libutil/diag.h"

static struct slice
value_of(const struct conf *c, const char *name)
{
	const struct conf_entry *e = conf_find(c, slice_of(name));

	return e == NULL ? S("(none)") : e->value;
}

TEST(conf_read_lines)
{
	static const char text[] =
	    "# a comment = not a parameter\n"
	    "\n"
	    "a = 1\n"
	    "b=two words  \t\n"
	    "  \t \n"
	    "c =\n"
	    "list = one,\n"
	    "\ttwo,\n"
	    "# a comment inside\n"
	    "   # an indented one\n"
	    "\n"
	    "  three\n"
	    "a = 2\n"
	    "smtp-amavis_destination_concurrency_limit = 2\r\n"
	    "last = x = y # no trailing comment";
	struct conf *c = conf_new(NULL);
	struct diag d = DIAG_INIT;
	const struct conf_entry *e;
	size_t at = 0;

	CHECK_INT(conf_read(c, slice_of(text), "main.cf", &d), 0, 0);
	CHECK_TEXT(value_of(c, "a"), "2", 0);
	CHECK_TEXT(value_of(c, "b"), "two words", 1);
	e = conf_find(c, S("c"));
	CHECK(e != NULL && e->value.len == 0, 2);
	CHECK_TEXT(conf_find(c, S("list"))->value, "one, two, three", 3);
	CHECK_TEXT(conf_find(c, S("last"))->value, "x = y # no trailing comment",
	    4);
	CHECK_TEXT(conf_find(c,
	    S("smtp-amavis_destination_concurrency_limit"))->value, "2", 5);
	CHECK(conf_find(c, S("A")) == NULL, 6);	/* case counts */

	e = conf_find(c, S("a"));
	CHECK_INT(e->line, 13, 7);
	CHECK_TEXT(e->file, "main.cf", 7);
	CHECK(e->earlier != NULL && e->earlier->line == 3 &&
	    e->earlier->earlier == NULL, 7);
	CHECK_INT(conf_find(c, S("list"))->line, 7, 8);

	e = conf_each(c, &at);
	CHECK(e != NULL && slice_equal(e->value, S("2")), 9);	/* a, first */
	while (conf_each(c, &at) != NULL)
		continue;
	CHECK_INT(at, 6, 9);
	conf_free(&c);
	CHECK(c == NULL, 10);
}

TEST(conf_read_refuses)
{
	static const struct { struct slice text; uint32_t line; } cases[] = {
		{ S_INIT("a = 1\nno equals sign\n"), 2 },
		{ S_INIT("= 1\n"), 1 },
		{ S_INIT("two words = 1\n"), 1 },
		{ S_INIT("  indented = 1\n"), 1 },
		{ S_INIT("# c\n\n\tindented = 1\n"), 3 },
		{ S_INIT("a = 1\n b\nc\n"), 3 },
		{ S_INIT("a = \0\n"), 1 },
		{ S_INIT("a = \x1b[1m\n"), 1 },
		{ S_INIT("a = 1\rb = 2\n"), 1 },
		{ S_INIT("$a = 1\n"), 1 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct conf *c = conf_new(NULL);
		struct diag d = DIAG_INIT;

		CHECK_INT(conf_read(c, cases[i].text, "x.cf", &d), -EBADMSG, i);
		CHECK_INT(d.line, cases[i].line, i);
		CHECK(d.text[0] != '\0' && strcmp(d.file, "x.cf") == 0, i);
		CHECK(conf_find(c, S("a")) == NULL, i);	/* nothing is kept */
		conf_free(&c);
	}
}

TEST(conf_expand)
{
	static const char text[] =
	    "empty =\nblank = $empty\nname = value\nnested = <$name>\ntwice = $nested$nested\n"
	    "level = 3.10\nnine = 9\nten = 010\nself = a $self\n"
	    "ping = $pong\npong = $ping\nbad = $\nuses_bad = $bad\n"
	    "deep = ${name?{${name?{${name?{$name}}}}}}\n"
	    "l0 = x\n";
	static const struct { const char *in; int want; const char *out; } cases[] = {
		{ "plain", 0, "plain" },
		{ "$name", 0, "value" }, { "${name}", 0, "value" },
		{ "$(name)", 0, "value" }, { "${ name }", 0, "value" },
		{ "$name.x", 0, "value.x" }, { "a$name-b", 0, "avalue-b" },
		{ "$nested", 0, "<value>" }, { "$twice", 0, "<value><value>" },
		{ "$undefined|", 0, "|" }, { "$$name", 0, "$name" },
		{ "$deep", 0, "value" },
		{ "${name?yes}", 0, "yes" }, { "${empty?yes}", 0, "" },
		{ "${name:no}", 0, "" }, { "${empty:no}", 0, "no" },
		{ "${undefined:no}", 0, "no" },
		{ "${name? yes }", 0, "yes " }, { "${name?{yes}}", 0, "yes" },
		{ "${name?{ a b }}", 0, "a b " }, { "${empty:{ }}", 0, "" },
		{ "${name?{a}: b c}", 0, "a" }, { "${empty?{a}: b c}", 0, "b c" },
		{ "${blank?yes}", 0, "yes" }, { "${blank:no}", 0, "" },
		{ "${{ a } == {a} ? {y}:{n}}", 0, "n" },
		{ "${{ a} == {a} ? {y}:{n}}", 0, "y" },
		{ "${{a} == {a} ? y : n}", 0, "y : n" },
		{ "${{a} == {a}}", 0, "true" }, { "${{a} == {b}}", 0, "" },
		{ "${name?{a}:{b}}", 0, "a" }, { "${empty?{a}:{b}}", 0, "b" },
		{ "${empty ? {a} : {b}}", 0, "b" },
		{ "${name?$nested}", 0, "<value>" },
		{ "${name?{$nested}:{}}", 0, "<value>" },
		{ "${stress?{10}:{300}}s", 0, "300s" },
		{ "${name?a:b}", 0, "a:b" },		/* one text without {} */
		{ "${{a} == {a} ? {y}:{n}}", 0, "y" },
		{ "${{a} == {b}?{y}:{n}}", 0, "n" },
		{ "${{a} != {b} ? {y}}", 0, "y" },
		{ "${{a} == {b} ? {y}}", 0, "" },
		{ "${{$name} == {value} ? {y} : {n}}", 0, "y" },
		{ "${{$nine} < {10} ? {y}:{n}}", 0, "y" },	/* numbers */
		{ "${{$ten} == {10} ? {y}:{n}}", 0, "y" },
		{ "${{9x} < {10x} ? {y}:{n}}", 0, "n" },	/* bytes */
		{ "${{99999999999999999999999} > {1} ? {y}:{n}}", 0, "y" },
		{ "${{2} <= {2} ? {y}:{n}}", 0, "y" },
		{ "${{2} >= {3} ? {y}:{n}}", 0, "n" },
		{ "${{$level} <level {3.9} ? {y}:{n}}", 0, "n" },
		{ "${{$level} >=level {3.6} ? {y}:{n}}", 0, "y" },
		{ "${{$level} ==level {3.10.0} ? {y}:{n}}", 0, "y" },
		{ "${{x} <level {3.6} ? {y}:{n}}", -EBADMSG, NULL },
		{ "${{a} = {b} ? {y}:{n}}", -EBADMSG, NULL },
		{ "${{a} == {b} ? {y}:{n} x}", -EBADMSG, NULL },
		{ "${{a} == b ? {y}:{n}}", -EBADMSG, NULL },
		{ "$", -EBADMSG, NULL }, { "a $ b", -EBADMSG, NULL },
		{ "${name", -EBADMSG, NULL }, { "$(name", -EBADMSG, NULL },
		{ "${}", -EBADMSG, NULL }, { "${name x}", -EBADMSG, NULL },
		{ "${name?{a}b}", -EBADMSG, NULL },
		{ "${name:{a}:{b}}", -EBADMSG, NULL },
		{ "${domain_to_ascii{$name}}", -EBADMSG, NULL },
		{ "$self", -EBADMSG, NULL }, { "$ping", -EBADMSG, NULL },
		{ "$uses_bad", -EBADMSG, NULL },
	};
	struct conf *c = conf_new(NULL);
	struct buf out = BUF_INIT;

	CHECK_INT(conf_read(c, slice_of(text), "main.cf", NULL), 0, 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct diag d = DIAG_INIT;

		buf_reset(&out);
		buf_add(&out, S("before"));
		CHECK_INT(conf_expand(c, slice_of(cases[i].in), &out, &d),
		    cases[i].want, i);
		CHECK_TEXT(slice_from(buf_slice(&out), 6),
		    cases[i].want < 0 ? "" : cases[i].out, i);
		CHECK((d.text[0] != '\0') == (cases[i].want < 0), i);
	}
	buf_free(&out);
	conf_free(&c);
}

TEST(conf_findings_have_a_place)
{
	static const char text[] = "good = $inner\n\ninner = a\n  ${broken\n";
	struct conf *c = conf_new(NULL);
	struct diag d = DIAG_INIT;
	struct buf out = BUF_INIT;

	CHECK_INT(conf_read(c, slice_of(text), "main.cf", NULL), 0, 0);
	CHECK_INT(conf_get(c, S("good"), &out, &d), -EBADMSG, 0);
	diag_format(&out, &d);
	CHECK_TEXT(buf_slice(&out), "main.cf:3: inner: \"{\" without its \"}\"", 0);
	CHECK_INT(conf_get(c, S("none"), &out, &d), -ENOENT, 1);
	buf_free(&out);
	conf_free(&c);
}

TEST(conf_limits)
{
	struct conf *c = conf_new(NULL);
	struct buf text = BUF_INIT, out = BUF_INIT;
	struct diag d;

	/* each name refers twice to the next: 2 to the 20th steps */
	for (int i = 0; i < 20; i++)
		buf_addf(&text, "d%d = $d%d$d%d\n", i, i + 1, i + 1);
	for (int i = 0; i < 40; i++)
		buf_addf(&text, "n%d = $n%d\n", i, i + 1);
	CHECK_INT(conf_read(c, buf_slice(&text), "main.cf", NULL), 0, 0);
	d = (struct diag)DIAG_INIT;
	CHECK_INT(conf_get(c, S("d0"), &out, &d), -EBADMSG, 1);
	CHECK(strstr(d.text, "too many") != NULL, 1);
	d = (struct diag)DIAG_INIT;
	CHECK_INT(conf_get(c, S("n0"), &out, &d), -EBADMSG, 2);
	CHECK(strstr(d.text, "nested") != NULL, 2);
	CHECK_INT(conf_get(c, S("n30"), &out, &d), 0, 3);

	buf_reset(&text);
	for (int i = 0; i < 1000; i++)
		buf_add(&text, S("${"));
	CHECK_INT(conf_expand(c, buf_slice(&text), &out, NULL), -EBADMSG, 4);
	conf_put(c, S("big"), SLICE_EMPTY, "", 0);
	buf_reset(&text);
	for (int i = 0; i < 10000; i++)
		buf_add(&text, S("0123456789"));
	conf_put(c, S("big"), buf_slice(&text), "", 0);
	CHECK_INT(conf_expand(c, S("$big$big$big"), &out, NULL), -EBADMSG, 5);
	CHECK_INT(conf_expand(c, S("$big$big"), &out, NULL), 0, 6);
	CHECK_INT(out.len, 200000, 6);
	buf_free(&text);
	buf_free(&out);
	conf_free(&c);
}

TEST(conf_layers)
{
	struct conf *dflt = conf_new(NULL), *main_cf = conf_new(dflt);
	struct conf *service = conf_new(main_cf), *again = NULL;
	struct buf out = BUF_INIT;
	static const struct { const char *arg; int want; } args[] = {
		{ "a=service", 0 }, { "{ b = two words }", 0 },
		{ "{c=}", 0 }, { "novalue", -EBADMSG }, { "{ x = 1", -EBADMSG },
		{ "=1", -EBADMSG },
	};

	conf_put(dflt, S("a"), S("default"), "", 0);
	conf_put(dflt, S("greeting"), S("hello $a"), "", 0);
	conf_put(dflt, S("c"), S("default"), "", 0);
	CHECK_INT(conf_read(main_cf, S("a = main\nb = main\nzz = 1\n"),
	    "main.cf", NULL), 0, 0);
	CHECK_INT(conf_get(main_cf, S("greeting"), &out, NULL), 0, 1);
	CHECK_TEXT(buf_slice(&out), "hello main", 1);
	for (size_t i = 0; i < COUNT(args); i++) {
		struct diag d = DIAG_INIT;

		CHECK_INT(conf_override(service, slice_of(args[i].arg),
		    "master.cf", 7, &d), args[i].want, i);
		if (args[i].want < 0)
			CHECK(d.line == 7 && strcmp(d.file, "master.cf") == 0, i);
	}
	buf_reset(&out);
	CHECK_INT(conf_get(service, S("greeting"), &out, NULL), 0, 2);
	CHECK_TEXT(buf_slice(&out), "hello service", 2);
	CHECK_TEXT(value_of(service, "b"), "two words", 3);
	CHECK_INT(conf_find(service, S("c"))->value.len, 0, 4);

	buf_reset(&out);
	conf_snapshot(service, &out);
	CHECK_INT(conf_restore(buf_slice(&out), &again), 0, 5);
	CHECK_TEXT(conf_find(again, S("a"))->value, "service", 5);
	CHECK_TEXT(conf_find(again, S("a"))->file, "master.cf", 5);
	CHECK_INT(conf_find(again, S("a"))->line, 7, 5);
	CHECK_INT(conf_find(again, S("zz"))->line, 3, 5);
	CHECK_TEXT(conf_find(again, S("greeting"))->value, "hello $a", 5);
	conf_free(&again);

	/* no damaged snapshot is taken, whatever bit is hit */
	for (size_t i = 0; i < out.len; i++) {
		out.data[i] = (char)(out.data[i] ^ 4);
		CHECK(conf_restore(buf_slice(&out), &again) < 0, i);
		out.data[i] = (char)(out.data[i] ^ 4);
		CHECK(conf_restore(slice_sub(buf_slice(&out), 0, i), &again) < 0,
		    i);
	}
	buf_free(&out);
	conf_free(&service);
	conf_free(&main_cf);
	conf_free(&dflt);
}

TEST(conf_lists)
{
	static const struct {
		const char *in; int end; const char *items;
	} cases[] = {
		{ "", 0, "" }, { " , ,\t", 0, "" }, { "a", 0, "a|" },
		{ "a, b c,d", 0, "a|b|c|d|" },
		{ "inline:{a=b, c=d} x", 0, "inline:{a=b, c=d}|x|" },
		{ "check {p:{q r}, t=1}, permit", 0,
		    "check|{p:{q r}, t=1}|permit|" },
		{ "a {b", -EBADMSG, "a|" }, { "a} b", -EBADMSG, "" },
	};
	static const struct { const char *in, *inside; } groups[] = {
		{ "{}", "" }, { "{ a b }", "a b" }, { "{{a}{b}}", "{a}{b}" },
		{ "a", NULL }, { "{a}{b}", NULL }, { "{a", NULL }, { "", NULL },
		{ "}", NULL }, { "{a}x", NULL }, { "x{a}", NULL },
	};
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice rest = slice_of(cases[i].in), item;
		int r;

		buf_reset(&out);
		while ((r = conf_list_next(&rest, &item)) > 0) {
			buf_add(&out, item);
			buf_add_byte(&out, '|');
		}
		CHECK_INT(r, cases[i].end, i);
		CHECK_TEXT(buf_slice(&out), cases[i].items, i);
	}
	for (size_t i = 0; i < COUNT(groups); i++) {
		struct slice inside;
		bool is = conf_list_group(slice_of(groups[i].in), &inside);

		CHECK_INT(is, groups[i].inside != NULL, i);
		if (is && groups[i].inside != NULL)
			CHECK_TEXT(inside, groups[i].inside, i);
	}
	buf_free(&out);
}

static void
collect(void *arg, struct slice name)
{
	buf_add(arg, name);
	buf_add_byte(arg, ' ');
}

TEST(conf_references)
{
	static const struct { const char *in; int want; const char *names; } cases[] = {
		{ "a $b ${c} $$d", 0, "b c " },
		{ "${a?{$b}:{$c}}", 0, "a b c " },
		{ "${{$a} <level {$b} ? {$c}:{$d}}", 0, "a b c d " },
		{ "${a:$b}", 0, "a b " }, { "$", -EBADMSG, "" },
	};
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_reset(&out);
		CHECK_INT(conf_references(slice_of(cases[i].in), collect, &out,
		    NULL), cases[i].want, i);
		CHECK_TEXT(buf_slice(&out), cases[i].names, i);
	}
	buf_free(&out);
}

TEST(conf_edit)
{
	static const struct {
		const char *text, *name, *value, *set, *removed, *commented;
	} cases[] = {
		{ "", "a", "1", "a = 1\n", "", "" },
		{ "b = 2", "a", "1", "b = 2\na = 1\n", "b = 2", "b = 2" },
		{ "# c\na = 0\nb = 2\n", "a", "1", "# c\na = 1\nb = 2\n",
		    "# c\nb = 2\n", "# c\n#a = 0\nb = 2\n" },
		{ "a = 0,\n# inside\n  x\n\n# after\nb = 2\n", "a", "1",
		    "a = 1\n# inside\n\n# after\nb = 2\n",
		    "# inside\n\n# after\nb = 2\n",
		    "#a = 0,\n# inside\n#  x\n\n# after\nb = 2\n" },
		{ "a = 0\nb = 2\na = 3\n", "a", "", "a = 0\nb = 2\na =\n",
		    "b = 2\n", "#a = 0\nb = 2\n#a = 3\n" },
		{ "a=0", "a", "x y", "a = x y\n", "", "#a=0" },
	};
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice text = slice_of(cases[i].text);
		struct slice name = slice_of(cases[i].name);

		buf_reset(&out);
		CHECK_INT(conf_edit_set(text, name, slice_of(cases[i].value),
		    &out, NULL), 0, i);
		CHECK_TEXT(buf_slice(&out), cases[i].set, i);
		buf_reset(&out);
		CHECK_INT(conf_edit_remove(text, name, &out, NULL), 0, i);
		CHECK_TEXT(buf_slice(&out), cases[i].removed, i);
		buf_reset(&out);
		CHECK_INT(conf_edit_comment(text, name, &out, NULL), 0, i);
		CHECK_TEXT(buf_slice(&out), cases[i].commented, i);
	}
	buf_reset(&out);
	CHECK_INT(conf_edit_set(S("a = 1\n"), S("a"), S("x\nb = 2"), &out, NULL),
	    -EBADMSG, 0);		/* no second line through a value */
	CHECK_INT(conf_edit_set(S("a = 1\n"), S("a b"), S("x"), &out, NULL),
	    -EBADMSG, 1);
	CHECK_INT(conf_edit_set(S("broken\n"), S("a"), S("x"), &out, NULL),
	    -EBADMSG, 2);
	CHECK_INT(out.len, 0, 3);
	buf_free(&out);
}
