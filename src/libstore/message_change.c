/* SPDX-License-Identifier: ISC */
/*
 * Flags, expunge, copy and move. UIDs come in ascending order, so the index
 * reads and writes each block once.
 */
#include "libstore/message.h"

#include "libstore/bodies.h"
#include "libstore/emails.h"

/* change_begin - a writing transaction on a mailbox, with the limits that all
 * of these have */
static int
change_begin(struct account *a, uint32_t mailbox, size_t n,
    struct txn **ret_txn, struct mailbox_slot **ret_slot)
{
	int	r;

	*ret_txn = NULL;
	if (n > ACCOUNT_BATCH_MAX)
		return -E2BIG;
	if ((r = txn_begin(a, true, ret_txn)) < 0)
		return r;
	return txn_mailbox(*ret_txn, mailbox, ret_slot);
}

/* change_finish - txn_finish also where the transaction did not begin */
static int
change_finish(struct txn **t, int r)
{
	return *t == NULL ? r : txn_finish(t, r);
}

/* flags_apply - the set that a change makes of another */
static void
flags_apply(struct txn *t, enum flags_op op, const struct flag_set *old,
    const struct flag_set *change, struct flag_set *ret_set)
{
	if (op == FLAGS_ADD)
		keywords_add(t, old, change, ret_set);
	else if (op == FLAGS_REMOVE)
		keywords_remove(t, old, change, ret_set);
	else
		*ret_set = *change;
}

/* store_one - one message; 1 if it was refused */
static int
store_one(struct txn *t, struct mailbox_slot *slot, uint32_t uid,
    const struct flags_change *change, const struct flag_set *set,
    struct message_meta *ret_meta, uint64_t *ret_before)
{
	const struct message_meta *found;
	struct message_meta m;
	struct flag_set old, new_set;
	int	r;

	if ((r = index_get(t, slot->id, uid, &found)) < 0)
		return r;
	m = *found;
	*ret_before = m.modseq;
	if (change->is_conditional && m.modseq > change->unchanged_since)
		return 1;
	if ((r = keywords_load(t, slot->id, uid, m.flags, &old)) < 0) {
		if (r != -EBADMSG)
			return r;
		/* a lost side record is replaced by what is known */
		old = (struct flag_set){ .word = m.flags & ~FLAG_MORE };
	}
	flags_apply(t, change->op, &old, set, &new_set);
	if (!keywords_equal(&old, &new_set)) {
		if ((r = index_set_flags(t, slot, uid, new_set.word)) < 0 ||
		    (r = keywords_store(t, slot->id, uid,
		    (m.flags & FLAG_MORE) != 0, &new_set)) < 0)
			return r;
		m.flags = new_set.word;
		m.modseq = txn_modseq(t);
	}
	*ret_meta = m;
	return 0;
}

/* message_store - change flags */
int
message_store(struct account *a, uint32_t mailbox, const uint32_t *uids,
    size_t n, const struct flags_change *change, struct arena *arena,
    struct flags_result *ret_result)
{
	struct flags_result res = { 0 };
	struct mailbox_slot *slot;
	struct flag_set set;
	struct txn *t;
	int	r;

	if ((r = change_begin(a, mailbox, n, &t, &slot)) < 0 ||
	    (r = keywords_resolve(t, change->flags, change->keywords,
	    change->keyword_count, change->op != FLAGS_REMOVE, &set)) < 0)
		goto out;
	res.metas = ARENA_ARRAY(arena, struct message_meta, n + 1);
	res.before = ARENA_ARRAY(arena, uint64_t, n + 1);
	res.refused = ARENA_ARRAY(arena, uint32_t, n + 1);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		r = store_one(t, slot, uids[i], change, &set,
		    &res.metas[res.meta_count],
		    &res.before[res.meta_count]);
		if (r == 0)
			res.meta_count++;
		else if (r == 1)
			res.refused[res.refused_count++] = uids[i];
		else if (r == -ENOENT)
			r = 0;
	}
	if (r >= 0) {
		res.modseq = t->has_modseq ? t->rec.modseq : 0;
		r = 0;
	}
out:
	r = change_finish(&t, r);
	if (r == 0)
		*ret_result = res;
	return r;
}

/* message_expunge - remove from a mailbox */
int
message_expunge(struct account *a, uint32_t mailbox, const uint32_t *uids,
    size_t n, bool only_deleted, uint32_t *ret_uids, size_t *ret_count)
{
	const struct message_meta *found;
	struct mailbox_slot *slot;
	size_t	count = 0;
	struct txn *t;
	int	r = change_begin(a, mailbox, n, &t, &slot);

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct message_meta m;

		r = index_get(t, mailbox, uids[i], &found);
		if (r == -ENOENT || (r == 0 && only_deleted &&
		    (found->flags & FLAG_DELETED) == 0)) {
			r = 0;
			continue;
		}
		if (r < 0)
			break;
		m = *found;
		r = emails_expunge(t, slot, &m);
		ret_uids[count++] = m.uid;
	}
	if (r == 0)
		r = emails_vanish(t, mailbox, ret_uids, count);
	r = change_finish(&t, r);
	if (r == 0)
		*ret_count = count;
	return r;
}

/* copy_one - a new email with the same body in the target */
static int
copy_one(struct txn *t, struct mailbox_slot *slot, struct mailbox_slot *target,
    const struct message_meta *m, uint32_t *ret_uid)
{
	uint64_t id = t->rec.next_email;
	struct message_meta to = { .email = id, .save_date =
		account_now(t->account) };
	struct email_record rec;
	struct flag_set set;
	struct slice value;
	struct key k;
	int	r;

	if ((r = emails_get(t, m->email, &rec)) < 0 ||
	    (r = keywords_load(t, slot->id, m->uid, m->flags, &set)) < 0)
		return r;
	if (t->rec.limit_bytes != 0 &&
	    (rec.size > t->rec.limit_bytes ||
	    t->rec.used_bytes > t->rec.limit_bytes - rec.size))
		return -EDQUOT;
	if (t->rec.limit_count != 0 && t->rec.used_count >= t->rec.limit_count)
		return -EDQUOT;
	t->rec.next_email++;
	rec.places.count = 0;
	rec.created_modseq = txn_modseq(t);
	if ((r = bodies_share(t, rec.body)) < 0 ||
	    (r = emails_place(t, target, &rec, &set, &to)) < 0 ||
	    (r = emails_add(t, id, &rec)) < 0)
		return r;
	*ret_uid = to.uid;
	r = emails_get_cache(t, m->email, &value);
	if (r < 0)	/* it can be made anew */
		return r == -ENOENT || r == -EBADMSG ? 0 : r;
	value = arena_dup(&t->arena, value);
	key_u64(&k, KEY_CACHE, id);
	return txn_put(t, &k, value);
}

/* move_one - the email gets another place instead of this one */
static int
move_one(struct txn *t, struct mailbox_slot *slot, struct mailbox_slot *target,
    const struct message_meta *m, uint32_t *ret_uid)
{
	struct message_meta to = { .email = m->email, .save_date =
		account_now(t->account) };
	struct email_record rec;
	struct flag_set set;
	int	r;

	if ((r = emails_get(t, m->email, &rec)) < 0 ||
	    (r = keywords_load(t, slot->id, m->uid, m->flags, &set)) < 0 ||
	    (r = emails_unplace(t, slot, &rec, m)) < 0)
		return r;
	for (uint8_t i = 0; i < rec.places.count; i++)
		if (rec.places.at[i].mailbox == target->id) {
			/* it is there already: only this place goes */
			*ret_uid = rec.places.at[i].uid;
			if ((r = emails_put(t, m->email, &rec)) < 0)
				return r;
			return emails_note_change(t, CHANGE_EMAIL, m->email,
			    CHANGE_TOUCHED, rec.thread);
		}
	if ((r = emails_place(t, target, &rec, &set, &to)) < 0)
		return r;
	*ret_uid = to.uid;
	return emails_put(t, m->email, &rec);
}

typedef int	transfer_one(struct txn *t, struct mailbox_slot *slot,
		    struct mailbox_slot *target, const struct message_meta *m,
		    uint32_t *ret_uid);

/* transfer_list - the messages of a list that are there, copied out, since
 * the index keeps only one block */
static int
transfer_list(struct txn *t, uint32_t mailbox, const uint32_t *uids, size_t n,
    struct message_meta *metas, size_t *ret_count)
{
	const struct message_meta *m;
	size_t	count = 0;
	int	r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = index_get(t, mailbox, uids[i], &m);
		if (r == 0)
			metas[count++] = *m;
		else if (r == -ENOENT)
			r = 0;
	}
	*ret_count = count;
	return r;
}

/* transfer - copy or move a list */
static int
transfer(struct txn *t, struct mailbox_slot *slot, uint32_t target_id,
    const uint32_t *uids, size_t n, transfer_one *one, struct arena *arena,
    struct copy_result *res)
{
	struct message_meta *metas = ARENA_ARRAY(&t->arena,
	    struct message_meta, n + 1);
	struct mailbox_slot *target;
	size_t	count;
	int	r;

	if ((r = txn_mailbox(t, target_id, &target)) < 0)
		return r;
	if ((target->rec.attributes & MAILBOX_NOSELECT) != 0)
		return -ENOENT;
	if ((r = transfer_list(t, slot->id, uids, n, metas, &count)) < 0)
		return r;
	res->from = ARENA_ARRAY(arena, uint32_t, count + 1);
	res->to = ARENA_ARRAY(arena, uint32_t, count + 1);
	res->uidvalidity = target->rec.uidvalidity;
	for (size_t i = 0; r == 0 && i < count; i++) {
		res->from[i] = metas[i].uid;
		r = one(t, slot, target, &metas[i], &res->to[i]);
	}
	res->count = count;
	return r;
}

/* message_copy - new emails that share the bodies */
int
message_copy(struct account *a, uint32_t mailbox, const uint32_t *uids,
    size_t n, uint32_t target, struct arena *arena,
    struct copy_result *ret_result)
{
	struct copy_result res = { 0 };
	struct mailbox_slot *slot;
	struct txn *t;
	int	r = change_begin(a, mailbox, n, &t, &slot);

	if (r == 0)
		r = transfer(t, slot, target, uids, n, copy_one, arena, &res);
	r = change_finish(&t, r);
	if (r == 0)
		*ret_result = res;
	return r;
}

/* message_move - the same emails elsewhere (RFC 6851) */
int
message_move(struct account *a, uint32_t mailbox, const uint32_t *uids,
    size_t n, uint32_t target, struct arena *arena,
    struct copy_result *ret_result)
{
	struct copy_result res = { 0 };
	struct mailbox_slot *slot;
	struct txn *t;
	int	r = change_begin(a, mailbox, n, &t, &slot);

	if (r == 0)
		r = transfer(t, slot, target, uids, n, move_one, arena, &res);
	if (r == 0)
		r = emails_vanish(t, mailbox, res.from, res.count);
	r = change_finish(&t, r);
	if (r == 0)
		*ret_result = res;
	return r;
}
