/* SPDX-License-Identifier: ISC */
/*
 * Channels to account processes, one for each account. A channel ends when
 * its process does; who waits for an answer then hears -ECONNRESET. While a
 * channel is being opened others that need it wait for it.
 */
#include <stdlib.h>

#include "delivery/lmtpd.h"
#include "delivery/lmtpd_events.h"
#include "libglobal/ipc_store.h"
#include "libutil/alloc.h"

struct channel {
	struct list	 link;		/* in lmtpd.unused while nobody asks */
	struct list	 waiters;	/* until it is open */
	struct lmtpd	*lmtpd;
	struct ipc_conn	 conn;
	char		*account;
	unsigned	 users;		/* tasks that use it, its own too */
	bool		 opening;
	int		 failure;	/* of opening it */
	struct channel_refusal refusal;
};

struct waiter {
	struct list	link;
	struct signal	signal;
};

/* hide - whoever asks from now on opens another one */
static void
hide(struct channel *c)
{
	struct hash *h = &c->lmtpd->channels;

	if (hash_get(h, slice_of(c->account)) == c)
		(void)hash_remove(h, slice_of(c->account)); /* that is c */
	list_remove(&c->link);
}

/* release - the last user frees it */
static void
release(struct channel *c)
{
	if (--c->users > 0)
		return;
	hide(c);
	ipc_close(&c->conn);
	free(c->account);
	free(c);
}

/* receive_task - answers, until the process ends or the channel is closed */
static int
receive_task(struct task *t, void *arg)
{
	struct channel *c = arg;

	ignore(ipc_run_replies(t, &c->conn));	/* either way it is over */
	hide(c);
	ipc_close(&c->conn);
	release(c);
	return task_is_cancelled(t) ? -ECANCELED : 0;
}

/* close_surplus - when too many are kept */
static void
close_surplus(struct lmtpd *l)
{
	const struct lmtpd_params	*p = daemon_params(l->daemon);
	struct list			*link;

	while (l->channels.count > (size_t)p->lmtpd_channel_limit &&
	    (link = list_take_head(&l->unused)) != NULL) {
		struct channel *c = CONTAINER_OF(link, struct channel, link);

		hide(c);
		ipc_close(&c->conn);	/* its task releases it */
	}
}

/* request - have stored make a channel */
static int
request(struct task *t, struct channel *c, int *ret_fd)
{
	struct daemon			*d = c->lmtpd->daemon;
	struct msg_store_deliver	 m = { slice_of(c->account) };
	struct msg_store_channel	*answer;
	struct arena			 a = ARENA_INIT;
	void				*reply;
	int				 r;

	r = edge_call_again(t, daemon_edge(d, "stored", &ipc_table_store),
	    &msg_store_deliver_desc, &m, &msg_store_channel_desc, &a, &reply);
	if (r == 0) {
		answer = reply;
		*ret_fd = answer->fd;
		if (answer->fd < 0) {
			c->refusal.code = answer->code;
			(void)snprintf(c->refusal.text,
			    sizeof(c->refusal.text), "%.*s",
			    SLICE_ARG(answer->text));
			r = -ECONNREFUSED;
		}
		c->lmtpd->no_store = false;
	} else if (r != -ECANCELED && !c->lmtpd->no_store) {
		c->lmtpd->no_store = true;
		log_event(daemon_log(d), EV_LMTPD_NO_STORE, KV_ERR("why", r));
	}
	arena_free(&a);
	return r;
}

/* open_channel - and tell who waits for it */
static int
open_channel(struct task *t, struct channel *c)
{
	int fd = -1;

	c->failure = request(t, c, &fd);
	c->opening = false;
	if (c->failure == 0) {
		ipc_open(&c->conn, task_loop(t), &fd, &ipc_table_deliver,
		    IPC_CALLER);
		c->users++;
		task_group_start(daemon_group(c->lmtpd->daemon), receive_task,
		    c);
	} else {
		hide(c);
	}
	LIST_EACH(&c->waiters, link)
		signal_set(&CONTAINER_OF(link, struct waiter, link)->signal);
	return c->failure;
}

/* wait_open - until another task has opened it */
static int
wait_open(struct task *t, struct channel *c)
{
	struct waiter	w = { .signal = SIGNAL_INIT };
	int		r;

	list_add_tail(&c->waiters, &w.link);
	r = signal_wait(t, &w.signal);
	list_remove(&w.link);
	/* whoever opened it may have been cancelled; then we are not */
	if (r == 0 && c->failure == -ECANCELED)
		return -ECONNRESET;
	return r < 0 ? r : c->failure;
}

/* get - the channel of that account, held; made if there is none */
static struct channel *
get(struct lmtpd *l, struct slice account)
{
	struct channel *c = hash_get(&l->channels, account);

	if (c == NULL) {
		c = NEW(struct channel);
		c->lmtpd = l;
		c->account = slice_dup(account);
		c->conn.io.fd = -1;
		list_init(&c->link);
		list_init(&c->waiters);
		(void)hash_put(&l->channels, account, c); /* was not there */
	}
	list_remove(&c->link);
	c->users++;
	return c;
}

/* put - back to the unused ones, if we are the last who asks */
static void
put(struct channel *c)
{
	/* its own task is one user */
	if (c->users == 2 && ipc_is_open(&c->conn) &&
	    hash_get(&c->lmtpd->channels, slice_of(c->account)) == c)
		list_add_tail(&c->lmtpd->unused, &c->link);
	release(c);
}

/* channel_ask - one delivery */
int
channel_ask(struct task *t, struct lmtpd *l, struct slice account,
    const struct msg_deliver_ask *ask, struct arena *a,
    struct msg_deliver_result **ret_result,
    struct channel_refusal *ret_refusal)
{
	struct channel	*c = get(l, account);
	void		*reply;
	int		 r = 0;

	if (c->opening) {
		r = wait_open(t, c);
	} else if (!ipc_is_open(&c->conn)) {
		c->opening = true;
		r = open_channel(t, c);
	}
	if (r == -ECONNREFUSED)
		*ret_refusal = c->refusal;
	if (r == 0) {
		r = ipc_call(t, &c->conn, &msg_deliver_ask_desc, ask,
		    &msg_deliver_result_desc, a, &reply);
		if (r == -EPIPE || r == -EBADF)
			r = -ECONNRESET;
	}
	if (r == 0)
		*ret_result = reply;
	put(c);
	close_surplus(l);
	return r;
}
