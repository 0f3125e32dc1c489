/* SPDX-License-Identifier: ISC */
/*
 * records: the values of an account's tree as structs, and back. Decoders are
 * strict: the version must be known, nothing may be missing or left over
 * (-EBADMSG; -EPROTONOSUPPORT for a version of a later program). Texts of a
 * decoded record are lent from the bytes. Used inside libstore only.
 */
#ifndef LIBSTORE_RECORDS_H
#define LIBSTORE_RECORDS_H

#include "libstore/message.h"
#include "libutil/buf.h"

/* what snap_restore leaves out, so that no number is given a second time */
#define RESTORE_EMAIL_GAP	((uint64_t)1 << 24)
#define RESTORE_MODSEQ_GAP	((uint64_t)1 << 20)
#define RESTORE_UID_GAP		((uint32_t)1 << 16)

#define CHUNK_MAX		4076	/* with its checksum one page's room */

struct email_places {
	uint8_t			count;
	struct email_place	at[EMAIL_PLACES_MAX];
};

struct record_hash {
	uint8_t	bytes[BODY_HASH_LEN];
};

#define RECORD_CTYPE_U8		uint8_t
#define RECORD_CTYPE_U32	uint32_t
#define RECORD_CTYPE_U64	uint64_t
#define RECORD_CTYPE_I64	int64_t
#define RECORD_CTYPE_TEXT	struct slice
#define RECORD_CTYPE_HASH	struct record_hash
#define RECORD_CTYPE_PLACES	struct email_places

#define RECORD(name, version, doc)		struct name##_record {
#define FIELD(record, type, name, max, doc)	RECORD_CTYPE_##type name;
#define END(name)				};
#include "libstore/records.def"

#define RECORD(name, version, doc) \
	void	name##_record_encode(struct buf *out, \
		    const struct name##_record *r); \
	MUST_USE int	name##_record_decode(struct slice in, \
			    struct name##_record *ret_record);
#define FIELD(record, type, name, max, doc)
#define END(name)
#include "libstore/records.def"

enum mailbox_attribute {
	MAILBOX_SUBSCRIBED = 1,
	MAILBOX_NOSELECT = 2,
	MAILBOX_DYING = 4,
};

enum email_attribute {
	EMAIL_HAS_ATTACHMENT = 1,
};

enum body_location {
	BODY_IN_CHUNKS = 1,
	BODY_IN_PACK = 2,
	BODY_IS_BIG = 3,
};

enum change_type {
	CHANGE_EMAIL = 1,
	CHANGE_MAILBOX = 2,
};

enum change_kind {
	CHANGE_DESTROYED = 1,
	CHANGE_TOUCHED = 2,
};

/* a value that is one integer; little endian, whole value */
void	record_encode_u32(struct buf *out, uint32_t v);
void	record_encode_u64(struct buf *out, uint64_t v);
MUST_USE int	record_decode_u32(struct slice in, uint32_t *ret_value);
MUST_USE int	record_decode_u64(struct slice in, uint64_t *ret_value);

/* the keyword table: names by number */
struct keyword_table {
	uint16_t	count;
	struct slice	name[KEYWORDS_MAX];
};
void	keyword_table_encode(struct buf *out, const struct keyword_table *t);
/* names are lent from the bytes */
MUST_USE int	keyword_table_decode(struct slice in, struct keyword_table *ret_table);
/* the number of a name, ASCII case ignored (RFC 9051 2.3.2); -ENOENT */
int	keyword_table_find(const struct keyword_table *t, struct slice name);

/* the side record: ascending keyword numbers of FLAG_KEYWORDS_INLINE and up */
struct more_keywords {
	uint16_t	count;
	uint16_t	number[KEYWORDS_MAX];
};
void	more_keywords_encode(struct buf *out, const struct more_keywords *m);
MUST_USE int	more_keywords_decode(struct slice in, struct more_keywords *ret_more);

#endif
