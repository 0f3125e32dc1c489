/* SPDX-License-Identifier: ISC */
/* The front of imapd on the simulated loop; the test is the client, authd,
 * stored, and the sessions. */
#include "peer_daemon.h"
#include "test.h"

#include <netinet/in.h>

#include "imapd/front_client.h"
#include "libglobal/ipc_auth.h"
#include "libglobal/ipc_front.h"
#include "libglobal/ipc_store.h"
#include "libtask/loop.h"
#include "libutil/alloc.h"
#include "libutil/conf.h"

#define HANDLE	"0123456789abcdef0123456789abcdef"

struct world {
	struct daemon	*daemon;
	struct imapd	*imapd;
	struct task_group *group;
	struct ipc_conn	*store;		/* stored's end of the edge */
	struct stream	client;
	unsigned	sessions, resumes, forgotten, slept;
	unsigned	refused;	/* sleeps */
	unsigned	busy;		/* resumes to answer 451 */
	unsigned	full;		/* that the process has no room for */
	unsigned	slow;		/* that it looks at after 40 s */
	unsigned	too_late;	/* and then finds the channel closed */
	unsigned	killed;		/* processes, as they get a session */
	bool		expired;	/* resumes are answered 550 */
	bool		no_store;
	const char	*address;
	const char	*script;
	int		(*run)(struct task *t, struct world *w);
};

struct end {
	struct world	*w;
	int		 fd;
	bool		 resumed;
	char		 tag[65];
};

static void
start_end(struct world *w, task_fn *fn, int fd, struct slice tag, bool resumed)
{
	struct end *e = NEW(struct end);

	e->w = w;
	e->fd = fd;
	e->resumed = resumed;
	snprintf(e->tag, sizeof(e->tag), "%.*s", SLICE_ARG(tag));
	task_group_start(w->group, fn, e);
}

/* --- authd: anna, secret */

static int
on_auth(struct task *t, struct ipc_conn *c, struct ipc_in *in, struct arena *a,
    void *arg)
{
	struct msg_auth_step	 step = { .outcome = 3, .text = S("no") };
	struct msg_auth_start	*m = in->msg;

	(void)t;
	(void)a;
	(void)arg;
	if (in->desc->number == MSG_auth_cancel)
		return 0;
	if (in->desc->number == MSG_auth_continue) {
		struct msg_auth_continue *k = in->msg;

		if (slice_equal(k->response, S("anna")) && k->exchange == 7) {
			step = (struct msg_auth_step){ .outcome = 1,
			    .exchange = 8, .challenge = S("Password:") };
		} else if ((slice_equal(k->response, S("secret")) &&
		    k->exchange == 8) || slice_equal(k->response,
		    S("\0anna\0secret"))) {
			step.outcome = 2;
		}
	} else if (slice_equal(m->mechanism, S("LOGIN"))) {
		step = (struct msg_auth_step){ .outcome = 1, .exchange = 7,
		    .challenge = S("User Name") };
	} else if (!m->has_initial) {
		step = (struct msg_auth_step){ .outcome = 1, .exchange = 9 };
	} else if (slice_equal(m->initial, S("\0anna\0secret"))) {
		step.outcome = 2;
	} else if (slice_equal(m->initial, S("\0busy\0secret"))) {
		step.outcome = 4;
	}
	if (step.outcome == 2) {
		step.login = S("anna@example.org");
		step.ticket = S("ticket");
	}
	return ipc_reply(c, in->request, &msg_auth_step_desc, &step);
}

/* --- a session: says what it hears, but for a few words */

static int
say(struct task *t, struct ipc_conn *c, struct slice bytes)
{
	struct msg_front_data m;
	int	r = 0;

	for (size_t i = 0; r == 0 && i < bytes.len; i += 60000) {
		m.bytes = slice_sub(bytes, i, 60000);
		r = ipc_send(t, c, &msg_front_data_desc, &m);
	}
	return r;
}

/* heard - 1: the session ends */
static int
heard(struct task *t, struct ipc_conn *c, struct slice bytes)
{
	struct msg_front_sleep	sleep = { S(HANDLE) };
	struct msg_front_close	bye = { SLICE_EMPTY };

	if (slice_equal(bytes, S("bye\r\n"))) {
		ignore(ipc_post(c, &msg_front_close_desc, &bye));
		return 1;
	}
	if (slice_equal(bytes, S("crash\r\n")))
		return 1;
	if (slice_has_prefix(bytes, S("sleep\r\n")))
		return ipc_post(c, &msg_front_sleep_desc, &sleep);
	return say(t, c, bytes);
}

static int
session_task(struct task *t, void *arg)
{
	struct end	*e = arg;
	struct world	*w = e->w;
	struct ipc_conn	*c = NEW(struct ipc_conn);
	struct msg_front_awake awake;
	struct arena	 a = ARENA_INIT;
	struct ipc_in	 in;
	int		 r;

	ipc_open(c, task_loop(t), &e->fd, &ipc_table_front, IPC_CALLEE);
	if (e->resumed)
		ignore(ipc_post(c, &msg_front_awake_desc, &awake));
	r = e->resumed ? say(t, c, S("resumed\r\n")) :
	    say(t, c, arena_printf(&a, "%s OK Logged in\r\n", e->tag));
	while (r == 0 && ipc_recv(t, c, &a, &in) == 0) {
		switch (in.desc->number) {
		case MSG_front_data:
			r = heard(t, c,
			    ((struct msg_front_data *)in.msg)->bytes);
			break;
		case MSG_front_sleep_ok:
			w->slept++;
			r = 1;
			break;
		case MSG_front_sleep_no:
			w->refused++;
			break;
		default:
			r = 1;
		}
		ipc_in_done(&in);
		arena_reset(&a);
	}
	ipc_close(c);
	free(c);
	arena_free(&a);
	free(e);
	return 0;
}

/* full_task - an account process that has no room */
static int
full_task(struct task *t, void *arg)
{
	struct end		*e = arg;
	struct ipc_conn		*c = NEW(struct ipc_conn);
	struct msg_front_busy	 busy;

	ipc_open(c, task_loop(t), &e->fd, &ipc_table_front, IPC_CALLEE);
	CHECK_INT(ipc_post(c, &msg_front_busy_desc, &busy), 0, 0);
	ignore(ipc_drain(t, c));	/* the test may be at its end */
	ipc_close(c);
	free(c);
	free(e);
	return 0;
}

/* slow_task - an account process that does not look at what it was given */
static int
slow_task(struct task *t, void *arg)
{
	struct end		*e = arg;
	struct world		*w = e->w;
	struct ipc_conn		*c = NEW(struct ipc_conn);

	ipc_open(c, task_loop(t), &e->fd, &ipc_table_front, IPC_CALLEE);
	if (task_sleep(t, 40000) == 0) {
		w->too_late += ipc_has_ended(c);
		ignore(say(t, c, S("too late\r\n")));	/* nobody is there */
	}
	ipc_close(c);
	free(c);
	free(e);
	return 0;
}

/* --- stored */

static int
on_store(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct world		 *w = arg;
	struct msg_store_channel answer = { .fd = -1, .code = 250 };

	(void)t;
	(void)a;
	if (in->desc->number == MSG_store_forget) {
		w->forgotten++;
		return 0;
	}
	if (in->desc->number == MSG_store_session) {
		struct msg_store_session *m = in->msg;

		CHECK_TEXT(m->ticket, "ticket", 0);
		w->sessions++;
		if (w->no_store) {
			answer.code = 451;
			answer.text = S("too busy");
		} else if (w->killed > 0) {
			w->killed--;
			answer.handle = S(HANDLE);
		} else if (w->slow > 0) {
			w->slow--;
			start_end(w, slow_task, m->channel, SLICE_EMPTY,
			    false);
			m->channel = -1;
			answer.handle = S(HANDLE);
		} else {
			start_end(w, session_task, m->channel, m->greeting,
			    false);
			m->channel = -1;
			answer.handle = S(HANDLE);
		}
	} else {
		struct msg_store_resume *m = in->msg;

		CHECK_TEXT(m->handle, HANDLE, 0);
		w->resumes++;
		if (w->busy > 0 || w->expired) {
			answer.code = w->expired ? 550 : 451;
			w->busy -= w->busy > 0;
		} else if (w->killed > 0) {
			w->killed--;
		} else {
			start_end(w, w->full > 0 ? full_task : session_task,
			    m->channel, SLICE_EMPTY, true);
			w->full -= w->full > 0;
			m->channel = -1;
		}
	}
	return ipc_reply(c, in->request, &msg_store_channel_desc, &answer);
}

/* --- the world */

static int
connect_edge(struct task *t, void *arg, const char *callee, int *ret_fd)
{
	struct world	*w = arg;
	int		 pair[2], r;

	(void)t;
	if (strcmp(callee, "signd") == 0)
		return -ECONNREFUSED;
	if ((r = fd_pair(pair)) < 0)
		return r;
	*ret_fd = pair[0];
	if (strcmp(callee, "authd") == 0)
		peer_daemon_start(w->group, pair[1], &ipc_table_auth, on_auth,
		    w, NULL);
	else
		peer_daemon_start(w->group, pair[1], &ipc_table_store,
		    on_store, w, &w->store);
	return 0;
}

static const struct daemon_spec spec = {
	.name = "imapd",
	.params = &imapd_param_table,
	.params_size = sizeof(struct imapd_params),
	.client = front_client,
};

static int
watch_task(struct task *t, void *arg)
{
	ignore(front_watch_store(t, arg));
	return 0;
}

static int
serve_task(struct task *t, void *arg)
{
	struct world *w = arg;

	CHECK_INT(daemon_serve(t, w->daemon), 0, 0);
	return 0;
}

/* open_client - a connection from w->address */
static void
open_client(struct task *t, struct world *w)
{
	struct sockaddr_storage	 peer = { .ss_family = AF_INET };
	struct sockaddr_in	*sin = (struct sockaddr_in *)&peer;
	int			 pair[2];

	sin->sin_addr.s_addr = htonl(w->address == NULL ? 0x7f000001 :
	    0xc0000201);
	CHECK_INT(fd_pair(pair), 0, 0);
	stream_open(&w->client, task_loop(t), &pair[0]);
	daemon_add_client(w->daemon, &pair[1], &peer, "imap");
}

static int
world_task(struct task *t, void *arg)
{
	struct world	*w = arg;
	struct conf	*conf = conf_new(NULL);
	struct diag	 diag = DIAG_INIT;
	struct task_group g;
	struct deadline	 d;
	int		 r;

	conf_put(conf, S("imapd_login_limit"), S("3"), "", 0);
	conf_put(conf, S("imapd_banner"), S("ready"), "", 0);
	w->daemon = daemon_new(task_loop(t), &spec, conf, connect_edge, w,
	    &diag);
	w->imapd = NEW(struct imapd);
	w->imapd->daemon = w->daemon;
	list_init(&w->imapd->clients);
	daemon_set_data(w->daemon, w->imapd);
	task_group_begin(t, &g);
	w->group = &g;
	task_group_start(&g, serve_task, w);
	deadline_begin(t, &d, 7200000);
	r = task_sleep(t, 1);
	edge_on_message(daemon_edge(w->daemon, "stored", &ipc_table_store),
	    front_on_store, w->imapd);
	task_group_start(daemon_group(w->daemon), watch_task, w->imapd);
	if (r == 0) {
		open_client(t, w);
		r = w->run(t, w);
		stream_close(&w->client);
	}
	r = deadline_end(t, &d, r);
	daemon_end(w->daemon);
	shield_begin(t, &d, 60000);
	ignore(task_sleep(t, 50000));	/* all goodbyes are said by then */
	ignore(shield_end(t, &d, 0));
	CHECK(list_is_empty(&w->imapd->clients), 0);
	CHECK_INT((long long)w->imapd->sleepers.count, 0, 0);
	daemon_free(&w->daemon);
	if (task_is_cancelled(t))
		task_group_cancel(&g);
	ignore(task_group_end(t, &g));
	hash_free(&w->imapd->sleepers);
	hash_free(&w->imapd->addresses);
	free(w->imapd);
	conf_free(&conf);
	return r;
}

/* play - the script, line by line:
 *	C: send the line	c: the same, together with the next one
 *	S: the next line begins so	W: wait so many ms	E: the end
 *	M: mail for a sleeping session	R: stored is started anew
 *	X: the client leaves */
static int
play(struct task *t, struct world *w)
{
	struct slice	text = slice_of(w->script), line, got;
	struct deadline	d;
	uint64_t	ms;
	size_t		n = 0;
	int		r = 0;

	while (r == 0 && text.len > 0) {
		line = slice_split(&text, '\n');
		n++;
		deadline_begin(t, &d, 2000000);
		switch (line.data[0]) {
		case 'C':
		case 'c':
			r = stream_write(t, &w->client, slice_from(line, 3));
			if (r == 0)
				r = stream_write(t, &w->client, S("\r\n"));
			if (r == 0 && line.data[0] == 'C')
				r = stream_flush(t, &w->client);
			break;
		case 'S':
			r = stream_read_line(t, &w->client, 10000, &got);
			if (r == 0 && !slice_has_prefix(got,
			    slice_from(line, 3))) {
				printf("# got \"%.*s\"\n", SLICE_ARG(got));
				r = -EBADMSG;
			}
			break;
		case 'W':
			r = slice_to_u64(slice_from(line, 3), UINT32_MAX, &ms);
			if (r == 0)
				r = task_sleep(t, (int64_t)ms);
			break;
		case 'M':
			if (w->store != NULL) {
				struct msg_store_wake m = { S(HANDLE) };

				r = ipc_post(w->store, &msg_store_wake_desc,
				    &m);
			}
			break;
		case 'R':
			if (w->store != NULL)
				ipc_close(w->store);
			break;
		case 'X':
			stream_close(&w->client);
			break;
		case 'E':
			r = stream_read_line(t, &w->client, 10000, &got);
			r = r == -ENODATA ? 0 : r == 0 ? -EEXIST : r;
			break;
		}
		r = deadline_end(t, &d, r);
	}
	if (r < 0 && r != -ECANCELED)
		printf("# line %zu: %s\n", n, strerror(-r));
	return r;
}

static int
run_on(struct loop *l, struct world *w)
{
	int r;

	if (w->run == NULL)
		w->run = play;
	r = loop_run(l, world_task, w);
	CHECK_INT(loop_task_count(l), 0, 0);
	return r;
}

static int
run_world(struct world *w, uint64_t seed)
{
	struct loop_options o = { .sim_seed = seed, .sim_short_io = true };
	struct loop	*l = loop_new(&o);
	int		 r = run_on(l, w);

	loop_free(l);
	return r;
}

/* --- before login */

#define HELLO	"S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL- ID ENABLE " \
		"IDLE AUTH=PLAIN AUTH=LOGIN] ready\n"
#define LOGIN	HELLO "C: a LOGIN anna secret\nS: a OK Logged in\n"

TEST(front_before_login)
{
	static const char *const scripts[] = {
		HELLO "C: a NOOP\nS: a OK\nC: b CAPABILITY\nS: * CAPABILITY IM"
		"AP4rev1\nS: b OK\nC: c ID NIL\nS: * ID (\"name\"\nS: c OK\n"
		"C: d SELECT INBOX\nS: d BAD Log in first\nC: e FROB\nS: e BAD"
		"\nC: f STARTTLS\nS: f BAD TLS is not available\nC: g LOGOUT\n"
		"S: * BYE\nS: g OK\nE:\n",
		/* passwords, and how they may be sent */
		HELLO "C: a LOGIN anna wrong\nS: a NO [AUTHENTICATIONFAILED]\n"
		"C: b LOGIN {4}\nS: + OK\nC: anna {6+}\nC: secret\n"
		"S: b OK Logged in\nC: echo\nS: echo\nC: bye\nE:\n",
		HELLO "C: a AUTHENTICATE PLAIN AGFubmEAc2VjcmV0\nS: a OK\n",
		HELLO "C: a AUTHENTICATE PLAIN\nS: + \nC: AGFubmEAc2VjcmV0\n"
		"S: a OK\n",
		HELLO "C: a AUTHENTICATE LOGIN\nS: + VXNlciBOYW1l\nC: YW5uYQ=="
		"\nS: + UGFzc3dvcmQ6\nC: c2VjcmV0\nS: a OK\n",
		HELLO "C: a AUTHENTICATE PLAIN\nS: + \nC: *\nS: a BAD Authenti"
		"cation aborted\nC: b AUTHENTICATE PLAIN\nS: + \nC: !!!\n"
		"S: b BAD\nC: c AUTHENTICATE PLAIN ====\nS: c BAD\n"
		"C: d AUTHENTICATE GSSAPI\nS: d NO [CANNOT]\n"
		"C: e AUTHENTICATE PLAIN AGJ1c3kAc2VjcmV0\n"
		"S: e NO [UNAVAILABLE]\n",
		HELLO "C: a LOGIN x y\nS: a NO\nC: a LOGIN x y\nS: a NO\n"
		"C: a LOGIN x y\nS: a NO\nS: * BYE Too many failed\nE:\n",
		/* pipelined commands go along */
		HELLO "c: a LOGIN anna secret\nC: one\nS: a OK\nS: one\n",
		/* bounds */
		HELLO "C: a LOGIN {70000}\nS: a BAD [TOOBIG]\nC: b NOOP\n"
		"S: b OK\nC: c LOGIN {70000+}\nS: c BAD [TOOBIG]\nS: * BYE\nE:\n",
		HELLO "W: 179000\nC: a NOOP\nS: a OK\nW: 2000\n"
		"S: * BYE Disconnected for inactivity\nE:\n",
	};

	for (size_t i = 0; i < COUNT(scripts); i++) {
		struct world w = { .script = scripts[i] };

		CHECK_INT(run_world(&w, 3 + i), 0, i);
	}
}

TEST(front_passwords_in_the_clear)
{
	struct world w = { .address = "192.0.2.1", .script =
	    "S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL- ID ENABLE IDLE "
	    "LOGINDISABLED] ready\nC: a LOGIN anna secret\n"
	    "S: a NO [PRIVACYREQUIRED]\nC: b AUTHENTICATE PLAIN\n"
	    "S: b NO [PRIVACYREQUIRED]\n" };

	CHECK_INT(run_world(&w, 5), 0, 0);
	CHECK_INT(w.sessions, 0, 0);
}

TEST(front_too_many_commands)
{
	struct buf	b = BUF_INIT;
	struct world	w = { .sessions = 0 };

	buf_add_text(&b, HELLO);
	for (int i = 0; i < 100; i++)
		buf_add_text(&b, "C: a NOOP\nS: a OK\n");
	buf_add_text(&b, "C: a NOOP\nS: * BYE Too many commands\nE:\n");
	w.script = buf_cstr(&b);
	CHECK_INT(run_world(&w, 5), 0, 0);
	buf_free(&b);
}

TEST(front_store_is_busy)
{
	struct world w = { .no_store = true, .script =
	    HELLO "C: a LOGIN anna secret\nS: a NO [UNAVAILABLE]\n"
	    "C: b NOOP\nS: b OK\n" };

	CHECK_INT(run_world(&w, 5), 0, 0);
	CHECK_INT(w.sessions, 1, 0);
}

/* --- after it */

TEST(front_session_ends)
{
	struct world	w = { .script = LOGIN "C: bye\nE:\n" };
	struct world	lost = { .script = LOGIN "C: crash\n"
			    "S: * BYE [UNAVAILABLE]\nE:\n" };

	CHECK_INT(run_world(&w, 5), 0, 0);
	CHECK_INT(run_world(&lost, 6), 0, 1);
	/* stored may not have heard that the lost one had begun */
	CHECK_INT(w.forgotten, 0, 0);
	CHECK_INT(lost.forgotten, 1, 1);
}

/* its process is killed as it is given the session */
TEST(front_session_never_begins)
{
	static const struct {
		const char	*script;
		unsigned	 killed, resumes, forgotten;
		bool		 expired;
	} rows[] = {
		{ HELLO "c: a LOGIN anna secret\nC: one\nS: resumed\nS: one\n",
		    1, 1, 0, false },
		{ HELLO "c: a LOGIN anna secret\nC: one\nS: resumed\nS: one\n"
		    "C: sleep\nW: 100\nC: hi\nS: resumed\nS: hi\n",
		    3, 4, 0, false },
		{ HELLO "C: a LOGIN anna secret\nS: * BYE [UNAVAILABLE]\nE:\n",
		    99, 7, 1, false },
		{ HELLO "C: a LOGIN anna secret\nS: * BYE [EXPIRED]\nE:\n",
		    1, 1, 0, true },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct world w = { .script = rows[i].script,
		    .killed = rows[i].killed, .expired = rows[i].expired };

		CHECK_INT(run_world(&w, 21 + i), 0, i);
		CHECK_INT(w.sessions, 1, i);
		CHECK_INT(w.resumes, rows[i].resumes, i);
		CHECK_INT(w.forgotten, rows[i].forgotten, i);
	}
}

#define BULK	((size_t)3 << 20)

/* write_bulk - much, without looking at what comes back */
static int
write_bulk(struct task *t, void *arg)
{
	struct world	*w = arg;
	struct buf	 b = BUF_INIT;
	int		 r;

	while (b.len < BULK)
		buf_add_text(&b, "0123456789abcdef\r\n");
	r = io_write_all(t, &w->client.io, buf_slice(&b));
	buf_free(&b);
	return r;
}

static int
run_bulk(struct task *t, struct world *w)
{
	struct task_group g;
	struct slice	 line;
	size_t		 got = 0;
	int		 r;

	w->script = LOGIN;
	if ((r = play(t, w)) < 0)
		return r;
	task_group_begin(t, &g);
	task_group_start(&g, write_bulk, w);
	while (got < BULK &&
	    (r = stream_read_line(t, &w->client, 100, &line)) == 0) {
		CHECK_TEXT(line, "0123456789abcdef", got);
		got += line.len + 2;
	}
	CHECK_INT(task_group_end(t, &g), 0, 0);
	return r;
}

TEST(front_bulk)
{
	struct world w = { .run = run_bulk };

	CHECK_INT(run_world(&w, 5), 0, 0);
}

/* is_about - as many; of more than a few tries nearly, for pauses are random */
static bool
is_about(unsigned got, unsigned want)
{
	unsigned tolerance = want > 40 ? want / 5 : want > 8 ? 3 : 0;

	return got + tolerance >= want && got <= want + tolerance;
}

TEST(front_sleeps)
{
	static const struct {
		const char	*script;
		unsigned	 busy;
		bool		 expired;
		unsigned	 slept, resumes, refused, forgotten;
	} rows[] = {
		/* the client speaks */
		{ LOGIN "C: sleep\nW: 100\nC: hi\nS: resumed\nS: hi\n",
		    0, false, 1, 1, 0, 0 },
		/* mail comes */
		{ LOGIN "C: sleep\nW: 100\nM:\nS: resumed\nC: hi\nS: hi\n",
		    0, false, 1, 1, 0, 0 },
		/* and goes to sleep again */
		{ LOGIN "C: sleep\nW: 100\nM:\nS: resumed\nC: sleep\nW: 100\n"
		    "C: hi\nS: resumed\nS: hi\n", 0, false, 2, 2, 0, 0 },
		/* not at once */
		{ LOGIN "C: sleep\nW: 100\nC: hi\nS: resumed\nS: hi\n",
		    3, false, 1, 4, 0, 0 },
		/* too late */
		{ LOGIN "C: sleep\nW: 100\nC: hi\nS: * BYE [EXPIRED]\nE:\n",
		    0, true, 1, 1, 0, 0 },
		/* never */
		{ LOGIN "C: sleep\nW: 100\nC: hi\nS: * BYE [UNAVAILABLE]\nE:\n",
		    99, false, 1, 64, 0, 1 },
		/* nor for a client that has left meanwhile */
		{ LOGIN "C: sleep\nW: 100\nM:\nW: 10000\nX:\nW: 120000\n",
		    99, false, 1, 9, 0, 1 },
		/* half an hour of silence (RFC 3501 5.4) */
		{ LOGIN "C: sleep\nW: 1790000\nC: hi\nS: resumed\nS: hi\n"
		    "C: sleep\nW: 1805000\nS: * BYE\nE:\n",
		    0, false, 2, 1, 0, 1 },
		/* stored forgot */
		{ LOGIN "C: sleep\nW: 100\nR:\nW: 40000\n"
		    "S: * BYE [EXPIRED]\nE:\n", 0, false, 1, 0, 0, 0 },
		/* its process was killed as it asked to sleep, and stored has
		 * said so before the front came to that */
		{ LOGIN "M:\nW: 10\nC: sleep\nS: * BYE [EXPIRED]\nE:\n",
		    0, true, 1, 1, 0, 0 },
		{ LOGIN "C: sleep\nW: 100\nC: hi\nS: resumed\nS: hi\nM:\n"
		    "W: 10\nC: sleep\nS: resumed\n", 0, false, 2, 2, 0, 0 },
		/* the same of a stored that is another one since */
		{ LOGIN "R:\nW: 20000\nC: sleep\nS: * BYE [EXPIRED]\nE:\n",
		    0, false, 1, 0, 0, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct world w = { .script = rows[i].script,
		    .busy = rows[i].busy, .expired = rows[i].expired };

		CHECK_INT(run_world(&w, 7 + i), 0, i);
		CHECK_INT(w.slept, rows[i].slept, i);
		CHECK(is_about(w.resumes, rows[i].resumes), i);
		CHECK_INT(w.forgotten, rows[i].forgotten, i);
	}
}

/* its process is slow: another hand-over after half a minute, and the first
 * one reaches nobody any more */
TEST(front_session_begins_late)
{
	struct world w = { .slow = 1, .script =
	    HELLO "C: a LOGIN anna secret\nS: resumed\nW: 20000\nC: hi\n"
	    "S: hi\n" };

	CHECK_INT(run_world(&w, 41), 0, 0);
	CHECK_INT(w.resumes, 1, 0);
	CHECK_INT(w.too_late, 1, 0);
	CHECK_INT(w.forgotten, 0, 0);
}

/* too many sessions of its account are busy: it comes again, for two minutes */
TEST(front_takes_turns)
{
	static const struct {
		const char	*script;
		unsigned	 full, resumes, forgotten;
	} rows[] = {
		{ LOGIN "C: sleep\nW: 100\nC: hi\nS: resumed\nS: hi\n",
		    1, 2, 0 },
		/* more often than processes may die under it */
		{ LOGIN "C: sleep\nW: 100\nM:\nS: resumed\nC: hi\nS: hi\n"
		    "C: sleep\nW: 100\nC: ho\nS: resumed\nS: ho\n",
		    30, 32, 0 },
		{ LOGIN "C: sleep\nW: 100\nC: hi\nW: 110000\n"
		    "S: * BYE [LIMIT]\nE:\n", 999, 64, 1 },
		/* not for a client that has left */
		{ LOGIN "C: sleep\nW: 100\nM:\nW: 10000\nX:\nW: 120000\n",
		    999, 9, 1 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct world w = { .script = rows[i].script,
		    .full = rows[i].full };

		CHECK_INT(run_world(&w, 31 + i), 0, i);
		CHECK(is_about(w.resumes, rows[i].resumes), i);
		CHECK_INT(w.forgotten, rows[i].forgotten, i);
	}
}

/* cancelled at every place where anything waits: nothing hangs or leaks */
TEST(front_cancelled_anywhere)
{
	uint64_t end = 0, n;

	for (n = 1; n == 1 || n < end; n++) {
		struct loop_options o = { .sim_seed = 9, .sim_short_io = true };
		struct loop	*l = loop_new(&o);
		struct world	w = { .script = LOGIN "C: sleep\nW: 100\n"
				    "C: hi\nS: resumed\nS: hi\nC: bye\nE:\n" };

		if (n > 1)
			loop_sim_cancel_at(l, n - 1);
		ignore(run_on(l, &w));
		if (n == 1)
			end = loop_suspensions(l);
		loop_free(l);
	}
	CHECK(end > 20, 0);
}
