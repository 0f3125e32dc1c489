/* SPDX-License-Identifier: ISC */
/* What the steps share, and the first two: damaged records, mailboxes. */
#include "libstore/repair.h"

#include <stdarg.h>

#include "libstore/mailboxes.h"
#include "libutil/alloc.h"
#include "libutil/utf8.h"

#define DAMAGED_BATCH	256

/* repair_say - tell what was done */
void
repair_say(struct repair *x, const char *format, ...)
{
	struct buf text = BUF_INIT;
	va_list	ap;

	if (x->report == NULL)
		return;
	va_start(ap, format);
	buf_vaddf(&text, format, ap);
	va_end(ap);
	x->report(x->arg, buf_cstr(&text));
	buf_free(&text);
}

/* repair_want - add to the set */
void
repair_want(struct repair *x, uint64_t body)
{
	(void)hash_put(&x->wanted, slice_over(&body, sizeof(body)), x);
}

/* repair_is_wanted - is it in the set? */
bool
repair_is_wanted(const struct repair *x, uint64_t body)
{
	return hash_get(&x->wanted, slice_over(&body, sizeof(body))) != NULL;
}

/* next_id - the first id from there on in a key space; -ENOENT */
static int
next_id(struct txn *t, enum keyspace space, size_t width, uint64_t from,
    uint64_t *ret_id)
{
	struct backend_range *range;
	struct slice key, value;
	struct key all, first;
	uint32_t id;
	int	r;

	key_1(&all, space);
	if (width == 4)
		key_u32(&first, space, (uint32_t)from);
	else
		key_u64(&first, space, from);
	if ((r = txn_range(t, &all, &first, &range)) < 0)
		return r;
	r = backend_next(range, &key, &value);
	if (r == -EBADMSG)
		r = 1;
	/* the id is the key's first part; more may follow */
	if (r == 1 && width == 4) {
		r = key_parse_u32(slice_sub(key, 0, 5), space, &id);
		*ret_id = r == 0 ? id : 0;
	} else if (r == 1) {
		r = key_parse_u64(slice_sub(key, 0, 9), space, ret_id);
	} else if (r == 0) {
		r = -ENOENT;
	}
	backend_range_end(&range);
	return r;
}

/* repair_each - a walk that may change what it walks over */
int
repair_each(struct repair *x, enum keyspace space, size_t id_width,
    repair_one *one)
{
	uint64_t max = id_width == 4 ? UINT32_MAX : UINT64_MAX;
	bool	end = false, falls = key_is_falling(space);
	uint64_t id = falls ? max : 0, last = falls ? 0 : max;
	int	r = 0;

	while (r == 0 && !end) {
		struct txn *t = NULL;

		if ((r = txn_begin(x->account, true, &t)) < 0)
			return r;
		for (size_t i = 0; r == 0 && !end && i < ACCOUNT_BATCH_MAX;
		    i++) {
			if ((r = txn_flush(t)) == 0)
				r = next_id(t, space, id_width, id, &id);
			end = r == -ENOENT || id == last;
			if (r == -ENOENT)
				r = 0;
			else if (r == 0)
				r = one(x, t, id);
			id += falls ? UINT64_MAX : 1;
		}
		r = txn_finish(&t, r);
	}
	return r;
}

/* repair_block_at - the block that covers a UID, or the next */
int
repair_block_at(struct txn *t, uint32_t mailbox, uint32_t at,
    struct uidblock *ret_block, uint32_t *ret_from)
{
	struct slice value;
	uint32_t first;
	int	r = txn_last_u32(t, KEY_UIDS, mailbox, at, &first, &value);

	if (r == 0)
		r = uidblock_decode(value, first, ret_block);
	if (r == 0 && (*ret_from = uidblock_find(ret_block, at)) <
	    ret_block->count)
		return 0;
	if (r < 0 && r != -ENOENT)
		return r;
	r = txn_first_u32(t, KEY_UIDS, mailbox, at, &first, &value);
	*ret_from = 0;
	return r < 0 ? r : uidblock_decode(value, first, ret_block);
}

/* damaged_list - keys of damaged records, up to a batch */
static int
damaged_list(struct txn *t, struct key *keys, size_t *ret_count)
{
	struct backend_range *range;
	struct slice key, value;
	size_t	n = 0;
	int	r;

	r = backend_range(t->backend, SLICE_EMPTY, SLICE_EMPTY, false, &range);
	if (r < 0)
		return r;
	while (n < DAMAGED_BATCH &&
	    (r = backend_next(range, &key, &value)) != 0) {
		if (r == 1)
			continue;
		if (r != -EBADMSG)
			break;
		keys[n].len = key.len;
		memcpy(keys[n++].bytes, key.data, key.len);
		r = 0;
	}
	backend_range_end(&range);
	*ret_count = n;
	return r < 0 ? r : 0;
}

/* lost_keywords - numbers stand in flag words, so names are made up */
static int
lost_keywords(struct txn *t)
{
	t->keywords = ARENA_NEW(&t->arena, struct keyword_table);
	while (t->keywords->count < FLAG_KEYWORDS_INLINE) {
		t->keywords->name[t->keywords->count] = arena_printf(
		    &t->arena, "lost-keyword-%u", t->keywords->count);
		t->keywords->count++;
	}
	t->keywords_dirty = true;
	return 0;
}

/* repair_drop_damaged - the rest of the repair then sees them as missing */
int
repair_drop_damaged(struct repair *x)
{
	struct key *keys = NEW_ARRAY(struct key, DAMAGED_BATCH);
	struct buf name = BUF_INIT;
	size_t	n = 1;
	int	r = 0;

	while (r == 0 && n > 0) {
		struct txn *t = NULL;

		if ((r = txn_begin(x->account, true, &t)) < 0)
			break;
		r = damaged_list(t, keys, &n);
		for (size_t i = 0; r == 0 && i < n; i++) {
			buf_reset(&name);
			key_describe(&name, key_slice(&keys[i]));
			repair_say(x, "removed the damaged record %s",
			    buf_cstr(&name));
			r = txn_del(t, &keys[i]);
			if (r == 0 && keys[i].bytes[0] == KEY_KEYWORDS)
				r = lost_keywords(t);
		}
		r = txn_finish(&t, r);
	}
	buf_free(&name);
	free(keys);
	return r;
}

/* mailbox_role_of - the role that a mailbox of that name is made with */
static enum mailbox_role
mailbox_role_of(uint32_t parent, struct slice name)
{
	static const struct { const char *name; enum mailbox_role role; }
	first[] = {
#define ROLE(id, number, imap, jmap, path) { path, MAILBOX_ROLE_##id },
#include "libstore/roles.def"
	};

	for (size_t i = 0; i < COUNT(first) && parent == 0; i++)
		if (first[i].name != NULL &&
		    slice_equal(name, slice_of(first[i].name)))
			return first[i].role;
	return MAILBOX_ROLE_NONE;
}

/* mailbox_revive_as - a new record for an id that has none */
static int
mailbox_revive_as(struct repair *x, struct txn *t, uint32_t id,
    uint32_t parent, struct slice name)
{
	struct mailbox_slot *slot = txn_mailbox_new(t, id);

	slot->rec.role = (uint8_t)mailbox_role_of(parent, name);
	slot->rec.attributes = MAILBOX_SUBSCRIBED;
	slot->rec.uidvalidity = t->rec.next_uidvalidity++;
	slot->rec.uidnext = 1;
	slot->rec.created_modseq = txn_modseq(t);
	slot->rec.vanished_floor = txn_modseq(t);
	repair_say(x, "mailbox %u, \"%.*s\", has a record again", id,
	    SLICE_ARG(name));
	return mailboxes_link(t, slot, parent, name);
}

/* mailbox_revive - a record for blocks that have neither record nor name */
static int
mailbox_revive(struct repair *x, struct txn *t, uint64_t id)
{
	struct mailbox_slot *slot;
	int	r = txn_mailbox_any(t, (uint32_t)id, &slot);

	if (r != -ENOENT)
		return r;
	return mailbox_revive_as(x, t, (uint32_t)id, 0, arena_printf(
	    &t->arena, "Recovered mailbox %llu", (unsigned long long)id));
}

/* mailbox_name - its name must lead to it */
static int
mailbox_name(struct repair *x, struct txn *t, uint64_t id)
{
	struct mailbox_slot *slot, *parent;
	uint32_t found;
	int	r = txn_mailbox(t, (uint32_t)id, &slot);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (slot->rec.parent != 0 &&
	    txn_mailbox(t, slot->rec.parent, &parent) == -ENOENT) {
		r = mailboxes_drop_name(t, slot->rec.parent, (uint32_t)id);
		if (r < 0 && r != -ENOENT)
			return r;
		slot->rec.parent = 0;
	}
	r = mailboxes_child(t, slot->rec.parent, slot->rec.name, &found);
	if (r == 0 && found == id)
		return 0;
	if (r < 0 && r != -ENOENT)
		return r;
	repair_say(x, "mailbox %llu gets its name \"%.*s\" again",
	    (unsigned long long)id, SLICE_ARG(slot->rec.name));
	if (r == -ENOENT)
		return mailboxes_link(t, slot, slot->rec.parent,
		    slot->rec.name);
	return mailboxes_link(t, slot, 0, arena_printf(&t->arena,
	    "%.*s (%llu)", SLICE_ARG(utf8_cut(slot->rec.name, 200)),
	    (unsigned long long)id));
}

/* names_prove - names that lead to no mailbox give it a record; those that
 * lead to a mailbox elsewhere go */
static int
names_prove(struct repair *x, struct txn *t, uint64_t parent)
{
	struct mailbox_slot *slot;
	struct slice name;
	uint32_t *ids;
	size_t	n;
	int	r = mailboxes_children(t, (uint32_t)parent, &ids, &n);

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = txn_mailbox_any(t, ids[i], &slot);
		if (r == -ENOENT) {
			r = mailboxes_name_of(t, (uint32_t)parent, ids[i],
			    &name);
			if (r == 0)
				r = mailbox_revive_as(x, t, ids[i],
				    (uint32_t)parent, name);
			continue;
		}
		if (r < 0)
			return r;
		if ((slot->rec.attributes & MAILBOX_DYING) == 0 &&
		    slot->rec.parent == parent)
			continue;
		repair_say(x, "a name below mailbox %llu led nowhere",
		    (unsigned long long)parent);
		r = mailboxes_drop_name(t, (uint32_t)parent, ids[i]);
	}
	return r;
}

/* blocks_sum - directory and counters from the blocks themselves */
static int
blocks_sum(struct txn *t, struct mailbox_slot *slot)
{
	struct mailbox_record *rec = &slot->rec;
	struct uidblock *b = ARENA_NEW(&t->arena, struct uidblock);
	uint32_t at = 0, last = 0;
	struct slice value;
	struct key k;
	int	r;

	rec->total = rec->unseen = rec->deleted = 0;
	for (;;) {
		r = txn_first_u32(t, KEY_UIDS, slot->id, at, &at, &value);
		if (r < 0)
			return r == -ENOENT ? 0 : r;
		r = uidblock_decode(value, at, b);
		/* one that the block before reaches into is as good as lost */
		if (r < 0 || (last > 0 && at <= last)) {
			key_u32_u32(&k, KEY_UIDS, slot->id, at);
			r = txn_del(t, &k);
		} else {
			r = index_adopt(t, slot, b);
			last = b->at[b->count - 1].uid;
		}
		if (r < 0 || at == UINT32_MAX)
			return r;
		at++;
	}
}

/* mailbox_rebuild - all that follows from its blocks */
static int
mailbox_rebuild(struct repair *x, struct txn *t, uint64_t id)
{
	struct mailbox_record before;
	struct mailbox_slot *slot;
	size_t	budget = SIZE_MAX;
	struct key k;
	int	r;

	if ((r = txn_mailbox(t, (uint32_t)id, &slot)) < 0)
		return r == -ENOENT ? 0 : r;
	before = slot->rec;
	key_u32(&k, KEY_DIRECTORY, (uint32_t)id);
	if ((r = txn_del_range(t, &k, &budget)) < 0 ||
	    (r = blocks_sum(t, slot)) < 0)
		return r;
	if (before.total != slot->rec.total ||
	    before.unseen != slot->rec.unseen ||
	    before.deleted != slot->rec.deleted)
		repair_say(x, "mailbox %llu has %u messages, not %u",
		    (unsigned long long)id, slot->rec.total, before.total);
	if (t->rec.modseq < slot->rec.highest_modseq)
		t->rec.modseq = slot->rec.highest_modseq;
	slot->is_dirty = true;
	t->is_changed = true;
	return 0;
}

static const enum keyspace of_mailboxes[] = { KEY_DIRECTORY, KEY_VANISHED,
	KEY_ORDER, KEY_MORE_KEYWORDS, KEY_ANNOTATION };

/* leftovers_drop - what is left of a mailbox of which nothing else is */
static int
leftovers_drop(struct repair *x, struct txn *t, uint64_t id)
{
	struct mailbox_slot *slot;
	size_t	budget = SIZE_MAX;
	struct key k;
	int	r = txn_mailbox_any(t, (uint32_t)id, &slot);

	if (r != -ENOENT)
		return r;
	repair_say(x, "mailbox %llu is lost", (unsigned long long)id);
	for (size_t i = 0; i < COUNT(of_mailboxes); i++) {
		key_u32(&k, of_mailboxes[i], (uint32_t)id);
		if ((r = txn_del_range(t, &k, &budget)) < 0)
			return r;
	}
	return 0;
}

/* repair_inbox - every account has one */
static int
repair_inbox(struct repair *x)
{
	struct mailbox_slot *slot;
	struct txn *t = NULL;
	uint32_t id;
	int	r;

	if ((r = txn_begin(x->account, true, &t)) < 0)
		return r;
	r = mailboxes_child(t, 0, S("INBOX"), &id);
	if (r == -ENOENT) {
		r = mailboxes_add(t, 0, S("INBOX"), MAILBOX_ROLE_INBOX, &slot);
	} else if (r == 0 && (r = txn_mailbox(t, id, &slot)) == 0 &&
	    slot->rec.role != MAILBOX_ROLE_INBOX) {
		slot->rec.role = MAILBOX_ROLE_INBOX;
		txn_mailbox_changed(t, slot);
	}
	return txn_finish(&t, r);
}

/* repair_mailboxes - records, names, blocks */
int
repair_mailboxes(struct repair *x)
{
	int	r;

	if ((r = repair_each(x, KEY_NAME, 4, names_prove)) < 0 ||
	    (r = repair_each(x, KEY_UIDS, 4, mailbox_revive)) < 0 ||
	    (r = repair_each(x, KEY_MAILBOX, 4, mailbox_name)) < 0 ||
	    (r = repair_inbox(x)) < 0)
		return r;
	for (size_t i = 0; i < COUNT(of_mailboxes); i++)
		if ((r = repair_each(x, of_mailboxes[i], 4,
		    leftovers_drop)) < 0)
			return r;
	return repair_each(x, KEY_MAILBOX, 4, mailbox_rebuild);
}
