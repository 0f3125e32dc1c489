/* SPDX-License-Identifier: ISC */
/*
 * map_source: the texts that tables are written as. A text is read whole,
 * then cut into logical lines: a line that begins with a blank continues the
 * one before; empty lines and lines that begin with # are skipped, also
 * inside a continued one. Used by the table types and by map_make.
 */
#ifndef LIBGLOBAL_MAP_SOURCE_H
#define LIBGLOBAL_MAP_SOURCE_H

#include <sys/stat.h>

#include "libutil/buf.h"

struct diag;

struct map_source {
	struct buf	text;		/* the whole file */
	struct buf	joined;		/* a logical line of several pieces */
	size_t		at;
	uint32_t	line;		/* the number of the line at `at` */
};

#define MAP_SOURCE_INIT	{ BUF_INIT_MAX(MAP_SOURCE_MAX), \
	BUF_INIT_MAX(MAP_SOURCE_MAX), 0, 1 }

/* Read the file; st is of what was read. A file that is being written while
 * it is read is read again, and -EBUSY if that does not end. */
MUST_USE int	map_source_read(struct map_source *s, const char *path,
		    struct stat *ret_st, struct diag *d);
/* read all of a descriptor, from where it stands */
MUST_USE int	map_source_read_fd(struct map_source *s, int fd);
void	map_source_free(struct map_source *s);

/* The next logical line, lent until the next call, without blanks at its
 * end, and the number of its first line. False at the end. */
bool	map_source_next(struct map_source *s, struct slice *ret_text,
	    uint32_t *ret_line);

/* Cut "key value": the key ends at the first blank outside "quotes". 0, or
 * -EBADMSG with a sentence in *ret_why. */
MUST_USE int	map_source_split(struct slice text, struct slice *ret_key,
		    struct slice *ret_value, const char **ret_why);
/* Cut "key: value" of an aliases file; a key in "quotes" is put, without
 * them, into key_space. */
MUST_USE int	map_source_split_alias(struct slice text, struct buf *key_space,
		    struct slice *ret_key, struct slice *ret_value,
		    const char **ret_why);

#endif
