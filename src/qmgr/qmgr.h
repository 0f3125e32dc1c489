/* SPDX-License-Identifier: ISC */
/*
 * qmgr: what its files share. One process holds the queue: messages that are
 * tried are structs here; all others are records of the state. Every change
 * that must last goes through the committer, which writes many in one flush.
 */
#ifndef QMGR_QMGR_H
#define QMGR_QMGR_H

#include "libglobal/daemon.h"
#include "libglobal/doubts.h"
#include "libglobal/ipc_bounce.h"
#include "libglobal/ipc_delivery.h"
#include "libglobal/ipc_queue.h"
#include "libglobal/qstate.h"
#include "libglobal/qstate_recover.h"
#include "libglobal/slot_pool.h"
#include "libutil/hash.h"
#include "qmgr/qmgr_params.h"
#include "qmgr/sched.h"

struct owner;

/* the owner of slots that may hold a message nobody told of */
#define OWNER_DOUBT	UINT32_MAX

/* what became of a recipient so far */
enum fate {
	FATE_TODO,		/* waits, or is being tried */
	FATE_DONE,
	FATE_LATER,		/* this attempt failed; try again */
	FATE_REFUSED,		/* never; the sender is to be told */
	FATE_TOLD,		/* refused, and the sender was told; or the
				 * client has it back */
	FATE_HELD,		/* refused, and the sender may be an innocent:
				 * the copy waits for the administrator */
	FATE_PUT_OFF,		/* offered; tried when it is committed */
};

struct rcpt_state {
	enum fate	fate;
	unsigned	code;
	struct slice	enhanced;	/* texts live in the message's arena */
	struct slice	text;
	struct slice	relay;
	uint32_t	attempts;
	bool		remote;
	bool		dsn_relayed;	/* the next hop reports success */
};

/* a message that is being tried */
struct qmessage {
	struct qmgr		*qmgr;
	struct arena		 arena;
	struct queue_id		 id;
	struct msg_envelope	*envelope;
	struct rcpt_state	*rcpts;		/* beside envelope->rcpts */
	struct sched_message	*sched;
	struct queue_place	 place;
	struct signal		*waiter;	/* of the offer, when settled */
	struct list		 finishing;	/* in the committer's list */
	uint64_t		 generation;
	uint32_t		 owner;		/* offered: by which cleanup */
	int64_t			 queued;	/* us: when it became active */
	uint32_t		 attempts;
	uint32_t		 flags;		/* QSTATE_ */
	int			 content_fd;	/* -1: read the queue */
	bool			 committed;	/* it has a place */
	bool			 offered;	/* through: not committed yet */
	int64_t			 orphaned;	/* so, and its edge broke: loop
						 * ms of when that was; or 0 */
	bool			 has_state;	/* a record of it exists */
	bool			 settling;
	bool			 cancelled;	/* deleted or held by the admin */
	uint8_t			 wanted;	/* cancelled: QSTATE_HOLD, or 0 */
	uint32_t		 readers;	/* tools that are being shown it */
	bool			 gone;		/* freed, but for them */
};

struct qmgr {
	struct daemon		*daemon;
	struct qstate		*state;
	struct slot_pool	*pool;
	struct sched		*sched;
	struct hash		 messages;	/* struct qmessage, by id */
	struct hash		 unlinks;	/* struct queue_id, by text */
	struct hash		 owners;	/* struct owner, by process */
	struct hash		 flights;	/* offers that are being tried */
	struct qstate_batch	*batch;		/* what is to be written next */
	struct list		 finishing;	/* messages that end with it */
	struct signal		 commit;
	struct signal		 schedule;
	struct signal		 due;
	struct signal		 hello;
	struct list		 committed_waiters;
	size_t			 content_open;
	uint32_t		 hellos;
	uint32_t		 gone;
	uint32_t		 last_owner;
	uint64_t		 batches_done;	/* commits so far */
	uint64_t		 batches_begun;
	struct recent		*recent;	/* qmgr_recent.c */
	struct doubts		 doubts;	/* qmgr_doubt.c */
	bool			 busy;		/* since they were written */
	struct recent		*through;
	struct hash		 changes;	/* struct change, by id */
	struct list		 loads;		/* struct load, under way */
	bool			 recovered;
	bool			 looking;	/* at slots in doubt */
	bool			 crowded;	/* what is due may have no room */
};

/* qmgr_run.c: what main and the tests begin with */
void	qmgr_init(struct qmgr *q, struct daemon *d);
/* release all of it, when its tasks have ended */
void	qmgr_done(struct qmgr *q);
MUST_USE int	qmgr_run(struct task *t, struct daemon *d);
MUST_USE int	qmgr_edge(struct task *t, struct daemon *d, int *fd_take,
		    const struct daemon_caller *who);
/* qmgr_message.c */
/* from a packed envelope; NULL if it is none */
struct qmessage	*qmessage_new(struct qmgr *q, struct slice envelope);
void	qmessage_free(struct qmessage *m);
/* who shows it while it may be freed: it stays readable in between */
void	qmessage_read(struct qmessage *m);
void	qmessage_read_end(struct qmessage *m);
struct qmessage	*qmessage_find(struct qmgr *q, struct slice id);
void	qmessage_take_content(struct qmessage *m, int *fd_take);
/* hand all recipients that are to do to the scheduler */
void	qmessage_schedule(struct qmessage *m, enum sched_lane lane);
/* one that was committed and not tried: try it, or leave it on disk until there
 * is room in memory */
void	qmessage_begin(struct qmessage *m);
/* it lies there, with that envelope: offered before, or new */
void	qmessage_committed(struct qmessage *m,
	    const struct msg_envelope *committed, struct queue_place place,
	    uint64_t generation);
/* the same, found on the disk. -EBADMSG: its envelope is none, or it lies
 * elsewhere as well */
MUST_USE int	qmessage_adopt(struct qmgr *q, const struct queue_id *id,
		    struct slice envelope, struct queue_place place,
		    uint64_t generation);
size_t	qmessage_count(const struct qmessage *m, enum fate fate);
/* have its content open, from the queue if need be */
MUST_USE int	qmessage_open(struct task *t, struct qmessage *m);
void	qmgr_load_params(struct qmgr *q);
void	qmgr_sched_params(struct qmgr *q, struct sched_params *ret_params);
/* qmgr_deliver.c */
MUST_USE int	schedule_task(struct task *t, void *arg);
/* qmgr_settle.c: an attempt is over; decide what is next */
void	qmessage_settle(struct qmessage *m);
/* keep it on disk, in that queue (QSTATE_) until that time, and not in memory */
void	qmessage_park(struct qmessage *m, uint8_t queue, int64_t next);
/* qmgr_report.c: may the sender be written to? 1 or 0 */
MUST_USE int	may_report(struct task *t, struct qmessage *m);
enum report_kind { REPORT_FAILURE = 1, REPORT_DELAY = 2, REPORT_SUCCESS = 3,
    REPORT_HELD = 4 };
/* is any recipient's success to be reported? */
bool	wants_success(const struct msg_envelope *e);
/* have a report made for the recipients of that fate; 0 if none is due */
MUST_USE int	report(struct task *t, struct qmessage *m,
		    enum report_kind kind, enum fate fate, int64_t expires);
/* qmgr_commit.c */
MUST_USE int	commit_task(struct task *t, void *arg);
/* write the batch soon; and wait until what is in it now is durable */
void	commit_soon(struct qmgr *q);
MUST_USE int	commit_wait(struct task *t, struct qmgr *q);
/* the message is finished: forget it once that is durable */
void	commit_finish(struct qmessage *m);
/* qmgr_due.c */
/* a message has left memory: there may be room for one that is due */
void	due_room(struct qmgr *q);
MUST_USE int	due_task(struct task *t, void *arg);
/* -EAGAIN: it is being changed; -EEXIST: it is in memory */
MUST_USE int	qmessage_load(struct task *t, struct qmgr *q,
		    const struct queue_id *id, struct qmessage **ret_message);
/* make and fill a record of it in the batch */
void	qmessage_record(struct qmessage *m, uint8_t queue, int64_t next);
/* qmgr_cleanup.c: an edge from cleanup */
MUST_USE int	cleanup_serve(struct task *t, struct qmgr *q, int *fd_take,
		    const struct daemon_caller *who);
void	owners_free(struct qmgr *q);
void	owners_held(struct qmgr *q, struct hash *out);
void	owners_lease(struct qmgr *q);
void	peer_gone(struct daemon *d, uint32_t process);
struct slice	owner_key(const uint32_t *process);
/* tell some cleanup to unlink a large file */
void	owners_tell_unlink(struct qmgr *q, struct slice queue_id);
/* is there a cleanup that has ended, or whose edge broke, and whose slots have
 * not been looked at? */
bool	owners_in_doubt(const struct qmgr *q);
/* qmgr_slots.c: look at slots in doubt until none is */
void	slots_clear_doubts(struct qmgr *q);
/* qmgr_large.c: large files that cleanups die over */
void	large_finished(struct qmgr *q, struct slice queue_id);
void	large_tell_all(struct qmgr *q);
MUST_USE int	large_unlinked(struct qmgr *q, struct slice queue_id);
/* look for files that a cleanup, the one of that number, could not tell of */
MUST_USE int	large_adopt(struct task *t, struct qmgr *q, uint32_t owner);
/* qmgr_recent.c: ids that were finished not long ago */
void	recent_free(struct qmgr *q);
void	recent_add(struct qmgr *q, const struct queue_id *id);
bool	recent_is_over(const struct qmgr *q, const struct queue_id *id);
/* the same of those that were delivered to all, and never committed */
void	through_add(struct qmgr *q, const struct queue_id *id);
bool	through_has(const struct qmgr *q, const struct queue_id *id);
/* known, or finished not long ago? */
bool	recent_find(struct qmgr *q, const struct queue_id *id);
/* was a message of that id committed? Waits for what dead cleanups left */
MUST_USE int	recent_known(struct task *t, struct qmgr *q, struct slice id,
		    bool *ret_known);
/* qmgr_doubt.c: what clients may send again */
void	qdoubt_recover(struct qmgr *q);
MUST_USE int	qdoubt_task(struct task *t, void *arg);
MUST_USE int	qdoubt_tell_all(struct owner *o);
MUST_USE int	qdoubt_heard(struct qmgr *q,
		    const struct msg_queue_unheard *m);
void	qdoubt_mishap(struct daemon *d, int64_t when);
/* from when on equal messages that were taken may be this one, which was
 * overtaken by them; 0: none is */
int64_t	qdoubt_again(const struct qmgr *q, const struct msg_envelope *e);
/* the doubts with which a message is to be delivered; how many */
#define QDOUBT_MAX	16	/* in an envelope */
size_t	qdoubt_of(const struct qmgr *q, const struct msg_envelope *e,
	    struct msg_doubt ret_doubts[QDOUBT_MAX]);
/* qmgr_change.c: records that the administrator changes, and those who read
 * them meanwhile */
/* a record was changed in the batch; what was read of it before is old */
void	change_begin(struct qmgr *q, const struct queue_id *id);
/* the same, and it is finished: its place is free when that is durable */
void	change_delete(struct qmgr *q, const struct qstate_message *m);
bool	change_is_pending(const struct qmgr *q, const struct queue_id *id);
/* a batch was committed */
void	changes_done(struct qmgr *q);
/* a reader: -EAGAIN from its end if the record was changed meanwhile */
struct load {
	struct list	link;
	struct queue_id	id;
	bool		stale;
};
void	load_begin(struct qmgr *q, struct load *l, const struct queue_id *id);
MUST_USE int	load_end(struct load *l);
/* qmgr_recover.c */
MUST_USE int	recover(struct task *t, struct qmgr *q);
/* qmgr_admin.c */
MUST_USE int	admin_serve(struct task *t, struct qmgr *q, int *fd_take,
		    const struct daemon_caller *caller);

#endif
