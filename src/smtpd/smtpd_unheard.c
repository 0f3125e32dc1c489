/* SPDX-License-Identifier: ISC */
/*
 * A client whose session ends before it has said anything more may not have
 * heard that its message was taken, and sends it again. cleanup is told then,
 * so that the copy is known for what it is. What the client had sent before
 * our answer proves nothing.
 */
#include <string.h>

#include "libtask/loop.h"
#include "smtpd/smtpd.h"
#include "smtpd/smtpd_events.h"

#define TELL_LIMIT	2000	/* ms */

/* any_taken - was it taken for anybody? */
static bool
any_taken(const struct status *s, const struct content_answers *answers)
{
	for (size_t i = 0; i < answers->n; i++)
		if (answers->v[i].code / 100 == 2)
			return true;
	return answers->n == 0 && status_is_ok(s);
}

/* unheard_note - the client is going to be told what became of a message */
void
unheard_note(struct smtpd_client *c, const struct status *s,
    const struct content_answers *answers)
{
	struct smtpd_unheard		 *u = &c->unheard;
	const struct msg_content_unheard *name = &answers->name;

	u->is_set = name->content_id.len == sizeof(u->id) &&
	    any_taken(s, answers);
	if (!u->is_set)
		return;
	memcpy(u->id, name->content_id.data, sizeof(u->id));
	u->taken = name->taken;
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
	struct smtpd_unheard		*u = &c->unheard;
	struct msg_content_unheard	 m = { slice_over(u->id,
					    sizeof(u->id)), u->taken };
	struct deadline			 last;
	int				 r;

	if (!u->is_set)
		return;
	u->is_set = false;
	shield_begin(t, &last, TELL_LIMIT);
	r = content_unheard(t, &c->smtpd->pool, &m);
	r = shield_end(t, &last, r);
	if (r < 0)
		log_event(&c->log, EV_SMTPD_UNHEARD, KV_ERR("why", r));
}
