/* SPDX-License-Identifier: ISC */
/*
 * The cleanups, as the files that serve their edges see them: qmgr_cleanup.c
 * keeps the owners and their slots, qmgr_slots.c looks at slots that nobody
 * speaks of, qmgr_offer.c tries what they offer.
 */
#ifndef QMGR_OWNER_H
#define QMGR_OWNER_H

#include "qmgr/qmgr.h"

struct owner {
	uint32_t	 process;
	uint32_t	 number;	/* in the pool; not 0 */
	struct ipc_conn	*conn;		/* NULL: its edge broke */
	struct hash	 held;		/* as its hellos said */
	struct qmgr	*qmgr;
	bool		 said_hello;
	bool		 gone;		/* before the queue was read */
};

/* wait until the queue has been read */
MUST_USE int	wait_recovered(struct task *t, struct qmgr *q);
/* qmgr_slots.c: look at what is leased to an owner, but slots in `but` */
MUST_USE int	slots_look(struct task *t, struct qmgr *q, uint32_t owner,
		    const struct hash *but);
/* it may hold a message that nobody tells of, or does so soon */
void	slots_doubt(struct qmgr *q, struct slot_ref ref);
void	slots_told(struct qmgr *q, const struct msg_slot_lease *v, size_t n);
/* qmgr_offer.c: the messages of the table about offers */
MUST_USE int	on_offer(struct task *t, struct owner *o, uint32_t request,
		    struct msg_queue_offer *m);
MUST_USE int	on_known(struct task *t, struct owner *o, uint32_t request,
		    const struct msg_queue_known *ask);
void	on_forget(struct qmgr *q, const struct msg_queue_forget *f);
/* what was offered over an edge that broke: its cleanup lives */
void	offers_orphaned(struct qmgr *q, const struct owner *o);
/* what a cleanup that has ended had offered */
void	abandon_offers(struct qmgr *q, const struct owner *o);

#endif
