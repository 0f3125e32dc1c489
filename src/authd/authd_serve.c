/* SPDX-License-Identifier: ISC */
/*
 * Start and end, and one caller's edge: what each kind of caller may ask is
 * one table. Messages are handled side by side, because a login may wait.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "authd/authd.h"
#include "libglobal/edges.h"
#include "libutil/alloc.h"

#define HASH_MAPPED	(256 << 10)	/* bytes from which on memory is mapped */

/* authd_params - the present ones; not to be kept over a wait */
const struct authd_params *
authd_params(const struct authd *a)
{
	return daemon_params(a->daemon);
}

/* authd_database_failed - say why a question stays without an answer */
void
authd_database_failed(struct authd *a, int r)
{
	log_event(daemon_log(a->daemon), EV_AUTHD_DATABASE, KV_ERR("why", r));
	/* a new process opens it anew */
	if (r == -ENOTRECOVERABLE)
		daemon_end(a->daemon);
}

/* --- start and end */

/* default_domain - read the parameter, and the file it may name */
static void
default_domain(struct authd *a)
{
	const struct authd_params *p = authd_params(a);
	char			  line[256] = "";
	FILE			 *f;

	/* files are out of reach at a reload; the domain stays then */
	if (p->authd_default_domain.len == 0 ||
	    p->authd_default_domain.data[0] != '/') {
		(void)snprintf(a->default_domain, sizeof(a->default_domain),
		    "%.*s", SLICE_ARG(p->authd_default_domain));
		return;
	}
	if (a->accounts != NULL)
		return;
	f = fopen(p->authd_default_domain.data, "re");
	if (f == NULL) {
		log_event(daemon_log(a->daemon), EV_AUTHD_DEFAULT_DOMAIN,
		    KV_STR("file", p->authd_default_domain),
		    KV_ERR("why", -errno));
		return;
	}
	if (fgets(line, sizeof(line), f) != NULL)
		(void)snprintf(a->default_domain, sizeof(a->default_domain),
		    "%.*s", SLICE_ARG(slice_trim(slice_of(line))));
	(void)fclose(f);	/* it was only read */
}

/* authd_reload - what was made of parameters; the others are looked at anew */
int
authd_reload(struct task *t, struct daemon *d)
{
	struct authd *a = daemon_data(d);

	(void)t;
	a->hashing.limit = (unsigned)authd_params(a)->authd_hash_concurrency;
	default_domain(a);
	return 0;
}

/* authd_new - with a database that is not open yet */
struct authd *
authd_new(struct daemon *d, const char *folder)
{
	struct authd			*a = NEW(struct authd);
	const struct authd_params	*p = daemon_params(d);

	a->daemon = d;
	a->folder = folder;
	work_lane_init(&a->hashing, (unsigned)p->authd_hash_concurrency);
	work_lane_init(&a->writing, 1);
	verified_init(&a->right);
	verified_init(&a->wrong);
	failures_init(&a->failures);
	tickets_init(&a->tickets);
	list_init(&a->callers);
	loop_random(daemon_loop(d), a->key, sizeof(a->key));
	default_domain(a);
	return a;
}

/* authd_free - its tasks have ended */
void
authd_free(struct authd **a_take)
{
	struct authd *a = *a_take;

	*a_take = NULL;
	if (a == NULL)
		return;
	accounts_close(&a->accounts);
	verified_free(&a->right);
	verified_free(&a->wrong);
	failures_free(&a->failures);
	tickets_free(&a->tickets);
	explicit_bzero(a->key, sizeof(a->key));
	free(a);
}

/* authd_prepare - the sandbox makes the database's folder the current one */
int
authd_prepare(struct daemon *d, struct diag *diag)
{
	(void)diag;
	/* the memory of a hash goes back at once: else the allocator would
	 * learn from it to keep that much in each thread's heap */
	(void)mallopt(M_MMAP_THRESHOLD, HASH_MAPPED);
	daemon_set_data(d, authd_new(d, "."));
	return 0;
}

/* authd_run - open the database, before the first caller is heard */
int
authd_run(struct task *t, struct daemon *d)
{
	struct authd	*a = daemon_data(d);
	struct signal	 never = SIGNAL_INIT;
	struct diag	 diag = DIAG_INIT;
	int		 r;

	r = accounts_open(a->folder, ACCOUNTS_WRITE, &a->accounts, &diag);
	if (r < 0) {
		log_event(daemon_log(d), EV_AUTHD_OPEN,
		    KV_TEXT("why", diag.text));
		/* one that ends just now may still have the lock */
		ignore(task_sleep(t, r == -EBUSY ? 500 : 2000));
		return r;
	}
	return signal_wait(t, &never);
}

/* --- callers */

typedef int	handler_fn(struct task *t, struct authd_caller *c,
		    struct ipc_in *in, struct arena *arena);

/* cancel - a handler for what needs no answer */
static int
cancel(struct task *t, struct authd_caller *c, struct ipc_in *in,
    struct arena *arena)
{
	(void)t;
	(void)arena;
	authd_cancel(c, in->msg);
	return 0;
}

static const struct {
	uint16_t	 number;
	unsigned	 roles;
	handler_fn	*handle;
} handlers[] = {
	{ MSG_auth_start,	ROLE_LOGIN,		authd_start },
	{ MSG_auth_continue,	ROLE_LOGIN,		authd_continue },
	{ MSG_auth_cancel,	ROLE_LOGIN,		cancel },
	{ MSG_auth_confirm,	ROLE_STORED,		authd_confirm },
	{ MSG_auth_account,	ROLE_STORED | ROLE_MAPD, authd_account },
	{ MSG_auth_exists,	ROLE_MAPD | ROLE_TOOL,	authd_exists },
	{ MSG_auth_edit,	ROLE_TOOL,		authd_edit },
	{ MSG_auth_list,	ROLE_TOOL,		authd_list },
};

/* on_message - one message, in a task of its own */
static int
on_message(struct task *t, struct ipc_conn *conn, struct ipc_in *in,
    struct arena *arena, void *arg)
{
	struct authd_caller *c = arg;

	(void)conn;
	for (size_t i = 0; i < COUNT(handlers); i++)
		if (handlers[i].number == in->desc->number &&
		    (handlers[i].roles & c->role) != 0)
			return handlers[i].handle(t, c, in, arena);
	log_event(daemon_log(c->authd->daemon), EV_AUTHD_NOT_ALLOWED,
	    KV_TEXT("caller", c->daemon), KV_TEXT("message", in->desc->name));
	return -EBADMSG;
}

/* role_of - what a daemon is to us */
static enum authd_role
role_of(struct slice daemon)
{
	if (slice_equal(daemon, S("mapd")))
		return ROLE_MAPD;
	if (slice_equal(daemon, S("stored")))
		return ROLE_STORED;
	if (slice_equal(daemon, S("tool")))
		return ROLE_TOOL;
	return ROLE_LOGIN;
}

/* authd_caller - serve one edge */
int
authd_caller(struct task *t, struct daemon *d, int *fd_take,
    const struct daemon_caller *who)
{
	struct authd_caller	c = { .authd = daemon_data(d),
				    .role = role_of(who->daemon),
				    .process = who->process };
	int			r;

	if (c.authd->accounts == NULL)
		return -ENODATA;	/* the end is near */
	(void)snprintf(c.daemon, sizeof(c.daemon), "%.*s",
	    SLICE_ARG(who->daemon));
	c.has_tickets = edges_find(who->daemon, S("stored")) != NULL;
	list_init(&c.exchanges);
	list_add_tail(&c.authd->callers, &c.link);
	ipc_open(&c.conn, daemon_loop(d), fd_take, &ipc_table_auth, IPC_CALLEE);
	r = ipc_serve_parallel(t, &c.conn, on_message, &c, AUTHD_CALLS_MAX);
	list_remove(&c.link);
	daemon_caller_close(who, &c.conn);
	authd_exchanges_free(&c);
	return r;
}
