/* SPDX-License-Identifier: ISC */
/* xtext never grows when decoded, so its memory is taken once. */
#include "libmail/smtp_xtext.h"

#include "libutil/arena.h"
#include "libutil/buf.h"
#include "libutil/cursor.h"
#include "libutil/hex.h"
#include "libutil/utf8.h"

/* take_hex - the value of the hex digit at the cursor, or -1; small letters,
 * which the grammar does not have, are met as well */
static int
take_hex(struct cursor *c)
{
	int	b = cursor_peek(c);
	int	value = b < 0 ? -1 : hex_digit((char)b);

	if (value >= 0)
		(void)cursor_byte(c);
	return value;
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
			if ((high = take_hex(&c)) < 0 ||
			    (low = take_hex(&c)) < 0)
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

/* take_point - "x{HEX}", behind the backslash (RFC 6533 3) */
static int
take_point(struct cursor *c, uint32_t *ret_point)
{
	uint32_t	point = 0, digits = 0;
	int		value;

	if (!cursor_skip(c, S("x{")))
		return -EBADMSG;
	while ((value = take_hex(c)) >= 0) {
		if (++digits > 6)
			return -EBADMSG;
		point = point << 4 | (uint32_t)value;
	}
	if (digits < 2 || !cursor_skip_byte(c, '}') || point > 0x10ffff ||
	    (point >= 0xd800 && point < 0xe000))
		return -EBADMSG;
	*ret_point = point;
	return 0;
}

/* smtp_unitext_decode - to UTF-8 */
int
smtp_unitext_decode(struct slice in, struct arena *a, struct slice *ret_text)
{
	struct cursor	c = cursor_over(in);
	struct buf	text = BUF_INIT;
	uint32_t	point;
	int		r = 0;

	if (!utf8_is_valid(in))
		return -EBADMSG;
	while (!cursor_at_end(&c)) {
		buf_add(&text, cursor_take_until(&c, '\\'));
		if (!cursor_skip_byte(&c, '\\'))
			break;
		if ((r = take_point(&c, &point)) < 0)
			goto out;
		utf8_encode(&text, point);
	}
	*ret_text = arena_dup(a, buf_slice(&text));
out:
	buf_free(&text);
	return r;
}

/* smtp_unitext_encode - to what a parameter may hold */
void
smtp_unitext_encode(struct buf *out, struct slice text, bool ascii)
{
	struct cursor	c = cursor_over(text);
	struct cursor	start;
	uint32_t	point;

	for (;;) {
		start = c;
		if (utf8_decode(&c, &point) < 0)
			break;		/* the end, or no UTF-8 */
		if (point <= ' ' || point == '\\' || point == '+' ||
		    point == '=' || point == 0x7f || (ascii && point > 0x7f))
			buf_addf(out, "\\x{%02X}", point);
		else
			buf_add(out, cursor_since(&c, &start));
	}
}
