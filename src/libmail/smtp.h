/* SPDX-License-Identifier: ISC */
/*
 * smtp: the commands of SMTP, LMTP and submission, as text and as structs;
 * for the server, which parses them, and the client, which formats them. What
 * is formatted parses back equal. Replies are reply.h's, and so is what a
 * server offers in reply to EHLO.
 *
 * A line is given without its CRLF. Whatever is read off it lives in the
 * arena, so the line need not. Where a command is malformed the parser says
 * so with a negative errno and, in *ret_refusal (which may be NULL), with the
 * reply that names the problem; a parameter that was not offered is for the
 * caller to refuse, by the bits in `given`.
 */
#ifndef LIBMAIL_SMTP_H
#define LIBMAIL_SMTP_H

#include "libmail/addr.h"
#include "libmail/status.h"

struct arena;
struct buf;

enum smtp_verb {
	SMTP_VERB_NONE,			/* not a command we know */
#define VERB(name, args, rfc, gist)	SMTP_VERB_##name,
#include "libmail/smtp_verbs.def"
	SMTP_VERB_COUNT,
};

enum smtp_param {
#define PARAM(name, command, value, max, rfc, gist)	SMTP_PARAM_##name,
#include "libmail/smtp_params.def"
	SMTP_PARAM_COUNT,
};
#define SMTP_PARAM_BIT(name)	(1u << SMTP_PARAM_##name)

enum smtp_body {
	SMTP_BODY_UNSAID,
	SMTP_BODY_7BIT,
	SMTP_BODY_8BITMIME,
	SMTP_BODY_BINARYMIME,
};

enum smtp_ret {
	SMTP_RET_UNSAID,
	SMTP_RET_FULL,
	SMTP_RET_HDRS,
};

enum {					/* NOTIFY; 0 is unsaid */
	SMTP_NOTIFY_NEVER	= 1 << 0,	/* alone */
	SMTP_NOTIFY_SUCCESS	= 1 << 1,
	SMTP_NOTIFY_FAILURE	= 1 << 2,
	SMTP_NOTIFY_DELAY	= 1 << 3,
};

/* flags of the parsers */
enum {
	SMTP_STRICT	= 1 << 0,	/* strict_rfc821_envelopes */
	/* UTF-8 is welcome in addresses, SMTPUTF8 parameter or not (Postfix
	 * while strict_smtputf8 is off); without this flag, only with it */
	SMTP_UTF8	= 1 << 1,
};

struct smtp_helo {
	struct slice	text;		/* as said; printable, not empty */
	struct domain	domain;		/* DOMAIN_NONE: it is none */
};

struct smtp_mail {
	struct addr	sender;
	uint32_t	given;		/* SMTP_PARAM_BITs */
	uint64_t	size;
	enum smtp_body	body;
	enum smtp_ret	ret;
	bool		smtputf8;
	bool		prdr;
	struct slice	envid;		/* decoded; printable ASCII */
	struct slice	auth;		/* decoded mailbox; empty is <> */
};

struct smtp_rcpt {
	struct addr	recipient;
	uint32_t	given;
	unsigned	notify;		/* SMTP_NOTIFY_ */
	struct slice	orcpt_type;	/* "rfc822", "utf-8"; empty: unsaid */
	struct slice	orcpt;		/* decoded; no control characters */
};

/* what a signed 64-bit offset holds, so that sums are safe; a larger number
 * is this one */
#define SMTP_BDAT_MAX	((uint64_t)INT64_MAX)

struct smtp_bdat {
	uint64_t	size;
	bool		last;
};

struct smtp_auth {
	struct slice	mechanism;	/* in upper case */
	bool		has_initial;
	struct slice	initial;	/* base64 still; empty for "=" */
};

#define SMTP_MAIL_INIT	{ .sender = ADDR_INIT }
#define SMTP_RCPT_INIT	{ .recipient = ADDR_INIT }

/* octets of a parameter's value on the wire: SMTP_MAX_ORCPT and so on */
enum {
#define PARAM(name, command, value, max, rfc, gist)	SMTP_MAX_##name = (max),
#include "libmail/smtp_params.def"
};

/* the verb and its arguments, blanks around them cut; SMTP_VERB_NONE if it is
 * no verb of the table. *ret_word, if not NULL, gets it as written. */
enum smtp_verb	smtp_parse_verb(struct slice line, struct slice *ret_word,
		    struct slice *ret_args);
const char	*smtp_verb_name(enum smtp_verb verb);
/* are there arguments where there must be, and none where not? */
MUST_USE int	smtp_check_args(enum smtp_verb verb, struct slice args,
		    struct status *ret_refusal);

MUST_USE int	smtp_parse_helo(struct slice args, struct arena *a,
		    unsigned flags, struct smtp_helo *ret_helo,
		    struct status *ret_refusal);
/* "FROM:<a@example.org> SIZE=1000" */
MUST_USE int	smtp_parse_mail(struct slice args, struct arena *a,
		    unsigned flags, struct smtp_mail *ret_mail,
		    struct status *ret_refusal);
/* "TO:<b@example.org> NOTIFY=NEVER"; give SMTP_UTF8 if MAIL had SMTPUTF8 */
MUST_USE int	smtp_parse_rcpt(struct slice args, struct arena *a,
		    unsigned flags, struct smtp_rcpt *ret_rcpt,
		    struct status *ret_refusal);
MUST_USE int	smtp_parse_bdat(struct slice args, struct smtp_bdat *ret_bdat,
		    struct status *ret_refusal);
MUST_USE int	smtp_parse_auth(struct slice args, struct arena *a,
		    struct smtp_auth *ret_auth, struct status *ret_refusal);
/* "<a@example.org>", "a@example.org SMTPUTF8" (RFC 6531 3.7.4.2) */
MUST_USE int	smtp_parse_vrfy(struct slice args, struct arena *a,
		    unsigned flags, struct addr *ret_addr,
		    struct status *ret_refusal);

/*
 * For the client: arguments that a parser above takes back. Only what is in
 * `given` is written, so the caller clears the bits of what the server does
 * not offer. Without smtputf8 the text is ASCII: domains and a utf-8 ORCPT in
 * their ASCII forms; addresses that have none (addr_needs_utf8) are the
 * caller's to refuse before.
 */
void	smtp_format_mail(struct buf *out, const struct smtp_mail *m);
void	smtp_format_rcpt(struct buf *out, const struct smtp_rcpt *r,
	    bool smtputf8);
bool	smtp_mail_equal(const struct smtp_mail *a, const struct smtp_mail *b);
bool	smtp_rcpt_equal(const struct smtp_rcpt *a, const struct smtp_rcpt *b);

#endif
