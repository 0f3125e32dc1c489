/* SPDX-License-Identifier: ISC */
/*
 * One task a connection receives: answers wake their callers, other messages
 * go to the handler. While the edge is being connected, callers wait in a
 * list; whoever came first does the connecting.
 *
 * A connection (struct link) lives as long as somebody is in it: its receiver,
 * or a call. One that was renewed is not the edge's any more; the last call on
 * it ends it.
 */
#include "libglobal/edge.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "libutil/alloc.h"

struct edge_waiter {
	struct list	 link;
	struct task	*task;
};

struct link {
	struct ipc_conn	 conn;
	struct edge	*edge;
	size_t		 users;		/* its receiver, and calls */
};

struct edge {
	struct task_group	*group;
	const char		*callee;
	const struct ipc_table	*table;
	edge_connect_fn		*connect;
	void			*connect_arg;
	ipc_handler		*handler;
	void			*handler_arg;
	int			(*on_open)(struct task *, struct ipc_conn *,
				    void *);
	void			*open_arg;
	void			(*on_fault)(void *, const char *, const char *);
	void			*fault_arg;
	struct signal		*closed;	/* set when it breaks; or NULL */
	struct link		*now;		/* NULL: not connected */
	struct list		 waiters;
	uint64_t		 generation;
	bool			 connecting;
	bool			 stale;		/* to be made anew */
};

/* edge_new - an edge that is not connected yet */
struct edge *
edge_new(struct task_group *group, const char *callee,
    const struct ipc_table *table, edge_connect_fn *connect, void *arg)
{
	struct edge *e = NEW(struct edge);

	e->group = group;
	e->callee = callee;
	e->table = table;
	e->connect = connect;
	e->connect_arg = arg;
	list_init(&e->waiters);
	return e;
}

/* edge_free - close it; the group's tasks must have ended */
void
edge_free(struct edge **e_take)
{
	struct edge *e = *e_take;

	*e_take = NULL;
	if (e == NULL)
		return;
	assert(e->now == NULL);
	free(e);
}

/* edge_on_message - who hears what is no answer */
void
edge_on_message(struct edge *e, ipc_handler *fn, void *arg)
{
	e->handler = fn;
	e->handler_arg = arg;
}

/* edge_on_open - who speaks first on a new connection */
void
edge_on_open(struct edge *e, int (*fn)(struct task *, struct ipc_conn *, void *),
    void *arg)
{
	e->on_open = fn;
	e->open_arg = arg;
}

/* edge_on_close - who wants to know that a connection has ended */
void
edge_on_close(struct edge *e, struct signal *closed)
{
	e->closed = closed;
}

/* edge_on_fault - who is told what the callee did wrong */
void
edge_on_fault(struct edge *e, void (*fn)(void *, const char *, const char *),
    void *arg)
{
	e->on_fault = fn;
	e->fault_arg = arg;
}

/* edge_generation - how often it was connected */
uint64_t
edge_generation(const struct edge *e)
{
	return e->generation;
}

/* edge_renew - what begins from now on goes over a new connection */
void
edge_renew(struct edge *e)
{
	e->stale = e->now != NULL;
}

/* leave - one user of a connection less */
static void
leave(struct link *l)
{
	l->users--;
	if (l->users == 1 && l->edge->now != l)
		ipc_close(&l->conn);	/* its receiver ends */
	if (l->users > 0)
		return;
	ipc_close(&l->conn);
	free(l);
}

static void
wake_waiters(struct edge *e)
{
	LIST_EACH(&e->waiters, link)
		task_wake(CONTAINER_OF(link, struct edge_waiter, link)->task);
}

/* fault - what the callee did wrong, if it did */
static void
fault(const struct link *l, int error)
{
	const struct edge	*e = l->edge;
	char			 why[200];

	if (e->on_fault == NULL || error != -EBADMSG)
		return;
	if (*ipc_error(&l->conn) != '\0')
		(void)snprintf(why, sizeof(why), "%s", ipc_error(&l->conn));
	else
		(void)snprintf(why, sizeof(why), "%s: a message that is not "
		    "true, or that it may not send", e->table->name);
	e->on_fault(e->fault_arg, e->callee, why);
}

/* receive - the connection's own task, until it ends */
static int
receive(struct task *t, void *arg)
{
	struct link	*l = arg;
	struct edge	*e = l->edge;
	int		 r;

	if (e->handler != NULL)
		r = ipc_serve(t, &l->conn, e->handler, e->handler_arg);
	else
		r = ipc_run_replies(t, &l->conn);
	fault(l, r);
	ipc_close(&l->conn);
	if (e->now == l) {
		e->now = NULL;
		wake_waiters(e);
		if (e->closed != NULL)
			signal_set(e->closed);
	}
	leave(l);
	/* the others go on: the edge is made anew when it is needed */
	return r == -ECANCELED ? r : 0;
}

/* begin - a connection of this descriptor, and its receiver */
static struct link *
begin(struct task *t, struct edge *e, int *fd_take)
{
	struct link *l = NEW(struct link), *old = e->now;

	l->edge = e;
	l->users = 2;			/* the receiver, and whoever connects */
	ipc_open(&l->conn, task_loop(t), fd_take, e->table, IPC_CALLER);
	e->now = l;
	e->stale = false;
	e->generation++;
	task_group_start(e->group, receive, l);
	if (old != NULL) {		/* it ends with the last call on it */
		old->users++;
		leave(old);
	}
	return l;
}

/* open_now - connect; only one task at a time */
static int
open_now(struct task *t, struct edge *e)
{
	struct link	*l;
	int		 fd = -1, r;

	e->connecting = true;
	r = e->connect(t, e->connect_arg, e->callee, &fd);
	if (r == 0) {
		l = begin(t, e, &fd);
		if (e->on_open != NULL)
			r = e->on_open(t, &l->conn, e->open_arg);
		if (r < 0)	/* nobody is to use it as it is */
			ipc_close(&l->conn);
		leave(l);
	}
	e->connecting = false;
	wake_waiters(e);
	return r;
}

/* wait_turn - something of it is about to change */
static int
wait_turn(struct task *t, struct edge *e)
{
	struct edge_waiter	w = { .task = t };
	int			r;

	list_init(&w.link);
	list_add_tail(&e->waiters, &w.link);
	r = task_suspend(t);
	list_remove(&w.link);
	return r;
}

/* edge_ensure - have it connected */
int
edge_ensure(struct task *t, struct edge *e)
{
	int r = 0;

	while (r == 0) {
		if (!e->connecting && (e->now == NULL || e->stale))
			return open_now(t, e);
		if (!e->connecting && ipc_is_open(&e->now->conn))
			return 0;
		/* it is being made by another task, or being closed */
		r = wait_turn(t, e);
	}
	return r;
}

/* edge_settle - not while it is being connected */
int
edge_settle(struct task *t, struct edge *e)
{
	int r = 0;

	while (r == 0 && e->connecting)
		r = wait_turn(t, e);
	return r;
}

/* enter - have it connected, and stay in that connection until leave */
static int
enter(struct task *t, struct edge *e, struct link **ret_link)
{
	int r;

	if ((r = edge_ensure(t, e)) < 0)
		return r;
	if (e->now == NULL)		/* it ended at once */
		return -ECONNRESET;
	e->now->users++;
	*ret_link = e->now;
	return 0;
}

/* edge_call - ask and wait for the answer */
int
edge_call(struct task *t, struct edge *e, const struct ipc_desc *ask,
    const void *msg, const struct ipc_desc *want, struct arena *a,
    void **ret_reply)
{
	struct link	*l;
	int		 r;

	if ((r = enter(t, e, &l)) < 0)
		return r;
	r = ipc_call(t, &l->conn, ask, msg, want, a, ret_reply);
	leave(l);
	return r == -EPIPE || r == -EBADF ? -ECONNRESET : r;
}

/* edge_call_again - the same for what may be done twice */
int
edge_call_again(struct task *t, struct edge *e, const struct ipc_desc *ask,
    const void *msg, const struct ipc_desc *want, struct arena *a,
    void **ret_reply)
{
	int r = edge_call(t, e, ask, msg, want, a, ret_reply);

	if (r == -ECONNRESET)
		r = edge_call(t, e, ask, msg, want, a, ret_reply);
	return r;
}

/* edge_send - say it, connecting if need be */
int
edge_send(struct task *t, struct edge *e, const struct ipc_desc *d,
    const void *msg)
{
	struct link	*l;
	int		 r;

	if ((r = enter(t, e, &l)) < 0)
		return r;
	r = ipc_send(t, &l->conn, d, msg);
	leave(l);
	return r;
}

/* edge_send_later - say it with what comes next */
int
edge_send_later(struct task *t, struct edge *e, const struct ipc_desc *d,
    const void *msg)
{
	struct link	*l;
	int		 r;

	if ((r = enter(t, e, &l)) < 0)
		return r;
	r = ipc_post_later(&l->conn, d, msg);
	leave(l);
	return r;
}

/* edge_flush - write what was to come later */
void
edge_flush(struct edge *e)
{
	if (e->now != NULL)
		ipc_flush(&e->now->conn);
}

/* edge_post - say it if it is connected */
int
edge_post(struct edge *e, const struct ipc_desc *d, const void *msg)
{
	if (e->now == NULL || !ipc_is_open(&e->now->conn))
		return -ENOTCONN;
	return ipc_post(&e->now->conn, d, msg);
}
