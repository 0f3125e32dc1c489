/* SPDX-License-Identifier: ISC */
/*
 * A site: its queue, its window, its health. Postfix's feedback: a delivery
 * that reached the site opens the window by positive_feedback, one that did not
 * closes it by negative_feedback and counts 1/window of a failed cohort; steps
 * are whole, fractions are saved up.
 */
#include "qmgr/sched_private.h"

#include <math.h>
#include <stdlib.h>

#include "libutil/alloc.h"

#define EPSILON		1e-6	/* sums of fractions fall short by less */

/* sched_site_find - a site that is known */
struct sched_site *
sched_site_find(struct sched_transport *t, struct slice name)
{
	return hash_get(&t->sites, name);
}

/* max_window - the most deliveries at once that the figures allow */
static uint32_t
max_window(const struct sched_transport *t)
{
	if (t->p.destination_rate_delay > 0)
		return 1;
	return t->p.destination_concurrency_limit == 0 ? UINT32_MAX :
	    t->p.destination_concurrency_limit;
}

/* first_window - what a site begins with */
static uint32_t
first_window(const struct sched_transport *t)
{
	uint32_t	n = t->p.initial_destination_concurrency;

	if (n == 0)
		n = 1;
	return n < max_window(t) ? n : max_window(t);
}

/* sched_site_get - a site, new if need be */
struct sched_site *
sched_site_get(struct sched_transport *t, struct slice name)
{
	struct sched_site *site = sched_site_find(t, name);

	if (site != NULL)
		return site;
	site = xcalloc(1, sizeof(*site) + name.len);
	site->t = t;
	site->name_len = name.len;
	if (name.len > 0)
		memcpy(site->name, name.data, name.len);
	list_init(&site->drain_link);
	list_init(&site->idle_link);
	site->window = first_window(t);
	(void)hash_put(&t->sites, name, site);	/* none was there */
	t->s->site_count++;
	return site;
}

/* leave_idle - it has something to do */
static void
leave_idle(struct sched_site *site)
{
	if (list_is_empty(&site->idle_link))
		return;
	list_remove(&site->idle_link);
	site->t->s->idle_count--;
}

/* sched_site_hold - a peer of it exists */
void
sched_site_hold(struct sched_site *site)
{
	site->holders++;
	leave_idle(site);
}

/* sched_site_free - forget a site; its peers are gone before */
void
sched_site_free(struct sched_site *site)
{
	struct sched	*s = site->t->s;

	leave_idle(site);
	list_remove(&site->drain_link);
	if (site->timer.at != 0)
		sched_heap_remove(&s->timers, &site->timer);
	for (size_t k = 0; k < SCHED_RANKS; k++) {
		if (site->rank[k].node.at != 0)
			sched_heap_remove(&site->t->ready[k],
			    &site->rank[k].node);
		sched_heap_free(&site->rank[k].peers);
	}
	(void)hash_remove(&site->t->sites,
	    slice_over(site->name, site->name_len));
	s->site_count--;
	if (site->dead_until != 0)
		s->dead_count--;
	free(site->reason);
	free(site);
}

/* peer_of - the peer that a node is in */
static struct sched_peer *
peer_of(const struct sched_node *n)
{
	return CONTAINER_OF(n, struct sched_peer, node);
}

/* peer_before - the order of peers: tag, depth, age of job, age */
static bool
peer_before(const struct sched_node *a, const struct sched_node *b)
{
	const struct sched_peer *x = peer_of(a), *y = peer_of(b);

	if (x->tag != y->tag)
		return x->tag < y->tag;
	if (x->job->depth != y->job->depth)
		return x->job->depth > y->job->depth;
	if (x->job->seq != y->job->seq)
		return x->job->seq < y->job->seq;
	return x->seq < y->seq;
}

/* sched_rank_before - the order of sites: that of their first peers */
bool
sched_rank_before(const struct sched_node *a, const struct sched_node *b)
{
	const struct sched_rank *x = CONTAINER_OF(a, struct sched_rank, node);
	const struct sched_rank *y = CONTAINER_OF(b, struct sched_rank, node);

	return peer_before(sched_heap_first(&x->peers),
	    sched_heap_first(&y->peers));
}

/* sched_timer_before - the order of timers */
bool
sched_timer_before(const struct sched_node *a, const struct sched_node *b)
{
	return CONTAINER_OF(a, struct sched_site, timer)->wake <
	    CONTAINER_OF(b, struct sched_site, timer)->wake;
}

/* sched_site_is_open - is there room in the window? */
bool
sched_site_is_open(const struct sched_site *site, int64_t now)
{
	return site->dead_until == 0 && now >= site->not_before &&
	    site->busy < site->window;
}

/* set_timer - wake the site at that time; 0: never */
static void
set_timer(struct sched_site *site, int64_t wake)
{
	struct sched_heap *timers = &site->t->s->timers;

	site->wake = wake;
	if (wake == 0 && site->timer.at != 0)
		sched_heap_remove(timers, &site->timer);
	else if (wake != 0 && site->timer.at == 0)
		sched_heap_add(timers, &site->timer);
	else if (wake != 0)
		sched_heap_moved(timers, &site->timer);
}

/* update_ready - be among the ready in each class, or in none */
static void
update_ready(struct sched_site *site, bool open)
{
	struct sched_rank *rank;
	struct sched_heap *ready;

	for (size_t k = 0; k < SCHED_RANKS; k++) {
		rank = &site->rank[k];
		ready = &site->t->ready[k];
		if (open && rank->peers.count > 0 && rank->node.at == 0)
			sched_heap_add(ready, &rank->node);
		else if (!open && rank->node.at != 0)
			sched_heap_remove(ready, &rank->node);
	}
}

/* sched_site_update - be where its state puts it */
void
sched_site_update(struct sched_site *site, int64_t now)
{
	struct sched	*s = site->t->s;
	bool		 drains = site->dead_until != 0 && site->peer_count > 0;
	bool		 idle;

	update_ready(site, sched_site_is_open(site, now));
	if (site->dead_until != 0)
		set_timer(site, site->dead_until);
	else
		set_timer(site, site->not_before > now ? site->not_before : 0);
	if (!drains)
		list_remove(&site->drain_link);
	else if (list_is_empty(&site->drain_link))
		list_add_tail(&s->draining, &site->drain_link);
	idle = site->timer.at == 0 && site->holders == 0 && site->busy == 0;
	if (!idle) {
		leave_idle(site);
	} else if (list_is_empty(&site->idle_link)) {
		site->idle_since = now;
		list_add_tail(&s->idle, &site->idle_link);
		s->idle_count++;
	}
}

/* rank_changed - its first peer may be another one, or none */
static void
rank_changed(struct sched_site *site, struct sched_rank *rank, size_t k)
{
	if (rank->node.at == 0)
		return;
	if (rank->peers.count == 0)
		sched_heap_remove(&site->t->ready[k], &rank->node);
	else
		sched_heap_moved(&site->t->ready[k], &rank->node);
}

/* sched_site_add - a peer queues up */
void
sched_site_add(struct sched_site *site, struct sched_peer *p)
{
	struct sched_rank *rank = &site->rank[p->rank];

	rank->peers.before = peer_before;
	sched_heap_add(&rank->peers, &p->node);
	p->queued = true;
	if (site->peer_count++ == 0)
		site->t->queued++;
	rank_changed(site, rank, p->rank);
}

/* sched_site_remove - a peer leaves the queue */
void
sched_site_remove(struct sched_site *site, struct sched_peer *p)
{
	struct sched_rank *rank = &site->rank[p->rank];

	sched_heap_remove(&rank->peers, &p->node);
	p->queued = false;
	if (--site->peer_count == 0)
		site->t->queued--;
	rank_changed(site, rank, p->rank);
}

/* sched_site_moved - a peer's order has changed */
void
sched_site_moved(struct sched_site *site, struct sched_peer *p)
{
	struct sched_rank *rank = &site->rank[p->rank];

	sched_heap_moved(&rank->peers, &p->node);
	rank_changed(site, rank, p->rank);
}

/* sched_site_any - one of its peers */
struct sched_peer *
sched_site_any(const struct sched_site *site)
{
	for (size_t k = 0; k < SCHED_RANKS; k++)
		if (site->rank[k].peers.count > 0)
			return peer_of(sched_heap_first(&site->rank[k].peers));
	return NULL;
}

/* amount - what one delivery moves a window of that size by */
static double
amount(const struct sched_feedback *f, uint32_t window)
{
	switch (f->kind) {
	case SCHED_FEEDBACK_CONST:
		return f->number;
	case SCHED_FEEDBACK_INVERSE:
		return f->number / window;
	case SCHED_FEEDBACK_SQRT:
		return f->number / sqrt(window);
	}
	return 0;
}

/* went_well - the site answered */
static void
went_well(struct sched_site *site, int64_t now)
{
	const struct sched_transport_params *p = &site->t->p;

	site->cohorts = 0;
	if (site->credit < 0)
		site->credit = 0;
	if (site->dead_until != 0)
		sched_site_revive(site, now);
	/* a window that is not used is not opened */
	if (site->busy < site->window || site->window >= max_window(site->t))
		return;
	site->credit += amount(&p->positive_feedback, site->window);
	while (site->credit >= 1 - EPSILON) {
		site->credit -= 1;
		if (site->window < max_window(site->t))
			site->window++;
	}
}

/* declare_dead - no more deliveries for a while */
static void
declare_dead(struct sched_site *site, struct slice reason, int64_t now)
{
	struct sched	*s = site->t->s;

	if (site->dead_until == 0)
		s->dead_count++;
	site->dead_until = now + s->params.minimal_backoff_time;
	if (site->dead_until == 0)
		site->dead_until = 1;
	free(site->reason);
	site->reason = slice_dup(reason);
	site->cohorts = site->credit = 0;
}

/* went_wrong - the site did not answer */
static void
went_wrong(struct sched_site *site, struct slice reason, int64_t now)
{
	const struct sched_transport_params *p = &site->t->p;

	if (site->dead_until != 0)
		return;
	site->cohorts += 1.0 / site->window;
	if (site->credit > 0)
		site->credit = 0;
	site->credit -= amount(&p->negative_feedback, site->window);
	while (site->credit <= -1 + EPSILON) {
		site->credit += 1;
		if (site->window > 1)
			site->window--;
	}
	if (p->failed_cohort_limit > 0 &&
	    site->cohorts >= p->failed_cohort_limit - EPSILON)
		declare_dead(site, reason, now);
}

/* sched_site_feedback - what a delivery said of the site; it still counts as
 * busy */
void
sched_site_feedback(struct sched_site *site, enum sched_outcome outcome,
    struct slice reason, int64_t now)
{
	if (outcome == SCHED_SITE_OK)
		went_well(site, now);
	else if (outcome == SCHED_SITE_FAILED)
		went_wrong(site, reason, now);
	if (site->window > max_window(site->t))
		site->window = max_window(site->t);
	if (site->t->p.destination_rate_delay > 0)
		site->not_before = now + site->t->p.destination_rate_delay;
}

/* sched_site_revive - a dead site is tried again, from the start */
void
sched_site_revive(struct sched_site *site, int64_t now)
{
	if (site->dead_until == 0)
		return;
	site->dead_until = 0;
	site->t->s->dead_count--;
	site->window = first_window(site->t);
	site->cohorts = site->credit = 0;
	free(site->reason);
	site->reason = NULL;
	sched_site_update(site, now);
}

/* sched_sites_tick - what has become due */
void
sched_sites_tick(struct sched *s, int64_t now)
{
	struct sched_node *n;
	struct sched_site *site;

	while ((n = sched_heap_first(&s->timers)) != NULL) {
		site = CONTAINER_OF(n, struct sched_site, timer);
		if (site->wake > now)
			break;
		if (site->dead_until != 0 && site->dead_until <= now)
			sched_site_revive(site, now);
		else
			sched_site_update(site, now);
	}
	while (!list_is_empty(&s->idle)) {
		site = CONTAINER_OF(s->idle.next, struct sched_site, idle_link);
		if (s->idle_count <= SCHED_IDLE_SITES && now - site->idle_since
		    < s->params.minimal_backoff_time)
			break;
		sched_site_free(site);
	}
}
