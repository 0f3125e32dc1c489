/* SPDX-License-Identifier: ISC */
/*
 * Account processes: started at the first need, kept while they are used and
 * for a while after, ended one by one when there are too many.
 *
 * One task starts a process while others wait in the entry. A process that
 * was asked to end may refuse, because a client spoke; so nothing is sent to
 * it meanwhile: who needs it waits for its end or its no.
 */
#include <poll.h>
#include <stdlib.h>

#include "libglobal/ipc_zygote.h"
#include "libtask/loop.h"
#include "libtask/work.h"
#include "libutil/alloc.h"
#include "stored/stored.h"
#include "stored/stored_events.h"

#define LOOK_EVERY	1000	/* ms between looks at idle processes */
#define AGAIN_PAUSE	100	/* ms before the second try; doubles */
#define AGAIN_PAUSE_MAX	1000
#define NO_ZYGOTE	(-ECONNREFUSED)
#define DIED_MAX	5	/* processes that fall as they come up */
#define FULL_EVERY	60000	/* ms between two complaints of no room */

/* child_hold - it must not be freed meanwhile */
struct account_child *
child_hold(struct account_entry *e)
{
	e->child->users++;
	return e->child;
}

/* child_release - the last one frees it */
void
child_release(struct account_child *c)
{
	if (--c->users > 0)
		return;
	ipc_close(&c->conn);
	free(c);
}

/* ending - nothing is sent to it until it has ended, or refused to */
static void
ending(struct account_entry *e)
{
	entry_set_idle(e, false);
	list_add_tail(&e->stored->ending, &e->link);
	entry_set_state(e, ACCOUNT_ENDING);
}

/* child_end - ask it to end */
void
child_end(struct account_entry *e)
{
	struct msg_account_end m;

	if (e->state != ACCOUNT_UP)
		return;
	ending(e);
	if (ipc_post(&e->child->conn, &msg_account_end_desc, &m) < 0)
		child_cut(e);
}

/* child_cut - close its channel; its task does the rest */
void
child_cut(struct account_entry *e)
{
	if (e->child == NULL)
		return;
	if (e->state == ACCOUNT_UP)
		ending(e);
	e->child->is_cut = true;
	ipc_close(&e->child->conn);
}

/* --- room */

/* say_full - now and then */
static void
say_full(struct stored *s, const struct account_entry *e)
{
	int64_t now = loop_now(daemon_loop(s->daemon));

	if (s->said_full != 0 && now - s->said_full < FULL_EVERY)
		return;
	s->said_full = now;
	log_event(daemon_log(s->daemon), EV_STORED_FULL,
	    KV_UINT("count", s->running), KV_TEXT("account", e->id));
}

/* make_room - wait until one more process may run, and count it */
static int
make_room(struct task *t, struct account_entry *e)
{
	struct stored			*s = e->stored;
	const struct stored_params	*p = daemon_params(s->daemon);
	int				 r = 0;

	while (r == 0 && s->running >= (size_t)p->stored_account_processes) {
		if (!list_is_empty(&s->idle)) {
			child_end(CONTAINER_OF(s->idle.next,
			    struct account_entry, link));
		} else {
			say_full(s, e);
		}
		r = wait_in(t, &s->room);
		p = daemon_params(s->daemon);
	}
	if (r == 0)
		s->running++;
	return r;
}

/* give_room - one that was counted does not run, or no more */
void
give_room(struct stored *s)
{
	s->running--;
	wait_wake(&s->room);
}

/* --- start */

/* has_died - was that the end of a process, not an answer of one? */
static bool
has_died(int r)
{
	return r == -ECONNRESET || r == -ECONNREFUSED || r == -EPIPE ||
	    r == -EBADF || r == -ENODATA;
}

/* fork_child - have the zygote start it with these two descriptors;
 * NO_ZYGOTE if none answers */
static int
fork_child(struct task *t, struct account_entry *e, const char *folder,
    int control, int log, uint32_t *ret_pid)
{
	struct daemon			*d = e->stored->daemon;
	struct msg_zygote_fork		 m = { slice_of(folder), control, log };
	const struct msg_zygote_forked	*answer;
	struct arena			 a = ARENA_INIT;
	void				*reply;
	int				 r;

	r = edge_call(t, daemon_edge(d, "accountd", &ipc_table_zygote),
	    &msg_zygote_fork_desc, &m, &msg_zygote_forked_desc, &a, &reply);
	if (r == 0) {
		answer = reply;
		*ret_pid = answer->pid;
		r = answer->pid == 0 ? -EAGAIN : 0;
	}
	arena_free(&a);
	return has_died(r) ? NO_ZYGOTE : r;
}

/* introduce - tell the child whom it serves, and hear whether it can */
static int
introduce(struct task *t, struct account_entry *e, struct account_child *c,
    bool create)
{
	struct stored			*s = e->stored;
	struct msg_account_start	 m = { slice_of(e->id),
	    slice_of(e->name), create, e->quota_bytes, e->quota_messages,
	    !list_is_empty(&e->sleepers) };
	const struct msg_account_up	*up;
	struct arena			 a = ARENA_INIT;
	void				*reply;
	int				 r;

	r = ipc_call(t, &c->conn, &msg_account_start_desc, &m,
	    &msg_account_up_desc, &a, &reply);
	if (r == 0) {
		up = reply;
		r = up->ok ? 0 : -EIO;
		if (!up->confined && up->ok && !s->said_unconfined) {
			s->said_unconfined = true;
			log_event(daemon_log(s->daemon),
			    EV_STORED_NOT_CONFINED);
		}
	}
	arena_free(&a);
	return r;
}

/* spawn - a process with a channel; its control task runs from now on */
static int
spawn(struct task *t, struct account_entry *e, const char *folder)
{
	struct daemon		*d = e->stored->daemon;
	struct account_child	*c;
	int			 pair[2] = { -1, -1 }, log = -1, r;
	uint32_t		 pid = 0;

	if ((r = fd_pair(pair)) < 0 ||
	    (r = daemon_connect(t, d, "logd", &log)) < 0 ||
	    (r = fork_child(t, e, folder, pair[1], log, &pid)) < 0)
		goto out;
	c = NEW(struct account_child);
	c->pid = pid;
	c->users = 1;			/* its control task */
	e->last_pid = pid;
	ipc_open(&c->conn, daemon_loop(d), &pair[0], &ipc_table_account,
	    IPC_CALLER);
	e->child = c;
	daemon_note_child(d, pid, slice_of(e->name));
	task_group_start(daemon_group(d), control_task, e);
out:
	fd_close(&pair[0]);
	fd_close(&pair[1]);
	fd_close(&log);
	return r;
}

/* start - from nothing to a process that serves */
static int
start(struct task *t, struct account_entry *e)
{
	struct folder_job	 j;
	struct account_child	*c;
	int			 r;

	folder_path(&j, e->id);
	if ((r = entry_identify(t, e)) < 0 || (r = make_room(t, e)) < 0)
		return r;
	if ((r = work_run(t, folder_make, &j)) < 0 ||
	    (r = spawn(t, e, j.path)) < 0) {
		give_room(e->stored);
		return r;
	}
	c = child_hold(e);
	r = introduce(t, e, c, true);
	if (r == 0 && e->child != c)
		r = -ECONNRESET;	/* it came up and fell */
	child_release(c);
	return r;
}

/* start_again - when the process or the zygote was killed meanwhile, that
 * says nothing of the account. Master has another zygote in a moment, or later
 * if that is killed often: only stored_account_wait_time ends the wait for it */
static int
start_again(struct task *t, struct account_entry *e)
{
	int64_t	pause = AGAIN_PAUSE;
	int	r, died = 0;

	for (;;) {
		r = start(t, e);
		if (!has_died(r) ||
		    (r != NO_ZYGOTE && ++died > DIED_MAX))
			return r;
		child_cut(e);
		for (r = 0; r == 0 && e->child != NULL; )
			r = wait_in(t, &e->waiters);
		if (r < 0 || (r = task_sleep(t, pause)) < 0)
			return r;
		pause = pause < AGAIN_PAUSE_MAX / 2 ? pause * 2 :
		    AGAIN_PAUSE_MAX;
	}
}

/* begin - start it, and tell who waits how that went */
static int
begin(struct task *t, struct account_entry *e)
{
	struct daemon			*d = e->stored->daemon;
	const struct stored_params	*p = daemon_params(d);
	struct deadline			 limit;
	int				 r;

	entry_set_state(e, ACCOUNT_STARTING);
	deadline_begin(t, &limit, p->stored_account_wait_time);
	r = start_again(t, e);
	r = deadline_end(t, &limit, r);
	e->failure = r;
	if (r == 0) {
		entry_set_state(e, ACCOUNT_UP);
		log_event(daemon_log(d), EV_STORED_UP,
		    KV_TEXT("account", e->id), KV_TEXT("name", e->name),
		    KV_UINT("pid", e->child->pid));
		return 0;
	}
	if (r != -ENOENT && r != -ECANCELED)
		log_event(daemon_log(d), EV_STORED_START,
		    KV_TEXT("account", e->id), KV_ERR("why", r));
	/* a process that is there is waited for by its own task */
	if (e->child != NULL) {
		ending(e);
		child_cut(e);
	} else {
		entry_set_state(e, ACCOUNT_DOWN);
	}
	return r;
}

/* ensure - until it is up, or cannot be */
static int
ensure(struct task *t, struct account_entry *e)
{
	enum account_state	was;
	int			r = 0;

	while (r == 0 && e->state != ACCOUNT_UP) {
		if (e->state == ACCOUNT_DOWN)
			return begin(t, e);
		was = e->state;
		r = wait_in(t, &e->waiters);
		/* what another has tried for us in vain */
		if (r == 0 && was == ACCOUNT_STARTING &&
		    e->state != was && e->state != ACCOUNT_UP &&
		    e->failure < 0 &&
		    e->failure != -ECANCELED)
			r = e->failure;
	}
	return r;
}

/* has_hung_up - was it killed a moment ago? Its channel tells at once, and
 * its task when it is run */
static bool
has_hung_up(struct account_entry *e)
{
	struct pollfd p = { .fd = e->child->conn.io.fd };

	if (poll(&p, 1, 0) <= 0)
		return false;
	child_cut(e);
	return true;
}

/* child_ensure - have a process that serves the account */
int
child_ensure(struct task *t, struct account_entry *e)
{
	const struct stored_params	*p =
	    daemon_params(e->stored->daemon);
	struct deadline			 limit;
	int				 r;

	deadline_begin(t, &limit, p->stored_account_wait_time);
	do
		r = ensure(t, e);
	while (r == 0 && has_hung_up(e));
	r = deadline_end(t, &limit, r);
	return r;
}

/* --- end */

/* look - ask those to end that were idle for long enough */
static void
look(struct stored *s)
{
	const struct stored_params	*p = daemon_params(s->daemon);
	int64_t				 now = loop_now(daemon_loop(s->daemon));

	LIST_EACH_SAFE(&s->idle, link) {
		struct account_entry *e = CONTAINER_OF(link,
		    struct account_entry, link);

		if (now - e->since < p->stored_account_idle_time)
			break;		/* the rest came later */
		child_end(e);
	}
}

/* press - close the channels of those that take too long to end */
static void
press(struct stored *s)
{
	const struct stored_params	*p = daemon_params(s->daemon);
	int64_t				 now = loop_now(daemon_loop(s->daemon));

	LIST_EACH_SAFE(&s->ending, link) {
		struct account_entry *e = CONTAINER_OF(link,
		    struct account_entry, link);

		if (now - e->since < p->stored_end_time)
			break;		/* the rest came later */
		list_remove(&e->link);
		log_event(daemon_log(s->daemon), EV_STORED_SLOW_END,
		    KV_TEXT("account", e->id), KV_UINT("pid", e->child->pid));
		child_cut(e);
	}
}

/* children_run - as long as the daemon lives */
int
children_run(struct task *t, struct stored *s)
{
	int r = 0;

	while (r == 0) {
		if (s->running == 0)
			r = signal_wait(t, &s->work);
		else
			r = task_sleep(t, LOOK_EVERY);
		if (r < 0)
			break;
		look(s);
		press(s);
	}
	return r;
}
