/* SPDX-License-Identifier: ISC */
/*
 * index: the messages of a mailbox by UID, as UID blocks and their directory
 * (uidblock.h), kept in step with each other and with the mailbox record's
 * counters of messages. Inside one transaction; used inside libstore only.
 *
 * In a writing transaction one block and one directory chunk are kept back
 * and written when another one is needed: work in ascending UID order.
 */
#ifndef LIBSTORE_INDEX_H
#define LIBSTORE_INDEX_H

#include "libstore/txn.h"
#include "libstore/uidblock.h"

/* add a message with the mailbox's next UID, which is put in m->uid, and this
 * transaction's mod-sequence. -ENOSPC when the UIDs are used up */
MUST_USE int	index_append(struct txn *t, struct mailbox_slot *slot,
		    struct message_meta *m);
/* lends the entry of a UID until the next call; -ENOENT */
MUST_USE int	index_get(struct txn *t, uint32_t mailbox, uint32_t uid,
		    const struct message_meta **ret_meta);
/* give a message these flags and this transaction's mod-sequence */
MUST_USE int	index_set_flags(struct txn *t, struct mailbox_slot *slot,
		    uint32_t uid, uint64_t flags);
/* remove a message */
MUST_USE int	index_remove(struct txn *t, struct mailbox_slot *slot,
		    uint32_t uid);
/* repair: put the directory entry of a block that is stored, and count its
 * messages in the mailbox */
MUST_USE int	index_adopt(struct txn *t, struct mailbox_slot *slot,
		    const struct uidblock *b);
/* write back what is kept */
MUST_USE int	index_flush(struct txn *t);

/* walk the blocks that have UIDs of first..last, in order; only those that
 * changed after since. The block is lent until the next step. */
struct index_walk {
	struct txn		*txn;
	uint32_t		 mailbox;
	uint32_t		 last;
	uint64_t		 since;
	struct backend_range	*range;		/* of the directory */
	struct dirchunk		*chunk;
	uint32_t		 chunk_at;
	uint32_t		 first;
	struct uidblock		*block;
	const struct dir_entry	*entry;		/* of the current block */
};
MUST_USE int	index_walk_begin(struct txn *t, uint32_t mailbox,
		    uint32_t first, uint32_t last, uint64_t since,
		    struct index_walk *ret_walk);
/* 1 with w->entry set, 0 at the end */
MUST_USE int	index_walk_next(struct index_walk *w);
/* read the current entry's block into w->block */
MUST_USE int	index_walk_block(struct index_walk *w);
void	index_walk_end(struct index_walk *w);

#endif
