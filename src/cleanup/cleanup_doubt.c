/* SPDX-License-Identifier: ISC */
/*
 * Messages that come twice. A client that did not hear that its message was
 * taken sends it again, and that must not become two messages; one that heard
 * it and sends the same again means two. So each message is named by what its
 * client cannot but repeat: its address, the sender, the Message-ID and every
 * byte of the content. With the name go the times of which it is not sure that
 * who was answered then heard it (qmgr tells us of them); the mailbox compares.
 *
 * A copy that comes while the one before it is still being decided upon is
 * sent away, to come again. One that comes a moment later waits until the news
 * of the first one's client can have come.
 */
#include "cleanup/cleanup.h"

#include <stdlib.h>
#include <string.h>

#include "libtask/loop.h"
#include "libutil/alloc.h"

#define KNOW_LIMIT	10000	/* ms that qmgr may take to tell us */
#define KNOW_PAUSE	2
#define NEWS_LIMIT	1000	/* ms that smtpd may take to say that a client
				 * has gone */
#define NEWS_PAUSE	5
#define LANDED_MAX	4096

/* doubt_begin - mail that a client sends; ours is known by its queue id */
void
doubt_begin(struct message *m)
{
	if (m->envelope->client_address.len > 0)
		sha256_begin(&m->digest);
}

/* doubt_content - a run of it */
void
doubt_content(struct message *m, struct slice bytes)
{
	if (m->digest.ctx != NULL)
		sha256_add(&m->digest, bytes);
}

/* take_id - of what was added */
static struct slice
take_id(struct message *m)
{
	unsigned char hash[SHA256_LEN];

	sha256_take(&m->digest, hash);
	return arena_dup(&m->arena, slice_over(hash, DOUBTS_ID_LEN));
}

/* name_content - the content's own name, then with all recipients that of the
 * transaction: parts of one message may come side by side */
static void
name_content(struct message *m)
{
	struct msg_envelope	*e = m->envelope;
	struct buf		 length = BUF_INIT;

	buf_add_le64(&length, m->length);
	sha256_add(&m->digest, buf_slice(&length));
	buf_free(&length);
	sha256_add_text(&m->digest, e->client_address);
	sha256_add_text(&m->digest, e->sender);
	sha256_add_text(&m->digest, e->message_id);
	e->content_id = take_id(m);
	sha256_add(&m->digest, e->content_id);
	for (size_t i = 0; i < e->rcpts.n; i++)
		sha256_add_text(&m->digest, e->rcpts.v[i].original);
	m->flight = take_id(m);
}

/* wait_known - until the qmgr of now has said what it knows. Without one
 * nothing is in doubt: better twice than not at all. */
static int
wait_known(struct task *t, struct cleanup *c)
{
	int64_t	end = task_now(t) + KNOW_LIMIT;
	int	r = 0;

	while (c->doubts_of == 0 || c->doubts_of != edge_generation(c->qmgr)) {
		if (task_now(t) >= end)
			return 0;
		r = edge_ensure(t, c->qmgr);
		if (r != -ECANCELED)
			r = task_sleep(t, KNOW_PAUSE);
		if (r < 0)
			return r;
	}
	return 0;
}

/* doubt_name - the content is complete, and its Message-ID known */
int
doubt_name(struct task *t, struct message *m)
{
	struct msg_envelope	*e = m->envelope;
	const struct doubts	*d = &m->cleanup->doubts;
	struct doubts_copy	 copies[DOUBTS_COPIES_MAX];
	struct msg_doubt	*v;
	size_t			 n = 0, count;
	int			 r;

	if (m->digest.ctx == NULL || e->message_id.len == 0)
		return 0;
	name_content(m);
	if ((r = wait_known(t, m->cleanup)) < 0)
		return r;
	count = doubts_find(d, e->content_id, copies);
	v = ARENA_ARRAY(&m->arena, struct msg_doubt, d->span_count + count);
	for (size_t i = 0; i < d->span_count; i++)
		v[n++] = (struct msg_doubt){ d->spans[i].since,
		    d->spans[i].until };
	for (size_t i = 0; i < count; i++)
		v[n++] = (struct msg_doubt){ doubts_since(&copies[i]),
		    copies[i].taken };
	e->doubts.v = v;
	e->doubts.n = n;
	return 0;
}

/* --- one at a time */

/* What is decided on, and for a moment what was taken: whether its client heard
 * that is told by another process, and a copy may be faster. */
struct flight {
	struct list	link;		/* landed */
	char		id[DOUBTS_ID_LEN];
	int64_t		taken;
	int64_t		over;		/* loop ms */
};

/* flight_free - forget it */
static void
flight_free(struct cleanup *c, struct flight *f)
{
	c->landed_count -= !list_is_empty(&f->link);
	list_remove(&f->link);
	(void)hash_remove(&c->flights, slice_over(f->id, sizeof(f->id)));
	free(f);
}

/* forget_landed - those whose news has had its time, or are too many */
static void
forget_landed(struct cleanup *c)
{
	int64_t now = loop_now(daemon_loop(c->daemon));

	LIST_EACH_SAFE(&c->landed, link) {
		struct flight *f = CONTAINER_OF(link, struct flight, link);

		if (now - f->over < NEWS_LIMIT &&
		    c->landed_count <= LANDED_MAX)
			return;
		flight_free(c, f);
	}
}

/* is_unheard - has it been told of? */
static bool
is_unheard(const struct message *m, int64_t taken)
{
	struct doubts_copy	copies[DOUBTS_COPIES_MAX];
	size_t			n = doubts_find(&m->cleanup->doubts,
				    m->envelope->content_id, copies);

	for (size_t i = 0; i < n; i++)
		if (taken >= doubts_since(&copies[i]) &&
		    taken <= copies[i].taken)
			return true;
	return false;
}

/* flight_begin - false if it is being decided upon already. What was taken a
 * moment ago is waited for: qmgr knows then what this one is a copy of */
bool
flight_begin(struct task *t, struct message *m)
{
	struct cleanup	*c = m->cleanup;
	struct flight	*f;

	if (m->flight.len != sizeof(f->id))
		return true;
	forget_landed(c);
	while ((f = hash_get(&c->flights, m->flight)) != NULL) {
		if (list_is_empty(&f->link))
			return false;
		if (is_unheard(m, f->taken))
			flight_free(c, f);
		else if (task_sleep(t, NEWS_PAUSE) < 0)
			return false;
		forget_landed(c);
	}
	f = NEW(struct flight);
	list_init(&f->link);
	memcpy(f->id, m->flight.data, sizeof(f->id));
	f->taken = m->envelope->taken;
	(void)hash_put(&c->flights, slice_over(f->id, sizeof(f->id)),
	    f);					/* is new */
	m->flying = true;
	return true;
}

/* flight_end - it was decided, or given up */
void
flight_end(struct message *m, bool taken)
{
	struct cleanup	*c = m->cleanup;
	struct flight	*f;

	if (!m->flying)
		return;
	m->flying = false;
	f = hash_get(&c->flights, m->flight);
	if (!taken) {
		flight_free(c, f);
		return;
	}
	f->over = loop_now(daemon_loop(c->daemon));
	list_add_tail(&c->landed, &f->link);
	c->landed_count++;
	forget_landed(c);
}

struct status
flight_refusal(void)
{
	return status_make(451, "4.3.0", "Error: an earlier copy of this "
	    "message is still being delivered");
}

/* --- what is told */

/* doubt_tell - qmgr, which tells the other cleanups */
void
doubt_tell(struct cleanup *c, const struct msg_content_unheard *m)
{
	struct msg_queue_unheard u = { m->content_id, m->taken, m->noticed };

	if (m->content_id.len != DOUBTS_ID_LEN)
		return;
	doubts_unheard(&c->doubts, m->content_id,
	    (struct doubts_copy){ m->taken, m->noticed, 0 });
	/* gone: the next one doubts all that was taken in its time */
	ignore(edge_post(c->qmgr, &msg_queue_unheard_desc, &u));
}

/* doubt_tell_of - the same, of a message that is not answered by a yes, or to
 * nobody */
void
doubt_tell_of(const struct message *m)
{
	const struct msg_content_unheard u = { m->envelope->content_id,
	    m->envelope->taken, loop_wall(daemon_loop(m->cleanup->daemon)) };

	doubt_tell(m->cleanup, &u);
}

/* doubt_heard - what qmgr knows */
void
doubt_heard(struct cleanup *c, const struct msg_queue_doubts *m)
{
	for (size_t i = 0; i < m->unheard.n; i++)
		doubts_unheard(&c->doubts, m->unheard.v[i].content_id,
		    (struct doubts_copy){ m->unheard.v[i].taken, 0,
		    m->unheard.v[i].since });
	doubts_clear_spans(&c->doubts);
	for (size_t i = 0; i < m->spans.n; i++)
		doubts_add_span(&c->doubts, (struct doubts_span){
		    m->spans.v[i].since, m->spans.v[i].until });
	c->doubts_of = edge_generation(c->qmgr);
}
