/* SPDX-License-Identifier: ISC */
/*
 * flags: the flag word of a message in a mailbox. System flags are its low
 * byte; keywords are bits from 8 on, numbered by the account's keyword table
 * (the same numbers in every mailbox). Keywords numbered 48 and above stand
 * in a side record, and FLAG_MORE says that there is one.
 */
#ifndef LIBSTORE_FLAGS_H
#define LIBSTORE_FLAGS_H

#include "libutil/slice.h"

#define FLAG_SEEN		((uint64_t)1 << 0)
#define FLAG_ANSWERED		((uint64_t)1 << 1)
#define FLAG_FLAGGED		((uint64_t)1 << 2)
#define FLAG_DELETED		((uint64_t)1 << 3)
#define FLAG_DRAFT		((uint64_t)1 << 4)
#define FLAG_MORE		((uint64_t)1 << 7)
#define FLAGS_SYSTEM		((uint64_t)0x1f)
#define FLAG_KEYWORD_SHIFT	8
#define FLAG_KEYWORDS_INLINE	48
#define FLAG_KEYWORD(n)		((uint64_t)1 << (FLAG_KEYWORD_SHIFT + (n)))
#define FLAGS_KEYWORDS \
	((((uint64_t)1 << FLAG_KEYWORDS_INLINE) - 1) << FLAG_KEYWORD_SHIFT)

#define KEYWORDS_MAX		512	/* in an account */
#define KEYWORD_LEN_MAX		128	/* bytes of one */

#endif
