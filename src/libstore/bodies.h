/* SPDX-License-Identifier: ISC */
/*
 * bodies: body records inside a transaction: placing a content, sharing it,
 * and letting it go. Used inside libstore only.
 */
#ifndef LIBSTORE_BODIES_H
#define LIBSTORE_BODIES_H

#include "libstore/message.h"
#include "libstore/txn.h"

/* a content to be kept */
struct body_new {
	uint64_t	id;		/* of its first email */
	struct slice	prefix;
	struct slice	content;
	uint64_t	size;		/* of the content */
	const uint8_t	*hash;
	bool		is_big;		/* it is under its hash already */
	bool		to_pack;	/* not into the environment */
	/* for the pack record */
	uint32_t	mailbox;
	uint32_t	uid;
	int64_t		internal_date;
	uint64_t	flags;
};

/* write it, with one reference */
MUST_USE int	bodies_add(struct txn *t, const struct body_new *n);
/* prefix is lent until the next put */
MUST_USE int	bodies_get(struct txn *t, uint64_t body,
		    struct body_record *ret_record);
MUST_USE int	bodies_put(struct txn *t, uint64_t body,
		    const struct body_record *rec);
/* remove a body record, wherever it stands; no content */
MUST_USE int	bodies_del(struct txn *t, uint64_t body);
/* one reference more, one fewer; the content goes with the last */
MUST_USE int	bodies_share(struct txn *t, uint64_t body);
MUST_USE int	bodies_release(struct txn *t, uint64_t body);
/* body_open by the body's own id */
struct body;
MUST_USE int	bodies_open(struct account *a, uint64_t id,
		    struct body **ret_body);
/* append the content of a body that is in chunks */
MUST_USE int	bodies_read_chunks(struct txn *t, uint64_t body,
		    uint64_t size, struct buf *out);
/* remove the chunks of a body */
MUST_USE int	bodies_del_chunks(struct txn *t, uint64_t body, uint64_t size);

#endif
