/* SPDX-License-Identifier: ISC */
/* What task.c, loop.c, io.c, work.c and sim.c of libtask share; nobody else. */
#ifndef LIBTASK_LOOP_PRIVATE_H
#define LIBTASK_LOOP_PRIVATE_H

#include "libtask/loop.h"
#include "libutil/list.h"

struct io;
struct epoll_event;
struct stack;
struct work_pool;

struct task {
	struct list		 run;		/* in the loop's run queue */
	struct list		 member;	/* in its group */
	struct list		 waiting;	/* in the loop's list of waiters */
	struct loop		*loop;
	struct task_group	*group;		/* NULL for the main task */
	struct deadline		*brackets;	/* innermost first */
	struct stack		*stack;
	void			*context;
	void			*fake_stack;	/* the address sanitizer's */
	task_fn			*fn;
	void			*arg;
	int64_t			 since;		/* waits since; loop ms */
	int			 result;
	bool			 cancelled;
	bool			 runnable;
	bool			 deaf;
	bool			 trimmed;
	bool			 done;
};

struct loop {
	struct list		 runnable;
	struct list		 waiting;	/* longest first, untrimmed */
	struct list		 hooks;
	struct list		 free_stacks;
	struct list		 sim_listeners;
	struct deadline		**timer;	/* heap from index 1 */
	struct epoll_event	*events;
	char			*scratch;	/* see loop_scratch */
	char			*room;		/* see loop_take_room */
	struct work_pool	*pool;
	struct task		*main;
	struct task		*running;	/* NULL: the loop itself */
	const void		*main_stack;	/* for the address sanitizer */
	size_t			 main_stack_size;
	void			*context;	/* where the loop itself stopped */
	size_t			 timer_count;
	size_t			 timer_cap;
	size_t			 stack_size;
	size_t			 free_stack_count;
	size_t			 task_count;
	int64_t			 now;
	int64_t			 wall_offset;	/* simulated: us at now = 0 */
	int64_t			 trim_at;
	uint64_t		 rng[2];
	uint64_t		 suspensions;
	uint64_t		 cancel_at;
	unsigned		 workers;
	int			 epoll_fd;
	bool			 simulated;
	bool			 short_io;
	bool			 cancel_asked;
};

/* task.c */
void	task_run(struct task *t);
void	task_stacks_free(struct loop *l);
struct task	*task_new(struct loop *l, struct task_group *g, task_fn *fn,
		    void *arg);
void	task_trim(struct task *t);
/* wake for a cancellation or a deadline, unless it is deaf to it */
void	task_poke(struct task *t);
void	task_cancel(struct task *t);

/* loop.c */
void	timer_add(struct loop *l, struct deadline *d);
void	timer_remove(struct loop *l, struct deadline *d);
uint64_t	loop_random_u64(struct loop *l);
/* room for one read, whoever's: good until the next call that may suspend */
#define LOOP_SCRATCH	((size_t)65536)
char	*loop_scratch(struct loop *l);
/* room that is wanted for one burst of input; what is given back may have
 * grown, or be NULL */
#define LOOP_ROOM	((size_t)16384)
char	*loop_take_room(struct loop *l);
void	loop_put_room(struct loop *l, char *room_take, size_t size);
int	loop_io_register(struct loop *l, struct io *io,
		    bool write);

/* io.c */
void	io_event(struct io *io, uint32_t events);

/* work.c */
void	work_collect(struct work_pool *p);
void	work_pool_free(struct work_pool *p);

#endif
