/* SPDX-License-Identifier: ISC */
/*
 * A pack file is foreign bytes to salvage: a head that is accepted has frames
 * that add up, and unpacking them stays inside their lengths. The input is a
 * head without its checksum, which is put right here, and then a payload.
 */
#include "libstore/packrec.h"
#include "libutil/crc32c.h"
#include "test.h"

static void
frames(const struct packrec *r, struct slice payload)
{
	struct packrec_zip *z = packrec_zip_new();
	uint64_t raw = 0, at = 0, raw_at, stored_at;
	uint32_t frame;

	for (uint32_t i = 0; i < r->frame_count; i++) {
		const struct packrec_frame *f = &r->frames[i];
		char	*out = malloc(f->raw);

		FUZZ_CHECK(packrec_find(r, raw, &frame, &raw_at,
		    &stored_at) == 0 && frame == i && stored_at == at);
		(void)packrec_unzip(z, f, slice_sub(payload, at, f->stored),
		    out);
		free(out);
		raw += f->raw;
		at += f->stored;
	}
	FUZZ_CHECK(raw == r->size && at == r->payload_len);
	packrec_zip_free(&z);
}

FUZZ(store_pack)
{
	struct arena arena = ARENA_INIT;
	struct packrec r;
	uint32_t len, sum;

	buf_add(scratch, input);
	if (packrec_head_len(input, &len) == 0 && len <= input.len) {
		sum = crc32c(slice_sub(input, 0, len - 4));
		for (unsigned i = 0; i < 4; i++)
			scratch->data[len - 4 + i] = (char)(sum >> (8 * i));
		if (packrec_parse(slice_sub(buf_slice(scratch), 0, len),
		    &arena, &r) == 0)
			frames(&r, slice_from(buf_slice(scratch), len));
	}
	arena_free(&arena);
}
