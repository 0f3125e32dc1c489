/* SPDX-License-Identifier: ISC */
/*
 * status: what is true of the mail, as opposed to the machine. A refused
 * recipient is no error but one of these: class 2, 4 or 5, an SMTP reply
 * code, an enhanced code (RFC 3463) and a text. Everyone who decides about
 * mail makes them; replies, logs, reports and the queue's state carry them.
 *
 * A status is a plain value: it owns nothing and is copied by assignment. Its
 * text is one line of UTF-8 without control characters, whatever was put in;
 * what does not fit ends in "...".
 */
#ifndef LIBMAIL_STATUS_H
#define LIBMAIL_STATUS_H

#include <stdarg.h>

#include "libutil/slice.h"

#define STATUS_TEXT_MAX	478

/* an enhanced status code, as 5.1.1; class 0 means that there is none */
struct status_code {
	uint8_t		class;
	uint16_t	subject;
	uint16_t	detail;
};

struct status {
	struct status_code	enhanced;
	uint16_t		code;		/* 250, 451, 550; 0 if unset */
	uint16_t		text_len;
	char			text[STATUS_TEXT_MAX];
};

#define STATUS_INIT	{ { 0, 0, 0 }, 0, 0, "" }
/* "250 2.0.0 ", what a text costs more, and its three dots */
#define STATUS_FORMAT_MAX	(STATUS_TEXT_MAX + 20)

struct buf;

/* a status with a printf-like text; the enhanced code is a literal of ours,
 * as "5.1.1", whose class is that of the SMTP code */
struct status	status_make(unsigned code, const char *enhanced,
		    const char *format, ...)
		    __attribute__((format(printf, 3, 4)));
struct status	status_vmake(unsigned code, const char *enhanced,
		    const char *format, va_list ap)
		    __attribute__((format(printf, 3, 0)));
/* the same with a text from anywhere */
struct status	status_of(unsigned code, struct status_code enhanced,
		    struct slice text);
/* what a negative errno of the machine means for the mail, from one table;
 * always class 4 for those that are not in it. The text is the table's, with
 * ": what" behind it unless what is NULL. */
struct status	status_from_errno(int error, const char *what);

/* "550 5.1.1 text": the enhanced code and the text may be missing; a missing
 * or disagreeing enhanced code becomes CLASS.0.0 */
MUST_USE int	status_parse(struct slice in, struct status *ret_status);
/* the same three parts back; without line end */
void	status_format(struct buf *out, const struct status *s);
/* "5.1.1 text", as delivery agents and access tables write it; the SMTP code
 * becomes the generic one of the class: 250, 450, 550 */
MUST_USE int	status_parse_enhanced(struct slice in,
		    struct status *ret_status);

/* status_class - 2, 4 or 5; 0 if unset */
static inline unsigned
status_class(const struct status *s)
{
	return s->code / 100;
}

static inline bool
status_is_ok(const struct status *s)
{
	return status_class(s) == 2;
}

static inline bool
status_is_temporary(const struct status *s)
{
	return status_class(s) == 4;
}

static inline bool
status_is_permanent(const struct status *s)
{
	return status_class(s) == 5;
}

/* status_text - lends the text, as long as the status lives */
static inline struct slice
status_text(const struct status *s)
{
	return slice_over(s->text, s->text_len);
}

bool	status_equal(const struct status *a, const struct status *b);
/* another class for the same reason (soft_bounce, a status filter, an expired
 * message): both codes change, the text stays */
void	status_set_class(struct status *s, unsigned class);
/* put a text in place of, or before, the one there is */
void	status_set_text(struct status *s, struct slice text);
void	status_prefix_text(struct status *s, struct slice prefix);

/* "5.1.1" and nothing else behind it */
MUST_USE int	status_code_parse(struct slice in,
		    struct status_code *ret_code);
void		status_code_format(struct buf *out, struct status_code code);
/* what the registry says the code means, without its class; NULL if the
 * table does not know it */
const char	*status_code_gist(struct status_code code);

#endif
