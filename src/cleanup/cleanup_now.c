/* SPDX-License-Identifier: ISC */
/*
 * Messages that are never queued (LMTP): tried while the client waits, and
 * each recipient's result is the client's, as the mailbox or the next hop gave
 * it. What is not finished in time is no affair of ours any more: the client
 * hears 4xx and tries again.
 */
#include "cleanup/cleanup.h"

/* answer - for one recipient; a success names our id, under which the log has
 * the rest of the story */
static void
answer(struct message *m, const struct msg_rcpt *r,
    const struct msg_rcpt_done *d)
{
	struct msg_rcpt_answer	*a = &m->answers[m->answer_count++];

	*a = (struct msg_rcpt_answer){ r->number, 451, S("4.3.0"),
	    S("Not finished in time, try again later") };
	if (d == NULL)
		return;
	a->code = d->code;
	a->enhanced = arena_dup(&m->arena, d->enhanced);
	a->text = d->code / 100 != 2 ? arena_dup(&m->arena, d->text) :
	    arena_printf(&m->arena, "%s %.*s", m->id.text,
	    (int)size_min(d->text.len, 900), d->text.data);
}

/* message_now - deliver it, or not */
void
message_now(struct task *t, struct message *m, struct status *ret_status)
{
	struct msg_envelope		*e = m->envelope;
	struct msg_queue_verdict	*v = NULL;
	struct arena			 a = ARENA_INIT;

	/* one answer for all, if qmgr gives none */
	*ret_status = status_make(451, "4.3.0",
	    "Temporary server error, try again later");
	m->unsure = true;
	if (message_offer(t, m, &a, &v) < 0) {
		message_forget(t, m);
		goto out;
	}
	m->unsure = v->adopted;
	if (v->in_flight) {
		*ret_status = flight_refusal();
		goto out;
	}
	m->answers = ARENA_ARRAY(&m->arena, struct msg_rcpt_answer,
	    e->rcpts.n);
	for (size_t i = 0; i < e->rcpts.n; i++)
		answer(m, &e->rcpts.v[i], verdict_of(v, i,
		    e->rcpts.v[i].number));
	if (v->adopted)
		message_forget(t, m);
	*ret_status = status_make(250, "2.0.0", "Ok");
out:
	arena_free(&a);
}
