/* SPDX-License-Identifier: ISC */
/* What becomes of events when logd is slow, or away. */
#include "test.h"

#include <string.h>

#include "libglobal/daemon_events.h"
#include "libglobal/daemon_private.h"
#include "libglobal/ipc_log.h"
#include "libtask/loop.h"
#include "libutil/conf.h"

#define EVENTS	20000

static const struct daemon_spec spec = { .name = "test" };

struct world {
	struct loop	*loop;
	struct daemon	*daemon;
	struct ipc_conn	 conn;		/* logd's end */
	int		 next;		/* logd's end of the edge to come */
	bool		 away;		/* closes the first edge unread */
	bool		 refuse;	/* no second edge is given out */
	uint64_t	 lines;
	uint64_t	 lost;
	uint64_t	 reports;
};

static int
serve_task(struct task *t, void *arg)
{
	return daemon_serve(t, ((struct world *)arg)->daemon);
}

static int
on_message(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct world *w = arg;

	(void)t;
	(void)c;
	(void)a;
	w->lines += in->desc->number == MSG_log_line;
	if (in->desc->number == MSG_log_lost) {
		w->lost += ((struct msg_log_lost *)in->msg)->count;
		w->reports++;
	}
	return 0;
}

static int
logd_task(struct task *t, void *arg)
{
	struct world *w = arg;

	ignore(ipc_serve(t, &w->conn, on_message, w)); /* until it is closed */
	return 0;
}

/* connect_logd - a new edge, whose other end logd gets */
static int
connect_logd(struct task *t, void *arg, const char *callee, int *ret_fd)
{
	struct world	*w = arg;
	int		 fd[2], r;

	(void)t;
	(void)callee;
	if (w->refuse)
		return -ECONNREFUSED;
	if ((r = fd_pair(fd)) < 0)
		return r;
	*ret_fd = fd[0];
	ipc_close(&w->conn);
	ipc_open(&w->conn, w->loop, &fd[1], &ipc_table_log, IPC_CALLEE);
	task_group_start(daemon_group(w->daemon), logd_task, w);
	return 0;
}

static void
say_much(struct world *w)
{
	for (int i = 0; i < EVENTS; i++)
		log_event(daemon_log(w->daemon), EV_DAEMON_ACCEPT,
		    KV_TEXT("listener", "127.0.0.1:25"), KV_ERR("why", -EMFILE));
}

static int
world_task(struct task *t, void *arg)
{
	struct world		*w = arg;
	struct task_group	 g;
	int			 r;

	task_group_begin(t, &g);
	task_group_start(&g, serve_task, w);
	if ((r = task_sleep(t, 10)) < 0)
		goto out;
	if (w->away)
		ipc_close(&w->conn);
	say_much(w);
	if ((r = task_sleep(t, 3000)) < 0)
		goto out;
	CHECK(w->away || w->lines == 0, 0);
	if (w->away) {
		w->refuse = false;
		say_much(w);		/* and so that it looks for an edge */
	} else {
		task_group_start(daemon_group(w->daemon), logd_task, w);
	}
	r = task_sleep(t, 5000);
out:
	daemon_end(w->daemon);
	ipc_close(&w->conn);
	ignore(task_group_end(t, &g));	/* it was told to end */
	return r;
}

/* run - all of it, quiet on standard error */
static void
run(struct world *w)
{
	struct loop_options	 o = { .sim_seed = 1 };
	struct conf		*conf = conf_new(NULL);
	struct diag		 d = DIAG_INIT;
	int			 fd[2];

	w->loop = loop_new(&o);
	w->conn.io.fd = -1;
	w->daemon = daemon_new(w->loop, &spec, conf, connect_logd, w, &d);
	if (!CHECK(w->daemon != NULL, 0) || CHECK_INT(fd_pair(fd), 0, 0) < 0)
		return;
	ipc_open(&w->conn, w->loop, &fd[1], &ipc_table_log, IPC_CALLEE);
	CHECK(freopen("/dev/null", "w", stderr) != NULL, 0);
	daemon_log_start(w->daemon, &fd[0], false);
	CHECK_INT(loop_run(w->loop, world_task, w), 0, 0);
	daemon_free(&w->daemon);
	loop_free(w->loop);
	conf_free(&conf);
}

TEST(logd_is_slow)
{
	struct world w = { .away = false };

	run(&w);
	CHECK(w.lines > 0 && w.lost > 0, 0);
	CHECK_INT(w.lines + w.lost, EVENTS, 0);
	CHECK_INT(w.reports, 1, 0);
}

TEST(logd_is_away)
{
	struct world w = { .away = true, .refuse = true };

	run(&w);
	CHECK(w.lost > EVENTS, 0);
	CHECK_INT(w.lines + w.lost, 2 * EVENTS, 0);
}
