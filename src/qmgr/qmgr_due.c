/* SPDX-License-Identifier: ISC */
/*
 * Deferred messages: kept as records, brought back when they are due. Nothing
 * is scanned: the state's index by time says which.
 */
#include "qmgr/qmgr.h"

#include <fcntl.h>
#include <stdlib.h>

#include "libglobal/ipc_map.h"
#include "libglobal/large.h"
#include "libglobal/slot.h"
#include "libtask/loop.h"
#include "libtask/work.h"
#include "libutil/alloc.h"
#include "qmgr/qmgr_events.h"
#include "qmgr/sched_retry.h"

#define BATCH		32
#define LOOK_AGAIN	(INT64_C(3600) * 1000)	/* ms, at the latest */

/* site_of - the destination as the tools name it */
static struct slice
site_of(const struct msg_rcpt *r)
{
	struct slice address = r->address;
	size_t at = slice_find_last(address, '@');

	return at == SLICE_NONE ? r->nexthop : slice_from(address, at + 1);
}

static void
record_rcpt(struct qmessage *m, size_t i)
{
	const struct msg_rcpt	*r = &m->envelope->rcpts.v[i];
	const struct rcpt_state	*s = &m->rcpts[i];
	struct qstate_rcpt	 q = { .index = r->number,
				     .attempts = s->attempts,
				     .last_try = m->queued,
				     .address = r->address,
				     .original = r->original,
				     .site = site_of(r),
				     .transport = r->transport,
				     .nexthop = r->nexthop,
				     .status = s->enhanced,
				     .reason = s->text, .remote = s->relay };

	/* a class of 5 marks the held ones */
	if (s->fate != FATE_HELD && slice_has_prefix(q.status, S("5")))
		q.status = S("4.0.0");
	if (s->fate == FATE_DONE || s->fate == FATE_TOLD)
		qstate_batch_rcpt_done(m->qmgr->batch, &m->id, r->number);
	else
		qstate_batch_rcpt(m->qmgr->batch, &m->id, &q);
}

static struct slice
last_reason(const struct qmessage *m)
{
	for (size_t i = 0; i < m->envelope->rcpts.n; i++)
		if (m->rcpts[i].fate == FATE_LATER ||
		    m->rcpts[i].fate == FATE_HELD)
			return m->rcpts[i].text;
	return SLICE_EMPTY;
}

/* qmessage_record - put what is known of it into the batch */
void
qmessage_record(struct qmessage *m, uint8_t queue, int64_t next)
{
	struct sched_params	sp;
	struct qstate_message	r = {
		.id = m->id, .queue = queue, .flags = m->flags,
		.place = m->place, .generation = m->generation,
		.arrival = m->envelope->arrival, .next = next,
		.attempts = m->attempts, .size = m->envelope->content_length,
		.rcpt_count = (uint32_t)m->envelope->rcpts.n,
		.sender = m->envelope->sender, .login = m->envelope->login,
		.reason = last_reason(m),
	};

	qmgr_sched_params(m->qmgr, &sp);
	r.expiry = sched_retry_expiry(&sp, r.arrival, r.sender.len == 0);
	qstate_batch_message(m->qmgr->batch, &r);
	for (size_t i = 0; i < m->envelope->rcpts.n; i++)
		record_rcpt(m, i);
	m->has_state = true;
}

/* --- bringing one back */

struct load_job {
	struct qmgr		*qmgr;
	struct queue_id		 id;
	struct arena		 arena;
	struct qstate_message	 message;
	struct qstate_rcpt	*rcpts;
	size_t			 rcpt_count;
	struct buf		 envelope;
};

/* read_envelope - from slot or file */
static int
read_envelope(struct load_job *j)
{
	struct queue_head	head;
	int			fd = -1, r;

	if (j->message.place.kind == QUEUE_PLACE_LARGE) {
		r = large_open(AT_FDCWD, &j->id, &fd, &head, &j->envelope);
	} else if ((r = slot_open_read(AT_FDCWD, j->message.place.slot,
	    &fd)) == 0) {
		r = slot_read_head(fd, j->message.place.slot, &head);
		if (r == 0 && !queue_id_equal(&head.id, &j->id))
			r = -ESTALE;
		if (r == 0)
			r = slot_read_envelope(fd, &head, &j->envelope);
	}
	fd_close(&fd);
	return r;
}

static int
load_work(void *arg)
{
	struct load_job	*j = arg;
	int		 r;

	if ((r = qstate_get(j->qmgr->state, &j->id, &j->arena,
	    &j->message)) < 0 ||
	    (r = qstate_rcpts(j->qmgr->state, &j->id, 0,
	    j->message.rcpt_count, &j->arena, &j->rcpts, &j->rcpt_count,
	    NULL)) < 0)
		return r;
	return read_envelope(j);
}

static int
by_index(const void *key, const void *element)
{
	uint32_t number = *(const uint32_t *)key;
	uint32_t index = ((const struct qstate_rcpt *)element)->index;

	return number < index ? -1 : number > index;
}

/* state_of - the record of a recipient; they come in order of their numbers */
static const struct qstate_rcpt *
state_of(const struct load_job *j, uint32_t number)
{
	return j->rcpt_count == 0 ? NULL : bsearch(&number, j->rcpts,
	    j->rcpt_count, sizeof(j->rcpts[0]), by_index);
}

/* take_states - who is finished, and what was last said of the others */
static void
take_states(struct qmessage *m, const struct load_job *j)
{
	for (size_t i = 0; i < m->envelope->rcpts.n; i++) {
		const struct qstate_rcpt *r =
		    state_of(j, m->envelope->rcpts.v[i].number);

		if (r == NULL) {
			m->rcpts[i].fate = FATE_DONE;
			continue;
		}
		if (slice_has_prefix(r->status, S("5"))) {
			m->rcpts[i].fate = FATE_HELD;
			m->rcpts[i].code = 550;
		}
		m->rcpts[i].attempts = r->attempts;
		m->rcpts[i].enhanced = arena_dup(&m->arena, r->status);
		m->rcpts[i].text = arena_dup(&m->arena, r->reason);
		m->rcpts[i].relay = arena_dup(&m->arena, r->remote);
	}
	m->place = j->message.place;
	m->generation = j->message.generation;
	m->flags = j->message.flags;
	m->attempts = j->message.attempts;
	m->committed = m->has_state = true;
}

/* qmessage_load - a message of the state into memory */
int
qmessage_load(struct task *t, struct qmgr *q, const struct queue_id *id,
    struct qmessage **ret_message)
{
	struct load_job	*j = NEW(struct load_job);
	struct qmessage	*m;
	struct load	 l;
	int		 r, changed;

	j->qmgr = q;
	j->id = *id;
	load_begin(q, &l, id);
	r = work_run(t, load_work, j);
	changed = load_end(&l);
	if (r == 0)
		r = changed;
	if (r == 0 && qmessage_find(q, queue_id_text(id)) != NULL)
		r = -EEXIST;		/* it is in memory already */
	if (r == 0) {
		m = qmessage_new(q, buf_slice(&j->envelope));
		if (m == NULL)
			r = -EBADMSG;
		else {
			take_states(m, j);
			*ret_message = m;
		}
	}
	buf_free(&j->envelope);
	arena_free(&j->arena);
	free(j);
	return r;
}

/* route - where does it go now? What the first attempt knew may be old */
static int
route(struct task *t, struct qmessage *m)
{
	struct edge	*mapd = daemon_edge(m->qmgr->daemon, "mapd",
			     &ipc_table_map);
	struct arena	 a = ARENA_INIT;
	int		 r = 0;

	for (size_t i = 0; i < m->envelope->rcpts.n && r != -ECANCELED; i++) {
		struct msg_rcpt *rcpt = &m->envelope->rcpts.v[i];
		struct msg_map_rcpt ask = { .recipient = rcpt->address,
		    .sender = m->envelope->sender, .trusted = true };
		struct msg_map_route *res;
		void *reply;

		if (m->rcpts[i].fate != FATE_TODO)
			continue;
		r = edge_call_again(t, mapd, &msg_map_rcpt_desc, &ask,
		    &msg_map_route_desc, &a, &reply);
		if (r == 0) {
			res = reply;
			if (res->targets.n == 1) {
				rcpt->transport = arena_dup(&m->arena,
				    res->targets.v[0].transport);
				rcpt->nexthop = arena_dup(&m->arena,
				    res->targets.v[0].nexthop);
			}
		}
		arena_reset(&a);
	}
	arena_free(&a);
	return r == -ECANCELED ? r : 0;
}

/* bring_back - try a due message again */
static int
bring_back(struct task *t, struct qmgr *q, const struct queue_id *id)
{
	struct qmessage	*m;
	int		 r;

	if (qmessage_find(q, queue_id_text(id)) != NULL)
		return 0;
	if ((r = qmessage_load(t, q, id, &m)) < 0) {
		if (r != -ECANCELED && r != -EEXIST && r != -ENOENT &&
		    r != -EAGAIN)
			log_event(daemon_log(q->daemon), EV_QMGR_READ,
			    KV_STR("queue_id", queue_id_text(id)),
			    KV_ERR("why", r));
		return r == -ECANCELED ? r : 0;
	}
	if ((r = route(t, m)) < 0)
		return r;
	if (m->cancelled)		/* the administrator was faster */
		qmessage_settle(m);
	else if (m->sched == NULL && list_is_empty(&m->finishing))
		qmessage_schedule(m, SCHED_RETRY);
	return 0;
}

/* bring_due - all that are due and for which there is room */
static int
bring_due(struct task *t, struct qmgr *q)
{
	struct qstate_walk	walk = QSTATE_WALK_INIT;
	struct queue_id		ids[BATCH];
	size_t			n, room;
	int64_t			now = loop_wall(daemon_loop(q->daemon));
	int			r = 0;

	q->crowded = false;
	while (r == 0 && !walk.done) {
		room = sched_room(q->sched, SCHED_RETRY);
		q->crowded = room == 0;
		if (q->crowded)
			break;
		r = qstate_due(q->state, &walk, now, ids,
		    size_min(room, BATCH), &n);
		for (size_t i = 0; r == 0 && i < n; i++)
			r = bring_back(t, q, &ids[i]);
		if (n == 0)
			break;
	}
	return r;
}

/* due_room - a message has left memory. Each look passes over all that are in
 * memory, so it is worth it only when there is room for many */
void
due_room(struct qmgr *q)
{
	const struct qmgr_params *p = daemon_params(q->daemon);

	if (q->crowded && sched_room(q->sched, SCHED_RETRY) >=
	    (uint64_t)p->qmgr_message_active_limit / 4)
		signal_set(&q->due);
}

/* wait_ms - until the next one is due */
static int64_t
wait_ms(struct qmgr *q)
{
	int64_t next, now = loop_wall(daemon_loop(q->daemon));

	if (qstate_next_due(q->state, NULL, &next) < 0)
		return LOOK_AGAIN;
	if (next <= now)
		return 1000;		/* there was no room, or it failed */
	return next - now > LOOK_AGAIN * 1000 ? LOOK_AGAIN :
	    (next - now) / 1000 + 1;
}

/* due_task - bring messages back when their time has come */
int
due_task(struct task *t, void *arg)
{
	struct qmgr	*q = arg;
	struct deadline	 d;
	int		 r = 0;

	while (r == 0) {
		if ((r = bring_due(t, q)) < 0)
			break;
		deadline_begin(t, &d, wait_ms(q));
		r = signal_wait(t, &q->due);
		r = deadline_end(t, &d, r);
		if (r == -ETIMEDOUT)
			r = 0;
	}
	return r;
}
