/* SPDX-License-Identifier: ISC */
/* Every step is bounded by cursor_left; see the header for what is promised. */
#include "libutil/cursor.h"

/* cursor_skip - step over s if it comes next */
bool
cursor_skip(struct cursor *c, struct slice s)
{
	if (!slice_has_prefix(cursor_rest(c), s))
		return false;
	c->at += s.len;
	return true;
}

/* cursor_skip_nocase - the same, ASCII letters folded */
bool
cursor_skip_nocase(struct cursor *c, struct slice s)
{
	if (!slice_has_prefix_nocase(cursor_rest(c), s))
		return false;
	c->at += s.len;
	return true;
}

/* cursor_skip_byte - step over this byte if it comes next */
bool
cursor_skip_byte(struct cursor *c, char byte)
{
	if (c->at == c->end || *c->at != byte)
		return false;
	c->at++;
	return true;
}

/* cursor_skip_blanks - step over spaces and tabs */
size_t
cursor_skip_blanks(struct cursor *c)
{
	return cursor_take_while(c, ascii_is_blank).len;
}

/* cursor_take_while - take a run of bytes of one kind */
struct slice
cursor_take_while(struct cursor *c, bool (*is)(char))
{
	size_t	n = 0, left = cursor_left(c);

	while (n < left && is(c->at[n]))
		n++;
	return cursor_take(c, n);
}

/* cursor_take_until - take what stands before a byte */
struct slice
cursor_take_until(struct cursor *c, char byte)
{
	size_t	at = slice_find(cursor_rest(c), byte);

	return cursor_take(c, at == SLICE_NONE ? cursor_left(c) : at);
}

/* cursor_since - what lies between an earlier copy and here */
struct slice
cursor_since(const struct cursor *c, const struct cursor *start)
{
	return slice_over(start->at, (size_t)(c->at - start->at));
}

/* cursor_u64 - a decimal number */
int
cursor_u64(struct cursor *c, uint64_t max, uint64_t *ret_value)
{
	struct cursor	start = *c;
	struct slice	digits = cursor_take_while(c, ascii_is_digit);
	int		r = slice_to_u64(digits, max, ret_value);

	if (r < 0)
		*c = start;
	return r;
}

/* cursor_u32 - the same for 32 bits */
int
cursor_u32(struct cursor *c, uint32_t max, uint32_t *ret_value)
{
	uint64_t	v;
	int		r;

	if ((r = cursor_u64(c, max, &v)) < 0)
		return r;
	*ret_value = (uint32_t)v;
	return 0;
}

/* cursor_bytes - exactly n bytes */
int
cursor_bytes(struct cursor *c, size_t n, struct slice *ret_bytes)
{
	if (cursor_left(c) < n)
		return -EBADMSG;
	*ret_bytes = cursor_take(c, n);
	return 0;
}

/* little_endian - n bytes as an unsigned number, lowest first */
static int
little_endian(struct cursor *c, size_t n, uint64_t *ret_value)
{
	struct slice	s;
	uint64_t	v = 0;
	int		r;

	if ((r = cursor_bytes(c, n, &s)) < 0)
		return r;
	while (n-- > 0)
		v = v << 8 | (unsigned char)s.data[n];
	*ret_value = v;
	return 0;
}

/* cursor_le16 - two bytes */
int
cursor_le16(struct cursor *c, uint16_t *ret_value)
{
	uint64_t	v;
	int		r;

	if ((r = little_endian(c, 2, &v)) < 0)
		return r;
	*ret_value = (uint16_t)v;
	return 0;
}

/* cursor_le32 - four bytes */
int
cursor_le32(struct cursor *c, uint32_t *ret_value)
{
	uint64_t	v;
	int		r;

	if ((r = little_endian(c, 4, &v)) < 0)
		return r;
	*ret_value = (uint32_t)v;
	return 0;
}

/* cursor_le64 - eight bytes */
int
cursor_le64(struct cursor *c, uint64_t *ret_value)
{
	return little_endian(c, 8, ret_value);
}
