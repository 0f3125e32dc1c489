/* SPDX-License-Identifier: ISC */
/* Four digits are collected in one word and leave as three bytes. */
#include "libutil/base64.h"

#include "libutil/buf.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char alphabet_url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* digit_value - what a digit is worth, or -1 */
static int
digit_value(char c, bool url)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (ascii_is_digit(c))
		return c - '0' + 52;
	if (c == (url ? '-' : '+'))
		return 62;
	return c == (url ? '_' : '/') ? 63 : -1;
}

/* encode - append digits, four for three bytes */
static void
encode(struct buf *out, struct slice bytes, const char *digits, bool pad)
{
	uint32_t	word;
	size_t		n;

	for (size_t i = 0; i < bytes.len; i += 3) {
		n = size_min(bytes.len - i, 3);
		word = 0;
		for (size_t k = 0; k < 3; k++)
			word = word << 8 |
			    (k < n ? (unsigned char)bytes.data[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			if (k <= n)
				buf_add_byte(out,
				    digits[word >> (18 - 6 * k) & 63]);
			else if (pad)
				buf_add_byte(out, '=');
	}
}

/* check - are these digits alone, of a possible number, unused bits zero? */
static bool
check(struct slice text, bool url)
{
	size_t	tail = text.len % 4;
	int	last;

	for (size_t i = 0; i < text.len; i++)
		if (digit_value(text.data[i], url) < 0)
			return false;
	if (tail == 0)
		return true;
	last = digit_value(text.data[text.len - 1], url);
	return tail != 1 && (last & (tail == 2 ? 15 : 3)) == 0;
}

/* decode - append the bytes of unpadded digits */
static int
decode(struct buf *out, struct slice text, bool url)
{
	uint32_t	word = 0;
	unsigned	bits = 0;

	if (!check(text, url))
		return -EBADMSG;
	for (size_t i = 0; i < text.len; i++) {
		word = word << 6 | (uint32_t)digit_value(text.data[i], url);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			buf_add_byte(out, (char)(word >> bits & 0xff));
		}
	}
	return 0;
}

/* base64_encode - bytes as padded text */
void
base64_encode(struct buf *out, struct slice bytes)
{
	encode(out, bytes, alphabet, true);
}

/* base64_decode - padded text as bytes */
int
base64_decode(struct buf *out, struct slice text)
{
	if (text.len % 4 != 0)
		return -EBADMSG;
	for (int i = 0; i < 2 && slice_has_suffix(text, S("=")); i++)
		text = slice_sub(text, 0, text.len - 1);
	return decode(out, text, false);
}

/* base64url_encode - bytes as text for URLs and names */
void
base64url_encode(struct buf *out, struct slice bytes)
{
	encode(out, bytes, alphabet_url, false);
}

/* base64url_decode - the reverse */
int
base64url_decode(struct buf *out, struct slice text)
{
	return decode(out, text, true);
}
