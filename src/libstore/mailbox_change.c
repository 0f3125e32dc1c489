/* SPDX-License-Identifier: ISC */
/*
 * Making, renaming and deleting mailboxes. A mailbox with many messages is
 * deleted in two steps: it loses its name at once, and its messages in
 * transactions of bounded size.
 */
#include "libstore/mailboxes.h"

#include "libstore/body.h"
#include "libstore/emails.h"

/* path_trim - without one '/' at the end, then checked (RFC 3501 6.3.3: it
 * says that the client wants to make names below) */
static int
path_trim(struct slice *path)
{
	if (path->len > 1 && path->data[path->len - 1] == '/')
		path->len--;
	return mailbox_path_check(*path);
}

/* subscription_key - of a path */
static int
subscription_key(struct key *k, struct slice path)
{
	uint8_t	hash[BODY_HASH_LEN];

	body_hash_content(path, hash);
	key_begin(k, KEY_SUBSCRIPTION);
	return key_add_bytes(k, slice_over(hash, sizeof(hash)));
}

/* subscription_take - forget that an absent path is subscribed; -ENOENT */
static int
subscription_take(struct txn *t, struct slice path)
{
	struct key k;
	int	r = subscription_key(&k, path);

	return r < 0 ? r : txn_del(t, &k);
}

/* subscription_note - an absent path is subscribed */
static int
subscription_note(struct txn *t, struct slice path)
{
	struct key k;
	int	r = subscription_key(&k, path);

	return r < 0 ? r : txn_put(t, &k, path);
}

/* path_canonical - with INBOX in capitals, in the transaction's arena */
static struct slice
path_canonical(struct txn *t, struct slice path)
{
	struct slice rest = path;
	struct slice top = mailboxes_level(&rest, true);

	if (rest.len == 0)
		return arena_dup(&t->arena, top);
	return arena_printf(&t->arena, "%.*s/%.*s", SLICE_ARG(top),
	    SLICE_ARG(rest));
}

/* make_selectable - a name without a mailbox becomes one */
static int
make_selectable(struct txn *t, uint32_t id, enum mailbox_role role)
{
	struct mailbox_slot *slot;
	int	r = txn_mailbox(t, id, &slot);

	if (r < 0)
		return r;
	if ((slot->rec.attributes & MAILBOX_NOSELECT) == 0)
		return -EEXIST;
	slot->rec.attributes &= (uint8_t)~MAILBOX_NOSELECT;
	slot->rec.role = (uint8_t)role;
	slot->rec.uidvalidity = t->rec.next_uidvalidity++;
	txn_mailbox_changed(t, slot);
	return 0;
}

/* create_parent - the mailbox above a path, made if need be, and the path's
 * last level */
static int
create_parent(struct txn *t, struct slice path, uint32_t *ret_parent,
    struct slice *ret_name)
{
	struct mailbox_slot *slot;
	uint32_t parent = 0, id;
	bool	top = true;
	int	r;

	for (;;) {
		struct slice level = mailboxes_level(&path, top);

		if (path.len == 0) {
			*ret_parent = parent;
			*ret_name = level;
			return 0;
		}
		top = false;
		r = mailboxes_child(t, parent, level, &id);
		if (r == -ENOENT) {
			r = mailboxes_add(t, parent, level,
			    MAILBOX_ROLE_NONE, &slot);
			if (r == 0) {
				slot->rec.attributes |= MAILBOX_NOSELECT;
				slot->is_dirty = true;
				id = slot->id;
			}
		}
		if (r < 0)
			return r;
		parent = id;
	}
}

/* create_path - a mailbox at a checked path */
static int
create_path(struct txn *t, struct slice path, enum mailbox_role role,
    uint32_t *ret_id)
{
	struct mailbox_slot *slot;
	struct slice name;
	uint32_t parent;
	int	r;

	r = mailboxes_find(t, path, ret_id);
	if (r == 0)
		return make_selectable(t, *ret_id, role);
	if (r != -ENOENT)
		return r;
	if ((r = create_parent(t, path, &parent, &name)) < 0 ||
	    (r = mailboxes_add(t, parent, name, role, &slot)) < 0)
		return r;
	r = subscription_take(t, path_canonical(t, path));
	if (r == 0)
		slot->rec.attributes |= MAILBOX_SUBSCRIBED;
	if (r < 0 && r != -ENOENT)
		return r;
	slot->is_dirty = true;
	*ret_id = slot->id;
	return 0;
}

/* mailbox_create - and what is missing above it */
int
mailbox_create(struct account *a, struct slice path, enum mailbox_role role,
    uint32_t *ret_id)
{
	struct txn *t = NULL;
	uint32_t id;
	int	r;

	if ((r = path_trim(&path)) < 0 || (r = txn_begin(a, true, &t)) < 0)
		return r;
	r = txn_finish(&t, create_path(t, path, role, &id));
	if (r == 0)
		*ret_id = id;
	return r;
}

/* drop_empty_parents - names that were there only for what is gone below */
static int
drop_empty_parents(struct txn *t, uint32_t id)
{
	struct mailbox_slot *slot;
	struct key k;
	int	r;

	while (id != 0) {
		if ((r = txn_mailbox(t, id, &slot)) < 0)
			return r;
		if ((slot->rec.attributes & MAILBOX_NOSELECT) == 0)
			return 0;
		if ((r = mailboxes_has_child(t, id)) != 0)
			return r < 0 ? r : 0;
		if ((r = mailboxes_unlink(t, slot)) < 0)
			return r;
		txn_mailbox_changed(t, slot);
		slot->is_removed = true;
		key_u32(&k, KEY_MAILBOX, id);
		if ((r = txn_del(t, &k)) < 0 ||
		    (r = emails_note_change(t, CHANGE_MAILBOX, id,
		    CHANGE_DESTROYED, 0)) < 0)
			return r;
		id = slot->rec.parent;
	}
	return 0;
}

/* subtree_check - would it all fit at that depth and length? */
static int
subtree_check(struct txn *t, uint32_t id, size_t depth, size_t len)
{
	struct mailbox_slot *slot;
	uint32_t *ids;
	size_t	n;
	int	r;

	if (depth > MAILBOX_DEPTH_MAX || len > MAILBOX_PATH_MAX)
		return -ENAMETOOLONG;
	if ((r = mailboxes_children(t, id, &ids, &n)) < 0)
		return r;
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = txn_mailbox(t, ids[i], &slot);
		if (r == 0)
			r = subtree_check(t, ids[i], depth + 1,
			    len + 1 + slot->rec.name.len);
	}
	return r;
}

/* adopt_children - those below one mailbox go below another */
static int
adopt_children(struct txn *t, uint32_t from, uint32_t to)
{
	struct mailbox_slot *slot;
	uint32_t *ids;
	size_t	n;
	int	r = mailboxes_children(t, from, &ids, &n);

	for (size_t i = 0; r == 0 && i < n; i++) {
		if ((r = txn_mailbox(t, ids[i], &slot)) == 0 &&
		    (r = mailboxes_unlink(t, slot)) == 0)
			r = mailboxes_link(t, slot, to, slot->rec.name);
	}
	return r;
}

/* replace - a mailbox that keeps its messages gives its name, subscription
 * and those below it to a new one */
static int
replace(struct txn *t, struct mailbox_slot *old, enum mailbox_role role,
    struct mailbox_slot **ret_new)
{
	struct mailbox_slot *fresh;
	int	r;

	if ((r = mailboxes_unlink(t, old)) < 0 ||
	    (r = mailboxes_add(t, old->rec.parent, old->rec.name, role,
	    &fresh)) < 0)
		return r;
	fresh->rec.attributes = old->rec.attributes & MAILBOX_SUBSCRIBED;
	fresh->rec.sort_order = old->rec.sort_order;
	fresh->is_dirty = true;
	old->rec.attributes &= (uint8_t)~MAILBOX_SUBSCRIBED;
	*ret_new = fresh;
	return adopt_children(t, old->id, fresh->id);
}

/* path_depth - levels of a path */
static size_t
path_depth(struct slice path)
{
	size_t	n = 1;

	for (size_t i = 0; i < path.len; i++)
		n += path.data[i] == '/';
	return n;
}

/* rename_path - both paths checked */
static int
rename_path(struct txn *t, struct slice from, struct slice to)
{
	struct mailbox_slot *slot, *inbox;
	uint32_t id, other, parent, old_parent;
	struct slice name;
	int	r;

	from = path_canonical(t, from);
	to = path_canonical(t, to);
	if ((r = mailboxes_find(t, from, &id)) < 0 ||
	    (r = txn_mailbox(t, id, &slot)) < 0)
		return r;
	r = mailboxes_find(t, to, &other);
	if (r != -ENOENT)
		return r < 0 ? r : -EEXIST;
	if (slot->rec.role == MAILBOX_ROLE_INBOX) {
		slot->rec.role = MAILBOX_ROLE_NONE;
		/* who has INBOX open must notice that this no longer is it */
		slot->rec.uidvalidity = t->rec.next_uidvalidity++;
		if ((r = replace(t, slot, MAILBOX_ROLE_INBOX, &inbox)) < 0 ||
		    (r = create_parent(t, to, &parent, &name)) < 0)
			return r;
		return mailboxes_link(t, slot, parent, name);
	}
	if (slice_has_prefix(to, from) && to.data[from.len] == '/')
		return -EINVAL;
	if ((r = subtree_check(t, id, path_depth(to), to.len)) < 0 ||
	    (r = create_parent(t, to, &parent, &name)) < 0)
		return r;
	r = subscription_take(t, to);
	if (r == 0)
		slot->rec.attributes |= MAILBOX_SUBSCRIBED;
	if (r < 0 && r != -ENOENT)
		return r;
	old_parent = slot->rec.parent;
	if ((r = mailboxes_unlink(t, slot)) < 0 ||
	    (r = mailboxes_link(t, slot, parent, name)) < 0)
		return r;
	return drop_empty_parents(t, old_parent);
}

/* mailbox_rename - another path */
int
mailbox_rename(struct account *a, struct slice from, struct slice to)
{
	struct txn *t = NULL;
	int	r;

	if ((r = path_trim(&from)) < 0 || (r = path_trim(&to)) < 0 ||
	    (r = txn_begin(a, true, &t)) < 0)
		return r;
	return txn_finish(&t, rename_path(t, from, to));
}

/* delete_path - its name at once, then what messages fit; 1: more are left */
static int
delete_path(struct txn *t, struct slice path)
{
	struct mailbox_slot *slot, *fresh;
	size_t	budget = ACCOUNT_BATCH_MAX;
	uint32_t id;
	int	r, children;

	path = path_canonical(t, path);
	if ((r = mailboxes_find(t, path, &id)) < 0 ||
	    (r = txn_mailbox(t, id, &slot)) < 0)
		return r;
	if (slot->rec.role == MAILBOX_ROLE_INBOX)
		return -EPERM;
	if ((children = mailboxes_has_child(t, id)) < 0)
		return children;
	if (children == 1 && (slot->rec.attributes & MAILBOX_NOSELECT) != 0)
		return -ENOTEMPTY;
	if (children == 1) {
		r = replace(t, slot, MAILBOX_ROLE_NONE, &fresh);
		if (r == 0) {
			fresh->rec.attributes |= MAILBOX_NOSELECT;
			fresh->is_dirty = true;
		}
	} else {
		r = mailboxes_unlink(t, slot);
		if (r == 0 && (slot->rec.attributes & MAILBOX_SUBSCRIBED) != 0)
			r = subscription_note(t, path);
		if (r == 0)
			r = drop_empty_parents(t, slot->rec.parent);
	}
	if (r < 0)
		return r;
	slot->rec.attributes = MAILBOX_DYING;
	slot->rec.parent = 0;
	slot->rec.role = MAILBOX_ROLE_NONE;
	txn_mailbox_changed(t, slot);
	if ((r = emails_note_change(t, CHANGE_MAILBOX, id, CHANGE_DESTROYED,
	    0)) < 0 || (r = mailboxes_purge(t, slot, &budget)) < 0)
		return r;
	return r == 1 ? 0 : 1;
}

/* mailbox_delete - with its messages */
int
mailbox_delete(struct account *a, struct slice path)
{
	struct txn *t = NULL;
	int	r;

	if ((r = path_trim(&path)) < 0 || (r = txn_begin(a, true, &t)) < 0)
		return r;
	return txn_finish(&t, delete_path(t, path));
}

/* subscribe_path - an existing mailbox has a mark, another path a record */
static int
subscribe_path(struct txn *t, struct slice path, bool subscribe)
{
	struct mailbox_slot *slot;
	uint32_t id;
	int	r;

	path = path_canonical(t, path);
	r = mailboxes_find(t, path, &id);
	if (r == -ENOENT) {
		r = subscribe ? subscription_note(t, path) :
		    subscription_take(t, path);
		if (r == 0)
			(void)txn_modseq(t);
		return r;
	}
	if (r < 0 || (r = txn_mailbox(t, id, &slot)) < 0)
		return r;
	/* the name may be older than the mailbox */
	r = subscription_take(t, path);
	if (r < 0 && r != -ENOENT)
		return r;
	if (((slot->rec.attributes & MAILBOX_SUBSCRIBED) != 0) == subscribe)
		return 0;
	slot->rec.attributes ^= MAILBOX_SUBSCRIBED;
	txn_mailbox_changed(t, slot);
	return 0;
}

/* mailbox_subscribe - or not any more */
int
mailbox_subscribe(struct account *a, struct slice path, bool subscribe)
{
	struct txn *t = NULL;
	int	r;

	if ((r = path_trim(&path)) < 0 || (r = txn_begin(a, true, &t)) < 0)
		return r;
	return txn_finish(&t, subscribe_path(t, path, subscribe));
}

/* mailbox_set_role - what it is for */
int
mailbox_set_role(struct account *a, uint32_t id, enum mailbox_role role)
{
	struct mailbox_slot *slot;
	struct txn *t = NULL;
	int	r;

	if ((r = txn_begin(a, true, &t)) < 0)
		return r;
	r = txn_mailbox(t, id, &slot);
	if (r == 0 && (slot->rec.role == MAILBOX_ROLE_INBOX ||
	    role == MAILBOX_ROLE_INBOX) && slot->rec.role != role)
		r = -EPERM;
	if (r == 0 && slot->rec.role != role) {
		slot->rec.role = (uint8_t)role;
		txn_mailbox_changed(t, slot);
	}
	return txn_finish(&t, r);
}

/* mailbox_set_sort_order - JMAP's sortOrder */
int
mailbox_set_sort_order(struct account *a, uint32_t id, uint32_t sort_order)
{
	struct mailbox_slot *slot;
	struct txn *t = NULL;
	int	r;

	if ((r = txn_begin(a, true, &t)) < 0)
		return r;
	r = txn_mailbox(t, id, &slot);
	if (r == 0 && slot->rec.sort_order != sort_order) {
		slot->rec.sort_order = sort_order;
		txn_mailbox_changed(t, slot);
	}
	return txn_finish(&t, r);
}

/* mailbox_claim_recent - no mod-sequence: nobody else is concerned */
int
mailbox_claim_recent(struct account *a, uint32_t id, uint32_t *ret_recent)
{
	struct mailbox_slot *slot;
	struct txn *t = NULL;
	uint32_t recent = 0;
	int	r;

	if ((r = txn_begin(a, false, &t)) == 0)
		r = txn_mailbox(t, id, &slot);
	if (r == 0 && slot->rec.recent_uid == slot->rec.uidnext) {
		*ret_recent = slot->rec.recent_uid;
		txn_abort(&t);
		return 0;
	}
	txn_abort(&t);
	if (r < 0 || (r = txn_begin(a, true, &t)) < 0)
		return r;
	r = txn_mailbox(t, id, &slot);
	if (r == 0) {
		recent = slot->rec.recent_uid;
		slot->rec.recent_uid = slot->rec.uidnext;
		slot->is_dirty = true;
		t->is_changed = true;
	}
	r = txn_finish(&t, r);
	if (r == 0)
		*ret_recent = recent;
	return r;
}
