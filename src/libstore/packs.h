/* SPDX-License-Identifier: ISC */
/*
 * packs: pack records inside a transaction: appending to the open pack,
 * counting what is live, and walking a pack. Used inside libstore only.
 */
#ifndef LIBSTORE_PACKS_H
#define LIBSTORE_PACKS_H

#include "libstore/packrec.h"
#include "libstore/txn.h"

enum pack_state {
	PACK_OPEN = 0,
	PACK_SEALED = 1,
	/* has records that the metadata does not know: kept as it is until
	 * store_salvage looked into it */
	PACK_UNKNOWN = 2,
};

/* is that an id of an email which the metadata never heard of? */
bool	packs_is_unknown(const struct account_record *rec, uint64_t email);
/* append a whole record to the open pack; it is synced at commit */
MUST_USE int	packs_append(struct txn *t, struct slice record,
		    uint32_t *ret_pack, uint64_t *ret_offset);
/* a record of that stored length is named no more */
MUST_USE int	packs_release(struct txn *t, uint32_t pack, uint64_t stored);
MUST_USE int	packs_get(struct txn *t, uint32_t pack,
		    struct pack_record *ret_record);
MUST_USE int	packs_put(struct txn *t, uint32_t pack,
		    const struct pack_record *rec);

/* a walk over the records in a pack file from an offset on */
struct packs_walk {
	struct backend	*backend;
	struct arena	 arena;		/* of the current record */
	uint32_t	 pack;
	uint64_t	 offset;	/* of the next record */
	uint64_t	 end;
	uint64_t	 at;		/* of the current one */
	struct packrec	 rec;
	struct buf	 head;
};
MUST_USE int	packs_walk_begin(struct backend *b, uint32_t pack,
		    uint64_t offset, struct packs_walk *ret_walk);
/* 1 with a record, 0 at the end; -EBADMSG where no record begins: the walk
 * then stands on the next byte and may go on */
MUST_USE int	packs_walk_next(struct packs_walk *w);
void	packs_walk_end(struct packs_walk *w);
/* the content of the current record, unpacked and proved by its hash */
MUST_USE int	packs_walk_content(struct packs_walk *w,
		    struct packrec_zip *z, struct buf *out);

#endif
