/* SPDX-License-Identifier: ISC */
/*
 * The writer lock protects the open pack: a record is written at the
 * committed end, so what an aborted transaction or a crash left behind it is
 * written over. Unless that is mail which the metadata does not know, because
 * meta.mdb was restored from an older state: such a pack is left alone.
 */
#include "libstore/packs.h"

#include "libstore/body.h"

/* packs_get - a pack's record */
int
packs_get(struct txn *t, uint32_t pack, struct pack_record *ret_record)
{
	struct slice value;
	struct key k;
	int	r;

	key_u32(&k, KEY_PACK, pack);
	if ((r = txn_get(t, &k, &value)) < 0)
		return r;
	return pack_record_decode(value, ret_record);
}

/* packs_put - write it */
int
packs_put(struct txn *t, uint32_t pack, const struct pack_record *rec)
{
	struct key k;

	key_u32(&k, KEY_PACK, pack);
	buf_reset(&t->scratch);
	pack_record_encode(&t->scratch, rec);
	return txn_put(t, &k, buf_slice(&t->scratch));
}

/* packs_is_unknown - above all that were given, or in the gap that restoring
 * an older dump left */
bool
packs_is_unknown(const struct account_record *rec, uint64_t email)
{
	return email >= rec->next_email || (rec->unknown_email != 0 &&
	    email >= rec->unknown_email &&
	    email - rec->unknown_email < RESTORE_EMAIL_GAP);
}

/* packs_has_unknown - are there records of emails above the metadata's? */
static int
packs_has_unknown(struct txn *t, uint32_t pack, uint64_t from)
{
	struct packs_walk w;
	int	r = packs_walk_begin(t->account->backend, pack, from, &w);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	while ((r = packs_walk_next(&w)) == 1)
		if (packs_is_unknown(&t->rec, w.rec.email))
			break;
	packs_walk_end(&w);
	/* torn bytes are what a crash leaves */
	return r == -EBADMSG ? 0 : r;
}

/* packs_new - begin a pack; files with numbers that were never given are
 * registered, so that nobody takes them for garbage */
static int
packs_new(struct txn *t, struct pack_record *ret_record)
{
	struct backend *b = t->account->backend;
	struct pack_record unknown = { .sealed = PACK_UNKNOWN,
		.created = account_now(t->account) };
	uint32_t found;
	int	r;

	if (t->rec.next_pack == 0)
		t->rec.next_pack = 1;
	while ((r = b->ops->pack_next(b, t->rec.next_pack, &found)) == 0) {
		if ((r = b->ops->pack_size(b, found, &unknown.end)) < 0 ||
		    (r = packs_put(t, found, &unknown)) < 0)
			return r;
		t->rec.next_pack = found + 1;
	}
	if (r != -ENOENT)
		return r;
	if (t->rec.next_pack == UINT32_MAX)
		return -ENOSPC;
	t->rec.open_pack = t->rec.next_pack++;
	*ret_record = (struct pack_record){ .created = unknown.created };
	return 0;
}

/* packs_seal - the open pack gets no more */
static int
packs_seal(struct txn *t, struct pack_record *rec, enum pack_state state)
{
	struct backend *b = t->account->backend;
	int	r = 0;

	rec->sealed = (uint8_t)state;
	if (t->pack_written == t->rec.open_pack && t->pack_written != 0)
		r = b->ops->pack_sync(b, t->pack_written);
	t->pack_written = 0;
	return r < 0 ? r : packs_put(t, t->rec.open_pack, rec);
}

/* packs_open - the pack to append len bytes to */
static int
packs_open(struct txn *t, uint64_t len, struct pack_record *ret_record)
{
	struct pack_record rec;
	uint64_t size;
	struct backend *b = t->account->backend;
	int	r, unknown = 0;

	if (t->rec.open_pack == 0)
		return packs_new(t, ret_record);
	r = packs_get(t, t->rec.open_pack, &rec);
	if (r == -ENOENT || r == -EBADMSG)
		return packs_new(t, ret_record);
	if (r < 0)
		return r;
	/* once a transaction: is anything behind the committed end? */
	if (t->pack_written == 0 &&
	    b->ops->pack_size(b, t->rec.open_pack, &size) == 0 &&
	    size > rec.end)
		unknown = packs_has_unknown(t, t->rec.open_pack, rec.end);
	if (unknown < 0)
		return unknown;
	if (unknown == 0 && (rec.end == 0 ||
	    rec.end + len <= t->account->p.pack_size)) {
		*ret_record = rec;
		return 0;
	}
	if ((r = packs_seal(t, &rec, unknown ? PACK_UNKNOWN :
	    PACK_SEALED)) < 0)
		return r;
	return packs_new(t, ret_record);
}

/* packs_append - at the committed end of the open pack */
int
packs_append(struct txn *t, struct slice record, uint32_t *ret_pack,
    uint64_t *ret_offset)
{
	struct backend *b = t->account->backend;
	struct pack_record rec;
	uint64_t offset;
	int	r;

	if ((r = packs_open(t, record.len, &rec)) < 0)
		return r;
	offset = rec.end;
	r = b->ops->pack_write(b, t->rec.open_pack, offset, record);
	if (r < 0)
		return r;
	t->pack_written = t->rec.open_pack;
	rec.end += record.len;
	rec.live += record.len;
	if ((r = packs_put(t, t->rec.open_pack, &rec)) < 0)
		return r;
	*ret_pack = t->rec.open_pack;
	*ret_offset = offset;
	return 0;
}

/* packs_release - one record fewer is live */
int
packs_release(struct txn *t, uint32_t pack, uint64_t stored)
{
	struct pack_record rec;
	int	r = packs_get(t, pack, &rec);

	if (r == -ENOENT || r == -EBADMSG)
		return 0;	/* its sums are lost; verify says so */
	if (r < 0)
		return r;
	rec.live -= stored < rec.live ? stored : rec.live;
	return packs_put(t, pack, &rec);
}

/* packs_walk_begin - from an offset that a record begins at */
int
packs_walk_begin(struct backend *b, uint32_t pack, uint64_t offset,
    struct packs_walk *ret_walk)
{
	struct packs_walk w = { .backend = b, .pack = pack,
		.offset = offset };
	int	r = b->ops->pack_size(b, pack, &w.end);

	if (r < 0)
		return r;
	*ret_walk = w;
	return 0;
}

/* packs_walk_head - read the head at an offset */
static int
packs_walk_head(struct packs_walk *w)
{
	const struct backend_ops *ops = w->backend->ops;
	uint32_t len;
	char	*room;
	int	r;

	if (w->end - w->offset < PACKREC_HEAD_MIN)
		return -EBADMSG;
	buf_reset(&w->head);
	room = buf_room(&w->head, PACKREC_HEAD_MIN);
	if ((r = ops->pack_read(w->backend, w->pack, w->offset, room,
	    PACKREC_HEAD_MIN)) < 0)
		return r;
	buf_grown(&w->head, PACKREC_HEAD_MIN);
	if ((r = packrec_head_len(buf_slice(&w->head), &len)) < 0)
		return r;
	if (len > w->end - w->offset)
		return -EBADMSG;
	room = buf_room(&w->head, len - PACKREC_HEAD_MIN);
	if ((r = ops->pack_read(w->backend, w->pack,
	    w->offset + PACKREC_HEAD_MIN, room,
	    len - PACKREC_HEAD_MIN)) < 0)
		return r;
	buf_grown(&w->head, len - PACKREC_HEAD_MIN);
	arena_reset(&w->arena);
	return packrec_parse(buf_slice(&w->head), &w->arena, &w->rec);
}

/* packs_walk_next - the next record, or one byte on */
int
packs_walk_next(struct packs_walk *w)
{
	int	r;

	if (w->offset >= w->end)
		return 0;
	r = packs_walk_head(w);
	if (r == 0 && w->rec.payload_len >
	    w->end - w->offset - w->rec.head_len)
		r = -EBADMSG;
	w->at = w->offset;
	w->offset += r == 0 ? w->rec.head_len + w->rec.payload_len : 1;
	return r == 0 ? 1 : r;
}

/* packs_walk_end - release it */
void
packs_walk_end(struct packs_walk *w)
{
	arena_free(&w->arena);
	buf_free(&w->head);
}

/* packs_walk_content - all frames, and do they give the hash? */
int
packs_walk_content(struct packs_walk *w, struct packrec_zip *z,
    struct buf *out)
{
	uint64_t at = w->at + w->rec.head_len;
	struct buf stored = BUF_INIT;
	uint8_t	hash[BODY_HASH_LEN];
	int	r = 0;

	for (uint32_t i = 0; r == 0 && i < w->rec.frame_count; i++) {
		const struct packrec_frame *f = &w->rec.frames[i];
		char	*room, *raw;

		buf_reset(&stored);
		room = buf_room(&stored, f->stored);
		raw = buf_room(out, f->raw);
		if (room == NULL || raw == NULL) {
			r = -EMSGSIZE;
			break;
		}
		r = w->backend->ops->pack_read(w->backend, w->pack, at, room,
		    f->stored);
		buf_grown(&stored, f->stored);
		if (r == 0)
			r = packrec_unzip(z, f, buf_slice(&stored), raw);
		if (r == 0)
			buf_grown(out, f->raw);
		at += f->stored;
	}
	buf_free(&stored);
	if (r < 0)
		return r;
	body_hash_content(buf_slice(out), hash);
	return memcmp(hash, w->rec.hash, sizeof(hash)) == 0 ? 0 : -EBADMSG;
}
