/* SPDX-License-Identifier: ISC */
/* Messages in memory: made from a packed envelope, handed to the scheduler,
 * their content opened when it is needed. */
#include "qmgr/qmgr.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "libglobal/large.h"
#include "libglobal/slot.h"
#include "libtask/loop.h"
#include "libtask/memfile.h"
#include "libtask/work.h"
#include "libutil/alloc.h"
#include "libutil/conf.h"
#include "qmgr/qmgr_events.h"

#define CONTENT_MAX	((uint64_t)16 << 30)

/* qmessage_new - a message from its packed envelope */
struct qmessage *
qmessage_new(struct qmgr *q, struct slice envelope)
{
	struct qmessage	*m = NEW(struct qmessage);
	void		*e;

	m->qmgr = q;
	m->content_fd = -1;
	list_init(&m->finishing);
	if (ipc_unpack(&msg_envelope_desc, arena_dup(&m->arena, envelope),
	    &m->arena, &e) < 0 ||
	    queue_id_parse(((struct msg_envelope *)e)->queue_id, &m->id) < 0) {
		arena_free(&m->arena);
		free(m);
		return NULL;
	}
	m->envelope = e;
	m->rcpts = ARENA_ARRAY(&m->arena, struct rcpt_state,
	    m->envelope->rcpts.n);
	/* an id that is known already would be a lie of cleanup's; the caller
	 * has looked */
	(void)hash_put(&q->messages, queue_id_text(&m->id), m);
	return m;
}

/* release - nobody has it any more */
static void
release(struct qmessage *m)
{
	if (m->content_fd >= 0)
		m->qmgr->content_open--;
	fd_close(&m->content_fd);
	arena_free(&m->arena);
	free(m);
}

/* qmessage_free - forget it */
void
qmessage_free(struct qmessage *m)
{
	struct qmgr *q = m->qmgr;

	if (hash_get(&q->messages, queue_id_text(&m->id)) == m)
		(void)hash_remove(&q->messages, queue_id_text(&m->id));
	if (m->sched != NULL)
		sched_message_remove(q->sched, &m->sched);
	list_remove(&m->finishing);
	m->gone = true;
	if (m->readers == 0)
		release(m);
}

/* qmessage_read - whatever becomes of it, it can be read */
void
qmessage_read(struct qmessage *m)
{
	m->readers++;
}

/* qmessage_read_end - the last one releases what is forgotten */
void
qmessage_read_end(struct qmessage *m)
{
	if (--m->readers == 0 && m->gone)
		release(m);
}

/* qmessage_find - by queue id */
struct qmessage *
qmessage_find(struct qmgr *q, struct slice id)
{
	return hash_get(&q->messages, id);
}

/* content_room - how many more descriptors may be kept. A quarter is left to
 * what is offered, which lies nowhere else */
static size_t
content_room(const struct qmessage *m)
{
	const struct qmgr_params *p = daemon_params(m->qmgr->daemon);
	size_t			  limit = (size_t)p->qmgr_content_descriptors;

	if (!m->offered)
		limit -= limit / 4;
	return limit - size_min(limit, m->qmgr->content_open);
}

/* qmessage_take_content - keep the descriptor if there is room for it */
void
qmessage_take_content(struct qmessage *m, int *fd_take)
{
	enum memfile_kind	  kind;
	uint64_t		  size;

	if (*fd_take < 0 || m->content_fd >= 0 || content_room(m) == 0 ||
	    memfile_check(*fd_take, CONTENT_MAX, &kind, &size) < 0 ||
	    size < m->envelope->content_length)
		return;
	m->content_fd = *fd_take;
	*fd_take = -1;
	m->qmgr->content_open++;
}

/* transport_params - the figures of a transport, as configured */
static void
transport_params(struct qmgr *q, struct slice name,
    struct sched_transport_params *out)
{
	const struct qmgr_params *p = daemon_params(q->daemon);
	const struct conf	 *conf = daemon_conf(q->daemon);
	struct buf		  b = BUF_INIT;
	char			  key[200];
	uint32_t		  v;

	*out = (struct sched_transport_params)SCHED_TRANSPORT_PARAMS_INIT;
	out->process_limit = 0;
	out->initial_destination_concurrency =
	    (uint32_t)p->initial_destination_concurrency;
	out->destination_concurrency_limit =
	    (uint32_t)p->default_destination_concurrency_limit;
	out->destination_recipient_limit =
	    (uint32_t)p->default_destination_recipient_limit;
	out->failed_cohort_limit = (uint32_t)
	    p->default_destination_concurrency_failed_cohort_limit;
	out->destination_rate_delay = p->default_destination_rate_delay * 1000;
	out->transport_rate_delay = p->default_transport_rate_delay * 1000;
	if (slice_equal(name, S("store"))) {
		out->destination_concurrency_limit =
		    (uint32_t)p->store_destination_concurrency_limit;
		out->initial_destination_concurrency =
		    out->destination_concurrency_limit;
		out->destination_recipient_limit = 1000;
	}
	(void)snprintf(key, sizeof(key), "%.*s_destination_concurrency_limit",
	    SLICE_ARG(name));
	if (conf_get(conf, slice_of(key), &b, NULL) == 0 &&
	    slice_to_u32(slice_trim(buf_slice(&b)), 1000000, &v) == 0)
		out->destination_concurrency_limit = v;
	buf_reset(&b);
	(void)snprintf(key, sizeof(key), "%.*s_destination_recipient_limit",
	    SLICE_ARG(name));
	if (conf_get(conf, slice_of(key), &b, NULL) == 0 &&
	    slice_to_u32(slice_trim(buf_slice(&b)), 1000000, &v) == 0)
		out->destination_recipient_limit = v;
	buf_free(&b);
}

/* qmgr_sched_params - the scheduler's figures, as configured */
void
qmgr_sched_params(struct qmgr *q, struct sched_params *ret_params)
{
	const struct qmgr_params *p = daemon_params(q->daemon);

	*ret_params = (struct sched_params){
		.message_active_limit = (uint32_t)p->qmgr_message_active_limit,
		.message_recipient_limit =
		    (uint32_t)p->qmgr_message_recipient_limit,
		.queue_run_delay = p->queue_run_delay * 1000,
		.minimal_backoff_time = p->minimal_backoff_time * 1000,
		.maximal_backoff_time = p->maximal_backoff_time * 1000,
		.maximal_queue_lifetime = p->maximal_queue_lifetime * 1000,
		.bounce_queue_lifetime = p->bounce_queue_lifetime * 1000,
		.delay_warning_time = p->delay_warning_time * 1000,
	};
}

/* qmgr_load_params - the scheduler follows the configuration */
void
qmgr_load_params(struct qmgr *q)
{
	struct sched_params sp;

	qmgr_sched_params(q, &sp);
	if (q->sched == NULL)
		q->sched = sched_new(&sp);
	else
		sched_set_params(q->sched, &sp);
}

/* same_hop - may two recipients go in one group? */
static bool
same_hop(const struct msg_rcpt *a, const struct msg_rcpt *b)
{
	return slice_equal(a->transport, b->transport) &&
	    slice_equal(a->nexthop, b->nexthop);
}

/* site_of - the destination whose concurrency is limited: one for all of the
 * store, else the next hop */
static struct slice
site_of(const struct msg_rcpt *r)
{
	if (slice_equal(r->transport, S("store")))
		return S("store");
	return r->nexthop.len == 0 ? S("-") : r->nexthop;
}

static bool
groups_with(const struct msg_rcpt *a, const struct msg_rcpt *b)
{
	return slice_equal(a->transport, S("store")) ?
	    slice_equal(b->transport, S("store")) : same_hop(a, b);
}

/* declare - the scheduler knows that transport */
static void
declare(struct qmgr *q, struct slice transport)
{
	struct sched_transport_params tp;

	if (sched_has_transport(q->sched, transport))
		return;
	transport_params(q, transport, &tp);
	sched_transport(q->sched, transport, &tp);
}

/* add_group - those of that fate, from the first one on, who go its way; they
 * are to do from now on */
static void
add_group(struct qmessage *m, size_t first, enum fate which, bool *seen,
    uint32_t *index)
{
	struct qmgr		*q = m->qmgr;
	const struct msg_rcpt	*v = m->envelope->rcpts.v;
	struct sched_group	 g = { v[first].transport, site_of(&v[first]),
				     index, 0 };

	for (size_t k = first; k < m->envelope->rcpts.n; k++) {
		if (seen[k] || m->rcpts[k].fate != which ||
		    !groups_with(&v[first], &v[k]))
			continue;
		seen[k] = true;
		m->rcpts[k].fate = FATE_TODO;
		index[g.rcpt_count++] = (uint32_t)k;
	}
	declare(q, g.transport);
	ignore(sched_message_group(q->sched, m->sched, &g)); /* is there */
}

/* schedule - hand those of that fate to the scheduler, by next hop */
static void
schedule(struct qmessage *m, enum sched_lane lane, enum fate which)
{
	struct qmgr	*q = m->qmgr;
	size_t		 n = m->envelope->rcpts.n;
	bool		*seen = NEW_ARRAY(bool, n);
	uint32_t	*index = NEW_ARRAY(uint32_t, n);

	m->queued = loop_wall(daemon_loop(q->daemon));
	if (m->sched == NULL)
		m->sched = sched_message_add(q->sched, m, lane);
	for (size_t i = 0; i < n; i++)
		if (!seen[i] && m->rcpts[i].fate == which)
			add_group(m, i, which, seen, index);
	sched_message_start(q->sched, m->sched,
	    loop_now(daemon_loop(q->daemon)) * 1000);
	log_event(daemon_log(q->daemon), EV_QMGR_ACTIVE,
	    KV_STR("queue_id", queue_id_text(&m->id)),
	    KV_STR("from", m->envelope->sender),
	    KV_UINT("size", m->envelope->content_length),
	    KV_UINT("nrcpt", qmessage_count(m, FATE_TODO)));
	free(seen);
	free(index);
	signal_set(&q->schedule);
	if (sched_message_waiting(m->sched) == 0 &&
	    sched_message_busy(m->sched) == 0)
		qmessage_settle(m);	/* all of it was done before */
}

/* qmessage_schedule - hand what is to do to the scheduler */
void
qmessage_schedule(struct qmessage *m, enum sched_lane lane)
{
	schedule(m, lane, FATE_TODO);
}

/* qmessage_count - recipients with that fate */
size_t
qmessage_count(const struct qmessage *m, enum fate fate)
{
	size_t n = 0;

	for (size_t i = 0; i < m->envelope->rcpts.n; i++)
		n += m->rcpts[i].fate == fate;
	return n;
}

struct open_job {
	struct qmessage	*m;
	int		 fd;
};

/* open_work - on a worker: the content from the queue */
static int
open_work(void *arg)
{
	struct open_job		*j = arg;
	struct queue_head	 head;
	struct memfile		 f = MEMFILE_INIT;
	int			 slot = -1, r;

	if (j->m->place.kind == QUEUE_PLACE_LARGE)
		return large_open(AT_FDCWD, &j->m->id, &j->fd, &head, NULL);
	if ((r = slot_open_read(AT_FDCWD, j->m->place.slot, &slot)) < 0)
		return r;
	r = slot_read_head(slot, j->m->place.slot, &head);
	if (r == 0 && !queue_id_equal(&head.id, &j->m->id))
		r = -ESTALE;
	if (r == 0 && (r = memfile_new("message", head.content_len, &f)) == 0 &&
	    (r = slot_copy_content(slot, &head, f.fd)) == 0 &&
	    (r = memfile_seal(&f)) == 0)
		j->fd = memfile_take_fd(&f);
	memfile_done(&f);
	fd_close(&slot);
	return r;
}

/* qmessage_open - have the content open */
int
qmessage_open(struct task *t, struct qmessage *m)
{
	struct open_job	j = { m, -1 };
	int		r;

	if (m->content_fd >= 0)
		return 0;
	if (!m->committed)
		return -ENOENT;
	r = work_run(t, open_work, &j);
	if (r == 0 && m->content_fd >= 0)
		fd_close(&j.fd);	/* another task was faster */
	else if (r == 0) {
		m->content_fd = j.fd;
		m->qmgr->content_open++;
	}
	return r;
}

/* take_told - recipients that were not committed are the client's affair: it
 * heard that they are refused (PRDR, LMTP), or to try again (LMTP) */
static void
take_told(struct qmessage *m, const struct msg_envelope *committed)
{
	size_t k = 0, n = committed->rcpts.n;

	/* both are in the same order */
	for (size_t i = 0; i < m->envelope->rcpts.n; i++) {
		if (k < n && committed->rcpts.v[k].number ==
		    m->envelope->rcpts.v[i].number)
			k++;
		else if (m->rcpts[i].fate == FATE_REFUSED ||
		    m->rcpts[i].fate == FATE_LATER ||
		    m->rcpts[i].fate == FATE_PUT_OFF)
			m->rcpts[i].fate = FATE_TOLD;
	}
}

/* set_all - recipients without a result have that one */
static void
set_all(struct qmessage *m, enum fate fate, unsigned code,
    struct slice enhanced, struct slice text)
{
	for (size_t i = 0; i < m->envelope->rcpts.n; i++) {
		struct rcpt_state *s = &m->rcpts[i];

		if (s->fate != FATE_TODO)
			continue;
		s->fate = fate;
		s->code = code;
		s->enhanced = enhanced;
		s->text = text;
	}
}

/* is_open - could a delivery of it begin at once? */
static bool
is_open(const struct qmessage *m)
{
	struct qmgr *q = m->qmgr;

	for (size_t i = 0; i < m->envelope->rcpts.n; i++) {
		const struct msg_rcpt *r = &m->envelope->rcpts.v[i];

		declare(q, r->transport);
		if (sched_is_open(q->sched, r->transport, site_of(r),
		    loop_now(daemon_loop(q->daemon)) * 1000))
			return true;
	}
	return false;
}

/* has_room - may a new one be tried now? What is left where retries have no
 * room any more is for what does not wait: a destination that takes nothing
 * holds up no other */
static bool
has_room(const struct qmessage *m)
{
	const struct qmgr_params *p = daemon_params(m->qmgr->daemon);
	struct sched_counts	  c;

	sched_count(m->qmgr->sched, &c);
	if (c.messages == 0)
		return true;
	if (c.messages >= (uint64_t)p->qmgr_message_active_limit ||
	    c.recipients >= 2 * (uint64_t)p->qmgr_message_recipient_limit)
		return false;
	return sched_room(m->qmgr->sched, SCHED_RETRY) > 0 || is_open(m);
}

/* qmessage_begin - try it; or it is due at once, which is when there is room */
void
qmessage_begin(struct qmessage *m)
{
	if (qmessage_count(m, FATE_TODO) < m->envelope->rcpts.n ||
	    has_room(m)) {
		qmessage_schedule(m, SCHED_NEW);
		return;
	}
	set_all(m, FATE_LATER, 450, S("4.3.2"),
	    S("waits until there is room in the active queue"));
	qmessage_park(m, QSTATE_DEFERRED,
	    loop_wall(daemon_loop(m->qmgr->daemon)));
}

/* take_offer - what came of its offer, if the edge broke in between and cleanup
 * does not know */
static void
take_offer(struct qmessage *m)
{
	if (!m->offered && through_has(m->qmgr, &m->id))
		set_all(m, FATE_DONE, 250, S("2.0.0"), S("delivered before"));
	if (!m->cancelled)
		return;
	/* given up too early: whom that left out is tried later */
	m->cancelled = false;
	set_all(m, FATE_LATER, 450, S("4.3.0"), S("delivery was broken off"));
}

/* qmessage_committed - it is durable: from here on it is ours */
void
qmessage_committed(struct qmessage *m, const struct msg_envelope *committed,
    struct queue_place place, uint64_t generation)
{
	take_told(m, committed);
	take_offer(m);
	m->place = place;
	m->generation = generation;
	m->committed = true;
	if (m->sched == NULL)
		qmessage_begin(m);
	else if (qmessage_count(m, FATE_PUT_OFF) > 0)
		schedule(m, SCHED_NEW, FATE_PUT_OFF);
	else if (sched_message_waiting(m->sched) == 0 &&
	    sched_message_busy(m->sched) == 0)
		qmessage_settle(m);
}

/* qmessage_adopt - a message that was committed, and nobody told us */
int
qmessage_adopt(struct qmgr *q, const struct queue_id *id,
    struct slice envelope, struct queue_place place, uint64_t generation)
{
	struct qmessage	*m = qmessage_find(q, queue_id_text(id));
	struct arena	 a = ARENA_INIT;
	void		*e;
	int		 r;

	if ((r = ipc_unpack(&msg_envelope_desc, envelope, &a, &e)) == 0) {
		if (m == NULL)
			m = qmessage_new(q, envelope);
		if (m == NULL || m->committed)
			r = -EBADMSG;
		else	/* it may have been offered before */
			qmessage_committed(m, e, place, generation);
	}
	arena_free(&a);
	return r;
}
