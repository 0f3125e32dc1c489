/* SPDX-License-Identifier: ISC */
/* Decoding never makes text longer, so its memory is taken once. */
#include "libmail/smtp_xtext.h"

#include "libmail/idna.h"
#include "libutil/arena.h"
#include "libutil/buf.h"
#include "libutil/cursor.h"

/* hex_digit - its value, or -1; small letters only where accepted */
static int
hex_digit(int b, bool small)
{
	if (b >= '0' && b <= '9')
		return b - '0';
	if (b >= 'A' && b <= 'F')
		return b - 'A' + 10;
	if (small && b >= 'a' && b <= 'f')
		return b - 'a' + 10;
	return -1;
}

/* smtp_xtext_decode - RFC 3461 4 */
int
smtp_xtext_decode(struct slice in, struct arena *a, struct slice *ret_text)
{
	struct cursor	c = cursor_over(in);
	char		*text = arena_alloc(a, in.len + 1);
	size_t		n = 0;
	int		b, high, low;

	while ((b = cursor_byte(&c)) >= 0) {
		if (b == '+') {
			/* some senders have small letters here */
			high = hex_digit(cursor_byte(&c), true);
			low = hex_digit(cursor_byte(&c), true);
			if (high < 0 || low < 0)
				return -EBADMSG;
			b = high << 4 | low;
		} else if (b < '!' || b > '~' || b == '=') {
			return -EBADMSG;
		}
		text[n++] = (char)b;
	}
	*ret_text = slice_over(text, n);
	return 0;
}

/* smtp_xtext_encode - the same back */
void
smtp_xtext_encode(struct buf *out, struct slice text)
{
	static const char	hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.len; i++) {
		unsigned char	b = (unsigned char)text.data[i];

		if (b >= '!' && b <= '~' && b != '+' && b != '=') {
			buf_add_byte(out, (char)b);
			continue;
		}
		buf_add_byte(out, '+');
		buf_add_byte(out, hex[b >> 4]);
		buf_add_byte(out, hex[b & 15]);
	}
}

/* put_utf8 - the UTF-8 of a code point; how many bytes */
static size_t
put_utf8(char *text, unsigned point)
{
	if (point < 0x80) {
		text[0] = (char)point;
		return 1;
	}
	if (point < 0x800) {
		text[0] = (char)(0xc0 | point >> 6);
		text[1] = (char)(0x80 | (point & 0x3f));
		return 2;
	}
	if (point < 0x10000) {
		text[0] = (char)(0xe0 | point >> 12);
		text[1] = (char)(0x80 | (point >> 6 & 0x3f));
		text[2] = (char)(0x80 | (point & 0x3f));
		return 3;
	}
	text[0] = (char)(0xf0 | point >> 18);
	text[1] = (char)(0x80 | (point >> 12 & 0x3f));
	text[2] = (char)(0x80 | (point >> 6 & 0x3f));
	text[3] = (char)(0x80 | (point & 0x3f));
	return 4;
}

/* take_point - "x{HEX}", behind the backslash (RFC 6533 3) */
static int
take_point(struct cursor *c, unsigned *ret_point)
{
	unsigned	point = 0, digits = 0;
	int		value;

	if (!cursor_skip(c, S("x{")))
		return -EBADMSG;
	while ((value = hex_digit(cursor_peek(c), true)) >= 0) {
		if (++digits > 6)
			return -EBADMSG;
		point = point << 4 | (unsigned)value;
		(void)cursor_byte(c);
	}
	if (digits < 2 || !cursor_skip_byte(c, '}') || point > 0x10ffff)
		return -EBADMSG;
	*ret_point = point;
	return 0;
}

/* smtp_unitext_decode - to UTF-8 */
int
smtp_unitext_decode(struct slice in, struct arena *a, struct slice *ret_text)
{
	struct cursor	c = cursor_over(in);
	char		*text = arena_alloc(a, in.len + 1);
	size_t		n = 0;
	unsigned	point;
	int		b, r;

	while ((b = cursor_byte(&c)) >= 0) {
		if (b != '\\') {
			text[n++] = (char)b;
			continue;
		}
		/* \x{HH} is six bytes at least, UTF-8 four at most */
		if ((r = take_point(&c, &point)) < 0)
			return r;
		n += put_utf8(text + n, point);
	}
	if (!idna_is_utf8(slice_over(text, n)))
		return -EBADMSG;	/* \x{D800}, too */
	*ret_text = slice_over(text, n);
	return 0;
}

/* take_utf8 - the code point at the cursor, which stands on valid UTF-8 */
static unsigned
take_utf8(struct cursor *c)
{
	unsigned	b = (unsigned)cursor_byte(c), more = 0;

	if (b >= 0xf0) {
		b &= 0x07;
		more = 3;
	} else if (b >= 0xe0) {
		b &= 0x0f;
		more = 2;
	} else if (b >= 0xc0) {
		b &= 0x1f;
		more = 1;
	}
	while (more-- > 0 && !cursor_at_end(c))
		b = b << 6 | ((unsigned)cursor_byte(c) & 0x3f);
	return b;
}

/* smtp_unitext_encode - to what a parameter may hold */
void
smtp_unitext_encode(struct buf *out, struct slice text, bool ascii)
{
	struct cursor	c = cursor_over(text);
	struct cursor	start;
	unsigned	point;

	while (!cursor_at_end(&c)) {
		start = c;
		point = take_utf8(&c);
		if (point <= ' ' || point == '\\' || point == '+' ||
		    point == '=' || point == 0x7f || (ascii && point > 0x7f))
			buf_addf(out, "\\x{%02X}", point);
		else
			buf_add(out, cursor_since(&c, &start));
	}
}
