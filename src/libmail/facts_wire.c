/* SPDX-License-Identifier: ISC */
/* Each number has one form only, so that equal facts are equal bytes. */
#include "libmail/facts_wire.h"

/* facts_wire_number - append a number */
void
facts_wire_number(struct buf *out, uint64_t value)
{
	char	bytes[10];
	size_t	n = 0;

	while (value > 0x7f) {
		bytes[n++] = (char)(0x80 | (value & 0x7f));
		value >>= 7;
	}
	bytes[n++] = (char)value;
	buf_add(out, slice_over(bytes, n));
}

/* facts_wire_text - append a text */
void
facts_wire_text(struct buf *out, struct slice text)
{
	facts_wire_number(out, text.data == NULL ? 0 : (uint64_t)text.len + 1);
	buf_add(out, text);
}

/* facts_wire_take - take a number */
int
facts_wire_take(struct cursor *c, uint64_t max, uint64_t *ret_value)
{
	struct cursor	at = *c;
	uint64_t	value = 0;
	int		byte;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		if ((byte = cursor_byte(&at)) < 0)
			return -EBADMSG;
		if (shift == 63 && byte > 1)
			return -EBADMSG;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if ((byte == 0 && shift > 0) || value > max)
			return -EBADMSG;
		*ret_value = value;
		*c = at;
		return 0;
	}
	return -EBADMSG;
}

/* facts_wire_take_text - take a text */
int
facts_wire_take_text(struct cursor *c, struct slice *ret_text)
{
	struct cursor	at = *c;
	struct slice	text = SLICE_EMPTY;
	uint64_t	n;
	int		r;

	if ((r = facts_wire_take(&at, (uint64_t)cursor_left(c) + 1, &n)) < 0)
		return r;
	if (n > 1 && (r = cursor_bytes(&at, (size_t)n - 1, &text)) < 0)
		return r;
	*ret_text = n == 1 ? S("") : text;
	*c = at;
	return 0;
}
