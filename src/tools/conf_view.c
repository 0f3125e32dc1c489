/* SPDX-License-Identifier: ISC */
/* The rows are those of all tables, and what main.cf defines besides. */
#include "tools/conf_view.h"
#include "tools/check.h"

#include <stdlib.h>

#include "libutil/buf.h"
#include "libutil/conf.h"
#include "libutil/conf_edit.h"
#include "tools/tables.h"

static int
by_name(const void *a, const void *b)
{
	return slice_compare(((const struct conf_row *)a)->name,
	    ((const struct conf_row *)b)->name);
}

/* add_row - unless the name is there */
static void
add_row(struct conf_view *v, struct hash *seen, struct slice name,
    const struct param *param)
{
	struct conf_row *row = &v->row[v->count];

	if (hash_get(seen, name) != NULL)
		return;
	(void)hash_put(seen, name, row);
	row->name = name;
	row->param = param;
	row->entry = conf_find_here(v->tool->conf, name);
	v->count++;
}

/* conf_view_init - all names, in order */
void
conf_view_init(struct conf_view *v, struct tool *tool)
{
	const struct conf_entry	*e;
	struct hash		 seen = HASH_INIT;
	size_t			 at = 0, most = 0;

	*v = (struct conf_view){ .tool = tool,
	    .registry = PARAM_REGISTRY_INIT };
	tables_register(&v->registry);
	for (size_t i = 0; i < v->registry.count; i++)
		most += v->registry.tables[i]->count;
	while (conf_each(tool->conf, &at) != NULL)
		most++;
	v->row = ARENA_ARRAY(&tool->arena, struct conf_row, most);
	for (size_t i = 0; i < v->registry.count; i++)
		for (size_t j = 0; j < v->registry.tables[i]->count; j++) {
			const struct param *p =
			    &v->registry.tables[i]->params[j];

			/* "_limit" belongs to services: known by its end */
			if (p->name[0] != '_')
				add_row(v, &seen, slice_of(p->name), p);
		}
	for (at = 0; (e = conf_each(tool->conf, &at)) != NULL;)
		add_row(v, &seen, e->name,
		    param_registry_find(&v->registry, e->name));
	hash_free(&seen);
	qsort(v->row, v->count, sizeof(v->row[0]), by_name);
}

/* conf_view_done - release it */
void
conf_view_done(struct conf_view *v)
{
	param_registry_free(&v->registry);
}

/* conf_view_find - the row of a name */
const struct conf_row *
conf_view_find(const struct conf_view *v, struct slice name)
{
	struct conf_row key = { .name = name };

	return bsearch(&key, v->row, v->count, sizeof(key), by_name);
}

/* conf_view_default - as written */
struct slice
conf_view_default(const struct conf_view *v, const struct conf_row *row)
{
	const struct conf_entry *e = conf_find(v->tool->defaults, row->name);

	if (e != NULL)
		return e->value;
	return row->param == NULL ? SLICE_EMPTY : slice_of(row->param->dflt);
}

/* conf_view_value - what counts */
struct slice
conf_view_value(const struct conf_view *v, const struct conf_row *row)
{
	return row->entry != NULL ? row->entry->value :
	    conf_view_default(v, row);
}

/* conf_view_expand - with its $names; those of daemons have their defaults */
struct slice
conf_view_expand(const struct conf_view *v, struct slice value)
{
	struct conf	*base = conf_new(NULL), *top;
	struct buf	 b = BUF_INIT;
	struct slice	 text = value;

	for (size_t i = 0; i < v->count; i++)
		if (v->row[i].entry == NULL)
			conf_put(base, v->row[i].name,
			    conf_view_default(v, &v->row[i]), "", 0);
	top = conf_new(base);
	for (size_t i = 0; i < v->count; i++)
		if (v->row[i].entry != NULL)
			conf_put(top, v->row[i].name, v->row[i].entry->value,
			    "", 0);
	if (conf_expand(top, value, &b, NULL) == 0)
		text = arena_dup(&v->tool->arena, buf_slice(&b));
	buf_free(&b);
	conf_free(&top);
	conf_free(&base);
	return text;
}

/* conf_view_unknown - say so */
int
conf_view_unknown(const struct conf_view *v, struct slice name)
{
	const struct check_postfix *of_postfix = check_postfix_find(name);
	struct buf near = BUF_INIT;

	if (of_postfix != NULL)
		return tool_fail(v->tool, "%.*s is a parameter of Postfix "
		    "that is not here. %s", SLICE_ARG(name),
		    of_postfix->sentence);
	param_nearest(&v->registry, v->tool->conf, name, &near);
	(void)tool_fail(v->tool, "there is no parameter \"%.*s\"; %s%s",
	    SLICE_ARG(name), near.len > 0 ? "like it are: " :
	    "\"barid conf list\" shows all there are", buf_cstr(&near));
	buf_free(&near);
	return TOOL_FAILED;
}

/* check_value - may the parameter have it? */
static int
check_value(struct conf_view *v, struct slice name, struct slice value)
{
	const struct param	*p = param_registry_find(&v->registry, name);
	struct diag		 diag = DIAG_INIT;

	if (p == NULL || slice_find(value, '$') != SLICE_NONE)
		return TOOL_OK;	/* the user's own, or known when expanded */
	if (param_check_text(p, value, &diag) == 0)
		return TOOL_OK;
	return tool_fail(v->tool, "%s", diag.text);
}

/* change_one - the text of the file with one more change */
static int
change_one(struct conf_view *v, enum conf_change change, const char *word,
    struct slice text, struct buf *out)
{
	struct slice	value = slice_of(word);
	struct slice	name = slice_trim(slice_split(&value, '='));
	struct diag	diag = DIAG_INIT;
	int		r;

	value = slice_trim(value);
	if (change == CONF_SET && strchr(word, '=') == NULL)
		return tool_fail(v->tool, "%s: give NAME=VALUE", word);
	if (!conf_is_name(name))
		return tool_fail(v->tool, "\"%.*s\" is no name of a parameter",
		    SLICE_ARG(name));
	if (change == CONF_SET) {
		if (check_value(v, name, value) != TOOL_OK)
			return TOOL_FAILED;
		r = conf_edit_set(text, name, value, out, &diag);
	} else if (change == CONF_REMOVE)
		r = conf_edit_remove(text, name, out, &diag);
	else
		r = conf_edit_comment(text, name, out, &diag);
	return r < 0 ? tool_fail_diag(v->tool, &diag) : TOOL_OK;
}

/* conf_change - all changes, one after the other, and then the file */
int
conf_change(struct tool *tool, enum conf_change change, char **words,
    size_t count)
{
	struct slice		path;
	struct slice		text;
	struct conf_view	*v;
	int			r;

	if ((r = tool_conf(tool)) != 0)
		return r;
	path = arena_printf(&tool->arena, "%s/main.cf", tool->config_directory);
	if ((r = tool_read_file(tool, path.data, &text)) != 0)
		return r;
	v = ARENA_NEW(&tool->arena, struct conf_view);
	conf_view_init(v, tool);
	for (size_t i = 0; i < count && r == TOOL_OK; i++) {
		struct buf b = BUF_INIT;

		r = change_one(v, change, words[i], text, &b);
		text = arena_dup(&tool->arena, buf_slice(&b));
		buf_free(&b);
	}
	conf_view_done(v);
	return r != TOOL_OK ? r : tool_write_file(tool, path.data, text);
}
