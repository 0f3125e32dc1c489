/* SPDX-License-Identifier: ISC */
/* postconf, as Postfix's. */
#include <getopt.h>
#include <openssl/crypto.h>
#include <openssl/opensslv.h>
#include <stdio.h>

#include "libglobal/map.h"
#include "libutil/buf.h"
#include "libutil/conf.h"
#include "tools/compat.h"
#include "tools/conf_view.h"

#define OPTIONS	"#aAbc:C:defFhHlmMno:pPtT:vxX"
#define TYPES	"aAblmtT"	/* that print something else than parameters */
#define LINE_MAX_OUT	80	/* of a folded line, as Postfix folds */

enum class { BUILTIN = 1, SERVICE = 2, USER = 4, ALL = 7 };

struct options {
	char		 seen[40];	/* letters, each once */
	unsigned	 classes;	/* -C */
	const char	*tls;		/* -T */
	char		 where;		/* M F P, or 0: main.cf */
	char		 edit;		/* e X #, or 0 */
};

/* has - was that option given? */
static bool
has(const struct options *o, char letter)
{
	return strchr(o->seen, letter) != NULL;
}

/* any_of - the first of those letters that was given, or 0 */
static char
any_of(const struct options *o, const char *letters)
{
	letters += strcspn(letters, o->seen);
	return *letters;
}

/* print_folded - cut before words where a line would be too long */
static void
print_folded(struct slice text)
{
	struct slice	word;
	size_t		at = 0;

	while (slice_next_word(&text, " \t\n", &word)) {
		if (at > 0 && at + 1 + word.len >= LINE_MAX_OUT)
			at = (size_t)printf("\n    %.*s", SLICE_ARG(word)) - 1;
		else
			at += (size_t)printf("%s%.*s", at > 0 ? " " : "",
			    SLICE_ARG(word));
	}
	putchar('\n');
}

/* print_row - one parameter */
static void
print_row(const struct conf_view *v, const struct conf_row *row,
    const struct options *o)
{
	struct buf	out = BUF_INIT;
	struct slice	value = has(o, 'd') ? conf_view_default(v, row) :
			    conf_view_value(v, row);

	if (has(o, 'x'))
		value = conf_view_expand(v, value);
	if (has(o, 'H'))
		buf_add(&out, row->name);
	else if (has(o, 'h'))
		buf_add(&out, value);
	else
		buf_addf(&out, "%.*s =%s%.*s", SLICE_ARG(row->name),
		    value.len > 0 ? " " : "", SLICE_ARG(value));
	if (has(o, 'f'))
		print_folded(buf_slice(&out));
	else
		printf("%.*s\n", SLICE_ARG(buf_slice(&out)));
	buf_free(&out);
}

/* class_of - rows of a service have names that begin with what is its name */
static enum class
class_of(const struct conf_row *row)
{
	return row->param == NULL ? USER : row->param->name[0] == '_' ?
	    SERVICE : BUILTIN;
}

/* print_rows - those that are named, or all */
static int
print_rows(struct tool *tool, const struct options *o, char **names,
    size_t count)
{
	struct conf_view v;

	conf_view_init(&v, tool);
	for (size_t i = 0; i < v.count && count == 0; i++)
		if ((!has(o, 'n') || v.row[i].entry != NULL) &&
		    (!has(o, 'd') || v.row[i].param != NULL) &&
		    (o->classes & class_of(&v.row[i])) != 0)
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
		else if (!has(o, 'n') || row->entry != NULL)
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

/* take_classes - -C */
static int
take_classes(struct tool *tool, struct options *o, const char *text)
{
	static const struct { const char *name; enum class class; } names[] = {
		{ "all", ALL }, { "builtin", BUILTIN }, { "service", SERVICE },
		{ "user", USER },
	};
	struct slice	rest = slice_of(text), word;
	size_t		i;

	while (slice_next_word(&rest, ", \t", &word)) {
		for (i = 0; i < COUNT(names); i++)
			if (slice_equal(word, slice_of(names[i].name)))
				break;
		if (i == COUNT(names))
			return tool_fail(tool, "-C %.*s: give all, builtin, "
			    "service or user", SLICE_ARG(word));
		o->classes |= names[i].class;
	}
	return TOOL_OK;
}

/* one_option - note it */
static int
one_option(struct tool *tool, struct options *o, int c)
{
	if (c == '?')
		return tool_fail(tool, "usage: postconf [-dfhHnpvx] [-c "
		    "config_dir] [-C class] [-o name=value] [name ...] | -e "
		    "name=value ... | -X|-# name ... | -M|-F|-P [-e|-X|-#] "
		    "[service ...] | -b|-t [file] | -a | -A | -l | -m | -T mode");
	if (!has(o, (char)c))
		o->seen[strlen(o->seen)] = (char)c;
	switch (c) {
	case 'c':
		tool->config_directory = optarg;
		return TOOL_OK;
	case 'C':
		return take_classes(tool, o, optarg);
	case 'T':
		o->tls = optarg;
		return TOOL_OK;
	default:
		return TOOL_OK;
	}
}

/* overrides - -o, when it is known where main.cf is */
static int
overrides(struct tool *tool, int argc, char **argv)
{
	int c, r = TOOL_OK;

	optind = 1;
	while (r == TOOL_OK && (c = getopt(argc, argv, OPTIONS)) != -1)
		if (c == 'o')
			r = override(tool, optarg);
	return r;
}

/* clash - two options that are not for each other? */
static int
clash(struct tool *tool, const struct options *o)
{
	static const char *const one_of[] = { "dn", "hH", "MFP", "eX#",
		TYPES };
	char	first, other;

	for (size_t i = 0; i < COUNT(one_of); i++) {
		if ((first = any_of(o, one_of[i])) == '\0')
			continue;
		other = any_of(o, strchr(one_of[i], first) + 1);
		if (other != '\0')
			return tool_fail(tool, "specify one of -%c -%c", first,
			    other);
	}
	first = o->edit != '\0' ? o->edit : o->where;
	other = any_of(o, first == 'M' ? "CdhHnox" : "CdfhHnox");
	if (first != '\0' && other != '\0')
		return tool_fail(tool, "-%c cannot be used with -%c", other,
		    first);
	if (o->where == 'F' && o->edit != '\0' && o->edit != 'e')
		return tool_fail(tool, "-%c cannot be used with -F: a field "
		    "always has a value", o->edit);
	return TOOL_OK;
}

/* check_words - as that change wants them */
static int
check_words(struct tool *tool, const struct options *o, char **words,
    size_t count)
{
	char type;

	if (o->edit != '\0' && count == 0)
		return tool_fail(tool, "-%c needs names", o->edit);
	for (size_t i = 0; i < count; i++)
		if (o->edit != '\0' && o->edit != 'e' &&
		    strchr(words[i], '=') != NULL)
			return tool_fail(tool, "%s: -%c wants a name alone",
			    words[i], o->edit);
	if (o->classes != 0 && count > 0)
		return tool_fail(tool, "-C lists parameters: give no names");
	type = any_of(o, TYPES);
	if (type != '\0' && count > (strchr("bt", type) != NULL ? 1 : 0))
		return tool_fail(tool, "-%c: too many words", type);
	return TOOL_OK;
}

/* print_tls - -T */
static int
print_tls(struct tool *tool, const char *mode)
{
	if (strcmp(mode, "compile-version") == 0)
		printf("%s\n", OPENSSL_VERSION_TEXT);
	else if (strcmp(mode, "run-version") == 0)
		printf("%s\n", OpenSSL_version(OPENSSL_VERSION));
	else
		return tool_fail(tool, "-T %s: give compile-version or "
		    "run-version", mode);
	return TOOL_OK;
}

/* print_types - what there is of a kind; what there is none of is said, and
 * its list is empty */
static int
print_types(struct tool *tool, const struct options *o, const char *word)
{
	char type = any_of(o, TYPES);

	switch (type) {
	case 'b':
	case 't':
		return postconf_templates(tool, type == 'b', word);
	case 'm':
		return print_maps();
	case 'T':
		return print_tls(tool, o->tls);
	case 'a':
		tool_warn(tool, "logins are authd's own; there are no plug-ins");
		return TOOL_OK;
	case 'A':
		tool_warn(tool, "the SMTP client does not log in to servers");
		return TOOL_OK;
	default:
		tool_warn(tool, "mail is delivered to no files that would have "
		    "to be locked");
		return TOOL_OK;
	}
}

static enum conf_change
change_of(char edit)
{
	return edit == 'X' ? CONF_REMOVE : edit == '#' ? CONF_COMMENT :
	    CONF_SET;
}

/* run - do what was asked for */
static int
run(struct tool *tool, const struct options *o, char **words, size_t count)
{
	bool			is_edit = o->edit != '\0';
	enum conf_change	change = change_of(o->edit);

	switch (o->where) {
	case 'M':
		return postconf_rows(tool, change, is_edit, has(o, 'f'), words,
		    count);
	case 'F':
		return postconf_fields(tool, is_edit, words, count);
	case 'P':
		return postconf_overrides(tool, change, is_edit, words, count);
	}
	if (is_edit)
		return conf_change(tool, change, words, count);
	return tool_conf(tool) != 0 ? TOOL_FAILED :
	    print_rows(tool, o, words, count);
}

/* compat_postconf - print or change parameters and services */
int
compat_postconf(struct tool *tool, int argc, char **argv)
{
	struct options	o = { .tls = NULL };
	char		**words;
	size_t		count;
	int		c;

	while ((c = getopt(argc, argv, OPTIONS)) != -1)
		if (one_option(tool, &o, c) != TOOL_OK)
			return TOOL_FAILED;
	words = argv + optind;
	count = (size_t)(argc - optind);
	o.where = any_of(&o, "MFP");
	o.edit = any_of(&o, "eX#");
	/* NAME=VALUE without -e means -e, as with Postfix */
	for (size_t i = 0; i < count && o.edit == '\0'; i++)
		if (strchr(words[i], '=') != NULL)
			o.edit = 'e';
	if (clash(tool, &o) != TOOL_OK ||
	    check_words(tool, &o, words, count) != TOOL_OK)
		return TOOL_FAILED;
	if (has(&o, 'o') && overrides(tool, argc, argv) != TOOL_OK)
		return TOOL_FAILED;
	if (any_of(&o, TYPES) != '\0')
		return print_types(tool, &o, count > 0 ? words[0] : NULL);
	if (o.classes == 0)
		o.classes = ALL;
	return run(tool, &o, words, count);
}
