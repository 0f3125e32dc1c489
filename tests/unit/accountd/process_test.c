/* SPDX-License-Identifier: ISC */
/* What an account process does: deliveries, large bodies, sleep, bad peers. */
#include "process_world.h"

/* front_open - a new session, or one that slept */
static int
front_open(struct task *t, struct world *w, struct front_end *f,
    struct slice state)
{
	return front_open_as(t, w, f, HANDLE, 1, state);
}

/* --- deliveries */

#define HEAD	"From: a@example.com\r\nSubject: hi\r\n"

static int
run_deliveries(struct task *t, struct world *w)
{
	struct msg_piece whole[] = {
		{ false, 0, 0, S("Received: here\r\n") },
		{ true, 0, sizeof(HEAD "\r\nbody\r\n") - 1, SLICE_EMPTY },
	};
	/* the Subject field is cut out */
	struct msg_piece cut[] = {
		{ false, 0, 0, S("Received: here\r\n") },
		{ true, 0, 21, SLICE_EMPTY },
		{ false, 0, 0, S("Subject: changed\r\n") },
		{ true, 34, 8, SLICE_EMPTY },
	};
	struct msg_piece beyond[] = { { true, 0, 1000, SLICE_EMPTY } };
	const struct slice content = S(HEAD "\r\nbody\r\n");
	const struct {
		struct mail	mail;
		int		want;
	} rows[] = {
		{ { "anna@example.org", content, whole, 2, 1, false }, 250 },
		{ { "anna@example.org", content, whole, 2, 1, false }, 250 },
		{ { "anna+archive@example.org", content, cut, 4, 0, false }, 250 },
		{ { "anna+No/Such@example.org", content, NULL, 0, 0, true }, 250 },
		{ { "anna+@example.org", content, whole, 2, 0, false }, 250 },
		{ { "anna@example.org", content, beyond, 1, 0, false }, 451 },
		{ { "anna@example.org", SLICE_EMPTY, NULL, 0, 0, false }, 250 },
	};
	struct deliverer d;
	struct front_end f;
	int	r;

	if ((r = deliverer_open(t, w, &d)) < 0)
		return r;
	for (size_t i = 0; i < COUNT(rows); i++)
		CHECK_INT(deliver(t, w, &d, &rows[i].mail), rows[i].want, i);
	if ((r = front_open(t, w, &f, SLICE_EMPTY)) == 0 &&
	    (r = expect(t, &f, "a1 OK")) == 0 &&
	    (r = tell(&f, "b SELECT INBOX\r\nc FETCH 1 BODY[]\r\n")) == 0 &&
	    (r = expect(t, &f, "* 4 EXISTS")) == 0 &&
	    (r = expect(t, &f, "* 1 FETCH (BODY[] {")) == 0 &&
	    (r = expect(t, &f, "Return-Path: <s@example.com>")) == 0 &&
	    (r = expect(t, &f, "Delivered-To: anna@example.org")) == 0 &&
	    (r = expect(t, &f, "Received: here")) == 0 &&
	    (r = expect(t, &f, "From: a@example.com")) == 0 &&
	    (r = expect(t, &f, "c OK")) == 0 &&
	    (r = tell(&f, "d SELECT Archive\r\ne FETCH 1 (ENVELOPE BODY[TEXT])"
	    "\r\nf LOGOUT\r\n")) == 0 &&
	    (r = expect(t, &f, "* 1 FETCH (ENVELOPE (NIL \"changed\"")) == 0 &&
	    (r = expect(t, &f, "body")) == 0)
		r = expect(t, &f, "f OK");
	CHECK_INT(r, 0, 0);
	CHECK_INT(expect(t, &f, "the end"), -ENODATA, 0);
	CHECK(f.closed && !f.awake_told, 0);
	CHECK_INT(w->begun, 1, 0);
	front_close(t, &f);
	deliverer_close(t, &d);
	r = task_sleep(t, 300);
	CHECK_INT((long long)w->used_messages, 5, 0);
	return r;
}

TEST(process_deliveries)
{
	struct world w = { .create = true, .arena = ARENA_INIT };

	enter("deliveries");
	run_life(&w, run_deliveries);
	CHECK_INT(w.over, 1, 0);
	world_done(&w);
}

static int
run_full(struct task *t, struct world *w)
{
	const struct mail mail = { "anna@example.org",
	    S(HEAD "\r\nbody\r\n"), NULL, 0, 0, true };
	struct msg_account_limits more = { 0, 0 };
	struct deliverer d;
	int	r;

	if ((r = deliverer_open(t, w, &d)) < 0)
		return r;
	CHECK_INT(deliver(t, w, &d, &mail), 250, 0);
	CHECK_INT(deliver(t, w, &d, &mail), 552, 1);
	CHECK_INT(ipc_post(&w->stored, &msg_account_limits_desc, &more), 0, 0);
	CHECK_INT(task_sleep(t, 100), 0, 0);
	CHECK_INT(deliver(t, w, &d, &mail), 250, 2);
	deliverer_close(t, &d);
	return 0;
}

TEST(process_quota)
{
	struct world w = { .create = true, .quota_bytes = 150,
		.arena = ARENA_INIT };

	enter("quota");
	run_life(&w, run_full);
	world_done(&w);
}

/* one of many deliveries at the same time */
struct one {
	struct world		*w;
	struct deliverer	*d;
	int			 code;
};

static int
one_task(struct task *t, void *arg)
{
	struct one	 *o = arg;
	const struct mail mail = { "anna@example.org",
	    S(HEAD "\r\nbody\r\n"), NULL, 0, 0, false };

	o->code = deliver(t, o->w, o->d, &mail);
	return 0;
}

static int
run_many(struct task *t, struct world *w)
{
	struct one	  ones[200];
	struct task_group g;
	struct deliverer  d;
	int		  r;

	if ((r = deliverer_open(t, w, &d)) < 0)
		return r;
	task_group_begin(t, &g);
	for (size_t i = 0; i < COUNT(ones); i++) {
		ones[i] = (struct one){ w, &d, 0 };
		task_group_start(&g, one_task, &ones[i]);
	}
	r = task_group_end(t, &g);
	for (size_t i = 0; i < COUNT(ones); i++)
		CHECK_INT(ones[i].code, 250, i);
	/* who goes away in the middle takes nobody along */
	task_group_begin(t, &g);
	for (size_t i = 0; i < COUNT(ones); i++)
		task_group_start(&g, one_task, &ones[i]);
	CHECK_INT(task_sleep(t, 1), 0, 0);
	deliverer_close(t, &d);
	CHECK_INT(task_group_end(t, &g), 0, 0);
	CHECK_INT(task_sleep(t, 300), 0, 0);
	return r;
}

TEST(process_many_at_once)
{
	struct world w = { .create = true, .arena = ARENA_INIT };

	enter("many");
	run_life(&w, run_many);
	CHECK(w.used_messages >= 200, 0);
	world_done(&w);
}

/* a large content: stored keeps it, or the account itself */
static int
run_big(struct task *t, struct world *w)
{
	struct msg_account_verify v = { true, false };
	struct buf	  b = BUF_INIT;
	struct mail	  mail = { .recipient = "anna@example.org" };
	struct deliverer  d;
	struct front_end  f;
	void		 *reply;
	int		  r;

	buf_add_text(&b, HEAD "\r\n");
	while (b.len < 300000)
		buf_add_text(&b, "0123456789\r\n");
	mail.content = buf_slice(&b);
	if ((r = deliverer_open(t, w, &d)) < 0)
		return r;
	CHECK_INT(deliver(t, w, &d, &mail), 250, 0);
	deliverer_close(t, &d);
	if ((r = front_open(t, w, &f, SLICE_EMPTY)) == 0 &&
	    (r = expect(t, &f, "a1 OK")) == 0 &&
	    (r = tell(&f, "b SELECT INBOX\r\nc FETCH 1 (RFC822.SIZE "
	    "BODY[TEXT]<0.12>)\r\n")) == 0 &&
	    (r = expect(t, &f, "* 1 FETCH (RFC822.SIZE 3000")) == 0 &&
	    (r = expect(t, &f, "0123456789")) == 0)
		r = expect(t, &f, "c OK");
	CHECK_INT(r, 0, 0);
	front_close(t, &f);
	r = ipc_call(t, &w->stored, &msg_account_verify_desc, &v,
	    &msg_account_verified_desc, &w->arena, &reply);
	if (r == 0)
		CHECK_INT((long long)((struct msg_account_verified *)
		    reply)->findings.n, 0, 0);
	buf_free(&b);
	return r;
}

/* the same by APPEND; what is a byte smaller stays in the account */
static int
run_big_append(struct task *t, struct world *w)
{
	static const size_t sizes[] = { 262143, 262144, 300000 };
	struct buf	  b = BUF_INIT;
	struct front_end  f;
	int		  r;

	if ((r = front_open(t, w, &f, SLICE_EMPTY)) < 0 ||
	    (r = expect(t, &f, "a1 OK")) < 0)
		return r;
	for (size_t i = 0; r == 0 && i < COUNT(sizes); i++) {
		buf_reset(&b);
		buf_addf(&b, "b APPEND INBOX {%zu+}\r\n", sizes[i]);
		for (size_t n = 0; n < sizes[i]; n++)
			buf_add_byte(&b, "Subject: x\r\n\r\n"[n < 14 ? n : 8]);
		buf_add_text(&b, "\r\n");
		for (size_t at = 0; r == 0 && at < b.len; at += 60000) {
			struct msg_front_data m = { slice_sub(buf_slice(&b),
			    at, 60000) };

			r = ipc_send(t, &f.conn, &msg_front_data_desc, &m);
		}
		if (r == 0)
			r = expect(t, &f, "b OK [APPENDUID");
	}
	if (r == 0 && (r = tell(&f, "c SELECT INBOX\r\n"
	    "d FETCH 3 BODY[TEXT]<0.3>\r\n")) == 0)
		r = expect(t, &f, "* 3 FETCH (BODY[TEXT]<0> {3}");
	if (r == 0)
		r = expect(t, &f, "d OK");
	front_close(t, &f);
	buf_free(&b);
	return r;
}

TEST(process_big_append)
{
	static const unsigned bigs[] = { 2, 2, 3 };

	for (unsigned i = 0; i < COUNT(bigs); i++) {
		struct world w = { .create = true, .big = i,
			.arena = ARENA_INIT };
		char name[16];

		snprintf(name, sizeof(name), "append%u", i);
		enter(name);
		run_life(&w, run_big_append);
		CHECK_INT(w.bigs, bigs[i], i);
		world_done(&w);
	}
}

TEST(process_big)
{
	static const unsigned bigs[] = { 1, 1, 2 };

	for (unsigned i = 0; i < COUNT(bigs); i++) {
		struct world w = { .create = true, .big = i,
			.arena = ARENA_INIT };
		char name[16];

		snprintf(name, sizeof(name), "big%u", i);
		enter(name);
		run_life(&w, run_big);
		CHECK_INT(w.bigs, bigs[i], i);
		world_done(&w);
	}
}

/* --- sleeping */

static int
run_sleep(struct task *t, struct world *w)
{
	struct msg_account_end end;
	struct front_end f;
	int	r;

	if ((r = front_open(t, w, &f, SLICE_EMPTY)) < 0 ||
	    (r = expect(t, &f, "a1 OK")) < 0 ||
	    (r = tell(&f, "b SELECT INBOX\r\nc IDLE\r\n")) < 0 ||
	    (r = expect(t, &f, "+ ")) < 0)
		return r;
	/* quiet for a while: it says so */
	CHECK_INT(task_sleep(t, 20000), 0, 0);
	CHECK_INT(w->idle, 1, 0);
	/* the client speaks while sleep is asked */
	f.refuse_sleep = true;
	CHECK_INT(ipc_post(&w->stored, &msg_account_end_desc, &end), 0, 0);
	CHECK_INT(task_sleep(t, 100), 0, 0);
	CHECK(f.sleep_asked, 0);
	CHECK_INT(w->frozen, 0, 0);
	CHECK(w->busy >= 1, 0);
	/* now it sleeps, and the process ends */
	f.refuse_sleep = false;
	CHECK_INT(ipc_post(&w->stored, &msg_account_end_desc, &end), 0, 0);
	CHECK_INT(task_sleep(t, 1000), 0, 0);
	CHECK_INT(w->frozen, 1, 0);
	CHECK(w->kept[0].idling, 0);
	CHECK_INT(w->served, 0, 0);
	CHECK(!f.closed, 0);
	front_close(t, &f);
	return 0;
}

static int
run_wake(struct task *t, struct world *w)
{
	const struct mail mail = { "anna@example.org",
	    S(HEAD "\r\nbody\r\n"), NULL, 0, 0, false };
	struct deliverer d;
	struct front_end f;
	int	r;

	if ((r = deliverer_open(t, w, &d)) < 0)
		return r;
	CHECK_INT(deliver(t, w, &d, &mail), 250, 0);
	deliverer_close(t, &d);
	if ((r = front_open(t, w, &f, buf_slice(&w->kept[0].state))) < 0 ||
	    (r = task_sleep(t, 100)) < 0)
		return r;
	CHECK(f.awake_told, 0);
	CHECK_INT(w->begun, 2, 0);
	if ((r = expect(t, &f, "* 1 EXISTS")) < 0 ||
	    (r = tell(&f, "DONE\r\n")) < 0 ||
	    (r = expect(t, &f, "c OK")) < 0 ||
	    (r = tell(&f, "d LOGOUT\r\n")) < 0 ||
	    (r = expect(t, &f, "d OK")) < 0)
		return r;
	front_close(t, &f);
	return 0;
}

TEST(process_sleeps_and_wakes)
{
	struct world w = { .create = true, .arena = ARENA_INIT };

	enter("sleep");
	run_life(&w, run_sleep);
	CHECK_INT(w.changed, 0, 0);
	/* stored is told to wake who slept before it began */
	w.create = false;
	w.has_sleepers = true;
	run_life(&w, run_wake);
	CHECK_INT(w.frozen, 1, 0);
	CHECK_INT(w.changed, 1, 0);
	world_done(&w);
}

/* who was told of a mail before it fell asleep is not woken for it */
static int
run_told(struct task *t, struct world *w)
{
	const struct mail mail = { "anna@example.org",
	    S(HEAD "\r\nbody\r\n"), NULL, 0, 0, false };
	struct msg_account_end end;
	struct deliverer d;
	struct front_end f;
	int	r;

	if ((r = front_open(t, w, &f, SLICE_EMPTY)) < 0 ||
	    (r = expect(t, &f, "a1 OK")) < 0 ||
	    (r = tell(&f, "b SELECT INBOX\r\nc IDLE\r\n")) < 0 ||
	    (r = expect(t, &f, "+ ")) < 0 ||
	    (r = deliverer_open(t, w, &d)) < 0)
		return r;
	CHECK_INT(deliver(t, w, &d, &mail), 250, 0);
	deliverer_close(t, &d);
	if ((r = expect(t, &f, "* 1 EXISTS")) < 0 ||
	    (r = task_sleep(t, 20000)) < 0)
		return r;
	CHECK_INT(ipc_post(&w->stored, &msg_account_end_desc, &end), 0, 0);
	CHECK_INT(task_sleep(t, 3000), 0, 0);
	CHECK(w->kept[0].asleep && w->kept[0].idling, 0);
	CHECK_INT(w->served, 0, 0);
	front_close(t, &f);
	return 0;
}

TEST(process_sleeper_was_told)
{
	struct world w = { .create = true, .arena = ARENA_INIT };

	enter("told");
	run_life(&w, run_told);
	CHECK_INT(w.frozen, 1, 0);
	CHECK_INT(w.changed, 0, 0);
	world_done(&w);
}

struct late {
	struct world		*w;
	struct deliverer	*d;
	int			 code;
};

static int
late_task(struct task *t, void *arg)
{
	static const struct mail mail = { "anna@example.org",
	    S_INIT(HEAD "\r\nbody\r\n"), NULL, 0, 0, false };
	struct late *l = arg;

	l->code = deliver(t, l->w, l->d, &mail);
	return 0;
}

/* mail comes while the process says its last word: it is not the last, then */
static int
run_last_word(struct task *t, struct world *w)
{
	struct msg_account_end end;
	struct task_group g;
	struct deliverer d;
	struct late	l = { w, &d, 0 };

	if (deliverer_open(t, w, &d) < 0)
		return -EIO;
	/* the second one is not told at once */
	for (int i = 0; i < 2; i++) {
		ignore(late_task(t, &l));	/* cannot fail */
		CHECK_INT(l.code, 250, 0);
	}
	task_group_begin(t, &g);
	task_group_start(&g, late_task, &l);
	for (uint64_t i = 0; i < w->seed % 12; i++)
		CHECK_INT(task_yield(t), 0, 0);
	CHECK_INT(ipc_post(&w->stored, &msg_account_end_desc, &end), 0, 0);
	CHECK_INT(task_sleep(t, 3000), 0, 0);
	deliverer_close(t, &d);
	CHECK_INT(task_group_end(t, &g), 0, 0);
	CHECK(w->changed >= 2, (int)w->seed);
	return 0;
}

TEST(process_last_word)
{
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct world w = { .create = true, .arena = ARENA_INIT,
		    .seed = seed, .has_sleepers = true };
		char	name[16];

		snprintf(name, sizeof(name), "last%d", (int)seed);
		enter(name);
		run_life(&w, run_last_word);
		CHECK(!w.untold, (int)seed);
		world_done(&w);
	}
}

/* stored closes its channel: who waits for his client says goodbye */
static int
run_cut(struct task *t, struct world *w)
{
	struct front_end f;
	int	r;

	if ((r = front_open(t, w, &f, SLICE_EMPTY)) < 0 ||
	    (r = expect(t, &f, "a1 OK")) < 0 ||
	    (r = tell(&f, "b SELECT INBOX\r\nc IDLE\r\n")) < 0 ||
	    (r = expect(t, &f, "+ ")) < 0 || (r = task_sleep(t, 100)) < 0)
		return r;
	ipc_close(&w->stored);
	r = expect(t, &f, "* BYE");
	CHECK_INT(expect(t, &f, "the end"), -ENODATA, 0);
	CHECK(f.closed, 0);
	front_close(t, &f);
	return r;
}

TEST(process_cut)
{
	struct world w = { .create = true, .arena = ARENA_INIT };

	enter("cut");
	run_life(&w, run_cut);
	world_done(&w);
}

/* a client that ends its side hears the answers to what it said */
static int
run_finished(struct task *t, struct world *w)
{
	struct msg_front_finished m;
	struct front_end f;
	int	r;

	if ((r = front_open(t, w, &f, SLICE_EMPTY)) < 0 ||
	    (r = tell(&f, "b SELECT INBOX\r\nc SEARCH ALL\r\n")) < 0 ||
	    (r = ipc_post(&f.conn, &msg_front_finished_desc, &m)) < 0 ||
	    (r = expect(t, &f, "c OK")) < 0)
		return r;
	CHECK_INT(expect(t, &f, "the end"), -ENODATA, 0);
	CHECK(f.closed, 0);
	front_close(t, &f);
	return 0;
}

TEST(process_client_finishes)
{
	struct world w = { .create = true, .arena = ARENA_INIT };

	enter("finished");
	run_life(&w, run_finished);
	CHECK_INT(w.over, 1, 0);
	world_done(&w);
}

/* a front that vanishes, a protocol that nobody speaks, a state that is none */
static int
run_broken(struct task *t, struct world *w)
{
	struct msg_account_session m = { S("gopher"), -1, S("anna"), S("s"),
	    S(""), S("a1"), SLICE_EMPTY, S("the handle"), 1 };
	struct front_end f;
	int	pair[2], r;

	if ((r = front_open(t, w, &f, SLICE_EMPTY)) < 0 ||
	    (r = expect(t, &f, "a1 OK")) < 0)
		return r;
	front_close(t, &f);
	if ((r = front_open(t, w, &f, S("no state at all"))) < 0)
		return r;
	CHECK_INT(expect(t, &f, "any"), -ENODATA, 0);
	CHECK(f.closed && !f.awake_told, 0);
	front_close(t, &f);
	if ((r = fd_pair(pair)) < 0)
		return r;
	m.channel = pair[0];
	CHECK_INT(ipc_post(&w->stored, &msg_account_session_desc, &m), 0, 0);
	CHECK_INT(task_sleep(t, 1000), 0, 0);
	CHECK(list_is_empty(&w->ap->sessions), 0);
	fd_close(&pair[0]);
	fd_close(&pair[1]);
	return 0;
}

TEST(process_broken_sessions)
{
	struct world w = { .create = true, .arena = ARENA_INIT };

	enter("broken");
	run_life(&w, run_broken);
	CHECK_INT(w.over, 3, 0);
	CHECK_INT(w.begun, 1, 0);
	world_done(&w);
}

/* --- the rest */

static int
run_verify(struct task *t, struct world *w)
{
	struct msg_account_verify m = { true, true };
	struct msg_account_verified *v;
	const struct mail mail = { "anna@example.org",
	    S(HEAD "\r\nbody\r\n"), NULL, 0, 0, false };
	struct deliverer d;
	void	*reply;
	int	r;

	if ((r = deliverer_open(t, w, &d)) < 0)
		return r;
	CHECK_INT(deliver(t, w, &d, &mail), 250, 0);
	deliverer_close(t, &d);
	r = ipc_call(t, &w->stored, &msg_account_verify_desc, &m,
	    &msg_account_verified_desc, &w->arena, &reply);
	if (r < 0)
		return r;
	v = reply;
	CHECK(v->ok, 0);
	CHECK_INT((long long)v->messages, 1, 0);
	CHECK_INT((long long)v->findings.n, 0, 0);
	return 0;
}

TEST(process_verify)
{
	struct world w = { .create = true, .arena = ARENA_INIT };

	enter("verify");
	run_life(&w, run_verify);
	world_done(&w);
}

TEST(zygote_folder)
{
	static const struct { const char *in; bool want; } rows[] = {
		{ "00/00112233445566aa", true },
		{ "01/00112233445566aa", false },
		{ "00/00112233445566AA", false },
		{ "00/00112233445566a", false },
		{ "00/00112233445566aaa", false },
		{ "../00112233445566aa", false },
		{ "00/../../../../etcxx", false },
		{ "00.00112233445566aa", false },
		{ "", false },
		{ "00/", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		CHECK_INT(zygote_is_folder(slice_of(rows[i].in)),
		    rows[i].want, i);
}
