/* SPDX-License-Identifier: ISC */
/*
 * imap_list: the arguments of LIST, with RFC 5258, RFC 5819 and RFC 6154, and
 * of LSUB; and the items of STATUS, which LIST may ask for as well.
 */
#ifndef LIBMAIL_IMAP_LIST_H
#define LIBMAIL_IMAP_LIST_H

#include "libmail/imap_lex.h"

#define IMAP_PATTERNS_MAX	32	/* patterns in one LIST */

enum {
#define STATUS_ITEM(id, bit, name) IMAP_STATUS_##id = 1 << (bit),
#include "libmail/imap_status.def"
};

enum {
	IMAP_LIST_SUBSCRIBED = 1,
	IMAP_LIST_REMOTE = 2,		/* we have no remote mailboxes */
	IMAP_LIST_RECURSIVEMATCH = 4,
	IMAP_LIST_SPECIAL_USE = 8,
	IMAP_LIST_CHILDREN = 16,
	IMAP_LIST_STATUS = 32,
};

struct imap_list {
	bool		 extended;	/* options or several patterns given */
	uint32_t	 select;	/* IMAP_LIST_ bits */
	uint32_t	 want;		/* IMAP_LIST_ bits */
	uint32_t	 status;	/* IMAP_STATUS_ bits, with LIST_STATUS */
	struct slice	 reference;
	struct slice	*patterns;
	size_t		 pattern_count;
};

/* from the space behind the name of the command on */
MUST_USE int	imap_lex_list(struct imap_lex *l, struct imap_list *ret_list);
MUST_USE int	imap_lex_lsub(struct imap_lex *l, struct imap_list *ret_list);
MUST_USE int	imap_lex_status_items(struct imap_lex *l, uint32_t *ret_items);
struct slice	imap_status_name(uint32_t bit);

#endif
