/* SPDX-License-Identifier: ISC */
/* compat: the tools that have a name of Postfix's, from compat.def. */
#ifndef TOOLS_COMPAT_H
#define TOOLS_COMPAT_H

#include "tools/tool.h"

#define COMPAT(name, function) \
int	function(struct tool *tool, int argc, char **argv);
#include "tools/compat.def"

/* NULL: it is called by another name */
tool_verb	*compat_find(const char *name);

#endif
