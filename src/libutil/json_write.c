/* SPDX-License-Identifier: ISC */
/* One bit a level says whether it is an object, so a writer is 24 bytes. */
#include "libutil/json_write.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "libutil/buf.h"
#include "libutil/utf8.h"

/* in_object - is the innermost open level an object? */
static bool
in_object(const struct json_writer *w)
{
	return w->depth > 0 && (w->is_object >> (w->depth - 1) & 1) != 0;
}

/* value_next - the comma that may be due, and the state after a value */
static void
value_next(struct json_writer *w)
{
	assert(w->after_key == in_object(w));
	assert(w->depth > 0 || !w->comma);
	if (w->comma && !w->after_key)
		buf_add_byte(w->out, ',');
	w->after_key = false;
	w->comma = true;
}

/* begin - open a level */
static void
begin(struct json_writer *w, bool object)
{
	assert(w->depth < JSON_DEPTH_MAX);
	value_next(w);
	buf_add_byte(w->out, object ? '{' : '[');
	w->is_object &= ~((uint64_t)1 << w->depth);
	w->is_object |= (uint64_t)object << w->depth;
	w->depth++;
	w->comma = false;
}

/* end - close a level */
static void
end(struct json_writer *w, bool object)
{
	assert(w->depth > 0 && in_object(w) == object && !w->after_key);
	buf_add_byte(w->out, object ? '}' : ']');
	w->depth--;
	w->comma = true;
}

/* json_writer_end - all closed? */
void
json_writer_end(struct json_writer *w)
{
	assert(w->depth == 0 && w->comma);
	w->comma = false;
}

/* json_object_begin - "{" */
void
json_object_begin(struct json_writer *w)
{
	begin(w, true);
}

/* json_object_end - "}" */
void
json_object_end(struct json_writer *w)
{
	end(w, true);
}

/* json_array_begin - "[" */
void
json_array_begin(struct json_writer *w)
{
	begin(w, false);
}

/* json_array_end - "]" */
void
json_array_end(struct json_writer *w)
{
	end(w, false);
}

/* json_key - the name of the value that comes next */
void
json_key(struct json_writer *w, struct slice key)
{
	assert(in_object(w) && !w->after_key);
	if (w->comma)
		buf_add_byte(w->out, ',');
	json_quote(w->out, key);
	buf_add_byte(w->out, ':');
	w->after_key = true;
}

/* is_plain - may the byte stand in a string as it is? */
static bool
is_plain(char c)
{
	return (unsigned char)c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

/* escape - one ASCII character that may not stand as it is */
static void
escape(struct buf *out, char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char	*at = c == '\0' ? NULL : strchr(from, c);

	if (at != NULL) {
		buf_add_byte(out, '\\');
		buf_add_byte(out, to[at - from]);
	} else {
		buf_addf(out, "\\u%04x", (unsigned char)c);
	}
}

/* quote_valid - the inside of a string that is UTF-8 */
static void
quote_valid(struct buf *out, struct slice s)
{
	size_t	from = 0, to = 0;

	for (; to < s.len; to++) {
		if (is_plain(s.data[to]))
			continue;
		buf_add(out, slice_sub(s, from, to - from));
		escape(out, s.data[to]);
		from = to + 1;
	}
	buf_add(out, slice_sub(s, from, to - from));
}

/* json_quote - a string with its quotes */
void
json_quote(struct buf *out, struct slice s)
{
	size_t	valid;

	buf_add_byte(out, '"');
	for (;;) {
		valid = utf8_valid_prefix(s);
		quote_valid(out, slice_sub(s, 0, valid));
		if (valid == s.len)
			break;
		utf8_encode(out, UTF8_REPLACEMENT);
		s = slice_from(s, valid + 1);
	}
	buf_add_byte(out, '"');
}

/* json_string - a string */
void
json_string(struct json_writer *w, struct slice s)
{
	value_next(w);
	json_quote(w->out, s);
}

/* json_text - a C string */
void
json_text(struct json_writer *w, const char *text)
{
	if (text == NULL)
		json_null(w);
	else
		json_string(w, slice_of(text));
}

/* json_int - a signed number */
void
json_int(struct json_writer *w, int64_t i)
{
	value_next(w);
	if (i < 0)
		buf_add_byte(w->out, '-');
	buf_add_u64(w->out, i < 0 ? -(uint64_t)i : (uint64_t)i);
}

/* json_uint - an unsigned number */
void
json_uint(struct json_writer *w, uint64_t u)
{
	value_next(w);
	buf_add_u64(w->out, u);
}

/* json_double - the shortest digits that read back the same */
void
json_double(struct json_writer *w, double d)
{
	char	text[40];
	int	n = 0;
	bool	whole = true;

	if (!isfinite(d)) {
		json_null(w);
		return;
	}
	value_next(w);
	for (int precision = 15; precision <= 17; precision++) {
		n = snprintf(text, sizeof(text), "%.*g", precision, d);
		if (strtod(text, NULL) == d)
			break;
	}
	for (int i = 0; i < n; i++) {
		if (text[i] == 'e')
			whole = false;
		if (text[i] == 'e' || text[i] == '+' || text[i] == '-' ||
		    ascii_is_digit(text[i]))
			continue;
		text[i] = '.';		/* whatever the locale's point is */
		whole = false;
	}
	buf_add(w->out, slice_over(text, (size_t)n));
	if (whole)
		buf_add(w->out, S(".0"));
}

/* json_bool - true or false */
void
json_bool(struct json_writer *w, bool b)
{
	value_next(w);
	buf_add_text(w->out, b ? "true" : "false");
}

/* json_null - null */
void
json_null(struct json_writer *w)
{
	value_next(w);
	buf_add(w->out, S("null"));
}

/* json_raw - a value that somebody else has written */
void
json_raw(struct json_writer *w, struct slice json)
{
	value_next(w);
	buf_add(w->out, json);
}
