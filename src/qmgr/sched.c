/* SPDX-License-Identifier: ISC */
/*
 * Deliveries out. sched_private.h says how it is built.
 */
#include "qmgr/sched_private.h"

#include <assert.h>
#include <stdlib.h>

#include "libutil/alloc.h"

/* sched_new - an empty scheduler */
struct sched *
sched_new(const struct sched_params *p)
{
	struct sched	*s = NEW(struct sched);

	s->params = *p;
	list_init(&s->transports);
	list_init(&s->messages);
	list_init(&s->deliveries);
	list_init(&s->draining);
	list_init(&s->idle);
	s->timers.before = sched_timer_before;
	return s;
}

/* transport_free - release a transport and its sites; no peers are left */
static void
transport_free(struct sched_transport *t)
{
	struct hash_iter i = { 0 };
	struct slice	 name;
	void		*site;

	while (hash_next(&t->sites, &i, &name, &site))
		sched_site_free(site);
	hash_free(&t->sites);
	for (size_t k = 0; k < SCHED_RANKS; k++)
		sched_heap_free(&t->ready[k]);
	list_remove(&t->link);
	free(t);
}

/* sched_free - release all */
void
sched_free(struct sched **s_take)
{
	struct sched	*s = *s_take;

	*s_take = NULL;
	if (s == NULL)
		return;
	LIST_EACH_SAFE(&s->deliveries, i)
		free(CONTAINER_OF(i, struct sched_delivery, link));
	LIST_EACH_SAFE(&s->messages, i)
		sched_message_free(s, CONTAINER_OF(i, struct sched_message, link));
	LIST_EACH_SAFE(&s->transports, i)
		transport_free(CONTAINER_OF(i, struct sched_transport, link));
	hash_free(&s->transport_by_name);
	sched_heap_free(&s->timers);
	free(s->lent);
	free(s->lent_reason);
	free(s);
}

/* sched_set_params - other figures from now on */
void
sched_set_params(struct sched *s, const struct sched_params *p)
{
	s->params = *p;
}

/* sched_transport_find - a transport by name, or NULL */
struct sched_transport *
sched_transport_find(const struct sched *s, struct slice name)
{
	return hash_get(&s->transport_by_name, name);
}

/* sched_transport - declare a transport, or change its figures */
void
sched_transport(struct sched *s, struct slice name,
    const struct sched_transport_params *p)
{
	struct sched_transport *t = sched_transport_find(s, name);

	if (t == NULL) {
		t = xcalloc(1, sizeof(*t) + name.len);
		t->s = s;
		t->name_len = name.len;
		if (name.len > 0)
			memcpy(t->name, name.data, name.len);
		for (size_t k = 0; k < SCHED_RANKS; k++)
			t->ready[k].before = sched_rank_before;
		list_add_tail(&s->transports, &t->link);
		(void)hash_put(&s->transport_by_name, name, t);	/* new */
	}
	t->p = *p;
}

/* sched_has_transport - is it declared? */
bool
sched_has_transport(const struct sched *s, struct slice name)
{
	return sched_transport_find(s, name) != NULL;
}

/* delivery_new - room for a delivery, counted everywhere */
static struct sched_delivery *
delivery_new(struct sched_message *m, struct sched_site *site,
    const uint32_t *rcpts, size_t count)
{
	struct sched_delivery *d = xcalloc(1, sizeof(*d) +
				    (rcpts == NULL ? 0 : count) *
				    sizeof(rcpts[0]));

	d->site = site;
	d->m = m;
	d->count = count;
	if (rcpts != NULL)
		memcpy(d->rcpts, rcpts, count * sizeof(rcpts[0]));
	list_add_tail(&site->t->s->deliveries, &d->link);
	m->busy += count;
	m->deliveries++;
	site->busy++;
	site->t->busy++;
	site->t->s->busy++;
	return d;
}

/* move_on - virtual time passes with a delivery of that tag */
static void
move_on(struct sched_transport *t, enum sched_lane lane, uint64_t tag)
{
	if (tag > t->present[lane]) {
		t->present[lane] = tag;
		t->level[lane] = 0;
	} else if (++t->level[lane] > t->queued + SCHED_LEVEL_SLACK) {
		t->present[lane]++;
		t->level[lane] = 0;
	}
}

/* hand_out - a delivery of the first recipients of a peer */
static void
hand_out(struct sched_peer *p, int64_t now, struct sched_next *ret_next)
{
	struct sched_transport *t = p->site->t;
	struct sched_site      *site = p->site;
	struct sched_message   *m = p->job->m;
	size_t			n = p->count - p->next;
	struct sched_delivery  *d;

	if (t->p.destination_recipient_limit != 0)
		n = size_min(n, t->p.destination_recipient_limit);
	d = delivery_new(m, site, p->rcpts + p->next, n);
	m->waiting -= n;
	move_on(t, m->lane, p->tag);
	if (p->job->handed < p->job->total)
		p->job->handed++;
	p->next += n;
	if (p->next == p->count) {
		sched_peer_free(p);
	} else if (p->job->depth == 0) {
		p->tag++;
		sched_site_moved(site, p);
	}
	sched_site_update(site, now);
	*ret_next = (struct sched_next){ .kind = SCHED_DELIVER, .delivery = d,
	    .message = m, .transport = slice_over(t->name, t->name_len),
	    .site = slice_over(site->name, site->name_len),
	    .rcpts = d->rcpts, .rcpt_count = n };
}

/* drain - hand back what waits for a dead site, one peer at a time */
static void
drain(struct sched *s, int64_t now, struct sched_next *ret_next)
{
	struct sched_site *site = CONTAINER_OF(s->draining.next,
			       struct sched_site, drain_link);
	struct sched_peer *p = sched_site_any(site);
	struct sched_job  *j;
	size_t		   n;

	assert(p != NULL);
	n = p->count - p->next;
	memmove(p->rcpts, p->rcpts + p->next, n * sizeof(p->rcpts[0]));
	s->lent = p->rcpts;
	p->rcpts = NULL;
	s->lent_reason = slice_dup(slice_of(site->reason));
	j = p->job;
	*ret_next = (struct sched_next){ .kind = SCHED_DEFER,
	    .message = j->m, .rcpts = s->lent, .rcpt_count = n,
	    .transport = slice_over(site->t->name, site->t->name_len),
	    .site = slice_over(site->name, site->name_len),
	    .reason = slice_of(s->lent_reason),
	    .dead_until = site->dead_until };
	j->m->waiting -= n;
	s->recipients -= n;
	j->total -= size_min(j->total - j->handed,
	    sched_deliveries_of(site->t, n));
	sched_peer_free(p);
	sched_site_update(site, now);
}

/* wake_of - when something changes by itself; INT64_MAX: never */
static int64_t
wake_of(const struct sched *s, int64_t now)
{
	const struct sched_transport *t;
	const struct sched_node      *n = sched_heap_first(&s->timers);
	int64_t			      wake = INT64_MAX;

	if (n != NULL)
		wake = CONTAINER_OF(n, struct sched_site, timer)->wake;
	LIST_EACH(&s->transports, i) {
		t = CONTAINER_OF(i, struct sched_transport, link);
		if (t->not_before > now && t->not_before < wake)
			wake = t->not_before;
	}
	return wake;
}

/* sched_next - what to do now */
void
sched_next(struct sched *s, int64_t now, struct sched_next *ret_next)
{
	struct sched_transport *t;
	struct sched_peer      *p;
	int64_t			wake;

	s->now = now;
	free(s->lent);
	free(s->lent_reason);
	s->lent = NULL;
	s->lent_reason = NULL;
	sched_sites_tick(s, now);
	if (!list_is_empty(&s->draining)) {
		drain(s, now, ret_next);
		return;
	}
	LIST_EACH(&s->transports, i) {
		t = CONTAINER_OF(i, struct sched_transport, link);
		if (!sched_transport_is_open(t, now) ||
		    (p = sched_pick(t, now)) == NULL)
			continue;
		/* the others are asked first next time */
		list_remove(&t->link);
		list_add_tail(&s->transports, &t->link);
		hand_out(p, now, ret_next);
		return;
	}
	wake = wake_of(s, now);
	*ret_next = (struct sched_next){
	    .kind = wake == INT64_MAX ? SCHED_IDLE : SCHED_WAIT,
	    .wake = wake };
}

/* sched_done - a delivery is over */
void
sched_done(struct sched *s, struct sched_delivery **d_take,
    enum sched_outcome outcome, struct slice reason, int64_t now)
{
	struct sched_delivery *d = *d_take;
	struct sched_site     *site = d->site;
	struct sched_message  *m = d->m;

	*d_take = NULL;
	s->now = now;
	sched_site_feedback(site, outcome, reason, now);
	site->busy--;
	site->t->busy--;
	s->busy--;
	if (site->t->p.transport_rate_delay > 0)
		site->t->not_before = now + site->t->p.transport_rate_delay;
	sched_site_update(site, now);
	m->busy -= d->count;
	m->deliveries--;
	s->recipients -= d->count;
	list_remove(&d->link);
	free(d);
	if (m->removed && m->deliveries == 0)
		sched_message_free(s, m);
}

/* sched_delivery_message - whose it is */
struct sched_message *
sched_delivery_message(const struct sched_delivery *d)
{
	return d->m;
}

/* sched_is_open - could a delivery to that site start at once? */
bool
sched_is_open(struct sched *s, struct slice transport, struct slice name,
    int64_t now)
{
	struct sched_transport *t = sched_transport_find(s, transport);
	struct sched_site      *site;

	if (t == NULL || !sched_transport_is_open(t, now))
		return false;
	s->now = now;
	sched_sites_tick(s, now);
	site = sched_site_find(t, name);
	return site == NULL ||
	    (site->peer_count == 0 && sched_site_is_open(site, now));
}

/* sched_adopt - count a delivery that runs already */
struct sched_delivery *
sched_adopt(struct sched *s, struct sched_message *m, struct slice transport,
    struct slice name, size_t rcpt_count, int64_t now)
{
	struct sched_transport *t = sched_transport_find(s, transport);
	struct sched_delivery  *d;

	if (t == NULL)
		return NULL;
	d = delivery_new(m, sched_site_get(t, name), NULL, rcpt_count);
	s->recipients += rcpt_count;
	sched_site_update(d->site, now);
	return d;
}

/* sched_revive - dead sites are tried again */
void
sched_revive(struct sched *s, struct slice transport, struct slice name,
    int64_t now)
{
	struct sched_transport *t = sched_transport_find(s, transport);
	struct hash_iter	i = { 0 };
	struct slice		key;
	void			*site;

	if (t == NULL)
		return;
	while (hash_next(&t->sites, &i, &key, &site))
		if (slice_is_empty(name) || slice_equal(name, key))
			sched_site_revive(site, now);
}

/* sched_count - how much there is of each */
void
sched_count(const struct sched *s, struct sched_counts *ret_counts)
{
	*ret_counts = (struct sched_counts){ s->message_count, s->recipients,
	    s->busy, s->site_count, s->dead_count };
}
