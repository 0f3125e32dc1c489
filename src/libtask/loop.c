/* SPDX-License-Identifier: ISC */
/*
 * One turn: run every runnable task, run the hooks that were armed (batched
 * writes), then wait for readiness, the next timer or the workers, and wake
 * whom it concerns. Timers are a binary heap of deadlines.
 *
 * The simulated loop polls without waiting; when nothing is ready its clock
 * jumps to the next timer. Readiness comes in seeded order.
 */
#include "libtask/loop.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "libtask/io.h"
#include "libtask/loop_private.h"
#include "libtask/work.h"
#include "libutil/alloc.h"

#define EVENTS_PER_TURN	256
#define BATCHES_PER_TURN	64
#define TRIM_AFTER	1000		/* ms of waiting */
#define SIM_EPOCH	INT64_C(1700000000000000)	/* us; where its time begins */

static int64_t
monotonic_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);	/* cannot fail */
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* loop_new - a loop with no task */
struct loop *
loop_new(const struct loop_options *o)
{
	struct loop *l = NEW(struct loop);

	list_init(&l->runnable);
	list_init(&l->waiting);
	list_init(&l->hooks);
	list_init(&l->free_stacks);
	list_init(&l->sim_listeners);
	l->stack_size = o->stack_size != 0 ? o->stack_size :
	    BARID_SANITIZERS ? (size_t)256 << 10 : (size_t)64 << 10;
	l->workers = o->workers != 0 ? o->workers : 4;
	l->simulated = o->sim_seed != 0;
	l->short_io = o->sim_short_io;
	l->rng[0] = o->sim_seed;
	l->rng[1] = 0x9e3779b97f4a7c15;
	l->now = l->simulated ? 1 : monotonic_ms();
	l->wall_offset = SIM_EPOCH;
	l->events = NEW_ARRAY(struct epoll_event, EVENTS_PER_TURN);
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll_fd < 0)
		fatal("cannot create an epoll descriptor: raise the limit of "
		    "open files");
	return l;
}

/* loop_free - release a loop that has run */
void
loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	if (l->pool != NULL)
		work_pool_free(l->pool);
	task_stacks_free(l);
	(void)close(l->epoll_fd);	/* nothing to save */
	free(l->scratch);
	free(l->room);
	free(l->events);
	free(l->timer);
	free(l);
}

/* loop_scratch - made when it is first wanted */
char *
loop_scratch(struct loop *l)
{
	if (l->scratch == NULL)
		l->scratch = xmalloc(LOOP_SCRATCH);
	return l->scratch;
}

/* loop_take_room - the one that was given back last, if there is one: the
 * allocator takes longer for blocks of that size than most commands do */
char *
loop_take_room(struct loop *l)
{
	char *room = l->room;

	l->room = NULL;
	return room != NULL ? room : xmalloc(LOOP_ROOM);
}

/* loop_put_room - keep it for the next, or release it */
void
loop_put_room(struct loop *l, char *room_take, size_t size)
{
	if (l->room == NULL && size == LOOP_ROOM)
		l->room = room_take;
	else
		free(room_take);
}

/* loop_is_simulated - has it virtual time? */
bool
loop_is_simulated(const struct loop *l)
{
	return l->simulated;
}

/* loop_now - monotonic milliseconds */
int64_t
loop_now(const struct loop *l)
{
	return l->now;
}

/* loop_wall - microseconds since 1970 */
int64_t
loop_wall(const struct loop *l)
{
	struct timespec ts;

	if (l->simulated)
		return l->wall_offset + l->now * 1000;
	(void)clock_gettime(CLOCK_REALTIME, &ts);	/* cannot fail */
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* loop_random_u64 - xorshift128+, for the simulation */
uint64_t
loop_random_u64(struct loop *l)
{
	uint64_t	x = l->rng[0], y = l->rng[1];

	l->rng[0] = y;
	x ^= x << 23;
	l->rng[1] = x ^ y ^ (x >> 17) ^ (y >> 26);
	return l->rng[1] + y;
}

/* loop_random - random bytes */
void
loop_random(struct loop *l, void *out, size_t len)
{
	unsigned char	*p = out;

	if (l->simulated) {
		for (size_t i = 0; i < len; i++)
			p[i] = (unsigned char)(loop_random_u64(l) >> 32);
		return;
	}
	for (size_t n = 0; n < len;) {
		ssize_t r = getrandom(p + n, len - n, 0);

		if (r < 0 && errno != EINTR)
			fatal("the kernel gives no random bytes");
		n += r > 0 ? (size_t)r : 0;
	}
}

/* loop_task_count - tasks that exist */
size_t
loop_task_count(const struct loop *l)
{
	return l->task_count;
}

/* loop_cancel - cancel the main task, now or when it starts */
void
loop_cancel(struct loop *l)
{
	l->cancel_asked = true;
	if (l->main != NULL)
		task_cancel(l->main);
}

/* loop_sim_cancel_at - plan a cancellation */
void
loop_sim_cancel_at(struct loop *l, uint64_t n)
{
	assert(l->simulated);
	l->cancel_at = n == 0 ? 0 : l->suspensions + n;
}

/* loop_suspensions - how often tasks waited */
uint64_t
loop_suspensions(const struct loop *l)
{
	return l->suspensions;
}

/* --- timers */

static void
timer_place(struct loop *l, struct deadline *d, size_t i)
{
	l->timer[i] = d;
	d->heap = i;
}

static void
timer_up(struct loop *l, struct deadline *d, size_t i)
{
	while (i > 1 && l->timer[i / 2]->at > d->at) {
		timer_place(l, l->timer[i / 2], i);
		i /= 2;
	}
	timer_place(l, d, i);
}

static void
timer_down(struct loop *l, struct deadline *d, size_t i)
{
	size_t	child;

	while ((child = 2 * i) <= l->timer_count) {
		if (child < l->timer_count &&
		    l->timer[child + 1]->at < l->timer[child]->at)
			child++;
		if (l->timer[child]->at >= d->at)
			break;
		timer_place(l, l->timer[child], i);
		i = child;
	}
	timer_place(l, d, i);
}

/* timer_add - fire it at d->at */
void
timer_add(struct loop *l, struct deadline *d)
{
	if (l->timer_count + 2 > l->timer_cap) {
		l->timer_cap = l->timer_cap == 0 ? 64 : l->timer_cap * 2;
		l->timer = xreallocarray(l->timer, l->timer_cap,
		    sizeof(struct deadline *));
	}
	timer_up(l, d, ++l->timer_count);
}

/* timer_remove - forget it */
void
timer_remove(struct loop *l, struct deadline *d)
{
	size_t		 i = d->heap;
	struct deadline	*last = l->timer[l->timer_count--];

	d->heap = 0;
	if (last == d)
		return;
	if (i > 1 && l->timer[i / 2]->at > last->at)
		timer_up(l, last, i);
	else
		timer_down(l, last, i);
}

static void
timers_fire(struct loop *l)
{
	while (l->timer_count > 0 && l->timer[1]->at <= l->now) {
		struct deadline *d = l->timer[1];

		timer_remove(l, d);
		d->fired = true;
		task_poke(d->task);
	}
}

/* --- hooks */

/* loop_hook_init - a hook that is not armed */
void
loop_hook_init(struct loop_hook *h, void (*run)(struct loop_hook *))
{
	list_init(&h->link);
	h->run = run;
}

/* loop_hook_arm - run it before the next wait */
void
loop_hook_arm(struct loop *l, struct loop_hook *h)
{
	if (list_is_empty(&h->link))
		list_add_tail(&l->hooks, &h->link);
}

/* loop_hook_disarm - do not */
void
loop_hook_disarm(struct loop_hook *h)
{
	list_remove(&h->link);
}

/* --- the turns */

/* trim - give back stack pages of tasks that have waited for long */
static void
trim(struct loop *l)
{
	struct list *link;

	if (l->now < l->trim_at)
		return;
	l->trim_at = l->now + TRIM_AFTER;
	while ((link = l->waiting.next) != &l->waiting) {
		struct task *t = CONTAINER_OF(link, struct task, waiting);

		if (l->now - t->since < TRIM_AFTER)
			break;
		list_remove(link);
		task_trim(t);
	}
}

/* timeout - how long the loop may wait, in ms; -1 without limit */
static int
timeout(const struct loop *l)
{
	int64_t at = DEADLINE_NONE;

	if (l->simulated || !list_is_empty(&l->runnable))
		return 0;
	if (l->timer_count > 0)
		at = l->timer[1]->at;
	if (!list_is_empty(&l->waiting) && l->trim_at < at)
		at = l->trim_at;
	if (at == DEADLINE_NONE)
		return -1;
	return at <= l->now ? 0 : at - l->now > 60000 ? 60000 :
	    (int)(at - l->now);
}

static void
shuffle(struct loop *l, struct epoll_event *ev, int n)
{
	for (int i = n - 1; i > 0; i--) {
		int k = (int)(loop_random_u64(l) % (uint64_t)(i + 1));
		struct epoll_event x = ev[i];

		ev[i] = ev[k];
		ev[k] = x;
	}
}

/* wait_events - one wait; wakes the tasks whose turn has come */
static void
wait_events(struct loop *l)
{
	struct epoll_event *ev = l->events;
	int	n = epoll_wait(l->epoll_fd, ev, EVENTS_PER_TURN, timeout(l));

	if (!l->simulated)
		l->now = monotonic_ms();
	if (n < 0)
		assert(errno == EINTR);
	if (l->simulated && n > 1)
		shuffle(l, ev, n);
	for (int i = 0; i < n; i++) {
		if (ev[i].data.ptr == l->pool)
			work_collect(l->pool);
		else
			io_event(ev[i].data.ptr, ev[i].events);
	}
	if (l->simulated && list_is_empty(&l->runnable) && n <= 0) {
		if (l->timer_count == 0)
			fatal("simulation: every task waits and no timer runs");
		if (l->timer[1]->at > l->now)
			l->now = l->timer[1]->at;
	}
	timers_fire(l);
	trim(l);
}

static void
run_hooks(struct loop *l)
{
	struct list *link;

	while ((link = list_take_head(&l->hooks)) != NULL) {
		struct loop_hook *h = CONTAINER_OF(link, struct loop_hook, link);

		h->run(h);
	}
}

/* run_batch - run what is runnable now; what it wakes runs in the next batch,
 * so that readiness is looked at between */
static void
run_batch(struct loop *l)
{
	struct list	batch, *link;

	if (list_is_empty(&l->runnable))
		return;
	batch = l->runnable;
	batch.next->prev = &batch;
	batch.prev->next = &batch;
	list_init(&l->runnable);
	while ((link = list_take_head(&batch)) != NULL)
		task_run(CONTAINER_OF(link, struct task, run));
}

/* loop_run - run the main task to its end */
int
loop_run(struct loop *l, task_fn *fn, void *arg)
{
	int r;

	l->main = task_new(l, NULL, fn, arg);
	if (l->cancel_asked)
		task_cancel(l->main);
	while (!l->main->done) {
		/* some batches, so that writes gather; not until none is
		 * left, because tasks may yield for what only readiness or
		 * a hook brings */
		for (int i = 0; i < BATCHES_PER_TURN && !l->main->done; i++)
			run_batch(l);
		run_hooks(l);
		if (!l->main->done)
			wait_events(l);
	}
	r = l->main->result;
	free(l->main);
	l->main = NULL;
	return r;
}

/* loop_io_register - learn of the descriptor's readiness from now on; write:
 * also of its writability. What is true already is told as well. */
int
loop_io_register(struct loop *l, struct io *io, bool write)
{
	struct epoll_event ev = {
		.events = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET |
		    (write ? EPOLLOUT : 0),
		.data.ptr = io,
	};

	return epoll_ctl(l->epoll_fd, io->registered ? EPOLL_CTL_MOD :
	    EPOLL_CTL_ADD, io->fd, &ev) < 0 ? -errno : 0;
}
