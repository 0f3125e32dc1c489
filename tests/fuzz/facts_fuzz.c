/* SPDX-License-Identifier: ISC */
/*
 * Foreign facts: what is read is within the content, and writes back to the
 * same bytes. The first two bytes say how long the content is.
 */
#include "libmail/facts.h"

#include "test.h"

static void
check_part(const struct facts *f, uint32_t i)
{
	const struct facts_part	*p = &f->parts[i];

	FUZZ_CHECK(p->header <= p->body && p->body <= p->end &&
	    p->end <= f->length);
	FUZZ_CHECK(p->after > i && p->after <= f->part_count);
	FUZZ_CHECK(p->content_type.offset + p->content_type.length <= p->body);
	if (i == 0) {
		FUZZ_CHECK(p->parent == FACTS_NO_PART);
		return;
	}
	FUZZ_CHECK(p->parent < i && p->after <= f->parts[p->parent].after);
	FUZZ_CHECK(p->header >= f->parts[p->parent].body &&
	    p->end <= f->parts[p->parent].end);
}

FUZZ(facts)
{
	struct arena	a = ARENA_INIT;
	struct facts	f = { .length = 12345 };
	uint64_t	length;

	if (input.len < 2)
		return;
	length = (unsigned char)input.data[0] |
	    (uint64_t)(unsigned char)input.data[1] << 8;
	input = slice_from(input, 2);
	if (facts_parse(input, length, &a, &f) < 0) {
		FUZZ_CHECK(f.length == 12345);
		arena_free(&a);
		return;
	}
	for (uint32_t i = 0; i < f.part_count; i++)
		check_part(&f, i);
	for (uint32_t i = 0; i < f.field_count; i++)
		FUZZ_CHECK(f.fields[i].offset + f.fields[i].length <=
		    f.parts[0].body && f.fields[i].value <= f.fields[i].length);
	facts_format(scratch, &f);
	FUZZ_CHECK(slice_equal(buf_slice(scratch), input));
	arena_free(&a);
}
