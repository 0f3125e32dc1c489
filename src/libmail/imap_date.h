/* SPDX-License-Identifier: ISC */
/*
 * imap_date: the two forms of a date in IMAP (RFC 3501 9): a day, as SEARCH
 * takes it, and a moment with its zone, as APPEND takes and FETCH gives it.
 * Years are 1 to 9999; a day that is in no calendar is refused.
 */
#ifndef LIBMAIL_IMAP_DATE_H
#define LIBMAIL_IMAP_DATE_H

#include "libmail/imap_lex.h"
#include "libutil/buf.h"

struct imap_moment {
	int64_t		seconds;	/* since 1970, UTC */
	int32_t		zone;		/* minutes east of it */
};

/* a day, with or without quotes; as days since 1970-01-01 */
MUST_USE int	imap_lex_day(struct imap_lex *l, int64_t *ret_day);
/* "17-Jul-1996 02:44:25 -0700", always in quotes */
MUST_USE int	imap_lex_moment(struct imap_lex *l,
		    struct imap_moment *ret_moment);
/* prints the same, quotes included */
void	imap_format_moment(struct buf *out, struct imap_moment m);
/* the day of a moment (of its zone: add it first), as imap_lex_day gives it */
int64_t	imap_day_of(int64_t seconds);

#endif
