/* SPDX-License-Identifier: ISC */
/*
 * barid localserve: writes a configuration into a folder, starts the suite
 * from it, makes accounts, waits until every service answers, and says so in
 * one line of JSON on standard output. It then waits for a signal; the suite
 * ends with it, even when it is killed.
 */
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libglobal/ipc_tool.h"
#include "libutil/buf.h"
#include "libutil/json_write.h"
#include "tools/localserve.h"
#include "tools/suite.h"
#include "tools/verbs.h"

#define READY_LIMIT_MS	60000
#define STOP_LIMIT_MS	4700	/* 5 seconds are promised */
#define POLL_MS		10

/* say_users - as whom the daemons run */
static void
say_users(struct localserve *l)
{
	const struct passwd	*own = getpwnam("barid-smtpd");
	const struct passwd	*pw;
	uid_t			 uid;
	gid_t			 gid;

	if (geteuid() != 0) {
		pw = getpwuid(geteuid());
		fprintf(stderr, "%s: all daemons run as user %s: without root "
		    "there are no users of their own and no roots of their "
		    "own\n", l->tool->name, pw == NULL ? "?" : pw->pw_name);
		return;
	}
	tool_user_of(l->tool, "smtpd", &uid, &gid);
	pw = getpwuid(uid);
	if (own != NULL)
		fprintf(stderr, "%s: each daemon runs as its own user "
		    "(barid-smtpd and so on)\n", l->tool->name);
	else
		fprintf(stderr, "%s: all daemons but master run as user %s: "
		    "there are no users barid-smtpd and so on, so users do not "
		    "keep the daemons apart\n", l->tool->name,
		    pw == NULL ? "?" : pw->pw_name);
}

/* say_note - the parts of a sandbox that do not hold have a "!" before them */
static void
say_note(struct localserve *l, const struct msg_process *p)
{
	struct slice	rest = p->note, word;
	const char	*gap = " does without: ";
	bool		any = false;

	while (slice_next_word(&rest, " ", &word)) {
		if (word.data[0] != '!')
			continue;
		if (!any)
			fprintf(stderr, "%s: %.*s", l->tool->name,
			    SLICE_ARG(p->daemon));
		fprintf(stderr, "%s%.*s", gap,
		    SLICE_ARG(slice_from(word, 1)));
		gap = ", ";
		any = true;
	}
	if (any)
		fputc('\n', stderr);
}

/* say_notes - what of the sandbox does not hold, once for each daemon */
static int
say_notes(struct task *t, struct ipc_conn *c, void *arg)
{
	struct localserve		*l = arg;
	struct msg_tool_processes	*all;
	char				 empty = 0;	/* it has no fields */
	void				*reply;
	int				 r;

	r = ipc_call(t, c, &msg_tool_ps_desc, &empty, &msg_tool_processes_desc,
	    &l->tool->arena, &reply);
	if (r < 0)
		return r;
	all = reply;
	for (size_t i = 0; i < all->list.n; i++) {
		const struct msg_process *p =
		    (struct msg_process *)all->list.v + i;
		bool again = false;

		for (size_t j = 0; j < i; j++)
			again |= slice_equal(p->daemon,
			    ((struct msg_process *)all->list.v)[j].daemon);
		if (!again)
			say_note(l, p);
	}
	return 0;
}

static int
notes_task(struct task *t, void *arg)
{
	struct localserve *l = arg;

	return tool_master(t, l->tool, say_notes, l);
}

/* say_ready - the line that scripts wait for */
static int
say_ready(struct localserve *l)
{
	struct buf		b = BUF_INIT;
	struct json_writer	w = json_writer_into(&b);
	const struct { const char *key; const char *text; } texts[] = {
		{ "directory", l->directory },
		{ "config_directory", l->tool->config_directory },
		{ "domain", l->domain }, { "ca_file", l->ca_file },
	};

	json_object_begin(&w);
	json_key(&w, S("version"));
	json_int(&w, 1);
	for (size_t i = 0; i < COUNT(texts); i++) {
		json_key(&w, slice_of(texts[i].key));
		json_text(&w, texts[i].text);
	}
	json_key(&w, S("endpoints"));
	json_object_begin(&w);
	for (const struct localserve_service *s = localserve_services;
	    s->name != NULL; s++) {
		if (!localserve_has(l, s))
			continue;
		json_key(&w, slice_of(s->name));
		json_object_begin(&w);
		json_key(&w, S("host"));
		json_text(&w, "127.0.0.1");
		json_key(&w, S("port"));
		json_uint(&w, l->port + s->offset);
		json_key(&w, S("tls"));
		json_text(&w, s->tls == LOCALSERVE_IMPLICIT ? "implicit" :
		    "starttls");
		json_object_end(&w);
	}
	json_object_end(&w);
	json_object_end(&w);
	json_writer_end(&w);
	printf("%.*s\n", SLICE_ARG(buf_slice(&b)));
	buf_free(&b);
	return fflush(stdout) == 0 ? TOOL_OK : tool_fail(l->tool,
	    "cannot write to standard output: %s", strerror(errno));
}

/* wait_master - has it ended within the limit? */
static bool
wait_master(pid_t master, long limit_ms)
{
	struct timespec	pause = { 0, POLL_MS * 1000000L };
	int		status;

	for (long waited = 0; waited < limit_ms; waited += POLL_MS) {
		if (waitpid(master, &status, WNOHANG) != 0)
			return true;
		(void)nanosleep(&pause, NULL);	/* ends early by a signal */
	}
	return false;
}

static void
stop(pid_t master)
{
	(void)kill(master, SIGTERM);
	if (wait_master(master, STOP_LIMIT_MS))
		return;
	(void)kill(master, SIGKILL);	/* the daemons end with their socket */
	(void)waitpid(master, NULL, 0);
}

/* serve - from the start of master to its being ready */
static int
serve(struct localserve *l, pid_t master)
{
	int r;

	if ((r = suite_wait_ready(l->tool, master, READY_LIMIT_MS)) ||
	    (r = localserve_accounts(l)) != TOOL_OK ||
	    (r = localserve_probe(l, READY_LIMIT_MS)) != TOOL_OK)
		return r;
	say_users(l);
	ignore(tool_run(notes_task, l));	/* only said for people */
	return say_ready(l);
}

/* wait_end - for a signal, or for master to end by itself */
static int
wait_end(struct localserve *l, pid_t master, const sigset_t *signals)
{
	int number;

	for (;;) {
		if (sigwait(signals, &number) != 0)
			continue;
		if (number == SIGHUP)
			(void)kill(master, SIGHUP);	/* reload */
		else if (number != SIGCHLD)
			return TOOL_OK;
		else if (waitpid(master, NULL, WNOHANG) == master)
			return tool_fail(l->tool, "the suite has ended by "
			    "itself; see %s/data/log/maillog", l->directory);
	}
}

/* verb_localserve - the whole of it */
int
verb_localserve(struct tool *tool, int argc, char **argv)
{
	struct localserve	l = { .tool = tool };
	sigset_t		signals;
	pid_t			master;
	int			r;

	if ((r = localserve_options(&l, argc, argv)) != TOOL_OK ||
	    (r = localserve_write(&l)) != TOOL_OK)
		return r;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	if (tool_is_running(tool) > 0)
		return tool_fail(tool, "a suite runs in %s already",
		    l.directory);
	master = suite_spawn(tool);
	if (master < 0)
		return TOOL_FAILED;
	r = serve(&l, master);
	if (r == TOOL_OK)
		r = wait_end(&l, master, &signals);
	stop(master);
	return r;
}
