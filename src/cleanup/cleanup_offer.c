/* SPDX-License-Identifier: ISC */
/*
 * Through mode's talk with qmgr: the offer of a message that is in no slot,
 * the verdict on its recipients, and that an offer is over.
 */
#include "cleanup/cleanup.h"

#define FORGET_LIMIT	5000	/* ms */

/* message_offer - ask qmgr to deliver it now */
int
message_offer(struct task *t, struct message *m, struct arena *a,
    struct msg_queue_verdict **ret_verdict)
{
	struct msg_queue_offer	 o = { .offset = 0,
				    .limit = (uint32_t)m->p->through_time_limit,
				    .now = m->now };
	struct buf		 envelope = BUF_INIT;
	void			*reply;
	int			 r;

	if ((r = message_seal(m)) < 0)
		return r;
	if (m->now)
		o.limit = (uint32_t)m->p->through_lmtp_time_limit;
	if ((r = ipc_pack(&msg_envelope_desc, m->envelope, &envelope)) == 0) {
		o.envelope = buf_slice(&envelope);
		o.content = message_fd(m);
		m->offered = true;
		o.flight = m->flight;
		r = edge_call(t, m->cleanup->qmgr, &msg_queue_offer_desc, &o,
		    &msg_queue_verdict_desc, a, &reply);
	}
	if (r == 0)
		*ret_verdict = reply;
	buf_free(&envelope);
	return r;
}

/* verdict_of - of one recipient; qmgr answers in the order of the offer */
const struct msg_rcpt_done *
verdict_of(const struct msg_queue_verdict *v, size_t place, uint32_t number)
{
	if (place < v->rcpts.n && v->rcpts.v[place].number == number)
		return &v->rcpts.v[place];
	for (size_t i = 0; i < v->rcpts.n; i++)
		if (v->rcpts.v[i].number == number)
			return &v->rcpts.v[i];
	return NULL;
}

/* message_forget - it was offered, and is not committed */
void
message_forget(struct task *t, const struct message *m)
{
	struct msg_queue_forget	forget = { queue_id_text(&m->id) };
	struct deadline		d;
	int			r;

	if (!m->offered)
		return;
	/* gone: then nothing is to be forgotten; too slow: it does so itself */
	deadline_begin(t, &d, FORGET_LIMIT);
	r = edge_send(t, m->cleanup->qmgr, &msg_queue_forget_desc, &forget);
	ignore(deadline_end(t, &d, r));
}
