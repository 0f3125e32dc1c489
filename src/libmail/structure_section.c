/* SPDX-License-Identifier: ISC */
/*
 * Part numbers (RFC 3501 6.4.5). A message that is no multipart has one part,
 * 1, which is itself; the same goes for a message within a part: below 4, a
 * message/rfc822, 4.1 is the first part of that message, or all of it.
 */
#include "libmail/structure.h"

/* child - the n-th part below a multipart; FACTS_NO_PART if it has fewer */
static uint32_t
child(const struct facts *f, uint32_t part, uint32_t n)
{
	uint32_t	i = part + 1;

	while (--n > 0 && i < f->parts[part].after)
		i = f->parts[i].after;
	return i < f->parts[part].after ? i : FACTS_NO_PART;
}

/* step - the part with this number in a message (part is its first), or in a
 * part (in_part) */
static uint32_t
step(const struct facts *f, uint32_t part, bool in_part, uint32_t n)
{
	if (in_part && f->parts[part].kind == PART_MESSAGE) {
		part++;
		in_part = false;
	}
	if (n == 0)
		return FACTS_NO_PART;
	if (f->parts[part].kind == PART_MULTIPART)
		return child(f, part, n);
	return !in_part && n == 1 ? part : FACTS_NO_PART;
}

/* structure_find - follow the numbers */
int
structure_find(const struct structure *s, const uint32_t *numbers, size_t count,
    uint32_t *ret_part)
{
	uint32_t	part = 0;

	for (size_t i = 0; i < count; i++) {
		part = step(&s->facts, part, i > 0, numbers[i]);
		if (part == FACTS_NO_PART)
			return -ENOENT;
	}
	*ret_part = part;
	return 0;
}

/* range - from one place of the content to another */
static struct structure_range
range(uint64_t from, uint64_t to)
{
	return (struct structure_range){ .offset = from, .length = to - from,
		.from_top = false };
}

/* whole_message - a section without numbers */
static int
whole_message(const struct structure *s, enum structure_text text,
    struct structure_range *ret)
{
	const struct facts_part	*top = &s->facts.parts[0];

	switch (text) {
	case STRUCTURE_ALL:
		*ret = range(0, s->facts.length);
		ret->from_top = true;
		return 0;
	case STRUCTURE_HEADER:
		*ret = range(0, top->body);
		ret->from_top = true;
		return 0;
	case STRUCTURE_TEXT:
		*ret = range(top->body, top->end);
		return 0;
	case STRUCTURE_MIME:
		break;		/* needs a number */
	}
	return -ENOENT;
}

/* structure_section - where the bytes of a section are */
int
structure_section(const struct structure *s, const uint32_t *numbers,
    size_t count, enum structure_text text, struct structure_range *ret_range)
{
	const struct facts_part	*p;
	uint32_t		 part;
	int			 r;

	if (count == 0)
		return whole_message(s, text, ret_range);
	if ((r = structure_find(s, numbers, count, &part)) < 0)
		return r;
	p = &s->facts.parts[part];
	if (text == STRUCTURE_ALL) {
		*ret_range = range(p->body, p->end);
		return 0;
	}
	if (text == STRUCTURE_MIME) {
		*ret_range = range(p->header, p->body);
		ret_range->from_top = part == 0;
		return 0;
	}
	if (p->kind != PART_MESSAGE)
		return -ENOENT;
	p++;	/* the message in it */
	*ret_range = text == STRUCTURE_HEADER ? range(p->header, p->body) :
	    range(p->body, p->end);
	return 0;
}

/* place_in - a part's number among the parts of its multipart */
static uint32_t
place_in(const struct facts *f, uint32_t part)
{
	uint32_t	n = 1;

	for (uint32_t i = f->parts[part].parent + 1; i != part;
	    i = f->parts[i].after)
		n++;
	return n;
}

/* around - the part at this depth that a part is in, or is */
static uint32_t
around(const struct facts *f, uint32_t part, uint32_t depth)
{
	while (f->parts[part].depth > depth)
		part = f->parts[part].parent;
	return part;
}

/* structure_number - the numbers that lead to a part */
void
structure_number(struct buf *out, const struct structure *s, uint32_t part)
{
	const struct facts	*f = &s->facts;
	const char		*between = "";

	for (uint32_t depth = 0; depth <= f->parts[part].depth; depth++) {
		uint32_t	i = around(f, part, depth);
		uint32_t	parent = f->parts[i].parent, n = 0;

		/* a part of a multipart has a number there; what is a whole
		 * message is its part 1, unless it has parts itself */
		if (parent != FACTS_NO_PART &&
		    f->parts[parent].kind == PART_MULTIPART)
			n = place_in(f, i);
		else if (f->parts[i].kind != PART_MULTIPART)
			n = 1;
		if (n == 0)
			continue;
		buf_addf(out, "%s%u", between, n);
		between = ".";
	}
}
