/* SPDX-License-Identifier: ISC */
/*
 * Every message is scanned whole, byte by byte, and cut at every place; the
 * facts must be the same each time, and survive their encoding.
 */
#include "libmail/scan.h"

#include "test.h"

/* scan_cut - the encoded facts of content that comes in pieces of this size,
 * the first of another */
static void
scan_cut(struct scan *s, struct slice content, size_t first, size_t size,
    struct buf *out)
{
	scan_reset(s);
	scan_feed(s, slice_sub(content, 0, first));
	for (size_t i = first; i < content.len; i += size)
		scan_feed(s, slice_sub(content, i, size));
	facts_format(out, scan_finish(s));
}

/* check_cuts - does it matter how it is cut, or encoded? */
static void
check_cuts(struct scan *s, struct slice content, size_t row)
{
	struct buf	whole = BUF_INIT, cut = BUF_INIT, again = BUF_INIT;
	struct arena	a = ARENA_INIT;
	struct facts	f;

	scan_cut(s, content, content.len, 1, &whole);
	for (size_t i = 0; i < content.len; i++) {
		scan_cut(s, content, i, i % 3 == 0 ? 1 : content.len, &cut);
		CHECK_SLICE(buf_slice(&cut), buf_slice(&whole), row);
		buf_reset(&cut);
	}
	if (CHECK_INT(facts_parse(buf_slice(&whole), content.len, &a, &f), 0,
	    row) == 0) {
		facts_format(&again, &f);
		CHECK_SLICE(buf_slice(&again), buf_slice(&whole), row);
	}
	buf_free(&whole);
	buf_free(&cut);
	buf_free(&again);
	arena_free(&a);
}

/* show - the tree as text: type|header|body|lines, a part a line, each below
 * its parent by a dot */
static void
show(struct buf *out, struct slice content, const struct facts *f)
{
	static const char *const types[] = { "other", "plain", "html", "text",
		"mixed", "alternative", "related", "signed", "encrypted",
		"report", "digest", "multipart", "rfc822", "global", "message",
		"image", "audio", "video", "application" };

	for (uint32_t i = 0; i < f->part_count; i++) {
		const struct facts_part	*p = &f->parts[i];

		for (size_t k = 0; k < p->depth; k++)
			buf_add_byte(out, '.');
		buf_addf(out, "%s%s%s%s|", types[p->type],
		    p->flags & PART_MADE_UP ? "+" : "",
		    p->flags & PART_OPAQUE ? "?" : "",
		    p->flags & PART_UNCLOSED ? "~" : "");
		if (p->kind == PART_LEAF) {
			buf_add(out, slice_sub(content, p->body,
			    p->end - p->body));
			buf_add_byte(out, '|');
		}
		buf_addf(out, "%u/%u\n", (unsigned)p->header_lines,
		    (unsigned)p->lines);
	}
}

struct row {
	const char	*in;
	const char	*tree;
	uint32_t	 flags;
};

static void
run(const struct scan_limits *limits, const struct row *rows, size_t count)
{
	struct scan	*s = scan_new(limits);
	struct buf	 out = BUF_INIT;

	for (size_t i = 0; i < count; i++) {
		struct slice		 content = slice_of(rows[i].in);
		const struct facts	*f;

		scan_reset(s);
		scan_feed(s, content);
		f = scan_finish(s);
		show(&out, content, f);
		CHECK_TEXT(buf_slice(&out), rows[i].tree, i);
		CHECK_INT(f->flags, rows[i].flags, i);
		buf_reset(&out);
		check_cuts(s, content, i);
	}
	buf_free(&out);
	scan_free(&s);
}

#define MIXED(b) "Content-Type: multipart/mixed; boundary=" b "\r\n\r\n"

TEST(scan_simple)
{
	static const struct row rows[] = {
		{ "", "plain||0/0\n", FACTS_NO_BLANK_LINE },
		{ "\r\n", "plain||1/0\n", 0 },
		{ "\r\nbody\r\n", "plain|body\r\n|1/1\n", 0 },
		{ "A: b\r\n", "plain||1/0\n", FACTS_NO_BLANK_LINE },
		{ "A: b", "plain||0/0\n",
		    FACTS_NO_BLANK_LINE | FACTS_NO_LAST_LF },
		{ "A: b\r\n\r\n", "plain||2/0\n", 0 },
		{ "A: b\r\n\r\na\r\nb", "plain|a\r\nb|2/1\n",
		    FACTS_NO_LAST_LF },
		{ "body only\r\nX: y\r\n", "plain|body only\r\nX: y\r\n|0/2\n",
		    FACTS_NO_BLANK_LINE | FACTS_BAD_HEADER },
		{ "A: b\r\nbody\r\n\r\n", "plain|body\r\n\r\n|1/2\n",
		    FACTS_NO_BLANK_LINE | FACTS_BAD_HEADER },
		{ " A: b\r\n\r\n", "plain| A: b\r\n\r\n|0/2\n",
		    FACTS_NO_BLANK_LINE | FACTS_BAD_HEADER },
		{ "From a@b Mon Jan  1 00:00:00 2026\r\nA: b\r\n\r\nc\r\n",
		    "plain|c\r\n|3/1\n", FACTS_FROM_LINE },
		{ "A: b\n\nc\n", "plain|c\n|2/1\n", FACTS_BARE_LF },
		{ "A: b\r\n\r\nc\rd\r\n", "plain|c\rd\r\n|2/1\n",
		    FACTS_BARE_CR },
		{ "A: b\r\n\r\nc\r\r\n", "plain|c\r\r\n|2/1\n", FACTS_BARE_CR },
		{ "A: b\r\n\r\nc\r", "plain|c\r|2/0\n",
		    FACTS_BARE_CR | FACTS_NO_LAST_LF },
		{ "A: \xc3\xa4\r\n\r\nb\r\n", "plain|b\r\n|2/1\n",
		    FACTS_8BIT_HEADER | FACTS_UTF8_HEADER },
		{ "A: \xe4\r\n\r\nb\r\n", "plain|b\r\n|2/1\n",
		    FACTS_8BIT_HEADER },
		{ "A: b\r\n\r\n\xe4\r\n", "plain|\xe4\r\n|2/1\n",
		    FACTS_8BIT_BODY },
		/* malformed types are plain text (RFC 2045 5.2) */
		{ "Content-Type: text\r\n\r\na", "plain|a|2/0\n",
		    FACTS_NO_LAST_LF },
		{ "Content-Type: \r\n\r\na", "plain|a|2/0\n",
		    FACTS_NO_LAST_LF },
		{ "Content-Type: TEXT/\r\n Html\r\n\r\na", "html|a|3/0\n",
		    FACTS_NO_LAST_LF },
		/* the first counts */
		{ "Content-Type: a/b\r\nContent-Type: text/html\r\n\r\n",
		    "other||3/0\n", 0 },
	};

	run(NULL, rows, COUNT(rows));
}

TEST(scan_multipart)
{
	static const struct row rows[] = {
		{ MIXED("b") "pre\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: "
		  "text/html\r\n\r\ntwo\r\n\r\n--b--\r\nepilogue\r\n",
		  "mixed|2/11\n.plain|one|1/0\n.html|two\r\n|2/1\n", 0 },
		/* quoted boundary, padding behind the delimiter */
		{ MIXED("\"a b\"") "--a b \t\r\n\r\nx\r\n--a b-- \r\n",
		  "mixed|2/4\n.plain|x|1/0\n", 0 },
		/* empty parts, with and without a header's end */
		{ MIXED("b") "--b\r\n\r\n\r\n--b\r\n\r\n--b\r\n--b\r\nA: b\r\n"
		  "--b--\r\n",
		  "mixed|2/9\n.plain||1/0\n.plain||1/0\n.plain||0/0\n"
		  ".plain||1/0\n", 0 },
		/* never closed; no line end at the end */
		{ MIXED("b") "--b\r\n\r\none\r\n--b\r\n\r\ntwo",
		  "mixed~|2/5\n.plain|one|1/0\n.plain|two|1/0\n",
		  FACTS_NO_LAST_LF },
		{ MIXED("b") "--b", "mixed~|2/0\n.plain||0/0\n",
		  FACTS_NO_LAST_LF },
		{ MIXED("b") "--b\r\n\r\none\r\n--b--",
		  "mixed|2/3\n.plain|one|1/0\n", FACTS_NO_LAST_LF },
		/* no delimiter, no boundary: one part stands for the body */
		{ MIXED("b") "text\r\n", "mixed~|2/1\n.plain+|text\r\n|0/1\n",
		  0 },
		{ MIXED("b") "", "mixed~|2/0\n.plain+||0/0\n", 0 },
		{ MIXED("b") "text\r\n--b--\r\n",
		  "mixed|2/2\n.plain+|text\r\n--b--\r\n|0/2\n", 0 },
		{ "Content-Type: multipart/mixed\r\n\r\n--b\r\n",
		  "mixed~|2/1\n.plain+|--b\r\n|0/1\n", 0 },
		{ MIXED("\"\"") "--\r\n",
		  "mixed~|2/1\n.plain+|--\r\n|0/1\n", 0 },
		{ "Content-Type: multipart/mixed; boundary=b\r\n",
		  "mixed~|1/0\n.plain+||0/0\n", FACTS_NO_BLANK_LINE },
		/* a delimiter needs no more than to begin with the boundary;
		 * but the innermost that fits exactly is preferred */
		{ MIXED("b") "--bx\r\n\r\none\r\n--b--x\r\n",
		  "mixed|2/4\n.plain|one|1/0\n", 0 },
		{ MIXED("abc") "--abc\r\n" MIXED("ab") "--ab\r\n\r\none\r\n"
		  "--abc--\r\n",
		  "mixed|2/7\n.mixed~|2/2\n..plain|one|1/0\n", 0 },
		{ MIXED("ab") "--ab\r\n" MIXED("abc") "--abc\r\n\r\none\r\n"
		  "--abc--\r\n--ab--\r\n",
		  "mixed|2/8\n.mixed|2/3\n..plain|one|1/0\n", 0 },
		/* the same boundary twice: the inner one is meant */
		{ MIXED("b") "--b\r\n" MIXED("b") "--b\r\n\r\none\r\n"
		  "--b--\r\ntwo\r\n--b--\r\n",
		  "mixed|2/9\n.mixed|2/4\n..plain|one|1/0\n", 0 },
		/* an inner multipart is not closed */
		{ MIXED("o") "--o\r\n" MIXED("i") "--i\r\n--o\r\n\r\nx\r\n"
		  "--o--\r\n",
		  "mixed|2/8\n.mixed~|2/1\n..plain||0/0\n.plain|x|1/0\n", 0 },
		/* delimiters of what is closed are text */
		{ MIXED("b") "--b\r\n\r\none\r\n--b--\r\n--b\r\n\r\nx\r\n",
		  "mixed|2/7\n.plain|one|1/0\n", 0 },
		{ MIXED("b") "--b\nA: b\n\none\n\n--b--\n",
		  "mixed|2/6\n.plain|one\n|2/1\n", FACTS_BARE_LF },
		/* RFC 2231 in a boundary; a colon in one */
		{ "Content-Type: multipart/mixed; boundary*1=b;\r\n "
		  "boundary*0=a\r\n\r\n--ab\r\n\r\nx\r\n--ab--\r\n",
		  "mixed|3/4\n.plain|x|1/0\n", 0 },
		{ MIXED("a:b") "--a:b\r\nX: y\r\n--a:b--\r\n",
		  "mixed|2/3\n.plain||1/0\n", 0 },
		/* a line of dashes is no delimiter */
		{ MIXED("b") "--b\r\n\r\n--\r\n---\r\n----b\r\n-\r\n--b--\r\n",
		  "mixed|2/7\n.plain|--\r\n---\r\n----b\r\n-|1/3\n", 0 },
		{ MIXED("b") "--b\r\n\r\n\xe4\r\n--b--\r\n",
		  "mixed|2/4\n.plain|\xe4|1/0\n", FACTS_8BIT_BODY },
	};

	run(NULL, rows, COUNT(rows));
}

TEST(scan_message)
{
	static const struct row rows[] = {
		{ "Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\nc\r\n",
		  "rfc822|2/3\n.plain|c\r\n|2/1\n", 0 },
		{ "Content-Type: message/rfc822\r\n\r\n",
		  "rfc822|2/0\n.plain||0/0\n", 0 },
		{ "Content-Type: message/rfc822\r\nbad\r\n",
		  "rfc822|1/1\n.plain|bad\r\n|0/1\n",
		  FACTS_NO_BLANK_LINE | FACTS_BAD_HEADER },
		{ "Content-Type: message/global\r\n\r\n\r\nx",
		  "global|2/1\n.plain|x|1/0\n", FACTS_NO_LAST_LF },
		{ MIXED("b") "--b\r\nContent-Type: message/rfc822\r\n\r\n"
		  MIXED("c") "--c\r\n\r\none\r\n--c--\r\n--b\r\n\r\ntwo\r\n"
		  "--b--\r\n",
		  "mixed|2/13\n.rfc822|2/5\n..mixed|2/3\n...plain|one|1/0\n"
		  ".plain|two|1/0\n", 0 },
		/* cut short by the delimiter outside, in its header, too */
		{ MIXED("b") "--b\r\nContent-Type: message/rfc822\r\n--b\r\n"
		  "Content-Type: message/rfc822\r\n\r\nA: b\r\n--b--\r\n",
		  "mixed|2/7\n.rfc822|1/0\n..plain||0/0\n.rfc822|2/1\n"
		  "..plain||1/0\n", 0 },
		/* RFC 2046 5.1.5 */
		{ "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n"
		  "A: b\r\n\r\nc\r\n--b\r\nContent-Type: text/plain\r\n\r\nd"
		  "\r\n--b--\r\n",
		  "digest|2/10\n.rfc822|1/2\n..plain|c|2/0\n.plain|d|2/0\n",
		  0 },
		{ "Content-Type: message/partial\r\n\r\nA: b\r\n\r\nc\r\n",
		  "message|A: b\r\n\r\nc\r\n|2/3\n", 0 },
	};

	run(NULL, rows, COUNT(rows));
}

TEST(scan_limits)
{
	static const struct scan_limits small = { 2, 5, 2, 80, 4 };
	static const struct row rows[] = {
		/* depth 2 */
		{ MIXED("a") "--a\r\n" MIXED("b") "--b\r\n" MIXED("c")
		  "--c\r\n\r\nx\r\n--b\r\n\r\ny\r\n--a--\r\n",
		  "mixed|2/13\n.mixed~|2/8\n..mixed?|2/2\n"
		  "...plain+|--c\r\n\r\nx|0/2\n..plain|y|1/0\n",
		  FACTS_OVER_DEPTH },
		/* 5 parts */
		{ MIXED("a") "--a\r\n\r\n1\r\n--a\r\n\r\n2\r\n--a\r\n\r\n3\r\n"
		  "--a\r\n\r\n4\r\n--a\r\n\r\n5\r\n--a\r\n\r\n6\r\n--a--\r\n",
		  "mixed~|2/19\n.plain|1|1/0\n.plain|2|1/0\n.plain|3|1/0\n"
		  ".plain|4|1/0\n"
		  ".application+?|\r\n5\r\n--a\r\n\r\n6\r\n--a--\r\n|0/6\n",
		  FACTS_OVER_PARTS },
		/* 2 fields */
		{ "A: 1\r\nB: 2\r\nC: 3\r\n\r\nx\r\n", "plain|x\r\n|4/1\n",
		  FACTS_OVER_FIELDS },
		/* 80 bytes of header */
		{ "A: 0123456789012345678901234567890123456789\r\n"
		  "B: 0123456789012345678901234567890123456789\r\n\r\nx\r\n",
		  "plain?|B: 0123456789012345678901234567890123456789\r\n\r\n"
		  "x\r\n|1/3\n", FACTS_OVER_HEADER | FACTS_NO_BLANK_LINE },
		{ "Content-Type: multipart/mixed; boundary=a\r\n"
		  "B: 0123456789012345678901234567890123456789\r\n\r\n--a\r\n",
		  "mixed?|1/3\n.plain+|B: "
		  "0123456789012345678901234567890123456789\r\n\r\n--a\r\n|0/3\n",
		  FACTS_OVER_HEADER | FACTS_NO_BLANK_LINE },
		/* a boundary of 4 bytes */
		{ MIXED("abcde") "--abcde\r\n",
		  "mixed?~|2/1\n.plain+|--abcde\r\n|0/1\n",
		  FACTS_OVER_BOUNDARY },
	};

	run(&small, rows, COUNT(rows));
}

/* what is told of the header, and of the whole */
TEST(scan_facts)
{
	static const char	text[] =
	    "Received: a\r\n\tb\r\n"
	    "X-Foo : c\r\n"
	    "received: d\r\n"
	    "Content-Type: text/plain;\r\n charset=\"utf-8\"\r\n"
	    "Content-Transfer-Encoding: Base64\r\n"
	    "Content-Disposition: attachment; filename=x\r\n"
	    "Content-ID: <i@d>\r\n"
	    "\r\n"
	    ".dots\r\n..\r\nand 0123456789012345678901234567890123456789\r\n";
	struct slice		content = slice_of(text);
	struct scan		*s = scan_new(NULL);
	const struct facts	*f;
	const struct facts_field *field;
	const struct facts_part	*p;
	uint32_t		 i = 0;

	scan_feed(s, content);
	f = scan_finish(s);
	p = f->parts;
	CHECK_INT(f->flags, 0, 0);
	CHECK_INT(f->received_count, 2, 0);
	CHECK_INT((long long)f->lines, 13, 0);
	CHECK_INT((long long)f->dot_lines, 2, 0);
	CHECK_INT((long long)f->longest_line, 44, 0);
	CHECK(facts_has(f, HEADER_CONTENT_ID) && !facts_has(f, HEADER_DATE), 0);
	CHECK_INT(f->field_count, 7, 0);
	field = facts_next_field(f, HEADER_RECEIVED, &i);
	CHECK_TEXT(facts_field_raw(content, field), "Received: a\r\n\tb\r\n", 0);
	CHECK_TEXT(facts_field_value(content, field), " a\r\n\tb\r\n", 0);
	field = facts_next_field(f, HEADER_RECEIVED, &i);
	CHECK_TEXT(facts_field_value(content, field), " d\r\n", 0);
	CHECK(facts_next_field(f, HEADER_RECEIVED, &i) == NULL, 0);
	CHECK_TEXT(facts_field_value(content, &f->fields[1]), " c\r\n", 0);
	CHECK_TEXT(facts_field_raw(content, &f->fields[6]),
	    "Content-ID: <i@d>\r\n", 0);
	CHECK_TEXT(facts_ref_slice(content, p->content_type),
	    "text/plain;\r\n charset=\"utf-8\"", 0);
	CHECK_TEXT(facts_ref_slice(content, p->charset), "utf-8", 0);
	CHECK_TEXT(facts_ref_slice(content, p->content_id), "i@d", 0);
	CHECK_TEXT(facts_ref_slice(content, p->boundary), "", 0);
	CHECK_INT(p->encoding, ENCODING_BASE64, 0);
	CHECK_INT(p->disposition, DISPOSITION_ATTACHMENT, 0);
	check_cuts(s, content, 0);
	scan_free(&s);
}

/* flags of parts go up to what is around them */
TEST(scan_part_flags)
{
	struct buf	in = BUF_INIT;
	struct scan	*s = scan_new(NULL);
	const struct facts *f;

	buf_add_text(&in, MIXED("b") "--b\r\n\r\n\xe4\r\n--b\r\n\r\nx");
	buf_add_byte(&in, '\0');
	buf_add_text(&in, "\r\n--b\r\n\r\n");
	for (size_t i = 0; i < 999; i++)
		buf_add_byte(&in, 'x');
	buf_add_text(&in, "\r\n--b--\r\n");
	scan_feed(s, buf_slice(&in));
	f = scan_finish(s);
	CHECK_INT(f->flags, FACTS_8BIT_BODY | FACTS_NUL, 0);
	CHECK_INT(f->parts[0].flags, PART_8BIT | PART_NUL | PART_LONG_LINE, 0);
	CHECK_INT(f->parts[1].flags, PART_8BIT, 0);
	CHECK_INT(f->parts[2].flags, PART_NUL, 0);
	CHECK_INT(f->parts[3].flags, PART_LONG_LINE, 0);
	check_cuts(s, buf_slice(&in), 0);
	buf_free(&in);
	scan_free(&s);
}

/* lines and headers without end: memory stays small, nothing is lost */
TEST(scan_huge)
{
	static const char *const starts[] = { "A: ", "", "A: b\r\n\r\n",
		"A: b\r\n ", "Content-Type: text/plain; x=" };
	char	block[4096];

	memset(block, 'x', sizeof(block));
	for (size_t i = 0; i < COUNT(starts); i++) {
		struct scan		*s = scan_new(NULL);
		const struct facts	*f;
		size_t			 n = slice_of(starts[i]).len;

		scan_feed(s, slice_of(starts[i]));
		for (size_t k = 0; k < 1024; k++)
			scan_feed(s, slice_over(block, sizeof(block)));
		f = scan_finish(s);
		CHECK_INT((long long)f->length, (long long)(n + 4194304), i);
		CHECK_INT(f->part_count, 1, i);
		CHECK_INT((long long)f->parts[0].end, (long long)f->length, i);
		CHECK(f->longest_line >= 4194304, i);
		scan_free(&s);
	}
}

/* containers in containers, to the limit and beyond */
TEST(scan_deep)
{
	static const char *const levels[] = {
		"Content-Type: message/rfc822\r\n\r\n",
		MIXED("b") "--b\r\n",
	};

	for (size_t i = 0; i < COUNT(levels); i++) {
		struct scan		*s = scan_new(NULL);
		struct buf		 in = BUF_INIT, out = BUF_INIT;
		struct arena		 a = ARENA_INIT;
		const struct facts	*f;
		struct facts		 again;

		for (size_t k = 0; k < 1000; k++)
			buf_add_text(&in, levels[i]);
		scan_feed(s, buf_slice(&in));
		f = scan_finish(s);
		CHECK(f->flags & FACTS_OVER_DEPTH, i);
		CHECK_INT(f->parts[101].depth, 101, i);
		CHECK(f->parts[101].flags & PART_MADE_UP, i);
		facts_format(&out, f);
		CHECK_INT(facts_parse(buf_slice(&out), in.len, &a, &again), 0,
		    i);
		buf_free(&in);
		buf_free(&out);
		arena_free(&a);
		scan_free(&s);
	}
}
