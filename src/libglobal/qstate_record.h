/* SPDX-License-Identifier: ISC */
/*
 * qstate_record: what queue/state.lmdb holds, as values and as bytes. Pure;
 * qstate.h keeps them. Every stored value ends in the CRC-32C of its key and
 * itself, because LMDB has none: one damaged record is found, named, and
 * harms no other.
 */
#ifndef LIBGLOBAL_QSTATE_RECORD_H
#define LIBGLOBAL_QSTATE_RECORD_H

#include "libglobal/qformat.h"
#include "libutil/arena.h"
#include "libutil/buf.h"

/* longest texts kept; what is longer is cut when it is stored */
#define QSTATE_TEXT_MAX		1024
#define QSTATE_ADDRESS_MAX	512
#define QSTATE_KEY_MAX		288	/* LMDB's own limit is 511 */
#define QSTATE_INDEX_TEXT_MAX	256	/* of an indexed text, in its key */

/* in which queue a message is; the numbers are part of the format */
enum qstate_queue {
	QSTATE_ACTIVE	= 1,	/* due now, as soon as there is room */
	QSTATE_DEFERRED	= 2,	/* due at its next time */
	QSTATE_HOLD	= 3,	/* until the admin says otherwise */
};

enum qstate_flag {
	QSTATE_EXPIRE	= 1 << 0,	/* the admin: expire at the next try */
	QSTATE_WARNED	= 1 << 1,	/* the sender had a delay notice */
	QSTATE_RECOVERED = 1 << 2,	/* held because start-up found it so */
	QSTATE_NO_SENDER = 1 << 3,	/* a report: never answered by one */
	QSTATE_NOTICED	= 1 << 4,	/* the postmaster knows of held copies */
};

/* a message; texts are lent */
struct qstate_message {
	struct queue_id		id;
	uint8_t			queue;
	uint32_t		flags;
	struct queue_place	place;
	uint64_t		generation;	/* of the slot's use */
	int64_t			arrival;	/* all times: µs since 1970 */
	int64_t			next;		/* next try, if deferred */
	int64_t			expiry;		/* no more tries after */
	uint32_t		attempts;
	uint64_t		size;		/* content */
	uint32_t		rcpt_count;	/* in the envelope */
	struct slice		sender;
	struct slice		login;		/* who submitted it, or empty */
	struct slice		reason;		/* why it waits, last known */
};

/* an unfinished recipient; one that is finished has no record */
struct qstate_rcpt {
	uint32_t	index;		/* in the envelope */
	uint32_t	attempts;
	int64_t		last_try;	/* 0: none yet */
	struct slice	address;	/* where it goes */
	struct slice	original;	/* where it was sent to, or empty */
	struct slice	site;		/* destination, as queue tools name it */
	struct slice	transport;
	struct slice	nexthop;
	struct slice	status;		/* enhanced code, "4.4.1", or empty; of
					 * class 5: refused, the copy is held */
	struct slice	reason;		/* last known, or empty */
	struct slice	remote;		/* the host that said so, or empty */
};

enum qstate_slot_flag {
	QSTATE_SLOT_RETIRED	= 1 << 0, /* a flush failed: never used again */
};

/* what is known of a slot */
struct qstate_slot {
	struct slot_ref		ref;
	uint32_t		flags;
	uint64_t		generation;	/* of the last finished use */
	struct queue_id		finished;	/* id of it; empty: none yet */
};

/* Values as stored, without the checksum. Decoders lend from `in`, take all of
 * it or refuse (-EBADMSG), and say -EPROTONOSUPPORT to a newer version. */
void		qstate_message_encode(struct buf *out,
		    const struct qstate_message *m);
MUST_USE int	qstate_message_decode(struct slice in, const struct queue_id *id,
		    struct qstate_message *ret_message);
void		qstate_rcpt_encode(struct buf *out, const struct qstate_rcpt *r);
MUST_USE int	qstate_rcpt_decode(struct slice in, uint32_t index,
		    struct qstate_rcpt *ret_rcpt);
void		qstate_slot_encode(struct buf *out, const struct qstate_slot *s);
MUST_USE int	qstate_slot_decode(struct slice in, struct slot_ref ref,
		    struct qstate_slot *ret_slot);

/* add the checksum to the value in b that stands under that key */
void		qstate_seal(struct buf *b, struct slice key);
/* the value without its checksum, or -EBADMSG */
MUST_USE int	qstate_unseal(struct slice key, struct slice stored,
		    struct slice *ret_value);

/* copies whose texts live in the arena */
void	qstate_message_dup(struct arena *a, struct qstate_message *m);
void	qstate_rcpt_dup(struct arena *a, struct qstate_rcpt *r);

/* --- keys: one byte says the kind, all in one tree */
enum qstate_kind {
	QSTATE_KEY_META		= 'V',	/* once: version, made when */
	QSTATE_KEY_MESSAGE	= 'M',	/* id */
	QSTATE_KEY_RCPT		= 'R',	/* id 0 index */
	QSTATE_KEY_SLOT		= 'S',	/* class number */
	QSTATE_KEY_GONE		= 'F',	/* id of a finished large file */
	QSTATE_KEY_BY_TIME	= 'T',	/* time id */
	QSTATE_KEY_BY_SITE	= 'D',	/* site 0 id 0 index */
	QSTATE_KEY_BY_SENDER	= 'A',	/* sender 0 id */
	QSTATE_KEY_BY_LOGIN	= 'L',	/* login 0 id */
	QSTATE_KEY_DOUBTS	= 'U',	/* once: what clients may send again */
};

struct qstate_key {
	size_t	len;
	char	data[QSTATE_KEY_MAX];
};

static inline struct slice
qstate_key_slice(const struct qstate_key *k)
{
	return slice_over(k->data, k->len);
}

void	qstate_key_meta(struct qstate_key *k);
void	qstate_key_doubts(struct qstate_key *k);
void	qstate_key_message(struct qstate_key *k, const struct queue_id *id);
void	qstate_key_rcpt(struct qstate_key *k, const struct queue_id *id,
	    uint32_t index);
void	qstate_key_slot(struct qstate_key *k, struct slot_ref ref);
void	qstate_key_gone(struct qstate_key *k, const struct queue_id *id);
void	qstate_key_time(struct qstate_key *k, int64_t time,
	    const struct queue_id *id);
/* index of texts: letters become lower case; of what is too long the end is
 * replaced by a checksum of the whole */
void	qstate_key_text(struct qstate_key *k, enum qstate_kind kind,
	    struct slice text, const struct queue_id *id);
void	qstate_key_site(struct qstate_key *k, struct slice site,
	    const struct queue_id *id, uint32_t index);
/* the key that all of that kind, id or text begin with */
void	qstate_key_prefix(struct qstate_key *k, enum qstate_kind kind);
void	qstate_key_rcpts_of(struct qstate_key *k, const struct queue_id *id);
void	qstate_key_text_prefix(struct qstate_key *k, enum qstate_kind kind,
	    struct slice text);

/* what a key names; -EBADMSG if it is no key of ours */
struct qstate_key_parts {
	enum qstate_kind	kind;
	struct queue_id		id;
	struct slot_ref		slot;
	int64_t			time;
	uint32_t		index;
	struct slice		text;		/* lent */
};
MUST_USE int	qstate_key_parse(struct slice key,
		    struct qstate_key_parts *ret_parts);

#endif
