/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "libutil/arena.h"
#include "libutil/cursor.h"
#include "libutil/hash.h"

TEST(buf_maximum)
{
	struct buf b = BUF_INIT_MAX(8);

	buf_add(&b, S("12345"));
	CHECK_INT(buf_check(&b), 0, 0);
	buf_add(&b, S("6789"));			/* does not fit */
	CHECK_INT(buf_check(&b), -EMSGSIZE, 1);
	buf_add(&b, S("6"));			/* nothing after a gap */
	CHECK_SLICE(buf_slice(&b), S("12345"), 2);
	buf_reset(&b);
	buf_add_u64(&b, 12345678);
	CHECK_SLICE(buf_slice(&b), S("12345678"), 3);
	CHECK_INT(buf_check(&b), 0, 3);
	buf_free(&b);
}

TEST(buf_binary_round_trip)
{
	struct buf b = BUF_INIT;
	struct cursor c;
	uint16_t v16;
	uint32_t v32;
	uint64_t v64;

	buf_add_le16(&b, 0xfedc);
	buf_add_le32(&b, 0xdeadbeef);
	buf_add_le64(&b, UINT64_MAX - 1);
	c = cursor_over(buf_slice(&b));
	CHECK_INT(cursor_le16(&c, &v16), 0, 0);
	CHECK_INT(cursor_le32(&c, &v32), 0, 0);
	CHECK_INT(cursor_le64(&c, &v64), 0, 0);
	CHECK(v16 == 0xfedc && v32 == 0xdeadbeef && v64 == UINT64_MAX - 1, 0);
	CHECK_INT(cursor_le16(&c, &v16), -EBADMSG, 1);
	buf_free(&b);
}

TEST(arena_reuse)
{
	struct arena a = ARENA_INIT;

	for (size_t i = 0; i < 10000; i++)
		CHECK_TEXT(arena_printf(&a, "%s", "text"), "text", i);
	(void)arena_alloc(&a, 100000);
	arena_reset(&a);
	CHECK_TEXT(arena_dup(&a, S("x")), "x", 0);
	arena_free(&a);
}

TEST(hash_table)
{
	struct hash h = HASH_INIT;
	struct hash_iter it = { 0 };
	char key[32];
	static int values[1000];
	struct slice k;
	void *v;
	size_t n = 0;

	for (size_t i = 0; i < COUNT(values); i++)
		CHECK(hash_put(&h, slice_over(key, (size_t)snprintf(key,
		    sizeof(key), "key%zu", i)), &values[i]) == NULL, i);
	for (size_t i = 0; i < COUNT(values); i++)
		CHECK(hash_get(&h, slice_over(key, (size_t)snprintf(key,
		    sizeof(key), "key%zu", i))) == &values[i], i);
	while (hash_next(&h, &it, &k, &v))
		if (n++ % 2 == 0)
			CHECK(hash_remove(&h, k) == v, n);
	CHECK_INT(n, 1000, 0);
	CHECK_INT(h.count, 500, 0);
	hash_free(&h);
}

TEST(hash_siphash_vector)	/* the reference value of the authors' paper */
{
	static const char in[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 };

	CHECK(hash_siphash(0x0706050403020100, 0x0f0e0d0c0b0a0908,
	    slice_over(in, sizeof(in))) == 0xa129ca6149be45e5, 0);
}
