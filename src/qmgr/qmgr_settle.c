/* SPDX-License-Identifier: ISC */
/*
 * An attempt is over: every recipient was delivered, refused, or is to be
 * tried later. Reports go out first; then the message is finished, or parked
 * with a record that says when it is due. Copies that were refused and whose
 * sender must not be told are held: they stay with the message while others
 * of it are tried, and once nobody else is left the whole of it is on hold.
 */
#include "libtask/loop.h"
#include "qmgr/qmgr.h"
#include "qmgr/qmgr_events.h"
#include "qmgr/sched_retry.h"

static void
change(struct qmessage *m, enum fate from, enum fate to)
{
	for (size_t i = 0; i < m->envelope->rcpts.n; i++)
		if (m->rcpts[i].fate == from)
			m->rcpts[i].fate = to;
}

/* qmessage_park - keep it on disk for later; memory is given back when that
 * is so */
void
qmessage_park(struct qmessage *m, uint8_t queue, int64_t next)
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

/* soon - the time of another try, whatever the age of the message */
static int64_t
soon(const struct qmessage *m)
{
	struct sched_params sp;

	qmgr_sched_params(m->qmgr, &sp);
	return loop_wall(daemon_loop(m->qmgr->daemon)) +
	    sp.minimal_backoff_time;
}

/* notify - tell the postmaster, once a message, of copies on hold */
static int
notify(struct task *t, struct qmessage *m)
{
	int r;

	if ((m->flags & QSTATE_NOTICED) != 0 ||
	    qmessage_count(m, FATE_HELD) == 0)
		return 0;
	if ((r = report(t, m, REPORT_HELD, FATE_HELD, 0)) == 0)
		m->flags |= QSTATE_NOTICED;
	return r;
}

/* refused - tell the sender, or hold what must not be answered */
static int
refused(struct task *t, struct qmessage *m)
{
	int r;

	if (qmessage_count(m, FATE_REFUSED) == 0)
		return 0;
	if ((r = may_report(t, m)) < 0)
		return r;
	if (r == 0) {
		log_event(daemon_log(m->qmgr->daemon), EV_QMGR_HELD,
		    KV_STR("queue_id", queue_id_text(&m->id)), KV_TEXT("why",
		    "refused, and its sender is not verified: a report could "
		    "go to an innocent"));
		change(m, FATE_REFUSED, FATE_HELD);
		return 0;
	}
	r = report(t, m, REPORT_FAILURE, FATE_REFUSED, 0);
	if (r == -ECANCELED)
		return r;
	change(m, FATE_REFUSED, r == 0 ? FATE_TOLD : FATE_LATER);
	return 0;
}

/* rest - what waits is tried again; then what is held is on hold */
static int
rest(struct task *t, struct qmessage *m, struct sched_retry *retry)
{
	int noticed = notify(t, m), r;

	if (noticed == -ECANCELED)
		return noticed;
	if (qmessage_count(m, FATE_LATER) == 0 && noticed == 0) {
		if (qmessage_count(m, FATE_HELD) > 0)
			qmessage_park(m, QSTATE_HOLD, 0);
		else
			commit_finish(m);
		return 0;
	}
	if (retry->next == 0)
		retry->next = soon(m);	/* a report could not be made */
	if (retry->warn && qmessage_count(m, FATE_LATER) > 0) {
		/* an innocent is not to hear of delays either */
		r = may_report(t, m);
		if (r > 0)
			r = report(t, m, REPORT_DELAY, FATE_LATER, expiry(m));
		if (r == -ECANCELED)
			return r;
		m->flags |= r == 0 ? QSTATE_WARNED : 0;
	}
	m->attempts++;
	qmessage_park(m, QSTATE_DEFERRED, retry->next);
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
			qmessage_park(m, QSTATE_HOLD, 0);
		else
			commit_finish(m);
		return 0;
	}
	if (qmessage_count(m, FATE_LATER) > 0) {
		retry = decide(m);
		if (retry.expired)
			expire(m);
	}
	if ((r = refused(t, m)) < 0)
		return r;
	if ((r = report(t, m, REPORT_SUCCESS, FATE_DONE, 0)) == -ECANCELED)
		return r;
	return rest(t, m, &retry);
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
