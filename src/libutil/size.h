/* SPDX-License-Identifier: ISC */
/*
 * Checked arithmetic on sizes. A sum or product of lengths that a stranger
 * can influence goes through here; an overflow is -EOVERFLOW, never a wrap.
 */
#ifndef LIBUTIL_SIZE_H
#define LIBUTIL_SIZE_H

#include <errno.h>
#include <stddef.h>

#define MUST_USE __attribute__((warn_unused_result))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* size_add - a + b in *ret_sum, or -EOVERFLOW */
static inline MUST_USE int
size_add(size_t a, size_t b, size_t *ret_sum)
{
	return __builtin_add_overflow(a, b, ret_sum) ? -EOVERFLOW : 0;
}

/* size_mul - a * b in *ret_product, or -EOVERFLOW */
static inline MUST_USE int
size_mul(size_t a, size_t b, size_t *ret_product)
{
	return __builtin_mul_overflow(a, b, ret_product) ? -EOVERFLOW : 0;
}

static inline size_t
size_min(size_t a, size_t b)
{
	return a < b ? a : b;
}

static inline size_t
size_max(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* ignore - drop a result that must be used; the reason stands beside it */
static inline void
ignore(long result)
{
	(void)result;
}

#endif
