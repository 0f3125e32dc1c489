/* SPDX-License-Identifier: ISC */
/*
 * The life of a session: a socket pair between the protocol's session and two
 * pumps, three tasks that run until one of them has ended, or until it is to
 * sleep.
 */
#include "accountd/sessions_impl.h"

#include <stdlib.h>

#include "accountd/accountd_events.h"
#include "libutil/alloc.h"

#define DRAIN_LIMIT	300000	/* ms for a front to take the last words; */
#define END_LIMIT	2000	/* when the process ends */

/* run_session - the protocol itself */
static int
run_session(struct task *t, void *arg)
{
	struct session	*s = arg;
	int		 r = imap_session(t, s->imap);

	if (r == -ECANCELED)
		return r;
	stream_close(&s->stream);	/* pump_out sees the end behind it */
	return 0;
}

/* last_words - the session is over: what it wrote goes out, then we close.
 * One that is not over is told so first: the process ends. */
static void
last_words(struct task *t, struct session *s)
{
	struct msg_front_close	m = { S("") };
	struct deadline		d;
	int			r = 0;

	shield_begin(t, &d, task_is_cancelled(t) ? END_LIMIT : DRAIN_LIMIT);
	if (s->imap != NULL && session_can_sleep(s))
		imap_session_dismiss(t, s->imap, "The session "
		    "was closed; please log in again");
	if (ipc_is_open(&s->front) && s->pump.fd >= 0)
		r = session_pump_rest(t, s);
	if (r == 0 && ipc_is_open(&s->front))
		r = ipc_send(t, &s->front, &msg_front_close_desc, &m);
	if (r == 0 && ipc_is_open(&s->front))
		r = ipc_drain(t, &s->front);
	ignore(shield_end(t, &d, r));	/* the front may be gone */
}

/* run_tasks - the session and its pumps, until it ends or shall sleep */
static int
run_tasks(struct task *t, struct session *s)
{
	struct task_group	g;
	int			r;

	task_group_begin(t, &g);
	s->tasks = &g;
	task_group_start(&g, run_session, s);
	task_group_start(&g, session_pump_out, s);
	task_group_start(&g, session_pump_in, s);
	/* the session ends first, then what it wrote is pumped out; pump_in
	 * alone would wait for a front that waits for us */
	r = task_group_wait(t, &g, 1);
	task_group_cancel(&g);
	s->tasks = NULL;
	ignore(task_group_end(t, &g));		/* they were cancelled */
	return r;
}

/* serve - run it, and let it sleep when that is asked */
static int
serve(struct task *t, struct session *s)
{
	int r;

	for (;;) {
		r = run_tasks(t, s);
		if (r < 0 || !s->sleep_now)
			break;
		if (session_can_sleep(s))
			return session_freeze(t, s);
		if ((r = session_stay(s)) < 0)
			return r;
	}
	last_words(t, s);
	return r;
}

/* keep_big - of a session's client */
static int
keep_big(struct task *t, void *arg, int fd, uint64_t size,
    uint8_t ret_hash[BODY_HASH_LEN])
{
	return big_keep(t, arg, fd, 0, size, ret_hash);
}

/* open_session - the protocol's session, new or as it slept */
static int
open_session(struct session *s)
{
	struct account_process		*ap = s->ap;
	struct imap_session_setup	 setup = {
		.account = ap->account,
		.bell = &ap->bell,
		.shared = ap->imap,
		.big = { keep_big, big_is_there, ap },
		.stream = &s->stream,
		.params = &ap->imap_params,
		.log = &s->log,
		.user = s->m->login,
		.tag = s->m->greeting,
	};

	if (!slice_equal(s->m->protocol, S("imap")))
		return -EPROTONOSUPPORT;
	if (s->m->state.len > 0)
		return imap_session_thaw(&setup, s->m->state, &s->imap);
	s->imap = imap_session_new(&setup);
	return 0;
}

/* open_pair - the stream and its other end */
static int
open_pair(struct task *t, struct session *s)
{
	int pair[2], r;

	if ((r = fd_pair(pair)) < 0)
		return r;
	stream_open(&s->stream, task_loop(t), &pair[0]);
	io_open(&s->pump, task_loop(t), &pair[1]);
	return 0;
}

/* session_free - release it */
static void
session_free(struct session *s)
{
	session_go_out(s);
	list_remove(&s->link);
	imap_session_free(&s->imap);
	stream_close(&s->stream);
	io_close(&s->pump);
	ipc_close(&s->front);
	arena_free(&s->arena);
	free(s);
}

/* send_back - one that slept does so still; its front brings it again */
static void
send_back(struct task *t, struct session *s)
{
	struct msg_front_busy	busy;
	struct deadline		d;
	int			r;

	s->left_alone = true;
	deadline_begin(t, &d, END_LIMIT);
	r = ipc_post(&s->front, &msg_front_busy_desc, &busy);
	if (r == 0)
		r = ipc_drain(t, &s->front);
	ignore(deadline_end(t, &d, r));		/* it sees the end, then */
}

/* turn_away - a client that has just logged in, and is one too many */
static int
turn_away(struct session *s)
{
	struct msg_front_data m = { S("* BYE [LIMIT] Too many sessions of this "
	    "account at a time\r\n") };

	log_event(&s->log, EV_ACCOUNT_SESSION_LIMIT,
	    KV_TEXT("account", s->ap->id));
	return ipc_post(&s->front, &msg_front_data_desc, &m);
}

/* say_over - it does not sleep: nobody can resume it */
static void
say_over(const struct session *s)
{
	struct msg_account_over m = { s->m->handle, s->m->handover };

	ignore(ipc_post(&s->ap->control, &msg_account_over_desc, &m)); /* a hint */
}

/* say_awake - to the front of a session that slept, which passes on what its
 * client says from the first frame on. The answer to the login is the first
 * one of a new session: who is told that it is logged in is so. */
static int
say_awake(struct task *t, struct session *s)
{
	struct msg_front_awake	awake;
	int			r;

	if (s->m->state.len == 0 && s->m->greeting.len > 0)
		return 0;
	r = ipc_post(&s->front, &msg_front_awake_desc, &awake);
	return r < 0 ? r : session_begun(t, s);
}

/* refuse - a session that cannot be served, here or elsewhere */
static void
refuse(struct session *s, int why)
{
	struct msg_front_close m = { slice_of(strerror(-why)) };

	log_event(&s->log, EV_ACCOUNT_SESSION_FAILED, KV_ERR("why", why));
	ignore(ipc_post(&s->front, &msg_front_close_desc, &m)); /* or it went */
}

/* is_void - was it handed over again, because we were slow? Its front has
 * closed this channel, and its client is not ours. */
static bool
is_void(const struct session *s)
{
	return s->is_void || ipc_has_ended(&s->front);
}

/* come_in - or not: 1 */
static int
come_in(struct task *t, struct session *s)
{
	int r = session_come_in(t, s);

	if (r == -ECANCELED)
		return r;
	if (is_void(s)) {
		s->left_alone = true;
		return 1;
	}
	if (r == 0)
		return 0;
	if (s->m->state.len > 0)
		send_back(t, s);
	else if (turn_away(s) == 0)
		last_words(t, s);
	return 1;
}

/* session_task - one session, from its first byte to sleep or goodbye */
static int
session_task(struct task *t, void *arg)
{
	struct session		*s = arg;
	struct account_process	*ap = s->ap;
	int			 r;

	ipc_open(&s->front, task_loop(t), &s->m->channel, &ipc_table_front,
	    IPC_CALLEE);
	ipc_set_state(&s->front, FRONT_AWAKE);
	log_init(&s->log, daemon_log(ap->daemon));
	log_set(&s->log, KV_STR("session", s->m->session));
	log_set(&s->log, KV_STR("client", s->m->client_address));
	process_active(ap);
	if (come_in(t, s) != 0)
		goto out;
	if ((r = open_pair(t, s)) == 0)
		r = open_session(s);
	if (r == 0)
		r = say_awake(t, s);
	if (r < 0)
		refuse(s, r);
	else
		r = serve(t, s);
out:
	if (!s->asleep && !s->left_alone)
		say_over(s);
	session_free(s);
	process_active(ap);
	process_say_damage(ap);
	signal_set(&ap->fewer);
	/* what became of one session is not the others' business */
	return task_is_cancelled(t) ? -ECANCELED : 0;
}

/* void_older - the same session, handed over before and not begun: its front
 * has given up waiting for it */
static void
void_older(struct account_process *ap, const struct msg_account_session *m)
{
	LIST_EACH(&ap->sessions, link) {
		struct session *s = CONTAINER_OF(link, struct session, link);

		if (s->begun || m->handle.len == 0 ||
		    !slice_equal(s->m->handle, m->handle) ||
		    s->m->handover >= m->handover)
			continue;
		s->is_void = true;
		signal_set(&s->turn);
	}
}

/* sessions_start - serve one more */
void
sessions_start(struct account_process *ap, struct msg_account_session *m,
    struct arena *arena_take)
{
	struct session *s = NEW(struct session);

	void_older(ap, m);
	list_init(&s->in_line);
	s->ap = ap;
	s->m = m;
	s->arena = *arena_take;
	*arena_take = (struct arena)ARENA_INIT;
	s->front.io.fd = s->stream.io.fd = s->pump.fd = -1;
	list_add_tail(&ap->sessions, &s->link);
	task_group_start(daemon_group(ap->daemon), session_task, s);
}
