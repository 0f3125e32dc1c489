/* SPDX-License-Identifier: ISC */
/*
 * utf8: checks and steps over UTF-8 text (RFC 3629: no surrogates, nothing
 * overlong, nothing above U+10FFFF). For whoever passes on foreign text.
 */
#ifndef LIBUTIL_UTF8_H
#define LIBUTIL_UTF8_H

#include "libutil/slice.h"

struct buf;
struct cursor;

#define UTF8_REPLACEMENT	0xfffdu

/* is all of it UTF-8? */
bool	utf8_is_valid(struct slice s);
/* how many bytes at the beginning are valid */
size_t	utf8_valid_prefix(struct slice s);
/* are all bytes below 0x80? */
bool	utf8_is_ascii(struct slice s);
/* the number of characters; a byte that is not UTF-8 counts as one */
size_t	utf8_length(struct slice s);
/* take one character; -EBADMSG, and the cursor stays, if none comes next */
MUST_USE int	utf8_decode(struct cursor *c, uint32_t *ret_char);
/* append one character; U+FFFD in place of what is not one */
void	utf8_encode(struct buf *out, uint32_t c);
/* the beginning of s, at most max bytes, no character cut in two */
struct slice	utf8_cut(struct slice s, size_t max);

#endif
