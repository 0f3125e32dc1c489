/* SPDX-License-Identifier: ISC */
/*
 * One pass. An element whose content is not text is skipped to its end tag; any
 * tag that does not stand within words becomes a blank.
 */
#include "libmail/preview_html.h"

#include "libutil/cursor.h"
#include "libutil/utf8.h"

/* elements whose content no reader sees */
static const struct slice hidden[] = {
	S_INIT("style"), S_INIT("script"), S_INIT("title"),
	S_INIT("template"), S_INIT("noscript"), S_INIT("svg"),
};

/* elements that may stand within a word */
static const struct slice within_words[] = {
	S_INIT("a"), S_INIT("abbr"), S_INIT("b"), S_INIT("big"), S_INIT("em"),
	S_INIT("font"), S_INIT("i"), S_INIT("mark"), S_INIT("o:p"),
	S_INIT("s"), S_INIT("small"), S_INIT("span"), S_INIT("strong"),
	S_INIT("sub"), S_INIT("sup"), S_INIT("u"), S_INIT("wbr"),
};

static const struct {
	struct slice	name;
	uint32_t	is;
} references[] = {
	{ S_INIT("amp"), '&' }, { S_INIT("lt"), '<' }, { S_INIT("gt"), '>' },
	{ S_INIT("quot"), '"' }, { S_INIT("apos"), '\'' },
	{ S_INIT("nbsp"), 0xa0 }, { S_INIT("auml"), 0xe4 },
	{ S_INIT("ouml"), 0xf6 }, { S_INIT("uuml"), 0xfc },
	{ S_INIT("Auml"), 0xc4 }, { S_INIT("Ouml"), 0xd6 },
	{ S_INIT("Uuml"), 0xdc }, { S_INIT("szlig"), 0xdf },
	{ S_INIT("eacute"), 0xe9 }, { S_INIT("egrave"), 0xe8 },
	{ S_INIT("agrave"), 0xe0 }, { S_INIT("ccedil"), 0xe7 },
	{ S_INIT("copy"), 0xa9 }, { S_INIT("reg"), 0xae },
	{ S_INIT("euro"), 0x20ac }, { S_INIT("pound"), 0xa3 },
	{ S_INIT("ndash"), 0x2013 }, { S_INIT("mdash"), 0x2014 },
	{ S_INIT("lsquo"), 0x2018 }, { S_INIT("rsquo"), 0x2019 },
	{ S_INIT("ldquo"), 0x201c }, { S_INIT("rdquo"), 0x201d },
	{ S_INIT("bull"), 0x2022 }, { S_INIT("hellip"), 0x2026 },
	{ S_INIT("shy"), 0xad }, { S_INIT("zwnj"), 0x200c },
	{ S_INIT("zwj"), 0x200d },
};

/* is_among - is the name in a list? */
static bool
is_among(struct slice name, const struct slice *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_equal_nocase(name, list[i]))
			return true;
	return false;
}

/* is_name - a byte of an element's name? */
static bool
is_name(char c)
{
	return ascii_is_alnum(c) || c == ':' || c == '-';
}

/* skip_tag - pass the rest of a tag; attributes may hold ">" in quotes */
static void
skip_tag(struct cursor *c)
{
	int	byte;

	while ((byte = cursor_byte(c)) != -1 && byte != '>')
		if (byte == '"' || byte == '\'') {
			(void)cursor_take_until(c, (char)byte);
			(void)cursor_byte(c);
		}
}

/* skip_past - pass everything up to this, and this */
static void
skip_past(struct cursor *c, struct slice what)
{
	size_t	at = slice_find_slice(cursor_rest(c), what);

	(void)cursor_take(c, at == SLICE_NONE ? cursor_left(c) :
	    at + what.len);
}

/* skip_hidden - pass the content of a hidden element and its end tag */
static void
skip_hidden(struct cursor *c, struct slice name)
{
	while (!cursor_at_end(c)) {
		(void)cursor_take_until(c, '<');
		if (cursor_skip(c, S("</")) && cursor_skip_nocase(c, name) &&
		    !is_name((char)cursor_peek(c))) {
			skip_tag(c);
			return;
		}
		(void)cursor_skip_byte(c, '<');
	}
}

/* take_tag - what stands behind "<" */
static void
take_tag(struct buf *out, struct cursor *c)
{
	struct slice	name;
	bool		ends;

	if (cursor_skip(c, S("!--"))) {
		skip_past(c, S("-->"));
		return;
	}
	ends = cursor_skip_byte(c, '/');
	name = cursor_take_while(c, is_name);
	if (name.len == 0 && cursor_peek(c) != '!' && cursor_peek(c) != '?') {
		/* no tag: text with a "<" in it */
		buf_add_text(out, ends ? "</" : "<");
		return;
	}
	skip_tag(c);
	if (!ends && is_among(name, hidden, COUNT(hidden)))
		skip_hidden(c, name);
	if (!is_among(name, within_words, COUNT(within_words)))
		buf_add_byte(out, ' ');
}

/* number_of - a numeric reference: "#228" or "#xe4" */
static bool
number_of(struct slice s, uint32_t *ret_char)
{
	uint32_t	v = 0;

	s = slice_from(s, 1);
	if (s.len < 2 || (s.data[0] | 0x20) != 'x')
		return slice_to_u32(s, 0x10ffff, ret_char) == 0;
	if (s.len > 7)
		return false;
	for (size_t i = 1; i < s.len; i++) {
		char	c = (char)(s.data[i] | 0x20);

		if (!ascii_is_digit(c) && (c < 'a' || c > 'f'))
			return false;
		v = v * 16 + (uint32_t)(ascii_is_digit(c) ? c - '0' :
		    c - 'a' + 10);
	}
	*ret_char = v;
	return true;
}

/* is_reference - a byte of a character reference? */
static bool
is_reference(char c)
{
	return ascii_is_alnum(c) || c == '#';
}

/* take_reference - what stands behind "&" */
static void
take_reference(struct buf *out, struct cursor *c)
{
	struct cursor	at = *c;
	struct slice	name = cursor_take_while(&at, is_reference);
	uint32_t	is = 0;

	if (name.len > 0 && name.data[0] == '#')
		(void)(number_of(name, &is));
	for (size_t i = 0; i < COUNT(references) && is == 0; i++)
		if (slice_equal(references[i].name, name))
			is = references[i].is;
	if (is == 0) {
		buf_add_byte(out, '&');
		return;
	}
	utf8_encode(out, is);
	(void)cursor_skip_byte(&at, ';');
	*c = at;
}

/* is_plain - neither tag nor reference? */
static bool
is_plain(char c)
{
	return c != '<' && c != '&';
}

/* preview_html - append the text of a page */
void
preview_html(struct buf *out, struct slice html, size_t max)
{
	struct cursor	c = cursor_over(html);
	size_t		end = out->len + max;

	while (!cursor_at_end(&c) && out->len < end) {
		buf_add(out, cursor_take_while(&c, is_plain));
		if (cursor_skip_byte(&c, '<'))
			take_tag(out, &c);
		else if (cursor_skip_byte(&c, '&'))
			take_reference(out, &c);
	}
}
