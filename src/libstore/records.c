/* SPDX-License-Identifier: ISC */
/*
 * Encoders and decoders of records.def, one pair a field type; and the two
 * records that are lists.
 */
#include "libstore/records.h"

#include <assert.h>

#include "libutil/cursor.h"

static void
put_U8(struct buf *out, uint8_t v, size_t max)
{
	(void)max;
	buf_add_byte(out, (char)v);
}

static void
put_U32(struct buf *out, uint32_t v, size_t max)
{
	(void)max;
	buf_add_le32(out, v);
}

static void
put_U64(struct buf *out, uint64_t v, size_t max)
{
	(void)max;
	buf_add_le64(out, v);
}

static void
put_I64(struct buf *out, int64_t v, size_t max)
{
	(void)max;
	buf_add_le64(out, (uint64_t)v);
}

static void
put_TEXT(struct buf *out, struct slice v, size_t max)
{
	assert(v.len <= max);
	buf_add_le16(out, (uint16_t)v.len);
	buf_add(out, v);
}

static void
put_HASH(struct buf *out, struct record_hash v, size_t max)
{
	(void)max;
	buf_add(out, slice_over(v.bytes, sizeof(v.bytes)));
}

static void
put_PLACES(struct buf *out, struct email_places v, size_t max)
{
	assert(v.count <= max);
	buf_add_byte(out, (char)v.count);
	for (size_t i = 0; i < v.count; i++) {
		buf_add_le32(out, v.at[i].mailbox);
		buf_add_le32(out, v.at[i].uid);
	}
}

static int
get_U8(struct cursor *c, uint8_t *ret, size_t max)
{
	int	v = cursor_byte(c);

	(void)max;
	if (v < 0)
		return -EBADMSG;
	*ret = (uint8_t)v;
	return 0;
}

static int
get_U32(struct cursor *c, uint32_t *ret, size_t max)
{
	(void)max;
	return cursor_le32(c, ret);
}

static int
get_U64(struct cursor *c, uint64_t *ret, size_t max)
{
	(void)max;
	return cursor_le64(c, ret);
}

static int
get_I64(struct cursor *c, int64_t *ret, size_t max)
{
	uint64_t v;
	int	r = cursor_le64(c, &v);

	(void)max;
	if (r == 0)
		*ret = (int64_t)v;
	return r;
}

static int
get_TEXT(struct cursor *c, struct slice *ret, size_t max)
{
	uint16_t len;
	int	r = cursor_le16(c, &len);

	if (r < 0)
		return r;
	return len > max ? -EBADMSG : cursor_bytes(c, len, ret);
}

static int
get_HASH(struct cursor *c, struct record_hash *ret, size_t max)
{
	struct slice bytes;
	int	r = cursor_bytes(c, sizeof(ret->bytes), &bytes);

	(void)max;
	if (r == 0)
		memcpy(ret->bytes, bytes.data, sizeof(ret->bytes));
	return r;
}

static int
get_PLACES(struct cursor *c, struct email_places *ret, size_t max)
{
	int	r = get_U8(c, &ret->count, 0);

	if (r < 0)
		return r;
	if (ret->count > max)
		return -EBADMSG;
	for (size_t i = 0; r == 0 && i < ret->count; i++) {
		r = cursor_le32(c, &ret->at[i].mailbox);
		if (r == 0)
			r = cursor_le32(c, &ret->at[i].uid);
	}
	return r;
}

/* get_version - the first byte of every record */
static int
get_version(struct cursor *c, int known)
{
	int	v = cursor_byte(c);

	if (v < 1)
		return -EBADMSG;
	return v > known ? -EPROTONOSUPPORT : 0;
}

#define RECORD(name, version, doc) \
/* name##_record_encode - append its bytes */ \
void \
name##_record_encode(struct buf *out, const struct name##_record *r) \
{ \
	buf_add_byte(out, (version));
#define FIELD(record, type, name, max, doc) put_##type(out, r->name, (max));
#define END(name) }
#include "libstore/records.def"

#define RECORD(name, version, doc) \
/* name##_record_decode - the struct of its bytes */ \
int \
name##_record_decode(struct slice in, struct name##_record *ret_record) \
{ \
	struct cursor c = cursor_over(in); \
	struct name##_record x = { 0 }; \
	int	r = get_version(&c, (version));
#define FIELD(record, type, name, max, doc) \
	if (r == 0) \
		r = get_##type(&c, &x.name, (max));
#define END(name) \
	if (r == 0 && !cursor_at_end(&c)) \
		r = -EBADMSG; \
	if (r == 0) \
		*ret_record = x; \
	return r; \
}
#include "libstore/records.def"

/* record_encode_u32 - a value that is one integer */
void
record_encode_u32(struct buf *out, uint32_t v)
{
	buf_add_le32(out, v);
}

/* record_encode_u64 - a value that is one integer */
void
record_encode_u64(struct buf *out, uint64_t v)
{
	buf_add_le64(out, v);
}

/* record_decode_u32 - the integer and nothing else */
int
record_decode_u32(struct slice in, uint32_t *ret_value)
{
	struct cursor c = cursor_over(in);

	return in.len != 4 ? -EBADMSG : cursor_le32(&c, ret_value);
}

/* record_decode_u64 - the integer and nothing else */
int
record_decode_u64(struct slice in, uint64_t *ret_value)
{
	struct cursor c = cursor_over(in);

	return in.len != 8 ? -EBADMSG : cursor_le64(&c, ret_value);
}

/* keyword_table_encode - version, count, and each name with its length */
void
keyword_table_encode(struct buf *out, const struct keyword_table *t)
{
	buf_add_byte(out, 1);
	buf_add_le16(out, t->count);
	for (size_t i = 0; i < t->count; i++) {
		buf_add_byte(out, (char)t->name[i].len);
		buf_add(out, t->name[i]);
	}
}

/* keyword_table_decode - the table of its bytes */
int
keyword_table_decode(struct slice in, struct keyword_table *ret_table)
{
	struct cursor c = cursor_over(in);
	uint16_t count;
	uint8_t len;
	int	r;

	if ((r = get_version(&c, 1)) < 0 || (r = cursor_le16(&c, &count)) < 0)
		return r;
	if (count > KEYWORDS_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < count; i++) {
		if ((r = get_U8(&c, &len, 0)) < 0)
			return r;
		if (len == 0 || len > KEYWORD_LEN_MAX)
			return -EBADMSG;
		if ((r = cursor_bytes(&c, len, &ret_table->name[i])) < 0)
			return r;
	}
	if (!cursor_at_end(&c))
		return -EBADMSG;
	ret_table->count = count;
	return 0;
}

/* keyword_table_find - the number of a name */
int
keyword_table_find(const struct keyword_table *t, struct slice name)
{
	for (int i = 0; i < t->count; i++)
		if (slice_equal_nocase(t->name[i], name))
			return i;
	return -ENOENT;
}

/* more_keywords_encode - version and numbers */
void
more_keywords_encode(struct buf *out, const struct more_keywords *m)
{
	buf_add_byte(out, 1);
	for (size_t i = 0; i < m->count; i++)
		buf_add_le16(out, m->number[i]);
}

/* more_keywords_decode - ascending numbers beyond the flag word */
int
more_keywords_decode(struct slice in, struct more_keywords *ret_more)
{
	struct cursor c = cursor_over(in);
	uint16_t last = FLAG_KEYWORDS_INLINE - 1;
	int	r;

	if ((r = get_version(&c, 1)) < 0)
		return r;
	ret_more->count = 0;
	while (!cursor_at_end(&c)) {
		uint16_t n;

		if ((r = cursor_le16(&c, &n)) < 0)
			return r;
		if (n <= last || n >= KEYWORDS_MAX)
			return -EBADMSG;
		ret_more->number[ret_more->count++] = n;
		last = n;
	}
	return 0;
}
