/* SPDX-License-Identifier: ISC */
/* The administrator's tools: list, show, hold, release, delete, flush. */
#include "qmgr/qmgr.h"

#include <stdlib.h>

#include "libglobal/queue_entry.h"
#include "libtask/loop.h"
#include "libutil/alloc.h"

#define PAGE	200
#define BETWEEN_LIMIT	5000	/* ms */
#define BETWEEN_PAUSE	5

/* --- listing */

/* queue_name - of a message that has a record; in memory it may be already */
static struct slice
queue_name(const struct qmgr *q, const struct qstate_message *m)
{
	return hash_get(&q->messages, queue_id_text(&m->id)) != NULL ?
	    S("active") : queue_entry_name(m->queue);
}

/* of_state - a row from the records */
static int
of_state(struct qmgr *q, const struct queue_id *id, struct arena *a,
    struct msg_queue_entry *e)
{
	struct qstate_message	m;
	int			r = queue_entry_of_state(q->state, id, a, &m,
				    e);

	if (r == 0)
		e->queue_name = queue_name(q, &m);
	return r;
}

/* memory_queue - where a message is that is in memory */
static struct slice
memory_queue(const struct qmessage *m)
{
	if (list_is_empty(&m->finishing))
		return S("active");
	/* its record is on its way to the disk */
	return m->wanted == QSTATE_HOLD ? S("hold") : S("deferred");
}

/* of_memory - a row from a message that is being tried */
static void
of_memory(const struct qmessage *m, struct arena *a, struct msg_queue_entry *e)
{
	size_t n = m->envelope->rcpts.n, k = 0;

	*e = (struct msg_queue_entry){
	    .queue_id = arena_dup(a, queue_id_text(&m->id)),
	    .queue_name = memory_queue(m),
	    .arrival = m->envelope->arrival / 1000000,
	    .size = m->envelope->content_length,
	    .forced_expire = (m->flags & QSTATE_EXPIRE) != 0,
	    .sender = m->envelope->sender };
	e->rcpts.v = ARENA_ARRAY(a, struct msg_queue_rcpt, n);
	for (size_t i = 0; i < n; i++)
		if (m->rcpts[i].fate == FATE_TODO ||
		    m->rcpts[i].fate == FATE_LATER ||
		    m->rcpts[i].fate == FATE_HELD)
			e->rcpts.v[k++] = (struct msg_queue_rcpt){
			    m->envelope->rcpts.v[i].address,
			    m->envelope->rcpts.v[i].original,
			    slice_sub(m->rcpts[i].text, 0, 1000) };
	e->rcpts.n = k;
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(((const struct queue_id *)a)->text,
	    ((const struct queue_id *)b)->text, QUEUE_ID_MAX);
}

/* memory_ids - the messages in memory behind that id, in order; not those
 * that are only waiting for their end to be durable */
static size_t
memory_ids(struct qmgr *q, const struct queue_id *after, struct arena *a,
    struct queue_id **ret_ids)
{
	struct queue_id		*ids = ARENA_ARRAY(a, struct queue_id,
				    q->messages.count);
	struct hash_iter	it = { 0 };
	struct slice		k;
	void			*v;
	size_t			n = 0;

	while (hash_next(&q->messages, &it, &k, &v)) {
		struct qmessage *m = v;

		if (by_id(&m->id, after) > 0 &&
		    (list_is_empty(&m->finishing) || m->wanted != 0))
			ids[n++] = m->id;
	}
	qsort(ids, n, sizeof(ids[0]), by_id);
	*ret_ids = ids;
	return n;
}

/* add_entry - from memory if it is there, else from its record */
static void
add_entry(struct qmgr *q, const struct queue_id *id, struct arena *a,
    struct msg_queue_entries *reply)
{
	const struct qmessage	*m = qmessage_find(q, queue_id_text(id));
	struct msg_queue_entry	*e = &reply->entries.v[reply->entries.n];

	if (m != NULL && !list_is_empty(&m->finishing) && m->wanted == 0)
		return;		/* it is over */
	if (m != NULL)
		of_memory(m, a, e);
	else if (of_state(q, id, a, e) < 0)
		return;		/* it has just gone, or is damaged */
	reply->entries.n++;
}

/* on_list - a page of what is in memory and what has a record, in one order */
static int
on_list(struct qmgr *q, struct ipc_conn *c, uint32_t request,
    const struct msg_queue_list *ask, struct arena *a)
{
	struct qstate_filter	 f = { QSTATE_KEY_MESSAGE, SLICE_EMPTY };
	struct qstate_walk	 w = QSTATE_WALK_INIT;
	struct msg_queue_entries reply = { .more = true };
	struct queue_id		*known = ARENA_ARRAY(a, struct queue_id, PAGE);
	struct queue_id		*live, after = QUEUE_ID_INIT;
	size_t			 nk = 0, nl, k = 0, l = 0;
	int			 r;

	reply.entries.v = ARENA_ARRAY(a, struct msg_queue_entry, PAGE);
	if (ask->after.len > 0 && queue_id_parse(ask->after, &after) == 0)
		qstate_key_message(&w.last, &after);
	if ((r = qstate_list(q->state, &f, &w, known, PAGE, &nk)) < 0)
		return r;
	nl = memory_ids(q, &after, a, &live);
	/* behind the last known one there may be others: these come first */
	while (reply.entries.n < PAGE && (k < nk || (w.done && l < nl))) {
		int order = k == nk ? 1 : l == nl ? -1 :
		    by_id(&known[k], &live[l]);

		add_entry(q, order <= 0 ? &known[k] : &live[l], a, &reply);
		k += order <= 0;
		l += order >= 0;
	}
	reply.more = !w.done || k < nk || l < nl;
	return ipc_reply(c, request, &msg_queue_entries_desc, &reply);
}

/* --- changing */

enum verb { FLUSH, HOLD, RELEASE, DELETE, REQUEUE, EXPIRE, VERBS };
static const char *const verbs[VERBS] = { "flush", "hold", "release",
    "delete", "requeue", "expire" };

/* is_between - on its way into or out of memory. One that was read, and is not
 * tried yet, can be held or deleted: who reads it looks at that. */
static bool
is_between(const struct qmessage *m, enum verb verb)
{
	return !list_is_empty(&m->finishing) || m->settling ||
	    (m->committed && m->sched == NULL && verb != HOLD &&
	    verb != DELETE);
}

/* change_active - a message that is being tried */
static bool
change_active(struct qmgr *q, struct qmessage *m, enum verb verb)
{
	if (is_between(m, verb) || !m->committed)
		return false;
	if (verb == EXPIRE) {
		m->flags |= QSTATE_EXPIRE;
		return true;
	}
	if (verb != HOLD && verb != DELETE)
		return false;
	m->cancelled = true;
	m->wanted = verb == HOLD ? QSTATE_HOLD : 0;
	if (m->sched == NULL)
		return true;
	sched_message_cancel(q->sched, m->sched);
	if (sched_message_busy(m->sched) == 0)
		qmessage_settle(m);
	return true;
}

/* try_held - refused copies that were held are tried again */
static void
try_held(struct qmgr *q, const struct qstate_message *m, struct arena *a)
{
	struct qstate_rcpt	*r;
	size_t			 n;

	if (qstate_rcpts(q->state, &m->id, 0, m->rcpt_count, a, &r, &n,
	    NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		if (!slice_has_prefix(r[i].status, S("5")))
			continue;
		r[i].status = S("4.0.0");
		qstate_batch_rcpt(q->batch, &m->id, &r[i]);
	}
}

/* change_waiting - a message that is a record */
static bool
change_waiting(struct qmgr *q, const struct queue_id *id, enum verb verb)
{
	struct qstate_message	m;
	struct arena		a = ARENA_INIT;
	bool			changed = true;

	if (qstate_get(q->state, id, &a, &m) < 0) {
		arena_free(&a);
		return false;
	}
	switch (verb) {
	case HOLD:
		changed = m.queue != QSTATE_HOLD;
		m.queue = QSTATE_HOLD;
		break;
	case RELEASE:
		changed = m.queue == QSTATE_HOLD;
		m.queue = changed ? QSTATE_DEFERRED : m.queue;
		m.next = changed ? loop_wall(daemon_loop(q->daemon)) : m.next;
		if (changed)
			try_held(q, &m, &a);
		break;
	case FLUSH:
	case REQUEUE:
		changed = m.queue == QSTATE_DEFERRED;
		m.next = loop_wall(daemon_loop(q->daemon));
		break;
	case EXPIRE:
		m.flags |= QSTATE_EXPIRE;
		m.next = loop_wall(daemon_loop(q->daemon));
		break;
	case DELETE:
		recent_add(q, id);
		qstate_batch_finish(q->batch, id, m.place, m.generation);
		m.id = *id;
		change_delete(q, &m);
		arena_free(&a);
		return true;
	case VERBS:
		break;
	}
	if (changed) {
		qstate_batch_message(q->batch, &m);
		change_begin(q, id);
	}
	arena_free(&a);
	return changed;
}

/* change - one message, as soon as it is either tried or waits */
static int
change(struct task *t, struct qmgr *q, const struct queue_id *id,
    enum verb verb, bool *ret_changed)
{
	struct qmessage	*m = NULL;
	struct deadline	 d;
	int		 r = 0;

	deadline_begin(t, &d, BETWEEN_LIMIT);
	while (r == 0 && (change_is_pending(q, id) ||
	    ((m = qmessage_find(q, queue_id_text(id))) != NULL &&
	    is_between(m, verb))))
		r = task_sleep(t, BETWEEN_PAUSE);
	r = deadline_end(t, &d, r);
	if (r < 0 && r != -ETIMEDOUT)
		return r;
	if (change_is_pending(q, id))	/* the disk is slow beyond measure */
		return 0;
	*ret_changed = m != NULL ? change_active(q, m, verb) :
	    change_waiting(q, id, verb);
	return 0;
}

/* in_queue - is it in a queue that was named? */
static bool
in_queue(struct qmgr *q, const struct queue_id *id, struct slice names)
{
	const struct qmessage	*live = qmessage_find(q, queue_id_text(id));
	struct qstate_message	m;
	struct arena		a = ARENA_INIT;
	struct slice		is = SLICE_EMPTY, name;
	bool			found = names.len == 0;

	if (found)
		return true;
	if (live != NULL)
		is = memory_queue(live);
	else if (qstate_get(q->state, id, &a, &m) == 0)
		is = queue_name(q, &m);
	while (!found && slice_next_word(&names, " ", &name))
		found = slice_equal(is, name);
	arena_free(&a);
	return found;
}

/* change_one - if it is in that queue */
static int
change_one(struct task *t, struct qmgr *q, const struct queue_id *id,
    enum verb verb, struct slice queue, uint64_t *count)
{
	bool	changed = false;
	int	r = 0;

	if (in_queue(q, id, queue))
		r = change(t, q, id, verb, &changed);
	*count += changed;
	return r;
}

/* change_live - messages in memory that have no record */
static int
change_live(struct task *t, struct qmgr *q, enum verb verb,
    struct slice queue, uint64_t *ret_count)
{
	struct queue_id		*ids = NEW_ARRAY(struct queue_id,
				    q->messages.count);
	struct hash_iter	 it = { 0 };
	struct slice		 k;
	size_t			 n = 0;
	void			*v;
	int			 r = 0;

	/* they come and go while one is changed */
	while (hash_next(&q->messages, &it, &k, &v)) {
		const struct qmessage *m = v;

		if (m->committed && !m->has_state)
			ids[n++] = m->id;
	}
	for (size_t i = 0; r == 0 && i < n; i++)
		r = change_one(t, q, &ids[i], verb, queue, ret_count);
	free(ids);
	return r;
}

/* change_all - every message, or those of a queue or site */
static int
change_all(struct task *t, struct qmgr *q, enum verb verb,
    const struct msg_queue_do *ask, uint64_t *ret_count)
{
	struct qstate_filter	 f = { ask->site.len > 0 ? QSTATE_KEY_BY_SITE :
				     QSTATE_KEY_MESSAGE, ask->site };
	struct qstate_walk	 w = QSTATE_WALK_INIT;
	struct queue_id		*ids = NEW_ARRAY(struct queue_id, PAGE);
	size_t			 n;
	int			 r = 0;

	if (ask->site.len == 0)
		r = change_live(t, q, verb, ask->queue_name, ret_count);
	while (r == 0 && !w.done) {
		if ((r = qstate_list(q->state, &f, &w, ids, PAGE, &n)) < 0 ||
		    n == 0)
			break;
		for (size_t i = 0; r == 0 && i < n; i++)
			r = change_one(t, q, &ids[i], verb, ask->queue_name,
			    ret_count);
		if (r == 0)
			r = commit_wait(t, q);
	}
	free(ids);
	return r;
}

static int
on_do(struct task *t, struct qmgr *q, struct ipc_conn *c, uint32_t request,
    const struct msg_queue_do *ask)
{
	struct msg_queue_did	did = { 0, SLICE_EMPTY };
	struct queue_id		id;
	enum verb		verb = 0;
	int			r = 0;

	while (verb < VERBS && !slice_equal(ask->verb, slice_of(verbs[verb])))
		verb++;
	if (verb == VERBS)
		did.text = S("no such verb");
	else if (verb == FLUSH)
		sched_revive(q->sched, SLICE_EMPTY, SLICE_EMPTY,
		    loop_now(daemon_loop(q->daemon)) * 1000);
	if (verb == VERBS)
		r = 0;
	else if (slice_equal(ask->queue_id, S("ALL")))
		r = change_all(t, q, verb, ask, &did.count);
	else if (queue_id_parse(ask->queue_id, &id) < 0)
		did.text = S("not a queue id");
	else if ((r = change_one(t, q, &id, verb, ask->queue_name,
	    &did.count)) == 0 && did.count > 0) {
		r = commit_wait(t, q);
	} else {
		did.text = S("no such message, or nothing to change");
	}
	if (r < 0)
		return r;
	signal_set(&q->due);
	return ipc_reply(c, request, &msg_queue_did_desc, &did);
}

/* load - to be shown, as it is when nobody changes it */
static int
load(struct task *t, struct qmgr *q, const struct queue_id *id,
    struct qmessage **ret_message)
{
	struct deadline	d;
	int		r;

	deadline_begin(t, &d, BETWEEN_LIMIT);
	while ((r = qmessage_load(t, q, id, ret_message)) == -EAGAIN &&
	    (r = task_sleep(t, BETWEEN_PAUSE)) == 0)
		;
	r = deadline_end(t, &d, r);
	if (r == -EEXIST) {
		*ret_message = qmessage_find(q, queue_id_text(id));
		return 1;
	}
	return r;
}

static int
on_show(struct task *t, struct qmgr *q, struct ipc_conn *c, uint32_t request,
    const struct msg_queue_show *ask)
{
	struct msg_queue_message reply = { .content = -1 };
	struct msg_queue_entry	 entry;
	struct qmessage		*m = qmessage_find(q, ask->queue_id);
	struct buf		 envelope = BUF_INIT;
	struct arena		 a = ARENA_INIT;
	struct queue_id		 id;
	bool			 ours = false;
	int			 r = 0;

	if (m == NULL && queue_id_parse(ask->queue_id, &id) == 0) {
		r = load(t, q, &id, &m);
		ours = r == 0;
		r = r > 0 ? 0 : r;
	}
	if (m != NULL)
		qmessage_read(m);
	if (m != NULL && qmessage_open(t, m) == 0 &&
	    ipc_pack(&msg_envelope_desc, m->envelope, &envelope) == 0) {
		reply.envelope = buf_slice(&envelope);
		reply.content = m->content_fd;
		of_memory(m, &a, &entry);
		reply.rcpts.v = entry.rcpts.v;
		reply.rcpts.n = entry.rcpts.n;
		reply.held = qmessage_count(m, FATE_HELD) > 0;
	}
	r = r == -ECANCELED ? r :
	    ipc_reply(c, request, &msg_queue_message_desc, &reply);
	if (ours && m->cancelled)	/* it was changed meanwhile */
		qmessage_settle(m);
	else if (ours && m->sched == NULL)
		qmessage_free(m);
	if (m != NULL)
		qmessage_read_end(m);
	buf_free(&envelope);
	arena_free(&a);
	return r;
}

/* somebody who asks, and what he may */
struct admin {
	struct qmgr	*qmgr;
	bool		 may_list;
	bool		 may_flush;
	bool		 may_all;
};

/* on_message - what edges.def lets others than administrators ask for is
 * decided by master; what is beyond that ends the edge */
static int
on_message(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	const struct admin	*who = arg;
	struct msg_queue_do	*ask = in->msg;
	struct qmgr		*q = who->qmgr;

	if (in->request == 0)
		return -EBADMSG;
	switch (in->desc->number) {
	case MSG_queue_list:
		return !who->may_list ? -EPERM :
		    on_list(q, c, in->request, in->msg, a);
	case MSG_queue_do:
		return !who->may_all && !(who->may_flush &&
		    slice_equal(ask->verb, S("flush"))) ? -EPERM :
		    on_do(t, q, c, in->request, ask);
	case MSG_queue_show:
		return !who->may_all ? -EPERM :
		    on_show(t, q, c, in->request, in->msg);
	default:
		return -EBADMSG;
	}
}

/* admin_serve - one tool */
int
admin_serve(struct task *t, struct qmgr *q, int *fd_take,
    const struct daemon_caller *caller)
{
	const bool	all = slice_equal(caller->daemon, S("tool"));
	struct admin	who = { .qmgr = q, .may_all = all,
			    .may_list = all ||
			    slice_equal(caller->daemon, S("mailq")),
			    .may_flush = slice_equal(caller->daemon,
			    S("flush")) };
	struct ipc_conn	c;
	int		r = 0;

	while (!q->recovered && r == 0)
		r = task_sleep(t, 5);
	if (r < 0)
		return r;
	ipc_open(&c, daemon_loop(q->daemon), fd_take, &ipc_table_queue_admin,
	    IPC_CALLEE);
	r = ipc_serve(t, &c, on_message, &who);
	daemon_caller_close(caller, &c);
	return r;
}
