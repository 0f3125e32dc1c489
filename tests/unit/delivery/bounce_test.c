/* SPDX-License-Identifier: ISC */
/* bounce: reports of all kinds, with a mapd and a cleanup of ours. */
#include "queue_fakes.h"

#include "delivery/bounce.h"
#include "libmail/scan.h"

struct world {
	struct fakes		 fakes;
	const char		*sender;	/* NULL: me@here.example */
	const char		*content;
	uint32_t		 kind;
	uint32_t		 ret;
	const char		*more;
	struct msg_rcpt		 rcpts[3];
	struct msg_rcpt_result	 results[3];
	size_t			 n;
	bool			 ok;
	size_t			 id_len;
	struct daemon		*daemon;
	struct bounce		 bounce;
	struct task_group	 group;
	int			 fd;
};

#define PREFIX	"not of the message"

static int
ask(struct task *t, struct world *w, struct ipc_conn *c)
{
	struct slice		 content = slice_of(w->content);
	struct msg_piece	 pieces[2] = { { .text = S("X-Added: 1\r\n") },
				     { .of_content = true,
				     .length = content.len } };
	struct msg_envelope	 e = { .queue_id = S("4jXJG43SZqz2002"),
				     .arrival = 1000000, .ret = w->ret,
				     .content_length = content.len };
	struct msg_bounce_ask	 m = { .kind = w->kind, .content = w->fd,
				     .offset = sizeof(PREFIX) - 1,
				     .expires = 2000000 };
	struct msg_bounce_result *res;
	struct scan		*scan = scan_new(NULL);
	struct buf		 facts = BUF_INIT, packed = BUF_INIT;
	struct arena		 a = ARENA_INIT;
	void			*reply;
	int			 r;

	scan_feed(scan, content);
	facts_format(&facts, scan_finish(scan));
	scan_free(&scan);
	e.facts = buf_slice(&facts);
	e.sender = w->sender == NULL ? S("me@here.example") :
	    slice_of(w->sender);
	e.pieces.v = pieces;
	e.pieces.n = 2;
	e.rcpts.v = w->rcpts;
	e.rcpts.n = w->n;
	m.results.v = w->results;
	m.results.n = w->n;
	if ((r = ipc_pack(&msg_envelope_desc, &e, &packed)) == 0) {
		m.envelope = buf_slice(&packed);
		r = ipc_call(t, c, &msg_bounce_ask_desc, &m,
		    &msg_bounce_result_desc, &a, &reply);
	}
	if (r == 0) {
		res = reply;
		w->ok = res->ok;
		w->id_len = res->queue_id.len;
	}
	buf_free(&facts);
	buf_free(&packed);
	arena_free(&a);
	return r;
}

static int
replies_task(struct task *t, void *arg)
{
	int r = ipc_run_replies(t, arg);

	return r == -ENODATA ? 0 : r;
}

static int
daemon_task(struct task *t, void *arg)
{
	return daemon_serve(t, ((struct world *)arg)->daemon);
}

static int
world_task(struct task *t, void *arg)
{
	const struct daemon_caller who = { S("qmgr"), S("qmgr"), 1, 0 };
	struct world	*w = arg;
	struct ipc_conn	 c;
	int		 fd[2] = { -1, -1 }, r;

	memset(&c, 0, sizeof(c));
	c.io.fd = -1;
	task_group_begin(t, &w->group);
	w->fakes.group = &w->group;
	task_group_start(&w->group, daemon_task, w);
	if ((r = fd_pair(fd)) == 0 && (r = task_yield(t)) == 0) {
		daemon_add_caller(w->daemon, &fd[1], &who);
		ipc_open(&c, task_loop(t), &fd[0], &ipc_table_bounce,
		    IPC_CALLER);
		task_group_start(&w->group, replies_task, &c);
		r = ask(t, w, &c);
	}
	daemon_end(w->daemon);
	task_group_cancel(&w->group);
	ignore(task_group_end(t, &w->group));	/* they were cancelled */
	ipc_close(&c);
	fd_close(&fd[0]);
	fd_close(&fd[1]);
	return r;
}

static const struct daemon_spec spec = {
	.name = "bounce", .params = &bounce_param_table,
	.params_size = sizeof(struct bounce_params), .edge = bounce_serve,
};

static int
run(struct world *w, uint64_t cancel_at)
{
	struct loop_options o = { .sim_seed = 3, .sim_short_io = true };
	struct loop	*l = loop_new(&o);
	struct conf	*conf = conf_new(NULL);
	struct memfile	 m = MEMFILE_INIT;
	struct buf	 text = BUF_INIT;
	struct diag	 d = DIAG_INIT;
	int		 r = -EINVAL;

	buf_addf(&text, "myhostname = mail.here.example\n%s",
	    w->more == NULL ? "" : w->more);
	CHECK_INT(conf_read(conf, buf_slice(&text), "main.cf", &d), 0, 0);
	CHECK_INT(memfile_new("test", 1 << 20, &m), 0, 0);
	CHECK_INT(memfile_append(&m, S(PREFIX)), 0, 0);
	CHECK_INT(memfile_append(&m, slice_of(w->content)), 0, 0);
	CHECK_INT(memfile_seal(&m), 0, 0);
	w->fd = m.fd;
	w->daemon = daemon_new(l, &spec, conf, fakes_connect, &w->fakes, &d);
	if (CHECK(w->daemon != NULL, 0)) {
		w->bounce.daemon = w->daemon;
		w->bounce.templates = dsn_templates_builtin;
		content_pool_init(&w->bounce.pool, w->daemon);
		daemon_set_data(w->daemon, &w->bounce);
		if (cancel_at > 0)
			loop_sim_cancel_at(l, cancel_at);
		r = loop_run(l, world_task, w);
		CHECK_INT(loop_task_count(l), 0, cancel_at);
		content_pool_done(&w->bounce.pool);
	}
	daemon_free(&w->daemon);
	loop_free(l);
	conf_free(&conf);
	memfile_done(&m);
	buf_free(&text);
	return r;
}

static void
add(struct world *w, const char *address, unsigned code, const char *enhanced,
    const char *text, bool remote)
{
	w->rcpts[w->n] = (struct msg_rcpt){ .address = slice_of(address),
	    .original = slice_of(address), .transport = S("smtp"),
	    .orcpt = S("rfc822;first@x.example"), .number = (uint32_t)w->n };
	w->results[w->n] = (struct msg_rcpt_result){ .number = (uint32_t)w->n,
	    .code = code, .enhanced = slice_of(enhanced),
	    .text = slice_of(text), .relay = S("mx.example[192.0.2.1]:25"),
	    .remote = remote };
	w->n++;
}

static bool
has(const struct world *w, const char *text)
{
	return slice_find_slice(buf_slice(&w->fakes.contents),
	    slice_of(text)) != SLICE_NONE;
}

static const char message[] = "Subject: hello\r\nMessage-ID: <1@x>\r\n\r\n"
    "the whole text\r\n";

TEST(failure)
{
	struct world w = { .content = message, .kind = 1 };

	add(&w, "a@x.example", 550, "5.1.1", "host mx.example[192.0.2.1] said: "
	    "550 5.1.1 who is that (in reply to RCPT TO command)", true);
	add(&w, "b@x.example", 450, "4.4.1", "connect to x: Connection refused",
	    false);
	CHECK_INT(run(&w, 0), 0, 0);
	CHECK(w.ok, 0);
	CHECK(w.id_len > 0, 0);
	CHECK_TEXT(buf_slice(&w.fakes.envelopes),
	    "from <> to me@here.example>smtp:hop\n", 0);
	CHECK(has(&w, "To: me@here.example\r\n"), 0);
	CHECK(has(&w, "Content-Type: multipart/report; "
	    "report-type=delivery-status"), 0);
	CHECK(has(&w, "\r\nReporting-MTA: dns; mail.here.example\r\n"), 0);
	CHECK(has(&w, "\r\nOriginal-Recipient: rfc822; first@x.example\r\n"), 0);
	CHECK(has(&w, "\r\nFinal-Recipient: rfc822; a@x.example\r\n"), 0);
	CHECK(has(&w, "\r\nAction: failed\r\nStatus: 5.1.1\r\n"
	    "Remote-MTA: dns; mx.example\r\n"
	    "Diagnostic-Code: smtp; 550 5.1.1 who is that\r\n"), 0);
	CHECK(has(&w, "\r\nStatus: 4.4.1\r\n"), 0);
	CHECK(has(&w, "\r\nX-Added: 1\r\nSubject: hello\r\n"
	    "Message-ID: <1@x>\r\n\r\nthe whole text\r\n"), 0);
	CHECK(!has(&w, PREFIX), 0);
	fakes_done(&w.fakes);
}

TEST(headers_only)
{
	struct world hdrs = { .content = message, .kind = 1, .ret = 2 };
	struct world large = { .content = message, .kind = 1,
		.more = "bounce_size_limit = 20\n" };
	struct world delay = { .content = message, .kind = 2 };
	struct world success = { .content = message, .kind = 3 };
	struct world *all[] = { &hdrs, &large, &delay, &success };

	for (size_t i = 0; i < COUNT(all); i++) {
		struct world *w = all[i];

		add(w, "a@x.example", i == 3 ? 250 : i == 2 ? 450 : 550,
		    i == 3 ? "2.0.0" : i == 2 ? "4.0.0" : "5.0.0", "it is so",
		    false);
		CHECK_INT(run(w, 0), 0, i);
		CHECK(w->ok, i);
		CHECK(has(w, "\r\nX-Added: 1\r\nSubject: hello\r\n"), i);
		CHECK(!has(w, "the whole text"), i);
		CHECK(has(w, i == 3 ? "\r\nAction: relayed\r\n" :
		    i == 2 ? "\r\nAction: delayed\r\n" :
		    "\r\nAction: failed\r\n"), i);
		CHECK_INT(has(w, "\r\nWill-Retry-Until: "), i == 2, i);
		fakes_done(&w->fakes);
	}
}

/* copies on hold: the postmaster is told, whoever the sender was */
TEST(held)
{
	static const char *const senders[] = { NULL, "", "a b c",
		"no@x.example" };

	for (size_t i = 0; i < COUNT(senders); i++) {
		struct world w = { .content = message, .kind = 4,
			.sender = senders[i] };

		add(&w, "a@x.example", 550, "5.7.1", "not wanted", false);
		CHECK_INT(run(&w, 0), 0, i);
		CHECK(w.ok, i);
		CHECK_TEXT(buf_slice(&w.fakes.envelopes), "from <> to "
		    "postmaster@mail.here.example>smtp:hop\n", i);
		CHECK(has(&w, "To: postmaster@mail.here.example\r\n"), i);
		CHECK(has(&w, "Subject: Mail on hold: 4jXJG43SZqz2002\r\n"), i);
		CHECK(has(&w, "barid queue release 4jXJG43SZqz2002 "), i);
		CHECK(has(&w, "Auto-Submitted: auto-generated\r\n"), i);
		CHECK(has(&w, "\r\n<a@x.example> "), i);
		CHECK(has(&w, "\r\nX-Added: 1\r\nSubject: hello\r\n"), i);
		CHECK(!has(&w, "the whole text"), i);
		fakes_done(&w.fakes);
	}
}

/* the parameter says who; and if that one cannot be told it is over */
TEST(held_notice_elsewhere)
{
	struct world other = { .content = message, .kind = 4,
		.more = "bounce_notice_recipient = root@else.example\n" };
	struct world refused = { .content = message, .kind = 4,
		.more = "bounce_notice_recipient = no@else.example\n" };

	add(&other, "a@x.example", 550, "5.7.1", "not wanted", false);
	CHECK_INT(run(&other, 0), 0, 0);
	CHECK_TEXT(buf_slice(&other.fakes.envelopes),
	    "from <> to root@else.example>smtp:hop\n", 0);
	fakes_done(&other.fakes);
	add(&refused, "a@x.example", 550, "5.7.1", "not wanted", false);
	CHECK_INT(run(&refused, 0), 0, 1);
	CHECK(refused.ok, 1);
	CHECK_INT(refused.id_len, 0, 1);
	fakes_done(&refused.fakes);
}

/* no report on a report; none to who cannot have one; later where it must be */
TEST(no_report)
{
	static const struct {
		const char	*sender;
		unsigned	 cleanup;
		bool		 no_mapd;
		bool		 dies;
		bool		 ok;
	} tries[] = {
		{ "", 0, false, false, true },
		{ "no@x.example", 0, false, false, true },
		{ "a b c", 0, false, false, true },
		{ "later@x.example", 0, false, false, false },
		{ "me@x.example", 0, true, false, false },
		{ "me@x.example", 0, false, true, false },
		{ "me@x.example", 452, false, false, false },
		{ "me@x.example", 554, false, false, true },
	};

	for (size_t i = 0; i < COUNT(tries); i++) {
		struct world w = { .content = message, .kind = 1,
			.sender = tries[i].sender,
			.fakes = { .code = tries[i].cleanup,
			.no_mapd = tries[i].no_mapd,
			.cleanup_dies = tries[i].dies } };

		add(&w, "a@x.example", 550, "5.0.0", "no", false);
		CHECK_INT(run(&w, 0), 0, i);
		CHECK_INT(w.ok, tries[i].ok, i);
		CHECK_INT(w.id_len, 0, i);
		fakes_done(&w.fakes);
	}
}

TEST(diagnostics)
{
	static const struct { const char *text, *want; } tries[] = {
		{ "host a[b] said: 550 x (in reply to RCPT TO command)", "550 x" },
		{ "host a[b] said: 550 x said: y", "550 x said: y" },
		{ "host a[b] said: ", "" },
		{ "250 2.0.0 Ok", "250 2.0.0 Ok" },
		{ "she said: 550 x", "she said: 550 x" },
	};

	for (size_t i = 0; i < COUNT(tries); i++)
		CHECK_TEXT(bounce_diagnostic(slice_of(tries[i].text)),
		    tries[i].want, i);
}

TEST(cancelled_at_every_wait)
{
	for (uint64_t n = 1; n < 3000; n++) {
		struct world w = { .content = message, .kind = 1 };
		int r;

		add(&w, "a@x.example", 550, "5.0.0", "no", false);
		r = run(&w, n);
		fakes_done(&w.fakes);
		if (r == 0)
			break;
		if (CHECK_INT(r, -ECANCELED, n) != -ECANCELED)
			break;
	}
}
