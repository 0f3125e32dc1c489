/* SPDX-License-Identifier: ISC */
/*
 * scan: the one look at a message's content while it comes in. Cleanup (or
 * whoever takes in content) feeds it what it writes, in chunks of any size,
 * and has the facts at the end; how the chunks were cut makes no difference.
 * It refuses nothing and never loses mail: over a limit the rest counts as
 * one opaque part, and a flag says so. Memory grows with fields and parts,
 * which are limited, not with size.
 *
 * Content is wire form, but LF alone is taken for a line end as well, so that
 * imported mail gives sensible facts, too.
 */
#ifndef LIBMAIL_SCAN_H
#define LIBMAIL_SCAN_H

#include "libmail/facts.h"

struct scan_limits {
	size_t	depth;		/* mime_nesting_limit */
	size_t	parts;
	size_t	fields;		/* of the top header that are told */
	size_t	header_bytes;	/* of one header, of a message or part */
	size_t	boundary_bytes;	/* mime_boundary_length_limit */
};

#define SCAN_LIMITS_INIT	{ 100, 10000, 4096, 1 << 20, 2048 }

struct scan;

/* limits are copied; NULL means SCAN_LIMITS_INIT. Over FACTS_..._MAX they
 * are cut. */
struct scan	*scan_new(const struct scan_limits *limits);
/* ready for another message, keeping the memory */
void	scan_reset(struct scan *s);
void	scan_free(struct scan **s);
void	scan_feed(struct scan *s, struct slice chunk);
/* the content is complete: its facts, lent until the next reset or free */
const struct facts	*scan_finish(struct scan *s);

#endif
