/* SPDX-License-Identifier: ISC */
/*
 * Storing messages. What can be refused is refused before the first write for
 * a message, so that one that is refused leaves nothing behind in the
 * transaction of the others. Hashes are computed before the transaction.
 */
#include "libstore/message.h"

#include "libstore/bodies.h"
#include "libstore/body.h"
#include "libstore/deliveries.h"
#include "libstore/emails.h"
#include "libstore/packrec.h"
#include "libutil/alloc.h"
#include "libutil/utf8.h"

/* what is worked out about one message on the way */
struct deliver_plan {
	struct mailbox_slot	*slots[EMAIL_PLACES_MAX];
	struct flag_set		 flags[EMAIL_PLACES_MAX];
	uint64_t		 content_size;
	const uint8_t		*hash;
	bool			 is_big;
	bool			 is_fresh;	/* goes into the environment */
};

/* deliver_check_places - mailboxes and flags; creates keywords */
static int
deliver_check_places(struct txn *t, const struct deliver_message *m,
    struct deliver_plan *plan)
{
	int	r;

	if (m->place_count == 0 || m->place_count > EMAIL_PLACES_MAX)
		return -EINVAL;
	for (size_t i = 0; i < m->place_count; i++) {
		const struct deliver_place *p = &m->places[i];

		for (size_t k = 0; k < i; k++)
			if (m->places[k].mailbox == p->mailbox)
				return -EINVAL;
		if ((r = txn_mailbox(t, p->mailbox, &plan->slots[i])) < 0)
			return r;
		if ((plan->slots[i]->rec.attributes & MAILBOX_NOSELECT) != 0)
			return -ENOENT;
		if (plan->slots[i]->rec.uidnext == UINT32_MAX)
			return -ENOSPC;
		if ((r = keywords_resolve(t, p->flags, p->keywords,
		    p->keyword_count, true, &plan->flags[i])) < 0)
			return r;
	}
	return 0;
}

/* deliver_check - everything that can be refused; 1: it is here already */
static int
deliver_check(struct txn *t, struct deliver_message *m, unsigned mode,
    struct deliver_plan *plan)
{
	uint64_t size = plan->content_size + m->prefix.len;
	int	r;

	if (m->prefix.len > EMAIL_PREFIX_MAX ||
	    m->facts.cache.len > EMAIL_CACHE_MAX ||
	    (!m->is_big && m->content.len > PACKREC_CONTENT_MAX))
		return -EMSGSIZE;
	if ((r = deliver_check_places(t, m, plan)) < 0)
		return r;
	if (m->mark != NULL && (r = deliveries_find(t, m)) != -ENOENT)
		return r < 0 ? r : 1;
	if ((mode & DELIVER_NO_QUOTA) != 0)
		return 0;
	if (t->rec.limit_bytes != 0 &&
	    (size > t->rec.limit_bytes ||
	    t->rec.used_bytes > t->rec.limit_bytes - size))
		return -EDQUOT;
	if (t->rec.limit_count != 0 && t->rec.used_count >= t->rec.limit_count)
		return -EDQUOT;
	return 0;
}

/* deliver_body - write the content */
static int
deliver_body(struct txn *t, const struct deliver_message *m,
    struct deliver_plan *plan, const struct email_record *rec,
    unsigned mode)
{
	const struct mailbox_slot *first = plan->slots[0];
	struct body_new n = {
		.id = rec->body,
		.prefix = m->prefix,
		.content = m->content,
		.size = plan->content_size,
		.hash = plan->hash,
		.is_big = plan->is_big,
		.mailbox = first->id,
		.uid = first->rec.uidnext,
		.internal_date = rec->internal_date,
		.flags = plan->flags[0].word,
	};

	n.to_pack = (mode & DELIVER_IMPORT) != 0 ||
	    m->content.len >= BODY_BIG || t->rec.unpacked_bytes +
	    m->content.len > t->account->p.unpacked_limit;
	plan->is_fresh = !n.to_pack && !n.is_big;
	return bodies_add(t, &n);
}

/* deliver_record - the email's record from its facts */
static void
deliver_record(struct txn *t, const struct deliver_message *m,
    const struct deliver_plan *plan, uint64_t id,
    struct email_record *ret_record)
{
	const struct email_facts *f = &m->facts;

	*ret_record = (struct email_record){
		.body = id,
		.size = plan->content_size + m->prefix.len,
		.internal_date = m->has_date ? m->internal_date :
		    account_now(t->account),
		.sent_date = f->sent_date,
		.created_modseq = txn_modseq(t),
		.attributes = f->has_attachment ? EMAIL_HAS_ATTACHMENT : 0,
		.from = utf8_cut(f->from, EMAIL_TEXT_MAX),
		.to = utf8_cut(f->to, EMAIL_TEXT_MAX),
		.cc = utf8_cut(f->cc, EMAIL_TEXT_MAX),
		.subject = utf8_cut(f->subject, EMAIL_TEXT_MAX),
	};
}

/* deliver_write - the message's records; an error ends the transaction */
static int
deliver_write(struct txn *t, struct deliver_message *m,
    struct deliver_plan *plan, unsigned mode)
{
	uint64_t id = t->rec.next_email++;
	struct email_record rec;
	int	r;

	deliver_record(t, m, plan, id, &rec);
	if ((r = threads_assign(t, &m->facts, id, &rec.thread)) < 0 ||
	    (r = deliver_body(t, m, plan, &rec, mode)) < 0)
		return r;
	for (size_t i = 0; i < m->place_count; i++) {
		struct message_meta meta = { .email = id,
			.save_date = account_now(t->account) };

		r = emails_place(t, plan->slots[i], &rec, &plan->flags[i],
		    &meta);
		if (r < 0)
			return r;
		m->places[i].uid = meta.uid;
		m->places[i].uidvalidity = plan->slots[i]->rec.uidvalidity;
	}
	if ((r = emails_add(t, id, &rec)) < 0)
		return r;
	if (!slice_is_empty(m->facts.cache) &&
	    (r = emails_put_cache(t, id, plan->is_fresh,
	    m->facts.cache_version, m->facts.cache)) < 0)
		return r;
	m->email = id;
	m->thread = rec.thread;
	return m->mark != NULL ? deliveries_note(t, m) : 0;
}

/* deliver_put_big - hand a big content over, if there is a place for it */
static int
deliver_put_big(struct account *a, const struct deliver_message *m,
    struct deliver_plan *plan)
{
	if (m->is_big || m->content.len < BODY_BIG || a->p.big.put == NULL)
		return 0;
	plan->is_big = true;
	return a->p.big.put(a->p.big.arg, plan->hash, m->content);
}

/* deliver_one - one message of the batch; an error ends the transaction, what
 * is wrong with the message itself is its result */
static int
deliver_one(struct txn *t, struct deliver_message *m, const uint8_t *hash,
    unsigned mode)
{
	struct deliver_plan *plan = ARENA_NEW(&t->arena, struct deliver_plan);
	int	r;

	plan->hash = m->is_big ? m->big_hash : hash;
	plan->is_big = m->is_big;
	plan->content_size = m->is_big ? m->big_size : m->content.len;
	m->result = r = deliver_check(t, m, mode, plan);
	if (r == -EBADMSG || r == -EIO)
		return r;
	if (r < 0 && (mode & DELIVER_ALL) != 0)
		return r;
	if (r != 0)
		return 0;
	if ((r = deliver_put_big(t->account, m, plan)) < 0)
		return r;
	return deliver_write(t, m, plan, mode);
}

/* deliver_hash - hash the contents, which needs no transaction; says whether
 * one is big */
static bool
deliver_hash(const struct deliver_message *m, size_t n,
    uint8_t (*hashes)[BODY_HASH_LEN])
{
	bool	big = false;

	for (size_t i = 0; i < n; i++) {
		big = big || m[i].is_big || m[i].content.len >= BODY_BIG;
		if (!m[i].is_big)
			body_hash_content(m[i].content, hashes[i]);
	}
	return big;
}

/* message_deliver - a batch in one commit */
int
message_deliver(struct account *a, struct deliver_message *m, size_t n,
    unsigned mode)
{
	uint8_t	(*hashes)[BODY_HASH_LEN];
	struct txn *t = NULL;
	bool	big;
	int	r;

	if (n > ACCOUNT_BATCH_MAX)
		return -E2BIG;
	hashes = xcalloc(n + 1, sizeof(hashes[0]));
	big = deliver_hash(m, n, hashes);
	if (big)
		pthread_mutex_lock(&a->big_lock);
	r = txn_begin(a, true, &t);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = deliver_one(t, &m[i], hashes[i], mode);
	if (t != NULL)
		r = txn_finish(&t, r);
	if (big)
		pthread_mutex_unlock(&a->big_lock);
	for (size_t i = 0; r < 0 && i < n; i++)
		if (m[i].result >= 0)
			m[i].result = r;
	free(hashes);
	return r;
}
