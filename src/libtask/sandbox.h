/* SPDX-License-Identifier: ISC */
/*
 * sandbox: the one call by which a process gives away what it does not need.
 * Each daemon makes it after exec, when its sockets, tables, keys and trusted
 * certificates are open, before it makes threads and before it reads a byte
 * that a stranger wrote. What a daemon keeps is a row of a table
 * (libglobal/sandbox_rows.def); nothing else decides.
 *
 * The steps: resource limits; own user and group, no supplementary groups;
 * root folder; capabilities; no_new_privs; not dumpable; Landlock; an
 * allow-list of system calls. User, root folder and system calls are the wall
 * that holds alone; Landlock is the second. Every step is read back, and a
 * step that does not hold is an error, but for those that need root when the
 * process is not root: then the state says that they do not hold.
 *
 * Without root and without Landlock a user namespace gives the right to change
 * the root folder, where the system allows it.
 *
 * Afterwards the root folder is the current folder as well, also where there
 * was no right to change the root: so relative paths mean the same.
 *
 * A forbidden system call fails with EPERM and is reported once per kind
 * through a pipe that the daemon's loop reads (sandbox_next_refusal).
 */
#ifndef LIBTASK_SANDBOX_H
#define LIBTASK_SANDBOX_H

#include <sys/types.h>

#include "libutil/slice.h"

struct buf;
struct diag;

/* groups of system calls, each a bit */
enum sandbox_group_number {
#define GROUP(name, gist)	SANDBOX_NUMBER_##name,
#include "libtask/seccomp_groups.def"
};
enum sandbox_group {
#define GROUP(name, gist)	SANDBOX_##name = 1 << SANDBOX_NUMBER_##name,
#include "libtask/seccomp_groups.def"
};

enum sandbox_root {
#define ROOT(name, gist)	SANDBOX_ROOT_##name,
#include "libtask/sandbox_roots.def"
};

/* what may be done with files below a path (Landlock) */
enum sandbox_access {
	SANDBOX_READ,		/* read files and folders */
	SANDBOX_WRITE,		/* and change files that exist */
	SANDBOX_MAKE,		/* and make, rename and remove files */
	SANDBOX_TREE,		/* and make and remove folders */
};

struct sandbox_path {
	const char		*path;	/* below the root folder; "" itself.
					 * Absolute where that is NONE */
	enum sandbox_access	 access;
};

#define SANDBOX_PATHS_MAX	8

/* what one daemon keeps */
struct sandbox_row {
	const char		*daemon;
	const char		*user;		/* a suffix; "": root */
	const char		*group;		/* suffix of its group */
	enum sandbox_root	 root;
	unsigned		 groups;	/* bits; 0: no filter at all */
	struct sandbox_path	 paths[SANDBOX_PATHS_MAX]; /* path NULL ends */
	uint64_t		 file_size;	/* longest file it may write */
	uint32_t		 files;		/* open descriptors */
	uint32_t		 processes;	/* of its user; 0: no limit */
	const char		*gist;
};

/* the kind as a word ("EMPTY"), and the group's ("NET_CLIENT") */
const char	*sandbox_root_name(enum sandbox_root root);
const char	*sandbox_group_name(enum sandbox_group group);

/*
 * The compiled list of system calls of a row. It can be made once and used by
 * many forked children. NULL in a request: sandbox_enter makes its own.
 */
struct sandbox_filter;
MUST_USE int	sandbox_filter_new(const struct sandbox_row *row,
		    struct sandbox_filter **ret_filter, struct diag *diag);
void		sandbox_filter_free(struct sandbox_filter **filter);

struct sandbox_request {
	const struct sandbox_row	*row;
	uid_t			 uid;		/* used when root */
	gid_t			 gid;
	/* the folder of row->root: a path, or if that is NULL a descriptor
	 * (closed by the call). Not used for NONE and EMPTY without root. */
	const char		*root;
	int			 root_fd;	/* -1: none */
	/* paths besides the row's, absolute as seen before the call; only
	 * for rows whose root is NONE */
	const struct sandbox_path *extra_paths;
	size_t			 extra_count;
	const struct sandbox_filter *filter;
	/* the descriptors to keep, ascending; all others above 2 are closed.
	 * NULL: all are kept, but an open folder is an error. */
	const int		*keep;
	size_t			 keep_count;
	bool			 keep_chroot;	/* the zygote: CAP_SYS_CHROOT */
};

/* what holds */
struct sandbox_state {
	bool	has_user;		/* its own user, group and no others */
	bool	has_root;		/* chroot */
	bool	has_no_caps;		/* none, or CAP_SYS_CHROOT if asked */
	bool	has_no_new_privs;
	bool	is_undumpable;
	bool	has_seccomp;
	int	landlock;		/* ABI in force; 0: none */
	int	refusals;		/* pipe of refused calls; -1: none */
};

#define SANDBOX_STATE_INIT	{ .refusals = -1 }

/*
 * Do it. 0, and *ret_state says what holds; or a negative errno and a
 * sentence: then the process must end. It must have one thread (-EBUSY). A
 * second call in a forked child narrows further; it ends the parent's
 * refusal pipe there.
 */
MUST_USE int	sandbox_enter(const struct sandbox_request *req,
		    struct sandbox_state *ret_state, struct diag *diag);

/* has this process the right to change its root folder? */
bool		sandbox_can_chroot(void);
/* what this kernel and this process could have, without doing anything */
struct sandbox_state	sandbox_probe(void);
/* "user root caps no_new_privs undumpable seccomp landlock=7", with a "!"
 * before what does not hold */
void		sandbox_state_format(struct buf *out,
		    const struct sandbox_state *state);

/* a refused call: read from state->refusals, which is non-blocking */
struct sandbox_refusal {
	int		number;		/* of the system call */
	char		name[32];	/* "openat" */
};
/* the next one; -EAGAIN if there is none now */
MUST_USE int	sandbox_next_refusal(int refusals,
		    struct sandbox_refusal *ret_refusal);

#endif
