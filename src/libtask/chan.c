/* SPDX-License-Identifier: ISC */
/*
 * A ring, and two lists of waiting tasks. Whoever makes a change wakes the
 * first of the other side, who looks again.
 */
#include "libtask/chan.h"

#include <assert.h>
#include <stdlib.h>

#include "libutil/alloc.h"

struct chan_waiter {
	struct list	 link;
	struct task	*task;
};

struct chan {
	struct list	 senders;
	struct list	 receivers;
	size_t		 capacity;
	size_t		 first;
	size_t		 count;
	bool		 closed;
	void		*thing[];
};

/* chan_new - an empty queue */
struct chan *
chan_new(size_t capacity)
{
	struct chan *c;

	assert(capacity > 0);
	c = xcalloc(1, sizeof(*c) + capacity * sizeof(c->thing[0]));
	list_init(&c->senders);
	list_init(&c->receivers);
	c->capacity = capacity;
	return c;
}

/* chan_free - release it and what is in it */
void
chan_free(struct chan **c_take, void (*drop)(void *))
{
	struct chan	*c = *c_take;
	void		*thing;

	*c_take = NULL;
	if (c == NULL)
		return;
	while (chan_try_recv(c, &thing) == 0)
		if (drop != NULL)
			drop(thing);
	free(c);
}

static void
wake_first(struct list *waiters)
{
	struct list *link = waiters->next;

	if (link != waiters)
		task_wake(CONTAINER_OF(link, struct chan_waiter, link)->task);
}

static void
wake_all(struct list *waiters)
{
	LIST_EACH(waiters, link)
		task_wake(CONTAINER_OF(link, struct chan_waiter, link)->task);
}

static int
wait_in(struct task *t, struct list *waiters)
{
	struct chan_waiter	w = { .task = t };
	int			r;

	list_add_tail(waiters, &w.link);
	r = task_suspend(t);
	list_remove(&w.link);
	return r;
}

/* chan_try_send - put it in if there is room */
int
chan_try_send(struct chan *c, void *thing)
{
	if (c->closed)
		return -EPIPE;
	if (c->count == c->capacity)
		return -EAGAIN;
	c->thing[(c->first + c->count++) % c->capacity] = thing;
	wake_first(&c->receivers);
	return 0;
}

/* chan_try_recv - take the oldest if there is one */
int
chan_try_recv(struct chan *c, void **ret_thing)
{
	if (c->count == 0)
		return c->closed ? -ENODATA : -EAGAIN;
	*ret_thing = c->thing[c->first];
	c->first = (c->first + 1) % c->capacity;
	c->count--;
	wake_first(&c->senders);
	return 0;
}

/* chan_send - put it in, waiting for room */
int
chan_send(struct task *t, struct chan *c, void *thing)
{
	int r;

	while ((r = chan_try_send(c, thing)) == -EAGAIN)
		if ((r = wait_in(t, &c->senders)) < 0) {
			wake_first(&c->senders);	/* pass a wake-up on */
			return r;
		}
	return r;
}

/* chan_recv - take the oldest, waiting for one */
int
chan_recv(struct task *t, struct chan *c, void **ret_thing)
{
	int r;

	while ((r = chan_try_recv(c, ret_thing)) == -EAGAIN)
		if ((r = wait_in(t, &c->receivers)) < 0) {
			wake_first(&c->receivers);
			return r;
		}
	return r;
}

/* chan_close - no more sends */
void
chan_close(struct chan *c)
{
	c->closed = true;
	wake_all(&c->senders);
	wake_all(&c->receivers);
}
