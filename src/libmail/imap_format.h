/* SPDX-License-Identifier: ISC */
/*
 * imap_format: strings as the server sends them (RFC 3501 9). Text without
 * control characters and 8-bit bytes goes in quotes, all else as a literal;
 * NUL, which no string may hold, becomes a space there.
 */
#ifndef LIBMAIL_IMAP_FORMAT_H
#define LIBMAIL_IMAP_FORMAT_H

#include "libutil/buf.h"

void	imap_format_string(struct buf *out, struct slice s);
/* NIL for a slice without data */
void	imap_format_nstring(struct buf *out, struct slice s);
/* bare where that is allowed */
void	imap_format_astring(struct buf *out, struct slice s);
/* a mailbox name, from UTF-8 */
void	imap_format_mailbox(struct buf *out, struct slice utf8);
/* the capabilities that imap_capabilities.def has for before or after
 * authentication, with a space before each but the first */
void	imap_format_capabilities(struct buf *out, bool authenticated);

#endif
