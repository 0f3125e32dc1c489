/* SPDX-License-Identifier: ISC */
/*
 * Three places for a content. In chunks, each the size of a page with LMDB's
 * head and our checksum, so that a freed one fits any later one; in a pack;
 * or in a file of its own, counted by hash because two bodies may have the
 * same content.
 */
#include "libstore/bodies.h"

#include "libstore/packs.h"

#define PACK_RECORD_MAX	((size_t)1 << 30)

/* body_key - where the record of a body stands, fresh or not */
static void
body_key(struct key *k, uint64_t body, bool fresh)
{
	if (fresh)
		key_fresh(k, body, FRESH_BODY);
	else
		key_u64(k, KEY_BODY, body);
}

/* bodies_write - write a body record that does not stand elsewhere */
static int
bodies_write(struct txn *t, uint64_t body, const struct body_record *rec)
{
	struct key k;

	body_key(&k, body, rec->location == BODY_IN_CHUNKS);
	buf_reset(&t->scratch);
	body_record_encode(&t->scratch, rec);
	return txn_put(t, &k, buf_slice(&t->scratch));
}

/* bodies_put - write a body record, and only there */
int
bodies_put(struct txn *t, uint64_t body, const struct body_record *rec)
{
	struct key k;
	int	r = bodies_write(t, body, rec);

	if (r < 0)
		return r;
	body_key(&k, body, rec->location != BODY_IN_CHUNKS);
	r = txn_del(t, &k);
	return r == -ENOENT ? 0 : r;
}

/* bodies_del - remove a body record */
int
bodies_del(struct txn *t, uint64_t body)
{
	struct key k;
	int	r;

	for (int fresh = 0; fresh < 2; fresh++) {
		body_key(&k, body, fresh);
		if ((r = txn_del(t, &k)) < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

/* bodies_get - read a body record */
int
bodies_get(struct txn *t, uint64_t body, struct body_record *ret_record)
{
	struct slice value;
	struct key k;
	int	r;

	body_key(&k, body, false);
	r = txn_get(t, &k, &value);
	if (r == -ENOENT) {
		body_key(&k, body, true);
		r = txn_get(t, &k, &value);
	}
	if (r < 0)
		return r;
	return body_record_decode(value, ret_record);
}

/* bodies_add_chunks - into the environment */
static int
bodies_add_chunks(struct txn *t, const struct body_new *n)
{
	uint32_t number = 0;
	struct key k;
	int	r = 0;

	for (size_t at = 0; r == 0 && at < n->content.len; at += CHUNK_MAX) {
		key_chunk(&k, n->id, number++);
		r = txn_put(t, &k, slice_sub(n->content, at, CHUNK_MAX));
	}
	t->rec.unpacked_bytes += n->content.len;
	return r;
}

/* bodies_add_pack - compress and append */
static int
bodies_add_pack(struct txn *t, const struct body_new *n,
    struct body_record *rec)
{
	struct packrec_zip *z = packrec_zip_new();
	struct buf record = BUF_INIT_MAX(PACK_RECORD_MAX);
	struct packrec p = { .email = n->id, .mailbox = n->mailbox,
		.uid = n->uid, .internal_date = n->internal_date,
		.flags = n->flags, .prefix = n->prefix };
	int	r;

	memcpy(p.hash, n->hash, sizeof(p.hash));
	r = packrec_build(z, &p, n->content, &record);
	if (r == 0)
		r = packs_append(t, buf_slice(&record), &rec->pack,
		    &rec->offset);
	rec->stored = record.len;
	buf_free(&record);
	packrec_zip_free(&z);
	return r;
}

/* bodies_count_big - one body more or fewer is that file; the new count */
static int
bodies_count_big(struct txn *t, const uint8_t *hash, int by, uint32_t *ret_n)
{
	struct slice value;
	uint32_t n = 0;
	struct key k;
	int	r;

	key_begin(&k, KEY_BIG);
	if ((r = key_add_bytes(&k, slice_over(hash, BODY_HASH_LEN))) < 0)
		return r;
	r = txn_get(t, &k, &value);
	if (r == 0)
		r = record_decode_u32(value, &n);
	if (r < 0 && r != -ENOENT)
		return r;
	n = by < 0 && n == 0 ? 0 : n + (uint32_t)by;
	*ret_n = n;
	if (n == 0)
		return r == -ENOENT ? 0 : txn_del(t, &k);
	buf_reset(&t->scratch);
	record_encode_u32(&t->scratch, n);
	return txn_put(t, &k, buf_slice(&t->scratch));
}

/* bodies_add - a content with its first reference */
int
bodies_add(struct txn *t, const struct body_new *n)
{
	struct body_record rec = { .references = 1, .size = n->size,
		.prefix = n->prefix };
	uint32_t count;
	int	r;

	memcpy(rec.hash.bytes, n->hash, BODY_HASH_LEN);
	if (n->is_big) {
		rec.location = BODY_IS_BIG;
		r = bodies_count_big(t, n->hash, 1, &count);
	} else if (n->to_pack) {
		rec.location = BODY_IN_PACK;
		r = bodies_add_pack(t, n, &rec);
	} else {
		rec.location = BODY_IN_CHUNKS;
		r = bodies_add_chunks(t, n);
	}
	return r < 0 ? r : bodies_write(t, n->id, &rec);
}

/* bodies_share - one email more names it */
int
bodies_share(struct txn *t, uint64_t body)
{
	struct body_record rec;
	int	r = bodies_get(t, body, &rec);

	if (r < 0)
		return r;
	/* bodies_put encodes the lent prefix before it puts */
	rec.references++;
	return bodies_put(t, body, &rec);
}

/* bodies_del_chunks - all of them, by count: no walk, no leftovers */
int
bodies_del_chunks(struct txn *t, uint64_t body, uint64_t size)
{
	uint32_t number = 0;
	struct key k;
	int	r = 0;

	for (uint64_t at = 0; at < size && (r == 0 || r == -ENOENT);
	    at += CHUNK_MAX) {
		key_chunk(&k, body, number++);
		r = txn_del(t, &k);
	}
	if (r < 0 && r != -ENOENT)
		return r;
	t->rec.unpacked_bytes -= size < t->rec.unpacked_bytes ? size :
	    t->rec.unpacked_bytes;
	return 0;
}

/* bodies_drop - the content, by where it is */
static int
bodies_drop(struct txn *t, uint64_t body, const struct body_record *rec)
{
	struct big_drop *drop;
	uint32_t left;
	int	r;

	if (rec->location == BODY_IN_CHUNKS)
		return bodies_del_chunks(t, body, rec->size);
	if (rec->location == BODY_IN_PACK)
		return packs_release(t, rec->pack, rec->stored);
	r = bodies_count_big(t, rec->hash.bytes, -1, &left);
	if (r < 0 || left > 0)
		return r;
	drop = ARENA_NEW(&t->arena, struct big_drop);
	memcpy(drop->hash, rec->hash.bytes, BODY_HASH_LEN);
	drop->next = t->drops;
	t->drops = drop;
	return 0;
}

/* bodies_release - one email fewer names it */
int
bodies_release(struct txn *t, uint64_t body)
{
	struct body_record rec;
	int	r = bodies_get(t, body, &rec);

	/* a damaged record frees nothing; verify finds what is left */
	if (r == -ENOENT || r == -EBADMSG)
		return 0;
	if (r < 0)
		return r;
	if (rec.references > 1) {
		rec.references--;
		return bodies_put(t, body, &rec);
	}
	rec.prefix = SLICE_EMPTY;
	if ((r = bodies_del(t, body)) < 0)
		return r;
	return bodies_drop(t, body, &rec);
}

/* bodies_read_chunks - one behind the other, and is it all? */
int
bodies_read_chunks(struct txn *t, uint64_t body, uint64_t size,
    struct buf *out)
{
	size_t	begin = out->len;
	struct slice value;
	struct key k;
	int	r;

	for (uint32_t number = 0; out->len - begin < size; number++) {
		key_chunk(&k, body, number);
		if ((r = txn_get(t, &k, &value)) < 0)
			return r == -ENOENT ? -EBADMSG : r;
		buf_add(out, value);
		if (slice_is_empty(value))
			return -EBADMSG;
		if ((r = buf_check(out)) < 0)
			return r;
	}
	return out->len - begin == size ? 0 : -EBADMSG;
}
