/* SPDX-License-Identifier: ISC */
/*
 * imap_flags: the flags of a message as commands name them (RFC 3501 2.3.2):
 * system flags as bits, keywords as text.
 */
#ifndef LIBMAIL_IMAP_FLAGS_H
#define LIBMAIL_IMAP_FLAGS_H

#include "libmail/imap_lex.h"
#include "libutil/buf.h"

#define IMAP_KEYWORD_MAX	100	/* bytes of one keyword */
#define IMAP_KEYWORDS_MAX	64	/* keywords in one command */

enum {
#define IMAP_FLAG(name, bit, text) IMAP_FLAG_##name = 1 << (bit),
#include "libmail/imap_flags.def"
#define IMAP_FLAG(name, bit, text) IMAP_FLAG_##name |
	IMAP_FLAGS_ALL =
#include "libmail/imap_flags.def"
	0
};

struct imap_flags {
	uint32_t	 system;	/* IMAP_FLAG_ bits */
	struct slice	*keywords;	/* no two are equal, case ignored */
	size_t		 keyword_count;
};

/* one flag, added to a set whose keywords have room for IMAP_KEYWORDS_MAX */
MUST_USE int	imap_lex_flag(struct imap_lex *l, struct imap_flags *flags);
/* a list in parentheses, perhaps empty */
MUST_USE int	imap_lex_flag_list(struct imap_lex *l,
		    struct imap_flags *ret_flags);
/* a list in parentheses or bare flags up to the end (STORE) */
MUST_USE int	imap_lex_flags(struct imap_lex *l,
		    struct imap_flags *ret_flags);
/* the names of these system flags, with a space before each but the first;
 * says whether there were any */
bool	imap_format_system_flags(struct buf *out, uint32_t flags);

#endif
