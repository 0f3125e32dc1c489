/* SPDX-License-Identifier: ISC */
/*
 * A client whose session ends before it has said anything more may not have
 * heard that its message was taken, and sends it again. cleanup is told then,
 * so that the copy is known for what it is. What the client had sent before
 * our answer proves nothing: who sends several messages ahead of the answers
 * (BDAT allows that) may have heard none of them.
 */
#include <stdlib.h>
#include <string.h>

#include "libtask/loop.h"
#include "libutil/alloc.h"
#include "smtpd/smtpd.h"
#include "smtpd/smtpd_events.h"

#define TELL_LIMIT	2000	/* ms */
#define UNHEARD_MAX	128

/* any_taken - was it taken for anybody? */
static bool
any_taken(const struct status *s, const struct content_answers *answers)
{
	for (size_t i = 0; i < answers->n; i++)
		if (answers->v[i].code / 100 == 2)
			return true;
	return answers->n == 0 && status_is_ok(s);
}

/* room - for one more; beyond the bound the oldest is forgotten, which costs a
 * message twice at the worst */
static void
room(struct smtpd_unheard *u)
{
	if (u->count == UNHEARD_MAX) {
		u->count--;
		memmove(&u->v[0], &u->v[1], u->count * sizeof(u->v[0]));
	} else if (u->count == u->cap) {
		u->cap = u->cap == 0 ? 1 : u->cap * 4;
		u->v = xreallocarray(u->v, u->cap, sizeof(u->v[0]));
	}
}

/* unheard_note - the client is going to be told what became of a message */
void
unheard_note(struct smtpd_client *c, const struct status *s,
    const struct content_answers *answers)
{
	struct smtpd_unheard		 *u = &c->unheard;
	const struct msg_content_unheard *name = &answers->name;
	struct smtpd_taken		 *one;

	if (name->content_id.len != sizeof(one->id) || !any_taken(s, answers))
		return;
	room(u);
	one = &u->v[u->count++];
	memcpy(one->id, name->content_id.data, sizeof(one->id));
	one->taken = name->taken;
}

/* unheard_clear - the client has heard all of it */
void
unheard_clear(struct smtpd_client *c)
{
	free(c->unheard.v);
	c->unheard = (struct smtpd_unheard){ 0 };
}

/* unheard_needs_input - is a whole line there already? */
bool
unheard_needs_input(const struct smtpd_client *c)
{
	return slice_find(stream_buffered(&c->stream), '\n') == SLICE_NONE;
}

/* unheard_tell - the session ended without a word more */
void
unheard_tell(struct task *t, struct smtpd_client *c)
{
	struct smtpd_unheard	*u = &c->unheard;
	int64_t			 now = loop_wall(task_loop(t));
	struct deadline		 last;
	int			 r = 0;

	if (u->count == 0)
		return;
	shield_begin(t, &last, TELL_LIMIT);
	for (size_t i = 0; r == 0 && i < u->count; i++) {
		struct msg_content_unheard m = { slice_over(u->v[i].id,
		    sizeof(u->v[i].id)), u->v[i].taken, now };

		r = content_unheard(t, &c->smtpd->pool, &m);
	}
	r = shield_end(t, &last, r);
	if (r < 0)
		log_event(&c->log, EV_SMTPD_UNHEARD, KV_ERR("why", r));
	unheard_clear(c);
}
