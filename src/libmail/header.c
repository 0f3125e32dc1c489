/* SPDX-License-Identifier: ISC */
/*
 * Line by line: header_line_kind is the one place that says what a line is,
 * so that the scan and every reader after it agree where a header ends.
 */
#include "libmail/header.h"

static const struct slice names[] = {
#define HEADER_NAME(id, name) S_INIT(name),
#include "libmail/header_names.def"
};

_Static_assert(HEADER_ID_COUNT <= 64, "a set of ids is one 64-bit word");

/* header_id_of - look a name up */
enum header_id
header_id_of(struct slice name)
{
	while (name.len > 0 && ascii_is_blank(name.data[name.len - 1]))
		name.len--;
	if (name.len == 0)
		return HEADER_OTHER;
	for (size_t i = 0; i < COUNT(names); i++)
		/* two cheap looks spare most of the comparisons */
		if (names[i].len == name.len &&
		    (names[i].data[0] | 0x20) == (name.data[0] | 0x20) &&
		    slice_equal_nocase(names[i], name))
			return (enum header_id)i;
	return HEADER_OTHER;
}

/* header_name_of - the name of a number */
struct slice
header_name_of(enum header_id id)
{
	return (size_t)id < COUNT(names) ? names[id] : SLICE_EMPTY;
}

/* name_length - how many bytes at the start may be a field name (ftext) */
static size_t
name_length(struct slice line)
{
	size_t	n = 0;

	while (n < line.len && line.data[n] > 32 && line.data[n] < 127 &&
	    line.data[n] != ':')
		n++;
	return n;
}

/* is_from_line - "From who@where Tue Feb  3 04:05:06 2026" of an mbox? Text
 * that happens to begin with that word has no clock in it. */
static bool
is_from_line(struct slice line)
{
	size_t	colon;

	if (!slice_has_prefix(line, S("From ")) &&
	    !slice_has_prefix(line, S(">From ")))
		return false;
	while ((colon = slice_find(line, ':')) != SLICE_NONE) {
		if (colon > 0 && colon + 1 < line.len &&
		    ascii_is_digit(line.data[colon - 1]) &&
		    ascii_is_digit(line.data[colon + 1]))
			return true;
		line = slice_from(line, colon + 1);
	}
	return false;
}

/* header_line_kind - what a line of a header is */
enum header_line
header_line_kind(struct slice line, size_t *ret_colon)
{
	size_t	n = name_length(line);
	size_t	colon = n;

	/* RFC 5322 4.5: blanks may stand before the colon */
	while (colon < line.len && ascii_is_blank(line.data[colon]))
		colon++;
	if (n > 0 && colon < line.len && line.data[colon] == ':') {
		*ret_colon = colon;
		return HEADER_LINE_FIELD;
	}
	if (line.len == 0)
		return HEADER_LINE_EMPTY;
	if (ascii_is_blank(line.data[0]))
		return HEADER_LINE_MORE;
	return is_from_line(line) ? HEADER_LINE_FROM : HEADER_LINE_BODY;
}

/* take_line - the next line; its end is taken, but not given */
static struct slice
take_line(struct cursor *c)
{
	struct slice	line = cursor_take_until(c, '\n');

	if (cursor_skip_byte(c, '\n') && line.len > 0 &&
	    line.data[line.len - 1] == '\r')
		line.len--;
	return line;
}

/* take_continuation - pass the lines that continue a field */
static void
take_continuation(struct cursor *c)
{
	size_t	colon;

	while (!cursor_at_end(c)) {
		struct cursor	next = *c;

		if (header_line_kind(take_line(&next), &colon) !=
		    HEADER_LINE_MORE)
			return;
		*c = next;
	}
}

/* header_next - the next field */
bool
header_next(struct cursor *c, struct header_field *ret_field)
{
	struct cursor		start = *c;
	struct header_field	f;
	enum header_line	kind = HEADER_LINE_EMPTY;
	size_t			colon = 0;

	while (!cursor_at_end(c)) {
		start = *c;
		kind = header_line_kind(take_line(c), &colon);
		if (kind != HEADER_LINE_FROM)
			break;
		take_continuation(c);
		kind = HEADER_LINE_EMPTY;
	}
	/* a blank line that continues nothing is body, too */
	if (kind == HEADER_LINE_BODY || kind == HEADER_LINE_MORE)
		*c = start;
	if (kind != HEADER_LINE_FIELD)
		return false;
	take_continuation(c);
	f.raw = cursor_since(c, &start);
	f.name = slice_sub(f.raw, 0, name_length(f.raw));
	f.value = slice_from(f.raw, colon + 1);
	f.id = header_id_of(f.name);
	*ret_field = f;
	return true;
}

/* header_find - the first field with a number */
bool
header_find(struct slice header, enum header_id id,
    struct header_field *ret_field)
{
	struct cursor	c = cursor_over(header);

	while (header_next(&c, ret_field))
		if (ret_field->id == id)
			return true;
	return false;
}

/* header_find_name - the first field with a name */
bool
header_find_name(struct slice header, struct slice name,
    struct header_field *ret_field)
{
	struct cursor	c = cursor_over(header);

	while (header_next(&c, ret_field))
		if (slice_equal_nocase(ret_field->name, name))
			return true;
	return false;
}

/* header_length - where the body begins */
size_t
header_length(struct slice content)
{
	struct cursor		c = cursor_over(content);
	struct header_field	f;

	while (header_next(&c, &f))
		continue;
	return content.len - cursor_left(&c);
}

/* header_unfold - append a value as one line */
void
header_unfold(struct buf *out, struct slice value)
{
	struct slice	rest = slice_trim(value);

	while (rest.len > 0) {
		size_t	n = 0;

		while (n < rest.len && rest.data[n] != '\r' &&
		    rest.data[n] != '\n' && rest.data[n] != '\0')
			n++;
		buf_add(out, slice_sub(rest, 0, n));
		if (n < rest.len && rest.data[n] == '\0')
			buf_add_byte(out, '?');
		rest = slice_from(rest, n + 1);
	}
}

/* header_unfold_in - the same in an arena */
struct slice
header_unfold_in(struct arena *a, struct slice value)
{
	struct buf	out = BUF_INIT;
	struct slice	s = slice_trim(value);

	if (s.len == 0)
		return S("");
	if (slice_find(s, '\n') == SLICE_NONE &&
	    slice_find(s, '\r') == SLICE_NONE &&
	    slice_find(s, '\0') == SLICE_NONE)
		return s;
	header_unfold(&out, s);
	s = arena_dup(a, buf_slice(&out));
	buf_free(&out);
	return s;
}

/* id_text - an id without folding and blanks, which some programs put into
 * long ones */
static struct slice
id_text(struct slice raw, struct arena *a)
{
	struct buf	out = BUF_INIT;
	struct slice	id, word;

	if (!slice_next_word(&raw, " \t\r\n", &id))
		return SLICE_EMPTY;
	if (!slice_next_word(&raw, " \t\r\n", &word))
		return id;
	buf_add(&out, id);
	do {
		buf_add(&out, word);
	} while (slice_next_word(&raw, " \t\r\n", &word));
	id = arena_dup(a, buf_slice(&out));
	buf_free(&out);
	return id;
}

/* header_message_ids - the ids in angle brackets */
size_t
header_message_ids(struct slice value, struct arena *a, size_t max,
    struct slice *ret_ids)
{
	struct slice	rest = value;
	size_t		count = 0, from, to;

	while (count < max) {
		struct slice	id;

		if ((from = slice_find(rest, '<')) == SLICE_NONE)
			break;
		rest = slice_from(rest, from + 1);
		if ((to = slice_find(rest, '>')) == SLICE_NONE)
			break;
		id = slice_sub(rest, 0, to);
		rest = slice_from(rest, to + 1);
		/* "<a <b@c>": the last bracket opens the id */
		if ((from = slice_find_last(id, '<')) != SLICE_NONE)
			id = slice_from(id, from + 1);
		id = id_text(id, a);
		if (id.len > 0)
			ret_ids[count++] = id;
	}
	return count;
}

/* is_named - is the field's name in the list? */
static bool
is_named(struct slice name, const struct slice *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_equal_nocase(name, list[i]))
			return true;
	return false;
}

/* select_fields - append the fields whose being in the list is as wanted */
static void
select_fields(struct buf *out, struct slice header, const struct slice *list,
    size_t count, bool wanted)
{
	struct cursor		c = cursor_over(header), end;
	struct header_field	f;

	for (end = c; header_next(&c, &f); end = c)
		if (is_named(f.name, list, count) == wanted)
			buf_add(out, f.raw);
	/* the empty line, if there is one */
	buf_add(out, cursor_since(&c, &end));
}

/* header_select - HEADER.FIELDS */
void
header_select(struct buf *out, struct slice header, const struct slice *list,
    size_t count)
{
	select_fields(out, header, list, count, true);
}

/* header_select_not - HEADER.FIELDS.NOT */
void
header_select_not(struct buf *out, struct slice header,
    const struct slice *list, size_t count)
{
	select_fields(out, header, list, count, false);
}
