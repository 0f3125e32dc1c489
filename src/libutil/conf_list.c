/* SPDX-License-Identifier: ISC */
/* An item ends at a separator outside all braces, so "inline:{a=b, c=d}" is
 * one. */
#include "libutil/conf.h"
#include "libutil/cursor.h"

static bool
is_separator(char c)
{
	return c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* conf_list_next - the next item of a list */
int
conf_list_next(struct slice *rest, struct slice *ret_item)
{
	struct cursor	c = cursor_over(*rest), start;
	size_t		depth = 0;

	(void)cursor_take_while(&c, is_separator);
	if (cursor_at_end(&c)) {
		*rest = SLICE_EMPTY;
		return 0;
	}
	start = c;
	while (!cursor_at_end(&c) &&
	    (depth > 0 || !is_separator((char)cursor_peek(&c)))) {
		int byte = cursor_byte(&c);

		if (byte == '{')
			depth++;
		else if (byte == '}' && depth-- == 0)
			return -EBADMSG;
	}
	if (depth > 0)
		return -EBADMSG;
	*ret_item = cursor_since(&c, &start);
	*rest = cursor_rest(&c);
	return 1;
}

/* conf_list_group - what is inside the braces */
bool
conf_list_group(struct slice item, struct slice *ret_inside)
{
	struct cursor	c = cursor_over(item);
	size_t		depth = 0;
	int		byte;

	while ((byte = cursor_byte(&c)) >= 0) {
		depth += byte == '{';
		if (depth == 0 || (byte == '}' && --depth == 0))
			break;
	}
	/* the first brace must close with the last byte, and not before */
	if (item.len < 2 || depth > 0 || byte != '}' || !cursor_at_end(&c))
		return false;
	*ret_inside = slice_trim(slice_sub(item, 1, item.len - 2));
	return true;
}
