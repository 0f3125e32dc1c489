/* SPDX-License-Identifier: ISC */
/*
 * facts: what is known of a message's content after the one scan of it: where
 * its header fields and MIME parts are, and what its lines are like. Made by
 * scan, passed between daemons and stored beside the message in the encoding
 * below; nobody scans for these things again. Offsets count from the start
 * of the content (wire form). Arrays are lent by the scan, or by the arena of
 * facts_parse.
 */
#ifndef LIBMAIL_FACTS_H
#define LIBMAIL_FACTS_H

#include "libmail/header.h"

#define FACTS_VERSION		1
/* no parser takes more than that, whatever the limits of the scan were */
#define FACTS_FIELDS_MAX	16384
#define FACTS_PARTS_MAX		65536
#define FACTS_DEPTH_MAX		1000
#define FACTS_NO_PART		UINT32_MAX

/* of the whole message */
enum facts_flag {
	FACTS_8BIT_HEADER	= 1 << 0, /* 8-bit bytes in the top header */
	FACTS_8BIT_BODY		= 1 << 1, /* 8-bit bytes behind it */
	FACTS_NUL		= 1 << 2, /* a NUL anywhere */
	FACTS_UTF8_HEADER	= 1 << 3, /* those in the top header are UTF-8:
					   * it needs SMTPUTF8 (RFC 6532) */
	FACTS_BARE_CR		= 1 << 4, /* a CR without LF */
	FACTS_BARE_LF		= 1 << 5, /* an LF without CR */
	FACTS_NO_LAST_LF	= 1 << 6, /* the last line has no end */
	FACTS_NO_BLANK_LINE	= 1 << 7, /* no empty line ends the header */
	FACTS_BAD_HEADER	= 1 << 8, /* a line in it is not of a header:
					   * the body begins there */
	FACTS_FROM_LINE		= 1 << 9, /* begins with an mbox From line */
	/* limits that were passed; what lies beyond is kept, but not told */
	FACTS_OVER_FIELDS	= 1 << 10,
	FACTS_OVER_HEADER	= 1 << 11,
	FACTS_OVER_DEPTH	= 1 << 12,
	FACTS_OVER_PARTS	= 1 << 13,
	FACTS_OVER_BOUNDARY	= 1 << 14,
};

/* of one part */
enum facts_part_flag {
	PART_8BIT	= 1 << 0,	/* 8-bit bytes in its body */
	PART_NUL	= 1 << 1,
	PART_LONG_LINE	= 1 << 2,	/* a line over 998 bytes in its body */
	PART_MADE_UP	= 1 << 3,	/* stands for the whole body of a
					 * container that could not be split:
					 * it has no header of its own */
	PART_OPAQUE	= 1 << 4,	/* was not looked into: a limit */
	PART_UNCLOSED	= 1 << 5,	/* multipart without its last
					 * delimiter */
};

enum facts_kind {
	PART_LEAF,
	PART_MULTIPART,		/* has one or more parts below it */
	PART_MESSAGE,		/* message/rfc822 or global: one below it */
};
#define FACTS_KIND_LAST	PART_MESSAGE

enum facts_type {
	TYPE_OTHER,
	TYPE_TEXT_PLAIN, TYPE_TEXT_HTML, TYPE_TEXT_OTHER,
	TYPE_MULTIPART_MIXED, TYPE_MULTIPART_ALTERNATIVE,
	TYPE_MULTIPART_RELATED, TYPE_MULTIPART_SIGNED,
	TYPE_MULTIPART_ENCRYPTED, TYPE_MULTIPART_REPORT,
	TYPE_MULTIPART_DIGEST, TYPE_MULTIPART_OTHER,
	TYPE_MESSAGE_RFC822, TYPE_MESSAGE_GLOBAL, TYPE_MESSAGE_OTHER,
	TYPE_IMAGE, TYPE_AUDIO, TYPE_VIDEO, TYPE_APPLICATION,
};
#define FACTS_TYPE_LAST	TYPE_APPLICATION

enum facts_encoding {
	ENCODING_7BIT, ENCODING_8BIT, ENCODING_BINARY,
	ENCODING_BASE64, ENCODING_QP, ENCODING_OTHER,
};
#define FACTS_ENCODING_LAST ENCODING_OTHER

enum facts_disposition {
	DISPOSITION_NONE, DISPOSITION_INLINE, DISPOSITION_ATTACHMENT,
	DISPOSITION_OTHER,
};
#define FACTS_DISPOSITION_LAST DISPOSITION_OTHER

/* a place in the content; length 0 means there is none */
struct facts_ref {
	uint64_t	offset;
	uint32_t	length;
};

struct facts_field {
	uint64_t	offset;		/* of the field */
	uint32_t	length;		/* all its lines, line ends included */
	uint32_t	value;		/* its value begins here, from offset */
	uint16_t	id;		/* enum header_id */
};

struct facts_part {
	uint64_t	header;		/* begins here; */
	uint64_t	body;		/* its body here, behind the blank
					 * line; */
	uint64_t	end;		/* ends here; the line end before a
					 * delimiter is not of the part */
	uint64_t	header_lines;	/* line ends between header and body */
	uint64_t	lines;		/* line ends between body and end */
	uint32_t	parent;		/* index; the first has none */
	uint32_t	after;		/* index of the first part that is
					 * behind it and not below it */
	uint16_t	depth;		/* 0 for the message itself */
	uint8_t		kind;		/* enum facts_kind */
	uint8_t		type;		/* enum facts_type */
	uint8_t		encoding;	/* enum facts_encoding */
	uint8_t		disposition;	/* enum facts_disposition */
	uint16_t	flags;		/* enum facts_part_flag */
	struct facts_ref content_type;	/* the value as written: folded */
	struct facts_ref charset;	/* the parameters' values as written */
	struct facts_ref boundary;
	struct facts_ref content_id;	/* without angle brackets */
};

/* Parts stand in the order of the content: a part's children follow it. The
 * first is the message itself; a PART_MESSAGE has one child, the message in
 * it. */
struct facts {
	uint64_t	length;		/* of the content */
	uint64_t	lines;		/* line ends in it */
	uint64_t	longest_line;	/* without its line end */
	uint64_t	dot_lines;	/* lines that begin with a dot */
	uint64_t	present;	/* HEADER_BITs of the top header */
	uint32_t	received_count;	/* Received fields: the hops so far */
	uint32_t	flags;		/* enum facts_flag */
	uint32_t	field_count;
	uint32_t	part_count;	/* at least 1 */
	const struct facts_field *fields;	/* of the top header */
	const struct facts_part *parts;
};

/* facts_header_end - where the message's body begins */
static inline uint64_t
facts_header_end(const struct facts *f)
{
	return f->parts[0].body;
}

/* has the top header this field? */
static inline bool
facts_has(const struct facts *f, enum header_id id)
{
	return (f->present & HEADER_BIT(id)) != 0;
}

/* the next field with that id from index *i on; NULL when there is none.
 * Leaves *i behind it. */
const struct facts_field	*facts_next_field(const struct facts *f,
				    enum header_id id, uint32_t *i);
/* its bytes in the content */
struct slice	facts_field_raw(struct slice content,
		    const struct facts_field *field);
struct slice	facts_field_value(struct slice content,
		    const struct facts_field *field);
/* what a ref points at; empty when there is none */
struct slice	facts_ref_slice(struct slice content, struct facts_ref ref);

/* append the encoding of these facts */
void	facts_format(struct buf *out, const struct facts *f);
/* read it back; every offset is checked against the content's length and
 * against the others. -EBADMSG and nothing changed if anything is wrong. */
MUST_USE int	facts_parse(struct slice in, uint64_t content_length,
		    struct arena *a, struct facts *ret_facts);

#endif
