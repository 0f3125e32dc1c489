/* SPDX-License-Identifier: ISC */
/*
 * Items wait in one queue under a mutex. A thread is added when an item comes
 * and no thread is idle, up to the limit. A finished item goes to the done
 * list, and the loop, woken by an eventfd, wakes its task. The eventfd is
 * written only when the done list was empty, so a burst costs one write.
 */
#include "libtask/work.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "libtask/io.h"
#include "libtask/loop_private.h"
#include "libutil/alloc.h"

#define WORK_STACK	((size_t)512 << 10)

struct work_item {
	struct list	 link;
	struct task	*task;
	work_fn		*fn;
	void		*arg;
	int		 result;
	bool		 done;
};

struct work_pool {
	struct loop	*loop;
	pthread_mutex_t	 lock;
	pthread_cond_t	 more;
	struct list	 todo;
	struct list	 done;
	pthread_t	*thread;
	unsigned	 thread_count;
	unsigned	 idle;
	int		 event_fd;
	bool		 stop;
};

/* worker - one thread: take an item, run it, hand it back */
static void *
worker(void *arg)
{
	struct work_pool	*p = arg;
	const uint64_t		 one = 1;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		struct list		*link;
		struct work_item	*w;
		bool			 first;

		while ((link = list_take_head(&p->todo)) == NULL && !p->stop) {
			p->idle++;
			pthread_cond_wait(&p->more, &p->lock);
			p->idle--;
		}
		if (link == NULL)
			break;
		pthread_mutex_unlock(&p->lock);
		w = CONTAINER_OF(link, struct work_item, link);
		w->result = w->fn(w->arg);
		pthread_mutex_lock(&p->lock);
		first = list_is_empty(&p->done);
		list_add_tail(&p->done, &w->link);
		if (!first)
			continue;
		/* not under the lock: the loop would wake into it */
		pthread_mutex_unlock(&p->lock);
		if (write(p->event_fd, &one, sizeof(one)) < 0)
			fatal("cannot wake the loop");
		pthread_mutex_lock(&p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* add_thread - one more worker, deaf to signals */
static void
add_thread(struct work_pool *p)
{
	pthread_attr_t	attr;
	sigset_t	all, old;

	pthread_attr_init(&attr);
	if (!BARID_SANITIZERS)
		pthread_attr_setstacksize(&attr, WORK_STACK);
	sigfillset(&all);
	sigdelset(&all, SIGSYS);	/* the sandbox reports by it */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&p->thread[p->thread_count], &attr, worker, p) == 0)
		p->thread_count++;
	else if (p->thread_count == 0)
		fatal("cannot start a worker thread");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
}

static struct work_pool *
pool_get(struct loop *l)
{
	struct work_pool	*p = l->pool;
	struct epoll_event	 ev = { .events = EPOLLIN };

	if (p != NULL)
		return p;
	p = NEW(struct work_pool);
	p->loop = l;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->more, NULL);
	list_init(&p->todo);
	list_init(&p->done);
	p->thread = NEW_ARRAY(pthread_t, l->workers);
	p->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ev.data.ptr = p;
	if (p->event_fd < 0 ||
	    epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, p->event_fd, &ev) < 0)
		fatal("cannot create an event descriptor");
	return l->pool = p;
}

/* work_collect - the loop's side: wake the tasks of finished items */
void
work_collect(struct work_pool *p)
{
	struct list	 done, *link;
	uint64_t	 count;

	list_init(&done);
	pthread_mutex_lock(&p->lock);
	if (read(p->event_fd, &count, sizeof(count)) < 0)
		count = 0;		/* an early look; the list decides */
	while ((link = list_take_head(&p->done)) != NULL)
		list_add_tail(&done, link);
	pthread_mutex_unlock(&p->lock);
	while ((link = list_take_head(&done)) != NULL) {
		struct work_item *w = CONTAINER_OF(link, struct work_item, link);

		w->done = true;
		task_wake(w->task);
	}
}

/* work_pool_free - end the threads */
void
work_pool_free(struct work_pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->thread_count; i++)
		pthread_join(p->thread[i], NULL);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->more);
	fd_close(&p->event_fd);
	free(p->thread);
	free(p);
}

/* work_start_threads - make all threads while they can still be made */
void
work_start_threads(struct loop *l)
{
	struct work_pool *p;

	if (l->simulated)
		return;
	p = pool_get(l);
	while (p->thread_count < l->workers) {
		unsigned before = p->thread_count;

		add_thread(p);
		if (p->thread_count == before)
			break;
	}
}

/* work_run - run a function on a worker */
int
work_run(struct task *t, work_fn *fn, void *arg)
{
	struct work_item	 w = { .task = t, .fn = fn, .arg = arg };
	struct work_pool	*p;
	bool			 idle;
	int			 r;

	if (task_is_cancelled(t))
		return -ECANCELED;
	if (t->loop->simulated) {
		if ((r = task_yield(t)) < 0)
			return r;
		return fn(arg);
	}
	p = pool_get(t->loop);
	list_init(&w.link);
	pthread_mutex_lock(&p->lock);
	list_add_tail(&p->todo, &w.link);
	idle = p->idle > 0;
	if (!idle && p->thread_count < t->loop->workers)
		add_thread(p);
	pthread_mutex_unlock(&p->lock);
	if (idle)	/* who is not idle looks before it sleeps */
		pthread_cond_signal(&p->more);
	while (!w.done)
		task_suspend_deaf(t);
	return w.result;
}

struct lane_waiter {
	struct list	 link;
	struct task	*task;
	bool		 admitted;
};

/* work_lane_init - a lane with nobody in it */
void
work_lane_init(struct work_lane *lane, unsigned limit)
{
	lane->limit = limit;
	lane->running = 0;
	list_init(&lane->queue);
}

/* lane_enter - wait for one's turn */
static int
lane_enter(struct task *t, struct work_lane *lane)
{
	struct lane_waiter	w = { .task = t };
	int			r = 0;

	if (lane->limit == 0 || lane->running < lane->limit) {
		lane->running++;
		return 0;
	}
	list_init(&w.link);
	list_add_tail(&lane->queue, &w.link);
	while (!w.admitted && r == 0)
		r = task_suspend(t);
	if (w.admitted)
		return 0;		/* the place was counted for us */
	list_remove(&w.link);
	return r;
}

static void
lane_leave(struct work_lane *lane)
{
	struct list		*link = list_take_head(&lane->queue);
	struct lane_waiter	*w;

	if (link == NULL) {
		lane->running--;
		return;
	}
	w = CONTAINER_OF(link, struct lane_waiter, link);
	w->admitted = true;
	task_wake(w->task);
}

/* work_run_in - run a function on a worker, inside a lane's limit */
int
work_run_in(struct task *t, struct work_lane *lane, work_fn *fn, void *arg)
{
	int r;

	if ((r = lane_enter(t, lane)) < 0)
		return r;
	r = work_run(t, fn, arg);
	lane_leave(lane);
	return r;
}
