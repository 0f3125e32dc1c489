/* SPDX-License-Identifier: ISC */
/* postconf, as Postfix's. */
#include <getopt.h>
#include <stdio.h>

#include "libglobal/map.h"
#include "libutil/conf.h"
#include "tools/compat.h"
#include "tools/conf_view.h"

struct options {
	bool	defaults;	/* -d */
	bool	no_names;	/* -h */
	bool	no_values;	/* -H */
	bool	set_only;	/* -n */
	bool	expand;		/* -x */
	char	where;		/* M F P, or 0: main.cf */
	char	edit;		/* e X #, or 0 */
	bool	maps;		/* -m */
	bool	folded;		/* -f */
};

static void
print_row(const struct conf_view *v, const struct conf_row *row,
    const struct options *o)
{
	struct slice value = o->defaults ? conf_view_default(v, row) :
	    conf_view_value(v, row);

	if (o->expand)
		value = conf_view_expand(v, value);
	if (o->no_values)
		printf("%.*s\n", SLICE_ARG(row->name));
	else if (o->no_names)
		printf("%.*s\n", SLICE_ARG(value));
	else
		printf("%.*s =%s%.*s\n", SLICE_ARG(row->name),
		    value.len > 0 ? " " : "", SLICE_ARG(value));
}

/* print_rows - those that are named, or all */
static int
print_rows(struct tool *tool, const struct options *o, char **names,
    size_t count)
{
	struct conf_view v;

	conf_view_init(&v, tool);
	for (size_t i = 0; i < v.count && count == 0; i++)
		if ((!o->set_only || v.row[i].entry != NULL) &&
		    (!o->defaults || v.row[i].param != NULL))
			print_row(&v, &v.row[i], o);
	for (size_t i = 0; i < count; i++) {
		const struct conf_row *row =
		    conf_view_find(&v, slice_of(names[i]));
		struct conf_row of_service = { slice_of(names[i]),
		    param_registry_find(&v.registry, slice_of(names[i])),
		    NULL };

		if (row == NULL && of_service.param != NULL)
			row = &of_service;
		if (row == NULL)
			tool_warn(tool, "%s: unknown parameter", names[i]);
		else if (!o->set_only || row->entry != NULL)
			print_row(&v, row, o);
	}
	conf_view_done(&v);
	return TOOL_OK;
}

static int
print_maps(void)
{
	const struct map_type *t;

	for (size_t i = 0; (t = map_type_at(i)) != NULL; i++)
		if (map_type_is_installed(t))
			printf("%s\n", t->name);
	return TOOL_OK;
}

/* override - -o name=value, over main.cf for this run */
static int
override(struct tool *tool, const char *arg)
{
	struct diag diag = DIAG_INIT;

	if (tool_conf(tool) != 0)
		return TOOL_FAILED;
	if (conf_override(tool->conf, slice_of(arg), "-o", 0, &diag) < 0)
		return tool_fail_diag(tool, &diag);
	return TOOL_OK;
}

static int
one_option(struct tool *tool, struct options *o, int c)
{
	switch (c) {
	case 'c':
		tool->config_directory = optarg;
		break;
	case 'd':
		o->defaults = true;
		break;
	case 'h':
		o->no_names = true;
		break;
	case 'H':
		o->no_values = true;
		break;
	case 'n':
		o->set_only = true;
		break;
	case 'x':
		o->expand = true;
		break;
	case 'm':
		o->maps = true;
		break;
	case 'o':
		return override(tool, optarg);
	case 'M':
	case 'F':
	case 'P':
		o->where = (char)c;
		break;
	case 'e':
	case 'X':
	case '#':
		o->edit = (char)c;
		break;
	case 'f':
		o->folded = true;
		break;
	case 'p':
	case 'q':
	case 'v':
		break;		/* -p is the default */
	default:
		return TOOL_FAILED;
	}
	return TOOL_OK;
}

static enum conf_change
change_of(char edit)
{
	return edit == 'X' ? CONF_REMOVE : edit == '#' ? CONF_COMMENT :
	    CONF_SET;
}

/* compat_postconf - print or change parameters and services */
int
compat_postconf(struct tool *tool, int argc, char **argv)
{
	struct options	o = { 0 };
	char		**words;
	size_t		count;
	int		c;

	while ((c = getopt(argc, argv, "#c:deFfhHmMno:pPqvxX")) != -1)
		if (one_option(tool, &o, c) != TOOL_OK)
			return TOOL_FAILED;
	words = argv + optind;
	count = (size_t)(argc - optind);
	/* NAME=VALUE without -e means -e, as with Postfix */
	for (size_t i = 0; i < count && o.edit == '\0'; i++)
		if (strchr(words[i], '=') != NULL)
			o.edit = 'e';
	if (o.edit != '\0' && count == 0)
		return tool_fail(tool, "-%c needs names", o.edit);
	if (o.maps)
		return print_maps();
	switch (o.where) {
	case 'M':
		return postconf_rows(tool, change_of(o.edit), o.edit != '\0',
		    o.folded, words, count);
	case 'F':
		return postconf_fields(tool, o.edit != '\0', words, count);
	case 'P':
		return postconf_overrides(tool, change_of(o.edit),
		    o.edit != '\0', words, count);
	}
	if (o.edit != '\0')
		return conf_change(tool, change_of(o.edit), words, count);
	return tool_conf(tool) != 0 ? TOOL_FAILED :
	    print_rows(tool, &o, words, count);
}
