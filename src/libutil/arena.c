/* SPDX-License-Identifier: ISC */
/*
 * A list of chunks, bump-allocated. The first is small: many arenas need no
 * more, and the allocator has such blocks at hand; the others are 4 KiB, or as
 * large as one big thing needs. A reset keeps the newest if it is of a common
 * size, so a session that serves many commands allocates nothing in the long
 * run.
 */
#include "libutil/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "libutil/alloc.h"

#define ARENA_FIRST	992
#define ARENA_CHUNK	4064

struct arena_chunk {
	struct arena_chunk	*next;
	size_t			 size;
	_Alignas(max_align_t) char data[];
};

/* add_chunk - a new newest chunk that holds at least size bytes */
static void
add_chunk(struct arena *a, size_t size)
{
	struct arena_chunk	*c;

	size = size_max(size, a->chunk == NULL && size <= ARENA_FIRST ?
	    ARENA_FIRST : ARENA_CHUNK);
	c = xmalloc(sizeof(*c) + size);
	c->next = a->chunk;
	c->size = size;
	a->chunk = c;
	a->used = 0;
}

/* arena_alloc - zeroed memory that lives until the reset */
void *
arena_alloc(struct arena *a, size_t size)
{
	const size_t	align = _Alignof(max_align_t);
	char		*p;

	if (size > SIZE_MAX / 2)
		fatal("%zu bytes asked of an arena", size);
	size = (size + align - 1) / align * align;
	if (a->chunk == NULL || a->chunk->size - a->used < size)
		add_chunk(a, size);
	p = a->chunk->data + a->used;
	a->used += size;
	a->total += size;
	memset(p, 0, size);
	return p;
}

/* arena_array - the same for an array */
void *
arena_array(struct arena *a, size_t count, size_t size)
{
	size_t	bytes;

	if (size_mul(count, size, &bytes) < 0)
		fatal("array of %zu times %zu bytes is too large", count, size);
	return arena_alloc(a, bytes);
}

/* arena_text - copy as a C string */
char *
arena_text(struct arena *a, struct slice s)
{
	char	*text = arena_alloc(a, s.len + 1);

	if (s.len > 0)
		memcpy(text, s.data, s.len);
	return text;
}

/* arena_dup - copy the bytes */
struct slice
arena_dup(struct arena *a, struct slice s)
{
	return slice_over(arena_text(a, s), s.len);
}

/* arena_printf - formatted text */
struct slice
arena_printf(struct arena *a, const char *format, ...)
{
	va_list	ap;
	char	*text;
	int	n;

	va_start(ap, format);
	n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	assert(n >= 0);
	text = arena_alloc(a, (size_t)n + 1);
	va_start(ap, format);
	(void)vsnprintf(text, (size_t)n + 1, format, ap);
	va_end(ap);
	return slice_over(text, (size_t)n);
}

/* arena_reset - release all but one chunk of the common size */
void
arena_reset(struct arena *a)
{
	struct arena_chunk	*c, *next, *keep = NULL;

	for (c = a->chunk; c != NULL; c = next) {
		next = c->next;
		if (keep == NULL && c->size <= ARENA_CHUNK)
			keep = c;
		else
			free(c);
	}
	if (keep != NULL)
		keep->next = NULL;
	a->chunk = keep;
	a->used = a->total = 0;
}

/* arena_free - release all */
void
arena_free(struct arena *a)
{
	struct arena_chunk	*c, *next;

	for (c = a->chunk; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	*a = (struct arena)ARENA_INIT;
}
