/* SPDX-License-Identifier: ISC */
/*
 * Records that one transaction touches many times (a mailbox's counters in a
 * batch of deliveries) are decoded once and encoded once.
 */
#include "libstore/txn.h"

#include <assert.h>

#include "libstore/index.h"
#include "libutil/alloc.h"

#define DAY_SECONDS	86400

/* txn_load_account - the account record; its text is copied */
static int
txn_load_account(struct txn *t)
{
	struct slice value;
	struct key k;
	int	r;

	key_1(&k, KEY_ACCOUNT);
	if ((r = txn_get(t, &k, &value)) < 0 ||
	    (r = account_record_decode(value, &t->rec)) < 0)
		return r;
	t->rec.id = arena_dup(&t->arena, t->rec.id);
	return 0;
}

/* txn_free - the memory of an ended transaction */
static void
txn_free(struct txn *t)
{
	arena_free(&t->arena);
	buf_free(&t->scratch);
	free(t);
}

/* txn_begin - begin and read the account record */
int
txn_begin(struct account *a, bool write, struct txn **ret_txn)
{
	struct txn *t = NEW(struct txn);
	int	r;

	t->account = a;
	t->is_write = write;
	r = backend_begin(a->backend, write, &t->backend);
	/* a reader seldom needs it, and gets it from the published copy */
	if (r == 0 && write)
		r = txn_load_account(t);
	if (r < 0)
		txn_abort(&t);
	*ret_txn = t;
	return r;
}

/* txn_abort - end it without a trace; no-op on NULL */
void
txn_abort(struct txn **t)
{
	struct txn *x = *t;

	*t = NULL;
	if (x == NULL)
		return;
	backend_abort(&x->backend);
	txn_free(x);
}

int
txn_get(struct txn *t, const struct key *k, struct slice *ret_value)
{
	return backend_get(t->backend, key_slice(k), ret_value);
}

int
txn_put(struct txn *t, const struct key *k, struct slice value)
{
	t->is_changed = true;
	return backend_put(t->backend, key_slice(k), value);
}

int
txn_del(struct txn *t, const struct key *k)
{
	t->is_changed = true;
	return backend_del(t->backend, key_slice(k));
}

/* txn_range - a walk over a prefix */
int
txn_range(struct txn *t, const struct key *k, const struct key *from,
    struct backend_range **ret_range)
{
	struct key end;

	key_after(&end, k);
	return backend_range(t->backend, key_slice(from == NULL ? k : from),
	    key_slice(&end), false, ret_range);
}

/* txn_only - the first record of a range and its u32 pair; -ENOENT */
static int
txn_only(struct txn *t, struct slice first, struct slice end, bool reverse,
    enum keyspace space, uint32_t *ret_b, struct slice *ret_value)
{
	struct backend_range *range;
	struct slice key;
	uint32_t a;
	int	r;

	r = backend_range(t->backend, first, end, reverse, &range);
	if (r < 0)
		return r;
	/* what it lends belongs to the transaction, not to the range */
	r = backend_next(range, &key, ret_value);
	backend_range_end(&range);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	return key_parse_u32_u32(key, space, &a, ret_b);
}

/* txn_last_u32 - the nearest record from there down */
int
txn_last_u32(struct txn *t, enum keyspace space, uint32_t a, uint32_t b,
    uint32_t *ret_b, struct slice *ret_value)
{
	struct key first, end;

	key_u32(&first, space, a);
	key_u32_u32(&end, space, a, b);
	key_after(&end, &end);
	return txn_only(t, key_slice(&first), key_slice(&end), true, space,
	    ret_b, ret_value);
}

/* txn_first_u32 - the nearest record from there up */
int
txn_first_u32(struct txn *t, enum keyspace space, uint32_t a, uint32_t b,
    uint32_t *ret_b, struct slice *ret_value)
{
	struct key first, end;

	key_u32(&end, space, a);
	key_after(&end, &end);
	key_u32_u32(&first, space, a, b);
	return txn_only(t, key_slice(&first), key_slice(&end), false, space,
	    ret_b, ret_value);
}

#define DEL_BATCH	64

/* txn_collect - up to DEL_BATCH keys of a prefix, copied */
static int
txn_collect(struct txn *t, const struct key *k, size_t max, struct key *keys,
    size_t *ret_count)
{
	struct backend_range *range;
	struct slice key, value;
	size_t n = 0;
	int	r;

	if ((r = txn_range(t, k, NULL, &range)) < 0)
		return r;
	while (n < max && (r = backend_next(range, &key, &value)) != 0) {
		if (r < 0 && r != -EBADMSG)
			break;
		/* a damaged record is removed like any other */
		keys[n].len = key.len;
		memcpy(keys[n].bytes, key.data, key.len);
		n++;
		r = 0;
	}
	backend_range_end(&range);
	*ret_count = n;
	return r;
}

/* txn_del_range - remove records by prefix, in bounded number */
int
txn_del_range(struct txn *t, const struct key *k, size_t *budget)
{
	struct key *keys = NEW_ARRAY(struct key, DEL_BATCH);
	size_t	n = 1;
	int	r = 0;

	while (r == 0 && n > 0 && *budget > 0) {
		r = txn_collect(t, k, size_min(*budget, DEL_BATCH), keys, &n);
		for (size_t i = 0; r == 0 && i < n; i++)
			r = txn_del(t, &keys[i]);
		if (r == 0)
			*budget -= n;
	}
	free(keys);
	return r;
}

/* txn_modseq - this transaction's number */
uint64_t
txn_modseq(struct txn *t)
{
	assert(t->is_write);
	if (!t->has_modseq)
		t->rec.modseq++;
	t->has_modseq = true;
	t->is_changed = true;
	return t->rec.modseq;
}

/* txn_mailbox_new - a slot that is not there yet */
struct mailbox_slot *
txn_mailbox_new(struct txn *t, uint32_t id)
{
	struct mailbox_slot *slot = ARENA_NEW(&t->arena, struct mailbox_slot);

	slot->id = id;
	slot->next = t->mailboxes;
	t->mailboxes = slot;
	return slot;
}

/* txn_mailbox_any - a mailbox's record, once a transaction */
int
txn_mailbox_any(struct txn *t, uint32_t id, struct mailbox_slot **ret_slot)
{
	struct mailbox_slot *slot;
	struct mailbox_record rec;
	struct slice value;
	struct key k;
	int	r;

	for (slot = t->mailboxes; slot != NULL; slot = slot->next)
		if (slot->id == id) {
			*ret_slot = slot;
			return slot->is_removed ? -ENOENT : 0;
		}
	key_u32(&k, KEY_MAILBOX, id);
	if ((r = txn_get(t, &k, &value)) < 0 ||
	    (r = mailbox_record_decode(value, &rec)) < 0)
		return r;
	slot = txn_mailbox_new(t, id);
	slot->rec = rec;
	slot->rec.name = arena_dup(&t->arena, rec.name);
	*ret_slot = slot;
	return 0;
}

/* txn_mailbox - one that is not being removed */
int
txn_mailbox(struct txn *t, uint32_t id, struct mailbox_slot **ret_slot)
{
	struct mailbox_slot *slot;
	int	r = txn_mailbox_any(t, id, &slot);

	if (r < 0)
		return r;
	if ((slot->rec.attributes & MAILBOX_DYING) != 0)
		return -ENOENT;
	*ret_slot = slot;
	return 0;
}

/* txn_mailbox_changed - its own properties are other ones now */
void
txn_mailbox_changed(struct txn *t, struct mailbox_slot *slot)
{
	slot->rec.changed_modseq = txn_modseq(t);
	slot->rec.highest_modseq = txn_modseq(t);
	slot->is_dirty = true;
	t->mailboxes_changed = true;
}

/* txn_mailbox_touched - its messages are other ones now */
void
txn_mailbox_touched(struct txn *t, struct mailbox_slot *slot)
{
	slot->rec.highest_modseq = txn_modseq(t);
	slot->is_dirty = true;
	slot->is_touched = true;
}

/* txn_keywords - the account's keyword table, once a transaction */
int
txn_keywords(struct txn *t, struct keyword_table **ret_table)
{
	struct keyword_table *table;
	struct slice value;
	struct key k;
	int	r;

	if (t->keywords != NULL) {
		*ret_table = t->keywords;
		return 0;
	}
	table = ARENA_NEW(&t->arena, struct keyword_table);
	key_1(&k, KEY_KEYWORDS);
	r = txn_get(t, &k, &value);
	if (r == 0)
		r = keyword_table_decode(arena_dup(&t->arena, value), table);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret_table = t->keywords = table;
	return 0;
}

/* txn_flush_mailboxes - write mailbox records back */
static int
txn_flush_mailboxes(struct txn *t)
{
	struct key k;
	int	r = 0;

	for (struct mailbox_slot *s = t->mailboxes; s != NULL && r == 0;
	    s = s->next) {
		if (!s->is_dirty || s->is_removed)
			continue;
		key_u32(&k, KEY_MAILBOX, s->id);
		buf_reset(&t->scratch);
		mailbox_record_encode(&t->scratch, &s->rec);
		r = txn_put(t, &k, buf_slice(&t->scratch));
		s->is_dirty = false;
	}
	return r;
}

/* txn_flush - write back everything but the account record */
int
txn_flush(struct txn *t)
{
	struct key k;
	int	r;

	if ((r = index_flush(t)) < 0 || (r = txn_flush_mailboxes(t)) < 0)
		return r;
	if (!t->keywords_dirty)
		return 0;
	t->keywords_dirty = false;
	key_1(&k, KEY_KEYWORDS);
	buf_reset(&t->scratch);
	keyword_table_encode(&t->scratch, t->keywords);
	return txn_put(t, &k, buf_slice(&t->scratch));
}

/* txn_note_day - remember where the history of a day begins */
static int
txn_note_day(struct txn *t)
{
	int64_t	now = account_now(t->account);
	uint32_t day = now < 0 ? 0 : (uint32_t)(now / DAY_SECONDS);
	struct key k;

	if (!t->has_modseq || day <= t->account->day)
		return 0;
	key_u32(&k, KEY_DAY, day);
	buf_reset(&t->scratch);
	record_encode_u64(&t->scratch, t->rec.modseq - 1);
	return txn_put(t, &k, buf_slice(&t->scratch));
}

/* txn_write_back - all that commit must write first */
static int
txn_write_back(struct txn *t)
{
	struct key k;
	int	r;

	if ((r = txn_flush(t)) < 0 || (r = txn_note_day(t)) < 0)
		return r;
	key_1(&k, KEY_ACCOUNT);
	buf_reset(&t->scratch);
	account_record_encode(&t->scratch, &t->rec);
	if ((r = txn_put(t, &k, buf_slice(&t->scratch))) < 0)
		return r;
	/* the pack must hold what the records point at before they do */
	if (t->pack_written != 0)
		r = t->account->backend->ops->pack_sync(t->account->backend,
		    t->pack_written);
	return r;
}

/* txn_publish - what readers without a transaction see */
static void
txn_publish(struct txn *t)
{
	struct account *a = t->account;
	int64_t	now = account_now(a);

	pthread_mutex_lock(&a->lock);
	a->quota = (struct account_quota){ t->rec.used_bytes,
		t->rec.used_count, t->rec.limit_bytes, t->rec.limit_count };
	if (t->rec.modseq > a->modseq)
		a->modseq = t->rec.modseq;
	if (t->has_modseq && now > 0 && now / DAY_SECONDS > (int64_t)a->day)
		a->day = (uint32_t)(now / DAY_SECONDS);
	pthread_mutex_unlock(&a->lock);
}

/* txn_tell - the commit callback */
static void
txn_tell(struct txn *t)
{
	struct account_commit c = { .modseq = t->rec.modseq,
		.used_bytes = t->rec.used_bytes,
		.used_count = t->rec.used_count,
		.mailboxes_changed = t->mailboxes_changed };
	uint32_t *ids;
	size_t	n = 0;

	if (t->account->p.on_commit == NULL)
		return;
	for (struct mailbox_slot *s = t->mailboxes; s != NULL; s = s->next)
		n++;
	ids = ARENA_ARRAY(&t->arena, uint32_t, n);
	for (struct mailbox_slot *s = t->mailboxes; s != NULL; s = s->next)
		if (s->is_touched || s->is_removed)
			ids[c.mailbox_count++] = s->id;
	c.mailboxes = ids;
	t->account->p.on_commit(t->account->p.arg, &c);
}

/* txn_drop_big - big bodies that no record names any more */
static void
txn_drop_big(struct account *a, const struct big_drop *drops)
{
	struct key k;
	struct slice value;

	if (drops == NULL || a->p.big.drop == NULL)
		return;
	pthread_mutex_lock(&a->big_lock);
	for (; drops != NULL; drops = drops->next) {
		struct backend_txn *b;
		int r;

		if (backend_begin(a->backend, false, &b) < 0)
			break;		/* the sweep of account_work gets it */
		key_begin(&k, KEY_BIG);
		r = key_add_bytes(&k, slice_over(drops->hash, BODY_HASH_LEN));
		if (r == 0)
			r = backend_get(b, key_slice(&k), &value);
		backend_abort(&b);
		if (r == -ENOENT)
			a->p.big.drop(a->p.big.arg, drops->hash);
	}
	pthread_mutex_unlock(&a->big_lock);
}

/* txn_commit - durable, published, told */
int
txn_commit(struct txn **t)
{
	struct txn *x = *t;
	int	r = 0;

	*t = NULL;
	if (!x->is_write || !x->is_changed) {
		txn_abort(&x);
		return 0;
	}
	r = txn_write_back(x);
	if (r == 0)
		r = backend_commit(&x->backend);
	if (r == 0) {
		txn_publish(x);
		txn_tell(x);
	}
	backend_abort(&x->backend);
	if (r == 0)
		txn_drop_big(x->account, x->drops);
	txn_free(x);
	return r;
}

/* txn_finish - the end of every function that writes */
int
txn_finish(struct txn **t, int r)
{
	int	committed;

	if (r < 0) {
		txn_abort(t);
		return r;
	}
	committed = txn_commit(t);
	return committed < 0 ? committed : r;
}
