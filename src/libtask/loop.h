/* SPDX-License-Identifier: ISC */
/*
 * loop: what tasks run on: readiness (epoll), timers, the worker pool. The
 * simulated loop has virtual time that jumps to the next timer when nothing
 * can run, a seeded order of what is ready, seeded faults, and runs work
 * items inline; sockets in it are pairs inside the process.
 */
#ifndef LIBTASK_LOOP_H
#define LIBTASK_LOOP_H

#include "libtask/task.h"

struct loop_options {
	uint64_t	sim_seed;	/* 0: the real loop */
	bool		sim_short_io;	/* reads and writes are cut at random */
	unsigned	workers;	/* threads at most; default 4 */
	size_t		stack_size;	/* default 64 KiB, the guard not counted */
};

struct loop	*loop_new(const struct loop_options *o);
void	loop_free(struct loop *l);
/* run main and all that it starts; returns what it returns */
int	loop_run(struct loop *l, task_fn *fn, void *arg);

bool	loop_is_simulated(const struct loop *l);
int64_t	loop_now(const struct loop *l);
int64_t	loop_wall(const struct loop *l);
void	loop_random(struct loop *l, void *out, size_t len);
/* tasks that exist now, for leak checks */
size_t	loop_task_count(const struct loop *l);

/* cancel the main task (a signal told the process to stop) */
void	loop_cancel(struct loop *l);
/* simulated only: cancel the main task at the n-th suspension from now on;
 * 0: never. loop_suspensions counts them. */
void	loop_sim_cancel_at(struct loop *l, uint64_t n);
uint64_t	loop_suspensions(const struct loop *l);

/* called each time before the loop waits: to write out what was batched */
struct loop_hook {
	struct list	link;
	void		(*run)(struct loop_hook *h);
};
/* arm a hook for the coming wait; it is disarmed when it runs */
void	loop_hook_arm(struct loop *l, struct loop_hook *h);
void	loop_hook_init(struct loop_hook *h, void (*run)(struct loop_hook *));
void	loop_hook_disarm(struct loop_hook *h);

#endif
