/* SPDX-License-Identifier: ISC */
/*
 * keywords: flag words and side records inside a transaction. Used inside
 * libstore only.
 */
#ifndef LIBSTORE_KEYWORDS_H
#define LIBSTORE_KEYWORDS_H

#include "libstore/flags.h"
#include "libstore/txn.h"

/* flags of one message, whole */
struct flag_set {
	uint64_t		 word;		/* FLAG_MORE if more has any */
	struct more_keywords	*more;		/* NULL: none; in the arena */
};

/* is it an IMAP atom that may be a keyword? */
bool	keyword_is_valid(struct slice name);
/* system flags and names as a set; with create, unknown names get a number,
 * else they are left out. -EINVAL, -ENOSPC */
MUST_USE int	keywords_resolve(struct txn *t, uint64_t system,
		    const struct slice *names, size_t n, bool create,
		    struct flag_set *ret_set);
/* the flags of a message as it stands, with its side record */
MUST_USE int	keywords_load(struct txn *t, uint32_t mailbox, uint32_t uid,
		    uint64_t word, struct flag_set *ret_set);
/* write or remove its side record, as new_set says */
MUST_USE int	keywords_store(struct txn *t, uint32_t mailbox, uint32_t uid,
		    bool had_more, const struct flag_set *new_set);
/* a + b, a - b; in the arena where there is a side list */
void	keywords_add(struct txn *t, const struct flag_set *a,
	    const struct flag_set *b, struct flag_set *ret_set);
void	keywords_remove(struct txn *t, const struct flag_set *a,
	    const struct flag_set *b, struct flag_set *ret_set);
bool	keywords_equal(const struct flag_set *a, const struct flag_set *b);

#endif
