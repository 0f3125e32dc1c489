/* SPDX-License-Identifier: ISC */
#include "libmail/sha256.h"

#include "libutil/hex.h"
#include "test.h"

/* FIPS 180-2, B.1; and the lookup is made once */
TEST(sha256)
{
	const EVP_MD *md = sha256();
	unsigned char hash[32];
	struct buf text = BUF_INIT;

	CHECK_INT(EVP_Digest("abc", 3, hash, NULL, md, NULL), 1, 0);
	hex_encode(&text, slice_over(hash, sizeof(hash)));
	CHECK_TEXT(buf_slice(&text), "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad", 0);
	CHECK(sha256() == md, 0);
	buf_free(&text);
}
