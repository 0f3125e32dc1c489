/* SPDX-License-Identifier: ISC */
/*
 * From exec to serving: take the start message from master, prepare, enter
 * the sandbox, say ready; then listen to master.
 *
 * Signals: master's word counts, so a terminal's interrupt is ignored, and the
 * end of the control channel means that master is gone.
 */
#include <assert.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "libglobal/daemon_events.h"
#include "libglobal/daemon_private.h"
#include "libglobal/daemons.h"
#include "libglobal/ipc_control.h"
#include "libglobal/sandbox_rows.h"
#include "libtask/loop.h"
#include "libtask/memfile.h"
#include "libtask/zone.h"
#include "libutil/alloc.h"
#include "libutil/conf.h"
#include "libutil/hash.h"

#define CONTROL_FD	3
#define CONF_MAX	((uint64_t)16 << 20)
#define HEAP_KEPT	(512 << 10)	/* bytes free at its end */

/* what master said at the start */
struct start {
	struct daemon		*daemon;
	struct arena		 arena;
	struct msg_start	*msg;
};

/* conf_take - the configuration in a sealed memory file. It holds master's
 * defaults, main.cf and the service's overrides; the daemon's own defaults go
 * under it when its table is loaded. */
static int
conf_take(int fd, struct conf **ret_conf)
{
	struct buf		b = BUF_INIT;
	enum memfile_kind	kind;
	uint64_t		size;
	int			r;

	if ((r = memfile_check(fd, CONF_MAX, &kind, &size)) == 0 &&
	    (r = memfile_read_buf(fd, 0, (size_t)size, &b)) == 0)
		r = conf_restore(buf_slice(&b), ret_conf);
	buf_free(&b);
	return r;
}

/* add_listener - keep a listening socket */
static void
add_listener(struct daemon *d, struct msg_listener *m)
{
	struct listener *l = NEW(struct listener);

	io_open(&l->io, d->loop, &m->fd);
	l->daemon = d;
	l->address = slice_dup(m->address);
	list_add_tail(&d->listeners, &l->link);
}

/* start_task - receive what master says until start */
static int
start_task(struct task *t, void *arg)
{
	struct start	*s = arg;
	struct ipc_in	 in;
	int		 r;

	while ((r = ipc_recv(t, &s->daemon->control, &s->arena, &in)) == 0) {
		if (in.desc->number == MSG_start) {
			s->msg = in.msg;
			return 0;
		}
		if (in.desc->number != MSG_listener)
			r = -EBADMSG;
		else
			add_listener(s->daemon, in.msg);
		ipc_in_done(&in);
		if (r < 0)
			break;
	}
	return r;
}

/* want_socket - ask master for a connection to a socket of the file system */
static int
want_socket(struct task *t, struct daemon *d, const char *path, int *ret_fd)
{
	struct msg_want_socket	 m = { slice_of(path) };
	struct msg_socket_end	*end;
	struct arena		 a = ARENA_INIT;
	void			*reply;
	int			 r;

	r = ipc_call(t, &d->control, &msg_want_socket_desc, &m,
	    &msg_socket_end_desc, &a, &reply);
	if (r == 0) {
		end = reply;
		*ret_fd = end->fd;
		if (end->fd < 0)
			r = end->error > 0 ? -(int)end->error : -ECONNREFUSED;
	}
	arena_free(&a);
	return r;
}

/* want - ask master for an edge */
static int
want(struct task *t, void *arg, const char *callee, int *ret_fd)
{
	struct daemon		*d = arg;
	struct msg_want_edge	 m = { slice_of(callee) };
	struct msg_edge_end	*end;
	struct arena		 a = ARENA_INIT;
	void			*reply;
	int			 r;

	if (strncmp(callee, "unix:", 5) == 0)
		return want_socket(t, d, callee + 5, ret_fd);
	r = ipc_call(t, &d->control, &msg_want_edge_desc, &m,
	    &msg_edge_end_desc, &a, &reply);
	if (r == 0) {
		end = reply;
		if (end->fd < 0)
			r = -ECONNREFUSED;
		else
			*ret_fd = end->fd;
	}
	arena_free(&a);
	return r;
}

/* reload - take a new configuration; master drains those that cannot */
static int
reload(struct task *t, struct daemon *d, struct msg_reload *m)
{
	struct conf	*conf = NULL;
	struct diag	 diag = DIAG_INIT;
	struct buf	 why = BUF_INIT;
	int		 r;

	if (d->spec->reload == NULL)
		return -EBADMSG;
	if ((r = conf_take(m->conf, &conf)) < 0 ||
	    (r = daemon_settings_load(d, conf, &diag)) < 0) {
		diag_format(&why, &diag);
		log_event(&d->log, EV_DAEMON_RELOAD, KV_STR("why",
		    buf_slice(&why)), KV_ERR("error", r));
		buf_free(&why);
		conf_free(&conf);
		return 0;
	}
	conf_free(&conf);
	daemon_renew_edges(d);
	return d->spec->reload(t, d);
}

/* limit_task - drained long enough: end whoever is left */
struct limit {
	struct daemon	*daemon;
	int64_t		 ms;
};

static int
limit_task(struct task *t, void *arg)
{
	struct limit	*l = arg;
	int		 r = task_sleep(t, l->ms);

	if (r == 0)
		daemon_end(l->daemon);
	free(l);
	return r;
}

static void
end_within(struct daemon *d, uint32_t ms)
{
	struct limit *l = NEW(struct limit);

	l->daemon = d;
	l->ms = ms;
	task_group_start(&d->group, limit_task, l);
}

/* on_control - one message of master */
static int
on_control(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct daemon		*d = arg;
	struct daemon_caller	 who;

	(void)c;
	(void)a;
	switch (in->desc->number) {
	case MSG_edge: {
		struct msg_edge *m = in->msg;

		who = (struct daemon_caller){ m->caller, m->service,
		    m->process, m->uid };
		daemon_add_caller(d, &m->fd, &who);
		return 0;
	}
	case MSG_listener: {
		struct msg_listener *m = in->msg;

		fd_close(&m->fd);	/* those come before start only */
		return 0;
	}
	case MSG_reload:
		return reload(t, d, in->msg);
	case MSG_drain:
		end_within(d, ((struct msg_drain *)in->msg)->limit);
		daemon_drain(d);
		return 0;
	case MSG_stop:
		d->stopping = true;
		end_within(d, ((struct msg_stop *)in->msg)->limit);
		daemon_drain(d);
		return 0;
	case MSG_peer_gone:
		if (d->peer_gone != NULL)
			d->peer_gone(d,
			    ((struct msg_peer_gone *)in->msg)->process);
		return 0;
	case MSG_mishap:
		if (d->mishap != NULL)
			d->mishap(d, ((struct msg_mishap *)in->msg)->when);
		return 0;
	default:
		return -EBADMSG;
	}
}

/* daemon_control_task - listen to master as long as there is one */
int
daemon_control_task(struct task *t, void *arg)
{
	struct daemon	*d = arg;
	int		 r = ipc_serve(t, &d->control, on_control, d);

	daemon_end(d);
	return r == -ECANCELED ? r : 0;
}

/* enter - become what the sandbox row says */
static int
enter(struct daemon *d, const struct msg_start *m, struct diag *diag)
{
	const char		 *name = d->spec->sandbox != NULL ?
				      d->spec->sandbox : d->spec->name;
	const struct sandbox_row *row = sandbox_row_find(slice_of(name));
	char			 *root = slice_dup(m->chroot);
	struct sandbox_request	  req = { .row = row, .uid = m->uid,
	    .gid = m->gid, .root = root[0] == '\0' ? NULL : root,
	    .root_fd = -1,
	    .extra_paths = d->allowed, .extra_count = d->allowed_count,
	    .keep_chroot = d->spec->keep_chroot };
	int			  r = 0;

	if (row == NULL)
		r = diag_set(diag, 0, 0, "%s has no sandbox row", name);
	else if (m->sandbox)
		r = sandbox_enter(&req, &d->sandbox, diag);
	free(root);
	return r;
}

static void
say_ready(struct daemon *d)
{
	struct buf		note = BUF_INIT_MAX(500);
	struct msg_ready	m = { .seccomp = d->sandbox.has_seccomp,
	    .landlock = (uint32_t)d->sandbox.landlock,
	    .chrooted = d->sandbox.has_root };

	sandbox_state_format(&note, &d->sandbox);
	m.note = buf_slice(&note);
	log_event(&d->log, EV_DAEMON_READY, KV_STR("note", m.note));
	ignore(ipc_post(&d->control, &msg_ready_desc, &m));	/* or it is gone */
	buf_free(&note);
}

/* set_up - from the start message to the sandbox */
static int
set_up(struct daemon *d, struct msg_start *m, struct diag *diag)
{
	struct conf	*conf = NULL;
	int		 r;

	(void)snprintf(d->service, sizeof(d->service), "%.*s",
	    SLICE_ARG(m->service));
	(void)snprintf(d->program, sizeof(d->program), "%.*s/%s",
	    SLICE_ARG(m->syslog_name), m->program.len > 0 ?
	    arena_text(&d->arena, m->program) : d->spec->name);
	d->process = m->process;
	d->peers = m->peers;
	daemon_log_start(d, &m->log, m->verbose);
	if ((r = conf_take(m->conf, &conf)) < 0)
		return diag_set(diag, 0, 0, "the configuration from master is "
		    "not whole");
	r = daemon_settings_load(d, conf, diag);
	conf_free(&conf);
	if (r < 0)
		return r;
	if (d->spec->prepare != NULL && (r = d->spec->prepare(d, diag)) < 0)
		return r;
	return enter(d, m, diag);
}

static int
serve_task(struct task *t, void *arg)
{
	say_ready(arg);
	return daemon_serve(t, arg);
}

static void
ignore_signals(void)
{
	static const int ignored[] = { SIGINT, SIGHUP, SIGPIPE, SIGTSTP,
	    SIGQUIT, SIGUSR1, SIGUSR2 };

	for (size_t i = 0; i < COUNT(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);	/* cannot fail for these */
}

/* explain - why a daemon cannot serve: master logs what it reads here */
static void
explain(const struct daemon *d, int r, const struct diag *diag)
{
	struct buf why = BUF_INIT;

	diag_format(&why, diag);
	fprintf(stderr, "%s: fatal: cannot start: %s\n", d->spec->name,
	    why.len > 0 ? buf_cstr(&why) : strerror(-r));
	buf_free(&why);
}

/* daemon_main - the whole life of a daemon's process */
int
daemon_main(int argc, char **argv, const struct daemon_spec *spec)
{
	struct loop_options	 o = { .workers = spec->workers };
	struct diag		 diag = DIAG_INIT;
	struct loop		*l;
	struct start		 s = { .arena = ARENA_INIT };
	uint64_t		 key[2];
	int			 fd = CONTROL_FD, r;

	(void)argv;
	assert(daemons_find(slice_of(spec->name))->reloads ==
	    (spec->reload != NULL));
	if (argc != 1 || fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC) < 0) {
		fprintf(stderr, "%s is started by Barid's master; see "
		    "barid-%s(8)\n", spec->name, spec->name);
		return 2;
	}
	ignore_signals();
	/* a buffer that comes and goes with each message is kept */
	(void)mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
	zone_load();
	l = loop_new(&o);
	loop_random(l, key, sizeof(key));
	hash_set_key(key[0], key[1]);
	s.daemon = daemon_new(l, spec, NULL, want, NULL, &diag);
	s.daemon->connect_arg = s.daemon;
	ipc_open(&s.daemon->control, l, &fd, &ipc_table_control, IPC_CALLEE);
	r = loop_run(l, start_task, &s);
	if (r == 0)
		r = set_up(s.daemon, s.msg, &diag);
	if (s.msg != NULL)
		ipc_close_fds(&msg_start_desc, s.msg);
	if (r == 0)
		r = loop_run(l, serve_task, s.daemon);
	else
		explain(s.daemon, r, &diag);
	daemon_free(&s.daemon);
	arena_free(&s.arena);
	loop_free(l);
	return r < 0 ? 1 : 0;
}
