/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <fcntl.h>
#include <unistd.h>

#define IPC_DEF "unit/libtask/ipc_test.def"
#define IPC_TABLE talk
#include "libtask/ipc_declare.h"
#define IPC_DEF "unit/libtask/ipc_test.def"
#define IPC_TABLE talk
#include "libtask/ipc_define.h"

static const struct msg_item two_items[] = {
	{ S_INIT("stone"), 700 }, { S_INIT(""), 0 },
};

static struct msg_hello
hello(struct slice bytes, int fd)
{
	struct msg_hello m = { S("hi"), bytes, -5, true, fd, { NULL, 0 } };

	m.items.v = (struct msg_item *)(uintptr_t)two_items;
	m.items.n = 2;
	return m;
}

TEST(ipc_codec_round_trip)
{
	struct msg_hello m = hello(S("a\0b"), -1);
	struct buf b = BUF_INIT;
	struct arena a = ARENA_INIT;
	void *got;

	CHECK_INT(ipc_pack(&msg_hello_desc, &m, &b), 0, 0);
	CHECK_INT(ipc_unpack(&msg_hello_desc, buf_slice(&b), &a, &got), 0, 0);
	if (got != NULL) {
		struct msg_hello *g = got;

		CHECK_TEXT(g->text, "hi", 0);
		CHECK_SLICE(g->bytes, S("a\0b"), 0);
		CHECK_INT(g->number, -5, 0);
		CHECK(g->flag && g->fd == -1 && g->items.n == 2, 0);
		CHECK_TEXT(g->items.v[0].name, "stone", 0);
		CHECK_INT(g->items.v[0].weight, 700, 0);
	}
	for (size_t n = 0; n < b.len; n++)	/* every cut is refused */
		CHECK_INT(ipc_unpack(&msg_hello_desc,
		    slice_sub(buf_slice(&b), 0, n), &a, &got), -EBADMSG, n);
	arena_free(&a);
	buf_free(&b);
}

TEST(ipc_codec_bounds)
{
	static char big[100001];
	struct msg_hello m = hello(slice_over(big, sizeof(big)), -1);
	struct buf b = BUF_INIT;

	CHECK_INT(ipc_pack(&msg_hello_desc, &m, &b), -EMSGSIZE, 0);
	m = hello(S(""), -1);
	m.text = S("NUL\0in it");
	buf_reset(&b);
	CHECK_INT(ipc_pack(&msg_hello_desc, &m, &b), -EINVAL, 1);
	buf_free(&b);
}

struct ends {
	struct ipc_conn	a, b;
};

static int
answer(struct task *t, struct ipc_conn *c, struct ipc_in *in, struct arena *a,
    void *arg)
{
	struct msg_hello *h = in->msg;
	struct msg_world w = { 0, h->fd };
	int r;

	(void)a;
	(void)arg;
	for (size_t i = 0; i < h->items.n; i++)
		w.sum += h->items.v[i].weight;
	w.sum += h->bytes.len;
	if ((r = task_yield(t)) < 0)
		return r;
	return ipc_reply(c, in->request, &msg_world_desc, &w);
}

static int
server(struct task *t, void *arg)
{
	struct ipc_conn *c = arg;
	int r = ipc_serve_parallel(t, c, answer, NULL, 7);

	ipc_close(c);
	return r == -ENODATA ? 0 : r;
}

static int
replies(struct task *t, void *arg)
{
	int r = ipc_run_replies(t, arg);

	return r == -ECANCELED ? 0 : r;
}

static int
caller(struct task *t, void *arg)
{
	static char bytes[100000];
	struct arena a = ARENA_INIT;
	int r = 0;

	for (size_t i = 0; i < 20 && r == 0; i++) {
		int fd = i % 3 == 0 ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
		struct msg_hello m = hello(slice_over(bytes, i * 5000), fd);
		void *reply;

		r = ipc_call(t, arg, &msg_hello_desc, &m, &msg_world_desc, &a,
		    &reply);
		if (r == 0) {
			struct msg_world *w = reply;

			CHECK_INT(w->sum, 700 + i * 5000, i);
			CHECK((w->fd >= 0) == (fd >= 0), i);
			fd_close(&w->fd);
		}
		fd_close(&fd);
	}
	arena_free(&a);
	return r;
}

static int
talk_main(struct task *t, void *arg)
{
	struct task_group g, callers;
	struct ends e;
	int fds[2], r;

	(void)arg;
	if ((r = fd_pair(fds)) < 0)
		return r;
	ipc_open(&e.a, task_loop(t), &fds[0], &talk, IPC_CALLER);
	ipc_open(&e.b, task_loop(t), &fds[1], &talk, IPC_CALLEE);
	task_group_begin(t, &g);
	task_group_start(&g, server, &e.b);
	task_group_start(&g, replies, &e.a);
	task_group_begin(t, &callers);
	for (int i = 0; i < 20; i++)
		task_group_start(&callers, caller, &e.a);
	r = task_group_end(t, &callers);
	task_group_cancel(&g);
	CHECK(r < 0 || g.failure == 0, 0);
	if (task_group_end(t, &g) == -ECANCELED && r == 0)
		r = 0;
	ipc_close(&e.a);
	ipc_close(&e.b);
	return r;
}

static size_t
open_fds(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 300; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

TEST(ipc_calls_over_a_pair)
{
	for (uint64_t seed = 1; seed < 20; seed++) {
		struct loop_options o = { .sim_seed = seed };
		size_t before = open_fds();
		struct loop *l = loop_new(&o);

		CHECK_INT(loop_run(l, talk_main, NULL), 0, seed);
		CHECK_INT(loop_task_count(l), 0, seed);
		loop_free(l);
		CHECK_INT(open_fds(), before, seed);
	}
}

static int
state_main(struct task *t, void *arg)
{
	struct msg_hello m = hello(S(""), -1);
	struct arena a = ARENA_INIT;
	struct ends e;
	struct ipc_in in;
	int fds[2], r;

	(void)arg;
	if ((r = fd_pair(fds)) < 0)
		return r;
	ipc_open(&e.a, task_loop(t), &fds[0], &talk, IPC_CALLER);
	ipc_open(&e.b, task_loop(t), &fds[1], &talk, IPC_CALLEE);
	ipc_set_state(&e.b, TALK_CLOSING);
	CHECK_INT(ipc_post(&e.a, &msg_hello_desc, &m), 0, 0);
	CHECK_INT(ipc_recv(t, &e.b, &a, &in), -EBADMSG, 0);
	CHECK_TEXT(slice_of(ipc_error(&e.b)),
	    "talk: message out of state hello (1)", 0);
	ipc_close(&e.b);
	CHECK_INT(ipc_recv(t, &e.a, &a, &in), -ENODATA, 1);
	ipc_close(&e.a);
	arena_free(&a);
	return 0;
}

TEST(ipc_out_of_state)
{
	struct loop_options o = { .sim_seed = 1 };
	struct loop *l = loop_new(&o);

	CHECK_INT(loop_run(l, state_main, NULL), 0, 0);
	loop_free(l);
}

/* a burst of messages with descriptors, more than one write takes */
static int
burst_main(struct task *t, void *arg)
{
	struct arena a = ARENA_INIT;
	struct ends e;
	struct ipc_in in;
	int fds[2], null, r, sent = 0;

	(void)arg;
	if ((r = fd_pair(fds)) < 0)
		return r;
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ipc_open(&e.a, task_loop(t), &fds[0], &talk, IPC_CALLER);
	ipc_open(&e.b, task_loop(t), &fds[1], &talk, IPC_CALLEE);
	for (struct msg_hello m = hello(S("x"), null); r == 0; sent += r == 0)
		r = ipc_post(&e.a, &msg_hello_desc, &m);
	CHECK_INT(r, -ENOBUFS, 0);
	CHECK(sent > 100, 0);
	for (int i = 0; i < sent; i++) {
		CHECK_INT(ipc_recv(t, &e.b, &a, &in), 0, i);
		if (in.msg != NULL) {
			CHECK(((struct msg_hello *)in.msg)->fd >= 0, i);
			fd_close(&((struct msg_hello *)in.msg)->fd);
		}
	}
	fd_close(&null);
	ipc_close(&e.a);
	ipc_close(&e.b);
	arena_free(&a);
	return 0;
}

TEST(ipc_burst_of_descriptors)
{
	struct loop_options o = { .sim_seed = 1 };
	struct loop *l = loop_new(&o);

	CHECK_INT(loop_run(l, burst_main, NULL), 0, 0);
	loop_free(l);
}

/* a hostile caller: says as a note what has to be answered */
static int
note_main(struct task *t, void *arg)
{
	struct msg_hello m = hello(S(""), -1);
	struct arena a = ARENA_INIT;
	struct ends e;
	struct ipc_in in;
	int fds[2], r;

	(void)arg;
	if ((r = fd_pair(fds)) < 0)
		return r;
	ipc_open(&e.a, task_loop(t), &fds[0], &talk, IPC_CALLER);
	ipc_open(&e.b, task_loop(t), &fds[1], &talk, IPC_CALLEE);
	CHECK_INT(ipc_post(&e.a, &msg_hello_desc, &m), 0, 0);
	CHECK_INT(ipc_serve(t, &e.b, answer, NULL), -EBADMSG, 0);
	CHECK_TEXT(slice_of(ipc_error(&e.b)), "talk: a call without a "
	    "request number, world would answer it", 0);
	ipc_close(&e.b);
	CHECK_INT(ipc_recv(t, &e.a, &a, &in), -ENODATA, 1);
	ipc_close(&e.a);
	arena_free(&a);
	return 0;
}

TEST(ipc_note_where_a_call_is_meant)
{
	struct loop_options o = { .sim_seed = 1 };
	struct loop *l = loop_new(&o);

	CHECK_INT(loop_run(l, note_main, NULL), 0, 0);
	loop_free(l);
}

/* is something there to read? */
static bool
has_come(struct ipc_conn *c)
{
	char byte;

	return recv(c->io.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

static int
later_main(struct task *t, void *arg)
{
	struct msg_hello m = hello(S(""), -1);
	struct arena a = ARENA_INIT;
	struct ends e;
	struct ipc_in in;
	int fds[2], r;

	(void)arg;
	if ((r = fd_pair(fds)) < 0)
		return r;
	ipc_open(&e.a, task_loop(t), &fds[0], &talk, IPC_CALLER);
	ipc_open(&e.b, task_loop(t), &fds[1], &talk, IPC_CALLEE);
	for (int i = 0; i < 2; i++) {
		m.number = 1;
		CHECK_INT(ipc_post_later(&e.a, &msg_hello_desc, &m), 0, i);
		CHECK_INT(task_sleep(t, 10), 0, i);
		CHECK(!has_come(&e.b), i);
		m.number = 2;
		if (i == 0)		/* with the next one, before it */
			CHECK_INT(ipc_post(&e.a, &msg_hello_desc, &m), 0, i);
		else
			ipc_flush(&e.a);
		for (int want = 1; want <= 2 - i; want++) {
			CHECK_INT(ipc_recv(t, &e.b, &a, &in), 0, i);
			CHECK_INT(((struct msg_hello *)in.msg)->number, want,
			    i);
		}
	}
	ipc_close(&e.a);
	ipc_close(&e.b);
	arena_free(&a);
	return 0;
}

TEST(ipc_posted_for_later)
{
	struct loop_options o = { .sim_seed = 1 };
	struct loop *l = loop_new(&o);

	CHECK_INT(loop_run(l, later_main, NULL), 0, 0);
	loop_free(l);
}
