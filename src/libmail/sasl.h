/* SPDX-License-Identifier: ISC */
/*
 * sasl: the messages of the PLAIN (RFC 4616) and LOGIN mechanisms, for authd,
 * which checks them, and for clients, which make them. Messages are bytes
 * here: base64 is the protocol's wrapping, and the caller's.
 *
 * What comes out is prepared: UTF-8 without control characters, within the
 * limits. That is the part of SASLprep (RFC 4013) that keeps harmful bytes
 * away from password databases and logs; ASCII stays as it is, and so does
 * other text, which clients send in the form they were typed.
 */
#ifndef LIBMAIL_SASL_H
#define LIBMAIL_SASL_H

#include "libutil/slice.h"

struct arena;
struct buf;

#define SASL_NAME_MAX		255	/* RFC 4616 2 */
/* RFC 4616 wants 255; tokens given as passwords are longer */
#define SASL_PASSWORD_MAX	1024
#define SASL_MESSAGE_MAX	(2 * SASL_NAME_MAX + SASL_PASSWORD_MAX + 2)

struct sasl_login {
	struct slice	authzid;	/* act as; empty: as authcid */
	struct slice	authcid;	/* log in as */
	struct slice	password;
};

#define SASL_LOGIN_INIT	{ { NULL, 0 }, { NULL, 0 }, { NULL, 0 } }

/* -EBADMSG: a control character, or nothing; -EILSEQ: not UTF-8; -EMSGSIZE:
 * longer than max. In the arena. */
MUST_USE int	sasl_prepare(struct slice in, size_t max, struct arena *a,
		    struct slice *ret_text);

/* the one message of PLAIN: authzid NUL authcid NUL password */
MUST_USE int	sasl_plain_parse(struct slice message, struct arena *a,
		    struct sasl_login *ret_login);
void		sasl_plain_format(struct buf *out, const struct sasl_login *l);

/*
 * LOGIN: the server asks twice, the client answers with the bare name, then
 * the bare password. The challenges are those that clients have been seen to
 * wait for; what they say is not looked at on our side.
 */
enum sasl_login_step {
	SASL_LOGIN_NAME,
	SASL_LOGIN_PASSWORD,
	SASL_LOGIN_DONE,
};
struct slice	sasl_login_challenge(enum sasl_login_step step);
/* take the answer to that step into *l; returns the next step, or an error as
 * of sasl_prepare */
MUST_USE int	sasl_login_parse(enum sasl_login_step step,
		    struct slice message, struct arena *a,
		    struct sasl_login *l);
/* the client's answer to that step, lent from the login */
struct slice	sasl_login_answer(enum sasl_login_step step,
		    const struct sasl_login *l);

#endif
