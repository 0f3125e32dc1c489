/* SPDX-License-Identifier: ISC */
/*
 * session_search: what session_search.c (the command), session_match.c (one
 * message against the program) and session_text.c (looking for text) share.
 * All that takes no task runs on a worker while the session sleeps.
 */
#ifndef IMAPD_SESSION_SEARCH_H
#define IMAPD_SESSION_SEARCH_H

#include "imapd/session_body.h"
#include "imapd/session_private.h"

/* what a key must read to be answered; cheap ones are asked first */
enum search_cost {
	SEARCH_COST_META,		/* flags and numbers */
	SEARCH_COST_EMAIL,		/* the email's record: size, date */
	SEARCH_COST_DIGEST,		/* envelope */
	SEARCH_COST_BODY,		/* the message */
};
enum search_cost	search_cost(const struct imap_search_key *key);

/* the message that is looked at; parts are read when a key asks */
struct search_message {
	struct account			*account;
	const struct session_selected	*selected;
	int64_t				now;
	const struct message_meta	*meta;
	uint32_t			seq;
	struct arena			*arena;	/* of this message */
	bool				has_email;
	struct email			email;
	bool				has_digest;
	struct digest			digest;
	bool				has_envelope;
	struct envelope			envelope;
	bool				has_header;
	struct buf			header;	/* all of the top one */
	struct session_body		body;
};
void	search_message_done(struct search_message *m);

/* does the message match? 1 or 0; -ENOENT it is gone, or another errno */
MUST_USE int	search_match(struct search_message *m,
		    const struct imap_search_key *key);

/* --- session_text.c */
/* append text in one case; what is no UTF-8 stays as it is */
void	search_fold(struct buf *out, struct slice text);
/* is the needle (folded) in the text (UTF-8, not folded)? */
bool	search_text_has(struct slice text, struct slice needle);
/* the same for a header field's value: unfolded, encoded words decoded */
bool	search_field_has(struct slice value, struct slice needle);
/* is it in the body: in text parts, and headers of messages inside? */
MUST_USE int	search_body_has(struct search_message *m, struct slice needle);

#endif
