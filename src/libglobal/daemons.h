/* SPDX-License-Identifier: ISC */
/* daemons: which programs master starts, from daemons.def. */
#ifndef LIBGLOBAL_DAEMONS_H
#define LIBGLOBAL_DAEMONS_H

#include "libutil/slice.h"

struct daemon_row {
	const char	*name;
	const char	*service;	/* "": none of its own */
	bool		 always;
	bool		 single;
	bool		 reloads;
	const char	*doc;
};

/* a NULL name ends the array */
extern const struct daemon_row	daemons_table[];
/* NULL: no such daemon */
const struct daemon_row	*daemons_find(struct slice name);

#endif
