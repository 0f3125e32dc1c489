/* SPDX-License-Identifier: ISC */
/* What an account process says, from its start to its end. */
#include <stdlib.h>
#include <sys/wait.h>

#include "libglobal/ipc_zygote.h"
#include "stored/stored.h"
#include "stored/stored_events.h"

#define CALLS_AT_ONCE	32

/* on_idle - it has nothing to do, or has again */
static void
on_idle(struct account_entry *e, bool idle)
{
	if (!idle && e->state == ACCOUNT_ENDING &&
	    ipc_is_open(&e->child->conn)) {
		entry_set_idle(e, false);
		entry_set_state(e, ACCOUNT_UP);	/* it stays */
	}
	if (e->state == ACCOUNT_UP)
		entry_set_idle(e, idle);
}

/* on_log - its edge to logd broke */
static int
on_log(struct task *t, struct account_entry *e, struct ipc_conn *c,
    uint32_t request)
{
	struct msg_account_log_fd	m = { -1 };
	int				r;

	r = daemon_connect(t, e->stored->daemon, "logd", &m.fd);
	if (r == -ECANCELED)
		return r;
	r = ipc_reply(c, request, &msg_account_log_fd_desc, &m);
	fd_close(&m.fd);
	return r;
}

/* on_frozen - a session sleeps */
static int
on_frozen(struct account_entry *e, struct ipc_conn *c, struct ipc_in *in)
{
	struct msg_account_kept m;

	sleeper_keep(e, in->msg);
	return ipc_reply(c, in->request, &msg_account_kept_desc, &m);
}

/* on_usage - after a commit */
static void
on_usage(struct account_entry *e, const struct msg_account_usage *m)
{
	e->bytes = m->bytes;
	e->messages = m->messages;
	e->usage_known = true;
	wait_wake(&e->waiters);
}

/* on_big - a large body, for all who have it */
static int
on_big(struct task *t, struct account_entry *e, struct ipc_conn *c,
    struct ipc_in *in)
{
	struct msg_account_big_kept	m = { .ok = false };
	unsigned char			hash[32];
	int				r = big_keep(t, e, in->msg, hash);

	if (r == -ECANCELED)
		return r;
	if (r == 0) {
		m.ok = true;
		m.hash = slice_over(hash, sizeof(hash));
	} else {
		log_event(daemon_log(e->stored->daemon), EV_STORED_BIG,
		    KV_TEXT("account", e->id), KV_ERR("why", r));
		m.text = slice_of(strerror(-r));
	}
	return ipc_reply(c, in->request, &msg_account_big_kept_desc, &m);
}

/* on_message - one message of the process */
static int
on_message(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct account_entry *e = arg;

	(void)a;
	switch (in->desc->number) {
	case MSG_account_frozen:
		return in->request == 0 ? -EBADMSG : on_frozen(e, c, in);
	case MSG_account_over:
		sleeper_over(e, in->msg);
		return 0;
	case MSG_account_begun:
		sleeper_begun(e, in->msg);
		return 0;
	case MSG_account_changed:
		sleepers_wake(e);
		return 0;
	case MSG_account_usage:
		on_usage(e, in->msg);
		return 0;
	case MSG_account_idle:
		on_idle(e, ((struct msg_account_idle *)in->msg)->idle);
		return 0;
	case MSG_account_big:
		return in->request == 0 ? -EBADMSG : on_big(t, e, c, in);
	case MSG_account_log:
		return in->request == 0 ? -EBADMSG :
		    on_log(t, e, c, in->request);
	default:
		return -EBADMSG;
	}
}

/* say_ended - in the words of its account, which the zygote does not know */
static void
say_ended(struct stored *s, const struct account_entry *e, int status)
{
	char how[32];

	if (WIFSIGNALED(status))
		(void)snprintf(how, sizeof(how), "signal %d",
		    WTERMSIG(status));
	else
		(void)snprintf(how, sizeof(how), "exit status %d",
		    WEXITSTATUS(status));
	log_event(daemon_log(s->daemon), EV_STORED_ENDED,
	    KV_TEXT("account", e->id), KV_UINT("pid", e->last_pid),
	    KV_TEXT("how", how));
}

/* on_zygote_message - a process has ended; its channel says so, too, and
 * that decides: so only a failure is told */
int
on_zygote_message(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	const struct msg_zygote_ended	*m = in->msg;
	struct stored			*s = arg;
	struct hash_iter		 it = { 0 };
	struct slice			 key;
	void				*value;

	(void)t;
	(void)c;
	(void)a;
	if (in->desc->number != MSG_zygote_ended)
		return -EBADMSG;
	if (m->status == 0)
		return 0;
	while (hash_next(&s->accounts, &it, &key, &value)) {
		struct account_entry *e = value;

		if (e->last_pid == m->pid) {
			say_ended(s, e, (int)m->status);
			e->last_pid = 0;
			break;
		}
	}
	return 0;
}

/* has_ended_well - because it was asked to, or without having served? */
static bool
has_ended_well(const struct account_entry *e)
{
	if (e->failure < 0 || e->state == ACCOUNT_STARTING)
		return true;
	return e->state == ACCOUNT_ENDING && !e->child->is_cut;
}

/* control_task - until its channel ends; then the account has no process */
int
control_task(struct task *t, void *arg)
{
	struct account_entry	*e = arg;
	struct stored		*s = e->stored;
	struct account_child	*c = e->child;
	bool			 was_cut;
	int			 r;

	r = ipc_serve_parallel(t, &c->conn, on_message, e, CALLS_AT_ONCE);
	if (r == -EBADMSG)
		log_event(daemon_log(s->daemon), EV_STORED_BROKEN,
		    KV_TEXT("account", e->id), KV_UINT("pid", c->pid),
		    KV_TEXT("why", ipc_error(&c->conn)));
	was_cut = !has_ended_well(e);
	ipc_close(&c->conn);
	entry_set_idle(e, false);
	sleepers_drop(e, false);	/* those that were awake in it */
	e->child = NULL;
	give_room(s);
	child_release(c);
	/* one that is being started is its starter's to declare down */
	if (e->state != ACCOUNT_STARTING)
		entry_set_state(e, ACCOUNT_DOWN);
	else
		wait_wake(&e->waiters);
	/* perhaps it had no time to say what it committed last */
	if (was_cut && !task_is_cancelled(t))
		sleepers_wake(e);
	return task_is_cancelled(t) ? -ECANCELED : 0;
}
