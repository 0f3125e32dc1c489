/* SPDX-License-Identifier: ISC */
/*
 * cursor: the one way to read foreign bytes. It moves forward over a slice,
 * cannot step past its end, and only it does pointer arithmetic. Functions
 * that match leave the cursor where it was if they do not.
 */
#ifndef LIBUTIL_CURSOR_H
#define LIBUTIL_CURSOR_H

#include "libutil/slice.h"

struct cursor {
	const char	*at;
	const char	*end;
};

static inline struct cursor
cursor_over(struct slice s)
{
	static const char nothing[1] = "";
	const char *p = s.len == 0 ? nothing : s.data;

	return (struct cursor){ p, p + s.len };
}

static inline size_t
cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}

static inline bool
cursor_at_end(const struct cursor *c)
{
	return c->at == c->end;
}

/* cursor_rest - lends what is left */
static inline struct slice
cursor_rest(const struct cursor *c)
{
	return slice_over(c->at, cursor_left(c));
}

/* cursor_peek - the next byte as 0..255, or -1 at the end */
static inline int
cursor_peek(const struct cursor *c)
{
	return c->at == c->end ? -1 : (unsigned char)*c->at;
}

/* cursor_peek_at - the byte ahead by n, or -1 */
static inline int
cursor_peek_at(const struct cursor *c, size_t n)
{
	return cursor_left(c) <= n ? -1 : (unsigned char)c->at[n];
}

/* cursor_byte - the next byte, taken; -1 at the end */
static inline int
cursor_byte(struct cursor *c)
{
	return c->at == c->end ? -1 : (unsigned char)*c->at++;
}

/* cursor_take - the next n bytes, taken; fewer if fewer are left */
static inline struct slice
cursor_take(struct cursor *c, size_t n)
{
	struct slice s = slice_sub(cursor_rest(c), 0, n);

	c->at += s.len;
	return s;
}

/* skip these bytes if they come next; says whether they did */
bool	cursor_skip(struct cursor *c, struct slice s);
bool	cursor_skip_nocase(struct cursor *c, struct slice s);
bool	cursor_skip_byte(struct cursor *c, char byte);
/* skip spaces and tabs; says how many */
size_t	cursor_skip_blanks(struct cursor *c);

/* take the longest run of bytes for which is() holds; may be empty */
struct slice	cursor_take_while(struct cursor *c, bool (*is)(char));
/* take what stands before the byte and leave the cursor on it; takes all if
 * it does not come */
struct slice	cursor_take_until(struct cursor *c, char byte);
/* what was passed since start, a copy of this cursor made earlier */
struct slice	cursor_since(const struct cursor *c, const struct cursor *start);

/* a decimal number of at least one digit; -EBADMSG, -ERANGE over max */
MUST_USE int	cursor_u64(struct cursor *c, uint64_t max, uint64_t *ret_value);
MUST_USE int	cursor_u32(struct cursor *c, uint32_t max, uint32_t *ret_value);

/* binary integers, little endian; -EBADMSG if too few bytes are left */
MUST_USE int	cursor_le16(struct cursor *c, uint16_t *ret_value);
MUST_USE int	cursor_le32(struct cursor *c, uint32_t *ret_value);
MUST_USE int	cursor_le64(struct cursor *c, uint64_t *ret_value);
/* exactly n bytes, lent */
MUST_USE int	cursor_bytes(struct cursor *c, size_t n, struct slice *ret_bytes);

#endif
