/* SPDX-License-Identifier: ISC */
/*
 * TLS on streams: many handshakes at once whose keys answer slowly and in
 * another order, the switch from plain text, and a peer that goes away while
 * the key is being asked.
 */
#include "libtask/tls.h"

#include "test.h"
#include "unit/libtask/identity.h"

#include <sys/socket.h>
#include <unistd.h>

#include "libtask/loop.h"
#include "libtask/stream.h"
#include "libtask/task.h"

#define PAIRS	20

static struct identity		 id;
static struct tls_context	*server_ctx;
static struct tls_context	*client_ctx;
static int			 asked;
static int			 most_at_once;
static int			 at_once;

/* a key that takes its time; the later it is asked, the sooner it answers */
static int
sign_slowly(struct task *t, void *arg, const struct tls_key_id *key,
    enum tls_scheme scheme, struct slice tbs, struct buf *ret_sig)
{
	int r;

	(void)arg;
	(void)key;
	at_once++;
	if (at_once > most_at_once)
		most_at_once = at_once;
	r = task_sleep(t, 30 + 2 * (PAIRS - asked++));
	at_once--;
	return r < 0 ? r : tls_key_sign_tbs(id.key, scheme, tbs, ret_sig);
}

struct pair {
	int	fd[2];
	int	number;
	int	result;
};

static int
serve(struct task *t, void *arg)
{
	struct pair *p = arg;
	struct stream s;
	struct slice line;
	int r;

	stream_open(&s, task_loop(t), &p->fd[0]);
	if ((r = stream_read_line(t, &s, 100, &line)) == 0 &&
	    (r = stream_write(t, &s, S("220 go\r\n"))) == 0 &&
	    (r = stream_flush(t, &s)) == 0 &&
	    (r = stream_start_tls(t, &s, server_ctx, NULL)) == 0 &&
	    (r = stream_read_line(t, &s, 100, &line)) == 0 &&
	    (r = stream_writef(t, &s, "you said %.*s\r\n",
	    SLICE_ARG(line))) == 0)
		r = stream_shutdown(t, &s);
	stream_close(&s);
	p->result = r;
	return 0;
}

static int
ask(struct task *t, void *arg)
{
	static const struct slice names[] = { S_INIT("a.example") };
	static const struct tls_peer peer = { TLS_LEVEL_VERIFY, "a.example",
	    names, 1 };
	struct pair *p = arg;
	struct stream s;
	struct slice line;
	char want[40];
	int r;

	(void)snprintf(want, sizeof(want), "you said %d", p->number);
	stream_open(&s, task_loop(t), &p->fd[1]);
	r = stream_write(t, &s, S("STARTTLS\r\n"));
	if (r == 0)
		r = stream_read_line(t, &s, 100, &line);
	if (r == 0)
		r = stream_start_tls(t, &s, client_ctx, &peer);
	if (r == 0)
		r = stream_writef(t, &s, "%d\r\n", p->number);
	if (r == 0)
		r = stream_read_line(t, &s, 100, &line);
	CHECK_INT(r, 0, p->number);
	if (r == 0)
		CHECK_TEXT(line, want, p->number);
	/* the goodbye came before the end of the connection */
	CHECK_INT(stream_read_line(t, &s, 100, &line), -ENODATA, p->number);
	stream_close(&s);
	return 0;
}

static void
set_up(void)
{
	struct tls_params sp = { .role = TLS_SERVER };
	struct tls_params cp = { .role = TLS_CLIENT };

	identity_init(&id, "P-256", "DNS:a.example");
	cp.ca_pem = buf_slice(&id.ca);
	CHECK_INT(tls_context_new(&sp, &server_ctx, NULL), 0, 0);
	CHECK_INT(tls_context_new(&cp, &client_ctx, NULL), 0, 0);
	CHECK_INT(tls_context_add_certificate(server_ctx, NULL,
	    buf_slice(&id.chain), sign_slowly, NULL, NULL), 0, 0);
	asked = most_at_once = at_once = 0;
}

static void
tear_down(void)
{
	tls_context_free(&server_ctx);
	tls_context_free(&client_ctx);
	identity_done(&id);
}

static void
on_loop(task_fn *fn)
{
	static const struct loop_options o;
	struct loop *l = loop_new(&o);

	set_up();
	CHECK_INT(loop_run(l, fn, NULL), 0, 0);
	loop_free(l);
	tear_down();
}

static int
many_at_once(struct task *t, void *arg)
{
	struct pair pairs[PAIRS];
	struct task_group g;
	struct deadline d;
	int r;

	(void)arg;
	deadline_begin(t, &d, 20000);
	task_group_begin(t, &g);
	for (int i = 0; i < PAIRS; i++) {
		pairs[i].number = i;
		if (fd_pair(pairs[i].fd) < 0)
			abort();
		task_group_start(&g, serve, &pairs[i]);
		task_group_start(&g, ask, &pairs[i]);
	}
	r = task_group_end(t, &g);
	for (int i = 0; i < PAIRS; i++)
		CHECK_INT(pairs[i].result, 0, i);
	CHECK_INT(asked, PAIRS, 0);
	CHECK(most_at_once > 1, 0);
	return deadline_end(t, &d, r);
}

TEST(tls_many_signatures_at_once)
{
	on_loop(many_at_once);
}

/* the whole is cancelled while keys are being asked */
static int
cancelled(struct task *t, void *arg)
{
	struct pair pair = { .number = 1 };
	struct task_group g;

	(void)arg;
	if (fd_pair(pair.fd) < 0)
		abort();
	task_group_begin(t, &g);
	task_group_start(&g, serve, &pair);
	{
		static const struct tls_peer peer = { .level = TLS_LEVEL_MAY };
		struct tls *c = NULL;
		char text[20];

		CHECK(write(pair.fd[1], "STARTTLS\r\n", 10) == 10, 0);
		CHECK_INT(task_sleep(t, 5), 0, 0);
		CHECK(read(pair.fd[1], text, sizeof(text)) == 8, 0);
		CHECK_INT(tls_new(client_ctx, pair.fd[1], 0, &peer, &c), 0, 0);
		CHECK_INT(tls_handshake(t, c), -EAGAIN, 0);
		CHECK_INT(task_sleep(t, 10), 0, 0);
		CHECK_INT(at_once, 1, 0);
		tls_free(&c);
	}
	task_group_cancel(&g);
	CHECK_INT(task_group_end(t, &g), 0, 0);
	CHECK_INT(pair.result, -ECANCELED, 0);
	CHECK_INT(at_once, 0, 0);
	close(pair.fd[1]);
	return 0;
}

TEST(tls_cancelled_signature)
{
	on_loop(cancelled);
}

/* commands sent together with STARTTLS are an attack or a bug */
static int
injected(struct task *t, void *arg)
{
	struct pair pair = { .number = 1 };
	struct task_group g;

	(void)arg;
	if (fd_pair(pair.fd) < 0)
		abort();
	CHECK(write(pair.fd[1], "STARTTLS\r\nRSET\r\n", 16) == 16, 0);
	task_group_begin(t, &g);
	task_group_start(&g, serve, &pair);
	CHECK_INT(task_group_end(t, &g), 0, 0);
	CHECK_INT(pair.result, -EPROTO, 0);
	close(pair.fd[1]);
	return 0;
}

TEST(tls_injection_on_stream)
{
	on_loop(injected);
}
