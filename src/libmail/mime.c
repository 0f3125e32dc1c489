/* SPDX-License-Identifier: ISC */
/*
 * mime_parse cuts the field into raw parameters first, then puts the pieces of
 * RFC 2231 together: "name*0*=utf-8''a%20; name*1=b" becomes one extended
 * parameter. Pieces that are not encoded are encoded on the way, so that the
 * whole is of one form. The number of pieces is limited, so looking for the
 * next piece by walking the list is bounded.
 */
#include "libmail/mime.h"

#include "libmail/charset.h"
#include "libmail/rfc2047.h"
#include "libutil/cursor.h"
#include "libutil/hex.h"

#define NO_SECTION	UINT32_MAX

struct piece {
	struct slice	name;
	struct slice	value;
	struct slice	raw;
	uint32_t	section;	/* NO_SECTION: the name has no "*0" */
	bool		encoded;	/* the name ends in "*" */
	bool		used;
};

/* skip_comment - pass "(...)", nested and quoted as may be; says whether it
 * was closed */
static bool
skip_comment(struct cursor *c)
{
	size_t	depth = 0;

	while (!cursor_at_end(c)) {
		int	byte = cursor_byte(c);

		if (byte == '(')
			depth++;
		else if (byte == ')' && --depth == 0)
			return true;
		else if (byte == '\\')
			(void)cursor_byte(c);
	}
	return false;
}

/* is_fold - a blank or a line end? */
static bool
is_fold(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* skip_cfws - pass blanks, folding and comments (RFC 5322 3.2.2) */
static void
skip_cfws(struct cursor *c)
{
	(void)cursor_take_while(c, is_fold);
	while (cursor_peek(c) == '(') {
		(void)skip_comment(c);
		(void)cursor_take_while(c, is_fold);
	}
}

/* is_token - may it stand in a token (RFC 2045 5.1)? 8-bit bytes may, too:
 * senders put UTF-8 there */
static bool
is_token(char c)
{
	unsigned char	u = (unsigned char)c;

	return u > 32 && u != 127 && memchr("()<>@,;:\\\"/[]?=", c, 15) == NULL;
}

/* take_quoted - the text of a quoted string behind its first quote; *ret_raw
 * is what stands between the quotes */
static struct slice
take_quoted(struct cursor *c, struct arena *a, struct slice *ret_raw)
{
	struct cursor	start = *c;
	struct buf	out = BUF_INIT;
	struct slice	text;
	bool		plain = true;
	int		byte;

	while ((byte = cursor_peek(c)) != -1 && byte != '"') {
		(void)cursor_byte(c);
		plain = plain && byte != '\\' && byte != '\r' && byte != '\n';
		if (byte == '\\')
			(void)cursor_byte(c);
	}
	*ret_raw = cursor_since(c, &start);
	(void)cursor_skip_byte(c, '"');
	if (plain)
		return ret_raw->len == 0 ? S("") : *ret_raw;
	for (size_t i = 0; i < ret_raw->len; i++) {
		char	b = ret_raw->data[i];

		if (b == '\\' && i + 1 < ret_raw->len)
			b = ret_raw->data[++i];
		if (b != '\r' && b != '\n')
			buf_add_byte(&out, b);
	}
	text = arena_dup(a, buf_slice(&out));
	buf_free(&out);
	return text;
}

/* take_bare - an unquoted value: up to the semicolon, so that file names with
 * blanks survive; a comment that ends the value is not of it */
static struct slice
take_bare(struct cursor *c, struct arena *a, struct slice *ret_raw)
{
	struct cursor	start = *c, before;
	struct slice	raw = SLICE_EMPTY;
	bool		comments = true;

	while (!cursor_at_end(c) && cursor_peek(c) != ';') {
		before = *c;
		if (comments && cursor_peek(c) == '(') {
			comments = skip_comment(c);
			if (comments) {
				skip_cfws(c);
				continue;
			}
			*c = before;
		}
		if (!is_fold((char)cursor_byte(c)))
			raw = cursor_since(c, &start);
	}
	*ret_raw = raw;
	if (raw.len == 0)
		return S("");
	if (slice_find(raw, '\n') != SLICE_NONE ||
	    slice_find(raw, '\r') != SLICE_NONE) {
		struct buf	out = BUF_INIT;
		struct slice	word, rest = raw;

		while (slice_next_word(&rest, "\r\n", &word))
			buf_add(&out, word);
		raw = arena_dup(a, buf_slice(&out));
		buf_free(&out);
	}
	return raw;
}

/* split_name - "name*12*" into its parts (RFC 2231 7) */
static void
split_name(struct piece *p)
{
	size_t	star;

	p->section = NO_SECTION;
	p->encoded = false;
	if (p->name.len > 1 && p->name.data[p->name.len - 1] == '*') {
		p->encoded = true;
		p->name.len--;
	}
	star = slice_find_last(p->name, '*');
	if (star == SLICE_NONE || star == 0 ||
	    slice_to_u32(slice_from(p->name, star + 1), MIME_PARAMS_MAX,
	    &p->section) < 0)
		return;
	p->name.len = star;
}

/* take_piece - the next parameter, ";" included; false at the end */
static bool
take_piece(struct cursor *c, struct arena *a, struct piece *ret_piece)
{
	struct piece	p = { .used = false };

	for (;;) {
		/* whatever stands before the semicolon is not understood */
		while (!cursor_at_end(c) && cursor_peek(c) != ';') {
			if (cursor_peek(c) == '(')
				(void)skip_comment(c);
			else if (cursor_byte(c) == '"')
				(void)take_quoted(c, a, &p.raw);
		}
		if (!cursor_skip_byte(c, ';'))
			return false;
		skip_cfws(c);
		p.name = cursor_take_while(c, is_token);
		skip_cfws(c);
		if (p.name.len == 0 || !cursor_skip_byte(c, '='))
			continue;
		skip_cfws(c);
		if (cursor_skip_byte(c, '"'))
			p.value = take_quoted(c, a, &p.raw);
		else
			p.value = take_bare(c, a, &p.raw);
		split_name(&p);
		*ret_piece = p;
		return true;
	}
}

/* is_attribute_char - may it stand bare in an extended value? (RFC 2231 7) */
static bool
is_attribute_char(char c)
{
	return is_token(c) && (unsigned char)c < 128 &&
	    memchr("*'%", c, 3) == NULL;
}

/* add_encoded - append a plain piece in the extended form */
static void
add_encoded(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (is_attribute_char(text.data[i]))
			buf_add_byte(out, text.data[i]);
		else
			buf_addf(out, "%%%02X", (unsigned char)text.data[i]);
	}
}

/* find_section - the piece with that name and number */
static struct piece *
find_section(struct piece *pieces, size_t count, struct slice name,
    uint32_t section)
{
	for (size_t i = 0; i < count; i++)
		if (pieces[i].section == section && !pieces[i].used &&
		    slice_equal_nocase(pieces[i].name, name))
			return &pieces[i];
	return NULL;
}

/* join - put a parameter together from its numbered pieces */
static void
join(struct piece *pieces, size_t count, struct piece *first, struct arena *a,
    struct mime_param *ret_param)
{
	struct buf	out = BUF_INIT;
	struct piece	*p;

	for (uint32_t n = 0;
	    (p = find_section(pieces, count, first->name, n)) != NULL; n++) {
		if (first->encoded && !p->encoded)
			add_encoded(&out, p->value);
		else
			buf_add(&out, p->value);
		p->used = true;
	}
	*ret_param = (struct mime_param){ .name = first->name,
		.value = out.len == 0 ? S("") : arena_dup(a, buf_slice(&out)),
		.raw = first->raw, .extended = first->encoded };
	buf_free(&out);
}

/* put_together - parameters out of pieces. Where a name comes twice, or plain
 * and extended (RFC 5987-like fall-backs), all are kept. */
static void
put_together(struct piece *pieces, size_t count, struct arena *a,
    struct mime_value *v)
{
	v->params = ARENA_ARRAY(a, struct mime_param, count);
	for (size_t i = 0; i < count; i++) {
		struct piece		*p = &pieces[i];
		struct mime_param	*q = &v->params[v->param_count];

		if (p->used)
			continue;
		if (p->section == NO_SECTION)
			*q = (struct mime_param){ .name = p->name,
				.value = p->value, .raw = p->raw,
				.extended = p->encoded };
		else if ((p = find_section(pieces, count, p->name, 0)) != NULL)
			join(pieces, count, p, a, q);
		else
			continue;	/* a piece without a beginning */
		v->param_count++;
	}
}

/* count_semicolons - how many parameters there may be, up to the limit */
static size_t
count_semicolons(struct slice s)
{
	size_t	n = 0, at;

	while (n < MIME_PARAMS_MAX &&
	    (at = slice_find(s, ';')) != SLICE_NONE) {
		s = slice_from(s, at + 1);
		n++;
	}
	return n;
}

/* mime_parse - a field with parameters */
void
mime_parse(struct slice value, struct arena *a, struct mime_value *ret_value)
{
	struct cursor		c = cursor_over(value);
	struct mime_value	v = { .param_count = 0 };
	struct piece		*pieces;
	size_t			count = 0, room;

	skip_cfws(&c);
	v.type = cursor_take_while(&c, is_token);
	skip_cfws(&c);
	if (v.type.len > 0 && cursor_skip_byte(&c, '/')) {
		skip_cfws(&c);
		v.subtype = cursor_take_while(&c, is_token);
		skip_cfws(&c);
	}
	if ((room = count_semicolons(cursor_rest(&c))) > 0) {
		pieces = ARENA_ARRAY(a, struct piece, room);
		while (count < room && take_piece(&c, a, &pieces[count]))
			count++;
		if (count > 0)
			put_together(pieces, count, a, &v);
	}
	*ret_value = v;
}

/* mime_param - find a parameter; the extended form is the better one */
const struct mime_param *
mime_param(const struct mime_value *v, struct slice name)
{
	const struct mime_param	*found = NULL;

	for (size_t i = 0; i < v->param_count; i++) {
		if (!slice_equal_nocase(v->params[i].name, name))
			continue;
		if (v->params[i].extended)
			return &v->params[i];
		if (found == NULL)
			found = &v->params[i];
	}
	return found;
}

/* percent_decode - append text with its %XX resolved */
static void
percent_decode(struct buf *out, struct slice text)
{
	struct cursor	c = cursor_over(text);

	while (!cursor_at_end(&c)) {
		int	high, low;

		buf_add(out, cursor_take_until(&c, '%'));
		if (!cursor_skip_byte(&c, '%'))
			break;
		high = hex_digit((char)cursor_peek(&c));
		low = hex_digit((char)cursor_peek_at(&c, 1));
		if (high < 0 || low < 0) {
			buf_add_byte(out, '%');
			continue;
		}
		buf_add_byte(out, (char)(high << 4 | low));
		(void)cursor_take(&c, 2);
	}
}

/* mime_param_decode - a parameter's value for people */
void
mime_param_decode(struct buf *out, const struct mime_param *p)
{
	struct slice	rest = p->value, charset;
	struct buf	bytes = BUF_INIT;

	if (!p->extended) {
		rfc2047_decode(out, p->value);
		return;
	}
	charset = slice_split(&rest, '\'');
	(void)slice_split(&rest, '\'');
	percent_decode(&bytes, rest);
	if (!charset_to_utf8(out, charset_of(charset), buf_slice(&bytes)))
		charset_to_utf8(out, CHARSET_ASCII, buf_slice(&bytes));
	buf_free(&bytes);
}

/* mime_token - the one word of a simple field */
struct slice
mime_token(struct slice value)
{
	struct cursor	c = cursor_over(value);

	skip_cfws(&c);
	return cursor_take_while(&c, is_token);
}
