/* SPDX-License-Identifier: ISC */
/* A UID block or directory chunk that is accepted keeps its promises: UIDs
 * ascend, it is found by its UIDs, and its encoding decodes to the same. */
#include "libstore/uidblock.h"
#include "test.h"

static void
block(struct slice in, struct buf *scratch)
{
	static struct uidblock b, again;
	struct dir_entry e;

	if (uidblock_decode(in, 1, &b) < 0)
		return;
	FUZZ_CHECK(b.count >= 1 && b.count <= UIDBLOCK_ENTRIES_MAX);
	for (uint32_t i = 0; i < b.count; i++) {
		FUZZ_CHECK(i == 0 || b.at[i].uid > b.at[i - 1].uid);
		FUZZ_CHECK(uidblock_find(&b, b.at[i].uid) == i);
	}
	dir_entry_of(&b, &e);
	FUZZ_CHECK(e.live == b.count && e.unseen <= e.live);
	uidblock_encode(scratch, &b);
	FUZZ_CHECK(scratch->len == uidblock_size(&b));
	FUZZ_CHECK(uidblock_decode(buf_slice(scratch), 1, &again) == 0);
	FUZZ_CHECK(again.count == b.count);
	for (uint32_t i = 0; i < b.count; i++)
		FUZZ_CHECK(again.at[i].uid == b.at[i].uid &&
		    again.at[i].email == b.at[i].email &&
		    again.at[i].flags == b.at[i].flags &&
		    again.at[i].modseq == b.at[i].modseq &&
		    again.at[i].save_date == b.at[i].save_date);
}

static void
chunk(struct slice in, struct buf *scratch)
{
	static struct dirchunk c;

	if (dirchunk_decode(in, &c) < 0)
		return;
	for (uint32_t i = 0; i < c.count; i++) {
		FUZZ_CHECK(dirchunk_find(&c, c.at[i].block) == (int)i);
		FUZZ_CHECK(dirchunk_find(&c, c.at[i].last_uid) == (int)i);
	}
	buf_reset(scratch);
	dirchunk_encode(scratch, &c);
	FUZZ_CHECK(slice_equal(buf_slice(scratch), in));
}

FUZZ(store_index)
{
	block(input, scratch);
	chunk(input, scratch);
}
