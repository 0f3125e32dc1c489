/* SPDX-License-Identifier: ISC */
/*
 * Sleeping sessions: a handle, and a task that waits for the client to speak
 * or for stored to say that there is mail. A session that was given to a
 * process which ended before it looked is got back in the same way, be it one
 * that slept or a new one. One whose account had no room sleeps on and is
 * tried again. A handle is good as long as stored lives; when it was restarted
 * nobody knows the session any more, and the client is asked to connect again.
 */
#include "imapd/front_client.h"

#include <malloc.h>

#include "imapd/imapd_events.h"
#include "libglobal/ipc_store.h"

#define TRIES_MAX	8	/* processes that may end under a session */
#define RESUME_LIMIT	120000	/* ms for a session to wake up */
#define RESUME_PAUSE	100	/* ms before the second try; it doubles */
#define RESUME_PAUSE_MAX	2000
#define WATCH_EVERY	15000	/* ms between looks at stored's edge */
#define TRIM_LEAST	100	/* clients that went, to give memory back */

/* stored - who knows sleeping sessions */
static struct edge *
stored(const struct imapd *im)
{
	return daemon_edge(im->daemon, "stored", &ipc_table_store);
}

/* handle_of - as a slice */
static struct slice
handle_of(const struct front *f)
{
	return slice_over(f->handle, f->handle_len);
}

/* front_note_handle - it may be woken under that. What stored has said of it
 * while the session was awake holds: its process ended, perhaps as it asked to
 * sleep, and nobody says it again */
void
front_note_handle(struct front *f, struct slice handle)
{
	if (slice_equal(handle_of(f), handle))
		return;
	front_drop_handle(f);
	f->handle_len = size_min(handle.len, sizeof(f->handle));
	memcpy(f->handle, handle.data, f->handle_len);
	f->woken = f->void_handle = false;
	f->store = edge_generation(stored(f->imapd));
	(void)hash_put(&f->imapd->sleepers, handle_of(f), f); /* was not there */
}

/* front_drop_handle - and no more */
void
front_drop_handle(struct front *f)
{
	struct hash *h = &f->imapd->sleepers;

	if (f->handle_len > 0 && hash_get(h, handle_of(f)) == f)
		(void)hash_remove(h, handle_of(f));	/* that is f */
	f->handle_len = 0;
}

/* front_forget - tell stored that nobody will resume it */
void
front_forget(struct front *f)
{
	struct msg_store_forget m = { handle_of(f) };

	ignore(edge_post(stored(f->imapd), &msg_store_forget_desc, &m));
	front_drop_handle(f);		/* stored drops it with our edge, too */
}

/* resume - a new channel to the session; -ESTALE it is over */
static int
resume(struct task *t, struct front *f, int *ret_channel)
{
	struct msg_store_resume		 m = { handle_of(f), -1 };
	const struct msg_store_channel	*answer;
	struct arena			 a = ARENA_INIT;
	void				*reply;
	int				 pair[2], r;

	if ((r = fd_pair(pair)) < 0)
		return r;
	m.channel = pair[1];
	r = edge_call(t, stored(f->imapd), &msg_store_resume_desc, &m,
	    &msg_store_channel_desc, &a, &reply);
	fd_close(&pair[1]);
	if (r == 0) {
		answer = reply;
		if (answer->code < 300) {
			*ret_channel = pair[0];
			pair[0] = -1;
		} else {
			r = answer->code < 500 ? -EAGAIN : -ESTALE;
		}
	}
	fd_close(&pair[0]);
	arena_free(&a);
	return r;
}

/* wait_turn - for that long, more or less: those who were refused together
 * would come back together, and be refused again. A client that left meanwhile
 * wants its session no more */
static int
wait_turn(struct task *t, struct front *f, int64_t pause)
{
	struct slice	any;
	uint32_t	random;
	int		r;

	task_random(t, &random, sizeof(random));
	if ((r = task_sleep(t, pause / 2 + random % pause)) < 0)
		return r;
	r = stream_try_peek(&f->stream, &any);
	if (r == 0 || r == -EAGAIN)
		return 0;
	front_forget(f);
	return r;
}

/* next_pause - twice as long, up to a point */
static int64_t
next_pause(int64_t pause)
{
	return pause < RESUME_PAUSE_MAX / 2 ? pause * 2 : RESUME_PAUSE_MAX;
}

/* resume_in_time - again and again, if the store is busy: when something woke
 * all clients at once they have to take turns */
static int
resume_in_time(struct task *t, struct front *f, int *ret_channel)
{
	int64_t	end = task_now(t) + RESUME_LIMIT, pause = RESUME_PAUSE;
	int	r = -ESTALE;

	while (!f->void_handle) {
		r = resume(t, f, ret_channel);
		if (r == 0 || r == -ESTALE || r == -ECANCELED ||
		    task_now(t) + pause > end)
			break;
		if ((r = wait_turn(t, f, pause)) < 0)
			break;
		pause = next_pause(pause);
		r = -ESTALE;
	}
	return r;
}

/* over - its session is, and the client must come again */
static int
over(struct task *t, struct front *f, int why)
{
	bool	expired = why == -ESTALE;

	f->why = expired ? "session expired" :
	    why == -EBUSY ? "too many busy sessions of the account" :
	    "mail store not available";
	log_event(&f->log, EV_IMAPD_LOST_SESSION, KV_TEXT("user", f->login),
	    KV_TEXT("why", f->why));
	if (expired)
		front_drop_handle(f);
	else
		front_forget(f);
	if (why == -EBUSY)
		return front_say(t, f, "* BYE [LIMIT] Too many sessions of "
		    "this account are busy");
	return front_say(t, f, expired ?
	    "* BYE [EXPIRED] The session has expired" :
	    "* BYE [UNAVAILABLE] The mail store is not available");
}

/* wake_up - and if that fails, the client must come again */
static int
wake_up(struct task *t, struct front *f, int *ret_channel)
{
	int r = resume_in_time(t, f, ret_channel);

	if (r == 0)
		f->woken = false;	/* what is said from now on is new */
	/* without a handle there is nothing to wake: its client has left */
	return r == 0 || r == -ECANCELED || f->handle_len == 0 ? r :
	    over(t, f, r);
}

/* wait_any - 1: the client spoke, or there is mail; 0: it shall go */
static int
wait_any(struct task *t, struct front *f)
{
	struct slice	any;
	struct deadline	d;
	int		r;

	for (;;) {
		f->event.set = false;
		if (f->woken || f->void_handle)
			return 1;
		if (daemon_is_stopping(f->daemon))
			return 0;
		if ((r = stream_try_peek(&f->stream, &any)) != -EAGAIN)
			return r < 0 ? r : 1;
		deadline_begin(t, &d, f->spoke + f->p->imapd_idle_timeout -
		    task_now(t));
		r = stream_wait_or(t, &f->stream, &f->event);
		if ((r = deadline_end(t, &d, r)) < 0)
			return r;
	}
}

/* front_asleep - until it is awake again, or over */
int
front_asleep(struct task *t, struct front *f, int *ret_channel)
{
	int r;

	log_event(&f->log, EV_IMAPD_SLEEP, KV_TEXT("user", f->login));
	f->tries = 0;
	f->busy_since = 0;
	r = wait_any(t, f);
	if (r == 1)
		return wake_up(t, f, ret_channel);
	front_forget(f);
	if (r == 0) {
		f->why = "shutdown";
		r = front_say(t, f, "* BYE The server is shutting down");
	}
	return r;
}

/* front_try_again - its process was killed as it was given the session */
int
front_try_again(struct task *t, struct front *f, int *ret_channel)
{
	if (++f->tries < TRIES_MAX)
		return wake_up(t, f, ret_channel);
	return over(t, f, -EAGAIN);
}

/* front_take_turns - more sessions of its account are busy than may be awake:
 * it sleeps on, and comes again */
int
front_take_turns(struct task *t, struct front *f, int *ret_channel)
{
	int r;

	if (f->busy_since == 0) {
		f->busy_since = task_now(t);
		f->pause = RESUME_PAUSE;
	}
	if (task_now(t) + f->pause > f->busy_since + RESUME_LIMIT)
		return over(t, f, -EBUSY);
	if ((r = wait_turn(t, f, f->pause)) < 0)
		return r;
	f->pause = next_pause(f->pause);
	return wake_up(t, f, ret_channel);
}

/* front_on_store - somebody's mail has come */
int
front_on_store(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct imapd		*im = arg;
	struct msg_store_wake	*m = in->msg;
	struct front		*f;

	(void)t;
	(void)c;
	(void)a;
	if (in->desc->number != MSG_store_wake)
		return -EBADMSG;
	f = hash_get(&im->sleepers, m->handle);
	if (f != NULL) {
		f->woken = true;
		signal_set(&f->event);
	}
	return 0;
}

/* make_void - stored was restarted: it knows none of our older handles */
static void
make_void(struct imapd *im)
{
	uint64_t		 now = edge_generation(stored(im));
	struct hash_iter	 it = { 0 };
	struct slice		 key;
	void			*value;

	while (hash_next(&im->sleepers, &it, &key, &value)) {
		struct front *f = value;

		if (f->store == now)
			continue;
		f->void_handle = true;
		signal_set(&f->event);
	}
}

/* give_back - a crowd has gone: what it had is scattered over the heap, which
 * the allocator shrinks from its end only */
static void
give_back(struct imapd *im)
{
	size_t now = daemon_clients(im->daemon);

	if (im->most > 2 * now + TRIM_LEAST)
		(void)malloc_trim(0);	/* or there was nothing to give */
	im->most = now;
}

/* front_watch_store - clients in IDLE would wait for ever */
int
front_watch_store(struct task *t, struct imapd *im)
{
	int r;

	while ((r = task_sleep(t, WATCH_EVERY)) == 0) {
		give_back(im);
		if (im->sleepers.count == 0)
			continue;
		if (edge_ensure(t, stored(im)) == -ECANCELED)
			return -ECANCELED;
		make_void(im);
	}
	return r;
}
