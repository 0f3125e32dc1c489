/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "libutil/base64.h"
#include "libutil/hex.h"

TEST(base64_vectors)		/* RFC 4648 10 */
{
	static const struct { struct slice bytes; const char *text, *url; } cases[] = {
		{ S_INIT(""), "", "" }, { S_INIT("f"), "Zg==", "Zg" },
		{ S_INIT("fo"), "Zm8=", "Zm8" }, { S_INIT("foo"), "Zm9v", "Zm9v" },
		{ S_INIT("foob"), "Zm9vYg==", "Zm9vYg" },
		{ S_INIT("fooba"), "Zm9vYmE=", "Zm9vYmE" },
		{ S_INIT("foobar"), "Zm9vYmFy", "Zm9vYmFy" },
		{ S_INIT("\xfb\xff\xfe\0"), "+//+AA==", "-__-AA" },
	};
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_reset(&out);
		base64_encode(&out, cases[i].bytes);
		CHECK_TEXT(buf_slice(&out), cases[i].text, i);
		buf_reset(&out);
		CHECK_INT(base64_decode(&out, slice_of(cases[i].text)), 0, i);
		CHECK_SLICE(buf_slice(&out), cases[i].bytes, i);
		buf_reset(&out);
		base64url_encode(&out, cases[i].bytes);
		CHECK_TEXT(buf_slice(&out), cases[i].url, i);
		buf_reset(&out);
		CHECK_INT(base64url_decode(&out, slice_of(cases[i].url)), 0, i);
		CHECK_SLICE(buf_slice(&out), cases[i].bytes, i);
	}
	buf_free(&out);
}

TEST(base64_strict)
{
	static const struct { struct slice text; int std, url; } cases[] = {
		{ S_INIT("Zg="), -EBADMSG, -EBADMSG },
		{ S_INIT("Zg"), -EBADMSG, 0 },
		{ S_INIT("Zg==="), -EBADMSG, -EBADMSG },
		{ S_INIT("===="), -EBADMSG, -EBADMSG },
		{ S_INIT("="), -EBADMSG, -EBADMSG },
		{ S_INIT("Z==="), -EBADMSG, -EBADMSG },
		{ S_INIT("Z"), -EBADMSG, -EBADMSG },
		{ S_INIT("Zh=="), -EBADMSG, -EBADMSG },	/* bits left over */
		{ S_INIT("Zm9="), -EBADMSG, -EBADMSG },
		{ S_INIT("Zm=v"), -EBADMSG, -EBADMSG },
		{ S_INIT("Zm9v\n"), -EBADMSG, -EBADMSG },
		{ S_INIT("Zm 9v==="), -EBADMSG, -EBADMSG },
		{ S_INIT("-__-"), -EBADMSG, 0 }, { S_INIT("+//+"), 0, -EBADMSG },
		{ S_INIT("Zm9\0"), -EBADMSG, -EBADMSG },
		{ S_INIT("Zm9\xc3"), -EBADMSG, -EBADMSG },
	};
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_reset(&out);
		CHECK_INT(base64_decode(&out, cases[i].text), cases[i].std, i);
		CHECK(cases[i].std == 0 || out.len == 0, i);
		buf_reset(&out);
		CHECK_INT(base64url_decode(&out, cases[i].text), cases[i].url, i);
		CHECK(cases[i].url == 0 || out.len == 0, i);
	}
	buf_free(&out);
}

TEST(hex)
{
	struct buf out = BUF_INIT;

	hex_encode(&out, S("\x00\x9f\xff"));
	CHECK_TEXT(buf_slice(&out), "009fff", 0);
	buf_reset(&out);
	CHECK_INT(hex_decode(&out, S("009fFF")), 0, 1);
	CHECK_SLICE(buf_slice(&out), S("\x00\x9f\xff"), 1);
	CHECK_INT(hex_decode(&out, S("0")), -EBADMSG, 2);
	CHECK_INT(hex_decode(&out, S("0g")), -EBADMSG, 3);
	CHECK_INT(hex_decode(&out, S("0 ")), -EBADMSG, 4);
	CHECK_INT((int)out.len, 3, 5);
	buf_free(&out);
}
