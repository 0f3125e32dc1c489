/* SPDX-License-Identifier: ISC */
/*
 * Records stand under the quarter of a day they were made in, then under their
 * content: what is forgotten goes in one piece, and few places are looked at
 * to find one.
 */
#include "libstore/deliveries.h"

#include <string.h>

#include "libstore/message.h"
#include "libstore/records.h"
#include "libstore/txn.h"
#include "libutil/cursor.h"

#define QUARTER		(INT64_C(6) * 3600)
#define PRUNE		16	/* old ones that a new one removes */

/* quarter_now - the quarter of a day that it is */
static uint32_t
quarter_now(const struct account *a)
{
	int64_t	now = account_now(a);

	return now < 0 ? 0 : (uint32_t)(now / QUARTER);
}

/* quarter_oldest - the first that is remembered */
static uint32_t
quarter_oldest(const struct account *a)
{
	uint32_t now = quarter_now(a);
	uint32_t keep = (a->p.delivery_id_hours + 5) / 6;

	return now > keep ? now - keep : 0;
}

/* content_key - under it stand all deliveries of a content */
static int
content_key(struct key *k, uint32_t quarter, const struct delivery_mark *mark)
{
	key_u32(k, KEY_DELIVERY, quarter);
	return key_add_bytes(k, slice_over(mark->content, DELIVERY_ID_LEN));
}

/* --- doubts as bytes */

static void
doubts_encode(const struct delivery_mark *mark, struct buf *out)
{
	for (size_t i = 0; i < mark->doubt_count; i++) {
		buf_add_le64(out, (uint64_t)mark->doubts[i].since);
		buf_add_le64(out, (uint64_t)mark->doubts[i].until);
	}
}

/* doubts_hold - is that time in one of them? */
static bool
doubts_hold(struct slice doubts, int64_t when)
{
	struct cursor	c = cursor_over(doubts);
	uint64_t	since, until;

	while (cursor_le64(&c, &since) == 0 && cursor_le64(&c, &until) == 0)
		if (when >= (int64_t)since && when <= (int64_t)until)
			return true;
	return false;
}

/* is_in_doubt - was it taken at a time that the other one doubts? */
static bool
is_in_doubt(const struct delivery_mark *mark, int64_t when)
{
	for (size_t i = 0; i < mark->doubt_count; i++)
		if (when >= mark->doubts[i].since &&
		    when <= mark->doubts[i].until)
			return true;
	return false;
}

/* was_overtaken - is the one that was taken then what was sent in its place?
 * Nothing is used up: that one goes on to stand for itself. */
static bool
was_overtaken(const struct delivery_mark *mark, int64_t when)
{
	return mark->again > mark->taken && when >= mark->again;
}

/* --- finding */

/* what was found, and where */
struct found {
	struct delivery_record	rec;
	struct key		key;
	bool			is_copy;	/* that the new one doubts */
};

/* is_same - is the one of that key and record this one? */
static bool
is_same(const struct delivery_mark *mark, struct slice key,
    struct found *ret_found)
{
	struct slice id = slice_from(key, key.len - DELIVERY_ID_LEN);

	ret_found->is_copy = false;
	if (slice_equal(id, slice_over(mark->id, DELIVERY_ID_LEN)) ||
	    doubts_hold(ret_found->rec.doubts, mark->taken))
		return true;
	ret_found->is_copy = is_in_doubt(mark, ret_found->rec.taken);
	return ret_found->is_copy || was_overtaken(mark, ret_found->rec.taken);
}

/* walk - through one content of a quarter: 0 found, 1 not there; then
 * *ret_quarter is where the next record stands, UINT32_MAX if there is none. A
 * damaged record is none: mail must go on. */
static int
walk(struct backend_range *range, struct slice prefix,
    const struct delivery_mark *mark, struct found *ret_found,
    uint32_t *ret_quarter)
{
	struct slice	key, value;
	int		r;

	*ret_quarter = UINT32_MAX;
	while ((r = backend_next(range, &key, &value)) != 0) {
		if (r < 0 && r != -EBADMSG)
			return r;
		if (!slice_has_prefix(key, prefix)) {
			ignore(key_parse_u32(slice_sub(key, 0, 5),
			    KEY_DELIVERY, ret_quarter));	/* or none */
			return 1;
		}
		if (r == 1 && key.len == prefix.len + DELIVERY_ID_LEN &&
		    delivery_record_decode(value, &ret_found->rec) == 0 &&
		    is_same(mark, key, ret_found)) {
			ret_found->key.len = key.len;
			memcpy(ret_found->key.bytes, key.data, key.len);
			return 0;
		}
	}
	return 1;
}

/* find - quarters in which there is nothing are skipped */
static int
find(struct txn *t, const struct delivery_mark *mark,
    struct found *ret_found)
{
	struct backend_range	*range;
	uint32_t		 at = quarter_oldest(t->account), next;
	uint32_t		 now = quarter_now(t->account);
	struct key		 all, from;
	int			 r;

	key_1(&all, KEY_DELIVERY);
	while (at <= now) {
		range = NULL;
		if ((r = content_key(&from, at, mark)) < 0 ||
		    (r = txn_range(t, &all, &from, &range)) < 0)
			return r;
		r = walk(range, key_slice(&from), mark, ret_found, &next);
		backend_range_end(&range);
		if (r <= 0)
			return r;
		/* behind it may be other contents of the same quarter */
		at = next > at ? next : at + 1;
	}
	return -ENOENT;
}

/* --- remembering */

/* put - a record of this delivery */
static int
put(struct txn *t, const struct key *k, const struct delivery_record *rec)
{
	buf_reset(&t->scratch);
	delivery_record_encode(&t->scratch, rec);
	return txn_put(t, k, buf_slice(&t->scratch));
}

/* put_mark - the record of a delivery with that mark */
static int
put_mark(struct txn *t, const struct delivery_mark *mark,
    struct delivery_record *rec)
{
	struct buf	doubts = BUF_INIT;
	struct key	k;
	int		r;

	if (mark->doubt_count > DELIVERY_DOUBTS_MAX)
		return -EINVAL;
	if ((r = content_key(&k, quarter_now(t->account), mark)) < 0 ||
	    (r = key_add_bytes(&k, slice_over(mark->id,
	    DELIVERY_ID_LEN))) < 0)
		return r;
	doubts_encode(mark, &doubts);
	rec->doubts = buf_slice(&doubts);
	rec->taken = mark->taken;
	r = put(t, &k, rec);
	buf_free(&doubts);
	return r;
}

/* absorb - the copy takes the place of the one it is a copy of: that one
 * explains no other copy any more, only repetitions of itself */
static int
absorb(struct txn *t, const struct delivery_mark *mark, struct found *f)
{
	struct delivery_record	rec = f->rec;
	int			r;

	rec.taken = 0;
	rec.doubts = arena_dup(&t->arena, f->rec.doubts); /* lent so far */
	r = put(t, &f->key, &rec);
	return r < 0 ? r : put_mark(t, mark, &rec);
}

/* deliveries_find - is it here already? */
int
deliveries_find(struct txn *t, struct deliver_message *m)
{
	struct found		*f = ARENA_NEW(&t->arena, struct found);
	struct mailbox_slot	*slot;
	int			 r = find(t, m->mark, f);

	if (r < 0)
		return r;
	m->email = f->rec.email;
	m->thread = 0;
	m->places[0].mailbox = f->rec.mailbox;
	m->places[0].uid = f->rec.uid;
	m->places[0].uidvalidity = 0;
	if (txn_mailbox(t, f->rec.mailbox, &slot) == 0)
		m->places[0].uidvalidity = slot->rec.uidvalidity;
	return f->is_copy ? absorb(t, m->mark, f) : 0;
}

/* prune - remove some that are older than is remembered */
static int
prune(struct txn *t)
{
	struct backend_range	*range;
	struct slice		 key, value;
	struct key		 all, oldest;
	size_t			 budget = PRUNE;
	int			 r;

	key_1(&all, KEY_DELIVERY);
	if ((r = txn_range(t, &all, NULL, &range)) < 0)
		return r;
	r = backend_next(range, &key, &value);
	/* its quarter as a prefix */
	if (r == 1 || r == -EBADMSG) {
		oldest.len = size_min(key.len, 1 + 4);
		memcpy(oldest.bytes, key.data, oldest.len);
	}
	backend_range_end(&range);
	if (r == 0 || (r < 0 && r != -EBADMSG))
		return r;
	key_u32(&all, KEY_DELIVERY, quarter_oldest(t->account));
	if (slice_compare(key_slice(&oldest), key_slice(&all)) >= 0)
		return 0;
	return txn_del_range(t, &oldest, &budget);
}

/* deliveries_note - it was stored: remember it */
int
deliveries_note(struct txn *t, const struct deliver_message *m)
{
	struct delivery_record	rec = { .email = m->email,
		.mailbox = m->places[0].mailbox, .uid = m->places[0].uid };
	int			r = prune(t);

	return r < 0 ? r : put_mark(t, m->mark, &rec);
}
