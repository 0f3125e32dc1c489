/* SPDX-License-Identifier: ISC */
/* See queue_entry.h. */
#include "libglobal/queue_entry.h"

#define REASON_MAX	1000	/* bytes, as the listing bounds them */

/* queue_entry_name - the queue as tools name it */
struct slice
queue_entry_name(uint8_t queue)
{
	return queue == QSTATE_HOLD ? S("hold") :
	    queue == QSTATE_DEFERRED ? S("deferred") : S("active");
}

/* queue_entry_of_state - a row from the records */
int
queue_entry_of_state(struct qstate *s, const struct queue_id *id,
    struct arena *a, struct qstate_message *ret_message,
    struct msg_queue_entry *ret_entry)
{
	struct qstate_message	*m = ret_message;
	struct msg_queue_rcpt	*v;
	struct qstate_rcpt	*rcpts;
	size_t			 n;
	int			 r;

	if ((r = qstate_get(s, id, a, m)) < 0 ||
	    (r = qstate_rcpts(s, id, 0, m->rcpt_count, a, &rcpts, &n,
	    NULL)) < 0)
		return r;
	v = ARENA_ARRAY(a, struct msg_queue_rcpt, n);
	for (size_t i = 0; i < n; i++)
		v[i] = (struct msg_queue_rcpt){ rcpts[i].address,
		    rcpts[i].original, slice_sub(rcpts[i].reason, 0,
		    REASON_MAX) };
	*ret_entry = (struct msg_queue_entry){
	    .queue_id = arena_dup(a, queue_id_text(id)),
	    .queue_name = queue_entry_name(m->queue),
	    .arrival = m->arrival / 1000000, .size = m->size,
	    .forced_expire = (m->flags & QSTATE_EXPIRE) != 0,
	    .sender = m->sender, .next = m->next / 1000000 };
	ret_entry->rcpts.v = v;
	ret_entry->rcpts.n = n;
	return 0;
}
