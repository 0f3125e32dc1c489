/* SPDX-License-Identifier: ISC */
/*
 * map_make: make the built files of hash, btree and lmdb tables from their
 * texts, as postmap and postalias do; their files and ours are the same. For
 * the map command and its compatible names, never for a daemon: it may give
 * up root's rights for a while.
 *
 * A built file appears whole or not at all: it is written beside the old one,
 * flushed, and renamed over it. It belongs to whom the text belongs to, and
 * others may read it if they may read the text.
 */
#ifndef LIBGLOBAL_MAP_MAKE_H
#define LIBGLOBAL_MAP_MAKE_H

#include "libutil/slice.h"

struct diag;

enum map_syntax {
	MAP_SYNTAX_TABLE,	/* "key value" lines */
	MAP_SYNTAX_ALIASES,	/* "name: value" lines */
};

/* the letters are postmap's; all zero is its default but for input */
struct map_make_options {
	enum map_syntax	syntax;
	int	input;			/* read this descriptor; -1: the text */
	bool	add;			/* -i: keep what the file has */
	bool	replace;		/* -r: the last of equal keys counts */
	bool	ignore_duplicates;	/* -w: do not warn of them */
	bool	no_fold;		/* -f: keys as they are written */
	bool	no_nul;			/* -n: no NUL ends keys and texts */
	bool	keep_root;		/* -o: do not act as the text's owner */
	bool	open_mode;		/* -p: 0644, whatever the text has */
	/* told of each line that is odd; may be NULL */
	void	(*warn)(void *arg, const struct diag *d);
	void	*arg;
};

#define MAP_MAKE_OPTIONS_INIT	{ .input = -1 }

struct map_make_counts {
	size_t	entries;	/* in the built file */
	size_t	duplicates;	/* lines whose key was there before */
	size_t	malformed;	/* lines that were skipped */
};

/* Make the built file of the table that spec names. The name is that of the
 * text; the built file has the type's suffix. -EOPNOTSUPP: such a table needs
 * no built file. ret_counts may be NULL. */
MUST_USE int	map_make(struct slice spec, const struct map_make_options *o,
		    struct diag *d, struct map_make_counts *ret_counts);
/* Take keys out of a built file (-d). *ret_deleted says how many were there. */
MUST_USE int	map_delete(struct slice spec, const struct map_make_options *o,
		    const struct slice *key, size_t count, struct diag *d,
		    size_t *ret_deleted);

#endif
