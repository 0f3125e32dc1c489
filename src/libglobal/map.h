/* SPDX-License-Identifier: ISC */
/*
 * map: one interface for all lookup tables of the configuration
 * ("type:name": hash:/etc/aliases, pcre:/etc/barid/headers, ...). mapd looks
 * things up for all other daemons; the map and conf commands open tables too.
 * The types are the rows of map_types.def.
 *
 * A lookup finds one text for one key. Tables are of two kinds: fixed tables
 * compare whole keys, folded to lower case; pattern tables test rules in the
 * order they were written and get the whole string as it is, never a part.
 *
 * Opening, looking up and walking may block on files: on the loop they go
 * through the worker pool. Several threads may look things up in one map at
 * once, also while another refreshes it.
 *
 * What is kept from the table files is that of the moment they were opened;
 * map_refresh opens them again when they changed.
 */
#ifndef LIBGLOBAL_MAP_H
#define LIBGLOBAL_MAP_H

#include "libutil/slice.h"

struct buf;
struct diag;
struct map;

#define MAP_KEY_MAX	1000	/* bytes; a longer key is in no fixed table */
#define MAP_VALUE_MAX	((size_t)1 << 20)	/* bytes of one result */
#define MAP_DEPTH_MAX	8	/* tables inside tables (unionmap, ...) */
#define MAP_SOURCE_MAX	((size_t)1 << 31)	/* bytes of a table's text */

enum map_flag {
	/* results name files, commands or users: what came in with the key
	 * must not get into them, so $1 in a result is refused */
	MAP_NO_SUBSTITUTION	= 1 << 0,
	/* compare keys as they are, do not fold them to lower case */
	MAP_NO_FOLD		= 1 << 1,
	/* a table that cannot be opened is no error of the opening (d still
	 * tells), but fails every lookup; a refresh tries again */
	MAP_TOLERATE		= 1 << 2,
};

/* Open the table that spec ("type:name") names. -EBADMSG with a diagnosis
 * when spec or the table's text is wrong, -ENOENT and its like when a file
 * cannot be opened (d says which). */
MUST_USE int	map_open(struct slice spec, unsigned flags, struct diag *d,
		    struct map **ret_map);
void	map_close(struct map **m);

/* The text for the key is put at the end of value (which may be NULL: is it
 * there?). 0, -ENOENT when the key is not in the table, or another error: the
 * table cannot answer now, and the mail must wait. */
MUST_USE int	map_get(struct map *m, struct slice key, struct buf *value);

/* Every key and its text, in no order that lasts; stops when each returns
 * something else than 0, and returns that. -EOPNOTSUPP: of this type no list
 * can be made. */
typedef int	map_each_fn(void *arg, struct slice key, struct slice value);
MUST_USE int	map_each(struct map *m, map_each_fn *each, void *arg);

/* has a file of the table changed since it was opened? */
bool	map_changed(struct map *m);
/* Open the table again if it changed. 1 when it was, 0 when it need not be,
 * an error when it cannot be: then the old content stays in use. */
MUST_USE int	map_refresh(struct map *m, struct diag *d);

/* call back with each file that it reads when it is opened again */
void	map_each_file(struct map *m, void (*each)(void *arg, const char *path),
	    void *arg);

/* does it test patterns, so that only whole strings may be looked up? */
bool	map_is_pattern(const struct map *m);
/* might a lookup wait for a disk or another process, so that it is no work for
 * the loop? */
bool	map_blocks(const struct map *m);
/* "type:name", as it was given */
const char	*map_spec(const struct map *m);
/* What the administrator should know about a table that works (a duplicate
 * key, a built file older than its text); NULL when there is nothing. */
const struct diag	*map_notice(const struct map *m);

/* --- what types there are; the rows of map_types.def. Some are in modules:
 * files of a fixed folder that are loaded when a table of theirs is opened. A
 * process that enters a sandbox loads all before. */
enum map_type_flag {
	MAP_TYPE_BUILT		= 1 << 0, /* needs a file made by map_make */
	MAP_TYPE_PATTERN	= 1 << 1,
	MAP_TYPE_FILE		= 1 << 2,	/* its name is a file's */
	MAP_TYPE_BLOCKS		= 1 << 3,	/* lookups may block */
};

struct map_type {
	const char	*name;
	unsigned	 flags;
	const char	*suffix;	/* of the built file; "" when none */
	const char	*gist;		/* one line for the manual */
	const char	*package;	/* of its module; NULL: is built in */
};

/* the type in that row, in alphabetical order; NULL behind the last */
const struct map_type	*map_type_at(size_t row);
const struct map_type	*map_type_find(struct slice name);
/* can its tables be opened: is its module there? */
bool	map_type_is_installed(const struct map_type *type);
/* load all modules that are there; opening a table tells of those that are
 * not, or cannot be loaded */
void	map_modules_load(void);

/* --- lists of tables: "type:name, type:name ..." as parameters hold them.
 * Tables are searched in order, the first that has the key answers. */
struct map_list;

MUST_USE int	map_list_open(struct slice text, unsigned flags, struct diag *d,
		    struct map_list **ret_list);
void	map_list_close(struct map_list **l);
bool	map_list_is_empty(const struct map_list *l);

enum map_list_use {
	MAP_LIST_ALL,		/* the whole string: every table is asked */
	MAP_LIST_FIXED_ONLY,	/* part of a string: pattern tables are not */
};
/* As map_get. A NULL list is empty. A table that cannot answer, or could not
 * be opened (MAP_TOLERATE), makes every lookup that reaches it fail. */
MUST_USE int	map_list_get(struct map_list *l, enum map_list_use use,
		    struct slice key, struct buf *value);
/* refresh all tables: how many were opened again, or the first error */
MUST_USE int	map_list_refresh(struct map_list *l, struct diag *d);
bool	map_list_blocks(const struct map_list *l);
bool	map_list_changed(struct map_list *l);
/* walk the tables: NULL behind the last */
struct map	*map_list_at(struct map_list *l, size_t i);

#endif
