/* SPDX-License-Identifier: ISC */
/* Mailboxes: names, blocks against directory, messages against emails,
 * counters against both. */
#include "libstore/verify_impl.h"

#include "libstore/keywords.h"
#include "libstore/mailboxes.h"

#define LL(x)	((unsigned long long)(x))

/* what one mailbox's messages add up to */
struct sums {
	uint32_t	total, unseen, deleted;
	uint64_t	size;
	size_t		blocks;
	size_t		more;		/* side records */
};

/* message_check - one message from the mailbox's end */
static int
message_check(struct verify *v, uint32_t id, const struct mailbox_record *rec,
    const struct message_meta *m, struct sums *s)
{
	struct email_record e;
	struct flag_set set;
	bool	placed = false;
	int	r = verify_email(v, m->email, &e);

	s->total++;
	s->unseen += (m->flags & FLAG_SEEN) == 0;
	s->deleted += (m->flags & FLAG_DELETED) != 0;
	if (m->uid >= rec->uidnext)
		verify_find(v, "mailbox %u: UID %u is not below UIDNEXT %u",
		    id, m->uid, rec->uidnext);
	if (m->modseq > rec->highest_modseq)
		verify_find(v, "mailbox %u: UID %u changed after the mailbox",
		    id, m->uid);
	if ((m->flags & FLAGS_KEYWORDS & ~rec->keywords) != 0)
		verify_find(v, "mailbox %u: UID %u has a keyword that the "
		    "mailbox does not know of", id, m->uid);
	if ((m->flags & FLAG_MORE) != 0) {
		s->more++;
		if (keywords_load(v->t, id, m->uid, m->flags, &set) < 0)
			verify_find(v, "mailbox %u: the keywords of UID %u are "
			    "lost", id, m->uid);
	}
	if (r == -ENOENT || r == -EBADMSG) {
		verify_find(v, "mailbox %u: UID %u is email %llu, which is not "
		    "there", id, m->uid, LL(m->email));
		return 0;
	}
	if (r < 0)
		return r;
	s->size += e.size;
	for (uint8_t i = 0; i < e.places.count; i++)
		placed = placed || (e.places.at[i].mailbox == id &&
		    e.places.at[i].uid == m->uid);
	if (!placed)
		verify_find(v, "mailbox %u: UID %u is email %llu, which does "
		    "not know of it", id, m->uid, LL(m->email));
	return 0;
}

/* order_check - one entry of the date order from its end */
static int
order_check(struct verify *v, struct slice key, struct slice value)
{
	const struct message_meta *m;
	struct email_record e;
	uint64_t inverted, email;
	uint32_t id, uid;
	int64_t	date;

	if (key_parse_u32_u64_u32(key, KEY_ORDER, &id, &inverted, &uid) < 0 ||
	    record_decode_u64(value, &email) < 0)
		return 0;
	date = (int64_t)(~inverted ^ (uint64_t)1 << 63);
	if (index_get(v->t, id, uid, &m) < 0 || m->email != email)
		verify_find(v, "mailbox %u: the date order has UID %u as email "
		    "%llu, the index has not", id, uid, LL(email));
	else if (verify_email(v, email, &e) == 0 && e.internal_date != date)
		verify_find(v, "mailbox %u: the date order has another date "
		    "for UID %u", id, uid);
	return 0;
}

/* vanished_check - what vanished is gone */
static int
vanished_check(struct verify *v, struct slice key, struct slice value)
{
	const struct message_meta *m;
	uint32_t id, first, last;
	uint64_t modseq;

	if (key_parse_u32_u64_u32(key, KEY_VANISHED, &id, &modseq, &first) < 0 ||
	    record_decode_u32(value, &last) < 0)
		return 0;
	if (last < first || modseq > v->rec.modseq)
		verify_find(v, "mailbox %u: the history has a range that "
		    "cannot be: %u to %u", id, first, last);
	else if (index_get(v->t, id, first, &m) == 0 ||
	    index_get(v->t, id, last, &m) == 0)
		verify_find(v, "mailbox %u: of UIDs %u to %u, which vanished, "
		    "one is there", id, first, last);
	return 0;
}

/* index_check - blocks against directory, and each message */
static int
index_check(struct verify *v, uint32_t id, const struct mailbox_record *rec,
    struct sums *s)
{
	struct index_walk w = { 0 };
	struct dir_entry want;
	int	r;

	r = index_walk_begin(v->t, id, 0, UINT32_MAX, 0, &w);
	while (r >= 0 && (r = index_walk_next(&w)) == 1) {
		s->blocks++;
		if ((r = index_walk_block(&w)) < 0) {
			verify_find(v, "mailbox %u: the block of UIDs from %u "
			    "cannot be read", id, w.entry->block);
			r = r == -EBADMSG ? 0 : r;
			continue;
		}
		dir_entry_of(w.block, &want);
		if (!dir_entry_equal(&want, w.entry))
			verify_find(v, "mailbox %u: the directory disagrees "
			    "with the block of UIDs from %u", id, want.block);
		for (uint32_t i = 0; r == 0 && i < w.block->count; i++)
			r = message_check(v, id, rec, &w.block->at[i], s);
	}
	index_walk_end(&w);
	if (r == -EBADMSG) {
		verify_find(v, "mailbox %u: its directory cannot be read", id);
		r = 0;
	}
	return r;
}

/* counters_check - what the mailbox record sums up */
static void
counters_check(struct verify *v, uint32_t id, const struct mailbox_record *rec,
    const struct sums *s)
{
	const struct {
		const char	*name;
		uint64_t	 has, is;
	} rows[] = {
		{ "messages", rec->total, s->total },
		{ "unseen messages", rec->unseen, s->unseen },
		{ "deleted messages", rec->deleted, s->deleted },
		{ "bytes", rec->size, s->size },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].has != rows[i].is)
			verify_find(v, "mailbox %u: counts %llu %s, there are "
			    "%llu", id, LL(rows[i].has), rows[i].name,
			    LL(rows[i].is));
}

/* side_check - records beside the index: as many as there should be */
static int
side_check(struct verify *v, uint32_t id, const struct sums *s)
{
	const struct {
		const char	*name;
		enum keyspace	 space;
		size_t		 want;
	} rows[] = {
		{ "blocks", KEY_UIDS, s->blocks },
		{ "entries in its date order", KEY_ORDER, s->total },
		{ "side records of keywords", KEY_MORE_KEYWORDS, s->more },
	};
	struct key k;
	size_t	n;
	int	r = 0;

	for (size_t i = 0; r == 0 && i < COUNT(rows); i++) {
		key_u32(&k, rows[i].space, id);
		if ((r = verify_count(v, &k, &n)) == 0 && n != rows[i].want)
			verify_find(v, "mailbox %u: has %zu %s, should have "
			    "%zu", id, n, rows[i].name, rows[i].want);
	}
	key_u32(&k, KEY_ORDER, id);
	if (r == 0)
		r = verify_each(v, &k, order_check);
	key_u32(&k, KEY_VANISHED, id);
	return r < 0 ? r : verify_each(v, &k, vanished_check);
}

/* name_check - is it the child of its parent by that name? */
static void
name_check(struct verify *v, uint32_t id, const struct mailbox_record *rec)
{
	struct mailbox_record parent;
	struct slice value;
	uint32_t found;
	struct key k;

	if (mailboxes_child(v->t, rec->parent, rec->name, &found) < 0 ||
	    found != id)
		verify_find(v, "mailbox %u: its name \"%.*s\" does not lead to "
		    "it", id, SLICE_ARG(rec->name));
	if (rec->parent == 0)
		return;
	key_u32(&k, KEY_MAILBOX, rec->parent);
	if (txn_get(v->t, &k, &value) < 0 ||
	    mailbox_record_decode(value, &parent) < 0)
		verify_find(v, "mailbox %u: the mailbox %u above it is not "
		    "there", id, rec->parent);
}

/* mailbox_check - one mailbox */
static int
mailbox_check(struct verify *v, struct slice key, struct slice value)
{
	struct mailbox_record rec;
	struct sums s = { 0 };
	uint32_t id;
	int	r;

	if (key_parse_u32(key, KEY_MAILBOX, &id) < 0 ||
	    mailbox_record_decode(value, &rec) < 0)
		return 0;
	v->result.mailboxes++;
	if (id >= v->rec.next_mailbox)
		verify_find(v, "mailbox %u is above the next id", id);
	if (rec.uidvalidity >= v->rec.next_uidvalidity)
		verify_find(v, "mailbox %u: its UIDVALIDITY is above the next "
		    "one", id);
	if (rec.highest_modseq > v->rec.modseq)
		verify_find(v, "mailbox %u: its mod-sequence is above the "
		    "account's", id);
	if ((rec.attributes & MAILBOX_DYING) == 0)
		name_check(v, id, &rec);
	if ((r = index_check(v, id, &rec, &s)) < 0)
		return r;
	v->result.messages += s.total;
	counters_check(v, id, &rec, &s);
	/* what is being deleted loses these in no order */
	if ((rec.attributes & MAILBOX_DYING) != 0)
		return 0;
	return side_check(v, id, &s);
}

/* child_check - one name from its end */
static int
child_check(struct verify *v, struct slice key, struct slice value)
{
	struct mailbox_record rec;
	struct slice found;
	uint32_t id, parent = 0;
	struct key k;

	if (key_parse_u32(slice_sub(key, 0, 5), KEY_NAME, &parent) < 0 ||
	    record_decode_u32(value, &id) < 0)
		return 0;
	key_u32(&k, KEY_MAILBOX, id);
	if (txn_get(v->t, &k, &found) < 0 ||
	    mailbox_record_decode(found, &rec) < 0 ||
	    rec.parent != parent ||
	    !slice_equal(rec.name, slice_from(key, 5)))
		verify_find(v, "the name \"%.*s\" leads to mailbox %u, which "
		    "has another", SLICE_ARG(slice_from(key, 5)), id);
	return 0;
}

/* orphan_check - records of mailboxes that are not there */
static int
orphan_check(struct verify *v, struct slice key, struct slice value)
{
	struct slice found;
	uint32_t id = 0;
	struct key k;

	(void)value;
	if (key_parse_u32(slice_sub(key, 0, 5),
	    (enum keyspace)key.data[0], &id) < 0)
		return 0;
	key_u32(&k, KEY_MAILBOX, id);
	if (txn_get(v->t, &k, &found) == -ENOENT)
		verify_find(v, "a record %s belongs to mailbox %u, which is "
		    "not there", keyspace_name(key.data[0]), id);
	return 0;
}

/* verify_mailboxes - all of them, and what claims to be of one */
int
verify_mailboxes(struct verify *v)
{
	static const enum keyspace spaces[] = { KEY_UIDS, KEY_DIRECTORY,
		KEY_VANISHED, KEY_ORDER, KEY_MORE_KEYWORDS };
	struct key k;
	int	r;

	key_1(&k, KEY_MAILBOX);
	if ((r = verify_each(v, &k, mailbox_check)) < 0)
		return r;
	key_1(&k, KEY_NAME);
	r = verify_each(v, &k, child_check);
	for (size_t i = 0; r == 0 && i < COUNT(spaces); i++) {
		key_1(&k, spaces[i]);
		r = verify_each(v, &k, orphan_check);
	}
	return r;
}
