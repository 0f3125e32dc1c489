/* SPDX-License-Identifier: ISC */
/* barid start, start-fg, stop, reload, status. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libglobal/daemons.h"
#include "libglobal/ipc_tool.h"
#include "libtask/io.h"
#include "libutil/buf.h"
#include "libutil/conf.h"
#include "libutil/json_write.h"
#include "tools/suite.h"
#include "tools/verbs.h"

#define START_LIMIT_MS	30000
#define STOP_LIMIT_MS	30000
#define POLL_MS		20

static void
pause_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&ts, NULL);	/* a signal may end it early */
}

struct ask {
	struct tool		*tool;
	const struct ipc_desc	*desc;
	const char		*text;
	bool			 ok;
};

/* ask_talk - a question whose answer is tool_done */
static int
ask_talk(struct task *t, struct ipc_conn *c, void *arg)
{
	struct ask		*ask = arg;
	char			 empty = 0;	/* these have no fields */
	struct msg_tool_done	*done;
	void			*reply;
	int			 r;

	r = ipc_call(t, c, ask->desc, &empty, &msg_tool_done_desc,
	    &ask->tool->arena, &reply);
	if (r < 0)
		return r;
	done = reply;
	ask->ok = done->ok;
	ask->text = arena_text(&ask->tool->arena, done->text);
	return 0;
}

static int
ask_task(struct task *t, void *arg)
{
	struct ask *ask = arg;

	return tool_master(t, ask->tool, ask_talk, ask);
}

/* ask_master - ask, and say what is wrong */
static int
ask_master(struct tool *tool, const struct ipc_desc *desc, struct ask *ret_ask)
{
	int r;

	*ret_ask = (struct ask){ tool, desc, "", false };
	if (tool_conf(tool) != 0)
		return TOOL_FAILED;
	r = tool_run(ask_task, ret_ask);
	if (r == -ECONNREFUSED || r == -ENOENT)
		return tool_fail(tool, "the suite does not run");
	return r < 0 ? tool_fail(tool, "cannot ask master: %s", strerror(-r)) :
	    TOOL_OK;
}

/* suite_ask_status - what is not ready? */
int
suite_ask_status(struct tool *tool, const char **ret_text)
{
	struct ask	ask = { tool, &msg_tool_status_desc, "", false };
	int		r = tool_run(ask_task, &ask);

	if (r == 0)
		*ret_text = ask.text;
	return r;
}

/* detach - a terminal or pipe of the caller's is not master's to hold */
static int
detach(int said)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();			/* cannot fail in a new child */
	return null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(said, 2) < 0 ? -errno : 0;
}

/* spawn - a child that runs master. It says what is wrong before there is a
 * log to the descriptor said; -1: to where we do, and it ends when we do */
static pid_t
spawn(struct tool *tool, int said)
{
	struct slice	path = arena_printf(&tool->arena, "%s/master",
			    tool_value(tool, "daemon_directory"));
	pid_t		parent = getpid(), pid;
	sigset_t	none;

	if (access(path.data, X_OK) < 0) {
		(void)tool_fail(tool, "cannot run %s: %s (see daemon_directory "
		    "in %s/main.cf)", path.data, strerror(errno),
		    tool->config_directory);
		return -1;
	}
	pid = fork();
	if (pid < 0)
		(void)tool_fail(tool, "cannot fork: %s", strerror(errno));
	if (pid != 0)
		return pid;
	if (said < 0 && (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 ||
	    getppid() != parent))
		_exit(TOOL_FAILED);
	if (said >= 0 && detach(said) < 0)
		_exit(TOOL_FAILED);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execl(path.data, path.data, "-c", tool->config_directory, (char *)NULL);
	(void)tool_fail(tool, "cannot run %s: %s", path.data, strerror(errno));
	_exit(TOOL_FAILED);
}

/* suite_spawn - a child that runs master and ends with us */
pid_t
suite_spawn(struct tool *tool)
{
	return spawn(tool, -1);
}

/* suite_interrupted - does a signal to end wait that is blocked? */
bool
suite_interrupted(void)
{
	sigset_t waiting;

	return sigpending(&waiting) == 0 &&
	    (sigismember(&waiting, SIGINT) == 1 ||
	    sigismember(&waiting, SIGTERM) == 1);
}

/* is_whole - are the programs there that always run? Says which is not. */
static bool
is_whole(struct tool *tool)
{
	const char	*folder = tool_value(tool, "daemon_directory");
	bool		 whole = true;

	for (const struct daemon_row *d = daemons_table; d->name != NULL; d++) {
		struct slice path = arena_printf(&tool->arena, "%s/%s", folder,
		    d->name);

		if (d->service[0] == '\0' || access(path.data, X_OK) == 0)
			continue;
		tool_warn(tool, "%s: %s", path.data, strerror(errno));
		whole &= !d->always;
	}
	return whole;
}

/* suite_wait_ready - until all services are that can be */
int
suite_wait_ready(struct tool *tool, pid_t master, int64_t limit)
{
	bool		 whole = is_whole(tool);
	const char	*text = "master does not answer";
	int		 status;

	for (int64_t waited = 0; waited < limit; waited += POLL_MS) {
		if (waitpid(master, &status, WNOHANG) == master)
			return tool_fail(tool, "master ended at once; the log "
			    "or the lines above say why");
		if (suite_ask_status(tool, &text) == 0 &&
		    (text[0] == '\0' || !whole))
			return TOOL_OK;
		if (suite_interrupted())
			return tool_fail(tool, "interrupted");
		pause_ms(POLL_MS);
	}
	return tool_fail(tool, "not ready after %lld seconds: %s",
	    (long long)(limit / 1000), text);
}

/* relay - what master has said so far */
static void
relay(int said)
{
	char	text[1024];
	ssize_t	n;

	while ((n = read(said, text, sizeof(text))) > 0)
		(void)fwrite(text, 1, (size_t)n, stderr);
}

/* verb_start - in the background */
int
verb_start(struct tool *tool, int argc, char **argv)
{
	pid_t	master;
	int	said[2], r;

	(void)argv;
	if (argc != 1)
		return TOOL_USAGE;
	if (tool_conf(tool) != 0)
		return TOOL_FAILED;
	if (tool_is_running(tool) > 0)
		return tool_fail(tool, "the suite runs already");
	if (pipe2(said, O_CLOEXEC | O_NONBLOCK) < 0)
		return tool_fail(tool, "no pipe: %s", strerror(errno));
	master = spawn(tool, said[1]);
	fd_close(&said[1]);
	r = master < 0 ? TOOL_FAILED :
	    suite_wait_ready(tool, master, START_LIMIT_MS);
	relay(said[0]);
	fd_close(&said[0]);
	return r;
}

/* verb_start_fg - as this process */
int
verb_start_fg(struct tool *tool, int argc, char **argv)
{
	struct slice path;

	(void)argv;
	if (argc != 1)
		return TOOL_USAGE;
	if (tool_conf(tool) != 0)
		return TOOL_FAILED;
	path = arena_printf(&tool->arena, "%s/master",
	    tool_value(tool, "daemon_directory"));
	execl(path.data, path.data, "-c", tool->config_directory, (char *)NULL);
	return tool_fail(tool, "cannot run %s: %s (see daemon_directory in "
	    "%s/main.cf)", path.data, strerror(errno), tool->config_directory);
}

/* verb_stop - and wait until it has ended */
int
verb_stop(struct tool *tool, int argc, char **argv)
{
	struct ask	ask;
	int		r;

	(void)argv;
	if (argc != 1)
		return TOOL_USAGE;
	if ((r = ask_master(tool, &msg_tool_stop_desc, &ask)) != TOOL_OK)
		return r;
	if (!ask.ok)
		return tool_fail(tool, "%s", ask.text);
	for (long waited = 0; waited < STOP_LIMIT_MS; waited += POLL_MS) {
		if (tool_is_running(tool) <= 0)
			return TOOL_OK;
		pause_ms(POLL_MS);
	}
	return tool_fail(tool, "master still runs after %d seconds",
	    STOP_LIMIT_MS / 1000);
}

/* verb_reload - read the configuration again */
int
verb_reload(struct tool *tool, int argc, char **argv)
{
	struct ask	ask;
	int		r;

	(void)argv;
	if (argc != 1)
		return TOOL_USAGE;
	if ((r = ask_master(tool, &msg_tool_reload_desc, &ask)) != TOOL_OK)
		return r;
	return ask.ok ? TOOL_OK : tool_fail(tool, "%s; the suite goes on with "
	    "what it had", ask.text);
}

/* print_status - the answer as an object on a line */
static void
print_status(bool running, const char *text)
{
	struct buf		b = BUF_INIT;
	struct json_writer	w = json_writer_into(&b);

	json_object_begin(&w);
	json_key(&w, S("running"));
	json_bool(&w, running);
	json_key(&w, S("ready"));
	json_bool(&w, running && text[0] == '\0');
	json_key(&w, S("text"));
	json_text(&w, text);
	json_object_end(&w);
	json_writer_end(&w);
	printf("%.*s\n", SLICE_ARG(buf_slice(&b)));
	buf_free(&b);
}

/* verb_status - is it running and ready? */
int
verb_status(struct tool *tool, int argc, char **argv)
{
	const char	*text = "";
	int		 r;

	(void)argv;
	if (argc != 1)
		return TOOL_USAGE;
	if (tool_conf(tool) != 0)
		return TOOL_FAILED;
	r = suite_ask_status(tool, &text);
	if (r < 0 && r != -ECONNREFUSED && r != -ENOENT)
		return tool_fail(tool, "cannot ask master: %s", strerror(-r));
	if (tool->json)
		print_status(r == 0, r == 0 ? text : "the suite does not run");
	else if (r < 0)
		return tool_fail(tool, "the suite does not run");
	else if (text[0] != '\0')
		return tool_fail(tool, "%s", text);
	else
		printf("the suite is running; all services are ready\n");
	return r == 0 && text[0] == '\0' ? TOOL_OK : TOOL_FAILED;
}
