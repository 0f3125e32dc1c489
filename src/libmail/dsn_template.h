/* SPDX-License-Identifier: ISC */
/*
 * dsn_template: the words of delivery status notifications, built in or read
 * from a file in the format of Postfix's bounce(5): four templates, each with
 * header lines (Charset, From, Subject, Postmaster-Subject), an empty line
 * and text, in which $name stands for the value of a parameter.
 */
#ifndef LIBMAIL_DSN_TEMPLATE_H
#define LIBMAIL_DSN_TEMPLATE_H

#include "libutil/slice.h"

struct arena;
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
	struct slice	from;		/* "MAILER-DAEMON (Mail Delivery System)" */
	struct slice	subject;
	struct slice	postmaster_subject;
	struct slice	text;		/* lines ending in LF */
};

struct dsn_templates {
	struct dsn_template	of[DSN_KIND_COUNT];
};

#define DSN_TEMPLATE_FILE_MAX	((size_t)256 << 10)

/* the value of a parameter, lent until the next call; false: there is none of
 * that name */
typedef bool dsn_lookup(void *arg, struct slice name, struct slice *ret_value);

/* the built-in ones; lives for ever */
const struct dsn_template	*dsn_template_get(enum dsn_kind kind);

/* read a bounce_template_file; templates it does not hold are the built-in
 * ones. Lent from the file text and the arena. */
MUST_USE int	dsn_template_parse(struct slice file_text, struct arena *a,
		    struct dsn_templates *ret_templates, struct diag *diag);

/* append the text with CRLF line ends and each $name, ${name} or $(name)
 * replaced; $$ is a dollar sign. A time may be asked for in a unit, as
 * $delay_warning_time_hours (also _seconds, _minutes, _days, _weeks). A name
 * that lookup does not know stays as written. lookup may be NULL. */
void	dsn_template_expand(struct buf *out, struct slice text,
	    dsn_lookup *lookup, void *lookup_arg);

#endif
