/* SPDX-License-Identifier: ISC */
/*
 * Whole lines are taken from the chunk as they are, without a copy; only the
 * head of a line that a chunk's end cuts in two is kept. What costs a look at
 * every byte (8-bit, NUL) is asked of a whole chunk first, and of its lines
 * only if the chunk has it and the part is not known to have it.
 */
#include "libmail/scan_private.h"

#include <stdlib.h>

#include "libutil/alloc.h"

/* scan_new - a scan that has seen nothing */
struct scan *
scan_new(const struct scan_limits *limits)
{
	static const struct scan_limits usual = SCAN_LIMITS_INIT;
	struct scan	*s = NEW(struct scan);

	s->limits = limits == NULL ? usual : *limits;
	s->limits.depth = size_min(s->limits.depth, FACTS_DEPTH_MAX - 1);
	s->limits.fields = size_min(s->limits.fields, FACTS_FIELDS_MAX);
	/* each part may need one more that stands for its body */
	s->limits.parts = size_min(size_max(s->limits.parts, 1),
	    FACTS_PARTS_MAX / 2 - 1);
	s->limits.header_bytes = size_min(s->limits.header_bytes, 1 << 30);
	s->limits.boundary_bytes = size_min(s->limits.boundary_bytes,
	    SCAN_LINE_HEAD / 2);
	scan_reset(s);
	return s;
}

/* scan_reset - forget the message */
void
scan_reset(struct scan *s)
{
	s->facts = (struct facts){ .length = 0 };
	s->open_count = 0;
	s->opaque = s->not_utf8 = false;
	s->line_start = (struct scan_place){ 0, 0 };
	s->line_length = 0;
	s->line_flags = 0;
	s->line_cr = false;
	s->eol_before = 0;
	buf_reset(&s->boundaries);
	buf_reset(&s->head);
	arena_reset(&s->arena);
	scan_part_begin(s, s->line_start);
}

/* scan_free - release everything */
void
scan_free(struct scan **s)
{
	if (*s == NULL)
		return;
	free((*s)->fields);
	free((*s)->parts);
	free((*s)->open);
	buf_free(&(*s)->boundaries);
	buf_free(&(*s)->boundary);
	buf_free(&(*s)->field.text);
	buf_free(&(*s)->head);
	arena_free(&(*s)->arena);
	free(*s);
	*s = NULL;
}

/* has_8bit - a byte over 127? */
static bool
has_8bit(struct slice in)
{
	uint64_t	word[4], all = 0;
	size_t		i = 0;

	for (; i + sizeof(word) <= in.len; i += sizeof(word)) {
		memcpy(word, in.data + i, sizeof(word));
		all |= word[0] | word[1] | word[2] | word[3];
	}
	for (; i < in.len; i++)
		all |= (uint64_t)(in.data[i] & 0x80);
	return (all & 0x8080808080808080u) != 0;
}

/* flags_of - what there is in these bytes, of what is asked for */
static uint16_t
flags_of(struct slice in, uint16_t wanted)
{
	uint16_t	flags = 0;

	if ((wanted & PART_8BIT) && has_8bit(in))
		flags |= PART_8BIT;
	if ((wanted & PART_NUL) && slice_find(in, '\0') != SLICE_NONE)
		flags |= PART_NUL;
	return flags;
}

/* take_line - a line is complete: count it, and see what it is */
static void
take_line(struct scan *s, struct scan_line *l)
{
	struct facts	*f = &s->facts;

	if (l->length > SCAN_LINE_LONG)
		l->flags |= PART_LONG_LINE;
	if (l->length > f->longest_line)
		f->longest_line = l->length;
	if (l->head.len > 0 && l->head.data[0] == '.')
		f->dot_lines++;
	if (l->flags & PART_NUL)
		f->flags |= FACTS_NUL;
	if (l->eol == 1)
		f->flags |= FACTS_BARE_LF;
	l->before = s->eol_before;
	l->next.at = l->start.at + l->length + l->eol;
	l->next.lines = l->start.lines + (l->eol != 0);
	/* a delimiter ends a header, too, so it is looked for first */
	if (!scan_delimiter(s, l) &&
	    (!s->in_header || !scan_header_line(s, l))) {
		scan_part(s)->flags |= l->flags;
		if (l->flags & PART_8BIT)
			f->flags |= FACTS_8BIT_BODY;
	}
	s->eol_before = l->eol;
	s->line_start = l->next;
}

/* take_whole - a line that lies in the chunk; lf is where its LF stands */
static void
take_whole(struct scan *s, struct slice chunk, size_t lf, uint16_t wanted)
{
	struct slice		text = slice_sub(chunk, 0, lf);
	struct scan_line	l = { .start = s->line_start, .eol = 1 };
	size_t			cr = slice_find(text, '\r');

	if (cr != SLICE_NONE) {
		if (cr + 1 != text.len)
			s->facts.flags |= FACTS_BARE_CR;
		if (text.data[text.len - 1] == '\r') {
			text.len--;
			l.eol = 2;
		}
	}
	if (wanted != 0) {
		/* in a body once is enough; a header wants to know */
		if (!s->in_header)
			wanted &= (uint16_t)~scan_part(s)->flags;
		l.flags = flags_of(text, wanted);
	}
	l.length = text.len;
	l.head = slice_sub(text, 0, SCAN_LINE_HEAD);
	take_line(s, &l);
}

/* add_piece - bytes of a line without an end, or the LF of a line that began
 * in another chunk with what stands before it */
static void
add_piece(struct scan *s, struct slice piece)
{
	struct slice	text = piece;
	size_t		cr;

	if (piece.data[piece.len - 1] == '\n')
		text.len--;
	if (s->line_cr && text.len > 0)
		s->facts.flags |= FACTS_BARE_CR;
	cr = slice_find(text, '\r');
	if (cr != SLICE_NONE && cr + 1 != text.len)
		s->facts.flags |= FACTS_BARE_CR;
	if (text.len > 0)
		s->line_cr = text.data[text.len - 1] == '\r';
	s->line_flags |= flags_of(text, PART_8BIT | PART_NUL);
	s->line_length += text.len;
	buf_add(&s->head, slice_sub(text, 0, SCAN_LINE_HEAD - s->head.len));
}

/* end_line - the line that was gathered is complete */
static void
end_line(struct scan *s, uint8_t eol)
{
	struct scan_line	l = { .start = s->line_start, .eol = eol,
		.length = s->line_length, .flags = s->line_flags };

	if (s->line_cr && eol == 1) {
		l.eol = 2;
		l.length--;
	}
	l.head = slice_sub(buf_slice(&s->head), 0, l.length);
	take_line(s, &l);
	buf_reset(&s->head);
	s->line_length = 0;
	s->line_flags = 0;
	s->line_cr = false;
}

/* scan_feed - the next bytes of the content */
void
scan_feed(struct scan *s, struct slice chunk)
{
	uint16_t	has = flags_of(chunk, PART_8BIT | PART_NUL);

	s->facts.length += chunk.len;
	while (chunk.len > 0) {
		size_t	lf = slice_find(chunk, '\n');

		if (lf == SLICE_NONE) {
			add_piece(s, chunk);
			return;
		}
		if (s->line_length > 0) {
			add_piece(s, slice_sub(chunk, 0, lf + 1));
			end_line(s, 1);
		} else {
			take_whole(s, chunk, lf, has);
		}
		chunk = slice_from(chunk, lf + 1);
	}
}

/* scan_finish - the content is complete */
const struct facts *
scan_finish(struct scan *s)
{
	struct facts	*f = &s->facts;

	if (s->line_length > 0) {
		if (s->line_cr)
			f->flags |= FACTS_BARE_CR;
		f->flags |= FACTS_NO_LAST_LF;
		end_line(s, 0);
	}
	f->lines = s->line_start.lines;
	scan_parts_end(s, s->line_start);
	if ((f->flags & FACTS_8BIT_HEADER) && !s->not_utf8)
		f->flags |= FACTS_UTF8_HEADER;
	f->fields = s->fields;
	f->parts = s->parts;
	return f;
}
