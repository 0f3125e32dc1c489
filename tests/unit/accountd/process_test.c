/* SPDX-License-Identifier: ISC */
/* An account process on the simulated loop; the test is stored, a deliverer,
 * and a front. */
#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "accountd/accountd.h"
#include "libglobal/ipc_account.h"
#include "libglobal/ipc_front.h"
#include "libmail/scan.h"
#include "libstore/body.h"
#include "libtask/loop.h"
#include "libtask/memfile.h"
#include "libutil/conf.h"
#include "libutil/hex.h"

#define ID	"00112233445566aa"
#define LIMIT	60000		/* virtual ms */

struct world {
	struct daemon		*daemon;
	struct account_process	*ap;
	struct ipc_conn		 stored;
	struct arena		 arena;
	struct buf		 state;		/* of the last frozen session */
	uint64_t		 quota_bytes;
	uint64_t		 used_messages;
	unsigned		 frozen, begun, over, idle, busy;
	bool			 was_idling;
	bool			 create;
	enum { BIG_KEPT, BIG_REFUSED, BIG_LATE } big;
	unsigned		 bigs;
	int			 served;	/* daemon_serve's result, or 1 */
	int			(*run)(struct task *t, struct world *w);
};

static const struct daemon_spec spec = {
	.name = "accountd",
	.params = &accountd_param_table,
	.params_size = sizeof(struct accountd_params),
	.run = process_run,
};

/* enter - a fresh folder is the current one, as after chroot */
static void
enter(const char *name)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", test_tmpdir(), name);
	CHECK(mkdir(path, 0700) == 0 && chdir(path) == 0, 0);
}

/* --- the test as stored */

/* on_big - keep it, or pretend to, or not */
static int
on_big(struct world *w, struct ipc_conn *c, struct ipc_in *in)
{
	const struct msg_account_big *m = in->msg;
	struct msg_account_big_kept kept = { .ok = w->big != BIG_REFUSED };
	struct buf	content = BUF_INIT, name = BUF_INIT;
	uint8_t		hash[BODY_HASH_LEN];
	FILE		*f;

	w->bigs++;
	CHECK_INT(memfile_read_buf(m->content, m->offset, (size_t)m->length,
	    &content), 0, 0);
	body_hash_content(buf_slice(&content), hash);
	kept.hash = slice_over(hash, sizeof(hash));
	/* the second time it is there for good */
	if (w->big == BIG_KEPT || (w->big == BIG_LATE && w->bigs > 1)) {
		(void)mkdir("big", 0700);	/* it may be there */
		buf_add_text(&name, "big/");
		hex_encode(&name, kept.hash);
		f = fopen(buf_cstr(&name), "w");
		CHECK(f != NULL && fwrite(content.data, 1, content.len, f) ==
		    content.len && fclose(f) == 0, 0);
	}
	buf_free(&content);
	buf_free(&name);
	return ipc_reply(c, in->request, &msg_account_big_kept_desc, &kept);
}

static int
on_account(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct world		*w = arg;
	struct msg_account_kept	 kept;
	struct msg_account_log_fd none = { -1 };
	const struct msg_account_frozen *f = in->msg;

	(void)t;
	(void)a;
	switch (in->desc->number) {
	case MSG_account_frozen:
		w->frozen++;
		w->was_idling = f->idling;
		CHECK_TEXT(f->handle, "the handle", 0);
		CHECK_TEXT(f->login, "anna@example.org", 0);
		buf_reset(&w->state);
		buf_add(&w->state, f->state);
		return ipc_reply(c, in->request, &msg_account_kept_desc, &kept);
	case MSG_account_big:
		return on_big(w, c, in);
	case MSG_account_begun:
		w->begun++;
		CHECK_TEXT(((struct msg_account_begun *)in->msg)->handle,
		    "the handle", 0);
		return 0;
	case MSG_account_over:
		w->over++;
		return 0;
	case MSG_account_usage:
		w->used_messages =
		    ((const struct msg_account_usage *)in->msg)->messages;
		return 0;
	case MSG_account_idle:
		w->idle += ((struct msg_account_idle *)in->msg)->idle;
		w->busy += !((struct msg_account_idle *)in->msg)->idle;
		return 0;
	case MSG_account_log:
		return ipc_reply(c, in->request, &msg_account_log_fd_desc,
		    &none);
	default:
		return -EBADMSG;
	}
}

static int
stored_task(struct task *t, void *arg)
{
	struct world *w = arg;

	ignore(ipc_serve(t, &w->stored, on_account, w));
	return 0;
}

static int
serve_task(struct task *t, void *arg)
{
	struct world *w = arg;

	w->served = daemon_serve(t, w->daemon);
	process_free(&w->ap);
	daemon_free(&w->daemon);
	return 0;
}

static int
start_account(struct task *t, struct world *w)
{
	struct msg_account_start m = { S(ID), S("anna@example.org"),
	    w->create, w->quota_bytes, 0 };
	void	*reply;
	int	 r;

	r = ipc_call(t, &w->stored, &msg_account_start_desc, &m,
	    &msg_account_up_desc, &w->arena, &reply);
	if (r == 0 && !((struct msg_account_up *)reply)->ok)
		r = -EIO;
	return r;
}

/* life - one account process around w->run */
static int
life(struct task *t, void *arg)
{
	struct world		*w = arg;
	struct loop		*l = task_loop(t);
	struct conf		*conf = conf_new(NULL);
	struct diag		 diag = DIAG_INIT;
	struct task_group	 g;
	struct deadline		 d;
	int			 pair[2], r;

	conf_put(conf, S("recipient_delimiter"), S("+"), "", 0);
	conf_put(conf, S("accountd_map_size"), S("1g"), "", 0);
	w->served = 1;
	w->ap = process_new();
	w->daemon = daemon_new(l, &spec, conf, process_connect, w->ap, &diag);
	process_attach(w->ap, w->daemon);
	CHECK_INT(param_load(&imap_session_param_table, conf,
	    daemon_arena(w->daemon), &w->ap->imap_params, &diag), 0, 0);
	CHECK_INT(fd_pair(pair), 0, 0);
	ipc_open(&w->ap->control, l, &pair[0], &ipc_table_account, IPC_CALLEE);
	ipc_open(&w->stored, l, &pair[1], &ipc_table_account, IPC_CALLER);
	task_group_begin(t, &g);
	task_group_start(&g, serve_task, w);
	task_group_start(&g, stored_task, w);
	deadline_begin(t, &d, LIMIT);
	r = start_account(t, w);
	if (r == 0)
		r = w->run(t, w);
	r = deadline_end(t, &d, r);
	ipc_close(&w->stored);
	CHECK_INT(task_group_end(t, &g), 0, 0);
	CHECK_INT(w->served, 0, 0);
	conf_free(&conf);
	return r;
}

static void
run_life(struct world *w, int (*run)(struct task *, struct world *))
{
	struct loop_options o = { .sim_seed = 7, .sim_short_io = true };
	struct loop	*l = loop_new(&o);

	w->run = run;
	CHECK_INT(loop_run(l, life, w), 0, 0);
	CHECK_INT(loop_task_count(l), 0, 0);
	loop_free(l);
	arena_free(&w->arena);
}

static void
world_done(struct world *w)
{
	arena_free(&w->arena);
	buf_free(&w->state);
}

/* --- the test as a deliverer */

struct deliverer {
	struct ipc_conn	conn;
	struct task_group group;
	unsigned	count;		/* of deliveries so far, for ids */
};

static int
replies_task(struct task *t, void *arg)
{
	ignore(ipc_run_replies(t, arg));
	return 0;
}

static int
deliverer_open(struct task *t, struct world *w, struct deliverer *d)
{
	struct msg_account_delivery m;
	int	pair[2], r;

	*d = (struct deliverer){ .count = 0 };
	if ((r = fd_pair(pair)) < 0)
		return r;
	m.channel = pair[0];
	r = ipc_post(&w->stored, &msg_account_delivery_desc, &m);
	fd_close(&pair[0]);
	ipc_open(&d->conn, task_loop(t), &pair[1], &ipc_table_deliver,
	    IPC_CALLER);
	task_group_begin(t, &d->group);
	task_group_start(&d->group, replies_task, &d->conn);
	return r;
}

static void
deliverer_close(struct task *t, struct deliverer *d)
{
	ipc_close(&d->conn);
	CHECK_INT(task_group_end(t, &d->group), 0, 0);
}

struct mail {
	const char		*recipient;
	struct slice		 content;
	struct msg_piece	*pieces;
	size_t			 piece_count;
	unsigned		 id;		/* delivery id; 0: a new one */
	bool			 without_facts;
};

/* deliver - the reply code */
static int
deliver(struct task *t, struct world *w, struct deliverer *d,
    const struct mail *mail)
{
	char			 id[32] = "";
	struct msg_deliver_ask	 m = { .queue_id = S("4abcdef"),
	    .delivery_id = slice_over(id, sizeof(id)),
	    .sender = S("s@example.com"),
	    .recipient = slice_of(mail->recipient),
	    .original = slice_of(mail->recipient),
	    .content_length = mail->content.len, .offset = 5,
	    .pieces = { mail->pieces, mail->piece_count } };
	struct memfile		 f = MEMFILE_INIT;
	struct scan		*scan = scan_new(NULL);
	struct buf		 facts = BUF_INIT;
	void			*reply;
	int			 r;

	snprintf(id, sizeof(id), "%u", mail->id != 0 ? mail->id :
	    1000 + d->count++);
	scan_feed(scan, mail->content);
	facts_format(&facts, scan_finish(scan));
	if (!mail->without_facts)
		m.facts = buf_slice(&facts);
	if ((r = memfile_new("test", mail->content.len + 5, &f)) == 0 &&
	    (r = memfile_append(&f, S("junk!"))) == 0 &&
	    (r = memfile_append(&f, mail->content)) == 0 &&
	    (r = memfile_seal(&f)) == 0) {
		m.content = f.fd;
		r = ipc_call(t, &d->conn, &msg_deliver_ask_desc, &m,
		    &msg_deliver_result_desc, &w->arena, &reply);
	}
	memfile_done(&f);
	scan_free(&scan);
	buf_free(&facts);
	return r < 0 ? r : (int)((struct msg_deliver_result *)reply)->code;
}

/* --- the test as a front */

struct front_end {
	struct ipc_conn	conn;
	struct stream	in;	/* what the session said, line by line */
	struct io	feed;
	struct task_group group;
	bool		sleep_asked, awake_told, closed;
	bool		refuse_sleep;
};

static int
front_task(struct task *t, void *arg)
{
	struct front_end *f = arg;
	struct arena	a = ARENA_INIT;
	struct ipc_in	in;
	struct msg_front_sleep_ok yes;
	struct msg_front_sleep_no no;
	int		r = 0;

	while (r == 0 && ipc_recv(t, &f->conn, &a, &in) == 0) {
		switch (in.desc->number) {
		case MSG_front_data:
			r = io_write_all(t, &f->feed,
			    ((struct msg_front_data *)in.msg)->bytes);
			break;
		case MSG_front_sleep:
			f->sleep_asked = true;
			r = f->refuse_sleep ? ipc_post(&f->conn,
			    &msg_front_sleep_no_desc, &no) : ipc_post(&f->conn,
			    &msg_front_sleep_ok_desc, &yes);
			break;
		case MSG_front_awake:
			f->awake_told = true;
			break;
		default:
			f->closed = true;
		}
		ipc_in_done(&in);
		arena_reset(&a);
	}
	arena_free(&a);
	io_close(&f->feed);
	ipc_close(&f->conn);
	return 0;
}

/* front_open - a new session, or one that slept */
static int
front_open(struct task *t, struct world *w, struct front_end *f,
    struct slice state)
{
	struct msg_account_session m = { S("imap"), -1,
	    S("anna@example.org"), S("sess"), S("192.0.2.1"),
	    state.len > 0 ? SLICE_EMPTY : S("a1"), state, S("the handle") };
	int	pair[2], r;

	*f = (struct front_end){ .closed = false };
	if ((r = fd_pair(pair)) < 0)
		return r;
	m.channel = pair[0];
	r = ipc_post(&w->stored, &msg_account_session_desc, &m);
	fd_close(&pair[0]);
	ipc_open(&f->conn, task_loop(t), &pair[1], &ipc_table_front,
	    IPC_CALLER);
	if ((r = fd_pair(pair)) < 0)
		return r;
	stream_open(&f->in, task_loop(t), &pair[0]);
	io_open(&f->feed, task_loop(t), &pair[1]);
	task_group_begin(t, &f->group);
	task_group_start(&f->group, front_task, f);
	return r;
}

static void
front_close(struct task *t, struct front_end *f)
{
	ipc_close(&f->conn);
	stream_close(&f->in);
	CHECK_INT(task_group_end(t, &f->group), 0, 0);
}

/* tell - bytes of the client */
static int
tell(struct front_end *f, const char *text)
{
	struct msg_front_data m = { slice_of(text) };

	return ipc_post(&f->conn, &msg_front_data_desc, &m);
}

/* expect - skip lines up to one that begins so */
static int
expect(struct task *t, struct front_end *f, const char *begin)
{
	struct slice line;
	int	r;

	do {
		r = stream_read_line(t, &f->in, 10000, &line);
	} while (r == 0 && !slice_has_prefix(line, slice_of(begin)));
	if (r < 0)
		printf("# waited in vain for \"%s\": %s\n", begin, strerror(-r));
	return r;
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
	CHECK(w->was_idling, 0);
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
	if ((r = front_open(t, w, &f, buf_slice(&w->state))) < 0 ||
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
	w.create = false;
	run_life(&w, run_wake);
	CHECK_INT(w.frozen, 1, 0);
	world_done(&w);
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
	    S(""), S("a1"), SLICE_EMPTY, S("the handle") };
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
