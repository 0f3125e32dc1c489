/* SPDX-License-Identifier: ISC */
/*
 * facts_wire: what the records of facts, envelope and structure are made of.
 * Numbers take as few bytes as they need: seven bits a byte, low ones first,
 * the high bit set in all but the last. Texts have their length before them,
 * one more than it is, 0 for no text (NIL).
 */
#ifndef LIBMAIL_FACTS_WIRE_H
#define LIBMAIL_FACTS_WIRE_H

#include "libutil/buf.h"
#include "libutil/cursor.h"

void	facts_wire_number(struct buf *out, uint64_t value);
/* a slice without data is NIL */
void	facts_wire_text(struct buf *out, struct slice text);

/* take a number; -EBADMSG if it is cut, longer than need be, or over max */
MUST_USE int	facts_wire_take(struct cursor *c, uint64_t max,
		    uint64_t *ret_value);
/* take a text, lent; -EBADMSG */
MUST_USE int	facts_wire_take_text(struct cursor *c, struct slice *ret_text);

#endif
