/* SPDX-License-Identifier: ISC */
/* One task a process listens to its control channel, one to its standard
 * error. */
#include <signal.h>
#include <unistd.h>

#include "libglobal/ipc_control.h"
#include "libtask/stream.h"
#include "master/master.h"
#include "master/master_events.h"

#define SAID_LINE_MAX	2000

static int
on_want_edge(struct process *p, struct ipc_in *in)
{
	const struct msg_want_edge	*want = in->msg;
	struct msg_edge_end		 end = { -1, SLICE_EMPTY };
	const char			*why = "";
	int				 r;

	if (in->request == 0)
		return -EBADMSG;
	r = edge_make(p->master, slice_of(p->daemon->name),
	    slice_of(p->service_name), p->number, 0, want->callee, &end.fd, &why);
	end.why = slice_of(why);
	if (r == -EPERM)
		log_event(&p->master->log, EV_MASTER_EDGE_REFUSED,
		    KV_TEXT("caller", p->daemon->name),
		    KV_STR("callee", want->callee), KV_TEXT("why", why));
	r = ipc_reply(&p->control, in->request, &msg_edge_end_desc, &end);
	fd_close(&end.fd);
	return r;
}

/* on_want_socket - an LMTP server in the file system */
static int
on_want_socket(struct process *p, struct ipc_in *in)
{
	const struct msg_want_socket	*want = in->msg;
	struct msg_socket_end		 end = { -1, 0 };
	int				 r;

	if (in->request == 0)
		return -EBADMSG;
	r = socket_connect(p->master, p, want->path, &end.fd);
	if (r == -EPERM)
		log_event(&p->master->log, EV_MASTER_SOCKET_REFUSED,
		    KV_TEXT("caller", p->daemon->name),
		    KV_STR("path", want->path));
	end.error = r < 0 ? (uint32_t)-r : 0;
	r = ipc_reply(&p->control, in->request, &msg_socket_end_desc, &end);
	fd_close(&end.fd);
	return r;
}

static void
on_ready(struct process *p, const struct msg_ready *m)
{
	p->ready = true;
	signal_set(&p->master->changed);
	p->seccomp = m->seccomp;
	p->landlock = m->landlock;
	p->chrooted = m->chrooted;
	(void)snprintf(p->note, sizeof(p->note), "%.*s", SLICE_ARG(m->note));
}

/* on_message - one message of a daemon */
static int
on_message(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct process *p = arg;

	(void)t;
	(void)c;
	(void)a;
	switch (in->desc->number) {
	case MSG_ready:
		on_ready(p, in->msg);
		return 0;
	case MSG_want_edge:
		return on_want_edge(p, in);
	case MSG_want_socket:
		return on_want_socket(p, in);
	case MSG_load:
		p->clients = ((struct msg_load *)in->msg)->clients;
		return 0;
	case MSG_child: {
		struct msg_child *m = in->msg;

		process_note_child(p, m->pid, m->name);
		return 0;
	}
	default:
		return -EBADMSG;
	}
}

/* process_control_task - listen to a daemon */
int
process_control_task(struct task *t, void *arg)
{
	struct process	*p = arg;
	struct master	*m = p->master;
	int		 r = ipc_serve(t, &p->control, on_message, p);

	if (r == -EBADMSG) {
		log_event(&m->log, EV_MASTER_CONTROL,
		    KV_TEXT("daemon", p->daemon->name),
		    KV_TEXT("service", p->service_name),
		    KV_TEXT("why", ipc_error(&p->control)));
		if (p->pid != 0)
			(void)kill(p->pid, SIGKILL);
	}
	ipc_close(&p->control);
	process_released(p);
	return r == -ECANCELED ? r : 0;
}

/* process_said_task - log what a daemon writes to its standard error */
int
process_said_task(struct task *t, void *arg)
{
	struct process	*p = arg;
	struct stream	 s;
	struct slice	 line;
	int		 fd = p->said_fd, r;

	stream_open(&s, p->master->loop, &fd);
	do {
		r = stream_read_line(t, &s, SAID_LINE_MAX, &line);
		if (r == 0 && line.len > 0)
			log_event(&p->master->log, EV_MASTER_SAID,
			    KV_TEXT("daemon", p->daemon->name),
			    KV_STR("text", line));
	} while (r == 0 || r == -EMSGSIZE);
	stream_close(&s);
	p->said_fd = -1;
	process_released(p);
	return r == -ECANCELED ? r : 0;
}
