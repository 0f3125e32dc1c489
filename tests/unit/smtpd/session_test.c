/* SPDX-License-Identifier: ISC */
/*
 * smtpd against scripted clients on the simulated loop; mapd and cleanup are
 * small fakes that know a few rules: addresses at here.example are taken, the
 * local part's first letter is the account, and two@ stands for no@ and yes@;
 * content is kept so that the test sees what arrived, and where each recipient
 * is to be answered no... refuses it.
 */
#include "peer_daemon.h"
#include "test.h"

#include <netinet/in.h>

#include "libglobal/ipc_map.h"
#include "libtask/loop.h"
#include "libutil/conf.h"
#include "smtpd/smtpd.h"

struct world {
	struct task_group	 fakes;
	struct buf		 contents;	/* of all messages, "|" behind each */
	size_t			 messages;
	bool			 cleanup_dies;
	bool			 each;		/* as the last message began */
	size_t			 rcpt_count;
	bool			 refuses[16];
};

static int
fake_map(struct task *t, struct ipc_conn *c, struct ipc_in *in, struct arena *a,
    void *arg)
{
	struct msg_map_rcpt *m = in->msg;
	struct msg_target two[2] = { { m->recipient, S("store"),
	    slice_sub(m->recipient, 0, 1) }, { S("yes@here.example"),
	    S("store"), S("y") } };
	struct msg_map_route route = { .code = 250 };

	(void)t;
	(void)a;
	(void)arg;
	if (in->desc->number == MSG_map_client) {
		const struct msg_map_client *who = in->msg;
		struct msg_map_client_is is = { slice_equal(who->address,
		    S("192.0.2.9")), false };

		return ipc_reply(c, in->request, &msg_map_client_is_desc, &is);
	}
	if (slice_has_suffix(m->recipient, S("@here.example"))) {
		route.targets.v = two;
		route.targets.n = 1;
		if (slice_has_prefix(m->recipient, S("two@"))) {
			two[0].address = S("no@here.example");
			route.targets.n = 2;
		}
	} else {
		route = (struct msg_map_route){ .code = 554,
		    .enhanced = S("5.7.1"), .text = S("Relay access denied") };
	}
	return ipc_reply(c, in->request, &msg_map_route_desc, &route);
}

/* fake_begin - who refuses what comes? */
static int
fake_begin(struct world *w, const struct msg_content_begin *m, struct arena *a)
{
	struct msg_envelope *e;
	void *v;
	int r;

	if ((r = ipc_unpack(&msg_envelope_desc, m->envelope, a, &v)) < 0)
		return r;
	e = v;
	w->each = m->each || m->now;
	w->rcpt_count = size_min(e->rcpts.n, COUNT(w->refuses));
	for (size_t i = 0; i < w->rcpt_count; i++)
		w->refuses[i] = slice_has_prefix(e->rcpts.v[i].address,
		    S("no"));
	return 0;
}

static int
fake_content(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct world *w = arg;
	struct msg_content_done done = { 250, S("2.0.0"), S("Ok: kept"), 0,
	    { NULL, 0 } };
	struct msg_rcpt_answer answers[16];

	(void)t;
	for (size_t i = 0; w->each && i < w->rcpt_count; i++)
		answers[i] = w->refuses[i] ? (struct msg_rcpt_answer){
		    (uint32_t)i, 550, S("5.7.1"), S("not wanted") } :
		    (struct msg_rcpt_answer){ (uint32_t)i, 250, S("2.1.5"),
		    S("kept") };
	done.rcpts.v = answers;
	done.rcpts.n = w->each ? w->rcpt_count : 0;
	if (w->each && w->rcpt_count == 1 && w->refuses[0]) {
		done.code = 550;
		done.enhanced = S("5.7.1");
	}
	switch (in->desc->number) {
	case MSG_content_begin:
		return fake_begin(w, in->msg, a);
	case MSG_content_data:
		buf_add(&w->contents,
		    ((struct msg_content_data *)in->msg)->bytes);
		return 0;
	case MSG_content_end:
		if (w->cleanup_dies)
			return -EPIPE;
		buf_add_byte(&w->contents, '|');
		w->messages++;
		return ipc_post(c, &msg_content_done_desc, &done);
	default:
		return 0;
	}
}

static int
fake_edge(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct msg_content_channel *m = in->msg;
	struct world *w = arg;

	(void)t;
	(void)c;
	(void)a;
	peer_daemon_start(&w->fakes, m->fd, &ipc_table_content, fake_content,
	    w, NULL);
	m->fd = -1;
	return 0;
}

static int
connect_fake(struct task *t, void *arg, const char *callee, int *ret_fd)
{
	struct world *w = arg;
	int pair[2], r;

	(void)t;
	if ((r = fd_pair(pair)) < 0)
		return r;
	if (strcmp(callee, "mapd") == 0)
		peer_daemon_start(&w->fakes, pair[1], &ipc_table_map, fake_map,
		    w, NULL);
	else
		peer_daemon_start(&w->fakes, pair[1], &ipc_table_content,
		    fake_edge, w, NULL);
	*ret_fd = pair[0];
	return 0;
}

struct script {
	const char	*say;		/* all that the client sends at once */
	const char	*hear;		/* reply codes, space separated */
};

struct run {
	struct world		 w;
	const struct script	*steps;
	size_t			 count;
	const char		*overrides;
	struct daemon		*d;
	bool		 lingers;	/* the daemon outlives the client */
	uint32_t		 peer;		/* IPv4 address; 0: loopback */
};

/* hear - the codes of as many replies as the step wants */
static int
hear(struct task *t, struct stream *s, const char *want, size_t row)
{
	struct slice rest = slice_of(want), code, line;
	int r = 0;

	while (r == 0 && slice_next_word(&rest, " ", &code)) {
		do {
			r = stream_read_line(t, s, 2000, &line);
		} while (r == 0 && line.len > 3 && line.data[3] == '-');
		if (slice_equal(code, S("EOF"))) {
			CHECK(r < 0 && r != -ECANCELED, row);
			return r == -ECANCELED ? r : -ENODATA;
		}
		if (r == 0)
			CHECK_SLICE(slice_sub(line, 0, 3), code, row);
		else if (r != -ECANCELED)
			CHECK_INT(r, 0, row);
	}
	return r;
}

static int
client_task(struct task *t, void *arg)
{
	struct run *run = arg;
	struct sockaddr_storage peer = { .ss_family = AF_INET };
	struct stream s;
	int pair[2], r;

	((struct sockaddr_in *)&peer)->sin_addr.s_addr = htonl(
	    run->peer == 0 ? INADDR_LOOPBACK : run->peer);
	if ((r = fd_pair(pair)) < 0)
		return r;
	stream_open(&s, task_loop(t), &pair[0]);
	daemon_add_client(run->d, &pair[1], &peer, "[127.0.0.1]:25");
	for (size_t i = 0; r == 0 && i < run->count; i++) {
		r = stream_write(t, &s, slice_of(run->steps[i].say));
		if (r == 0)
			r = stream_flush(t, &s);
		if (r == 0)
			r = hear(t, &s, run->steps[i].hear, i);
	}
	stream_close(&s);
	if (r == 0 && run->lingers)
		r = task_sleep(t, 1000);
	daemon_end(run->d);
	return r == -ECANCELED ? r : 0;
}

static int
serve_task(struct task *t, void *arg)
{
	return daemon_serve(t, arg);
}

static int
main_task(struct task *t, void *arg)
{
	struct run *run = arg;
	struct task_group g;
	int r;

	task_group_begin(t, &run->w.fakes);
	task_group_begin(t, &g);
	task_group_start(&g, serve_task, run->d);
	task_group_start(&g, client_task, run);
	r = task_group_end(t, &g);
	task_group_cancel(&run->w.fakes);
	(void)!task_group_end(t, &run->w.fakes);
	return r;
}

static int
prepare(struct daemon *d)
{
	struct smtpd *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	s->daemon = d;
	s->ids.process = 1;
	content_pool_init(&s->pool, d);
	daemon_set_data(d, s);
	return 0;
}

static const struct daemon_spec spec = {
	.name = "smtpd",
	.params = &smtpd_param_table,
	.params_size = sizeof(struct smtpd_params),
	.client = smtpd_client,
};

static void
drop(void *arg, const struct log_record *r)
{
	(void)arg;
	(void)r;
}

/* converse - run a script; what cleanup got is left in run->w */
static int
converse(struct run *run, uint64_t seed, uint64_t cancel_at)
{
	struct loop_options o = { .sim_seed = seed, .sim_short_io = true };
	struct log_setup quiet = { .program = "smtpd", .sink = drop };
	struct loop *l = loop_new(&o);
	struct conf *conf = conf_new(NULL);
	struct diag diag = DIAG_INIT;
	struct smtpd *s;
	int r;

	log_start(&quiet);
	CHECK_INT(conf_read(conf, slice_of(run->overrides == NULL ?
	    "myhostname = mx.here.example\n" : run->overrides), "main.cf",
	    &diag), 0, seed);
	run->d = daemon_new(l, &spec, conf, connect_fake, &run->w, &diag);
	CHECK_TEXT(slice_of(diag.text), "", seed);
	prepare(run->d);
	if (cancel_at != 0)
		loop_sim_cancel_at(l, cancel_at);
	r = loop_run(l, main_task, run);
	CHECK_INT(loop_task_count(l), 0, seed);
	s = daemon_data(run->d);
	content_pool_done(&s->pool);
	hash_free(&s->addresses);
	free(s);
	daemon_free(&run->d);
	conf_free(&conf);
	loop_free(l);
	return r;
}

#define CONVERSE(run_, steps_) \
	do { (run_).steps = (steps_); (run_).count = COUNT(steps_); \
	    CHECK_INT(converse(&(run_), 7, 0), 0, 0); } while (0)

#define START	"EHLO c.example\r\n"
#define MAIL	"MAIL FROM:<a@b.example>\r\n"
#define RCPT	"RCPT TO:<u@here.example>\r\n"

TEST(smtpd_a_message)
{
	static const struct script steps[] = {
		{ "", "220" },
		{ START, "250" },
		{ MAIL RCPT "DATA\r\n", "250 250 354" },	/* pipelined */
		{ "Subject: x\r\n\r\n..dot\r\n.\r\n", "250" },
		{ "QUIT\r\n", "221 EOF" },
	};
	struct run run = { 0 };

	CONVERSE(run, steps);
	CHECK_SLICE(buf_slice(&run.w.contents), S("Subject: x\r\n\r\n.dot\r\n|"), 0);
	buf_free(&run.w.contents);
}

TEST(smtpd_order_of_commands)
{
	static const struct script steps[] = {
		{ "", "220" },
		{ MAIL, "503" },
		{ START, "250" },
		{ "RCPT TO:<u@here.example>\r\n", "503" },
		{ "DATA\r\n", "503" },
		{ MAIL, "250" },
		{ MAIL, "503" },
		{ "DATA\r\n", "554" },
		{ "RCPT TO:<x@there.example>\r\n", "554" },
		{ "RCPT TO:<>\r\n", "501" },
		{ RCPT, "250" },
		{ "RSET\r\n", "250" },
		{ RCPT, "503" },
		{ "VRFY u\r\n", "252" },
		{ "NOOP x\r\n", "250" },
		{ "HELO c.example\r\n", "250" },
		{ "WHAT\r\n", "500" },
		{ "QUIT\r\n", "221 EOF" },
	};
	struct run run = { .overrides = "smtpd_helo_required = yes\n" };

	CONVERSE(run, steps);
	CHECK_INT(run.w.messages, 0, 0);
	buf_free(&run.w.contents);
}

TEST(smtpd_without_helo)	/* smtpd_helo_required = no */
{
	static const struct script steps[] = {
		{ "", "220" },
		{ MAIL, "250" },
		{ RCPT, "250" },
		{ "DATA\r\n", "354" },
		{ "x\r\n.\r\n", "250" },
		{ "AUTH PLAIN\r\n", "503" },	/* that needs EHLO */
		{ RCPT, "503" },
		{ MAIL, "250" },
		{ "RSET\r\n", "250" },
		{ MAIL, "250" },
		{ "QUIT\r\n", "221 EOF" },
	};
	struct run run = { 0 };

	CONVERSE(run, steps);
	CHECK_INT(run.w.messages, 1, 0);
	buf_free(&run.w.contents);
}

TEST(smtpd_bdat)
{
	static const struct script steps[] = {
		{ "", "220" },
		{ START, "250" },
		{ MAIL RCPT "BDAT 6\r\nab\r\n..", "250 250 250" },
		{ "BDAT 4 LAST\r\ncd\r\n", "250" },
		{ MAIL, "250" },
		{ "BDAT 3\r\nRCP", "554" },	/* read, not run */
		{ MAIL RCPT, "250 250" },
		{ "BDAT 0 LAST\r\n", "250" },
		{ MAIL RCPT "BDAT 2\r\nxx", "250 250 250" },
		{ "MAIL FROM:<>\r\n", "503" },
		{ "RSET\r\n", "250" },
		{ "BDAT x\r\n", "503" },
		{ "QUIT\r\n", "221 EOF" },
	};
	struct run run = { 0 };

	CONVERSE(run, steps);
	CHECK_SLICE(buf_slice(&run.w.contents), S("ab\r\n..cd\r\n||xx"), 0);
	buf_free(&run.w.contents);
}

TEST(smtpd_bdat_refused)	/* its octets are never taken for commands */
{
	static const struct script steps[] = {
		{ "", "220" },
		{ START, "250" },
		{ "BDAT 6\r\nNOOP\r\n", "503" },
		{ MAIL RCPT "BDAT 60\r\n", "250 250 250" },
		/* together too large; more are in the pipeline */
		{ "BDAT 70\r\n0123456789012345678901234567890123456789"
		  "0123456789012345678901234\r\n...", "552" },
		{ "BDAT 6\r\nNOOP\r\nBDAT 6 LAST\r\nNOOP\r\nRSET\r\n",
		  "503 503 250" },
		{ MAIL RCPT "BDAT 2 LAST\r\nok", "250 250 250" },
		{ "NOOP\r\n", "250" },
		{ "QUIT\r\n", "221 EOF" },
	};
	static const char *const sizes[] = { "101", "67108864", "67108865",
	    "9223372036854775807", "9223372036854775808",
	    "340282366920938463463374607431768211456" };
	static char chunk[60];
	char first[200], said[60];
	struct script begun[COUNT(steps)];
	struct run run = { .overrides = "message_size_limit = 100\n" };

	memset(chunk, 'x', sizeof(chunk));
	memcpy(begun, steps, sizeof(begun));
	snprintf(first, sizeof(first), "%s%.*s", steps[3].say,
	    (int)sizeof(chunk), chunk);
	begun[3].say = first;
	CONVERSE(run, begun);
	CHECK_INT(run.w.messages, 1, 0);
	buf_free(&run.w.contents);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct script huge[] = {
			{ "", "220" },
			{ START, "250" },
			{ MAIL RCPT, "250 250" },
			{ said, "552" },	/* and not a chunk later */
		};

		snprintf(said, sizeof(said), "BDAT %s\r\n", sizes[i]);
		CONVERSE(run, huge);
		CHECK_INT(run.w.messages, 1, i);
	}
	CHECK_INT(run.w.contents.len, 0, 0);
	run.overrides = "message_size_limit = 0\n";
	for (size_t i = 4; i < COUNT(sizes); i++) {
		struct script huge[] = {
			{ "", "220" },
			{ START, "250" },
			{ MAIL RCPT, "250 250" },
			{ said, "552" },
		};

		snprintf(said, sizeof(said), "BDAT %s\r\n", sizes[i]);
		CONVERSE(run, huge);
	}
	buf_free(&run.w.contents);
}

TEST(smtpd_bdat_without_end)	/* not all of it is waited for */
{
	static char	zeros[1 << 20];
	struct script	steps[70] = {
		{ "", "220" },
		{ START, "250" },
		{ MAIL RCPT, "250 250" },
		{ "BDAT 999999999999\r\n", "552" },
	};
	struct run	run = { .steps = steps, .count = 4 };

	memset(zeros, '0', sizeof(zeros) - 1);
	for (int i = 0; i < 65; i++)
		steps[run.count++] = (struct script){ zeros, "" };
	steps[run.count - 1].hear = "EOF";
	CHECK_INT(converse(&run, 1, 0), 0, 0);
	buf_free(&run.w.contents);
}

TEST(smtpd_only_crlf_dot_crlf_ends)	/* what tries to smuggle a second one */
{
	static const char *const ends[] = { "\n.\n", "\n.\r\n", "\r\n.\n",
	    "\r.\r", "\r\n.\r", "\r.\r\n", "\n\n.\r\n", "\r\r\n.\n", "\n.\r" };
	char text[300];

	for (size_t i = 0; i < COUNT(ends); i++) {
		struct script steps[] = {
			{ "", "220" },
			{ START, "250" },
			{ MAIL RCPT "DATA\r\n", "250 250 354" },
			{ text, "250" },
			{ "QUIT\r\n", "221 EOF" },
		};
		struct run run = { .steps = steps, .count = COUNT(steps) };

		snprintf(text, sizeof(text), "one%sMAIL FROM:<evil@b.example>"
		    "\r\nRCPT TO:<u@here.example>\r\nDATA\r\ntwo\r\n.\r\n",
		    ends[i]);
		CHECK_INT(converse(&run, i + 1, 0), 0, i);
		CHECK_INT(run.w.messages, 1, i);
		for (size_t k = 0; k < run.w.contents.len; k++)
			if (run.w.contents.data[k] == '\n')
				CHECK(k > 0 && run.w.contents.data[k - 1] ==
				    '\r', i);
		buf_free(&run.w.contents);
	}
}

TEST(smtpd_bare_newline_rejected)
{
	static const struct script steps[] = {
		{ "", "220" },
		{ START, "250" },
		{ MAIL RCPT "DATA\r\n", "250 250 354" },
		{ "a\nb\r\n.\r\n", "550" },
		{ "QUIT\r\n", "221 EOF" },
	};
	struct run run = { .overrides = "smtpd_forbid_bare_newline = reject\n" };

	CONVERSE(run, steps);
	CHECK_INT(run.w.messages, 0, 0);
	buf_free(&run.w.contents);
}

TEST(smtpd_limits)
{
	static const struct script steps[] = {
		{ "", "220" },
		{ START, "250" },
		{ "MAIL FROM:<a@b.example> SIZE=101\r\n", "552" },
		{ MAIL, "250" },
		{ RCPT "RCPT TO:<v@here.example>\r\n", "250 452" },
		{ "DATA\r\n", "354" },
		{ "0123456789012345678901234567890123456789012345678901234567"
		  "8901234567890123456789012345678901234567890123456789\r\n.\r\n",
		  "552" },
		{ "NOOP\r\n", "250" },
		{ "WHAT\r\n", "500" },
		{ "WHAT\r\n", "500" },
		{ "WHAT\r\n", "500 421 EOF" },
	};
	struct run run = { .overrides = "message_size_limit = 100\n"
	    "smtpd_recipient_limit = 1\nsmtpd_recipient_overshoot_limit = 0\nsmtpd_hard_error_limit = 6\n" };

	CONVERSE(run, steps);
	buf_free(&run.w.contents);
}

TEST(smtpd_too_many_recipients)	/* the surplus is no error: the rest goes */
{
	static const struct script steps[] = {
		{ "", "220" },
		{ START, "250" },
		{ MAIL RCPT RCPT RCPT RCPT "DATA\r\n", "250 250 452 452 452 354" },
		{ "x\r\n.\r\n", "250" },
		{ "QUIT\r\n", "221 EOF" },
	};
	struct run run = { .overrides = "smtpd_recipient_limit = 1\n"
	    "smtpd_hard_error_limit = 2\n" };

	CONVERSE(run, steps);
	CHECK_INT(run.w.messages, 1, 0);
	buf_free(&run.w.contents);
}

TEST(smtpd_recipient_overshoot)	/* only so many are no errors */
{
	static const struct script steps[] = {
		{ "", "220" },
		{ START, "250" },
		{ MAIL RCPT RCPT, "250 250 250" },
		{ RCPT RCPT RCPT, "452 452 452" },
		{ "RCPT TO:<\r\n" RCPT RCPT, "452 452 421 EOF" },
	};
	static const struct script again[] = {
		{ "", "220" },
		{ START, "250" },
		{ MAIL RCPT RCPT RCPT RCPT RCPT "RSET\r\n",
		  "250 250 250 452 452 452 250" },
		/* each message has its own */
		{ MAIL RCPT RCPT RCPT RCPT RCPT "DATA\r\n",
		  "250 250 250 452 452 452 354" },
		{ "x\r\n.\r\n", "250" },
		{ "QUIT\r\n", "221 EOF" },
	};
	struct run run = { .overrides = "smtpd_recipient_limit = 2\n"
	    "smtpd_recipient_overshoot_limit = 3\n"
	    "smtpd_hard_error_limit = 2\n" };

	CONVERSE(run, steps);
	CONVERSE(run, again);
	CHECK_INT(run.w.messages, 1, 0);
	buf_free(&run.w.contents);
}

TEST(smtpd_each_recipient)	/* draft-hall-prdr */
{
	static const struct script steps[] = {
		{ START, "220 250" },
		{ "MAIL FROM:<a@b.example> PRDR\r\n" RCPT
		  "RCPT TO:<no@here.example>\r\n"
		  "RCPT TO:<two@here.example>\r\n" RCPT
		  "RCPT TO:<x@else.example>\r\nDATA\r\n",
		  "250 250 250 250 250 554 354" },
		/* the second naming of one hears the same */
		{ "x\r\n.\r\n", "353 250 550 250 250 250" },
		{ "MAIL FROM:<a@b.example> PRDR\r\n"
		  "RCPT TO:<no@here.example>\r\nDATA\r\n", "250 250 354" },
		{ "x\r\n.\r\n", "353 550 550" },
		{ "MAIL FROM:<a@b.example>\r\n" RCPT "DATA\r\n",
		  "250 250 354" },
		{ "x\r\n.\r\nQUIT\r\n", "250 221" },
	};
	static const struct script queued[] = {
		{ START, "220 250" },
		{ "MAIL FROM:<a@b.example> PRDR\r\nQUIT\r\n", "501 221" },
	};
	struct run run = { 0 };

	CONVERSE(run, steps);
	CHECK_INT((int64_t)run.w.messages, 3, 0);
	buf_free(&run.w.contents);
	run = (struct run){ .overrides = "delivery_mode = queue\n" };
	CONVERSE(run, queued);
	buf_free(&run.w.contents);
}

TEST(smtpd_client_gone)	/* who will not hear the answer gives it again */
{
	static const struct script data[] = {
		{ START, "220 250" },
		{ MAIL RCPT "DATA\r\n", "250 250 354" },
		{ "x\r\n.\r\n", "" },
	};
	static const struct script bdat[] = {
		{ START, "220 250" },
		{ MAIL RCPT, "250 250" },
		{ "BDAT 3 LAST\r\nx\r\n", "" },
	};
	/* it has said all it has to say, but did not go */
	static const struct script more[] = {
		{ START, "220 250" },
		{ MAIL RCPT "DATA\r\n", "250 250 354" },
		{ "x\r\n.\r\nQUIT\r\n", "" },
	};
	static const struct { const struct script *steps; int64_t messages; }
	    tries[] = { { data, 0 }, { bdat, 0 }, { more, 1 } };

	for (size_t i = 0; i < COUNT(tries); i++) {
		struct run run = { .steps = tries[i].steps, .count = 3,
				 .lingers = true };

		CHECK_INT(converse(&run, 7, 0), 0, i);
		CHECK_INT((int64_t)run.w.messages, tries[i].messages, i);
		buf_free(&run.w.contents);
	}
}

TEST(smtpd_split_recipients)	/* one decides for all of a transaction */
{
	static const struct script steps[] = {
		{ START, "220 250" },
		{ MAIL RCPT "RCPT TO:<v@here.example>\r\n" RCPT
		  "RCPT TO:<two@here.example>\r\nRSET\r\n",
		  "250 250 452 250 452 250" },
		/* what stands for several is alone */
		{ MAIL "RCPT TO:<two@here.example>\r\n"
		  "RCPT TO:<yes@here.example>\r\nRSET\r\n",
		  "250 250 452 250" },
		{ "MAIL FROM:<a@b.example> PRDR\r\n" RCPT
		  "RCPT TO:<v@here.example>\r\nQUIT\r\n",
		  "250 250 250 221" },
	};
	struct run run = { .overrides = "through_split_recipients = yes\n" };

	CONVERSE(run, steps);
}

TEST(smtpd_silence_and_early_talkers)
{
	static const struct script silent[] = {
		{ "", "220" },
		{ "NOOP\r\n", "250" },
		{ "", "421 EOF" },		/* five virtual minutes later */
	};
	static const struct script early[] = {
		{ "", "220" },
		{ "EHLO c.example\r\nMAIL FROM:<a@b.example>\r\n", "503 EOF" },
	};
	static const struct script browser[] = {
		{ "", "220" },
		{ "GET / HTTP/1.1\r\n", "221 EOF" },
	};
	struct run run = { 0 };

	CONVERSE(run, silent);
	CONVERSE(run, early);
	CONVERSE(run, browser);
	buf_free(&run.w.contents);
}

#define LMTP	"smtpd_protocol = lmtp\nsmtpd_peername_lookup = no\n"

TEST(lmtp_session)		/* an answer for each recipient (RFC 2033 4.2) */
{
	static const struct script steps[] = {
		{ START, "220 500" },
		{ "HELO x\r\n", "500" },
		{ "MAIL FROM:<a@b.example>\r\n", "503" },
		{ "LHLO c.example\r\n", "250" },
		{ MAIL "DATA\r\n", "250 503" },
		{ "RSET\r\n" MAIL RCPT "RCPT TO:<no@here.example>\r\n"
		  "RCPT TO:<two@here.example>\r\n" RCPT
		  "RCPT TO:<x@else.example>\r\nDATA\r\n",
		  "250 250 250 250 250 250 554 354" },
		{ "x\r\n.\r\n", "250 550 550 250" },
		{ MAIL RCPT "RCPT TO:<no@here.example>\r\n"
		  "BDAT 3\r\nx\r\nBDAT 3 LAST\r\ny\r\n",
		  "250 250 250 250 250 550" },
		{ MAIL RCPT RCPT "BDAT 99999999 LAST\r\n",
		  "250 250 250 552 552" },
	};
	static const struct script dsn[] = {
		{ "LHLO c.example\r\n", "220 250" },
		{ "MAIL FROM:<a@b.example> RET=FULL\r\n", "501" },
		{ MAIL "RCPT TO:<u@here.example> NOTIFY=SUCCESS\r\n",
		  "250 501" },
		{ "AUTH PLAIN\r\n", "500" },
	};
	struct run run = { .overrides = LMTP };

	CONVERSE(run, steps);
	CHECK_INT((int64_t)run.w.messages, 2, 0);
	CHECK_SLICE(buf_slice(&run.w.contents), S("x\r\n|x\r\ny\r\n|"), 0);
	buf_free(&run.w.contents);
	run = (struct run){ .overrides = LMTP };
	CONVERSE(run, dsn);
	buf_free(&run.w.contents);
}

TEST(lmtp_clients)		/* this host and mynetworks */
{
	static const struct script not[] = { { "", "554 EOF" } };
	static const struct script may[] = {
		{ "LHLO c.example\r\n", "220 250" },
		{ "QUIT\r\n", "221 EOF" },
	};
	struct run run = { .overrides = LMTP, .peer = 0xc0000201 };

	CONVERSE(run, not);
	buf_free(&run.w.contents);
	run = (struct run){ .overrides = LMTP, .peer = 0xc0000209 };
	CONVERSE(run, may);
	buf_free(&run.w.contents);
}

TEST(lmtp_cleanup_dies)		/* each hears that it is to try again */
{
	static const struct script steps[] = {
		{ "LHLO c.example\r\n", "220 250" },
		{ MAIL RCPT "RCPT TO:<v@here.example>\r\nDATA\r\n",
		  "250 250 250 354" },
		{ "x\r\n.\r\nQUIT\r\n", "451 451 221" },
	};
	struct run run = { .overrides = LMTP, .w.cleanup_dies = true };

	CONVERSE(run, steps);
	buf_free(&run.w.contents);
}

TEST(smtpd_cleanup_dies)
{
	static const struct script steps[] = {
		{ "", "220" },
		{ START, "250" },
		{ MAIL RCPT "DATA\r\n", "250 250 354" },
		{ "x\r\n.\r\n", "451" },
		{ MAIL, "250" },
		{ "QUIT\r\n", "221 EOF" },
	};
	struct run run = { .w.cleanup_dies = true };

	CONVERSE(run, steps);
	CHECK_INT(run.w.messages, 0, 0);
	buf_free(&run.w.contents);
}

TEST(smtpd_cancelled_at_every_wait)
{
	static const struct script steps[] = {
		{ "", "220" },
		{ START, "250" },
		{ MAIL RCPT "DATA\r\n", "250 250 354" },
		{ "x\r\n.\r\n", "250" },
		{ "QUIT\r\n", "221 EOF" },
	};

	for (uint64_t n = 1; n < 200; n++) {
		struct run run = { .steps = steps, .count = COUNT(steps) };
		int r = converse(&run, 3, n);

		buf_free(&run.w.contents);
		if (run.w.messages == 1 && r == 0)
			break;
	}
}
