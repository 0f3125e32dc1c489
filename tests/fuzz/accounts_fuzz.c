/* SPDX-License-Identifier: ISC */
/* Records of the accounts database: what decodes, encodes to the same bytes.
 * Addresses: one that is in the kept form stays as it is. */
#include "libglobal/accounts.h"
#include "test.h"

#define RECORD(name, version, doc) \
static void \
check_##name(struct slice input, struct buf *scratch) \
{ \
	struct accounts_##name r; \
	\
	if (accounts_##name##_decode(input, &r) < 0) \
		return; \
	buf_reset(scratch); \
	accounts_##name##_encode(scratch, &r); \
	FUZZ_CHECK(slice_equal(buf_slice(scratch), input)); \
}
#define FIELD(record, type, name, max, doc)
#define END(name)
#include "libglobal/accounts_records.def"

static void
check_address(struct slice input)
{
	struct arena	a = ARENA_INIT;
	struct slice	once, twice;

	if (accounts_address(input, &a, &once) == 0) {
		FUZZ_CHECK(once.len <= ACCOUNTS_ADDRESS_MAX);
		FUZZ_CHECK(slice_find(once, '\0') == SLICE_NONE);
		FUZZ_CHECK(accounts_address(once, &a, &twice) == 0);
		FUZZ_CHECK(slice_equal(once, twice));
	}
	arena_free(&a);
}

FUZZ(accounts)
{
#define RECORD(name, version, doc)	check_##name(input, scratch);
#define FIELD(record, type, name, max, doc)
#define END(name)
#include "libglobal/accounts_records.def"
	check_address(input);
}
