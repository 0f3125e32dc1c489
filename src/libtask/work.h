/* SPDX-License-Identifier: ISC */
/*
 * work: what blocks (flushes, LMDB transactions, hashing, a map library's
 * query) runs on a thread of a small pool while the task sleeps. The function
 * gets no task and so cannot wait on the loop. It always runs to its end, even
 * when the task is cancelled meanwhile, so what was lent to it is let go of
 * when work_run returns. On a simulated loop it runs inline.
 */
#ifndef LIBTASK_WORK_H
#define LIBTASK_WORK_H

#include "libtask/task.h"

typedef int	work_fn(void *arg);

/* run fn(arg) on a worker; returns what it returns */
MUST_USE int	work_run(struct task *t, work_fn *fn, void *arg);

/* at most `limit` of these run or wait for a thread at once */
struct work_lane {
	unsigned	limit;		/* 0: as many as there are threads */
	unsigned	running;
	struct list	queue;
};
void	work_lane_init(struct work_lane *lane, unsigned limit);
MUST_USE int	work_run_in(struct task *t, struct work_lane *lane, work_fn *fn,
		    void *arg);

/* start all threads now: after the sandbox is up none can be made */
void	work_start_threads(struct loop *l);

#endif
