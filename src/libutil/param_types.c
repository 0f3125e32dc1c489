/* SPDX-License-Identifier: ISC */
/*
 * A function a type, and one table of them. Bounds stand in the rows as text,
 * in the type's own syntax, and are read where they are needed: loading
 * happens at start-up.
 */
#include "libutil/param_types.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "libutil/arena.h"
#include "libutil/buf.h"
#include "libutil/conf.h"
#include "libutil/diag.h"
#include "libutil/number.h"

/* wrong - note what is wrong with a value */
static int
wrong(const struct param_row *row, const char *what)
{
	return diag_set(row->diag, 0, 0, "%.*s = %.*s: %s",
	    SLICE_ARG(row->name), SLICE_ARG(slice_sub(row->text, 0, 100)),
	    what);
}

/* wrong_range - the same for a value out of its range */
static int
wrong_range(const struct param_row *row, const char *what)
{
	const struct param *p = row->param;
	char		 text[200];

	(void)snprintf(text, sizeof(text), "%s%s%s%s%s", what,
	    p->min[0] != '\0' ? "; the minimum is " : "", p->min,
	    p->max[0] != '\0' ? "; the maximum is " : "", p->max);
	return wrong(row, text);
}

/* the types */

/* in_range - is a count or size between the row's bounds? */
static bool
in_range(const struct param *p, uint64_t value)
{
	uint64_t	bound;

	if (number_parse_size(slice_of(p->min), &bound) == 0 && value < bound)
		return false;
	return number_parse_size(slice_of(p->max), &bound) < 0 ||
	    value <= bound;
}

/* parse_str - any text of a length in range */
static int
parse_str(const struct param_row *row, struct param_value *v)
{
	v->u.str = row->text;
	if (!in_range(row->param, row->text.len))
		return wrong_range(row, row->text.len == 0 ?
		    "must not be empty" : "is of a wrong length");
	return 0;
}

/* parse_bool - yes or no */
static int
parse_bool(const struct param_row *row, struct param_value *v)
{
	v->u.yes = slice_equal_nocase(row->text, S("yes"));
	if (!v->u.yes && !slice_equal_nocase(row->text, S("no")))
		return wrong(row, "must be yes or no");
	return 0;
}

/* parse_int - a number between the bounds */
static int
parse_int(const struct param_row *row, struct param_value *v)
{
	int64_t	bound;
	int	r = number_parse_int(row->text, &v->u.number);

	if (r == -EBADMSG)
		return wrong(row, "is not a number");
	if (r < 0 ||
	    (number_parse_int(slice_of(row->param->min), &bound) == 0 &&
	    v->u.number < bound) ||
	    (number_parse_int(slice_of(row->param->max), &bound) == 0 &&
	    v->u.number > bound))
		return wrong_range(row, "is out of range");
	return 0;
}

/* parse_size - bytes */
static int
parse_size(const struct param_row *row, struct param_value *v)
{
	int	r = number_parse_size(row->text, &v->u.size);

	if (r == -EBADMSG)
		return wrong(row, "is not a size: a number of bytes, or one "
		    "with k, m or g behind it");
	if (r < 0 || !in_range(row->param, v->u.size))
		return wrong_range(row, "is out of range");
	return 0;
}

/* parse_time - a duration */
static int
parse_time(const struct param_row *row, struct param_value *v)
{
	int64_t	bound;
	int	r = number_parse_time(row->text, row->time_unit, &v->u.number);

	if (r == -EBADMSG)
		return wrong(row, "is not a time: a number with s, m, h, d or "
		    "w behind it");
	if (r < 0 || (number_parse_time(slice_of(row->param->min),
	    NUMBER_SECOND, &bound) == 0 && v->u.number < bound) ||
	    (number_parse_time(slice_of(row->param->max), NUMBER_SECOND,
	    &bound) == 0 && v->u.number > bound))
		return wrong_range(row, "is out of range");
	return 0;
}

/* parse_list - items */
static int
parse_list(const struct param_row *row, struct param_value *v)
{
	struct slice	 rest = row->text, item;
	struct slice	*items;
	size_t		 count = 0;
	int		 r;

	while ((r = conf_list_next(&rest, &item)) > 0)
		count++;
	if (r < 0)
		return wrong(row, "a brace without its partner");
	if (!in_range(row->param, count))
		return wrong_range(row, count == 0 ? "must not be empty" :
		    "has a wrong number of items");
	items = ARENA_ARRAY(row->arena, struct slice, count);
	rest = row->text;
	for (size_t i = 0; i < count; i++)
		if (conf_list_next(&rest, &item) > 0)
			items[i] = arena_dup(row->arena, item);
	v->u.list = (struct param_list){ items, count };
	return 0;
}

/* parse_enum - one of the row's words */
static int
parse_enum(const struct param_row *row, struct param_value *v)
{
	struct slice	words = slice_of(row->param->min);
	char		text[200];

	for (int i = 0; words.len > 0; i++)
		if (slice_equal_nocase(slice_split(&words, '|'), row->text)) {
			v->u.word = i;
			return 0;
		}
	(void)snprintf(text, sizeof(text), "must be one of %s",
	    row->param->min);
	return wrong(row, text);
}

/* parse_level - a version */
static int
parse_level(const struct param_row *row, struct param_value *v)
{
	uint32_t	bound;

	if (number_parse_level(row->text, &v->u.level) < 0)
		return wrong(row, "is not a level such as 3.6");
	if ((number_parse_level(slice_of(row->param->min), &bound) == 0 &&
	    v->u.level < bound) ||
	    (number_parse_level(slice_of(row->param->max), &bound) == 0 &&
	    v->u.level > bound))
		return wrong_range(row, "is out of range");
	return 0;
}

/* what is known of a type: its name in manual pages, how its text is read,
 * and how much of a struct param_value is stored */
static const struct {
	const char	*name;
	int		(*parse)(const struct param_row *,
			    struct param_value *);
	size_t		 size;
} types[] = {
	[PARAM_STR] = { "text", parse_str, sizeof(PARAM_CTYPE_STR) },
	[PARAM_RAW] = { "text, not expanded", parse_str,
	    sizeof(PARAM_CTYPE_RAW) },
	[PARAM_BOOL] = { "yes or no", parse_bool, sizeof(PARAM_CTYPE_BOOL) },
	[PARAM_INT] = { "number", parse_int, sizeof(PARAM_CTYPE_INT) },
	[PARAM_SIZE] = { "size", parse_size, sizeof(PARAM_CTYPE_SIZE) },
	[PARAM_TIME] = { "time", parse_time, sizeof(PARAM_CTYPE_TIME) },
	[PARAM_LIST] = { "list", parse_list, sizeof(PARAM_CTYPE_LIST) },
	[PARAM_ENUM] = { "word", parse_enum, sizeof(PARAM_CTYPE_ENUM) },
	[PARAM_LEVEL] = { "level", parse_level, sizeof(PARAM_CTYPE_LEVEL) },
};

/* param_type_name - the type in words */
const char *
param_type_name(enum param_type type)
{
	assert(type < COUNT(types));
	return types[type].name;
}

/* param_parse - the value that a row's text gives */
int
param_parse(const struct param_row *row, struct param_value *ret_value)
{
	struct param_value	v = { 0 };
	int			r;

	if ((r = types[row->param->type].parse(row, &v)) == 0)
		*ret_value = v;
	return r;
}

/* param_value_size - how much of a struct the type fills */
size_t
param_value_size(enum param_type type)
{
	assert(type < COUNT(types));
	return types[type].size;
}

/* add_list - items with commas between */
static void
add_list(struct buf *out, const struct param_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (i > 0)
			buf_add(out, S(", "));
		buf_add(out, list->item[i]);
	}
}

/* add_word - the nth word of an ENUM */
static void
add_word(struct buf *out, struct slice words, int n)
{
	while (n-- > 0)
		(void)slice_split(&words, '|');
	buf_add(out, slice_split(&words, '|'));
}

/* param_format - a value as text */
void
param_format(struct buf *out, const struct param *p, const void *param_struct)
{
	const char	*from = param_struct;
	struct param_value  v = { 0 };

	memcpy(&v.u, &from[p->offset], param_value_size(p->type));
	switch (p->type) {
	case PARAM_STR:
	case PARAM_RAW:
		buf_add(out, v.u.str);
		break;
	case PARAM_BOOL:
		buf_add_text(out, v.u.yes ? "yes" : "no");
		break;
	case PARAM_INT:
		buf_addf(out, "%" PRId64, v.u.number);
		break;
	case PARAM_SIZE:
		number_format_size(out, v.u.size);
		break;
	case PARAM_TIME:
		number_format_time(out, v.u.number);
		break;
	case PARAM_LIST:
		add_list(out, &v.u.list);
		break;
	case PARAM_ENUM:
		add_word(out, slice_of(p->min), v.u.word);
		break;
	case PARAM_LEVEL:
		number_format_level(out, v.u.level);
		break;
	}
}
