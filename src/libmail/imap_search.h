/* SPDX-License-Identifier: ISC */
/*
 * imap_search: the program of SEARCH as a tree (RFC 3501 6.4.4), with the
 * return options of ESEARCH (RFC 4731). Depth and number of keys are limited,
 * so whoever walks the tree may recurse.
 */
#ifndef LIBMAIL_IMAP_SEARCH_H
#define LIBMAIL_IMAP_SEARCH_H

#include "libmail/charset.h"
#include "libmail/imap_seqset.h"

#define IMAP_SEARCH_DEPTH_MAX	32
#define IMAP_SEARCH_KEYS_MAX	1000
#define IMAP_SEARCH_TEXT_MAX	1000	/* bytes of one text to look for */

enum imap_search_op {
#define SEARCH_KEY(id, name, argument) IMAP_SEARCH_##id,
#include "libmail/imap_search.def"
	IMAP_SEARCH_SEQSET,		/* a set of message numbers */
	IMAP_SEARCH_AND			/* all children; also the root */
};

enum {
	IMAP_RETURN_MIN = 1,
	IMAP_RETURN_MAX = 2,
	IMAP_RETURN_ALL = 4,
	IMAP_RETURN_COUNT = 8,
};

struct imap_search_key {
	enum imap_search_op	 op;
	struct imap_search_key	*child;		/* of AND, OR, NOT: the first */
	struct imap_search_key	*next;		/* sibling */
	struct slice		 text;		/* UTF-8; or the keyword */
	struct slice		 field;		/* of HEADER */
	int64_t			 day;		/* since 1970-01-01 */
	uint64_t		 number;	/* size or seconds */
	struct imap_seqset	 set;
};

struct imap_search {
	enum charset		 charset;	/* of the command: UNKNOWN is to
						 * be refused with BADCHARSET */
	bool			 extended;	/* RETURN was given */
	uint32_t		 wanted;	/* IMAP_RETURN_ bits */
	struct imap_search_key	 root;		/* an AND */
};

/* the arguments of SEARCH, from the space behind its name on */
MUST_USE int	imap_lex_search(struct imap_lex *l,
		    struct imap_search *ret_search);

#endif
