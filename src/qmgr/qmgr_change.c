/* SPDX-License-Identifier: ISC */
/*
 * Records that the administrator changes while nothing of the message is in
 * memory. The change is in the batch first and in the state a moment later, and
 * somebody may be reading the record all the while: what was read counts only if
 * no change came in between, and nothing is read before the last one is durable.
 */
#include "qmgr/qmgr.h"

#include <stdlib.h>

#include "libutil/alloc.h"
#include "qmgr/qmgr_events.h"

struct change {
	struct queue_id		id;
	struct queue_place	place;
	uint64_t		batch;		/* with which it is durable */
	bool			is_delete;
};

/* begin - remember it until it is durable */
static struct change *
begin(struct qmgr *q, const struct queue_id *id)
{
	struct change *c = hash_get(&q->changes, queue_id_text(id));

	LIST_EACH(&q->loads, link) {
		struct load *l = CONTAINER_OF(link, struct load, link);

		l->stale |= queue_id_equal(&l->id, id);
	}
	if (c == NULL) {
		c = NEW(struct change);
		c->id = *id;
		(void)hash_put(&q->changes, queue_id_text(&c->id), c); /* new */
	}
	c->batch = q->batches_begun + 1;
	return c;
}

/* change_begin - the record was changed */
void
change_begin(struct qmgr *q, const struct queue_id *id)
{
	(void)begin(q, id);
}

/* change_delete - the message was finished */
void
change_delete(struct qmgr *q, const struct qstate_message *m)
{
	struct change *c = begin(q, &m->id);

	c->place = m->place;
	c->is_delete = true;
}

/* change_is_pending - is there a change that is not durable? */
bool
change_is_pending(const struct qmgr *q, const struct queue_id *id)
{
	return hash_get(&q->changes, queue_id_text(id)) != NULL;
}

/* release - its end is durable: others may have its place */
static void
release(struct qmgr *q, const struct change *c)
{
	if (c->place.kind == QUEUE_PLACE_LARGE)
		large_finished(q, queue_id_text(&c->id));
	else if (slot_pool_release(q->pool, c->place.slot) < 0)
		log_event(daemon_log(q->daemon), EV_QMGR_LIE,
		    KV_UINT("number", c->place.slot.number));
}

/* changes_done - those of the batch that was committed */
void
changes_done(struct qmgr *q)
{
	struct hash_iter	it = { 0 };
	struct slice		k;
	void			*v;

	while (hash_next(&q->changes, &it, &k, &v)) {
		struct change *c = v;

		if (c->batch > q->batches_done)
			continue;
		if (c->is_delete)
			release(q, c);
		(void)hash_remove(&q->changes, k);
		free(c);
	}
}

/* load_begin - a record is read from here on */
void
load_begin(struct qmgr *q, struct load *l, const struct queue_id *id)
{
	l->id = *id;
	l->stale = change_is_pending(q, id);
	list_init(&l->link);
	list_add_tail(&q->loads, &l->link);
}

/* load_end - was it changed meanwhile? */
int
load_end(struct load *l)
{
	list_remove(&l->link);
	return l->stale ? -EAGAIN : 0;
}
