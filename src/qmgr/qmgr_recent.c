/* SPDX-License-Identifier: ISC */
/*
 * What was finished not long ago, by id. A message that is given to cleanup
 * again, because somebody died when it was given first, is known by it; the
 * records of a finished message are gone, and slots forget as they are used
 * again. So many ids are more than can be on their way at once.
 *
 * Of those that were delivered while the client waited another ring knows: if
 * the edge breaks before cleanup has heard that, it commits the message.
 */
#include "qmgr/qmgr.h"

#include <stdlib.h>

#include "libutil/alloc.h"

#define RECENT_IDS	8192
#define THROUGH_IDS	2048
#define DOUBT_LIMIT	10000	/* ms that a cleanup may be in doubt */
#define DOUBT_PAUSE	20

struct recent {
	struct hash	by_id;
	size_t		next;
	size_t		size;
	struct queue_id	ring[];
};

static struct recent *
ring_new(size_t size)
{
	struct recent *c = xcalloc(1, sizeof(*c) + size * sizeof(c->ring[0]));

	c->size = size;
	return c;
}

static void
ring_free(struct recent **c)
{
	if (*c != NULL)
		hash_free(&(*c)->by_id);
	free(*c);
	*c = NULL;
}

/* recent_free - forget all of them */
void
recent_free(struct qmgr *q)
{
	ring_free(&q->recent);
	ring_free(&q->through);
}

/* add - it takes the place of the oldest */
static void
add(struct recent *c, const struct queue_id *id)
{
	struct queue_id	*old;

	if (hash_get(&c->by_id, queue_id_text(id)) != NULL)
		return;
	old = &c->ring[c->next];
	c->next = (c->next + 1) % c->size;
	if (!queue_id_is_empty(old))
		(void)hash_remove(&c->by_id, queue_id_text(old)); /* was there */
	*old = *id;
	(void)hash_put(&c->by_id, queue_id_text(id), old);	/* is new */
}

static bool
has(const struct recent *c, const struct queue_id *id)
{
	return c != NULL && hash_get(&c->by_id, queue_id_text(id)) != NULL;
}

/* recent_add - it was finished */
void
recent_add(struct qmgr *q, const struct queue_id *id)
{
	if (q->recent == NULL)
		q->recent = ring_new(RECENT_IDS);
	add(q->recent, id);
}

/* recent_is_over - was it finished not long ago? */
bool
recent_is_over(const struct qmgr *q, const struct queue_id *id)
{
	return has(q->recent, id);
}

/* through_add - all of it was delivered while the client waited */
void
through_add(struct qmgr *q, const struct queue_id *id)
{
	if (q->through == NULL)
		q->through = ring_new(THROUGH_IDS);
	add(q->through, id);
}

/* through_has - was it so, not long ago? */
bool
through_has(const struct qmgr *q, const struct queue_id *id)
{
	return has(q->through, id);
}

/* recent_find - in memory, in the state, or finished not long ago */
bool
recent_find(struct qmgr *q, const struct queue_id *id)
{
	struct qstate_message	m;
	struct arena		a = ARENA_INIT;
	bool			found;

	found = qmessage_find(q, queue_id_text(id)) != NULL ||
	    recent_is_over(q, id) ||
	    qstate_get(q->state, id, &a, &m) == 0;
	arena_free(&a);
	return found;
}

/* recent_known - a cleanup that has just died may have committed it */
int
recent_known(struct task *t, struct qmgr *q, struct slice id,
    bool *ret_known)
{
	struct queue_id	key;
	struct deadline	d;
	int		r;

	if ((r = queue_id_parse(id, &key)) < 0)
		return r;
	deadline_begin(t, &d, DOUBT_LIMIT);
	while (r == 0 && !recent_find(q, &key) && owners_in_doubt(q))
		r = task_sleep(t, DOUBT_PAUSE);
	r = deadline_end(t, &d, r);
	/* one that lives, but does not connect again, is not waited for */
	if (r == 0 || r == -ETIMEDOUT) {
		*ret_known = recent_find(q, &key);
		r = 0;
	}
	return r;
}
