/* SPDX-License-Identifier: ISC */
/*
 * smtp_xtext: how text of any kind is put into SMTP parameters: xtext (RFC
 * 3461 4) and the forms of utf-8 addresses (RFC 6533 3). Also the coding of
 * XCLIENT's and XFORWARD's values.
 */
#ifndef LIBMAIL_SMTP_XTEXT_H
#define LIBMAIL_SMTP_XTEXT_H

#include "libutil/slice.h"

struct arena;
struct buf;

/* -EBADMSG: not xtext. Any byte may come out of it: check them. */
MUST_USE int	smtp_xtext_decode(struct slice in, struct arena *a,
		    struct slice *ret_text);
void		smtp_xtext_encode(struct buf *out, struct slice text);

/* \x{HEX} to UTF-8; -EBADMSG: neither unitext nor UTF-8 */
MUST_USE int	smtp_unitext_decode(struct slice in, struct arena *a,
		    struct slice *ret_text);
/* what a parameter may not hold as \x{HEX}; with ascii, all beyond ASCII */
void		smtp_unitext_encode(struct buf *out, struct slice text,
		    bool ascii);

#endif
