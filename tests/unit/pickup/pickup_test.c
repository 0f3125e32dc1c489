/* SPDX-License-Identifier: ISC */
/* pickup with a drop folder, and a mapd and a cleanup of ours. */
#include "unit/delivery/queue_fakes.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pickup/pickup.h"

struct world {
	struct fakes		 fakes;
	struct msg_drop		 drop;
	const char		*rcpts[4];
	const char		*content;
	unsigned		 times;		/* 0: once */
	const char		*raw;		/* a file that is this instead */
	size_t			 raw_len;
	int64_t			 wait;		/* ms; 0: a second */
	const char		*more;
	struct buf		 left;		/* what is in the folder after */
	struct daemon		*daemon;
	struct pickup		 pickup;
	struct task_group	 group;
	int			 folder;
};

/* file_of - as postdrop makes it */
static void
file_of(struct world *w, struct buf *out)
{
	struct msg_drop_rcpt	 rcpt[4] = { { .address = SLICE_EMPTY } };
	struct msg_drop		 drop = w->drop;
	struct buf		 envelope = BUF_INIT;
	struct drop_head	 h;

	drop.rcpts.v = rcpt;
	for (size_t i = 0; i < COUNT(w->rcpts) && w->rcpts[i] != NULL; i++)
		rcpt[drop.rcpts.n++].address = slice_of(w->rcpts[i]);
	CHECK_INT(ipc_pack(&msg_drop_desc, &drop, &envelope), 0, 0);
	h.envelope = (uint32_t)envelope.len;
	h.content = strlen(w->content);
	drop_format_head(out, &h);
	buf_add(out, buf_slice(&envelope));
	buf_add_text(out, w->content);
	buf_free(&envelope);
}

/* put_file - into the folder */
static void
put_file(struct world *w, unsigned number)
{
	struct buf	b = BUF_INIT;
	char		name[32];
	int		fd;

	if (w->raw != NULL)
		buf_add(&b, slice_over(w->raw, w->raw_len));
	else
		file_of(w, &b);
	(void)snprintf(name, sizeof(name), "%016x", number);
	fd = openat(w->folder, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK_INT(write(fd, b.data, b.len), (int64_t)b.len, number);
	fd_close(&fd);
	buf_free(&b);
}

/* look - what files are in a folder; they are removed */
static void
look(int folder, const char *name, const char *mark, struct buf *out)
{
	int			 fd = openat(folder, name, O_RDONLY |
				     O_DIRECTORY | O_CLOEXEC);
	DIR			*d = fdopendir(fd);
	const struct dirent	*e;

	while (d != NULL && (e = readdir(d)) != NULL)
		if (unlinkat(dirfd(d), e->d_name, 0) == 0)
			buf_addf(out, "%s", mark);
	if (d != NULL)
		(void)closedir(d);
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
	int		 fd[2] = { -1, -1 }, r;

	task_group_begin(t, &w->group);
	w->fakes.group = &w->group;
	put_file(w, 0);
	task_group_start(&w->group, daemon_task, w);
	r = task_sleep(t, 100);
	for (unsigned i = 1; r == 0 && i < w->times; i++)
		put_file(w, i);
	if (r == 0 && (r = fd_pair(fd)) == 0) {
		daemon_add_client(w->daemon, &fd[1], &nobody, "pickup");
		r = task_sleep(t, w->wait == 0 ? 1000 : w->wait);
	}
	daemon_end(w->daemon);
	task_group_cancel(&w->group);
	ignore(task_group_end(t, &w->group));	/* they were cancelled */
	fd_close(&fd[0]);
	fd_close(&fd[1]);
	return r;
}

static const struct daemon_spec spec = {
	.name = "pickup", .params = &pickup_param_table,
	.params_size = sizeof(struct pickup_params),
	.client = pickup_client, .run = pickup_run,
};

static int
run(struct world *w, uint64_t seed, uint64_t cancel_at)
{
	struct loop_options o = { .sim_seed = seed, .sim_short_io = true };
	struct loop	*l = loop_new(&o);
	struct conf	*conf = conf_new(NULL);
	struct buf	 text = BUF_INIT;
	struct diag	 d = DIAG_INIT;
	char		 path[] = "/tmp/pickup_test.XXXXXX";
	int		 r = -EINVAL;

	buf_addf(&text, "myhostname = here.example\n%s",
	    w->more == NULL ? "" : w->more);
	CHECK_INT(conf_read(conf, buf_slice(&text), "main.cf", &d), 0, 0);
	CHECK(mkdtemp(path) != NULL, 0);
	w->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(mkdirat(w->folder, DROP_CORRUPT, 0700), 0, 0);
	w->daemon = daemon_new(l, &spec, conf, fakes_connect, &w->fakes, &d);
	if (CHECK(w->daemon != NULL, 0)) {
		w->pickup.daemon = w->daemon;
		w->pickup.folder = dup(w->folder);
		content_pool_init(&w->pickup.pool, w->daemon);
		daemon_set_data(w->daemon, &w->pickup);
		if (cancel_at > 0)
			loop_sim_cancel_at(l, cancel_at);
		r = loop_run(l, world_task, w);
		CHECK_INT(loop_task_count(l), 0, cancel_at);
		content_pool_done(&w->pickup.pool);
		fd_close(&w->pickup.folder);
	}
	look(w->folder, ".", "left ", &w->left);
	look(w->folder, DROP_CORRUPT, "aside ", &w->left);
	CHECK_INT(unlinkat(w->folder, DROP_CORRUPT, AT_REMOVEDIR), 0, 0);
	fd_close(&w->folder);
	CHECK_INT(rmdir(path), 0, 0);
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
	buf_free(&w->left);
}

#define OK	""

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
		    "from <me@here.example> to b@x.example>smtp:hop missing\n", NULL },
		/* accepted, and reported on later */
		{ "me", { "no@x.example", "later@x.example" }, false, "From: x\n\n", OK,
		    "from <me@here.example> to no@x.example>error:5.1.1 User unknown to later@x.example>retry:4.3.0 Lookup failure missing\n", NULL },
		{ "me", { NULL }, true, "From: x\n\nTo: b@x.example\n", "aside ", "", "" },
		{ "me", { NULL }, false, "From: x\n\n", "aside ", "", "" },
		{ "", { "a@x.example" }, false, "From: x\n\n", "aside ", "", "" },
		{ "me", { "" }, false, "From: x\n\n", "aside ", "", "" },
	};

	for (size_t i = 0; i < COUNT(tries); i++)
		for (size_t cut = 0; cut < 2; cut++) {
			struct world w = { .content = tries[i].content,
			    .times = 2,
			    .drop = { .sender = slice_of(tries[i].sender),
			    .full_name = S("John \"Q\""),
			    .extract = tries[i].extract } };
			struct buf twice = BUF_INIT;

			memcpy(w.rcpts, tries[i].rcpts, sizeof(tries[i].rcpts));
			CHECK_INT(run(&w, 3 + cut, 0), 0, i);
			buf_addf(&twice, "%s%s", tries[i].result, tries[i].result);
			CHECK_SLICE(buf_slice(&w.left), buf_slice(&twice), i);
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
		.drop = { .null_sender = true } };

	CHECK_INT(run(&w, 1, 0), 0, 0);
	CHECK_TEXT(buf_slice(&w.fakes.envelopes),
	    "from <> to a@x.example>smtp:hop missing\n", 0);
	done(&w);
}

TEST(troubles)
{
	struct world no_mapd = { .content = "From: x\n\n",
		.rcpts = { "a@x.example" }, .drop = { .sender = S("me") },
		.fakes.no_mapd = true };
	struct world dies = { .content = "From: x\n\n",
		.rcpts = { "a@x.example" }, .drop = { .sender = S("me") },
		.fakes.cleanup_dies = true };
	struct world later = { .content = "From: x\n\n",
		.rcpts = { "a@x.example" }, .drop = { .sender = S("me") },
		.fakes.code = 452, .wait = 10000 };

	CHECK_INT(run(&no_mapd, 1, 0), 0, 0);
	CHECK_TEXT(buf_slice(&no_mapd.left), "left ", 0);
	done(&no_mapd);
	CHECK_INT(run(&dies, 1, 0), 0, 0);
	CHECK_TEXT(buf_slice(&dies.left), "left ", 0);
	done(&dies);
	/* it is tried again and again, but not all the time */
	CHECK_INT(run(&later, 1, 0), 0, 0);
	CHECK_TEXT(buf_slice(&later.left), "left ", 0);
	CHECK(later.fakes.messages >= 2 && later.fakes.messages <= 11,
	    later.fakes.messages);
	done(&later);
}

/* what is refused for good comes back to its sender */
TEST(limits)
{
	static char	big[300000];
	struct world	w = { .content = big, .rcpts = { "a@x.example" },
			    .drop = { .sender = S("me") },
			    .more = "message_size_limit = 100000\n" };
	struct world	header = { .content = big, .rcpts = { "a@x.example" },
			    .drop = { .sender = S("me"), .extract = true } };
	struct world	plain = header;

	memset(big, 'x', sizeof(big) - 1);
	memcpy(big, "Subject: big\n\n", 14);
	CHECK_INT(run(&w, 1, 0), 0, 0);
	CHECK_TEXT(buf_slice(&w.left), "", 0);
	CHECK_INT(w.fakes.messages, 1, 0);
	CHECK(slice_find_slice(buf_slice(&w.fakes.envelopes),
	    S("from <> to me@here.example>smtp:hop\n")) != SLICE_NONE, 0);
	CHECK(slice_find_slice(buf_slice(&w.fakes.contents),
	    S("Action: failed")) != SLICE_NONE, 0);
	CHECK(slice_find_slice(buf_slice(&w.fakes.contents),
	    S("message file too big")) != SLICE_NONE, 0);
	CHECK(slice_find_slice(buf_slice(&w.fakes.contents),
	    S("Subject: big")) != SLICE_NONE, 0);
	done(&w);

	for (size_t i = 0; i < sizeof(big) - 10; i += 10)
		memcpy(big + i, "A: 345678\n", 10);
	CHECK_INT(run(&header, 1, 0), 0, 1);
	CHECK_TEXT(buf_slice(&header.left), "", 1);
	CHECK_INT(header.fakes.messages, 1, 1);
	CHECK(slice_find_slice(buf_slice(&header.fakes.contents),
	    S("too long to")) != SLICE_NONE, 1);
	done(&header);

	plain.drop.extract = false;
	CHECK_INT(run(&plain, 1, 0), 0, 2);
	CHECK_TEXT(buf_slice(&plain.left), "", 2);
	CHECK(plain.fakes.contents.len > sizeof(big), 2);
	done(&plain);
}

/* what is refused for good, and nobody can be told: it is tried once */
TEST(no_sender_to_be_told)
{
	static char	big[200000], address[513];
	const char	*senders[] = { "nowhere@x.example", "a b c", address };

	memset(big, 'x', sizeof(big) - 1);
	memcpy(big, "Subject: big\n\n", 14);
	memset(address, 'a', sizeof(address) - 1);
	memcpy(address + sizeof(address) - 11, "@x.example", 10);
	for (size_t i = 0; i < COUNT(senders); i++) {
		struct world w = { .content = big, .rcpts = { "a@x.example" },
			.drop = { .sender = slice_of(senders[i]) },
			.more = "message_size_limit = 100000\n",
			.wait = 20000 };

		CHECK_INT(run(&w, 1, 0), 0, i);
		CHECK_TEXT(buf_slice(&w.left), "aside ", i);
		CHECK_INT(w.fakes.messages, 0, i);
		done(&w);
	}
}

TEST(files_that_are_none)
{
	static const struct {
		const char	*raw;
		size_t		 len;
	} files[] = {
		{ "", 0 },
		{ "x", 1 },
		{ "BaridDr1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 23 },
		/* an envelope without its fields */
		{ "BaridDr1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24 },
		{ "BaridDr1\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0", 24 },
		{ "BaridDr1\377\377\377\377\0\0\0\0\1\0\0\0\0\0\0\0", 24 },
		{ "BaridDr1\1\0\0\0\0\0\0\0\377\377\377\377\377\377\377\377", 24 },
		{ "BaridDr2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24 },
		{ "BaridDr1\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 25 },
	};

	for (size_t i = 0; i < COUNT(files); i++) {
		struct world w = { .raw = files[i].raw,
		    .raw_len = files[i].len, .content = "" };

		CHECK_INT(run(&w, 1, 0), 0, i);
		CHECK_TEXT(buf_slice(&w.left), "aside ", i);
		CHECK_INT(w.fakes.messages, 0, i);
		done(&w);
	}
}

/* the same file has the same id, others have others */
TEST(ids)
{
	struct drop_file	a = { .name = "0000000000000001",
				    .arrival = 1700000000000000 };
	struct drop_file	b = { .name = "0000000000000002",
				    .arrival = 1700000000000000 };
	struct queue_id		x = drop_file_id(&a, DROP_ID_MESSAGE), y;

	y = drop_file_id(&a, DROP_ID_MESSAGE);
	CHECK(queue_id_equal(&x, &y), 0);
	y = drop_file_id(&a, DROP_ID_REPORT);
	CHECK(!queue_id_equal(&x, &y), 1);
	y = drop_file_id(&b, DROP_ID_MESSAGE);
	CHECK(!queue_id_equal(&x, &y), 2);
	CHECK_INT(queue_id_parse(queue_id_text(&x), &y), 0, 3);
}

TEST(cancelled_at_every_wait)
{
	for (uint64_t n = 1; n < 3000; n++) {
		struct world w = { .content = "From: x\nTo: b@x.example\n\nx\n",
			.rcpts = { "a@x.example" }, .times = 2,
			.drop = { .sender = S("me"), .extract = true } };
		int r = run(&w, 5, n);

		done(&w);
		if (r == 0)
			break;
		if (CHECK_INT(r, -ECANCELED, n) != -ECANCELED)
			break;
	}
}
