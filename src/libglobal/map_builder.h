/* SPDX-License-Identifier: ISC */
/*
 * map_builder: how a built table file is written, by type. Included by
 * map*.c only. A builder writes to a new file that nobody else opens.
 */
#ifndef LIBGLOBAL_MAP_BUILDER_H
#define LIBGLOBAL_MAP_BUILDER_H

#include "libutil/slice.h"

struct map_type;

struct map_builder_ops {
	/* make a new file of that type; size: about how much will come;
	 * no_nul: keys and texts do not end in NUL */
	int	(*begin)(const struct map_type *type, const char *path,
		    size_t size, bool no_nul, void **ret_state);
	/* -EEXIST when the key is there and overwrite is false */
	int	(*put)(void *state, struct slice key, struct slice value,
		    bool overwrite);
	int	(*del)(void *state, struct slice key);	/* -ENOENT */
	/* write all and close; state is gone, also after a failure. That the
	 * file is flushed is left to the caller */
	int	(*finish)(void *state);
	void	(*abort)(void *state);
};

extern const struct map_builder_ops map_builder_lmdb;

#endif
