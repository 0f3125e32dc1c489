/* SPDX-License-Identifier: ISC */
/*
 * header: the fields of a message or part header (RFC 5322 2.2), read one
 * after the other from a slice. Used by the content scan, by whoever looks
 * for single fields, and by IMAP's HEADER.FIELDS. Everything is lent from the
 * slice; nothing is decoded but folding.
 *
 * A header is a run of fields up to an empty line or the end of the slice. A
 * line that is neither a field, nor the continuation of one, nor the "From "
 * line of an mbox ends it: what follows is body (as Postfix takes it).
 */
#ifndef LIBMAIL_HEADER_H
#define LIBMAIL_HEADER_H

#include "libutil/arena.h"
#include "libutil/buf.h"
#include "libutil/cursor.h"

/* the fields that are known by number; HEADER_OTHER is all the rest */
enum header_id {
#define HEADER_NAME(id, name) HEADER_##id,
#include "libmail/header_names.def"
	HEADER_ID_COUNT,
	HEADER_OTHER = HEADER_ID_COUNT,
};

#define HEADER_BIT(id)	((uint64_t)1 << (id))

/* a field name as a number; blanks behind the name do not count */
enum header_id	header_id_of(struct slice name);
/* the name as we write it; empty for HEADER_OTHER */
struct slice	header_name_of(enum header_id id);

struct header_field {
	struct slice	raw;	/* the whole field with its last line end */
	struct slice	name;	/* without blanks before the colon */
	struct slice	value;	/* behind the colon, folded as it came */
	enum header_id	id;
};

/* what one line of a header is (RFC 5322 2.2, 4.5) */
enum header_line {
	HEADER_LINE_FIELD,	/* begins a field: *ret_colon is its place */
	HEADER_LINE_MORE,	/* continues the field before */
	HEADER_LINE_EMPTY,	/* ends the header, belongs to it */
	HEADER_LINE_FROM,	/* "From " line of an mbox: skipped */
	HEADER_LINE_BODY,	/* not of a header: the body begins with it */
};
/* what this line (without its line end) is */
enum header_line	header_line_kind(struct slice line, size_t *ret_colon);

/* the next field; false at the end of the header, with the cursor behind the
 * empty line (or where the body begins) */
bool	header_next(struct cursor *c, struct header_field *ret_field);
/* the first field of that name; false when there is none */
bool	header_find(struct slice header, enum header_id id,
	    struct header_field *ret_field);
bool	header_find_name(struct slice header, struct slice name,
	    struct header_field *ret_field);
/* how long the header at the start of this content is, empty line included */
size_t	header_length(struct slice content);

/* append the value on one line: line ends removed (RFC 5322 2.2.3), blanks
 * at both ends cut, NUL replaced by '?' */
void	header_unfold(struct buf *out, struct slice value);
/* the same in an arena; lent from the value itself where it is one line */
struct slice	header_unfold_in(struct arena *a, struct slice value);

/* the message-ids of Message-ID, In-Reply-To or References, each without its
 * angle brackets, in order, at most max; returns how many */
size_t	header_message_ids(struct slice value, struct arena *a, size_t max,
	    struct slice *ret_ids);

/* append the fields whose names are in the list, or are not in it, and the
 * empty line if the header has one: BODY[HEADER.FIELDS (...)] and its .NOT
 * (RFC 3501 6.4.5) */
void	header_select(struct buf *out, struct slice header,
	    const struct slice *names, size_t count);
void	header_select_not(struct buf *out, struct slice header,
	    const struct slice *names, size_t count);

#endif
