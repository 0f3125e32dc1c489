/* SPDX-License-Identifier: ISC */
/* Everything that is a sum of something else, counted anew. */
#include "libstore/repair.h"

#include "libstore/bodies.h"
#include "libstore/packs.h"
#include "libutil/alloc.h"

/* order_put - a message in its mailbox's date order, and its size counted */
static int
order_put(struct txn *t, struct mailbox_slot *slot,
    const struct message_meta *m)
{
	struct email_record rec;
	struct key k;
	int	r = emails_get(t, m->email, &rec);

	if (r < 0)
		return r;
	slot->rec.size += rec.size;
	key_u32_u64_u32(&k, KEY_ORDER, slot->id,
	    ~((uint64_t)rec.internal_date ^ (uint64_t)1 << 63), m->uid);
	buf_reset(&t->scratch);
	record_encode_u64(&t->scratch, m->email);
	return txn_put(t, &k, buf_slice(&t->scratch));
}

/* flags_prove - a side record that is lost takes its mark along */
static int
flags_prove(struct txn *t, struct mailbox_slot *slot,
    const struct message_meta *m)
{
	struct flag_set set;
	int	r;

	if ((m->flags & FLAG_MORE) == 0)
		return 0;
	r = keywords_load(t, slot->id, m->uid, m->flags, &set);
	if (r != -EBADMSG)
		return r;
	return index_set_flags(t, slot, m->uid, m->flags & ~FLAG_MORE);
}

/* side_drop - a side record without its message, or whose message has none */
static int
sides_drop(struct txn *t, uint32_t id)
{
	const struct message_meta *m;
	struct slice value;
	uint32_t uid = 0;
	struct key k;
	int	r;

	while ((r = txn_first_u32(t, KEY_MORE_KEYWORDS, id, uid, &uid,
	    &value)) == 0) {
		if (index_get(t, id, uid, &m) < 0 ||
		    (m->flags & FLAG_MORE) == 0) {
			key_u32_u32(&k, KEY_MORE_KEYWORDS, id, uid);
			if ((r = txn_del(t, &k)) < 0)
				return r;
		}
		if (uid++ == UINT32_MAX)
			return 0;
	}
	return r == -ENOENT ? 0 : r;
}

/* mailbox_sum - order, size, side records */
static int
mailbox_sum(struct repair *x, struct txn *t, uint64_t id)
{
	struct uidblock *b = ARENA_NEW(&t->arena, struct uidblock);
	struct mailbox_slot *slot;
	size_t	budget = SIZE_MAX;
	uint32_t at = 0, i;
	struct key k;
	int	r = txn_mailbox(t, (uint32_t)id, &slot);

	(void)x;
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	key_u32(&k, KEY_ORDER, slot->id);
	if ((r = txn_del_range(t, &k, &budget)) < 0)
		return r;
	slot->rec.size = 0;
	slot->is_dirty = true;
	while (r == 0 && (r = txn_flush(t)) == 0 &&
	    (r = repair_block_at(t, slot->id, at, b, &i)) == 0) {
		for (; r == 0 && i < b->count; i++) {
			slot->rec.keywords |= b->at[i].flags & FLAGS_KEYWORDS;
			if ((r = order_put(t, slot, &b->at[i])) == 0)
				r = flags_prove(t, slot, &b->at[i]);
		}
		slot->is_dirty = true;
		at = b->at[b->count - 1].uid;
		if (at++ == UINT32_MAX)
			break;
	}
	if (r < 0 && r != -ENOENT)
		return r;
	return sides_drop(t, slot->id);
}

/* what one pass over the emails and bodies adds up to */
struct sums {
	struct hash	bodies;		/* id -> count, as a pointer's value */
	struct hash	big;		/* hash -> count */
	struct hash	packs;		/* number -> live bytes */
	uint64_t	used_bytes, used_count, unpacked;
};

/* tally - add to the number that a key has */
static void
tally(struct hash *h, struct slice key, uint64_t add)
{
	uint64_t n = (uint64_t)(uintptr_t)hash_get(h, key) + add;

	(void)hash_put(h, key, (void *)(uintptr_t)n);
}

static uint64_t
tallied(const struct hash *h, struct slice key)
{
	return (uint64_t)(uintptr_t)hash_get(h, key);
}

/* emails_tally - one pass */
static int
emails_tally(struct txn *t, struct sums *s)
{
	struct backend_range *range;
	struct email_record rec;
	struct slice key, value;
	struct key all;
	int	r;

	key_1(&all, KEY_EMAIL);
	if ((r = txn_range(t, &all, NULL, &range)) < 0)
		return r;
	while ((r = backend_next(range, &key, &value)) == 1) {
		if ((r = email_record_decode(value, &rec)) < 0)
			break;
		s->used_bytes += rec.size;
		s->used_count++;
		tally(&s->bodies, slice_over(&rec.body, sizeof(rec.body)), 1);
	}
	backend_range_end(&range);
	return r;
}

/* body_sum - one body's references; one without any goes */
static int
body_sum(struct txn *t, struct sums *s, uint64_t id)
{
	struct body_record rec;
	uint64_t n = tallied(&s->bodies, slice_over(&id, sizeof(id)));
	int	r = bodies_get(t, id, &rec);

	/* of a fresh one other records may be left */
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (n == 0)
		return bodies_del(t, id);
	if (rec.location == BODY_IN_CHUNKS)
		s->unpacked += rec.size;
	else if (rec.location == BODY_IS_BIG)
		tally(&s->big, slice_over(rec.hash.bytes, BODY_HASH_LEN), 1);
	else
		tally(&s->packs, slice_over(&rec.pack, sizeof(rec.pack)),
		    rec.stored);
	if (rec.references == n)
		return 0;
	rec.references = (uint32_t)n;
	return bodies_put(t, id, &rec);
}

/* each_u64 - walk the leading u64 of a key space while it is changed */
static int
each_u64(struct txn *t, enum keyspace space, struct sums *s,
    int (*one)(struct txn *t, struct sums *s, uint64_t id))
{
	struct backend_range *range;
	struct slice key, value;
	struct key all, from;
	uint64_t id = 0;
	int	r = 0;

	key_1(&all, space);
	while (r == 0) {
		key_u64(&from, space, id);
		if ((r = txn_range(t, &all, &from, &range)) < 0)
			return r;
		r = backend_next(range, &key, &value);
		if (r == 1)
			r = key_parse_u64(slice_sub(key, 0, 9), space, &id);
		else if (r == 0)
			r = -ENOENT;
		backend_range_end(&range);
		if (r == 0)
			r = one(t, s, id);
		if (r == 0 && id++ == UINT64_MAX)
			return 0;
	}
	return r == -ENOENT ? 0 : r;
}

/* chunks_prove - chunks of a body that is elsewhere go */
static int
chunks_prove(struct txn *t, struct sums *s, uint64_t id)
{
	struct body_record rec;
	size_t	budget = SIZE_MAX;
	struct key k;
	int	r = bodies_get(t, id, &rec);

	(void)s;
	if (r == 0 && rec.location == BODY_IN_CHUNKS)
		return 0;
	if (r < 0 && r != -ENOENT)
		return r;
	key_fresh(&k, id, FRESH_CHUNK);
	return txn_del_range(t, &k, &budget);
}

/* cache_prove - a cache of an email that is gone goes */
static int
cache_prove(struct txn *t, struct sums *s, uint64_t id)
{
	struct slice value;
	struct key k;
	int	r;

	(void)s;
	key_u64(&k, KEY_EMAIL, id);
	if ((r = txn_get(t, &k, &value)) != -ENOENT)
		return r;
	return emails_del_cache(t, id);
}

/* thread_stale - the first entry of a thread that its email denies; 0: none */
static int
thread_stale(struct txn *t, uint64_t thread, uint64_t *ret_email)
{
	struct backend_range *range;
	struct email_record rec;
	struct slice key, value;
	uint64_t id, same;
	struct key all;
	int	r;

	key_u64(&all, KEY_THREAD, thread);
	if ((r = txn_range(t, &all, NULL, &range)) < 0)
		return r;
	while ((r = backend_next(range, &key, &value)) == 1) {
		if ((r = key_parse_u64_u64(key, KEY_THREAD, &same, &id)) < 0)
			break;
		if (id == thread || emails_get(t, id, &rec) < 0 ||
		    rec.thread != thread) {
			*ret_email = id;
			r = 1;
			break;
		}
	}
	backend_range_end(&range);
	return r;
}

static int
thread_prove(struct txn *t, struct sums *s, uint64_t thread)
{
	uint64_t email;
	struct key k;
	int	r;

	(void)s;
	while ((r = thread_stale(t, thread, &email)) == 1) {
		key_u64_u64(&k, KEY_THREAD, thread, email);
		if ((r = txn_del(t, &k)) < 0)
			return r;
	}
	return r;
}

/* packs_sum - a record for each file, with what is live in it */
static int
packs_sum(struct txn *t, struct sums *s)
{
	struct backend *b = t->account->backend;
	size_t	budget = SIZE_MAX;
	uint32_t pack = 0, open = t->rec.open_pack;
	struct key k;
	int	r;

	key_1(&k, KEY_PACK);
	if ((r = txn_del_range(t, &k, &budget)) < 0)
		return r;
	t->rec.open_pack = 0;
	while ((r = b->ops->pack_next(b, pack, &pack)) == 0) {
		struct pack_record rec = { .created =
			account_now(t->account) };

		if ((r = b->ops->pack_size(b, pack, &rec.end)) < 0)
			return r;
		rec.live = tallied(&s->packs, slice_over(&pack,
		    sizeof(pack)));
		rec.sealed = pack == open ? PACK_OPEN : PACK_SEALED;
		if (pack == open)
			t->rec.open_pack = pack;
		if ((r = packs_put(t, pack, &rec)) < 0)
			return r;
		if (t->rec.next_pack <= pack)
			t->rec.next_pack = pack + 1;
		pack++;
	}
	return r == -ENOENT ? 0 : r;
}

/* big_sum - how many bodies each big file is */
static int
big_sum(struct txn *t, struct sums *s)
{
	struct hash_iter i = { 0 };
	size_t	budget = SIZE_MAX;
	struct slice hash;
	struct key k;
	void	*n;
	int	r;

	key_1(&k, KEY_BIG);
	if ((r = txn_del_range(t, &k, &budget)) < 0)
		return r;
	while (r == 0 && hash_next(&s->big, &i, &hash, &n)) {
		key_begin(&k, KEY_BIG);
		buf_reset(&t->scratch);
		record_encode_u32(&t->scratch, (uint32_t)(uintptr_t)n);
		if ((r = key_add_bytes(&k, hash)) == 0)
			r = txn_put(t, &k, buf_slice(&t->scratch));
	}
	return r;
}

/* repair_sums - one transaction after the mailboxes' */
int
repair_sums(struct repair *x)
{
	struct sums s = { 0 };
	struct txn *t = NULL;
	int	r;

	if ((r = repair_each(x, KEY_MAILBOX, 4, mailbox_sum)) < 0 ||
	    (r = txn_begin(x->account, true, &t)) < 0)
		return r;
	if ((r = emails_tally(t, &s)) == 0 &&
	    (r = each_u64(t, KEY_BODY, &s, body_sum)) == 0 &&
	    (r = each_u64(t, KEY_FRESH, &s, body_sum)) == 0 &&
	    (r = each_u64(t, KEY_FRESH, &s, chunks_prove)) == 0 &&
	    (r = each_u64(t, KEY_FRESH, &s, cache_prove)) == 0 &&
	    (r = each_u64(t, KEY_CACHE, &s, cache_prove)) == 0 &&
	    (r = each_u64(t, KEY_THREAD, &s, thread_prove)) == 0 &&
	    (r = packs_sum(t, &s)) == 0)
		r = big_sum(t, &s);
	t->rec.used_bytes = s.used_bytes;
	t->rec.used_count = s.used_count;
	t->rec.unpacked_bytes = s.unpacked;
	t->is_changed = true;
	r = txn_finish(&t, r);
	hash_free(&s.bodies);
	hash_free(&s.big);
	hash_free(&s.packs);
	return r;
}
