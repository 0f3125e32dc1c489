/* SPDX-License-Identifier: ISC */
/*
 * diag: what is wrong in input that a human must mend (configuration, maps,
 * Sieve): where, and a sentence that also says what to do. Parsers take a
 * struct diag * that may be NULL; the first finding stays.
 */
#ifndef LIBUTIL_DIAG_H
#define LIBUTIL_DIAG_H

#include "libutil/slice.h"

struct diag {
	char		file[256];	/* "" when there is none */
	uint32_t	line;		/* from 1; 0 when unknown */
	uint32_t	column;		/* from 1; 0 when unknown */
	char		text[512];
};

#define DIAG_INIT	{ "", 0, 0, "" }

/* note a finding unless one is noted already; returns -EBADMSG, so that a
 * parser can end with "return diag_set(...)" */
int	diag_set(struct diag *d, uint32_t line, uint32_t column,
	    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* name the file that findings belong to, if none is named */
void	diag_file(struct diag *d, const char *file);
/* "file:line:column: text" with the parts that are known */
struct buf;
void	diag_format(struct buf *out, const struct diag *d);

#endif
