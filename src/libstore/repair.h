/* SPDX-License-Identifier: ISC */
/*
 * repair: the steps of store_salvage. Each is one or more transactions of its
 * own and leaves the account no worse if the next does not come. Used inside
 * libstore only.
 */
#ifndef LIBSTORE_REPAIR_H
#define LIBSTORE_REPAIR_H

#include "libstore/emails.h"
#include "libstore/verify.h"
#include "libutil/hash.h"

struct repair {
	struct account		*account;
	verify_report		*report;
	void			*arg;
	struct salvage_result	 result;
	struct hash		 wanted;	/* body ids without content */
	uint32_t		 recovered;	/* mailbox id, 0: not made yet */
};

void	repair_say(struct repair *x, const char *format, ...)
	    __attribute__((format(printf, 2, 3)));

/* body ids as a set */
void	repair_want(struct repair *x, uint64_t body);
bool	repair_is_wanted(const struct repair *x, uint64_t body);

/* call one for the ids of a key space in ascending order, in writing
 * transactions of bounded length; id_width is 4 or 8 */
typedef int	repair_one(struct repair *x, struct txn *t, uint64_t id);
MUST_USE int	repair_each(struct repair *x, enum keyspace space,
		    size_t id_width, repair_one *one);

/* the block with the first message whose UID is >= at, at *ret_from in it;
 * -ENOENT. By UID, for changes between calls may merge blocks. */
MUST_USE int	repair_block_at(struct txn *t, uint32_t mailbox, uint32_t at,
		    struct uidblock *ret_block, uint32_t *ret_from);
/* remove records that fail their checksum, but for the account's */
MUST_USE int	repair_drop_damaged(struct repair *x);
/* names, blocks, directory and counters of each mailbox from its blocks */
MUST_USE int	repair_mailboxes(struct repair *x);
/* find the bodies that have no readable content */
MUST_USE int	repair_find_wanted(struct repair *x);
/* emails: places, threads, content; messages: emails */
MUST_USE int	repair_emails(struct repair *x);
/* reference counts, packs, order, quota */
MUST_USE int	repair_sums(struct repair *x);
/* the mailbox Recovered, made if need be */
MUST_USE int	repair_recovered(struct repair *x, uint32_t *ret_id);
/* is the content of a body where its record says? 1 or 0 */
MUST_USE int	repair_has_content(struct txn *t, uint64_t body,
		    const struct body_record *rec);

#endif
