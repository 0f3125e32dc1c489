/* SPDX-License-Identifier: ISC */
/*
 * Salvage: first the records are made to agree again, then the packs are read
 * for contents that records miss and for mail that they never heard of, then
 * all sums are counted anew. What the metadata knows to be deleted (an email
 * id that was given, and is in no mailbox) is not brought back.
 */
#include "libstore/verify.h"

#include "libstore/bodies.h"
#include "libstore/body.h"
#include "libstore/mailbox.h"
#include "libstore/packs.h"
#include "libstore/repair.h"

#define LL(x)	((unsigned long long)(x))

/* body_found - a record for a wanted content that this pack record has */
static int
body_found(struct repair *x, struct packs_walk *w)
{
	struct body_record rec = { .references = 1,
		.location = BODY_IN_PACK, .pack = w->pack, .offset = w->at,
		.stored = w->rec.head_len + w->rec.payload_len,
		.size = w->rec.size, .prefix = w->rec.prefix };
	uint64_t id = w->rec.email;
	struct txn *t = NULL;
	int	r;

	memcpy(rec.hash.bytes, w->rec.hash, BODY_HASH_LEN);
	if ((r = txn_begin(x->account, true, &t)) < 0)
		return r;
	r = txn_finish(&t, bodies_put(t, id, &rec));
	if (r < 0)
		return r;
	(void)hash_remove(&x->wanted, slice_over(&id, sizeof(id)));
	x->result.recovered++;
	repair_say(x, "found the content of body %llu in pack %u", LL(id),
	    w->pack);
	return 0;
}

/* known_in - the contents of one key space's body records */
static int
known_in(struct txn *t, enum keyspace space, struct hash *known)
{
	struct backend_range *range;
	struct body_record rec;
	struct slice key, value;
	enum fresh_kind kind;
	uint32_t number;
	struct key all;
	uint64_t id;
	int	r;

	key_1(&all, space);
	if ((r = txn_range(t, &all, NULL, &range)) < 0)
		return r;
	while ((r = backend_next(range, &key, &value)) != 0) {
		if (r < 0 && r != -EBADMSG)
			break;
		if (r < 0 || (space == KEY_FRESH && (key_parse_fresh(key, &id,
		    &kind, &number) < 0 || kind != FRESH_BODY)))
			continue;
		if (body_record_decode(value, &rec) == 0)
			(void)hash_put(known, slice_over(rec.hash.bytes,
			    BODY_HASH_LEN), known);
	}
	backend_range_end(&range);
	return r;
}

/* known_hashes - the contents that the account has */
static int
known_hashes(struct account *a, struct hash *known)
{
	struct txn *t = NULL;
	int	r;

	if ((r = txn_begin(a, false, &t)) == 0 &&
	    (r = known_in(t, KEY_BODY, known)) == 0)
		r = known_in(t, KEY_FRESH, known);
	txn_abort(&t);
	return r;
}

/* mail_found - an email that the metadata never heard of */
static int
mail_found(struct repair *x, struct packs_walk *w, struct slice content,
    struct hash *known)
{
	struct deliver_place place = { .flags = w->rec.flags };
	struct deliver_message m = { .prefix = w->rec.prefix,
		.content = content, .has_date = true,
		.internal_date = w->rec.internal_date,
		.places = &place, .place_count = 1 };
	struct slice hash = slice_over(w->rec.hash, BODY_HASH_LEN);
	int	r;

	if (hash_get(known, hash) != NULL)
		return 0;
	if ((r = repair_recovered(x, &place.mailbox)) < 0 ||
	    (r = message_deliver(x->account, &m, 1, DELIVER_NO_QUOTA)) < 0 ||
	    (r = m.result) < 0)
		return r;
	(void)hash_put(known, hash, known);
	x->result.recovered++;
	repair_say(x, "email %llu of pack %u is now UID %u of Recovered",
	    LL(w->rec.email), w->pack, place.uid);
	return 0;
}

/* what the reading of packs carries along */
struct reading {
	struct repair		*x;
	struct packrec_zip	*zip;
	struct hash		 known;
	bool			 has_known;
	struct account_record	 rec;		/* as it was at the start */
	uint64_t		 above;		/* all ids that were seen */
};

/* record_read - one pack record */
static int
record_read(struct reading *g, struct packs_walk *w)
{
	struct buf content = BUF_INIT_MAX((size_t)PACKREC_CONTENT_MAX);
	bool	wanted = repair_is_wanted(g->x, w->rec.email);
	int	r;

	g->x->result.records++;
	if (w->rec.email >= g->above)
		g->above = w->rec.email + 1;
	if (!wanted && !packs_is_unknown(&g->rec, w->rec.email))
		return 0;
	r = packs_walk_content(w, g->zip, &content);
	if (r == -EBADMSG) {
		g->x->result.damaged++;
		r = 0;
		goto out;
	}
	if (r == 0 && wanted)
		r = body_found(g->x, w);
	else if (r == 0 && !g->has_known) {
		r = known_hashes(g->x->account, &g->known);
		g->has_known = r == 0;
	}
	if (r == 0 && !wanted)
		r = mail_found(g->x, w, buf_slice(&content), &g->known);
out:
	buf_free(&content);
	return r;
}

/* pack_read - all records of one pack; a stretch without any counts once */
static int
pack_read(struct reading *g, uint32_t pack)
{
	struct packs_walk w;
	bool	lost = false;
	int	r = packs_walk_begin(g->x->account->backend, pack, 0, &w);

	if (r < 0)
		return r;
	while ((r = packs_walk_next(&w)) != 0) {
		if (r == -EBADMSG) {
			g->x->result.damaged += !lost;
			lost = true;
			continue;
		}
		lost = false;
		if (r < 0 || (r = record_read(g, &w)) < 0)
			break;
	}
	packs_walk_end(&w);
	return r;
}

/* rec_read - which email ids this metadata gave */
static int
rec_read(struct account *a, struct account_record *ret_record)
{
	struct txn *t = NULL;
	int	r = txn_begin(a, true, &t);

	if (r == 0)
		*ret_record = t->rec;
	txn_abort(&t);
	return r;
}

/* above_put - no email id that a pack has is given again, and none is unknown
 * any more */
static int
above_put(struct account *a, uint64_t above)
{
	struct txn *t = NULL;
	int	r = txn_begin(a, true, &t);

	if (r < 0)
		return r;
	if (t->rec.next_email < above || t->rec.unknown_email != 0) {
		if (t->rec.next_email < above)
			t->rec.next_email = above;
		t->rec.unknown_email = 0;
		t->is_changed = true;
	}
	return txn_finish(&t, 0);
}

/* salvage_packs - read them all */
static int
salvage_packs(struct repair *x)
{
	struct backend *b = x->account->backend;
	struct reading g = { .x = x };
	uint32_t pack = 0;
	int	r = rec_read(x->account, &g.rec);

	g.zip = packrec_zip_new();
	while (r == 0 && (r = b->ops->pack_next(b, pack, &pack)) == 0)
		r = pack_read(&g, pack++);
	if (r == -ENOENT)
		r = above_put(x->account, g.above);
	packrec_zip_free(&g.zip);
	hash_free(&g.known);
	return r;
}

/* store_salvage - step by step */
int
store_salvage(struct account *a, verify_report *report, void *arg,
    struct salvage_result *ret_result)
{
	struct repair x = { .account = a, .report = report, .arg = arg };
	int	r;

	if ((r = repair_drop_damaged(&x)) == 0 &&
	    (r = repair_mailboxes(&x)) == 0 &&
	    (r = repair_find_wanted(&x)) == 0 &&
	    (r = salvage_packs(&x)) == 0 && (r = repair_emails(&x)) == 0 &&
	    (r = repair_sums(&x)) == 0)
		*ret_result = x.result;
	hash_free(&x.wanted);
	return r;
}
