/* SPDX-License-Identifier: ISC */
/*
 * The open parts are a stack, outermost first. A line "--..." is held against
 * the boundaries of all of them: the innermost that it fits exactly, else the
 * longest that it begins with (RFC 2046 5.1.1 asks for no more than that); so
 * a delimiter that is missing further in does no harm further out.
 *
 * A container that is not split (no boundary, or a limit) and a multipart
 * in which no delimiter came get one part that stands for their whole body:
 * readers find the text, and no container is without a part.
 */
#include "libmail/scan_private.h"

#include "libutil/alloc.h"

/* scan_part - the innermost part */
struct facts_part *
scan_part(struct scan *s)
{
	return &s->parts[s->open[s->open_count - 1].part];
}

/* add_part - one more part below that one */
static struct facts_part *
add_part(struct scan *s, uint32_t parent)
{
	struct facts_part	*p;

	if (s->facts.part_count == s->part_cap) {
		s->part_cap = size_max(8, s->part_cap * 2);
		s->parts = xreallocarray(s->parts, s->part_cap,
		    sizeof(*s->parts));
	}
	p = &s->parts[s->facts.part_count++];
	*p = (struct facts_part){ .parent = parent, .type = TYPE_TEXT_PLAIN };
	if (parent == FACTS_NO_PART)
		return p;
	p->depth = (uint16_t)(s->parts[parent].depth + 1);
	if (s->parts[parent].type == TYPE_MULTIPART_DIGEST)
		p->type = TYPE_MESSAGE_RFC822;	/* RFC 2046 5.1.5 */
	return p;
}

/* scan_part_begin - a part begins with its header */
void
scan_part_begin(struct scan *s, struct scan_place here)
{
	uint32_t	parent = s->open_count == 0 ? FACTS_NO_PART :
	    s->open[s->open_count - 1].part;

	if (s->open_count == s->open_cap) {
		s->open_cap = size_max(8, s->open_cap * 2);
		s->open = xreallocarray(s->open, s->open_cap,
		    sizeof(*s->open));
	}
	s->open[s->open_count++] = (struct scan_open){
		.part = s->facts.part_count, .lines = here.lines };
	add_part(s, parent)->header = here.at;
	s->in_header = true;
	s->seen = 0;
	s->field.open = false;
	buf_reset(&s->boundary);
}

/* may_split - may this container have parts of its own? */
static bool
may_split(struct scan *s, const struct facts_part *p)
{
	if (p->depth >= s->limits.depth) {
		s->facts.flags |= FACTS_OVER_DEPTH;
		return false;
	}
	if (s->facts.part_count >= s->limits.parts) {
		s->facts.flags |= FACTS_OVER_PARTS;
		return false;
	}
	return true;
}

/* begin_multipart - look for its delimiters from here on */
static void
begin_multipart(struct scan *s, struct facts_part *p, struct scan_open *o)
{
	struct slice	boundary = buf_slice(&s->boundary);

	p->kind = PART_MULTIPART;
	p->flags |= PART_UNCLOSED;
	/* trailing blanks are no part of it (RFC 2046 5.1.1) */
	while (boundary.len > 0 &&
	    ascii_is_blank(boundary.data[boundary.len - 1]))
		boundary.len--;
	if (boundary.len == 0)
		return;
	if (boundary.len > s->limits.boundary_bytes) {
		s->facts.flags |= FACTS_OVER_BOUNDARY;
		p->flags |= PART_OPAQUE;
		return;
	}
	o->boundary_at = s->boundaries.len;
	o->boundary_length = boundary.len;
	buf_add(&s->boundaries, boundary);
}

/* scan_body_begin - the header of the innermost part is over */
void
scan_body_begin(struct scan *s, struct scan_place here, bool split)
{
	struct scan_open	*o = &s->open[s->open_count - 1];
	struct facts_part	*p = scan_part(s);
	bool			 multipart, message;

	scan_field_end(s, here.at);
	s->in_header = false;
	p->body = o->floor = here.at;
	p->header_lines = here.lines - o->lines;
	o->lines = here.lines;
	multipart = p->type >= TYPE_MULTIPART_MIXED &&
	    p->type <= TYPE_MULTIPART_OTHER;
	message = p->type == TYPE_MESSAGE_RFC822 ||
	    p->type == TYPE_MESSAGE_GLOBAL;
	if ((multipart || message) && split && !may_split(s, p)) {
		p->flags |= PART_OPAQUE;
		split = false;
	}
	if (multipart && split)
		begin_multipart(s, p, o);
	else if (multipart)
		p->kind = PART_MULTIPART;
	if (message)
		p->kind = PART_MESSAGE;
	if (message && split)
		scan_part_begin(s, here);
}

/* stand_in - a part that stands for the body of a container without any */
static void
stand_in(struct scan *s, uint32_t container)
{
	struct facts_part	*p = add_part(s, container);
	struct facts_part	*c = &s->parts[container];

	p->header = p->body = c->body;
	p->end = c->end;
	p->lines = c->lines;
	p->type = TYPE_TEXT_PLAIN;
	p->encoding = c->flags & PART_8BIT ? ENCODING_8BIT : ENCODING_7BIT;
	p->flags = PART_MADE_UP |
	    (c->flags & (PART_8BIT | PART_NUL | PART_LONG_LINE));
	p->after = s->facts.part_count;
}

/* close_part - the innermost part ends; cut: so many bytes before here, which
 * are a line end if there are any */
static void
close_part(struct scan *s, struct scan_place here, uint8_t cut)
{
	struct scan_open	*o = &s->open[s->open_count - 1];
	struct facts_part	*p = scan_part(s);

	p->end = here.at;
	p->lines = here.lines - o->lines;
	if (cut > 0 && here.at - cut >= o->floor) {
		p->end -= cut;
		p->lines--;
	}
	if (p->kind != PART_LEAF && o->part + 1 == s->facts.part_count) {
		stand_in(s, o->part);
		p = &s->parts[o->part];
	}
	p->after = s->facts.part_count;
	if (p->parent != FACTS_NO_PART) {
		s->parts[p->parent].flags |=
		    p->flags & (PART_8BIT | PART_NUL | PART_LONG_LINE);
		o[-1].floor = p->end;
	}
	if (o->boundary_length > 0)
		buf_truncate(&s->boundaries, o->boundary_at);
	s->open_count--;
}

/* close_down_to - end all parts but so many */
static void
close_down_to(struct scan *s, size_t count, struct scan_place here, uint8_t cut)
{
	while (s->open_count > count) {
		/* it may open the message that the part is */
		while (s->in_header) {
			if (s->open_count == 1)
				s->facts.flags |= FACTS_NO_BLANK_LINE;
			scan_body_begin(s, here, true);
		}
		close_part(s, here, cut);
	}
}

/* scan_parts_end - everything ends */
void
scan_parts_end(struct scan *s, struct scan_place here)
{
	close_down_to(s, 0, here, 0);
}

/* only_blanks - nothing but transport padding? */
static bool
only_blanks(struct slice s)
{
	while (s.len > 0 && ascii_is_blank(s.data[s.len - 1]))
		s.len--;
	return s.len == 0;
}

/* find_boundary - the open multipart whose delimiter this is: its place in
 * the stack, or SLICE_NONE; text is what stands behind the "--" */
static size_t
find_boundary(const struct scan *s, struct slice text, bool *ret_closing)
{
	size_t	found = SLICE_NONE, length = 0;

	for (size_t i = s->open_count; i-- > 0;) {
		const struct scan_open	*o = &s->open[i];
		struct slice		rest;
		bool			closing, exact;

		if (o->boundary_length == 0 ||
		    !slice_has_prefix(text, slice_sub(buf_slice(&s->boundaries),
		    o->boundary_at, o->boundary_length)))
			continue;
		rest = slice_from(text, o->boundary_length);
		closing = slice_has_prefix(rest, S("--"));
		exact = only_blanks(slice_from(rest, closing ? 2 : 0));
		if (exact || o->boundary_length > length) {
			*ret_closing = closing;
			found = i;
			length = o->boundary_length;
		}
		if (exact)
			break;
	}
	return found;
}

/* begin_rest - the last part that is told: all that follows */
static void
begin_rest(struct scan *s, struct scan_place here)
{
	struct facts_part	*p;

	s->facts.flags |= FACTS_OVER_PARTS;
	scan_part_begin(s, here);
	p = scan_part(s);
	p->body = here.at;
	p->type = TYPE_APPLICATION;
	p->encoding = ENCODING_BINARY;
	p->flags = PART_OPAQUE | PART_MADE_UP;
	s->in_header = false;
	s->opaque = true;
}

/* scan_delimiter - a line that ends a part, or a multipart */
bool
scan_delimiter(struct scan *s, const struct scan_line *l)
{
	bool	closing = false;
	size_t	at;

	if (s->boundaries.len == 0 || s->opaque || l->head.len < 3 ||
	    l->head.data[0] != '-' || l->head.data[1] != '-')
		return false;
	at = find_boundary(s, slice_from(l->head, 2), &closing);
	if (at == SLICE_NONE)
		return false;
	close_down_to(s, at + 1, l->start, l->before);
	scan_part(s)->flags |= l->flags;
	if (l->flags & PART_8BIT)
		s->facts.flags |= FACTS_8BIT_BODY;
	if (closing) {
		buf_truncate(&s->boundaries, s->open[at].boundary_at);
		s->open[at].boundary_length = 0;
		scan_part(s)->flags &= (uint16_t)~PART_UNCLOSED;
		return true;
	}
	if (s->facts.part_count >= s->limits.parts)
		begin_rest(s, l->next);
	else
		scan_part_begin(s, l->next);
	return true;
}
