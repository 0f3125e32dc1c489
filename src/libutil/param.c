/* SPDX-License-Identifier: ISC */
/*
 * One row at a time: find the text (the conf's, else the default), expand it,
 * parse it by its type, check it, store it. Loading works on a copy of the
 * struct, so that a failure leaves the caller's as it was.
 */
#include "libutil/param.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "libutil/alloc.h"
#include "libutil/arena.h"
#include "libutil/buf.h"
#include "libutil/conf.h"
#include "libutil/diag.h"
#include "libutil/number.h"

/* one row being read */
struct row {
	const struct param	*param;
	const struct conf	*conf;
	struct arena		*arena;
	struct slice		 name;	/* with its service, if it has one */
	struct slice		 text;	/* expanded, unless RAW */
	int64_t			 time_unit;
	struct diag		*diag;
};

/* a value of any type, before it is stored */
struct value {
	union {
		struct slice		str;
		bool			yes;
		int64_t			number;		/* INT and TIME */
		uint64_t		size;
		struct param_list	list;
		int			word;
		uint32_t		level;
	} u;
};

/* wrong - note what is wrong with a value */
static int
wrong(const struct row *row, const char *what)
{
	return diag_set(row->diag, 0, 0, "%.*s = %.*s: %s",
	    SLICE_ARG(row->name), SLICE_ARG(slice_sub(row->text, 0, 100)),
	    what);
}

/* wrong_range - the same for a value out of its range */
static int
wrong_range(const struct row *row, const char *what)
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
parse_str(const struct row *row, struct value *v)
{
	v->u.str = row->text;
	if (!in_range(row->param, row->text.len))
		return wrong_range(row, row->text.len == 0 ?
		    "must not be empty" : "is of a wrong length");
	return 0;
}

/* parse_bool - yes or no */
static int
parse_bool(const struct row *row, struct value *v)
{
	v->u.yes = slice_equal_nocase(row->text, S("yes"));
	if (!v->u.yes && !slice_equal_nocase(row->text, S("no")))
		return wrong(row, "must be yes or no");
	return 0;
}

/* parse_int - a number between the bounds */
static int
parse_int(const struct row *row, struct value *v)
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
parse_size(const struct row *row, struct value *v)
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
parse_time(const struct row *row, struct value *v)
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
parse_list(const struct row *row, struct value *v)
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
parse_enum(const struct row *row, struct value *v)
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
parse_level(const struct row *row, struct value *v)
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
 * and how much of a struct value is stored */
static const struct {
	const char	*name;
	int		(*parse)(const struct row *, struct value *);
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

/* reading a row */

/* full_name - the row's name, behind its service's if it belongs to one */
static struct slice
full_name(struct arena *a, const struct param *p, struct slice service)
{
	assert((p->name[0] == '_') == (service.len > 0));
	return arena_printf(a, "%.*s%s", SLICE_ARG(service), p->name);
}

/* expand - the expansion of a text in the arena */
static int
expand(struct row *row, const struct conf *conf, struct slice text,
    struct slice *ret_text)
{
	struct buf	out = BUF_INIT;
	int		r;

	if ((r = conf_expand(conf, text, &out, row->diag)) == 0)
		*ret_text = arena_dup(row->arena, buf_slice(&out));
	buf_free(&out);
	return r;
}

/* find_text - the text of the row as it counts */
static int
find_text(struct row *row)
{
	const struct conf_entry	*e = conf_find(row->conf, row->name);
	struct buf		 out = BUF_INIT;
	int			 r = 0;

	row->text = e == NULL ? slice_of(row->param->dflt) : e->value;
	if (row->param->type == PARAM_RAW)
		row->text = arena_dup(row->arena, row->text);
	else if (e == NULL)
		r = expand(row, row->conf, row->text, &row->text);
	else if ((r = conf_get(row->conf, row->name, &out, row->diag)) == 0)
		row->text = arena_dup(row->arena, buf_slice(&out));
	buf_free(&out);
	return r;
}

/* find_unit - the unit of a TIME without suffix: that of its default */
static int
find_unit(struct row *row)
{
	const struct conf	*bottom = row->conf;
	struct slice		 dflt = slice_of(row->param->dflt);
	int			 r;

	row->time_unit = NUMBER_SECOND;
	if (row->param->type != PARAM_TIME)
		return 0;
	/*
	 * A default that names another parameter has that one's unit; so it
	 * is expanded among the defaults alone, where units are written.
	 */
	while (conf_under(bottom) != NULL)
		bottom = conf_under(bottom);
	if (slice_find(dflt, '$') != SLICE_NONE &&
	    (r = expand(row, bottom, dflt, &dflt)) < 0)
		return r;
	if (number_time_unit(dflt) != 0)
		row->time_unit = number_time_unit(dflt);
	return 0;
}

/* locate - name the place of the definition that a finding is about */
static void
locate(const struct row *row, struct diag *found)
{
	const struct conf_entry *e = conf_find(row->conf, row->name);
	char			 file[sizeof(found->file)];

	if (e == NULL || found->line != 0 || found->file[0] != '\0')
		return;
	(void)snprintf(file, sizeof(file), "%.*s", SLICE_ARG(e->file));
	diag_file(found, file);
	found->line = e->line;
}

/* read_row - the value of one row */
static int
read_row(const struct param *p, struct slice service, const struct conf *conf,
    struct arena *a, struct value *v, struct diag *found)
{
	struct row row = { .param = p, .conf = conf, .arena = a,
	    .name = full_name(a, p, service), .diag = found };
	int	r;

	if ((r = find_unit(&row)) < 0 || (r = find_text(&row)) < 0 ||
	    (r = types[p->type].parse(&row, v)) < 0)
		locate(&row, found);
	return r;
}

/* tables */

/* struct_size - as much of the struct as the rows fill */
static size_t
struct_size(const struct param_table *t)
{
	size_t	end = 0;

	for (size_t i = 0; i < t->count; i++)
		end = size_max(end, t->params[i].offset +
		    types[t->params[i].type].size);
	return end;
}

/* param_load_service - fill the struct of a table, for a service */
int
param_load_service(const struct param_table *t, struct slice service,
    const struct conf *conf, struct arena *a, void *ret_struct,
    struct diag *diag)
{
	size_t		 size = struct_size(t);
	char		*copy = xcalloc(1, size);
	struct diag	 found = DIAG_INIT;
	int		 r = 0;

	for (size_t i = 0; i < t->count && r == 0; i++) {
		const struct param *p = &t->params[i];
		struct value	 v = { 0 };

		if ((r = read_row(p, service, conf, a, &v, &found)) == 0)
			memcpy(&copy[p->offset], &v.u, types[p->type].size);
	}
	if (r == 0) {
		memcpy(ret_struct, copy, size);
	} else {
		diag_file(diag, found.file);
		(void)diag_set(diag, found.line, 0, "%s", found.text);
	}
	free(copy);
	return r;
}

/* param_load - fill the struct of a table */
int
param_load(const struct param_table *t, const struct conf *conf,
    struct arena *a, void *ret_struct, struct diag *diag)
{
	return param_load_service(t, SLICE_EMPTY, conf, a, ret_struct, diag);
}

/* param_check_service - check every row of a table, for a service */
size_t
param_check_service(const struct param_table *t, struct slice service,
    const struct conf *conf, void (*found)(void *arg, const struct diag *),
    void *arg)
{
	struct arena	a = ARENA_INIT;
	size_t		count = 0;

	for (size_t i = 0; i < t->count; i++) {
		struct diag	d = DIAG_INIT;
		struct value	v;

		if (read_row(&t->params[i], service, conf, &a, &v, &d) < 0) {
			found(arg, &d);
			count++;
		}
	}
	arena_free(&a);
	return count;
}

/* param_check - check every row of a table */
size_t
param_check(const struct param_table *t, const struct conf *conf,
    void (*found)(void *arg, const struct diag *), void *arg)
{
	return param_check_service(t, SLICE_EMPTY, conf, found, arg);
}

/* param_check_text - would the row take this text? */
int
param_check_text(const struct param *p, struct slice text, struct diag *diag)
{
	struct arena	 a = ARENA_INIT;
	struct conf	*empty = conf_new(NULL);
	struct row	 row = { .param = p, .conf = empty, .arena = &a,
			    .name = slice_of(p->name), .text = text,
			    .diag = diag };
	struct value	 v;
	int		 r;

	if ((r = find_unit(&row)) == 0)
		r = types[p->type].parse(&row, &v);
	conf_free(&empty);
	arena_free(&a);
	return r;
}

/* param_defaults_service - the defaults of a table, for a service */
void
param_defaults_service(struct conf *conf, const struct param_table *t,
    struct slice service)
{
	struct arena	a = ARENA_INIT;
	struct slice	name;

	for (size_t i = 0; i < t->count; i++) {
		name = full_name(&a, &t->params[i], service);
		if (conf_find_here(conf, name) == NULL)
			conf_put(conf, name, slice_of(t->params[i].dflt), "",
			    0);
	}
	arena_free(&a);
}

/* param_defaults - the defaults of a table */
void
param_defaults(struct conf *conf, const struct param_table *t)
{
	param_defaults_service(conf, t, SLICE_EMPTY);
}

/* printing */

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
	struct value	 v = { 0 };

	memcpy(&v.u, &from[p->offset], types[p->type].size);
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
