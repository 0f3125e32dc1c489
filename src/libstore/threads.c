/* SPDX-License-Identifier: ISC */
/*
 * Threading at delivery. Every message-id that was seen or referred to leads
 * to a thread. Threads are not merged later, for a JMAP thread id does not
 * change (RFC 8621 3): a message that refers to two joins the older one.
 */
#include "libstore/emails.h"

#include "libstore/body.h"

#define REFERENCE_HASH_LEN	16
#define REFERENCE_REFRESH	(30 * 86400)	/* seconds; saves writes */

/* reference_key - the key of a message-id */
static int
reference_key(struct key *k, struct slice message_id)
{
	uint8_t	hash[BODY_HASH_LEN];

	body_hash_content(message_id, hash);
	key_begin(k, KEY_REFERENCE);
	return key_add_bytes(k, slice_over(hash, REFERENCE_HASH_LEN));
}

/* a message-id, looked up */
struct reference {
	struct key		 key;
	bool			 is_known;
	struct reference_record	 rec;
};

/* reference_get - the thread of a message-id, if it leads to one */
static int
reference_get(struct txn *t, struct slice message_id, struct reference *ref)
{
	struct slice value;
	int	r;

	if ((r = reference_key(&ref->key, message_id)) < 0)
		return r;
	r = txn_get(t, &ref->key, &value);
	if (r == 0)
		r = reference_record_decode(value, &ref->rec);
	ref->is_known = r == 0;
	/* what is damaged is made anew */
	return r == -ENOENT || r == -EBADMSG ? 0 : r;
}

/* reference_note - it leads to that thread, unless it leads to one already */
static int
reference_note(struct txn *t, struct reference *ref, uint64_t thread)
{
	int64_t	now = account_now(t->account);

	if (ref->is_known && now - ref->rec.seen < REFERENCE_REFRESH)
		return 0;
	if (!ref->is_known)
		ref->rec.thread = thread;
	ref->rec.seen = now;
	buf_reset(&t->scratch);
	reference_record_encode(&t->scratch, &ref->rec);
	return txn_put(t, &ref->key, buf_slice(&t->scratch));
}

/* add_id - each once: what is answered often stands in References, too */
static size_t
add_id(struct slice ids[EMAIL_REFERENCES_MAX], size_t n, struct slice id)
{
	for (size_t i = 0; i < n; i++)
		if (slice_equal(ids[i], id))
			return n;
	if (!slice_is_empty(id))
		ids[n++] = id;
	return n;
}

/* facts_ids - the message-ids that matter: its own, In-Reply-To, the first
 * and the last of References (the thread's root and the nearest) */
static size_t
facts_ids(const struct email_facts *f, struct slice ids[EMAIL_REFERENCES_MAX])
{
	size_t	n = add_id(ids, 0, f->message_id), from;

	n = add_id(ids, n, f->in_reply_to);
	if (f->reference_count == 0)
		return n;
	n = add_id(ids, n, f->references[0]);
	from = f->reference_count > EMAIL_REFERENCES_MAX - n ?
	    f->reference_count - (EMAIL_REFERENCES_MAX - n) : 1;
	while (from < f->reference_count)
		n = add_id(ids, n, f->references[from++]);
	return n;
}

/* threads_assign - the thread of a message */
int
threads_assign(struct txn *t, const struct email_facts *f, uint64_t fresh,
    uint64_t *ret_thread)
{
	struct slice ids[EMAIL_REFERENCES_MAX];
	size_t	n = facts_ids(f, ids);
	struct reference *refs = ARENA_ARRAY(&t->arena, struct reference, n);
	uint64_t thread = fresh;
	int	r;

	for (size_t i = 0; i < n; i++) {
		if ((r = reference_get(t, ids[i], &refs[i])) < 0)
			return r;
		if (refs[i].is_known && refs[i].rec.thread < thread)
			thread = refs[i].rec.thread;
	}
	for (size_t i = 0; i < n; i++)
		if ((r = reference_note(t, &refs[i], thread)) < 0)
			return r;
	*ret_thread = thread;
	return 0;
}

/* thread_read - its entries, behind the email that gave it its id */
static int
thread_read(struct txn *t, uint64_t thread, struct buf *ids)
{
	struct backend_range *range;
	struct email_record rec;
	struct slice key, value;
	uint64_t id, same;
	struct key all;
	int	r = emails_get(t, thread, &rec);

	if (r == 0 && rec.thread == thread)
		buf_add(ids, slice_over(&thread, sizeof(thread)));
	else if (r < 0 && r != -ENOENT && r != -EBADMSG)
		return r;
	key_u64(&all, KEY_THREAD, thread);
	if ((r = txn_range(t, &all, NULL, &range)) < 0)
		return r;
	while ((r = backend_next(range, &key, &value)) == 1) {
		if ((r = key_parse_u64_u64(key, KEY_THREAD, &same, &id)) < 0)
			break;
		buf_add(ids, slice_over(&id, sizeof(id)));
	}
	backend_range_end(&range);
	return r;
}

/* message_get_thread - the emails of a thread */
int
message_get_thread(struct account *a, uint64_t thread, struct arena *arena,
    uint64_t **ret_ids, size_t *ret_count)
{
	struct buf ids = BUF_INIT;
	struct txn *t = NULL;
	int	r;

	if ((r = txn_begin(a, false, &t)) == 0 &&
	    (r = thread_read(t, thread, &ids)) == 0 &&
	    (r = buf_check(&ids)) == 0) {
		*ret_count = ids.len / sizeof(thread);
		*ret_ids = ARENA_ARRAY(arena, uint64_t, *ret_count + 1);
		if (ids.len > 0)
			memcpy(*ret_ids, ids.data, ids.len);
	}
	txn_abort(&t);
	buf_free(&ids);
	return r;
}
