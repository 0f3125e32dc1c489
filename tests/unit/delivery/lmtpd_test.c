/* SPDX-License-Identifier: ISC */
/* lmtpd on the simulated loop; the test is qmgr, stored, and the account
 * processes. */
#include "peer_daemon.h"
#include "test.h"

#include <unistd.h>

#include "delivery/lmtpd.h"
#include "libglobal/ipc_delivery.h"
#include "libglobal/ipc_envelope.h"
#include "libglobal/ipc_store.h"
#include "libtask/loop.h"
#include "libtask/memfile.h"
#include "libutil/alloc.h"
#include "libutil/conf.h"

struct world {
	struct daemon	*daemon;
	struct lmtpd	*lmtpd;
	struct task_group *group;
	struct ipc_conn	qmgr;
	unsigned	channels;	/* handed out */
	unsigned	open;		/* of them now */
	unsigned	asked;		/* deliveries */
	unsigned	crash;		/* deliveries not to answer */
	unsigned	store_code;	/* of stored; 0: a channel */
	bool		store_is_down;
	char		ids[16][32];	/* of the deliveries */
	int		(*run)(struct task *t, struct world *w);
	const char	*channel_limit;
};

struct end {
	struct world	*w;
	int		 fd;
};

/* --- an account process */

static int
on_delivery(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct world			*w = arg;
	const struct msg_deliver_ask	*m = in->msg;
	struct msg_deliver_result	 done = { 250, S("2.0.0"), S("Saved") };

	(void)t;
	(void)a;
	memcpy(w->ids[w->asked++ % COUNT(w->ids)], m->delivery_id.data, 32);
	CHECK_TEXT(m->sender, "s@example.com", 0);
	CHECK_INT((long long)m->content_length, 5, 0);
	CHECK_INT((long long)m->pieces.n, 1, 0);
	if (w->crash > 0) {
		w->crash--;
		return -EIO;
	}
	if (slice_equal(m->recipient, S("full@example.org")))
		done = (struct msg_deliver_result){ 552, S("5.2.2"),
		    S("Mailbox is full") };
	return ipc_reply(c, in->request, &msg_deliver_result_desc, &done);
}

static int
account_task(struct task *t, void *arg)
{
	struct end	*e = arg;
	struct ipc_conn	 c;

	e->w->open++;
	ipc_open(&c, task_loop(t), &e->fd, &ipc_table_deliver, IPC_CALLEE);
	ignore(ipc_serve(t, &c, on_delivery, e->w));
	ipc_close(&c);
	e->w->open--;
	free(e);
	return 0;
}

static void
account_start(struct world *w, int fd)
{
	struct end *e = NEW(struct end);

	e->w = w;
	e->fd = fd;
	task_group_start(w->group, account_task, e);
}

/* --- stored */

static int
on_store(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct world			*w = arg;
	const struct msg_store_deliver	*m = in->msg;
	struct msg_store_channel	 answer = { -1, 250, SLICE_EMPTY };
	int				 pair[2] = { -1, -1 }, r;

	(void)t;
	(void)a;
	if (slice_equal(m->account, S("nobody"))) {
		answer.code = 550;
		answer.text = S("There is no such account");
	} else if (w->store_code != 0) {
		answer.code = w->store_code;
		answer.text = S("not now");
	} else if ((r = fd_pair(pair)) < 0) {
		return r;
	} else {
		w->channels++;
		answer.fd = pair[0];
		account_start(w, pair[1]);
	}
	r = ipc_reply(c, in->request, &msg_store_channel_desc, &answer);
	fd_close(&pair[0]);
	return r;
}

/* --- the world */

static int
connect_edge(struct task *t, void *arg, const char *callee, int *ret_fd)
{
	struct world	*w = arg;
	int		 pair[2], r;

	(void)t;
	CHECK_TEXT(slice_of(callee), "stored", 0);
	if (w->store_is_down)
		return -ECONNREFUSED;
	if ((r = fd_pair(pair)) < 0)
		return r;
	*ret_fd = pair[0];
	peer_daemon_start(w->group, pair[1], &ipc_table_store, on_store, w,
	    NULL);
	return 0;
}

static const struct daemon_spec spec = {
	.name = "lmtpd",
	.params = &lmtpd_param_table,
	.params_size = sizeof(struct lmtpd_params),
	.edge = lmtpd_serve,
};

static int
serve_task(struct task *t, void *arg)
{
	struct world *w = arg;

	CHECK_INT(daemon_serve(t, w->daemon), 0, 0);
	return 0;
}

static int
replies_task(struct task *t, void *arg)
{
	ignore(ipc_run_replies(t, arg));
	return 0;
}

static int
world_task(struct task *t, void *arg)
{
	struct world	*w = arg;
	struct daemon_caller who = { S("qmgr"), S("qmgr"), 1, 0 };
	struct conf	*conf = conf_new(NULL);
	struct diag	 diag = DIAG_INIT;
	struct task_group g;
	int		 pair[2], r;

	conf_put(conf, S("lmtpd_channel_limit"), slice_of(w->channel_limit ==
	    NULL ? "100" : w->channel_limit), "", 0);
	w->daemon = daemon_new(task_loop(t), &spec, conf, connect_edge, w,
	    &diag);
	w->lmtpd = NEW(struct lmtpd);
	w->lmtpd->daemon = w->daemon;
	list_init(&w->lmtpd->unused);
	daemon_set_data(w->daemon, w->lmtpd);
	task_group_begin(t, &g);
	w->group = &g;
	task_group_start(&g, serve_task, w);
	r = task_sleep(t, 1);
	CHECK_INT(fd_pair(pair), 0, 0);
	daemon_add_caller(w->daemon, &pair[1], &who);
	ipc_open(&w->qmgr, task_loop(t), &pair[0], &ipc_table_delivery,
	    IPC_CALLER);
	task_group_start(&g, replies_task, &w->qmgr);
	if (r == 0)
		r = w->run(t, w);
	ipc_close(&w->qmgr);
	daemon_end(w->daemon);
	ignore(task_sleep(t, 10));
	daemon_free(&w->daemon);
	CHECK_INT(task_group_end(t, &g), 0, 0);
	hash_free(&w->lmtpd->channels);
	free(w->lmtpd);
	conf_free(&conf);
	return r;
}

static void
run_world(struct world *w, int (*run)(struct task *, struct world *))
{
	struct loop_options o = { .sim_seed = 13, .sim_short_io = true };
	struct loop	*l = loop_new(&o);

	w->run = run;
	CHECK_INT(loop_run(l, world_task, w), 0, 0);
	CHECK_INT(loop_task_count(l), 0, 0);
	loop_free(l);
}

/* attempt - a message to so many recipients */
static int
attempt(struct task *t, struct world *w, struct arena *a,
    struct msg_rcpt *rcpts, size_t n, struct msg_delivery_result **ret)
{
	struct msg_piece	 piece = { true, 0, 5, SLICE_EMPTY };
	struct msg_envelope	 env = { .queue_id = S("4abc"),
	    .sender = S("s@example.com"), .content_length = 5,
	    .pieces = { &piece, 1 }, .rcpts = { rcpts, n } };
	struct msg_delivery_ask	 m = { .transport = S("store") };
	struct memfile		 f = MEMFILE_INIT;
	struct buf		 b = BUF_INIT;
	void			*reply;
	int			 r;

	if ((r = ipc_pack(&msg_envelope_desc, &env, &b)) == 0 &&
	    (r = memfile_new("test", 5, &f)) == 0 &&
	    (r = memfile_append(&f, S("hello"))) == 0 &&
	    (r = memfile_seal(&f)) == 0) {
		m.envelope = buf_slice(&b);
		m.content = f.fd;
		r = ipc_call(t, &w->qmgr, &msg_delivery_ask_desc, &m,
		    &msg_delivery_result_desc, a, &reply);
	}
	memfile_done(&f);
	buf_free(&b);
	if (r == 0)
		*ret = reply;
	return r;
}

#define RCPT(address, account, number) { S_INIT(address), S_INIT(address), \
	S_INIT(""), 0, S_INIT("store"), S_INIT(account), number }

static int
recipients(struct task *t, struct world *w)
{
	struct msg_rcpt rcpts[] = {
		RCPT("anna@example.org", "anna", 4),
		RCPT("full@example.org", "anna", 5),
		RCPT("nobody@example.org", "nobody", 6),
		RCPT("bob@example.org", "bob", 7),
	};
	static const struct { uint32_t number, code; const char *enhanced; }
	want[] = {
		{ 4, 250, "2.0.0" }, { 5, 552, "5.2.2" }, { 6, 550, "5.1.1" },
		{ 7, 250, "2.0.0" },
	};
	struct msg_delivery_result *res;
	struct arena	a = ARENA_INIT;
	int		r = attempt(t, w, &a, rcpts, COUNT(rcpts), &res);

	if (r < 0)
		return r;
	CHECK_INT((long long)res->rcpts.n, COUNT(want), 0);
	for (size_t i = 0; i < COUNT(want) && i < res->rcpts.n; i++) {
		CHECK_INT(res->rcpts.v[i].number, want[i].number, i);
		CHECK_INT(res->rcpts.v[i].code, want[i].code, i);
		CHECK_TEXT(res->rcpts.v[i].enhanced, want[i].enhanced, i);
		CHECK_TEXT(res->rcpts.v[i].relay, "store", i);
		CHECK(!res->rcpts.v[i].site_failure, i);
	}
	CHECK_INT(w->channels, 2, 0);	/* one for each account */
	CHECK(memcmp(w->ids[0], w->ids[1], 32) != 0, 0);
	arena_free(&a);
	return r;
}

TEST(lmtpd_recipients)
{
	struct world w = { .asked = 0 };

	run_world(&w, recipients);
}

static int
failures(struct task *t, struct world *w)
{
	static const struct {
		unsigned	crash, store_code;
		bool		down;
		uint32_t	code;
		bool		site_failure;
		unsigned	asked;
	} rows[] = {
		{ 0, 0, false, 250, false, 1 },
		/* the process ends before it answers: once more */
		{ 1, 0, false, 250, false, 2 },
		{ 2, 0, false, 451, false, 2 },
		{ 0, 0, false, 250, false, 1 },
	};
	struct msg_rcpt rcpt[] = { RCPT("anna@example.org", "anna", 1) };
	struct msg_delivery_result *res;
	struct arena	a = ARENA_INIT;
	int		r;

	for (size_t i = 0; i < COUNT(rows); i++) {
		w->asked = 0;
		w->crash = rows[i].crash;
		w->store_code = rows[i].store_code;
		if ((r = attempt(t, w, &a, rcpt, 1, &res)) < 0)
			return r;
		CHECK_INT(res->rcpts.v[0].code, rows[i].code, i);
		CHECK_INT(res->rcpts.v[0].site_failure, rows[i].site_failure,
		    i);
		CHECK_INT(w->asked, rows[i].asked, i);
		/* the same delivery has the same id at each try */
		CHECK(w->asked < 2 || memcmp(w->ids[0], w->ids[1], 32) == 0,
		    i);
	}
	arena_free(&a);
	return 0;
}

TEST(lmtpd_failures)
{
	struct world w = { .asked = 0 };

	run_world(&w, failures);
}

static int
no_store(struct task *t, struct world *w)
{
	struct msg_rcpt rcpt[] = { RCPT("anna@example.org", "anna", 1) };
	struct msg_delivery_result *res;
	struct arena	a = ARENA_INIT;
	int		r;

	w->store_is_down = true;
	if ((r = attempt(t, w, &a, rcpt, 1, &res)) < 0)
		return r;
	CHECK_INT(res->rcpts.v[0].code, 451, 0);
	CHECK(res->rcpts.v[0].site_failure, 0);
	w->store_is_down = false;
	w->store_code = 451;
	if ((r = attempt(t, w, &a, rcpt, 1, &res)) < 0)
		return r;
	CHECK_INT(res->rcpts.v[0].code, 451, 1);
	CHECK_TEXT(res->rcpts.v[0].text, "not now", 1);
	CHECK(!res->rcpts.v[0].site_failure, 1);
	arena_free(&a);
	return 0;
}

TEST(lmtpd_without_a_store)
{
	struct world w = { .asked = 0 };

	run_world(&w, no_store);
}

/* channels that are not used are closed when there are too many */
static int
limits(struct task *t, struct world *w)
{
	struct msg_rcpt rcpts[] = {
		RCPT("a@example.org", "a", 1), RCPT("b@example.org", "b", 2),
		RCPT("c@example.org", "c", 3), RCPT("d@example.org", "d", 4),
	};
	struct msg_delivery_result *res;
	struct arena	a = ARENA_INIT;
	int		r;

	if ((r = attempt(t, w, &a, rcpts, COUNT(rcpts), &res)) < 0 ||
	    (r = task_sleep(t, 10)) < 0)
		return r;
	for (size_t i = 0; i < COUNT(rcpts); i++)
		CHECK_INT(res->rcpts.v[i].code, 250, i);
	CHECK_INT(w->open, 2, 0);
	CHECK_INT(w->channels, 4, 0);
	arena_free(&a);
	return 0;
}

TEST(lmtpd_channel_limit)
{
	struct world w = { .channel_limit = "2" };

	run_world(&w, limits);
}

TEST(lmtpd_delivery_id)
{
	struct msg_rcpt rows[] = {
		RCPT("a@example.org", "a", 1), RCPT("a@example.org", "a", 2),
		RCPT("b@example.org", "a", 1), RCPT("a@example.org", "b", 1),
	};
	struct msg_envelope env = { .queue_id = S("4abc") };
	unsigned char	id[COUNT(rows)][DELIVERY_ID_BYTES], again[32];

	for (size_t i = 0; i < COUNT(rows); i++) {
		lmtpd_delivery_id(&env, &rows[i], id[i]);
		lmtpd_delivery_id(&env, &rows[i], again);
		CHECK(memcmp(id[i], again, 32) == 0, i);
		for (size_t k = 0; k < i; k++)
			CHECK(memcmp(id[i], id[k], 32) != 0, i);
	}
	env.queue_id = S("4abd");
	lmtpd_delivery_id(&env, &rows[0], again);
	CHECK(memcmp(id[0], again, 32) != 0, 0);
}

TEST(lmtpd_content_id)
{
	struct msg_rcpt rows[] = {
		RCPT("a@example.org", "a", 1), RCPT("b@example.org", "a", 1),
		RCPT("a@example.org", "b", 1),
	};
	struct msg_rcpt first_again = RCPT("a@example.org", "a", 7);
	struct msg_envelope env = { .queue_id = S("4abc") };
	unsigned char	id[COUNT(rows)][DELIVERY_ID_BYTES], again[32];

	CHECK_INT(lmtpd_content_id(&env, &rows[0], again), 0, 0);
	env.content_id = S("0123456789abcdef");
	for (size_t i = 0; i < COUNT(rows); i++) {
		CHECK_INT(lmtpd_content_id(&env, &rows[i], id[i]), 32, i);
		for (size_t k = 0; k < i; k++)
			CHECK(memcmp(id[i], id[k], 32) != 0, i);
	}
	env.queue_id = S("4abd");
	CHECK_INT(lmtpd_content_id(&env, &first_again, again), 32, 0);
	CHECK(memcmp(id[0], again, 32) == 0, 0);
	env.content_id = S("0123456789abcdeF");
	CHECK_INT(lmtpd_content_id(&env, &rows[0], again), 32, 0);
	CHECK(memcmp(id[0], again, 32) != 0, 0);
}
