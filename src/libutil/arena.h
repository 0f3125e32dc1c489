/* SPDX-License-Identifier: ISC */
/*
 * arena: memory that lives as long as one command or one message, and is
 * released as a whole. Passed to whoever makes parts of that command; never
 * global. All zero is an empty arena.
 */
#ifndef LIBUTIL_ARENA_H
#define LIBUTIL_ARENA_H

#include "libutil/slice.h"

struct arena_chunk;

struct arena {
	struct arena_chunk	*chunk;		/* newest first */
	size_t			 used;		/* in the newest */
	size_t			 total;		/* bytes handed out */
};

#define ARENA_INIT	{ NULL, 0, 0 }

/* zeroed, aligned for any type; lives until the reset */
void	*arena_alloc(struct arena *a, size_t size) __attribute__((returns_nonnull));
/* count things of that size; the product is checked */
void	*arena_array(struct arena *a, size_t count, size_t size)
	    __attribute__((returns_nonnull));
/* a copy of the bytes, with an uncounted NUL behind */
struct slice	arena_dup(struct arena *a, struct slice s);
/* the same as a C string */
char	*arena_text(struct arena *a, struct slice s);
struct slice	arena_printf(struct arena *a, const char *format, ...)
		    __attribute__((format(printf, 2, 3)));
/* release everything; one chunk is kept for reuse */
void	arena_reset(struct arena *a);
/* release everything */
void	arena_free(struct arena *a);

#define ARENA_NEW(a, type)	((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, n)	((type *)arena_array((a), (n), sizeof(type)))

#endif
