/* SPDX-License-Identifier: ISC */
/* A file of the drop folder: what parses, prints the same; the recipients of
 * a header are found whatever is in it. */
#include "libglobal/drop.h"
#include "libglobal/ipc_drop.h"
#include "libmail/header_rcpts.h"
#include "libutil/arena.h"

#include "test.h"

static void
rcpts(struct slice header)
{
	struct arena		a = ARENA_INIT;
	struct header_rcpts	h;
	struct slice		address;
	bool			valid;

	header_rcpts_init(&h, header);
	while (header_rcpts_next(&h, &a, &address, &valid))
		FUZZ_CHECK(address.len > 0);
	arena_free(&a);
}

FUZZ(drop)
{
	struct drop_head h;
	struct arena	 a = ARENA_INIT;
	void		*drop;

	if (drop_parse_head(slice_sub(input, 0, DROP_HEAD_SIZE), &h) == 0) {
		drop_format_head(scratch, &h);
		FUZZ_CHECK(slice_equal(buf_slice(scratch),
		    slice_sub(input, 0, DROP_HEAD_SIZE)));
		input = slice_from(input, DROP_HEAD_SIZE);
	}
	buf_reset(scratch);
	if (ipc_unpack(&msg_drop_desc, input, &a, &drop) == 0)
		FUZZ_CHECK(ipc_pack(&msg_drop_desc, drop, scratch) == 0);
	rcpts(input);
	arena_free(&a);
}
