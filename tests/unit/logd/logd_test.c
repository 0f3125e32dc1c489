/* SPDX-License-Identifier: ISC */
/* logd's sink on a simulated loop, its file cut off by a limit of the process:
 * as on a full disk, writes fail until the limit is raised. */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "libtask/loop.h"
#include "libutil/conf.h"
#include "libutil/diag.h"
#include "logd/logd.h"
#include "logd/logd_events.h"

#define LINES	2000	/* more than the least log_queue_limit holds */

static const struct daemon_spec spec = {
	.name = "logd", .params = &logd_param_table,
	.params_size = sizeof(struct logd_params), .workers = 1,
	.run = sink_run,
};

struct world {
	struct daemon	*daemon;
	bool		 full;		/* at first */
	unsigned	 rounds;	/* LINES lines each, a while apart */
};

static void
limit_files(rlim_t bytes)
{
	struct rlimit now;

	CHECK_INT(getrlimit(RLIMIT_FSIZE, &now), 0, 0);
	now.rlim_cur = bytes < now.rlim_max ? bytes : now.rlim_max;
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &now), 0, 0);
}

static int
serve_task(struct task *t, void *arg)
{
	return daemon_serve(t, ((struct world *)arg)->daemon);
}

static int
world_task(struct task *t, void *arg)
{
	struct world		*w = arg;
	struct task_group	 g;
	int			 r = 0;

	task_group_begin(t, &g);
	task_group_start(&g, serve_task, w);
	if (w->full)
		limit_files(100);
	for (unsigned n = 0; n < w->rounds && r == 0; n++) {
		for (unsigned i = 0; i < LINES; i++)
			log_event(daemon_log(w->daemon), EV_LOGD_BAD_RECORD,
			    KV_TEXT("program", "test"));
		r = task_sleep(t, 3000);
	}
	limit_files(RLIM_INFINITY);
	if (r == 0)
		r = task_sleep(t, 3000);
	daemon_end(w->daemon);
	ignore(task_group_end(t, &g));	/* it was told to end */
	return r;
}

/* run - the world; ret_text: what is in the file then */
static void
run(struct world *w, struct buf *ret_text)
{
	struct loop_options	 o = { .sim_seed = 1 };
	struct loop		*l = loop_new(&o);
	struct conf		*conf = conf_new(NULL);
	struct buf		 text = BUF_INIT;
	struct diag		 d = DIAG_INIT;
	struct sink		*s;
	char			*into;
	int			 fd;
	ssize_t			 n = 0;

	buf_addf(&text, "maillog_file = %s/log\nlog_queue_limit = 64k\n",
	    test_tmpdir());
	ignore(unlink(buf_cstr(&text) + strlen("maillog_file = ")));
	CHECK_INT(conf_read(conf, buf_slice(&text), "main.cf", &d), 0, 0);
	w->daemon = daemon_new(l, &spec, conf, NULL, NULL, &d);
	if (CHECK(w->daemon != NULL, 0) &&
	    CHECK_INT(sink_open(w->daemon, &d), 0, 0) == 0) {
		s = daemon_data(w->daemon);
		CHECK_INT(ftruncate(s->fd, 0), 0, 0);
		CHECK_INT(loop_run(l, world_task, w), 0, 0);
		CHECK_INT(loop_task_count(l), 0, 0);
		fd_close(&s->fd);
		buf_free(&s->lines);
		free(s);
		log_start(&(struct log_setup){ .program = NULL });
	}
	daemon_free(&w->daemon);
	buf_reset(&text);
	buf_addf(&text, "%s/log", test_tmpdir());
	fd = open(buf_cstr(&text), O_RDONLY | O_CLOEXEC);
	while ((into = buf_room(ret_text, 65536)) != NULL &&
	    (n = read(fd, into, 65536)) > 0)
		buf_grown(ret_text, (size_t)n);
	CHECK_INT(n, 0, 0);
	fd_close(&fd);
	loop_free(l);
	conf_free(&conf);
	buf_free(&text);
}

/* count - lines with these words; whether each line is whole */
static unsigned
count(struct slice text, struct slice words)
{
	struct slice	line;
	size_t		end;
	unsigned	n = 0;

	while ((end = slice_find(text, '\n')) != SLICE_NONE) {
		line = slice_sub(text, 0, end);
		text = slice_from(text, end + 1);
		n += slice_find_slice(line, words) != SLICE_NONE;
		CHECK(slice_find_slice(line, S("barid/logd[")) != SLICE_NONE, n);
	}
	CHECK_INT(text.len, 0, 0);
	return n;
}

/* told - the sum of the counts of "N lines were lost" */
static unsigned
told(struct slice text)
{
	static const char words[] = " lines were lost here";
	unsigned	  sum = 0, one, ten;
	size_t		  at;

	while ((at = slice_find_slice(text, slice_of(words))) != SLICE_NONE) {
		one = 0;
		ten = 1;
		for (size_t i = at; i > 0 && text.data[i - 1] >= '0' &&
		    text.data[i - 1] <= '9'; i--, ten *= 10)
			one += ten * (unsigned)(text.data[i - 1] - '0');
		sum += one;
		text = slice_from(text, at + strlen(words));
	}
	return sum;
}

TEST(lost_lines_are_told)
{
	static const struct {
		bool		full;
		unsigned	rounds;
	} tries[] = {
		{ false, 1 },	/* too many at once: memory alone is short */
		{ true, 1 },
		{ true, 3 },	/* and lines go on to come meanwhile */
	};

	(void)signal(SIGXFSZ, SIG_IGN);
	for (size_t i = 0; i < COUNT(tries); i++) {
		struct world	w = { .full = tries[i].full,
				      .rounds = tries[i].rounds };
		struct buf	text = BUF_INIT;
		unsigned	lost, there;

		run(&w, &text);
		there = count(buf_slice(&text), S("sent a record that cannot"));
		lost = told(buf_slice(&text));
		/* "cannot write the log" itself may be one of the lost */
		if (tries[i].full)
			there += count(buf_slice(&text),
			    S("cannot write the log")) == 0;
		CHECK(there > 0 && lost > 0, i);
		CHECK(there + lost == LINES * tries[i].rounds ||
		    there + lost == LINES * tries[i].rounds + 1, i);
		buf_free(&text);
	}
}

TEST(nothing_is_told_without_need)
{
	struct world	w = { .rounds = 0 };
	struct buf	text = BUF_INIT;

	run(&w, &text);
	CHECK_INT(text.len, 0, 0);
	buf_free(&text);
}
