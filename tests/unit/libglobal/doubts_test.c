/* SPDX-License-Identifier: ISC */
#include "libglobal/doubts.h"

#include <stdio.h>

#include "test.h"

/* id_of - sixteen bytes of a number */
static struct slice
id_of(char room[17], unsigned n)
{
	(void)snprintf(room, 17, "%016x", n);
	return slice_over(room, DOUBTS_ID_LEN);
}

/* text - all of it, for comparison */
static void
text(const struct doubts *d, struct buf *out)
{
	const struct list	*at = NULL;
	struct doubts_copy	 copy[DOUBTS_COPIES_MAX];
	struct slice		 id;
	size_t			 n;

	buf_reset(out);
	for (size_t i = 0; i < d->span_count; i++)
		buf_addf(out, "%d-%d ", (int)d->spans[i].since,
		    (int)d->spans[i].until);
	while ((at = doubts_next(d, at, &id, copy, &n)) != NULL) {
		buf_addf(out, "%.1s:", id.data + 15);
		for (size_t i = 0; i < n; i++) {
			buf_addf(out, "%d", (int)copy[i].taken);
			if (copy[i].noticed != copy[i].taken)
				buf_addf(out, "+%d", (int)(copy[i].noticed -
				    copy[i].taken));
			if (doubts_since(&copy[i]) != copy[i].taken)
				buf_addf(out, "<%d",
				    (int)doubts_since(&copy[i]));
			buf_addf(out, " ");
		}
	}
}

TEST(unheard)
{
	static const struct {
		unsigned	id;
		struct doubts_copy copy;
		const char	*then;
	} rows[] = {
		{ 1, { 10, 10, 0 }, "1:10 " },
		{ 2, { 20, 90, 0 }, "1:10 2:20+70 " },
		{ 1, { 5, 2, 0 }, "1:10 5 2:20+70 " },	/* not before it was */
		{ 1, { 10, 99, 0 }, "1:10 5 2:20+70 " },	/* the first notice */
		{ 2, { 20, 60, 0 }, "1:10 5 2:20+40 " },
		{ 1, { 5, 5, 0 }, "1:10 5 2:20+40 " },
		{ 1, { 7, 9, 0 }, "1:10 7+2 5 2:20+40 " },
		{ 1, { 12, 13, 0 }, "1:12+1 10 7+2 5 2:20+40 " },
		/* the oldest are one then */
		{ 1, { 11, 0, 0 }, "1:12+1 11 10 7+2<5 2:20+40 " },
		{ 1, { 6, 6, 0 }, "1:12+1 11 10 7+2<5 2:20+40 " },
		{ 1, { 3, 3, 0 }, "1:12+1 11 10 7+2<3 2:20+40 " },
		{ 1, { 8, 8, 0 }, "1:12+1 11 10 8<3 2:20+40 " },
		{ 3, { -1, 5, 0 }, "1:12+1 11 10 8<3 2:20+40 " },
	};
	struct doubts_copy taken[DOUBTS_COPIES_MAX];
	struct buf	b = BUF_INIT;
	struct doubts	d;
	char		room[17];

	doubts_init(&d);
	for (size_t i = 0; i < COUNT(rows); i++) {
		doubts_unheard(&d, id_of(room, rows[i].id), rows[i].copy);
		text(&d, &b);
		CHECK_TEXT(buf_slice(&b), rows[i].then, i);
	}
	doubts_unheard(&d, S("short"), (struct doubts_copy){ 1, 1, 0 });
	CHECK_INT(doubts_find(&d, S("short"), taken), 0, 0);
	CHECK_INT(doubts_find(&d, id_of(room, 3), taken), 0, 0);
	CHECK_INT(doubts_find(&d, id_of(room, 1), taken), 4, 0);
	CHECK(taken[0].taken == 12 && taken[3].noticed == 8, 0);
	doubts_forget(&d, 13);
	text(&d, &b);
	CHECK_TEXT(buf_slice(&b), "2:20+40 ", 0);
	buf_free(&b);
	doubts_free(&d);
}

TEST(spans)
{
	static const struct {
		struct doubts_span	span;
		const char		*then;
	} rows[] = {
		{ { 100, 110 }, "100-110 " },
		{ { 200, 210 }, "100-110 200-210 " },
		{ { 150, 140 }, "100-110 200-210 " },
		{ { 150, 160 }, "100-110 150-160 200-210 " },
		{ { 105, 120 }, "100-120 150-160 200-210 " },
		{ { 210, 230 }, "100-120 150-160 200-230 " },
		{ { 155, 156 }, "100-120 150-160 200-230 " },
		{ { 110, 155 }, "100-160 200-230 " },
		{ { 50, 60 }, "50-60 100-160 200-230 " },
		{ { 0, 300 }, "0-300 " },
	};
	struct buf	b = BUF_INIT;
	struct doubts	d;

	doubts_init(&d);
	for (size_t i = 0; i < COUNT(rows); i++) {
		doubts_add_span(&d, rows[i].span);
		text(&d, &b);
		CHECK_TEXT(buf_slice(&b), rows[i].then, i);
	}
	doubts_clear_spans(&d);
	CHECK_INT(d.span_count, 0, 0);
	doubts_add_span(&d, (struct doubts_span){ -5, 7 });
	text(&d, &b);
	CHECK_TEXT(buf_slice(&b), "0-7 ", 0);
	buf_free(&b);
	doubts_free(&d);
}

/* in whatever order they come: none is lost, and there are never too many */
TEST(many_spans)
{
	for (unsigned order = 0; order < 3; order++) {
		struct doubts	d;

		doubts_init(&d);
		for (unsigned i = 0; i < 50; i++) {
			unsigned n = order == 0 ? i : order == 1 ? 49 - i :
			    i * 7 % 50;

			doubts_add_span(&d, (struct doubts_span){ n * 10,
			    n * 10 + 1 });
			CHECK(d.span_count <= DOUBTS_SPANS_MAX, i);
		}
		for (size_t i = 1; i < d.span_count; i++)
			CHECK(d.spans[i - 1].until < d.spans[i].since, i);
		for (unsigned n = 0; n < 50; n++) {
			bool held = false;

			for (size_t i = 0; i < d.span_count; i++)
				held = held || (d.spans[i].since <= n * 10 &&
				    d.spans[i].until >= n * 10 + 1);
			CHECK(held, n);
		}
		doubts_forget(&d, 10000);
		CHECK_INT(d.span_count, 0, order);
		doubts_free(&d);
	}
}

TEST(bounded)
{
	struct doubts	d;
	struct doubts_copy taken[DOUBTS_COPIES_MAX];
	char		room[17];

	doubts_init(&d);
	for (unsigned i = 0; i < DOUBTS_UNHEARD_MAX + 10; i++)
		doubts_unheard(&d, id_of(room, i), (struct doubts_copy){ 1, 1, 0 });
	CHECK_INT(d.by_id.count, DOUBTS_UNHEARD_MAX, 0);
	CHECK_INT(doubts_find(&d, id_of(room, 9), taken), 0, 0);
	CHECK_INT(doubts_find(&d, id_of(room, 10), taken), 1, 0);
	doubts_free(&d);
}

TEST(bytes)
{
	struct buf	b = BUF_INIT, was = BUF_INIT, is = BUF_INIT;
	struct doubts	d, e;
	char		room[17];

	doubts_init(&d);
	doubts_add_span(&d, (struct doubts_span){ 1, 2 });
	doubts_add_span(&d, (struct doubts_span){ 5, 6 });
	for (unsigned i = 0; i < 5; i++)
		doubts_unheard(&d, id_of(room, i),
		    (struct doubts_copy){ i, 2 * i, 0 });
	doubts_encode(&d, &b);
	text(&d, &was);
	for (size_t cut = 0; cut <= b.len; cut++) {
		int	r;

		doubts_init(&e);
		r = doubts_decode(&e, slice_sub(buf_slice(&b), 0, cut));
		CHECK(r == 0 || r == -EBADMSG, cut);
		text(&e, &is);
		CHECK(slice_has_prefix(buf_slice(&was), buf_slice(&is)), cut);
		if (cut == b.len)
			CHECK(r == 0 && was.len == is.len, cut);
		doubts_free(&e);
	}
	doubts_init(&e);
	CHECK_INT(doubts_decode(&e, S("\4")), -EPROTONOSUPPORT, 0);
	CHECK_INT(doubts_decode(&e, S("\0\0")), -EBADMSG, 0);
	CHECK_INT(doubts_decode(&e, S("\2\20")), -EBADMSG, 0);
	/* of the version before: nothing says when it was noticed */
	CHECK_INT(doubts_decode(&e, S("\1\0" "0000000000000007"
	    "\5\0\0\0\0\0\0\0")), 0, 0);
	text(&e, &is);
	CHECK_TEXT(buf_slice(&is), "7:5 ", 0);
	doubts_free(&e);
	buf_free(&b);
	buf_free(&was);
	buf_free(&is);
	doubts_free(&d);
}
