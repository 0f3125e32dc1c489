/* SPDX-License-Identifier: ISC */
/*
 * Pieces of a message: the structure says where a section is, and its bytes
 * go from the store to the client in slices; none is ever whole in memory,
 * but for headers of which fields are picked. Once the length of a literal is
 * said the bytes must come: a message that cannot be read from there on ends
 * the connection.
 */
#include "imapd/session_fetch.h"

#include "libmail/header.h"

#define HEADER_MAX	((size_t)4 << 20)	/* from which fields are picked */

/* where a section is in the message as it is sent, prefix included */
struct place {
	uint64_t	offset;
	uint64_t	length;
};

/* text_of - what part of the message or part an item means */
static enum structure_text
text_of(const struct imap_fetch_item *item)
{
	if (item->kind == IMAP_FETCH_RFC822_HEADER)
		return STRUCTURE_HEADER;
	if (item->kind == IMAP_FETCH_RFC822_TEXT)
		return STRUCTURE_TEXT;
	if (item->kind == IMAP_FETCH_RFC822)
		return STRUCTURE_ALL;
	switch (item->section->text) {
	case IMAP_SECTION_HEADER:
	case IMAP_SECTION_FIELDS:
	case IMAP_SECTION_FIELDS_NOT:
		return STRUCTURE_HEADER;
	case IMAP_SECTION_TEXT:
		return STRUCTURE_TEXT;
	case IMAP_SECTION_MIME:
		return STRUCTURE_MIME;
	case IMAP_SECTION_ALL:
		break;
	}
	return STRUCTURE_ALL;
}

/* is_whole - BODY[] and RFC822: everything there is */
static bool
is_whole(const struct imap_fetch_item *item)
{
	return item->kind == IMAP_FETCH_RFC822 ||
	    (item->kind == IMAP_FETCH_SECTION &&
	    item->section->part_count == 0 &&
	    item->section->text == IMAP_SECTION_ALL);
}

/* fetch_needs_structure - must the structure be known to find it? */
bool
fetch_needs_structure(const struct imap_fetch_item *item)
{
	switch (item->kind) {
	case IMAP_FETCH_BODY:
	case IMAP_FETCH_BODYSTRUCTURE:
	case IMAP_FETCH_RFC822_HEADER:
	case IMAP_FETCH_RFC822_TEXT:
		return true;
	case IMAP_FETCH_SECTION:
		return !is_whole(item);
	default:
		return false;
	}
}

/* find - where the section is; -ENOENT there is none */
static int
find(const struct fetch_message *m, const struct imap_fetch_item *item,
    struct place *ret_place)
{
	struct structure_range range;
	uint64_t	prefix;
	int		r;

	if (is_whole(item)) {
		*ret_place = (struct place){ 0, m->email->size };
		return 0;
	}
	r = structure_section(&m->structure,
	    item->section == NULL ? NULL : item->section->parts,
	    item->section == NULL ? 0 : item->section->part_count,
	    text_of(item), &range);
	if (r < 0)
		return r;
	prefix = m->email->size - m->digest.content_length;
	if (range.from_top)
		*ret_place = (struct place){ 0, prefix + range.length };
	else
		*ret_place = (struct place){ prefix + range.offset,
			range.length };
	return 0;
}

/* cut - apply <offset.length> */
static struct place
cut(struct place p, const struct imap_fetch_item *item)
{
	uint64_t	skip;

	if (!item->partial)
		return p;
	skip = item->offset < p.length ? item->offset : p.length;
	p.offset += skip;
	p.length -= skip;
	if (item->length < p.length)
		p.length = item->length;
	return p;
}

/* put_piece - bytes of a message. A string must not hold NUL (RFC 3501 4.3):
 * where one came in, 0x80 stands for it. */
static int
put_piece(struct task *t, struct imap_session *s, struct slice piece)
{
	size_t	nul;
	int	r;

	while ((nul = slice_find(piece, '\0')) != SLICE_NONE) {
		if ((r = session_put_bytes(t, s,
		    slice_sub(piece, 0, nul))) < 0)
			return r;
		buf_add_byte(&s->out, (char)0x80);
		piece = slice_from(piece, nul + 1);
	}
	return session_put_bytes(t, s, piece);
}

/* put_place - a literal of bytes from the store */
static int
put_place(struct task *t, struct imap_session *s, struct session_body *b,
    struct place p)
{
	struct slice	piece = SLICE_EMPTY;
	int		r;

	/* the first slice before the length: a damaged message is noticed
	 * while NIL can still be said */
	if (p.length > 0 &&
	    (r = session_body_peek(t, b, p.offset, &piece)) < 0)
		return r == -ECANCELED ? r : -ENOENT;
	buf_addf(&s->out, "{%llu}\r\n", (unsigned long long)p.length);
	while (p.length > 0) {
		if (piece.len == 0)
			return -EIO;
		if (piece.len > p.length)
			piece.len = (size_t)p.length;
		if ((r = put_piece(t, s, piece)) < 0)
			return r;
		p.offset += piece.len;
		p.length -= piece.len;
		if (p.length > 0 &&
		    (r = session_body_peek(t, b, p.offset, &piece)) < 0)
			return r == -ECANCELED ? r : -EIO;
	}
	return 0;
}

/* read_place - all of it into a buf */
static int
read_place(struct task *t, struct session_body *b, struct place p,
    struct buf *out)
{
	struct slice	piece;
	int		r;

	while (p.length > 0) {
		r = session_body_peek(t, b, p.offset, &piece);
		if (r < 0 || piece.len == 0)
			return r < 0 ? r : -EIO;
		if (piece.len > p.length)
			piece.len = (size_t)p.length;
		buf_add(out, piece);
		p.offset += piece.len;
		p.length -= piece.len;
	}
	return buf_check(out);
}

/* put_fields - a literal of some fields of a header */
static int
put_fields(struct task *t, struct imap_session *s, struct session_body *b,
    struct place p, const struct imap_fetch_item *item)
{
	struct buf	header = BUF_INIT_MAX(HEADER_MAX);
	struct buf	picked = BUF_INIT_MAX(HEADER_MAX);
	struct place	part;
	int		r;

	if ((r = read_place(t, b, p, &header)) < 0) {
		r = r == -ECANCELED ? r : -ENOENT;
		goto out;
	}
	if (item->section->text == IMAP_SECTION_FIELDS)
		header_select(&picked, buf_slice(&header),
		    item->section->fields, item->section->field_count);
	else
		header_select_not(&picked, buf_slice(&header),
		    item->section->fields, item->section->field_count);
	part = cut((struct place){ 0, picked.len }, item);
	buf_addf(&s->out, "{%llu}\r\n", (unsigned long long)part.length);
	r = put_piece(t, s, slice_sub(buf_slice(&picked),
	    (size_t)part.offset, (size_t)part.length));
out:
	buf_free(&picked);
	buf_free(&header);
	return r;
}

/* fetch_section - an item that is a piece of the message */
int
fetch_section(struct task *t, struct imap_session *s, struct fetch_message *m,
    const struct imap_fetch_item *item)
{
	bool		picks = item->kind == IMAP_FETCH_SECTION &&
			    (item->section->text == IMAP_SECTION_FIELDS ||
			    item->section->text == IMAP_SECTION_FIELDS_NOT);
	struct place	p;
	int		r;

	imap_format_fetch_item(&s->out, item);
	buf_add_byte(&s->out, ' ');
	r = find(m, item, &p);
	if (r == 0 && picks)
		r = put_fields(t, s, &m->body, p, item);
	else if (r == 0)
		r = put_place(t, s, &m->body, cut(p, item));
	if (r == -ENOENT) {
		buf_add_text(&s->out, "NIL");
		r = 0;
	}
	return r;
}
