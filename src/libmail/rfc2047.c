/* SPDX-License-Identifier: ISC */
/*
 * Adjacent words of one charset are decoded to bytes first and converted
 * together: programs cut characters in two at the end of a word, though they
 * must not (RFC 2047 5).
 */
#include "libmail/rfc2047.h"

#include "libmail/charset.h"
#include "libmail/transfer.h"
#include "libutil/cursor.h"
#include "libutil/hex.h"

struct word {
	enum charset	charset;
	bool		base64;
	struct slice	text;
};

/* is_part - a byte of a word's charset or encoding, or of its text: longer
 * words than 75 bytes and blanks in Q text are met in the wild */
static bool
is_part(char c)
{
	return c != '?' && c != '\r' && c != '\n' && (unsigned char)c >= ' ';
}

/* parse_word - an encoded word at the cursor; taken only if it can be
 * decoded */
static bool
parse_word(struct cursor *c, struct word *ret_word)
{
	struct cursor	at = *c;
	struct slice	charset, encoding;
	struct word	w;

	if (!cursor_skip(&at, S("=?")))
		return false;
	charset = cursor_take_while(&at, is_part);
	/* RFC 2231 5: the language behind a star */
	charset = slice_split(&charset, '*');
	if (!cursor_skip_byte(&at, '?'))
		return false;
	encoding = cursor_take_while(&at, is_part);
	if (!cursor_skip_byte(&at, '?'))
		return false;
	w.text = cursor_take_while(&at, is_part);
	if (!cursor_skip(&at, S("?=")))
		return false;
	w.charset = charset_of(charset);
	w.base64 = slice_equal_nocase(encoding, S("B"));
	if (charset.len == 0 || w.charset == CHARSET_UNKNOWN ||
	    (!w.base64 && !slice_equal_nocase(encoding, S("Q"))))
		return false;
	*ret_word = w;
	*c = at;
	return true;
}

/* add_q - append what Q text stands for (RFC 2047 4.2) */
static void
add_q(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char	b = text.data[i];

		if (b == '_') {
			b = ' ';
		} else if (b == '=' && i + 2 < text.len &&
		    hex_digit(text.data[i + 1]) >= 0 &&
		    hex_digit(text.data[i + 2]) >= 0) {
			b = (char)(hex_digit(text.data[i + 1]) << 4 |
			    hex_digit(text.data[i + 2]));
			i += 2;
		}
		buf_add_byte(out, b);
	}
}

/* add_word - append a word's bytes */
static void
add_word(struct buf *bytes, const struct word *w)
{
	struct transfer	t;

	if (!w->base64) {
		add_q(bytes, w->text);
		return;
	}
	transfer_init(&t, ENCODING_BASE64);
	transfer_decode(&t, w->text, bytes);
	transfer_finish(&t, bytes);
}

/* flush - convert the bytes that were gathered */
static void
flush(struct buf *out, enum charset charset, struct buf *bytes)
{
	if (bytes->len > 0)
		charset_to_utf8(out, charset, buf_slice(bytes));
	buf_reset(bytes);
}

/* add_plain - append what is no encoded word: ASCII, or UTF-8 (RFC 6532) */
static void
add_plain(struct buf *out, struct slice text)
{
	if (text.len > 0)
		charset_to_utf8(out, CHARSET_ASCII, text);
}

/* rfc2047_decode - append text, decoded */
void
rfc2047_decode(struct buf *out, struct slice text)
{
	struct cursor	c = cursor_over(text), plain = c, here;
	struct buf	bytes = BUF_INIT;
	enum charset	charset = CHARSET_ASCII;
	struct word	w;
	bool		after_word = false;

	while (!cursor_at_end(&c)) {
		(void)cursor_take_until(&c, '=');
		here = c;
		if (!parse_word(&c, &w)) {
			(void)cursor_byte(&c);
			continue;
		}
		/* only blanks since the last word: they do not count */
		if (!after_word ||
		    slice_trim(cursor_since(&here, &plain)).len > 0) {
			flush(out, charset, &bytes);
			add_plain(out, cursor_since(&here, &plain));
		}
		if (w.charset != charset)
			flush(out, charset, &bytes);
		charset = w.charset;
		add_word(&bytes, &w);
		after_word = true;
		plain = c;
	}
	flush(out, charset, &bytes);
	add_plain(out, cursor_since(&c, &plain));
	buf_free(&bytes);
}
