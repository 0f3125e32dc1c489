/* SPDX-License-Identifier: ISC */
/*
 * landlock: the second wall, by system call: files below the paths that a
 * sandbox row names and nothing else, no TCP for who has no business with it,
 * no signals to and no abstract sockets of processes outside. Used by
 * sandbox.c. What a kernel cannot do is left out; the version in force tells.
 */
#ifndef LIBTASK_LANDLOCK_H
#define LIBTASK_LANDLOCK_H

#include "libtask/sandbox.h"

#define LANDLOCK_ABI_MAX	7	/* what this module knows */

/* the kernel's version, at most LANDLOCK_ABI_MAX; 0: no Landlock */
int		landlock_abi(void);

struct landlock_rules {
	int	fd;			/* -1: no Landlock */
	int	abi;
};

/* begin with nothing allowed; 0 also where there is no Landlock */
MUST_USE int	landlock_begin(struct landlock_rules *l, bool may_use_tcp);
/* allow access below a path, seen from the folder dir (or AT_FDCWD) */
MUST_USE int	landlock_allow(struct landlock_rules *l, int dir,
		    const struct sandbox_path *path);
/* put it in force for this thread; needs no_new_privs */
MUST_USE int	landlock_enforce(const struct landlock_rules *l);
void		landlock_end(struct landlock_rules *l);

#endif
