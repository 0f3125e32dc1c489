/* SPDX-License-Identifier: ISC */
/*
 * An attempt is over: every recipient was delivered, refused, or is to be
 * tried later. Reports go out first; then the message is finished, or parked
 * with a record that says when it is due.
 */
#include "libtask/loop.h"
#include "qmgr/qmgr.h"
#include "qmgr/qmgr_events.h"
#include "qmgr/sched_retry.h"

#include <stdlib.h>
#include <string.h>

#include "libutil/alloc.h"

enum { REPORT_FAILURE = 1, REPORT_DELAY = 2, REPORT_SUCCESS = 3 };
enum { NOTIFY_NEVER = 1, NOTIFY_SUCCESS = 2, NOTIFY_FAILURE = 4,
    NOTIFY_DELAY = 8 };
#define BOUNCE_LIMIT	60000	/* ms */

/* wants - does the sender want this kind of report for the recipient?
 * (RFC 3461 4.1) */
static bool
wants(const struct msg_rcpt *r, unsigned kind)
{
	if ((r->notify & NOTIFY_NEVER) != 0)
		return false;
	if (kind == REPORT_SUCCESS)
		return (r->notify & NOTIFY_SUCCESS) != 0;
	if (kind == REPORT_DELAY)
		return r->notify == 0 || (r->notify & NOTIFY_DELAY) != 0;
	return r->notify == 0 || (r->notify & NOTIFY_FAILURE) != 0;
}

/* may_report - may the sender be written to, or could it be an innocent? */
static bool
may_report(const struct qmessage *m)
{
	const struct msg_envelope *e = m->envelope;

	/* verified, logged in, or from this host */
	if (e->sender_authenticated == 1 || e->login.len > 0 ||
	    e->client_address.len == 0)
		return true;
	if (e->sender_authenticated == 2)
		return false;
	/* A relayed message: its client was allowed to relay. Mail from
	 * strangers for our own mailboxes is not answered by reports. */
	for (size_t i = 0; i < e->rcpts.n; i++)
		if (slice_equal(e->rcpts.v[i].transport, S("store")))
			return false;
	return true;
}

struct report {
	struct msg_rcpt		*rcpts;
	struct msg_rcpt_result	*results;
	size_t			 n;
};

static void
add(struct report *rep, const struct qmessage *m, size_t i)
{
	const struct rcpt_state *s = &m->rcpts[i];

	rep->rcpts[rep->n] = m->envelope->rcpts.v[i];
	rep->results[rep->n++] = (struct msg_rcpt_result){
	    .number = m->envelope->rcpts.v[i].number, .code = s->code,
	    .enhanced = s->enhanced, .text = s->text, .relay = s->relay,
	    .remote = s->remote };
}

/* report - have a report made for recipients of that fate */
static int
report(struct task *t, struct qmessage *m, unsigned kind, enum fate fate,
    int64_t expires)
{
	size_t			 n = m->envelope->rcpts.n;
	struct report		 rep = { NEW_ARRAY(struct msg_rcpt, n),
				     NEW_ARRAY(struct msg_rcpt_result, n), 0 };
	struct msg_envelope	 e = *m->envelope;
	struct msg_bounce_ask	 ask = { .kind = kind, .expires = expires };
	struct msg_bounce_result *res;
	struct buf		 packed = BUF_INIT;
	struct arena		 a = ARENA_INIT;
	struct deadline		 d;
	void			*reply;
	int			 r = 0;

	for (size_t i = 0; i < n; i++)
		if (m->rcpts[i].fate == fate &&
		    wants(&m->envelope->rcpts.v[i], kind) &&
		    (kind != REPORT_SUCCESS || !m->rcpts[i].dsn_relayed))
			add(&rep, m, i);
	if (rep.n == 0 || e.sender.len == 0)
		goto out;	/* nobody to tell (RFC 5321 4.5.5) */
	e.rcpts.v = rep.rcpts;
	e.rcpts.n = rep.n;
	ask.results.v = rep.results;
	ask.results.n = rep.n;
	if ((r = qmessage_open(t, m)) < 0 ||
	    (r = ipc_pack(&msg_envelope_desc, &e, &packed)) < 0)
		goto out;
	ask.envelope = buf_slice(&packed);
	ask.content = m->content_fd;
	deadline_begin(t, &d, BOUNCE_LIMIT);
	r = edge_call(t, daemon_edge(m->qmgr->daemon, "bounce",
	    &ipc_table_bounce), &msg_bounce_ask_desc, &ask,
	    &msg_bounce_result_desc, &a, &reply);
	r = deadline_end(t, &d, r);
	if (r == 0) {
		res = reply;
		r = res->ok ? 0 : -EAGAIN;
	}
	if (r < 0 && r != -ECANCELED)
		log_event(daemon_log(m->qmgr->daemon), EV_QMGR_BOUNCE_FAILED,
		    KV_STR("queue_id", queue_id_text(&m->id)),
		    KV_ERR("why", r));
out:
	buf_free(&packed);
	arena_free(&a);
	free(rep.rcpts);
	free(rep.results);
	return r;
}

static void
change(struct qmessage *m, enum fate from, enum fate to)
{
	for (size_t i = 0; i < m->envelope->rcpts.n; i++)
		if (m->rcpts[i].fate == from)
			m->rcpts[i].fate = to;
}

/* park - keep it on disk for later; memory is given back when that is so */
static void
park(struct qmessage *m, uint8_t queue, int64_t next)
{
	qmessage_record(m, queue, next);
	m->wanted = queue;
	list_add_tail(&m->qmgr->finishing, &m->finishing);
	commit_soon(m->qmgr);
}

/* expire - what could not be delivered in time counts as refused */
static void
expire(struct qmessage *m)
{
	log_event(daemon_log(m->qmgr->daemon), EV_QMGR_EXPIRED,
	    KV_STR("queue_id", queue_id_text(&m->id)),
	    KV_STR("from", m->envelope->sender));
	change(m, FATE_LATER, FATE_REFUSED);
}

/* expiry - the end of its life */
static int64_t
expiry(const struct qmessage *m)
{
	struct sched_params sp;

	qmgr_sched_params(m->qmgr, &sp);
	return sched_retry_expiry(&sp, m->envelope->arrival,
	    m->envelope->sender.len == 0);
}

static struct sched_retry
decide(struct qmessage *m)
{
	struct sched_params	  sp;
	struct sched_retry_in	  in = {
		.arrival = m->envelope->arrival,
		.now = loop_wall(daemon_loop(m->qmgr->daemon)),
		.is_report = m->envelope->sender.len == 0,
		.warned = (m->flags & QSTATE_WARNED) != 0,
		.expire = (m->flags & QSTATE_EXPIRE) != 0,
	};

	qmgr_sched_params(m->qmgr, &sp);
	loop_random(daemon_loop(m->qmgr->daemon), &in.random,
	    sizeof(in.random));
	return sched_retry_decide(&sp, &in);
}

/* refused - tell the sender, or hold what must not be answered */
static int
refused(struct task *t, struct qmessage *m)
{
	int r;

	if (qmessage_count(m, FATE_REFUSED) == 0)
		return 0;
	if (m->envelope->sender.len > 0 && !may_report(m)) {
		log_event(daemon_log(m->qmgr->daemon), EV_QMGR_HELD,
		    KV_STR("queue_id", queue_id_text(&m->id)), KV_TEXT("why",
		    "refused, and its sender is not verified: a report could "
		    "go to an innocent"));
		change(m, FATE_REFUSED, FATE_LATER);
		park(m, QSTATE_HOLD, 0);
		return 1;
	}
	r = report(t, m, REPORT_FAILURE, FATE_REFUSED, 0);
	if (r == -ECANCELED)
		return r;
	change(m, FATE_REFUSED, r == 0 ? FATE_TOLD : FATE_LATER);
	return 0;
}

/* settle - everything that follows an attempt */
static int
settle(struct task *t, struct qmessage *m)
{
	struct sched_retry	retry = { 0 };
	int			r;

	if (m->cancelled) {
		if (m->wanted == QSTATE_HOLD)
			park(m, QSTATE_HOLD, 0);
		else
			commit_finish(m);
		return 0;
	}
	if (qmessage_count(m, FATE_LATER) > 0) {
		retry = decide(m);
		if (retry.expired)
			expire(m);
	}
	if ((r = refused(t, m)) != 0)
		return r < 0 ? r : 0;
	if ((r = report(t, m, REPORT_SUCCESS, FATE_DONE, 0)) == -ECANCELED)
		return r;
	if (qmessage_count(m, FATE_LATER) == 0) {
		commit_finish(m);
		return 0;
	}
	if (retry.warn) {
		r = report(t, m, REPORT_DELAY, FATE_LATER, expiry(m));
		if (r == -ECANCELED)
			return r;
		m->flags |= r == 0 ? QSTATE_WARNED : 0;
	}
	m->attempts++;
	park(m, QSTATE_DEFERRED, retry.next);
	return 0;
}

static int
settle_task(struct task *t, void *arg)
{
	struct qmessage *m = arg;
	int		 r = settle(t, m);

	m->settling = false;
	return r == -ECANCELED ? r : 0;
}

/* qmessage_settle - nothing of it is waiting or under way */
void
qmessage_settle(struct qmessage *m)
{
	if (m->waiter != NULL) {
		signal_set(m->waiter);	/* the offer decides */
		return;
	}
	if (m->settling || !list_is_empty(&m->finishing))
		return;
	if (m->offered && !m->committed) {
		/* its commit is on its way, and goes on from here; unless it
		 * will never come */
		if (m->cancelled)
			qmessage_free(m);
		return;
	}
	m->settling = true;
	task_group_start(daemon_group(m->qmgr->daemon), settle_task, m);
}
