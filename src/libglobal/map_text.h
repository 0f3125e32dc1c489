/* SPDX-License-Identifier: ISC */
/*
 * map_text: a table of keys and texts in memory, that texthash and inline
 * fill. Included by map*.c only.
 */
#ifndef LIBGLOBAL_MAP_TEXT_H
#define LIBGLOBAL_MAP_TEXT_H

#include "libutil/slice.h"

struct map_table;

/* give t an empty table in memory */
void	map_text_init(struct map_table *t);
/* copy key and value in; false if the key was there (nothing changes) */
bool	map_text_add(struct map_table *t, struct slice key, struct slice value);

#endif
