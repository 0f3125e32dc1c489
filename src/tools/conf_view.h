/* SPDX-License-Identifier: ISC */
/*
 * conf_view: the parameters of the suite, known and defined, for barid conf
 * and postconf; and changes of main.cf and master.cf.
 */
#ifndef TOOLS_CONF_VIEW_H
#define TOOLS_CONF_VIEW_H

#include "libutil/param.h"
#include "tools/tool.h"

struct conf_row {
	struct slice			 name;
	const struct param		*param;		/* NULL: the user's own */
	const struct conf_entry		*entry;		/* in main.cf, or NULL */
};

struct conf_view {
	struct tool		*tool;
	struct param_registry	 registry;
	struct conf_row		*row;		/* by name */
	size_t			 count;
};

/* after tool_conf */
void	conf_view_init(struct conf_view *v, struct tool *tool);
void	conf_view_done(struct conf_view *v);
/* NULL: neither known nor defined */
const struct conf_row	*conf_view_find(const struct conf_view *v,
			    struct slice name);
/* the default as written; what the host says of itself counts as such */
struct slice	conf_view_default(const struct conf_view *v,
		    const struct conf_row *row);
/* what counts, as written */
struct slice	conf_view_value(const struct conf_view *v,
		    const struct conf_row *row);
/* a value expanded, in the tool's arena; as it is if it cannot be */
struct slice	conf_view_expand(const struct conf_view *v, struct slice value);
/* "NAME: there is no such parameter; like it are ..." */
int	conf_view_unknown(const struct conf_view *v, struct slice name);

enum conf_change {
	CONF_SET,		/* the words are NAME=VALUE */
	CONF_REMOVE,		/* NAME */
	CONF_COMMENT,		/* NAME */
};

/* change main.cf: all of the words, or nothing and an exit status */
int	conf_change(struct tool *tool, enum conf_change change, char **words,
	    size_t count);

/* --- postconf_master.c: -M, -F, -P; each with words to print, or changes */
int	postconf_rows(struct tool *tool, enum conf_change change, bool edit,
	    bool folded, char **words, size_t count);
int	postconf_fields(struct tool *tool, bool edit, char **words,
	    size_t count);
int	postconf_overrides(struct tool *tool, enum conf_change change,
	    bool edit, char **words, size_t count);
/* --- postconf_templates.c: -t, -b; of that file, "": the built-in ones, NULL:
 * those that count */
int	postconf_templates(struct tool *tool, bool expand, const char *path);

#endif
