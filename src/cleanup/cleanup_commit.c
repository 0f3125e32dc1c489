/* SPDX-License-Identifier: ISC */
/*
 * The decision about a complete message. Through mode: offer it to qmgr, and
 * give the client the true result; what is left unfinished is committed first.
 * Queue mode: commit. "Ok" is said only when the message is in a mailbox, at
 * the next hop, or in a slot that was flushed.
 */
#include "cleanup/cleanup.h"

#include <fcntl.h>
#include <stdlib.h>

#include "cleanup/cleanup_events.h"
#include "libtask/work.h"
#include "libutil/alloc.h"

#define FORGET_LIMIT	5000	/* ms */

/* --- making it durable */

struct commit_job {
	struct message	*m;
	struct slice	 envelope;
	struct lease	*lease;		/* NULL: large */
	int		 fd;		/* of the slot; -1: to be opened */
};

/* commit_work - on a worker: one write and one flush */
static int
commit_work(void *arg)
{
	struct commit_job	*j = arg;
	struct message		*m = j->m;
	struct slot_piece	 piece = SLOT_PIECE_BYTES(buf_slice(&m->content));
	struct slot_message	 sm = { .id = m->id,
				    .arrival = m->envelope->arrival,
				    .envelope = j->envelope, .piece = &piece,
				    .piece_count = 1 };
	int			 r;

	if (j->lease == NULL)
		return large_commit(QUEUE_HERE, &m->large,
		    m->envelope->arrival, j->envelope);
	sm.generation = j->lease->generation;
	if (j->fd >= 0 && !slot_is_there(j->fd))
		fd_close(&j->fd);
	if (j->fd < 0 && (r = slot_open_write(QUEUE_HERE, j->lease->ref,
	    &j->fd)) < 0)
		return r;
	return slot_commit(j->fd, j->lease->ref, &sm);
}

/* large_work - content that fits into no slot: move it to a file */
static int
large_work(void *arg)
{
	struct message	*m = arg;
	int		 r = large_create(QUEUE_HERE, &m->id, &m->large);

	return r < 0 ? r : large_write(&m->large, buf_slice(&m->content));
}

/* class_for - the smallest class that holds it; SLOT_CLASSES: none does */
static uint8_t
class_for(const struct message *m, size_t envelope)
{
	uint64_t	need = QFORMAT_HEAD_SIZE + envelope + m->length;
	uint8_t		class = 0;

	while (class < SLOT_CLASSES && slot_class_size(class) < need)
		class++;
	return class;
}

/* say_committed - tell qmgr; one that broke finds the slot when it is back.
 * lease: NULL for a large file */
static void
say_committed(struct task *t, struct message *m, struct slice envelope,
    const struct lease *lease, bool adopted)
{
	struct msg_queue_committed c = { .envelope = envelope,
	    .size_class = lease == NULL ? SLOT_CLASSES : lease->ref.class,
	    .number = lease == NULL ? 0 : lease->ref.number,
	    .adopted = adopted, .content = message_fd(m), .offset = 0,
	    .generation = lease == NULL ? 0 : lease->generation };

	/* an adopted one is waited for; the others can come together */
	if (adopted)
		ignore(edge_send(t, m->cleanup->qmgr,
		    &msg_queue_committed_desc, &c));
	else
		ignore(edge_send_later(t, m->cleanup->qmgr,
		    &msg_queue_committed_desc, &c));
	signal_set(&m->cleanup->told);
}

/* try_slot - into a slot of that class. -ESTALE: it was not ours */
static int
try_slot(struct task *t, struct message *m, uint8_t class,
    struct slice envelope, bool adopted)
{
	struct commit_job	j = { m, envelope, NULL, -1 };
	struct lease		*lease, was;
	int			r;

	if ((r = slots_get(t, m->cleanup, class, &lease)) < 0)
		return r;
	j.lease = lease;
	was = *lease;
	j.fd = slots_take_file(m->cleanup, was.ref);
	if ((r = work_run(t, commit_work, &j)) == 0)
		slots_keep_file(m->cleanup, was.ref, &j.fd);
	fd_close(&j.fd);
	if (r == -ECANCELED || r == -EMSGSIZE) {
		slots_put(m->cleanup, &lease);		/* nothing was written */
	} else if (r == -ESTALE) {
		slots_stale(m->cleanup, &lease);
	} else if (r < 0) {
		slots_retire(m->cleanup, &lease);
	} else {
		slots_used(m->cleanup, &lease);
		say_committed(t, m, envelope, &was, adopted);
	}
	return r;
}

/* commit_slot - into the first slot that is ours */
static int
commit_slot(struct task *t, struct message *m, uint8_t class,
    struct slice envelope, bool adopted)
{
	int r = -ESTALE;

	for (size_t i = 0; r == -ESTALE && i < TOLD_MAX; i++)
		r = try_slot(t, m, class, envelope, adopted);
	return r;
}

/* commit_large - into a file of its own */
static int
commit_large(struct task *t, struct message *m, struct slice envelope,
    bool adopted)
{
	struct commit_job	j = { m, envelope, NULL, -1 };
	int			r = 0;

	if (m->large.fd < 0)
		r = work_run(t, large_work, m);
	if (r == 0)
		r = work_run(t, commit_work, &j);
	if (r == 0)
		say_committed(t, m, envelope, NULL, adopted);
	return r;
}

/* commit - make it durable, and tell qmgr */
static int
commit(struct task *t, struct message *m, bool adopted)
{
	struct buf	envelope = BUF_INIT;
	uint8_t		class;
	int		r;

	if ((r = ipc_pack(&msg_envelope_desc, m->envelope, &envelope)) == 0) {
		class = class_for(m, envelope.len);
		if (m->large.fd >= 0 || class == SLOT_CLASSES)
			r = commit_large(t, m, buf_slice(&envelope), adopted);
		else
			r = commit_slot(t, m, class, buf_slice(&envelope),
			    adopted);
	}
	if (r < 0 && r != -ECANCELED)
		log_event(&m->log, EV_CLEANUP_COMMIT, KV_ERR("why", r));
	buf_free(&envelope);
	return r;
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

/* is_known - is it in the queue already, or was it? Only who may be giving
 * the message again, under the same id, wants to know */
static int
is_known(struct task *t, struct message *m)
{
	struct msg_queue_known	 ask = { queue_id_text(&m->id) };
	struct arena		 a = ARENA_INIT;
	void			*reply;
	int			 r;

	r = edge_call(t, m->cleanup->qmgr, &msg_queue_known_desc, &ask,
	    &msg_queue_is_known_desc, &a, &reply);
	if (r == 0)
		r = ((struct msg_queue_is_known *)reply)->known;
	arena_free(&a);
	return r;
}

/* queue - commit, and the answer for it */
static void
queue(struct task *t, struct message *m, bool adopted,
    struct status *ret_status)
{
	int r = m->again ? is_known(t, m) : 0;

	r = r > 0 ? 0 : r == 0 ? commit(t, m, adopted) : r;
	/* what a failed write left behind may be found as a message */
	m->unsure |= r < 0 && r != -ENOSPC && r != -EDQUOT && r != -ECANCELED;
	if (r == 0)
		*ret_status = status_make(250, "2.0.0", "Ok: queued as %s",
		    m->id.text);
	else if (r == -ENOSPC || r == -EDQUOT)
		*ret_status = status_make(452, "4.3.1",
		    "Insufficient system storage");
	else
		*ret_status = status_make(451, "4.3.0",
		    "Error: queue file write error");
	if (r < 0)
		message_forget(t, m);
}

/* --- through */

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
			queue(t, m, false, ret_status);
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
		queue(t, m, v->adopted, ret_status);
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
	if (!flight_begin(m))
		*ret_status = flight_refusal();
	else if (m->now)
		message_now(t, m, ret_status);
	else if (m->through)
		through(t, m, ret_status);
	else
		queue(t, m, false, ret_status);
	flight_end(m);
	if (m->unsure)
		doubt_tell_of(m);
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
