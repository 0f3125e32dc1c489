/* SPDX-License-Identifier: ISC */
/*
 * master: reads the configuration, listens, starts the daemons and connects
 * them with each other. The only process that stays root. See barid-master(8).
 */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libtask/loop.h"
#include "libutil/alloc.h"
#include "libutil/conf.h"
#include "libutil/hash.h"
#include "master/master.h"
#include "master/master_events.h"
#include "master/master_limits.h"

/* master_reload - read the configuration again; the old one stays if it is
 * not whole */
int
master_reload(struct master *m, struct diag *diag)
{
	struct buf	why = BUF_INIT;
	int		r;

	notify_reload(m);
	r = master_configure(m, diag);
	m->reload_failed = r < 0;
	if (r == 0) {
		services_start(m);
		log_event(&m->log, EV_MASTER_RELOAD,
		    KV_TEXT("version", BARID_VERSION),
		    KV_TEXT("config", m->config_directory));
		return 0;
	}
	diag_format(&why, diag);
	log_event(&m->log, EV_MASTER_RELOAD_FAILED,
	    KV_STR("why", buf_slice(&why)));
	buf_free(&why);
	return r;
}

/* stop_all - ask every process to end */
static void
stop_all(struct master *m)
{
	uint32_t limit = (uint32_t)m->params.master_stop_limit;

	LIST_EACH(&m->services, slink)
		LIST_EACH(&CONTAINER_OF(slink, struct service,
		    link)->processes, link)
			process_stop(CONTAINER_OF(link, struct process, link),
			    limit);
	LIST_EACH(&m->leaving, link)
		process_stop(CONTAINER_OF(link, struct process, link), limit);
}

/* master_end - the suite is to stop */
void
master_end(struct master *m, const char *why)
{
	if (m->stopping)
		return;
	log_event(&m->log, EV_MASTER_STOP, KV_TEXT("why", why));
	m->stopping = true;
	m->end_reason = why;
	signal_set(&m->changed);
	stop_all(m);
	if (master_process_count(m) == 0)
		signal_set(&m->ended);
}

/* signals_task - children, reload, end */
static int
signals_task(struct task *t, void *arg)
{
	struct master			*m = arg;
	struct io			 io = IO_INIT;
	struct signalfd_siginfo		 s;
	struct diag			 diag;
	ssize_t				 n;

	io_open(&io, m->loop, &m->signal_fd);
	while ((n = io_read(t, &io, &s, sizeof(s))) == (ssize_t)sizeof(s)) {
		switch (s.ssi_signo) {
		case SIGCHLD:
			process_reap(m);
			break;
		case SIGHUP:
			diag = (struct diag)DIAG_INIT;
			ignore(master_reload(m, &diag));	/* logged */
			break;
		default:
			master_end(m, s.ssi_signo == SIGINT ?
			    "interrupted" : "signal 15");
			break;
		}
	}
	io_close(&io);
	return n < 0 ? (int)n : 0;
}

/* kill_all - whoever did not end in time */
static void
kill_list(struct list *processes)
{
	LIST_EACH(processes, link) {
		struct process *p = CONTAINER_OF(link, struct process, link);

		if (p->pid != 0)
			(void)kill(p->pid, SIGKILL);
	}
}

static void
kill_all(struct master *m)
{
	LIST_EACH(&m->services, link)
		kill_list(&CONTAINER_OF(link, struct service, link)->processes);
	kill_list(&m->leaving);
}

/* wait_for_end - until the suite was stopped and its processes are gone */
static int
wait_for_end(struct task *t, struct master *m)
{
	struct deadline	d;
	int		r = 0;

	while (r == 0 && !m->stopping)
		r = signal_wait(t, &m->ended);
	deadline_begin(t, &d, m->params.master_stop_limit + 500);
	while (r == 0 && master_process_count(m) > 0)
		r = signal_wait(t, &m->ended);
	r = deadline_end(t, &d, r);
	if (r == -ETIMEDOUT) {
		kill_all(m);
		r = 0;
	}
	return r;
}

static int
main_task(struct task *t, void *arg)
{
	struct master	*m = arg;
	int		 r, end;

	task_group_begin(t, &m->group);
	master_log_start(m);
	task_group_start(&m->group, signals_task, m);
	task_group_start(&m->group, tool_accept_task, m);
	log_event(&m->log, EV_MASTER_START, KV_TEXT("version", BARID_VERSION),
	    KV_TEXT("config", m->config_directory));
	services_start(m);
	task_group_start(&m->group, notify_task, m);
	r = wait_for_end(t, m);
	task_group_cancel(&m->group);
	end = task_group_end(t, &m->group);
	ipc_close(&m->log_conn);
	return r < 0 ? r : end == -ECANCELED ? 0 : end;
}

/* block_signals - they come through a descriptor from now on */
static int
block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* lock - one master for a queue; the lock file holds the process id */
static int
lock(struct master *m, struct diag *diag)
{
	struct slice	path = arena_printf(&m->arena, "%s/master.pid",
			    master_path(m, "queue_directory"));
	struct flock	l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int		fd = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	char		text[16];
	int		n = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	if (fd < 0 || fcntl(fd, F_SETLK, &l) < 0)
		return diag_set(diag, 0, 0, "%s: %s", path.data, errno ==
		    EAGAIN || errno == EACCES ? "Barid runs already" :
		    strerror(errno));
	if (ftruncate(fd, 0) < 0 || write(fd, text, (size_t)n) != n)
		return diag_set(diag, 0, 0, "cannot write %s: %s", path.data,
		    strerror(errno));
	return 0;	/* kept open for the life of the process */
}

/* set_up - everything before the loop */
static int
set_up(struct master *m, struct diag *diag)
{
	struct slice	public;
	int		r;

	if ((r = master_configure_paths(m, diag)) < 0 ||
	    (r = layout_make(m, diag)) < 0 || (r = lock(m, diag)) < 0 ||
	    (r = master_configure(m, diag)) < 0)
		return r;
	public = arena_printf(&m->arena, "%s/public/master",
	    master_path(m, "queue_directory"));
	return listen_public(m, public.data, 0666, &m->public_fd, diag);
}

static void
usage(void)
{
	fprintf(stderr, "usage: master [-c config_directory] [-n]\n"
	    "  -n  without sandboxes: for the drill that proves them only\n");
	exit(2);
}

static void
parse_options(int argc, char **argv, struct master *m)
{
	int c;

	while ((c = getopt(argc, argv, "c:n")) != -1) {
		if (c == 'c')
			m->config_directory = optarg;
		else if (c == 'n')
			m->sandbox = false;
		else
			usage();
	}
	if (optind != argc)
		usage();
}

/* master_new - a master that has read nothing yet */
static struct master *
master_new(void)
{
	struct loop_options	 o = { .workers = 1 };
	struct master		*m = NEW(struct master);
	uint64_t		 key[2];

	m->config_directory = BARID_CONFIG_DIRECTORY;
	m->notify_socket = getenv("NOTIFY_SOCKET");
	m->public_fd = m->log_conn.io.fd = -1;
	m->sandbox = true;
	m->loop = loop_new(&o);
	loop_random(m->loop, key, sizeof(key));
	hash_set_key(key[0], key[1]);
	list_init(&m->services);
	list_init(&m->leaving);
	log_init(&m->log, NULL);
	return m;
}

/* master_free - release what is left when no process is */
static void
master_free(struct master *m)
{
	struct list *link;

	while ((link = list_take_head(&m->services)) != NULL)
		service_free(CONTAINER_OF(link, struct service, link));
	processes_free(&m->leaving);
	fd_close(&m->public_fd);
	conf_free(&m->conf);
	conf_free(&m->defaults);
	arena_free(&m->arena);
	loop_free(m->loop);
	free(m);
}

static void
complain(const struct diag *diag)
{
	struct buf why = BUF_INIT;

	diag_format(&why, diag);
	fprintf(stderr, "master: fatal: %s\n", buf_cstr(&why));
	buf_free(&why);
}

int
main(int argc, char **argv)
{
	struct diag	 diag = DIAG_INIT;
	struct master	*m = master_new();
	int		 r;

	parse_options(argc, argv, m);
	(void)umask(022);
	master_raise_limits();
	m->signal_fd = block_signals();
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	if ((r = set_up(m, &diag)) == 0)
		r = loop_run(m->loop, main_task, m);
	else
		complain(&diag);
	master_free(m);
	return r < 0 ? 1 : 0;
}
