/* SPDX-License-Identifier: ISC */
/*
 * One task commits what others put into the batch. While a commit is being
 * flushed the next batch fills, so under load one flush carries many changes.
 * A commit that fails is tried again until it succeeds: a finished message
 * whose record is not durable would be delivered again after a crash.
 */
#include <stdlib.h>

#include "libtask/work.h"
#include "libutil/alloc.h"
#include "qmgr/qmgr.h"
#include "qmgr/qmgr_events.h"

#define RETRY_PAUSE	1000	/* ms */
#define BATCH_PAUSE	10	/* ms that changes wait for others */

struct commit_job {
	struct qstate			*state;
	const struct qstate_batch	*batch;
};

struct waiter {
	struct list	 link;
	struct task	*task;
	uint64_t	 batch;
};

static int
commit_work(void *arg)
{
	struct commit_job *j = arg;

	return qstate_commit(j->state, j->batch);
}

/* commit_soon - there is something in the batch */
void
commit_soon(struct qmgr *q)
{
	signal_set(&q->commit);
}

/* commit_finish - it is forgotten when its end is durable */
void
commit_finish(struct qmessage *m)
{
	struct qmgr *q = m->qmgr;

	if (m->committed) {
		qstate_batch_finish(q->batch, &m->id, m->place, m->generation);
		/* clients of other daemons ask for another id */
		if (m->envelope->client_address.len == 0)
			recent_add(q, &m->id);
	}
	list_add_tail(&q->finishing, &m->finishing);
	m->wanted = 0;
	commit_soon(q);
}

/* free_slot - its message is finished, durably */
static void
free_slot(struct qmessage *m)
{
	struct qmgr *q = m->qmgr;

	if (m->place.kind == QUEUE_PLACE_LARGE)
		large_finished(q, queue_id_text(&m->id));
	else if (slot_pool_release(q->pool, m->place.slot) < 0)
		log_event(daemon_log(q->daemon), EV_QMGR_LIE,
		    KV_UINT("number", m->place.slot.number));
}

/* over - what the commit that was flushed means for a message */
static void
over(struct qmessage *m)
{
	struct qmgr *q = m->qmgr;

	if (m->wanted == 0) {
		if (m->committed)
			free_slot(m);
		log_event(daemon_log(q->daemon), EV_QMGR_REMOVED,
		    KV_STR("queue_id", queue_id_text(&m->id)));
	} else	/* only now does the state say when it is due */
		signal_set(&q->due);
	qmessage_free(m);
	due_room(q);
}

static void
wake_waiters(struct qmgr *q)
{
	LIST_EACH_SAFE(&q->committed_waiters, link) {
		struct waiter *w = CONTAINER_OF(link, struct waiter, link);

		if (w->batch <= q->batches_done) {
			list_remove(link);
			task_wake(w->task);
		}
	}
}

/* commit_wait - until what is in the batch now is durable */
int
commit_wait(struct task *t, struct qmgr *q)
{
	struct waiter	w = { .task = t, .batch = q->batches_begun + 1 };
	int		r = 0;

	list_init(&w.link);
	list_add_tail(&q->committed_waiters, &w.link);
	commit_soon(q);
	while (r == 0 && q->batches_done < w.batch)
		r = task_suspend(t);
	list_remove(&w.link);
	return r;
}

/* commit_one - write a batch, however often it takes */
static int
commit_one(struct task *t, struct qmgr *q, struct qstate_batch *batch)
{
	struct commit_job	j = { q->state, batch };
	int			r;

	if (qstate_batch_count(batch) == 0)
		return 0;
	while ((r = work_run(t, commit_work, &j)) < 0 && r != -ECANCELED) {
		log_event(daemon_log(q->daemon), EV_QMGR_STATE,
		    KV_ERR("why", r));
		if ((r = task_sleep(t, RETRY_PAUSE)) < 0)
			break;
	}
	return r;
}

static void
move_all(struct list *from, struct list *to)
{
	struct list *link;

	while ((link = list_take_head(from)) != NULL)
		list_add_tail(to, link);
}

/* commit_task - commit batch after batch */
int
commit_task(struct task *t, void *arg)
{
	struct qmgr		*q = arg;
	struct qstate_batch	*spare = qstate_batch_new(), *batch;
	struct list		 finishing, *link;
	int			 r = 0;

	list_init(&finishing);
	while (r == 0 && (r = signal_wait(t, &q->commit)) == 0) {
		if (list_is_empty(&q->committed_waiters) &&
		    (r = task_sleep(t, BATCH_PAUSE)) < 0)
			break;
		batch = q->batch;
		q->batch = spare;
		spare = batch;
		q->batches_begun++;
		move_all(&q->finishing, &finishing);
		r = commit_one(t, q, batch);
		if (r < 0) {
			/* put it back: the last commit of all is for it */
			spare = q->batch;
			q->batch = batch;
			break;
		}
		qstate_batch_reset(batch);
		while ((link = list_take_head(&finishing)) != NULL)
			over(CONTAINER_OF(link, struct qmessage, finishing));
		q->batches_done++;
		changes_done(q);
		wake_waiters(q);
	}
	move_all(&finishing, &q->finishing);
	qstate_batch_free(&spare);
	return r;
}
