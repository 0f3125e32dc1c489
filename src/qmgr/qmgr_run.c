/* SPDX-License-Identifier: ISC */
/* The queue manager's life, from the first look at the queue to the last
 * commit. */
#include "qmgr/qmgr.h"

#include <stdlib.h>

/* qmgr_init - nothing is known of the queue yet */
void
qmgr_init(struct qmgr *q, struct daemon *d)
{
	q->daemon = d;
	list_init(&q->finishing);
	list_init(&q->committed_waiters);
	list_init(&q->loads);
	doubts_init(&q->doubts);
	daemon_set_data(d, q);
	daemon_on_peer_gone(d, peer_gone);
	daemon_on_mishap(d, qdoubt_mishap);
}

/* free_values - and the table */
static void
free_values(struct hash *h)
{
	struct hash_iter	it = { 0 };
	struct slice		k;
	void			*v;

	while (hash_next(h, &it, &k, &v))
		free(v);
	hash_free(h);
}

/* qmgr_done - release all of it */
void
qmgr_done(struct qmgr *q)
{
	struct hash_iter	it = { 0 };
	struct slice		k;
	void			*v;

	while (hash_next(&q->messages, &it, &k, &v))
		qmessage_free(v);
	hash_free(&q->messages);
	free_values(&q->unlinks);
	free_values(&q->changes);
	hash_free(&q->flights);
	owners_free(q);
	recent_free(q);
	doubts_free(&q->doubts);
	sched_free(&q->sched);
	slot_pool_free(q->pool);
	qstate_close(&q->state);
	qstate_batch_free(&q->batch);
}

/* qmgr_run - open the state, look at the queue, then serve */
int
qmgr_run(struct task *t, struct daemon *d)
{
	struct qmgr		*q = daemon_data(d);
	struct task_group	 g;
	struct deadline		 last;
	int			 r, end;

	q->batch = qstate_batch_new();
	qmgr_load_params(q);
	if ((r = recover(t, q)) < 0)
		return r;
	task_group_begin(t, &g);
	task_group_start(&g, commit_task, q);
	task_group_start(&g, due_task, q);
	task_group_start(&g, qdoubt_task, q);
	task_group_start(&g, schedule_task, q);
	r = task_group_end(t, &g);
	/* the last results must not be lost: they would be tried again */
	shield_begin(t, &last, 3000);
	if (qstate_batch_count(q->batch) > 0)
		ignore(qstate_commit(q->state, q->batch));
	end = shield_end(t, &last, 0);
	return r < 0 ? r : end;
}

/* qmgr_edge - cleanups, and the administrator's tools */
int
qmgr_edge(struct task *t, struct daemon *d, int *fd_take,
    const struct daemon_caller *who)
{
	if (slice_equal(who->daemon, S("cleanup")))
		return cleanup_serve(t, daemon_data(d), fd_take, who);
	return admin_serve(t, daemon_data(d), fd_take, who);
}
