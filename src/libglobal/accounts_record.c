/* SPDX-License-Identifier: ISC */
/* One encoder and one decoder a field type; the records are made of them. */
#include "libglobal/accounts_record.h"

#include <assert.h>

#include "libutil/cursor.h"

/* put_U32 - append a field of that type */
static void
put_U32(struct buf *out, uint32_t v, size_t max)
{
	(void)max;
	buf_add_le32(out, v);
}

/* put_U64 - append a field of that type */
static void
put_U64(struct buf *out, uint64_t v, size_t max)
{
	(void)max;
	buf_add_le64(out, v);
}

/* put_I64 - append a field of that type */
static void
put_I64(struct buf *out, int64_t v, size_t max)
{
	(void)max;
	buf_add_le64(out, (uint64_t)v);
}

/* put_FLAGS - append a field of that type */
static void
put_FLAGS(struct buf *out, uint32_t v, size_t max)
{
	assert((v & ~max) == 0);
	buf_add_le32(out, v);
}

/* put_TEXT - append a field of that type */
static void
put_TEXT(struct buf *out, struct slice v, size_t max)
{
	assert(v.len <= max);
	buf_add_le32(out, (uint32_t)v.len);
	buf_add(out, v);
}

/* get_U32 - take a field of that type */
static int
get_U32(struct cursor *c, uint32_t *ret, size_t max)
{
	(void)max;
	return cursor_le32(c, ret);
}

/* get_U64 - take a field of that type */
static int
get_U64(struct cursor *c, uint64_t *ret, size_t max)
{
	(void)max;
	return cursor_le64(c, ret);
}

/* get_I64 - take a field of that type */
static int
get_I64(struct cursor *c, int64_t *ret, size_t max)
{
	uint64_t	v;
	int		r = cursor_le64(c, &v);

	(void)max;
	if (r == 0)
		*ret = (int64_t)v;
	return r;
}

/* get_FLAGS - take a field of that type */
static int
get_FLAGS(struct cursor *c, uint32_t *ret, size_t max)
{
	int	r = cursor_le32(c, ret);

	return r == 0 && (*ret & ~max) != 0 ? -EBADMSG : r;
}

/* get_TEXT - take a field of that type */
static int
get_TEXT(struct cursor *c, struct slice *ret, size_t max)
{
	uint32_t	len;
	int		r = cursor_le32(c, &len);

	if (r < 0)
		return r;
	return len > max ? -EBADMSG : cursor_bytes(c, len, ret);
}

/* get_version - the first byte of every record */
static int
get_version(struct cursor *c, int known)
{
	int	v = cursor_byte(c);

	if (v == known)
		return 0;
	return v > known ? -EPROTONOSUPPORT : -EBADMSG;
}

/* encoders */
#define RECORD(name, version, doc) \
void \
accounts_##name##_encode(struct buf *out, const struct accounts_##name *r) \
{ \
	buf_add_byte(out, version);
#define FIELD(record, type, name, max, doc)	put_##type(out, r->name, max);
#define END(name) \
}
#include "libglobal/accounts_records.def"

/* decoders */
#define RECORD(name, version, doc) \
int \
accounts_##name##_decode(struct slice in, \
    struct accounts_##name *ret_record) \
{ \
	struct accounts_##name	 record = { 0 }; \
	struct cursor		 c = cursor_over(in); \
	int			 r = get_version(&c, version);
#define FIELD(record_, type, name, max, doc) \
	if (r == 0) \
		r = get_##type(&c, &record.name, max);
#define END(name) \
	if (r == 0 && !cursor_at_end(&c)) \
		r = -EBADMSG; \
	if (r == 0) \
		*ret_record = record; \
	return r; \
}
#include "libglobal/accounts_records.def"
