/* SPDX-License-Identifier: ISC */
/*
 * The edges from cleanups: leases and commits. A cleanup is an owner of
 * slots from its first hello until master says that its process is gone; a new
 * edge of the same process says hello again. Slots that it held and does not
 * name any more are looked at: they are free, or hold a message that we were
 * not told of.
 */
#include "qmgr/qmgr_owner.h"

#include <stdlib.h>
#include <string.h>

#include "libtask/loop.h"
#include "libutil/alloc.h"
#include "qmgr/qmgr_events.h"

/* owner_key - the key of an owner in the table */
struct slice
owner_key(const uint32_t *process)
{
	return slice_over(process, sizeof(*process));
}

static struct owner *
owner_get(struct qmgr *q, uint32_t process)
{
	struct owner *o = hash_get(&q->owners, owner_key(&process));

	if (o == NULL) {
		o = NEW(struct owner);
		o->qmgr = q;
		o->process = process;
		o->number = ++q->last_owner;
		(void)hash_put(&q->owners, owner_key(&process), o); /* new */
	}
	return o;
}

/* owners_free - at the end of all */
void
owners_free(struct qmgr *q)
{
	struct hash_iter	it = { 0 };
	struct slice		k;
	void			*o;

	while (hash_next(&q->owners, &it, &k, &o)) {
		hash_free(&((struct owner *)o)->held);
		free(o);
	}
	hash_free(&q->owners);
}

/* owners_held - the slots that any cleanup has named, as struct msg_slot_ref */
void
owners_held(struct qmgr *q, struct hash *out)
{
	struct hash_iter	it = { 0 }, in;
	struct slice		k, ref;
	void			*o, *v;

	while (hash_next(&q->owners, &it, &k, &o)) {
		in = (struct hash_iter){ 0 };
		while (hash_next(&((struct owner *)o)->held, &in, &ref, &v))
			(void)hash_put(out, ref, v);	/* a set */
	}
}

static int
gone_task(struct task *t, void *arg)
{
	struct owner	*o = arg;
	struct qmgr	*q = o->qmgr;
	int		 r;

	/* its edge is served to its end first */
	while (o->conn != NULL)
		if ((r = task_sleep(t, 5)) < 0)
			return r;
	hash_free(&o->held);
	if ((r = slots_look(t, q, o->number, NULL)) == 0)
		r = large_adopt(t, q, o->number);
	if (r == 0) {
		large_tell_all(q);	/* it may have been asked in vain */
		abandon_offers(q, o);
		(void)hash_remove(&q->owners, owner_key(&o->process));
		free(o);
	}
	return r;
}

/* peer_gone - master says that a cleanup has ended */
void
peer_gone(struct daemon *d, uint32_t process)
{
	struct qmgr	*q = daemon_data(d);
	struct owner	*o = hash_get(&q->owners, owner_key(&process));

	if (o == NULL || !o->said_hello)
		q->gone++;
	signal_set(&q->hello);
	if (o == NULL)
		return;
	/* while the queue is being read its slots are passed over: they are
	 * looked at when that is done */
	if (q->recovered)
		task_group_start(daemon_group(d), gone_task, o);
	else
		o->gone = true;
}

/* owners_in_doubt - may there be messages that we were not told of? */
bool
owners_in_doubt(const struct qmgr *q)
{
	struct hash_iter	it = { 0 };
	struct slice		k;
	void			*o;

	while (hash_next(&q->owners, &it, &k, &o))
		if (((struct owner *)o)->conn == NULL)
			return true;
	return false;
}

/* owners_tell_unlink - a large file is to go: any cleanup may remove it */
void
owners_tell_unlink(struct qmgr *q, struct slice queue_id)
{
	struct msg_queue_unlink	m = { queue_id };
	struct hash_iter	it = { 0 };
	struct slice		k;
	void			*v;

	while (hash_next(&q->owners, &it, &k, &v)) {
		struct owner *o = v;

		if (o->conn != NULL &&
		    ipc_post(o->conn, &msg_queue_unlink_desc, &m) == 0)
			return;
	}
}

/* --- what a cleanup says */

/* lease_one - is it free for the one who says that it holds it? What is in doubt
 * is so because of the one who writes it */
static bool
lease_one(struct owner *o, const struct msg_slot_ref *m)
{
	struct slot_pool	*pool = o->qmgr->pool;
	struct slot_ref		 ref = { (uint8_t)m->size_class, m->number };

	if (m->size_class >= SLOT_CLASSES)
		return false;
	if (slot_pool_is_leased(pool, ref, o->number))
		return true;
	return slot_pool_is_leased(pool, ref, OWNER_DOUBT) ?
	    slot_pool_move(pool, ref, o->number) == 0 :
	    slot_pool_lease_again(pool, ref, o->number) == 0;
}

/* lease_held - what it says it holds is leased to it; what cannot be goes into
 * refused, if anybody wants to know */
static void
lease_held(struct owner *o, struct msg_slot_ref *refused, size_t *count)
{
	struct hash_iter	it = { 0 };
	struct slice		k;
	struct msg_slot_ref	m;
	void			*v;

	while (hash_next(&o->held, &it, &k, &v)) {
		memcpy(&m, k.data, sizeof(m));
		if (!lease_one(o, &m) && refused != NULL)
			refused[(*count)++] = m;
	}
}

/* owners_lease - after recovery: what the living cleanups hold is theirs */
void
owners_lease(struct qmgr *q)
{
	struct hash_iter	it = { 0 };
	struct slice		k;
	void			*o;

	while (hash_next(&q->owners, &it, &k, &o)) {
		lease_held(o, NULL, NULL);
		if (((struct owner *)o)->gone)
			task_group_start(daemon_group(q->daemon), gone_task, o);
	}
}

/* wait_recovered - the queue must have been read before slots are given */
int
wait_recovered(struct task *t, struct qmgr *q)
{
	int r = 0;

	while (!q->recovered && r == 0)
		r = task_sleep(t, 5);
	return r;
}

static void
hold(struct owner *o, const struct msg_queue_hello *m)
{
	for (size_t i = 0; i < m->held.n; i++)
		(void)hash_put(&o->held, slice_over(&m->held.v[i],
		    sizeof(m->held.v[i])), o);	/* a set */
}

/* welcome - the answer to hello: which slots are not its own any more */
static int
welcome(struct owner *o, struct ipc_conn *c, uint32_t request)
{
	struct msg_queue_welcome	w = { { NULL, 0 } };
	int				r;

	w.refused.v = NEW_ARRAY(struct msg_slot_ref, o->held.count);
	lease_held(o, w.refused.v, &w.refused.n);
	r = ipc_reply(c, request, &msg_queue_welcome_desc, &w);
	free(w.refused.v);
	return r;
}

/* on_hello - the slots it holds. While the queue is being read nothing more is
 * heard of it, and what an earlier hello named counts too: those slots were
 * passed over, and are looked at afterwards. */
static int
on_hello(struct task *t, struct owner *o, struct ipc_conn *c,
    uint32_t request, const struct msg_queue_hello *m)
{
	struct qmgr	*q = o->qmgr;
	int		 r;

	hold(o, m);
	if (!o->said_hello)
		q->hellos++;
	o->said_hello = true;
	signal_set(&q->hello);
	ipc_set_state(c, QUEUE_UP);
	if ((r = wait_recovered(t, q)) < 0)
		return r;
	if (o->conn != c)
		return -ECONNRESET;	/* it has said hello again meanwhile */
	hash_free(&o->held);
	hold(o, m);
	if ((r = welcome(o, c, request)) < 0)
		return r;
	slots_told(q, m->told.v, m->told.n);
	if ((r = qdoubt_tell_all(o)) < 0 ||
	    (r = slots_look(t, q, o->number, &o->held)) < 0 ||
	    (r = large_adopt(t, q, o->number)) < 0)
		return r;
	large_tell_all(q);
	return 0;
}

static bool
is_new(const uint32_t *numbers, size_t n, uint32_t number)
{
	for (size_t i = 0; i < n; i++)
		if (numbers[i] == number)
			return true;
	return false;
}

/* on_lease - slots to write into */
static int
on_lease(struct task *t, struct owner *o, uint32_t request,
    const struct msg_queue_lease *ask)
{
	struct qmgr		*q = o->qmgr;
	struct msg_slot_lease	*v;
	struct msg_queue_leased	 m = { { NULL, 0 } };
	uint32_t		 fresh[64];
	size_t			 fresh_count = 0;
	struct slot_lease	 lease;
	int			 r;

	if (ask->size_class >= SLOT_CLASSES)
		return -EBADMSG;
	if ((r = wait_recovered(t, q)) < 0)
		return r;
	v = NEW_ARRAY(struct msg_slot_lease, ask->count);
	while (m.slots.n < ask->count) {
		r = slot_pool_lease(q->pool, (uint8_t)ask->size_class,
		    o->number, &lease);
		if (r == -EAGAIN && fresh_count == 0) {
			/* no more than are leased now: the one who leases a
			 * new slot makes its file */
			fresh_count = slot_pool_want_growth(q->pool,
			    (uint8_t)ask->size_class, fresh,
			    size_min(COUNT(fresh), ask->count - m.slots.n));
			for (size_t i = 0; i < fresh_count; i++)
				slot_pool_add(q->pool, (struct slot_ref){
				    (uint8_t)ask->size_class, fresh[i] },
				    SLOT_POOL_FREE, 0);
			if (fresh_count > 0)
				continue;
		}
		if (r < 0)
			break;
		v[m.slots.n++] = (struct msg_slot_lease){ lease.ref.class,
		    lease.ref.number, lease.generation,
		    is_new(fresh, fresh_count, lease.ref.number) };
	}
	m.slots.v = v;
	r = ipc_reply(o->conn, request, &msg_queue_leased_desc, &m);
	free(v);
	return r;
}

static void
lie(struct owner *o, uint32_t number)
{
	log_event(daemon_log(o->qmgr->daemon), EV_QMGR_LIE,
	    KV_INT("process", o->process), KV_UINT("number", number));
}

/* give_back - one slot. What is in doubt may come back from who wrote it. */
static int
give_back(struct owner *o, struct slot_ref ref, bool stale)
{
	struct qmgr	*q = o->qmgr;
	uint32_t	 owner = slot_pool_is_leased(q->pool, ref,
			     OWNER_DOUBT) ? OWNER_DOUBT : o->number;

	if (!stale)
		return slot_pool_return(q->pool, ref, owner);
	/* perhaps it is known already what was written there */
	if (slot_pool_is_leased(q->pool, ref, owner))
		slots_doubt(q, ref);
	return 0;
}

/* on_return - slots that were not written, or never will be again */
static int
on_return(struct owner *o, const struct msg_queue_return *m)
{
	struct qmgr *q = o->qmgr;

	for (size_t i = 0; i < m->slots.n; i++) {
		struct slot_ref ref = { (uint8_t)m->slots.v[i].size_class,
		    m->slots.v[i].number };

		if (m->slots.v[i].size_class >= SLOT_CLASSES)
			return -EBADMSG;
		if (give_back(o, ref, m->stale) < 0) {
			lie(o, ref.number);
			continue;
		}
		if (m->unmade)
			slot_pool_remove(q->pool, ref);
		if (!m->retire)
			continue;
		slot_pool_remove(q->pool, ref);
		slot_pool_add(q->pool, ref, SLOT_POOL_ASIDE, 0);
		qstate_batch_retire(q->batch, ref);
		commit_soon(q);
	}
	return 0;
}

/* use - the slot of a committed message. -EALREADY: we know of it */
static int
use(struct owner *o, struct slot_ref ref, uint64_t generation)
{
	struct slot_pool	*pool = o->qmgr->pool;

	if (slot_pool_is_leased(pool, ref, o->number) &&
	    slot_pool_generation(pool, ref) + 1 == generation)
		return slot_pool_use(pool, ref, o->number);
	/* it was not its any more when it wrote there, or when it tells */
	return slot_pool_claim(pool, ref, generation);
}

/* place_of - where a committed message lies; the pool is told */
static int
place_of(struct owner *o, const struct msg_queue_committed *c,
    struct queue_place *ret_place, uint64_t *ret_generation)
{
	struct slot_ref	ref = { (uint8_t)c->size_class, c->number };
	int		r;

	*ret_generation = 0;
	if (c->size_class >= SLOT_CLASSES) {
		*ret_place = QUEUE_PLACE_IN_LARGE;
		return 0;
	}
	r = use(o, ref, c->generation);
	if (r < 0 && r != -EALREADY) {
		lie(o, c->number);
		return -EBADMSG;
	}
	*ret_generation = c->generation;
	*ret_place = QUEUE_PLACE_IN_SLOT(ref);
	return r;
}

/* was_adopted - is it a message that large_adopt found before? */
static bool
was_adopted(struct qmgr *q, const struct qmessage *m,
    const struct msg_envelope *e)
{
	struct queue_id	id;

	if (m != NULL)
		return m->committed;
	return queue_id_parse(e->queue_id, &id) == 0 && recent_find(q, &id);
}

/* on_committed - a message is durable */
static int
on_committed(struct owner *o, struct msg_queue_committed *c)
{
	struct qmgr		*q = o->qmgr;
	struct queue_place	 place;
	struct qmessage		*m = NULL;
	struct arena		 a = ARENA_INIT;
	uint64_t		 generation;
	void			*e;
	int			 r;

	q->busy = true;
	if ((r = place_of(o, c, &place, &generation)) < 0)
		return r == -EALREADY ? 0 : r;
	if ((r = ipc_unpack(&msg_envelope_desc, c->envelope, &a, &e)) < 0)
		goto out;
	m = qmessage_find(q, ((struct msg_envelope *)e)->queue_id);
	if (place.kind == QUEUE_PLACE_LARGE && was_adopted(q, m, e))
		goto out;	/* the news came after the file was found */
	/* one whose offer was not answered, because the edge broke, is no
	 * adopted one to cleanup; here it goes on from what came of it */
	if (m != NULL && (!m->offered || m->committed ||
	    m->owner != o->number))
		r = -EBADMSG;
	else if (m == NULL && (m = qmessage_new(q, c->envelope)) == NULL)
		r = -EBADMSG;
	if (r < 0)
		goto out;
	qmessage_take_content(m, &c->content);
	qmessage_committed(m, e, place, generation);
out:
	arena_free(&a);
	return r;
}

/* on_message - one message of a cleanup */
static int
on_message(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct owner *o = arg;

	(void)c;
	(void)a;
	switch (in->desc->number) {
	case MSG_queue_lease:
		return on_lease(t, o, in->request, in->msg);
	case MSG_queue_return:
		return on_return(o, in->msg);
	case MSG_queue_offer:
		return on_offer(t, o, in->request, in->msg);
	case MSG_queue_committed:
		return on_committed(o, in->msg);
	case MSG_queue_known:
		return on_known(t, o, in->request, in->msg);
	case MSG_queue_forget:
		on_forget(o->qmgr, in->msg);
		return 0;
	case MSG_queue_unheard:
		return qdoubt_heard(o->qmgr, in->msg);
	case MSG_queue_unlinked:
		return large_unlinked(o->qmgr,
		    ((struct msg_queue_unlinked *)in->msg)->queue_id);
	default:
		return -EBADMSG;
	}
}

/* cleanup_serve - one edge, from hello on */
int
cleanup_serve(struct task *t, struct qmgr *q, int *fd_take,
    const struct daemon_caller *who)
{
	struct owner	*o = owner_get(q, who->process);
	struct arena	 a = ARENA_INIT;
	struct ipc_conn	 c;
	struct ipc_in	 in = { 0 };
	int		 r;

	ipc_open(&c, daemon_loop(q->daemon), fd_take, &ipc_table_queue,
	    IPC_CALLEE);
	ipc_set_state(&c, QUEUE_NEW);
	o->conn = &c;
	/* the state admits nothing but hello as the first message */
	if ((r = ipc_recv(t, &c, &a, &in)) == 0)
		r = on_hello(t, o, &c, in.request, in.msg);
	arena_free(&a);
	if (r == 0)
		r = ipc_serve_parallel(t, &c, on_message, o, 5000);
	if (o->conn == &c)
		o->conn = NULL;
	daemon_caller_close(who, &c);
	offers_orphaned(q, o);
	return r;
}
