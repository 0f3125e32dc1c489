/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <math.h>

#include "libutil/arena.h"
#include "libutil/diag.h"
#include "libutil/json.h"

/* print - parse, print; "" and the error if it does not parse */
static int
print(struct arena *a, struct slice in, struct buf *out, struct diag *d)
{
	struct json_writer	 w = json_writer_into(out);
	const struct json	*v;
	int			 r;

	buf_reset(out);
	if ((r = json_parse(a, in, &v, d)) < 0)
		return r;
	json_value(&w, v);
	json_writer_end(&w);
	return 0;
}

TEST(json_accepts)
{
	static const struct { const char *in, *out; } cases[] = {
		{ "null", "null" }, { " true\n", "true" }, { "false", "false" },
		{ "0", "0" }, { "-1", "-1" }, { "\t12 ", "12" },
		{ "9223372036854775807", "9223372036854775807" },
		{ "-9223372036854775808", "-9223372036854775808" },
		{ "9223372036854775808", "9.223372036854776e+18" },
		{ "1.0", "1.0" }, { "-0", "-0.0" }, { "1e2", "100.0" },
		{ "0.1", "0.1" }, { "1E-7", "1e-07" }, { "1.5e+3", "1500.0" },
		{ "2.2250738585072011e-308", "2.225073858507201e-308" },
		{ "1e-400", "0.0" },
		{ "\"\"", "\"\"" }, { "\"a\"", "\"a\"" },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\"" },
		{ "\"\\u0041\\u00fc\\u20ac\"", "\"A\xc3\xbc\xe2\x82\xac\"" },
		{ "\"\\ud83d\\uDE00\"", "\"\xf0\x9f\x98\x80\"" },
		{ "\"\\u0000\"", "\"\\u0000\"" }, { "\"\x7f\"", "\"\\u007f\"" },
		{ "\"long enough for words of eight \xc3\xbc bytes\\n\"",
		    "\"long enough for words of eight \xc3\xbc bytes\\n\"" },
		{ "[]", "[]" }, { "[ 1 , [ ] , { } ]", "[1,[],{}]" },
		{ "{}", "{}" }, { "{ \"b\" : 1 , \"a\":[2]}", "{\"b\":1,\"a\":[2]}" },
		{ "{\"\":0}", "{\"\":0}" },
	};
	struct arena a = ARENA_INIT;
	struct buf out = BUF_INIT, again = BUF_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		if (CHECK_INT(print(&a, slice_of(cases[i].in), &out, NULL), 0, i)
		    < 0)
			continue;
		CHECK_TEXT(buf_slice(&out), cases[i].out, i);
		CHECK_INT(print(&a, buf_slice(&out), &again, NULL), 0, i);
		CHECK_SLICE(buf_slice(&again), buf_slice(&out), i);
		arena_reset(&a);
	}
	arena_free(&a);
	buf_free(&out);
	buf_free(&again);
}

TEST(json_refuses)
{
	static const struct { struct slice in; int want; uint32_t column; } cases[] = {
		{ S_INIT(""), -EBADMSG, 1 }, { S_INIT("  "), -EBADMSG, 3 },
		{ S_INIT("nul"), -EBADMSG, 1 }, { S_INIT("nullx"), -EBADMSG, 5 },
		{ S_INIT("1 2"), -EBADMSG, 3 }, { S_INIT("01"), -EBADMSG, 2 },
		{ S_INIT("+1"), -EBADMSG, 1 }, { S_INIT("-"), -EBADMSG, 2 },
		{ S_INIT(".5"), -EBADMSG, 1 }, { S_INIT("1."), -EBADMSG, 3 },
		{ S_INIT("1e"), -EBADMSG, 3 }, { S_INIT("1e+"), -EBADMSG, 4 },
		{ S_INIT("0x1"), -EBADMSG, 2 }, { S_INIT("NaN"), -EBADMSG, 1 },
		{ S_INIT("Infinity"), -EBADMSG, 1 },
		{ S_INIT("1e400"), -ERANGE, 6 }, { S_INIT("-1e400"), -ERANGE, 7 },
		{ S_INIT("\""), -EBADMSG, 2 }, { S_INIT("\"a"), -EBADMSG, 3 },
		{ S_INIT("\"\n\""), -EBADMSG, 2 }, { S_INIT("\"\0\""), -EBADMSG, 2 },
		{ S_INIT("\"\\"), -EBADMSG, 3 }, { S_INIT("\"\\x\""), -EBADMSG, 4 },
		{ S_INIT("\"\\'\""), -EBADMSG, 4 }, { S_INIT("\"\\\0\""), -EBADMSG, 4 },
		{ S_INIT("\"\\u12\""), -EBADMSG, 6 },
		{ S_INIT("\"\\u12g4\""), -EBADMSG, 6 },
		{ S_INIT("\"\\ud800\""), -EBADMSG, 8 },
		{ S_INIT("\"\\udc00\""), -EBADMSG, 8 },
		{ S_INIT("\"\\ud800\\u0041\""), -EBADMSG, 14 },
		{ S_INIT("\"\xff\""), -EBADMSG, 2 },
		{ S_INIT("\"a\xc0\x80\""), -EBADMSG, 3 },	/* overlong */
		{ S_INIT("\"\xed\xa0\x80\""), -EBADMSG, 2 },	/* surrogate */
		{ S_INIT("[1,]"), -EBADMSG, 4 }, { S_INIT("[,1]"), -EBADMSG, 2 },
		{ S_INIT("[1"), -EBADMSG, 3 }, { S_INIT("[1 2]"), -EBADMSG, 4 },
		{ S_INIT("]"), -EBADMSG, 1 }, { S_INIT("{1:2}"), -EBADMSG, 2 },
		{ S_INIT("{\"a\"}"), -EBADMSG, 5 }, { S_INIT("{\"a\":}"), -EBADMSG, 6 },
		{ S_INIT("{\"a\":1,}"), -EBADMSG, 8 }, { S_INIT("{'a':1}"), -EBADMSG, 2 },
		{ S_INIT("{\"a\":1,\"a\":2}"), -EBADMSG, 14 },
		{ S_INIT("{\"a\":1,\"\\u0061\":2}"), -EBADMSG, 19 },
		{ S_INIT("/* */1"), -EBADMSG, 1 },
		{ S_INIT("\xef\xbb\xbf" "1"), -EBADMSG, 1 },	/* no BOM */
	};
	struct arena a = ARENA_INIT;
	struct buf out = BUF_INIT;
	struct diag d = DIAG_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		d = (struct diag)DIAG_INIT;
		CHECK_INT(print(&a, cases[i].in, &out, &d), cases[i].want, i);
		CHECK(d.text[0] != '\0', i);
		CHECK_INT(d.line, 1, i);
		CHECK_INT(d.column, cases[i].column, i);
		arena_reset(&a);
	}
	d = (struct diag)DIAG_INIT;
	CHECK_INT(print(&a, S("{\n\"a\": 1,\n  x"), &out, &d), -EBADMSG, 0);
	CHECK(d.line == 3 && d.column == 3, 0);
	arena_free(&a);
	buf_free(&out);
}

TEST(json_depth)
{
	struct arena a = ARENA_INIT;
	struct buf in = BUF_INIT, out = BUF_INIT;

	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		buf_add_byte(&in, '[');
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		buf_add_byte(&in, ']');
	CHECK_INT(print(&a, buf_slice(&in), &out, NULL), 0, 0);
	CHECK_SLICE(buf_slice(&out), buf_slice(&in), 0);
	buf_reset(&in);
	for (int i = 0; i < 1000000; i++)
		buf_add(&in, S("[{\"\":"));
	CHECK_INT(print(&a, buf_slice(&in), &out, NULL), -EMSGSIZE, 1);
	arena_free(&a);
	buf_free(&in);
	buf_free(&out);
}

TEST(json_accessors)
{
	static const char text[] = "{\"using\":[\"core\",\"mail\"],\"n\":7,"
	    "\"d\":1.5,\"t\":true,\"o\":{\"z\":null}}";
	struct arena a = ARENA_INIT;
	const struct json *v;
	struct slice s;
	int64_t n = 0;
	double d = 0;
	bool b = false;

	CHECK_INT(json_parse(&a, slice_of(text), &v, NULL), 0, 0);
	CHECK(json_get_string(json_at(json_get(v, S("using")), 1), &s), 0);
	CHECK_TEXT(s, "mail", 0);
	CHECK(json_at(json_get(v, S("using")), 2) == NULL, 1);
	CHECK(json_get_int(json_get(v, S("n")), &n) && n == 7, 2);
	CHECK(json_get_double(json_get(v, S("n")), &d) && d == 7.0, 2);
	CHECK(json_get_double(json_get(v, S("d")), &d) && d == 1.5, 3);
	CHECK(!json_get_int(json_get(v, S("d")), &n), 3);
	CHECK(json_get_bool(json_get(v, S("t")), &b) && b, 4);
	CHECK(json_is(json_get(json_get(v, S("o")), S("z")), JSON_NULL), 5);
	CHECK(json_get(json_get(v, S("none")), S("z")) == NULL, 6);
	CHECK(json_get(json_get(v, S("using")), S("z")) == NULL, 7);
	CHECK(!json_get_string(NULL, &s), 8);
	arena_free(&a);
}

TEST(json_large_object)
{
	struct arena a = ARENA_INIT;
	struct buf in = BUF_INIT;
	const struct json *v, *w;
	char key[16];
	int64_t n;

	buf_add_byte(&in, '{');
	for (int i = 0; i < 50000; i++)
		buf_addf(&in, "%s\"k%d\":%d", i > 0 ? "," : "", i, i);
	buf_add_byte(&in, '}');
	CHECK_INT(json_parse(&a, buf_slice(&in), &v, NULL), 0, 0);
	for (int i = 0; i < 50000; i += 77) {
		snprintf(key, sizeof(key), "k%d", i);
		CHECK(json_get_int(json_get(v, slice_of(key)), &n) && n == i, i);
	}
	CHECK(json_get(v, S("k50000")) == NULL, 0);
	buf_truncate(&in, in.len - 1);
	buf_add(&in, S(",\"k123\":0}"));
	CHECK_INT(json_parse(&a, buf_slice(&in), &w, NULL), -EBADMSG, 0);
	arena_free(&a);
	buf_free(&in);
}

TEST(json_equal)
{
	static const struct { const char *a, *b; bool want; } cases[] = {
		{ "{\"a\":1,\"b\":[2]}", "{\"b\":[2],\"a\":1}", true },
		{ "{\"a\":1}", "{\"a\":1,\"b\":2}", false },
		{ "{\"a\":1,\"c\":2}", "{\"a\":1,\"b\":2}", false },
		{ "[1,2]", "[2,1]", false }, { "1", "1.0", false },
		{ "\"a\"", "\"\\u0061\"", true }, { "null", "false", false },
		{ "0", "-0", false }, { "null", "null", true },
	};
	struct arena a = ARENA_INIT;
	const struct json *x, *y;

	for (size_t i = 0; i < COUNT(cases); i++) {
		CHECK_INT(json_parse(&a, slice_of(cases[i].a), &x, NULL), 0, i);
		CHECK_INT(json_parse(&a, slice_of(cases[i].b), &y, NULL), 0, i);
		CHECK_INT(json_equal(x, y), cases[i].want, i);
	}
	arena_free(&a);
}

TEST(json_writer)
{
	struct buf out = BUF_INIT;
	struct json_writer w = json_writer_into(&out);

	json_array_begin(&w);
	json_object_begin(&w);
	json_key(&w, S("s"));
	json_string(&w, S("bad \xff, del \x7f"));
	json_key(&w, S("u"));
	json_uint(&w, UINT64_MAX);
	json_key(&w, S("raw"));
	json_raw(&w, S("{\"x\":1}"));
	json_key(&w, S("a"));
	json_array_begin(&w);
	json_array_end(&w);
	json_object_end(&w);
	json_text(&w, NULL);
	json_text(&w, "t");
	json_double(&w, INFINITY);
	json_double(&w, 1e22);
	json_double(&w, 0.30000000000000004);
	json_array_end(&w);
	json_writer_end(&w);
	CHECK_TEXT(buf_slice(&out), "[{\"s\":\"bad \xef\xbf\xbd, del \\u007f\","
	    "\"u\":18446744073709551615,\"raw\":{\"x\":1},\"a\":[]},null,\"t\","
	    "null,1e+22,0.30000000000000004]", 0);
	buf_free(&out);
}
