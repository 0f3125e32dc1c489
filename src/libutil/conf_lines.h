/* SPDX-License-Identifier: ISC */
/*
 * conf_lines: the lines of a main.cf, for those who read it (conf_read) and
 * those who edit it (conf_edit). A logical line goes on in lines that begin
 * with a blank; empty lines and comments between them belong to it but say
 * nothing. The pieces together are the whole text.
 */
#ifndef LIBUTIL_CONF_LINES_H
#define LIBUTIL_CONF_LINES_H

#include "libutil/slice.h"

struct buf;
struct diag;

struct conf_lines {
	struct slice	rest;
	uint32_t	line;		/* of what comes next, from 1 */
};

struct conf_piece {
	struct slice	raw;		/* with its line ends */
	uint32_t	line;		/* the first */
	bool		is_logical;	/* else one empty line or comment */
};

static inline struct conf_lines
conf_lines_over(struct slice text)
{
	return (struct conf_lines){ text, 1 };
}

/* the next piece; false at the end */
bool	conf_lines_next(struct conf_lines *, struct conf_piece *ret_piece);
/* cut one physical line with its line end off the rest */
struct slice	conf_take_line(struct slice *rest);
/* is it empty or a comment? */
bool	conf_is_noise(struct slice line);
/* append the logical line as one, without line ends and comments */
void	conf_join(struct buf *out, struct slice raw);
/* "name = value" into its parts; -EBADMSG with a finding at that line */
MUST_USE int	conf_split(struct slice logical, uint32_t line,
		    struct slice *ret_name, struct slice *ret_value,
		    struct diag *);

#endif
