/* SPDX-License-Identifier: ISC */
/*
 * What is known of accounts. An entry is made when an account is first asked
 * for and kept: it is small, and only ids that authd gave come here.
 */
#include <stdlib.h>

#include "libglobal/ipc_auth.h"
#include "libtask/loop.h"
#include "libutil/alloc.h"
#include "libutil/hex.h"
#include "stored/stored.h"
#include "stored/stored_events.h"

#define LIMITS_PAUSE	1000	/* ms, in which further changes may come */

/* --- waiting */

/* wait_in - until who changes something wakes all */
int
wait_in(struct task *t, struct list *waiters)
{
	struct waiter	w = { .signal = SIGNAL_INIT };
	int		r;

	list_add_tail(waiters, &w.link);
	r = signal_wait(t, &w.signal);
	list_remove(&w.link);
	return r;
}

/* wait_wake - all of them look again */
void
wait_wake(struct list *waiters)
{
	LIST_EACH(waiters, link)
		signal_set(&CONTAINER_OF(link, struct waiter, link)->signal);
}

/* --- entries */

/* account_id_is_valid - an id becomes a path: digits, lower case, no more */
bool
account_id_is_valid(struct slice id)
{
	if (id.len != ACCOUNT_DIGITS)
		return false;
	for (size_t i = 0; i < id.len; i++)
		if (hex_digit(id.data[i]) < 0 ||
		    ascii_lower(id.data[i]) != id.data[i])
			return false;
	return true;
}

/* entry_get - the entry of an account */
struct account_entry *
entry_get(struct stored *s, struct slice id)
{
	struct account_entry *e;

	if (!account_id_is_valid(id))
		return NULL;
	e = hash_get(&s->accounts, id);
	if (e != NULL)
		return e;
	e = NEW(struct account_entry);
	list_init(&e->link);
	list_init(&e->sleepers);
	list_init(&e->waiters);
	e->stored = s;
	memcpy(e->id, id.data, ACCOUNT_DIGITS);
	(void)hash_put(&s->accounts, id, e);	/* was not there */
	return e;
}

/* entries_free - at the end; no task is left */
void
entries_free(struct stored *s)
{
	struct hash_iter	 it = { 0 };
	struct slice		 key;
	void			*value;

	while (hash_next(&s->accounts, &it, &key, &value)) {
		struct account_entry *e = value;

		sleepers_drop(e, true);
		free(e->name);
		free(e);
	}
	hash_free(&s->accounts);
	hash_free(&s->sleepers);
}

/* entry_set_state - and tell who waits for it */
void
entry_set_state(struct account_entry *e, enum account_state state)
{
	e->state = state;
	e->since = loop_now(daemon_loop(e->stored->daemon));
	wait_wake(&e->waiters);
	wait_wake(&e->stored->room);
	signal_set(&e->stored->work);
}

/* entry_set_idle - put it last among the idle ones, or take it out */
void
entry_set_idle(struct account_entry *e, bool idle)
{
	list_remove(&e->link);
	if (!idle)
		return;
	e->since = loop_now(daemon_loop(e->stored->daemon));
	list_add_tail(&e->stored->idle, &e->link);
	wait_wake(&e->stored->room);
	signal_set(&e->stored->work);
}

/* --- who they are */

/* remember - what authd says of an account */
static void
remember(struct account_entry *e, const struct msg_auth_account_is *is)
{
	free(e->name);
	e->name = slice_dup(is->login);
	e->quota_bytes = is->quota_bytes;
	e->quota_messages = is->quota_messages;
	e->is_known = true;
}

/* entry_identify - ask authd once */
int
entry_identify(struct task *t, struct account_entry *e)
{
	struct daemon			*d = e->stored->daemon;
	const struct stored_params	*p = daemon_params(d);
	struct msg_auth_account		 m = { slice_of(e->id) };
	const struct msg_auth_account_is *is;
	struct arena			 a = ARENA_INIT;
	struct deadline			 limit;
	void				*reply;
	int				 r;

	if (e->is_known)
		return 0;
	deadline_begin(t, &limit, p->stored_auth_timeout);
	r = edge_call_again(t, daemon_edge(d, "authd", &ipc_table_auth),
	    &msg_auth_account_desc, &m, &msg_auth_account_is_desc, &a, &reply);
	r = deadline_end(t, &limit, r);
	if (r < 0 && r != -ECANCELED) {
		log_event(daemon_log(d), EV_STORED_AUTH, KV_ERR("why", r));
		r = -EAGAIN;
	}
	if (r == 0) {
		is = reply;
		if (is->found)
			remember(e, is);
		else
			r = is->temporary ? -EAGAIN : -ENOENT;
	}
	arena_free(&a);
	return r;
}

/* forget_all - everything must be asked again */
static void
forget_all(struct stored *s)
{
	struct hash_iter	 it = { 0 };
	struct slice		 key;
	void			*value;

	while (hash_next(&s->accounts, &it, &key, &value))
		((struct account_entry *)value)->is_known = false;
}

/* make_void - an account's sessions end, asleep or awake */
static void
make_void(struct stored *s, struct slice id)
{
	struct account_entry *e = hash_get(&s->accounts, id);

	if (e == NULL)
		return;
	log_event(daemon_log(s->daemon), EV_STORED_VOID,
	    KV_TEXT("account", e->id));
	e->is_known = false;
	sleepers_drop(e, true);
	child_cut(e);
}

/* tell_limits - processes that run learn of changed quotas */
static int
tell_limits(struct task *t, struct stored *s)
{
	struct hash_iter	 it = { 0 };
	struct arena		 a = ARENA_INIT;
	struct slice		 key, *ids;
	size_t			 n = 0;
	void			*value;
	int			 r = 0;

	/* the table may change while authd is asked */
	ids = ARENA_ARRAY(&a, struct slice, s->accounts.count);
	while (hash_next(&s->accounts, &it, &key, &value))
		if (((struct account_entry *)value)->state == ACCOUNT_UP)
			ids[n++] = arena_dup(&a, key);
	for (size_t i = 0; i < n && r != -ECANCELED; i++) {
		struct account_entry	 *e = hash_get(&s->accounts, ids[i]);
		struct msg_account_limits m;

		if (e == NULL || (r = entry_identify(t, e)) < 0 ||
		    e->state != ACCOUNT_UP)
			continue;
		m = (struct msg_account_limits){ e->quota_bytes,
		    e->quota_messages };
		ignore(ipc_post(&e->child->conn, &msg_account_limits_desc,
		    &m));		/* or it has just ended */
	}
	arena_free(&a);
	return r == -ECANCELED ? r : 0;
}

/* limits_task - once for many changes */
static int
limits_task(struct task *t, void *arg)
{
	struct stored	*s = arg;
	int		 r = task_sleep(t, LIMITS_PAUSE);

	s->limits_due = false;
	return r < 0 ? r : tell_limits(t, s);
}

/* on_auth_message - what authd says unasked */
int
on_auth_message(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct stored		*s = arg;
	struct msg_auth_changed	*m = in->msg;

	(void)t;
	(void)c;
	(void)a;
	if (in->desc->number != MSG_auth_changed)
		return -EBADMSG;
	forget_all(s);
	if (m->account.len > 0)
		make_void(s, m->account);
	/* not here: authd's answers come through this very task */
	if (!s->limits_due)
		task_group_start(daemon_group(s->daemon), limits_task, s);
	s->limits_due = true;
	return 0;
}
