/* SPDX-License-Identifier: ISC */
/*
 * reply: a server's reply to an SMTP or LMTP command, gathered line by line
 * (RFC 5321 4.2), and what it offers if that was a reply to EHLO. For clients
 * of all kinds: smtp, the content filters' clients, tests.
 *
 *	reply_reset(&reply);
 *	do
 *		r = stream_read_line(...) ... reply_add_line(&reply, line);
 *	while (r == 0 ...);
 */
#ifndef LIBMAIL_REPLY_H
#define LIBMAIL_REPLY_H

#include "libmail/status.h"
#include "libutil/buf.h"

/*
 * RFC 5321 4.5.3.1.5 ends a reply line at 512 octets; servers that explain
 * themselves at length send more, and nothing depends on it.
 */
#define REPLY_LINE_MAX	2048
#define REPLY_LINES_MAX	128
#define REPLY_TEXT_MAX	16384

struct reply {
	unsigned		code;		/* 0: nothing came yet */
	struct status_code	enhanced;	/* of the last line with one */
	size_t			line_count;
	bool			complete;
	struct buf		text;	/* lines' text, "\n" between them */
};

#define REPLY_INIT \
	{ 0, { 0, 0, 0 }, 0, false, BUF_INIT_MAX(REPLY_TEXT_MAX) }

/*
 * reply_add_line - take one line, without its CRLF
 * 1 the reply is complete, 0 more lines follow, -EBADMSG it is no reply or
 * its lines disagree on the code, -EMSGSIZE over a limit. After an error the
 * conversation is out of step: close it.
 */
MUST_USE int	reply_add_line(struct reply *r, struct slice line);
void		reply_reset(struct reply *r);
void		reply_done(struct reply *r);

/* the reply as a status: code, enhanced code (CLASS.0.0 where it gave none or
 * one of another class), and its lines joined by blanks, the enhanced code of
 * each cut off; a 3yz is not one: -EBADMSG */
MUST_USE int	reply_status(const struct reply *r, struct status *ret_status);

enum reply_keyword {
#define KEYWORD(name, text, rfc)	REPLY_KEYWORD_##name,
#include "libmail/smtp_keywords.def"
	REPLY_KEYWORD_COUNT,
};

#define REPLY_HOST_MAX	255
#define REPLY_AUTH_MAX	255

/* what a server offers */
struct reply_ehlo {
	uint32_t	keywords;	/* a bit for each reply_keyword */
	uint64_t	size;		/* of SIZE; 0: no limit said */
	char		host[REPLY_HOST_MAX + 1];	/* as it calls itself */
	char		auth[REPLY_AUTH_MAX + 1];	/* " PLAIN LOGIN " */
};

/* read it from the reply to EHLO or LHLO; lines it does not know are skipped */
void	reply_ehlo_parse(const struct reply *r, struct reply_ehlo *ret_ehlo);

static inline bool
reply_ehlo_has(const struct reply_ehlo *e, enum reply_keyword keyword)
{
	return (e->keywords >> keyword & 1) != 0;
}

/* is that SASL mechanism offered? In any case. */
bool	reply_ehlo_has_auth(const struct reply_ehlo *e, struct slice mechanism);
/* forget keywords by name (smtp_discard_ehlo_keywords), in any case; a name
 * that is not in the table is skipped */
void	reply_ehlo_discard(struct reply_ehlo *e, struct slice names);

#endif
