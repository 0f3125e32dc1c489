/* SPDX-License-Identifier: ISC */
/*
 * log_format: a log record as text, in three forms. Each appends one line
 * without its newline. Values come from strangers: whatever they hold, the
 * result is one line of printable UTF-8.
 *
 * classic	what follows "postfix/smtpd[pid]: " in a Postfix log:
 *		"warning: QUEUEID: wording". In values a control byte, a byte
 *		that is not UTF-8, or a character that would reorder or break
 *		the line becomes "?", as Postfix does.
 * logfmt	time=... level=... event=... program=... pid=... and all keys;
 *		a value is quoted when it must be, with \" \\ \n \t \xNN
 * json		one object with the same keys, and "text": the classic wording;
 *		bytes that are not UTF-8 become U+FFFD
 */
#ifndef LIBUTIL_LOG_FORMAT_H
#define LIBUTIL_LOG_FORMAT_H

#include "libutil/log.h"

struct buf;
struct diag;

void	log_format_classic(struct buf *out, const struct log_record *);
void	log_format_logfmt(struct buf *out, const struct log_record *);
void	log_format_json(struct buf *out, const struct log_record *);

/* is every wording of the table well formed? -EBADMSG and a finding if not;
 * for the unit test of each daemon's table */
MUST_USE int	log_check_events(const struct event_table *, struct diag *);

#endif
