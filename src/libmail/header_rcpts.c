/* SPDX-License-Identifier: ISC */
/* Field after field, and in each address after address. */
#include "libmail/header_rcpts.h"

#include "libmail/header.h"

/* header_rcpts_init - from the start of a header */
void
header_rcpts_init(struct header_rcpts *h, struct slice header)
{
	struct header_field f;

	h->in = cursor_over(header);
	h->in_field = false;
	h->resent = header_find(header, HEADER_RESENT_TO, &f) ||
	    header_find(header, HEADER_RESENT_CC, &f) ||
	    header_find(header, HEADER_RESENT_BCC, &f);
}

/* is_wanted - does the field name recipients? */
static bool
is_wanted(const struct header_rcpts *h, enum header_id id)
{
	if (h->resent)
		return id == HEADER_RESENT_TO || id == HEADER_RESENT_CC ||
		    id == HEADER_RESENT_BCC;
	return id == HEADER_TO || id == HEADER_CC || id == HEADER_BCC;
}

/* next_field - go to the next field that is wanted */
static bool
next_field(struct header_rcpts *h, struct arena *a)
{
	struct header_field f;

	while (header_next(&h->in, &f))
		if (is_wanted(h, f.id)) {
			h->list = ADDR_LIST_OVER(header_unfold_in(a, f.value));
			return true;
		}
	return false;
}

/* header_rcpts_next - the next address */
bool
header_rcpts_next(struct header_rcpts *h, struct arena *a,
    struct slice *ret_address, bool *ret_valid)
{
	struct addr_item item;

	while (h->in_field || (h->in_field = next_field(h, a))) {
		h->in_field = addr_list_next(&h->list, a, &item);
		if (!h->in_field || item.kind != ADDR_ITEM_MAILBOX ||
		    item.is_null || (!item.valid && item.raw.len == 0))
			continue;
		*ret_valid = item.valid;
		*ret_address = item.valid ? item.spec : item.raw;
		return true;
	}
	return false;
}
