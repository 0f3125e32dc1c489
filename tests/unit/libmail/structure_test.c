/* SPDX-License-Identifier: ISC */
#include "libmail/structure.h"

#include "libmail/scan.h"

#include "test.h"

/* build - scan, build and read back; what is lent is in the arena */
static void
build(struct slice content, struct arena *a, struct structure *ret, size_t row)
{
	struct scan	*s = scan_new(NULL);
	struct buf	 record = BUF_INIT;
	struct slice	 copy;

	scan_feed(s, content);
	structure_build(&record, content, scan_finish(s));
	copy = arena_dup(a, buf_slice(&record));
	if (CHECK_INT(structure_parse(copy, content.len, a, ret), 0, row) != 0)
		abort();
	/* another length, or a piece missing: refused */
	CHECK_INT(structure_parse(copy, content.len + 1, a, ret), -EBADMSG,
	    row);
	CHECK_INT(structure_parse(slice_sub(copy, 0, copy.len - 1),
	    content.len, a, ret), -EBADMSG, row);
	buf_free(&record);
	scan_free(&s);
}

#define NIL3 " NIL NIL NIL"

TEST(structure_render)
{
	static const struct { const char *in, *body, *extended; } rows[] = {
		{ "Subject: x\r\n\r\none\r\ntwo\r\n",
		  "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
		  "\"7bit\" 10 2)",
		  "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
		  "\"7bit\" 10 2 NIL" NIL3 ")" },
		{ "", "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
		  "\"7bit\" 0 0)", NULL },
		{ "Content-Type: TEXT/Html; charset=utf-8; x=\"a \\\"b\"\r\n"
		  "Content-ID: <i@d>\r\nContent-Description: about\r\n it\r\n"
		  "Content-Transfer-Encoding: QUOTED-Printable\r\n"
		  "Content-MD5: abc==\r\nContent-Language: de, en-GB\r\n"
		  "Content-Location: http://x/y\r\n"
		  "Content-Disposition: inline; filename=\"f.html\"\r\n\r\nx",
		  "(\"TEXT\" \"Html\" (\"charset\" \"utf-8\" \"x\" \"a \\\"b\") "
		  "\"<i@d>\" \"about it\" \"QUOTED-Printable\" 1 0)",
		  "(\"TEXT\" \"Html\" (\"charset\" \"utf-8\" \"x\" \"a \\\"b\") "
		  "\"<i@d>\" \"about it\" \"QUOTED-Printable\" 1 0 \"abc==\" "
		  "(\"inline\" (\"filename\" \"f.html\")) (\"de\" \"en-GB\") "
		  "\"http://x/y\")" },
		/* RFC 3501 7.4.2, with the sizes of this one */
		{ "Content-Type: MULTIPART/MIXED; boundary=b\r\n\r\n--b\r\n"
		  "Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\na\r\nb"
		  "\r\n--b\r\nContent-Type: TEXT/PLAIN; CHARSET=US-ASCII; "
		  "NAME=cc.diff\r\nContent-ID: <960723163407.20117h@cac>\r\n"
		  "Content-Description: Compiler diff\r\n"
		  "Content-Transfer-Encoding: BASE64\r\n\r\nYQ==\r\n\r\n"
		  "--b--\r\n",
		  "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL "
		  "\"7bit\" 4 1)(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\" "
		  "\"NAME\" \"cc.diff\") \"<960723163407.20117h@cac>\" "
		  "\"Compiler diff\" \"BASE64\" 6 1) \"MIXED\")",
		  "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL "
		  "\"7bit\" 4 1 NIL" NIL3 ")(\"TEXT\" \"PLAIN\" (\"CHARSET\" "
		  "\"US-ASCII\" \"NAME\" \"cc.diff\") "
		  "\"<960723163407.20117h@cac>\" \"Compiler diff\" \"BASE64\" "
		  "6 1 NIL" NIL3 ") \"MIXED\" (\"boundary\" \"b\")" NIL3 ")" },
		/* a message in a message; no lines for what is no text */
		{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
		  "Content-Type: message/rfc822\r\n\r\nSubject: in\r\n"
		  "From: a@b\r\n\r\nhi\r\n\r\n--b\r\n"
		  "Content-Type: image/png\r\n"
		  "Content-Disposition: attachment\r\n\r\nx\r\n--b--\r\n",
		  "((\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 30 "
		  "(NIL \"in\" ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) "
		  "((NIL NIL \"a\" \"b\")) NIL NIL NIL NIL NIL) "
		  "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
		  "\"7bit\" 4 1) 4)(\"image\" \"png\" NIL NIL NIL \"7bit\" 1) "
		  "\"mixed\")",
		  "((\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 30 "
		  "(NIL \"in\" ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) "
		  "((NIL NIL \"a\" \"b\")) NIL NIL NIL NIL NIL) "
		  "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
		  "\"7bit\" 4 1 NIL" NIL3 ") 4 NIL" NIL3 ")(\"image\" \"png\" "
		  "NIL NIL NIL \"7bit\" 1 NIL (\"attachment\" NIL) NIL NIL) "
		  "\"mixed\" (\"boundary\" \"b\")" NIL3 ")" },
		/* parameters of RFC 2231 put together */
		{ "Content-Type: application/x; name*0*=utf-8''a%20;\r\n"
		  " name*1=b\r\n\r\nx",
		  "(\"application\" \"x\" (\"name*\" \"utf-8''a%20b\") NIL NIL "
		  "\"7bit\" 1)", NULL },
		/* 8-bit in a header: a literal */
		{ "Content-Type: application/x; name=\"\xc3\xa4\"\r\n\r\nx",
		  "(\"application\" \"x\" (\"name\" {2}\r\n\xc3\xa4) NIL NIL "
		  "\"7bit\" 1)", NULL },
		/* no container without a part */
		{ "Content-Type: multipart/alternative; boundary=b\r\n\r\ntext",
		  "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
		  "\"7bit\" 4 0) \"alternative\")", NULL },
		{ "Content-Type: message/rfc822\r\n\r\n",
		  "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 0 "
		  "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) "
		  "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
		  "\"7bit\" 0 0) 0)", NULL },
		{ "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n"
		  "Subject: d\r\n\r\n--b--\r\n",
		  "((\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 14 "
		  "(NIL \"d\" NIL NIL NIL NIL NIL NIL NIL NIL) "
		  "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
		  "\"7bit\" 0 0) 2) \"digest\")", NULL },
		{ "Content-Type: nonsense; charset=x\r\n\r\ny",
		  "(\"text\" \"plain\" (\"charset\" \"x\") NIL NIL \"7bit\" "
		  "1 0)", NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena		a = ARENA_INIT;
		struct buf		out = BUF_INIT;
		struct structure	s;

		build(slice_of(rows[i].in), &a, &s, i);
		structure_render_body(&out, &s);
		CHECK_TEXT(buf_slice(&out), rows[i].body, i);
		if (rows[i].extended != NULL) {
			buf_reset(&out);
			structure_render_bodystructure(&out, &s);
			CHECK_TEXT(buf_slice(&out), rows[i].extended, i);
		}
		buf_free(&out);
		arena_free(&a);
	}
}

/* the tree of RFC 3501 6.4.5 */
static const char	tree[] =
	"Subject: top\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n"
	"--a\r\nX: 1\r\n\r\none\r\n"
	"--a\r\nContent-Type: application/octet-stream\r\n\r\ntwo\r\n"
	"--a\r\nContent-Type: message/rfc822\r\n\r\n"
	"Subject: three\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
	"--b\r\n\r\nthree-one\r\n"
	"--b\r\nContent-Type: application/octet-stream\r\n\r\nthree-two\r\n"
	"--b--\r\n"
	"--a\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
	"--c\r\nContent-Type: image/gif\r\n\r\nfour-one\r\n"
	"--c\r\nContent-Type: message/rfc822\r\n\r\n"
	"Content-Type: multipart/mixed; boundary=d\r\nSubject: four-two\r\n\r\n"
	"--d\r\n\r\nfour-two-one\r\n"
	"--d\r\nContent-Type: multipart/alternative; boundary=e\r\n\r\n"
	"--e\r\n\r\nfour-two-two-one\r\n"
	"--e\r\nContent-Type: text/richtext\r\n\r\nfour-two-two-two\r\n"
	"--e--\r\n--d--\r\n--c--\r\n"
	"--a\r\nContent-Type: message/rfc822\r\n\r\n"
	"Subject: five\r\n\r\nfive-one\r\n"
	"--a--\r\n";

TEST(structure_section)
{
	static const struct {
		uint32_t		numbers[5];
		enum structure_text	text;
		const char		*want;	/* begins with; NULL: none */
	} rows[] = {
		{ { 0 }, STRUCTURE_ALL, "Subject: top\r\n" },
		{ { 0 }, STRUCTURE_HEADER, "Subject: top\r\n" },
		{ { 0 }, STRUCTURE_TEXT, "--a\r\n" },
		{ { 0 }, STRUCTURE_MIME, NULL },
		{ { 1 }, STRUCTURE_ALL, "one" },
		{ { 1 }, STRUCTURE_MIME, "X: 1\r\n\r\n" },
		{ { 1 }, STRUCTURE_HEADER, NULL },
		{ { 1 }, STRUCTURE_TEXT, NULL },
		{ { 1, 1 }, STRUCTURE_ALL, NULL },
		{ { 2 }, STRUCTURE_ALL, "two" },
		{ { 3 }, STRUCTURE_ALL, "Subject: three\r\n" },
		{ { 3 }, STRUCTURE_HEADER, "Subject: three\r\n" },
		{ { 3 }, STRUCTURE_TEXT, "--b\r\n" },
		{ { 3 }, STRUCTURE_MIME, "Content-Type: message/rfc822\r\n\r\n" },
		{ { 3, 1 }, STRUCTURE_ALL, "three-one" },
		{ { 3, 2 }, STRUCTURE_ALL, "three-two" },
		{ { 3, 3 }, STRUCTURE_ALL, NULL },
		{ { 4 }, STRUCTURE_ALL, "--c\r\n" },
		{ { 4 }, STRUCTURE_HEADER, NULL },
		{ { 4, 1 }, STRUCTURE_ALL, "four-one" },
		{ { 4, 1 }, STRUCTURE_MIME, "Content-Type: image/gif\r\n\r\n" },
		{ { 4, 2 }, STRUCTURE_HEADER, "Content-Type: multipart/mixed; "
		    "boundary=d\r\nSubject: four-two\r\n\r\n" },
		{ { 4, 2 }, STRUCTURE_TEXT, "--d\r\n" },
		{ { 4, 2, 1 }, STRUCTURE_ALL, "four-two-one" },
		{ { 4, 2, 2 }, STRUCTURE_ALL, "--e\r\n" },
		{ { 4, 2, 2, 1 }, STRUCTURE_ALL, "four-two-two-one" },
		{ { 4, 2, 2, 2 }, STRUCTURE_ALL, "four-two-two-two" },
		{ { 4, 2, 2, 2, 1 }, STRUCTURE_ALL, NULL },
		{ { 5, 1 }, STRUCTURE_ALL, "five-one" },
		{ { 5, 2 }, STRUCTURE_ALL, NULL },
		{ { 6 }, STRUCTURE_ALL, NULL },
	};
	struct arena		a = ARENA_INIT;
	struct slice		content = slice_of(tree);
	struct structure	s;

	build(content, &a, &s, 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct structure_range	range = { .length = 0 };
		size_t			count = 0;
		uint32_t		part;
		int			r;

		while (count < 5 && rows[i].numbers[count] != 0)
			count++;
		r = structure_section(&s, rows[i].numbers, count, rows[i].text,
		    &range);
		CHECK_INT(r, rows[i].want == NULL ? -ENOENT : 0, i);
		if (r == 0 && rows[i].want != NULL)
			CHECK(slice_has_prefix(slice_sub(content, range.offset,
			    range.length), slice_of(rows[i].want)), i);
		if (r == 0 && rows[i].text == STRUCTURE_ALL && count > 0)
			CHECK(range.from_top == false, i);
		/* and back to the number */
		if (r == 0 && structure_find(&s, rows[i].numbers, count,
		    &part) == 0) {
			struct buf	got = BUF_INIT, want = BUF_INIT;

			for (size_t k = 0; k < count; k++)
				buf_addf(&want, "%s%u", k == 0 ? "" : ".",
				    rows[i].numbers[k]);
			structure_number(&got, &s, part);
			CHECK_SLICE(buf_slice(&got), buf_slice(&want), i);
			buf_free(&got);
			buf_free(&want);
		}
	}
	arena_free(&a);
}

/* a message that is no multipart has a part 1: itself */
TEST(structure_section_single)
{
	struct arena		a = ARENA_INIT;
	struct structure	s;
	struct structure_range	range;
	struct slice		content = S("Subject: x\r\n\r\nbody");
	uint32_t		one[2] = { 1, 1 };

	build(content, &a, &s, 0);
	CHECK_INT(structure_section(&s, one, 1, STRUCTURE_ALL, &range), 0, 0);
	CHECK_INT((long long)range.offset, 14, 0);
	CHECK_INT((long long)range.length, 4, 0);
	CHECK_INT(structure_section(&s, one, 1, STRUCTURE_MIME, &range), 0, 1);
	CHECK(range.from_top && range.offset == 0 && range.length == 14, 1);
	CHECK_INT(structure_section(&s, one, 2, STRUCTURE_ALL, &range),
	    -ENOENT, 2);
	arena_free(&a);
}

/* a thousand parts with long texts: a record that is still small */
TEST(structure_large)
{
	struct arena		a = ARENA_INIT;
	struct buf		in = BUF_INIT, out = BUF_INIT;
	struct structure	s;

	buf_add_text(&in, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (size_t i = 0; i < 1000; i++) {
		buf_add_text(&in, "--b\r\nContent-Description: ");
		for (size_t k = 0; k < 4000; k++)
			buf_add_byte(&in, 'x');
		buf_add_text(&in, "\r\n\r\nx\r\n");
	}
	build(buf_slice(&in), &a, &s, 0);
	CHECK_INT(s.facts.part_count, 1001, 0);
	structure_render_bodystructure(&out, &s);
	CHECK(out.len > 1 << 20 && out.len < 2 << 20, 0);
	buf_free(&in);
	buf_free(&out);
	arena_free(&a);
}
