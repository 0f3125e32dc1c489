/* SPDX-License-Identifier: ISC */
/*
 * received: the Received: field that cleanup puts before each message (RFC
 * 5321 4.4). Whatever a client said is made harmless here: it cannot break
 * out of its comment, fold a line, or pass for another field.
 */
#ifndef LIBMAIL_RECEIVED_H
#define LIBMAIL_RECEIVED_H

#include "libutil/slice.h"

struct buf;

enum {					/* RFC 3848, RFC 6531 4.3 */
	RECEIVED_ESMTP	= 1 << 0,	/* EHLO, not HELO */
	RECEIVED_LMTP	= 1 << 1,
	RECEIVED_UTF8	= 1 << 2,	/* SMTPUTF8 was used */
	RECEIVED_TLS	= 1 << 3,
	RECEIVED_AUTH	= 1 << 4,	/* the client logged in */
};

/* Empty slices are left out. */
struct received {
	/* The client; no helo: the message is not from one, or it is hidden
	 * (smtpd_hide_client_session). */
	struct slice	helo;		/* as said */
	struct slice	client_name;	/* verified, or "unknown" */
	struct slice	client_address;	/* "192.0.2.1", "2001:db8::1" */
	struct slice	tls;		/* "using TLSv1.3 with cipher ..." */
	struct slice	login;		/* to be shown: who logged in */
	struct slice	submitter;	/* instead of a client: "userid 1000" */
	struct slice	host;		/* ours */
	struct slice	software;	/* mail_name */
	unsigned	protocol;	/* RECEIVED_ bits; with a client only */
	struct slice	queue_id;
	struct slice	recipient;	/* only where there is one alone */
	int64_t		time;		/* seconds since 1970 */
	int		zone;		/* minutes east of UTC */
};

/* "Received: ... CRLF", folded at 78 columns where words allow it */
void		received_format(struct buf *out, const struct received *r);
/* "ESMTPSA", "UTF8LMTPS" and so on; for logs as well */
struct slice	received_protocol(unsigned protocol);

#endif
