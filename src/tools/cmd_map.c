/* SPDX-License-Identifier: ISC */
/* barid map; postmap, postalias and newaliases. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "libglobal/map.h"
#include "libglobal/map_make.h"
#include "libutil/buf.h"
#include "libutil/conf.h"
#include "tools/compat.h"
#include "tools/verbs.h"

#define DEFAULT_TYPE	"hash"

/* full_spec - "type:name", with the default type where there is none */
static struct slice
full_spec(struct tool *tool, const char *text)
{
	const char *type;

	if (strchr(text, ':') != NULL)
		return slice_of(text);
	type = tool_conf(tool) == 0 ? tool_value(tool, "default_database_type") :
	    "";
	return arena_printf(&tool->arena, "%s:%s",
	    type[0] == '\0' ? DEFAULT_TYPE : type, text);
}

static void
warn(void *arg, const struct diag *d)
{
	struct tool	*tool = arg;
	struct buf	 b = BUF_INIT;

	diag_format(&b, d);
	tool_warn(tool, "%s", buf_cstr(&b));
	buf_free(&b);
}

/* make - build one table */
static int
make(struct tool *tool, const char *text, struct map_make_options *o)
{
	struct slice	spec = full_spec(tool, text);
	struct diag	diag = DIAG_INIT;
	int		r;

	o->warn = warn;
	o->arg = tool;
	r = map_make(spec, o, &diag, NULL);
	if (r == 0)
		return TOOL_OK;
	if (r == -EOPNOTSUPP && diag.text[0] == '\0')
		return tool_fail(tool, "%.*s: a table of this type is not "
		    "built", SLICE_ARG(spec));
	return diag.text[0] != '\0' ? tool_fail_diag(tool, &diag) :
	    tool_fail(tool, "%.*s: %s", SLICE_ARG(spec), strerror(-r));
}

/* is_built - must a table of that kind be built? */
static bool
is_built(struct slice spec)
{
	const struct map_type *type = map_type_find(slice_split(&spec, ':'));

	return type != NULL && (type->flags & MAP_TYPE_BUILT) != 0;
}

static int
open_map(struct tool *tool, const char *text, unsigned flags,
    struct map **ret_map)
{
	struct slice	spec = full_spec(tool, text);
	struct diag	diag = DIAG_INIT;
	int		r = map_open(spec, flags, &diag, ret_map);

	if (r == 0)
		return TOOL_OK;
	if (r == -ENOENT && is_built(spec))
		return tool_fail(tool, "%.*s: it is not there; \"barid map "
		    "make %.*s\" builds it from its text", SLICE_ARG(spec),
		    SLICE_ARG(spec));
	return diag.text[0] != '\0' ? tool_fail_diag(tool, &diag) :
	    tool_fail(tool, "%.*s: %s", SLICE_ARG(spec), strerror(-r));
}

/* query - print what a key has, behind it if between is not NULL; TOOL_FAILED
 * if it has nothing */
static int
query(struct tool *tool, struct map *map, struct slice key, const char *between)
{
	struct buf	value = BUF_INIT;
	int		r = map_get(map, key, &value);

	if (r == 0 && between != NULL)
		printf("%.*s%s%.*s\n", SLICE_ARG(key), between,
		    SLICE_ARG(buf_slice(&value)));
	else if (r == 0)
		printf("%.*s\n", SLICE_ARG(buf_slice(&value)));
	else if (r != -ENOENT)
		(void)tool_fail(tool, "%s: %.*s: %s", map_spec(map),
		    SLICE_ARG(key), strerror(-r));
	buf_free(&value);
	return r == 0 ? TOOL_OK : TOOL_FAILED;
}

/* query_all - one key, or with "-" each line of standard input */
static int
query_all(struct tool *tool, struct map *map, const char *key,
    const char *between)
{
	char	line[1024];
	int	r = TOOL_FAILED;

	if (strcmp(key, "-") != 0)
		return query(tool, map, slice_of(key), NULL);
	while (fgets(line, sizeof(line), stdin) != NULL)
		if (query(tool, map, slice_trim(slice_of(line)), between) ==
		    TOOL_OK)
			r = TOOL_OK;
	return r;
}

/* query_param - the tables of a parameter, the first that has the key */
static int
query_param(struct tool *tool, const char *param, const char *key)
{
	struct map_list	*list = NULL;
	struct diag	 diag = DIAG_INIT;
	struct map	*map;
	int		 r = TOOL_FAILED;

	if (map_list_open(slice_of(tool_value(tool, param)), 0, &diag,
	    &list) < 0)
		return tool_fail_diag(tool, &diag);
	for (size_t i = 0; r != TOOL_OK &&
	    (map = map_list_at(list, i)) != NULL; i++)
		r = query_all(tool, map, key, "\t");
	map_list_close(&list);
	return r;
}

static int
print_pair(void *arg, struct slice key, struct slice value)
{
	const char *const *between = arg;

	printf("%.*s%s%.*s\n", SLICE_ARG(key), *between, SLICE_ARG(value));
	return 0;
}

/* list - all of a table (-s) */
static int
list(struct tool *tool, const char *text, const char *between)
{
	struct map	*map;
	int		 r = open_map(tool, text, 0, &map);

	if (r != TOOL_OK)
		return r;
	r = map_each(map, print_pair, &between);
	if (r < 0)
		(void)tool_fail(tool, "%s: %s", map_spec(map),
		    r == -EOPNOTSUPP ? "no list can be made of this type" :
		    strerror(-r));
	map_close(&map);
	return r < 0 ? TOOL_FAILED : TOOL_OK;
}

int
verb_map_make(struct tool *tool, int argc, char **argv)
{
	struct map_make_options	o = MAP_MAKE_OPTIONS_INIT;
	int			r = TOOL_OK;

	if (argc < 2)
		return TOOL_USAGE;
	for (int i = 1; i < argc; i++)
		r |= make(tool, argv[i], &o);
	return r == TOOL_OK ? TOOL_OK : TOOL_FAILED;
}

int
verb_map_query(struct tool *tool, int argc, char **argv)
{
	struct map	*map;
	int		 r;

	if (argc != 3)
		return TOOL_USAGE;
	if (strchr(argv[1], ':') == NULL && strcmp(argv[2], "-") != 0 &&
	    tool_conf(tool) == 0 && tool_value(tool, argv[1])[0] != '\0')
		return query_param(tool, argv[1], argv[2]);
	if ((r = open_map(tool, argv[1], 0, &map)) != TOOL_OK)
		return r;
	r = query_all(tool, map, argv[2], "\t");
	map_close(&map);
	return r;
}

int
verb_map_list(struct tool *tool, int argc, char **argv)
{
	return argc != 2 ? TOOL_USAGE : list(tool, argv[1], "\t");
}

/* what postmap and postalias were told */
struct options {
	struct map_make_options	make;
	const char		*query;
	const char		*delete;
	bool			 from_stdin;
	bool			 list;
	unsigned		 flags;
};

static int
one_option(struct tool *tool, struct options *o, int c)
{
	switch (c) {
	case 'c':
		tool->config_directory = optarg;
		break;
	case 'd':
		o->delete = optarg;
		break;
	case 'q':
		o->query = optarg;
		break;
	case 's':
		o->list = true;
		break;
	case 'i':
		o->make.add = true;
		o->from_stdin = true;
		break;
	case 'r':
		o->make.replace = true;
		break;
	case 'w':
		o->make.ignore_duplicates = true;
		break;
	case 'f':
		o->make.no_fold = true;
		o->flags |= MAP_NO_FOLD;
		break;
	case 'n':
		o->make.no_nul = true;
		break;
	case 'o':
		o->make.keep_root = true;
		break;
	case 'p':
		o->make.open_mode = true;
		break;
	case '?':
		return TOOL_FAILED;
	case 'b':
	case 'h':
	case 'm':
		return tool_fail(tool, "-%c: keys are not read from messages "
		    "here", c);
	case 'F':
		return tool_fail(tool, "-F: tables do not have files as values "
		    "here");
	case 'U':
		return tool_fail(tool, "-U: only ASCII letters are folded");
	default:
		break;	/* -N and -u are the default, -v changes nothing */
	}
	return TOOL_OK;
}

/* delete - take a key out of a built file */
static int
delete(struct tool *tool, const char *text, struct options *o)
{
	struct slice	key = slice_of(o->delete);
	struct diag	diag = DIAG_INIT;
	size_t		deleted = 0;
	int		r;

	r = map_delete(full_spec(tool, text), &o->make, &key, 1, &diag,
	    &deleted);
	if (r < 0)
		return diag.text[0] != '\0' ? tool_fail_diag(tool, &diag) :
		    tool_fail(tool, "%s: %s", text, strerror(-r));
	return deleted > 0 ? TOOL_OK : TOOL_FAILED;
}

/* on_table - what the options say, with one table */
static int
on_table(struct tool *tool, const char *text, struct options *o)
{
	const char	*between = o->make.syntax == MAP_SYNTAX_ALIASES ?
			    ":\t" : "\t";
	struct map	*map;
	int		 r;

	if (o->list)
		return list(tool, text, between);
	if (o->delete != NULL)
		return delete(tool, text, o);
	if (o->query != NULL) {
		if ((r = open_map(tool, text, o->flags, &map)) != TOOL_OK)
			return r;
		r = query_all(tool, map, o->query, between);
		map_close(&map);
		return r;
	}
	if (o->from_stdin)
		o->make.input = STDIN_FILENO;
	return make(tool, text, &o->make);
}

/* run - postmap or postalias */
static int
run(struct tool *tool, int argc, char **argv, enum map_syntax syntax)
{
	struct options	o = { .make = MAP_MAKE_OPTIONS_INIT };
	int		c, r = TOOL_OK;

	o.make.syntax = syntax;
	while ((c = getopt(argc, argv, "bc:d:fFhimnNopq:rsuUvw")) != -1)
		if (one_option(tool, &o, c) != TOOL_OK)
			return TOOL_FAILED;
	if (o.list + (o.query != NULL) + (o.delete != NULL) > 1)
		return tool_fail(tool, "specify only one of -s, -q and -d");
	if (optind == argc)
		return tool_fail(tool, "usage: %s [-Nfinoprsuvw] [-c config_dir] "
		    "[-d key] [-q key] [file_type:]file_name ...", tool->name);
	for (; optind < argc; optind++) {
		r = on_table(tool, argv[optind], &o);
		/* a query is answered by the first table that has the key */
		if ((o.query != NULL || o.delete != NULL) == (r == TOOL_OK))
			break;
	}
	return r == TOOL_OK ? TOOL_OK : TOOL_FAILED;
}

int
compat_postmap(struct tool *tool, int argc, char **argv)
{
	return run(tool, argc, argv, MAP_SYNTAX_TABLE);
}

int
compat_postalias(struct tool *tool, int argc, char **argv)
{
	return run(tool, argc, argv, MAP_SYNTAX_ALIASES);
}

/* compat_newaliases - all tables of alias_database, else of alias_maps */
int
compat_newaliases(struct tool *tool, int argc, char **argv)
{
	struct map_make_options	o = MAP_MAKE_OPTIONS_INIT;
	struct slice		rest, item;
	int			c, r = TOOL_OK;

	optind = 1;		/* sendmail has used it */
	while ((c = getopt(argc, argv, "C:v")) == 'C' || c == 'v')
		if (c == 'C')
			tool->config_directory = optarg;
	if (c != -1 || optind < argc) {
		(void)tool_fail(tool, "usage: newaliases [-v] [-C config_dir]");
		return EX_USAGE;
	}
	if (tool_conf(tool) != 0)
		return TOOL_FAILED;
	rest = slice_of(tool_value(tool, "alias_database"));
	if (rest.len == 0)
		rest = slice_of(tool_value(tool, "alias_maps"));
	if (rest.len == 0)
		rest = S("hash:/etc/aliases");
	o.syntax = MAP_SYNTAX_ALIASES;
	while (conf_list_next(&rest, &item) > 0)
		if (is_built(item))
			r |= make(tool, arena_text(&tool->arena, item), &o);
	return r == TOOL_OK ? TOOL_OK : TOOL_FAILED;
}
