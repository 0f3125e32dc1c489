/* SPDX-License-Identifier: ISC */
/* Encodings: what is written is read back, and nothing else is accepted. */
#include "store_test.h"

#include "libstore/keys.h"
#include "libstore/packrec.h"
#include "libstore/records.h"
#include "libstore/uidblock.h"

TEST(keys)
{
	static const struct { uint32_t a; uint64_t b; uint32_t c; } rows[] = {
		{ 0, 0, 0 },
		{ 1, 2, 3 },
		{ UINT32_MAX, UINT64_MAX, UINT32_MAX },
		{ 0x01020304, 0x0102030405060708, 0x80000000 },
	};
	struct key k, end;
	uint32_t a, c;
	uint64_t b;

	for (size_t i = 0; i < COUNT(rows); i++) {
		key_u32_u64_u32(&k, KEY_VANISHED, rows[i].a, rows[i].b,
		    rows[i].c);
		CHECK_INT(k.len, 17, i);
		CHECK_INT(key_parse_u32_u64_u32(key_slice(&k), KEY_VANISHED,
		    &a, &b, &c), 0, i);
		CHECK(a == rows[i].a && b == rows[i].b && c == rows[i].c, i);
		CHECK_INT(key_parse_u32_u64_u32(key_slice(&k), KEY_ORDER, &a,
		    &b, &c), -EBADMSG, i);
		CHECK_INT(key_parse_u32_u32(key_slice(&k), KEY_VANISHED, &a,
		    &c), -EBADMSG, i);
		key_after(&end, &k);
		CHECK(slice_compare(key_slice(&end), key_slice(&k)) > 0, i);
		CHECK(!slice_has_prefix(key_slice(&end), key_slice(&k)), i);
	}
	/* byte order is number order */
	key_u32_u32(&k, KEY_UIDS, 1, 255);
	key_u32_u32(&end, KEY_UIDS, 1, 256);
	CHECK(slice_compare(key_slice(&k), key_slice(&end)) < 0, 0);
}

/* of the mailboxes' blocks, INBOX's are the last */
TEST(keys_that_fall)
{
	struct buf text = BUF_INIT;
	struct key k, before;
	uint32_t a, b;

	key_u32_u32(&k, KEY_UIDS, 1, 255);
	key_u32_u32(&before, KEY_UIDS, 2, 1);
	CHECK(slice_compare(key_slice(&before), key_slice(&k)) < 0, 0);
	CHECK_INT(key_parse_u32_u32(key_slice(&k), KEY_UIDS, &a, &b), 0, 0);
	CHECK(a == 1 && b == 255, 0);
	key_describe(&text, key_slice(&k));
	CHECK_TEXT(buf_slice(&text), "UIDS 00000001000000ff", 0);
	buf_reset(&text);
	key_describe(&text, slice_sub(key_slice(&k), 0, 3));
	CHECK_TEXT(buf_slice(&text), "UIDS ffff", 1);
	buf_free(&text);
}

TEST(keyspaces_are_distinct)
{
	static const char bytes[] = {
#define KEYSPACE(name, byte, key, value) byte,
#include "libstore/keys.def"
	};

	for (size_t i = 0; i < COUNT(bytes); i++)
		for (size_t k = 0; k < i; k++)
			CHECK(bytes[i] != bytes[k], i);
}

TEST(records)
{
	struct buf b = BUF_INIT;
	struct email_record in = { .body = 7, .thread = 3, .size = 1 << 20,
		.internal_date = -5, .sent_date = 1700000000,
		.created_modseq = 99, .attributes = 1,
		.places = { 2, { { 1, 5 }, { 9, 7 } } }, .from = S("anna"),
		.subject = S("h\xc3\xa4") }, out;
	struct slice all;

	email_record_encode(&b, &in);
	all = buf_slice(&b);
	CHECK_INT(email_record_decode(all, &out), 0, 0);
	CHECK_INT(out.internal_date, -5, 0);
	CHECK_INT(out.places.count, 2, 0);
	CHECK_INT(out.places.at[1].uid, 7, 0);
	CHECK_SLICE(out.subject, in.subject, 0);
	for (size_t len = 0; len < all.len; len++)
		CHECK_INT(email_record_decode(slice_sub(all, 0, len), &out),
		    -EBADMSG, len);
	buf_add_byte(&b, 0);
	CHECK_INT(email_record_decode(buf_slice(&b), &out), -EBADMSG, 1);
	buf_truncate(&b, b.len - 1);
	b.data[0] = 2;
	CHECK_INT(email_record_decode(buf_slice(&b), &out), -EPROTONOSUPPORT,
	    2);
	b.data[0] = 0;
	CHECK_INT(email_record_decode(buf_slice(&b), &out), -EBADMSG, 3);
	buf_free(&b);
}

TEST(keyword_table)
{
	struct keyword_table *t = calloc(1, sizeof(*t));
	struct keyword_table *back = calloc(1, sizeof(*back));
	struct more_keywords more = { 3, { 48, 50, KEYWORDS_MAX - 1 } }, got;
	struct buf b = BUF_INIT;

	t->count = 2;
	t->name[0] = S("$Forwarded");
	t->name[1] = S("x");
	keyword_table_encode(&b, t);
	CHECK_INT(keyword_table_decode(buf_slice(&b), back), 0, 0);
	CHECK_INT(keyword_table_find(back, S("$FORWARDED")), 0, 0);
	CHECK_INT(keyword_table_find(back, S("y")), -ENOENT, 0);
	CHECK_INT(keyword_table_decode(slice_sub(buf_slice(&b), 0, b.len - 1),
	    back), -EBADMSG, 0);
	buf_reset(&b);
	more_keywords_encode(&b, &more);
	CHECK_INT(more_keywords_decode(buf_slice(&b), &got), 0, 0);
	CHECK_INT(got.count, 3, 0);
	b.data[1] = 47;			/* has a bit, so it may not be here */
	CHECK_INT(more_keywords_decode(buf_slice(&b), &got), -EBADMSG, 1);
	b.data[1] = 50;			/* not ascending */
	CHECK_INT(more_keywords_decode(buf_slice(&b), &got), -EBADMSG, 2);
	buf_free(&b);
	free(t);
	free(back);
}

TEST(uidblock)
{
	static const struct { uint32_t n; uint32_t step; uint64_t flags;
	    uint64_t modseq; int64_t date; size_t most; } rows[] = {
		{ 1, 1, 0, 1, 0, 50 },
		{ 64, 1, 1, 1, 0, 310 },
		{ 64, 1, FLAG_KEYWORD(3), 1, 0, 400 },
		{ 64, 1000, FLAG_KEYWORD(47), (uint64_t)1 << 40, 1, 2500 },
		{ 33, 1u << 26, UINT64_MAX, UINT64_MAX / 64, INT64_MAX / 64,
		    2500 },
	};
	struct uidblock *b = calloc(1, sizeof(*b)), *back = calloc(1,
	    sizeof(*back));
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < COUNT(rows); i++) {
		b->first = 5;
		b->count = rows[i].n;
		for (uint32_t k = 0; k < rows[i].n; k++)
			b->at[k] = (struct message_meta){ 5 + k * rows[i].step,
				100 + k, k % 2 ? rows[i].flags : 0,
				1 + k * rows[i].modseq,
				rows[i].date + k % 3 * rows[i].date };
		buf_reset(&out);
		uidblock_encode(&out, b);
		CHECK_INT(uidblock_size(b), out.len, i);
		CHECK(out.len <= rows[i].most, i);
		CHECK_INT(uidblock_decode(buf_slice(&out), 5, back), 0, i);
		CHECK_INT(back->count, b->count, i);
		CHECK(memcmp(back->at, b->at, b->count * sizeof(b->at[0])) ==
		    0, i);
		/* the key's UID must not be above the first */
		CHECK_INT(uidblock_decode(buf_slice(&out), 6, back), -EBADMSG,
		    i);
		for (size_t len = 0; len < out.len; len++)
			CHECK(uidblock_decode(slice_sub(buf_slice(&out), 0,
			    len), 5, back) < 0, len);
	}
	buf_free(&out);
	free(b);
	free(back);
}

TEST(packrec)
{
	static const size_t sizes[] = { 0, 1, 8192, 16384, 16385, 65536,
		200000 };
	struct packrec_zip *z = packrec_zip_new();
	struct arena arena = ARENA_INIT;
	struct buf content = BUF_INIT, out = BUF_INIT;
	char	*raw = malloc(PACKREC_FRAME_RAW);

	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct packrec in = { .email = 77, .mailbox = 3, .uid = 9,
			.internal_date = -1, .flags = 5,
			.prefix = S("Received: x\r\n") }, rec = { 0 };
		uint64_t at = 0, stored = 0, raw_at, stored_at;
		uint32_t len, frame;

		buf_reset(&content);
		while (content.len < sizes[i])
			buf_addf(&content, "%zu-", content.len * 7);
		buf_truncate(&content, sizes[i]);
		buf_reset(&out);
		CHECK_INT(packrec_build(z, &in, buf_slice(&content), &out), 0,
		    i);
		CHECK_INT(packrec_head_len(buf_slice(&out), &len), 0, i);
		CHECK_INT(packrec_parse(slice_sub(buf_slice(&out), 0, len),
		    &arena, &rec), 0, i);
		CHECK_INT(rec.size, sizes[i], i);
		CHECK_INT(rec.head_len + rec.payload_len, out.len, i);
		CHECK_SLICE(rec.prefix, in.prefix, i);
		CHECK_INT(rec.internal_date, -1, i);
		for (uint32_t f = 0; f < rec.frame_count; f++) {
			CHECK_INT(packrec_find(&rec, at, &frame, &raw_at,
			    &stored_at), 0, i);
			CHECK(frame == f && raw_at == at &&
			    stored_at == stored, i);
			CHECK_INT(packrec_unzip(z, &rec.frames[f], slice_sub(
			    buf_slice(&out), rec.head_len + stored,
			    rec.frames[f].stored), raw), 0, i);
			CHECK(memcmp(raw, content.data + at,
			    rec.frames[f].raw) == 0, i);
			at += rec.frames[f].raw;
			stored += rec.frames[f].stored;
		}
		CHECK_INT(packrec_find(&rec, at, &frame, &raw_at, &stored_at),
		    -ERANGE, i);
		/* one flipped bit anywhere in the head is seen */
		for (size_t k = 0; k < len; k++) {
			out.data[k] ^= 4;
			CHECK(packrec_head_len(buf_slice(&out), &len) < 0 ||
			    packrec_parse(slice_sub(buf_slice(&out), 0, len),
			    &arena, &rec) < 0, k);
			out.data[k] ^= 4;
			CHECK_INT(packrec_head_len(buf_slice(&out), &len), 0,
			    k);
		}
	}
	free(raw);
	buf_free(&content);
	buf_free(&out);
	arena_free(&arena);
	packrec_zip_free(&z);
}
