/* SPDX-License-Identifier: ISC */
/*
 * \Recent (RFC 3501 2.3.2): a message is recent to the first session that is
 * told of it. The mailbox record knows up to which UID messages were told to
 * anybody; while sessions have the mailbox selected, this table is ahead of
 * the record, so that mail for an idling client costs no second commit. The
 * last session that leaves writes it back.
 */
#include "imapd/session_private.h"

#include "libutil/alloc.h"

#include <stdlib.h>

struct shared_mailbox {
	struct list	link;
	uint32_t	mailbox;
	uint32_t	claimed;	/* UIDs below were told to somebody */
	uint32_t	stored;		/* as the account knows it */
	unsigned	session_count;
};

struct imap_shared {
	struct list	mailboxes;	/* those that are selected */
};

/* imap_shared_new - no sessions yet */
struct imap_shared *
imap_shared_new(void)
{
	struct imap_shared *shared = NEW(struct imap_shared);

	list_init(&shared->mailboxes);
	return shared;
}

/* imap_shared_free - when no session is left */
void
imap_shared_free(struct imap_shared **shared)
{
	free(*shared);
	*shared = NULL;
}

/* session_share - one more session has that mailbox; recent is the first UID
 * that the account knows as told to nobody */
struct shared_mailbox *
session_share(struct imap_shared *shared, uint32_t mailbox, uint32_t recent)
{
	struct shared_mailbox *m;

	LIST_EACH(&shared->mailboxes, i) {
		m = CONTAINER_OF(i, struct shared_mailbox, link);
		if (m->mailbox == mailbox) {
			m->session_count++;
			return m;
		}
	}
	m = NEW(struct shared_mailbox);
	m->mailbox = mailbox;
	m->claimed = m->stored = recent;
	m->session_count = 1;
	list_add_tail(&shared->mailboxes, &m->link);
	return m;
}

/* session_first_unclaimed - the first UID that nobody was told of */
uint32_t
session_first_unclaimed(const struct imap_shared *shared, uint32_t mailbox,
    uint32_t recent)
{
	LIST_EACH(&shared->mailboxes, i) {
		const struct shared_mailbox *m = CONTAINER_OF(i,
		    struct shared_mailbox, link);

		if (m->mailbox == mailbox && m->claimed > recent)
			return m->claimed;
	}
	return recent;
}

/* session_unshare - one session less */
void
session_unshare(struct imap_shared *shared, struct shared_mailbox **mp)
{
	struct shared_mailbox *m = *mp;

	(void)shared;
	*mp = NULL;
	if (m == NULL || --m->session_count > 0)
		return;
	list_remove(&m->link);
	free(m);
}

/* session_must_store_recent - is there something to write back? */
bool
session_must_store_recent(const struct shared_mailbox *m)
{
	return m != NULL && m->session_count == 1 && m->claimed > m->stored;
}

/* session_recent_add - these UIDs are recent to the session */
void
session_recent_add(struct session_recent *r, uint32_t first, uint32_t last)
{
	if (r->count > 0 && r->ranges[r->count - 1].last + 1 == first) {
		r->ranges[r->count - 1].last = last;
		return;
	}
	if (r->count == SESSION_RECENT_MAX) {	/* the oldest are not new */
		memmove(r->ranges, r->ranges + 1,
		    (r->count - 1) * sizeof(r->ranges[0]));
		r->count--;
	}
	r->ranges[r->count++] = (struct uid_range){ first, last };
}

/* session_claim_recent - the session is told of all below uidnext */
void
session_claim_recent(struct session_selected *sel, uint32_t uidnext)
{
	struct shared_mailbox *m = sel->shared;
	const struct session_recent *r = &sel->recent;
	uint32_t	first = m->claimed;

	/* what a read-only session was told of is not claimed */
	if (r->count > 0 && r->ranges[r->count - 1].last >= first)
		first = r->ranges[r->count - 1].last + 1;
	if (uidnext <= first)
		return;
	session_recent_add(&sel->recent, first, uidnext - 1);
	if (!sel->read_only)
		m->claimed = uidnext;
}

/* session_note_claimed - messages below were told to somebody */
void
session_note_claimed(struct shared_mailbox *m, uint32_t uidnext)
{
	if (uidnext > m->claimed)
		m->claimed = uidnext;
}

/* session_is_recent - is that message? */
bool
session_is_recent(const struct session_recent *r, uint32_t uid)
{
	for (size_t i = 0; i < r->count; i++)
		if (uid >= r->ranges[i].first && uid <= r->ranges[i].last)
			return true;
	return false;
}

/* session_recent_count - how many of the view's messages are */
uint32_t
session_recent_count(const struct session_recent *r,
    const struct mailbox_view *v)
{
	uint32_t	n = 0;

	for (size_t i = 0; i < r->count; i++) {
		uint32_t first = view_seq_from(v, r->ranges[i].first);
		uint32_t end = r->ranges[i].last == UINT32_MAX ? 0 :
		    view_seq_from(v, r->ranges[i].last + 1);

		if (first != 0)
			n += (end == 0 ? view_count(v) + 1 : end) - first;
	}
	return n;
}
