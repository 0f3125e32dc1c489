/* SPDX-License-Identifier: ISC */
#include "libmail/sha256.h"

#include <string.h>

#include "libutil/hex.h"
#include "test.h"

/* FIPS 180-2, B.1 and B.2, and nothing at all */
TEST(sha256_of)
{
	static const struct {
		const char	*text;
		const char	*hash;
	} rows[] = {
		{ "abc", "ba7816bf8f01cfea414140de5dae2223"
		    "b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		    "248d6a61d20638b8e5c026930c3e6039"
		    "a33ce45964ff2167f6ecedd419db06c1" },
		{ "", "e3b0c44298fc1c149afbf4c8996fb924"
		    "27ae41e4649b934ca495991b7852b855" },
	};
	unsigned char	one[SHA256_LEN], parts[SHA256_LEN];
	struct sha256	h;

	sha256_begin(&h);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slice	text = slice_of(rows[i].text);
		struct buf	hex = BUF_INIT;

		sha256_of(text, one);
		hex_encode(&hex, slice_over(one, sizeof(one)));
		CHECK_TEXT(buf_slice(&hex), rows[i].hash, i);
		sha256_add(&h, slice_sub(text, 0, 2));
		sha256_add(&h, slice_from(text, size_min(2, text.len)));
		sha256_take(&h, parts);
		CHECK(memcmp(one, parts, sizeof(one)) == 0, i);
		buf_free(&hex);
	}
	sha256_done(&h);
	sha256_done(&h);
}

TEST(sha256_texts)
{
	unsigned char	a[SHA256_LEN], b[SHA256_LEN];
	struct sha256	h;

	sha256_begin(&h);
	sha256_add_text(&h, S("ab"));
	sha256_add_text(&h, S("c"));
	sha256_take(&h, a);
	sha256_add_text(&h, S("a"));
	sha256_add_text(&h, S("bc"));
	sha256_take(&h, b);
	CHECK(memcmp(a, b, sizeof(a)) != 0, 0);
	sha256_done(&h);
}
