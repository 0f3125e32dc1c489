/* SPDX-License-Identifier: ISC */
/*
 * The record is the encoded facts without their fields, and then for each part
 * the texts of its header. So the tree and the places are checked by the one
 * reader of facts, and what is rendered follows the facts: a part is shown as
 * text, message or multipart if they have it so, whatever its names say.
 */
#include "libmail/structure.h"

#include "libmail/facts_wire.h"
#include "libutil/utf8.h"

/* words of a Content-Language field that are kept */
#define LANGUAGES_MAX	32

/* text_in - an unfolded value, cut; NIL if it is empty */
static struct slice
text_in(struct arena *a, struct slice value)
{
	struct slice	s = header_unfold_in(a, value);

	return s.len == 0 ? SLICE_EMPTY : utf8_cut(s, ENVELOPE_TEXT_MAX);
}

/* languages_in - the tags of Content-Language (RFC 3282) */
static void
languages_in(struct arena *a, struct slice value, struct structure_part *p)
{
	struct slice	tag;

	p->languages = ARENA_ARRAY(a, struct slice, LANGUAGES_MAX);
	while (p->language_count < LANGUAGES_MAX &&
	    slice_next_word(&value, ", \t\r\n", &tag))
		p->languages[p->language_count++] = tag;
}

/* read_field - one MIME field of a part */
static void
read_field(struct arena *a, const struct header_field *f,
    struct structure_part *p)
{
	struct mime_value	v;

	switch (f->id) {
	case HEADER_CONTENT_TYPE:
		if (p->type.data != NULL)
			return;
		mime_parse(f->value, a, &v);
		p->type = v.subtype.len > 0 ? v.type : S("text");
		p->subtype = v.subtype.len > 0 ? v.subtype : S("plain");
		p->params = v.params;
		p->param_count = v.param_count;
		break;
	case HEADER_CONTENT_DISPOSITION:
		if (p->disposition.data != NULL)
			return;
		mime_parse(f->value, a, &v);
		if (v.type.len == 0)
			return;
		p->disposition = v.type;
		p->disposition_params = v.params;
		p->disposition_param_count = v.param_count;
		break;
	case HEADER_CONTENT_TRANSFER_ENCODING:
		if (p->encoding.data == NULL)
			p->encoding = text_in(a, mime_token(f->value));
		break;
	case HEADER_CONTENT_ID:
		if (p->id.data == NULL)
			p->id = text_in(a, f->value);
		break;
	case HEADER_CONTENT_DESCRIPTION:
		if (p->description.data == NULL)
			p->description = text_in(a, f->value);
		break;
	case HEADER_CONTENT_MD5:
		if (p->md5.data == NULL)
			p->md5 = text_in(a, f->value);
		break;
	case HEADER_CONTENT_LOCATION:
		if (p->location.data == NULL)
			p->location = text_in(a, f->value);
		break;
	case HEADER_CONTENT_LANGUAGE:
		if (p->language_count == 0)
			languages_in(a, f->value, p);
		break;
	default:
		break;
	}
}

/* is_text - is it shown with its lines? */
static bool
is_text(const struct facts_part *fp)
{
	return fp->type >= TYPE_TEXT_PLAIN && fp->type <= TYPE_TEXT_OTHER;
}

/* names_fit - do a part's names say what the facts say? */
static bool
names_fit(const struct facts_part *fp, const struct structure_part *p)
{
	bool	message = slice_equal_nocase(p->type, S("message")) &&
	    (slice_equal_nocase(p->subtype, S("rfc822")) ||
	    slice_equal_nocase(p->subtype, S("global")));

	return p->type.len > 0 && p->subtype.len > 0 &&
	    is_text(fp) == slice_equal_nocase(p->type, S("text")) &&
	    (fp->kind == PART_MULTIPART) ==
	    slice_equal_nocase(p->type, S("multipart")) &&
	    (fp->kind == PART_MESSAGE) == message;
}

/* name_it - names for a part that has none that fit */
static void
name_it(const struct facts_part *fp, struct structure_part *p)
{
	bool	known = p->type.data != NULL;

	if (fp->kind == PART_MULTIPART) {
		p->type = S("multipart");
		p->subtype = S("mixed");
	} else if (fp->kind == PART_MESSAGE) {
		p->type = S("message");
		p->subtype = S("rfc822");
	} else if (is_text(fp)) {
		p->type = S("text");
		p->subtype = S("plain");
	} else {
		p->type = S("application");
		p->subtype = S("octet-stream");
	}
	if (known)
		p->param_count = 0;
}

/* default_encoding - what is said where the header says nothing */
static struct slice
default_encoding(const struct facts_part *fp)
{
	if (fp->flags & PART_MADE_UP && fp->encoding == ENCODING_8BIT)
		return S("8bit");
	if (fp->flags & PART_MADE_UP && fp->encoding == ENCODING_BINARY)
		return S("binary");
	return S("7bit");	/* RFC 2045 6.1 */
}

/* read_part - all that the header of a part says */
static void
read_part(struct arena *a, struct slice content, const struct facts_part *fp,
    bool rich, struct structure_part *p)
{
	struct slice		header = slice_sub(content, fp->header,
	    fp->body - fp->header);
	struct cursor		c = cursor_over(header);
	struct header_field	f;

	*p = (struct structure_part){ .param_count = 0 };
	while (header_next(&c, &f))
		if (rich || f.id == HEADER_CONTENT_TYPE ||
		    f.id == HEADER_CONTENT_TRANSFER_ENCODING)
			read_field(a, &f, p);
	if (!names_fit(fp, p))
		name_it(fp, p);
	if (p->encoding.data == NULL)
		p->encoding = default_encoding(fp);
	if (!rich)
		p->param_count = 0;
}

/* format_params - parameters of the record */
static void
format_params(struct buf *out, const struct mime_param *params, size_t count)
{
	facts_wire_number(out, count);
	for (size_t i = 0; i < count; i++) {
		facts_wire_text(out, params[i].name);
		facts_wire_text(out, utf8_cut(params[i].value,
		    ENVELOPE_TEXT_MAX));
		facts_wire_number(out, params[i].extended);
	}
}

/* format_part - the texts of one part */
static void
format_part(struct buf *out, const struct structure_part *p)
{
	facts_wire_text(out, p->type);
	facts_wire_text(out, p->subtype);
	facts_wire_text(out, p->encoding);
	format_params(out, p->params, p->param_count);
	facts_wire_text(out, p->id);
	facts_wire_text(out, p->description);
	facts_wire_text(out, p->md5);
	facts_wire_text(out, p->disposition);
	format_params(out, p->disposition_params, p->disposition_param_count);
	facts_wire_number(out, p->language_count);
	for (size_t i = 0; i < p->language_count; i++)
		facts_wire_text(out, p->languages[i]);
	facts_wire_text(out, p->location);
}

/* format_envelope - of the message in this part, which is the next part */
static void
format_envelope(struct buf *out, struct slice content,
    const struct facts_part *message, struct arena *a, bool rich)
{
	struct buf	record = BUF_INIT;
	struct envelope	e = { .date = SLICE_EMPTY };

	if (rich)
		envelope_from_header(slice_sub(content, message->header,
		    message->body - message->header), a, &e);
	envelope_format(&record, &e);
	facts_wire_text(out, buf_slice(&record));
	buf_free(&record);
}

/* structure_build - append the record */
void
structure_build(struct buf *out, struct slice content, const struct facts *f)
{
	struct arena		a = ARENA_INIT;
	struct buf		tree = BUF_INIT;
	struct facts		bare = *f;
	struct structure_part	p;
	size_t			start = out->len;

	bare.field_count = 0;
	facts_format(&tree, &bare);
	buf_add_byte(out, STRUCTURE_VERSION);
	facts_wire_text(out, buf_slice(&tree));
	for (uint32_t i = 0; i < f->part_count; i++) {
		bool	rich = out->len - start < STRUCTURE_RICH_MAX;

		arena_reset(&a);
		read_part(&a, content, &f->parts[i], rich, &p);
		format_part(out, &p);
		if (f->parts[i].kind == PART_MESSAGE)
			format_envelope(out, content, &f->parts[i + 1], &a,
			    rich);
	}
	buf_free(&tree);
	arena_free(&a);
}

/* parse_params - parameters of the record */
static int
parse_params(struct cursor *c, struct arena *a, struct mime_param **ret_params,
    size_t *ret_count)
{
	struct mime_param	*params = NULL;
	uint64_t		 count, extended;
	int			 r;

	if ((r = facts_wire_take(c, MIME_PARAMS_MAX, &count)) < 0)
		return r;
	if (count > 0)
		params = ARENA_ARRAY(a, struct mime_param, count);
	for (uint64_t i = 0; i < count; i++) {
		if ((r = facts_wire_take_text(c, &params[i].name)) < 0 ||
		    (r = facts_wire_take_text(c, &params[i].value)) < 0 ||
		    (r = facts_wire_take(c, 1, &extended)) < 0)
			return r;
		if (params[i].name.len == 0 || params[i].value.data == NULL)
			return -EBADMSG;
		params[i].extended = extended != 0;
	}
	*ret_params = params;
	*ret_count = (size_t)count;
	return 0;
}

/* parse_languages - the tags of the record */
static int
parse_languages(struct cursor *c, struct arena *a, struct structure_part *p)
{
	uint64_t	count;
	int		r;

	if ((r = facts_wire_take(c, LANGUAGES_MAX, &count)) < 0)
		return r;
	if (count > 0)
		p->languages = ARENA_ARRAY(a, struct slice, count);
	for (; p->language_count < count; p->language_count++) {
		struct slice	*tag = &p->languages[p->language_count];

		if ((r = facts_wire_take_text(c, tag)) < 0)
			return r;
		if (tag->len == 0)
			return -EBADMSG;
	}
	return 0;
}

/* parse_part - the texts of one part */
static int
parse_part(struct cursor *c, struct arena *a, const struct facts_part *fp,
    struct structure_part *p)
{
	struct slice	envelope;
	int		r;

	if ((r = facts_wire_take_text(c, &p->type)) < 0 ||
	    (r = facts_wire_take_text(c, &p->subtype)) < 0 ||
	    (r = facts_wire_take_text(c, &p->encoding)) < 0 ||
	    (r = parse_params(c, a, &p->params, &p->param_count)) < 0 ||
	    (r = facts_wire_take_text(c, &p->id)) < 0 ||
	    (r = facts_wire_take_text(c, &p->description)) < 0 ||
	    (r = facts_wire_take_text(c, &p->md5)) < 0 ||
	    (r = facts_wire_take_text(c, &p->disposition)) < 0 ||
	    (r = parse_params(c, a, &p->disposition_params,
	    &p->disposition_param_count)) < 0 ||
	    (r = parse_languages(c, a, p)) < 0 ||
	    (r = facts_wire_take_text(c, &p->location)) < 0)
		return r;
	if (!names_fit(fp, p) || p->encoding.len == 0)
		return -EBADMSG;
	if (fp->kind != PART_MESSAGE)
		return 0;
	if ((r = facts_wire_take_text(c, &envelope)) < 0)
		return r;
	p->envelope = ARENA_NEW(a, struct envelope);
	return envelope_parse(envelope, a, p->envelope);
}

/* structure_parse - read the record */
int
structure_parse(struct slice record, uint64_t content_length, struct arena *a,
    struct structure *ret_structure)
{
	struct cursor		c = cursor_over(record);
	struct structure	s;
	struct slice		tree;
	int			r;

	if (cursor_byte(&c) != STRUCTURE_VERSION)
		return -EBADMSG;
	if ((r = facts_wire_take_text(&c, &tree)) < 0 ||
	    (r = facts_parse(tree, content_length, a, &s.facts)) < 0)
		return r;
	s.parts = ARENA_ARRAY(a, struct structure_part, s.facts.part_count);
	for (uint32_t i = 0; i < s.facts.part_count; i++)
		if ((r = parse_part(&c, a, &s.facts.parts[i],
		    &s.parts[i])) < 0)
			return r;
	if (!cursor_at_end(&c))
		return -EBADMSG;
	*ret_structure = s;
	return 0;
}
