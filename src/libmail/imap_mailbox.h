/* SPDX-License-Identifier: ISC */
/*
 * imap_mailbox: mailbox names (RFC 3501 5.1). Inside Barid a name is UTF-8
 * with "/" between its levels and INBOX in capitals; on the wire it is in
 * modified UTF-7. The decoder is strict, so that each name has exactly one
 * form on the wire. imap_match is the matching of LIST and LSUB.
 */
#ifndef LIBMAIL_IMAP_MAILBOX_H
#define LIBMAIL_IMAP_MAILBOX_H

#include "libmail/imap_lex.h"
#include "libutil/buf.h"

#define IMAP_SEPARATOR		'/'
#define IMAP_MAILBOX_NAME_MAX	1000	/* bytes of UTF-8 */
#define IMAP_MAILBOX_DEPTH_MAX	32	/* levels */
#define IMAP_PATTERN_MAX	1000

/* a name that was checked: UTF-8, no control characters, INBOX in capitals
 * (as the first level too); a "/" at the end is cut off. May be empty only
 * where the command allows it (the reference of LIST). */
struct imap_mailbox {
	struct slice	name;
};

/* modified UTF-7 to UTF-8; -EBADMSG for all but its one correct form */
MUST_USE int	imap_utf7_decode(struct arena *a, struct slice in,
		    struct slice *ret_utf8);
/* UTF-8 to modified UTF-7; bytes that are no UTF-8 become U+FFFD */
void		imap_utf7_encode(struct buf *out, struct slice utf8);

/* a mailbox argument */
MUST_USE int	imap_lex_mailbox(struct imap_lex *l,
		    struct imap_mailbox *ret_mailbox);
/* a reference (may be empty, keeps its "/") and a pattern of LIST, in UTF-8 */
MUST_USE int	imap_lex_reference(struct imap_lex *l, struct slice *ret_text);
MUST_USE int	imap_lex_list_pattern(struct imap_lex *l,
		    struct slice *ret_pattern);

/* has the name no empty level, not too many, not too long? NULL, or what is
 * wrong with it. For names that are to be made; -finding- one asks nothing. */
const char	*imap_mailbox_fault(struct slice name);
/* "INBOX" in any case? */
bool		imap_is_inbox(struct slice name);
/* does the name match: "*" is anything, "%" anything within a level */
bool		imap_match(struct slice pattern, struct slice name);

#endif
