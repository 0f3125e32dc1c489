/* SPDX-License-Identifier: ISC */
/* The head of a drop file. */
#include "libglobal/drop.h"

#include <errno.h>

#include "libutil/cursor.h"

/* drop_format_head - what a file begins with */
void
drop_format_head(struct buf *out, const struct drop_head *h)
{
	buf_add_text(out, DROP_MAGIC);
	buf_add_le32(out, h->envelope);
	buf_add_le32(out, 0);
	buf_add_le64(out, h->content);
}

/* drop_parse_head - and back */
int
drop_parse_head(struct slice in, struct drop_head *ret_head)
{
	struct cursor		c = cursor_over(in);
	struct drop_head	h;
	uint32_t		zero;

	if (!cursor_skip(&c, S(DROP_MAGIC)) ||
	    cursor_le32(&c, &h.envelope) < 0 || cursor_le32(&c, &zero) < 0 ||
	    cursor_le64(&c, &h.content) < 0 || !cursor_at_end(&c) ||
	    zero != 0 || h.envelope > DROP_ENVELOPE_MAX)
		return -EBADMSG;
	*ret_head = h;
	return 0;
}

/* drop_is_name - so many digits of base 16 */
bool
drop_is_name(struct slice name)
{
	if (name.len != DROP_NAME_LEN)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (slice_find(S("0123456789abcdef"), name.data[i]) == SLICE_NONE)
			return false;
	return true;
}
