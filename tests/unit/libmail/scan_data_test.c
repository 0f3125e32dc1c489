/* SPDX-License-Identifier: ISC */
/*
 * Every row is run whole and cut at every pair of places: the result may not
 * depend on how the network cuts the stream.
 */
#include "libmail/scan_data.h"

#include <string.h>

#include "test.h"

/* decode - all that comes out of these chunks; what is left stays in *rest */
static void
decode(struct smtp_data *d, const struct slice *chunks, size_t count,
    struct buf *out, struct buf *rest)
{
	for (size_t i = 0; i < count; i++) {
		struct cursor	c = cursor_over(chunks[i]);
		struct slice	piece;

		while (smtp_data_next(d, &c, &piece))
			buf_add(out, piece);
		buf_add(rest, cursor_rest(&c));
	}
}

struct row {
	const char	*in;
	const char	*out;
	const char	*rest;	/* NULL: the data has not ended */
	unsigned	 lf, cr;
};

static void
run_row(const struct row *row, size_t number, enum smtp_data_framing framing,
    size_t cut1, size_t cut2)
{
	struct slice		in = slice_of(row->in);
	struct slice		chunks[3] = { slice_sub(in, 0, cut1),
		slice_sub(in, cut1, cut2 - cut1), slice_from(in, cut2) };
	struct buf		out = BUF_INIT, rest = BUF_INIT;
	struct smtp_data	d;

	smtp_data_init(&d, framing);
	decode(&d, chunks, 3, &out, &rest);
	if (framing == SMTP_DATA_PLAIN)
		buf_add(&out, smtp_data_finish(&d));
	if (!CHECK_TEXT(buf_slice(&out), row->out, number) ||
	    !CHECK_TEXT(buf_slice(&rest), row->rest == NULL ? "" : row->rest,
	    number) ||
	    !CHECK(d.done == (row->rest != NULL), number) ||
	    CHECK_INT((long long)d.bare_lf, row->lf, number) != row->lf ||
	    CHECK_INT((long long)d.bare_cr, row->cr, number) != row->cr)
		printf("# cut at %zu and %zu\n", cut1, cut2);
	buf_free(&out);
	buf_free(&rest);
}

static void
run_rows(const struct row *rows, size_t count, enum smtp_data_framing framing)
{
	for (size_t i = 0; i < count; i++) {
		size_t	n = strlen(rows[i].in);

		for (size_t a = 0; a <= n; a++)
			for (size_t b = a; b <= n; b++)
				run_row(&rows[i], i, framing, a, b);
	}
}

TEST(smtp_data_dots)
{
	static const struct row rows[] = {
		{ ".\r\n", "", "", 0, 0 },
		{ "a\r\n.\r\n", "a\r\n", "", 0, 0 },
		{ "a\r\n.\r\nQUIT\r\n", "a\r\n", "QUIT\r\n", 0, 0 },
		{ "a\r\n.\r\n.\r\n", "a\r\n", ".\r\n", 0, 0 },
		{ "a\r\n\r\nb\r\n.\r\n", "a\r\n\r\nb\r\n", "", 0, 0 },
		/* dot stuffing (RFC 5321 4.5.2) */
		{ "..\r\n.\r\n", ".\r\n", "", 0, 0 },
		{ "..a\r\n...\r\n.b\r\n.\r\n", ".a\r\n..\r\nb\r\n", "", 0, 0 },
		{ "a.\r\n.\r\n", "a.\r\n", "", 0, 0 },
		{ "a.b\r\n", "a.b\r\n", NULL, 0, 0 },
		/* not ended yet */
		{ "", "", NULL, 0, 0 },
		{ ".", "", NULL, 0, 0 },
		{ ".\r", "", NULL, 0, 0 },
		{ "a\r\n.\r", "a\r\n", NULL, 0, 0 },
		{ "a\r", "a", NULL, 0, 0 },
		/* nothing but CRLF.CRLF ends: every other mix of line ends */
		{ "a\n.\nX", "a\r\n.\r\nX", NULL, 2, 0 },
		{ "a\n.\r\nX", "a\r\n.\r\nX", NULL, 1, 0 },
		{ "a\r\n.\nX", "a\r\n.\r\nX", NULL, 1, 0 },
		{ "a\r\n.\rX", "a\r\n X", NULL, 0, 1 },
		{ "a\n.\rX", "a\r\n X", NULL, 1, 1 },
		{ "a\r.\r\nX", "a .\r\nX", NULL, 0, 1 },
		{ "a\r.\rX", "a . X", NULL, 0, 2 },
		{ "a\r.\nX", "a .\r\nX", NULL, 1, 1 },
		{ "a\n\n.\n\nX", "a\r\n\r\n.\r\n\r\nX", NULL, 4, 0 },
		{ "a\r\n.\r\r\nX", "a\r\n.\r\nX", NULL, 0, 1 },
		{ "a\r\n.\r\r\r\nX", "a\r\n.\r\nX", NULL, 0, 2 },
		{ "a\r\n\r.\r\nX", "a\r\n .\r\nX", NULL, 0, 1 },
		{ "a\r\n.\n\r\nX", "a\r\n.\r\n\r\nX", NULL, 1, 0 },
		{ "a\n\r.\n\rX", "a\r\n .\r\n X", NULL, 2, 2 },
		{ "a\r\n. \r\nX", "a\r\n \r\nX", NULL, 0, 0 },
		{ "a\r\n .\r\nX", "a\r\n .\r\nX", NULL, 0, 0 },
		/* and what comes after an attempt still needs the real end */
		{ "a\n.\r\n.\r\nX", "a\r\n.\r\n", "X", 1, 0 },
		{ "a\r\n.\n.\r\nX", "a\r\n.\r\n.\r\nX", NULL, 1, 0 },
		{ "a\r\r\n.\r\nX", "a\r\n", "X", 0, 1 },
		/* repair of stray line ends */
		{ "a\nb\r\n.\r\n", "a\r\nb\r\n", "", 1, 0 },
		{ "a\rb\r\n.\r\n", "a b\r\n", "", 0, 1 },
		{ "a\r\rb\r\n.\r\n", "a b\r\n", "", 0, 2 },
		{ "a\r\r\n\r\r\nb\r\n.\r\n", "a\r\n\r\nb\r\n", "", 0, 2 },
		{ "\n\r\n.\r\n", "\r\n\r\n", "", 1, 0 },
		{ "\r\n\n.\r\n\r\n.\r\n", "\r\n\r\n.\r\n\r\n", "", 1, 0 },
		{ "\n..\r\n.\r\n", "\r\n.\r\n", "", 1, 0 },
		{ "\n.a\r\n.\r\n", "\r\na\r\n", "", 1, 0 },
		{ "\r.\r\n.\r\n", " .\r\n", "", 0, 1 },
	};

	run_rows(rows, COUNT(rows), SMTP_DATA_DOTS);
}

TEST(smtp_data_plain)
{
	static const struct row rows[] = {
		{ "", "", NULL, 0, 0 },
		{ "a\r\n.\r\nb\r\n", "a\r\n.\r\nb\r\n", NULL, 0, 0 },
		{ "..\r\n", "..\r\n", NULL, 0, 0 },
		{ ".", ".\r\n", NULL, 0, 0 },
		{ "a", "a\r\n", NULL, 0, 0 },
		{ "a\r", "a \r\n", NULL, 0, 1 },
		{ "\r", " \r\n", NULL, 0, 1 },
		{ "a\r\r", "a \r\n", NULL, 0, 2 },
		{ "a\n.\nb", "a\r\n.\r\nb\r\n", NULL, 2, 0 },
		{ "a\r.\rb\r\n", "a . b\r\n", NULL, 0, 2 },
		{ "a\r\r\n", "a\r\n", NULL, 0, 1 },
	};

	run_rows(rows, COUNT(rows), SMTP_DATA_PLAIN);
}

/* proper mail goes through as one piece a chunk: no copy, no splitting */
TEST(smtp_data_one_piece)
{
	struct smtp_data	d;
	struct cursor		c = cursor_over(
	    S("Subject: x\r\n\r\none\r\ntwo\r\n"));
	struct slice		all = cursor_rest(&c), piece;

	smtp_data_init(&d, SMTP_DATA_DOTS);
	CHECK(smtp_data_next(&d, &c, &piece), 0);
	CHECK(piece.data == all.data && piece.len == all.len, 0);
	CHECK(!smtp_data_next(&d, &c, &piece), 0);
}

TEST(smtp_stuff)
{
	static const struct { const char *in, *out; } rows[] = {
		{ "", ".\r\n" },
		{ "a\r\n", "a\r\n.\r\n" },
		{ "a", "a\r\n.\r\n" },
		{ ".\r\n", "..\r\n.\r\n" },
		{ "a\r\n.b\r\n..\r\n", "a\r\n..b\r\n...\r\n.\r\n" },
		{ ".", "..\r\n.\r\n" },
		{ "a.b\r\n.", "a.b\r\n..\r\n.\r\n" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slice	in = slice_of(rows[i].in);

		for (size_t cut = 0; cut <= in.len; cut++) {
			struct smtp_stuff	s = SMTP_STUFF_INIT;
			struct buf		out = BUF_INIT;
			struct cursor		c;
			struct slice		piece;

			c = cursor_over(slice_sub(in, 0, cut));
			while (smtp_stuff_next(&s, &c, &piece))
				buf_add(&out, piece);
			c = cursor_over(slice_from(in, cut));
			while (smtp_stuff_next(&s, &c, &piece))
				buf_add(&out, piece);
			buf_add(&out, smtp_stuff_finish(&s));
			CHECK_TEXT(buf_slice(&out), rows[i].out, i);
			buf_free(&out);
		}
	}
}
