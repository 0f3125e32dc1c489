/* SPDX-License-Identifier: ISC */
/* Thin wrappers: the only decision made here is that no memory is the end. */
#include "libutil/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libutil/size.h"

/* fatal - end a process that cannot go on */
void
fatal(const char *format, ...)
{
	va_list	ap;

	va_start(ap, format);
	(void)fputs("barid: fatal: ", stderr);		/* nobody left to tell */
	(void)vfprintf(stderr, format, ap);
	(void)fputc('\n', stderr);
	va_end(ap);
	_exit(1);
}

/* xmalloc - malloc or end */
void *
xmalloc(size_t size)
{
	void	*p = malloc(size == 0 ? 1 : size);

	if (p == NULL)
		fatal("out of memory for %zu bytes", size);
	return p;
}

/* xcalloc - calloc or end */
void *
xcalloc(size_t count, size_t size)
{
	void	*p = calloc(count == 0 ? 1 : count, size == 0 ? 1 : size);

	if (p == NULL)
		fatal("out of memory for %zu times %zu bytes", count, size);
	return p;
}

/* xrealloc - realloc or end */
void *
xrealloc(void *old, size_t size)
{
	void	*p = realloc(old, size == 0 ? 1 : size);

	if (p == NULL)
		fatal("out of memory for %zu bytes", size);
	return p;
}

/* xreallocarray - realloc for an array or end */
void *
xreallocarray(void *old, size_t count, size_t size)
{
	size_t	bytes;

	if (size_mul(count, size, &bytes) < 0)
		fatal("array of %zu times %zu bytes is too large", count, size);
	return xrealloc(old, bytes);
}
