/* SPDX-License-Identifier: ISC */
/*
 * Order of writes is of no matter inside a transaction; what matters is that
 * each function here leaves records, counters and quota agreeing.
 */
#include "libstore/emails.h"

#include "libstore/bodies.h"

/* order_key - the date order entry of a place: newest first */
static void
order_key(struct key *k, uint32_t mailbox, int64_t date, uint32_t uid)
{
	uint64_t ascending = (uint64_t)date ^ (uint64_t)1 << 63;

	key_u32_u64_u32(k, KEY_ORDER, mailbox, ~ascending, uid);
}

/* emails_get - one record, copied */
int
emails_get(struct txn *t, uint64_t id, struct email_record *ret_record)
{
	struct slice value;
	struct key k;
	int	r;

	key_u64(&k, KEY_EMAIL, id);
	if ((r = txn_get(t, &k, &value)) < 0)
		return r;
	return email_record_decode(arena_dup(&t->arena, value), ret_record);
}

/* emails_put - write one */
int
emails_put(struct txn *t, uint64_t id, const struct email_record *rec)
{
	struct key k;

	key_u64(&k, KEY_EMAIL, id);
	buf_reset(&t->scratch);
	email_record_encode(&t->scratch, rec);
	return txn_put(t, &k, buf_slice(&t->scratch));
}

/* emails_add - a new one */
int
emails_add(struct txn *t, uint64_t id, const struct email_record *rec)
{
	struct key k;
	int	r;

	if ((r = emails_put(t, id, rec)) < 0)
		return r;
	/* most mail begins a thread and is alone in it: no entry for that */
	key_u64_u64(&k, KEY_THREAD, rec->thread, id);
	if (rec->thread != id && (r = txn_put(t, &k, SLICE_EMPTY)) < 0)
		return r;
	t->rec.used_bytes += rec->size;
	t->rec.used_count++;
	return 0;
}

/* emails_note_change - for those who ask later what changed */
int
emails_note_change(struct txn *t, enum change_type type, uint64_t id,
    enum change_kind kind, uint64_t thread)
{
	struct change_record rec = { .kind = (uint8_t)kind,
		.thread = thread };
	struct key k;

	key_begin(&k, KEY_CHANGE);
	key_add_u8(&k, (uint8_t)type);
	key_add_u64(&k, txn_modseq(t));
	key_add_u64(&k, id);
	buf_reset(&t->scratch);
	change_record_encode(&t->scratch, &rec);
	return txn_put(t, &k, buf_slice(&t->scratch));
}

/* emails_destroy - with all that only it has */
int
emails_destroy(struct txn *t, uint64_t id, const struct email_record *rec)
{
	struct key k;
	int	r;

	key_u64(&k, KEY_EMAIL, id);
	if ((r = txn_del(t, &k)) < 0)
		return r;
	if ((r = emails_del_cache(t, id)) < 0)
		return r;
	key_u64_u64(&k, KEY_THREAD, rec->thread, id);
	if ((r = txn_del(t, &k)) < 0 && r != -ENOENT)
		return r;
	if ((r = bodies_release(t, rec->body)) < 0)
		return r;
	t->rec.used_bytes -= rec->size;
	t->rec.used_count--;
	return emails_note_change(t, CHANGE_EMAIL, id, CHANGE_DESTROYED,
	    rec->thread);
}

/* emails_place - a message in a mailbox */
int
emails_place(struct txn *t, struct mailbox_slot *slot,
    struct email_record *rec, const struct flag_set *flags,
    struct message_meta *m)
{
	struct key k;
	int	r;

	if (rec->places.count == EMAIL_PLACES_MAX)
		return -EMSGSIZE;
	m->flags = flags->word;
	if ((r = index_append(t, slot, m)) < 0 ||
	    (r = keywords_store(t, slot->id, m->uid, false, flags)) < 0)
		return r;
	order_key(&k, slot->id, rec->internal_date, m->uid);
	buf_reset(&t->scratch);
	record_encode_u64(&t->scratch, m->email);
	if ((r = txn_put(t, &k, buf_slice(&t->scratch))) < 0)
		return r;
	slot->rec.size += rec->size;
	rec->places.at[rec->places.count++] =
	    (struct email_place){ slot->id, m->uid };
	return 0;
}

/* places_remove - forget one place */
static void
places_remove(struct email_places *p, uint32_t mailbox, uint32_t uid)
{
	uint8_t	kept = 0;

	for (uint8_t i = 0; i < p->count; i++)
		if (p->at[i].mailbox != mailbox || p->at[i].uid != uid)
			p->at[kept++] = p->at[i];
	p->count = kept;
}

/* emails_unplace - a message leaves a mailbox */
int
emails_unplace(struct txn *t, struct mailbox_slot *slot,
    struct email_record *rec, const struct message_meta *m)
{
	const struct flag_set none = { 0 };
	struct key k;
	int	r;

	if ((r = index_remove(t, slot, m->uid)) < 0 ||
	    (r = keywords_store(t, slot->id, m->uid,
	    (m->flags & FLAG_MORE) != 0, &none)) < 0)
		return r;
	order_key(&k, slot->id, rec->internal_date, m->uid);
	if ((r = txn_del(t, &k)) < 0 && r != -ENOENT)
		return r;
	slot->rec.size -= rec->size < slot->rec.size ? rec->size :
	    slot->rec.size;
	places_remove(&rec->places, slot->id, m->uid);
	return 0;
}

/* emails_expunge - a message leaves, and the email with its last place */
int
emails_expunge(struct txn *t, struct mailbox_slot *slot,
    const struct message_meta *m)
{
	struct email_record rec;
	int	r = emails_get(t, m->email, &rec);

	/* the message of a lost email record can still be removed */
	if (r == -ENOENT || r == -EBADMSG)
		return index_remove(t, slot, m->uid);
	if (r < 0 || (r = emails_unplace(t, slot, &rec, m)) < 0)
		return r;
	if (rec.places.count == 0)
		return emails_destroy(t, m->email, &rec);
	if ((r = emails_put(t, m->email, &rec)) < 0)
		return r;
	return emails_note_change(t, CHANGE_EMAIL, m->email, CHANGE_TOUCHED,
	    rec.thread);
}

/* emails_vanish - ascending UIDs as ranges under this mod-sequence */
int
emails_vanish(struct txn *t, uint32_t mailbox, const uint32_t *uids, size_t n)
{
	size_t	i = 0;
	struct key k;
	int	r = 0;

	while (r == 0 && i < n) {
		size_t	first = i++;

		while (i < n && uids[i] == uids[i - 1] + 1)
			i++;
		key_u32_u64_u32(&k, KEY_VANISHED, mailbox, txn_modseq(t),
		    uids[first]);
		buf_reset(&t->scratch);
		record_encode_u32(&t->scratch, uids[i - 1]);
		r = txn_put(t, &k, buf_slice(&t->scratch));
	}
	return r;
}

/* cache_key - where a cache stands */
static void
cache_key(struct key *k, uint64_t id, bool fresh)
{
	if (fresh)
		key_fresh(k, id, FRESH_CACHE);
	else
		key_u64(k, KEY_CACHE, id);
}

/* emails_put_cache - version and the caller's bytes */
int
emails_put_cache(struct txn *t, uint64_t id, bool fresh, uint32_t version,
    struct slice bytes)
{
	struct key k;

	cache_key(&k, id, fresh);
	buf_reset(&t->scratch);
	buf_add_le32(&t->scratch, version);
	buf_add(&t->scratch, bytes);
	return txn_put(t, &k, buf_slice(&t->scratch));
}

/* emails_get_cache - from either place */
int
emails_get_cache(struct txn *t, uint64_t id, struct slice *ret_stored)
{
	struct key k;
	int	r;

	cache_key(&k, id, false);
	if ((r = txn_get(t, &k, ret_stored)) != -ENOENT)
		return r;
	cache_key(&k, id, true);
	return txn_get(t, &k, ret_stored);
}

/* emails_del_cache - from both places */
int
emails_del_cache(struct txn *t, uint64_t id)
{
	struct key k;
	int	r;

	for (int fresh = 0; fresh < 2; fresh++) {
		cache_key(&k, id, fresh);
		if ((r = txn_del(t, &k)) < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

/* emails_settle_cache - from the fresh place to the other */
int
emails_settle_cache(struct txn *t, uint64_t id)
{
	struct slice stored;
	struct key k;
	int	r;

	cache_key(&k, id, true);
	r = txn_get(t, &k, &stored);
	if (r < 0)
		return r == -ENOENT || r == -EBADMSG ? 0 : r;
	stored = arena_dup(&t->arena, stored);
	if ((r = txn_del(t, &k)) < 0)
		return r;
	cache_key(&k, id, false);
	return txn_put(t, &k, stored);
}
