/* SPDX-License-Identifier: ISC */
/*
 * dsn: the text of delivery status notifications: of failure, delay and
 * success (RFC 3461-3464, 6522; 6533 where the message needs SMTPUTF8). For
 * bounce, which puts the report into the queue, and for sendmail -bv.
 *
 * A report is written as a head, which ends where the returned message (or
 * its header) begins, and a tail behind it; the content is not copied, so
 * that the caller can make the report a message of three pieces. The lines
 * end in CRLF.
 */
#ifndef LIBMAIL_DSN_H
#define LIBMAIL_DSN_H

#include "libmail/dsn_template.h"
#include "libmail/smtp.h"
#include "libmail/status.h"

struct arena;
struct buf;

enum dsn_action {			/* RFC 3464 2.3.3 */
	DSN_FAILED,
	DSN_DELAYED,
	DSN_DELIVERED,
	DSN_RELAYED,
	DSN_EXPANDED,
};

/* one recipient's result; texts that are empty are left out */
struct dsn_recipient {
	struct addr		 recipient;
	struct slice		 orcpt_type;	/* as in struct smtp_rcpt */
	struct slice		 orcpt;
	enum dsn_action		 action;
	const struct status	*status;
	struct slice		 remote_mta;	/* host that said so; or empty:
						 * the decision was ours */
	struct slice		 diagnostic;	/* the reply as the host gave
						 * it; or empty: the status */
	int64_t			 last_attempt;	/* seconds since 1970 or 0 */
	int64_t			 retry_until;	/* the same; of DSN_DELAYED */
	struct slice		 final_log_id;
};

struct dsn_report {
	enum dsn_kind		 kind;
	const struct dsn_template *template;	/* NULL: the built-in one */
	/* a copy for the postmaster (notify_classes): its own subject, header
	 * alone */
	bool			 postmaster_copy;
	/* who and when */
	struct slice		 host;		/* reporting MTA, myhostname */
	struct slice		 software;	/* mail_name */
	struct slice		 id;		/* of the report, for Message-ID
						 * and boundary */
	int64_t			 now;		/* seconds since 1970 */
	int			 zone;		/* minutes east of UTC */
	struct addr		 to;		/* whom it goes to */
	/* the message it is about */
	struct addr		 sender;
	struct slice		 queue_id;
	int64_t			 arrival;	/* or 0 */
	struct slice		 envid;		/* decoded */
	bool			 smtputf8;	/* it needs SMTPUTF8, and so
						 * does the report */
	bool			 is_8bit;	/* so its content says */
	bool			 threaded;	/* enable_threaded_bounces */
	struct slice		 message_id;	/* that field's body */
	struct slice		 references;	/* that one's or In-Reply-To's */
	enum smtp_ret		 ret;		/* unsaid: FULL for failures */
	uint64_t		 size_limit;	/* bounce_size_limit; 0: none */
	struct slice		 header;	/* lines with their CRLF */
	const struct slice	*content;	/* header included, in pieces */
	size_t			 content_count;
	const struct dsn_recipient *recipients;
	size_t			 recipient_count;
	/* what $names in the template stand for; see dsn_template.h */
	dsn_lookup		*lookup;
	void			*lookup_arg;
};

enum dsn_returns {
	DSN_RETURNS_HEADER,	/* part of the head already */
	DSN_RETURNS_CONTENT,	/* to be put between head and tail */
};

/* write the report; says what to put between head and tail. -EMSGSIZE: one
 * of them reached its buf's maximum. The arena holds what is in between. */
MUST_USE int	dsn_format(const struct dsn_report *r, struct arena *a,
		    struct buf *head, struct buf *tail,
		    enum dsn_returns *ret_returns);

const char	*dsn_action_name(enum dsn_action action);

#endif
