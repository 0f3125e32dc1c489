/* SPDX-License-Identifier: ISC */
/*
 * The order matters. What needs root comes first, then what needs the file
 * system, last the list of system calls, which forbids all the rest of this
 * file. After it only what can be asked about itself is asked.
 *
 * Landlock, capabilities and the list are a thread's, not a process's: so
 * there must be one thread only, and threads made later inherit them.
 */
#include "libtask/sandbox.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libtask/landlock.h"
#include "libtask/seccomp_filter.h"
#include "libutil/diag.h"

/* the steps share these */
struct entering {
	const struct sandbox_request	*req;
	const struct sandbox_row	*row;
	struct sandbox_state		 state;
	struct diag			*diag;
	bool				 is_root;
	bool				 can_chroot;
	int				 root_fd;	/* owned; -1: none */
};

struct caps {
	uint32_t	effective[2];
	uint32_t	permitted[2];
	uint32_t	inheritable[2];
};

/* fail - say which step does not work; returns the errno */
static int
fail(const struct entering *e, int r, const char *step)
{
	(void)diag_set(e->diag, 0, 0, "the sandbox of %s cannot be entered: "
	    "%s: %s", e->row->daemon, step, strerror(-r));
	return r;
}

/* --- capabilities, by system call: a library for two calls is too much */

/* caps_get - what this process may */
static int
caps_get(struct caps *ret_caps)
{
	struct __user_cap_header_struct	h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct	d[2];

	if (syscall(SYS_capget, &h, d) < 0)
		return -errno;
	for (int i = 0; i < 2; i++) {
		ret_caps->effective[i] = d[i].effective;
		ret_caps->permitted[i] = d[i].permitted;
		ret_caps->inheritable[i] = d[i].inheritable;
	}
	return 0;
}

/* caps_keep - have these low capabilities and no others */
static int
caps_keep(uint32_t low)
{
	struct __user_cap_header_struct	h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct	d[2] = {
		{ .effective = low, .permitted = low }, { 0 },
	};

	return syscall(SYS_capset, &h, d) < 0 ? -errno : 0;
}

/* caps_are - exactly these, and none to hand down? */
static bool
caps_are(uint32_t low)
{
	struct caps	c;

	return caps_get(&c) == 0 && c.effective[0] == low &&
	    c.permitted[0] == low && c.inheritable[0] == 0 &&
	    c.effective[1] == 0 && c.permitted[1] == 0 &&
	    c.inheritable[1] == 0;
}

/* sandbox_can_chroot - has this process the right to change its root? */
bool
sandbox_can_chroot(void)
{
	struct caps	c;

	return caps_get(&c) == 0 &&
	    (c.effective[0] & (1u << CAP_SYS_CHROOT)) != 0;
}

/* --- descriptors */

/* is_folder - is a folder open under that number? */
static bool
is_folder(int fd)
{
	struct stat	st;

	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

/* close_gap - close the descriptors from..to, but for one */
static int
close_gap(unsigned from, unsigned to, int except)
{
	unsigned	x = (unsigned)except;

	if (except >= 0 && x >= from && x <= to) {
		if (x > from && close_range(from, x - 1, 0) < 0)
			return -errno;
		from = x + 1;
	}
	return from <= to && close_range(from, to, 0) < 0 ? -errno : 0;
}

/* close_others - close all that the request does not keep */
static int
close_others(const struct entering *e)
{
	unsigned	from = 3;
	int		r;

	for (size_t i = 0; i < e->req->keep_count; i++) {
		unsigned fd = (unsigned)e->req->keep[i];

		if (fd <= 2)
			continue;
		if (fd < from)
			return -EINVAL;		/* not ascending */
		if (fd > from &&
		    (r = close_gap(from, fd - 1, e->root_fd)) < 0)
			return r;
		if (is_folder((int)fd))
			return -EISDIR;
		from = fd + 1;
	}
	return close_gap(from, ~0u, e->root_fd);
}

/* find_folders - is a folder open besides those that we opened ourselves? */
static int
find_folders(const struct entering *e)
{
	DIR		*d = opendir("/proc/self/fd");
	struct dirent	*entry;
	struct rlimit	 limit;
	uint32_t	 fd;
	int		 r = 0;

	if (d != NULL) {
		while (r == 0 && (entry = readdir(d)) != NULL)
			if (slice_to_u32(slice_of(entry->d_name), INT32_MAX,
			    &fd) == 0 && (int)fd != e->root_fd &&
			    (int)fd != dirfd(d) && is_folder((int)fd))
				r = -EISDIR;
		(void)closedir(d);
		return r;
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -errno;
	for (fd = 0; fd < limit.rlim_cur; fd++)
		if ((int)fd != e->root_fd && is_folder((int)fd))
			return -EISDIR;
	return 0;
}

/* descriptors_step - keep what was asked for; no way back out of the root */
static int
descriptors_step(struct entering *e)
{
	int	r = e->req->keep == NULL ? find_folders(e) : close_others(e);

	return r < 0 ? fail(e, r, r == -EISDIR ?
	    "a folder is open from before" : "closing descriptors") : 0;
}

/* --- the steps */

/* limit - set both limits, but never above what we may have */
static int
limit(int which, uint64_t value)
{
	struct rlimit	l;

	if (getrlimit(which, &l) < 0)
		return -errno;
	if (value < l.rlim_max)
		l.rlim_max = value;
	l.rlim_cur = l.rlim_max;
	return setrlimit(which, &l) < 0 ? -errno : 0;
}

/* limits_step - resources */
static int
limits_step(struct entering *e)
{
	const struct sandbox_row *row = e->row;
	int	r;

	if ((r = limit(RLIMIT_CORE, 0)) < 0 ||
	    (r = limit(RLIMIT_NOFILE, row->files != 0 ? row->files :
	    RLIM_INFINITY)) < 0 ||
	    (r = limit(RLIMIT_FSIZE, row->file_size != 0 ? row->file_size :
	    RLIM_INFINITY)) < 0)
		return fail(e, r, "resource limits");
	/* one user may run everything when there is no root: no count then */
	if (e->is_root && row->processes != 0 &&
	    (r = limit(RLIMIT_NPROC, row->processes)) < 0)
		return fail(e, r, "limit of processes");
	/* a write above the limit says EFBIG instead of killing */
	(void)signal(SIGXFSZ, SIG_IGN);
	return 0;
}

/*
 * namespace_step - the right to change the root, where there is neither root
 * nor Landlock: in a user namespace of its own a process has it. Not every
 * system allows that; the state will say so.
 */
static void
namespace_step(struct entering *e)
{
	if (!e->can_chroot && landlock_abi() == 0 &&
	    e->row->root != SANDBOX_ROOT_NONE &&
	    (e->req->root != NULL || e->req->root_fd >= 0) &&
	    unshare(CLONE_NEWUSER) == 0)
		e->can_chroot = true;
}

/* is_safe_empty - a folder that nobody but root could put anything into? */
static bool
is_safe_empty(int fd)
{
	struct stat	st;

	return fstat(fd, &st) == 0 && st.st_uid == 0 &&
	    (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* open_root - the folder that will be the root */
static int
open_root(struct entering *e)
{
	const struct sandbox_request *req = e->req;

	if (e->row->root == SANDBOX_ROOT_NONE)
		return 0;
	if (req->root != NULL)
		e->root_fd = open(req->root,
		    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	else
		e->root_fd = req->root_fd;
	if (e->root_fd < 0 && (req->root != NULL || e->can_chroot ||
	    e->row->root != SANDBOX_ROOT_EMPTY))
		return fail(e, req->root != NULL ? -errno : -EINVAL,
		    "its root folder");
	if (e->is_root && e->row->root == SANDBOX_ROOT_EMPTY &&
	    !is_safe_empty(e->root_fd))
		return fail(e, -EPERM, "its root folder must belong to root "
		    "and be writable by nobody else");
	return 0;
}

/* chroot_step - into the root folder */
static int
chroot_step(struct entering *e)
{
	struct stat	want, got;

	/* without the right to it, the root is the current folder at least, so
	 * that relative paths mean the same */
	if (e->root_fd < 0)
		return 0;
	if (fchdir(e->root_fd) < 0)
		return fail(e, -errno, "its root folder");
	if (!e->can_chroot)
		return 0;
	if (chroot(".") < 0 || chdir("/") < 0)
		return fail(e, -errno, "chroot");
	if (fstat(e->root_fd, &want) < 0 || stat("/", &got) < 0)
		return fail(e, -errno, "looking at the new root");
	if (want.st_dev != got.st_dev || want.st_ino != got.st_ino)
		return fail(e, -EPERM, "chroot did not hold");
	e->state.has_root = true;
	return 0;
}

/* user_step - become the daemon's own user */
static int
user_step(struct entering *e)
{
	const uid_t	uid = e->req->uid;
	const gid_t	gid = e->req->gid;
	uid_t		u[3];
	gid_t		g[3];

	/* who may never be another user again but may change the root, is a
	 * child of the zygote, whose user was changed before */
	e->state.has_user = !e->is_root && e->can_chroot &&
	    prctl(PR_CAPBSET_READ, CAP_SETUID, 0, 0, 0) == 0 &&
	    getgroups(0, NULL) == 0;
	if (!e->is_root)
		return 0;
	if (uid == 0 || gid == 0 || uid == (uid_t)-1 || gid == (gid_t)-1)
		return fail(e, -EINVAL, "it has no user of its own");
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return fail(e, -errno, "dropping capabilities");
	if (prctl(PR_SET_KEEPCAPS, e->req->keep_chroot ? 1 : 0, 0, 0, 0) < 0 ||
	    setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0)
		return fail(e, -errno, "changing the user");
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		return fail(e, -errno, "changing the user");
	if (getresuid(&u[0], &u[1], &u[2]) < 0 ||
	    getresgid(&g[0], &g[1], &g[2]) < 0)
		return fail(e, -errno, "looking at the user");
	for (int i = 0; i < 3; i++)
		if (u[i] != uid || g[i] != gid)
			return fail(e, -EPERM, "the user did not change");
	if (getgroups(0, NULL) != 0)
		return fail(e, -EPERM, "there are supplementary groups");
	e->state.has_user = true;
	return 0;
}

/* caps_step - no capabilities, or the zygote's one */
static int
caps_step(struct entering *e)
{
	uint32_t	keep = e->req->keep_chroot && e->can_chroot ?
			    1u << CAP_SYS_CHROOT : 0;
	int		r;

	if ((r = caps_keep(keep)) < 0)
		return fail(e, r, "dropping capabilities");
	if (!caps_are(keep))
		return fail(e, -EPERM, "capabilities did not go away");
	e->state.has_no_caps = true;
	return 0;
}

/* privileges_step - nothing is gained by exec */
static int
privileges_step(struct entering *e)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return fail(e, -EPERM, "no_new_privs");
	e->state.has_no_new_privs = true;
	return 0;
}

/* dump_step - no core, no ptrace, no /proc/PID/mem */
static int
dump_step(struct entering *e)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return fail(e, -EPERM, "not to be dumpable");
	e->state.is_undumpable = true;
	return 0;
}

/* add_path - one path; the row's own must be there */
static int
add_path(struct entering *e, struct landlock_rules *rules,
    const struct sandbox_path *path)
{
	int	r = landlock_allow(rules, e->root_fd < 0 ? AT_FDCWD :
		    e->root_fd, path);

	if (r < 0)
		(void)diag_set(e->diag, 0, 0, "the sandbox of %s cannot be "
		    "entered: \"%s\" below its root folder: %s",
		    e->row->daemon, path->path, strerror(-r));
	return r;
}

/* add_paths - what Landlock shall allow */
static int
add_paths(struct entering *e, struct landlock_rules *rules)
{
	const struct sandbox_row *row = e->row;
	int	r = 0;

	if (e->root_fd < 0 && row->root != SANDBOX_ROOT_NONE)
		return 0;
	for (size_t i = 0; r == 0 && i < SANDBOX_PATHS_MAX &&
	    row->paths[i].path != NULL; i++)
		r = add_path(e, rules, &row->paths[i]);
	for (size_t i = 0; r == 0 && i < e->req->extra_count &&
	    row->root == SANDBOX_ROOT_NONE; i++)
		r = add_path(e, rules, &e->req->extra_paths[i]);
	return r;
}

/* landlock_step - the second wall */
static int
landlock_step(struct entering *e)
{
	struct landlock_rules	rules;
	int			r;

	r = landlock_begin(&rules, (e->row->groups & SANDBOX_NET_CLIENT) != 0);
	if (r == 0)
		r = add_paths(e, &rules);
	if (r == 0)
		r = landlock_enforce(&rules);
	landlock_end(&rules);
	if (r < 0)
		return fail(e, r, "Landlock");
	e->state.landlock = rules.abi;
	return 0;
}

/* seccomp_step - the list of system calls; the last step */
static int
seccomp_step(struct entering *e)
{
	struct sandbox_filter	*own = NULL;
	const struct sandbox_filter *filter = e->req->filter;
	int			 r;

	if (filter == NULL) {
		if ((r = sandbox_filter_new(e->row, &own, e->diag)) < 0)
			return r;
		filter = own;
	}
	r = seccomp_filter_load(filter);
	sandbox_filter_free(&own);
	if (r < 0)
		return fail(e, r, "the list of system calls");
	if (!seccomp_filter_holds())
		return fail(e, -EPERM, "the list of system calls did not hold");
	e->state.has_seccomp = true;
	if ((r = seccomp_trap_report(&e->state.refusals)) < 0)
		return fail(e, r, "the pipe of refused calls");
	return 0;
}

/* enter_root - for the one process that stays root */
static int
enter_root(struct entering *e)
{
	int	r;

	if ((r = limits_step(e)) < 0 || (r = dump_step(e)) < 0)
		return r;
	return 0;
}

/* enter - all steps in order */
static int
enter(struct entering *e)
{
	int	r;

	/* has no effect but to fail when there is a second thread */
	if (unshare(CLONE_THREAD) < 0)
		return fail(e, -EBUSY, "it has threads already");
	tzset();		/* /etc/localtime will be out of reach */
	if ((r = seccomp_trap_install()) < 0)
		return fail(e, r, "the handler of refused calls");
	namespace_step(e);
	if ((r = open_root(e)) < 0 ||
	    (r = descriptors_step(e)) < 0 ||
	    (r = limits_step(e)) < 0 ||
	    (r = chroot_step(e)) < 0 ||
	    (r = user_step(e)) < 0 ||
	    (r = caps_step(e)) < 0 ||
	    (r = privileges_step(e)) < 0 ||
	    (r = dump_step(e)) < 0 ||
	    (r = landlock_step(e)) < 0)
		return r;
	if (e->root_fd >= 0)
		(void)close(e->root_fd);
	e->root_fd = -1;
	return seccomp_step(e);
}

/* sandbox_enter - give away what the row does not keep */
int
sandbox_enter(const struct sandbox_request *req,
    struct sandbox_state *ret_state, struct diag *diag)
{
	struct entering	e = { .req = req, .row = req->row, .diag = diag,
			    .state = SANDBOX_STATE_INIT, .root_fd = -1 };
	int		r;

	e.is_root = geteuid() == 0;
	e.can_chroot = sandbox_can_chroot();
	r = req->row->groups == 0 ? enter_root(&e) : enter(&e);
	if (e.root_fd >= 0)
		(void)close(e.root_fd);
	if (r == 0)
		*ret_state = e.state;
	return r;
}
