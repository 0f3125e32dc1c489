/* SPDX-License-Identifier: ISC */
/*
 * Sessions. A protocol's session reads and writes a stream; its client is
 * behind a front that speaks in frames. So each session has a socket pair and
 * two pumps between pair and channel. Either side's backlog stops the other:
 * a pump that cannot write does not read.
 *
 * Sleeping: we say sleep; the front answers ok only if nothing of its client
 * is unread. Then the session is stopped. If it still has nothing to do its
 * state goes to stored, and the channel is closed once stored has it; if
 * something came meanwhile we say awake and go on.
 */
#include <stdlib.h>
#include <sys/ioctl.h>

#include "accountd/accountd.h"
#include "accountd/accountd_events.h"
#include "libglobal/ipc_account.h"
#include "libglobal/ipc_front.h"
#include "libutil/alloc.h"

#define PUMP_SIZE	((size_t)32768)
#define SLEEP_LIMIT	5000	/* ms for a front to answer, or stored */
#define DRAIN_LIMIT	300000	/* ms for a front to take the last words; */
#define END_LIMIT	2000	/* when the process ends */

struct session {
	struct list		 link;
	struct account_process	*ap;
	struct arena		 arena;		/* of the message */
	struct msg_account_session *m;
	struct ipc_conn		 front;
	struct stream		 stream;	/* the session's end */
	struct io		 pump;		/* ours */
	struct imap_session	*imap;
	struct log		 log;
	struct task_group	*tasks;		/* while they run */
	bool			 pumping;	/* bytes are in a pump's hands */
	bool			 asked;		/* sleep was said */
	bool			 refused;	/* and answered no */
	bool			 sleep_now;	/* and answered ok */
	bool			 asleep;	/* its state is with stored */
};

/* --- may it sleep? */

/* pending - bytes that wait in a socket */
static bool
pending(int fd)
{
	int n = 0;

	return fd < 0 || ioctl(fd, FIONREAD, &n) < 0 || n > 0;
}

/* can_sleep - does it wait for its client, with nothing on the way? */
static bool
can_sleep(struct session *s)
{
	return s->imap != NULL && imap_session_can_sleep(s->imap) &&
	    stream_is_open(&s->stream) && !s->pumping &&
	    !pending(s->stream.io.fd) && !pending(s->pump.fd);
}

/* stay - something came after we had said sleep */
static int
stay(struct session *s)
{
	struct msg_front_awake m;

	s->sleep_now = false;
	s->refused = true;
	signal_set(&s->ap->fewer);
	return ipc_post(&s->front, &msg_front_awake_desc, &m);
}

/* --- the three tasks */

/* to_session - bytes of the client */
static int
to_session(struct task *t, struct session *s, struct slice bytes)
{
	int r;

	process_active(s->ap);
	s->pumping = true;
	r = io_write_all(t, &s->pump, bytes);
	s->pumping = false;
	return r;
}

/* on_sleep_ok - stop the session, unless something came meanwhile: what is
 * under way must not be cut */
static int
on_sleep_ok(struct session *s)
{
	s->asked = false;
	ipc_set_state(&s->front, FRONT_AWAKE);
	if (!can_sleep(s))
		return stay(s);
	s->sleep_now = true;
	task_group_cancel(s->tasks);
	return 0;
}

/* on_front - one message of the front; 1: the client has gone */
static int
on_front(struct task *t, struct session *s, struct ipc_in *in)
{
	switch (in->desc->number) {
	case MSG_front_data:
		return to_session(t, s,
		    ((struct msg_front_data *)in->msg)->bytes);
	case MSG_front_sleep_ok:
		return on_sleep_ok(s);
	case MSG_front_sleep_no:
		s->asked = false;
		s->refused = true;
		ipc_set_state(&s->front, FRONT_AWAKE);
		signal_set(&s->ap->fewer);
		return 0;
	case MSG_front_close:
		return 1;
	default:
		return -EBADMSG;
	}
}

/* pump_in - from the front to the session */
static int
pump_in(struct task *t, void *arg)
{
	struct session	*s = arg;
	struct arena	 a = ARENA_INIT;
	struct ipc_in	 in;
	int		 r = 0;

	while (r == 0 && (r = ipc_recv(t, &s->front, &a, &in)) == 0) {
		r = on_front(t, s, &in);
		ipc_in_done(&in);
		arena_reset(&a);
		if (!ipc_has_input(&s->front))
			arena_free(&a);		/* it may be long */
	}
	arena_free(&a);
	if (r == -ECANCELED)
		return r;
	/* the session reads its end, finishes, and ends the others */
	if (s->pump.fd >= 0)
		(void)shutdown(s->pump.fd, SHUT_WR);	/* or it ended first */
	return 0;
}

/* send_on - what the session wrote, to the front; 0 at its end */
static ssize_t
send_on(struct task *t, struct session *s, char *data)
{
	struct msg_front_data	m;
	ssize_t			n = io_try_read(&s->pump, data, PUMP_SIZE);
	int			r;

	if (n <= 0)
		return n;
	m.bytes = slice_over(data, (size_t)n);
	s->pumping = true;
	r = ipc_send(t, &s->front, &msg_front_data_desc, &m);
	s->pumping = false;
	process_active(s->ap);
	return r < 0 ? r : n;
}

/* pump_out - from the session to the front; no buffer while it waits */
static int
pump_out(struct task *t, void *arg)
{
	struct session	*s = arg;
	char		*data = NULL;
	ssize_t		 n;
	int		 r = 0;

	while (r == 0) {
		if (data == NULL)
			data = xmalloc(PUMP_SIZE);
		n = send_on(t, s, data);
		if (n == 0)
			break;
		if (n == -EAGAIN) {
			free(data);
			data = NULL;
			r = io_wait_read(t, &s->pump);
		} else if (n < 0) {
			r = (int)n;
		}
	}
	free(data);
	if (r == -ECANCELED)
		return r;
	/* a front that went away: let the session see it */
	if (r < 0)
		(void)shutdown(s->pump.fd, SHUT_RDWR);
	return 0;
}

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

/* pump_rest - what the session wrote last, when its pumps have ended */
static int
pump_rest(struct task *t, struct session *s)
{
	char	*data = xmalloc(PUMP_SIZE);
	ssize_t	 n;
	int	 r = 0;

	stream_close(&s->stream);	/* so that it has an end */
	while (r == 0 && (n = send_on(t, s, data)) != 0)
		r = n == -EAGAIN ? io_wait_read(t, &s->pump) :
		    n < 0 ? (int)n : 0;
	free(data);
	return r;
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
	if (s->imap != NULL && can_sleep(s))
		imap_session_dismiss(t, s->imap, "Please log in again");
	if (ipc_is_open(&s->front) && s->pump.fd >= 0)
		r = pump_rest(t, s);
	if (r == 0 && ipc_is_open(&s->front))
		r = ipc_send(t, &s->front, &msg_front_close_desc, &m);
	if (r == 0 && ipc_is_open(&s->front))
		r = ipc_drain(t, &s->front);
	ignore(shield_end(t, &d, r));	/* the front may be gone */
}

/* --- sleeping */

/* freeze - give its state to stored; then it sleeps */
static int
freeze(struct task *t, struct session *s)
{
	struct buf		 state = BUF_INIT;
	struct msg_account_frozen m = { s->m->handle, s->m->protocol,
	    s->m->login, s->m->session, s->m->client_address, SLICE_EMPTY,
	    imap_session_is_idling(s->imap) };
	struct arena		 a = ARENA_INIT;
	struct deadline		 d;
	void			*reply;
	int			 r;

	imap_session_freeze(s->imap, &state);
	m.state = buf_slice(&state);
	deadline_begin(t, &d, SLEEP_LIMIT);
	r = ipc_call(t, &s->ap->control, &msg_account_frozen_desc, &m,
	    &msg_account_kept_desc, &a, &reply);
	r = deadline_end(t, &d, r);
	s->asleep = r == 0;
	buf_free(&state);
	arena_free(&a);
	return r;
}

/* ask_sleep - begin to put a session to sleep; false if it cannot be now */
static bool
ask_sleep(struct session *s)
{
	struct msg_front_sleep m = { s->m->handle };

	if (s->m->handle.len == 0 || s->sleep_now || !can_sleep(s))
		return false;
	if (s->asked)
		return true;
	s->refused = false;
	s->asked = ipc_post(&s->front, &msg_front_sleep_desc, &m) == 0;
	if (s->asked)
		ipc_set_state(&s->front, FRONT_DROWSY);
	return s->asked;
}

/* sessions_are_quiet - does every one wait for its client? */
bool
sessions_are_quiet(const struct account_process *ap)
{
	LIST_EACH(&ap->sessions, link)
		if (!can_sleep(CONTAINER_OF(link, struct session, link)))
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
		if (!ask_sleep(CONTAINER_OF(link, struct session, link)))
			return 0;
	deadline_begin(t, &d, SLEEP_LIMIT);
	while (r == 0 && !list_is_empty(&ap->sessions) && !any_stays(ap))
		r = signal_wait(t, &ap->fewer);
	r = deadline_end(t, &d, r);
	*ret_all = list_is_empty(&ap->sessions);
	return r == -ETIMEDOUT ? 0 : r;
}

/* --- its life */

/* run_tasks - the session and its pumps, until it ends or shall sleep */
static int
run_tasks(struct task *t, struct session *s)
{
	struct task_group	g;
	int			r;

	task_group_begin(t, &g);
	s->tasks = &g;
	task_group_start(&g, run_session, s);
	task_group_start(&g, pump_out, s);
	task_group_start(&g, pump_in, s);
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
		if (can_sleep(s))
			return freeze(t, s);
		if ((r = stay(s)) < 0)
			return r;
	}
	last_words(t, s);
	return r;
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

static void
session_free(struct session *s)
{
	list_remove(&s->link);
	s->ap->session_count--;
	imap_session_free(&s->imap);
	stream_close(&s->stream);
	io_close(&s->pump);
	ipc_close(&s->front);
	arena_free(&s->arena);
	free(s);
}

/* turn_away - one too many */
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
	struct msg_account_over m = { s->m->handle };

	ignore(ipc_post(&s->ap->control, &msg_account_over_desc, &m)); /* a hint */
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
	if (ap->session_count >
	    (size_t)ap->p->accountd_session_limit) {
		if ((r = turn_away(s)) == 0)
			last_words(t, s);
		goto out;
	}
	if ((r = open_pair(t, s)) == 0)
		r = open_session(s);
	if (r < 0)
		log_event(&s->log, EV_ACCOUNT_SESSION_FAILED, KV_ERR("why", r));
	else
		r = serve(t, s);
out:
	if (!s->asleep)
		say_over(s);
	session_free(s);
	process_active(ap);
	process_say_damage(ap);
	signal_set(&ap->fewer);
	/* what became of one session is not the others' business */
	return task_is_cancelled(t) ? -ECANCELED : 0;
}

/* sessions_start - serve one more */
void
sessions_start(struct account_process *ap, struct msg_account_session *m,
    struct arena *arena_take)
{
	struct session *s = NEW(struct session);

	s->ap = ap;
	s->m = m;
	s->arena = *arena_take;
	*arena_take = (struct arena)ARENA_INIT;
	s->front.io.fd = s->stream.io.fd = s->pump.fd = -1;
	list_add_tail(&ap->sessions, &s->link);
	ap->session_count++;
	task_group_start(daemon_group(ap->daemon), session_task, s);
}
