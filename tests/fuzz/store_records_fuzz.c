/* SPDX-License-Identifier: ISC */
/* Whatever a record decoder accepts, it writes again byte by byte. */
#include "libstore/records.h"
#include "test.h"

#define RECORD(name, version, doc) \
static void \
again_##name(struct slice in, struct buf *out) \
{ \
	struct name##_record r; \
	if (name##_record_decode(in, &r) < 0) \
		return; \
	buf_reset(out); \
	name##_record_encode(out, &r); \
	FUZZ_CHECK(slice_equal(buf_slice(out), in)); \
}
#define FIELD(record, type, name, max, doc)
#define END(name)
#include "libstore/records.def"

FUZZ(store_records)
{
	static struct keyword_table table;
	struct more_keywords more;

#define RECORD(name, version, doc) again_##name(input, scratch);
#define FIELD(record, type, name, max, doc)
#define END(name)
#include "libstore/records.def"
	if (keyword_table_decode(input, &table) == 0) {
		buf_reset(scratch);
		keyword_table_encode(scratch, &table);
		FUZZ_CHECK(slice_equal(buf_slice(scratch), input));
	}
	if (more_keywords_decode(input, &more) == 0) {
		buf_reset(scratch);
		more_keywords_encode(scratch, &more);
		FUZZ_CHECK(slice_equal(buf_slice(scratch), input));
	}
}
