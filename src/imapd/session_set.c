/* SPDX-License-Identifier: ISC */
/*
 * Sets of message numbers and of UIDs both become ranges of sequence numbers
 * in the session's view, so that every command walks messages the same way,
 * and a range such as 1:4294967295 costs what the mailbox holds.
 */
#include "imapd/session_private.h"

/* last_uid - what "*" means for UIDs */
static uint32_t
last_uid(const struct mailbox_view *v)
{
	uint32_t	count = view_count(v);

	return count == 0 ? view_uidnext(v) : view_uid(v, count);
}

/* session_uids_to_seqs - ranges of UIDs as ranges of sequence numbers, in place */
void
session_uids_to_seqs(const struct mailbox_view *v, struct imap_seqset *set)
{
	size_t	used = 0;

	(void)imap_seqset_resolve(set, last_uid(v));
	for (size_t i = 0; i < set->count; i++) {
		struct imap_seqrange *r = &set->ranges[i];
		uint32_t	first = view_seq_from(v, r->first);
		uint32_t	end = r->last == UINT32_MAX ? 0 :
				    view_seq_from(v, r->last + 1);

		if (end == 0)
			end = view_count(v) + 1;
		if (first == 0 || first >= end)
			continue;
		set->ranges[used++] = (struct imap_seqrange){ first, end - 1 };
	}
	set->count = used;
}

/* session_walk_begin - the messages a set names */
bool
session_walk_begin(struct imap_session *s, struct imap_seqset *set,
    bool by_uid, struct session_walk *ret_walk)
{
	const struct mailbox_view *v = s->selected.view;
	uint32_t	count = view_count(v), top;

	if (by_uid) {
		session_uids_to_seqs(v, set);
	} else {
		/* with no message there "*" names message 1, which is not */
		top = imap_seqset_resolve(set, count == 0 ? 1 : count);
		if (top > count) {
			session_say(s, "BAD", NULL, arena_printf(&s->arena,
			    "There is no message %u: the mailbox has %u", top,
			    count).data);
			return false;
		}
	}
	*ret_walk = (struct session_walk){ *set, 0, 0 };
	return true;
}

/* session_walk_next - the UIDs of the next messages */
size_t
session_walk_next(struct imap_session *s, struct session_walk *w,
    uint32_t *ret_uids, size_t max)
{
	size_t	n = 0;

	while (n < max && w->range < w->seqs.count) {
		const struct imap_seqrange *r = &w->seqs.ranges[w->range];
		uint32_t seq = w->next == 0 ? r->first : w->next;

		ret_uids[n++] = view_uid(s->selected.view, seq);
		w->next = seq + 1;
		if (seq == r->last) {
			w->range++;
			w->next = 0;
		}
	}
	return n;
}
