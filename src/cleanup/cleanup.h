/* SPDX-License-Identifier: ISC */
/*
 * cleanup: what its files share. A channel carries one message at a time; a
 * message's content is in memory, or beyond a limit in a large file of the
 * queue, until its fate is decided.
 */
#ifndef CLEANUP_CLEANUP_H
#define CLEANUP_CLEANUP_H

#include <fcntl.h>

#include "cleanup/cleanup_params.h"
#include "libglobal/daemon.h"
#include "libglobal/doubts.h"
#include "libglobal/ipc_content.h"
#include "libglobal/ipc_queue.h"
#include "libglobal/large.h"
#include "libglobal/slot.h"
#include "libmail/scan.h"
#include "libmail/sha256.h"
#include "libmail/status.h"
#include "libtask/memfile.h"

#define QUEUE_HERE	AT_FDCWD	/* the queue folder is our root */

/* a slot this process may write, once */
struct lease {
	struct list	link;
	struct slot_ref	ref;
	uint64_t	generation;
};

/* a slot's file that stays open: the same slots are used again and again.
 * One of the smallest class, at its number modulo SLOT_FILES. */
struct slot_file {
	uint32_t	number;
	int		fd;		/* -1: none */
};
#define SLOT_FILES	128

/* the last uses of slots that qmgr was told of, or could not be: as many as
 * leases can be held without another word with it */
#define TOLD_MAX	256

struct cleanup {
	struct daemon	*daemon;
	struct edge	*qmgr;
	struct list	 stock[SLOT_CLASSES];
	size_t		 stock_count[SLOT_CLASSES];
	struct list	 writing;	/* leases under a commit */
	uint64_t	 memory;	/* content in memory, all messages */
	bool		 asking[SLOT_CLASSES];
	struct slot_file file[SLOT_FILES];
	struct msg_slot_lease told_of[TOLD_MAX];
	size_t		 told_count;	/* the ring's next place is this
					 * modulo TOLD_MAX */
	struct signal	 told;		/* qmgr is to hear of commits */
	struct signal	 left;		/* qmgr has ended */
	struct doubts	 doubts;	/* what clients may send again */
	uint64_t	 doubts_of;	/* edge_generation of who told it */
	struct hash	 flights;	/* struct flight, by its id */
	struct list	 landed;	/* those that are over, oldest first */
	size_t		 landed_count;
};

/* one message */
struct message {
	struct cleanup		*cleanup;
	const struct cleanup_params *p;
	struct log		 log;
	struct arena		 arena;
	struct msg_envelope	*envelope;
	struct slice		 received;	/* ready-made field, or empty */
	struct queue_id		 id;
	struct scan		*scan;
	const struct facts	*facts;		/* when the content is complete */
	struct buf		 content;	/* while it is in memory */
	struct large		 large;		/* or else here */
	struct memfile		 sealed;
	int			 large_fd;	/* large, for reading */
	uint64_t		 length;
	uint64_t		 charged;	/* of cleanup->memory */
	uint64_t		 limit;
	int			 failure;	/* of writing; the rest is dropped */
	bool			 too_large;
	bool			 through;
	bool			 each;		/* the client hears each rcpt */
	bool			 now;		/* so, and has back those that
						 * failed for now */
	struct msg_rcpt_answer	*answers;	/* so: of each; else NULL */
	size_t			 answer_count;
	bool			 add_missing;
	bool			 again;		/* it may be in the queue */
	/* cleanup_doubt.c */
	struct sha256		 digest;	/* not begun: of our own */
	struct slice		 flight;	/* content and recipients */
	bool			 flying;	/* its flight is not over */
	bool			 unsure;	/* some of it may be delivered,
						 * whatever the answer */
	bool			 offered;	/* qmgr may be trying it */
};

/* cleanup_channel.c */
MUST_USE int	cleanup_edge(struct task *t, struct daemon *d, int *fd_take,
		    const struct daemon_caller *who);
/* cleanup_message.c */
MUST_USE int	message_begin(struct message *m, struct cleanup *c,
		    const struct msg_content_begin *b);
MUST_USE int	message_add(struct task *t, struct message *m,
		    struct slice bytes);
/* scan it to the end: ready to be committed */
MUST_USE int	message_complete(struct message *m);
/* ready to be offered as well. What waits in the queue is read from there when
 * its turn comes: most of that would hold memory for nothing */
MUST_USE int	message_seal(struct message *m);
/* a descriptor for agents, lent; -1: none was needed. Content is at its start */
int	message_fd(const struct message *m);
void	message_done(struct message *m);
/* cleanup_header.c */
/* pieces and Message-ID of the envelope; refuses what goes in circles */
MUST_USE int	message_dress(struct task *t, struct message *m,
		    struct status *ret_refusal);
/* cleanup_doubt.c: messages that come twice */
void	doubt_begin(struct message *m);
void	doubt_content(struct message *m, struct slice bytes);
/* envelope->content_id and doubts, from the complete content; when qmgr has
 * said what it knows. -ECANCELED */
MUST_USE int	doubt_name(struct task *t, struct message *m);
/* false if the same transaction is being decided upon already */
MUST_USE bool	flight_begin(struct task *t, struct message *m);
/* taken: the client is told that it was */
void	flight_end(struct message *m, bool taken);
struct status	flight_refusal(void);
/* the client may not know what became of a message */
void	doubt_tell(struct cleanup *c, const struct msg_content_unheard *m);
void	doubt_tell_of(const struct message *m);
/* what qmgr knows */
void	doubt_heard(struct cleanup *c, const struct msg_queue_doubts *m);
/* cleanup_slots.c */
void	slots_init(struct cleanup *c);
MUST_USE int	slots_get(struct task *t, struct cleanup *c, uint8_t class,
		    struct lease **ret_lease);
/* it holds a message now; qmgr is to be told */
void	slots_used(struct cleanup *c, struct lease **take);
/* it is another's: nothing was written */
void	slots_stale(struct cleanup *c, struct lease **take);
/* it must never be used again */
void	slots_retire(struct cleanup *c, struct lease **take);
void	slots_put(struct cleanup *c, struct lease **take);
/* the file of a leased slot if it is open already, or -1; taken. It may have
 * been removed since. */
int	slots_take_file(struct cleanup *c, struct slot_ref ref);
/* keep it open, or close it */
void	slots_keep_file(struct cleanup *c, struct slot_ref ref, int *fd_take);
/* cleanup_commit.c */
/* make it durable, tell qmgr, and the answer for that. adopted: qmgr goes on
 * with one that was offered */
void	message_queue(struct task *t, struct message *m, bool adopted,
	    struct status *ret_status);
/* cleanup_offer.c: the verdict lives in the arena */
MUST_USE int	message_offer(struct task *t, struct message *m,
		    struct arena *a, struct msg_queue_verdict **ret_verdict);
/* it was offered, and will not be committed */
void	message_forget(struct task *t, const struct message *m);
/* what the verdict says of a recipient, which should be in that place; NULL:
 * nothing */
const struct msg_rcpt_done	*verdict_of(const struct msg_queue_verdict *v,
				    size_t place, uint32_t number);
/* cleanup_now.c: a result for each recipient in m->answers, or one for all */
void	message_now(struct task *t, struct message *m,
	    struct status *ret_status);
/* cleanup_each.c */
/* how many recipients from there on came of one that the client named */
size_t	each_run(const struct msg_envelope *e, size_t from);
/* the answers that the verdict allows: recipients refused leave the envelope,
 * the client being told; how many, and why the last one */
size_t	each_answer(struct message *m, const struct msg_queue_verdict *v,
	    const struct msg_rcpt_done **ret_refused);
/* what became of those still in the envelope */
void	each_rest(struct message *m, const struct status *s);
/* cleanup_decide.c */
/* decide and carry out; the answer for the client */
void	message_finish(struct task *t, struct message *m,
	    struct status *ret_status);

#endif
