/* SPDX-License-Identifier: ISC */
/*
 * rfc2047: encoded words of header fields, =?charset?B?...?=, into UTF-8: for
 * sort keys, JMAP and whatever else shows text to people.
 */
#ifndef LIBMAIL_RFC2047_H
#define LIBMAIL_RFC2047_H

#include "libutil/buf.h"

/* append unfolded text with its encoded words decoded, always as UTF-8.
 * Blanks between encoded words go (6.2), and a character may be cut in two
 * by them; a word of an unknown charset, or a malformed one, stays as it is */
void	rfc2047_decode(struct buf *out, struct slice text);

#endif
