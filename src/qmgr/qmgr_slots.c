/* SPDX-License-Identifier: ISC */
/*
 * Slots whose lease ended without a word. What lies in them says what became of
 * them: an older message (nothing was written), a message of the lease's own
 * generation (it was committed, and the news was lost), or neither (a write that
 * was cut short, which the next one overwrites). One that is being written just
 * now is in doubt: it is nobody's, and looked at again until that is known.
 */
#include "qmgr/qmgr_owner.h"

#include <fcntl.h>
#include <stdlib.h>

#include "libglobal/slot.h"
#include "libtask/work.h"
#include "libutil/alloc.h"

#define DOUBT_PAUSE	1000	/* ms */

struct look_job {
	struct slot_lease	lease;
	struct queue_head	head;
	struct buf		envelope;
	int			r;
};

static int
look_work(void *arg)
{
	struct look_job	*j = arg;
	int		 fd, r;

	if ((r = slot_open_read(AT_FDCWD, j->lease.ref, &fd)) < 0)
		return r;
	if ((r = slot_lock_read(fd)) == 0)
		r = slot_read_head(fd, j->lease.ref, &j->head);
	if (r == 0)
		r = slot_read_envelope(fd, &j->head, &j->envelope);
	if (r == 0)
		r = slot_check_content(fd, &j->head);
	if (r == 0)
		r = slot_flush(fd);	/* its writer may not have */
	fd_close(&fd);
	return r;
}

/* adopt - a message that was committed, and nobody told us */
static void
adopt(struct qmgr *q, uint32_t owner, const struct look_job *j)
{
	ignore(slot_pool_use(q->pool, j->lease.ref, owner)); /* is leased */
	if (qmessage_adopt(q, &j->head.id, buf_slice(&j->envelope),
	    QUEUE_PLACE_IN_SLOT(j->lease.ref), j->head.generation) < 0)
		ignore(slot_pool_set_aside(q->pool, j->lease.ref));
}

/* judge - what was found in a slot that is leased to that owner */
static void
judge(struct qmgr *q, uint32_t owner, const struct look_job *j, int found)
{
	struct slot_ref	ref = j->lease.ref;

	if (found == -EBUSY)
		slots_doubt(q, ref);
	else if (found == 0 && j->head.generation == j->lease.generation)
		adopt(q, owner, j);
	else if (found == -ENOENT)
		slot_pool_remove(q->pool, ref);
	else	/* an older message, none, or one that was cut short in the
		 * middle, which nobody was told of */
		ignore(slot_pool_return(q->pool, ref, owner));
}

/* look_at - what does a slot hold whose owner does not speak of it? */
static int
look_at(struct task *t, struct qmgr *q, uint32_t owner,
    const struct slot_lease *lease)
{
	struct look_job	*j = NEW(struct look_job);
	int		 r;

	j->lease = *lease;
	j->envelope = (struct buf)BUF_INIT_MAX(QFORMAT_ENVELOPE_MAX);
	r = work_run(t, look_work, j);
	/* the news may have come meanwhile */
	if (r != -ECANCELED &&
	    slot_pool_is_leased(q->pool, lease->ref, owner))
		judge(q, owner, j, r);
	buf_free(&j->envelope);
	free(j);
	return r == -ECANCELED ? r : 0;
}

/* slots_look - at those leased to an owner, but what is in but */
int
slots_look(struct task *t, struct qmgr *q, uint32_t owner,
    const struct hash *but)
{
	struct slot_pool_walk	walk = { 0, 0 };
	struct slot_lease	lease;
	int			r = 0;

	while (r == 0 && slot_pool_next_leased(q->pool, owner, &walk,
	    &lease)) {
		struct msg_slot_ref key = { lease.ref.class, lease.ref.number };

		if (but == NULL ||
		    hash_get(but, slice_over(&key, sizeof(key))) == NULL)
			r = look_at(t, q, owner, &lease);
	}
	return r;
}

static bool
is_any_in_doubt(const struct qmgr *q)
{
	struct slot_pool_walk	walk = { 0, 0 };
	struct slot_lease	lease;

	return slot_pool_next_leased(q->pool, OWNER_DOUBT, &walk, &lease);
}

/* doubt_task - until nothing is in doubt */
static int
doubt_task(struct task *t, void *arg)
{
	struct qmgr	*q = arg;
	int		 r = 0;

	while (r == 0 && is_any_in_doubt(q))
		if ((r = slots_look(t, q, OWNER_DOUBT, NULL)) == 0 &&
		    is_any_in_doubt(q))
			r = task_sleep(t, DOUBT_PAUSE);
	q->looking = false;
	return r;
}

/* slots_doubt - it is nobody's until it has been looked at */
void
slots_doubt(struct qmgr *q, struct slot_ref ref)
{
	if (slot_pool_move(q->pool, ref, OWNER_DOUBT) == 0)
		slots_clear_doubts(q);
}

/* slots_clear_doubts - look at what is in doubt, soon */
void
slots_clear_doubts(struct qmgr *q)
{
	if (q->looking || !is_any_in_doubt(q))
		return;
	q->looking = true;
	task_group_start(daemon_group(q->daemon), doubt_task, q);
}

/* slots_told - a cleanup says what it has written of late; we, or who was here
 * before, may not have heard of it */
void
slots_told(struct qmgr *q, const struct msg_slot_lease *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct slot_ref ref = { (uint8_t)v[i].size_class, v[i].number };

		if (v[i].size_class < SLOT_CLASSES &&
		    v[i].generation > slot_pool_generation(q->pool, ref))
			slots_doubt(q, ref);
	}
}
