/* SPDX-License-Identifier: ISC */
/* The table, as an array. */
#include "libglobal/sandbox_rows.h"

#define PATH(where, access)	{ where, SANDBOX_##access }
#define NO_PATHS		{ NULL, 0 }
#define MiB			((uint64_t)1 << 20)

/* groups of system calls by their short names */
#define BASE		SANDBOX_BASE
#define THREADS		SANDBOX_THREADS
#define MEMFILE		SANDBOX_MEMFILE
#define NET		SANDBOX_NET
#define ACCEPT		SANDBOX_ACCEPT
#define NET_CLIENT	SANDBOX_NET_CLIENT
#define FILES_READ	SANDBOX_FILES_READ
#define FILES_WRITE	SANDBOX_FILES_WRITE
#define FILES_REMOVE	SANDBOX_FILES_REMOVE
#define LOCK		SANDBOX_LOCK
#define SYNC		SANDBOX_SYNC
#define FORK		SANDBOX_FORK
#define CONFINE		SANDBOX_CONFINE

static const struct sandbox_row rows[] = {
#define ROW(name, user, group, root, groups, files, processes, size, gist, \
	    ...) \
	{ #name, user, group, SANDBOX_ROOT_##root, groups, { __VA_ARGS__ }, \
	    size, files, processes, gist },
#include "libglobal/sandbox_rows.def"
};

/* sandbox_row_at - one after the other */
const struct sandbox_row *
sandbox_row_at(size_t i)
{
	return i < COUNT(rows) ? &rows[i] : NULL;
}

/* sandbox_row_find - by the daemon's name */
const struct sandbox_row *
sandbox_row_find(struct slice daemon)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (slice_equal(daemon, slice_of(rows[i].daemon)))
			return &rows[i];
	return NULL;
}
