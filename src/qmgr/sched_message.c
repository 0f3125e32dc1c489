/* SPDX-License-Identifier: ISC */
/*
 * Messages in: jobs and peers are made, queued, and dropped again.
 */
#include "qmgr/sched_private.h"

#include <stdlib.h>

#include "libutil/alloc.h"

/* sched_room - how many more messages are taken */
size_t
sched_room(const struct sched *s, enum sched_lane lane)
{
	size_t	limit = s->params.message_active_limit;

	if (lane == SCHED_RETRY)
		limit -= limit / 4;
	if (s->recipients >= s->params.message_recipient_limit ||
	    s->message_count >= limit)
		return 0;
	return limit - s->message_count;
}

/* sched_message_add - a new, empty message */
struct sched_message *
sched_message_add(struct sched *s, void *owner, enum sched_lane lane)
{
	struct sched_message *m = NEW(struct sched_message);

	m->owner = owner;
	m->lane = lane;
	list_init(&m->jobs);
	list_add_tail(&s->messages, &m->link);
	s->message_count++;
	return m;
}

/* sched_message_owner - what the caller gave */
void *
sched_message_owner(const struct sched_message *m)
{
	return m->owner;
}

/* job_get - the message's job at a transport */
static struct sched_job *
job_get(struct sched_message *m, struct sched_transport *t)
{
	struct sched_job *j;

	LIST_EACH(&m->jobs, i) {
		j = CONTAINER_OF(i, struct sched_job, link);
		if (j->t == t)
			return j;
	}
	j = NEW(struct sched_job);
	j->m = m;
	j->t = t;
	list_init(&j->peers);
	list_add_tail(&m->jobs, &j->link);
	return j;
}

/* sched_message_group - recipients at one site */
int
sched_message_group(struct sched *s, struct sched_message *m,
    const struct sched_group *g)
{
	struct sched_transport *t = sched_transport_find(s, g->transport);
	struct sched_peer      *p;

	if (t == NULL)
		return -ENOENT;
	if (g->rcpt_count == 0)
		return 0;
	p = NEW(struct sched_peer);
	p->job = job_get(m, t);
	p->site = sched_site_get(t, g->site);
	p->seq = ++s->seq;
	p->count = g->rcpt_count;
	p->rcpts = NEW_ARRAY(uint32_t, p->count);
	memcpy(p->rcpts, g->rcpts, p->count * sizeof(p->rcpts[0]));
	p->job->total += sched_deliveries_of(t, p->count);
	list_add_tail(&p->job->peers, &p->link);
	sched_site_hold(p->site);
	m->waiting += p->count;
	s->recipients += p->count;
	return 0;
}

/* tag_of - where in virtual time a peer queues up */
static uint64_t
tag_of(struct sched_peer *p, enum sched_lane lane)
{
	struct sched_transport *t = p->site->t;
	uint64_t		tag = t->present[lane];

	if (tag < p->site->end_tag[lane])
		tag = p->site->end_tag[lane];
	p->site->end_tag[lane] = tag + sched_deliveries_of(t, p->count);
	return tag;
}

/* job_start - queue what was added to a job */
static void
job_start(struct sched_job *j, int64_t now)
{
	struct sched	  *s = j->t->s;
	struct sched_peer *p;

	if (j->seq == 0) {
		j->seq = ++s->seq;
		j->since = now;
	}
	LIST_EACH(&j->peers, i) {
		p = CONTAINER_OF(i, struct sched_peer, link);
		if (p->queued)
			continue;
		p->rank = (uint8_t)(j->m->lane * SCHED_CLASSES +
		    sched_class_of(j->total));
		p->tag = tag_of(p, j->m->lane);
		sched_site_add(p->site, p);
		sched_site_update(p->site, now);
	}
}

/* sched_message_start - what was added may be handed out */
void
sched_message_start(struct sched *s, struct sched_message *m, int64_t now)
{
	(void)s;	/* every call names the scheduler it is about */
	LIST_EACH(&m->jobs, i)
		job_start(CONTAINER_OF(i, struct sched_job, link), now);
}

/* sched_message_waiting - recipients not handed out */
size_t
sched_message_waiting(const struct sched_message *m)
{
	return m->waiting;
}

/* sched_message_busy - recipients in deliveries under way */
size_t
sched_message_busy(const struct sched_message *m)
{
	return m->busy;
}

/* sched_peer_free - release a peer; what it holds is counted elsewhere */
void
sched_peer_free(struct sched_peer *p)
{
	if (p->queued)
		sched_site_remove(p->site, p);
	p->site->holders--;
	list_remove(&p->link);
	free(p->rcpts);
	free(p);
}

/* sched_message_cancel - drop what waits */
void
sched_message_cancel(struct sched *s, struct sched_message *m)
{
	struct sched_peer *p;
	struct sched_site *site;
	struct sched_job  *j;

	LIST_EACH(&m->jobs, i) {
		j = CONTAINER_OF(i, struct sched_job, link);
		LIST_EACH_SAFE(&j->peers, k) {
			p = CONTAINER_OF(k, struct sched_peer, link);
			site = p->site;
			sched_peer_free(p);
			sched_site_update(site, s->now);
		}
		j->total = j->handed;
	}
	s->recipients -= m->waiting;
	m->waiting = 0;
}

/* sched_message_free - release a message and what waits of it */
void
sched_message_free(struct sched *s, struct sched_message *m)
{
	sched_message_cancel(s, m);
	LIST_EACH_SAFE(&m->jobs, i)
		free(CONTAINER_OF(i, struct sched_job, link));
	list_remove(&m->link);
	s->recipients -= m->busy;
	s->message_count--;
	free(m);
}

/* sched_message_remove - forget a message */
void
sched_message_remove(struct sched *s, struct sched_message **m_take)
{
	struct sched_message *m = *m_take;

	*m_take = NULL;
	if (m == NULL)
		return;
	m->owner = NULL;
	m->removed = true;
	if (m->deliveries == 0)
		sched_message_free(s, m);
	else
		sched_message_cancel(s, m);
}
