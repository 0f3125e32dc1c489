/* SPDX-License-Identifier: ISC */
/*
 * One task asks the scheduler what to do next; each delivery is a task that
 * makes one call to an agent. error, retry and discard are done here.
 */
#include <stdlib.h>
#include <string.h>

#include "libglobal/delivery_log.h"
#include "libtask/loop.h"
#include "libutil/alloc.h"
#include "qmgr/qmgr.h"
#include "qmgr/qmgr_events.h"

#define AGENT_LIMIT	(INT64_C(2) * 3600 * 1000)	/* ms */

struct delivery {
	struct qmgr		*qmgr;
	struct qmessage		*message;
	struct sched_delivery	*sched;
	uint32_t		*index;
	size_t			 count;
	char			*transport;
	char			*site;
};

static int64_t
wall(struct qmgr *q)
{
	return loop_wall(daemon_loop(q->daemon));
}

/* clock_us - the scheduler's clock, which only goes forward */
static int64_t
clock_us(struct qmgr *q)
{
	return loop_now(daemon_loop(q->daemon)) * 1000;
}

/* set_result - one recipient's result */
static void
set_result(struct qmessage *m, uint32_t index, const struct msg_rcpt_result *r)
{
	struct rcpt_state *s = &m->rcpts[index];

	s->code = r->code;
	s->enhanced = arena_dup(&m->arena, delivery_enhanced(r));
	s->text = arena_dup(&m->arena, r->text);
	s->relay = arena_dup(&m->arena, r->relay);
	s->remote = r->remote;
	s->dsn_relayed = r->dsn_relayed;
	s->attempts++;
	s->fate = r->code / 100 == 2 ? FATE_DONE :
	    r->code / 100 == 5 ? FATE_REFUSED : FATE_LATER;
}

/* own_result - one that no agent gave, and so none has logged. Log tools look
 * for the names of the agents that do this elsewhere. */
static void
own_result(struct qmessage *m, uint32_t index, const struct msg_rcpt_result *r,
    const char *agent)
{
	struct delivery_times times = { wall(m->qmgr), m->envelope->arrival,
	    m->queued, 0, 0 };

	set_result(m, index, r);
	delivery_log_one(daemon_log(m->qmgr->daemon), queue_id_text(&m->id),
	    &m->envelope->rcpts.v[index], r, &times, agent);
}

/* all - the same result for every recipient of a delivery */
static void
all(struct delivery *d, unsigned code, struct slice enhanced, struct slice text,
    const char *agent)
{
	struct msg_rcpt_result r = { .code = code, .enhanced = enhanced,
	    .text = text };

	for (size_t i = 0; i < d->count; i++)
		own_result(d->message, d->index[i], &r, agent);
}

/* own_transport - error, retry and discard need no agent; the next hop is the
 * text, maybe with an enhanced code first */
static bool
own_transport(struct delivery *d)
{
	struct slice	name = slice_of(d->transport);
	struct slice	text = d->message->envelope->rcpts.v[d->index[0]].nexthop;
	bool		discard = slice_equal(name, S("discard"));
	bool		error = slice_equal(name, S("error"));
	struct slice	code = discard ? S("2.0.0") : error ? S("5.0.0") :
			    S("4.0.0");

	if (!discard && !error && !slice_equal(name, S("retry")))
		return false;
	if (text.len > 6 && text.data[1] == '.' && slice_find(text, ' ') < 12) {
		struct slice rest = text;

		code = slice_split(&rest, ' ');
		text = rest;
	}
	if (text.len == 0)
		text = discard ? S("discard") : S("mail transport unavailable");
	all(d, discard ? 250 : error ? 550 : 450, code, text,
	    discard ? "discard" : "error");
	return true;
}

/* is_deferred - one of defer_transports is not tried; its mail waits */
static bool
is_deferred(struct delivery *d)
{
	const struct qmgr_params *p = daemon_params(d->qmgr->daemon);

	for (size_t i = 0; i < p->defer_transports.count; i++)
		if (slice_equal(p->defer_transports.item[i],
		    slice_of(d->transport))) {
			all(d, 450, S("4.3.2"), S("deferred transport"),
			    "error");
			return true;
		}
	return false;
}

/* pack - the envelope with the recipients of this delivery only */
static int
pack(struct delivery *d, struct buf *out)
{
	struct msg_envelope	 e = *d->message->envelope;
	struct msg_rcpt		*v = NEW_ARRAY(struct msg_rcpt, d->count);
	struct msg_doubt	 doubts[QDOUBT_MAX];
	int			 r;

	e.doubts.n = qdoubt_of(d->qmgr, &e, doubts);
	e.doubts.v = doubts;
	for (size_t i = 0; i < d->count; i++)
		v[i] = d->message->envelope->rcpts.v[d->index[i]];
	e.rcpts.v = v;
	e.rcpts.n = d->count;
	r = ipc_pack(&msg_envelope_desc, &e, out);
	free(v);
	return r;
}

/* call - ask the agent */
static int
call(struct task *t, struct delivery *d, struct arena *a,
    struct msg_delivery_result **ret_result)
{
	struct qmessage		*m = d->message;
	struct msg_delivery_ask	 ask = { .content = m->content_fd,
				    .transport = slice_of(d->transport),
				    .queued = m->queued,
				    .again = qdoubt_again(d->qmgr,
				    m->envelope) };
	struct buf		 envelope = BUF_INIT;
	struct deadline		 limit;
	void			*reply;
	int			 r;

	ask.nexthop = m->envelope->rcpts.v[d->index[0]].nexthop;
	if ((r = pack(d, &envelope)) == 0) {
		ask.envelope = buf_slice(&envelope);
		deadline_begin(t, &limit, AGENT_LIMIT);
		r = edge_call(t, daemon_edge(d->qmgr->daemon, d->transport,
		    &ipc_table_delivery), &msg_delivery_ask_desc, &ask,
		    &msg_delivery_result_desc, a, &reply);
		r = deadline_end(t, &limit, r);
	}
	if (r == 0)
		*ret_result = reply;
	buf_free(&envelope);
	return r;
}

/* find - the recipient of that number, if it is one of this delivery */
static bool
find(const struct delivery *d, size_t place, uint32_t number,
    uint32_t *ret_index)
{
	const struct msg_rcpt *v = d->message->envelope->rcpts.v;

	/* agents answer in the order of the question */
	for (size_t i = 0; i < d->count; i++) {
		uint32_t index = d->index[(place + i) % d->count];

		if (v[index].number == number) {
			*ret_index = index;
			return true;
		}
	}
	return false;
}

/* take - what the agent said of each recipient; true if the site failed */
static bool
take(struct delivery *d, const struct msg_delivery_result *res)
{
	struct qmessage	*m = d->message;
	bool		 failed = false;

	for (size_t i = 0; i < res->rcpts.n; i++) {
		const struct msg_rcpt_result *r = &res->rcpts.v[i];
		uint32_t index;

		if (!find(d, i, r->number, &index) ||
		    m->rcpts[index].fate != FATE_TODO)
			continue;
		set_result(m, index, r);
		failed |= r->site_failure;
	}
	return failed;
}

/* unanswered - recipients the agent said nothing of: try again */
static void
unanswered(struct delivery *d, int error)
{
	struct msg_rcpt_result	r = { .code = 451, .enhanced = S("4.3.0"),
				    .text = S("delivery agent failed") };
	bool			said = false;

	for (size_t i = 0; i < d->count; i++) {
		if (d->message->rcpts[d->index[i]].fate != FATE_TODO)
			continue;
		own_result(d->message, d->index[i], &r, "error");
		if (!said)
			log_event(daemon_log(d->qmgr->daemon), EV_QMGR_AGENT,
			    KV_STR("queue_id", queue_id_text(&d->message->id)),
			    KV_TEXT("transport", d->transport),
			    KV_ERR("why", error < 0 ? error : -EPROTO));
		said = true;
	}
}

/* reason - a text of the first recipient that was deferred */
static struct slice
reason(const struct delivery *d)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->message->rcpts[d->index[i]].fate == FATE_LATER)
			return d->message->rcpts[d->index[i]].text;
	return SLICE_EMPTY;
}

static int
delivery_task(struct task *t, void *arg)
{
	struct delivery			*d = arg;
	struct qmgr			*q = d->qmgr;
	struct qmessage			*m = d->message;
	struct msg_delivery_result	*res = NULL;
	struct arena			 a = ARENA_INIT;
	enum sched_outcome		 outcome = SCHED_SITE_OK;
	int				 r = 0;

	if (!is_deferred(d) && !own_transport(d)) {
		if ((r = qmessage_open(t, m)) < 0 && r != -ECANCELED)
			log_event(daemon_log(q->daemon), EV_QMGR_READ,
			    KV_STR("queue_id", queue_id_text(&m->id)),
			    KV_ERR("why", r));
		if (r == 0 && (r = call(t, d, &a, &res)) == 0 && take(d, res))
			outcome = SCHED_SITE_FAILED;
		if (r < 0)
			outcome = SCHED_SITE_UNKNOWN;
	}
	if (r != -ECANCELED) {
		unanswered(d, r);
		sched_done(q->sched, &d->sched, outcome, reason(d), clock_us(q));
		if (sched_message_waiting(m->sched) == 0 &&
		    sched_message_busy(m->sched) == 0)
			qmessage_settle(m);
		signal_set(&q->schedule);
	}
	arena_free(&a);
	free(d->index);
	free(d->transport);
	free(d->site);
	free(d);
	return r == -ECANCELED ? r : 0;
}

/* start - a task for a delivery */
static void
start(struct qmgr *q, struct task_group *g, const struct sched_next *n)
{
	struct delivery *d = NEW(struct delivery);

	d->qmgr = q;
	d->message = sched_message_owner(n->message);
	d->sched = n->delivery;
	d->count = n->rcpt_count;
	d->index = NEW_ARRAY(uint32_t, n->rcpt_count);
	memcpy(d->index, n->rcpts, n->rcpt_count * sizeof(d->index[0]));
	d->transport = slice_dup(n->transport);
	d->site = slice_dup(n->site);
	task_group_start(g, delivery_task, d);
}

/* defer - the site is dead: these recipients are not tried now */
static void
defer(const struct sched_next *n)
{
	struct qmessage		*m = sched_message_owner(n->message);
	struct msg_rcpt_result	 r = { .code = 450, .enhanced = S("4.4.1") };
	struct buf		 text = BUF_INIT;

	if (m == NULL)
		return;
	buf_addf(&text, "delivery temporarily suspended: %.*s",
	    SLICE_ARG(n->reason));
	r.text = slice_sub(buf_slice(&text), 0, 1000);
	for (size_t i = 0; i < n->rcpt_count; i++)
		own_result(m, n->rcpts[i], &r, "error");
	buf_free(&text);
	if (sched_message_waiting(m->sched) == 0 &&
	    sched_message_busy(m->sched) == 0)
		qmessage_settle(m);
}

/* wait_until - for a change, or until the time has come */
static int
wait_until(struct task *t, struct qmgr *q, int64_t wake)
{
	struct deadline	d;
	int64_t		ms = (wake - clock_us(q)) / 1000 + 1;
	int		r;

	deadline_begin(t, &d, wake == 0 ? DEADLINE_NONE : ms > 0 ? ms : 0);
	r = signal_wait(t, &q->schedule);
	r = deadline_end(t, &d, r);
	return r == -ETIMEDOUT ? 0 : r;
}

/* schedule_task - do what the scheduler says */
int
schedule_task(struct task *t, void *arg)
{
	struct qmgr		*q = arg;
	struct task_group	 g;
	struct sched_next	 n;
	int			 r = 0, end;

	task_group_begin(t, &g);
	while (r == 0) {
		sched_next(q->sched, clock_us(q), &n);
		if (n.kind == SCHED_DELIVER)
			start(q, &g, &n);
		else if (n.kind == SCHED_DEFER)
			defer(&n);
		else
			r = wait_until(t, q, n.kind == SCHED_WAIT ? n.wake : 0);
	}
	task_group_cancel(&g);
	end = task_group_end(t, &g);
	return r < 0 ? r : end;
}
