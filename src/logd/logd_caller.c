/* SPDX-License-Identifier: ISC */
/*
 * One daemon's edge. What it says of itself (program, pid) is bound once, by
 * its first message, so a daemon that was taken over cannot speak for others.
 */
#include "libglobal/ipc_log.h"
#include "libutil/log_wire.h"
#include "logd/logd.h"
#include "logd/logd_events.h"

struct speaker {
	struct sink	*sink;
	struct daemon	*daemon;
	char		 program[130];
	uint32_t	 pid;
	bool		 lends;		/* qmgr: see as_agent */
	bool		 said_hello;
};

/* as_agent - qmgr does the work of two agents, whose names log tools look for;
 * it may write as them, and as nobody else */
static struct slice
as_agent(const struct speaker *s, const struct log_record *record,
    struct arena *a)
{
	const struct kv	*agent = log_record_get(record, LOG_AGENT);
	struct slice	 own = slice_of(s->program);
	size_t		 slash = slice_find_last(own, '/');

	if (!s->lends || agent == NULL || agent->type != KV_TYPE_STR ||
	    slash == SLICE_NONE ||
	    (!slice_equal(agent->value.s, S("error")) &&
	    !slice_equal(agent->value.s, S("discard"))))
		return own;
	return arena_printf(a, "%.*s/%.*s", (int)slash, own.data,
	    SLICE_ARG(agent->value.s));
}

static void
on_line(struct speaker *s, const struct msg_log_line *m, struct arena *a)
{
	struct log_record record;

	if (log_record_decode(a, m->record, &record) < 0) {
		log_event(daemon_log(s->daemon), EV_LOGD_BAD_RECORD,
		    KV_TEXT("program", s->program));
		return;
	}
	record.program = as_agent(s, &record, a);
	record.pid = (pid_t)s->pid;
	sink_add(s->sink, &record);
}

static int
on_message(struct task *t, struct ipc_conn *c, struct ipc_in *in,
    struct arena *a, void *arg)
{
	struct speaker *s = arg;

	(void)t;
	(void)c;
	if (in->desc->number == MSG_log_hello) {
		struct msg_log_hello *m = in->msg;

		if (s->said_hello)
			return -EBADMSG;
		s->said_hello = true;
		s->pid = m->pid;
		(void)snprintf(s->program, sizeof(s->program), "%.*s",
		    SLICE_ARG(m->syslog_name));
		return 0;
	}
	if (!s->said_hello)
		return -EBADMSG;
	if (in->desc->number == MSG_log_lost)
		log_event(daemon_log(s->daemon), EV_LOGD_LOST,
		    KV_TEXT("program", s->program), KV_UINT("count",
		    ((struct msg_log_lost *)in->msg)->count));
	else
		on_line(s, in->msg, a);
	return 0;
}

/* caller_serve - write down what one daemon says */
int
caller_serve(struct task *t, struct daemon *d, int *fd_take,
    const struct daemon_caller *who)
{
	struct speaker	s = { .sink = daemon_data(d), .daemon = d };
	struct ipc_conn	c;
	int		r;

	s.lends = slice_equal(who->daemon, S("qmgr"));
	ipc_open(&c, daemon_loop(d), fd_take, &ipc_table_log, IPC_CALLEE);
	r = ipc_serve(t, &c, on_message, &s);
	daemon_caller_close(who, &c);
	return r;
}
