/* SPDX-License-Identifier: ISC */
/*
 * Between map.c and the table types: a type's open function makes a
 * map_table from the name behind "type:". Included by map*.c only.
 *
 * A table never changes after it was opened, so lookups need no lock but
 * where a library does. It notes the files it was read from; map.c compares
 * them and opens a new table when they changed.
 */
#ifndef LIBGLOBAL_MAP_IMPL_H
#define LIBGLOBAL_MAP_IMPL_H

#include <stdio.h>
#include <sys/types.h>
#include <time.h>

#include "libglobal/map.h"
#include "libutil/diag.h"

struct buf;
struct map_table;
struct stat;

struct map_table_ops {
	/* key is folded already, unless the table is of a pattern type */
	int	(*get)(struct map_table *t, struct slice key,
		    struct buf *value);
	/* NULL: no list can be made */
	int	(*each)(struct map_table *t, map_each_fn *each, void *arg);
	/* the tables inside it, from 0 on, NULL behind the last; NULL when it
	 * has none */
	struct map	*(*inner)(struct map_table *t, size_t i);
	void	(*close)(struct map_table *t);	/* releases state */
};

#define MAP_FILES_MAX	2

struct map_file {
	char		*path;
	dev_t		 dev;
	ino_t		 ino;
	off_t		 size;
	struct timespec	 mtime;
};

struct map_table {
	const struct map_table_ops	*ops;
	void				*state;
	bool				 is_pattern;
	bool				 blocks;
	struct map_file			 file[MAP_FILES_MAX];
	size_t				 file_count;
	struct diag			 notice;
};

/* what an open function is told */
struct map_args {
	const struct map_type	*type;
	struct slice		 name;		/* behind "type:" */
	unsigned		 flags;
	unsigned		 depth;		/* tables around this one */
};

typedef int	map_open_fn(struct map_table *t, const struct map_args *args,
		    struct diag *d);

#define MAP_TYPE(name, open, flags, suffix, gist) extern map_open_fn open;
#define MAP_MODULE_TYPE(name, module, flags, suffix, gist)
#include "libglobal/map_types.def"

/* open a table inside another */
MUST_USE int	map_open_inner(struct slice spec, unsigned flags,
		    unsigned depth, struct diag *d, struct map **ret_map);
/* watch that file, as it is now */
void	map_watch(struct map_table *t, const char *path, const struct stat *st);
/* note something about a table that works; the first stays */
void	map_note(struct map_table *t, const char *file, uint32_t line,
	    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* say in d that file cannot be opened or read; returns r */
int	map_file_error(struct diag *d, const char *doing, const char *path,
	    int r);
/* the path of a built file, made absolute */
MUST_USE int	map_built_path(const struct map_args *args, struct buf *path,
		    struct diag *d);
/* say in d that a built file cannot be opened, and how to make it */
int	map_built_error(struct diag *d, const struct map_args *args,
	    const char *path, int r);
/* note it when a built file is older than its text */
void	map_note_age(struct map_table *t, const struct map_args *args,
	    const struct stat *built);
/* Postfix ends keys and texts in a built file with a NUL, or none of them;
 * which, the first key found tells */
enum map_nul { MAP_NUL_UNKNOWN, MAP_NUL_YES, MAP_NUL_NO };
/* bytes to look for or to write; in room where they get a NUL */
struct slice	map_built_bytes(struct slice s, bool with_nul,
		    struct buf *room);
/* add the text behind these bytes to value; -ENOENT */
typedef int	map_built_find_fn(void *arg, struct slice bytes,
		    struct buf *value);
MUST_USE int	map_built_get(enum map_nul *nul, struct slice key,
		    map_built_find_fn *find, void *arg, struct buf *value);
/* the next entry as it is in the file; -ENOENT behind the last */
typedef int	map_built_next_fn(void *cursor, struct slice *ret_key,
		    struct slice *ret_value);
MUST_USE int	map_built_each(map_built_next_fn *next, void *cursor,
		    map_each_fn *each, void *arg);
/* what is in the file, without a NUL at its end */
struct slice	map_built_text(struct slice bytes);
/* key in lower case (ASCII), in at; key itself if it is that already */
struct slice	map_fold(struct slice key, char at[MAP_KEY_MAX]);
/* the text between braces, or the whole where there are none; trimmed */
struct slice	map_unbrace(struct slice s);

#endif
