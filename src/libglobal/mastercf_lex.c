/* SPDX-License-Identifier: ISC */
/*
 * The text is walked line by line. Words do not go over the end of a line,
 * but for those in braces, to which the lines that continue the row are
 * joined.
 */
#include "libglobal/mastercf_lex.h"

#include "libglobal/mastercf.h"
#include "libutil/arena.h"
#include "libutil/buf.h"
#include "libutil/diag.h"

/* line_at - the line that begins at an offset, without its end */
static struct slice
line_at(struct slice text, size_t at, size_t *ret_next)
{
	struct slice rest = slice_from(text, at);
	size_t end = slice_find(rest, '\n');

	*ret_next = end == SLICE_NONE ? text.len : at + end + 1;
	return slice_sub(rest, 0, end == SLICE_NONE ? rest.len : end);
}

/* is_nothing - an empty line or a comment */
static bool
is_nothing(struct slice line)
{
	struct slice s = slice_trim(line);

	return s.len == 0 || s.data[0] == '#';
}

/* is_blank - between words; a CR at the end of a line too */
static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* next_line - step over comments to the next line that is something; false
 * at the end of the text */
static bool
next_line(struct mastercf_lexer *l, struct slice *ret_line, size_t *ret_next)
{
	while (l->at < l->text.len) {
		*ret_line = line_at(l->text, l->at, ret_next);
		if (!is_nothing(*ret_line))
			return true;
		l->at = *ret_next;
		l->line++;
	}
	return false;
}

/* what is being read of one row */
struct reader {
	struct mastercf_lexer	*l;
	struct mastercf_row	*row;
	size_t			 room;
	struct buf		 group;		/* a word in braces, so far */
	size_t			 depth;		/* of braces */
	struct mastercf_word	 open;		/* where it began */
};

/* add_word - one more word */
static int
add_word(struct reader *r, struct mastercf_word word)
{
	struct mastercf_word *more;

	if (r->row->count == MASTERCF_WORDS_MAX)
		return diag_set(r->l->diag, r->row->line, 0,
		    "the row has more than %d words", MASTERCF_WORDS_MAX);
	if (r->row->count == r->room) {
		r->room = r->room == 0 ? 16 : r->room * 2;
		more = ARENA_ARRAY(r->l->arena, struct mastercf_word, r->room);
		if (r->row->count > 0)
			memcpy(more, r->row->word,
			    r->row->count * sizeof(*more));
		r->row->word = more;
	}
	r->row->word[r->row->count++] = word;
	return 0;
}

/* read_group - go on with a word in braces, in this line from *i on */
static int
read_group(struct reader *r, struct slice line, size_t start, size_t *i)
{
	for (; *i < line.len && r->depth > 0; ++*i) {
		char c = line.data[*i];

		if (c == '{')
			r->depth++;
		else if (c == '}' && --r->depth == 0)
			break;
		buf_add_byte(&r->group, c);
	}
	if (r->depth > 0)
		return 0;	/* goes on in the next line */
	++*i;
	if (*i < line.len && !is_blank(line.data[*i]))
		return diag_set(r->l->diag, r->l->line, (uint32_t)*i + 1,
		    "there must be a blank behind }");
	r->open.value = arena_dup(r->l->arena,
	    slice_trim(buf_slice(&r->group)));
	r->open.end = start + *i;
	return add_word(r, r->open);
}

/* read_line - the words of one line, which begins at start */
static int
read_line(struct reader *r, struct slice line, size_t start)
{
	size_t i = 0, from;
	int e = 0;

	if (r->depth > 0)
		e = read_group(r, line, start, &i);
	while (e == 0 && i < line.len) {
		if (is_blank(line.data[i])) {
			i++;
			continue;
		}
		from = i;
		r->open = (struct mastercf_word){ .begin = start + from,
			.line = r->l->line, .braced = line.data[i] == '{' };
		if (r->open.braced) {
			buf_reset(&r->group);
			r->depth = 1;
			i++;
			e = read_group(r, line, start, &i);
			continue;
		}
		while (i < line.len && !is_blank(line.data[i]))
			i++;
		r->open.value = slice_sub(line, from, i - from);
		r->open.end = start + i;
		e = add_word(r, r->open);
	}
	return e;
}

/* mastercf_lex_row - the next row */
int
mastercf_lex_row(struct mastercf_lexer *l, struct mastercf_row *ret_row)
{
	struct mastercf_row row = { NULL, 0, 0, 0, 0 };
	struct reader r = { .l = l, .row = &row };
	struct slice line;
	size_t next;
	int e = 0;

	if (l->text.len > MASTERCF_TEXT_MAX)
		return diag_set(l->diag, 0, 0, "the file is longer than %zu "
		    "bytes", MASTERCF_TEXT_MAX);
	if (l->at == 0 && slice_find(l->text, '\0') != SLICE_NONE)
		return diag_set(l->diag, 0, 0, "there is a NUL byte in the "
		    "file; this is no text");
	if (!next_line(l, &line, &next))
		return 0;
	row.begin = l->at;
	row.line = l->line;
	if (ascii_is_blank(line.data[0]))
		return diag_set(l->diag, l->line, 1, "the line begins with a "
		    "blank, but there is no row before it to continue");
	do {
		if ((e = read_line(&r, line, l->at)) < 0)
			break;
		row.end = l->at = next;
		l->line++;
	} while (next_line(l, &line, &next) && ascii_is_blank(line.data[0]));
	if (e == 0 && r.depth > 0)
		e = diag_set(l->diag, r.open.line, 0, "a { has no }");
	buf_free(&r.group);
	if (e < 0)
		return e;
	*ret_row = row;
	return 1;
}
