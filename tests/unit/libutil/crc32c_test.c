/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "libutil/crc32c.h"

TEST(crc32c_vectors)		/* RFC 3720 B.4, and the usual check value */
{
	char bytes[32];

	CHECK(crc32c(S("")) == 0, 0);
	CHECK(crc32c(S("123456789")) == 0xe3069283, 1);
	memset(bytes, 0, sizeof(bytes));
	CHECK(crc32c(slice_over(bytes, 32)) == 0x8a9136aa, 2);
	memset(bytes, 0xff, sizeof(bytes));
	CHECK(crc32c(slice_over(bytes, 32)) == 0x62a8ab43, 3);
	for (int i = 0; i < 32; i++)
		bytes[i] = (char)i;
	CHECK(crc32c(slice_over(bytes, 32)) == 0x46dd794e, 4);
	for (int i = 0; i < 32; i++)
		bytes[i] = (char)(31 - i);
	CHECK(crc32c(slice_over(bytes, 32)) == 0x113fdb5c, 5);
}

TEST(crc32c_pieces)		/* any cut, any alignment, both ways */
{
	char bytes[100];
	struct slice all = slice_over(bytes, sizeof(bytes));
	uint32_t whole, crc;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 37 + 11);
	whole = crc32c(all);
	CHECK(crc32c_add_portable(0, all) == whole, 0);
	for (size_t cut = 0; cut <= all.len; cut++) {
		crc = crc32c(slice_sub(all, 0, cut));
		CHECK(crc32c_add(crc, slice_from(all, cut)) == whole, cut);
		crc = crc32c_add_portable(0, slice_sub(all, 0, cut));
		CHECK(crc32c_add_portable(crc, slice_from(all, cut)) == whole,
		    cut);
	}
}
