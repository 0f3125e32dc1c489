/* SPDX-License-Identifier: ISC */
/*
 * One pass over the slots' headers, one over large files, one over the
 * state's messages. Only what the state does not know is read whole: there a
 * write may have been cut short. What changes in the state (messages put on
 * hold) is committed in pieces, and the mark that the state is no longer fresh
 * is in the last of them: a start-up that is cut short begins again.
 */
#include "libglobal/qstate_recover_private.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "libglobal/large.h"
#include "libglobal/slot.h"

#define BATCH_CHANGES	2000

static const char why_lost[] = "the queue's state was lost";
static const char why_older[] =
    "the state is older than this slot, or was restored";
static const char why_slot[] = "the state's record of its slot is damaged";
static const char why_head[] = "the header is damaged";
static const char why_version[] = "written by a newer version";
static const char why_content[] =
    "a checksum does not match: damaged, or a write that was cut short";
static const char why_envelope[] = "the envelope cannot be decoded";
static const char why_copy[] =
    "a second copy of a message that lies elsewhere";

/* is_second - was this id found before? Remember it. */
static bool
is_second(struct recovery *v, const struct queue_id *id)
{
	return hash_put(&v->seen, queue_id_text(id), v) != NULL;
}

/* hold - put a message on hold; -EBADMSG: its envelope is none */
static int
hold(struct recovery *v, const struct recover_item *item)
{
	const struct queue_head *h = item->head;
	struct qstate_message	 m = { .id = h->id };
	struct qstate_rcpt	*rcpts = NULL;
	size_t			 count = 0;
	int			 r;

	r = v->ops->describe(v->ops->arg, h, item->envelope, &v->arena, &m,
	    &rcpts, &count);
	if (r < 0)
		goto out;
	m.id = h->id;
	m.queue = QSTATE_HOLD;
	m.flags |= QSTATE_RECOVERED;
	m.place = h->place;
	m.generation = h->generation;
	m.arrival = h->arrival;
	m.next = v->now;
	m.size = h->content_len;
	m.reason = slice_of(item->why);
	qstate_batch_message(v->batch, &m);
	for (size_t i = 0; i < count; i++)
		qstate_batch_rcpt(v->batch, &m.id, &rcpts[i]);
	if (qstate_batch_count(v->batch) >= BATCH_CHANGES)
		r = recover_flush(v);
out:
	arena_reset(&v->arena);
	return r;
}

/* tell_damaged - something that is kept aside */
static int
tell_damaged(struct recovery *v, struct recover_item *item, const char *why)
{
	item->finding = RECOVER_DAMAGED;
	item->why = why;
	return recover_tell(v, item);
}

/* tell_unknown - a whole message that the state does not know: why says
 * whether it may go on */
static int
tell_unknown(struct recovery *v, struct recover_item *item, const char *why)
{
	int	r;

	if (is_second(v, &item->id))
		return tell_damaged(v, item, why_copy);
	item->envelope = buf_slice(&v->envelope);
	item->finding = why == NULL ? RECOVER_NEW : RECOVER_HELD;
	item->why = why;
	if (why != NULL && v->change) {
		if ((r = hold(v, item)) == -EBADMSG)
			return tell_damaged(v, item, why_envelope);
		if (r < 0)
			return r;
	}
	return recover_tell(v, item);
}

/* look_up - what the state says of a message that was found: 0 and whether it
 * lies where the state thinks; -ENOENT, -EBADMSG */
static int
look_up(struct recovery *v, const struct queue_head *head, bool *ret_here)
{
	struct qstate_message m;
	int		      r;

	r = qstate_get(v->s, &head->id, &v->arena, &m);
	arena_reset(&v->arena);
	if (r == 0)
		*ret_here = queue_place_equal(m.place, head->place) &&
		    m.generation == head->generation;
	return r;
}

/* slot_is_whole - read envelope and content of a slot and prove them */
static int
slot_is_whole(struct recovery *v, const struct queue_head *head)
{
	int	fd, r;

	if ((r = slot_open_read(v->queue_fd, head->place.slot, &fd)) < 0)
		return r;
	if ((r = slot_lock_read(fd)) == 0 &&
	    (r = slot_read_envelope(fd, head, &v->envelope)) == 0)
		r = slot_check_content(fd, head);
	close(fd);
	return r;
}

/* look_again - at a header that made no sense: it may have been read while it
 * was written. -EBUSY: it is being written */
static int
look_again(struct recovery *v, struct slot_ref ref,
    struct queue_head *ret_head)
{
	int	fd, r;

	if ((r = slot_open_read(v->queue_fd, ref, &fd)) < 0)
		return r;
	if ((r = slot_lock_read(fd)) == 0)
		r = slot_read_head(fd, ref, ret_head);
	close(fd);
	return r;
}

/* tell_leased - somebody may write it: it is not looked at */
static int
tell_leased(struct recovery *v, struct slot_ref ref, uint64_t generation)
{
	struct recover_item item = { .finding = RECOVER_LEASED,
	    .place = QUEUE_PLACE_IN_SLOT(ref), .generation = generation };

	return recover_tell(v, &item);
}

/* slot_unknown - a header whose id the state does not have */
static int
slot_unknown(struct recovery *v, struct recover_item *item,
    const struct qstate_slot *known, const char *why)
{
	int	r;

	r = slot_is_whole(v, item->head);
	if (r == -EBUSY)
		return tell_leased(v, item->place.slot, known->generation);
	if (r == -EBADMSG)
		return tell_damaged(v, item, why_content);
	if (r < 0)
		return r;
	if (why == NULL && v->fresh)
		why = why_lost;
	if (why == NULL && item->head->generation != known->generation + 1)
		why = why_older;
	item->generation = item->head->generation;
	return tell_unknown(v, item, why);
}

/* slot_message - a slot with a header that is not the last finished one's */
static int
slot_message(struct recovery *v, struct recover_item *item,
    const struct qstate_slot *known, const char *why)
{
	bool	here;
	int	r;

	r = look_up(v, item->head, &here);
	if (r == -ENOENT)
		return slot_unknown(v, item, known, why);
	if (r == -EBADMSG) {
		v->reindex = true;
		return slot_unknown(v, item, known, recover_why_record);
	}
	if (r < 0)
		return r;
	if (!here)
		return tell_damaged(v, item, why_copy);
	recover_bits_set(&v->known[item->place.slot.class], item->place.slot.number);
	item->finding = RECOVER_KNOWN;
	item->generation = item->head->generation;
	return recover_tell(v, item);
}

/* found_slot - decide about one slot */
static int
found_slot(void *arg, struct slot_ref ref, int why_not,
    const struct queue_head *head)
{
	struct recovery	   *v = arg;
	struct recover_item item = { .finding = RECOVER_FREE, .head = head,
				.place = QUEUE_PLACE_IN_SLOT(ref) };
	struct qstate_slot  known = { .ref = ref };
	struct queue_head   again;
	const char	   *why = NULL;
	int		    r;

	recover_bits_set(&v->present[ref.class], ref.number);
	if (head != NULL)
		item.id = head->id;
	r = qstate_slot_get(v->s, ref, &known);
	if (r == -EBADMSG) {
		known = (struct qstate_slot){ .ref = ref };
		why = why_slot;
	} else if (r < 0 && r != -ENOENT) {
		return r;
	}
	item.generation = known.generation;
	if (known.flags & QSTATE_SLOT_RETIRED) {
		item.finding = RECOVER_RETIRED;
		return recover_tell(v, &item);
	}
	if (v->ops->is_leased != NULL && v->ops->is_leased(v->ops->arg, ref))
		return tell_leased(v, ref, known.generation);
	if (why_not == -ENODATA)
		return recover_tell(v, &item);
	if (why_not == -EBADMSG &&
	    (why_not = look_again(v, ref, &again)) == 0) {
		item.head = head = &again;
		item.id = again.id;
	}
	if (why_not == -EBUSY)
		return tell_leased(v, ref, known.generation);
	if (why_not < 0)
		return tell_damaged(v, &item, why_not == -EPROTONOSUPPORT ?
		    why_version : why_head);
	if (queue_id_equal(&known.finished, &head->id))
		return recover_tell(v, &item);
	return slot_message(v, &item, &known, why);
}

/* large_unknown - a whole large file that the state does not know */
static int
large_unknown(struct recovery *v, struct recover_item *item, const char *why)
{
	struct queue_head head;
	int		  fd, r;

	r = large_open(v->queue_fd, &item->id, &fd, &head, &v->envelope);
	if (r == 0) {
		r = large_check_content(fd, &head);
		close(fd);
	}
	if (r == -EBADMSG)
		return tell_damaged(v, item, why_content);
	if (r < 0)
		return r;
	return tell_unknown(v, item, v->fresh ? why_lost : why);
}

/* found_large - decide about one large file */
static int
found_large(void *arg, const struct queue_id *id, int why_not,
    const struct queue_head *head)
{
	struct recovery	   *v = arg;
	struct recover_item item = { .finding = RECOVER_GONE, .head = head,
				.place = QUEUE_PLACE_IN_LARGE, .id = *id };
	bool		    here;
	int		    r;

	r = qstate_is_gone(v->s, id);
	if (r == 0)
		return recover_tell(v, &item);
	if (r != -ENOENT && r != -EBADMSG)
		return r;
	if (why_not < 0)
		return tell_damaged(v, &item, why_not == -EPROTONOSUPPORT ?
		    why_version : why_head);
	r = look_up(v, head, &here);
	if (r == -EBADMSG)
		v->reindex = true;
	if (r == -ENOENT || r == -EBADMSG)
		return large_unknown(v, &item,
		    r == -EBADMSG ? recover_why_record : NULL);
	if (r < 0)
		return r;
	if (!here)
		return tell_damaged(v, &item, why_copy);
	(void)is_second(v, id);
	item.finding = RECOVER_KNOWN;
	return recover_tell(v, &item);
}

/* recover - both kinds */
static int
recover(struct recovery *v)
{
	size_t	slots, large;
	int	r;

	if ((r = qstate_is_fresh(v->s, &v->fresh)) < 0)
		return r;
	if ((r = slot_scan(v->queue_fd, found_slot, v, &slots)) < 0 ||
	    (r = large_scan(v->queue_fd, found_large, v, &large)) < 0 ||
	    (r = recover_check_records(v)) < 0)
		return r;
	v->totals.strange = slots + large;
	v->totals.state_lost = v->fresh && v->totals.held > 0;
	return v->change ? recover_finish(v) : 0;
}

/* run - prepare, recover, release */
static int
run(struct recovery *v, struct recover_totals *ret_totals)
{
	int	r;

	v->batch = qstate_batch_new();
	v->envelope = (struct buf)BUF_INIT_MAX(QFORMAT_ENVELOPE_MAX);
	if ((r = recover(v)) == 0)
		*ret_totals = v->totals;
	qstate_batch_free(&v->batch);
	arena_free(&v->arena);
	buf_free(&v->envelope);
	hash_free(&v->seen);
	for (size_t i = 0; i < SLOT_CLASSES; i++) {
		free(v->known[i].byte);
		free(v->present[i].byte);
	}
	return r;
}

/* qstate_recover - decide about all that lies in the queue */
int
qstate_recover(struct qstate *s, int queue_fd, int64_t now,
    const struct recover_ops *ops, struct recover_totals *ret_totals)
{
	struct recovery	v = { .s = s, .queue_fd = queue_fd, .now = now,
			    .change = true, .ops = ops };

	assert(ops->describe != NULL && ops->found != NULL);
	return run(&v, ret_totals);
}

/* qstate_survey - tell what would be decided */
int
qstate_survey(struct qstate *s, int queue_fd, const struct recover_ops *ops,
    struct recover_totals *ret_totals)
{
	struct recovery	v = { .s = s, .queue_fd = queue_fd, .ops = ops };

	return run(&v, ret_totals);
}
