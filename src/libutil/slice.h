/* SPDX-License-Identifier: ISC */
/*
 * slice: a lent range of bytes, (pointer, length). It owns nothing and is
 * passed by value; whoever lends it says how long it lives. It need not end
 * in NUL and may hold NUL. An empty slice may have a null pointer.
 */
#ifndef LIBUTIL_SLICE_H
#define LIBUTIL_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "libutil/size.h"

struct slice {
	const char	*data;
	size_t		 len;
};

/* S - a slice over a string literal; S_INIT the same as an initializer */
#define S(literal)	((struct slice){ "" literal, sizeof(literal) - 1 })
#define S_INIT(literal)	{ "" literal, sizeof(literal) - 1 }
#define SLICE_EMPTY	((struct slice){ NULL, 0 })

/* for printf-like formats: "%.*s", SLICE_ARG(s) */
#define SLICE_ARG(s)	(int)(s).len, (s).len ? (s).data : ""

/* slice_over - a slice over len bytes at data */
static inline struct slice
slice_over(const void *data, size_t len)
{
	return (struct slice){ data, len };
}

/* slice_of - a slice over a C string; NULL gives the empty slice */
static inline struct slice
slice_of(const char *text)
{
	return (struct slice){ text, text == NULL ? 0 : strlen(text) };
}

/* slice_is_empty - has it no bytes? */
static inline bool
slice_is_empty(struct slice s)
{
	return s.len == 0;
}

/* slice_sub - bytes from..from+len of s, cut to what s has */
static inline struct slice
slice_sub(struct slice s, size_t from, size_t len)
{
	from = size_min(from, s.len);
	len = size_min(len, s.len - from);
	return (struct slice){ len == 0 ? NULL : s.data + from, len };
}

/* slice_from - all of s from that offset on */
static inline struct slice
slice_from(struct slice s, size_t from)
{
	return slice_sub(s, from, s.len);
}

bool	slice_equal(struct slice a, struct slice b);
/* ASCII letters are equal in both cases; other bytes only to themselves */
bool	slice_equal_nocase(struct slice a, struct slice b);
/* <0, 0, >0: by bytes, a prefix first */
int	slice_compare(struct slice a, struct slice b);
int	slice_compare_nocase(struct slice a, struct slice b);
bool	slice_has_prefix(struct slice s, struct slice prefix);
bool	slice_has_prefix_nocase(struct slice s, struct slice prefix);
bool	slice_has_suffix(struct slice s, struct slice suffix);
bool	slice_has_suffix_nocase(struct slice s, struct slice suffix);

#define SLICE_NONE SIZE_MAX
/* the offset of the first (last) such byte, or SLICE_NONE */
size_t	slice_find(struct slice s, char byte);
size_t	slice_find_last(struct slice s, char byte);
/* the offset of the first occurrence of needle, or SLICE_NONE */
size_t	slice_find_slice(struct slice s, struct slice needle);

/* without blanks (space, tab, CR, LF) at both ends */
struct slice	slice_trim(struct slice s);
/* cut *rest at the first separator byte: returns what is before it, and
 * leaves what is after it in *rest; without one takes all */
struct slice	slice_split(struct slice *rest, char separator);
/* the next word between bytes of set, skipping empty ones; false at the end */
bool	slice_next_word(struct slice *rest, const char *set,
	    struct slice *ret_word);

/* whole slice as a decimal number; -EBADMSG if it is not one, -ERANGE over max */
MUST_USE int	slice_to_u64(struct slice s, uint64_t max, uint64_t *ret_value);
MUST_USE int	slice_to_u32(struct slice s, uint32_t max, uint32_t *ret_value);

/* a NUL-terminated heap copy, to be given to free(); only for slices that
 * hold no NUL (asserted by no one: the copy just ends there) */
char	*slice_dup(struct slice s);

/* ASCII only, independent of any locale */
static inline char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline char
ascii_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

static inline bool
ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
ascii_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
ascii_is_alnum(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c);
}

static inline bool
ascii_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

#endif
