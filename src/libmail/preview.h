/* SPDX-License-Identifier: ISC */
/*
 * preview: the first words of a message, for lists of messages (RFC 8970,
 * JMAP's preview). Taken from the first part that is text, markup removed,
 * blanks folded; empty where there is no such part or its charset is not
 * known.
 */
#ifndef LIBMAIL_PREVIEW_H
#define LIBMAIL_PREVIEW_H

#include "libmail/facts.h"

#define PREVIEW_MAX	256	/* bytes of UTF-8 */

/* append at most PREVIEW_MAX bytes, no character cut in two */
void	preview_make(struct buf *out, struct slice content,
	    const struct facts *f);

#endif
