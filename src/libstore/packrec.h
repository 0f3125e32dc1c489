/* SPDX-License-Identifier: ISC */
/*
 * packrec: the record that a pack is a row of. It describes itself, so that a
 * pack without any metadata still gives every message back:
 *
 *	"BPK1", head length u32, payload length u64, content length u64,
 *	content hash 32, email u64, mailbox u32, uid u32, internal date i64,
 *	flags u64, prefix length u32, prefix, frame count u32,
 *	frames (raw length u32, stored length u32) ..., CRC-32C of the head
 *	up to here u32, payload
 *
 * integers little endian. The payload is the frames one behind the other;
 * each is a zstd frame of its own, or plain if that is not longer (stored ==
 * raw), so that a part is read without what is before it. The first frame of
 * a long content is short: it has the header, which is read most.
 */
#ifndef LIBSTORE_PACKREC_H
#define LIBSTORE_PACKREC_H

#include "libstore/account.h"
#include "libutil/arena.h"
#include "libutil/buf.h"

#define PACKREC_HEAD_MIN	100	/* bytes of a head without anything */
#define PACKREC_HEAD_MAX	((uint32_t)1 << 20)
#define PACKREC_FRAME_RAW	((uint32_t)64 << 10)
#define PACKREC_FRAME_FIRST	((uint32_t)8 << 10)
#define PACKREC_CONTENT_MAX	((uint64_t)1 << 30)

struct packrec_frame {
	uint32_t	raw;
	uint32_t	stored;
};

struct packrec {
	uint32_t	head_len;
	uint64_t	payload_len;
	uint64_t	size;		/* of the content */
	uint8_t		hash[BODY_HASH_LEN];
	uint64_t	email;		/* the first that had this content */
	uint32_t	mailbox;	/* its first place; 0: unknown */
	uint32_t	uid;
	int64_t		internal_date;
	uint64_t	flags;		/* as delivered or packed */
	struct slice	prefix;
	struct packrec_frame	*frames;
	uint32_t	frame_count;
};

/* compression state, to be used again for many records */
struct packrec_zip;
struct packrec_zip	*packrec_zip_new(void);
void	packrec_zip_free(struct packrec_zip **z);

/* append a whole record; hash, email ... prefix are taken from r, the rest is
 * computed. -EMSGSIZE */
MUST_USE int	packrec_build(struct packrec_zip *z, const struct packrec *r,
		    struct slice content, struct buf *out);
/* the length of the head that these first bytes begin, to read it whole;
 * -EBADMSG if no record begins here. Wants PACKREC_HEAD_MIN bytes. */
MUST_USE int	packrec_head_len(struct slice bytes, uint32_t *ret_len);
/* a whole head; frames and prefix in the arena */
MUST_USE int	packrec_parse(struct slice head, struct arena *arena,
		    struct packrec *ret_record);
/* the frame with the content's byte at that offset, where the frame begins in
 * the content and in the payload; -ERANGE behind the end */
MUST_USE int	packrec_find(const struct packrec *r, uint64_t offset,
		    uint32_t *ret_frame, uint64_t *ret_raw_at,
		    uint64_t *ret_stored_at);
/* the bytes of one frame; room for frame->raw bytes at raw */
MUST_USE int	packrec_unzip(struct packrec_zip *z,
		    const struct packrec_frame *frame, struct slice stored,
		    char *raw);

#endif
