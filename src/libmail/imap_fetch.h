/* SPDX-License-Identifier: ISC */
/*
 * imap_fetch: the data items of FETCH (RFC 3501 6.4.5), body sections
 * included. Macros are replaced by what they stand for.
 */
#ifndef LIBMAIL_IMAP_FETCH_H
#define LIBMAIL_IMAP_FETCH_H

#include "libmail/imap_lex.h"
#include "libutil/buf.h"

#define IMAP_FETCH_ITEMS_MAX	200	/* items in one FETCH */
#define IMAP_PART_DEPTH_MAX	64	/* numbers in one part: 1.2.3... */
#define IMAP_HEADER_FIELDS_MAX	200	/* names in one HEADER.FIELDS */

enum imap_fetch_kind {
#define FETCH_ITEM(id, name, sets_seen) IMAP_FETCH_##id,
#include "libmail/imap_fetch.def"
	IMAP_FETCH_SECTION		/* BODY[...], with a section */
};

enum imap_section_text {
	IMAP_SECTION_ALL,		/* BODY[] or BODY[1.2] */
	IMAP_SECTION_HEADER,
	IMAP_SECTION_FIELDS,
	IMAP_SECTION_FIELDS_NOT,
	IMAP_SECTION_TEXT,
	IMAP_SECTION_MIME,
};

struct imap_section {
	uint32_t		 parts[IMAP_PART_DEPTH_MAX];
	size_t			 part_count;
	enum imap_section_text	 text;
	struct slice		*fields;	/* of FIELDS, FIELDS_NOT */
	size_t			 field_count;
};

struct imap_fetch_item {
	enum imap_fetch_kind	 kind;
	bool			 sets_seen;
	bool			 partial;
	uint64_t		 offset;	/* if partial */
	uint64_t		 length;
	struct imap_section	*section;	/* of IMAP_FETCH_SECTION */
};

struct imap_fetch {
	struct imap_fetch_item	*items;
	size_t			 count;
};

/* what FETCH wants: an item, a macro, or a list of items */
MUST_USE int	imap_lex_fetch(struct imap_lex *l, struct imap_fetch *ret_fetch);
/* the name of an item as it stands in the reply: BODY[...]<offset> */
void	imap_format_fetch_item(struct buf *out,
	    const struct imap_fetch_item *item);

#endif
