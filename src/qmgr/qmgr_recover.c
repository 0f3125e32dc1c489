/* SPDX-License-Identifier: ISC */
/*
 * Start-up: wait until every cleanup that runs has said which slots it holds,
 * read the headers once, and go on from there.
 */
#include "qmgr/qmgr.h"

#include <fcntl.h>
#include <stdlib.h>

#include "libtask/loop.h"
#include "libtask/work.h"
#include "libutil/alloc.h"
#include "qmgr/qmgr_events.h"
#include "qmgr/sched_retry.h"

/* a message to go on with */
struct fresh {
	struct list		 link;
	struct queue_place	 place;
	uint64_t		 generation;
	struct buf		 envelope;
};

struct recovery {
	struct qmgr		*qmgr;
	struct list		 fresh;
	struct list		 gone;		/* struct fresh: large files */
	struct hash		 held;		/* slots that are passed over */
	struct sched_params	 params;
	struct recover_totals	 totals;
	int64_t			 now;
};

/* say - something that is not as it should be; on a worker, while nothing else
 * of this daemon logs */
static void
say(struct recovery *rec, const struct recover_item *i)
{
	char place[64];

	if (i->place.kind == QUEUE_PLACE_LARGE)
		(void)snprintf(place, sizeof(place), "large/%s", i->id.text);
	else
		(void)snprintf(place, sizeof(place), "slot/%s/%08u",
		    slot_class_name(i->place.slot.class),
		    i->place.slot.number);
	log_event(daemon_log(rec->qmgr->daemon), EV_QMGR_FOUND,
	    KV_TEXT("place", place),
	    KV_TEXT("why", i->why == NULL ? "damaged" : i->why));
}

static void
remember(struct list *l, const struct recover_item *i)
{
	struct fresh *f = NEW(struct fresh);

	list_init(&f->link);
	f->place = i->place;
	f->generation = i->head == NULL ? 0 : i->head->generation;
	if (i->finding == RECOVER_NEW)
		buf_add(&f->envelope, i->envelope);
	else
		buf_add(&f->envelope, queue_id_text(&i->id));
	list_add_tail(l, &f->link);
}

static bool
is_leased(void *arg, struct slot_ref ref)
{
	struct msg_slot_ref key = { ref.class, ref.number };

	return hash_get(&((struct recovery *)arg)->held,
	    slice_over(&key, sizeof(key))) != NULL;
}

/* found - one slot or file */
static int
found(void *arg, const struct recover_item *i)
{
	struct recovery	*rec = arg;
	struct qmgr	*q = rec->qmgr;
	bool		 slot = i->place.kind == QUEUE_PLACE_SLOT;
	enum slot_pool_state state = SLOT_POOL_USED;

	switch (i->finding) {
	case RECOVER_FREE:
		state = SLOT_POOL_FREE;
		if (i->head != NULL)	/* its last message is finished */
			recent_add(q, &i->head->id);
		break;
	case RECOVER_KNOWN:
		break;
	case RECOVER_NEW:
		remember(&rec->fresh, i);
		break;
	case RECOVER_HELD:
		say(rec, i);
		break;
	case RECOVER_DAMAGED:
	case RECOVER_RETIRED:
		if (i->finding == RECOVER_DAMAGED)
			say(rec, i);
		state = SLOT_POOL_ASIDE;
		break;
	case RECOVER_LEASED:
		/* those that a cleanup has named are leased again, below */
		state = SLOT_POOL_FREE;
		break;
	case RECOVER_GONE:
		remember(&rec->gone, i);
		return 0;
	case RECOVER_MISSING:
		say(rec, i);
		return 0;
	}
	if (slot)
		slot_pool_add(q->pool, i->place.slot, state, i->generation);
	/* one that is being written by who did not name it */
	if (i->finding == RECOVER_LEASED && !is_leased(rec, i->place.slot))
		ignore(slot_pool_move(q->pool, i->place.slot, OWNER_DOUBT));
	return 0;
}

/* describe - the record of a message that is put on hold */
static int
describe(void *arg, const struct queue_head *head, struct slice envelope,
    struct arena *a, struct qstate_message *m, struct qstate_rcpt **rcpts,
    size_t *rcpt_count)
{
	struct recovery		*rec = arg;
	struct msg_envelope	*e;
	void			*v;
	int			 r;

	(void)head;
	if ((r = ipc_unpack(&msg_envelope_desc, envelope, a, &v)) < 0)
		return -EBADMSG;
	e = v;
	m->sender = e->sender;
	m->login = e->login;
	m->rcpt_count = (uint32_t)e->rcpts.n;
	m->expiry = sched_retry_expiry(&rec->params, m->arrival,
	    e->sender.len == 0);
	*rcpts = ARENA_ARRAY(a, struct qstate_rcpt, e->rcpts.n);
	for (size_t i = 0; i < e->rcpts.n; i++)
		(*rcpts)[i] = (struct qstate_rcpt){
		    .index = e->rcpts.v[i].number,
		    .address = e->rcpts.v[i].address,
		    .original = e->rcpts.v[i].original,
		    .transport = e->rcpts.v[i].transport,
		    .nexthop = e->rcpts.v[i].nexthop,
		    .site = e->rcpts.v[i].nexthop };
	*rcpt_count = e->rcpts.n;
	return 0;
}

static int
recover_work(void *arg)
{
	struct recovery		*rec = arg;
	struct recover_ops	 ops = { rec, describe, is_leased, found };
	struct qmgr		*q = rec->qmgr;
	int			 r;

	if ((r = qstate_open(AT_FDCWD, QSTATE_MAP_SIZE_DEFAULT,
	    &q->state)) < 0)
		return r;
	return qstate_recover(q->state, AT_FDCWD, rec->now, &ops,
	    &rec->totals);
}

/* wait_for_hellos - from all that master said run */
static int
wait_for_hellos(struct task *t, struct qmgr *q)
{
	const struct qmgr_params *p = daemon_params(q->daemon);
	uint32_t		  want = daemon_peers(q->daemon);
	struct deadline		  d;
	int			  r = 0;

	deadline_begin(t, &d, p->qmgr_peer_wait);
	while (r == 0 && q->hellos + q->gone < want)
		r = signal_wait(t, &q->hello);
	r = deadline_end(t, &d, r);
	if (r == -ETIMEDOUT) {
		log_event(daemon_log(q->daemon), EV_QMGR_PEERS,
		    KV_INT("count", want - q->hellos - q->gone));
		r = 0;
	}
	return r;
}

/* go_on - with what was found */
static void
go_on(struct qmgr *q, struct recovery *rec)
{
	struct list *link;

	while ((link = list_take_head(&rec->fresh)) != NULL) {
		struct fresh *f = CONTAINER_OF(link, struct fresh, link);
		struct qmessage *m = qmessage_new(q, buf_slice(&f->envelope));

		if (m != NULL) {
			m->place = f->place;
			m->generation = f->generation;
			m->committed = true;
			qmessage_begin(m);
		}
		buf_free(&f->envelope);
		free(f);
	}
	while ((link = list_take_head(&rec->gone)) != NULL) {
		struct fresh *f = CONTAINER_OF(link, struct fresh, link);

		large_finished(q, buf_slice(&f->envelope));
		buf_free(&f->envelope);
		free(f);
	}
}

/* recover - before anything is given or tried */
int
recover(struct task *t, struct qmgr *q)
{
	static const struct slot_pool_policy policy[SLOT_CLASSES] = {
		[SLOT_SMALL] = { 64, 32, 32, 4000000 },
		[SLOT_MEDIUM] = { 8, 4, 8, 400000 },
		[SLOT_BIG] = { 2, 1, 2, 50000 },
	};
	struct recovery	*rec = NEW(struct recovery);
	int		 r;

	rec->qmgr = q;
	rec->now = task_wall(t);
	list_init(&rec->fresh);
	list_init(&rec->gone);
	qmgr_sched_params(q, &rec->params);
	q->pool = slot_pool_new(policy);
	if ((r = wait_for_hellos(t, q)) == 0) {
		/* a copy: hellos that come meanwhile must not change it */
		owners_held(q, &rec->held);
		r = work_run(t, recover_work, rec);
	}
	if (r == 0) {
		log_event(daemon_log(q->daemon), EV_QMGR_RECOVERED,
		    KV_UINT("known", rec->totals.known),
		    KV_UINT("fresh", rec->totals.fresh),
		    KV_UINT("held", rec->totals.held),
		    KV_UINT("damaged", rec->totals.damaged),
		    KV_UINT("free", rec->totals.free));
		owners_lease(q);
		slots_clear_doubts(q);
		qdoubt_recover(q);
		q->recovered = true;
		go_on(q, rec);
	} else if (r != -ECANCELED) {
		log_event(daemon_log(q->daemon), EV_QMGR_STATE,
		    KV_ERR("why", r));
	}
	hash_free(&rec->held);
	free(rec);
	return r;
}
