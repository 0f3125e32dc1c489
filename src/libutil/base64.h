/* SPDX-License-Identifier: ISC */
/*
 * base64: RFC 4648, strict. Decoding takes exactly what encoding makes: no
 * blanks, no other alphabet, the right padding, unused bits zero. (The lenient
 * decoding of MIME bodies, RFC 2045 6.8, is libmail's.)
 */
#ifndef LIBUTIL_BASE64_H
#define LIBUTIL_BASE64_H

#include "libutil/slice.h"

struct buf;

/* RFC 4648 4, padded with "=" */
void	base64_encode(struct buf *out, struct slice bytes);
/* append the bytes; -EBADMSG, and nothing is appended, if malformed */
MUST_USE int	base64_decode(struct buf *out, struct slice text);

/* RFC 4648 5: "-" and "_" for "+" and "/", without padding */
void	base64url_encode(struct buf *out, struct slice bytes);
MUST_USE int	base64url_decode(struct buf *out, struct slice text);

#endif
