/* SPDX-License-Identifier: ISC */
/*
 * bell: who in this process wants to know that the account changed. A task
 * that waits (IMAP's IDLE, JMAP's event stream) has a listener; whoever has
 * committed something rings, on the loop's thread, after its work_run
 * returned. What changed the listener asks its view or the mod-sequence.
 * The account process owns one bell.
 */
#ifndef LIBSTORE_BELL_H
#define LIBSTORE_BELL_H

#include "libtask/task.h"

struct bell {
	struct list	listeners;
	uint64_t	rings;		/* so far */
};

struct bell_listener {
	struct list	link;
	struct signal	rung;		/* wait for it with signal_wait */
};

void	bell_init(struct bell *b);
/* a listener that is in no list; bell_leave on it is a no-op */
void	bell_listener_init(struct bell_listener *l);
void	bell_listen(struct bell *b, struct bell_listener *l);
void	bell_leave(struct bell_listener *l);
void	bell_ring(struct bell *b);

#endif
