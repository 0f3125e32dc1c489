/* SPDX-License-Identifier: ISC */
/*
 * ASCII is skipped eight bytes at a time, since nearly all of mail is ASCII;
 * the rest goes character by character.
 */
#include "libutil/utf8.h"

#include "libutil/buf.h"
#include "libutil/cursor.h"

#define HIGH_BITS	0x8080808080808080u

/* ascii_run - how many bytes at the beginning are below 0x80 */
static size_t
ascii_run(struct slice s)
{
	uint64_t	word;
	size_t		i = 0;

	for (; s.len - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, &s.data[i], sizeof(word));
		if ((word & HIGH_BITS) != 0)
			break;
	}
	while (i < s.len && (s.data[i] & 0x80) == 0)
		i++;
	return i;
}

/* char_size - bytes of the character that begins with this one, or 0 */
static size_t
char_size(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2)	/* a continuation, or overlong */
		return 0;
	if (first < 0xe0)
		return 2;
	if (first < 0xf0)
		return 3;
	return first < 0xf5 ? 4 : 0;
}

/* char_at - the character at the beginning of s and its size, or 0 */
static size_t
char_at(struct slice s, uint32_t *ret_char)
{
	unsigned char	first = (unsigned char)s.data[0], next;
	size_t		size = char_size(first);
	uint32_t	c;

	if (size == 0 || size > s.len)
		return 0;
	c = size == 1 ? first : first & (0x7fu >> size);
	for (size_t i = 1; i < size; i++) {
		next = (unsigned char)s.data[i];
		if ((next & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (next & 0x3f);
	}
	/* overlong in three or four bytes, a surrogate, or too large */
	if ((size == 3 && c < 0x800) || (size == 4 && c < 0x10000) ||
	    (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
		return 0;
	*ret_char = c;
	return size;
}

/* utf8_valid_prefix - how many bytes at the beginning are UTF-8 */
size_t
utf8_valid_prefix(struct slice s)
{
	uint32_t	c;
	size_t		at = 0, n;

	for (;;) {
		at += ascii_run(slice_from(s, at));
		if (at == s.len)
			return at;
		if ((n = char_at(slice_from(s, at), &c)) == 0)
			return at;
		at += n;
	}
}

/* utf8_is_valid - is all of it UTF-8? */
bool
utf8_is_valid(struct slice s)
{
	return utf8_valid_prefix(s) == s.len;
}

/* utf8_is_ascii - are all bytes below 0x80? */
bool
utf8_is_ascii(struct slice s)
{
	return ascii_run(s) == s.len;
}

/* utf8_length - count characters */
size_t
utf8_length(struct slice s)
{
	uint32_t	c;
	size_t		at = 0, count = 0, n;

	while (at < s.len) {
		n = char_at(slice_from(s, at), &c);
		at += n == 0 ? 1 : n;
		count++;
	}
	return count;
}

/* utf8_decode - take one character */
int
utf8_decode(struct cursor *c, uint32_t *ret_char)
{
	uint32_t	value;
	size_t		n;

	if (cursor_at_end(c) || (n = char_at(cursor_rest(c), &value)) == 0)
		return -EBADMSG;
	(void)cursor_take(c, n);	/* char_at has seen these bytes */
	*ret_char = value;
	return 0;
}

/* utf8_encode - append one character */
void
utf8_encode(struct buf *out, uint32_t c)
{
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		c = UTF8_REPLACEMENT;
	if (c < 0x80) {
		buf_add_byte(out, (char)c);
		return;
	}
	if (c < 0x800) {
		buf_add_byte(out, (char)(0xc0 | c >> 6));
	} else if (c < 0x10000) {
		buf_add_byte(out, (char)(0xe0 | c >> 12));
		buf_add_byte(out, (char)(0x80 | (c >> 6 & 0x3f)));
	} else {
		buf_add_byte(out, (char)(0xf0 | c >> 18));
		buf_add_byte(out, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_add_byte(out, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_add_byte(out, (char)(0x80 | (c & 0x3f)));
}

/* utf8_cut - at most max bytes, ending where a character ends */
struct slice
utf8_cut(struct slice s, size_t max)
{
	size_t	end = max;

	if (s.len <= max)
		return s;
	/* step back over at most one unfinished character */
	for (int i = 0; i < 3 && end > 0 && (s.data[end] & 0xc0) == 0x80; i++)
		end--;
	if ((s.data[end] & 0xc0) == 0x80)	/* no UTF-8 anyway */
		end = max;
	return slice_sub(s, 0, end);
}
