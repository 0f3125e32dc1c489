/* SPDX-License-Identifier: ISC */
/*
 * The offers of cleanups: a message that no slot holds yet is tried while its
 * client waits. What comes of it is said in a verdict, and what is not over
 * then comes back as a commit.
 *
 * If the edge breaks in between, cleanup does not know what came of it, and
 * commits the whole of it (or says that it does not). What is known here counts
 * then: nobody who was delivered is tried again.
 */
#include "qmgr/qmgr_owner.h"

#include <stdlib.h>

#include "libtask/loop.h"
#include "libutil/alloc.h"

#define ORPHAN_LIMIT	(INT64_C(10) * 60 * 1000)	/* ms; longer than a
							 * commit can take */

/* may_go_through - may it be tried while the client waits? */
static bool
may_go_through(struct qmgr *q, const struct msg_envelope *e, bool now)
{
	const struct qmgr_params *p = daemon_params(q->daemon);

	if (!q->recovered || sched_room(q->sched, SCHED_NEW) == 0)
		return false;
	if (now)
		return true;
	/* a report is due whatever happens: then it must not be forgotten */
	if (wants_success(e))
		return false;
	for (size_t i = 0; i < e->rcpts.n; i++) {
		struct slice tr = e->rcpts.v[i].transport;

		if (!slice_equal(tr, S("store")) &&
		    !slice_equal(tr, S("lmtp")) && !p->relay_through)
			return false;
	}
	return true;
}

/* verdict - what is known of each recipient now */
static int
verdict(struct owner *o, uint32_t request, const struct msg_envelope *e,
    const struct rcpt_state *states, bool adopted)
{
	struct msg_rcpt_done	*v = NEW_ARRAY(struct msg_rcpt_done, e->rcpts.n);
	struct msg_queue_verdict m = { .adopted = adopted };
	int			 r;

	for (size_t i = 0; i < e->rcpts.n; i++) {
		v[i] = (struct msg_rcpt_done){ e->rcpts.v[i].number, 450,
		    S("4.3.0"), S("not finished") };
		if (states == NULL)
			continue;
		v[i].begun = states[i].fate == FATE_TODO;
		v[i].put_off = states[i].fate == FATE_PUT_OFF;
		if (v[i].begun || v[i].put_off)
			continue;
		v[i].code = states[i].code;
		v[i].enhanced = states[i].enhanced;
		v[i].text = slice_sub(states[i].text, 0, 1000);
	}
	m.rcpts.v = v;
	m.rcpts.n = e->rcpts.n;
	r = o->conn == NULL ? -EPIPE :
	    ipc_reply(o->conn, request, &msg_queue_verdict_desc, &m);
	free(v);
	return r;
}

/* has_one_result - all delivered, or all refused: nothing is left to do */
static bool
has_one_result(const struct qmessage *m)
{
	size_t n = m->envelope->rcpts.n;

	return qmessage_count(m, FATE_DONE) == n ||
	    qmessage_count(m, FATE_REFUSED) == n;
}

/* abandon - an offered message whose commit will not come */
static void
abandon(struct qmessage *m)
{
	m->cancelled = true;
	sched_message_cancel(m->qmgr->sched, m->sched);
	if (sched_message_busy(m->sched) == 0)
		qmessage_settle(m);
}

/* abandon_offers - those of a cleanup that has ended */
void
abandon_offers(struct qmgr *q, const struct owner *o)
{
	struct hash_iter	it = { 0 };
	struct slice		k;
	void			*v;

	while (hash_next(&q->messages, &it, &k, &v)) {
		struct qmessage *m = v;

		if (m->offered && !m->committed && m->owner == o->number &&
		    m->waiter == NULL)
			abandon(m);
	}
}

/* flight_begin - false if another cleanup has offered the same */
static bool
flight_begin(struct qmgr *q, struct slice flight)
{
	if (flight.len == 0)
		return true;
	if (hash_get(&q->flights, flight) != NULL)
		return false;
	(void)hash_put(&q->flights, flight, q);		/* is new */
	return true;
}

static void
flight_end(struct qmgr *q, struct slice flight)
{
	if (flight.len > 0)
		(void)hash_remove(&q->flights, flight);	/* was put */
}

/* refuse_copy - the one before it is being tried */
static int
refuse_copy(struct owner *o, uint32_t request)
{
	struct msg_queue_verdict m = { .in_flight = true };

	return ipc_reply(o->conn, request, &msg_queue_verdict_desc, &m);
}

/* leaves - is it handed to somebody who cannot tell a copy of it? */
static bool
leaves(const struct msg_rcpt *r)
{
	static const char *const ours[] = { "store", "error", "retry",
	    "discard" };

	for (size_t i = 0; i < COUNT(ours); i++)
		if (slice_equal(r->transport, slice_of(ours[i])))
			return false;
	return true;
}

/* put_off - those who were named as one (an alias) have one answer. If that
 * is 4xx for some, the client sends it again to all: so who is elsewhere waits
 * until the client need not. */
static void
put_off(struct qmessage *m)
{
	const struct msg_rcpt	*v = m->envelope->rcpts.v;
	size_t			 n = m->envelope->rcpts.n;

	for (size_t i = 0; i < n; i++) {
		bool alone = (i == 0 || !slice_equal_nocase(v[i - 1].original,
		    v[i].original)) && (i + 1 == n ||
		    !slice_equal_nocase(v[i + 1].original, v[i].original));

		if (!alone && leaves(&v[i]))
			m->rcpts[i].fate = FATE_PUT_OFF;
	}
}

/* try_now - deliver while the client waits */
static int
try_now(struct task *t, struct owner *o, uint32_t request, struct qmessage *m,
    uint32_t limit)
{
	struct signal	done = SIGNAL_INIT;
	struct deadline	d;
	bool		is_over;
	int		r, said;

	m->waiter = &done;
	qmessage_schedule(m, SCHED_NEW);
	deadline_begin(t, &d, limit);
	r = signal_wait(t, &done);
	r = deadline_end(t, &d, r);
	m->waiter = NULL;
	if (r == -ECANCELED)
		return r;
	is_over = r == 0 && has_one_result(m);
	said = verdict(o, request, m->envelope, m->rcpts, !is_over);
	/* What is not over comes back as a commit, and nobody is tried a second
	 * time for that; whether or not the verdict could be said. */
	if (is_over) {
		if (qmessage_count(m, FATE_DONE) > 0)
			through_add(m->qmgr, &m->id);
		qmessage_free(m);
	} else if (said < 0) {
		m->orphaned = task_now(t);
	}
	return 0;
}

/* try_or_refuse - without its content it cannot be tried */
static int
try_or_refuse(struct task *t, struct owner *o, uint32_t request,
    struct qmessage *m, uint32_t limit)
{
	int r;

	if (m->content_fd >= 0)
		return try_now(t, o, request, m, limit);
	r = verdict(o, request, m->envelope, NULL, false);
	qmessage_free(m);
	return r;
}

/* orphans_task - give up what was neither committed nor forgotten in time */
static int
orphans_task(struct task *t, void *arg)
{
	struct qmgr		*q = arg;
	struct hash_iter	 it = { 0 };
	struct slice		 k;
	void			*v;
	int			 r;

	if ((r = task_sleep(t, ORPHAN_LIMIT)) < 0)
		return r;
	while (hash_next(&q->messages, &it, &k, &v)) {
		struct qmessage *m = v;

		if (m->orphaned != 0 && !m->committed && !m->cancelled &&
		    task_now(t) - m->orphaned >= ORPHAN_LIMIT &&
		    m->waiter == NULL)
			abandon(m);
	}
	return 0;
}

/* offers_orphaned - an edge broke: what was offered over it, and was not
 * committed, may still be */
void
offers_orphaned(struct qmgr *q, const struct owner *o)
{
	struct hash_iter	it = { 0 };
	struct slice		k;
	void			*v;
	bool			any = false;

	while (hash_next(&q->messages, &it, &k, &v)) {
		struct qmessage *m = v;

		if (!m->offered || m->committed || m->owner != o->number ||
		    m->waiter != NULL)
			continue;
		if (m->orphaned == 0)
			m->orphaned = loop_now(daemon_loop(q->daemon));
		any = true;
	}
	if (any)
		task_group_start(daemon_group(q->daemon), orphans_task, q);
}

/* on_offer - the true result, if it can be had in time */
int
on_offer(struct task *t, struct owner *o, uint32_t request,
    struct msg_queue_offer *m)
{
	struct qmgr	*q = o->qmgr;
	struct qmessage	*msg;
	struct arena	 a = ARENA_INIT;
	void		*e;
	int		 r;

	q->busy = true;
	r = ipc_unpack(&msg_envelope_desc, m->envelope, &a, &e);
	if (r == 0 && (!may_go_through(q, e, m->now) ||
	    qmessage_find(q, ((struct msg_envelope *)e)->queue_id) != NULL))
		r = verdict(o, request, e, NULL, false);
	else if (r == 0 && !flight_begin(q, m->flight))
		r = refuse_copy(o, request);
	else if (r == 0) {
		msg = qmessage_new(q, m->envelope);
		if (msg == NULL)
			r = -EBADMSG;
		else {
			msg->owner = o->number;
			msg->offered = true;
			qmessage_take_content(msg, &m->content);
			if (m->now)
				put_off(msg);
			r = try_or_refuse(t, o, request, msg, m->limit);
		}
		flight_end(q, m->flight);
	}
	arena_free(&a);
	return r;
}

/* on_known - was this message committed? */
int
on_known(struct task *t, struct owner *o, uint32_t request,
    const struct msg_queue_known *ask)
{
	struct msg_queue_is_known	m = { false };
	int				r;

	if ((r = wait_recovered(t, o->qmgr)) < 0 ||
	    (r = recent_known(t, o->qmgr, ask->queue_id, &m.known)) < 0)
		return r;
	return o->conn == NULL ? -EPIPE :
	    ipc_reply(o->conn, request, &msg_queue_is_known_desc, &m);
}

/* on_forget - an offered message was not committed */
void
on_forget(struct qmgr *q, const struct msg_queue_forget *f)
{
	struct qmessage *m = qmessage_find(q, f->queue_id);

	if (m == NULL || m->committed)
		return;
	abandon(m);
}
