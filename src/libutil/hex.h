/* SPDX-License-Identifier: ISC */
/* hex: bytes as hexadecimal text and back, for ids, digests and dumps. */
#ifndef LIBUTIL_HEX_H
#define LIBUTIL_HEX_H

#include "libutil/slice.h"

struct buf;

/* append two lower-case digits a byte */
void	hex_encode(struct buf *out, struct slice bytes);
/* append the bytes of an even number of digits of either case; -EBADMSG, and
 * nothing is appended, if it is anything else */
MUST_USE int	hex_decode(struct buf *out, struct slice text);
/* 0..15, or -1 */
int	hex_digit(char c);

#endif
