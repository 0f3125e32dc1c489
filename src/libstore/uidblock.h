/* SPDX-License-Identifier: ISC */
/*
 * uidblock: up to 64 messages of a mailbox in one value, by columns, and the
 * directory that sums up the blocks of a mailbox. A block's key holds the
 * first UID it was made for; it has the UIDs from there to the next block's
 * key. Pure encoding; the index (index.h) keeps both in step.
 *
 * A column is a base, a width (0, 1, 2, 4 or 8 bytes) and that many bytes for
 * each message to be added to the base, so that flags without keywords take
 * one byte and equal dates none.
 */
#ifndef LIBSTORE_UIDBLOCK_H
#define LIBSTORE_UIDBLOCK_H

#include "libstore/message.h"
#include "libutil/buf.h"

#define UIDBLOCK_ENTRIES_MAX	64
#define UIDBLOCK_BYTES_MAX	1900

struct uidblock {
	uint32_t		first;	/* from its key */
	uint32_t		count;
	struct message_meta	at[UIDBLOCK_ENTRIES_MAX]; /* by UID */
};

/* bytes its encoding takes */
size_t	uidblock_size(const struct uidblock *b);
void	uidblock_encode(struct buf *out, const struct uidblock *b);
/* first is the UID in its key; -EBADMSG unless the UIDs ascend from it on */
MUST_USE int	uidblock_decode(struct slice in, uint32_t first,
		    struct uidblock *ret_block);
/* the index of the first entry whose UID is >= uid; count if there is none */
uint32_t	uidblock_find(const struct uidblock *b, uint32_t uid);

#define DIRCHUNK_ENTRIES_MAX	64

/* what the directory knows of a block */
struct dir_entry {
	uint32_t	block;		/* first UID in the block's key */
	uint32_t	first_uid;	/* that is in it */
	uint32_t	last_uid;
	uint8_t		live;		/* messages in it, 1..64 */
	uint8_t		unseen;
	uint8_t		deleted;
	uint64_t	max_modseq;
};

struct dirchunk {
	uint32_t		count;
	struct dir_entry	at[DIRCHUNK_ENTRIES_MAX];	/* by block */
};

void	dirchunk_encode(struct buf *out, const struct dirchunk *c);
MUST_USE int	dirchunk_decode(struct slice in, struct dirchunk *ret_chunk);
/* the index of the last entry whose block is <= uid; -ENOENT */
int	dirchunk_find(const struct dirchunk *c, uint32_t uid);
/* the entry that a block must have */
void	dir_entry_of(const struct uidblock *b, struct dir_entry *ret_entry);
bool	dir_entry_equal(const struct dir_entry *a, const struct dir_entry *b);

#endif
