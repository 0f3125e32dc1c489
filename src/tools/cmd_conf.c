/* SPDX-License-Identifier: ISC */
/* barid conf. */
#include <stdio.h>

#include "libutil/buf.h"
#include "libutil/conf.h"
#include "libutil/json_write.h"
#include "tools/conf_view.h"
#include "tools/tables.h"
#include "tools/verbs.h"

static void
print_json(const struct conf_view *v, const struct conf_row *row)
{
	struct buf		b = BUF_INIT;
	struct json_writer	w = json_writer_into(&b);

	json_object_begin(&w);
	json_key(&w, S("name"));
	json_string(&w, row->name);
	json_key(&w, S("value"));
	json_string(&w, conf_view_value(v, row));
	json_key(&w, S("default"));
	json_string(&w, conf_view_default(v, row));
	json_key(&w, S("set"));
	json_bool(&w, row->entry != NULL);
	json_key(&w, S("gist"));
	json_text(&w, row->param == NULL ? NULL : row->param->gist);
	json_object_end(&w);
	json_writer_end(&w);
	printf("%.*s\n", SLICE_ARG(buf_slice(&b)));
	buf_free(&b);
}

static void
print_row(const struct conf_view *v, const struct conf_row *row)
{
	if (v->tool->json)
		print_json(v, row);
	else
		printf("%.*s = %.*s\n", SLICE_ARG(row->name),
		    SLICE_ARG(conf_view_value(v, row)));
}

/* verb_conf_list - every parameter */
int
verb_conf_list(struct tool *tool, int argc, char **argv)
{
	struct conf_view v;

	(void)argv;
	if (argc != 1)
		return TOOL_USAGE;
	if (tool_conf(tool) != 0)
		return TOOL_FAILED;
	conf_view_init(&v, tool);
	for (size_t i = 0; i < v.count; i++)
		print_row(&v, &v.row[i]);
	conf_view_done(&v);
	return TOOL_OK;
}

/* verb_conf_get - the values that count, expanded */
int
verb_conf_get(struct tool *tool, int argc, char **argv)
{
	struct conf_view	v;
	int			r = TOOL_OK;

	if (argc < 2)
		return TOOL_USAGE;
	if (tool_conf(tool) != 0)
		return TOOL_FAILED;
	conf_view_init(&v, tool);
	for (int i = 1; i < argc; i++) {
		const struct conf_row *row =
		    conf_view_find(&v, slice_of(argv[i]));

		if (row == NULL)
			r = conf_view_unknown(&v, slice_of(argv[i]));
		else if (tool->json)
			print_json(&v, row);
		else
			printf("%.*s\n", SLICE_ARG(conf_view_expand(&v,
			    conf_view_value(&v, row))));
	}
	conf_view_done(&v);
	return r;
}

/* verb_conf_set - NAME=VALUE; a parameter nobody knows is refused */
int
verb_conf_set(struct tool *tool, int argc, char **argv)
{
	struct conf_view	v;
	int			r = TOOL_OK;

	if (argc < 2)
		return TOOL_USAGE;
	if (tool_conf(tool) != 0)
		return TOOL_FAILED;
	conf_view_init(&v, tool);
	for (int i = 1; i < argc && r == TOOL_OK; i++) {
		struct slice rest = slice_of(argv[i]);
		struct slice name = slice_trim(slice_split(&rest, '='));

		if (conf_view_find(&v, name) == NULL &&
		    param_registry_find(&v.registry, name) == NULL)
			r = conf_view_unknown(&v, name);
	}
	conf_view_done(&v);
	return r != TOOL_OK ? r : conf_change(tool, CONF_SET, argv + 1,
	    (size_t)argc - 1);
}

/* verb_conf_unset - back to the default */
int
verb_conf_unset(struct tool *tool, int argc, char **argv)
{
	return argc < 2 ? TOOL_USAGE : conf_change(tool, CONF_REMOVE, argv + 1,
	    (size_t)argc - 1);
}

/* print_range - the least and the most, in the words of its type */
static void
print_range(const struct param *p)
{
	const char *unit = p->type == PARAM_STR || p->type == PARAM_RAW ?
	    " bytes" : "";

	if (p->type == PARAM_ENUM)
		printf("  one of: %s\n", p->min);
	else if (p->min[0] != '\0' && p->max[0] != '\0')
		printf("  from %s to %s%s\n", p->min, p->max, unit);
	else if (p->min[0] != '\0')
		printf("  at least %s%s\n", p->min, unit);
	else if (p->max[0] != '\0')
		printf("  at most %s%s\n", p->max, unit);
}

/* print_readers - the manual pages of the programs that read it */
static void
print_readers(struct slice name)
{
	const char *gap = "  read by: ", *last = "";

	for (const struct tables_params *t = tables_params; t->table != NULL;
	    t++)
		for (size_t i = 0; i < t->table->count; i++) {
			if (!slice_equal(name,
			    slice_of(t->table->params[i].name)) ||
			    strcmp(t->page, last) == 0 ||
			    !slice_has_suffix(slice_of(t->page), S(".8")))
				continue;
			printf("%s%.*s", gap, (int)strlen(t->page) - 2,
			    t->page);
			last = t->page;
			gap = ", ";
		}
	if (last[0] != '\0')
		putchar('\n');
}

/* print_overrides - the services that have it otherwise */
static void
print_overrides(const struct tool *tool, struct slice name)
{
	for (size_t i = 0; i < tool->cf.count; i++) {
		const struct mastercf_service *s = &tool->cf.service[i];

		for (size_t n = 0; n < s->override_count; n++)
			if (slice_equal(name, s->override[n].name))
				printf("  service %.*s (master.cf, line %u): "
				    "%.*s\n", SLICE_ARG(s->name),
				    s->override[n].line,
				    SLICE_ARG(s->override[n].value));
	}
}

/* explain - all that is known of a parameter */
static void
explain(const struct conf_view *v, const struct conf_row *row)
{
	const struct param *p = row->param;

	printf("%.*s = %.*s\n", SLICE_ARG(row->name),
	    SLICE_ARG(conf_view_value(v, row)));
	if (row->entry != NULL)
		printf("  set in %.*s, line %u\n", SLICE_ARG(row->entry->file),
		    row->entry->line);
	print_overrides(v->tool, row->name);
	if (p == NULL) {
		printf("  A name of your own: other values can use it as "
		    "$%.*s.\n", SLICE_ARG(row->name));
		return;
	}
	printf("  %s\n", p->gist);
	if (p->doc[0] != '\0')
		printf("  %s\n", p->doc);
	printf("  type: %s\n", param_type_name(p->type));
	printf("  default: %.*s\n", SLICE_ARG(conf_view_default(v, row)));
	print_range(p);
	print_readers(row->name);
}

/* verb_conf_explain - what a parameter is for */
int
verb_conf_explain(struct tool *tool, int argc, char **argv)
{
	struct conf_view	v;
	int			r = TOOL_OK;

	if (argc < 2)
		return TOOL_USAGE;
	if (tool_conf(tool) != 0)
		return TOOL_FAILED;
	conf_view_init(&v, tool);
	for (int i = 1; i < argc; i++) {
		struct slice name = slice_of(argv[i]);
		const struct conf_row *row = conf_view_find(&v, name);
		struct conf_row of_service = { name,
		    param_registry_find(&v.registry, name), NULL };

		if (row == NULL && of_service.param != NULL)
			row = &of_service;
		if (row == NULL)
			r = conf_view_unknown(&v, name);
		else
			explain(&v, row);
	}
	conf_view_done(&v);
	return r;
}

/* verb_conf_diff - what is not as it comes */
int
verb_conf_diff(struct tool *tool, int argc, char **argv)
{
	struct conf_view v;

	(void)argv;
	if (argc != 1)
		return TOOL_USAGE;
	if (tool_conf(tool) != 0)
		return TOOL_FAILED;
	conf_view_init(&v, tool);
	for (size_t i = 0; i < v.count; i++) {
		const struct conf_row *row = &v.row[i];
		struct slice dflt = conf_view_default(&v, row);

		if (row->entry == NULL || (row->param != NULL &&
		    slice_equal(row->entry->value, dflt)))
			continue;
		if (tool->json)
			print_json(&v, row);
		else if (row->param == NULL)
			printf("+%.*s = %.*s\n", SLICE_ARG(row->name),
			    SLICE_ARG(row->entry->value));
		else
			printf("-%.*s = %.*s\n+%.*s = %.*s\n",
			    SLICE_ARG(row->name), SLICE_ARG(dflt),
			    SLICE_ARG(row->name),
			    SLICE_ARG(row->entry->value));
	}
	conf_view_done(&v);
	return TOOL_OK;
}
