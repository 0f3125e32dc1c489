/* SPDX-License-Identifier: ISC */
/*
 * Upkeep in bounded steps: each is one transaction of at most
 * ACCOUNT_BATCH_MAX records, so that deliveries get their turn between.
 */
#include "libstore/account.h"

#include "libstore/bigfile.h"
#include "libstore/mailboxes.h"

#define DAY_SECONDS	86400

/* work_dying - a mailbox that is being deleted; -ENOENT */
static int
work_dying(struct txn *t, uint32_t *ret_id)
{
	struct backend_range *range;
	struct mailbox_record rec;
	struct slice key, value;
	struct key k;
	int	r, found = -ENOENT;

	key_1(&k, KEY_MAILBOX);
	if ((r = txn_range(t, &k, NULL, &range)) < 0)
		return r;
	while (found == -ENOENT &&
	    (r = backend_next(range, &key, &value)) != 0) {
		if (r < 0 && r != -EBADMSG)
			break;
		if (r == 1 && mailbox_record_decode(value, &rec) == 0 &&
		    (rec.attributes & MAILBOX_DYING) != 0)
			found = key_parse_u32(key, KEY_MAILBOX, ret_id);
	}
	backend_range_end(&range);
	return r < 0 && r != -EBADMSG ? r : found;
}

/* work_purge - messages of a deleted mailbox */
static int
work_purge(struct txn *t, size_t *budget)
{
	struct mailbox_slot *slot;
	uint32_t id;
	int	r;

	while (*budget > 0) {
		if ((r = work_dying(t, &id)) < 0)
			return r == -ENOENT ? 0 : r;
		if ((r = txn_mailbox_any(t, id, &slot)) < 0 ||
		    (r = mailboxes_purge(t, slot, budget)) < 0 ||
		    (r = txn_flush(t)) < 0)
			return r;
	}
	return 0;
}

/* work_floor - the mod-sequence that history is kept from: that of the newest
 * day mark that is old enough; older marks are removed. 0: nothing to prune */
static int
work_floor(struct txn *t, size_t *budget, uint64_t *ret_floor)
{
	int64_t	today = account_now(t->account) / DAY_SECONDS;
	int64_t	last = today - t->account->p.history_days;
	struct backend_range *range;
	struct slice key, value;
	uint64_t floor = 0, before = 0;
	uint32_t day, old[16];
	size_t	n = 0;
	struct key k;
	int	r;

	key_1(&k, KEY_DAY);
	if ((r = txn_range(t, &k, NULL, &range)) < 0)
		return r;
	while (n < COUNT(old) && (r = backend_next(range, &key, &value)) == 1) {
		if ((r = key_parse_u32(key, KEY_DAY, &day)) < 0 ||
		    (int64_t)day > last ||
		    (r = record_decode_u64(value, &before)) < 0)
			break;
		floor = before;
		old[n++] = day;
	}
	backend_range_end(&range);
	/* the newest of them stays as the mark */
	for (size_t i = 0; r >= 0 && i + 1 < n && *budget > 0; i++) {
		key_u32(&k, KEY_DAY, old[i]);
		r = txn_del(t, &k);
		(*budget)--;
	}
	*ret_floor = floor;
	return r < 0 ? r : 0;
}

/* work_history_of - vanished UIDs of one mailbox up to the floor */
static int
work_history_of(struct txn *t, uint32_t id, uint64_t floor, size_t *budget)
{
	struct mailbox_slot *slot;
	struct backend_range *range;
	struct slice key, value;
	uint64_t modseq = 0;
	uint32_t mailbox, uid;
	struct key all, k;
	int	r;

	if ((r = txn_mailbox(t, id, &slot)) < 0)
		return r == -ENOENT ? 0 : r;
	if (slot->rec.vanished_floor >= floor)
		return 0;
	key_u32(&all, KEY_VANISHED, id);
	while (*budget > 0) {
		if ((r = txn_range(t, &all, NULL, &range)) < 0)
			return r;
		r = backend_next(range, &key, &value);
		if (r == 1)
			r = key_parse_u32_u64_u32(key, KEY_VANISHED,
			    &mailbox, &modseq, &uid);
		else if (r == 0)
			modseq = UINT64_MAX;
		backend_range_end(&range);
		if (r < 0)
			return r;
		if (modseq > floor) {
			slot->rec.vanished_floor = floor;
			slot->is_dirty = true;
			t->is_changed = true;
			return 0;
		}
		/* what is left of a half-pruned number must not be trusted */
		slot->rec.vanished_floor = modseq;
		slot->is_dirty = true;
		key_u32_u64_u32(&k, KEY_VANISHED, id, modseq, uid);
		if ((r = txn_del(t, &k)) < 0)
			return r;
		(*budget)--;
	}
	return 0;
}

/* work_history - of every mailbox */
static int
work_history(struct txn *t, size_t *budget)
{
	uint64_t floor;
	int	r = work_floor(t, budget, &floor);

	if (r < 0 || floor == 0)
		return r;
	for (uint32_t id = 1; r == 0 && id < t->rec.next_mailbox &&
	    *budget > 0; id++)
		r = work_history_of(t, id, floor, budget);
	return r;
}

/* work_changes - change records up to the floor */
static int
work_changes(struct txn *t, enum change_type type, uint64_t floor,
    size_t *budget)
{
	struct backend_range *range;
	struct slice key, value;
	uint64_t modseq;
	struct key all, k;
	int	r = 0;

	key_begin(&all, KEY_CHANGE);
	key_add_u8(&all, (uint8_t)type);
	while (r == 0 && *budget > 0) {
		if ((r = txn_range(t, &all, NULL, &range)) < 0)
			return r;
		r = backend_next(range, &key, &value);
		if (r == 1 || r == -EBADMSG) {
			k.len = key.len;
			memcpy(k.bytes, key.data, key.len);
		}
		backend_range_end(&range);
		if (r != 1)
			return r;
		/* type and mod-sequence follow the space's byte */
		modseq = 0;
		for (size_t i = 2; i < 10 && i < k.len; i++)
			modseq = modseq << 8 | (unsigned char)k.bytes[i];
		if (modseq > floor)
			return 0;
		if (t->rec.change_floor < modseq)
			t->rec.change_floor = modseq;
		r = txn_del(t, &k);
		(*budget)--;
	}
	return r;
}

/* work_prune - history that is older than is kept */
static int
work_prune(struct txn *t, size_t *budget)
{
	uint64_t floor;
	int	r;

	if ((r = work_history(t, budget)) < 0 || *budget == 0 ||
	    (r = work_floor(t, budget, &floor)) < 0 || floor == 0)
		return r;
	if ((r = work_changes(t, CHANGE_EMAIL, floor, budget)) < 0)
		return r;
	return work_changes(t, CHANGE_MAILBOX, floor, budget);
}

/* account_work - a bounded piece of upkeep */
int
account_work(struct account *a)
{
	size_t	budget = ACCOUNT_BATCH_MAX;
	struct txn *t = NULL;
	int	r;

	if (!a->big_swept) {
		if ((r = bigfile_sweep(a)) < 0)
			return r;
		a->big_swept = true;
	}
	if ((r = txn_begin(a, true, &t)) < 0)
		return r;
	r = work_purge(t, &budget);
	if (r == 0 && budget > 0)
		r = work_prune(t, &budget);
	return txn_finish(&t, r < 0 ? r : budget == 0 ? 1 : 0);
}
