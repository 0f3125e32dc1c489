/* SPDX-License-Identifier: ISC */
/*
 * Two properties. A message scanned in pieces has the facts that it has in one
 * piece, and they survive their encoding. And DATA: what is decoded, stuffed
 * and decoded again is the same, holds no line end but CRLF, and ended only
 * where CRLF.CRLF stood. The first bytes of the input say how to cut it.
 */
#include "libmail/scan.h"
#include "libmail/scan_data.h"

#include "test.h"

/* next_size - how long the next piece is */
static size_t
next_size(struct slice seed, size_t *turn)
{
	size_t	n = seed.len == 0 ? 1 :
	    (unsigned char)seed.data[(*turn)++ % seed.len];

	return n > 200 ? n * 16 : n + 1;
}

/* scan_pieces - the encoded facts; tiny limits are for one of the runs */
static void
scan_pieces(struct buf *out, struct slice in, struct slice seed, bool small)
{
	static const struct scan_limits	tiny = { 3, 8, 4, 200, 8 };
	struct scan			*s = scan_new(small ? &tiny : NULL);
	size_t				 turn = 0;

	while (in.len > 0) {
		size_t	n = seed.len == 0 ? in.len : next_size(seed, &turn);

		scan_feed(s, slice_sub(in, 0, n));
		in = slice_from(in, n);
	}
	facts_format(out, scan_finish(s));
	scan_free(&s);
}

/* check_header - do the facts and the header's readers agree? */
static void
check_header(struct slice content, const struct facts *f)
{
	struct cursor		c = cursor_over(slice_sub(content, 0,
	    f->parts[0].body));
	struct header_field	field;
	uint32_t		i = 0;

	while (header_next(&c, &field) && i < f->field_count) {
		struct slice	raw = facts_field_raw(content, &f->fields[i]);

		FUZZ_CHECK(slice_equal(raw, field.raw));
		FUZZ_CHECK(slice_equal(facts_field_value(content,
		    &f->fields[i]), field.value));
		FUZZ_CHECK(f->fields[i].id == field.id);
		i++;
	}
	FUZZ_CHECK(i == f->field_count);
	FUZZ_CHECK((f->flags & (FACTS_OVER_HEADER | FACTS_OVER_FIELDS)) ||
	    cursor_at_end(&c));
	if (!(f->flags & (FACTS_OVER_HEADER | FACTS_OVER_FIELDS)))
		FUZZ_CHECK(header_length(content) == f->parts[0].body);
}

static void
check_scan(struct slice in, struct slice seed, bool small)
{
	struct buf	whole = BUF_INIT, pieces = BUF_INIT;
	struct arena	a = ARENA_INIT;
	struct facts	f;

	scan_pieces(&whole, in, SLICE_EMPTY, small);
	scan_pieces(&pieces, in, seed, small);
	FUZZ_CHECK(slice_equal(buf_slice(&whole), buf_slice(&pieces)));
	FUZZ_CHECK(facts_parse(buf_slice(&whole), in.len, &a, &f) == 0);
	buf_reset(&pieces);
	facts_format(&pieces, &f);
	FUZZ_CHECK(slice_equal(buf_slice(&whole), buf_slice(&pieces)));
	check_header(in, &f);
	buf_free(&whole);
	buf_free(&pieces);
	arena_free(&a);
}

/* decode - what DATA holds; says how much of the input it took */
static size_t
decode(struct buf *out, struct slice in, struct slice seed, bool *ret_done)
{
	struct smtp_data	d;
	struct slice		rest = in, piece;
	size_t			turn = 0, used = 0;

	smtp_data_init(&d, SMTP_DATA_DOTS);
	while (rest.len > 0 && !d.done) {
		size_t		n = seed.len == 0 ? rest.len :
		    next_size(seed, &turn);
		struct cursor	c = cursor_over(slice_sub(rest, 0, n));
		size_t		had = cursor_left(&c);

		while (smtp_data_next(&d, &c, &piece))
			buf_add(out, piece);
		used += had - cursor_left(&c);
		rest = slice_from(rest, n);
	}
	*ret_done = d.done;
	return used;
}

/* check_line_ends - no CR or LF but in CRLF */
static void
check_line_ends(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] == '\n')
			FUZZ_CHECK(i > 0 && s.data[i - 1] == '\r');
		if (s.data[i] == '\r')
			FUZZ_CHECK(i + 1 == s.len || s.data[i + 1] == '\n');
	}
}

static void
check_data(struct slice in, struct slice seed)
{
	struct buf		whole = BUF_INIT, pieces = BUF_INIT;
	struct buf		wire = BUF_INIT, again = BUF_INIT;
	struct smtp_stuff	s = SMTP_STUFF_INIT;
	struct cursor		c;
	struct slice		piece;
	bool			done, done_pieces;
	size_t			used, end;

	used = decode(&whole, in, SLICE_EMPTY, &done);
	FUZZ_CHECK(decode(&pieces, in, seed, &done_pieces) == used);
	FUZZ_CHECK(done == done_pieces &&
	    slice_equal(buf_slice(&whole), buf_slice(&pieces)));
	check_line_ends(buf_slice(&whole));
	/* the first CRLF.CRLF ends it, with the CRLF of the command before */
	buf_add_text(&wire, "\r\n");
	buf_add(&wire, in);
	end = slice_find_slice(buf_slice(&wire), S("\r\n.\r\n"));
	FUZZ_CHECK(done == (end != SLICE_NONE));
	FUZZ_CHECK(!done || used == end + 3);
	if (done) {
		buf_reset(&wire);
		c = cursor_over(buf_slice(&whole));
		while (smtp_stuff_next(&s, &c, &piece))
			buf_add(&wire, piece);
		buf_add(&wire, smtp_stuff_finish(&s));
		used = decode(&again, buf_slice(&wire), seed, &done);
		FUZZ_CHECK(done && used == wire.len);
		FUZZ_CHECK(slice_equal(buf_slice(&again), buf_slice(&whole)));
	}
	buf_free(&whole);
	buf_free(&pieces);
	buf_free(&wire);
	buf_free(&again);
}

FUZZ(scan)
{
	size_t		n = input.len == 0 ? 0 :
	    1 + (size_t)((unsigned char)input.data[0] & 7);
	struct slice	seed = slice_sub(input, 0, n);
	struct slice	in = slice_from(input, n);

	(void)scratch;
	check_scan(in, seed, false);
	check_scan(in, seed, true);
	check_data(in, seed);
}
