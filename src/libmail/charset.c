/* SPDX-License-Identifier: ISC */
/* Single-byte charsets differ from Latin-1 in a few rows only. */
#include "libmail/charset.h"

#include "libutil/cursor.h"
#include "libutil/utf8.h"

static const struct {
	struct slice	name;
	enum charset	charset;
} names[] = {
	{ S_INIT("us-ascii"),		CHARSET_ASCII },
	{ S_INIT("ascii"),		CHARSET_ASCII },
	{ S_INIT("ansi_x3.4-1968"),	CHARSET_ASCII },
	{ S_INIT("ansi_x3.4-1986"),	CHARSET_ASCII },
	{ S_INIT("iso646-us"),		CHARSET_ASCII },
	{ S_INIT("iso-ir-6"),		CHARSET_ASCII },
	{ S_INIT("us"),			CHARSET_ASCII },
	{ S_INIT("utf-8"),		CHARSET_UTF8 },
	{ S_INIT("utf8"),		CHARSET_UTF8 },
	{ S_INIT("unicode-1-1-utf-8"),	CHARSET_UTF8 },
	{ S_INIT("iso-8859-1"),		CHARSET_LATIN1 },
	{ S_INIT("iso_8859-1"),		CHARSET_LATIN1 },
	{ S_INIT("iso8859-1"),		CHARSET_LATIN1 },
	{ S_INIT("iso-8859-1:1987"),	CHARSET_LATIN1 },
	{ S_INIT("iso_8859-1:1987"),	CHARSET_LATIN1 },
	{ S_INIT("latin1"),		CHARSET_LATIN1 },
	{ S_INIT("l1"),			CHARSET_LATIN1 },
	{ S_INIT("cp819"),		CHARSET_LATIN1 },
	{ S_INIT("iso-8859-15"),	CHARSET_LATIN9 },
	{ S_INIT("iso_8859-15"),	CHARSET_LATIN9 },
	{ S_INIT("iso8859-15"),		CHARSET_LATIN9 },
	{ S_INIT("latin-9"),		CHARSET_LATIN9 },
	{ S_INIT("windows-1252"),	CHARSET_WINDOWS_1252 },
	{ S_INIT("cp1252"),		CHARSET_WINDOWS_1252 },
	{ S_INIT("cp-1252"),		CHARSET_WINDOWS_1252 },
	{ S_INIT("x-ansi"),		CHARSET_WINDOWS_1252 },
};

/* 0x80 to 0x9f of Windows-1252; 0 where there is nothing */
static const uint16_t windows_1252[32] = {
	0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
	0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0,
	0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
	0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178,
};

/* charset_of - find a charset by its name */
enum charset
charset_of(struct slice name)
{
	name = slice_trim(name);
	if (name.len == 0)
		return CHARSET_ASCII;
	for (size_t i = 0; i < COUNT(names); i++)
		if (slice_equal_nocase(names[i].name, name))
			return names[i].charset;
	return CHARSET_UNKNOWN;
}

/* latin9 - where ISO-8859-15 is not ISO-8859-1 */
static uint32_t
latin9(unsigned char c)
{
	switch (c) {
	case 0xa4: return 0x20ac;
	case 0xa6: return 0x0160;
	case 0xa8: return 0x0161;
	case 0xb4: return 0x017d;
	case 0xb8: return 0x017e;
	case 0xbc: return 0x0152;
	case 0xbd: return 0x0153;
	case 0xbe: return 0x0178;
	}
	return c;
}

/* character_of - one byte of a single-byte charset */
static uint32_t
character_of(enum charset charset, unsigned char c)
{
	if (charset == CHARSET_LATIN9)
		return latin9(c);
	if (c < 0x80 || c > 0x9f)
		return c;
	return windows_1252[c - 0x80] != 0 ? windows_1252[c - 0x80] :
	    UTF8_REPLACEMENT;
}

/* add_utf8 - append what is UTF-8, and U+FFFD for each run that is not */
static void
add_utf8(struct buf *out, struct slice text)
{
	bool	bad = false;

	while (text.len > 0) {
		size_t	n = utf8_valid_prefix(text);

		if (n > 0) {
			buf_add(out, slice_sub(text, 0, n));
			bad = false;
		} else {
			if (!bad)
				utf8_encode(out, UTF8_REPLACEMENT);
			bad = true;
			n = 1;
		}
		text = slice_from(text, n);
	}
}

/* charset_to_utf8 - append text in UTF-8 */
bool
charset_to_utf8(struct buf *out, enum charset charset, struct slice text)
{
	struct cursor	c = cursor_over(text);

	if (charset == CHARSET_UNKNOWN)
		return false;
	if (charset == CHARSET_ASCII)
		charset = utf8_is_valid(text) ? CHARSET_UTF8 :
		    CHARSET_WINDOWS_1252;
	if (charset == CHARSET_UTF8) {
		add_utf8(out, text);
		return true;
	}
	while (!cursor_at_end(&c)) {
		struct cursor	start = c;
		int		byte;

		while ((byte = cursor_peek(&c)) >= 0 && byte < 0x80)
			(void)cursor_byte(&c);
		buf_add(out, cursor_since(&c, &start));
		if (byte >= 0)
			utf8_encode(out, character_of(charset,
			    (unsigned char)cursor_byte(&c)));
	}
	return true;
}
