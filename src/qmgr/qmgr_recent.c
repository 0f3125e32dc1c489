/* SPDX-License-Identifier: ISC */
/*
 * What was finished not long ago, by id. A message that is given to cleanup
 * again, because somebody died when it was given first, is known by it; the
 * records of a finished message are gone, and slots forget as they are used
 * again. So many ids are more than can be on their way at once.
 */
#include "qmgr/qmgr.h"

#include <stdlib.h>

#include "libutil/alloc.h"

#define RECENT_IDS	8192
#define DOUBT_LIMIT	10000	/* ms that a cleanup may be in doubt */
#define DOUBT_PAUSE	20

struct recent {
	struct hash	by_id;
	size_t		next;
	struct queue_id	ring[RECENT_IDS];
};

/* recent_add - it takes the place of the oldest */
void
recent_add(struct qmgr *q, const struct queue_id *id)
{
	struct recent	*c = q->recent;
	struct queue_id	*old;

	if (c == NULL)
		c = q->recent = NEW(struct recent);
	if (hash_get(&c->by_id, queue_id_text(id)) != NULL)
		return;
	old = &c->ring[c->next];
	c->next = (c->next + 1) % RECENT_IDS;
	if (!queue_id_is_empty(old))
		(void)hash_remove(&c->by_id, queue_id_text(old)); /* was there */
	*old = *id;
	(void)hash_put(&c->by_id, queue_id_text(id), old);	/* is new */
}

/* recent_is_over - was it finished not long ago? */
bool
recent_is_over(const struct qmgr *q, const struct queue_id *id)
{
	return q->recent != NULL &&
	    hash_get(&q->recent->by_id, queue_id_text(id)) != NULL;
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
