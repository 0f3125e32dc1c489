/* SPDX-License-Identifier: ISC */
/*
 * Parts are tried in the order of the message, plain ones before HTML, until
 * one has something to say. Only the beginning of a part is decoded.
 */
#include "libmail/preview.h"

#include "libmail/charset.h"
#include "libmail/preview_html.h"
#include "libmail/transfer.h"
#include "libutil/utf8.h"

#define PLAIN_BYTES	((size_t)8 << 10)	/* of a part as it is */
#define HTML_BYTES	((size_t)64 << 10)
#define TEXT_BYTES	((size_t)8 << 10)	/* of HTML without its tags */
#define TRIES		8			/* parts that are looked into */

/* is_unseen - a character that takes no room: senders fill previews up with
 * them */
static bool
is_unseen(uint32_t c)
{
	return c == 0xad || c == 0x34f || c == 0x61c || c == 0xfeff ||
	    (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2060 && c <= 0x206f);
}

/* is_blank - a character that separates words */
static bool
is_blank(uint32_t c)
{
	return c <= ' ' || c == 0x7f || (c >= 0x80 && c <= 0xa0) ||
	    (c >= 0x2000 && c <= 0x200a) || c == 0x202f || c == 0x3000;
}

/* add_words - append text with its blanks made single spaces; false when the
 * preview is full */
static bool
add_words(struct buf *out, size_t start, struct slice text)
{
	struct cursor	c = cursor_over(text);
	bool		blank = out->len > start;

	while (!cursor_at_end(&c)) {
		struct cursor	at = c;
		uint32_t	character;
		struct slice	bytes;

		if (utf8_decode(&c, &character) < 0) {
			(void)cursor_byte(&c);
			continue;
		}
		bytes = cursor_since(&c, &at);
		if (is_unseen(character))
			continue;
		if (is_blank(character)) {
			blank = out->len > start;
			continue;
		}
		if (out->len - start + blank + bytes.len > PREVIEW_MAX)
			return false;
		if (blank)
			buf_add_byte(out, ' ');
		buf_add(out, bytes);
		blank = false;
	}
	return true;
}

/* add_plain - append plain text, up to a signature; quoted lines only if
 * asked for */
static void
add_plain(struct buf *out, struct slice text, bool quoted)
{
	size_t	start = out->len;

	while (text.len > 0) {
		struct slice	line = slice_split(&text, '\n');

		if (line.len > 0 && line.data[line.len - 1] == '\r')
			line.len--;
		if (slice_equal(line, S("-- ")))
			return;
		if (!quoted && slice_has_prefix(line, S(">")))
			continue;
		if (!add_words(out, start, line))
			return;
	}
}

/* drop_cut - drop the beginning of a character at the end */
static void
drop_cut(struct buf *b)
{
	for (size_t n = 1; n <= 3 && n <= b->len; n++) {
		unsigned char	c = (unsigned char)b->data[b->len - n];

		if (c < 0x80)
			return;
		if (c < 0xc0)
			continue;
		if (n < (c >= 0xf0 ? 4u : c >= 0xe0 ? 3u : 2u))
			buf_truncate(b, b->len - n);
		return;
	}
}

/* decode_part - append the beginning of a part's text in UTF-8; nothing if
 * that is not possible */
static void
decode_part(struct buf *out, struct slice content, const struct facts_part *p,
    size_t max)
{
	struct slice	body = slice_sub(content, p->body, p->end - p->body);
	enum charset	charset = charset_of(facts_ref_slice(content,
	    p->charset));
	struct buf	bytes = BUF_INIT;
	struct transfer	t;

	if (p->encoding == ENCODING_OTHER || charset == CHARSET_UNKNOWN)
		return;
	transfer_init(&t, (enum facts_encoding)p->encoding);
	transfer_decode(&t, slice_sub(body, 0, max), &bytes);
	transfer_finish(&t, &bytes);
	if (body.len > max)
		drop_cut(&bytes);
	charset_to_utf8(out, charset, buf_slice(&bytes));
	buf_free(&bytes);
}

/* add_part - append what a part says; nothing if it says nothing */
static void
add_part(struct buf *out, struct slice content, const struct facts_part *p)
{
	struct buf	text = BUF_INIT, words = BUF_INIT;
	size_t		start = out->len;

	if (p->type == TYPE_TEXT_PLAIN) {
		decode_part(&text, content, p, PLAIN_BYTES);
		add_plain(out, buf_slice(&text), false);
		if (out->len == start)
			add_plain(out, buf_slice(&text), true);
	} else {
		decode_part(&text, content, p, HTML_BYTES);
		preview_html(&words, buf_slice(&text), TEXT_BYTES);
		(void)add_words(out, start, buf_slice(&words));
	}
	buf_free(&text);
	buf_free(&words);
}

/* try_parts - append the words of the first part of that type that has any;
 * a message within is not this one */
static void
try_parts(struct buf *out, struct slice content, const struct facts *f,
    enum facts_type type)
{
	size_t		start = out->len, tries = 0;
	uint32_t	i = 0;

	while (i < f->part_count && out->len == start && tries < TRIES) {
		const struct facts_part	*p = &f->parts[i];

		if (p->type == type &&
		    p->disposition != DISPOSITION_ATTACHMENT) {
			add_part(out, content, p);
			tries++;
		}
		i = p->kind == PART_MESSAGE && i > 0 ? p->after : i + 1;
	}
}

/* preview_make - append the first words of a message */
void
preview_make(struct buf *out, struct slice content, const struct facts *f)
{
	size_t	start = out->len;

	try_parts(out, content, f, TYPE_TEXT_PLAIN);
	if (out->len == start)
		try_parts(out, content, f, TYPE_TEXT_HTML);
}
