/* SPDX-License-Identifier: ISC */
/* pickup against programs that submit, with a mapd and a cleanup of ours. */
#include "unit/delivery/queue_fakes.h"

#include "pickup/pickup.h"

struct world {
	struct fakes		 fakes;
	struct msg_pickup_begin	 begin;
	const char		*rcpts[4];
	const char		*content;
	size_t			 run;		/* bytes at a time; 0: all */
	unsigned		 times;		/* 0: once */
	bool			 cut_off;	/* no end is said */
	const char		*more;
	struct buf		 results;	/* "code enhanced text id\n" */
	struct daemon		*daemon;
	struct pickup		 pickup;
	struct task_group	 group;
};

/* submit - one message, as sendmail does it */
static int
submit(struct task *t, struct world *w, struct ipc_conn *c)
{
	struct msg_pickup_rcpt	 rcpt[4] = { { SLICE_EMPTY } };
	struct msg_pickup_begin	 begin = w->begin;
	struct msg_pickup_data	 data;
	struct msg_pickup_end	 end;
	struct msg_pickup_done	*done;
	struct slice		 rest = slice_of(w->content);
	struct arena		 a = ARENA_INIT;
	struct ipc_in		 in = { 0 };
	int			 r;

	memset(&end, 0, sizeof(end));
	begin.rcpts.v = rcpt;
	for (size_t i = 0; i < COUNT(w->rcpts) && w->rcpts[i] != NULL; i++)
		rcpt[begin.rcpts.n++].address = slice_of(w->rcpts[i]);
	r = ipc_send(t, c, &msg_pickup_begin_desc, &begin);
	while (r == 0 && rest.len > 0) {
		data.bytes = slice_sub(rest, 0, w->run == 0 ? 60000 : w->run);
		rest = slice_from(rest, data.bytes.len);
		r = ipc_send(t, c, &msg_pickup_data_desc, &data);
	}
	if (w->cut_off)
		return r < 0 ? r : ipc_drain(t, c);
	if (r == 0)
		r = ipc_send(t, c, &msg_pickup_end_desc, &end);
	if (r == 0 || r == -EPIPE || r == -ECONNRESET)
		r = ipc_recv(t, c, &a, &in);
	if (r == 0 && CHECK_INT(in.desc->number, MSG_pickup_done, 0) ==
	    MSG_pickup_done) {
		done = in.msg;
		buf_addf(&w->results, "%u %.*s %.*s%s\n", done->code,
		    SLICE_ARG(done->enhanced), SLICE_ARG(done->text),
		    done->queue_id.len > 0 ? " ID" : "");
	}
	ipc_in_done(&in);
	arena_free(&a);
	return r;
}

static int
daemon_task(struct task *t, void *arg)
{
	return daemon_serve(t, ((struct world *)arg)->daemon);
}

static int
world_task(struct task *t, void *arg)
{
	const struct sockaddr_storage nobody = { .ss_family = AF_UNIX };
	struct world	*w = arg;
	struct ipc_conn	 c;
	int		 fd[2] = { -1, -1 }, r;

	memset(&c, 0, sizeof(c));
	c.io.fd = -1;
	task_group_begin(t, &w->group);
	w->fakes.group = &w->group;
	task_group_start(&w->group, daemon_task, w);
	if ((r = fd_pair(fd)) == 0 && (r = task_yield(t)) == 0) {
		daemon_add_client(w->daemon, &fd[1], &nobody, "pickup");
		ipc_open(&c, task_loop(t), &fd[0], &ipc_table_pickup,
		    IPC_CALLER);
		ipc_set_state(&c, IPC_STATE_ANY);
		for (unsigned i = 0; r == 0 && i < (w->times == 0 ? 1 :
		    w->times); i++)
			r = submit(t, w, &c);
		ipc_close(&c);
		if (r == 0)
			r = task_sleep(t, 1000);
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
	.name = "pickup", .params = &pickup_param_table,
	.params_size = sizeof(struct pickup_params),
	.client = pickup_client,
};

static int
run(struct world *w, uint64_t seed, uint64_t cancel_at)
{
	struct loop_options o = { .sim_seed = seed, .sim_short_io = true };
	struct loop	*l = loop_new(&o);
	struct conf	*conf = conf_new(NULL);
	struct buf	 text = BUF_INIT;
	struct diag	 d = DIAG_INIT;
	int		 r = -EINVAL;

	buf_addf(&text, "myhostname = here.example\n%s",
	    w->more == NULL ? "" : w->more);
	CHECK_INT(conf_read(conf, buf_slice(&text), "main.cf", &d), 0, 0);
	w->daemon = daemon_new(l, &spec, conf, fakes_connect, &w->fakes, &d);
	if (CHECK(w->daemon != NULL, 0)) {
		w->pickup.daemon = w->daemon;
		content_pool_init(&w->pickup.pool, w->daemon);
		daemon_set_data(w->daemon, &w->pickup);
		if (cancel_at > 0)
			loop_sim_cancel_at(l, cancel_at);
		r = loop_run(l, world_task, w);
		CHECK_INT(loop_task_count(l), 0, cancel_at);
		content_pool_done(&w->pickup.pool);
		CHECK_INT(w->pickup.users.count, 0, 0);
		hash_free(&w->pickup.users);
	}
	daemon_free(&w->daemon);
	loop_free(l);
	conf_free(&conf);
	buf_free(&text);
	return r;
}

static void
done(struct world *w)
{
	fakes_done(&w->fakes);
	buf_free(&w->results);
}

#define OK	"250 2.0.0 queued ID\n"

TEST(messages)
{
	static const struct {
		const char	*sender;
		const char	*rcpts[3];
		bool		 extract;
		const char	*content;
		const char	*result;
		const char	*envelope;
		const char	*got;
	} tries[] = {
		{ "me", { "a@x.example" }, false, "Subject: s\n\ntext\n", OK,
		    "from <me@here.example> to a@x.example>smtp:hop missing\n",
		    "From: John \"Q\" <me@here.example>\r\nSubject: s\r\n\r\ntext\r\n" },
		{ "me", { "root" }, false, "From: me\r\n\r\ntext", OK,
		    "from <me@here.example> to root@here.example>smtp:hop missing\n",
		    "From: me\r\n\r\ntext\r\n" },
		/* no header at all */
		{ "me", { "a@x.example" }, false, "just text\nmore\n", OK,
		    "from <me@here.example> to a@x.example>smtp:hop missing\n",
		    "From: John \"Q\" <me@here.example>\r\n\r\njust text\r\nmore\r\n" },
		{ "me", { "a@x.example" }, false, "", OK,
		    "from <me@here.example> to a@x.example>smtp:hop missing\n",
		    "From: John \"Q\" <me@here.example>\r\n\r\n" },
		{ "me", { "a@x.example" }, false, "\n", OK,
		    "from <me@here.example> to a@x.example>smtp:hop missing\n",
		    "From: John \"Q\" <me@here.example>\r\n\r\n" },
		{ "me", { "a@x.example" }, false, "From: x\nbody at once\n", OK,
		    "from <me@here.example> to a@x.example>smtp:hop missing\n",
		    "From: x\r\n\r\nbody at once\r\n" },
		/* a dot is nothing special here */
		{ "me", { "a@x.example" }, false, "From: x\n\n.\n..\nend", OK,
		    "from <me@here.example> to a@x.example>smtp:hop missing\n",
		    "From: x\r\n\r\n.\r\n..\r\nend\r\n" },
		/* recipients of the header, and those of the command line */
		{ "me", { "a@x.example" }, true, "From: x\nTo: B <b@x.example>, g: c, d@x.example;\nBcc: \"o'q d\"@x.example\n\nx\n", OK,
		    "from <me@here.example> to a@x.example>smtp:hop to b@x.example>smtp:hop to c@here.example>smtp:hop to d@x.example>smtp:hop to \"o'q d\"@x.example>smtp:hop missing\n",
		    "From: x\r\nTo: B <b@x.example>, g: c, d@x.example;\r\nBcc: \"o'q d\"@x.example\r\n\r\nx\r\n" },
		{ "me", { NULL }, true, "From: x\nTo: b@x.example\nResent-To: c@x.example\n\nx\n", OK,
		    "from <me@here.example> to c@x.example>smtp:hop missing\n", NULL },
		{ "me", { "b@x.example", "B@X.example", "b@x.example" }, false, "From: x\n\n", OK,
		    "from <me@here.example> to b@x.example>smtp:hop to B@X.example>smtp:hop missing\n", NULL },
		/* accepted, and reported on later */
		{ "me", { "no@x.example", "later@x.example" }, false, "From: x\n\n", OK,
		    "from <me@here.example> to no@x.example>error:5.1.1 User unknown to later@x.example>retry:4.3.0 Lookup failure missing\n", NULL },
		{ "me", { NULL }, true, "From: x\n\nTo: b@x.example\n", "501 5.1.3 No recipient addresses found in message header\n", "", "" },
		{ "me", { NULL }, false, "From: x\n\n", "501 5.1.3 Recipient addresses must be specified\n", "", "" },
		{ "", { "a@x.example" }, false, "From: x\n\n", "501 5.1.7 no sender address was given\n", "", "" },
		{ "me", { "" }, false, "From: x\n\n", "501 5.1.3 bad recipient address syntax\n", "", "" },
	};

	for (size_t i = 0; i < COUNT(tries); i++)
		for (size_t cut = 0; cut < 8; cut += 7) {
			struct world w = { .content = tries[i].content,
			    .run = cut, .times = 2,
			    .begin = { .sender = slice_of(tries[i].sender),
			    .full_name = S("John \"Q\""),
			    .extract = tries[i].extract } };
			struct buf twice = BUF_INIT;

			memcpy(w.rcpts, tries[i].rcpts, sizeof(tries[i].rcpts));
			CHECK_INT(run(&w, 3 + cut, 0), 0, i);
			buf_addf(&twice, "%s%s", tries[i].result, tries[i].result);
			CHECK_SLICE(buf_slice(&w.results), buf_slice(&twice), i);
			buf_reset(&twice);
			buf_addf(&twice, "%s%s", tries[i].envelope,
			    tries[i].envelope);
			CHECK_SLICE(buf_slice(&w.fakes.envelopes),
			    buf_slice(&twice), i);
			CHECK(w.fakes.channels <= 1, i);
			buf_reset(&twice);
			if (tries[i].got != NULL) {
				struct buf got = BUF_INIT;

				buf_addf(&got, "%s%s", tries[i].got,
				    tries[i].got);
				/* quotes in a name are quoted */
				for (size_t q; (q = slice_find_slice(
				    buf_slice(&got), S("John \"Q\""))) !=
				    SLICE_NONE;) {
					buf_add(&twice, slice_sub(
					    buf_slice(&got), 0, q));
					buf_add_text(&twice,
					    "\"John \\\"Q\\\"\"");
					buf_consume(&got, q + 8);
				}
				buf_add(&twice, buf_slice(&got));
				CHECK_SLICE(buf_slice(&w.fakes.contents),
				    buf_slice(&twice), i);
				buf_free(&got);
			}
			buf_free(&twice);
			done(&w);
		}
}

TEST(null_sender)
{
	struct world w = { .content = "From: x\n\n", .rcpts = { "a@x.example" },
		.begin = { .null_sender = true } };

	CHECK_INT(run(&w, 1, 0), 0, 0);
	CHECK_TEXT(buf_slice(&w.fakes.envelopes),
	    "from <> to a@x.example>smtp:hop missing\n", 0);
	done(&w);
}

TEST(troubles)
{
	struct world no_mapd = { .content = "From: x\n\n",
		.rcpts = { "a@x.example" }, .begin = { .sender = S("me") },
		.fakes.no_mapd = true };
	struct world dies = { .content = "From: x\n\n",
		.rcpts = { "a@x.example" }, .begin = { .sender = S("me") },
		.fakes.cleanup_dies = true };
	struct world refuses = { .content = "From: x\n\n",
		.rcpts = { "a@x.example" }, .begin = { .sender = S("me") },
		.fakes.code = 452 };

	CHECK_INT(run(&no_mapd, 1, 0), 0, 0);
	CHECK_TEXT(buf_slice(&no_mapd.results),
	    "451 4.3.0 address lookup is not available\n", 0);
	done(&no_mapd);
	CHECK_INT(run(&dies, 1, 0), 0, 0);
	CHECK_TEXT(buf_slice(&dies.results),
	    "451 4.3.0 queue file write error\n", 0);
	done(&dies);
	CHECK_INT(run(&refuses, 1, 0), 0, 0);
	CHECK_TEXT(buf_slice(&refuses.results), "452 4.3.0 queued\n", 0);
	done(&refuses);
}

TEST(limits)
{
	static char	big[300000];
	struct world	w = { .content = big, .rcpts = { "a@x.example" },
			    .begin = { .sender = S("me") },
			    .more = "message_size_limit = 100000\n" };
	struct world	header = { .content = big, .run = 50,
			    .begin = { .sender = S("me"), .extract = true } };
	struct world	plain = header;

	memset(big, 'x', sizeof(big) - 1);
	CHECK_INT(run(&w, 1, 0), 0, 0);
	CHECK_TEXT(buf_slice(&w.results), "552 5.3.4 message file too big\n", 0);
	CHECK_INT(w.fakes.messages, 0, 0);
	done(&w);

	for (size_t i = 0; i < sizeof(big) - 10; i += 10)
		memcpy(big + i, "A: 345678\n", 10);
	CHECK_INT(run(&header, 1, 0), 0, 1);
	CHECK_TEXT(buf_slice(&header.results), "552 5.3.4 the message header "
	    "is too long to look for recipients in it\n", 1);
	done(&header);

	plain.begin.extract = false;
	plain.rcpts[0] = "a@x.example";
	CHECK_INT(run(&plain, 1, 0), 0, 2);
	CHECK_TEXT(buf_slice(&plain.results), OK, 2);
	CHECK(plain.fakes.contents.len > sizeof(big), 2);
	done(&plain);
}

TEST(a_program_that_ends_in_the_middle)
{
	struct world w = { .content = "From: x\n\nhalf a mess",
		.rcpts = { "a@x.example" }, .begin = { .sender = S("me") },
		.cut_off = true };

	CHECK_INT(run(&w, 1, 0), 0, 0);
	CHECK_INT(w.fakes.messages, 0, 0);
	done(&w);
}

TEST(cancelled_at_every_wait)
{
	for (uint64_t n = 1; n < 3000; n++) {
		struct world w = { .content = "From: x\nTo: b@x.example\n\nx\n",
			.rcpts = { "a@x.example" }, .times = 2,
			.begin = { .sender = S("me"), .extract = true } };
		int r = run(&w, 5, n);

		done(&w);
		if (r == 0)
			break;
		if (CHECK_INT(r, -ECANCELED, n) != -ECANCELED)
			break;
	}
}
