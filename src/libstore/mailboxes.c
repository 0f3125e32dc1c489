/* SPDX-License-Identifier: ISC */
/*
 * Names are kept by (parent, name), so a path is walked level by level and a
 * rename changes one entry, whatever is below.
 */
#include "libstore/mailboxes.h"

/* name_key - the key of a name under a parent */
static int
name_key(struct key *k, uint32_t parent, struct slice name)
{
	key_u32(k, KEY_NAME, parent);
	return key_add_bytes(k, name);
}

/* mailboxes_child - by name */
int
mailboxes_child(struct txn *t, uint32_t parent, struct slice name,
    uint32_t *ret_id)
{
	struct slice value;
	struct key k;
	int	r;

	if ((r = name_key(&k, parent, name)) < 0 ||
	    (r = txn_get(t, &k, &value)) < 0)
		return r;
	return record_decode_u32(value, ret_id);
}

/* mailboxes_has_child - any */
int
mailboxes_has_child(struct txn *t, uint32_t id)
{
	struct backend_range *range;
	struct slice key, value;
	struct key k;
	int	r;

	key_u32(&k, KEY_NAME, id);
	if ((r = txn_range(t, &k, NULL, &range)) < 0)
		return r;
	r = backend_next(range, &key, &value);
	backend_range_end(&range);
	return r;
}

/* mailboxes_find - walk down */
int
mailboxes_find(struct txn *t, struct slice path, uint32_t *ret_id)
{
	uint32_t id = 0;
	bool	top = true;
	int	r;

	while (path.len > 0) {
		struct slice level = mailboxes_level(&path, top);

		if ((r = mailboxes_child(t, id, level, &id)) < 0)
			return r;
		top = false;
	}
	*ret_id = id;
	return 0;
}

/* mailboxes_path - walk up, then write down */
int
mailboxes_path(struct txn *t, uint32_t id, struct buf *out)
{
	const struct mailbox_slot *up[MAILBOX_DEPTH_MAX];
	size_t	depth = 0;
	int	r;

	while (id != 0) {
		struct mailbox_slot *slot;

		if (depth == MAILBOX_DEPTH_MAX)
			return -EBADMSG;
		if ((r = txn_mailbox_any(t, id, &slot)) < 0)
			return r;
		up[depth++] = slot;
		id = slot->rec.parent;
	}
	while (depth > 0) {
		buf_add(out, up[--depth]->rec.name);
		if (depth > 0)
			buf_add_byte(out, '/');
	}
	return buf_check(out);
}

/* mailboxes_count - how many records there are */
static int
mailboxes_count(struct txn *t, size_t *ret_count)
{
	struct backend_range *range;
	struct slice key, value;
	size_t	n = 0;
	struct key k;
	int	r;

	key_1(&k, KEY_MAILBOX);
	if ((r = txn_range(t, &k, NULL, &range)) < 0)
		return r;
	while ((r = backend_next(range, &key, &value)) != 0) {
		if (r < 0 && r != -EBADMSG)
			break;
		n++;
	}
	backend_range_end(&range);
	*ret_count = n;
	return r;
}

/* mailboxes_add - a new one */
int
mailboxes_add(struct txn *t, uint32_t parent, struct slice name,
    enum mailbox_role role, struct mailbox_slot **ret_slot)
{
	int64_t	now = account_now(t->account);
	struct mailbox_slot *slot;
	size_t	count;
	uint32_t id;
	struct key k;
	int	r;

	r = mailboxes_child(t, parent, name, &id);
	if (r != -ENOENT)
		return r < 0 ? r : -EEXIST;
	if ((r = mailboxes_count(t, &count)) < 0)
		return r;
	if (count >= MAILBOXES_MAX || t->rec.next_mailbox == UINT32_MAX)
		return -ENOSPC;
	/* a UIDVALIDITY is never given twice, and grows as time does, so that
	 * an account made again does not repeat those of the lost one */
	if (now > 0 && now < UINT32_MAX && t->rec.next_uidvalidity < now)
		t->rec.next_uidvalidity = (uint32_t)now;
	slot = txn_mailbox_new(t, t->rec.next_mailbox++);
	slot->rec = (struct mailbox_record){ .parent = parent,
		.name = arena_dup(&t->arena, name), .role = (uint8_t)role,
		.uidvalidity = t->rec.next_uidvalidity++, .uidnext = 1,
		.recent_uid = 1, .created_modseq = txn_modseq(t) };
	slot->rec.vanished_floor = slot->rec.created_modseq;
	txn_mailbox_changed(t, slot);
	if ((r = name_key(&k, parent, name)) < 0)
		return r;
	buf_reset(&t->scratch);
	record_encode_u32(&t->scratch, slot->id);
	if ((r = txn_put(t, &k, buf_slice(&t->scratch))) < 0)
		return r;
	*ret_slot = slot;
	/* what walks mailbox records must see it */
	return txn_flush(t);
}

/* mailboxes_unlink - take its name away */
int
mailboxes_unlink(struct txn *t, struct mailbox_slot *slot)
{
	struct key k;
	int	r = name_key(&k, slot->rec.parent, slot->rec.name);

	return r < 0 ? r : txn_del(t, &k);
}

/* mailboxes_link - give it a name where there is none */
int
mailboxes_link(struct txn *t, struct mailbox_slot *slot, uint32_t parent,
    struct slice name)
{
	struct key k;
	int	r = name_key(&k, parent, name);

	if (r < 0)
		return r;
	slot->rec.parent = parent;
	slot->rec.name = arena_dup(&t->arena, name);
	txn_mailbox_changed(t, slot);
	buf_reset(&t->scratch);
	record_encode_u32(&t->scratch, slot->id);
	return txn_put(t, &k, buf_slice(&t->scratch));
}

/* mailboxes_children - the ids of those below it, in the arena */
int
mailboxes_children(struct txn *t, uint32_t id, uint32_t **ret_ids,
    size_t *ret_count)
{
	struct backend_range *range;
	struct slice key, value;
	struct buf ids = BUF_INIT;
	uint32_t child;
	struct key k;
	int	r;

	key_u32(&k, KEY_NAME, id);
	if ((r = txn_range(t, &k, NULL, &range)) < 0)
		return r;
	while ((r = backend_next(range, &key, &value)) == 1) {
		if ((r = record_decode_u32(value, &child)) < 0)
			break;
		buf_add(&ids, slice_over(&child, sizeof(child)));
	}
	backend_range_end(&range);
	if (r == 0) {
		*ret_count = ids.len / sizeof(child);
		*ret_ids = ARENA_ARRAY(&t->arena, uint32_t, *ret_count + 1);
		if (ids.len > 0)
			memcpy(*ret_ids, ids.data, ids.len);
	}
	buf_free(&ids);
	return r;
}

/* mailboxes_name_of - by what it leads to, for repair */
int
mailboxes_name_of(struct txn *t, uint32_t parent, uint32_t id,
    struct slice *ret_name)
{
	struct backend_range *range;
	struct slice key, value;
	uint32_t found;
	struct key k;
	int	r;

	key_u32(&k, KEY_NAME, parent);
	if ((r = txn_range(t, &k, NULL, &range)) < 0)
		return r;
	while ((r = backend_next(range, &key, &value)) == 1)
		if (record_decode_u32(value, &found) == 0 && found == id) {
			*ret_name = arena_dup(&t->arena, slice_from(key, 5));
			break;
		}
	backend_range_end(&range);
	return r < 0 ? r : r == 0 ? -ENOENT : 0;
}

/* mailboxes_drop_name - likewise */
int
mailboxes_drop_name(struct txn *t, uint32_t parent, uint32_t id)
{
	struct slice name;
	struct key k;
	int	r = mailboxes_name_of(t, parent, id, &name);

	if (r < 0 || (r = name_key(&k, parent, name)) < 0)
		return r;
	return txn_del(t, &k);
}
