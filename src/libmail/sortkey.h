/* SPDX-License-Identifier: ISC */
/*
 * sortkey: the keys by which SORT orders messages and by which threads are
 * made (RFC 5256, RFC 5957), as UTF-8 text. Compare them by bytes after
 * sortkey_fold.
 */
#ifndef LIBMAIL_SORTKEY_H
#define LIBMAIL_SORTKEY_H

#include "libmail/envelope.h"

/* append the base subject (RFC 5256 2.1) of an unfolded Subject; says whether
 * the message is a reply or forward by it */
bool	sortkey_subject(struct buf *out, struct slice subject);
/* append the mailbox of a list's first address (SORT FROM, TO, CC) */
void	sortkey_mailbox(struct buf *out, const struct envelope_addrs *list);
/* append what a mail program shows of it: its name, decoded, or else
 * mailbox@host (RFC 5957: SORT DISPLAYFROM, DISPLAYTO) */
void	sortkey_display(struct buf *out, const struct envelope_addrs *list);
/* append the key folded so that byte order is collation order for ASCII
 * letters in any case (RFC 4790 9.2: i;ascii-casemap) */
void	sortkey_fold(struct buf *out, struct slice key);

#endif
