/* SPDX-License-Identifier: ISC */
/*
 * The zygote never holds an account, a ticket or a key, so its children
 * inherit none. It stays single-threaded: a forked child has only the thread
 * that forked, and the sandbox insists on it.
 */
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "accountd/accountd.h"
#include "accountd/accountd_events.h"
#include "libglobal/ipc_zygote.h"
#include "libglobal/sandbox_rows.h"
#include "libstore/body.h"
#include "libutil/alloc.h"
#include "libutil/hex.h"

#define SHARD_DIGITS	2
#define ID_DIGITS	16
#define SIGNALS_AT_ONCE	8

struct zygote {
	struct list	callers;	/* stored's edges: one at most in use */
	struct sandbox_filter *filter;	/* of all children */
	int		signals;	/* of children's ends */
};

struct zygote_caller {
	struct list	link;
	struct ipc_conn	conn;
};

/* zygote_is_folder - shard/id, digits only */
bool
zygote_is_folder(struct slice folder)
{
	struct slice	id = slice_from(folder, SHARD_DIGITS + 1);

	if (folder.len != SHARD_DIGITS + 1 + ID_DIGITS ||
	    folder.data[SHARD_DIGITS] != '/' ||
	    !slice_has_prefix(id, slice_sub(folder, 0, SHARD_DIGITS)))
		return false;
	for (size_t i = 0; i < id.len; i++)
		if (hex_digit(id.data[i]) < 0 ||
		    ascii_lower(id.data[i]) != id.data[i])
			return false;
	return true;
}

/* zygote_prepare - ends of children come as a descriptor: the system calls
 * for it are not in the sandbox's list */
int
zygote_prepare(struct daemon *d, struct diag *diag)
{
	struct zygote	*z = NEW(struct zygote);
	uint8_t		 hash[BODY_HASH_LEN];
	sigset_t	 set;

	list_init(&z->callers);
	daemon_set_data(d, z);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
		z->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (z->signals <= 0) {
		(void)diag_set(diag, 0, 0, "no descriptor for signals: %s",
		    strerror(errno));
		return -errno;
	}
	/* accounts belong to the group as well: stored links into them */
	(void)umask(007);
	/* the crypto library begins here, once, and not in each child */
	body_hash_content(SLICE_EMPTY, hash);
	return sandbox_filter_new(sandbox_row_find(S("accountd")), &z->filter,
	    diag);
}

/* tell_ended - say it to stored */
static void
tell_ended(struct zygote *z, pid_t pid, int status)
{
	struct msg_zygote_ended m = { (uint32_t)pid, (uint32_t)status };

	LIST_EACH(&z->callers, link)
		ignore(ipc_post(&CONTAINER_OF(link, struct zygote_caller,
		    link)->conn, &msg_zygote_ended_desc, &m)); /* a hint */
}

/* reap - collect the children that have ended */
static void
reap(struct daemon *d)
{
	struct zygote	*z = daemon_data(d);
	pid_t		 pid;
	int		 status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (WIFSIGNALED(status))
			log_event(daemon_log(d), EV_ACCOUNT_CHILD_SIGNAL,
			    KV_INT("pid", pid),
			    KV_INT("signal", WTERMSIG(status)));
		tell_ended(z, pid, status);
	}
}

/* zygote_run - wait for children's ends */
int
zygote_run(struct task *t, struct daemon *d)
{
	struct zygote		*z = daemon_data(d);
	struct signalfd_siginfo	 info[SIGNALS_AT_ONCE];
	struct io		 io = IO_INIT;
	ssize_t			 n;

	io_open(&io, daemon_loop(d), &z->signals);
	while ((n = io_read(t, &io, info, sizeof(info))) > 0)
		reap(d);
	io_close(&io);
	return (int)n;
}

/* start_child - fork; the child never comes back from here */
static int
start_child(struct daemon *d, struct msg_zygote_fork *m, pid_t *ret_pid)
{
	const struct zygote	*z = daemon_data(d);
	struct arena		a = ARENA_INIT;
	struct child_setup	setup = { .zygote = d, .filter = z->filter,
	    .folder = arena_text(&a, m->folder), .control = m->control,
	    .log = m->log };
	pid_t			pid = fork();

	/* still on this task's stack: the child's own loop runs below it */
	if (pid == 0)
		child_main(&setup);
	arena_free(&a);
	if (pid < 0)
		return -errno;
	*ret_pid = pid;
	return 0;
}

/* on_message - a call of stored */
static int
on_message(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct daemon			*d = arg;
	struct msg_zygote_forked	 answer = { 0, SLICE_EMPTY };
	struct msg_zygote_fork		*m = in->msg;
	pid_t				 pid = 0;
	int				 r;

	(void)t;
	(void)a;
	if (in->desc->number != MSG_zygote_fork || in->request == 0)
		return -EBADMSG;
	if (!zygote_is_folder(m->folder))
		return -EBADMSG;
	if ((r = start_child(d, m, &pid)) < 0) {
		log_event(daemon_log(d), EV_ACCOUNT_FORK, KV_ERR("why", r));
		answer.text = slice_of(strerror(-r));
	}
	answer.pid = (uint32_t)pid;
	return ipc_reply(c, in->request, &msg_zygote_forked_desc, &answer);
}

/* zygote_serve - stored's edge */
int
zygote_serve(struct task *t, struct daemon *d, int *fd_take,
    const struct daemon_caller *who)
{
	struct zygote		*z = daemon_data(d);
	struct zygote_caller	 caller;
	int			 r;

	(void)who;
	list_init(&caller.link);
	ipc_open(&caller.conn, daemon_loop(d), fd_take, &ipc_table_zygote,
	    IPC_CALLEE);
	list_add_tail(&z->callers, &caller.link);
	r = ipc_serve(t, &caller.conn, on_message, d);
	list_remove(&caller.link);
	ipc_close(&caller.conn);
	return r;
}
