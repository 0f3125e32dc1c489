/* SPDX-License-Identifier: ISC */
/* Which tool a name stands for. */
#include "tools/compat.h"

static const struct {
	const char	*name;
	tool_verb	*run;
} names[] = {
#define COMPAT(name, function) { name, function },
#include "tools/compat.def"
	{ NULL, NULL },
};

/* compat_find - the tool of that name */
tool_verb *
compat_find(const char *name)
{
	for (size_t i = 0; names[i].name != NULL; i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].run;
	return NULL;
}
