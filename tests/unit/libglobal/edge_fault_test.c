/* SPDX-License-Identifier: ISC */
/* When one end of an edge breaks the rules, the other one can say who it was and
 * what was wrong. */
#include "test.h"

#include <unistd.h>

#include "libglobal/daemon.h"
#include "libglobal/ipc_queue.h"
#include "libtask/loop.h"
#include "libutil/conf.h"

struct world {
	struct daemon	*daemon;
	struct task_group *group;
	struct slice	 bytes;		/* what the other end says */
	int		 fd;		/* its end */
	char		 fault[200];
	char		 callee[40];
	bool		 over;
};

static const struct {
	const char	*bytes;
	size_t		 len;
	const char	*want;		/* "": nothing is wrong */
} rows[] = {
	{ "", 0, "" },
	{ "\0\0\0\0\347\3\0\0\0\0\0\0", 12,
	    "ipc_table_queue: unknown message  (999)" },
	{ "\377\377\377\377\1\0\0\0\0\0\0\0", 12,
	    "ipc_table_queue: malformed frame header" },
};

static int
caller_edge(struct task *t, struct daemon *d, int *fd_take,
    const struct daemon_caller *who)
{
	struct world	*w = daemon_data(d);
	struct arena	 a = ARENA_INIT;
	struct ipc_conn	 c;
	struct ipc_in	 in;
	int		 r;

	ipc_open(&c, daemon_loop(d), fd_take, &ipc_table_queue, IPC_CALLEE);
	r = ipc_recv(t, &c, &a, &in);
	daemon_caller_close(who, &c);
	(void)snprintf(w->fault, sizeof(w->fault), "%s", who->fault);
	w->over = true;
	arena_free(&a);
	return r;
}

static const struct daemon_spec spec = { .name = "qmgr", .edge = caller_edge };

static int
serve_task(struct task *t, void *arg)
{
	return daemon_serve(t, ((struct world *)arg)->daemon);
}

static int
of_caller(struct task *t, void *arg)
{
	struct world		*w = arg;
	struct daemon_caller	 who = { .daemon = S("cleanup"), .process = 3 };
	struct conf		*conf = conf_new(NULL);
	struct diag		 diag = DIAG_INIT;
	struct task_group	 g;
	int			 fd[2], r;

	w->daemon = daemon_new(task_loop(t), &spec, conf, NULL, NULL, &diag);
	daemon_set_data(w->daemon, w);
	task_group_begin(t, &g);
	task_group_start(&g, serve_task, w);
	r = task_sleep(t, 1);
	CHECK_INT(fd_pair(fd), 0, 0);
	daemon_add_caller(w->daemon, &fd[1], &who);
	CHECK_INT(write(fd[0], w->bytes.data, w->bytes.len),
	    (long long)w->bytes.len, 0);
	fd_close(&fd[0]);
	while (r == 0 && !w->over)
		r = task_sleep(t, 1);
	daemon_end(w->daemon);
	ignore(task_group_end(t, &g));
	daemon_free(&w->daemon);
	conf_free(&conf);
	return r;
}

static int
connect_edge(struct task *t, void *arg, const char *callee, int *ret_fd)
{
	struct world	*w = arg;
	int		 fd[2], r;

	(void)t;
	(void)callee;
	if ((r = fd_pair(fd)) < 0)
		return r;
	*ret_fd = fd[0];
	w->fd = fd[1];
	return 0;
}

static void
on_fault(void *arg, const char *callee, const char *why)
{
	struct world *w = arg;

	(void)snprintf(w->callee, sizeof(w->callee), "%s", callee);
	(void)snprintf(w->fault, sizeof(w->fault), "%s", why);
}

static int
of_callee(struct task *t, void *arg)
{
	struct world		*w = arg;
	struct task_group	 g;
	struct edge		*e;
	int			 r;

	task_group_begin(t, &g);
	e = edge_new(&g, "qmgr", &ipc_table_queue, connect_edge, w);
	edge_on_fault(e, on_fault, w);
	if ((r = edge_ensure(t, e)) == 0)
		CHECK_INT(write(w->fd, w->bytes.data, w->bytes.len),
		    (long long)w->bytes.len, 0);
	fd_close(&w->fd);
	if (r == 0)
		r = task_sleep(t, 10);
	ignore(task_group_end(t, &g));
	edge_free(&e);
	return r;
}

/* run - one row on a simulated loop; the fault as it was noted */
static void
run(struct world *w, task_fn *fn, size_t row)
{
	struct loop_options o = { .sim_seed = row + 1, .sim_short_io = true };
	struct loop	*l = loop_new(&o);

	w->bytes = slice_over(rows[row].bytes, rows[row].len);
	CHECK_INT(loop_run(l, fn, w), 0, row);
	CHECK_INT(loop_task_count(l), 0, row);
	CHECK(slice_has_prefix(slice_of(w->fault), slice_of(rows[row].want)),
	    row);
	CHECK_INT(w->fault[0] != '\0', rows[row].want[0] != '\0', row);
	loop_free(l);
}

TEST(a_caller_breaks_the_rules)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct world w = { .fd = -1 };

		run(&w, of_caller, i);
	}
}

TEST(a_callee_breaks_the_rules)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct world w = { .fd = -1 };

		run(&w, of_callee, i);
		CHECK_TEXT(slice_of(w.callee), i == 0 ? "" : "qmgr", i);
	}
}
