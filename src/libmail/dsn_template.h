/* SPDX-License-Identifier: ISC */
/*
 * dsn_template: the words of delivery status notifications, built in or read
 * from a file in the format of Postfix's bounce(5): up to four templates,
 *
 *	failure_template = <<EOF
 *	Charset: us-ascii
 *	From: MAILER-DAEMON (Mail Delivery System)
 *	Subject: Undelivered Mail Returned to Sender
 *	Postmaster-Subject: Postmaster Copy: Undelivered Mail
 *
 *	This is the mail system at host $myhostname.
 *	EOF
 *
 * and delay_, success_ and verify_template alike, in which $name stands for
 * the value of a parameter.
 */
#ifndef LIBMAIL_DSN_TEMPLATE_H
#define LIBMAIL_DSN_TEMPLATE_H

#include "libutil/slice.h"

struct buf;
struct diag;

enum dsn_kind {
	DSN_FAILURE,
	DSN_DELAY,
	DSN_SUCCESS,
	DSN_VERIFY,		/* sendmail -bv */
	DSN_KIND_COUNT,
};

struct dsn_template {
	struct slice	charset;
	struct slice	from;
	struct slice	subject;
	struct slice	postmaster_subject;	/* may be empty */
	struct slice	text;		/* lines ending in LF */
};

struct dsn_templates {
	struct dsn_template	of[DSN_KIND_COUNT];
};

#define DSN_TEMPLATE_FILE_MAX	((size_t)256 << 10)

/* the value of a parameter, lent until the next call; false: there is none of
 * that name */
typedef bool dsn_lookup(void *arg, struct slice name, struct slice *ret_value);

/* the built-in ones; live for ever */
extern const struct dsn_templates dsn_templates_builtin;

/* read a bounce_template_file; what it does not hold is built in. Lent from
 * the text of the file. */
MUST_USE int	dsn_template_parse(struct slice file_text,
		    struct dsn_templates *ret_templates, struct diag *diag);

/*
 * dsn_template_expand - append the text, each $name, ${name} or $(name)
 * replaced, with CRLF for LF
 * $$ is a dollar sign. A time may be asked for in a unit, as
 * $delay_warning_time_hours (also _seconds, _minutes, _days, _weeks). A name
 * that lookup does not know stays as written. lookup may be NULL.
 */
void	dsn_template_expand(struct buf *out, struct slice text,
	    dsn_lookup *lookup, void *lookup_arg);

#endif
