/* SPDX-License-Identifier: ISC */
/*
 * charset: text of the commonest charsets into UTF-8: US-ASCII, UTF-8,
 * ISO-8859-1, ISO-8859-15 and Windows-1252, by all their usual names. What
 * is no character becomes U+FFFD, so what comes out is always UTF-8.
 */
#ifndef LIBMAIL_CHARSET_H
#define LIBMAIL_CHARSET_H

#include "libutil/buf.h"

enum charset {
	CHARSET_UNKNOWN,
	CHARSET_ASCII,
	CHARSET_UTF8,
	CHARSET_LATIN1,		/* read as Windows-1252, as browsers do */
	CHARSET_LATIN9,
	CHARSET_WINDOWS_1252,
};

/* by name, in any case; the empty name is US-ASCII (RFC 2046 4.1.2) */
enum charset	charset_of(struct slice name);
/* append text in UTF-8; false, and nothing is appended, if the charset is
 * CHARSET_UNKNOWN. 8-bit text that claims to be US-ASCII is taken for UTF-8
 * where it is that, else for Windows-1252. */
bool	charset_to_utf8(struct buf *out, enum charset charset,
	    struct slice text);

#endif
