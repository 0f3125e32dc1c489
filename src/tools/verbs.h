/* SPDX-License-Identifier: ISC */
/* verbs: the functions that verbs.def names. Each returns an exit status. */
#ifndef TOOLS_VERBS_H
#define TOOLS_VERBS_H

#include "tools/tool.h"

#define VERB(noun, verb, function, arguments, sentence) \
int	function(struct tool *tool, int argc, char **argv);
#include "tools/verbs.def"

struct verb {
	const char	*noun;
	const char	*verb;
	tool_verb	*run;
	const char	*arguments;
	const char	*sentence;
};

/* a NULL noun ends the array */
extern const struct verb	verbs_table[];

#endif
