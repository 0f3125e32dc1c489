/* SPDX-License-Identifier: ISC */
/* The table of daemons.def as an array. */
#include "libglobal/daemons.h"

const struct daemon_row daemons_table[] = {
#define DAEMON(name, service, always, single, reloads, doc) \
	{ #name, service, always, single, reloads, doc },
#include "libglobal/daemons.def"
	{ NULL, NULL, false, false, false, NULL }
};

/* daemons_find - the row of a daemon */
const struct daemon_row *
daemons_find(struct slice name)
{
	for (const struct daemon_row *d = daemons_table; d->name != NULL; d++)
		if (slice_equal(slice_of(d->name), name))
			return d;
	return NULL;
}
