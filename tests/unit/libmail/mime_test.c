/* SPDX-License-Identifier: ISC */
#include "libmail/mime.h"

#include "test.h"

/* type/subtype;name=value; with "*" behind the name if it is extended */
TEST(mime_parse)
{
	static const struct { const char *in, *want; } rows[] = {
		{ "text/plain", "text/plain" },
		{ " text/plain; charset=utf-8\r\n",
		    "text/plain;charset=utf-8" },
		{ " text / plain ;\r\n\tcharset = \"us-ascii\" ; x=y",
		    "text/plain;charset=us-ascii;x=y" },
		/* RFC 2045 5.1 */
		{ "text/plain; charset=us-ascii (Plain text)",
		    "text/plain;charset=us-ascii" },
		{ "(a (nested) c) text(b)/(c)plain(d);(e)charset(f)=(g)x(h)",
		    "text/plain;charset=x" },
		{ "multipart/mixed; boundary=\"a \\\"b\\\\ c\"",
		    "multipart/mixed;boundary=a \"b\\ c" },
		{ "multipart/mixed; boundary==_a?b/c=",
		    "multipart/mixed;boundary==_a?b/c=" },
		{ "a/b; x=\"fol\r\n ded\"", "a/b;x=fol ded" },
		{ "a/b; name=fol ded (1) name.pdf ; y=2",
		    "a/b;name=fol ded (1) name.pdf;y=2" },
		{ "a/b; name=x (1; y=2", "a/b;name=x (1;y=2" },
		{ "a/b; x=\"never closed; y=2", "a/b;x=never closed; y=2" },
		{ "a/b; x=\"\"; y=; z", "a/b;x=;y=" },
		{ "a/b;;; x=1;", "a/b;x=1" },
		{ "a/b junk; x=1 ; \"q;q\"; y=2", "a/b;x=1;y=2" },
		{ "text", "text" },
		{ "attachment; filename=x", "attachment;filename=x" },
		{ "; x=1", ";x=1" },
		{ "", "" },
		/* RFC 2231 3, 4 */
		{ "message/external-body; URL*0=\"ftp://\";\r\n "
		  "URL*1=\"cs.utk.edu\"",
		    "message/external-body;URL=ftp://cs.utk.edu" },
		{ "a/b; title*=us-ascii'en-us'This%20is",
		    "a/b;title*=us-ascii'en-us'This%20is" },
		{ "a/b; t*0*=us-ascii'en'a%20;\r\n t*1*=b%2A;\r\n t*2=\"c' d\"",
		    "a/b;t*=us-ascii'en'a%20b%2Ac%27%20d" },
		{ "a/b; t*1=y; x=1; t*0=x; T*2=z", "a/b;t=xyz;x=1" },
		{ "a/b; t*0=x; t*2=z", "a/b;t=x" },
		{ "a/b; t*1=x", "a/b" },
		{ "a/b; t=plain; t*=utf-8''better",
		    "a/b;t=plain;t*=utf-8''better" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena		a = ARENA_INIT;
		struct buf		out = BUF_INIT;
		struct mime_value	v;

		mime_parse(slice_of(rows[i].in), &a, &v);
		buf_add(&out, v.type);
		if (v.subtype.len > 0)
			buf_add_byte(&out, '/');
		buf_add(&out, v.subtype);
		for (size_t k = 0; k < v.param_count; k++) {
			buf_add_byte(&out, ';');
			buf_add(&out, v.params[k].name);
			if (v.params[k].extended)
				buf_add_byte(&out, '*');
			buf_add_byte(&out, '=');
			buf_add(&out, v.params[k].value);
			CHECK(v.params[k].value.data != NULL, i);
		}
		CHECK_TEXT(buf_slice(&out), rows[i].want, i);
		buf_free(&out);
		arena_free(&a);
	}
}

/* a field made to be slow is read in linear time, and limits hold */
TEST(mime_parse_hostile)
{
	static const char *const parts[] = { "(", ";a=(", "\\", ";a*1=x",
		";a*0=x", "\"", ";a=\"", ";", "((()", ";a=b (" };

	for (size_t i = 0; i < COUNT(parts); i++) {
		struct arena		a = ARENA_INIT;
		struct buf		in = BUF_INIT;
		struct mime_value	v;

		buf_add_text(&in, "a/b; x=y");
		while (in.len < 200000)
			buf_add_text(&in, parts[i]);
		mime_parse(buf_slice(&in), &a, &v);
		CHECK(v.param_count <= MIME_PARAMS_MAX, i);
		buf_free(&in);
		arena_free(&a);
	}
}

TEST(mime_param_decode)
{
	static const struct { const char *in, *want; } rows[] = {
		{ "a/b; n=x.txt", "x.txt" },
		{ "a/b; n*=utf-8''%c3%a4%20b", "\xc3\xa4 b" },
		{ "a/b; n*=iso-8859-1'de'%e4", "\xc3\xa4" },
		{ "a/b; n=\"=?utf-8?Q?=C3=A4?=\"", "\xc3\xa4" },
		{ "a/b; n=old; n*0*=utf-8''n; n*1=ew", "new" },
		{ "a/b; n*=utf-8''100%", "100%" },
		{ "a/b; n*=x-odd''%e4", "\xc3\xa4" },
		{ "a/b; n*=bare", "" },
		{ "a/b; n=\xe4", "\xc3\xa4" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena		a = ARENA_INIT;
		struct buf		out = BUF_INIT;
		struct mime_value	v;
		const struct mime_param	*p;

		mime_parse(slice_of(rows[i].in), &a, &v);
		p = mime_param(&v, S("N"));
		if (CHECK(p != NULL, i)) {
			mime_param_decode(&out, p);
			CHECK_TEXT(buf_slice(&out), rows[i].want, i);
		}
		buf_free(&out);
		arena_free(&a);
	}
}

TEST(mime_token)
{
	CHECK_TEXT(mime_token(S(" (x) base64 (y)\r\n")), "base64", 0);
	CHECK_TEXT(mime_token(S("8bit;")), "8bit", 1);
	CHECK_TEXT(mime_token(S("")), "", 2);
}
