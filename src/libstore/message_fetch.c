/* SPDX-License-Identifier: ISC */
/* Reading messages and emails; each call is one short read transaction. */
#include "libstore/message.h"

#include "libstore/emails.h"
#include "libutil/alloc.h"
#include "libutil/cursor.h"

/* fetch_begin - a read transaction on a mailbox that is there */
static int
fetch_begin(struct account *a, uint32_t mailbox, struct txn **ret_txn,
    struct mailbox_slot **ret_slot)
{
	int	r = txn_begin(a, false, ret_txn);

	return r < 0 ? r : txn_mailbox(*ret_txn, mailbox, ret_slot);
}

/* fetch_block - what the caller wants of one block; the number taken */
static size_t
fetch_block(const struct index_walk *w, struct message_meta *metas, size_t max)
{
	const struct uidblock *b = w->block;
	size_t	n = 0;

	for (uint32_t i = uidblock_find(b, w->first);
	    i < b->count && b->at[i].uid <= w->last && n < max; i++)
		if (b->at[i].modseq > w->since)
			metas[n++] = b->at[i];
	return n;
}

/* message_fetch_changed - by the directory, so only blocks that changed */
int
message_fetch_changed(struct account *a, uint32_t mailbox, uint32_t first_uid,
    uint32_t last_uid, uint64_t since, struct message_meta *ret_metas,
    size_t max, size_t *ret_count)
{
	struct mailbox_slot *slot;
	struct index_walk w = { 0 };
	struct txn *t = NULL;
	size_t	n = 0;
	int	r;

	if ((r = fetch_begin(a, mailbox, &t, &slot)) < 0)
		goto out;
	if (slot->rec.highest_modseq <= since)
		goto done;
	r = index_walk_begin(t, mailbox, first_uid, last_uid, since, &w);
	while (r >= 0 && n < max && (r = index_walk_next(&w)) == 1) {
		if ((r = index_walk_block(&w)) == 0)
			n += fetch_block(&w, ret_metas + n, max - n);
	}
	if (r < 0)
		goto out;
done:
	*ret_count = n;
	r = 0;
out:
	index_walk_end(&w);
	txn_abort(&t);
	return r;
}

/* message_fetch - all of a range */
int
message_fetch(struct account *a, uint32_t mailbox, uint32_t first_uid,
    uint32_t last_uid, struct message_meta *ret_metas, size_t max,
    size_t *ret_count)
{
	return message_fetch_changed(a, mailbox, first_uid, last_uid, 0,
	    ret_metas, max, ret_count);
}

/* message_fetch_uids - those of a list that are there */
int
message_fetch_uids(struct account *a, uint32_t mailbox, const uint32_t *uids,
    size_t n, struct message_meta *ret_metas, size_t *ret_count)
{
	const struct message_meta *m;
	struct mailbox_slot *slot;
	struct txn *t = NULL;
	size_t	count = 0;
	int	r = fetch_begin(a, mailbox, &t, &slot);

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = index_get(t, mailbox, uids[i], &m);
		if (r == 0)
			ret_metas[count++] = *m;
		else if (r == -ENOENT)
			r = 0;
	}
	txn_abort(&t);
	if (r == 0)
		*ret_count = count;
	return r;
}

/* message_first_unseen - by the directory's counts, then one block */
int
message_first_unseen(struct account *a, uint32_t mailbox, uint32_t *ret_uid)
{
	struct mailbox_slot *slot;
	struct index_walk w = { 0 };
	struct txn *t = NULL;
	uint32_t uid = 0;
	int	r;

	if ((r = fetch_begin(a, mailbox, &t, &slot)) < 0 ||
	    slot->rec.unseen == 0)
		goto out;
	r = index_walk_begin(t, mailbox, 0, UINT32_MAX, 0, &w);
	while (r >= 0 && (r = index_walk_next(&w)) == 1) {
		if (w.entry->unseen == 0)
			continue;
		if ((r = index_walk_block(&w)) < 0)
			break;
		for (uint32_t i = 0; uid == 0 && i < w.block->count; i++)
			if ((w.block->at[i].flags & FLAG_SEEN) == 0)
				uid = w.block->at[i].uid;
		if (uid != 0)
			break;
	}
out:
	index_walk_end(&w);
	txn_abort(&t);
	if (r >= 0)
		*ret_uid = uid;
	return r < 0 ? r : 0;
}

/* message_keywords - the names of a flag word and its side record */
int
message_keywords(struct account *a, uint32_t mailbox,
    const struct message_meta *m, struct arena *arena,
    struct slice **ret_names, size_t *ret_count)
{
	struct keyword_table *table;
	struct flag_set set;
	struct slice *names;
	struct txn *t = NULL;
	size_t	n = 0;
	int	r;

	if ((m->flags & (FLAGS_KEYWORDS | FLAG_MORE)) == 0) {
		*ret_names = NULL;
		*ret_count = 0;
		return 0;
	}
	if ((r = txn_begin(a, false, &t)) < 0 ||
	    (r = txn_keywords(t, &table)) < 0 ||
	    (r = keywords_load(t, mailbox, m->uid, m->flags, &set)) < 0)
		goto out;
	names = ARENA_ARRAY(arena, struct slice, (size_t)table->count + 1);
	for (uint16_t i = 0; i < table->count && i < FLAG_KEYWORDS_INLINE; i++)
		if ((set.word & FLAG_KEYWORD(i)) != 0)
			names[n++] = arena_dup(arena, table->name[i]);
	for (size_t i = 0; set.more != NULL && i < set.more->count; i++)
		if (set.more->number[i] < table->count)
			names[n++] = arena_dup(arena,
			    table->name[set.more->number[i]]);
	*ret_names = names;
	*ret_count = n;
out:
	txn_abort(&t);
	return r;
}

/* fetch_email - an email's record as the caller gets it */
static int
fetch_email(struct slice value, struct arena *arena, struct email *e)
{
	struct email_record rec;
	int	r = email_record_decode(arena_dup(arena, value), &rec);

	if (r < 0)
		return r;
	e->thread = rec.thread;
	e->size = rec.size;
	e->internal_date = rec.internal_date;
	e->sent_date = rec.sent_date;
	e->created_modseq = rec.created_modseq;
	e->has_attachment = (rec.attributes & EMAIL_HAS_ATTACHMENT) != 0;
	e->from = rec.from;
	e->to = rec.to;
	e->cc = rec.cc;
	e->subject = rec.subject;
	e->places = ARENA_ARRAY(arena, struct email_place,
	    (size_t)rec.places.count + 1);
	memcpy(e->places, rec.places.at,
	    rec.places.count * sizeof(rec.places.at[0]));
	e->place_count = rec.places.count;
	return 0;
}

/* fetch_cache - the cache bytes; a damaged one is as none */
static int
fetch_cache(struct txn *t, struct arena *arena, struct email *e)
{
	struct cursor c;
	struct slice value;
	int	r = emails_get_cache(t, e->id, &value);

	if (r < 0)
		return r == -ENOENT || r == -EBADMSG ? 0 : r;
	c = cursor_over(value);
	if (cursor_le32(&c, &e->cache_version) < 0) {
		e->cache_version = 0;
		return 0;
	}
	e->cache = arena_dup(arena, cursor_rest(&c));
	return 0;
}

#define GET_BATCH	16
#define EMAIL_KEY_LEN	9

/* fetch_batch - some emails: the records in one read, for backends where each
 * read is a round trip */
static int
fetch_batch(struct txn *t, const uint64_t *ids, size_t n, unsigned want,
    struct arena *arena, struct email *e)
{
	char	bytes[GET_BATCH][EMAIL_KEY_LEN];
	struct slice keys[GET_BATCH], values[GET_BATCH];
	int	results[GET_BATCH], r;
	struct key k;

	for (size_t i = 0; i < n; i++) {
		key_u64(&k, KEY_EMAIL, ids[i]);
		memcpy(bytes[i], k.bytes, EMAIL_KEY_LEN);
		keys[i] = slice_over(bytes[i], EMAIL_KEY_LEN);
	}
	r = backend_get_batch(t->backend, keys, n, values, results);
	for (size_t i = 0; r == 0 && i < n; i++) {
		e[i] = (struct email){ .id = ids[i], .result = results[i] };
		if (results[i] == 0)
			e[i].result = fetch_email(values[i], arena, &e[i]);
		if (e[i].result == 0 && (want & EMAIL_WANT_CACHE) != 0)
			r = fetch_cache(t, arena, &e[i]);
	}
	return r;
}

/* message_get_emails - a batch */
int
message_get_emails(struct account *a, const uint64_t *ids, size_t n,
    unsigned want, struct arena *arena, struct email *ret_emails)
{
	struct txn *t = NULL;
	int	r = txn_begin(a, false, &t);

	for (size_t i = 0; r == 0 && i < n; i += GET_BATCH)
		r = fetch_batch(t, ids + i, size_min(n - i, GET_BATCH), want,
		    arena, ret_emails + i);
	txn_abort(&t);
	return r;
}

/* message_set_cache - for emails that are still there */
int
message_set_cache(struct account *a, const struct email_cache *caches,
    size_t n)
{
	struct slice value;
	struct txn *t = NULL;
	struct key k;
	int	r;

	if (n > ACCOUNT_BATCH_MAX)
		return -E2BIG;
	if ((r = txn_begin(a, true, &t)) < 0)
		return r;
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (caches[i].bytes.len > EMAIL_CACHE_MAX) {
			r = -EMSGSIZE;
			break;
		}
		key_u64(&k, KEY_EMAIL, caches[i].email);
		r = txn_get(t, &k, &value);
		if (r == 0)
			r = emails_del_cache(t, caches[i].email);
		if (r == 0)
			r = emails_put_cache(t, caches[i].email, false,
			    caches[i].version, caches[i].bytes);
		else if (r == -ENOENT || r == -EBADMSG)
			r = 0;
	}
	return txn_finish(&t, r);
}
