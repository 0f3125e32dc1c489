/* SPDX-License-Identifier: ISC */
/*
 * process_limits: how many descriptors and mappings a daemon may need, for
 * master, which raises the limits, and "barid check", which warns where the
 * system does not let it.
 */
#ifndef LIBGLOBAL_PROCESS_LIMITS_H
#define LIBGLOBAL_PROCESS_LIMITS_H

/* descriptors of a process: a client that is idle takes one, another two */
#define FILES_WANTED	65536
#define FILES_LEAST	20000	/* with less it is said */

/* mappings: a task has a stack and a guard page, a client one or two tasks;
 * what Linux allows unless it was told otherwise */
#define MAPPINGS_LEAST	65530

#endif
