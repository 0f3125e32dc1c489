/* SPDX-License-Identifier: ISC */
/*
 * A session that is cancelled wherever it waits lets go of everything: the
 * sanitizers and the count of tasks would tell. And a client that vanishes in
 * the middle of anything leaves nothing behind.
 */
#include "session_script.h"

static const char *const mail[] = {
	"Subject: one\r\n\r\nfirst\r\n",
	"Subject: two\r\nContent-Type: text/plain\r\n\r\nsecond\r\n",
};

/* all that a client says, at once */
static const char talk[] =
    "a1 SELECT INBOX\r\n"
    "a2 FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE BODY[])\r\n"
    "a3 APPEND INBOX (\\Seen) {12+}\r\nSubject: x\r\n\r\n"
    "a4 APPEND INBOX {6000+}\r\n"
    "a5 not reached by all clients: this is inside the literal\r\n";
static const char rest[] =
    "\r\n"
    "b1 STORE 1:2 +FLAGS (\\Deleted Word)\r\n"
    "b2 COPY 1:2 Archive\r\n"
    "b3 UID MOVE 3 Trash\r\n"
    "b4 SEARCH TEXT first OR SUBJECT two FLAGGED\r\n"
    "b5 EXPUNGE\r\n"
    "b6 LIST \"\" * RETURN (STATUS (MESSAGES RECENT))\r\n"
    "b7 LSUB \"\" %\r\n"
    "b8 CREATE new/one\r\n"
    "b9 RENAME new old\r\n"
    "c1 DELETE old/one\r\n"
    "c2 SELECT Archive\r\n"
    "c3 IDLE\r\n"
    "DONE\r\n"
    "c4 LOGOUT\r\n";

struct sweep {
	struct script	s;
	size_t		say;		/* bytes of the talk that are said */
	uint64_t	cancel_at;	/* 0: never */
	uint64_t	suspensions;	/* of the whole run */
};

/* the session's task; it does not answer to its group */
static int
sweep_serve(struct task *t, void *arg)
{
	struct sweep	*x = arg;

	x->s.ended = imap_session(t, x->s.session);
	return 0;
}

/* say so much of the talk and go */
static int
sweep_main(struct task *t, void *arg)
{
	struct sweep	*x = arg;
	struct buf	all = BUF_INIT;
	struct task_group g;
	int		fds[2], r;

	buf_add_text(&all, talk);
	for (size_t i = 57; i < 6000; i++)
		buf_add_byte(&all, 'z');
	buf_add_text(&all, rest);
	CHECK_INT(fd_pair(fds), 0, 0);
	stream_open(&x->s.client, task_loop(t), &fds[0]);
	stream_open(&x->s.server, task_loop(t), &fds[1]);
	x->s.session = imap_session_new(&x->s.setup);
	r = stream_write(t, &x->s.client,
	    slice_sub(buf_slice(&all), 0, x->say));
	if (r == 0)
		r = stream_flush(t, &x->s.client);
	if (r == 0)
		r = stream_shutdown(t, &x->s.client);
	loop_sim_cancel_at(task_loop(t), x->cancel_at);
	task_group_begin(t, &g);
	task_group_start(&g, sweep_serve, x);
	r = task_group_end(t, &g);
	CHECK(r == 0 || r == -ECANCELED, x->cancel_at);
	x->suspensions = loop_suspensions(task_loop(t));
	x->say = all.len;
	imap_session_free(&x->s.session);
	stream_close(&x->s.client);
	stream_close(&x->s.server);
	buf_free(&all);
	return 0;
}

/* run it once */
static void
sweep_run(struct sweep *x)
{
	struct loop_options lo = { .sim_seed = 7 };
	struct loop	*l = loop_new(&lo);
	struct account_params ap = { .create = true, .id = S("a1"),
		.now = script_now };
	struct mem_medium *medium = mem_medium_new();
	struct backend	*b = NULL;
	struct arena	a = ARENA_INIT;
	struct log_setup ls = { .sink = script_log_sink };
	struct script	*s = &x->s;

	log_start(&ls);
	CHECK_INT(backend_mem_open(medium, &b), 0, 0);
	CHECK_INT(account_open_backend(&b, &ap, &s->account), 0, 0);
	for (size_t i = 0; i < COUNT(mail); i++)
		(void)script_deliver(s->account, S("INBOX"),
		    slice_of(mail[i]), i == 0);
	script_params(s, "imapd_append_memory_limit=4k", &a);
	bell_init(&s->bell);
	s->shared = imap_shared_new();
	log_init(&s->log, NULL);
	s->setup = (struct imap_session_setup){ s->account, &s->bell,
		s->shared, &s->server, &s->params, &s->log, S("u"), S("l"),
		{ NULL, NULL, NULL } };
	CHECK_INT(loop_run(l, sweep_main, x), 0, 0);
	CHECK_INT((long long)loop_task_count(l), 0, x->cancel_at);
	CHECK(list_is_empty(&s->bell.listeners), x->cancel_at);
	imap_shared_free(&s->shared);
	account_close(&s->account);
	mem_medium_free(&medium);
	loop_free(l);
	arena_free(&a);
}

TEST(session_cancelled_anywhere)
{
	struct sweep	x = { .say = SIZE_MAX };
	uint64_t	last;

	sweep_run(&x);
	CHECK_INT(x.s.ended, 0, 0);
	last = x.suspensions;
	CHECK(last > 20, 0);
	for (uint64_t n = 1; n <= last; n++) {
		x = (struct sweep){ .say = SIZE_MAX, .cancel_at = n };
		sweep_run(&x);
	}
}

TEST(session_client_vanishes_anywhere)
{
	struct sweep	x = { .say = SIZE_MAX };
	size_t		all;

	sweep_run(&x);
	all = x.say;
	for (size_t n = 0; n < all; n += n < 300 || n > all - 300 ? 1 : 701) {
		x = (struct sweep){ .say = n };
		sweep_run(&x);
		CHECK_INT(x.s.ended, 0, n);
	}
}
