/* SPDX-License-Identifier: ISC */
/*
 * zstd at its default level, with its content checksum left out: the content
 * hash covers the whole, and what is read in parts is on a disk whose file
 * system or drive checks it.
 */
#include "libstore/packrec.h"

#include <assert.h>
#include <zstd.h>

#include "libutil/alloc.h"
#include "libutil/crc32c.h"
#include "libutil/cursor.h"

#define MAGIC		S("BPK1")
#define ZSTD_LEVEL	3
#define SUM_LEN		4

struct packrec_zip {
	ZSTD_CCtx	*pack;
	ZSTD_DCtx	*unpack;
};

/* packrec_zip_new - contexts are made when they are needed */
struct packrec_zip *
packrec_zip_new(void)
{
	return NEW(struct packrec_zip);
}

/* packrec_zip_free - release both; no-op on NULL */
void
packrec_zip_free(struct packrec_zip **z)
{
	if (*z != NULL) {
		(void)ZSTD_freeCCtx((*z)->pack);	/* takes NULL too */
		(void)ZSTD_freeDCtx((*z)->unpack);
	}
	free(*z);
	*z = NULL;
}

/* frame_raw - the length of the frame that begins at that offset */
static uint32_t
frame_raw(uint64_t at, uint64_t size)
{
	uint64_t left = size - at;
	uint32_t want = at == 0 && size > 2 * PACKREC_FRAME_FIRST ?
	    PACKREC_FRAME_FIRST : PACKREC_FRAME_RAW;

	return left < want ? (uint32_t)left : want;
}

/* frame_count - how many frames a content is cut into */
static uint32_t
frame_count(uint64_t size)
{
	uint32_t n = 0;

	for (uint64_t at = 0; at < size; n++)
		at += frame_raw(at, size);
	return n;
}

/* put_le32 - into bytes that are there already */
static void
put_le32(char *at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		at[i] = (char)(v >> (8 * i));
}

/* frame_add - one frame, compressed or plain; its stored length */
static int
frame_add(struct packrec_zip *z, struct slice raw, struct buf *out,
    uint32_t *ret_stored)
{
	size_t	bound = ZSTD_compressBound(raw.len), n;
	char	*room = buf_room(out, bound);

	if (room == NULL)
		return -EMSGSIZE;
	n = ZSTD_compressCCtx(z->pack, room, bound, raw.data, raw.len,
	    ZSTD_LEVEL);
	if (ZSTD_isError(n) || n >= raw.len) {
		memcpy(room, raw.data, raw.len);
		n = raw.len;
	}
	buf_grown(out, n);
	*ret_stored = (uint32_t)n;
	return 0;
}

/* packrec_build - head with room for what is known later, payload, then the
 * head's lengths and checksum */
int
packrec_build(struct packrec_zip *z, const struct packrec *r,
    struct slice content, struct buf *out)
{
	size_t	begin = out->len, frames_at, payload_at;
	uint32_t count = frame_count(content.len), i = 0;
	uint64_t at = 0;

	if (content.len > PACKREC_CONTENT_MAX)
		return -EMSGSIZE;
	if (z->pack == NULL && (z->pack = ZSTD_createCCtx()) == NULL)
		fatal("out of memory for compression");
	buf_add(out, MAGIC);
	buf_add_le32(out, 0);
	buf_add_le64(out, 0);
	buf_add_le64(out, content.len);
	buf_add(out, slice_over(r->hash, sizeof(r->hash)));
	buf_add_le64(out, r->email);
	buf_add_le32(out, r->mailbox);
	buf_add_le32(out, r->uid);
	buf_add_le64(out, (uint64_t)r->internal_date);
	buf_add_le64(out, r->flags);
	buf_add_le32(out, (uint32_t)r->prefix.len);
	buf_add(out, r->prefix);
	buf_add_le32(out, count);
	frames_at = out->len;
	for (i = 0; i < count; i++)
		buf_add_le64(out, 0);
	buf_add_le32(out, 0);
	payload_at = out->len;
	for (i = 0; i < count; i++) {
		uint32_t raw = frame_raw(at, content.len), stored;
		int	k = frame_add(z, slice_sub(content, at, raw), out,
		    &stored);

		if (k < 0 || out->overflow)
			return -EMSGSIZE;
		put_le32(out->data + frames_at + 8 * i, raw);
		put_le32(out->data + frames_at + 8 * i + 4, stored);
		at += raw;
	}
	if (out->overflow)
		return -EMSGSIZE;
	put_le32(out->data + begin + 4, (uint32_t)(payload_at - begin));
	put_le32(out->data + begin + 8, (uint32_t)(out->len - payload_at));
	put_le32(out->data + begin + 12,
	    (uint32_t)((uint64_t)(out->len - payload_at) >> 32));
	put_le32(out->data + payload_at - SUM_LEN,
	    crc32c(slice_over(out->data + begin,
	    payload_at - begin - SUM_LEN)));
	return 0;
}

/* packrec_head_len - magic and a sane length */
int
packrec_head_len(struct slice bytes, uint32_t *ret_len)
{
	struct cursor c = cursor_over(bytes);
	uint32_t len;
	int	r;

	if (!cursor_skip(&c, MAGIC))
		return -EBADMSG;
	if ((r = cursor_le32(&c, &len)) < 0)
		return r;
	if (len < PACKREC_HEAD_MIN || len > PACKREC_HEAD_MAX)
		return -EBADMSG;
	*ret_len = len;
	return 0;
}

/* parse_frames - the table, which must add up to content and payload */
static int
parse_frames(struct cursor *c, struct arena *arena, struct packrec *r)
{
	uint64_t raw = 0, stored = 0;
	int	k;

	if ((k = cursor_le32(c, &r->frame_count)) < 0)
		return k;
	if (cursor_left(c) != (uint64_t)r->frame_count * 8 + SUM_LEN)
		return -EBADMSG;
	r->frames = ARENA_ARRAY(arena, struct packrec_frame,
	    r->frame_count + 1);
	for (size_t i = 0; i < r->frame_count; i++) {
		struct packrec_frame *f = &r->frames[i];

		if ((k = cursor_le32(c, &f->raw)) < 0 ||
		    (k = cursor_le32(c, &f->stored)) < 0)
			return k;
		if (f->raw == 0 || f->raw > PACKREC_FRAME_RAW ||
		    f->stored == 0 || f->stored > f->raw)
			return -EBADMSG;
		raw += f->raw;
		stored += f->stored;
	}
	return raw == r->size && stored == r->payload_len ? 0 : -EBADMSG;
}

/* packrec_parse - a whole head */
int
packrec_parse(struct slice head, struct arena *arena,
    struct packrec *ret_record)
{
	struct cursor c = cursor_over(head);
	struct packrec r = { 0 };
	struct slice bytes;
	uint64_t date;
	uint32_t sum, len;
	int	k;

	if ((k = packrec_head_len(head, &len)) < 0)
		return k;
	if (len != head.len)
		return -EBADMSG;
	(void)cursor_take(&c, MAGIC.len);
	if ((k = cursor_le32(&c, &r.head_len)) < 0 ||
	    (k = cursor_le64(&c, &r.payload_len)) < 0 ||
	    (k = cursor_le64(&c, &r.size)) < 0 ||
	    (k = cursor_bytes(&c, sizeof(r.hash), &bytes)) < 0)
		return k;
	memcpy(r.hash, bytes.data, sizeof(r.hash));
	if ((k = cursor_le64(&c, &r.email)) < 0 ||
	    (k = cursor_le32(&c, &r.mailbox)) < 0 ||
	    (k = cursor_le32(&c, &r.uid)) < 0 ||
	    (k = cursor_le64(&c, &date)) < 0 ||
	    (k = cursor_le64(&c, &r.flags)) < 0 ||
	    (k = cursor_le32(&c, &len)) < 0 ||
	    (k = cursor_bytes(&c, len, &bytes)) < 0)
		return k;
	r.internal_date = (int64_t)date;
	r.prefix = arena_dup(arena, bytes);
	if ((k = parse_frames(&c, arena, &r)) < 0 ||
	    (k = cursor_le32(&c, &sum)) < 0)
		return k;
	if (sum != crc32c(slice_sub(head, 0, head.len - SUM_LEN)))
		return -EBADMSG;
	*ret_record = r;
	return 0;
}

/* packrec_find - the frame of an offset */
int
packrec_find(const struct packrec *r, uint64_t offset, uint32_t *ret_frame,
    uint64_t *ret_raw_at, uint64_t *ret_stored_at)
{
	uint64_t raw = 0, stored = 0;

	for (uint32_t i = 0; i < r->frame_count; i++) {
		if (offset < raw + r->frames[i].raw) {
			*ret_frame = i;
			*ret_raw_at = raw;
			*ret_stored_at = stored;
			return 0;
		}
		raw += r->frames[i].raw;
		stored += r->frames[i].stored;
	}
	return -ERANGE;
}

/* packrec_unzip - one frame */
int
packrec_unzip(struct packrec_zip *z, const struct packrec_frame *frame,
    struct slice stored, char *raw)
{
	size_t	n;

	if (stored.len != frame->stored)
		return -EBADMSG;
	if (frame->stored == frame->raw) {
		memcpy(raw, stored.data, stored.len);
		return 0;
	}
	if (z->unpack == NULL && (z->unpack = ZSTD_createDCtx()) == NULL)
		fatal("out of memory for decompression");
	n = ZSTD_decompressDCtx(z->unpack, raw, frame->raw, stored.data,
	    stored.len);
	return ZSTD_isError(n) || n != frame->raw ? -EBADMSG : 0;
}
