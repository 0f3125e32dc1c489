/* SPDX-License-Identifier: ISC */
/*
 * Every field of the top header is told; of all headers the fields that MIME
 * needs are read when they are complete, the first of each name.
 */
#include "libmail/scan_private.h"

#include <stdlib.h>

#include "libmail/mime.h"
#include "libmail/transfer.h"
#include "libutil/alloc.h"
#include "libutil/utf8.h"

/* the MIME fields that matter here; also their bits in scan.seen */
enum { NOT_MIME, MIME_TYPE = 1, MIME_ENCODING = 2, MIME_DISPOSITION = 4,
	MIME_ID = 8 };

/* mime_bit - which of them a field is */
static uint32_t
mime_bit(enum header_id id)
{
	switch (id) {
	case HEADER_CONTENT_TYPE:		return MIME_TYPE;
	case HEADER_CONTENT_TRANSFER_ENCODING:	return MIME_ENCODING;
	case HEADER_CONTENT_DISPOSITION:	return MIME_DISPOSITION;
	case HEADER_CONTENT_ID:			return MIME_ID;
	default:				return NOT_MIME;
	}
}

/* type_of - the class of a media type */
static enum facts_type
type_of(struct slice type, struct slice subtype)
{
	static const struct {
		struct slice	type, subtype;	/* empty: any */
		enum facts_type	is;
	} rows[] = {
		{ S_INIT("text"), S_INIT("plain"), TYPE_TEXT_PLAIN },
		{ S_INIT("text"), S_INIT("html"), TYPE_TEXT_HTML },
		{ S_INIT("text"), S_INIT(""), TYPE_TEXT_OTHER },
		{ S_INIT("multipart"), S_INIT("mixed"),
		    TYPE_MULTIPART_MIXED },
		{ S_INIT("multipart"), S_INIT("alternative"),
		    TYPE_MULTIPART_ALTERNATIVE },
		{ S_INIT("multipart"), S_INIT("related"),
		    TYPE_MULTIPART_RELATED },
		{ S_INIT("multipart"), S_INIT("signed"),
		    TYPE_MULTIPART_SIGNED },
		{ S_INIT("multipart"), S_INIT("encrypted"),
		    TYPE_MULTIPART_ENCRYPTED },
		{ S_INIT("multipart"), S_INIT("report"),
		    TYPE_MULTIPART_REPORT },
		{ S_INIT("multipart"), S_INIT("digest"),
		    TYPE_MULTIPART_DIGEST },
		{ S_INIT("multipart"), S_INIT(""), TYPE_MULTIPART_OTHER },
		{ S_INIT("message"), S_INIT("rfc822"), TYPE_MESSAGE_RFC822 },
		{ S_INIT("message"), S_INIT("global"), TYPE_MESSAGE_GLOBAL },
		{ S_INIT("message"), S_INIT(""), TYPE_MESSAGE_OTHER },
		{ S_INIT("image"), S_INIT(""), TYPE_IMAGE },
		{ S_INIT("audio"), S_INIT(""), TYPE_AUDIO },
		{ S_INIT("video"), S_INIT(""), TYPE_VIDEO },
		{ S_INIT("application"), S_INIT(""), TYPE_APPLICATION },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (slice_equal_nocase(rows[i].type, type) &&
		    (rows[i].subtype.len == 0 ||
		    slice_equal_nocase(rows[i].subtype, subtype)))
			return rows[i].is;
	return TYPE_OTHER;
}

/* ref_to - the place in the content of a piece of the field's text */
static struct facts_ref
ref_to(const struct scan_field *f, struct slice piece)
{
	struct facts_ref	ref = { 0, 0 };

	if (piece.len > 0) {
		ref.offset = f->offset + (uint64_t)(piece.data - f->text.data);
		ref.length = (uint32_t)piece.len;
	}
	return ref;
}

/* value_of - the field's value, as far as it was kept */
static struct slice
value_of(const struct scan_field *f)
{
	return slice_from(buf_slice(&f->text), f->value);
}

/* read_type - Content-Type (RFC 2045 5.1) */
static void
read_type(struct scan *s, struct facts_part *p)
{
	const struct mime_param	*param;
	struct mime_value	v;

	arena_reset(&s->arena);
	mime_parse(value_of(&s->field), &s->arena, &v);
	p->content_type = ref_to(&s->field, slice_trim(value_of(&s->field)));
	/* what is malformed is plain text (RFC 2045 5.2) */
	p->type = v.subtype.len == 0 ? TYPE_TEXT_PLAIN :
	    (uint8_t)type_of(v.type, v.subtype);
	if ((param = mime_param(&v, S("charset"))) != NULL)
		p->charset = ref_to(&s->field, param->raw);
	if ((param = mime_param(&v, S("boundary"))) != NULL) {
		p->boundary = ref_to(&s->field, param->raw);
		buf_add(&s->boundary, param->value);
	}
}

/* read_disposition - Content-Disposition (RFC 2183); what is neither is to be
 * taken as an attachment by its readers */
static void
read_disposition(struct scan *s, struct facts_part *p)
{
	struct slice	word = mime_token(value_of(&s->field));

	if (slice_equal_nocase(word, S("inline")))
		p->disposition = DISPOSITION_INLINE;
	else if (slice_equal_nocase(word, S("attachment")))
		p->disposition = DISPOSITION_ATTACHMENT;
	else if (word.len > 0)
		p->disposition = DISPOSITION_OTHER;
}

/* read_id - Content-ID, without its brackets */
static void
read_id(struct scan *s, struct facts_part *p)
{
	struct slice	id = slice_trim(value_of(&s->field));

	if (id.len >= 2 && id.data[0] == '<' && id.data[id.len - 1] == '>')
		id = slice_sub(id, 1, id.len - 2);
	p->content_id = ref_to(&s->field, id);
}

/* read_mime - a MIME field is complete */
static void
read_mime(struct scan *s, uint32_t bit)
{
	struct facts_part	*p = scan_part(s);

	if (s->seen & bit)
		return;
	s->seen |= bit;
	if (bit == MIME_TYPE)
		read_type(s, p);
	else if (bit == MIME_ENCODING)
		p->encoding = (uint8_t)transfer_encoding_of(
		    mime_token(value_of(&s->field)));
	else if (bit == MIME_DISPOSITION)
		read_disposition(s, p);
	else
		read_id(s, p);
}

/* tell - a field of the top header is complete */
static void
tell(struct scan *s, uint64_t at)
{
	struct facts	*f = &s->facts;

	if (s->field.id != HEADER_OTHER)
		f->present |= HEADER_BIT(s->field.id);
	if (s->field.id == HEADER_RECEIVED)
		f->received_count++;
	if (f->field_count >= s->limits.fields) {
		f->flags |= FACTS_OVER_FIELDS;
		return;
	}
	if (f->field_count == s->field_cap) {
		s->field_cap = size_max(32, s->field_cap * 2);
		s->fields = xreallocarray(s->fields, s->field_cap,
		    sizeof(*s->fields));
	}
	s->fields[f->field_count++] = (struct facts_field){
		.offset = s->field.offset,
		.length = (uint32_t)(at - s->field.offset),
		.value = s->field.value, .id = (uint16_t)s->field.id };
}

/* scan_field_end - whatever field was being read is over */
void
scan_field_end(struct scan *s, uint64_t at)
{
	uint32_t	bit;

	if (s->field.open && !s->field.skip) {
		if (s->open_count == 1)
			tell(s, at);
		if ((bit = mime_bit(s->field.id)) != NOT_MIME)
			read_mime(s, bit);
	}
	s->field.open = false;
}

/* keep - put a line's bytes to the text of a MIME field */
static void
keep(struct scan_field *f, const struct scan_line *l)
{
	if (mime_bit(f->id) == NOT_MIME || f->skip || f->cut)
		return;
	/* in one piece from the start, so that places in the text are places
	 * in the content */
	f->cut = l->head.len < l->length ||
	    f->text.len + l->head.len > SCAN_FIELD_HEAD;
	buf_add(&f->text, l->head);
	buf_add(&f->text, l->eol == 2 ? S("\r\n") : l->eol == 1 ? S("\n") :
	    SLICE_EMPTY);
}

/* begin_field - a line that begins a field, or an mbox From line */
static void
begin_field(struct scan *s, const struct scan_line *l, size_t colon, bool skip)
{
	struct scan_field	*f = &s->field;

	scan_field_end(s, l->start.at);
	f->open = true;
	f->skip = skip;
	f->cut = false;
	f->offset = l->start.at;
	f->value = (uint32_t)colon + 1;
	f->id = skip ? HEADER_OTHER :
	    header_id_of(slice_sub(l->head, 0, colon));
	buf_reset(&f->text);
	keep(f, l);
}

/* note_8bit - a header line with 8-bit bytes */
static void
note_8bit(struct scan *s, const struct scan_line *l)
{
	if (s->open_count > 1) {
		s->facts.flags |= FACTS_8BIT_BODY;
		return;
	}
	s->facts.flags |= FACTS_8BIT_HEADER;
	/* a character may be cut where the head of a long line ends */
	if (utf8_valid_prefix(l->head) + (l->head.len < l->length ? 4 : 0) <
	    l->head.len)
		s->not_utf8 = true;
}

/* begin_bad_body - the header ends without an empty line before this one */
static bool
begin_bad_body(struct scan *s, const struct scan_line *l, uint32_t flag)
{
	if (s->open_count == 1)
		s->facts.flags |= FACTS_NO_BLANK_LINE | flag;
	scan_body_begin(s, l->start, flag != FACTS_OVER_HEADER);
	/* the body of a message in it begins with a header of its own */
	return s->in_header && scan_header_line(s, l);
}

/* scan_header_line - a line of a header, or the first behind it */
bool
scan_header_line(struct scan *s, const struct scan_line *l)
{
	enum header_line	kind;
	size_t			colon = 0;

	if (l->next.at - scan_part(s)->header > s->limits.header_bytes) {
		s->facts.flags |= FACTS_OVER_HEADER;
		scan_part(s)->flags |= PART_OPAQUE;
		return begin_bad_body(s, l, FACTS_OVER_HEADER);
	}
	kind = header_line_kind(l->head, &colon);
	if (kind == HEADER_LINE_BODY ||
	    (kind == HEADER_LINE_MORE && !s->field.open))
		return begin_bad_body(s, l, FACTS_BAD_HEADER);
	if (l->flags & PART_8BIT)
		note_8bit(s, l);
	/* a part's header is in the body of what is around it */
	if (s->open_count > 1)
		s->parts[s->open[s->open_count - 2].part].flags |= l->flags;
	switch (kind) {
	case HEADER_LINE_FIELD:
		begin_field(s, l, colon, false);
		break;
	case HEADER_LINE_FROM:
		if (s->open_count == 1 && l->start.at == 0)
			s->facts.flags |= FACTS_FROM_LINE;
		begin_field(s, l, 0, true);
		break;
	case HEADER_LINE_MORE:
		keep(&s->field, l);
		break;
	default:
		scan_field_end(s, l->start.at);
		scan_body_begin(s, l->next, true);
		break;
	}
	return true;
}
