/* SPDX-License-Identifier: ISC */
/*
 * The state's side of a recovery: what it knows that was not found.
 */
#include "libglobal/qstate_recover_private.h"

#include <stdlib.h>

#include "libutil/alloc.h"

#define PIECE		200

const char recover_why_record[] = "its record in the state is damaged";
static const char why_missing[] =
    "the state knows it, but no slot or file holds it";

/* recover_bits_set - remember a number */
void
recover_bits_set(struct recover_bits *b, uint32_t number)
{
	size_t	want = number / 8 + 1, len;

	if (want > b->len) {
		len = size_max(want, b->len * 2);
		b->byte = xrealloc(b->byte, len);
		memset(b->byte + b->len, 0, len - b->len);
		b->len = len;
	}
	b->byte[number / 8] |= (uint8_t)(1 << number % 8);
}

/* recover_bits_has - is a number remembered? */
bool
recover_bits_has(const struct recover_bits *b, uint32_t number)
{
	return number / 8 < b->len &&
	    (b->byte[number / 8] & 1 << number % 8) != 0;
}

/* recover_tell - count a finding and tell it */
int
recover_tell(struct recovery *v, const struct recover_item *item)
{
	size_t	*const totals[] = {
		[RECOVER_FREE] = &v->totals.free,
		[RECOVER_KNOWN] = &v->totals.known,
		[RECOVER_NEW] = &v->totals.fresh,
		[RECOVER_HELD] = &v->totals.held,
		[RECOVER_DAMAGED] = &v->totals.damaged,
		[RECOVER_RETIRED] = &v->totals.retired,
		[RECOVER_LEASED] = &v->totals.leased,
		[RECOVER_GONE] = &v->totals.gone,
		[RECOVER_MISSING] = &v->totals.missing,
	};

	++*totals[item->finding];
	return v->ops->found(v->ops->arg, item);
}

/* recover_flush - commit what has been collected */
int
recover_flush(struct recovery *v)
{
	int	r;

	if ((r = qstate_commit(v->s, v->batch)) == 0)
		qstate_batch_reset(v->batch);
	return r;
}

/* is_found - was the message of a record found where it should be? */
static bool
is_found(struct recovery *v, const struct qstate_message *m)
{
	if (m->place.kind == QUEUE_PLACE_SLOT)
		return recover_bits_has(&v->known[m->place.slot.class],
		    m->place.slot.number);
	return hash_get(&v->seen, queue_id_text(&m->id)) != NULL;
}

/* check_record - a message that the state knows */
static int
check_record(struct recovery *v, const struct queue_id *id)
{
	struct recover_item   item = { .finding = RECOVER_MISSING, .id = *id,
				  .why = why_missing };
	struct qstate_message m;
	int		      r;

	r = qstate_get(v->s, id, &v->arena, &m);
	arena_reset(&v->arena);
	if (r == -EBADMSG) {
		/* found ones were told and are about to be put on hold */
		if (hash_get(&v->seen, queue_id_text(id)) != NULL)
			return 0;
		item.why = recover_why_record;
		return recover_tell(v, &item);
	}
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	item.place = m.place;
	/* one put on hold just now is not in the bits, but was seen */
	if (is_found(v, &m) ||
	    hash_get(&v->seen, queue_id_text(id)) != NULL)
		return 0;
	return recover_tell(v, &item);
}

/* recover_check_records - all messages that the state knows */
int
recover_check_records(struct recovery *v)
{
	const struct qstate_filter all = { QSTATE_KEY_MESSAGE, SLICE_EMPTY };
	struct qstate_walk	   w = QSTATE_WALK_INIT;
	struct queue_id		  *ids = NEW_ARRAY(struct queue_id, PIECE);
	size_t			   count;
	int			   r = 0;

	while (r == 0 && !w.done) {
		r = qstate_list(v->s, &all, &w, ids, PIECE, &count);
		for (size_t i = 0; r == 0 && i < count; i++)
			r = check_record(v, &ids[i]);
	}
	free(ids);
	return r;
}

/* forget_absent - what the state says of slots whose file is gone is void: the
 * pool shrank, or the admin took a damaged one away */
static int
forget_absent(struct recovery *v)
{
	struct qstate_walk  w = QSTATE_WALK_INIT;
	struct qstate_slot *slots = NEW_ARRAY(struct qstate_slot, PIECE);
	struct slot_ref	    ref;
	size_t		    count;
	int		    r = 0;

	while (r == 0 && !w.done) {
		r = qstate_slots(v->s, &w, slots, PIECE, &count);
		for (size_t i = 0; r == 0 && i < count; i++) {
			ref = slots[i].ref;
			if (!recover_bits_has(&v->present[ref.class], ref.number))
				qstate_batch_slot_anew(v->batch, ref);
		}
	}
	free(slots);
	return r;
}

/* recover_finish - commit what is left, and the mark that recovery is done */
int
recover_finish(struct recovery *v)
{
	int	r;

	if ((r = forget_absent(v)) < 0)
		return r;
	if (v->fresh)
		qstate_batch_recovered(v->batch, v->now);
	if ((r = recover_flush(v)) == 0 && v->reindex)
		r = qstate_reindex(v->s);
	return r;
}
