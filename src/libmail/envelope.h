/* SPDX-License-Identifier: ISC */
/*
 * envelope: what IMAP calls a message's envelope (RFC 3501 7.4.2): date,
 * subject, addresses and ids of its header. Made once at delivery from the
 * header, kept as a small record, and rendered from that without a look at
 * the message. JMAP and SORT read the same record.
 */
#ifndef LIBMAIL_ENVELOPE_H
#define LIBMAIL_ENVELOPE_H

#include "libutil/arena.h"
#include "libutil/buf.h"

#define ENVELOPE_VERSION	1
/* addresses that are kept of one field, and bytes of one text */
#define ENVELOPE_ADDRS_MAX	4096
#define ENVELOPE_TEXT_MAX	32768

enum envelope_list {
	ENVELOPE_FROM, ENVELOPE_SENDER, ENVELOPE_REPLY_TO,
	ENVELOPE_TO, ENVELOPE_CC, ENVELOPE_BCC,
	ENVELOPE_LISTS
};

/* as IMAP has it: without host it begins a group of that mailbox's name,
 * without mailbox too it ends it. A slice without data is NIL. */
struct envelope_addr {
	struct slice	name;		/* encoded words as they came */
	struct slice	route;
	struct slice	mailbox;
	struct slice	host;
};

struct envelope_addrs {
	struct envelope_addr	*addr;
	size_t			 count;
};

/* Texts are unfolded, encoded words left in. A slice without data says that
 * the field is missing. Sender and Reply-To are as they came: that From
 * stands in for them is the renderer's business. */
struct envelope {
	struct slice		date;
	struct slice		subject;
	struct slice		in_reply_to;
	struct slice		message_id;
	struct envelope_addrs	list[ENVELOPE_LISTS];
};

/* read the header; lent from it and from the arena */
void	envelope_from_header(struct slice header, struct arena *a,
	    struct envelope *ret_envelope);
/* append the record */
void	envelope_format(struct buf *out, const struct envelope *e);
/* read the record; -EBADMSG. Lent from it and from the arena. */
MUST_USE int	envelope_parse(struct slice record, struct arena *a,
		    struct envelope *ret_envelope);
/* append the parenthesized list of IMAP's ENVELOPE */
void	envelope_render(struct buf *out, const struct envelope *e);

/* the addresses of a list, for Sender and Reply-To those of From where the
 * field is missing or empty (RFC 3501 7.4.2) */
const struct envelope_addrs	*envelope_addrs(const struct envelope *e,
				    enum envelope_list list);

#endif
