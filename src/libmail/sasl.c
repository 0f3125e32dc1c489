/* SPDX-License-Identifier: ISC */
/* Messages are taken apart at their NULs; every part is prepared alike. */
#include "libmail/sasl.h"

#include <assert.h>

#include "libutil/arena.h"
#include "libutil/buf.h"
#include "libutil/utf8.h"

/* is_control - a character that RFC 4013 2.3 keeps out, at p? */
static bool
is_control(struct slice s, size_t i)
{
	unsigned char	b = (unsigned char)s.data[i];

	if (b < ' ' || b == 0x7f)
		return true;
	/* U+0080 to U+009F: valid UTF-8 has a second byte here */
	return b == 0xc2 && i + 1 < s.len &&
	    (unsigned char)s.data[i + 1] < 0xa0;
}

/* prepare - check a part that may be empty */
static int
prepare(struct slice in, size_t max, struct arena *a, struct slice *ret_text)
{
	if (in.len > max)
		return -EMSGSIZE;
	if (!utf8_is_valid(in))
		return -EILSEQ;
	for (size_t i = 0; i < in.len; i++)
		if (is_control(in, i))
			return -EBADMSG;
	*ret_text = arena_dup(a, in);
	return 0;
}

/* sasl_prepare - check a name or password */
int
sasl_prepare(struct slice in, size_t max, struct arena *a,
    struct slice *ret_text)
{
	if (in.len == 0)
		return -EBADMSG;
	return prepare(in, max, a, ret_text);
}

/* sasl_plain_parse - authzid NUL authcid NUL password (RFC 4616 2) */
int
sasl_plain_parse(struct slice message, struct arena *a,
    struct sasl_login *ret_login)
{
	struct slice		authzid, authcid;
	struct sasl_login	l = SASL_LOGIN_INIT;
	size_t			nul;
	int			r;

	if (message.len > SASL_MESSAGE_MAX)
		return -EMSGSIZE;
	if ((nul = slice_find(message, '\0')) == SLICE_NONE)
		return -EBADMSG;
	authzid = slice_sub(message, 0, nul);
	message = slice_from(message, nul + 1);
	if ((nul = slice_find(message, '\0')) == SLICE_NONE)
		return -EBADMSG;
	authcid = slice_sub(message, 0, nul);
	message = slice_from(message, nul + 1);

	/* a third NUL is a control character in the password */
	if ((r = prepare(authzid, SASL_NAME_MAX, a, &l.authzid)) < 0 ||
	    (r = sasl_prepare(authcid, SASL_NAME_MAX, a, &l.authcid)) < 0 ||
	    (r = sasl_prepare(message, SASL_PASSWORD_MAX, a,
	    &l.password)) < 0)
		return r;
	*ret_login = l;
	return 0;
}

/* sasl_plain_format - the message of a client */
void
sasl_plain_format(struct buf *out, const struct sasl_login *l)
{
	buf_add(out, l->authzid);
	buf_add_byte(out, '\0');
	buf_add(out, l->authcid);
	buf_add_byte(out, '\0');
	buf_add(out, l->password);
}

/* sasl_login_challenge - what the server asks in that step */
struct slice
sasl_login_challenge(enum sasl_login_step step)
{
	assert(step != SASL_LOGIN_DONE);
	return step == SASL_LOGIN_NAME ? S("Username:") : S("Password:");
}

/* sasl_login_parse - what the client answers */
int
sasl_login_parse(enum sasl_login_step step, struct slice message,
    struct arena *a, struct sasl_login *l)
{
	int	r;

	assert(step != SASL_LOGIN_DONE);
	if (step == SASL_LOGIN_NAME) {
		r = sasl_prepare(message, SASL_NAME_MAX, a, &l->authcid);
		return r < 0 ? r : SASL_LOGIN_PASSWORD;
	}
	r = sasl_prepare(message, SASL_PASSWORD_MAX, a, &l->password);
	return r < 0 ? r : SASL_LOGIN_DONE;
}

/* sasl_login_answer - what to answer as a client */
struct slice
sasl_login_answer(enum sasl_login_step step, const struct sasl_login *l)
{
	assert(step != SASL_LOGIN_DONE);
	return step == SASL_LOGIN_NAME ? l->authcid : l->password;
}
