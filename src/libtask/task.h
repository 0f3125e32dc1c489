/* SPDX-License-Identifier: ISC */
/*
 * task: straight-line code that waits. A process has one loop; on it run many
 * tasks, each with a small stack of its own. Only a function whose first
 * parameter is `struct task *t` can suspend, and between two such calls
 * nothing else runs.
 *
 * Results: every waiting call returns 0 or more, or a negative errno.
 * -ECANCELED means this task was cancelled, or a deadline around the call has
 * passed; every later waiting call in the same bracket says so again. Release
 * and return.
 *
 * A task lives in a group, and the group ends in the function that began it.
 * A loop is real or simulated (loop.h); the code on it cannot tell.
 */
#ifndef LIBTASK_TASK_H
#define LIBTASK_TASK_H

#include "libutil/list.h"
#include "libutil/size.h"

#include <stdbool.h>
#include <stdint.h>

struct task;
struct loop;

typedef int	task_fn(struct task *t, void *arg);

/* the loop a task runs on; lent */
struct loop	*task_loop(struct task *t);

/* --- groups */
struct task_group {
	struct loop	*loop;
	struct list	 members;
	struct task	*waiter;	/* in task_group_end */
	size_t		 count;
	int		 failure;	/* of the first that failed */
	bool		 cancelled;
};

/* an empty group; it must be ended in the same function */
void	task_group_begin(struct task *t, struct task_group *g);
/* start a member; it first runs when the caller next waits. When it returns
 * a negative errno all others are cancelled. arg is lent until it ends. */
void	task_group_start(struct task_group *g, task_fn *fn, void *arg);
/* cancel the members that run now, and those started later */
void	task_group_cancel(struct task_group *g);
/* wait for all; the first failure, or 0. If the caller is cancelled so are
 * the members, and the wait goes on until the last one is gone. */
MUST_USE int	task_group_end(struct task *t, struct task_group *g);
/* wait until at most n members are left (room for one more worker) */
MUST_USE int	task_group_wait(struct task *t, struct task_group *g, size_t n);

/* --- time */
#define DEADLINE_NONE	INT64_MAX

struct deadline {
	struct deadline	*outer;
	struct task	*task;
	int64_t		 at;		/* loop milliseconds */
	size_t		 heap;		/* place in the timer heap, or 0 */
	bool		 fired;
	bool		 shield;
};

/* calls until deadline_end return -ECANCELED once ms milliseconds have passed */
void	deadline_begin(struct task *t, struct deadline *d, int64_t ms);
/* move it, counted from now */
void	deadline_extend(struct task *t, struct deadline *d, int64_t ms);
/* close the bracket; -ECANCELED that this deadline caused becomes -ETIMEDOUT */
int	deadline_end(struct task *t, struct deadline *d, int r);

/* for cleanup that must talk: calls inside ignore cancellation and the
 * deadlines outside, but have this limit of their own */
void	shield_begin(struct task *t, struct deadline *d, int64_t ms);
int	shield_end(struct task *t, struct deadline *d, int r);

MUST_USE int	task_sleep(struct task *t, int64_t ms);
/* let the others run first; -ECANCELED if cancelled */
MUST_USE int	task_yield(struct task *t);
/* would the next waiting call return -ECANCELED? */
bool	task_is_cancelled(struct task *t);

/* monotonic milliseconds of the loop (virtual when simulated) */
int64_t	task_now(struct task *t);
/* microseconds since 1970 (virtual when simulated) */
int64_t	task_wall(struct task *t);
/* random bytes: of the kernel, or of the seed when simulated */
void	task_random(struct task *t, void *out, size_t len);

/* --- one task waits, others wake it */
struct signal {
	struct task	*waiter;
	bool		 set;
};
#define SIGNAL_INIT	{ NULL, false }

/* wait until it is set, and clear it; one waiter at a time */
MUST_USE int	signal_wait(struct task *t, struct signal *s);
void	signal_set(struct signal *s);

/* --- what libtask's own waits are made of */
/* suspend until task_wake; -ECANCELED when cancelled (the caller must then
 * withdraw from whatever would have woken it) */
MUST_USE int	task_suspend(struct task *t);
/* the same, deaf to cancellation: for what is sure to come */
void	task_suspend_deaf(struct task *t);
void	task_wake(struct task *t);

#endif
