/* SPDX-License-Identifier: ISC */
/*
 * The cleanups, as the files that serve their edges see them: qmgr_cleanup.c
 * keeps the owners and their slots, qmgr_offer.c tries what they offer.
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
/* qmgr_offer.c: the messages of the table about offers */
MUST_USE int	on_offer(struct task *t, struct owner *o, uint32_t request,
		    struct msg_queue_offer *m);
MUST_USE int	on_known(struct task *t, struct owner *o, uint32_t request,
		    const struct msg_queue_known *ask);
void	on_forget(struct qmgr *q, const struct msg_queue_forget *f);
/* what a cleanup that has ended had offered */
void	abandon_offers(struct qmgr *q, const struct owner *o);

#endif
