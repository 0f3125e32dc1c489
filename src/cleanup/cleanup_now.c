/* SPDX-License-Identifier: ISC */
/*
 * Messages whose client hears of each recipient and keeps those that failed
 * for now (LMTP). They are tried while it waits, and each result is the
 * client's, as the mailbox or the next hop gave it.
 *
 * What a client has back comes again, to all that it named; so nothing that was
 * delivered may be given back, nor what may be delivered yet. An address may
 * stand for several recipients (an alias): one answer for all of them. So if
 * one of them was delivered, or an attempt is under way, the rest is committed,
 * and goes on from the queue. Those of several who are not on this host are not
 * even tried before that (qmgr puts them off): a mailbox knows a copy when it
 * comes, another host does not.
 */
#include "cleanup/cleanup.h"

/* is_given_back - some of those who were named as one failed for now, and
 * nobody has it, nor will */
static bool
is_given_back(const struct message *m, const struct msg_queue_verdict *v,
    size_t from, size_t count)
{
	bool later = false;

	for (size_t i = from; i < from + count; i++) {
		const struct msg_rcpt_done *d = verdict_of(v, i,
		    m->envelope->rcpts.v[i].number);

		if (d != NULL && (d->code / 100 == 2 || d->begun))
			return false;
		later |= d == NULL || (d->code / 100 != 5 && !d->put_off);
	}
	return later;
}

/* give - one recipient's answer; a success names our id, under which the log
 * has the rest of the story */
static void
give(struct message *m, const struct msg_rcpt *r,
    const struct msg_rcpt_done *d)
{
	struct msg_rcpt_answer	*a = &m->answers[m->answer_count++];

	*a = (struct msg_rcpt_answer){ r->number, 451, S("4.3.0"),
	    S("Not tried, because of others that are meant as well") };
	if (d == NULL || d->put_off)
		return;
	a->code = d->code;
	a->enhanced = arena_dup(&m->arena, d->enhanced);
	a->text = d->code / 100 != 2 ? arena_dup(&m->arena, d->text) :
	    arena_printf(&m->arena, "%s %.*s", m->id.text,
	    (int)size_min(d->text.len, 900), d->text.data);
}

/* give_all - the answers that are final; the envelope keeps the others, which
 * have none yet (code 0) */
static void
give_all(struct message *m, const struct msg_queue_verdict *v)
{
	struct msg_envelope	*e = m->envelope;
	size_t			 left = 0;

	m->answers = ARENA_ARRAY(&m->arena, struct msg_rcpt_answer,
	    e->rcpts.n);
	for (size_t i = 0, run; i < e->rcpts.n; i += run) {
		bool back;

		run = each_run(e, i);
		back = is_given_back(m, v, i, run);
		for (size_t k = i; k < i + run; k++) {
			const struct msg_rcpt	rcpt = e->rcpts.v[k];
			const struct msg_rcpt_done *d = verdict_of(v, k,
			    rcpt.number);

			if (back || d == NULL || d->code / 100 != 4) {
				give(m, &rcpt, d);
				continue;
			}
			m->answers[m->answer_count++] =
			    (struct msg_rcpt_answer){ .number = rcpt.number };
			e->rcpts.v[left++] = rcpt;
		}
	}
	e->rcpts.n = left;
}

/* any_later - is the client to come again? */
static bool
any_later(const struct message *m)
{
	for (size_t i = 0; i < m->answer_count; i++)
		if (m->answers[i].code / 100 == 4)
			return true;
	return false;
}

/* message_now - a result for each recipient; the queue has the rest */
void
message_now(struct task *t, struct message *m, struct status *ret_status)
{
	struct msg_queue_verdict	*v = NULL;
	struct arena			 a = ARENA_INIT;
	struct status			 queued;

	/* one answer for all, if qmgr gives none */
	*ret_status = status_make(451, "4.3.0",
	    "Temporary server error, try again later");
	m->unsure = true;
	if (message_offer(t, m, &a, &v) < 0) {
		message_forget(t, m);
		goto out;
	}
	m->unsure = false;
	if (v->in_flight) {
		*ret_status = flight_refusal();
		goto out;
	}
	give_all(m, v);
	if (m->envelope->rcpts.n > 0) {
		message_queue(t, m, v->adopted, &queued);
		each_rest(m, &queued);
	} else if (v->adopted) {
		message_forget(t, m);
	}
	m->unsure = v->adopted && any_later(m);
	*ret_status = status_make(250, "2.0.0", "Ok");
out:
	arena_free(&a);
}
