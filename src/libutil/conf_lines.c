/* SPDX-License-Identifier: ISC */
/*
 * A logical line ends where a line begins that is neither indented nor noise;
 * noise at its end is not taken, so a comment above the next parameter stays
 * with that.
 */
#include "libutil/conf_lines.h"

#include "libutil/buf.h"
#include "libutil/conf.h"
#include "libutil/diag.h"

/* conf_take_line - one physical line */
struct slice
conf_take_line(struct slice *rest)
{
	size_t		end = slice_find(*rest, '\n');
	struct slice	line;

	line = slice_sub(*rest, 0, end == SLICE_NONE ? rest->len : end + 1);
	*rest = slice_from(*rest, line.len);
	return line;
}

/* conf_is_noise - does the line say nothing? */
bool
conf_is_noise(struct slice line)
{
	struct slice	s = slice_trim(line);

	return s.len == 0 || s.data[0] == '#';
}

/* is_indented - does the line continue the one before? */
static bool
is_indented(struct slice line)
{
	return line.len > 0 && ascii_is_blank(line.data[0]);
}

/* conf_lines_next - a logical line, or one line of noise */
bool
conf_lines_next(struct conf_lines *l, struct conf_piece *ret_piece)
{
	struct slice	ahead = l->rest, line;
	size_t		taken, seen;
	uint32_t	count = 0, ahead_count = 1;

	if (l->rest.len == 0)
		return false;
	line = conf_take_line(&ahead);
	taken = seen = line.len;
	count = 1;
	ret_piece->line = l->line;
	ret_piece->is_logical = !conf_is_noise(line);
	while (ret_piece->is_logical && ahead.len > 0) {
		line = conf_take_line(&ahead);
		seen += line.len;
		ahead_count++;
		if (conf_is_noise(line))
			continue;
		if (!is_indented(line))
			break;
		taken = seen;
		count = ahead_count;
	}
	ret_piece->raw = slice_sub(l->rest, 0, taken);
	l->rest = slice_from(l->rest, taken);
	l->line += count;
	return true;
}

/* conf_join - a logical line as one; what continues it is one blank away */
void
conf_join(struct buf *out, struct slice raw)
{
	struct slice	line;
	bool		first = true;

	while (raw.len > 0) {
		line = conf_take_line(&raw);
		if (conf_is_noise(line))
			continue;
		if (slice_has_suffix(line, S("\n")))
			line = slice_sub(line, 0, line.len - 1);
		if (slice_has_suffix(line, S("\r")))
			line = slice_sub(line, 0, line.len - 1);
		if (!first) {
			buf_add_byte(out, ' ');
			line = slice_trim(line);
		}
		buf_add(out, line);
		first = false;
	}
}

/* conf_is_name - can it be defined? */
bool
conf_is_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!ascii_is_alnum(name.data[i]) && name.data[i] != '_' &&
		    name.data[i] != '-' && name.data[i] != '.' &&
		    name.data[i] != '/' && name.data[i] != ':')
			return false;
	return name.len > 0 && name.len <= CONF_NAME_MAX;
}

/* is_text - no control bytes but tabs? */
static bool
is_text(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (((unsigned char)s.data[i] < 0x20 && s.data[i] != '\t') ||
		    s.data[i] == 0x7f)
			return false;
	return true;
}

/* conf_split - a definition into name and value */
int
conf_split(struct slice logical, uint32_t line, struct slice *ret_name,
    struct slice *ret_value, struct diag *diag)
{
	size_t		at = slice_find(logical, '=');
	struct slice	name = slice_trim(slice_sub(logical, 0, at));

	if (!is_text(logical))
		return diag_set(diag, line, 0,
		    "a control character in a definition");
	if (logical.len > 0 && ascii_is_blank(logical.data[0]))
		return diag_set(diag, line, 0, "\"%.*s\" is indented, but there"
		    " is no line before it to go on with",
		    SLICE_ARG(slice_sub(name, 0, 60)));
	if (at == SLICE_NONE)
		return diag_set(diag, line, 0,
		    "no \"=\" behind \"%.*s\" (write name = value)",
		    SLICE_ARG(slice_sub(name, 0, 60)));
	if (name.len == 0)
		return diag_set(diag, line, 0, "no name before \"=\"");
	if (!conf_is_name(name))
		return diag_set(diag, line, 0,
		    "\"%.*s\" cannot be the name of a parameter",
		    SLICE_ARG(slice_sub(name, 0, 60)));
	*ret_name = name;
	*ret_value = slice_trim(slice_from(logical, at + 1));
	return 0;
}
