/* SPDX-License-Identifier: ISC */
/*
 * The questions of lmtpd, fronts, mapd and tools. Each is a task of its own,
 * because it may have to wait for authd or for an account process.
 */
#include <stdlib.h>

#include "libglobal/ipc_auth.h"
#include "libglobal/ipc_store.h"
#include "libtask/work.h"
#include "libutil/alloc.h"
#include "stored/stored.h"
#include "stored/stored_events.h"

#define CALLS_AT_ONCE	1000

/* code_of - what a failure means for who asked */
static uint32_t
code_of(int r)
{
	return r == 0 ? 250 : r == -ENOENT ? 550 : 451;
}

/* text_of - the same for people */
static struct slice
text_of(int r)
{
	switch (r) {
	case 0:
		return S("");
	case -ENOENT:
		return S("There is no such account");
	case -ETIMEDOUT:
		return S("The mail store is busy");
	case -ESTALE:
		return S("The session has expired");
	case -EACCES:
		return S("The login has expired");
	default:
		return S("The mail store is not available");
	}
}

/* answer - the answer to deliver, session and resume; fd is lent */
static int
answer(struct ipc_conn *c, uint32_t request, int r, int fd,
    struct slice handle)
{
	struct msg_store_channel m = { fd, code_of(r), text_of(r), handle };

	if (r == -ECANCELED)
		return r;
	if (r == -ESTALE || r == -EACCES)
		m.code = 550;
	return ipc_reply(c, request, &msg_store_channel_desc, &m);
}

/* --- lmtpd */

/* on_deliver - a channel to the account's process */
static int
on_deliver(struct task *t, struct store_caller *sc, struct ipc_in *in)
{
	const struct msg_store_deliver	*ask = in->msg;
	struct account_entry		*e = entry_get(sc->stored,
					    ask->account);
	struct msg_account_delivery	 m;
	int				 pair[2] = { -1, -1 }, r;

	r = e == NULL ? -ENOENT : child_ensure(t, e);
	if (r == 0)
		r = fd_pair(pair);
	if (r == 0) {
		m.channel = pair[1];
		r = ipc_post(&e->child->conn, &msg_account_delivery_desc, &m);
		entry_set_idle(e, false);
	}
	r = answer(&sc->conn, in->request, r, r == 0 ? pair[0] : -1,
	    SLICE_EMPTY);
	fd_close(&pair[0]);
	fd_close(&pair[1]);
	return r;
}

/* --- fronts */

/* confirm - whose ticket is it? */
static int
confirm(struct task *t, struct store_caller *sc, struct slice ticket,
    struct arena *a, struct msg_auth_account_is **ret_who)
{
	struct daemon			*d = sc->stored->daemon;
	const struct stored_params	*p = daemon_params(d);
	struct msg_auth_confirm		 m = { ticket, sc->process };
	struct msg_auth_account_is	*who;
	struct deadline			 limit;
	void				*reply;
	int				 r;

	deadline_begin(t, &limit, p->stored_auth_timeout);
	r = edge_call(t, daemon_edge(d, "authd", &ipc_table_auth),
	    &msg_auth_confirm_desc, &m, &msg_auth_account_is_desc, a, &reply);
	r = deadline_end(t, &limit, r);
	if (r < 0) {
		if (r != -ECANCELED)
			log_event(daemon_log(d), EV_STORED_AUTH,
			    KV_ERR("why", r));
		return r == -ECANCELED ? r : -EAGAIN;
	}
	who = reply;
	if (!who->found)
		return who->temporary ? -EAGAIN : -EACCES;
	*ret_who = who;
	return 0;
}

/* give - a session to its account's process, which runs */
static int
give(struct sleeper *s, int channel)
{
	struct account_entry	*e = s->entry;
	struct msg_account_session m = { s->protocol, channel, s->login,
	    s->session, s->client_address, s->greeting, s->state,
	    slice_over(s->handle, HANDLE_LEN), ++s->handover };
	int			 r;

	r = ipc_post(&e->child->conn, &msg_account_session_desc, &m);
	if (r == 0)
		sleeper_give(s);
	entry_set_idle(e, false);
	return r;
}

/* remember - a session that begins, until it has */
static struct sleeper *
remember(struct task *t, struct store_caller *sc, struct account_entry *e,
    const struct msg_store_session *ask, struct slice login)
{
	struct sleeper *s = sleeper_new(sc, e, task_loop(t));

	s->protocol = arena_dup(&s->arena, ask->protocol);
	s->login = arena_dup(&s->arena, login);
	s->session = arena_dup(&s->arena, ask->session);
	s->client_address = arena_dup(&s->arena, ask->client_address);
	s->greeting = arena_dup(&s->arena, ask->greeting);
	return s;
}

/* ensure_room - a process that can be given one more session */
static int
ensure_room(struct task *t, struct account_entry *e)
{
	const struct stored_params	*p = daemon_params(e->stored->daemon);
	struct deadline			 limit;
	int				 r;

	deadline_begin(t, &limit, p->stored_account_wait_time);
	while ((r = child_ensure(t, e)) == 0 && e->given >= GIVEN_MAX)
		if ((r = wait_in(t, &e->waiters)) < 0)
			break;
	return deadline_end(t, &limit, r);
}

/* on_session - a client has logged in */
static int
on_session(struct task *t, struct store_caller *sc, struct ipc_in *in,
    struct arena *a)
{
	struct msg_store_session	*ask = in->msg;
	struct msg_auth_account_is	*who;
	struct account_entry		*e;
	struct sleeper			*s = NULL;
	int				 r;

	if ((r = confirm(t, sc, ask->ticket, a, &who)) < 0)
		goto out;
	r = -ENOENT;
	if ((e = entry_get(sc->stored, who->account)) == NULL ||
	    (r = ensure_room(t, e)) < 0)
		goto out;
	s = remember(t, sc, e, ask, who->login);
	if ((r = give(s, ask->channel)) < 0)
		sleeper_free(s);
out:
	return answer(&sc->conn, in->request, r, -1, r < 0 ? SLICE_EMPTY :
	    slice_over(s->handle, HANDLE_LEN));
}

/* wake - give a session back to its account's process: one that slept, or
 * one that had not begun when its process ended */
static int
wake(struct task *t, struct store_caller *sc,
    const struct msg_store_resume *ask)
{
	struct sleeper	*s = sleeper_find(sc, ask->handle);
	int		 r;

	if (s == NULL || !sleeper_is_here(s))
		return -ESTALE;
	if ((r = child_ensure(t, s->entry)) < 0)
		return r;
	/* it may have become void meanwhile */
	s = sleeper_find(sc, ask->handle);
	if (s == NULL || !sleeper_is_here(s))
		return -ESTALE;
	if (!s->given && s->entry->given >= GIVEN_RESUMED)
		return -EAGAIN;		/* they take turns */
	return give(s, ask->channel);
}

/* on_resume - a sleeping session's client spoke */
static int
on_resume(struct task *t, struct store_caller *sc, struct ipc_in *in)
{
	return answer(&sc->conn, in->request, wake(t, sc, in->msg), -1,
	    SLICE_EMPTY);
}

/* on_forget - a sleeping session's client has gone */
static int
on_forget(struct store_caller *sc, const struct msg_store_forget *m)
{
	struct sleeper *s = sleeper_find(sc, m->handle);

	if (s != NULL && sleeper_is_here(s))
		sleeper_free(s);
	return 0;
}

/* --- mapd */

/* learn_usage - have the account's process say what is used */
static int
learn_usage(struct task *t, struct account_entry *e)
{
	const struct stored_params	*p =
	    daemon_params(e->stored->daemon);
	struct deadline			 limit;
	int				 r;

	if ((r = entry_identify(t, e)) < 0 || e->usage_known)
		return r;
	deadline_begin(t, &limit, p->stored_account_wait_time);
	r = child_ensure(t, e);
	while (r == 0 && !e->usage_known && e->state == ACCOUNT_UP)
		r = wait_in(t, &e->waiters);
	r = deadline_end(t, &limit, r);
	return r == 0 && !e->usage_known ? -EAGAIN : r;
}

/* fits - would a message of that size be taken? */
static bool
fits(const struct account_entry *e, uint64_t size)
{
	if (e->quota_bytes != 0 && (e->bytes >= e->quota_bytes ||
	    size > e->quota_bytes - e->bytes))
		return false;
	return e->quota_messages == 0 || e->messages < e->quota_messages;
}

/* on_quota - would a message fit? */
static int
on_quota(struct task *t, struct store_caller *sc, struct ipc_in *in)
{
	const struct msg_store_quota	*ask = in->msg;
	struct account_entry		*e = entry_get(sc->stored,
					    ask->account);
	struct msg_store_usage		 m = { false, true, 0, 0 };
	int				 r;

	r = e == NULL ? -ENOENT : entry_identify(t, e);
	/* where nothing is limited nothing needs to be known */
	if (r == 0 && (e->quota_bytes != 0 || e->quota_messages != 0))
		r = learn_usage(t, e);
	if (r == -ECANCELED)
		return r;
	if (r == 0)
		m = (struct msg_store_usage){ true, fits(e, ask->size),
		    e->bytes, e->messages };
	return ipc_reply(&sc->conn, in->request, &msg_store_usage_desc, &m);
}

/* --- tools */

/* verify - by the account's own process, which alone opens it */
static int
verify(struct task *t, struct account_entry *e,
    const struct msg_store_verify *ask, struct arena *a,
    struct msg_store_verified *ret_answer)
{
	struct msg_account_verify	 m = { ask->bodies, ask->repair };
	struct msg_account_verified	*done;
	struct account_child		*c;
	void				*reply;
	int				 r;

	if ((r = child_ensure(t, e)) < 0)
		return r;
	entry_set_idle(e, false);
	c = child_hold(e);
	r = ipc_call(t, &c->conn, &msg_account_verify_desc, &m,
	    &msg_account_verified_desc, a, &reply);
	child_release(c);
	if (r < 0)
		return r;
	done = reply;
	ret_answer->ok = done->ok;
	ret_answer->messages = done->messages;
	ret_answer->text = done->text;
	ret_answer->findings.n = done->findings.n;
	ret_answer->findings.v = ARENA_ARRAY(a, struct msg_finding,
	    done->findings.n);
	for (size_t i = 0; i < done->findings.n; i++)
		ret_answer->findings.v[i].text = done->findings.v[i].text;
	return 0;
}

/* on_verify - check an account */
static int
on_verify(struct task *t, struct store_caller *sc, struct ipc_in *in,
    struct arena *a)
{
	const struct msg_store_verify	*ask = in->msg;
	struct account_entry		*e = entry_get(sc->stored,
					    ask->account);
	struct msg_store_verified	 m = { .ok = false };
	int				 r;

	r = e == NULL ? -ENOENT : verify(t, e, ask, a, &m);
	if (r == -ECANCELED)
		return r;
	if (r < 0)
		m.text = text_of(r);
	return ipc_reply(&sc->conn, in->request, &msg_store_verified_desc, &m);
}

/* on_list - which account folders are there? */
static int
on_list(struct task *t, struct store_caller *sc, struct ipc_in *in,
    struct arena *a)
{
	struct folder_list		l = { .arena = a };
	struct msg_store_folders	m = { { NULL, 0 } };
	int				r;

	if ((r = work_run(t, folder_list, &l)) < 0)
		return r;
	m.list.v = ARENA_ARRAY(a, struct msg_folder, l.count);
	m.list.n = l.count;
	for (size_t i = 0; i < l.count; i++) {
		struct account_entry *e = hash_get(&sc->stored->accounts,
		    l.ids[i]);

		m.list.v[i].account = l.ids[i];
		m.list.v[i].running = e != NULL && e->child != NULL;
	}
	return ipc_reply(&sc->conn, in->request, &msg_store_folders_desc, &m);
}

/* --- the edge */

/* may - is it for that daemon to ask this? */
static bool
may(const struct store_caller *sc, uint16_t number)
{
	switch (number) {
	case MSG_store_deliver:
		return slice_equal(sc->daemon, S("lmtpd"));
	case MSG_store_session:
	case MSG_store_resume:
	case MSG_store_forget:
		return slice_equal(sc->daemon, S("imapd"));
	case MSG_store_quota:
		return slice_equal(sc->daemon, S("mapd"));
	default:
		return slice_equal(sc->daemon, S("tool"));
	}
}

/* on_message - one question */
static int
on_message(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct store_caller *sc = arg;

	(void)c;
	if (!may(sc, in->desc->number))
		return -EBADMSG;
	if (in->desc->number == MSG_store_forget)
		return on_forget(sc, in->msg);
	if (in->request == 0)
		return -EBADMSG;
	switch (in->desc->number) {
	case MSG_store_deliver:
		return on_deliver(t, sc, in);
	case MSG_store_session:
		return on_session(t, sc, in, a);
	case MSG_store_resume:
		return on_resume(t, sc, in);
	case MSG_store_quota:
		return on_quota(t, sc, in);
	case MSG_store_verify:
		return on_verify(t, sc, in, a);
	case MSG_store_list:
		return on_list(t, sc, in, a);
	default:
		return -EBADMSG;
	}
}

/* store_serve - one caller */
int
store_serve(struct task *t, struct daemon *d, int *fd_take,
    const struct daemon_caller *who)
{
	struct store_caller	*sc = NEW(struct store_caller);
	int			 r;

	sc->stored = daemon_data(d);
	sc->process = who->process;
	sc->daemon = who->daemon;
	list_init(&sc->sleepers);
	ipc_open(&sc->conn, daemon_loop(d), fd_take, &ipc_table_store,
	    IPC_CALLEE);
	r = ipc_serve_parallel(t, &sc->conn, on_message, sc, CALLS_AT_ONCE);
	sleepers_drop_front(sc);
	daemon_caller_close(who, &sc->conn);
	free(sc);
	return r;
}
