/* SPDX-License-Identifier: ISC */
/*
 * qstate: what changes about messages that wait: attempts, next time, what
 * became of each recipient; the last finished id of each slot; indexes by next
 * time, site, sender and login. queue/state.lmdb (a folder), owned by qmgr
 * alone. The content of messages is in slots (slot.h), which qmgr cannot write.
 *
 * A message that is finished at its first try has no record here but the one
 * of its slot: recovery takes an id that it does not know for a new message.
 *
 * Changes are collected in a batch on the loop and committed as one work item
 * in one transaction: 0 means all of them are durable, anything else that none
 * is. After a commit failed but for lack of room (-ENOSPC) every later one
 * fails too (-EIO): the process should end and start again. Reads run beside a
 * commit, see the last committed state, and are bounded by `max`, so that each
 * is short: long walks go on from a place.
 *
 * Two implementations: LMDB with full sync, and one in memory with crash
 * points for simulated tests.
 */
#ifndef LIBGLOBAL_QSTATE_H
#define LIBGLOBAL_QSTATE_H

#include "libglobal/qstate_record.h"

struct qstate;
struct qstate_batch;

/* --- opening */

#define QSTATE_MAP_SIZE_DEFAULT	((size_t)64 << 30)

/*
 * Open for qmgr; make it if it is not there. One process at a time: -EBUSY if
 * another has it. -EBADMSG: the file is no LMDB or no state of ours, and
 * -EPROTONOSUPPORT: of a newer version; both are left as they are. The folder
 * must be there (slot.h). A process without /proc gives AT_FDCWD, its current
 * folder being the queue's.
 */
MUST_USE int	qstate_open(int queue_fd, size_t map_size,
		    struct qstate **ret_state);
/* Open to read while no qmgr runs (-EBUSY if one does: ask it). -ENOENT: there
 * is none. Nothing on disk changes. */
MUST_USE int	qstate_open_read(int queue_fd, struct qstate **ret_state);
void		qstate_close(struct qstate **state_take);

/* is it new, with recovery not yet done? Then every message found in slots is
 * put on hold (qstate_recover.h). */
MUST_USE int	qstate_is_fresh(struct qstate *s, bool *ret_fresh);

/* --- the one in memory: the "disk" outlives the states opened on it */

struct qstate_disk;
struct qstate_disk	*qstate_disk_new(void);
void		qstate_disk_free(struct qstate_disk *d);
MUST_USE int	qstate_open_memory(struct qstate_disk *d,
		    struct qstate **ret_state);
/* the n-th commit from now on (1: the next) fails and so does all after it,
 * as if the process were dead; `kept` says whether that commit's changes are
 * found after qstate_disk_revive. 0: no crash. */
void	qstate_disk_crash_at(struct qstate_disk *d, uint64_t n, bool kept);
void	qstate_disk_revive(struct qstate_disk *d);
/* the next commit fails with this errno once, changing nothing */
void	qstate_disk_fail_next(struct qstate_disk *d, int error);
uint64_t	qstate_disk_commits(const struct qstate_disk *d);
/* overwrite one byte of a stored value, to test what notices; false: no key */
bool	qstate_disk_damage(struct qstate_disk *d, struct slice key);

/* --- changes; everything given is copied */

struct qstate_batch	*qstate_batch_new(void);
void	qstate_batch_free(struct qstate_batch **b_take);
/* empty for reuse */
void	qstate_batch_reset(struct qstate_batch *b);
/* changes in it */
size_t	qstate_batch_count(const struct qstate_batch *b);

/* put or replace a message; its recipients are separate changes */
void	qstate_batch_message(struct qstate_batch *b,
	    const struct qstate_message *m);
/* put or replace an unfinished recipient */
void	qstate_batch_rcpt(struct qstate_batch *b, const struct queue_id *id,
	    const struct qstate_rcpt *r);
/* a recipient is finished */
void	qstate_batch_rcpt_done(struct qstate_batch *b,
	    const struct queue_id *id, uint32_t index);
/* the message is finished: all its records go; its slot remembers the id (or,
 * large, the id is remembered until qstate_batch_unlinked). For a message
 * without records too. */
void	qstate_batch_finish(struct qstate_batch *b, const struct queue_id *id,
	    struct queue_place place, uint64_t generation);
/* a finished large file's unlink is durable */
void	qstate_batch_unlinked(struct qstate_batch *b,
	    const struct queue_id *id);
/* a slot is never used again, and what its header says is not believed */
void	qstate_batch_retire(struct qstate_batch *b, struct slot_ref ref);
/* the admin replaced the file of a retired slot: forget all about it */
void	qstate_batch_slot_anew(struct qstate_batch *b, struct slot_ref ref);
/* recovery is done; the state is no longer fresh */
void	qstate_batch_recovered(struct qstate_batch *b, int64_t now);
/* put or replace what clients may send again (doubts.h), as bytes */
void	qstate_batch_doubts(struct qstate_batch *b, struct slice doubts);

/* all of it, durably, in one transaction: one work item */
MUST_USE int	qstate_commit(struct qstate *s, const struct qstate_batch *b);

/* --- reading. -ENOENT: no such record; -EBADMSG: it is damaged. */

/* texts live in the arena */
MUST_USE int	qstate_get(struct qstate *s, const struct queue_id *id,
		    struct arena *a, struct qstate_message *ret_message);
/* the bytes of qstate_batch_doubts, in the arena */
MUST_USE int	qstate_doubts(struct qstate *s, struct arena *a,
		    struct slice *ret_doubts);
/* unfinished recipients from that index on, at most max; damaged ones are
 * counted in *ret_damaged (may be NULL) and left out */
MUST_USE int	qstate_rcpts(struct qstate *s, const struct queue_id *id,
		    uint32_t from, size_t max, struct arena *a,
		    struct qstate_rcpt **ret_rcpts, size_t *ret_count,
		    size_t *ret_damaged);
/* -ENOENT: never used */
MUST_USE int	qstate_slot_get(struct qstate *s, struct slot_ref ref,
		    struct qstate_slot *ret_slot);
/* is it a large file that is finished and to be unlinked? 0 or -ENOENT */
MUST_USE int	qstate_is_gone(struct qstate *s, const struct queue_id *id);

/* where a walk goes on; begin with QSTATE_WALK_INIT */
struct qstate_walk {
	struct qstate_key	last;	/* empty: from the start */
	bool			done;
};
#define QSTATE_WALK_INIT	{ { 0, "" }, false }

/* deferred messages whose time is <= now, soonest first, at most max ids. A
 * later call with the same walk goes on behind the last one. */
MUST_USE int	qstate_due(struct qstate *s, struct qstate_walk *w, int64_t now,
		    struct queue_id *ret_ids, size_t max, size_t *ret_count);
/* the soonest next time of a deferred message behind the walk's place (NULL:
 * of all), or -ENOENT */
MUST_USE int	qstate_next_due(struct qstate *s, const struct qstate_walk *w,
		    int64_t *ret_time);

/* which messages: by one index, or all (kind QSTATE_KEY_MESSAGE) */
struct qstate_filter {
	enum qstate_kind	kind;	/* MESSAGE, BY_TIME, BY_SITE, BY_SENDER,
					 * BY_LOGIN */
	struct slice		text;	/* the site, sender or login: whole, in
					 * either case */
};

/* ids of messages that the filter names, each once a call; up to max. Check
 * w->done for the end. */
MUST_USE int	qstate_list(struct qstate *s, const struct qstate_filter *f,
		    struct qstate_walk *w, struct queue_id *ret_ids, size_t max,
		    size_t *ret_count);
/* slots that have a record */
MUST_USE int	qstate_slots(struct qstate *s, struct qstate_walk *w,
		    struct qstate_slot *ret_slots, size_t max,
		    size_t *ret_count);
/* finished large files that are still to be unlinked */
MUST_USE int	qstate_gone(struct qstate *s, struct qstate_walk *w,
		    struct queue_id *ret_ids, size_t max, size_t *ret_count);

/* prove every record and that indexes and records agree; each fault is told in
 * a sentence. Returns 0 or -errno of the machine; ret_faults counts. */
typedef void	qstate_fault_fn(void *arg, const char *sentence);
MUST_USE int	qstate_verify(struct qstate *s, qstate_fault_fn *fault,
		    void *arg, size_t *ret_faults);
/* make all indexes anew from the records, in one transaction: for when verify
 * finds that they disagree */
MUST_USE int	qstate_reindex(struct qstate *s);

#endif
