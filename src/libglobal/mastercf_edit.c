/* SPDX-License-Identifier: ISC */
/*
 * An edit finds the row by the same lexer that the parser uses, so what is
 * edited is what counts, and copies all other bytes as they are. Before it
 * returns, the row that was put in is parsed.
 */
#include "libglobal/mastercf.h"
#include "libglobal/mastercf_lex.h"
#include "libutil/arena.h"
#include "libutil/buf.h"
#include "libutil/diag.h"

/* is_row - is it one of that name and type? */
static bool
is_row(const struct mastercf_row *row, struct slice name,
    enum mastercf_type type)
{
	enum mastercf_type t;

	return row->count > MASTERCF_TYPE &&
	    slice_equal(row->word[MASTERCF_SERVICE].value, name) &&
	    mastercf_type_parse(row->word[MASTERCF_TYPE].value, &t) == 0 &&
	    t == type;
}

/* find_row - the last row of that name and type: the one that counts */
static int
find_row(struct slice text, struct slice name, enum mastercf_type type,
    struct arena *a, struct diag *d, struct mastercf_row *ret_row)
{
	struct mastercf_lexer l = { text, 0, 1, a, d };
	struct mastercf_row row;
	bool found = false;
	int r;

	while ((r = mastercf_lex_row(&l, &row)) > 0)
		if (is_row(&row, name, type)) {
			*ret_row = row;
			found = true;
		}
	return r < 0 ? r : found ? 0 : -ENOENT;
}

/* not_there - say that there is no such row */
static int
not_there(struct diag *d, struct slice name, enum mastercf_type type)
{
	(void)diag_set(d, 0, 0, "there is no service %.*s/%s",
	    SLICE_ARG(name), mastercf_type_name(type));
	return -ENOENT;
}

/* add_line_end - if the text behind start does not end in one */
static void
add_line_end(struct buf *out, size_t start)
{
	if (out->len > start && out->data[out->len - 1] != '\n')
		buf_add_byte(out, '\n');
}

/* splice - the text with what is between begin and end replaced */
static void
splice(struct buf *out, struct slice text, size_t begin, size_t end,
    struct slice with)
{
	buf_add(out, slice_sub(text, 0, begin));
	buf_add(out, with);
	buf_add(out, slice_from(text, end));
}

/* check_row - is it one good row, of that name and type? */
static int
check_row(struct slice text, struct slice name, enum mastercf_type type,
    struct diag *d)
{
	struct arena a = ARENA_INIT;
	struct mastercf cf;
	int r = mastercf_parse(text, "", &a, d, &cf);

	if (r == 0 && (cf.count != 1 || cf.replaced_line != 0 ||
	    cf.service[0].type != type ||
	    !slice_equal(cf.service[0].name, name)))
		r = diag_set(d, 0, 0, "expected one row for %.*s/%s",
		    SLICE_ARG(name), mastercf_type_name(type));
	arena_free(&a);
	return r;
}

/* mastercf_edit_set - put a whole row in */
int
mastercf_edit_set(struct slice text, struct slice name,
    enum mastercf_type type, struct slice row_text, struct buf *out,
    struct diag *d)
{
	struct arena a = ARENA_INIT;
	struct buf line = BUF_INIT;
	struct mastercf_row row = { .begin = text.len, .end = text.len };
	size_t start = out->len;
	int r;

	buf_add(&line, slice_trim(row_text));
	buf_add_byte(&line, '\n');
	if ((r = check_row(buf_slice(&line), name, type, d)) < 0)
		goto out;
	r = find_row(text, name, type, &a, d, &row);
	if (r < 0 && r != -ENOENT)
		goto out;
	if (r == -ENOENT) {
		buf_add(out, text);
		add_line_end(out, start);
		buf_add(out, buf_slice(&line));
	} else {
		splice(out, text, row.begin, row.end, buf_slice(&line));
	}
	r = buf_check(out);
out:
	buf_free(&line);
	arena_free(&a);
	return r;
}

/* mastercf_edit_remove - take a row out, and earlier ones that it replaced */
int
mastercf_edit_remove(struct slice text, struct slice name,
    enum mastercf_type type, struct buf *out, struct diag *d)
{
	struct mastercf_row row;
	struct arena a = ARENA_INIT;
	struct buf rest = BUF_INIT_MAX(MASTERCF_TEXT_MAX);
	struct buf next = BUF_INIT_MAX(MASTERCF_TEXT_MAX), swap;
	size_t removed = 0;
	int r;

	buf_add(&rest, text);
	while ((r = find_row(buf_slice(&rest), name, type, &a, d, &row)) == 0) {
		buf_reset(&next);
		splice(&next, buf_slice(&rest), row.begin, row.end,
		    SLICE_EMPTY);
		swap = rest;
		rest = next;
		next = swap;
		removed++;
		arena_reset(&a);
	}
	if (r == -ENOENT)
		r = removed > 0 ? 0 : not_there(d, name, type);
	if (r == 0)
		buf_add(out, buf_slice(&rest));
	buf_free(&rest);
	buf_free(&next);
	arena_free(&a);
	return r < 0 ? r : buf_check(out);
}

/* comment_lines - each line of a row with a # before it */
static void
comment_lines(struct buf *out, struct slice lines)
{
	struct slice rest = lines;

	while (rest.len > 0) {
		struct slice line = slice_split(&rest, '\n');

		if (slice_trim(line).len > 0 && line.data[0] != '#')
			buf_add_byte(out, '#');
		buf_add(out, line);
		buf_add_byte(out, '\n');
	}
}

/* mastercf_edit_comment - make comments of the row and of earlier ones that
 * it replaced */
int
mastercf_edit_comment(struct slice text, struct slice name,
    enum mastercf_type type, struct buf *out, struct diag *d)
{
	struct mastercf_lexer l;
	struct mastercf_row row;
	struct arena a = ARENA_INIT;
	size_t done = 0;
	int r;

	if ((r = find_row(text, name, type, &a, d, &row)) < 0) {
		r = r == -ENOENT ? not_there(d, name, type) : r;
		goto out;
	}
	l = (struct mastercf_lexer){ text, 0, 1, &a, d };
	while ((r = mastercf_lex_row(&l, &row)) > 0) {
		if (!is_row(&row, name, type))
			continue;
		buf_add(out, slice_sub(text, done, row.begin - done));
		comment_lines(out, slice_sub(text, row.begin,
		    row.end - row.begin));
		done = row.end;
	}
	if (r == 0)
		buf_add(out, slice_from(text, done));
out:
	arena_free(&a);
	return r < 0 ? r : buf_check(out);
}

/* replace_checked - the text with one part of a row replaced, if the row is
 * still good after that */
static int
replace_checked(struct slice text, const struct mastercf_row *row, size_t begin,
    size_t end, struct slice with, struct slice name, enum mastercf_type type,
    struct buf *out, struct diag *d)
{
	struct slice old = slice_sub(text, row->begin, row->end - row->begin);
	struct buf changed = BUF_INIT_MAX(MASTERCF_TEXT_MAX);
	int r;

	splice(&changed, old, begin - row->begin, end - row->begin, with);
	if ((r = buf_check(&changed)) == 0 &&
	    (r = check_row(buf_slice(&changed), name, type, d)) == 0) {
		splice(out, text, row->begin, row->end, buf_slice(&changed));
		r = buf_check(out);
	}
	buf_free(&changed);
	return r;
}

/* mastercf_edit_field - change one field */
int
mastercf_edit_field(struct slice text, struct slice name,
    enum mastercf_type type, enum mastercf_field field, struct slice value,
    struct buf *out, struct diag *d)
{
	struct arena a = ARENA_INIT;
	struct mastercf_row row;
	size_t begin, end;
	int r;

	value = slice_trim(value);
	if ((r = find_row(text, name, type, &a, d, &row)) < 0) {
		r = r == -ENOENT ? not_there(d, name, type) : r;
		goto out;
	}
	if (row.count <= MASTERCF_COMMAND || (field != MASTERCF_COMMAND &&
	    slice_find(value, ' ') != SLICE_NONE)) {
		r = diag_set(d, row.line, 0, "\"%.*s\" is no value of the "
		    "field \"%s\"", SLICE_ARG(value),
		    mastercf_field_name(field));
		goto out;
	}
	begin = row.word[field].begin;
	end = row.word[field == MASTERCF_COMMAND ? row.count - 1 : field].end;
	if (field == MASTERCF_SERVICE)
		name = value;
	if (field == MASTERCF_TYPE && mastercf_type_parse(value, &type) < 0) {
		r = diag_set(d, row.line, 0, "\"%.*s\": expected inet, unix, "
		    "unix-dgram, pass or fifo", SLICE_ARG(value));
		goto out;
	}
	r = replace_checked(text, &row, begin, end, value, name, type, out, d);
out:
	arena_free(&a);
	return r;
}

/* an -o and its argument in a row */
struct option {
	size_t	begin;
	size_t	end;
};

/* option_at - if an -o stands at word i, its argument and how many words it
 * has; 0 when another option stands there, -1 where the options end */
static int
option_at(const struct mastercf_row *row, size_t i, struct slice *ret_text)
{
	struct slice v = row->word[i].value;

	if (row->word[i].braced || v.len < 2 || v.data[0] != '-' ||
	    (v.data[1] != 'o' && v.data[1] != 'v' && v.data[1] != 'D'))
		return -1;
	if (v.data[1] != 'o')
		return 0;
	if (v.len > 2) {
		*ret_text = slice_from(v, 2);
		return 1;
	}
	if (i + 1 == row->count)
		return -1;
	*ret_text = row->word[i + 1].value;
	return 2;
}

/* find_option - the last -o for that parameter; -ENOENT: none, and *ret is
 * the place behind the command, where one can be put */
static int
find_option(const struct mastercf_row *row, struct slice param,
    struct option *ret)
{
	struct slice text = SLICE_EMPTY;
	int words, r = -ENOENT;

	ret->begin = ret->end = row->word[MASTERCF_COMMAND].end;
	for (size_t i = MASTERCF_COMMAND + 1; i < row->count;
	    i += words == 2 ? 2 : 1) {
		if ((words = option_at(row, i, &text)) < 0)
			break;
		if (words == 0 ||
		    !slice_equal(slice_trim(slice_split(&text, '=')), param))
			continue;
		ret->begin = row->word[i].begin;
		ret->end = row->word[i + (size_t)words - 1].end;
		r = 0;
	}
	return r;
}

/* format_option - "-o name=value", braces where they are needed */
static void
format_option(struct buf *out, struct slice param, struct slice value)
{
	bool braces = slice_find(value, ' ') != SLICE_NONE ||
	    slice_find(value, '\t') != SLICE_NONE ||
	    slice_find(value, '\r') != SLICE_NONE;

	buf_addf(out, braces ? "-o { %.*s = %.*s }" : "-o %.*s=%.*s",
	    SLICE_ARG(param), SLICE_ARG(value));
}

/* widen - an option that goes takes blanks with it, and its line if there is
 * nothing else in it */
static void
widen(struct slice text, struct option *o)
{
	size_t begin = o->begin, end = o->end;

	while (begin > 0 && ascii_is_blank(text.data[begin - 1]))
		begin--;
	while (end < text.len && ascii_is_blank(text.data[end]))
		end++;
	if (begin > 0 && text.data[begin - 1] != '\n')
		o->begin = begin;
	else if (end == text.len || text.data[end] == '\n')
		*o = (struct option){ begin, size_min(end + 1, text.len) };
	else
		o->end = end;
}

/* mastercf_edit_override - put an -o in, or take it out */
int
mastercf_edit_override(struct slice text, struct slice name,
    enum mastercf_type type, struct slice param, const struct slice *value,
    struct buf *out, struct diag *d)
{
	struct arena a = ARENA_INIT;
	struct buf with = BUF_INIT;
	struct mastercf_row row;
	struct option o;
	int r;

	if ((r = find_row(text, name, type, &a, d, &row)) < 0) {
		r = r == -ENOENT ? not_there(d, name, type) : r;
		goto out;
	}
	if (row.count <= MASTERCF_COMMAND) {
		r = diag_set(d, row.line, 0, "the row has no command");
		goto out;
	}
	r = find_option(&row, param, &o);
	if (r < 0 && value == NULL) {
		(void)diag_set(d, row.line, 0, "there is no -o %.*s in it",
		    SLICE_ARG(param));
		goto out;
	}
	if (value == NULL)
		widen(text, &o);
	else if (r == -ENOENT)
		buf_add_text(&with, "\n    ");
	if (value != NULL)
		format_option(&with, param, slice_trim(*value));
	r = replace_checked(text, &row, o.begin, o.end, buf_slice(&with), name,
	    type, out, d);
out:
	buf_free(&with);
	arena_free(&a);
	return r;
}
