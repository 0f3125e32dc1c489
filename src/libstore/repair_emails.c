/* SPDX-License-Identifier: ISC */
/*
 * Emails and messages against each other and against their contents. A
 * message whose email record is lost gets a new one from the body, in place;
 * an email whose content is lost keeps its place and says so.
 */
#include "libstore/repair.h"

#include "libstore/bodies.h"
#include "libstore/body.h"
#include "libstore/fileio.h"
#include "libstore/mailboxes.h"
#include "libstore/packs.h"

#define LL(x)	((unsigned long long)(x))

/* chunks_are_whole - do the chunks of a body add up? */
static bool
chunks_are_whole(struct txn *t, uint64_t body, uint64_t size)
{
	struct slice value;
	uint32_t number = 0;
	uint64_t sum = 0;
	struct key k;

	while (sum < size) {
		key_chunk(&k, body, number++);
		if (txn_get(t, &k, &value) < 0 || value.len == 0)
			return false;
		sum += value.len;
	}
	return sum == size;
}

/* repair_has_content - look where the record points */
int
repair_has_content(struct txn *t, uint64_t body, const struct body_record *rec)
{
	struct packs_walk w;
	int	r, fd;

	switch (rec->location) {
	case BODY_IN_CHUNKS:
		return chunks_are_whole(t, body, rec->size);
	case BODY_IN_PACK:
		if (packs_walk_begin(t->account->backend, rec->pack,
		    rec->offset, &w) < 0)
			return 0;
		r = packs_walk_next(&w);
		r = r == 1 && w.at == rec->offset && w.rec.email == body &&
		    w.rec.size == rec->size;
		packs_walk_end(&w);
		return r;
	case BODY_IS_BIG:
		if (t->account->p.big.open == NULL ||
		    t->account->p.big.open(t->account->p.big.arg,
		    rec->hash.bytes, &fd) < 0)
			return 0;
		fileio_close(&fd);
		return 1;
	default:
		return 0;
	}
}

/* want_of_body - a body whose content is not there */
static int
want_of_body(struct repair *x, struct txn *t, uint64_t id)
{
	struct body_record rec;
	int	r = bodies_get(t, id, &rec);

	/* of a fresh one other records may be left */
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (!repair_has_content(t, id, &rec))
		repair_want(x, id);
	return 0;
}

/* want_of_email - an email whose body record is not there */
static int
want_of_email(struct repair *x, struct txn *t, uint64_t id)
{
	struct email_record rec;
	struct body_record body;
	int	r = emails_get(t, id, &rec);

	if (r == 0 && bodies_get(t, rec.body, &body) == -ENOENT)
		repair_want(x, rec.body);
	return r == -EBADMSG ? 0 : r;
}

/* call one for each message of a mailbox; it may change the mailbox */
typedef int	repair_message(struct repair *x, struct txn *t,
		    struct mailbox_slot *slot, const struct message_meta *m);

/* messages_each - block by block, copied out */
static int
messages_each(struct repair *x, struct txn *t, uint64_t id,
    repair_message *one)
{
	struct uidblock *b = ARENA_NEW(&t->arena, struct uidblock);
	struct mailbox_slot *slot;
	uint32_t at = 0, i;
	int	r = txn_mailbox(t, (uint32_t)id, &slot);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	while ((r = txn_flush(t)) == 0 &&
	    (r = repair_block_at(t, slot->id, at, b, &i)) == 0) {
		while (r == 0 && i < b->count)
			r = one(x, t, slot, &b->at[i++]);
		at = b->at[b->count - 1].uid;
		if (r < 0 || at++ == UINT32_MAX)
			break;
	}
	return r == -ENOENT ? 0 : r;
}

/* want_of_message - one that has neither email nor body */
static int
want_of_message(struct repair *x, struct txn *t, struct mailbox_slot *slot,
    const struct message_meta *m)
{
	struct email_record rec;
	struct body_record body;

	(void)slot;
	if (emails_get(t, m->email, &rec) == -ENOENT &&
	    bodies_get(t, m->email, &body) == -ENOENT)
		repair_want(x, m->email);
	return 0;
}

static int
want_of_mailbox(struct repair *x, struct txn *t, uint64_t id)
{
	return messages_each(x, t, id, want_of_message);
}

/* repair_find_wanted - what the packs are then searched for */
int
repair_find_wanted(struct repair *x)
{
	int	r;

	if ((r = repair_each(x, KEY_BODY, 8, want_of_body)) < 0 ||
	    (r = repair_each(x, KEY_FRESH, 8, want_of_body)) < 0 ||
	    (r = repair_each(x, KEY_EMAIL, 8, want_of_email)) < 0)
		return r;
	return repair_each(x, KEY_MAILBOX, 4, want_of_mailbox);
}

/* repair_recovered - the mailbox for what has no other place */
int
repair_recovered(struct repair *x, uint32_t *ret_id)
{
	struct arena arena = ARENA_INIT;
	struct mailbox_info info;
	int	r = 0;

	if (x->recovered == 0) {
		r = mailbox_find(x->account, S("Recovered"), &arena, &info);
		if (r == 0 && !info.is_noselect)
			x->recovered = info.id;
		else if (r == 0 || r == -ENOENT)
			r = mailbox_create(x->account, S("Recovered"),
			    MAILBOX_ROLE_NONE, &x->recovered);
	}
	arena_free(&arena);
	*ret_id = x->recovered;
	return r;
}

/* content_in_chunks - a content whose record is lost but whose chunks are
 * there, up to the first that is not; its prefix is lost with the record.
 * -ENOENT */
static int
content_in_chunks(struct repair *x, struct txn *t, uint64_t id)
{
	struct buf content = BUF_INIT;
	struct body_new n = { .id = id };
	uint8_t	hash[BODY_HASH_LEN];
	size_t	budget = SIZE_MAX;
	struct slice value;
	uint32_t number = 0;
	struct key k;
	int	r;

	do {
		key_chunk(&k, id, number++);
		if ((r = txn_get(t, &k, &value)) == 0)
			buf_add(&content, value);
	} while (r == 0);
	if (r == -ENOENT && content.len > 0) {
		n.content = buf_slice(&content);
		n.size = content.len;
		body_hash_content(n.content, hash);
		n.hash = hash;
		repair_say(x, "body %llu has a record again", LL(id));
		key_fresh(&k, id, FRESH_CHUNK);
		r = txn_del_range(t, &k, &budget);
		if (r == 0)
			r = bodies_add(t, &n);
	}
	buf_free(&content);
	return r;
}

/* content_lost - a text in the place of a content that is nowhere */
static int
content_lost(struct repair *x, struct txn *t, uint64_t id,
    struct email_record *rec)
{
	struct body_new n = { .id = rec->body };
	size_t	budget = SIZE_MAX;
	uint8_t	hash[BODY_HASH_LEN];
	struct key k;
	int	r;

	n.content = arena_printf(&t->arena, "Subject: A lost message\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n\r\n"
	    "The content of this message (email %llu, %llu bytes, subject "
	    "\"%.*s\")\r\nwas lost and could not be recovered.\r\n", LL(id),
	    LL(rec->size), SLICE_ARG(rec->subject));
	n.size = n.content.len;
	body_hash_content(n.content, hash);
	n.hash = hash;
	key_fresh(&k, rec->body, FRESH_CHUNK);
	if ((r = txn_del_range(t, &k, &budget)) < 0 ||
	    (r = bodies_del(t, rec->body)) < 0 ||
	    (r = bodies_add(t, &n)) < 0)
		return r;
	repair_say(x, "the content of email %llu is lost", LL(id));
	rec->size = n.size;
	return emails_del_cache(t, id);
}

/* places_prove - drop places where there is no such message */
static int
places_prove(struct repair *x, struct txn *t, uint64_t id,
    struct email_record *rec)
{
	const struct message_meta *m;
	uint8_t	kept = 0;
	int	r;

	for (uint8_t i = 0; i < rec->places.count; i++) {
		struct email_place p = rec->places.at[i];

		r = index_get(t, p.mailbox, p.uid, &m);
		if (r == 0 && m->email == id)
			rec->places.at[kept++] = p;
		else if (r < 0 && r != -ENOENT && r != -EBADMSG)
			return r;
		else
			repair_say(x, "email %llu is not UID %u of mailbox %u",
			    LL(id), p.uid, p.mailbox);
	}
	rec->places.count = kept;
	return 0;
}

/* email_mend - places, content, thread */
static int
email_mend(struct repair *x, struct txn *t, uint64_t id)
{
	const struct flag_set none = { 0 };
	struct message_meta m = { .email = id, .save_date =
		account_now(t->account) };
	struct mailbox_slot *slot;
	struct email_record rec;
	struct body_record body;
	struct key k;
	int	r = emails_get(t, id, &rec);

	if (r < 0)
		return r;
	if ((r = places_prove(x, t, id, &rec)) < 0)
		return r;
	if (rec.places.count == 0) {
		if ((r = txn_mailbox(t, x->recovered, &slot)) < 0 ||
		    (r = emails_place(t, slot, &rec, &none, &m)) < 0)
			return r;
		x->result.recovered++;
		repair_say(x, "email %llu is now in Recovered", LL(id));
	}
	r = bodies_get(t, rec.body, &body);
	if (r == -ENOENT && (r = content_in_chunks(x, t, rec.body)) == 0)
		r = bodies_get(t, rec.body, &body);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0 && repair_has_content(t, rec.body, &body))
		rec.size = body.size + body.prefix.len;
	else if ((r = content_lost(x, t, id, &rec)) < 0)
		return r;
	if (id >= t->rec.next_email)
		t->rec.next_email = id + 1;
	key_u64_u64(&k, KEY_THREAD, rec.thread, id);
	if (rec.thread != id && (r = txn_put(t, &k, SLICE_EMPTY)) < 0)
		return r;
	return emails_put(t, id, &rec);
}

/* message_mend - a message and its email must know each other */
static int
message_mend(struct repair *x, struct txn *t, struct mailbox_slot *slot,
    const struct message_meta *m)
{
	struct email_record rec = { .body = m->email, .thread = m->email,
		.internal_date = m->save_date };
	struct body_record body;
	int	r = emails_get(t, m->email, &rec);

	if (r == -ENOENT && bodies_get(t, m->email, &body) == 0 &&
	    repair_has_content(t, m->email, &body)) {
		rec.size = body.size + body.prefix.len;
		rec.created_modseq = txn_modseq(t);
		repair_say(x, "UID %u of mailbox %u has an email record again",
		    m->uid, slot->id);
		x->result.recovered++;
	} else if (r == -ENOENT) {
		repair_say(x, "UID %u of mailbox %u is lost", m->uid,
		    slot->id);
		if ((r = emails_vanish(t, slot->id, &m->uid, 1)) < 0)
			return r;
		return index_remove(t, slot, m->uid);
	} else if (r < 0) {
		return r;
	}
	for (uint8_t i = 0; i < rec.places.count; i++)
		if (rec.places.at[i].mailbox == slot->id &&
		    rec.places.at[i].uid == m->uid)
			return 0;
	if (rec.places.count == EMAIL_PLACES_MAX)
		return index_remove(t, slot, m->uid);
	rec.places.at[rec.places.count++] =
	    (struct email_place){ slot->id, m->uid };
	return emails_put(t, m->email, &rec);
}

static int
mailbox_mend(struct repair *x, struct txn *t, uint64_t id)
{
	return messages_each(x, t, id, message_mend);
}

/* repair_emails - messages first: they give emails their records back */
int
repair_emails(struct repair *x)
{
	uint32_t recovered;
	int	r;

	if ((r = repair_each(x, KEY_MAILBOX, 4, mailbox_mend)) < 0 ||
	    (r = repair_recovered(x, &recovered)) < 0)
		return r;
	return repair_each(x, KEY_EMAIL, 8, email_mend);
}
