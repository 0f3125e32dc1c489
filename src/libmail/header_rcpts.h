/* SPDX-License-Identifier: ISC */
/*
 * header_rcpts: the addresses a message's own header says it is for, for
 * sendmail -t: those of To, Cc and Bcc; of a message that is sent on, those of
 * the Resent- fields alone (RFC 5322 3.6.6).
 *
 *	header_rcpts_init(&h, header);
 *	while (header_rcpts_next(&h, arena, &address, &valid))
 *		...
 */
#ifndef LIBMAIL_HEADER_RCPTS_H
#define LIBMAIL_HEADER_RCPTS_H

#include "libmail/addr_list.h"

struct header_rcpts {
	struct cursor		in;
	struct addr_list	list;
	bool			in_field;
	bool			resent;
};

void	header_rcpts_init(struct header_rcpts *h, struct slice header);
/* the next one, lent from header and arena; false at the end. What cannot be
 * understood is not valid, and stands there as it was written. */
bool	header_rcpts_next(struct header_rcpts *h, struct arena *a,
	    struct slice *ret_address, bool *ret_valid);

#endif
