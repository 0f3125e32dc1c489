/* SPDX-License-Identifier: ISC */
/* stored on the simulated loop; the test is authd, the zygote with its account
 * processes, and whoever asks. */
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

static int
ask_resume(struct task *t, struct caller *k, const char *handle)
{
	struct msg_store_resume m = { slice_over(handle, HANDLE_LEN), -1 };
	int	pair[2], r;

	CHECK_INT(fd_pair(pair), 0, 0);
	m.channel = pair[0];
	r = ask(t, k, &msg_store_resume_desc, &m);
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

/* --- deliveries */

static int
deliveries(struct task *t, struct world *w)
{
	struct caller	k;
	struct stat	st;

	caller_open(t, w, &k, "lmtpd", 3);
	CHECK_INT(ask_deliver(t, &k, ANNA), 250, 0);
	CHECK_INT(ask_deliver(t, &k, ANNA), 250, 1);
	CHECK_INT(ask_deliver(t, &k, BOB), 250, 2);
	CHECK_INT(ask_deliver(t, &k, CARL), 550, 3);
	CHECK_INT(ask_deliver(t, &k, "../../etc/passwd"), 550, 4);
	CHECK_INT(ask_deliver(t, &k, ""), 550, 5);
	CHECK_INT(w->started, 2, 0);
	CHECK(fake_of(w, ANNA) != NULL && fake_of(w, ANNA)->deliveries == 2 &&
	    fake_of(w, ANNA)->was_new, 0);
	CHECK(stat("00/" ANNA, &st) == 0 && S_ISDIR(st.st_mode), 0);
	CHECK(stat("22/" CARL, &st) < 0, 0);
	/* a process that dies is started again */
	ipc_close(&fake_of(w, ANNA)->conn);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	CHECK_INT(ask_deliver(t, &k, ANNA), 250, 0);
	CHECK_INT(w->started, 3, 0);
	caller_close(t, &k);
	return 0;
}

TEST(stored_deliveries)
{
	struct world w = { .used = 0 };

	run_world(&w, deliveries);
}

static int
troubles(struct task *t, struct world *w)
{
	struct caller	k;

	caller_open(t, w, &k, "lmtpd", 3);
	w->auth_is_down = true;
	CHECK_INT(ask_deliver(t, &k, ANNA), 451, 0);
	w->auth_is_down = false;
	w->broken = true;
	CHECK_INT(ask_deliver(t, &k, ANNA), 451, 1);
	CHECK_INT(ask_deliver(t, &k, ANNA), 451, 2);
	w->broken = false;
	CHECK_INT(ask_deliver(t, &k, ANNA), 250, 3);
	/* what is not its business ends its edge */
	CHECK_INT(ask_session(t, &k, "good"), -ECONNRESET, 0);
	caller_close(t, &k);
	return 0;
}

TEST(stored_troubles)
{
	struct world w = { .used = 0 };

	run_world(&w, troubles);
}

/* lose_zygote - it is killed, with all account processes; the next one is
 * there in so many ms */
static void
lose_zygote(struct task *t, struct world *w, int64_t ms)
{
	if (w->zygote != NULL)
		ipc_close(w->zygote);
	LIST_EACH_SAFE(&w->fakes, link)
		ipc_close(&CONTAINER_OF(link, struct fake, link)->conn);
	w->zygote_at = task_now(t) + ms;
	CHECK_INT(task_sleep(t, 10), 0, 0);
}

/* one that is killed again and again comes back later each time: who needs it
 * waits as long as anybody waits for an account, and no longer */
static int
no_zygote(struct task *t, struct world *w)
{
	struct caller k;

	caller_open(t, w, &k, "lmtpd", 3);
	for (int i = 0; i < 2; i++) {
		w->zygote_falls = i == 1;
		lose_zygote(t, w, 4000);
		CHECK_INT(ask_deliver(t, &k, ANNA), 250, i);
		CHECK(task_now(t) >= w->zygote_at, i);
		lose_zygote(t, w, 60000);
		CHECK_INT(ask_deliver(t, &k, ANNA), 451, i);
		CHECK(task_now(t) < w->zygote_at, i);
		CHECK_INT(task_sleep(t, 60000), 0, i);
		CHECK_INT(ask_deliver(t, &k, ANNA), 250, i);
	}
	caller_close(t, &k);
	return 0;
}

TEST(stored_no_zygote)
{
	struct world w = { .used = 0 };

	run_world(&w, no_zygote);
}

/* --- how many */

static int
room(struct task *t, struct world *w)
{
	struct msg_account_idle idle = { true };
	struct caller	k;

	caller_open(t, w, &k, "lmtpd", 3);
	CHECK_INT(ask_deliver(t, &k, ANNA), 250, 0);
	/* the only one is busy: the other waits, in vain */
	CHECK_INT(ask_deliver(t, &k, BOB), 451, 1);
	/* now it is idle, but refuses to end */
	w->refuse_end = true;
	CHECK_INT(ipc_post(&fake_of(w, ANNA)->conn, &msg_account_idle_desc,
	    &idle), 0, 0);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	CHECK_INT(ask_deliver(t, &k, BOB), 451, 2);
	CHECK(fake_of(w, ANNA) != NULL && fake_of(w, ANNA)->asked_to_end, 0);
	w->refuse_end = false;
	CHECK_INT(ipc_post(&fake_of(w, ANNA)->conn, &msg_account_idle_desc,
	    &idle), 0, 0);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	CHECK_INT(ask_deliver(t, &k, BOB), 250, 3);
	CHECK(fake_of(w, ANNA) == NULL, 0);
	/* and one that has been idle for long enough is ended */
	CHECK_INT(ipc_post(&fake_of(w, BOB)->conn, &msg_account_idle_desc,
	    &idle), 0, 0);
	CHECK_INT(task_sleep(t, 30000), 0, 0);
	CHECK(fake_of(w, BOB) != NULL, 0);
	CHECK_INT(task_sleep(t, 40000), 0, 0);
	CHECK(fake_of(w, BOB) == NULL, 0);
	caller_close(t, &k);
	return 0;
}

TEST(stored_room)
{
	struct world w = { .processes = "1" };

	run_world(&w, room);
}

/* --- sessions */

/* sleeps - the last session of an account */
static void
sleeps(struct task *t, struct fake *f, bool idling)
{
	struct msg_account_frozen m = { slice_over(f->handle, HANDLE_LEN),
	    S("imap"), S("anna"), S("sess"), S("192.0.2.1"), S("dreams"),
	    idling, f->handover };
	struct arena	a = ARENA_INIT;
	void		*reply;

	CHECK_INT(ipc_call(t, &f->conn, &msg_account_frozen_desc, &m,
	    &msg_account_kept_desc, &a, &reply), 0, 0);
	arena_free(&a);
}

/* freeze - the account of anna puts its session to sleep, and ends */
static void
freeze(struct task *t, struct world *w, bool idling)
{
	struct fake	*f = fake_of(w, ANNA);
	struct msg_account_idle idle = { true };

	sleeps(t, f, idling);
	CHECK_INT(ipc_post(&f->conn, &msg_account_idle_desc, &idle), 0, 0);
	CHECK_INT(task_sleep(t, 70000), 0, 0);
	CHECK(fake_of(w, ANNA) == NULL, 0);
}

static int
sessions(struct task *t, struct world *w)
{
	struct caller	imapd, other, lmtpd;
	char		handle[HANDLE_LEN];

	caller_open(t, w, &imapd, "imapd", 5);
	caller_open(t, w, &other, "imapd", 6);
	caller_open(t, w, &lmtpd, "lmtpd", 7);
	CHECK_INT(ask_session(t, &imapd, "bad"), 550, 0);
	CHECK_INT(ask_session(t, &other, "good"), 550, 1);
	CHECK_INT(ask_session(t, &imapd, "good"), 250, 2);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	CHECK(fake_of(w, ANNA)->sessions == 1 && !fake_of(w, ANNA)->had_state,
	    0);
	CHECK(memcmp(imapd.given, fake_of(w, ANNA)->handle, HANDLE_LEN) == 0,
	    0);
	memcpy(handle, fake_of(w, ANNA)->handle, HANDLE_LEN);
	/* awake: there is nothing to resume */
	CHECK_INT(ask_resume(t, &imapd, handle), 550, 3);
	freeze(t, w, true);
	/* on its own front only */
	CHECK_INT(ask_resume(t, &other, handle), 550, 4);
	CHECK_INT(imapd.woken, 0, 0);
	CHECK_INT(ask_deliver(t, &lmtpd, ANNA), 250, 5);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	CHECK_INT(imapd.woken, 1, 0);
	CHECK_INT(other.woken, 0, 0);
	CHECK(memcmp(imapd.handle, handle, HANDLE_LEN) == 0, 0);
	CHECK_INT(ask_resume(t, &imapd, handle), 250, 6);
	CHECK(fake_of(w, ANNA)->had_state, 0);
	/* a login changes nothing: it wakes nobody */
	freeze(t, w, true);
	CHECK_INT(ask_session(t, &imapd, "good"), 250, 6);
	CHECK_INT(task_sleep(t, 10), 0, 6);
	CHECK(fake_of(w, ANNA)->has_sleepers, 6);
	CHECK_INT(imapd.woken, 1, 6);
	freeze(t, w, false);
	CHECK_INT(ask_resume(t, &imapd, handle), 250, 6);
	CHECK_INT(task_sleep(t, 10), 0, 6);
	/* one that does not idle is left alone */
	freeze(t, w, false);
	CHECK_INT(ask_deliver(t, &lmtpd, ANNA), 250, 7);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	CHECK_INT(imapd.woken, 1, 0);
	CHECK_INT(ask_resume(t, &imapd, handle), 250, 8);
	/* its process dies while it is awake: the front looks, and hears no */
	ipc_close(&fake_of(w, ANNA)->conn);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	CHECK_INT(imapd.woken, 2, 0);
	CHECK_INT(ask_resume(t, &imapd, handle), 550, 9);
	caller_close(t, &imapd);
	caller_close(t, &other);
	caller_close(t, &lmtpd);
	return 0;
}

TEST(stored_sessions)
{
	struct world w = { .used = 0 };

	run_world(&w, sessions);
}

/* a process that ends before a session began in it: the front comes again */
static int
never_begun(struct task *t, struct world *w)
{
	struct msg_store_forget	 gone;
	struct caller	imapd;
	char		handle[HANDLE_LEN];

	w->never_begins = true;
	caller_open(t, w, &imapd, "imapd", 5);
	CHECK_INT(ask_session(t, &imapd, "good"), 250, 0);
	memcpy(handle, imapd.given, HANDLE_LEN);
	/* twice, and once so fast that its end was not noticed yet */
	for (int i = 1; i <= 2; i++) {
		CHECK_INT(task_sleep(t, 10), 0, i);
		ipc_close(&fake_of(w, ANNA)->conn);
		if (i == 1)
			CHECK_INT(task_sleep(t, 10), 0, i);
		CHECK_INT(ask_resume(t, &imapd, handle), 250, i);
		CHECK_INT(task_sleep(t, 10), 0, i);
		CHECK(!fake_of(w, ANNA)->had_state, i);
		CHECK_TEXT(slice_of(fake_of(w, ANNA)->greeting), "a1", i);
	}
	/* one that slept keeps its state */
	freeze(t, w, true);
	CHECK_INT(ask_resume(t, &imapd, handle), 250, 3);
	CHECK_INT(task_sleep(t, 10), 0, 3);
	ipc_close(&fake_of(w, ANNA)->conn);
	CHECK_INT(task_sleep(t, 10), 0, 3);
	w->never_begins = false;
	CHECK_INT(ask_resume(t, &imapd, handle), 250, 4);
	CHECK_INT(task_sleep(t, 10), 0, 4);
	CHECK(fake_of(w, ANNA)->had_state, 4);
	/* now it runs: nobody else has it */
	CHECK_INT(ask_resume(t, &imapd, handle), 550, 5);
	/* a client that goes meanwhile is forgotten */
	w->never_begins = true;
	CHECK_INT(ask_session(t, &imapd, "good"), 250, 6);
	gone.handle = slice_over(imapd.given, HANDLE_LEN);
	CHECK_INT(ipc_post(&imapd.conn, &msg_store_forget_desc, &gone), 0, 6);
	CHECK_INT(ask_resume(t, &imapd, imapd.given), 550, 6);
	caller_close(t, &imapd);
	return 0;
}

TEST(stored_sessions_never_begun)
{
	struct world w = { .used = 0 };

	run_world(&w, never_begun);
}

/* what a process says of a hand-over that is not the last one is void */
static int
handovers(struct task *t, struct world *w)
{
	struct msg_account_begun  begun;
	struct msg_account_over	  over;
	struct caller	imapd;
	struct fake	*f;
	char		handle[HANDLE_LEN];

	w->never_begins = true;
	caller_open(t, w, &imapd, "imapd", 5);
	CHECK_INT(ask_session(t, &imapd, "good"), 250, 0);
	memcpy(handle, imapd.given, HANDLE_LEN);
	CHECK_INT(task_sleep(t, 30000), 0, 0);
	/* slow, but not dead: its front comes again */
	CHECK_INT(ask_resume(t, &imapd, handle), 250, 1);
	CHECK_INT(task_sleep(t, 10), 0, 1);
	f = fake_of(w, ANNA);
	CHECK_INT(f->sessions, 2, 1);
	CHECK_INT((long long)f->handover, 2, 1);
	begun = (struct msg_account_begun){ slice_over(handle, HANDLE_LEN), 1 };
	over = (struct msg_account_over){ slice_over(handle, HANDLE_LEN), 1 };
	CHECK_INT(ipc_post(&f->conn, &msg_account_begun_desc, &begun), 0, 2);
	CHECK_INT(ipc_post(&f->conn, &msg_account_over_desc, &over), 0, 2);
	CHECK_INT(task_sleep(t, 10), 0, 2);
	/* the second one did neither begin nor end: it can be had again */
	CHECK_INT(ask_resume(t, &imapd, handle), 250, 3);
	CHECK_INT(task_sleep(t, 10), 0, 3);
	CHECK_TEXT(slice_of(f->greeting), "a1", 3);
	/* a state of the one before the last is not kept */
	f->handover = 2;
	freeze(t, w, true);
	CHECK_INT(ask_resume(t, &imapd, handle), 250, 4);
	CHECK_INT(task_sleep(t, 10), 0, 4);
	f = fake_of(w, ANNA);
	CHECK(!f->had_state, 4);
	begun.handover = over.handover = 4;
	CHECK_INT(ipc_post(&f->conn, &msg_account_begun_desc, &begun), 0, 5);
	CHECK_INT(task_sleep(t, 10), 0, 5);
	CHECK_INT(ask_resume(t, &imapd, handle), 550, 5);
	CHECK_INT(ipc_post(&f->conn, &msg_account_over_desc, &over), 0, 6);
	CHECK_INT(task_sleep(t, 10), 0, 6);
	CHECK_INT((long long)((struct stored *)daemon_data(w->daemon))->
	    sleepers.count, 0, 6);
	caller_close(t, &imapd);
	return 0;
}

TEST(stored_hand_overs)
{
	struct world w = { .used = 0 };

	run_world(&w, handovers);
}

/* a process is given only so many sessions that it has not begun */
static int
crowd(struct task *t, struct world *w)
{
	static char	handles[GIVEN_MAX][HANDLE_LEN];
	struct caller	imapd;
	struct account_entry *e;

	w->never_begins = true;
	caller_open(t, w, &imapd, "imapd", 5);
	for (size_t i = 0; i < GIVEN_MAX; i++) {
		CHECK_INT(ask_session(t, &imapd, "good"), 250, i);
		memcpy(handles[i], imapd.given, HANDLE_LEN);
	}
	/* one more waits, in vain */
	CHECK_INT(ask_session(t, &imapd, "good"), 451, 0);
	ipc_close(&fake_of(w, ANNA)->conn);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	e = entry_get(daemon_data(w->daemon), S(ANNA));
	CHECK_INT((long long)e->given, 0, 0);
	/* those that come back leave room for logins */
	for (size_t i = 0; i < GIVEN_MAX; i++)
		CHECK_INT(ask_resume(t, &imapd, handles[i]),
		    i < GIVEN_RESUMED ? 250 : 451, i);
	CHECK_INT(ask_session(t, &imapd, "good"), 250, 1);
	/* one that has its turn keeps it */
	CHECK_INT(ask_resume(t, &imapd, handles[0]), 250, 2);
	ipc_close(&fake_of(w, ANNA)->conn);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	w->never_begins = false;
	for (size_t i = 0; i < GIVEN_MAX; i++) {
		CHECK_INT(ask_resume(t, &imapd, handles[i]), 250, i);
		CHECK_INT(task_sleep(t, 1), 0, i);
	}
	CHECK_INT((long long)e->given, 0, 3);
	caller_close(t, &imapd);
	return 0;
}

TEST(stored_crowd)
{
	struct world w = { .used = 0 };

	run_world(&w, crowd);
}

struct login {
	struct caller	*imapd;
	int		 code;		/* 0: it waits */
};

static int
login_task(struct task *t, void *arg)
{
	struct login *l = arg;

	l->code = ask_session(t, l->imapd, "good");
	return 0;
}

/* a login that waits has its turn though those that slept never begin */
static int
crowd_waits(struct task *t, struct world *w)
{
	static char	handles[GIVEN_MAX][HANDLE_LEN];
	struct caller	imapd;
	struct login	late = { &imapd, 0 };
	struct task_group g;

	w->never_begins = true;
	caller_open(t, w, &imapd, "imapd", 5);
	for (size_t i = 0; i < GIVEN_RESUMED; i++) {
		CHECK_INT(ask_session(t, &imapd, "good"), 250, i);
		memcpy(handles[i], imapd.given, HANDLE_LEN);
	}
	ipc_close(&fake_of(w, ANNA)->conn);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	for (size_t i = 0; i < GIVEN_RESUMED; i++)
		CHECK_INT(ask_resume(t, &imapd, handles[i]), 250, i);
	for (size_t i = GIVEN_RESUMED; i < GIVEN_MAX; i++) {
		CHECK_INT(ask_session(t, &imapd, "good"), 250, i);
		memcpy(handles[i], imapd.given, HANDLE_LEN);
	}
	task_group_begin(t, &g);
	task_group_start(&g, login_task, &late);
	CHECK_INT(task_sleep(t, 100), 0, 1);
	CHECK_INT(late.code, 0, 1);
	for (size_t i = GIVEN_RESUMED; i < GIVEN_MAX; i++) {
		struct msg_account_over over = {
		    slice_over(handles[i], HANDLE_LEN), 1 };

		CHECK_INT(ipc_post(&fake_of(w, ANNA)->conn,
		    &msg_account_over_desc, &over), 0, i);
	}
	CHECK_INT(task_sleep(t, 100), 0, 2);
	CHECK_INT(late.code, 250, 2);
	CHECK_INT(task_group_end(t, &g), 0, 0);
	caller_close(t, &imapd);
	return 0;
}

TEST(stored_crowd_waits)
{
	struct world w = { .used = 0 };

	run_world(&w, crowd_waits);
}

/* one sleeps while its process lives: what changes there wakes it, and so
 * does the process's end, if that was none of ours */
static int
changes(struct task *t, struct world *w)
{
	struct msg_account_changed changed;
	struct caller	imapd;
	struct fake	*f;
	char		first[HANDLE_LEN], second[HANDLE_LEN];

	caller_open(t, w, &imapd, "imapd", 5);
	CHECK_INT(ask_session(t, &imapd, "good"), 250, 0);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	f = fake_of(w, ANNA);
	sleeps(t, f, true);
	memcpy(first, f->handle, HANDLE_LEN);
	CHECK_INT(ask_session(t, &imapd, "good"), 250, 1);
	CHECK_INT(task_sleep(t, 10), 0, 1);
	sleeps(t, f, false);
	memcpy(second, f->handle, HANDLE_LEN);
	CHECK_INT(imapd.woken, 0, 1);
	/* the one that idles, and once only */
	for (int i = 0; i < 2; i++) {
		CHECK_INT(ipc_post(&f->conn, &msg_account_changed_desc,
		    &changed), 0, 2);
		CHECK_INT(task_sleep(t, 10), 0, 2);
		CHECK_INT(imapd.woken, 1, 2);
	}
	CHECK(memcmp(imapd.handle, first, HANDLE_LEN) == 0, 2);
	CHECK_INT(ask_resume(t, &imapd, first), 250, 3);
	CHECK_INT(task_sleep(t, 10), 0, 3);
	CHECK(f->had_state, 3);
	CHECK_INT(w->started, 1, 3);
	sleeps(t, f, true);
	CHECK_INT(task_sleep(t, 10), 0, 3);
	CHECK_INT(imapd.woken, 1, 3);
	/* it is killed: perhaps it could not say what it did */
	ipc_close(&f->conn);
	CHECK_INT(task_sleep(t, 10), 0, 4);
	CHECK_INT(imapd.woken, 2, 4);
	CHECK_INT(ask_resume(t, &imapd, first), 250, 4);
	CHECK_INT(ask_resume(t, &imapd, second), 250, 5);
	caller_close(t, &imapd);
	return 0;
}

TEST(stored_changes)
{
	struct world w = { .used = 0 };

	run_world(&w, changes);
}

/* after a password change nothing of before is good */
static int
voids(struct task *t, struct world *w)
{
	struct msg_auth_changed	 m = { S(ANNA) };
	struct msg_store_forget	 gone;
	struct caller		 imapd;
	char			 handle[HANDLE_LEN];

	caller_open(t, w, &imapd, "imapd", 5);
	CHECK_INT(ask_session(t, &imapd, "good"), 250, 0);
	memcpy(handle, fake_of(w, ANNA)->handle, HANDLE_LEN);
	freeze(t, w, true);
	CHECK_INT(ipc_post(w->auth, &msg_auth_changed_desc, &m), 0, 0);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	CHECK_INT(ask_resume(t, &imapd, handle), 550, 1);
	/* those that are awake end, too */
	CHECK_INT(ask_session(t, &imapd, "good"), 250, 2);
	CHECK_INT(ipc_post(w->auth, &msg_auth_changed_desc, &m), 0, 0);
	CHECK_INT(task_sleep(t, 10), 0, 0);
	CHECK(fake_of(w, ANNA) == NULL, 0);
	/* a client that has gone is forgotten */
	CHECK_INT(ask_session(t, &imapd, "good"), 250, 3);
	memcpy(handle, fake_of(w, ANNA)->handle, HANDLE_LEN);
	freeze(t, w, true);
	gone.handle = slice_over(handle, HANDLE_LEN);
	CHECK_INT(ipc_post(&imapd.conn, &msg_store_forget_desc, &gone), 0, 0);
	CHECK_INT(ask_resume(t, &imapd, handle), 550, 4);
	caller_close(t, &imapd);
	return 0;
}

TEST(stored_voids)
{
	struct world w = { .used = 0 };

	run_world(&w, voids);
}

/* --- mapd and tools */

static int
questions(struct task *t, struct world *w)
{
	static const struct {
		const char	*account;
		uint64_t	 quota, used, size;
		bool		 known, fits;
	} rows[] = {
		{ ANNA, 0, 900, 1000, true, true },
		{ ANNA, 1000, 900, 100, true, true },
		{ ANNA, 1000, 900, 101, true, false },
		{ ANNA, 1000, 1000, 0, true, false },
		{ CARL, 1000, 0, 0, false, true },
		{ "x", 1000, 0, 0, false, true },
	};
	struct msg_auth_changed	 changed = { SLICE_EMPTY };
	struct msg_store_verify	 v = { S(BOB), false, false };
	struct msg_store_list	 list;
	struct msg_store_folders *folders;
	struct arena		 a = ARENA_INIT;
	struct caller		 mapd, tool;
	void			*reply;

	caller_open(t, w, &mapd, "mapd", 1);
	caller_open(t, w, &tool, "tool", 2);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct msg_store_quota m = { slice_of(rows[i].account),
		    rows[i].size };
		struct fake *f;

		w->quota = rows[i].quota;
		w->used = rows[i].used;
		if (w->auth != NULL)
			CHECK_INT(ipc_post(w->auth, &msg_auth_changed_desc,
			    &changed), 0, i);
		if ((f = fake_of(w, ANNA)) != NULL) {
			struct msg_account_usage u = { w->used, 1 };

			CHECK_INT(ipc_post(&f->conn, &msg_account_usage_desc,
			    &u), 0, i);
		}
		CHECK_INT(task_sleep(t, 10), 0, i);
		CHECK_INT(ipc_call(t, &mapd.conn, &msg_store_quota_desc, &m,
		    &msg_store_usage_desc, &a, &reply), 0, i);
		CHECK_INT(((struct msg_store_usage *)reply)->known,
		    rows[i].known, i);
		CHECK_INT(((struct msg_store_usage *)reply)->fits,
		    rows[i].fits, i);
	}
	CHECK_INT(ipc_call(t, &tool.conn, &msg_store_verify_desc, &v,
	    &msg_store_verified_desc, &a, &reply), 0, 0);
	CHECK(((struct msg_store_verified *)reply)->ok, 0);
	CHECK_INT((long long)((struct msg_store_verified *)reply)->messages,
	    3, 0);
	CHECK(mkdir("00/not-an-account", 0700) == 0, 0);
	CHECK_INT(ipc_call(t, &tool.conn, &msg_store_list_desc, &list,
	    &msg_store_folders_desc, &a, &reply), 0, 0);
	folders = reply;
	CHECK_INT((long long)folders->list.n, 2, 0);
	if (folders->list.n == 2) {
		CHECK_TEXT(folders->list.v[0].account, ANNA, 0);
		CHECK_TEXT(folders->list.v[1].account, BOB, 0);
		CHECK(folders->list.v[1].running, 0);
	}
	arena_free(&a);
	caller_close(t, &mapd);
	caller_close(t, &tool);
	return 0;
}

TEST(stored_questions)
{
	struct world w = { .used = 0 };

	run_world(&w, questions);
}

/* --- large bodies */

/* keep - an account gives a body away; its hash in hex */
static int
keep(struct task *t, struct world *w, const char *account, struct slice body,
    struct buf *hex)
{
	struct msg_account_big	 m = { -1, 3, body.len };
	struct msg_account_big_kept *kept;
	struct memfile		 f = MEMFILE_INIT;
	struct arena		 a = ARENA_INIT;
	void			*reply;
	int			 r;

	if ((r = memfile_new("test", body.len + 3, &f)) == 0 &&
	    (r = memfile_append(&f, S("..."))) == 0 &&
	    (r = memfile_append(&f, body)) == 0 &&
	    (r = memfile_seal(&f)) == 0) {
		m.content = f.fd;
		r = ipc_call(t, &fake_of(w, account)->conn,
		    &msg_account_big_desc, &m, &msg_account_big_kept_desc, &a,
		    &reply);
	}
	if (r == 0) {
		kept = reply;
		r = kept->ok ? 0 : -EIO;
		buf_reset(hex);
		hex_encode(hex, kept->hash);
	}
	memfile_done(&f);
	arena_free(&a);
	return r;
}

/* links - how many names a file has; 0: none */
static long long
links(const char *format, const char *hex)
{
	char		path[300];
	struct stat	st;

	snprintf(path, sizeof(path), format, hex);
	return stat(path, &st) < 0 ? 0 : (long long)st.st_nlink;
}

static int
bodies(struct task *t, struct world *w)
{
	struct caller	k;
	struct buf	hex = BUF_INIT, other = BUF_INIT;
	char		path[300];
	struct stat	st;

	caller_open(t, w, &k, "lmtpd", 3);
	CHECK_INT(ask_deliver(t, &k, ANNA), 250, 0);
	CHECK_INT(ask_deliver(t, &k, BOB), 250, 1);
	CHECK_INT(keep(t, w, ANNA, S("abc"), &hex), 0, 0);
	CHECK_TEXT(buf_slice(&hex), "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad", 0);
	CHECK_INT(links("big/%s", buf_cstr(&hex)), 2, 0);
	CHECK_INT(links("00/" ANNA "/big/%s", buf_cstr(&hex)), 2, 0);
	/* the same again, and for somebody else */
	CHECK_INT(keep(t, w, ANNA, S("abc"), &other), 0, 1);
	CHECK_INT(keep(t, w, BOB, S("abc"), &other), 0, 2);
	CHECK_SLICE(buf_slice(&other), buf_slice(&hex), 0);
	CHECK_INT(links("11/" BOB "/big/%s", buf_cstr(&hex)), 3, 0);
	snprintf(path, sizeof(path), "big/%s", buf_cstr(&hex));
	CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0440 &&
	    st.st_size == 3, 0);
	/* beyond the end of the content */
	CHECK_INT(keep(t, w, ANNA, SLICE_EMPTY, &other), 0, 3);
	caller_close(t, &k);
	buf_free(&hex);
	buf_free(&other);
	return 0;
}

TEST(stored_bodies)
{
	struct world w = { .used = 0 };

	run_world(&w, bodies);
}

TEST(account_ids)
{
	static const struct { const char *in; bool want; } rows[] = {
		{ ANNA, true }, { "", false }, { "00000000000000a", false },
		{ "00000000000000aaa", false }, { "00000000000000AA", false },
		{ "../../../../../x", false }, { "0000000000000/aa", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		CHECK_INT(account_id_is_valid(slice_of(rows[i].in)),
		    rows[i].want, i);
}
