/* SPDX-License-Identifier: ISC */
/* Each number has one form only, so that equal facts are equal bytes. */
#include "libmail/facts_number.h"

/* facts_number_format - append a number */
void
facts_number_format(struct buf *out, uint64_t value)
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

/* facts_number_parse - take a number */
int
facts_number_parse(struct cursor *c, uint64_t max, uint64_t *ret_value)
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
