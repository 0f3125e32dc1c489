/* SPDX-License-Identifier: ISC */
/*
 * dsn_part: the first two parts of a report, the text for people and the one
 * for programs, without their MIME headers; for dsn.c alone.
 */
#ifndef LIBMAIL_DSN_PART_H
#define LIBMAIL_DSN_PART_H

#include "libmail/dsn.h"

/* what people read: the template's text, then each recipient's result */
void	dsn_part_notice(struct buf *out, const struct dsn_report *r,
	    const struct dsn_template *t);
/* message/delivery-status (RFC 3464 2), or its global form (RFC 6533 4.1) */
void	dsn_part_status(struct buf *out, const struct dsn_report *r);
/* append text of a header field or paragraph, folded at blanks once a line
 * would pass column 78: a new line begins with that indent. Control
 * characters become blanks; a word too long for a line is cut. */
void	dsn_part_fold(struct buf *out, struct slice text, const char *indent);
/* the names a template may use, those that the report itself knows first; a
 * dsn_lookup */
struct dsn_names {
	const struct dsn_report	*report;
};
bool	dsn_part_lookup(void *names, struct slice name,
	    struct slice *ret_value);

#endif
