/* SPDX-License-Identifier: ISC */
/*
 * The decision about a complete message. Through mode: offer it to qmgr, and
 * give the client the true result; what is left unfinished is committed first.
 * Queue mode: commit. "Ok" is said only when the message is in a mailbox, at
 * the next hop, or in a slot that was flushed.
 */
#include "cleanup/cleanup.h"

#include "cleanup/cleanup_events.h"

/* keep_unfinished - the envelope keeps who is not delivered; how many of all
 * were delivered and how many refused for good? */
static void
keep_unfinished(struct message *m, const struct msg_queue_verdict *v,
    size_t *ret_delivered, const struct msg_rcpt_done **ret_refused,
    size_t *ret_refused_count)
{
	size_t n = 0;

	*ret_delivered = *ret_refused_count = 0;
	for (size_t i = 0; i < m->envelope->rcpts.n; i++) {
		const struct msg_rcpt *r = &m->envelope->rcpts.v[i];
		const struct msg_rcpt_done *d = verdict_of(v, i, r->number);

		if (d != NULL && d->code / 100 == 2) {
			(*ret_delivered)++;
			continue;
		}
		if (d != NULL && d->code / 100 == 5) {
			(*ret_refused_count)++;
			*ret_refused = d;
		}
		m->envelope->rcpts.v[n++] = *r;
	}
	m->envelope->rcpts.n = n;
}

/* through - the true result, or the queue for what is not finished */
static void
through(struct task *t, struct message *m, struct status *ret_status)
{
	const struct msg_rcpt_done	*refused = NULL;
	struct msg_queue_verdict	*v = NULL;
	struct status_code		 code = { 0, 0, 0 };
	struct arena			 a = ARENA_INIT;
	size_t				 all = m->envelope->rcpts.n;
	size_t				 delivered, refused_count, told;
	int				 r = message_offer(t, m, &a, &v);

	if (r < 0) {
		m->unsure = true;
		/* what qmgr did before it broke is not known here. It goes
		 * on from there, if it lives; if it does not, the delivery ids
		 * keep a mailbox from getting it twice */
		if (r == -ECANCELED)
			*ret_status = status_make(451, "4.3.2",
			    "Shutting down, try again later");
		else
			message_queue(t, m, false, ret_status);
		goto out;
	}
	if (v->in_flight) {
		*ret_status = flight_refusal();
		goto out;
	}
	told = m->each ? each_answer(m, v, &refused) : 0;
	keep_unfinished(m, v, &delivered, &refused, &refused_count);
	if (delivered > 0 && m->envelope->rcpts.n == 0) {
		if (v->adopted)
			message_forget(t, m);
		*ret_status = status_make(250, "2.0.0", "Ok: delivered as %s",
		    m->id.text);
	} else if (refused_count + told == all && !v->adopted) {
		ignore(status_code_parse(refused->enhanced, &code));
		*ret_status = status_of(refused->code, code, refused->text);
	} else {
		m->unsure = delivered > 0 || v->adopted;
		message_queue(t, m, v->adopted, ret_status);
	}
	each_rest(m, ret_status);
out:
	if (status_is_ok(ret_status))
		m->unsure = false;
	arena_free(&a);
}

/* decide - what is to become of it */
static void
decide(struct task *t, struct message *m, struct status *ret_status)
{
	if (!flight_begin(t, m))
		*ret_status = flight_refusal();
	else if (m->now)
		message_now(t, m, ret_status);
	else if (m->through)
		through(t, m, ret_status);
	else
		message_queue(t, m, false, ret_status);
	flight_end(m, status_is_ok(ret_status));
	if (m->unsure)
		doubt_tell_of(m);
}

/* say_not_accepted - after a failed attempt to deliver it the log would end
 * with "deferred" */
static void
say_not_accepted(struct message *m, const struct status *s)
{
	struct buf reply = BUF_INIT;

	status_format(&reply, s);
	log_event(&m->log, EV_CLEANUP_NOT_ACCEPTED,
	    KV_STR("reply", buf_slice(&reply)));
	buf_free(&reply);
}

/* message_finish - decide and carry out */
void
message_finish(struct task *t, struct message *m, struct status *ret_status)
{
	int r;

	if (m->too_large) {
		*ret_status = status_make(552, "5.3.4",
		    "Error: message file too big");
		return;
	}
	if ((r = m->failure) == 0 && (r = message_complete(m)) == 0) {
		r = message_dress(t, m, ret_status);
		if (r == -ELOOP) {
			log_event(&m->log, EV_CLEANUP_REFUSED, KV_STR("why",
			    status_text(ret_status)));
			return;
		}
	}
	if (r == -ENOSPC || r == -EDQUOT)
		*ret_status = status_make(452, "4.3.1",
		    "Insufficient system storage");
	else if (r == -ECANCELED)
		*ret_status = status_make(451, "4.3.2",
		    "Shutting down, try again later");
	else if (r < 0)
		*ret_status = status_make(451, "4.3.0",
		    "Error: queue file write error");
	else
		decide(t, m, ret_status);
	if (status_is_temporary(ret_status))
		say_not_accepted(m, ret_status);
}
