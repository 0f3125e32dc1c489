/* SPDX-License-Identifier: ISC */
/* queue_entry: rows of the queue's listing. */
#ifndef LIBGLOBAL_QUEUE_ENTRY_H
#define LIBGLOBAL_QUEUE_ENTRY_H

#include "libglobal/ipc_queue_admin.h"
#include "libglobal/qstate.h"

/* a queue (enum qstate_queue) as tools name it: hold, deferred, active */
struct slice	queue_entry_name(uint8_t queue);
/* a message that waits, from its records; all in the arena. -ENOENT,
 * -EBADMSG */
MUST_USE int	queue_entry_of_state(struct qstate *s,
		    const struct queue_id *id, struct arena *a,
		    struct qstate_message *ret_message,
		    struct msg_queue_entry *ret_entry);

#endif
