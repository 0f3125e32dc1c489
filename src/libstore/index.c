/* SPDX-License-Identifier: ISC */
/*
 * The kept block belongs to one mailbox. It is found by the greatest block
 * key not above the UID; when it is written back, its directory entry is made
 * from it, so the two cannot disagree. A block that grew too large is cut in
 * two; one that shrank to little takes in its successor.
 */
#include "libstore/index.h"

#define MERGE_BELOW	16	/* a block that shrinks to this ... */
#define MERGE_LIMIT	48	/* ... merges if both are no more than this */

struct index {
	/* the kept block */
	uint32_t	 mailbox;	/* 0: none */
	bool		 is_dirty;
	bool		 is_stored;	/* its key exists */
	bool		 has_shrunk;
	struct uidblock	 block;
	struct uidblock	 other;		/* for cutting and merging */
	/* the kept directory chunk */
	uint32_t	 dir_mailbox;	/* 0: none */
	uint32_t	 dir_key;
	uint32_t	 dir_end;	/* blocks below belong to it; 0: all */
	bool		 dir_dirty;
	bool		 dir_stored;
	struct dirchunk	 dir;
};

/* index_of - the transaction's index */
static struct index *
index_of(struct txn *t)
{
	if (t->index == NULL)
		t->index = ARENA_NEW(&t->arena, struct index);
	return t->index;
}

/* dir_flush - write the kept chunk back; an empty one goes */
static int
dir_flush(struct txn *t)
{
	struct index *x = index_of(t);
	struct key k;
	int	r = 0;

	if (x->dir_mailbox != 0 && x->dir_dirty) {
		key_u32_u32(&k, KEY_DIRECTORY, x->dir_mailbox, x->dir_key);
		if (x->dir.count > 0) {
			buf_reset(&t->scratch);
			dirchunk_encode(&t->scratch, &x->dir);
			r = txn_put(t, &k, buf_slice(&t->scratch));
		} else if (x->dir_stored) {
			r = txn_del(t, &k);
		}
	}
	x->dir_mailbox = 0;
	x->dir_dirty = false;
	return r;
}

/* dir_find_end - where the chunk behind the kept one begins */
static int
dir_find_end(struct txn *t)
{
	struct index *x = index_of(t);
	struct slice value;
	int	r;

	x->dir_end = 0;
	if (x->dir_key == UINT32_MAX)
		return 0;
	r = txn_first_u32(t, KEY_DIRECTORY, x->dir_mailbox, x->dir_key + 1,
	    &x->dir_end, &value);
	return r == -ENOENT ? 0 : r;
}

/* dir_load - keep the chunk that a block's entry belongs to */
static int
dir_load(struct txn *t, uint32_t mailbox, uint32_t block)
{
	struct index *x = index_of(t);
	struct slice value;
	uint32_t found;
	int	r;

	if (x->dir_mailbox == mailbox && x->dir_key <= block &&
	    (x->dir_end == 0 || block < x->dir_end))
		return 0;
	if ((r = dir_flush(t)) < 0)
		return r;
	r = txn_last_u32(t, KEY_DIRECTORY, mailbox, block, &found, &value);
	if (r == 0)
		r = dirchunk_decode(value, &x->dir);
	x->dir_stored = r == 0;
	if (r == -ENOENT) {
		found = block;
		x->dir.count = 0;
		r = 0;
	}
	if (r < 0)
		return r;
	x->dir_mailbox = mailbox;
	x->dir_key = found;
	return dir_find_end(t);
}

/* dir_cut - the kept chunk is full: put its upper part in a chunk of its own.
 * At its end little stays behind to be moved, so that appending fills chunks */
static int
dir_cut(struct txn *t, uint32_t block)
{
	struct index *x = index_of(t);
	uint32_t keep = block > x->dir.at[x->dir.count - 1].block ?
	    x->dir.count : x->dir.count / 2;
	uint32_t mailbox = x->dir_mailbox, end = x->dir_end;
	struct dirchunk *upper = ARENA_NEW(&t->arena, struct dirchunk);
	int	r;

	upper->count = x->dir.count - keep;
	memcpy(upper->at, &x->dir.at[keep],
	    upper->count * sizeof(upper->at[0]));
	if (upper->count > 0 && block < upper->at[0].block) {
		/* the new entry stays in the lower one: write the upper now */
		struct key k;

		key_u32_u32(&k, KEY_DIRECTORY, mailbox, upper->at[0].block);
		buf_reset(&t->scratch);
		dirchunk_encode(&t->scratch, upper);
		x->dir.count = keep;
		x->dir_dirty = true;
		x->dir_end = upper->at[0].block;
		return txn_put(t, &k, buf_slice(&t->scratch));
	}
	x->dir.count = keep;
	x->dir_dirty = x->dir_dirty || upper->count > 0;
	if ((r = dir_flush(t)) < 0)
		return r;
	x->dir = *upper;
	x->dir_mailbox = mailbox;
	x->dir_key = upper->count > 0 ? upper->at[0].block : block;
	x->dir_end = end;
	x->dir_stored = false;
	x->dir_dirty = true;
	return 0;
}

/* dir_set - put a block's entry in its place */
static int
dir_set(struct txn *t, uint32_t mailbox, const struct dir_entry *e)
{
	struct index *x = index_of(t);
	int	at, r;

	if ((r = dir_load(t, mailbox, e->block)) < 0)
		return r;
	at = dirchunk_find(&x->dir, e->block);
	if (at >= 0 && x->dir.at[at].block == e->block) {
		x->dir.at[at] = *e;
		x->dir_dirty = true;
		return 0;
	}
	if (x->dir.count == DIRCHUNK_ENTRIES_MAX) {
		if ((r = dir_cut(t, e->block)) < 0)
			return r;
		at = dirchunk_find(&x->dir, e->block);
	}
	at++;		/* behind the last that is below; from -ENOENT first */
	if (at < 0)
		at = 0;
	memmove(&x->dir.at[at + 1], &x->dir.at[at],
	    (x->dir.count - (uint32_t)at) * sizeof(x->dir.at[0]));
	x->dir.at[at] = *e;
	x->dir.count++;
	x->dir_dirty = true;
	return 0;
}

/* dir_unset - a block went */
static int
dir_unset(struct txn *t, uint32_t mailbox, uint32_t block)
{
	struct index *x = index_of(t);
	int	at, r;

	if ((r = dir_load(t, mailbox, block)) < 0)
		return r;
	at = dirchunk_find(&x->dir, block);
	if (at < 0 || x->dir.at[at].block != block)
		return -EBADMSG;
	memmove(&x->dir.at[at], &x->dir.at[at + 1],
	    (x->dir.count - (uint32_t)at - 1) * sizeof(x->dir.at[0]));
	x->dir.count--;
	x->dir_dirty = true;
	return 0;
}

/* block_put - one block and its directory entry */
static int
block_put(struct txn *t, uint32_t mailbox, const struct uidblock *b)
{
	struct dir_entry e;
	struct key k;
	int	r;

	key_u32_u32(&k, KEY_UIDS, mailbox, b->first);
	buf_reset(&t->scratch);
	uidblock_encode(&t->scratch, b);
	if ((r = txn_put(t, &k, buf_slice(&t->scratch))) < 0)
		return r;
	dir_entry_of(b, &e);
	return dir_set(t, mailbox, &e);
}

/* block_del - one block and its directory entry */
static int
block_del(struct txn *t, uint32_t mailbox, uint32_t first)
{
	struct key k;
	int	r;

	key_u32_u32(&k, KEY_UIDS, mailbox, first);
	if ((r = txn_del(t, &k)) < 0)
		return r;
	return dir_unset(t, mailbox, first);
}

/* block_cut - the upper half of the kept block becomes one of its own */
static int
block_cut(struct txn *t)
{
	struct index *x = index_of(t);
	uint32_t half = x->block.count / 2;

	x->other.count = x->block.count - half;
	memcpy(x->other.at, &x->block.at[half],
	    x->other.count * sizeof(x->other.at[0]));
	x->other.first = x->other.at[0].uid;
	x->block.count = half;
	return block_put(t, x->mailbox, &x->other);
}

/* block_load_after - the block behind the kept one, into other; -ENOENT */
static int
block_load_after(struct txn *t)
{
	struct index *x = index_of(t);
	struct slice value;
	uint32_t first;
	int	r;

	if (x->block.first == UINT32_MAX)
		return -ENOENT;
	r = txn_first_u32(t, KEY_UIDS, x->mailbox, x->block.first + 1, &first,
	    &value);
	return r < 0 ? r : uidblock_decode(value, first, &x->other);
}

/* block_merge - take in the next block if both together are small */
static int
block_merge(struct txn *t)
{
	struct index *x = index_of(t);
	uint32_t count = x->block.count;
	int	r = block_load_after(t);

	/* a damaged neighbour is left alone */
	if (r < 0)
		return r == -EBADMSG || r == -ENOENT ? 0 : r;
	if (count + x->other.count > MERGE_LIMIT)
		return 0;
	memcpy(&x->block.at[count], x->other.at,
	    x->other.count * sizeof(x->other.at[0]));
	x->block.count += x->other.count;
	if (uidblock_size(&x->block) > UIDBLOCK_BYTES_MAX) {
		x->block.count = count;
		return 0;
	}
	return block_del(t, x->mailbox, x->other.first);
}

/* block_flush - write the kept block back and keep none */
static int
block_flush(struct txn *t)
{
	struct index *x = index_of(t);
	int	r = 0;

	if (x->mailbox == 0 || !x->is_dirty)
		goto out;
	if (x->block.count == 0) {
		if (x->is_stored)
			r = block_del(t, x->mailbox, x->block.first);
		goto out;
	}
	if (x->has_shrunk && x->block.count <= MERGE_BELOW)
		r = block_merge(t);
	if (r == 0 && uidblock_size(&x->block) > UIDBLOCK_BYTES_MAX) {
		/* lower half first: its directory entry must not reach into
		 * the upper one's */
		uint32_t half = x->block.count / 2, count = x->block.count;

		x->block.count = half;
		r = block_put(t, x->mailbox, &x->block);
		x->block.count = count;
		if (r == 0)
			r = block_cut(t);
	} else if (r == 0) {
		r = block_put(t, x->mailbox, &x->block);
	}
out:
	x->mailbox = 0;
	x->is_dirty = false;
	return r;
}

/* index_flush - write back what is kept */
int
index_flush(struct txn *t)
{
	int	r;

	if (t->index == NULL)
		return 0;
	if ((r = block_flush(t)) < 0)
		return r;
	return dir_flush(t);
}

/* block_load - keep the block that would hold a UID; -ENOENT if the mailbox
 * has none from there down */
static int
block_load(struct txn *t, uint32_t mailbox, uint32_t uid)
{
	struct index *x = index_of(t);
	struct slice value;
	uint32_t found;
	int	r;

	if (x->mailbox == mailbox && x->block.count > 0 &&
	    uid >= x->block.first &&
	    uid <= x->block.at[x->block.count - 1].uid)
		return 0;
	if ((r = block_flush(t)) < 0)
		return r;
	r = txn_last_u32(t, KEY_UIDS, mailbox, uid, &found, &value);
	if (r < 0 || (r = uidblock_decode(value, found, &x->block)) < 0)
		return r;
	x->mailbox = mailbox;
	x->is_stored = true;
	x->has_shrunk = false;
	return 0;
}

/* index_count - add or take a message to or from a mailbox's counters */
static void
index_count(struct mailbox_slot *slot, uint64_t flags, bool add)
{
	uint32_t by = add ? 1 : UINT32_MAX;

	slot->rec.total += by;
	if ((flags & FLAG_SEEN) == 0)
		slot->rec.unseen += by;
	if ((flags & FLAG_DELETED) != 0)
		slot->rec.deleted += by;
	if (add)
		slot->rec.keywords |= flags & FLAGS_KEYWORDS;
}

/* index_append - a message at the end */
int
index_append(struct txn *t, struct mailbox_slot *slot, struct message_meta *m)
{
	struct index *x = index_of(t);
	uint32_t uid = slot->rec.uidnext;
	int	r;

	if (uid == UINT32_MAX)
		return -ENOSPC;
	if (x->mailbox != slot->id || x->block.count == 0 ||
	    x->block.at[x->block.count - 1].uid + 1 != uid) {
		r = block_load(t, slot->id, uid);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	if (x->mailbox != slot->id || x->block.count == UIDBLOCK_ENTRIES_MAX) {
		if ((r = block_flush(t)) < 0)
			return r;
		x->mailbox = slot->id;
		x->block.first = uid;
		x->block.count = 0;
		x->is_stored = false;
		x->has_shrunk = false;
	}
	m->uid = uid;
	m->modseq = txn_modseq(t);
	x->block.at[x->block.count++] = *m;
	x->is_dirty = true;
	slot->rec.uidnext = uid + 1;
	index_count(slot, m->flags, true);
	txn_mailbox_touched(t, slot);
	return 0;
}

/* index_entry - keep the block of a UID; the UID's index in it */
static int
index_entry(struct txn *t, uint32_t mailbox, uint32_t uid, uint32_t *ret_at)
{
	struct index *x = index_of(t);
	uint32_t at;
	int	r;

	if ((r = block_load(t, mailbox, uid)) < 0)
		return r;
	at = uidblock_find(&x->block, uid);
	if (at == x->block.count || x->block.at[at].uid != uid)
		return -ENOENT;
	*ret_at = at;
	return 0;
}

/* index_get - lends one entry */
int
index_get(struct txn *t, uint32_t mailbox, uint32_t uid,
    const struct message_meta **ret_meta)
{
	uint32_t at;
	int	r = index_entry(t, mailbox, uid, &at);

	if (r == 0)
		*ret_meta = &index_of(t)->block.at[at];
	return r;
}

/* index_set_flags - and the counters with them */
int
index_set_flags(struct txn *t, struct mailbox_slot *slot, uint32_t uid,
    uint64_t flags)
{
	struct index *x = index_of(t);
	struct message_meta *m;
	uint32_t at;
	int	r;

	if ((r = index_entry(t, slot->id, uid, &at)) < 0)
		return r;
	m = &x->block.at[at];
	index_count(slot, m->flags, false);
	m->flags = flags;
	m->modseq = txn_modseq(t);
	index_count(slot, m->flags, true);
	x->is_dirty = true;
	txn_mailbox_touched(t, slot);
	return 0;
}

/* index_remove - and the counters with it */
int
index_remove(struct txn *t, struct mailbox_slot *slot, uint32_t uid)
{
	struct index *x = index_of(t);
	uint32_t at;
	int	r;

	if ((r = index_entry(t, slot->id, uid, &at)) < 0)
		return r;
	index_count(slot, x->block.at[at].flags, false);
	x->block.count--;
	memmove(&x->block.at[at], &x->block.at[at + 1],
	    (x->block.count - at) * sizeof(x->block.at[0]));
	x->is_dirty = true;
	x->has_shrunk = true;
	txn_mailbox_touched(t, slot);
	return 0;
}

/* index_adopt - a block as it is stored */
int
index_adopt(struct txn *t, struct mailbox_slot *slot,
    const struct uidblock *b)
{
	struct dir_entry e;

	dir_entry_of(b, &e);
	for (uint32_t i = 0; i < b->count; i++)
		index_count(slot, b->at[i].flags, true);
	if (slot->rec.uidnext <= e.last_uid && e.last_uid != UINT32_MAX)
		slot->rec.uidnext = e.last_uid + 1;
	if (slot->rec.highest_modseq < e.max_modseq)
		slot->rec.highest_modseq = e.max_modseq;
	return dir_set(t, slot->id, &e);
}
