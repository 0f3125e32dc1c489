/* SPDX-License-Identifier: ISC */
/*
 * The encoding: a version byte, then numbers of 7 bits a byte, low ones first
 * (facts_wire.h), in the order of the structs. Places are written as
 * distances: a field from the end of the one before, a part's header from
 * where its parent's body begins or the part before it ends; so all are in
 * order by construction, and reading checks only that none goes too far.
 */
#include "libmail/facts.h"

#include "libmail/facts_wire.h"

/* facts_next_field - the next field with an id */
const struct facts_field *
facts_next_field(const struct facts *f, enum header_id id, uint32_t *i)
{
	while (*i < f->field_count)
		if (f->fields[(*i)++].id == id)
			return &f->fields[*i - 1];
	return NULL;
}

/* part_of - a piece of the content, cut to what there is of it */
static struct slice
part_of(struct slice content, uint64_t offset, uint64_t length)
{
	if (offset > content.len)
		return SLICE_EMPTY;
	return slice_sub(content, offset,
	    length > content.len ? content.len : length);
}

/* facts_field_raw - a field's bytes */
struct slice
facts_field_raw(struct slice content, const struct facts_field *field)
{
	return part_of(content, field->offset, field->length);
}

/* facts_field_value - what stands behind its colon */
struct slice
facts_field_value(struct slice content, const struct facts_field *field)
{
	return slice_from(facts_field_raw(content, field), field->value);
}

/* facts_ref_slice - what a ref points at */
struct slice
facts_ref_slice(struct slice content, struct facts_ref ref)
{
	return part_of(content, ref.offset, ref.length);
}

/* format_ref - a place in a part's header */
static void
format_ref(struct buf *out, const struct facts_part *p, struct facts_ref ref)
{
	facts_wire_number(out, ref.length);
	if (ref.length > 0)
		facts_wire_number(out, ref.offset - p->header);
}

/* format_part - one part; its header stands behind `from` */
static void
format_part(struct buf *out, const struct facts_part *p, uint32_t index,
    uint64_t from)
{
	facts_wire_number(out, p->header - from);
	facts_wire_number(out, p->body - p->header);
	facts_wire_number(out, p->end - p->body);
	facts_wire_number(out, p->header_lines);
	facts_wire_number(out, p->lines);
	facts_wire_number(out, p->after - index);
	facts_wire_number(out, p->kind);
	facts_wire_number(out, p->type);
	facts_wire_number(out, p->encoding);
	facts_wire_number(out, p->disposition);
	facts_wire_number(out, p->flags);
	format_ref(out, p, p->content_type);
	format_ref(out, p, p->charset);
	format_ref(out, p, p->boundary);
	format_ref(out, p, p->content_id);
}

/* begins_behind - what a part's header cannot begin before: the parent's
 * body, or the end of the sibling before it */
static uint64_t
begins_behind(const struct facts_part *parts, uint32_t index, uint32_t parent)
{
	uint32_t	i = parent + 1;
	uint64_t	from = parts[parent].body;

	/* the sibling before is what this part's predecessor is in */
	if (i == index)
		return from;
	for (i = index - 1; parts[i].parent != parent; i = parts[i].parent)
		continue;
	return parts[i].end;
}

/* facts_format - append the encoding */
void
facts_format(struct buf *out, const struct facts *f)
{
	uint64_t	from = 0;

	buf_add_byte(out, FACTS_VERSION);
	facts_wire_number(out, f->length);
	facts_wire_number(out, f->lines);
	facts_wire_number(out, f->longest_line);
	facts_wire_number(out, f->dot_lines);
	facts_wire_number(out, f->present);
	facts_wire_number(out, f->received_count);
	facts_wire_number(out, f->flags);
	facts_wire_number(out, f->part_count);
	for (uint32_t i = 0; i < f->part_count; i++)
		format_part(out, &f->parts[i], i, i == 0 ? 0 :
		    begins_behind(f->parts, i, f->parts[i].parent));
	facts_wire_number(out, f->field_count);
	for (uint32_t i = 0; i < f->field_count; i++) {
		facts_wire_number(out, f->fields[i].id);
		facts_wire_number(out, f->fields[i].offset - from);
		facts_wire_number(out, f->fields[i].length);
		facts_wire_number(out, f->fields[i].value);
		from = f->fields[i].offset + f->fields[i].length;
	}
}

/* number - read a number that may not be over max */
static int
number(struct cursor *c, uint64_t max, uint64_t *ret)
{
	return facts_wire_take(c, max, ret);
}

/* number32 - the same into 32 bits */
static int
number32(struct cursor *c, uint32_t max, uint32_t *ret)
{
	uint64_t	v;
	int		r = facts_wire_take(c, max, &v);

	if (r == 0)
		*ret = (uint32_t)v;
	return r;
}

/* number16 - the same into 16 bits */
static int
number16(struct cursor *c, uint16_t max, uint16_t *ret)
{
	uint64_t	v;
	int		r = facts_wire_take(c, max, &v);

	if (r == 0)
		*ret = (uint16_t)v;
	return r;
}

/* number8 - the same into 8 bits */
static int
number8(struct cursor *c, uint8_t max, uint8_t *ret)
{
	uint64_t	v;
	int		r = facts_wire_take(c, max, &v);

	if (r == 0)
		*ret = (uint8_t)v;
	return r;
}

/* parse_ref - a place in the part's header */
static int
parse_ref(struct cursor *c, const struct facts_part *p, struct facts_ref *ret)
{
	uint64_t	size = p->body - p->header, offset = 0;
	struct facts_ref ref = { 0, 0 };
	int		r;

	if ((r = number32(c, size > UINT32_MAX ? UINT32_MAX : (uint32_t)size,
	    &ref.length)) < 0)
		return r;
	if (ref.length > 0) {
		if ((r = number(c, size - ref.length, &offset)) < 0)
			return r;
		ref.offset = p->header + offset;
	}
	*ret = ref;
	return 0;
}

/* parse_place - where a part is, between `from` and `limit` */
static int
parse_place(struct cursor *c, uint64_t from, uint64_t limit, uint32_t index,
    uint32_t room, struct facts_part *p)
{
	uint64_t	v;
	int		r;

	if ((r = number(c, limit - from, &v)) < 0)
		return r;
	p->header = from + v;
	if ((r = number(c, limit - p->header, &v)) < 0)
		return r;
	p->body = p->header + v;
	if ((r = number(c, limit - p->body, &v)) < 0)
		return r;
	p->end = p->body + v;
	if ((r = number(c, p->body - p->header, &p->header_lines)) < 0 ||
	    (r = number(c, p->end - p->body, &p->lines)) < 0 ||
	    (r = number32(c, room, &p->after)) < 0)
		return r;
	if (p->after == 0)
		return -EBADMSG;
	p->after += index;
	return 0;
}

/* parse_kind - what a part is */
static int
parse_kind(struct cursor *c, uint32_t index, struct facts_part *p)
{
	bool	multipart, message;
	int	r;

	if ((r = number8(c, FACTS_KIND_LAST, &p->kind)) < 0 ||
	    (r = number8(c, FACTS_TYPE_LAST, &p->type)) < 0 ||
	    (r = number8(c, FACTS_ENCODING_LAST, &p->encoding)) < 0 ||
	    (r = number8(c, FACTS_DISPOSITION_LAST, &p->disposition)) < 0 ||
	    (r = number16(c, UINT16_MAX, &p->flags)) < 0)
		return r;
	multipart = p->type >= TYPE_MULTIPART_MIXED &&
	    p->type <= TYPE_MULTIPART_OTHER;
	message = p->type == TYPE_MESSAGE_RFC822 ||
	    p->type == TYPE_MESSAGE_GLOBAL;
	if (multipart != (p->kind == PART_MULTIPART) ||
	    message != (p->kind == PART_MESSAGE))
		return -EBADMSG;
	/* a container has something below it, a leaf has not */
	if ((p->kind == PART_LEAF) != (p->after == index + 1))
		return -EBADMSG;
	return 0;
}

/* parse_part - one part of the tree; its parent is known */
static int
parse_part(struct cursor *c, uint64_t length, uint32_t count, uint32_t index,
    struct facts_part *parts)
{
	struct facts_part	*p = &parts[index];
	const struct facts_part	*up = index == 0 ? NULL : &parts[p->parent];
	int			 r;

	p->depth = up == NULL ? 0 : (uint16_t)(up->depth + 1);
	if (p->depth > FACTS_DEPTH_MAX)
		return -EBADMSG;
	if ((r = parse_place(c, up == NULL ? 0 :
	    begins_behind(parts, index, p->parent),
	    up == NULL ? length : up->end, index,
	    (up == NULL ? count : up->after) - index, p)) < 0 ||
	    (r = parse_kind(c, index, p)) < 0 ||
	    (r = parse_ref(c, p, &p->content_type)) < 0 ||
	    (r = parse_ref(c, p, &p->charset)) < 0 ||
	    (r = parse_ref(c, p, &p->boundary)) < 0 ||
	    (r = parse_ref(c, p, &p->content_id)) < 0)
		return r;
	if (index == 0 && (p->header != 0 || p->after != count))
		return -EBADMSG;
	return 0;
}

/* parse_parts - the tree */
static int
parse_parts(struct cursor *c, struct arena *a, struct facts *f)
{
	struct facts_part	*parts;
	int			 r;

	if ((r = number32(c, FACTS_PARTS_MAX, &f->part_count)) < 0)
		return r;
	/* a part takes 15 bytes at least: no short input makes much memory */
	if (f->part_count == 0 || f->part_count > cursor_left(c) / 15)
		return -EBADMSG;
	parts = ARENA_ARRAY(a, struct facts_part, f->part_count);
	parts[0].parent = FACTS_NO_PART;
	for (uint32_t i = 0; i < f->part_count; i++) {
		uint32_t	next = i + 1;

		if ((r = parse_part(c, f->length, f->part_count, i, parts)) < 0)
			return r;
		if (next == f->part_count)
			break;
		/* the next part is below this one, or below the innermost of
		 * those around it that goes on */
		parts[next].parent = i;
		while (parts[parts[next].parent].after == next)
			parts[next].parent = parts[parts[next].parent].parent;
		if (parts[parts[next].parent].kind == PART_MESSAGE &&
		    parts[next].parent != i)
			return -EBADMSG;	/* one message in a message */
	}
	f->parts = parts;
	return 0;
}

/* parse_fields - the fields of the top header */
static int
parse_fields(struct cursor *c, struct arena *a, struct facts *f)
{
	struct facts_field	*fields;
	uint64_t		 from = 0, end = f->parts[0].body, v;
	int			 r;

	if ((r = number32(c, FACTS_FIELDS_MAX, &f->field_count)) < 0)
		return r;
	if (f->field_count > cursor_left(c) / 4)
		return -EBADMSG;
	fields = ARENA_ARRAY(a, struct facts_field, f->field_count);
	for (uint32_t i = 0; i < f->field_count; i++) {
		struct facts_field	*p = &fields[i];

		if ((r = number16(c, HEADER_OTHER, &p->id)) < 0 ||
		    (r = number(c, end - from, &v)) < 0)
			return r;
		p->offset = from + v;
		v = end - p->offset;
		if ((r = number32(c, v > UINT32_MAX ? UINT32_MAX : (uint32_t)v,
		    &p->length)) < 0 ||
		    (r = number32(c, p->length, &p->value)) < 0)
			return r;
		if (p->value == 0)
			return -EBADMSG;
		from = p->offset + p->length;
	}
	f->fields = fields;
	return 0;
}

/* facts_parse - read the encoding */
int
facts_parse(struct slice in, uint64_t content_length, struct arena *a,
    struct facts *ret_facts)
{
	struct cursor	c = cursor_over(in);
	struct facts	f = { .length = 0 };
	int		r;

	if (cursor_byte(&c) != FACTS_VERSION)
		return -EBADMSG;
	if ((r = number(&c, content_length, &f.length)) < 0 ||
	    (r = number(&c, content_length, &f.lines)) < 0 ||
	    (r = number(&c, content_length, &f.longest_line)) < 0 ||
	    (r = number(&c, content_length, &f.dot_lines)) < 0 ||
	    (r = number(&c, UINT64_MAX, &f.present)) < 0 ||
	    (r = number32(&c, UINT32_MAX, &f.received_count)) < 0 ||
	    (r = number32(&c, UINT32_MAX, &f.flags)) < 0)
		return r;
	if (f.length != content_length)
		return -EBADMSG;
	if ((r = parse_parts(&c, a, &f)) < 0 ||
	    (r = parse_fields(&c, a, &f)) < 0)
		return r;
	if (!cursor_at_end(&c))
		return -EBADMSG;
	*ret_facts = f;
	return 0;
}
