/* SPDX-License-Identifier: ISC */
/*
 * The start of a slot file: what is decoded encodes to the same bytes, names a
 * place that exists, and an envelope that passes its check is the one meant.
 * A mutation seldom hits a checksum, so the same bytes are tried once more
 * with the right ones put in.
 */
#include "test.h"

#include "libglobal/qformat.h"

#define CRC_AT		(QFORMAT_HEAD_SIZE - 4)
#define ENVELOPE_CRC_AT	80

static void
put_le32(char *at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		at[i] = (char)(v >> (8 * i));
}

static void
try(struct slice in)
{
	struct slice block = slice_sub(in, 0, QFORMAT_HEAD_SIZE);
	struct slice rest = slice_from(in, QFORMAT_HEAD_SIZE);
	struct queue_head h;
	char again[QFORMAT_HEAD_SIZE];
	uint8_t class;

	if (qformat_head_decode(block, &h) < 0)
		return;
	qformat_head_encode(again, &h);
	FUZZ_CHECK(slice_equal(block, slice_over(again, sizeof(again))));
	FUZZ_CHECK(h.id.text[0] != '\0');
	FUZZ_CHECK(h.place.kind == QUEUE_PLACE_LARGE ||
	    slot_class_size(h.place.slot.class) > 0);
	FUZZ_CHECK(h.envelope_len <= QFORMAT_ENVELOPE_MAX);
	if (slot_class_for(h.envelope_len, h.content_len, &class) == 0)
		FUZZ_CHECK(QFORMAT_HEAD_SIZE + h.envelope_len + h.content_len
		    <= slot_class_size(class));
	rest = slice_sub(rest, 0, h.envelope_len);
	if (qformat_check_envelope(&h, rest) == 0)
		FUZZ_CHECK(rest.len == h.envelope_len &&
		    qformat_crc(0, rest) == h.envelope_crc);
}

FUZZ(slot)
{
	char *copy;

	try(input);
	buf_add(scratch, input);
	if (scratch->len < QFORMAT_HEAD_SIZE)
		return;
	copy = scratch->data;
	put_le32(copy + ENVELOPE_CRC_AT, qformat_crc(0,
	    slice_from(buf_slice(scratch), QFORMAT_HEAD_SIZE)));
	put_le32(copy + CRC_AT, qformat_crc(0, slice_over(copy, CRC_AT)));
	try(buf_slice(scratch));
}
