/* SPDX-License-Identifier: ISC */
/*
 * Moving bodies into packs, and live records out of packs that waste much.
 * Reading and compressing happens before the writing transaction, so that
 * deliveries wait only for the append and its flush; what changed meanwhile
 * is seen there and left for the next time.
 */
#include "libstore/pack.h"

#include "libstore/bodies.h"
#include "libstore/emails.h"
#include "libstore/packs.h"
#include "libutil/alloc.h"

#define BATCH_BYTES_MAX		((size_t)256 << 20)
#define BATCH_BODIES_MAX	512	/* in one transaction */

/* one record on its way */
struct move {
	uint64_t	body;
	uint64_t	size;
	size_t		at, len;	/* in the batch's bytes */
	uint32_t	pack;		/* rewrite: where it was */
	uint64_t	offset;
};

struct batch {
	struct buf	bytes;
	struct move	move[BATCH_BODIES_MAX];
	size_t		count;
	bool		more;
};

/* pack_next_body - the least id from there on that is not packed */
static int
pack_next_body(struct txn *t, uint64_t from, uint64_t *ret_body)
{
	struct backend_range *range;
	struct slice key, value;
	struct key all, k;
	enum fresh_kind kind;
	uint32_t number;
	int	r;

	key_1(&all, KEY_FRESH);
	key_u64(&k, KEY_FRESH, from);
	if ((r = txn_range(t, &all, &k, &range)) < 0)
		return r;
	r = backend_next(range, &key, &value);
	if (r == -EBADMSG)
		r = 1;		/* its body's own checks tell */
	if (r == 1)
		r = key_parse_fresh(key, ret_body, &kind, &number);
	else if (r == 0)
		r = -ENOENT;
	backend_range_end(&range);
	return r;
}

/* pack_describe - what the record says of itself beside its content */
static void
pack_describe(struct txn *t, uint64_t body, const struct body_record *rec,
    struct packrec *p)
{
	const struct message_meta *m;
	struct email_record e;

	*p = (struct packrec){ .email = body, .prefix =
		arena_dup(&t->arena, rec->prefix) };
	memcpy(p->hash, rec->hash.bytes, sizeof(p->hash));
	/* the first email may be gone while a copy lives on */
	if (emails_get(t, body, &e) < 0)
		return;
	p->internal_date = e.internal_date;
	if (e.places.count == 0)
		return;
	p->mailbox = e.places.at[0].mailbox;
	p->uid = e.places.at[0].uid;
	if (index_get(t, p->mailbox, p->uid, &m) == 0)
		p->flags = m->flags;
}

/* pack_prepare - read and compress one body into the batch */
static int
pack_prepare(struct txn *t, struct packrec_zip *z, uint64_t body,
    struct batch *b)
{
	struct buf content = BUF_INIT_MAX(BATCH_BYTES_MAX);
	struct body_record rec;
	struct packrec p;
	struct move *m = &b->move[b->count];
	int	r;

	if ((r = bodies_get(t, body, &rec)) < 0)
		goto out;
	if (rec.location != BODY_IN_CHUNKS) {
		r = -EBADMSG;
		goto out;
	}
	*m = (struct move){ .body = body, .size = rec.size,
		.at = b->bytes.len };
	pack_describe(t, body, &rec, &p);
	if ((r = bodies_read_chunks(t, body, rec.size, &content)) < 0 ||
	    (r = packrec_build(z, &p, buf_slice(&content), &b->bytes)) < 0)
		goto out;
	m->len = b->bytes.len - m->at;
	b->count++;
out:
	buf_free(&content);
	return r;
}

/* pack_fill - a batch of bodies, oldest first; damaged ones stay where they
 * are */
static int
pack_fill(struct account *a, uint64_t budget, struct batch *b)
{
	struct packrec_zip *z = packrec_zip_new();
	struct txn *t = NULL;
	uint64_t body = 0, taken = 0;
	int	r = txn_begin(a, false, &t);

	while (r == 0) {
		r = pack_next_body(t, body, &body);
		if (r < 0)
			break;
		if (taken >= budget || b->count == BATCH_BODIES_MAX) {
			b->more = true;
			break;
		}
		r = pack_prepare(t, z, body, b);
		if (r == 0)
			taken += b->move[b->count - 1].size;
		if (r == -EBADMSG || r == -ENOENT || r == -EMSGSIZE)
			r = 0;
		body++;
	}
	txn_abort(&t);
	packrec_zip_free(&z);
	return r == -ENOENT ? 0 : r;
}

/* pack_commit_one - append a record and point the body at it */
static int
pack_commit_one(struct txn *t, const struct batch *b, const struct move *m)
{
	struct body_record rec;
	int	r = bodies_get(t, m->body, &rec);

	/* expunged or moved meanwhile */
	if (r == -ENOENT || (r == 0 && rec.location != BODY_IN_CHUNKS))
		return 0;
	if (r < 0)
		return r;
	rec.prefix = arena_dup(&t->arena, rec.prefix);
	rec.location = BODY_IN_PACK;
	rec.stored = m->len;
	r = packs_append(t, slice_sub(buf_slice(&b->bytes), m->at, m->len),
	    &rec.pack, &rec.offset);
	if (r < 0 || (r = bodies_put(t, m->body, &rec)) < 0)
		return r;
	if ((r = emails_settle_cache(t, m->body)) < 0)
		return r;
	return bodies_del_chunks(t, m->body, rec.size);
}

/* pack_run - move bodies into the open pack */
int
pack_run(struct account *a, uint64_t budget)
{
	struct batch *b = NEW(struct batch);
	struct txn *t = NULL;
	bool	more;
	int	r;

	b->bytes.max = BATCH_BYTES_MAX;
	r = pack_fill(a, budget, b);
	if (r == 0 && b->count > 0 && (r = txn_begin(a, true, &t)) == 0) {
		for (size_t i = 0; r == 0 && i < b->count; i++)
			r = pack_commit_one(t, b, &b->move[i]);
		r = txn_finish(&t, r);
	}
	more = b->more;
	buf_free(&b->bytes);
	free(b);
	return r < 0 ? r : more ? 1 : 0;
}

/* rewrite_worst - the sealed pack that wastes most, over a quarter; -ENOENT */
static int
rewrite_worst(struct txn *t, uint32_t *ret_pack, struct pack_record *ret_rec)
{
	struct backend_range *range;
	struct slice key, value;
	struct pack_record rec;
	uint64_t most = 0;
	uint32_t pack;
	struct key k;
	int	r;

	key_1(&k, KEY_PACK);
	if ((r = txn_range(t, &k, NULL, &range)) < 0)
		return r;
	while ((r = backend_next(range, &key, &value)) != 0) {
		if (r == -EBADMSG)
			continue;
		if (r < 0 || (r = key_parse_u32(key, KEY_PACK, &pack)) < 0 ||
		    (r = pack_record_decode(value, &rec)) < 0)
			break;
		if (rec.sealed == PACK_SEALED && rec.end - rec.live >
		    rec.end / 4 && rec.end - rec.live > most) {
			most = rec.end - rec.live;
			*ret_pack = pack;
			*ret_rec = rec;
		}
	}
	backend_range_end(&range);
	return r < 0 ? r : most == 0 ? -ENOENT : 0;
}

/* rewrite_add - the bytes of the current record into the batch */
static int
rewrite_add(struct packs_walk *w, struct batch *b)
{
	struct move *m = &b->move[b->count];
	size_t	len = w->rec.head_len + (size_t)w->rec.payload_len;
	char	*room;
	int	r;

	if (len > BATCH_BYTES_MAX - b->bytes.len)
		return -EMSGSIZE;
	room = buf_room(&b->bytes, len);
	r = w->backend->ops->pack_read(w->backend, w->pack, w->at, room, len);
	if (r < 0)
		return r;
	*m = (struct move){ .body = w->rec.email, .at = b->bytes.len,
		.len = len, .pack = w->pack, .offset = w->at };
	buf_grown(&b->bytes, len);
	b->count++;
	return 0;
}

/* rewrite_fill - live records of a pack */
static int
rewrite_fill(struct account *a, uint32_t pack, uint64_t end, uint64_t budget,
    struct batch *b)
{
	struct packs_walk w;
	struct body_record rec;
	struct txn *t = NULL;
	int	r;

	if ((r = packs_walk_begin(a->backend, pack, 0, &w)) < 0)
		return r;
	if (w.end > end)
		w.end = end;
	r = txn_begin(a, false, &t);
	while (r >= 0 && (r = packs_walk_next(&w)) != 0) {
		if (r == -EBADMSG)
			continue;
		if (r < 0)
			break;
		r = bodies_get(t, w.rec.email, &rec);
		if (r < 0 || rec.location != BODY_IN_PACK ||
		    rec.pack != pack || rec.offset != w.at) {
			r = 0;
			continue;
		}
		if (b->bytes.len >= budget || b->count == BATCH_BODIES_MAX) {
			b->more = true;
			break;
		}
		r = rewrite_add(&w, b);
		/* the next batch begins with it; alone it is too long */
		if (r == -EMSGSIZE && b->count > 0) {
			b->more = true;
			r = 0;
			break;
		}
	}
	txn_abort(&t);
	packs_walk_end(&w);
	return r < 0 ? r : 0;
}

/* rewrite_commit_one - append a record that is still where it was */
static int
rewrite_commit_one(struct txn *t, const struct batch *b, const struct move *m)
{
	struct body_record rec;
	int	r = bodies_get(t, m->body, &rec);

	if (r == -ENOENT || (r == 0 && (rec.location != BODY_IN_PACK ||
	    rec.pack != m->pack || rec.offset != m->offset)))
		return 0;
	if (r < 0)
		return r;
	rec.prefix = arena_dup(&t->arena, rec.prefix);
	r = packs_append(t, slice_sub(buf_slice(&b->bytes), m->at, m->len),
	    &rec.pack, &rec.offset);
	if (r < 0 || (r = bodies_put(t, m->body, &rec)) < 0)
		return r;
	return packs_release(t, m->pack, rec.stored);
}

/* rewrite_drop - a pack without live records goes; the file after the commit
 * that forgets it */
static int
rewrite_drop(struct account *a, uint32_t pack)
{
	struct pack_record rec;
	struct txn *t = NULL;
	struct key k;
	int	r;

	if ((r = txn_begin(a, true, &t)) < 0)
		return r;
	r = packs_get(t, pack, &rec);
	if (r == 0 && rec.live != 0)
		r = -EBUSY;
	key_u32(&k, KEY_PACK, pack);
	if (r == 0)
		r = txn_del(t, &k);
	r = txn_finish(&t, r);
	if (r == 0)
		r = a->backend->ops->pack_remove(a->backend, pack);
	return r == -ENOENT || r == -EBUSY ? 0 : r;
}

/* rewrite_give_up - its live records cannot be read: leave it for salvage */
static int
rewrite_give_up(struct account *a, uint32_t pack)
{
	struct pack_record rec;
	struct txn *t = NULL;
	int	r;

	if ((r = txn_begin(a, true, &t)) < 0)
		return r;
	r = packs_get(t, pack, &rec);
	if (r == 0 && rec.live > 0) {
		rec.sealed = PACK_UNKNOWN;
		r = packs_put(t, pack, &rec);
	}
	return txn_finish(&t, r);
}

/* rewrite_sweep - pack files that a crash left after their last record was
 * forgotten: a number that was given, and no record */
static int
rewrite_sweep(struct account *a)
{
	const struct backend_ops *ops = a->backend->ops;
	struct pack_record rec;
	struct txn *t = NULL;
	uint32_t pack = 0;
	int	r;

	if ((r = txn_begin(a, true, &t)) < 0)
		return r;
	while ((r = ops->pack_next(a->backend, pack, &pack)) == 0 &&
	    pack < t->rec.next_pack) {
		if (packs_get(t, pack, &rec) == -ENOENT)
			(void)ops->pack_remove(a->backend, pack); /* or later */
		pack++;
	}
	txn_abort(&t);
	return r == -ENOENT ? 0 : r;
}

/* pack_rewrite - one batch out of the worst pack */
int
pack_rewrite(struct account *a, uint64_t budget)
{
	struct batch *b = NEW(struct batch);
	struct pack_record rec = { 0 };
	struct txn *t = NULL;
	uint32_t pack = 0;
	int	r;

	b->bytes.max = BATCH_BYTES_MAX;
	if ((r = txn_begin(a, false, &t)) == 0)
		r = rewrite_worst(t, &pack, &rec);
	txn_abort(&t);
	if (r == -ENOENT) {
		r = rewrite_sweep(a);
		goto out;
	}
	if (r == 0 && rec.live > 0)
		r = rewrite_fill(a, pack, rec.end, budget, b);
	if (r == -EMSGSIZE || (r == 0 && rec.live > 0 && b->count == 0)) {
		r = rewrite_give_up(a, pack);
		b->more = true;
	}
	if (r == 0 && b->count > 0 && (r = txn_begin(a, true, &t)) == 0) {
		for (size_t i = 0; r == 0 && i < b->count; i++)
			r = rewrite_commit_one(t, b, &b->move[i]);
		r = txn_finish(&t, r);
	}
	if (r == 0 && !b->more)
		r = rewrite_drop(a, pack);
	if (r == 0)
		r = 1;
out:
	buf_free(&b->bytes);
	free(b);
	return r;
}

/* account_compact - give unused room back */
int
account_compact(struct account *a)
{
	return backend_compact(a->backend);
}
