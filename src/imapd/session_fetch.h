/* SPDX-License-Identifier: ISC */
/*
 * session_fetch: what session_fetch.c (messages and items) and
 * session_section.c (BODY[...] and its like) share.
 */
#ifndef IMAPD_SESSION_FETCH_H
#define IMAPD_SESSION_FETCH_H

#include "imapd/session_body.h"
#include "imapd/session_private.h"

/* one message while its FETCH response is written */
struct fetch_message {
	struct message_meta	*meta;
	struct email		*email;		/* NULL: not needed */
	bool			 seen_now;	/* \Seen was just set */
	struct session_body	 body;
	struct digest		 digest;
	struct envelope		 envelope;	/* these in the batch's arena, */
	struct structure	 structure;	/* if they are needed */
};

/* does the item need the structure of the message to be found? */
bool	fetch_needs_structure(const struct imap_fetch_item *item);
/* write "name literal" of an item that is a piece of the message */
MUST_USE int	fetch_section(struct task *t, struct imap_session *s,
		    struct fetch_message *m, const struct imap_fetch_item *item);

#endif
