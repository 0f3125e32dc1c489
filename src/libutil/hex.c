/* SPDX-License-Identifier: ISC */
/* One digit at a time: nothing of this is on a hot path. */
#include "libutil/hex.h"

#include "libutil/buf.h"

/* hex_digit - what a digit is worth */
int
hex_digit(char c)
{
	c = ascii_lower(c);
	if (ascii_is_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* hex_encode - bytes as digits */
void
hex_encode(struct buf *out, struct slice bytes)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < bytes.len; i++) {
		buf_add_byte(out, digits[(unsigned char)bytes.data[i] >> 4]);
		buf_add_byte(out, digits[bytes.data[i] & 0x0f]);
	}
}

/* hex_decode - digits as bytes */
int
hex_decode(struct buf *out, struct slice text)
{
	if (text.len % 2 != 0)
		return -EBADMSG;
	for (size_t i = 0; i < text.len; i++)
		if (hex_digit(text.data[i]) < 0)
			return -EBADMSG;
	for (size_t i = 0; i < text.len; i += 2)
		buf_add_byte(out, (char)(hex_digit(text.data[i]) << 4 |
		    hex_digit(text.data[i + 1])));
	return 0;
}
