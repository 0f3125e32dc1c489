/* SPDX-License-Identifier: ISC */
/*
 * view: a mailbox as one session sees it. It maps sequence numbers to UIDs
 * and back in O(log n) without touching the database, and stays as it is
 * until the session refreshes it at a place where its protocol lets it tell
 * the client. It is kept as runs of consecutive UIDs: twelve bytes for a
 * mailbox of a million messages that was never expunged. No database snapshot
 * is held between calls.
 *
 * One thread at a time; the session owns it. The account must outlive it.
 */
#ifndef LIBSTORE_VIEW_H
#define LIBSTORE_VIEW_H

#include "libstore/message.h"

struct mailbox_view;

/* the mailbox as it is now; -ENOENT */
MUST_USE int	view_open(struct account *a, uint32_t mailbox,
		    struct mailbox_view **ret_view);
void	view_close(struct mailbox_view **v);

/* What brings a view back after the session slept: a plain value. Taken right
 * after a refresh that might expunge it always can; otherwise it cannot if a
 * message came and went between two refreshes. */
struct view_state {
	uint32_t	mailbox;
	uint32_t	uidvalidity;
	uint32_t	uidnext;	/* UIDs below belong to the view */
	uint32_t	count;
	uint64_t	modseq;		/* changes up to here were reported */
	uint64_t	gone_modseq;	/* and expunges up to here */
};
void	view_get_state(const struct mailbox_view *v, struct view_state *ret_state);
/* the view as it was in that state; -ESTALE: it cannot be rebuilt (history
 * was pruned, or the mailbox is another one), -ENOENT it was deleted */
MUST_USE int	view_restore(struct account *a, const struct view_state *state,
		    struct mailbox_view **ret_view);

uint32_t	view_count(const struct mailbox_view *v);
uint64_t	view_modseq(const struct mailbox_view *v);
uint32_t	view_uidnext(const struct mailbox_view *v);
/* the UID at that sequence number (from 1), or 0 */
uint32_t	view_uid(const struct mailbox_view *v, uint32_t seq);
/* the sequence number of that UID, or 0 */
uint32_t	view_seq(const struct mailbox_view *v, uint32_t uid);
/* the first sequence number whose UID is >= uid, or 0 */
uint32_t	view_seq_from(const struct mailbox_view *v, uint32_t uid);

struct view_expunge {
	uint32_t	seq;	/* as EXPUNGE must say it, in this order */
	uint32_t	uid;
};

struct view_changes {
	uint32_t	 count;		/* messages in the view now */
	uint32_t	 added;		/* of them new, at its end */
	struct view_expunge	*expunged;
	size_t		 expunged_count;
	struct message_meta	*changed; /* flags changed, in UID order, not
					 * the new ones */
	size_t		 changed_count;
	bool		 is_gone;	/* the mailbox was deleted */
};

/* bring the view up to date and say what changed, in the arena. Without
 * may_expunge, messages that are gone stay in the view and are reported by a
 * later call (RFC 3501 7.4.1). Cheap if nothing changed. Expunges stand for
 * the client before the growth: report them first, then EXISTS. */
MUST_USE int	view_refresh(struct mailbox_view *v, bool may_expunge,
		    struct arena *arena, struct view_changes *ret_changes);
/* could a refresh find anything? No I/O. */
bool	view_is_stale(const struct mailbox_view *v);

#endif
