/* SPDX-License-Identifier: ISC */
/*
 * Sleeping: we say sleep; the front answers ok only if nothing of its client
 * is unread. Then the session is stopped. If it still has nothing to do its
 * state goes to stored, and the channel is closed once stored has it; if
 * something came meanwhile we say awake and go on.
 */
#include "accountd/sessions_impl.h"

#include <sys/ioctl.h>

#include "libtask/loop.h"

#define SLEEP_LIMIT	5000	/* ms for a front to answer */
#define KEEP_LIMIT	20000	/* ms for stored: the client would be lost */

/* pending - bytes that wait in a socket */
static bool
pending(int fd)
{
	int n = 0;

	return fd < 0 || ioctl(fd, FIONREAD, &n) < 0 || n > 0;
}

/* session_can_sleep - does it wait for its client, with nothing on the way? */
bool
session_can_sleep(struct session *s)
{
	return s->imap != NULL && imap_session_can_sleep(s->imap) &&
	    stream_is_open(&s->stream) && !s->pumping &&
	    !pending(s->stream.io.fd) && !pending(s->pump.fd);
}

/* session_stay - something came after we had said sleep */
int
session_stay(struct session *s)
{
	struct msg_front_awake m;

	s->sleep_now = false;
	s->refused = true;
	signal_set(&s->ap->fewer);
	session_active(s);
	return ipc_post(&s->front, &msg_front_awake_desc, &m);
}

/* session_on_sleep_ok - stop the session, unless something came meanwhile: what is
 * under way must not be cut */
int
session_on_sleep_ok(struct session *s)
{
	s->asked = false;
	ipc_set_state(&s->front, FRONT_AWAKE);
	if (!session_can_sleep(s))
		return session_stay(s);
	s->sleep_now = true;
	task_group_cancel(s->tasks);
	return 0;
}

/* note_sleeper - the first one that idles has been told of all there was */
static void
note_sleeper(struct account_process *ap, bool idling)
{
	if (!idling || ap->has_sleepers)
		return;
	ap->has_sleepers = true;
	ap->told = ap->bell.rings;
}

/* session_freeze - give its state to stored; then it sleeps */
int
session_freeze(struct task *t, struct session *s)
{
	struct account_process	*ap = s->ap;
	struct buf		 state = BUF_INIT;
	struct msg_account_frozen m = { s->m->handle, s->m->protocol,
	    s->m->login, s->m->session, s->m->client_address, SLICE_EMPTY,
	    imap_session_is_idling(s->imap), s->m->handover };
	uint64_t		 rings = ap->bell.rings;
	struct arena		 a = ARENA_INIT;
	struct deadline		 d;
	void			*reply;
	int			 r;

	imap_session_freeze(s->imap, &state);
	m.state = buf_slice(&state);
	note_sleeper(ap, m.idling);
	deadline_begin(t, &d, KEEP_LIMIT);
	r = ipc_call(t, &ap->control, &msg_account_frozen_desc, &m,
	    &msg_account_kept_desc, &a, &reply);
	r = deadline_end(t, &d, r);
	s->asleep = r == 0;
	/* what changed before stored had it would wake nobody */
	if (r == 0 && m.idling && rings != ap->bell.rings)
		r = process_tell_news(ap);
	buf_free(&state);
	arena_free(&a);
	return r;
}

/* session_ask_sleep - begin to put it to sleep; false if it cannot be now */
bool
session_ask_sleep(struct session *s)
{
	struct msg_front_sleep m = { s->m->handle };

	if (s->m->handle.len == 0 || s->sleep_now || !session_can_sleep(s))
		return false;
	if (s->asked)
		return true;
	s->refused = false;
	s->asked = ipc_post(&s->front, &msg_front_sleep_desc, &m) == 0;
	s->asked_at = loop_now(daemon_loop(s->ap->daemon));
	if (s->asked)
		ipc_set_state(&s->front, FRONT_DROWSY);
	return s->asked;
}

/* sessions_are_quiet - does every one wait for its client? */
bool
sessions_are_quiet(const struct account_process *ap)
{
	LIST_EACH(&ap->sessions, link)
		if (!session_can_sleep(CONTAINER_OF(link, struct session, link)))
			return false;
	return true;
}

/* any_stays - has one said that it will not sleep? */
static bool
any_stays(const struct account_process *ap)
{
	LIST_EACH(&ap->sessions, link) {
		struct session *s = CONTAINER_OF(link, struct session, link);

		if (s->refused || (!s->asked && !s->sleep_now))
			return true;
	}
	return false;
}

/* sessions_sleep - ask all, and wait for the last */
int
sessions_sleep(struct task *t, struct account_process *ap, bool *ret_all)
{
	struct deadline	d;
	int		r = 0;

	*ret_all = false;
	if (!sessions_are_quiet(ap))
		return 0;
	LIST_EACH(&ap->sessions, link)
		if (!session_ask_sleep(CONTAINER_OF(link, struct session,
		    link)))
			return 0;
	deadline_begin(t, &d, SLEEP_LIMIT);
	while (r == 0 && !list_is_empty(&ap->sessions) && !any_stays(ap))
		r = signal_wait(t, &ap->fewer);
	r = deadline_end(t, &d, r);
	*ret_all = list_is_empty(&ap->sessions);
	return r == -ETIMEDOUT ? 0 : r;
}
