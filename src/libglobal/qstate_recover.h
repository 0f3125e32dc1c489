/* SPDX-License-Identifier: ISC */
/*
 * qstate_recover: what qmgr does once at start-up, after every cleanup's
 * leases are collected: compare what lies in slots and large files with what
 * the state knows, and decide for each. The rules are the table "Recovery" of
 * doc/queue-format.md. With a state opened to read (the suite is stopped, a
 * tool lists the queue) it only tells, and changes nothing.
 */
#ifndef LIBGLOBAL_QSTATE_RECOVER_H
#define LIBGLOBAL_QSTATE_RECOVER_H

#include "libglobal/qstate.h"

enum recover_finding {
	RECOVER_FREE,		/* a slot that may be used */
	RECOVER_KNOWN,		/* holds a message that the state knows */
	RECOVER_NEW,		/* holds a message that it does not: try it */
	RECOVER_HELD,		/* the same, but put on hold; see why */
	RECOVER_DAMAGED,	/* kept aside: checksum, or a second copy */
	RECOVER_RETIRED,	/* a slot out of service */
	RECOVER_LEASED,		/* a cleanup may write it, or does so now: not
				 * looked at */
	RECOVER_GONE,		/* a finished large file: unlink it */
	RECOVER_MISSING,	/* the state knows a message that is nowhere */
};

struct recover_item {
	enum recover_finding	 finding;
	struct queue_place	 place;
	const struct queue_head	*head;		/* NULL: unreadable, missing */
	struct slice		 envelope;	/* NEW and HELD only */
	struct queue_id		 id;		/* empty when unreadable */
	uint64_t		 generation;	/* slots: of the last finished
						 * use; 0 is none */
	const char		*why;		/* a sentence, or NULL */
};

struct recover_ops {
	void	*arg;
	/* fill in from the envelope what a record needs: flags, expiry,
	 * rcpt_count, sender, login, and the recipients. -EBADMSG: it is no
	 * envelope. Called for messages that are put on hold. */
	int	(*describe)(void *arg, const struct queue_head *head,
		    struct slice envelope, struct arena *a,
		    struct qstate_message *message, struct qstate_rcpt **rcpts,
		    size_t *rcpt_count);
	/* does a cleanup that is alive hold this slot? NULL: none is */
	bool	(*is_leased)(void *arg, struct slot_ref ref);
	/* told of everything; a negative return ends the recovery */
	int	(*found)(void *arg, const struct recover_item *item);
};

struct recover_totals {
	size_t	free, known, fresh, held, damaged, retired, leased, gone,
		missing;
	size_t	strange;	/* names that do not belong there */
	bool	state_lost;	/* so everything found was put on hold */
};

/* now: the time that goes into the state. Totals are valid on success. */
MUST_USE int	qstate_recover(struct qstate *s, int queue_fd, int64_t now,
		    const struct recover_ops *ops,
		    struct recover_totals *ret_totals);
/* the same without a change on disk, for tools */
MUST_USE int	qstate_survey(struct qstate *s, int queue_fd,
		    const struct recover_ops *ops,
		    struct recover_totals *ret_totals);

#endif
