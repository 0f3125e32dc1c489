/* SPDX-License-Identifier: ISC */
/*
 * qformat: where a message lies in the queue, and the header block that every
 * slot and every large file carries. Pure: bytes in, values out. slot.h and
 * large.h do the input and output; doc/queue-format.md has the layout byte by
 * byte.
 *
 * The header has a checksum of its own and holds those of envelope and
 * content. So a write that was cut short is recognised whichever part of it
 * reached the disk, and a header that still verifies can be believed even
 * when what is behind it cannot.
 */
#ifndef LIBGLOBAL_QFORMAT_H
#define LIBGLOBAL_QFORMAT_H

#include "libmail/queue_id.h"
#include "libutil/slice.h"

#define QFORMAT_VERSION		1
#define QFORMAT_HEAD_SIZE	((size_t)128)
#define QFORMAT_ENVELOPE_MAX	((size_t)64 << 20)

/* The sizes of slots: class, folder, bytes (header and envelope included). */
enum slot_class {
#define SLOT_CLASS(name, folder, bytes) SLOT_##name,
#include "libglobal/slot_classes.def"
	SLOT_CLASSES
};

#define SLOT_NUMBER_MAX		((uint32_t)99999999)

/* one slot: queue/slot/<folder of the class>/<number> */
struct slot_ref {
	uint8_t		class;
	uint32_t	number;
};

/* where a message lies; the numbers are part of the format */
enum queue_place_kind {
	QUEUE_PLACE_SLOT	= 1,
	QUEUE_PLACE_LARGE	= 2,	/* queue/large/<id> */
};

struct queue_place {
	uint8_t		kind;
	struct slot_ref	slot;		/* QUEUE_PLACE_SLOT only */
};

#define QUEUE_PLACE_IN_SLOT(ref) \
	((struct queue_place){ QUEUE_PLACE_SLOT, (ref) })
#define QUEUE_PLACE_IN_LARGE \
	((struct queue_place){ QUEUE_PLACE_LARGE, { 0, 0 } })

/* the header block, decoded */
struct queue_head {
	struct queue_id		id;
	struct queue_place	place;
	int64_t			arrival;	/* microseconds since 1970 */
	uint64_t		generation;	/* the slot's use, from 1 on */
	uint32_t		envelope_len;
	uint64_t		content_len;
	uint32_t		envelope_crc;
	uint32_t		content_crc;
};

/* bytes of a slot of that class, and its folder's name */
size_t		slot_class_size(uint8_t class);
const char	*slot_class_name(uint8_t class);

static inline bool
slot_ref_equal(struct slot_ref a, struct slot_ref b)
{
	return a.class == b.class && a.number == b.number;
}

static inline bool
queue_place_equal(struct queue_place a, struct queue_place b)
{
	return a.kind == b.kind && (a.kind != QUEUE_PLACE_SLOT ||
	    slot_ref_equal(a.slot, b.slot));
}

/* the smallest class that holds such a message; -EMSGSIZE if none does */
MUST_USE int	slot_class_for(size_t envelope_len, uint64_t content_len,
		    uint8_t *ret_class);

/* CRC-32C of s, continued from crc (0 to begin) */
uint32_t	qformat_crc(uint32_t crc, struct slice s);

/* the header block as it stands on disk */
void	qformat_head_encode(char out[QFORMAT_HEAD_SIZE],
	    const struct queue_head *head);
/*
 * -ENODATA: all zero, nothing was ever written here. -EPROTONOSUPPORT: whole,
 * but of a version that this program does not know. -EBADMSG: damaged.
 */
MUST_USE int	qformat_head_decode(struct slice in,
		    struct queue_head *ret_head);
/* does this envelope block belong to the header? 0 or -EBADMSG */
MUST_USE int	qformat_check_envelope(const struct queue_head *head,
		    struct slice envelope);

#endif
