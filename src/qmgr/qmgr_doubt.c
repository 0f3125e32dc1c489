/* SPDX-License-Identifier: ISC */
/*
 * What clients may send again (libglobal/doubts.h). Cleanups tell us of
 * messages, master of processes that died; all cleanups hear of both, since
 * the client may come back to any of them. Our own end is in doubt as well,
 * from the last time that we know to have been alive: it is written down from
 * time to time while there is mail.
 */
#include "libtask/loop.h"
#include "libutil/cursor.h"
#include "qmgr/qmgr_events.h"
#include "qmgr/qmgr_owner.h"

#define MINUTE_US	(INT64_C(60) * 1000000)
/* the client of a message that was complete so long ago has spoken since, or
 * its session has ended: through mode, smtpd_timeout, and something more */
#define OWED_US		(15 * MINUTE_US)
#define WRITE_PAUSE	60000	/* ms */
/* a client comes again when its session has ended, or soon before that */
#define EARLY_US	(MINUTE_US / 2)

static int64_t
now_us(struct qmgr *q)
{
	return loop_wall(daemon_loop(q->daemon));
}

/* write_down - that we are alive, and what changed; durable soon */
static void
write_down(struct qmgr *q)
{
	const struct qmgr_params *p = daemon_params(q->daemon);
	struct buf		  bytes = BUF_INIT;

	doubts_forget(&q->doubts,
	    now_us(q) - p->accountd_delivery_id_time * 1000);
	buf_add_le64(&bytes, (uint64_t)now_us(q));
	doubts_encode(&q->doubts, &bytes);
	qstate_batch_doubts(q->batch, buf_slice(&bytes));
	commit_soon(q);
	buf_free(&bytes);
}

/* qdoubt_recover - what our predecessor knew, and when it ended. Until this is
 * written anew the next one would find the same, so nothing is to be waited
 * for. */
void
qdoubt_recover(struct qmgr *q)
{
	struct arena	a = ARENA_INIT;
	struct slice	old;
	struct cursor	c;
	uint64_t	alive;
	int		r = qstate_doubts(q->state, &a, &old);

	if (r == 0) {
		c = cursor_over(old);
		if (cursor_le64(&c, &alive) == 0 && alive >= OWED_US &&
		    alive <= INT64_MAX)
			doubts_add_span(&q->doubts, (struct doubts_span){
			    (int64_t)alive - OWED_US, now_us(q) });
		r = doubts_decode(&q->doubts, cursor_rest(&c));
	}
	/* one that is lost or damaged costs a message twice, at the worst */
	if (r < 0 && r != -ENOENT)
		log_event(daemon_log(q->daemon), EV_QMGR_DOUBTS,
		    KV_ERR("why", r));
	write_down(q);
	arena_free(&a);
}

/* qdoubt_task - while there is mail, now and then */
int
qdoubt_task(struct task *t, void *arg)
{
	struct qmgr	*q = arg;
	int		 r;

	while ((r = task_sleep(t, WRITE_PAUSE)) == 0) {
		if (!q->busy)
			continue;
		q->busy = false;
		write_down(q);
	}
	return r;
}

/* --- telling cleanups */

/* spans_of - for a message */
static void
spans_of(const struct doubts *d, struct msg_doubt v[DOUBTS_SPANS_MAX],
    struct msg_queue_doubts *m)
{
	for (size_t i = 0; i < d->span_count; i++)
		v[i] = (struct msg_doubt){ d->spans[i].since,
		    d->spans[i].until };
	m->spans.v = v;
	m->spans.n = d->span_count;
}

/* tell - all that are connected */
static void
tell(struct qmgr *q, const struct msg_unheard *one)
{
	struct msg_doubt	 spans[DOUBTS_SPANS_MAX];
	struct msg_unheard	 copy;
	struct msg_queue_doubts	 m = { .spans = { NULL, 0 } };
	struct hash_iter	 it = { 0 };
	struct slice		 k;
	void			*o;

	spans_of(&q->doubts, spans, &m);
	if (one != NULL) {
		copy = *one;
		m.unheard.v = &copy;
		m.unheard.n = 1;
	}
	while (hash_next(&q->owners, &it, &k, &o)) {
		struct owner *owner = o;

		if (owner->conn != NULL && owner->said_hello)
			ignore(ipc_post(owner->conn, &msg_queue_doubts_desc,
			    &m));	/* a broken one hears all anew */
	}
}

/* qdoubt_tell_all - one that has just connected hears everything */
int
qdoubt_tell_all(struct owner *o)
{
	const struct doubts	*d = &o->qmgr->doubts;
	struct msg_doubt	 spans[DOUBTS_SPANS_MAX];
	struct msg_queue_doubts	 m = { .unheard = { NULL, 0 } };
	struct arena		 a = ARENA_INIT;
	struct doubts_copy	 copy[DOUBTS_COPIES_MAX];
	const struct list	*at = NULL;
	struct slice		 id;
	size_t			 n;
	int			 r;

	spans_of(d, spans, &m);
	m.unheard.v = ARENA_ARRAY(&a, struct msg_unheard,
	    d->by_id.count * DOUBTS_COPIES_MAX);
	while ((at = doubts_next(d, at, &id, copy, &n)) != NULL)
		for (; n > 0; n--)
			m.unheard.v[m.unheard.n++] = (struct msg_unheard){ id,
			    copy[n - 1].taken, doubts_since(&copy[n - 1]) };
	r = ipc_post(o->conn, &msg_queue_doubts_desc, &m);
	arena_free(&a);
	return r;
}

/* --- of a message that is to be delivered */

/* the doubts of one message */
struct named {
	struct msg_doubt	*v;
	size_t			 n;
};

/* name - one more, unless they have it */
static void
name(struct named *d, int64_t since, int64_t until)
{
	for (size_t i = 0; i < d->n; i++)
		if (since >= d->v[i].since && until <= d->v[i].until)
			return;
	if (d->n < QDOUBT_MAX)
		d->v[d->n++] = (struct msg_doubt){ since, until };
}

/* sent_since - from when on it may have been sent in the place of that copy */
static int64_t
sent_since(const struct doubts_copy *copy)
{
	return copy->noticed - EARLY_US > copy->taken ?
	    copy->noticed - EARLY_US : copy->taken + 1;
}

/* qdoubt_of - the doubts of a message, as cleanup gave them. Those of copies
 * before it are added, and of times before it, if the news of them was still on
 * its way to that cleanup then, however long it took. What was noticed long
 * after the message came is not of a copy that it was sent in the place of. */
size_t
qdoubt_of(const struct qmgr *q, const struct msg_envelope *e,
    struct msg_doubt ret_doubts[QDOUBT_MAX])
{
	struct doubts_copy	copies[DOUBTS_COPIES_MAX];
	struct named		named = { ret_doubts, 0 };
	size_t			count;

	for (size_t i = 0; i < e->doubts.n; i++)
		name(&named, e->doubts.v[i].since, e->doubts.v[i].until);
	if (e->content_id.len == 0)
		return named.n;
	count = doubts_find(&q->doubts, e->content_id, copies);
	for (size_t i = 0; i < count; i++)
		if (e->taken >= sent_since(&copies[i]))
			name(&named, doubts_since(&copies[i]),
			    copies[i].taken);
	for (size_t i = 0; i < q->doubts.span_count; i++)
		if (e->taken > q->doubts.spans[i].until)
			name(&named, q->doubts.spans[i].since,
			    q->doubts.spans[i].until);
	return named.n;
}

/* qdoubt_again - it is in doubt itself: what was sent in its place may have
 * been delivered before anybody knew */
int64_t
qdoubt_again(const struct qmgr *q, const struct msg_envelope *e)
{
	const struct doubts_span	*s = q->doubts.spans;
	struct doubts_copy		 copies[DOUBTS_COPIES_MAX];
	size_t				 count;

	if (e->content_id.len == 0)
		return 0;
	count = doubts_find(&q->doubts, e->content_id, copies);
	for (size_t i = 0; i < count; i++)
		if (e->taken >= doubts_since(&copies[i]) &&
		    e->taken <= copies[i].taken)
			return sent_since(&copies[i]);
	for (size_t i = 0; i < q->doubts.span_count; i++)
		if (e->taken >= s[i].since && e->taken <= s[i].until)
			return s[i].until + 1;
	return 0;
}

/* --- what we hear */

/* qdoubt_heard - of a message, from a cleanup */
int
qdoubt_heard(struct qmgr *q, const struct msg_queue_unheard *m)
{
	const struct msg_unheard u = { m->content_id, m->taken, 0 };
	const struct doubts_copy copy = { m->taken, m->noticed, 0 };

	if (m->content_id.len != DOUBTS_ID_LEN)
		return -EBADMSG;
	doubts_unheard(&q->doubts, u.content_id, copy);
	tell(q, &u);
	q->busy = true;
	return 0;
}

/* qdoubt_mishap - master says that somebody died who owed answers */
void
qdoubt_mishap(struct daemon *d, int64_t when)
{
	struct qmgr *q = daemon_data(d);

	doubts_add_span(&q->doubts, (struct doubts_span){ when - OWED_US,
	    when });
	q->busy = true;
	tell(q, NULL);
}
