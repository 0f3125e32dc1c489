/* SPDX-License-Identifier: ISC */
/*
 * seccomp_filter: the allow-list of system calls of a sandbox row, as a
 * program for the kernel, and the handler that turns a refused call into EPERM
 * and a report. Used by sandbox.c; the table is seccomp_groups.def.
 */
#ifndef LIBTASK_SECCOMP_FILTER_H
#define LIBTASK_SECCOMP_FILTER_H

#include "libtask/sandbox.h"

/* can this kernel do it? */
bool		seccomp_filter_is_available(void);
/* put the program in force for this thread and its children; needs
 * no_new_privs, and the trap, and cannot be undone */
MUST_USE int	seccomp_filter_load(const struct sandbox_filter *filter);
/* does it bite? A call that no row allows is tried */
bool		seccomp_filter_holds(void);

/* answer refused calls from now on, silently until seccomp_trap_report; the
 * pipe of an earlier call, a parent's, is closed */
MUST_USE int	seccomp_trap_install(void);
/* report them, each kind once, through a new pipe */
MUST_USE int	seccomp_trap_report(int *ret_fd);

#endif
