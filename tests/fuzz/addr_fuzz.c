/* SPDX-License-Identifier: ISC */
/* Addresses: what parses, formats, and parses back the same; of a header's
 * list, what is said to stand in the field does stand there. */
#include "libmail/addr.h"
#include "libmail/addr_list.h"
#include "libutil/arena.h"
#include "libutil/cursor.h"
#include "libutil/utf8.h"
#include "test.h"

#define FLAGS	(ADDR_MAY_BE_NULL | ADDR_MAY_LACK_DOMAIN | ADDR_UTF8 | \
	ADDR_LENIENT)

/* check_path - one path, in that mode */
static void
check_path(struct slice input, struct arena *a, struct buf *scratch,
    unsigned flags)
{
	struct cursor	c = cursor_over(input);
	struct addr	addr, again;

	if (addr_parse_path(&c, a, flags, &addr) < 0) {
		FUZZ_CHECK(cursor_left(&c) == input.len);
		return;
	}
	buf_reset(scratch);
	buf_add_byte(scratch, '<');
	addr_format(scratch, &addr);
	buf_add_byte(scratch, '>');
	FUZZ_CHECK(scratch->len <= ADDR_TEXT_MAX + 2);
	c = cursor_over(buf_slice(scratch));
	FUZZ_CHECK(addr_parse_path(&c, a, flags | ADDR_LENIENT, &again) == 0);
	FUZZ_CHECK(cursor_at_end(&c));
	FUZZ_CHECK(addr_equal(&addr, &again));
	FUZZ_CHECK(slice_equal(addr.domain.name, again.domain.name));

	buf_reset(scratch);
	addr_format_ascii(scratch, &addr);
	FUZZ_CHECK(addr_needs_utf8(&addr) ||
	    utf8_is_ascii(buf_slice(scratch)));
	FUZZ_CHECK(utf8_is_valid(addr_lookup_key(a, &addr)));
}

/* check_list - the same bytes as a header field's body */
static void
check_list(struct slice input, struct arena *a)
{
	struct addr_list	l = ADDR_LIST_OVER(input);
	struct addr_item	item;
	size_t			count = 0, depth = 0, at = 0;

	while (addr_list_next(&l, a, &item)) {
		FUZZ_CHECK(++count <= input.len + 1);
		if (item.kind == ADDR_ITEM_GROUP_END) {
			FUZZ_CHECK(depth-- == 1);
			continue;
		}
		if (item.kind == ADDR_ITEM_GROUP_BEGIN)
			FUZZ_CHECK(++depth == 1);
		FUZZ_CHECK(item.raw_at >= at);
		at = item.raw_at + item.raw.len;
		FUZZ_CHECK(slice_equal(item.raw,
		    slice_sub(input, item.raw_at, item.raw.len)));
		if (item.kind == ADDR_ITEM_MAILBOX && item.valid) {
			FUZZ_CHECK(item.is_null || item.spec.len > 0);
			FUZZ_CHECK(slice_equal(item.spec,
			    slice_sub(input, item.spec_at, item.spec.len)));
		}
		FUZZ_CHECK(slice_find(item.name, '\n') == SLICE_NONE);
		FUZZ_CHECK(slice_find(item.local, '\n') == SLICE_NONE);
		FUZZ_CHECK(slice_find(item.domain, '\n') == SLICE_NONE);
	}
	FUZZ_CHECK(depth == 0);
}

FUZZ(addr)
{
	struct arena	a = ARENA_INIT;

	check_path(input, &a, scratch, FLAGS);
	check_path(input, &a, scratch, 0);
	check_path(input, &a, scratch, ADDR_UTF8 | ADDR_MAY_BE_POSTMASTER);
	check_list(input, &a);
	arena_free(&a);
}
