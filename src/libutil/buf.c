/* SPDX-License-Identifier: ISC */
/*
 * Growth doubles, and more while it is small, so a run of appends is linear;
 * the first allocation is small because many bufs hold one line.
 */
#include "libutil/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "libutil/alloc.h"

#define QUICK	1024	/* below this it grows fourfold */

static size_t
max_of(const struct buf *b)
{
	return b->max == 0 ? BUF_MAX_DEFAULT : b->max;
}

/* reserve - make room for n more bytes; false if the maximum forbids it */
static bool
reserve(struct buf *b, size_t n)
{
	size_t	want, cap;

	if (b->overflow || size_add(b->len, n, &want) < 0 || want > max_of(b)) {
		b->overflow = true;
		return false;
	}
	if (want <= b->cap)
		return true;
	cap = size_max(b->cap == 0 ? 64 : b->cap < QUICK ? b->cap * 4 :
	    b->cap * 2, want);
	b->data = xrealloc(b->data, cap);
	b->cap = cap;
	return true;
}

/* buf_check - did all of it fit? */
int
buf_check(const struct buf *b)
{
	return b->overflow ? -EMSGSIZE : 0;
}

/* buf_reset - empty, keeping the memory */
void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->overflow = false;
}

/* buf_free - empty, releasing the memory */
void
buf_free(struct buf *b)
{
	free(b->data);
	b->data = NULL;
	b->len = b->cap = 0;
	b->overflow = false;
}

/* buf_take_text - hand the bytes over as a C string */
char *
buf_take_text(struct buf *b)
{
	char	*text = xrealloc(b->data, b->len + 1);

	text[b->len] = '\0';
	b->data = NULL;
	b->len = b->cap = 0;
	b->overflow = false;
	return text;
}

/* buf_add - append bytes */
void
buf_add(struct buf *b, struct slice s)
{
	if (s.len == 0 || !reserve(b, s.len))
		return;
	memcpy(b->data + b->len, s.data, s.len);
	b->len += s.len;
}

/* buf_add_byte - append one byte */
void
buf_add_byte(struct buf *b, char byte)
{
	if (!reserve(b, 1))
		return;
	b->data[b->len++] = byte;
}

/* buf_add_text - append a C string */
void
buf_add_text(struct buf *b, const char *text)
{
	buf_add(b, slice_of(text));
}

/* buf_add_u64 - append a number in decimal */
void
buf_add_u64(struct buf *b, uint64_t value)
{
	char	digits[20];
	size_t	n = sizeof(digits);

	do {
		digits[--n] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	buf_add(b, slice_over(digits + n, sizeof(digits) - n));
}

/* add_le - append the low n bytes of a number, lowest first */
static void
add_le(struct buf *b, uint64_t value, size_t n)
{
	char	bytes[8];

	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(value >> (8 * i));
	buf_add(b, slice_over(bytes, n));
}

/* buf_add_le16 - append two bytes */
void
buf_add_le16(struct buf *b, uint16_t value)
{
	add_le(b, value, 2);
}

/* buf_add_le32 - append four bytes */
void
buf_add_le32(struct buf *b, uint32_t value)
{
	add_le(b, value, 4);
}

/* buf_add_le64 - append eight bytes */
void
buf_add_le64(struct buf *b, uint64_t value)
{
	add_le(b, value, 8);
}

/* buf_vaddf - append formatted text */
void
buf_vaddf(struct buf *b, const char *format, va_list ap)
{
	size_t	room = b->overflow ? 0 : b->cap - b->len;
	va_list	again;
	int	n;

	if (strchr(format, '%') == NULL) {
		buf_add_text(b, format);
		return;
	}
	/* most of the time there is room for it already */
	va_copy(again, ap);
	n = vsnprintf(room > 0 ? b->data + b->len : NULL, room, format, again);
	va_end(again);
	assert(n >= 0);
	/* one byte more for the NUL that vsnprintf writes and nobody counts */
	if (!reserve(b, (size_t)n + 1))
		return;
	if ((size_t)n >= room)
		(void)vsnprintf(b->data + b->len, (size_t)n + 1, format, ap);
	b->len += (size_t)n;
}

/* buf_addf - append formatted text */
void
buf_addf(struct buf *b, const char *format, ...)
{
	va_list	ap;

	va_start(ap, format);
	buf_vaddf(b, format, ap);
	va_end(ap);
}

/* buf_reserve - what comes will not move what is there */
void
buf_reserve(struct buf *b, size_t n)
{
	if (n <= max_of(b) - b->len)
		(void)reserve(b, n);	/* it fits */
}

/* buf_room - a place for n bytes behind the text */
char *
buf_room(struct buf *b, size_t n)
{
	return reserve(b, n) ? b->data + b->len : NULL;
}

/* buf_grown - claim bytes that were put into the room */
void
buf_grown(struct buf *b, size_t n)
{
	assert(n <= b->cap - b->len);
	b->len += n;
}

/* buf_truncate - keep at most len bytes */
void
buf_truncate(struct buf *b, size_t len)
{
	b->len = size_min(b->len, len);
}

/* buf_consume - drop bytes at the front */
void
buf_consume(struct buf *b, size_t n)
{
	assert(n <= b->len);
	b->len -= n;
	if (n > 0 && b->len > 0)
		memmove(b->data, b->data + n, b->len);
}

/* buf_cstr - the text with a NUL behind it */
const char *
buf_cstr(struct buf *b)
{
	if (b->len == b->cap) {
		b->data = xrealloc(b->data, b->cap + 64);
		b->cap += 64;
	}
	b->data[b->len] = '\0';
	return b->data;
}
