/* SPDX-License-Identifier: ISC */
/* See doubts.h. */
#include "libglobal/doubts.h"

#include <stdlib.h>
#include <string.h>

#include "libutil/alloc.h"
#include "libutil/cursor.h"

#define VERSION	1

struct unheard {
	struct list		link;
	struct doubts_span	span;
	char			id[DOUBTS_ID_LEN];
};

static struct slice
id_of(const struct unheard *u)
{
	return slice_over(u->id, sizeof(u->id));
}

void
doubts_init(struct doubts *d)
{
	memset(d, 0, sizeof(*d));
	list_init(&d->in_order);
}

/* drop - it is in doubt no more */
static void
drop(struct doubts *d, struct unheard *u)
{
	(void)hash_remove(&d->by_id, id_of(u));		/* u itself */
	list_remove(&u->link);
	free(u);
}

static struct unheard *
oldest(const struct doubts *d)
{
	return list_is_empty(&d->in_order) ? NULL :
	    CONTAINER_OF(d->in_order.next, struct unheard, link);
}

void
doubts_free(struct doubts *d)
{
	struct unheard *u;

	while ((u = oldest(d)) != NULL)
		drop(d, u);
	hash_free(&d->by_id);
	d->span_count = 0;
}

/* cover - make a span that holds another one, too */
static void
cover(struct doubts_span *s, struct doubts_span other)
{
	if (other.since < s->since)
		s->since = other.since;
	if (other.until > s->until)
		s->until = other.until;
}

/* doubts_unheard - one message */
void
doubts_unheard(struct doubts *d, struct slice id, struct doubts_span span)
{
	struct unheard *u;

	if (id.len != DOUBTS_ID_LEN)
		return;
	u = hash_get(&d->by_id, id);
	if (span.until < span.since) {
		if (u != NULL)
			drop(d, u);
		return;
	}
	if (u != NULL) {
		cover(&u->span, span);
		return;
	}
	if (d->by_id.count == DOUBTS_UNHEARD_MAX)
		drop(d, oldest(d));
	u = NEW(struct unheard);
	list_init(&u->link);
	u->span = span;
	memcpy(u->id, id.data, sizeof(u->id));
	(void)hash_put(&d->by_id, id_of(u), u);		/* is new */
	list_add_tail(&d->in_order, &u->link);
}

/* remove_span - close the gap */
static void
remove_span(struct doubts *d, size_t at)
{
	d->span_count--;
	memmove(&d->spans[at], &d->spans[at + 1],
	    (d->span_count - at) * sizeof(d->spans[0]));
}

/* doubts_add_span - a time; what it touches becomes one with it */
void
doubts_add_span(struct doubts *d, struct doubts_span span)
{
	size_t at = 0;

	if (span.until < span.since)
		return;
	while (at < d->span_count) {
		if (d->spans[at].until < span.since) {
			at++;
		} else if (d->spans[at].since > span.until) {
			break;
		} else {
			cover(&span, d->spans[at]);
			remove_span(d, at);
		}
	}
	if (d->span_count == DOUBTS_SPANS_MAX) {
		/* too many: the two oldest become one */
		if (at <= 1) {
			cover(&d->spans[0], span);
			return;
		}
		cover(&d->spans[0], d->spans[1]);
		remove_span(d, 1);
		at--;
	}
	memmove(&d->spans[at + 1], &d->spans[at],
	    (d->span_count - at) * sizeof(d->spans[0]));
	d->spans[at] = span;
	d->span_count++;
}

void
doubts_clear_spans(struct doubts *d)
{
	d->span_count = 0;
}

/* doubts_forget - what is long over */
void
doubts_forget(struct doubts *d, int64_t before)
{
	LIST_EACH_SAFE(&d->in_order, link) {
		struct unheard *u = CONTAINER_OF(link, struct unheard, link);

		if (u->span.until < before)
			drop(d, u);
	}
	while (d->span_count > 0 && d->spans[0].until < before)
		remove_span(d, 0);
}

/* doubts_find - one message */
bool
doubts_find(const struct doubts *d, struct slice id,
    struct doubts_span *ret_span)
{
	const struct unheard *u = hash_get(&d->by_id, id);

	if (u != NULL)
		*ret_span = u->span;
	return u != NULL;
}

/* doubts_next - walk the messages */
const struct list *
doubts_next(const struct doubts *d, const struct list *at,
    struct slice *ret_id, struct doubts_span *ret_span)
{
	const struct unheard *u;

	at = at == NULL ? d->in_order.next : at->next;
	if (at == &d->in_order)
		return NULL;
	u = CONTAINER_OF(at, const struct unheard, link);
	*ret_id = id_of(u);
	*ret_span = u->span;
	return at;
}

/* --- as bytes: version, the spans, the messages */

static void
span_encode(struct buf *out, struct doubts_span s)
{
	buf_add_le64(out, (uint64_t)s.since);
	buf_add_le64(out, (uint64_t)s.until);
}

static int
span_decode(struct cursor *c, struct doubts_span *ret_span)
{
	uint64_t since, until;

	if (cursor_le64(c, &since) < 0 || cursor_le64(c, &until) < 0 ||
	    since > INT64_MAX || until > INT64_MAX)
		return -EBADMSG;
	*ret_span = (struct doubts_span){ (int64_t)since, (int64_t)until };
	return 0;
}

/* doubts_encode - for storage */
void
doubts_encode(const struct doubts *d, struct buf *out)
{
	const struct list	*at = NULL;
	struct doubts_span	 span;
	struct slice		 id;

	buf_add_byte(out, VERSION);
	buf_add_byte(out, (char)d->span_count);
	for (size_t i = 0; i < d->span_count; i++)
		span_encode(out, d->spans[i]);
	while ((at = doubts_next(d, at, &id, &span)) != NULL) {
		buf_add(out, id);
		span_encode(out, span);
	}
}

/* doubts_decode - add what was stored */
int
doubts_decode(struct doubts *d, struct slice in)
{
	struct cursor		c = cursor_over(in);
	struct doubts_span	span;
	struct slice		id;
	int			version = cursor_byte(&c), spans;

	if (version > VERSION)
		return -EPROTONOSUPPORT;
	spans = cursor_byte(&c);
	if (version != VERSION || spans < 0 || spans > DOUBTS_SPANS_MAX)
		return -EBADMSG;
	for (int i = 0; i < spans; i++) {
		if (span_decode(&c, &span) < 0)
			return -EBADMSG;
		doubts_add_span(d, span);
	}
	while (!cursor_at_end(&c)) {
		if (cursor_bytes(&c, DOUBTS_ID_LEN, &id) < 0 ||
		    span_decode(&c, &span) < 0)
			return -EBADMSG;
		doubts_unheard(d, id, span);
	}
	return 0;
}
