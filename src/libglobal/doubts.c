/* SPDX-License-Identifier: ISC */
/* See doubts.h. */
#include "libglobal/doubts.h"

#include <stdlib.h>
#include <string.h>

#include "libutil/alloc.h"
#include "libutil/cursor.h"

#define VERSION	3	/* 1: not when it was noticed; 2: nor since when */

struct unheard {
	struct list	link;
	struct doubts_copy copy[DOUBTS_COPIES_MAX];	/* newest first */
	size_t		count;
	char		id[DOUBTS_ID_LEN];
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

/* unheard_new - takes the place of the oldest if there are too many */
static struct unheard *
unheard_new(struct doubts *d, struct slice id)
{
	struct unheard *u = NEW(struct unheard);

	if (d->by_id.count == DOUBTS_UNHEARD_MAX)
		drop(d, oldest(d));
	list_init(&u->link);
	memcpy(u->id, id.data, sizeof(u->id));
	(void)hash_put(&d->by_id, id_of(u), u);		/* is new */
	list_add_tail(&d->in_order, &u->link);
	return u;
}

/* doubts_since - its own time, unless it stands for older ones */
int64_t
doubts_since(const struct doubts_copy *copy)
{
	return copy->since > 0 && copy->since < copy->taken ? copy->since :
	    copy->taken;
}

/* join - what one says of another one that is older, or the same */
static void
join(struct doubts_copy *copy, const struct doubts_copy *older)
{
	int64_t since = doubts_since(older);

	if (since < doubts_since(copy))
		copy->since = since;
	if (older->noticed < copy->noticed && older->taken == copy->taken)
		copy->noticed = older->noticed;
}

/* doubts_unheard - one message, taken then */
void
doubts_unheard(struct doubts *d, struct slice id, struct doubts_copy copy)
{
	struct unheard *u;
	size_t at = 0;

	if (id.len != DOUBTS_ID_LEN || copy.taken < 0)
		return;
	if (copy.noticed < copy.taken)
		copy.noticed = copy.taken;
	if ((u = hash_get(&d->by_id, id)) == NULL)
		u = unheard_new(d, id);
	while (at < u->count && u->copy[at].taken > copy.taken)
		at++;
	if (at < u->count && u->copy[at].taken == copy.taken) {
		join(&u->copy[at], &copy);
		return;
	}
	if (at == DOUBTS_COPIES_MAX) {
		join(&u->copy[at - 1], &copy);
		return;
	}
	if (u->count == DOUBTS_COPIES_MAX) {
		const struct doubts_copy *last = &u->copy[--u->count];

		join(at < u->count ? &u->copy[u->count - 1] : &copy, last);
	}
	memmove(&u->copy[at + 1], &u->copy[at],
	    (u->count - at) * sizeof(u->copy[0]));
	u->copy[at] = copy;
	u->count++;
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

	if (span.since < 0)
		span.since = 0;
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

		if (u->copy[0].taken < before)
			drop(d, u);
	}
	while (d->span_count > 0 && d->spans[0].until < before)
		remove_span(d, 0);
}

static size_t
copies(const struct unheard *u,
    struct doubts_copy ret_copies[DOUBTS_COPIES_MAX])
{
	memcpy(ret_copies, u->copy, sizeof(u->copy));
	return u->count;
}

/* doubts_find - one message */
size_t
doubts_find(const struct doubts *d, struct slice id,
    struct doubts_copy ret_copies[DOUBTS_COPIES_MAX])
{
	const struct unheard *u = hash_get(&d->by_id, id);

	return u == NULL ? 0 : copies(u, ret_copies);
}

/* doubts_next - walk the messages */
const struct list *
doubts_next(const struct doubts *d, const struct list *at,
    struct slice *ret_id, struct doubts_copy ret_copies[DOUBTS_COPIES_MAX],
    size_t *ret_count)
{
	const struct unheard *u;

	at = at == NULL ? d->in_order.next : at->next;
	if (at == &d->in_order)
		return NULL;
	u = CONTAINER_OF(at, const struct unheard, link);
	*ret_id = id_of(u);
	*ret_count = copies(u, ret_copies);
	return at;
}

/* --- as bytes: version, the spans, the messages, a row for each copy */

static int
time_decode(struct cursor *c, int64_t *ret_time)
{
	uint64_t v;

	if (cursor_le64(c, &v) < 0 || v > INT64_MAX)
		return -EBADMSG;
	*ret_time = (int64_t)v;
	return 0;
}

/* doubts_encode - for storage */
void
doubts_encode(const struct doubts *d, struct buf *out)
{
	struct doubts_copy	 copy[DOUBTS_COPIES_MAX];
	const struct list	*at = NULL;
	struct slice		 id;
	size_t			 n;

	buf_add_byte(out, VERSION);
	buf_add_byte(out, (char)d->span_count);
	for (size_t i = 0; i < d->span_count; i++) {
		buf_add_le64(out, (uint64_t)d->spans[i].since);
		buf_add_le64(out, (uint64_t)d->spans[i].until);
	}
	while ((at = doubts_next(d, at, &id, copy, &n)) != NULL) {
		for (size_t i = 0; i < n; i++) {
			buf_add(out, id);
			buf_add_le64(out, (uint64_t)copy[i].taken);
			buf_add_le64(out, (uint64_t)copy[i].noticed);
			buf_add_le64(out, (uint64_t)doubts_since(&copy[i]));
		}
	}
}

/* doubts_decode - add what was stored */
int
doubts_decode(struct doubts *d, struct slice in)
{
	struct cursor		c = cursor_over(in);
	struct doubts_span	span;
	struct doubts_copy	copy;
	struct slice		id;
	int			version = cursor_byte(&c), spans;

	if (version > VERSION)
		return -EPROTONOSUPPORT;
	spans = cursor_byte(&c);
	if (version < 1 || spans < 0 || spans > DOUBTS_SPANS_MAX)
		return -EBADMSG;
	for (int i = 0; i < spans; i++) {
		if (time_decode(&c, &span.since) < 0 ||
		    time_decode(&c, &span.until) < 0)
			return -EBADMSG;
		doubts_add_span(d, span);
	}
	while (!cursor_at_end(&c)) {
		if (cursor_bytes(&c, DOUBTS_ID_LEN, &id) < 0 ||
		    time_decode(&c, &copy.taken) < 0)
			return -EBADMSG;
		copy.noticed = copy.since = copy.taken;
		if ((version > 1 && time_decode(&c, &copy.noticed) < 0) ||
		    (version > 2 && time_decode(&c, &copy.since) < 0))
			return -EBADMSG;
		doubts_unheard(d, id, copy);
	}
	return 0;
}
