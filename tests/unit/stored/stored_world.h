/* SPDX-License-Identifier: ISC */
/* stored on the simulated loop; the test is authd, the zygote with its account
 * processes, and whoever asks. Included by the one file of each test program. */
#ifndef STORED_WORLD_H
#define STORED_WORLD_H

#include "peer_daemon.h"
#include "test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libglobal/ipc_auth.h"
#include "libglobal/ipc_store.h"
#include "libglobal/ipc_zygote.h"
#include "libtask/loop.h"
#include "libutil/alloc.h"
#include "libtask/memfile.h"
#include "libutil/conf.h"
#include "libutil/hex.h"
#include "stored/stored.h"

#define ANNA	"00000000000000aa"
#define BOB	"11111111111111bb"
#define CARL	"22222222222222cc"

/* an account process, as far as stored can see */
struct fake {
	struct list	link;
	struct world	*w;
	struct ipc_conn	conn;
	char		account[65];
	unsigned	deliveries, sessions;
	bool		was_new, asked_to_end;
	bool		had_state, has_sleepers;
	char		greeting[16];
	char		handle[HANDLE_LEN];
	uint64_t	handover;	/* of the last session */
};

struct world {
	struct daemon	*daemon;
	struct task_group *group;
	struct list	fakes;		/* that live */
	struct ipc_conn	*auth;		/* authd's end */
	struct ipc_conn	*zygote;	/* accountd's end */
	unsigned	started, ended;
	uint64_t	used, quota;
	bool		auth_is_down;
	bool		refuse_end;	/* fakes say no */
	bool		never_begins;	/* no session, in fakes */
	bool		broken;		/* fakes cannot open their account */
	int64_t		zygote_at;	/* none is there before */
	bool		zygote_falls;	/* one is, but ends at once */
	int		(*run)(struct task *t, struct world *w);
	const char	*processes;	/* stored_account_processes */
};

/* --- authd */

static int
on_auth(struct task *t, struct ipc_conn *c, struct ipc_in *in, struct arena *a,
    void *arg)
{
	struct world			*w = arg;
	struct msg_auth_account_is	 is = { .quota_bytes = w->quota };
	struct slice			 id;

	(void)t;
	(void)a;
	if (in->desc->number == MSG_auth_confirm) {
		struct msg_auth_confirm *m = in->msg;

		id = m->process == 5 && slice_equal(m->ticket, S("good")) ?
		    S(ANNA) : SLICE_EMPTY;
	} else {
		id = ((struct msg_auth_account *)in->msg)->account;
	}
	if (w->auth_is_down) {
		is.temporary = true;
	} else if (slice_equal(id, S(ANNA)) || slice_equal(id, S(BOB))) {
		is.found = true;
		is.account = id;
		is.login = S("somebody@example.org");
	}
	return ipc_reply(c, in->request, &msg_auth_account_is_desc, &is);
}

struct end {
	struct world	*w;
	int		 fd;
};

/* --- account processes */

static int
on_account(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct fake		*f = arg;
	struct msg_account_up	 up = { !f->w->broken, true, SLICE_EMPTY };
	struct msg_account_usage u = { f->w->used, 1 };
	struct msg_account_idle	 no = { false };
	struct msg_account_verified v = { .ok = true, .messages = 3 };
	struct msg_account_begun begun;
	struct msg_account_changed changed;

	(void)t;
	(void)a;
	switch (in->desc->number) {
	case MSG_account_start: {
		struct msg_account_start *m = in->msg;

		snprintf(f->account, sizeof(f->account), "%.*s",
		    SLICE_ARG(m->account));
		f->was_new = m->create;
		f->has_sleepers = m->has_sleepers;
		if (ipc_reply(c, in->request, &msg_account_up_desc, &up) < 0 ||
		    f->w->broken)
			return -EIO;
		return ipc_post(c, &msg_account_usage_desc, &u);
	}
	case MSG_account_delivery:
		f->deliveries++;
		return f->has_sleepers ? ipc_post(c,
		    &msg_account_changed_desc, &changed) : 0;
	case MSG_account_session: {
		struct msg_account_session *m = in->msg;

		f->sessions++;
		f->had_state = m->state.len > 0;
		snprintf(f->greeting, sizeof(f->greeting), "%.*s",
		    SLICE_ARG(m->greeting));
		if (m->handle.len == HANDLE_LEN)
			memcpy(f->handle, m->handle.data, HANDLE_LEN);
		begun.handle = m->handle;
		begun.handover = f->handover = m->handover;
		return f->w->never_begins ? 0 :
		    ipc_post(c, &msg_account_begun_desc, &begun);
	}
	case MSG_account_verify:
		return ipc_reply(c, in->request, &msg_account_verified_desc,
		    &v);
	case MSG_account_end:
		f->asked_to_end = true;
		return f->w->refuse_end ? ipc_post(c, &msg_account_idle_desc,
		    &no) : -EPIPE;
	default:
		return 0;
	}
}

static int
fake_task(struct task *t, void *arg)
{
	struct end	*e = arg;
	struct world	*w = e->w;
	struct fake	*f = NEW(struct fake);

	f->w = w;
	ipc_open(&f->conn, task_loop(t), &e->fd, &ipc_table_account,
	    IPC_CALLEE);
	list_add_tail(&w->fakes, &f->link);
	w->started++;
	ignore(ipc_serve(t, &f->conn, on_account, f));
	w->ended++;
	list_remove(&f->link);
	ipc_close(&f->conn);
	free(f);
	free(e);
	return 0;
}

static struct fake *
fake_of(struct world *w, const char *account)
{
	LIST_EACH(&w->fakes, link) {
		struct fake *f = CONTAINER_OF(link, struct fake, link);

		if (strcmp(f->account, account) == 0)
			return f;
	}
	return NULL;
}

static void
fake_start(struct world *w, int fd)
{
	struct end *e = NEW(struct end);

	e->w = w;
	e->fd = fd;
	task_group_start(w->group, fake_task, e);
}

static int
on_zygote(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct world			*w = arg;
	struct msg_zygote_fork		*m = in->msg;
	struct msg_zygote_forked	 answer = { 100 + w->started,
					    SLICE_EMPTY };
	struct stat			 st;

	(void)t;
	CHECK(stat(arena_text(a, m->folder), &st) == 0 &&
	    S_ISDIR(st.st_mode), 0);
	fake_start(w, m->control);
	m->control = -1;
	return ipc_reply(c, in->request, &msg_zygote_forked_desc, &answer);
}

/* --- a daemon that calls stored */

struct caller {
	struct ipc_conn	conn;
	struct task_group group;
	unsigned	woken;
	char		handle[HANDLE_LEN];	/* of the last one woken */
	char		given[HANDLE_LEN];	/* of the last one begun */
};

static int
on_caller(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct caller *k = arg;

	(void)t;
	(void)c;
	(void)a;
	if (in->desc->number != MSG_store_wake)
		return -EBADMSG;
	k->woken++;
	memcpy(k->handle, ((struct msg_store_wake *)in->msg)->handle.data,
	    HANDLE_LEN);
	return 0;
}

static int
caller_task(struct task *t, void *arg)
{
	struct caller *k = arg;

	ignore(ipc_serve(t, &k->conn, on_caller, k));
	ipc_close(&k->conn);
	return 0;
}

static void
caller_open(struct task *t, struct world *w, struct caller *k,
    const char *daemon, uint32_t process)
{
	struct daemon_caller who = { slice_of(daemon), slice_of(daemon),
	    process, 0 };
	int	pair[2];

	*k = (struct caller){ .woken = 0 };
	CHECK_INT(fd_pair(pair), 0, 0);
	ipc_open(&k->conn, task_loop(t), &pair[0], &ipc_table_store,
	    IPC_CALLER);
	daemon_add_caller(w->daemon, &pair[1], &who);
	task_group_begin(t, &k->group);
	task_group_start(&k->group, caller_task, k);
}

static void
caller_close(struct task *t, struct caller *k)
{
	ipc_close(&k->conn);
	CHECK_INT(task_group_end(t, &k->group), 0, 0);
}

/* ask - the code of store_channel */
static int
ask(struct task *t, struct caller *k, const struct ipc_desc *d, const void *m)
{
	struct msg_store_channel *answer;
	struct arena	a = ARENA_INIT;
	void		*reply;
	int		 r;

	r = ipc_call(t, &k->conn, d, m, &msg_store_channel_desc, &a, &reply);
	if (r == 0) {
		answer = reply;
		r = (int)answer->code;
		if (answer->handle.len == HANDLE_LEN)
			memcpy(k->given, answer->handle.data, HANDLE_LEN);
		fd_close(&answer->fd);
	}
	arena_free(&a);
	return r;
}

static int
ask_deliver(struct task *t, struct caller *k, const char *account)
{
	struct msg_store_deliver m = { slice_of(account) };

	return ask(t, k, &msg_store_deliver_desc, &m);
}

static int
ask_session(struct task *t, struct caller *k, const char *ticket)
{
	struct msg_store_session m = { slice_of(ticket), S("imap"), -1,
	    S("sess"), S("192.0.2.1"), S("a1") };
	int	pair[2], r;

	CHECK_INT(fd_pair(pair), 0, 0);
	m.channel = pair[0];
	r = ask(t, k, &msg_store_session_desc, &m);
	fd_close(&pair[0]);
	fd_close(&pair[1]);
	return r;
}

/* --- the world */

static const struct daemon_spec spec = {
	.name = "stored",
	.params = &stored_param_table,
	.params_size = sizeof(struct stored_params),
	.run = stored_run,
	.edge = store_serve,
};

static int
connect_edge(struct task *t, void *arg, const char *callee, int *ret_fd)
{
	struct world	*w = arg;
	int		 pair[2], r;
	bool		 zygote = strcmp(callee, "accountd") == 0;
	bool		 early = zygote && task_now(t) < w->zygote_at;

	if (early && !w->zygote_falls)
		return -ECONNREFUSED;
	if ((r = fd_pair(pair)) < 0)
		return r;
	*ret_fd = pair[0];
	if (early)
		fd_close(&pair[1]);
	else if (strcmp(callee, "authd") == 0)
		peer_daemon_start(w->group, pair[1], &ipc_table_auth, on_auth,
		    w, &w->auth);
	else if (zygote)
		peer_daemon_start(w->group, pair[1], &ipc_table_zygote,
		    on_zygote, w, &w->zygote);
	else
		fd_close(&pair[1]);	/* logd: nobody listens */
	return 0;
}

static int
stored_task(struct task *t, void *arg)
{
	struct world *w = arg;

	CHECK_INT(daemon_serve(t, w->daemon), 0, 0);
	return 0;
}

static int
world_task(struct task *t, void *arg)
{
	struct world	*w = arg;
	struct conf	*conf = conf_new(NULL);
	struct diag	 diag = DIAG_INIT;
	struct stored	*s;
	struct task_group g;
	struct deadline	 d;
	int		 r;

	conf_put(conf, S("stored_account_processes"), slice_of(w->processes),
	    "", 0);
	conf_put(conf, S("stored_account_wait_time"), S("5s"), "", 0);
	w->daemon = daemon_new(task_loop(t), &spec, conf, connect_edge,
	    w, &diag);
	CHECK_INT(stored_prepare(w->daemon, &diag), 0, 0);
	task_group_begin(t, &g);
	w->group = &g;
	list_init(&w->fakes);
	task_group_start(&g, stored_task, w);
	deadline_begin(t, &d, 3600000);
	r = task_sleep(t, 1);		/* it serves now */
	if (r == 0)
		r = w->run(t, w);
	r = deadline_end(t, &d, r);
	daemon_end(w->daemon);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	s = daemon_data(w->daemon);
	CHECK_INT((long long)s->running, 0, 0);
	stored_free(&s);
	daemon_free(&w->daemon);
	CHECK_INT(task_group_end(t, &g), 0, 0);
	conf_free(&conf);
	return r;
}

static void
run_world(struct world *w, int (*run)(struct task *, struct world *))
{
	struct loop_options o = { .sim_seed = 11, .sim_short_io = true };
	struct loop	*l = loop_new(&o);
	static unsigned	 count;
	char		 path[400];

	snprintf(path, sizeof(path), "%s/%u", test_tmpdir(), count++);
	CHECK(mkdir(path, 0700) == 0 && chdir(path) == 0, 0);
	CHECK(mkdir("big", 0700) == 0, 0);	/* master makes it */
	w->run = run;
	if (w->processes == NULL)
		w->processes = "10";
	CHECK_INT(loop_run(l, world_task, w), 0, 0);
	CHECK_INT(loop_task_count(l), 0, 0);
	CHECK_INT(w->started, w->ended, 0);
	loop_free(l);
}

#endif
