/* SPDX-License-Identifier: ISC */
/*
 * facts_number: unsigned numbers in as few bytes as they need, seven bits a
 * byte, low ones first, the high bit set in all but the last. For the records
 * of facts, envelope and structure.
 */
#ifndef LIBMAIL_FACTS_NUMBER_H
#define LIBMAIL_FACTS_NUMBER_H

#include "libutil/buf.h"
#include "libutil/cursor.h"

/* append a number */
void	facts_number_format(struct buf *out, uint64_t value);
/* take one; -EBADMSG if it is cut, longer than need be, or over max */
MUST_USE int	facts_number_parse(struct cursor *c, uint64_t max,
		    uint64_t *ret_value);

#endif
