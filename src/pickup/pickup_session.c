/* SPDX-License-Identifier: ISC */
/* One local program, from its connection to its end. */
#include "pickup/pickup.h"

#include <stdlib.h>
#include <string.h>

#include "libtask/loop.h"
#include "libutil/alloc.h"
#include "pickup/pickup_events.h"

#define GOODBYE_LIMIT	2000	/* ms to say a last word */

/* user_key - the user as a key of the hash */
static struct slice
user_key(const struct pickup_client *c)
{
	return slice_over(&c->uid, sizeof(c->uid));
}

/* count_user - one more connection of the user; false over the limit */
static bool
count_user(struct pickup_client *c)
{
	struct hash	*h = &c->pickup->users;
	int64_t		 limit = c->p->pickup_client_connection_count_limit;
	uintptr_t	 n = (uintptr_t)hash_get(h, user_key(c)) + 1;

	(void)hash_put(h, user_key(c), (void *)n); /* the count is the pointer */
	c->counted = true;
	return limit == 0 || c->uid == 0 || n <= (uintptr_t)limit;
}

static void
uncount_user(struct pickup_client *c)
{
	struct hash	*h = &c->pickup->users;
	uintptr_t	 n = (uintptr_t)hash_get(h, user_key(c));

	if (!c->counted)
		return;
	if (n <= 1)
		(void)hash_remove(h, user_key(c)); /* the pointer is a count */
	else
		(void)hash_put(h, user_key(c), (void *)(n - 1));
}

/* answer - and ready for the next message */
static int
answer(struct task *t, struct pickup_client *c)
{
	struct msg_pickup_done	m;
	int			r;

	if ((r = submission_end(t, c, &m)) < 0)
		return r;
	r = ipc_send(t, &c->conn, &msg_pickup_done_desc, &m);
	submission_free(c);
	ipc_set_state(&c->conn, PICKUP_IDLE);
	return r;
}

/* on_message - one thing the program says; the states of the table say what
 * may come */
static int
on_message(struct task *t, struct pickup_client *c, struct ipc_in *in)
{
	int r;

	switch (in->desc->number) {
	case MSG_pickup_begin:
		ipc_set_state(&c->conn, PICKUP_OPEN);
		return submission_begin(t, c, in->msg);
	case MSG_pickup_data:
		r = submission_data(t, c,
		    ((struct msg_pickup_data *)in->msg)->bytes);
		/* nothing can come of it any more: do not read the rest */
		if (r == 0 && c->s->refusal.code != 0 &&
		    c->s->size > c->p->message_size_limit &&
		    c->p->message_size_limit != 0) {
			r = answer(t, c);
			return r < 0 ? r : -EMSGSIZE;
		}
		return r;
	case MSG_pickup_end:
		ipc_set_state(&c->conn, PICKUP_WAIT);
		return answer(t, c);
	default:
		return -EBADMSG;
	}
}

/* serve - message after message */
static int
serve(struct task *t, struct pickup_client *c)
{
	struct arena	a = ARENA_INIT;
	struct ipc_in	in;
	struct deadline	idle;
	int		r = 0;

	while (r == 0 && (c->s != NULL || !daemon_is_draining(c->daemon))) {
		memset(&in, 0, sizeof(in));
		deadline_begin(t, &idle, c->p->pickup_timeout);
		r = ipc_recv(t, &c->conn, &a, &in);
		r = deadline_end(t, &idle, r);
		if (r < 0)
			break;
		r = on_message(t, c, &in);
		ipc_in_done(&in);
		arena_reset(&a);
	}
	arena_free(&a);
	return r;
}

/* farewell - log what broke, and write out what was said */
static void
farewell(struct task *t, struct pickup_client *c, int r)
{
	struct deadline	last;
	const char	*why = ipc_error(&c->conn);

	if (*why == '\0')
		why = r == -ENODATA || r == -ECONNRESET ?
		    "the program ended in the middle of a message" :
		    strerror(-r);
	if (r < 0 && r != -ECANCELED && r != -EMSGSIZE &&
	    !((r == -ENODATA || r == -ECONNRESET || r == -EPIPE) &&
	    c->s == NULL))
		log_event(daemon_log(c->daemon), EV_PICKUP_BROKEN,
		    KV_UINT("uid", c->uid), KV_TEXT("why", why));
	shield_begin(t, &last, GOODBYE_LIMIT);
	ignore(ipc_drain(t, &c->conn));		/* it may be gone */
	ignore(shield_end(t, &last, 0));
}

/* too_many - say so instead of serving */
static int
too_many(struct task *t, struct pickup_client *c)
{
	struct msg_pickup_done m = { .code = 421, .enhanced = S("4.7.0"),
	    .text = S("too many connections of this user") };

	log_event(daemon_log(c->daemon), EV_PICKUP_LIMIT,
	    KV_UINT("uid", c->uid));
	return ipc_send(t, &c->conn, &msg_pickup_done_desc, &m);
}

/* pickup_client - serve one local program */
int
pickup_client(struct task *t, struct daemon *d, int *fd_take,
    const struct sockaddr_storage *peer, const char *listener)
{
	struct pickup_client	*c;
	struct ucred		 who;
	socklen_t		 len = sizeof(who);
	int			 r;

	(void)peer;
	(void)listener;
	if (getsockopt(*fd_take, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
		return -errno;
	c = NEW(struct pickup_client);
	c->pickup = daemon_data(d);
	c->daemon = d;
	c->p = daemon_params(d);
	c->uid = who.uid;
	ipc_open(&c->conn, daemon_loop(d), fd_take, &ipc_table_pickup,
	    IPC_CALLEE);
	ipc_set_state(&c->conn, PICKUP_IDLE);
	r = count_user(c) ? serve(t, c) : too_many(t, c);
	farewell(t, c, r);
	submission_free(c);
	uncount_user(c);
	ipc_close(&c->conn);
	free(c);
	return r == -ECANCELED ? r : 0;
}
