/* SPDX-License-Identifier: ISC */
/*
 * Starting and reaping. A daemon is forked and executed with its end of the
 * control channel as descriptor 3 and a pipe as standard error; everything
 * else it gets comes over the channel. A daemon that fails is started again
 * after a pause that doubles with each failure.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libglobal/ipc_control.h"
#include "libtask/loop.h"
#include "libutil/alloc.h"
#include "master/master.h"
#include "master/master_events.h"

#define PAUSE_FIRST	100	/* ms */
#define STABLE_AFTER	10000	/* ms; then a failure counts as the first */

struct child {
	struct list	link;
	uint32_t	pid;
	char		name[321];
};

/* exec_daemon - in the forked child: become the daemon */
static void
exec_daemon(const char *program, const char *name, int control, int said)
{
	char		*argv[] = { (char *)(uintptr_t)name, NULL };
	char		*envp[] = { (char *)(uintptr_t)"LC_ALL=C", NULL, NULL };
	int		 null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t	 none;

	/* sanitizer builds are steered by the environment */
	if (BARID_SANITIZERS)
		envp[1] = (char *)(uintptr_t)"ASAN_OPTIONS=detect_leaks=0:"
		    "abort_on_error=1:allocator_may_return_null=0";
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	(void)setsid();
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(said, 2) < 0 || dup2(control, 3) < 0)
		_exit(71);
	(void)close_range(4, ~0U, 0);	/* all are close-on-exec anyway */
	(void)execve(program, argv, envp);
	dprintf(2, "cannot execute %s: %s\n", program, strerror(errno));
	_exit(72);
}

/* count_processes - of one daemon, over all services */
static uint32_t
count_processes(struct master *m, const char *daemon)
{
	uint32_t n = 0;

	LIST_EACH(&m->services, link) {
		struct service *s = CONTAINER_OF(link, struct service, link);

		if (strcmp(s->daemon->name, daemon) != 0)
			continue;
		LIST_EACH(&s->processes, plink) {
			(void)plink;
			n++;
		}
	}
	return n;
}

/* send_start - listeners, then who it is and what it gets */
static int
send_start(struct master *m, struct process *p)
{
	struct service	*s = p->service;
	struct buf	 root = BUF_INIT;
	struct msg_start st = { slice_of(s->name), slice_of(s->syslog_name),
	    p->number, m->generation, s->conf_fd, 0, 0, SLICE_EMPTY,
	    m->sandbox, 0, -1, s->verbose, slice_of(s->program) };
	uid_t		 uid;
	gid_t		 gid;
	const char	*why;
	int		 r = 0;

	LIST_EACH(&s->listeners, link) {
		struct listener_fd *l =
		    CONTAINER_OF(link, struct listener_fd, link);
		struct msg_listener msg = { l->fd, slice_of(l->address) };

		if (r == 0)
			r = ipc_post(&p->control, &msg_listener_desc, &msg);
	}
	layout_user_of(m, s->daemon->name, &uid, &gid);
	layout_root_of(m, s->daemon->name, &root);
	st.uid = (uint32_t)uid;
	st.gid = (uint32_t)gid;
	st.chroot = buf_slice(&root);
	if (strcmp(s->daemon->name, "qmgr") == 0)
		st.peers = count_processes(m, "cleanup");
	if (r == 0 && strcmp(s->daemon->name, "logd") != 0)
		ignore(edge_make(m, slice_of(s->daemon->name),
		    slice_of(s->name), p->number, 0, S("logd"), &st.log, &why));
	if (r == 0)
		r = ipc_post(&p->control, &msg_start_desc, &st);
	fd_close(&st.log);
	buf_free(&root);
	return r;
}

static void
process_free(struct process *p)
{
	struct list *link;

	while ((link = list_take_head(&p->children)) != NULL)
		free(CONTAINER_OF(link, struct child, link));
	list_remove(&p->link);
	ipc_close(&p->control);
	fd_close(&p->said_fd);
	free(p->service_name);
	free(p);
}

/* processes_free - release those that are left in a list */
void
processes_free(struct list *processes)
{
	LIST_EACH_SAFE(processes, link)
		process_free(CONTAINER_OF(link, struct process, link));
}

/* spawn - fork and execute; the process is known from now on */
static int
spawn(struct master *m, struct process *p)
{
	struct arena	a = ARENA_INIT;
	const char	*program = arena_printf(&a, "%s/%s",
			    master_path(m, "daemon_directory"),
			    p->daemon->name).data;
	int		 pair[2] = { -1, -1 }, said[2] = { -1, -1 }, r = 0;

	if (pipe2(said, O_CLOEXEC) < 0)
		r = -errno;
	if (r == 0)
		r = fd_pair(pair);
	if (r == 0 && (p->pid = fork()) < 0)
		r = -errno;
	if (r == 0 && p->pid == 0)
		exec_daemon(program, p->daemon->name, pair[1], said[1]);
	if (r == 0) {
		ipc_open(&p->control, m->loop, &pair[0], &ipc_table_control,
		    IPC_CALLER);
		p->said_fd = said[0];
		said[0] = -1;
	}
	fd_close(&pair[0]);
	fd_close(&pair[1]);
	fd_close(&said[0]);
	fd_close(&said[1]);
	arena_free(&a);
	return r;
}

/* process_start - one more process of a service; NULL when it cannot be */
struct process *
process_start(struct master *m, struct service *s)
{
	struct process	*p = NEW(struct process);
	int		 r;

	list_init(&p->link);
	list_init(&p->children);
	p->master = m;
	p->service = s;
	p->daemon = s->daemon;
	p->service_name = slice_dup(slice_of(s->name));
	p->control.io.fd = p->said_fd = -1;
	p->number = ++m->last_process;
	p->generation = m->generation;
	p->started = loop_wall(m->loop);
	if ((r = spawn(m, p)) < 0) {
		log_event(&m->log, EV_MASTER_FORK, KV_TEXT("daemon",
		    p->daemon->name), KV_ERR("why", r));
		process_free(p);
		return NULL;
	}
	list_add_tail(&s->processes, &p->link);
	if (send_start(m, p) < 0)
		(void)kill(p->pid, SIGKILL);	/* it will be reaped */
	task_group_start(&m->group, process_control_task, p);
	task_group_start(&m->group, process_said_task, p);
	return p;
}

/* process_drain - no new clients; the present ones may stay for a while */
void
process_drain(struct process *p, uint32_t limit)
{
	struct msg_drain d = { limit };

	if (p->draining)
		return;
	p->draining = true;
	ignore(ipc_post(&p->control, &msg_drain_desc, &d));	/* else it ended */
}

/* process_stop - end within the limit */
void
process_stop(struct process *p, uint32_t limit)
{
	struct msg_stop s = { limit };

	p->draining = true;
	ignore(ipc_post(&p->control, &msg_stop_desc, &s));	/* else it ended */
}

/* --- after the end */

static struct process *
find_pid(struct list *processes, pid_t pid)
{
	LIST_EACH(processes, link) {
		struct process *p = CONTAINER_OF(link, struct process, link);

		if (p->pid == pid)
			return p;
	}
	return NULL;
}

static struct process *
find_process(struct master *m, pid_t pid)
{
	struct process *p = find_pid(&m->leaving, pid);

	LIST_EACH(&m->services, link)
		if (p == NULL)
			p = find_pid(&CONTAINER_OF(link, struct service,
			    link)->processes, pid);
	return p;
}

/* log_end - how it ended; true if that was a failure */
static bool
log_end(struct master *m, const struct process *p, int status)
{
	if (WIFSIGNALED(status)) {
		log_event(&m->log, EV_MASTER_CHILD_SIGNAL,
		    KV_TEXT("daemon", p->daemon->name),
		    KV_TEXT("service", p->service_name),
		    KV_INT("pid", p->pid), KV_INT("signal", WTERMSIG(status)));
		return true;
	}
	if (WEXITSTATUS(status) == 0 && (p->ready || p->draining))
		return false;
	log_event(&m->log, EV_MASTER_CHILD_EXIT,
	    KV_TEXT("daemon", p->daemon->name),
	    KV_TEXT("service", p->service_name),
	    KV_INT("pid", p->pid), KV_INT("status", WEXITSTATUS(status)));
	return true;
}

static struct service *
find_service(struct master *m, const char *name, const struct daemon_row *d)
{
	LIST_EACH(&m->services, link) {
		struct service *s = CONTAINER_OF(link, struct service, link);

		if (s->daemon == d && strcmp(s->name, name) == 0)
			return s;
	}
	return NULL;
}

struct restart {
	struct master			*master;
	const struct daemon_row		*daemon;
	char				*name;
	int64_t				 pause;
};

/* restart_task - start a failed daemon again after its pause */
static int
restart_task(struct task *t, void *arg)
{
	struct restart	*r = arg;
	struct service	*s;
	int		 e = task_sleep(t, r->pause);

	/* the configuration may have changed meanwhile: look it up again */
	s = find_service(r->master, r->name, r->daemon);
	if (s != NULL)
		s->restart_waits = false;
	if (e == 0 && s != NULL && !r->master->stopping)
		services_start(r->master);
	free(r->name);
	free(r);
	return e;
}

/* plan_restart - when to start it again */
static void
plan_restart(struct master *m, struct service *s, bool failed, int64_t age)
{
	struct restart *r;

	if (!failed || age > STABLE_AFTER)
		s->pause = 0;
	if (failed && s->pause > 0)
		s->pause = s->pause * 2 > m->params.service_throttle_time ?
		    m->params.service_throttle_time : s->pause * 2;
	else if (failed)
		s->pause = PAUSE_FIRST;
	s->not_before = loop_now(m->loop) + (failed ? s->pause : 0);
	if (failed && s->pause >= 10 * PAUSE_FIRST)
		log_event(&m->log, EV_MASTER_THROTTLE,
		    KV_TEXT("daemon", s->daemon->name),
		    KV_TEXT("service", s->name), KV_SPAN("pause", s->pause));
	if (s->restart_waits)
		return;
	s->restart_waits = true;
	r = NEW(struct restart);
	r->master = m;
	r->daemon = s->daemon;
	r->name = slice_dup(slice_of(s->name));
	r->pause = failed ? s->pause : 0;
	task_group_start(&m->group, restart_task, r);
}

/* tell_qmgr - of a process that has ended */
static void
tell_qmgr(struct master *m, const struct ipc_desc *desc, const void *msg)
{
	LIST_EACH(&m->services, link) {
		struct service *s = CONTAINER_OF(link, struct service, link);

		if (strcmp(s->daemon->name, "qmgr") != 0)
			continue;
		LIST_EACH(&s->processes, plink)
			ignore(ipc_post(&CONTAINER_OF(plink, struct process,
			    link)->control, desc, msg));
	}
}

/* say_end - what qmgr is to know of the end of a process: a cleanup that it
 * may wait for; who left clients without an answer */
static void
say_end(struct master *m, const struct process *p, bool failed)
{
	struct msg_peer_gone	gone = { p->number };
	struct msg_mishap	mishap = { loop_wall(m->loop) };
	bool			cleanup = strcmp(p->daemon->name, "cleanup") == 0;

	if (cleanup)
		tell_qmgr(m, &msg_peer_gone_desc, &gone);
	if (failed && (cleanup || strcmp(p->daemon->name, "smtpd") == 0))
		tell_qmgr(m, &msg_mishap_desc, &mishap);
}

/* reaped - one process has ended */
static void
reaped(struct master *m, struct process *p, int status)
{
	struct service	*s = p->service;
	int64_t		 age = (loop_wall(m->loop) - p->started) / 1000;
	bool		 failed = log_end(m, p, status);

	say_end(m, p, failed);
	list_remove(&p->link);
	p->service = NULL;
	p->pid = 0;
	/* its two tasks see the ends of the channel and the pipe; the one that
	 * comes last releases it */
	list_add_tail(&m->leaving, &p->link);
	signal_set(&m->changed);
	if (s != NULL && !m->stopping &&
	    (s->daemon->always || (failed && s->daemon->single)))
		plan_restart(m, s, failed, age);
	else if (s != NULL && failed) {
		s->pause = PAUSE_FIRST;
		s->not_before = loop_now(m->loop) + s->pause;
	}
	if (m->stopping && master_process_count(m) == 0)
		signal_set(&m->ended);
}

/* process_reap - collect all that have ended */
void
process_reap(struct master *m)
{
	pid_t	pid;
	int	status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct process *p = find_process(m, pid);

		if (p == NULL)
			log_event(&m->log, EV_MASTER_CHILD_ORPHAN,
			    KV_INT("pid", pid));
		else
			reaped(m, p, status);
	}
}

/* process_released - a task of a process has ended; the last one frees it */
void
process_released(struct process *p)
{
	if (p->pid == 0 && p->control.io.fd < 0 && p->said_fd < 0)
		process_free(p);
}

/* master_process_count - processes that have not ended */
size_t
master_process_count(struct master *m)
{
	size_t n = 0;

	LIST_EACH(&m->leaving, link)
		n += CONTAINER_OF(link, struct process, link)->pid != 0;
	LIST_EACH(&m->services, slink)
		LIST_EACH(&CONTAINER_OF(slink, struct service,
		    link)->processes, link)
			n += CONTAINER_OF(link, struct process, link)->pid != 0;
	return n;
}

/* --- choosing */

static size_t
serving_count(struct service *s)
{
	size_t n = 0;

	LIST_EACH(&s->processes, link)
		n += !CONTAINER_OF(link, struct process, link)->draining;
	return n;
}

/* wanted - how many processes a service is to have */
static size_t
wanted(struct master *m, const struct service *s)
{
	size_t limit = s->limit_default ?
	    (size_t)m->params.default_process_limit : s->limit;

	return s->daemon->single ? 1 :
	    size_min(limit, (size_t)m->params.master_service_processes);
}

/* services_start - start what is to run always and does not */
void
services_start(struct master *m)
{
	LIST_EACH(&m->services, link) {
		struct service *s = CONTAINER_OF(link, struct service, link);

		if (!s->daemon->always || s->restart_waits)
			continue;
		while (serving_count(s) < wanted(m, s))
			if (process_start(m, s) == NULL)
				break;
	}
}

/* service_pick - the least loaded process, started if there are too few */
struct process *
service_pick(struct master *m, struct service *s)
{
	struct process *best = NULL;

	if (serving_count(s) < wanted(m, s) &&
	    loop_now(m->loop) >= s->not_before && !m->stopping)
		(void)process_start(m, s);	/* or one of the others serves */
	LIST_EACH(&s->processes, link) {
		struct process *p = CONTAINER_OF(link, struct process, link);

		if (!p->draining && p->pid != 0 && ipc_is_open(&p->control) &&
		    (best == NULL || p->clients < best->clients))
			best = p;
	}
	if (best != NULL)
		best->clients++;	/* until it says its load itself */
	return best;
}

/* process_note_child - remember a child of a daemon, for barid ps */
void
process_note_child(struct process *p, uint32_t pid, struct slice name)
{
	struct child *c = NEW(struct child);

	c->pid = pid;
	(void)snprintf(c->name, sizeof(c->name), "%.*s", SLICE_ARG(name));
	list_init(&c->link);
	list_add_tail(&p->children, &c->link);
}

/* process_next_child - walk them, forgetting those that have ended */
bool
process_next_child(struct process *p, struct list **at, uint32_t *ret_pid,
    const char **ret_name)
{
	struct list *link = *at == NULL ? p->children.next : (*at)->next;

	while (link != &p->children) {
		struct child *c = CONTAINER_OF(link, struct child, link);
		struct list *next = link->next;

		if (kill((pid_t)c->pid, 0) == 0 || errno != ESRCH) {
			*at = link;
			*ret_pid = c->pid;
			*ret_name = c->name;
			return true;
		}
		list_remove(link);
		free(c);
		link = next;
	}
	return false;
}
