/* SPDX-License-Identifier: ISC */
/* vanished: reading vanished UIDs inside a transaction. Used inside libstore
 * only. */
#ifndef LIBSTORE_VANISHED_H
#define LIBSTORE_VANISHED_H

#include "libstore/message.h"
#include "libstore/txn.h"

/* those after a mod-sequence, as ascending ranges that do not touch; on the
 * heap, to be given to free(). -ESTALE: history was pruned above it */
MUST_USE int	vanished_read(struct txn *t, const struct mailbox_slot *slot,
		    uint64_t since, struct uid_range **ret_ranges,
		    size_t *ret_count);

#endif
