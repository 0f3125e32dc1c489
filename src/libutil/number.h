/* SPDX-License-Identifier: ISC */
/*
 * number: the numbers of configuration files as text and back. Parsers take
 * the whole slice: -EBADMSG if it is not such a number, -ERANGE if it does
 * not fit. Formatters write what the parsers read.
 */
#ifndef LIBUTIL_NUMBER_H
#define LIBUTIL_NUMBER_H

#include "libutil/slice.h"

struct buf;

#define NUMBER_SECOND	1000

/* decimal, with an optional "-" */
MUST_USE int	number_parse_int(struct slice, int64_t *ret_value);
/* bytes; a suffix k, m, g, t (of either case) counts in steps of 1024 */
MUST_USE int	number_parse_size(struct slice, uint64_t *ret_bytes);
/* a duration in milliseconds; suffix ms, s, m, h, d, w, else that unit */
MUST_USE int	number_parse_time(struct slice, int64_t unit_ms,
		    int64_t *ret_ms);
/* the unit that a text ends with ("300s": 1000), or 0 */
int64_t		number_time_unit(struct slice);
/* a version of one to three parts of at most 1023: major << 20 | minor << 10
 * | patch, so that 3.10 is larger than 3.9 */
MUST_USE int	number_parse_level(struct slice, uint32_t *ret_level);

void	number_format_size(struct buf *out, uint64_t bytes);
void	number_format_time(struct buf *out, int64_t ms);
void	number_format_level(struct buf *out, uint32_t level);

#endif
