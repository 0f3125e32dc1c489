/* SPDX-License-Identifier: ISC */
/* qmgr: the queue and its scheduler. See barid-qmgr(8). */
#include "qmgr/qmgr.h"

#include <fcntl.h>

#include "libutil/alloc.h"
#include "qmgr/qmgr_events.h"

static int
prepare(struct daemon *d, struct diag *diag)
{
	struct qmgr *q = NEW(struct qmgr);

	(void)diag;
	q->daemon = d;
	list_init(&q->finishing);
	list_init(&q->committed_waiters);
	daemon_set_data(d, q);
	doubts_init(&q->doubts);
	daemon_on_peer_gone(d, peer_gone);
	daemon_on_mishap(d, qdoubt_mishap);
	return 0;
}

/* run - open the state, look at the queue, then serve */
static int
run(struct task *t, struct daemon *d)
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

/* edge - cleanups, and the administrator's tools */
static int
edge(struct task *t, struct daemon *d, int *fd_take,
    const struct daemon_caller *who)
{
	if (slice_equal(who->daemon, S("cleanup")))
		return cleanup_serve(t, daemon_data(d), fd_take, who);
	return admin_serve(t, daemon_data(d), fd_take, who);
}

static int
reload(struct task *t, struct daemon *d)
{
	(void)t;
	qmgr_load_params(daemon_data(d));
	return 0;
}

static const struct daemon_spec spec = {
	.name = "qmgr",
	.params = &qmgr_param_table,
	.params_size = sizeof(struct qmgr_params),
	.workers = 3,
	.prepare = prepare,
	.run = run,
	.edge = edge,
	.reload = reload,
};

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &spec);
}
