/* SPDX-License-Identifier: ISC */
/*
 * Allocation that does not return NULL: it ends the process, which master
 * starts again. Safe because every size that a stranger can influence is
 * bounded before it comes here. What is got here is released with free().
 */
#ifndef LIBUTIL_ALLOC_H
#define LIBUTIL_ALLOC_H

#include <stddef.h>

void	*xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
/* zeroed; count * size is checked */
void	*xcalloc(size_t count, size_t size)
	    __attribute__((malloc, returns_nonnull));
void	*xrealloc(void *old, size_t size) __attribute__((returns_nonnull));
/* room for count things of that size; the product is checked */
void	*xreallocarray(void *old, size_t count, size_t size)
	    __attribute__((returns_nonnull));

/* new zeroed object(s) of a type */
#define NEW(type)		((type *)xcalloc(1, sizeof(type)))
#define NEW_ARRAY(type, n)	((type *)xcalloc((n), sizeof(type)))

/* fatal - say why on standard error and end the process with status 1; for a
 * broken start-up and exhausted memory only */
void	fatal(const char *format, ...)
	    __attribute__((noreturn, format(printf, 1, 2)));

#endif
