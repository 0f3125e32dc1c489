/* SPDX-License-Identifier: ISC */
/* Walking a mailbox by its directory, so that blocks nobody asks for are not
 * read. */
#include "libstore/index.h"

#include "libutil/alloc.h"

/* index_walk_begin - a walk by the directory */
int
index_walk_begin(struct txn *t, uint32_t mailbox, uint32_t first,
    uint32_t last, uint64_t since, struct index_walk *ret_walk)
{
	struct index_walk w = { .txn = t, .mailbox = mailbox, .first = first,
		.last = last, .since = since };
	struct key all, at;
	struct slice value;
	uint32_t found;
	int	r;

	if (t->is_write && (r = txn_flush(t)) < 0)
		return r;
	/* begin with the chunk that may hold first */
	r = txn_last_u32(t, KEY_DIRECTORY, mailbox, first, &found, &value);
	if (r < 0 && r != -ENOENT)
		return r;
	key_u32(&all, KEY_DIRECTORY, mailbox);
	key_u32_u32(&at, KEY_DIRECTORY, mailbox, r == 0 ? found : first);
	if ((r = txn_range(t, &all, &at, &w.range)) < 0)
		return r;
	w.chunk = NEW(struct dirchunk);
	w.block = NEW(struct uidblock);
	*ret_walk = w;
	return 0;
}

/* index_walk_next - the next block that the walk wants */
int
index_walk_next(struct index_walk *w)
{
	struct slice key, value;
	int	r;

	for (;;) {
		while (w->chunk_at < w->chunk->count) {
			w->entry = &w->chunk->at[w->chunk_at++];
			if (w->entry->first_uid > w->last)
				return 0;
			if (w->entry->last_uid >= w->first &&
			    w->entry->max_modseq > w->since)
				return 1;
		}
		if ((r = backend_next(w->range, &key, &value)) <= 0)
			return r;
		if ((r = dirchunk_decode(value, w->chunk)) < 0)
			return r;
		w->chunk_at = 0;
	}
}

/* index_walk_block - read the block of the current entry */
int
index_walk_block(struct index_walk *w)
{
	struct slice value;
	struct key k;
	int	r;

	key_u32_u32(&k, KEY_UIDS, w->mailbox, w->entry->block);
	if ((r = txn_get(w->txn, &k, &value)) < 0)
		return r == -ENOENT ? -EBADMSG : r;
	return uidblock_decode(value, w->entry->block, w->block);
}

/* index_walk_end - release it; no-op on one that did not begin */
void
index_walk_end(struct index_walk *w)
{
	backend_range_end(&w->range);
	free(w->chunk);
	free(w->block);
	w->chunk = NULL;
	w->block = NULL;
}
