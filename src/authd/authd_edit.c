/* SPDX-License-Identifier: ISC */
/*
 * A tool's change: passwords are hashed, the change is committed, and then
 * mapd and stored are told to forget what they know. The answer comes last,
 * so that a tool's next question finds the change.
 */
#include "authd/authd.h"
#include "libglobal/accounts_password.h"

#define PLAIN_PREFIX	"plain:"
#define ID_TRIES	3

struct editing {
	struct accounts		*accounts;
	struct accounts_edit	 edit;
	struct accounts_edited	 done;
};

/* edit_work - on a worker */
static int
edit_work(void *arg)
{
	struct editing *x = arg;

	return accounts_edit(x->accounts, &x->edit, &x->done);
}

struct hashing {
	struct slice		 plain;
	struct password_cost	 cost;
	unsigned char		 salt[PASSWORD_SALT_SIZE];
	struct buf		 hash;
};

/* hash_work - on a worker */
static int
hash_work(void *arg)
{
	struct hashing *h = arg;

	return password_hash(h->plain, &h->cost, h->salt, &h->hash);
}

/* take_plain - hash a password; -EINVAL if it is none */
static int
take_plain(struct task *t, struct authd *a, struct slice plain,
    struct arena *arena, struct slice *ret_hash)
{
	const struct authd_params	*p = authd_params(a);
	struct hashing			 h = { .hash = BUF_INIT };
	int				 r;

	if ((r = sasl_prepare(plain, SASL_PASSWORD_MAX, arena, &h.plain)) < 0)
		return -EINVAL;
	h.cost = (struct password_cost){
	    (uint32_t)(p->authd_hash_memory >> 10),
	    (uint32_t)p->authd_hash_passes, (uint32_t)p->authd_hash_lanes };
	task_random(t, h.salt, sizeof(h.salt));
	r = work_run_in(t, &a->hashing, hash_work, &h);
	if (r == 0)
		*ret_hash = arena_dup(arena, buf_slice(&h.hash));
	buf_free(&h.hash);
	return r;
}

/* take_password - plain, or a hash from elsewhere */
static int
take_password(struct task *t, struct authd *a, struct editing *x,
    struct arena *arena)
{
	struct slice	 value = x->edit.value;
	struct buf	 hash = BUF_INIT;
	const char	*why = "it is no hash of a known kind; give "
			    PLAIN_PREFIX "PASSWORD, or a hash that begins "
			    "with $argon2id$, $y$, $2b$ or $6$";
	int		 r;

	if (slice_has_prefix(value, S(PLAIN_PREFIX))) {
		why = "it is empty, too long, or has a control character in it";
		r = take_plain(t, a, slice_from(value, strlen(PLAIN_PREFIX)),
		    arena, &x->edit.value);
	} else if ((r = password_take(value, &hash)) == 0) {
		x->edit.value = arena_dup(arena, buf_slice(&hash));
	} else if (r == -ERANGE) {
		why = "its hash would take too much memory or time";
		r = -EINVAL;
	}
	if (r == -EINVAL)
		(void)snprintf(x->done.text, sizeof(x->done.text),
		    "the password cannot be used: %s", why);
	buf_free(&hash);
	return r;
}

/* commit - the change itself */
static int
commit(struct task *t, struct authd *a, struct editing *x)
{
	unsigned char	random[8];
	int		r = -EEXIST;

	for (int i = 0; r == -EEXIST && i < ID_TRIES; i++) {
		task_random(t, random, sizeof(random));
		accounts_id_make(random, x->edit.id);
		x->edit.now = task_wall(t) / 1000000;
		r = work_run_in(t, &a->writing, edit_work, x);
	}
	return r;
}

/* tell - mapd and stored forget what they know. Who does not listen loses
 * its edge, and forgets all when it connects again. */
static void
tell(struct authd *a, const struct accounts_edited *done)
{
	struct msg_auth_changed m = { .account = SLICE_EMPTY };

	if (done->is_void) {
		m.account = slice_of(done->account);
		tickets_void(&a->tickets, m.account);
	}
	LIST_EACH(&a->callers, link) {
		struct authd_caller *c = CONTAINER_OF(link,
		    struct authd_caller, link);

		if ((c->role & (ROLE_MAPD | ROLE_STORED)) != 0 &&
		    ipc_post(&c->conn, &msg_auth_changed_desc, &m) < 0)
			ipc_close(&c->conn);
	}
}

/* say - a line in the log */
static void
say(struct authd *a, const struct msg_auth_edit *m, const struct editing *x,
    int r)
{
	const struct log	*log = daemon_log(a->daemon);

	if (r == 0)
		log_event(log, EV_AUTHD_EDITED, KV_STR("verb", m->verb),
		    KV_STR("name", m->name),
		    KV_OPT("account", slice_of(x->done.account)));
	else if (r == -EINVAL)
		log_event(log, EV_AUTHD_EDIT_REFUSED, KV_STR("verb", m->verb),
		    KV_STR("name", m->name), KV_TEXT("why", x->done.text));
	else
		log_event(log, EV_AUTHD_EDIT_FAILED, KV_STR("verb", m->verb),
		    KV_STR("name", m->name), KV_ERR("why", r));
	if (r == -EIO || r == -ENOTRECOVERABLE)
		authd_database_failed(a, -ENOTRECOVERABLE);
}

/* authd_edit - change the database */
int
authd_edit(struct task *t, struct authd_caller *c, struct ipc_in *in,
    struct arena *arena)
{
	const struct msg_auth_edit	*m = in->msg;
	struct authd			*a = c->authd;
	struct editing			 x = { .accounts = a->accounts };
	struct msg_auth_edited		 out = { .ok = false };
	int				 r = 0;

	x.edit.name = m->name;
	x.edit.value = m->value;
	if (accounts_verb(m->verb, &x.edit.verb) < 0) {
		(void)snprintf(x.done.text, sizeof(x.done.text),
		    "there is no verb \"%.*s\"", SLICE_ARG(m->verb));
		r = -EINVAL;
	}
	if (r == 0 && accounts_verb_has_password(x.edit.verb))
		r = take_password(t, a, &x, arena);
	if (r == 0)
		r = commit(t, a, &x);
	if (r == -ECANCELED)
		return r;
	say(a, m, &x, r);
	if (r == 0)
		tell(a, &x.done);
	else if (r != -EINVAL)
		(void)snprintf(x.done.text, sizeof(x.done.text),
		    "the accounts database cannot be written: %s",
		    strerror(-r));
	out.ok = r == 0;
	out.account = r == 0 ? slice_of(x.done.account) : SLICE_EMPTY;
	out.text = slice_of(x.done.text);
	return ipc_reply(&c->conn, in->request, &msg_auth_edited_desc, &out);
}
