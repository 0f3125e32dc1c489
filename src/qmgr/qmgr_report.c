/* SPDX-License-Identifier: ISC */
/*
 * What is told of recipients, and to whom: bounce writes the reports. An
 * innocent whose address a stranger used as sender must never get one.
 */
#include <stdlib.h>

#include "libglobal/ipc_map.h"
#include "libutil/alloc.h"
#include "qmgr/qmgr.h"
#include "qmgr/qmgr_events.h"

enum { NOTIFY_NEVER = 1, NOTIFY_SUCCESS = 2, NOTIFY_FAILURE = 4,
    NOTIFY_DELAY = 8 };
#define BOUNCE_LIMIT	60000	/* ms */

/* wants - is this kind of report due for the recipient? (RFC 3461 4.1) */
static bool
wants(const struct msg_rcpt *r, enum report_kind kind)
{
	if (kind == REPORT_HELD)
		return true;	/* the sender is not asked */
	if ((r->notify & NOTIFY_NEVER) != 0)
		return false;
	if (kind == REPORT_SUCCESS)
		return (r->notify & NOTIFY_SUCCESS) != 0;
	if (kind == REPORT_DELAY)
		return r->notify == 0 || (r->notify & NOTIFY_DELAY) != 0;
	return r->notify == 0 || (r->notify & NOTIFY_FAILURE) != 0;
}

/* wants_success - is any recipient's success to be reported? */
bool
wants_success(const struct msg_envelope *e)
{
	for (size_t i = 0; i < e->rcpts.n; i++)
		if (wants(&e->rcpts.v[i], REPORT_SUCCESS))
			return true;
	return false;
}

/* is_ours - is the client in mynetworks? Not known is no */
static int
is_ours(struct task *t, struct qmessage *m)
{
	struct msg_map_client	 ask = { m->envelope->client_address,
				     m->envelope->client_name };
	struct arena		 a = ARENA_INIT;
	void			*reply;
	bool			 ours = false;
	int			 r;

	r = edge_call_again(t, daemon_edge(m->qmgr->daemon, "mapd",
	    &ipc_table_map), &msg_map_client_desc, &ask,
	    &msg_map_client_is_desc, &a, &reply);
	if (r == 0)
		ours = ((struct msg_map_client_is *)reply)->trusted;
	arena_free(&a);
	return r == -ECANCELED ? r : ours;
}

/* may_report - may the sender be written to, or could it be an innocent? */
int
may_report(struct task *t, struct qmessage *m)
{
	const struct msg_envelope *e = m->envelope;

	/* verified, logged in, or from this host */
	if (e->sender_authenticated == 1 || e->login.len > 0 ||
	    e->client_address.len == 0)
		return 1;
	/* nobody to tell: what a stranger sent must not be dropped for that */
	if (e->sender_authenticated == 2 || e->sender.len == 0)
		return 0;
	return is_ours(t, m);
}

struct report {
	struct msg_rcpt		*rcpts;
	struct msg_rcpt_result	*results;
	size_t			 n;
};

static void
add(struct report *rep, const struct qmessage *m, size_t i)
{
	const struct rcpt_state *s = &m->rcpts[i];

	rep->rcpts[rep->n] = m->envelope->rcpts.v[i];
	rep->results[rep->n++] = (struct msg_rcpt_result){
	    .number = m->envelope->rcpts.v[i].number, .code = s->code,
	    .enhanced = s->enhanced, .text = s->text, .relay = s->relay,
	    .remote = s->remote };
}

/* report - have a report made for recipients of that fate */
int
report(struct task *t, struct qmessage *m, enum report_kind kind,
    enum fate fate, int64_t expires)
{
	size_t			 n = m->envelope->rcpts.n;
	struct report		 rep = { NEW_ARRAY(struct msg_rcpt, n),
				     NEW_ARRAY(struct msg_rcpt_result, n), 0 };
	struct msg_envelope	 e = *m->envelope;
	struct msg_bounce_ask	 ask = { .kind = kind, .expires = expires };
	struct msg_bounce_result *res;
	struct buf		 packed = BUF_INIT;
	struct arena		 a = ARENA_INIT;
	struct deadline		 d;
	void			*reply;
	int			 r = 0;

	for (size_t i = 0; i < n; i++)
		if (m->rcpts[i].fate == fate &&
		    wants(&m->envelope->rcpts.v[i], kind) &&
		    (kind != REPORT_SUCCESS || !m->rcpts[i].dsn_relayed))
			add(&rep, m, i);
	if (rep.n == 0 || (e.sender.len == 0 && kind != REPORT_HELD))
		goto out;	/* nobody to tell (RFC 5321 4.5.5) */
	e.rcpts.v = rep.rcpts;
	e.rcpts.n = rep.n;
	ask.results.v = rep.results;
	ask.results.n = rep.n;
	if ((r = qmessage_open(t, m)) < 0 ||
	    (r = ipc_pack(&msg_envelope_desc, &e, &packed)) < 0)
		goto out;
	ask.envelope = buf_slice(&packed);
	ask.content = m->content_fd;
	deadline_begin(t, &d, BOUNCE_LIMIT);
	r = edge_call(t, daemon_edge(m->qmgr->daemon, "bounce",
	    &ipc_table_bounce), &msg_bounce_ask_desc, &ask,
	    &msg_bounce_result_desc, &a, &reply);
	r = deadline_end(t, &d, r);
	if (r == 0) {
		res = reply;
		r = res->ok ? 0 : -EAGAIN;
	}
	if (r < 0 && r != -ECANCELED)
		log_event(daemon_log(m->qmgr->daemon), EV_QMGR_BOUNCE_FAILED,
		    KV_STR("queue_id", queue_id_text(&m->id)),
		    KV_ERR("why", r));
out:
	buf_free(&packed);
	arena_free(&a);
	free(rep.rcpts);
	free(rep.results);
	return r;
}
