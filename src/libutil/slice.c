/* SPDX-License-Identifier: ISC */
/*
 * Plain loops and the C library's mem functions; nothing here allocates but
 * slice_dup, and nothing reads past a slice's length.
 */
#include "libutil/slice.h"

#include "libutil/alloc.h"

/* slice_equal - the same bytes? */
bool
slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* slice_compare - order by bytes, a prefix first */
int
slice_compare(struct slice a, struct slice b)
{
	size_t	n = size_min(a.len, b.len);
	int	r = n == 0 ? 0 : memcmp(a.data, b.data, n);

	if (r != 0)
		return r;
	return a.len < b.len ? -1 : a.len > b.len;
}

/* slice_compare_nocase - the same, ASCII letters folded */
int
slice_compare_nocase(struct slice a, struct slice b)
{
	size_t	n = size_min(a.len, b.len);

	for (size_t i = 0; i < n; i++) {
		unsigned char x = (unsigned char)ascii_lower(a.data[i]);
		unsigned char y = (unsigned char)ascii_lower(b.data[i]);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return a.len < b.len ? -1 : a.len > b.len;
}

/* slice_equal_nocase - equal when ASCII letters are folded? */
bool
slice_equal_nocase(struct slice a, struct slice b)
{
	return a.len == b.len && slice_compare_nocase(a, b) == 0;
}

/* slice_has_prefix - does s begin with prefix? */
bool
slice_has_prefix(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len &&
	    slice_equal(slice_sub(s, 0, prefix.len), prefix);
}

/* slice_has_prefix_nocase - the same, ASCII letters folded */
bool
slice_has_prefix_nocase(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len &&
	    slice_equal_nocase(slice_sub(s, 0, prefix.len), prefix);
}

/* slice_has_suffix - does s end with suffix? */
bool
slice_has_suffix(struct slice s, struct slice suffix)
{
	return s.len >= suffix.len &&
	    slice_equal(slice_from(s, s.len - suffix.len), suffix);
}

/* slice_has_suffix_nocase - the same, ASCII letters folded */
bool
slice_has_suffix_nocase(struct slice s, struct slice suffix)
{
	return s.len >= suffix.len &&
	    slice_equal_nocase(slice_from(s, s.len - suffix.len), suffix);
}

/* slice_find - where the byte first stands */
size_t
slice_find(struct slice s, char byte)
{
	const char	*p;

	if (s.len == 0)
		return SLICE_NONE;
	p = memchr(s.data, byte, s.len);
	return p == NULL ? SLICE_NONE : (size_t)(p - s.data);
}

/* slice_find_last - where the byte last stands */
size_t
slice_find_last(struct slice s, char byte)
{
	const char	*p;

	if (s.len == 0)
		return SLICE_NONE;
	p = memrchr(s.data, byte, s.len);
	return p == NULL ? SLICE_NONE : (size_t)(p - s.data);
}

/* slice_find_slice - where the needle first stands */
size_t
slice_find_slice(struct slice s, struct slice needle)
{
	const char	*p;

	if (needle.len == 0)
		return 0;
	if (s.len < needle.len)
		return SLICE_NONE;
	p = memmem(s.data, s.len, needle.data, needle.len);
	return p == NULL ? SLICE_NONE : (size_t)(p - s.data);
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* slice_trim - cut blanks from both ends */
struct slice
slice_trim(struct slice s)
{
	size_t	from = 0, to = s.len;

	while (from < to && is_space(s.data[from]))
		from++;
	while (to > from && is_space(s.data[to - 1]))
		to--;
	return slice_sub(s, from, to - from);
}

/* slice_split - take what stands before the separator */
struct slice
slice_split(struct slice *rest, char separator)
{
	size_t		at = slice_find(*rest, separator);
	struct slice	head;

	if (at == SLICE_NONE) {
		head = *rest;
		*rest = SLICE_EMPTY;
		return head;
	}
	head = slice_sub(*rest, 0, at);
	*rest = slice_from(*rest, at + 1);
	return head;
}

static bool
in_set(const char *set, char c)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* slice_next_word - the next run of bytes outside set */
bool
slice_next_word(struct slice *rest, const char *set, struct slice *ret_word)
{
	size_t	from = 0, to;

	while (from < rest->len && in_set(set, rest->data[from]))
		from++;
	if (from == rest->len) {
		*rest = SLICE_EMPTY;
		return false;
	}
	for (to = from; to < rest->len && !in_set(set, rest->data[to]); to++)
		continue;
	*ret_word = slice_sub(*rest, from, to - from);
	*rest = slice_from(*rest, to);
	return true;
}

/* slice_to_u64 - parse a whole decimal number */
int
slice_to_u64(struct slice s, uint64_t max, uint64_t *ret_value)
{
	uint64_t	v = 0;

	if (s.len == 0)
		return -EBADMSG;
	for (size_t i = 0; i < s.len; i++) {
		if (!ascii_is_digit(s.data[i]))
			return -EBADMSG;
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.data[i] - '0'), &v))
			return -ERANGE;
	}
	if (v > max)
		return -ERANGE;
	*ret_value = v;
	return 0;
}

/* slice_to_u32 - the same for 32 bits */
int
slice_to_u32(struct slice s, uint32_t max, uint32_t *ret_value)
{
	uint64_t	v;
	int		r;

	if ((r = slice_to_u64(s, max, &v)) < 0)
		return r;
	*ret_value = (uint32_t)v;
	return 0;
}

/* slice_dup - a C string on the heap */
char *
slice_dup(struct slice s)
{
	char	*text = xmalloc(s.len + 1);

	if (s.len > 0)
		memcpy(text, s.data, s.len);
	text[s.len] = '\0';
	return text;
}
