/* SPDX-License-Identifier: ISC */
/*
 * Sessions that are kept for the next message to the same next hop. Before
 * one is used again RSET shows that the server is still there; a task of the
 * daemon says QUIT to those that nobody wanted.
 */
#include "delivery/smtp.h"

#include <stdlib.h>

#define IDLE_MAX	200	/* sessions that are kept */

/* quit - say goodbye; the answer tells nothing that is needed */
static void
quit(struct task *t, struct smtp_session **take, int64_t limit)
{
	struct smtp_session	*s = *take;
	struct deadline		 d;

	if (!s->broken) {
		shield_begin(t, &d, limit);
		/* they may be gone already */
		ignore(smtp_say(t, s, limit, "sending QUIT", "QUIT"));
		ignore(stream_shutdown(t, &s->stream));
		ignore(shield_end(t, &d, 0));
	}
	smtp_session_free(take);
}

/* may_keep - is it worth keeping? */
static bool
may_keep(struct task *t, const struct smtp_attempt *a,
    const struct smtp_session *s)
{
	const struct smtp_params *p = a->p;

	return !s->broken && p->smtp_connection_cache_on_demand &&
	    !daemon_is_draining(a->daemon) && !task_is_cancelled(t) &&
	    p->smtp_connection_cache_time_limit > 0 &&
	    task_now(t) - s->opened < p->smtp_connection_reuse_time_limit &&
	    (p->smtp_connection_reuse_count_limit == 0 ||
	    s->uses < p->smtp_connection_reuse_count_limit) &&
	    a->smtp->idle_count < IDLE_MAX;
}

/* smtp_idle_put - keep it, or end it */
void
smtp_idle_put(struct task *t, struct smtp_attempt *a,
    struct smtp_session **take)
{
	struct smtp_session *s = *take;

	if (s == NULL)
		return;
	s->uses++;
	if (!may_keep(t, a, s)) {
		quit(t, take, size_min(a->p->smtp_quit_timeout, 2000));
		return;
	}
	*take = NULL;
	if (s->key == NULL)
		s->key = slice_dup(a->hop.text);
	s->expires = task_now(t) + a->p->smtp_connection_cache_time_limit;
	list_add_head(&a->smtp->idle, &s->link);
	a->smtp->idle_count++;
	signal_set(&a->smtp->parked);
}

static struct smtp_session *
unlink_it(struct smtp *smtp, struct list *link)
{
	list_remove(link);
	smtp->idle_count--;
	return CONTAINER_OF(link, struct smtp_session, link);
}

/* find - the latest session for that next hop */
static struct smtp_session *
find(const struct smtp_attempt *a)
{
	LIST_EACH(&a->smtp->idle, link) {
		struct smtp_session *s =
		    CONTAINER_OF(link, struct smtp_session, link);

		if (s->lmtp == a->hop.lmtp &&
		    slice_equal(slice_of(s->key), a->hop.text))
			return unlink_it(a->smtp, link);
	}
	return NULL;
}

/* smtp_idle_take - a kept session that still answers */
int
smtp_idle_take(struct task *t, struct smtp_attempt *a,
    struct smtp_session **ret_session)
{
	int64_t			 limit = a->p->smtp_rset_timeout;
	struct smtp_session	*s;
	int			 r;

	*ret_session = NULL;
	while ((s = find(a)) != NULL) {
		r = stream_has_input(&s->stream) ? -ECONNRESET :
		    smtp_say(t, s, limit, "sending RSET", "RSET");
		if (r == 0)
			r = smtp_hear(t, s, limit, "sending RSET");
		if (r == 0 && s->reply.code / 100 == 2 && !s->broken) {
			s->reused = true;
			*ret_session = s;
			return 0;
		}
		smtp_session_free(&s);
		if (r == -ECANCELED)
			return r;
	}
	return 0;
}

/* next_end - when the first of them expires; none: DEADLINE_NONE */
static int64_t
next_end(const struct smtp *smtp)
{
	int64_t first = DEADLINE_NONE;

	LIST_EACH(&smtp->idle, link) {
		const struct smtp_session *s =
		    CONTAINER_OF(link, struct smtp_session, link);

		if (s->expires < first)
			first = s->expires;
	}
	return first;
}

/* expired - one whose time is over; NULL if there is none */
static struct smtp_session *
expired(struct smtp *smtp, int64_t now)
{
	LIST_EACH(&smtp->idle, link)
		if (CONTAINER_OF(link, struct smtp_session, link)->expires <=
		    now)
			return unlink_it(smtp, link);
	return NULL;
}

/* end_all - the daemon ends: close them */
static void
end_all(struct smtp *smtp)
{
	struct list		*link;
	struct smtp_session	*s;

	while ((link = list_take_head(&smtp->idle)) != NULL) {
		s = CONTAINER_OF(link, struct smtp_session, link);
		smtp_session_free(&s);
	}
	smtp->idle_count = 0;
}

/* smtp_idle_run - say QUIT in time */
int
smtp_idle_run(struct task *t, struct daemon *d)
{
	const int64_t		 limit = 1000;
	struct smtp		*smtp = daemon_data(d);
	struct smtp_session	*s;
	struct deadline		 until;
	int64_t			 at;
	int			 r = 0;

	while (r == 0) {
		while ((s = expired(smtp, task_now(t))) != NULL)
			quit(t, &s, limit);
		at = next_end(smtp);
		deadline_begin(t, &until, at == DEADLINE_NONE ? at :
		    at > task_now(t) ? at - task_now(t) : 0);
		r = signal_wait(t, &smtp->parked);
		r = deadline_end(t, &until, r);
		if (r == -ETIMEDOUT)
			r = 0;
	}
	end_all(smtp);
	return r;
}
