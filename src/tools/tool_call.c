/* SPDX-License-Identifier: ISC */
/*
 * A tool connects to master's public socket and asks there for the end of a
 * conversation with a daemon.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "libglobal/ipc_tool.h"
#include "tools/tool.h"

/* tool_run - on a loop of its own */
int
tool_run(task_fn *fn, void *arg)
{
	struct loop_options	 o = { .workers = 1 };
	struct loop		*loop = loop_new(&o);
	int			 r;

	r = loop_run(loop, fn, arg);
	loop_free(loop);
	return r;
}

static int
replies_task(struct task *t, void *arg)
{
	int r = ipc_run_replies(t, arg);

	/* calls that wait learn of a lost connection by themselves */
	return r == -ECANCELED ? r : 0;
}

/* talk - have replies received while fn talks; takes the descriptor */
static int
talk(struct task *t, int *fd_take, const struct ipc_table *table,
    tool_talk_fn *fn, void *arg)
{
	struct task_group	g;
	struct ipc_conn		c;
	int			r;

	ipc_open(&c, task_loop(t), fd_take, table, IPC_CALLER);
	task_group_begin(t, &g);
	task_group_start(&g, replies_task, &c);
	r = fn(t, &c, arg);
	task_group_cancel(&g);
	ignore(task_group_end(t, &g));	/* we cancelled it */
	ipc_close(&c);
	return r;
}

/* talk_alone - fn receives whatever comes itself */
static int
talk_alone(struct task *t, int *fd_take, const struct ipc_table *table,
    tool_talk_fn *fn, void *arg)
{
	struct ipc_conn	c;
	int		r;

	ipc_open(&c, task_loop(t), fd_take, table, IPC_CALLER);
	r = fn(t, &c, arg);
	ipc_close(&c);
	return r;
}

/*
 * public_socket - connect to a socket of the queue's public folder. The path
 * may be longer than a socket's address can hold, so it is reached through
 * the folder.
 */
static int
public_socket(struct tool *tool, const char *name, int *ret_fd)
{
	struct slice		path = arena_printf(&tool->arena, "%s/public",
				    tool_value(tool, "queue_directory"));
	struct sockaddr_un	sun = { .sun_family = AF_UNIX };
	int			folder, fd = -1, r = 0;

	folder = open(path.data, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return -errno;
	(void)snprintf(sun.sun_path, sizeof(sun.sun_path),
	    "/proc/self/fd/%d/%s", folder, name);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
		r = -errno;
		fd_close(&fd);
	} else
		*ret_fd = fd;
	fd_close(&folder);
	return r;
}

/* tool_master - talk to master */
int
tool_master(struct task *t, struct tool *tool, tool_talk_fn *fn, void *arg)
{
	int fd, r;

	if (tool_conf(tool) != 0)
		return -EINVAL;
	if ((r = public_socket(tool, "master", &fd)) < 0)
		return r;
	return talk(t, &fd, &ipc_table_tool, fn, arg);
}

/* tool_public - connect to a public socket of that name */
int
tool_public(struct task *t, struct tool *tool, const char *name,
    const struct ipc_table *table, tool_talk_fn *fn, void *arg)
{
	int fd, r;

	if (tool_conf(tool) != 0)
		return -EINVAL;
	if ((r = public_socket(tool, name, &fd)) < 0)
		return r;
	return talk_alone(t, &fd, table, fn, arg);
}

struct ask_edge {
	struct tool	*tool;
	const char	*daemon;
	int		 fd;		/* the answer */
	bool		 said;
};

/* ask_edge - have master connect us */
static int
ask_edge(struct task *t, struct ipc_conn *c, void *arg)
{
	struct ask_edge		*ask = arg;
	struct msg_tool_edge	 m = { slice_of(ask->daemon),
				    slice_of(ask->tool->purpose) };
	struct msg_tool_edge_end *end;
	void			*reply;
	int			 r;

	r = ipc_call(t, c, &msg_tool_edge_desc, &m, &msg_tool_edge_end_desc,
	    &ask->tool->arena, &reply);
	if (r < 0)
		return r;
	end = reply;
	ask->fd = end->fd;
	if (ask->fd >= 0)
		return 0;
	if (end->refused && ask->tool->purpose != NULL)
		(void)tool_fail(ask->tool, "this user may not do that; see "
		    "authorized_%s_users in main.cf", ask->tool->purpose);
	else
		(void)tool_fail(ask->tool, "%s cannot be reached: %.*s",
		    ask->daemon, SLICE_ARG(end->why));
	ask->said = true;
	return -ECONNREFUSED;
}

/* tool_daemon - talk to a daemon */
int
tool_daemon(struct task *t, struct tool *tool, const char *daemon,
    const struct ipc_table *table, tool_talk_fn *fn, void *arg)
{
	struct ask_edge	ask = { tool, daemon, -1, false };
	int		r = tool_master(t, tool, ask_edge, &ask);

	if (r == 0)
		return talk(t, &ask.fd, table, fn, arg);
	if (!ask.said)
		(void)tool_fail(tool, r == -ECONNREFUSED || r == -ENOENT ?
		    "the suite does not run (start it with \"barid start\")" :
		    "cannot reach the suite: %s", strerror(-r));
	return -ECONNREFUSED;
}

static int
nothing(struct task *t, struct ipc_conn *c, void *arg)
{
	(void)t;
	(void)c;
	(void)arg;
	return 0;
}

static int
is_running_task(struct task *t, void *arg)
{
	return tool_master(t, arg, nothing, NULL);
}

/* tool_is_running - does somebody listen on master's socket? */
int
tool_is_running(struct tool *tool)
{
	int r = tool_run(is_running_task, tool);

	if (r == -ECONNREFUSED || r == -ENOENT)
		return 0;
	return r < 0 ? r : 1;
}
