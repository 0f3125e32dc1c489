/* SPDX-License-Identifier: ISC */
/*
 * mime: the values of Content-Type, Content-Disposition and their like
 * (RFC 2045 5.1, RFC 2183), with parameters that were cut up or encoded
 * (RFC 2231) put together. Takes what mail programs really write: comments,
 * unquoted values with blanks, missing semicolons at the end.
 */
#ifndef LIBMAIL_MIME_H
#define LIBMAIL_MIME_H

#include "libutil/arena.h"
#include "libutil/buf.h"

/* pieces of parameters that are read from one field; the rest is left out */
#define MIME_PARAMS_MAX		128

struct mime_param {
	struct slice	name;	/* without "*": lower case is not made */
	struct slice	value;	/* unquoted; if extended still in the form
				 * charset'language'percent-encoded */
	struct slice	raw;	/* where the (first) value stands in the
				 * field, without its quotes */
	bool		extended;
};

struct mime_value {
	struct slice	type;		/* "text", "attachment"; empty if the
					 * field begins with none */
	struct slice	subtype;	/* empty if there is none */
	struct mime_param *params;
	size_t		param_count;
};

/* a field's value as it was folded. Always gives something: what cannot be
 * understood is left out. Lent from the value and the arena. */
void	mime_parse(struct slice value, struct arena *a,
	    struct mime_value *ret_value);
/* the value of a parameter; NULL when there is none */
const struct mime_param	*mime_param(const struct mime_value *v,
			    struct slice name);
/* append the parameter in UTF-8: RFC 2231 decoded, or encoded words where
 * senders put them against RFC 2047 5 (Outlook, Gmail) */
void	mime_param_decode(struct buf *out, const struct mime_param *p);

/* the first word of a field such as Content-Transfer-Encoding, comments
 * skipped; empty when there is none */
struct slice	mime_token(struct slice value);

#endif
