/* SPDX-License-Identifier: ISC */
/*
 * The array is allocated once: commas are counted first, so a set costs eight
 * bytes a range and a hostile one no more than its command was long.
 */
#include "libmail/imap_seqset.h"

#include <stdlib.h>

/* lex_seq_number - a number from 1, or "*" */
static int
lex_seq_number(struct imap_lex *l, const char *what, uint32_t *ret_number)
{
	uint64_t	n;
	int		r;

	if (cursor_skip_byte(&l->c, '*')) {
		*ret_number = IMAP_SEQ_STAR;
		return 0;
	}
	if ((r = imap_lex_number(l, what, UINT32_MAX, &n)) < 0)
		return r;
	if (n == 0)
		return imap_lex_fail(l, "%s: numbers begin at 1", what);
	*ret_number = (uint32_t)n;
	return 0;
}

/* count_ranges - how many ranges the set ahead can have at most */
static size_t
count_ranges(const struct imap_lex *l)
{
	struct cursor	c = l->c;
	size_t		n = 1;

	for (int b = cursor_byte(&c); b >= 0 && b != ' ' && b != ')';
	    b = cursor_byte(&c))
		n += b == ',';
	return n;
}

/* imap_lex_seqset - a set, up to what cannot belong to one */
int
imap_lex_seqset(struct imap_lex *l, const char *what,
    struct imap_seqset *ret_set)
{
	size_t		max = count_ranges(l);
	struct imap_seqset set = { NULL, 0 };
	int		r;

	if (max > IMAP_SEQSET_RANGES_MAX)
		return imap_lex_fail(l, "%s: more than %d ranges", what,
		    IMAP_SEQSET_RANGES_MAX);
	set.ranges = ARENA_ARRAY(l->arena, struct imap_seqrange, max);
	do {
		struct imap_seqrange *range = &set.ranges[set.count];

		if ((r = lex_seq_number(l, what, &range->first)) < 0)
			return r;
		range->last = range->first;
		if (cursor_skip_byte(&l->c, ':') &&
		    (r = lex_seq_number(l, what, &range->last)) < 0)
			return r;
		set.count++;
	} while (cursor_skip_byte(&l->c, ','));
	*ret_set = set;
	return 0;
}

/* imap_seqset_parse - a slice that is nothing but a set */
int
imap_seqset_parse(struct arena *a, struct slice in,
    struct imap_seqset *ret_set)
{
	struct imap_segment	segment = { in, SLICE_EMPTY, false };
	struct imap_fault	fault;
	struct imap_seqset	set;
	struct imap_lex		l;
	int			r;

	imap_lex_init(&l, &segment, 1, a, &fault);
	if ((r = imap_lex_seqset(&l, "set", &set)) < 0 ||
	    (r = imap_lex_end(&l)) < 0)
		return r;
	*ret_set = set;
	return 0;
}

/* format_number - a number or "*" */
static void
format_number(struct buf *out, uint32_t number)
{
	if (number == IMAP_SEQ_STAR)
		buf_add_byte(out, '*');
	else
		buf_add_u64(out, number);
}

/* imap_seqset_format - as a client would write it */
void
imap_seqset_format(struct buf *out, const struct imap_seqset *set)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct imap_seqrange *r = &set->ranges[i];

		if (i > 0)
			buf_add_byte(out, ',');
		format_number(out, r->first);
		if (r->last != r->first) {
			buf_add_byte(out, ':');
			format_number(out, r->last);
		}
	}
}

/* by_first - order of ranges for qsort */
static int
by_first(const void *a, const void *b)
{
	const struct imap_seqrange *ra = a, *rb = b;

	return ra->first < rb->first ? -1 : ra->first > rb->first;
}

/* imap_seqset_resolve - replace the stars, sort, merge what touches */
uint32_t
imap_seqset_resolve(struct imap_seqset *set, uint32_t largest)
{
	size_t	used = 0;

	for (size_t i = 0; i < set->count; i++) {
		struct imap_seqrange *r = &set->ranges[i];
		uint32_t a = r->first == IMAP_SEQ_STAR ? largest : r->first;
		uint32_t b = r->last == IMAP_SEQ_STAR ? largest : r->last;

		*r = a < b ? (struct imap_seqrange){ a, b } :
		    (struct imap_seqrange){ b, a };
	}
	if (set->count == 0)
		return 0;
	qsort(set->ranges, set->count, sizeof(set->ranges[0]), by_first);
	for (size_t i = 1; i < set->count; i++) {
		struct imap_seqrange *r = &set->ranges[i];
		struct imap_seqrange *to = &set->ranges[used];

		if (to->last == UINT32_MAX || r->first <= to->last + 1) {
			if (r->last > to->last)
				to->last = r->last;
		} else {
			set->ranges[++used] = *r;
		}
	}
	set->count = used + 1;
	return set->ranges[used].last;
}

/* imap_seqset_has - is the number in this resolved set? */
bool
imap_seqset_has(const struct imap_seqset *set, uint32_t number)
{
	size_t	low = 0, high = set->count;

	while (low < high) {
		size_t	mid = low + (high - low) / 2;

		if (set->ranges[mid].last < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low < set->count && set->ranges[low].first <= number;
}

/* imap_setwriter_begin - nothing printed yet */
void
imap_setwriter_begin(struct imap_setwriter *w, struct buf *out)
{
	*w = (struct imap_setwriter){ out, 0, 0, false };
}

/* imap_setwriter_add - one more number, higher than all before */
void
imap_setwriter_add(struct imap_setwriter *w, uint32_t number)
{
	if (w->first != 0 && number == w->last + 1) {
		w->last = number;
		return;
	}
	imap_setwriter_end(w);
	w->first = w->last = number;
}

/* imap_setwriter_end - print the range that is still open */
void
imap_setwriter_end(struct imap_setwriter *w)
{
	if (w->first == 0)
		return;
	if (w->some)
		buf_add_byte(w->out, ',');
	buf_add_u64(w->out, w->first);
	if (w->last != w->first) {
		buf_add_byte(w->out, ':');
		buf_add_u64(w->out, w->last);
	}
	w->first = 0;
	w->some = true;
}
