/* SPDX-License-Identifier: ISC */
/*
 * mailboxes: mailbox records and names inside a transaction. Used inside
 * libstore only.
 */
#ifndef LIBSTORE_MAILBOXES_H
#define LIBSTORE_MAILBOXES_H

#include "libstore/mailbox.h"
#include "libstore/txn.h"

/* a new mailbox of that name (one level) under a parent; -EEXIST, -ENOSPC */
MUST_USE int	mailboxes_add(struct txn *t, uint32_t parent,
		    struct slice name, enum mailbox_role role,
		    struct mailbox_slot **ret_slot);
/* a child by name; -ENOENT */
MUST_USE int	mailboxes_child(struct txn *t, uint32_t parent,
		    struct slice name, uint32_t *ret_id);
/* the ids of those directly below it, in the transaction's arena */
MUST_USE int	mailboxes_children(struct txn *t, uint32_t id,
		    uint32_t **ret_ids, size_t *ret_count);
/* take its name from it; give it a name that is free */
MUST_USE int	mailboxes_unlink(struct txn *t, struct mailbox_slot *slot);
MUST_USE int	mailboxes_link(struct txn *t, struct mailbox_slot *slot,
		    uint32_t parent, struct slice name);
/* the name below a parent that leads to that id; -ENOENT */
MUST_USE int	mailboxes_name_of(struct txn *t, uint32_t parent, uint32_t id,
		    struct slice *ret_name);
/* remove the names below a parent that lead to that id */
MUST_USE int	mailboxes_drop_name(struct txn *t, uint32_t parent,
		    uint32_t id);
/* is there one below it? 1 or 0 */
MUST_USE int	mailboxes_has_child(struct txn *t, uint32_t id);
/* the mailbox at a checked path; -ENOENT */
MUST_USE int	mailboxes_find(struct txn *t, struct slice path,
		    uint32_t *ret_id);
/* its whole path, appended */
MUST_USE int	mailboxes_path(struct txn *t, uint32_t id, struct buf *out);
/* remove up to *budget messages of a mailbox that is being deleted, and it
 * with the last; *budget is lowered. 1 when it is gone, 0 if not */
MUST_USE int	mailboxes_purge(struct txn *t, struct mailbox_slot *slot,
		    size_t *budget);
/* the next level of a path: cut from *rest; at the top INBOX in capitals */
struct slice	mailboxes_level(struct slice *rest, bool is_top);

#endif
