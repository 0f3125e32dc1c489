/* SPDX-License-Identifier: ISC */
#include "libmail/transfer.h"

#include "libutil/base64.h"

#include "test.h"

static void
run(size_t row, enum facts_encoding encoding, struct slice in,
    struct slice want, bool damaged)
{
	for (size_t cut = 0; cut <= in.len; cut++) {
		struct transfer	t;
		struct buf	out = BUF_INIT;

		transfer_init(&t, encoding);
		transfer_decode(&t, slice_sub(in, 0, cut), &out);
		transfer_decode(&t, slice_from(in, cut), &out);
		transfer_finish(&t, &out);
		CHECK_SLICE(buf_slice(&out), want, row);
		CHECK(t.damaged == damaged, row);
		buf_free(&out);
	}
}

TEST(transfer_base64)
{
	static const struct { const char *in, *want; bool damaged; } rows[] = {
		{ "", "", false },
		{ "YQ==", "a", false },
		{ "YWI=", "ab", false },
		{ "YWJj", "abc", false },
		{ "YWJjZGVm\r\nZ2hp\r\n", "abcdefghi", false },
		{ "YW\r\nJj", "abc", false },
		{ "YQ==\r\nYg==\r\n", "ab", false },	/* two pieces */
		{ "YW Jj\t", "abc", false },
		{ "YWJj-ZGVm", "abcdef", true },
		{ "YWI", "ab", true },
		{ "YQ", "a", true },
		{ "Y", "", true },
		{ "Y===", "", true },
		{ "YW=Jj", "a&", true },
		{ "\xc3\xa4YWJj", "abc", true },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		run(i, ENCODING_BASE64, slice_of(rows[i].in),
		    slice_of(rows[i].want), rows[i].damaged);
}

/* what our encoder makes, in lines, is read back, over the block size */
TEST(transfer_base64_long)
{
	struct buf	bytes = BUF_INIT, text = BUF_INIT, lines = BUF_INIT;
	struct buf	out = BUF_INIT;
	struct transfer	t;
	struct slice	rest;

	for (size_t i = 0; i < 10000; i++)
		buf_add_byte(&bytes, (char)(i * 7 + i / 256));
	base64_encode(&text, buf_slice(&bytes));
	for (rest = buf_slice(&text); rest.len > 0; rest = slice_from(rest, 76)) {
		buf_add(&lines, slice_sub(rest, 0, 76));
		buf_add_text(&lines, "\r\n");
	}
	transfer_init(&t, ENCODING_BASE64);
	transfer_decode(&t, buf_slice(&lines), &out);
	transfer_decode(&t, buf_slice(&text), &out);
	transfer_finish(&t, &out);
	CHECK(!t.damaged, 0);
	CHECK_SLICE(slice_sub(buf_slice(&out), 0, bytes.len),
	    buf_slice(&bytes), 0);
	CHECK_SLICE(slice_from(buf_slice(&out), bytes.len),
	    buf_slice(&bytes), 1);
	buf_free(&bytes);
	buf_free(&text);
	buf_free(&lines);
	buf_free(&out);
}

TEST(transfer_quoted_printable)
{
	static const struct { const char *in, *want; bool damaged; } rows[] = {
		{ "", "", false },
		{ "a=3Db\r\n", "a=b\r\n", false },
		{ "a=c3=A4", "a\xc3\xa4", false },
		{ "soft=\r\nbreak", "softbreak", false },
		{ "soft=\nbreak", "softbreak", false },
		{ "soft= \t\r\nbreak", "softbreak", false },
		{ "padded \t \r\nx", "padded\r\nx", false },
		{ "a b\tc", "a b\tc", false },
		{ "kept =20\r\n", "kept  \r\n", false },
		{ "end  ", "end", false },
		{ "a=", "a", false },
		{ "a=4", "a=4", true },
		{ "a=zz", "a=zz", true },
		{ "a=4z=", "a=4z", true },
		{ "a= b", "a=b", true },
		{ "8\xc3\xa4", "8\xc3\xa4", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		run(i, ENCODING_QP, slice_of(rows[i].in),
		    slice_of(rows[i].want), rows[i].damaged);
}

TEST(transfer_none)
{
	run(0, ENCODING_8BIT, S("a=3D \0b"), S("a=3D \0b"), false);
	CHECK_INT(transfer_encoding_of(S("Base64")), ENCODING_BASE64, 0);
	CHECK_INT(transfer_encoding_of(S("QUOTED-printable")), ENCODING_QP, 0);
	CHECK_INT(transfer_encoding_of(S("x-uuencode")), ENCODING_OTHER, 0);
	CHECK_INT(transfer_encoding_of(S("")), ENCODING_7BIT, 0);
}
