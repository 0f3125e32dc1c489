/* SPDX-License-Identifier: ISC */
/*
 * Two walks over the pieces of the text: the first finds the definitions of
 * the name and refuses a text that could not be read anyway, the second copies
 * every other piece byte by byte.
 */
#include "libutil/conf_edit.h"

#include "libutil/buf.h"
#include "libutil/conf.h"
#include "libutil/conf_lines.h"
#include "libutil/diag.h"

/* name_of - the name that a piece defines; empty for noise */
static int
name_of(const struct conf_piece *piece, struct buf *joined,
    struct slice *ret_name, struct diag *diag)
{
	struct slice	value;

	*ret_name = SLICE_EMPTY;
	if (!piece->is_logical)
		return 0;
	buf_reset(joined);
	conf_join(joined, piece->raw);
	return conf_split(buf_slice(joined), piece->line, ret_name, &value,
	    diag);
}

/* last_line - where the definition that counts begins; 0 if there is none */
static int
last_line(struct slice text, struct slice name, uint32_t *ret_line,
    struct diag *diag)
{
	struct conf_lines	lines = conf_lines_over(text);
	struct conf_piece	piece;
	struct buf		joined = BUF_INIT;
	struct slice		found;
	int			r = 0;

	*ret_line = 0;
	while (r == 0 && conf_lines_next(&lines, &piece))
		if ((r = name_of(&piece, &joined, &found, diag)) == 0 &&
		    slice_equal(found, name))
			*ret_line = piece.line;
	buf_free(&joined);
	return r;
}

/* add_noise - the comments and empty lines inside a definition */
static void
add_noise(struct buf *out, struct slice raw)
{
	struct slice	line;

	while (raw.len > 0) {
		line = conf_take_line(&raw);
		if (conf_is_noise(line))
			buf_add(out, line);
	}
}

/* add_commented - the lines of a definition, each made a comment */
static void
add_commented(struct buf *out, struct slice raw)
{
	struct slice	line;

	while (raw.len > 0) {
		line = conf_take_line(&raw);
		if (!conf_is_noise(line))
			buf_add_byte(out, '#');
		buf_add(out, line);
	}
}

/* add_definition - name = value, on a line of its own */
static void
add_definition(struct buf *out, struct slice name, struct slice value)
{
	if (out->len > 0 && out->data[out->len - 1] != '\n')
		buf_add_byte(out, '\n');
	buf_add(out, name);
	buf_add(out, S(" ="));
	if (value.len > 0)
		buf_add_byte(out, ' ');
	buf_add(out, value);
	buf_add_byte(out, '\n');
}

/* the edits: what becomes of a definition of the name */
enum edit { EDIT_SET, EDIT_REMOVE, EDIT_COMMENT };

/* add_edited - one definition of the name, edited */
static void
add_edited(struct buf *out, enum edit edit, const struct conf_piece *piece,
    bool counts, struct slice name, struct slice value)
{
	if (edit == EDIT_COMMENT) {
		add_commented(out, piece->raw);
	} else if (edit == EDIT_REMOVE) {
		add_noise(out, piece->raw);
	} else if (counts) {
		add_definition(out, name, value);
		add_noise(out, piece->raw);
	} else {
		buf_add(out, piece->raw);
	}
}

/* edit_text - copy the text, editing the definitions of the name */
static int
edit_text(enum edit edit, struct slice text, struct slice name,
    struct slice value, struct buf *out, struct diag *diag)
{
	struct conf_lines	lines = conf_lines_over(text);
	struct conf_piece	piece;
	struct buf		result = BUF_INIT, joined = BUF_INIT;
	struct slice		found;
	uint32_t		last;
	int			r;

	if (!conf_is_name(name))
		return diag_set(diag, 0, 0,
		    "\"%.*s\" cannot be the name of a parameter",
		    SLICE_ARG(slice_sub(name, 0, 60)));
	if ((r = last_line(text, name, &last, diag)) < 0)
		return r;
	while (r == 0 && conf_lines_next(&lines, &piece)) {
		if ((r = name_of(&piece, &joined, &found, diag)) < 0)
			break;
		if (slice_equal(found, name))
			add_edited(&result, edit, &piece, piece.line == last,
			    name, value);
		else
			buf_add(&result, piece.raw);
	}
	if (edit == EDIT_SET && last == 0)
		add_definition(&result, name, value);
	if (r == 0 && (r = buf_check(&result)) == 0)
		buf_add(out, buf_slice(&result));
	buf_free(&result);
	buf_free(&joined);
	return r;
}

/* check_value - would it read back as the same value? */
static int
check_value(struct slice name, struct slice value, struct diag *diag)
{
	struct buf	line = BUF_INIT;
	struct slice	again, text;
	int		r;

	buf_add(&line, name);
	buf_add_byte(&line, '=');
	buf_add(&line, value);
	r = conf_split(buf_slice(&line), 0, &again, &text, diag);
	buf_free(&line);
	return r;
}

/* conf_edit_set - give a name a value */
int
conf_edit_set(struct slice text, struct slice name, struct slice value,
    struct buf *out, struct diag *diag)
{
	int	r;

	value = slice_trim(value);
	if ((r = check_value(name, value, diag)) < 0)
		return r;
	return edit_text(EDIT_SET, text, name, value, out, diag);
}

/* conf_edit_remove - drop all definitions of a name */
int
conf_edit_remove(struct slice text, struct slice name, struct buf *out,
    struct diag *diag)
{
	return edit_text(EDIT_REMOVE, text, name, SLICE_EMPTY, out, diag);
}

/* conf_edit_comment - make comments of all definitions of a name */
int
conf_edit_comment(struct slice text, struct slice name, struct buf *out,
    struct diag *diag)
{
	return edit_text(EDIT_COMMENT, text, name, SLICE_EMPTY, out, diag);
}
