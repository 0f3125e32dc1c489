/* SPDX-License-Identifier: ISC */
/*
 * A block is: version, count, then five columns (UID, email id, flags,
 * mod-sequence, save date), each with a frame of reference. Decoding is a
 * loop over one width a column, without a branch a message.
 */
#include "libstore/uidblock.h"

#include "libutil/cursor.h"

enum column { COLUMN_UID, COLUMN_EMAIL, COLUMN_FLAGS, COLUMN_MODSEQ,
	COLUMN_DATE, COLUMN_COUNT };

#define BLOCK_VERSION	1
#define BLOCK_HEAD	2	/* version, count */
#define COLUMN_HEAD	9	/* base u64, width */
#define DIR_VERSION	1
#define DIR_ENTRY_LEN	23

/* entry_get - one column of one message */
static uint64_t
entry_get(const struct message_meta *m, enum column c)
{
	switch (c) {
	case COLUMN_UID:
		return m->uid;
	case COLUMN_EMAIL:
		return m->email;
	case COLUMN_FLAGS:
		return m->flags;
	case COLUMN_MODSEQ:
		return m->modseq;
	default:
		return (uint64_t)m->save_date;
	}
}

/* entry_set - the other way */
static void
entry_set(struct message_meta *m, enum column c, uint64_t v)
{
	switch (c) {
	case COLUMN_UID:
		m->uid = (uint32_t)v;
		break;
	case COLUMN_EMAIL:
		m->email = v;
		break;
	case COLUMN_FLAGS:
		m->flags = v;
		break;
	case COLUMN_MODSEQ:
		m->modseq = v;
		break;
	default:
		m->save_date = (int64_t)v;
	}
}

/* column_frame - the base and width a column needs */
static unsigned
column_frame(const struct uidblock *b, enum column c, uint64_t *ret_base)
{
	uint64_t low = UINT64_MAX, high = 0;

	for (size_t i = 0; i < b->count; i++) {
		uint64_t v = entry_get(&b->at[i], c);

		low = v < low ? v : low;
		high = v > high ? v : high;
	}
	if (b->count == 0)
		low = 0;
	/* flags are bits: a base would only hide the zero ones */
	if (c == COLUMN_FLAGS)
		low = 0;
	*ret_base = low;
	high -= low;
	if (high == 0)
		return 0;
	return high <= UINT8_MAX ? 1 : high <= UINT16_MAX ? 2 :
	    high <= UINT32_MAX ? 4 : 8;
}

/* uidblock_size - would it still fit? */
size_t
uidblock_size(const struct uidblock *b)
{
	size_t	size = BLOCK_HEAD;
	uint64_t base;

	for (enum column c = 0; c < COLUMN_COUNT; c++)
		size += COLUMN_HEAD + b->count * column_frame(b, c, &base);
	return size;
}

/* uidblock_encode - append its bytes */
void
uidblock_encode(struct buf *out, const struct uidblock *b)
{
	buf_add_byte(out, BLOCK_VERSION);
	buf_add_byte(out, (char)b->count);
	for (enum column c = 0; c < COLUMN_COUNT; c++) {
		uint64_t base;
		unsigned width = column_frame(b, c, &base);
		uint8_t	bytes[UIDBLOCK_ENTRIES_MAX * 8];
		size_t	n = 0;

		buf_add_le64(out, base);
		buf_add_byte(out, (char)width);
		for (size_t i = 0; i < b->count; i++) {
			uint64_t v = entry_get(&b->at[i], c) - base;

			for (unsigned k = 0; k < width; k++)
				bytes[n++] = (uint8_t)(v >> (8 * k));
		}
		buf_add(out, slice_over(bytes, n));
	}
}

/* column_decode - one column into all entries */
static int
column_decode(struct cursor *in, enum column c, struct uidblock *b)
{
	uint64_t base;
	struct slice bytes;
	int	r, width;

	if ((r = cursor_le64(in, &base)) < 0)
		return r;
	width = cursor_byte(in);
	if (width != 0 && width != 1 && width != 2 && width != 4 && width != 8)
		return -EBADMSG;
	if ((r = cursor_bytes(in, b->count * (size_t)width, &bytes)) < 0)
		return r;
	for (size_t i = 0; i < b->count; i++) {
		uint64_t v = 0;

		for (int k = width; k > 0; k--)
			v = v << 8 | (unsigned char)
			    bytes.data[i * (size_t)width + (size_t)k - 1];
		if (c == COLUMN_UID && (base > UINT32_MAX ||
		    v > UINT32_MAX - base))
			return -EBADMSG;
		entry_set(&b->at[i], c, base + v);
	}
	return 0;
}

/* uidblock_decode - the block of its bytes */
int
uidblock_decode(struct slice in, uint32_t first, struct uidblock *ret_block)
{
	struct cursor c = cursor_over(in);
	uint64_t above = first;		/* the least UID that may come */
	int	r, version = cursor_byte(&c), count = cursor_byte(&c);

	if (version > BLOCK_VERSION)
		return -EPROTONOSUPPORT;
	if (version != BLOCK_VERSION || count < 1 ||
	    count > UIDBLOCK_ENTRIES_MAX)
		return -EBADMSG;
	ret_block->first = first;
	ret_block->count = (uint32_t)count;
	for (enum column k = 0; k < COLUMN_COUNT; k++)
		if ((r = column_decode(&c, k, ret_block)) < 0)
			return r;
	if (!cursor_at_end(&c))
		return -EBADMSG;
	for (size_t i = 0; i < ret_block->count; i++) {
		if (ret_block->at[i].uid < above)
			return -EBADMSG;
		above = (uint64_t)ret_block->at[i].uid + 1;
	}
	return 0;
}

/* uidblock_find - the first entry not below a UID */
uint32_t
uidblock_find(const struct uidblock *b, uint32_t uid)
{
	uint32_t low = 0, high = b->count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (b->at[mid].uid < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* dirchunk_encode - append its bytes */
void
dirchunk_encode(struct buf *out, const struct dirchunk *c)
{
	buf_add_byte(out, DIR_VERSION);
	for (size_t i = 0; i < c->count; i++) {
		const struct dir_entry *e = &c->at[i];

		buf_add_le32(out, e->block);
		buf_add_le32(out, e->first_uid);
		buf_add_le32(out, e->last_uid);
		buf_add_byte(out, (char)e->live);
		buf_add_byte(out, (char)e->unseen);
		buf_add_byte(out, (char)e->deleted);
		buf_add_le64(out, e->max_modseq);
	}
}

/* dir_entry_decode - one entry, and is it possible? */
static int
dir_entry_decode(struct cursor *c, struct dir_entry *e)
{
	int	r;

	if ((r = cursor_le32(c, &e->block)) < 0 ||
	    (r = cursor_le32(c, &e->first_uid)) < 0 ||
	    (r = cursor_le32(c, &e->last_uid)) < 0)
		return r;
	if (cursor_left(c) < 3)
		return -EBADMSG;
	e->live = (uint8_t)cursor_byte(c);
	e->unseen = (uint8_t)cursor_byte(c);
	e->deleted = (uint8_t)cursor_byte(c);
	if ((r = cursor_le64(c, &e->max_modseq)) < 0)
		return r;
	if (e->block > e->first_uid || e->first_uid > e->last_uid ||
	    e->live < 1 || e->live > UIDBLOCK_ENTRIES_MAX ||
	    e->live - 1u > e->last_uid - e->first_uid ||
	    e->unseen > e->live || e->deleted > e->live)
		return -EBADMSG;
	return 0;
}

/* dirchunk_decode - the chunk of its bytes */
int
dirchunk_decode(struct slice in, struct dirchunk *ret_chunk)
{
	struct cursor c = cursor_over(in);
	int	r, version = cursor_byte(&c);

	if (version > DIR_VERSION)
		return -EPROTONOSUPPORT;
	if (version != DIR_VERSION || cursor_at_end(&c) ||
	    cursor_left(&c) % DIR_ENTRY_LEN != 0 ||
	    cursor_left(&c) / DIR_ENTRY_LEN > DIRCHUNK_ENTRIES_MAX)
		return -EBADMSG;
	ret_chunk->count = (uint32_t)(cursor_left(&c) / DIR_ENTRY_LEN);
	for (size_t i = 0; i < ret_chunk->count; i++) {
		struct dir_entry *e = &ret_chunk->at[i];

		if ((r = dir_entry_decode(&c, e)) < 0)
			return r;
		if (i > 0 && e->block <= e[-1].last_uid)
			return -EBADMSG;
	}
	return 0;
}

/* dirchunk_find - the entry whose block would hold a UID */
int
dirchunk_find(const struct dirchunk *c, uint32_t uid)
{
	uint32_t low = 0, high = c->count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (c->at[mid].block <= uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low == 0 ? -ENOENT : (int)low - 1;
}

/* dir_entry_of - sum a block up */
void
dir_entry_of(const struct uidblock *b, struct dir_entry *ret_entry)
{
	struct dir_entry e = { .block = b->first, .live = (uint8_t)b->count };

	e.first_uid = b->at[0].uid;
	e.last_uid = b->at[b->count - 1].uid;
	for (size_t i = 0; i < b->count; i++) {
		const struct message_meta *m = &b->at[i];

		e.unseen += (m->flags & FLAG_SEEN) == 0;
		e.deleted += (m->flags & FLAG_DELETED) != 0;
		if (m->modseq > e.max_modseq)
			e.max_modseq = m->modseq;
	}
	*ret_entry = e;
}

/* dir_entry_equal - do they say the same? */
bool
dir_entry_equal(const struct dir_entry *a, const struct dir_entry *b)
{
	return a->block == b->block && a->first_uid == b->first_uid &&
	    a->last_uid == b->last_uid && a->live == b->live &&
	    a->unseen == b->unseen && a->deleted == b->deleted &&
	    a->max_modseq == b->max_modseq;
}
