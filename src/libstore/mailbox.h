/* SPDX-License-Identifier: ISC */
/*
 * mailbox: an account's mailboxes. A mailbox has an id that stays when it is
 * renamed, and a path of UTF-8 levels with '/' between them. "INBOX" as the
 * first level matches in any case and is kept in capitals; all else is
 * compared byte by byte.
 *
 * A mailbox that was deleted while others are below it, or that exists only
 * because one below it was made, keeps its name and cannot be selected.
 *
 * Errors: -EINVAL not a name (empty level, control character, no UTF-8),
 * -ENAMETOOLONG, -ENOENT, -EEXIST, -EPERM what INBOX does not allow.
 */
#ifndef LIBSTORE_MAILBOX_H
#define LIBSTORE_MAILBOX_H

#include "libstore/account.h"
#include "libutil/arena.h"

#define MAILBOX_LEVEL_MAX	255	/* bytes of one level */
#define MAILBOX_PATH_MAX	1024	/* bytes of all, with separators */
#define MAILBOX_DEPTH_MAX	32
#define MAILBOXES_MAX		20000	/* in an account */

enum mailbox_role {
#define ROLE(name, number, imap, jmap, first) MAILBOX_ROLE_##name = number,
#include "libstore/roles.def"
};

struct mailbox_info {
	uint32_t	id;
	uint32_t	parent;		/* 0 at the top */
	struct slice	path;		/* whole name */
	struct slice	name;		/* its last level */
	enum mailbox_role	role;
	bool		is_subscribed;
	bool		is_noselect;
	bool		has_children;
	uint32_t	sort_order;
	uint32_t	uidvalidity;
	uint32_t	uidnext;
	uint32_t	recent_uid;	/* UIDs from here on were announced to
					 * no session (RFC 3501 2.3.2 \Recent) */
	uint64_t	highest_modseq;
	uint64_t	created_modseq;
	uint64_t	changed_modseq;	/* its name, role, subscription ... */
	uint64_t	keywords;	/* bits of the flag word ever used here */
	uint32_t	total;
	uint32_t	unseen;
	uint32_t	deleted;
	uint64_t	size;		/* sum of the messages' sizes */
};

/* all of them, sorted by path with INBOX first; texts in the arena */
MUST_USE int	mailbox_list(struct account *a, struct arena *arena,
		    struct mailbox_info **ret_list, size_t *ret_count);
/* one, by id; -ENOENT */
MUST_USE int	mailbox_get(struct account *a, uint32_t id, struct arena *arena,
		    struct mailbox_info *ret_info);
/* one, by path; -ENOENT, -EINVAL */
MUST_USE int	mailbox_find(struct account *a, struct slice path,
		    struct arena *arena, struct mailbox_info *ret_info);
/* the mailbox with that role, lowest id first; -ENOENT */
MUST_USE int	mailbox_find_role(struct account *a, enum mailbox_role role,
		    uint32_t *ret_id);

/* make it, and what is missing above it. A trailing '/' is dropped.
 * -EEXIST; -ENOSPC at MAILBOXES_MAX */
MUST_USE int	mailbox_create(struct account *a, struct slice path,
		    enum mailbox_role role, uint32_t *ret_id);
/* give it another path; those below go along. INBOX: its messages go to a new
 * mailbox of that path and INBOX stays, empty (RFC 3501 6.3.5), under a new
 * id; those below it stay. Both have another UIDVALIDITY than INBOX had: to
 * who has it selected it is gone. -EINVAL into itself */
MUST_USE int	mailbox_rename(struct account *a, struct slice from,
		    struct slice to);
/* delete it with its messages. INBOX -EPERM. With mailboxes below, it becomes
 * unselectable; a second time -ENOTEMPTY. 1: done, but account_work has the
 * rest of its messages to remove */
MUST_USE int	mailbox_delete(struct account *a, struct slice path);
/* subscriptions also name mailboxes that are not there (RFC 3501 6.3.9) */
MUST_USE int	mailbox_subscribe(struct account *a, struct slice path,
		    bool subscribe);
/* every subscribed path, existing or not, sorted */
MUST_USE int	mailbox_list_subscribed(struct account *a, struct arena *arena,
		    struct slice **ret_paths, size_t *ret_count);
MUST_USE int	mailbox_set_role(struct account *a, uint32_t id,
		    enum mailbox_role role);
MUST_USE int	mailbox_set_sort_order(struct account *a, uint32_t id,
		    uint32_t sort_order);
/* what a selecting session calls: *ret_recent is the first UID that is
 * \Recent for it, and no later session gets these again. Writes only if there
 * is something new. */
MUST_USE int	mailbox_claim_recent(struct account *a, uint32_t id,
		    uint32_t *ret_recent);

/* is it a well-formed path? 0, -EINVAL, -ENAMETOOLONG */
MUST_USE int	mailbox_path_check(struct slice path);
/* "\\Sent" and the like, "sent" and the like, or NULL */
const char	*mailbox_role_imap(enum mailbox_role role);
const char	*mailbox_role_jmap(enum mailbox_role role);
/* by IMAP attribute in any case; MAILBOX_ROLE_NONE if unknown */
enum mailbox_role	mailbox_role_of_imap(struct slice attribute);

#endif
