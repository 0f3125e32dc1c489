/* SPDX-License-Identifier: ISC */
/*
 * smtpd against scripted clients on the simulated loop; mapd and cleanup are
 * small fakes that know a few rules: addresses at here.example are taken, the
 * local part's first letter is the account, and two@ stands for no@ and yes@;
 * content is kept so that the test sees what arrived, and where each recipient
 * is to be answered no... refuses it.
 */
#ifndef SMTPD_SESSION_WORLD_H
#define SMTPD_SESSION_WORLD_H

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

#endif
