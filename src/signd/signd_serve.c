/* SPDX-License-Identifier: ISC */
/*
 * Callers get what belongs to their daemon or service. The keys of session tickets are
 * random and replaced as time goes; then, and when a caller connects (it may
 * have known the process before this one), it is told to ask again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libglobal/ipc_sign.h"
#include "libutil/alloc.h"
#include "signd/signd.h"

#define TICKET_KEY_SIZE	80	/* name 16, HMAC 32, AES 32 (ipc_sign.def) */
#define NOTICE_PAUSE	3600000	/* ms between looks at the certificates */

struct caller {
	struct list		 link;
	struct signd		*signd;
	struct signd_user	*user;		/* NULL: it has none */
	struct ipc_conn		 conn;
	struct work_lane	 lane;
	char			 daemon[64];
};

static const char *const user_names[SIGND_USERS] = {
#define USER(daemon)	#daemon,
#include "signd/signd_users.def"
};

/* signd_new - without certificates yet */
struct signd *
signd_new(struct daemon *d)
{
	struct signd *s = NEW(struct signd);

	s->daemon = d;
	list_init(&s->callers);
	for (size_t i = 0; i < SIGND_USERS; i++)
		s->users[i].daemon = user_names[i];
	return s;
}

/* signd_free - release the keys */
void
signd_free(struct signd **s_take)
{
	struct signd		*s = *s_take;
	struct signd_user	*u;

	*s_take = NULL;
	if (s == NULL)
		return;
	for (size_t i = 0; (u = signd_user_at(s, i)) != NULL; i++) {
		identities_free(&u->identities);
		free(u->service);
		explicit_bzero(u->tickets, sizeof(u->tickets));
	}
	free(s->services);
	free(s);
}

/* signd_user_at - the daemons, then the services */
struct signd_user *
signd_user_at(struct signd *s, size_t i)
{
	if (i < SIGND_USERS)
		return &s->users[i];
	i -= SIGND_USERS;
	return i < s->service_count ? &s->services[i] : NULL;
}

/* signd_prepare - read the keys while the files are in reach */
int
signd_prepare(struct daemon *d, struct diag *diag)
{
	struct signd *s = signd_new(d);

	(void)diag;
	tls_library_init();
	signd_load(s, daemon_params(d));
	daemon_set_data(d, s);
	return 0;
}

/* --- ticket keys */

/* rotate - a new key in front, the oldest one gone */
static void
rotate(struct task *t, struct signd_user *u)
{
	memmove(&u->tickets[1], &u->tickets[0],
	    (TLS_TICKET_KEYS_MAX - 1) * sizeof(u->tickets[0]));
	task_random(t, &u->tickets[0], sizeof(u->tickets[0]));
	if (u->ticket_count < TLS_TICKET_KEYS_MAX)
		u->ticket_count++;
}

/* say_changed - have all callers ask again */
static void
say_changed(struct signd *s)
{
	struct msg_sign_changed m;

	memset(&m, 0, sizeof(m));
	LIST_EACH(&s->callers, link)
		/* who does not listen asks again when it connects again */
		ignore(ipc_post(&CONTAINER_OF(link, struct caller, link)->conn,
		    &msg_sign_changed_desc, &m));
}

/* signd_run - new ticket keys, and a look at what expires */
int
signd_run(struct task *t, struct daemon *d)
{
	struct signd		*s = daemon_data(d);
	struct signd_user	*u;
	int64_t			 rotated = task_now(t), life, pause;
	int			 r = 0;

	while (r == 0) {
		const struct signd_params *p = daemon_params(d);

		signd_notice(s, task_wall(t) / 1000000, p->signd_expiry_notice);
		life = p->signd_ticket_key_lifetime;
		pause = life < NOTICE_PAUSE ? life : NOTICE_PAUSE;
		if ((r = task_sleep(t, pause)) < 0 ||
		    task_now(t) - rotated < life)
			continue;
		rotated = task_now(t);
		for (size_t i = 0; (u = signd_user_at(s, i)) != NULL; i++)
			if (u->ticket_count > 0)
				rotate(t, u);
		say_changed(s);
	}
	return r;
}

/* --- answers */

/* is_own - does the caller ask for its own daemon's things? */
static bool
is_own(const struct caller *c, struct slice daemon, const char *what)
{
	if (c->user != NULL && slice_equal(daemon, slice_of(c->daemon)))
		return true;
	log_event(daemon_log(c->signd->daemon), EV_SIGND_NOT_ALLOWED,
	    KV_TEXT("caller", c->daemon), KV_STR("daemon", daemon),
	    KV_TEXT("what", what));
	return false;
}

/* on_certs - the chains, not the keys */
static int
on_certs(struct caller *c, struct ipc_in *in, struct arena *a)
{
	const struct msg_sign_certs	*m = in->msg;
	struct msg_sign_chains		 out = { .text =
					     S("there are none for it") };
	const struct identities		*s;
	struct msg_cert			*cert;

	if (is_own(c, m->daemon, "certificates")) {
		s = &c->user->identities;
		cert = ARENA_ARRAY(a, struct msg_cert, s->count);
		for (size_t i = 0; i < s->count; i++) {
			cert[i].host = slice_of(s->v[i].host);
			cert[i].chain = buf_slice(&s->v[i].chain);
		}
		out.certs.v = cert;
		out.certs.n = s->count;
		out.text = slice_of(c->user->why);
	}
	return ipc_reply(&c->conn, in->request, &msg_sign_chains_desc, &out);
}

/* on_ticket_keys - made at the first question */
static int
on_ticket_keys(struct task *t, struct caller *c, struct ipc_in *in)
{
	const struct msg_sign_ticket_keys *m = in->msg;
	struct msg_sign_tickets		   out = { .keys = SLICE_EMPTY };
	struct buf			   keys = BUF_INIT;
	int				   r;

	if (is_own(c, m->daemon, "ticket keys")) {
		if (c->user->ticket_count == 0)
			rotate(t, c->user);
		for (size_t i = 0; i < c->user->ticket_count; i++) {
			const struct tls_ticket_key *k = &c->user->tickets[i];

			buf_add(&keys, slice_over(k->name, sizeof(k->name)));
			buf_add(&keys, slice_over(k->hmac, sizeof(k->hmac)));
			buf_add(&keys, slice_over(k->aes, sizeof(k->aes)));
		}
		out.keys = buf_slice(&keys);
	}
	r = ipc_reply(&c->conn, in->request, &msg_sign_tickets_desc, &out);
	if (keys.cap > 0)
		explicit_bzero(keys.data, keys.cap);
	buf_free(&keys);
	return r;
}

struct signing {
	struct evp_pkey_st	*key;
	enum tls_scheme		 scheme;
	struct slice		 tbs;
	struct buf		 signature;
};

/* sign_work - on a worker */
static int
sign_work(void *arg)
{
	struct signing *s = arg;

	return tls_key_sign_tbs(s->key, s->scheme, s->tbs, &s->signature);
}

/* on_sign - one handshake */
static int
on_sign(struct task *t, struct caller *c, struct ipc_in *in)
{
	const struct msg_sign_tls	*m = in->msg;
	const struct signd_identity	*i = NULL;
	struct signing			 s = { .tbs = m->tbs,
					     .signature = BUF_INIT };
	struct msg_sign_signature	 out = { .signature = SLICE_EMPTY };
	int				 r = -ENOKEY;

	if (c->user != NULL)
		i = identities_find(&c->user->identities, m->key);
	if (i != NULL) {
		s.key = i->key;
		s.scheme = (enum tls_scheme)m->scheme;
		r = work_run_in(t, &c->lane, sign_work, &s);
	}
	if (r == 0)
		out.signature = buf_slice(&s.signature);
	else if (r != -ECANCELED)
		log_event(daemon_log(c->signd->daemon), EV_SIGND_REFUSED,
		    KV_TEXT("caller", c->daemon), KV_TEXT("why",
		    r == -ENOKEY ? "the key is none of its own" :
		    r == -EPERM ? "the text is none that a TLS server signs" :
		    r == -EINVAL ? "the scheme does not fit the key" :
		    strerror(-r)));
	if (r != -ECANCELED)
		r = ipc_reply(&c->conn, in->request, &msg_sign_signature_desc,
		    &out);
	buf_free(&s.signature);
	return r;
}

/* on_message - one message, in a task of its own */
static int
on_message(struct task *t, struct ipc_conn *conn, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct caller *c = arg;

	(void)conn;
	switch (in->desc->number) {
	case MSG_sign_certs:
		return on_certs(c, in, a);
	case MSG_sign_ticket_keys:
		return on_ticket_keys(t, c, in);
	case MSG_sign_tls:
		return on_sign(t, c, in);
	default:
		return -EBADMSG;
	}
}

/* find_user - whose certificates are a caller's? master says who it is */
static struct signd_user *
find_user(struct signd *s, const struct daemon_caller *who)
{
	struct signd_user *u, *found = NULL;

	for (size_t i = 0; (u = signd_user_at(s, i)) != NULL; i++)
		if (slice_equal(who->daemon, slice_of(u->daemon)) &&
		    (u->service == NULL ||
		    slice_equal(who->service, slice_of(u->service))))
			found = u;		/* a service after its daemon */
	return found;
}

/* signd_caller - serve one edge */
int
signd_caller(struct task *t, struct daemon *d, int *fd_take,
    const struct daemon_caller *who)
{
	struct caller		c = { .signd = daemon_data(d) };
	struct msg_sign_changed	changed;
	int			r;

	(void)snprintf(c.daemon, sizeof(c.daemon), "%.*s",
	    SLICE_ARG(who->daemon));
	c.user = find_user(c.signd, who);
	memset(&changed, 0, sizeof(changed));
	work_lane_init(&c.lane, SIGND_WORKERS);
	list_add_tail(&c.signd->callers, &c.link);
	ipc_open(&c.conn, daemon_loop(d), fd_take, &ipc_table_sign, IPC_CALLEE);
	r = ipc_post(&c.conn, &msg_sign_changed_desc, &changed);
	if (r == 0)
		r = ipc_serve_parallel(t, &c.conn, on_message, &c,
		    SIGND_CALLS_MAX);
	list_remove(&c.link);
	daemon_caller_close(who, &c.conn);
	return r;
}
