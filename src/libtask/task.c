/* SPDX-License-Identifier: ISC */
/*
 * A task is a context on a mapped stack with a guard page below. Stacks are
 * kept for reuse. Switching always goes between the loop and one task, never
 * from task to task, so the loop's own context is one field.
 *
 * A waiting task leaves the waiting list when it is woken. One that has waited
 * for a second gives back the pages of its stack below the point where it
 * stopped (task_trim), so an idle session costs one page.
 */
#include "libtask/task.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libtask/context.h"
#include "libtask/loop_private.h"
#include "libutil/alloc.h"

#define STACKS_KEPT	64

struct stack {
	struct list	 link;
	char		*map;		/* the guard page first */
	size_t		 map_size;
	unsigned	 valgrind_id;
};

static size_t
page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* stack_get - a stack, kept or new */
static struct stack *
stack_get(struct loop *l)
{
	struct list	*kept = list_take_head(&l->free_stacks);
	struct stack	*s;

	if (kept != NULL) {
		l->free_stack_count--;
		return CONTAINER_OF(kept, struct stack, link);
	}
	s = NEW(struct stack);
	list_init(&s->link);
	s->map_size = l->stack_size + page_size();
	s->map = mmap(NULL, s->map_size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	if (s->map == MAP_FAILED)
		fatal("no memory for a task's stack: raise vm.max_map_count "
		    "or lower the number of clients");
	if (mprotect(s->map, page_size(), PROT_NONE) < 0)
		fatal("cannot protect the end of a task's stack");
	s->valgrind_id = CONTEXT_STACK_REGISTER(s->map + page_size(),
	    s->map + s->map_size);
	return s;
}

static void
stack_free(struct stack *s)
{
	CONTEXT_STACK_DEREGISTER(s->valgrind_id);
	CONTEXT_STACK_FORGET(s->map, s->map_size);
	(void)munmap(s->map, s->map_size);	/* it is ours and mapped */
	free(s);
}

static void
stack_put(struct loop *l, struct stack *s)
{
	if (l->free_stack_count >= STACKS_KEPT) {
		stack_free(s);
		return;
	}
	list_add_head(&l->free_stacks, &s->link);
	l->free_stack_count++;
}

/* task_stacks_free - release the kept stacks */
void
task_stacks_free(struct loop *l)
{
	struct list *link;

	while ((link = list_take_head(&l->free_stacks)) != NULL)
		stack_free(CONTAINER_OF(link, struct stack, link));
	l->free_stack_count = 0;
}

static char *
stack_low(const struct stack *s)
{
	return s->map + page_size();
}

static size_t
stack_bytes(const struct stack *s)
{
	return s->map_size - page_size();
}

/* entry - the bottom frame of every task */
static void
entry(struct context_transfer x)
{
	struct task	*t = x.data;
	void		*none = NULL;

	CONTEXT_SWITCH_FINISH(none, &t->loop->main_stack,
	    &t->loop->main_stack_size);
	t->loop->context = x.from;
	t->result = t->fn(t, t->arg);
	t->done = true;
	/* a NULL place to save to tells the sanitizer that this stack ends */
	CONTEXT_SWITCH_START(NULL, t->loop->main_stack,
	    t->loop->main_stack_size);
	(void)jump_fcontext(t->loop->context, NULL);
	abort();
}

/* task_new - a task that runs when the loop next turns */
struct task *
task_new(struct loop *l, struct task_group *g, task_fn *fn, void *arg)
{
	struct task *t = NEW(struct task);

	list_init(&t->run);
	list_init(&t->member);
	list_init(&t->waiting);
	t->loop = l;
	t->group = g;
	t->fn = fn;
	t->arg = arg;
	t->stack = stack_get(l);
	t->context = make_fcontext(t->stack->map + t->stack->map_size,
	    stack_bytes(t->stack), entry);
	l->task_count++;
	t->runnable = true;
	list_add_tail(&l->runnable, &t->run);
	return t;
}

/* finish - a task's function has returned */
static void
finish(struct task *t)
{
	struct task_group *g = t->group;

	stack_put(t->loop, t->stack);
	t->loop->task_count--;
	if (g == NULL)
		return;			/* the main task; loop_run frees it */
	list_remove(&t->member);
	g->count--;
	if (t->result < 0 && g->failure == 0) {
		g->failure = t->result;
		task_group_cancel(g);
	}
	if (g->waiter != NULL)
		task_wake(g->waiter);
	free(t);
}

/* task_run - let a task go on until it waits or ends */
void
task_run(struct task *t)
{
	struct context_transfer	 x;
	void			*fake = NULL;

	t->runnable = false;
	t->trimmed = false;
	t->loop->running = t;
	CONTEXT_SWITCH_START(&fake, stack_low(t->stack), stack_bytes(t->stack));
	x = jump_fcontext(t->context, t);
	CONTEXT_SWITCH_FINISH(fake, NULL, NULL);
	t->loop->running = NULL;
	t->context = x.from;
	if (t->done)
		finish(t);
}

/* switch_out - go back to the loop until somebody wakes the task */
static void
switch_out(struct task *t)
{
	struct loop		*l = t->loop;
	struct context_transfer	 x;

	l->suspensions++;
	if (l->cancel_at != 0 && l->suspensions == l->cancel_at)
		task_cancel(l->main);
	t->since = l->now;
	list_add_tail(&l->waiting, &t->waiting);
	CONTEXT_SWITCH_START(&t->fake_stack, l->main_stack, l->main_stack_size);
	x = jump_fcontext(l->context, NULL);
	CONTEXT_SWITCH_FINISH(t->fake_stack, &l->main_stack,
	    &l->main_stack_size);
	l->context = x.from;
}

/* task_trim - give back the stack pages that a waiting task does not use */
void
task_trim(struct task *t)
{
	char	*low = stack_low(t->stack);
	size_t	 page = page_size();
	size_t	 unused = (size_t)((char *)t->context - low) / page * page;

	t->trimmed = true;
	if (unused > 0)
		(void)madvise(low, unused, MADV_DONTNEED);	/* a hint */
}

/* task_wake - make a waiting task runnable; again is a no-op */
void
task_wake(struct task *t)
{
	/* one that runs has nothing to wait for: it may cancel its own group */
	if (t->runnable || t == t->loop->running)
		return;
	t->runnable = true;
	list_remove(&t->waiting);
	list_add_tail(&t->loop->runnable, &t->run);
}

/* task_is_cancelled - is a bracket around the task's place broken? */
bool
task_is_cancelled(struct task *t)
{
	for (const struct deadline *d = t->brackets; d != NULL; d = d->outer) {
		if (d->fired)
			return true;
		if (d->shield)
			return false;
	}
	return t->cancelled;
}

/* task_poke - wake a task for a cancellation it would see now */
void
task_poke(struct task *t)
{
	if (!t->deaf && task_is_cancelled(t))
		task_wake(t);
}

/* task_cancel - every wait outside a shield fails from now on */
void
task_cancel(struct task *t)
{
	t->cancelled = true;
	task_poke(t);
}

/* task_suspend - wait to be woken */
int
task_suspend(struct task *t)
{
	if (task_is_cancelled(t))
		return -ECANCELED;
	switch_out(t);
	return task_is_cancelled(t) ? -ECANCELED : 0;
}

/* task_suspend_deaf - wait for what is sure to come */
void
task_suspend_deaf(struct task *t)
{
	t->deaf = true;
	switch_out(t);
	t->deaf = false;
}

/* task_yield - run again after the others */
int
task_yield(struct task *t)
{
	if (task_is_cancelled(t))
		return -ECANCELED;
	t->runnable = true;
	list_add_tail(&t->loop->runnable, &t->run);
	switch_out(t);
	list_remove(&t->waiting);
	return task_is_cancelled(t) ? -ECANCELED : 0;
}

/* task_loop - the loop it runs on */
struct loop *
task_loop(struct task *t)
{
	return t->loop;
}

/* task_now - the loop's milliseconds */
int64_t
task_now(struct task *t)
{
	return loop_now(t->loop);
}

/* task_wall - microseconds since 1970 */
int64_t
task_wall(struct task *t)
{
	return loop_wall(t->loop);
}

/* task_random - random bytes */
void
task_random(struct task *t, void *out, size_t len)
{
	loop_random(t->loop, out, len);
}

/* task_group_begin - an empty group */
void
task_group_begin(struct task *t, struct task_group *g)
{
	*g = (struct task_group){ .loop = t->loop };
	list_init(&g->members);
}

/* task_group_start - one more member */
void
task_group_start(struct task_group *g, task_fn *fn, void *arg)
{
	struct task *t = task_new(g->loop, g, fn, arg);

	list_add_tail(&g->members, &t->member);
	g->count++;
	if (g->cancelled)
		t->cancelled = true;
}

/* task_group_cancel - cancel all members */
void
task_group_cancel(struct task_group *g)
{
	g->cancelled = true;
	LIST_EACH(&g->members, m)
		task_cancel(CONTAINER_OF(m, struct task, member));
}

/* task_group_wait - wait until few enough are left */
int
task_group_wait(struct task *t, struct task_group *g, size_t n)
{
	int r = 0;

	assert(g->waiter == NULL);
	while (g->count > n && r == 0) {
		g->waiter = t;
		r = task_suspend(t);
		g->waiter = NULL;
	}
	return r;
}

/* task_group_end - wait for all members */
int
task_group_end(struct task *t, struct task_group *g)
{
	int r = task_group_wait(t, g, 0);

	if (r < 0)
		task_group_cancel(g);
	while (g->count > 0) {
		g->waiter = t;
		task_suspend_deaf(t);
		g->waiter = NULL;
	}
	return r < 0 ? r : g->failure;
}

static void
bracket_open(struct task *t, struct deadline *d, int64_t ms, bool shield)
{
	int64_t at;

	if (ms >= DEADLINE_NONE || __builtin_add_overflow(t->loop->now, ms, &at))
		at = DEADLINE_NONE;
	*d = (struct deadline){ .outer = t->brackets, .task = t, .at = at,
	    .shield = shield };
	t->brackets = d;
	if (at != DEADLINE_NONE)
		timer_add(t->loop, d);
}

static int
bracket_close(struct task *t, struct deadline *d, int r)
{
	assert(t->brackets == d);
	if (d->heap != 0)
		timer_remove(t->loop, d);
	t->brackets = d->outer;
	return r == -ECANCELED && d->fired ? -ETIMEDOUT : r;
}

/* deadline_begin - a bracket that breaks after ms milliseconds */
void
deadline_begin(struct task *t, struct deadline *d, int64_t ms)
{
	bracket_open(t, d, ms, false);
}

/* deadline_extend - count again from now, unless it has passed */
void
deadline_extend(struct task *t, struct deadline *d, int64_t ms)
{
	if (d->fired)
		return;
	if (d->heap != 0)
		timer_remove(t->loop, d);
	d->at = t->loop->now + ms;
	timer_add(t->loop, d);
}

/* deadline_end - close the bracket */
int
deadline_end(struct task *t, struct deadline *d, int r)
{
	return bracket_close(t, d, r);
}

/* shield_begin - a bracket that keeps cancellation out */
void
shield_begin(struct task *t, struct deadline *d, int64_t ms)
{
	bracket_open(t, d, ms, true);
}

/* shield_end - close it */
int
shield_end(struct task *t, struct deadline *d, int r)
{
	return bracket_close(t, d, r);
}

/* task_sleep - wait for time to pass */
int
task_sleep(struct task *t, int64_t ms)
{
	struct deadline	d;
	int		r;

	deadline_begin(t, &d, ms);
	do {
		r = task_suspend(t);
	} while (r == 0);
	r = deadline_end(t, &d, r);
	return r == -ETIMEDOUT ? 0 : r;
}

/* signal_wait - wait until it is set */
int
signal_wait(struct task *t, struct signal *s)
{
	int r = 0;

	assert(s->waiter == NULL);
	while (!s->set && r == 0) {
		s->waiter = t;
		r = task_suspend(t);
		s->waiter = NULL;
	}
	if (r == 0)
		s->set = false;
	return r;
}

/* signal_set - set it, and wake who waits */
void
signal_set(struct signal *s)
{
	s->set = true;
	if (s->waiter != NULL)
		task_wake(s->waiter);
}
