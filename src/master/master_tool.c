/* SPDX-License-Identifier: ISC */
/*
 * Tools connect to a socket that everybody can reach; the kernel says who they
 * are. Root and the mail owner may all; others what master itself answers
 * without harm (status), and, where two parameters allow it, to list the queue
 * and to ask for another attempt.
 */
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "libglobal/ipc_tool.h"
#include "libglobal/match.h"
#include "libtask/loop.h"
#include "libutil/alloc.h"
#include "libutil/conf.h"
#include "master/master.h"
#include "master/master_events.h"

#define TOOLS_MAX	64

struct tool {
	struct master	*master;
	uid_t		 uid;
	int		 fd;
};

/* is_admin - may this user do everything? */
static bool
is_admin(struct master *m, uid_t uid)
{
	const struct passwd	*owner;
	struct buf		 name = BUF_INIT;

	if (uid == 0 || uid == geteuid())
		return true;
	ignore(conf_get(m->conf, S("mail_owner"), &name, NULL)); /* default */
	owner = getpwnam(buf_cstr(&name));
	buf_free(&name);
	return owner != NULL && owner->pw_uid == uid;
}

/* fill_process - one line of ps */
static void
fill_process(struct msg_process *row, const struct process *p)
{
	*row = (struct msg_process){ .pid = (uint32_t)p->pid,
	    .service = slice_of(p->service_name),
	    .daemon = slice_of(p->daemon->name), .generation = p->generation,
	    .clients = p->clients, .started = p->started, .ready = p->ready,
	    .seccomp = p->seccomp, .landlock = p->landlock,
	    .chrooted = p->chrooted, .note = slice_of(p->note) };
}

struct rows {
	struct msg_process	*v;
	size_t			 n;
	size_t			 cap;
};

static struct msg_process *
add_row(struct rows *rows)
{
	if (rows->n == rows->cap) {
		rows->cap = rows->cap == 0 ? 64 : rows->cap * 2;
		rows->v = xreallocarray(rows->v, rows->cap, sizeof(rows->v[0]));
	}
	return &rows->v[rows->n++];
}

static void
add_rows(struct rows *rows, struct list *processes)
{
	LIST_EACH(processes, link) {
		struct process *p = CONTAINER_OF(link, struct process, link);
		struct list *at = NULL;
		const char *name;
		uint32_t pid;

		if (p->pid == 0)
			continue;
		fill_process(add_row(rows), p);
		while (process_next_child(p, &at, &pid, &name)) {
			struct msg_process *row = add_row(rows);

			fill_process(row, p);
			row->pid = pid;
			row->daemon = S("account");
			row->what = slice_of(name);
		}
	}
}

static int
answer_ps(struct master *m, struct ipc_conn *c, uint32_t request)
{
	struct msg_process	self = { .pid = (uint32_t)getpid(),
				    .service = S("master"), .daemon = S("master"),
				    .generation = m->generation, .ready = true };
	struct msg_tool_processes reply;
	struct rows		rows = { NULL, 0, 0 };
	int			r;

	*add_row(&rows) = self;
	LIST_EACH(&m->services, link)
		add_rows(&rows, &CONTAINER_OF(link, struct service,
		    link)->processes);
	add_rows(&rows, &m->leaving);
	reply.list.v = rows.v;
	reply.list.n = rows.n;
	r = ipc_reply(c, request, &msg_tool_processes_desc, &reply);
	free(rows.v);
	return r;
}

static int
answer_edge(struct master *m, struct ipc_conn *c, uint32_t request,
    const struct msg_tool_edge *ask, uid_t uid, struct slice caller)
{
	struct msg_tool_edge_end	end = { .fd = -1 };
	const char			*why = "";
	int				 r;

	ignore(edge_make(m, caller, caller, 0, (uint32_t)uid,
	    ask->callee, &end.fd, &why));	/* why says it */
	end.why = slice_of(why);
	r = ipc_reply(c, request, &msg_tool_edge_end_desc, &end);
	fd_close(&end.fd);
	return r;
}

/* is_listed - does the parameter name this user? An error is a no. */
static bool
is_listed(struct master *m, const char *param, struct slice text, uid_t uid)
{
	const struct passwd	*pw = getpwuid(uid);
	struct match_list	*l = NULL;
	struct diag		 diag = DIAG_INIT;
	int			 r;

	if (slice_equal(text, S("static:anyone")))
		return true;
	r = match_list_open(text, MATCH_STRINGS, 0, &diag, &l);
	if (r == 0)
		r = match_list_find(l, slice_of(pw == NULL ? "unknown" :
		    pw->pw_name));
	if (r < 0)
		log_event(&m->log, EV_MASTER_USERS, KV_TEXT("parameter", param),
		    KV_ERR("why", r));
	match_list_close(&l);
	return r > 0;
}

/* purpose_of - what a user who is no administrator may do with qmgr: the
 * caller's name in edges.def, or empty */
static struct slice
purpose_of(struct master *m, const struct msg_tool_edge *ask, uid_t uid)
{
	if (!slice_equal(ask->callee, S("qmgr")))
		return SLICE_EMPTY;
	if (slice_equal(ask->purpose, S("mailq")) &&
	    is_listed(m, "authorized_mailq_users",
	    m->params.authorized_mailq_users, uid))
		return S("mailq");
	if (slice_equal(ask->purpose, S("flush")) &&
	    is_listed(m, "authorized_flush_users",
	    m->params.authorized_flush_users, uid))
		return S("flush");
	return SLICE_EMPTY;
}

static int
answer_done(struct ipc_conn *c, uint32_t request, bool ok, struct slice text)
{
	struct msg_tool_done done = { ok, slice_sub(text, 0, 2000) };

	return ipc_reply(c, request, &msg_tool_done_desc, &done);
}

static int
answer_reload(struct master *m, struct ipc_conn *c, uint32_t request)
{
	struct diag	diag = DIAG_INIT;
	struct buf	text = BUF_INIT;
	int		r = master_reload(m, &diag);

	diag_format(&text, &diag);
	r = answer_done(c, request, r == 0, buf_slice(&text));
	buf_free(&text);
	return r;
}

/* answer_status - which services are not ready? */
static int
answer_status(struct master *m, struct ipc_conn *c, uint32_t request)
{
	struct buf	text = BUF_INIT_MAX(2000);
	int		r;

	services_missing(m, &text);
	r = answer_done(c, request, text.len == 0, buf_slice(&text));
	buf_free(&text);
	return r;
}

/* refuse - the answer to who may not ask this */
static int
refuse(struct ipc_conn *c, const struct ipc_in *in)
{
	static const struct slice	 why =
	    S_INIT("only root and the mail owner may do this");
	struct msg_tool_edge_end	 end = { .fd = -1, .why = why,
					     .refused = true };
	struct msg_tool_processes	 none = { { NULL, 0 } };

	if (in->desc->number == MSG_tool_edge)
		return ipc_reply(c, in->request, &msg_tool_edge_end_desc, &end);
	if (in->desc->number == MSG_tool_ps)	/* nobody runs: not even master */
		return ipc_reply(c, in->request, &msg_tool_processes_desc,
		    &none);
	return answer_done(c, in->request, false, why);
}

/* on_tool - one question of a tool */
static int
on_tool(struct task *t, struct ipc_conn *c, struct ipc_in *in, struct arena *a,
    void *arg)
{
	struct tool	*tool = arg;
	struct slice	 purpose = SLICE_EMPTY;

	(void)t;
	(void)a;
	if (in->request == 0)
		return -EBADMSG;
	if (in->desc->number == MSG_tool_status)
		return answer_status(tool->master, c, in->request);
	if (!is_admin(tool->master, tool->uid)) {
		if (in->desc->number == MSG_tool_edge)
			purpose = purpose_of(tool->master, in->msg, tool->uid);
		if (purpose.len > 0)
			return answer_edge(tool->master, c, in->request,
			    in->msg, tool->uid, purpose);
		log_event(&tool->master->log, EV_MASTER_TOOL_REFUSED,
		    KV_INT("uid", tool->uid), KV_TEXT("what", in->desc->name));
		return refuse(c, in);
	}
	switch (in->desc->number) {
	case MSG_tool_edge:
		return answer_edge(tool->master, c, in->request, in->msg,
		    tool->uid, S("tool"));
	case MSG_tool_ps:
		return answer_ps(tool->master, c, in->request);
	case MSG_tool_reload:
		return answer_reload(tool->master, c, in->request);
	case MSG_tool_stop:
		master_end(tool->master, "barid stop");
		return answer_done(c, in->request, true, S(""));
	default:
		return -EBADMSG;
	}
}

static int
tool_task(struct task *t, void *arg)
{
	struct tool	*tool = arg;
	struct ipc_conn	 c;
	int		 r;

	ipc_open(&c, tool->master->loop, &tool->fd, &ipc_table_tool, IPC_CALLEE);
	r = ipc_serve(t, &c, on_tool, tool);
	ipc_close(&c);
	free(tool);
	return r == -ECANCELED ? r : 0;
}

/* tool_accept_task - accept tools */
int
tool_accept_task(struct task *t, void *arg)
{
	struct master		*m = arg;
	struct io		 io = IO_INIT;
	struct task_group	 tools;
	struct sockaddr_storage	 peer;
	int			 fd, r = 0, end;

	io_open(&io, m->loop, &m->public_fd);
	task_group_begin(t, &tools);
	while (r == 0 && (r = task_group_wait(t, &tools, TOOLS_MAX)) == 0 &&
	    (r = io_accept(t, &io, &fd, &peer)) == 0) {
		struct ucred cred;
		socklen_t len = sizeof(cred);
		struct tool *tool;

		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0) {
			fd_close(&fd);
			continue;
		}
		tool = NEW(struct tool);
		tool->master = m;
		tool->uid = cred.uid;
		tool->fd = fd;
		task_group_start(&tools, tool_task, tool);
	}
	task_group_cancel(&tools);
	end = task_group_end(t, &tools);
	io_close(&io);
	return r < 0 ? r : end;
}
