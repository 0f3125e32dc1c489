/* SPDX-License-Identifier: ISC */
/*
 * log_wire: a log record as bytes, for the way to the log daemon. The bytes
 * carry the event's name, level and wording, so the reader needs no table of
 * the sender's. The reader does not trust the sender: names, wording and
 * counts are bounded and checked, values are only ever printed escaped; the
 * program and pid are the sender's claim.
 */
#ifndef LIBUTIL_LOG_WIRE_H
#define LIBUTIL_LOG_WIRE_H

#include "libutil/log.h"

struct arena;
struct buf;

#define LOG_WIRE_MAX	65536	/* the longest encoded record */

/* append the record; a value over LOG_VALUE_MAX is cut */
void	log_record_encode(struct buf *out, const struct log_record *);
/* read one record, and nothing but that; its parts live in the arena, but
 * strings are lent from the bytes. -EBADMSG or -EMSGSIZE */
MUST_USE int	log_record_decode(struct arena *, struct slice bytes,
		    struct log_record *ret_record);

#endif
