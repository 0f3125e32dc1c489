/* SPDX-License-Identifier: ISC */
/* cleanup: takes content and puts messages into the queue. See
 * barid-cleanup(8). */
#include "cleanup/cleanup.h"
#include "cleanup/cleanup_events.h"
#include "libtask/work.h"
#include "libutil/alloc.h"

#define TELL_PAUSE	2	/* ms */
#define JOIN_PAUSE	100	/* ms before a try to reach the next qmgr */

static int
prepare(struct daemon *d, struct diag *diag)
{
	struct cleanup *c = NEW(struct cleanup);

	(void)diag;
	c->daemon = d;
	daemon_set_data(d, c);
	doubts_init(&c->doubts);
	list_init(&c->landed);
	slots_init(c);
	return 0;
}

static int
sweep_work(void *arg)
{
	return large_sweep(QUEUE_HERE, arg);
}

/* tell_task - let qmgr hear of commits, of several at a time under load */
static int
tell_task(struct task *t, void *arg)
{
	struct cleanup	*c = arg;
	int		 r;

	while ((r = signal_wait(t, &c->told)) == 0 &&
	    (r = task_sleep(t, TELL_PAUSE)) == 0)
		edge_flush(c->qmgr);
	return r;
}

/* join_task - when qmgr has ended: the next one waits to hear which slots we
 * hold, and takes them for free if it does not */
static int
join_task(struct task *t, void *arg)
{
	struct cleanup	*c = arg;
	int		 r;

	while ((r = signal_wait(t, &c->left)) == 0) {
		c->doubts_of = 0;
		do {
			if ((r = task_sleep(t, JOIN_PAUSE)) == 0)
				r = edge_ensure(t, c->qmgr);
		} while (r < 0 && r != -ECANCELED);
	}
	return r;
}

/* run - remove what a dead cleanup, or the machine, left half received */
static int
run(struct task *t, struct daemon *d)
{
	size_t	removed = 0;
	int	r;

	task_group_start(daemon_group(d), tell_task, daemon_data(d));
	task_group_start(daemon_group(d), join_task, daemon_data(d));
	if ((r = work_run(t, sweep_work, &removed)) == -ECANCELED)
		return r;
	if (r < 0)
		log_event(daemon_log(d), EV_CLEANUP_SWEEP, KV_ERR("why", r));
	else if (removed > 0)
		log_event(daemon_log(d), EV_CLEANUP_SWEPT,
		    KV_UINT("count", removed));
	while (r != -ECANCELED)
		r = task_suspend(t);
	return r;
}

static const struct daemon_spec spec = {
	.name = "cleanup",
	.params = &cleanup_param_table,
	.params_size = sizeof(struct cleanup_params),
	.workers = 4,		/* flushes at a time: the disk merges them */
	.prepare = prepare,
	.run = run,
	.edge = cleanup_edge,
	.reload = daemon_reload_params,
};

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &spec);
}
