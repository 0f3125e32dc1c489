/* SPDX-License-Identifier: ISC */
/*
 * Who is next at a transport. The first of the ready peers is the current one.
 * Its job may be overtaken: each delivery_slot_cost deliveries it hands out
 * earn it one delivery slot, which it can give to a smaller job, one for each
 * delivery of that. The other may go before all slots are earned: loan and
 * discount are advanced, and earned back before the next one can.
 */
#include "qmgr/sched_private.h"

/* the least number of deliveries in a job of each class */
static const size_t class_from[SCHED_CLASSES] = { 0, 2, 5, 20, 100, 500 };

/* sched_class_of - the class of a job of that size */
uint8_t
sched_class_of(size_t deliveries)
{
	uint8_t	k = SCHED_CLASSES - 1;

	while (deliveries < class_from[k])
		k--;
	return k;
}

/* sched_deliveries_of - into how many deliveries recipients are cut */
size_t
sched_deliveries_of(const struct sched_transport *t, size_t rcpts)
{
	uint32_t	limit = t->p.destination_recipient_limit;

	if (rcpts == 0)
		return 0;
	return limit == 0 ? 1 : (rcpts - 1) / limit + 1;
}

/* sched_transport_is_open - is there room for one more delivery? */
bool
sched_transport_is_open(const struct sched_transport *t, int64_t now)
{
	if (now < t->not_before)
		return false;
	if (t->p.transport_rate_delay > 0)
		return t->busy == 0;
	return t->p.process_limit == 0 || t->busy < t->p.process_limit;
}

/* first_ready - the first ready peer of a rank, or NULL */
static struct sched_peer *
first_ready(const struct sched_transport *t, size_t rank)
{
	struct sched_node *n = sched_heap_first(&t->ready[rank]);

	if (n == NULL)
		return NULL;
	n = sched_heap_first(&CONTAINER_OF(n, struct sched_rank, node)->peers);
	return CONTAINER_OF(n, struct sched_peer, node);
}

/* current - the first ready peer of a lane, or NULL */
static struct sched_peer *
current(const struct sched_transport *t, enum sched_lane lane)
{
	struct sched_node *best = NULL, *n;
	struct sched_rank *rank;

	for (size_t k = 0; k < SCHED_CLASSES; k++) {
		n = sched_heap_first(&t->ready[lane * SCHED_CLASSES + k]);
		if (n != NULL && (best == NULL || sched_rank_before(n, best)))
			best = n;
	}
	if (best == NULL)
		return NULL;
	rank = CONTAINER_OF(best, struct sched_rank, node);
	return CONTAINER_OF(sched_heap_first(&rank->peers), struct sched_peer,
	    node);
}

/* slots_needed - deliveries that a job has still to hand out */
static int64_t
slots_needed(const struct sched_job *j)
{
	return (int64_t)(j->total - j->handed);
}

/* may_overtake - has the current job slots enough for another one? */
static bool
may_overtake(const struct sched_job *now, const struct sched_job *other)
{
	const struct sched_transport_params *p = &now->t->p;
	int64_t	needed = slots_needed(other);
	int64_t	earned = (int64_t)(now->handed / p->delivery_slot_cost) -
		    (int64_t)now->overtaken;

	return earned + p->delivery_slot_loan +
	    needed * (int64_t)p->delivery_slot_discount / 100 >= needed;
}

/* is_better - has a waited longer than b, for its size? */
static bool
is_better(const struct sched_job *a, const struct sched_job *b, int64_t now)
{
	return (double)(now - a->since + 1) * (double)slots_needed(b) >
	    (double)(now - b->since + 1) * (double)slots_needed(a);
}

/* candidate - a job that may overtake the current one, or NULL */
static struct sched_job *
candidate(const struct sched_transport *t, const struct sched_peer *p,
    int64_t now)
{
	struct sched_job  *best = NULL, *j;
	struct sched_peer *other;

	if (t->p.delivery_slot_cost == 0 || p->job->total /
	    t->p.delivery_slot_cost < t->p.minimum_delivery_slots)
		return NULL;
	for (size_t k = p->rank - p->rank % SCHED_CLASSES; k < p->rank; k++) {
		if ((other = first_ready(t, k)) == NULL)
			continue;
		j = other->job;
		if (j != p->job && j->depth == 0 && may_overtake(p->job, j) &&
		    (best == NULL || is_better(j, best, now)))
			best = j;
	}
	return best;
}

/* overtake - let a job go before the current peer */
static void
overtake(struct sched_job *j, struct sched_peer *p)
{
	struct sched_peer *own;

	p->job->overtaken += (size_t)slots_needed(j);
	j->depth = p->job->depth + 1;
	LIST_EACH(&j->peers, i) {
		own = CONTAINER_OF(i, struct sched_peer, link);
		own->tag = p->tag;
		if (own->queued)
			sched_site_moved(own->site, own);
	}
}

/* first_of_lanes - the current peer of the lane whose turn it is */
static struct sched_peer *
first_of_lanes(struct sched_transport *t)
{
	struct sched_peer *fresh = current(t, SCHED_NEW);
	struct sched_peer *retry = current(t, SCHED_RETRY);

	if (retry == NULL)
		return fresh;
	if (fresh != NULL && ++t->ahead < SCHED_LANE_SHARE)
		return fresh;
	t->ahead = 0;
	return retry;
}

/* sched_pick - the peer that is next, or NULL */
struct sched_peer *
sched_pick(struct sched_transport *t, int64_t now)
{
	struct sched_peer *p = first_of_lanes(t);
	struct sched_job  *j;

	if (p != NULL && (j = candidate(t, p, now)) != NULL) {
		overtake(j, p);
		p = current(t, p->job->m->lane);
	}
	return p;
}
