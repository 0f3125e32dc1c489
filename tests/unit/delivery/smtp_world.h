/* SPDX-License-Identifier: ISC */
/*
 * A world for smtp on the simulated loop: servers that play scripts, a dnsd,
 * and a qmgr that asks for one attempt. A script is lines:
 *	S text	send the text and CRLF		R text	send it, CRLF for each ~
 *	C text	read a line that begins so	D	read content to the dot
 *	W ms	wait				X	close	H  close one half
 *	T	start TLS
 * At its end the server reads on until the client closes.
 */
#ifndef TESTS_SMTP_WORLD_H
#define TESTS_SMTP_WORLD_H

#include "test.h"

#include <netinet/in.h>

#include "delivery/smtp.h"
#include "libglobal/dns.h"
#include "libmail/scan.h"
#include "libtask/loop.h"
#include "libutil/conf.h"

#define SERVERS_MAX	3

struct server {
	const char		*scripts[4];	/* one for each connection */
	size_t			 connections;
	struct io		 io;
	struct sim_listener	*listener;
	struct world		*world;
	struct sockaddr_in	 at;
	int			 other;		/* keeps the io's socket open */
};

struct world {
	/* what is asked for */
	const char	*nexthop;
	const char	*content;	/* NULL: a small one */
	const char	*sender;	/* NULL: s@client.example */
	const char	*rcpts[4];
	const char	*more;		/* configuration */
	bool		 smtputf8;
	unsigned	 missing;	/* bytes that the content should have */
	unsigned	 times;		/* attempts; 0: one */
	struct tls_context *server_tls;
	/* who is there */
	struct server	 server[SERVERS_MAX];	/* 10.0.0.1, .2, .3 */
	/* what came of it */
	struct buf	 seen;		/* commands, and "1:" before */
	struct buf	 data;		/* content as servers got it */
	struct buf	 results;	/* "code enhanced text\n" */
	bool		 site_failure;
	bool		 dsn_relayed;
	/* inside */
	struct task_group group;
	struct daemon	*daemon;
	struct smtp	 smtp;
	int		 fd;
};

/* play a script to one connection; in smtp_world.h's users only */
struct playing {
	struct server	*server;
	const char	*script;
	int		 fd;
};

static int
play_line(struct task *t, struct playing *p, struct stream *s,
    struct slice line)
{
	struct world	*w = p->server->world;
	struct slice	 arg = slice_from(line, 2), got;
	uint32_t	 ms;
	int		 r;

	switch (line.data[0]) {
	case 'S':
		return stream_writef(t, s, "%.*s\r\n", SLICE_ARG(arg));
	case 'R':
		r = 0;
		for (size_t i = 0; r == 0 && i < arg.len; i++)
			r = stream_write(t, s, arg.data[i] == '~' ? S("\r\n") :
			    slice_sub(arg, i, 1));
		return r < 0 ? r : stream_flush(t, s);
	case 'C':
		if ((r = stream_read_line(t, s, 4096, &got)) < 0)
			return r;
		buf_addf(&w->seen, "%.*s\n", SLICE_ARG(got));
		CHECK(slice_has_prefix(got, arg), arg.len);
		return 0;
	case 'D':
		while ((r = stream_read_line(t, s, 70000, &got)) == 0 &&
		    !slice_equal(got, S(".")))
			buf_addf(&w->data, "%.*s\n", SLICE_ARG(got));
		return r;
	case 'W':
		if ((r = stream_flush(t, s)) < 0)
			return r;
		return slice_to_u32(arg, UINT32_MAX, &ms) < 0 ? -EBADMSG :
		    task_sleep(t, ms);
	case 'T':
		return stream_start_tls(t, s, w->server_tls, NULL);
	case 'H':
		return stream_shutdown(t, s);
	default:
		ignore(stream_flush(t, s));
		return -ENODATA;
	}
}

static int
play_task(struct task *t, void *arg)
{
	struct playing	*p = arg;
	struct stream	 s;
	struct slice	 rest = slice_of(p->script), line;
	int		 r = 0;

	memset(&s, 0, sizeof(s));
	s.io.fd = -1;
	stream_open(&s, task_loop(t), &p->fd);
	while (r == 0 && rest.len > 0) {
		line = slice_split(&rest, '\n');
		if (line.len > 0)
			r = play_line(t, p, &s, line);
	}
	while (r == 0)
		if ((r = stream_read_line(t, &s, 4096, &line)) == 0)
			buf_addf(&p->server->world->seen, "%.*s\n",
			    SLICE_ARG(line));
	stream_close(&s);
	free(p);
	return r == -ECANCELED ? r : 0;
}

static int
server_task(struct task *t, void *arg)
{
	struct server		*s = arg;
	struct sockaddr_storage	 peer;
	int			 fd, r;

	while ((r = io_accept(t, &s->io, &fd, &peer)) == 0) {
		struct playing *p = calloc(1, sizeof(*p));

		p->server = s;
		p->fd = fd;
		p->script = s->connections < COUNT(s->scripts) &&
		    s->scripts[s->connections] != NULL ?
		    s->scripts[s->connections] : "X";
		s->connections++;
		task_group_start(&s->world->group, play_task, p);
	}
	return r;
}

/* --- dnsd */
static void
answer_a(struct msg_dns_answer *m, struct msg_dns_record *rec,
    const unsigned char *raw)
{
	rec[0].data = slice_over(raw, 4);
	m->records.v = rec;
	m->records.n = 1;
}

static int
on_dns(struct task *t, struct ipc_conn *c, struct ipc_in *in, struct arena *a,
    void *arg)
{
	static const unsigned char addr[3][4] = { { 10, 0, 0, 1 },
	    { 10, 0, 0, 2 }, { 10, 0, 0, 3 } };
	struct msg_dns_ask	*m = in->msg;
	struct msg_dns_record	 rec[2] = { { 0 }, { 0 } };
	struct msg_dns_answer	 is = { 0 };
	bool			 mx = m->type == DNS_MX;

	(void)t;
	(void)a;
	(void)arg;
	is.records.v = rec;
	if (slice_equal(m->name, S("two.example")) && mx) {
		rec[0] = (struct msg_dns_record){ .preference = 10,
		    .name = S("mx1.example") };
		rec[1] = (struct msg_dns_record){ .preference = 20,
		    .name = S("mx2.example") };
		is.records.n = 2;
	} else if (slice_equal(m->name, S("us.example")) && mx) {
		rec[0] = (struct msg_dns_record){ .preference = 10,
		    .name = S("Client.example") };
		rec[1] = (struct msg_dns_record){ .preference = 20,
		    .name = S("mx2.example") };
		is.records.n = 2;
	} else if (slice_equal(m->name, S("null.example")) && mx) {
		is.records.n = 1;
	} else if (slice_equal(m->name, S("gone.example"))) {
		is.rcode = DNS_NXDOMAIN;
	} else if (slice_equal(m->name, S("fail.example"))) {
		is.rcode = DNS_SERVFAIL;
	} else if (m->type == DNS_A && (slice_equal(m->name, S("one.example")) ||
	    slice_equal(m->name, S("mx1.example")))) {
		answer_a(&is, rec, addr[0]);
	} else if (m->type == DNS_A && slice_equal(m->name, S("mx2.example"))) {
		answer_a(&is, rec, addr[1]);
	}
	return ipc_reply(c, in->request, &msg_dns_answer_desc, &is);
}

static int
dns_task(struct task *t, void *arg)
{
	struct ipc_conn *c = arg;
	int r = ipc_serve(t, c, on_dns, NULL);

	ipc_close(c);
	free(c);
	return r == -ECANCELED ? r : 0;
}

static int
world_connect(struct task *t, void *arg, const char *callee, int *ret_fd)
{
	struct world	*w = arg;
	struct ipc_conn	*c;
	int		 fd[2], r;

	CHECK(strcmp(callee, "dnsd") == 0, 0);
	if ((r = fd_pair(fd)) < 0)
		return r;
	c = calloc(1, sizeof(*c));
	ipc_open(c, task_loop(t), &fd[1], &ipc_table_dns, IPC_CALLEE);
	task_group_start(&w->group, dns_task, c);
	*ret_fd = fd[0];
	return 0;
}

/* --- qmgr */
static const char *
world_content(const struct world *w)
{
	return w->content != NULL ? w->content :
	    "Subject: hello\r\n\r\n.one\r\ntwo\r\n";
}

/* the envelope of the world's message */
static void
world_envelope(struct world *w, struct arena *a, struct msg_envelope *e)
{
	struct slice	content = slice_of(world_content(w));
	struct scan	*scan = scan_new(NULL);
	struct buf	facts = BUF_INIT;

	scan_feed(scan, content);
	facts_format(&facts, scan_finish(scan));
	e->facts = arena_dup(a, buf_slice(&facts));
	buf_free(&facts);
	scan_free(&scan);
	e->queue_id = S("4jXJG43SZqz2002");
	e->sender = w->sender == NULL ? S("s@client.example") :
	    slice_of(w->sender);
	e->smtputf8 = w->smtputf8;
	e->content_length = content.len + w->missing;
	e->pieces.v = ARENA_ARRAY(a, struct msg_piece, 2);
	e->pieces.n = 2;
	e->pieces.v[0].text = S("X-Added: 1\r\n");
	e->pieces.v[1].of_content = true;
	e->pieces.v[1].length = content.len;
	e->rcpts.v = ARENA_ARRAY(a, struct msg_rcpt, COUNT(w->rcpts));
	for (size_t i = 0; i < COUNT(w->rcpts) && w->rcpts[i] != NULL; i++)
		e->rcpts.v[e->rcpts.n++] = (struct msg_rcpt){
		    .address = slice_of(w->rcpts[i]),
		    .original = slice_of(w->rcpts[i]), .notify = 4,
		    .number = (uint32_t)i + 7 };
}

static int
world_ask(struct task *t, struct world *w, struct ipc_conn *c)
{
	struct msg_delivery_ask		 ask = { .content = w->fd,
					    .transport = S("smtp"),
					    .nexthop = slice_of(w->nexthop) };
	struct msg_delivery_result	*res;
	struct msg_envelope		 e = { 0 };
	struct arena			 a = ARENA_INIT;
	struct buf			 packed = BUF_INIT;
	void				*reply;
	int				 r;

	world_envelope(w, &a, &e);
	if ((r = ipc_pack(&msg_envelope_desc, &e, &packed)) == 0) {
		ask.envelope = buf_slice(&packed);
		r = ipc_call(t, c, &msg_delivery_ask_desc, &ask,
		    &msg_delivery_result_desc, &a, &reply);
	}
	if (r == 0) {
		res = reply;
		CHECK_INT(res->rcpts.n, e.rcpts.n, 0);
		for (size_t i = 0; i < res->rcpts.n; i++) {
			struct msg_rcpt_result *x = &res->rcpts.v[i];

			CHECK_INT(x->number, i + 7, i);
			buf_addf(&w->results, "%u %.*s %.*s\n", x->code,
			    SLICE_ARG(x->enhanced), SLICE_ARG(x->text));
			w->site_failure |= x->site_failure;
			w->dsn_relayed |= x->dsn_relayed;
		}
	}
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

/* listen on the servers that have scripts */
static int
world_listen(struct task *t, struct world *w)
{
	for (size_t i = 0; i < SERVERS_MAX; i++) {
		struct server	*s = &w->server[i];
		int		 fd[2], r;

		s->world = w;
		s->io.fd = s->other = -1;
		if (s->scripts[0] == NULL)
			continue;
		s->at = (struct sockaddr_in){ .sin_family = AF_INET,
		    .sin_port = htons(25),
		    .sin_addr.s_addr = htonl(0x0a000001 + (uint32_t)i) };
		if ((r = fd_pair(fd)) < 0)
			return r;
		io_open(&s->io, task_loop(t), &fd[0]);
		s->other = fd[1];
		s->listener = sim_listen(task_loop(t),
		    (struct sockaddr *)&s->at, sizeof(s->at), &s->io);
		task_group_start(&w->group, server_task, s);
	}
	return 0;
}

static int
world_task(struct task *t, void *arg)
{
	const struct daemon_caller who = { S("qmgr"), S("qmgr"), 1, 0 };
	struct world	*w = arg;
	struct ipc_conn	 caller;
	int		 fd[2] = { -1, -1 }, r;

	memset(&caller, 0, sizeof(caller));
	caller.io.fd = -1;
	task_group_begin(t, &w->group);
	task_group_start(&w->group, daemon_task, w);
	if ((r = world_listen(t, w)) == 0 && (r = fd_pair(fd)) == 0 &&
	    (r = task_yield(t)) == 0) {
		daemon_add_caller(w->daemon, &fd[1], &who);
		ipc_open(&caller, task_loop(t), &fd[0], &ipc_table_delivery,
		    IPC_CALLER);
		task_group_start(&w->group, replies_task, &caller);
		for (unsigned i = 0; r == 0 && i < (w->times == 0 ? 1 :
		    w->times); i++)
			r = world_ask(t, w, &caller);
		if (r == 0)	/* let kept sessions end */
			r = task_sleep(t, 10000);
	}
	daemon_end(w->daemon);
	task_group_cancel(&w->group);
	ignore(task_group_end(t, &w->group));	/* they were cancelled */
	ipc_close(&caller);
	fd_close(&fd[0]);
	fd_close(&fd[1]);
	for (size_t i = 0; i < SERVERS_MAX; i++) {
		sim_listener_free(w->server[i].listener);
		io_close(&w->server[i].io);
		fd_close(&w->server[i].other);
	}
	return r;
}

static const struct daemon_spec world_spec = {
	.name = "smtp", .params = &smtp_param_table,
	.params_size = sizeof(struct smtp_params),
	.run = smtp_idle_run, .edge = smtp_serve,
};

/* run it; cancelled at the n-th wait unless 0 */
static int
world_run(struct world *w, uint64_t seed, uint64_t cancel_at)
{
	struct loop_options o = { .sim_seed = seed, .sim_short_io = true };
	struct loop	*l = loop_new(&o);
	struct conf	*conf = conf_new(NULL);
	struct memfile	 m = MEMFILE_INIT;
	struct buf	 text = BUF_INIT;
	struct diag	 d = DIAG_INIT;
	int		 r;

	buf_addf(&text, "myhostname = client.example\ninet_protocols = ipv4\n"
	    "%s%s", w->server_tls == NULL ?
	    "smtp_tls_security_level = none\n" : "",
	    w->more == NULL ? "" : w->more);
	CHECK_INT(conf_read(conf, buf_slice(&text), "main.cf", &d), 0, 0);
	CHECK_INT(memfile_new("test", 1 << 20, &m), 0, 0);
	CHECK_INT(memfile_append(&m, slice_of(world_content(w))), 0, 0);
	CHECK_INT(memfile_seal(&m), 0, 0);
	w->fd = m.fd;
	w->daemon = daemon_new(l, &world_spec, conf, world_connect, w, &d);
	r = -EINVAL;
	if (CHECK(w->daemon != NULL, 0)) {
		w->smtp.daemon = w->daemon;
		list_init(&w->smtp.idle);
		daemon_set_data(w->daemon, &w->smtp);
		if (cancel_at > 0)
			loop_sim_cancel_at(l, cancel_at);
		r = loop_run(l, world_task, w);
		CHECK_INT(loop_task_count(l), 0, cancel_at);
	}
	daemon_free(&w->daemon);
	loop_free(l);
	conf_free(&conf);
	memfile_done(&m);
	buf_free(&text);
	return r;
}

static void
world_done(struct world *w)
{
	buf_free(&w->seen);
	buf_free(&w->data);
	buf_free(&w->results);
}

#endif
