/* SPDX-License-Identifier: ISC */
/*
 * A row allows what its groups name and nothing else, and a build with
 * sanitizers allows, beside that, the calls of one list. Each call of the
 * machine that is not allowed is tried, in a child that is confined so: the
 * kernel's answer counts, not the program that libseccomp wrote.
 */
#include "libtask/seccomp_filter.h"

#include "test.h"

#include <seccomp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libutil/diag.h"

#define NOBODY		54321
#define CALLS		600	/* more than any machine has */

static const struct call {
	unsigned	 group;
	int		 number;	/* < 0: not on this machine */
	const char	*name;
} calls[] = {
#define ALLOW(group, call) \
	{ SANDBOX_##group, SCMP_SYS(call), #call },
#define ALLOW_IF(group, call, ...) \
	{ SANDBOX_##group, SCMP_SYS(call), #call },
#include "libtask/seccomp_groups.def"
};

static const unsigned groups[] = {
#define GROUP(name, gist)	SANDBOX_##name,
#include "libtask/seccomp_groups.def"
};

/* named - do any of these groups name the call? */
static bool
named(unsigned of, int number)
{
	for (size_t i = 0; i < COUNT(calls); i++)
		if ((calls[i].group & of) != 0 && calls[i].number == number)
			return true;
	return false;
}

/* is_kernels - a call of the kernel's own trampolines (uretprobe, uprobe),
 * which it lets no filter see; from elsewhere it is a SIGILL */
static bool
is_kernels(int number)
{
#ifdef __x86_64__
	return number == 335 || number == 336;
#else
	return number < 0;
#endif
}

/* refused - try it, with arguments that lead nowhere */
static bool
refused(int number)
{
	errno = 0;
	return syscall(number, -1L, -1L, -1L, -1L, -1L, -1L) == -1 &&
	    errno == EPERM;
}

/* count_wrong - in the child: calls that are answered in another way than the
 * groups say */
static int
count_wrong(unsigned of)
{
	int wrong = 0;

	for (int n = 0; n < CALLS; n++) {
		bool want = true;

		if (n == SYS_clone3 || is_kernels(n) || named(of, n))
			continue;	/* it is ENOSYS; or allowed */
		if (named(SANDBOX_SANITIZERS, n))
			want = !BARID_SANITIZERS;
		if (refused(n) == want)
			continue;
		fprintf(stderr, "# call %d is %s\n", n,
		    want ? "not refused" : "refused");
		wrong++;
	}
	return wrong;
}

/* in_row - count_wrong under a row of these groups */
static int
in_row(unsigned of)
{
	struct sandbox_row	 row = { .daemon = "test", .user = "test",
				    .group = "test", .files = 64,
				    .root = SANDBOX_ROOT_EMPTY, .groups = of };
	struct sandbox_request	 req = { .row = &row, .uid = NOBODY,
				    .gid = NOBODY, .root_fd = -1 };
	struct sandbox_state	 s = SANDBOX_STATE_INIT;
	struct diag		 d = DIAG_INIT;
	static char		 path[512];

	(void)snprintf(path, sizeof(path), "%s/empty", test_tmpdir());
	if (geteuid() == 0)
		req.root = path;
	if (sandbox_enter(&req, &s, &d) < 0) {
		fprintf(stderr, "# %s\n", d.text);
		return 99;
	}
	return count_wrong(of);
}

TEST(seccomp_filter_groups)
{
	char	path[512];

	(void)snprintf(path, sizeof(path), "%s/empty", test_tmpdir());
	CHECK_INT(chmod(test_tmpdir(), 0755), 0, 0);
	CHECK_INT(mkdir(path, 0755), 0, 0);
	for (size_t i = 0; i < COUNT(groups); i++) {
		int	status = -1;
		pid_t	pid;

		fflush(stdout);
		pid = fork();
		if (pid == 0)
			_exit(in_row(SANDBOX_BASE | SANDBOX_THREADS |
			    groups[i]));
		CHECK_INT(waitpid(pid, &status, 0), pid, i);
		CHECK_INT(status, 0, i);
	}
}

/*
 * What builds with sanitizers may do besides is written down once more: it
 * undoes a wall, so that a call must not join it by the way. They look at
 * files and at their own scheduling, and make a pipe.
 */
TEST(seccomp_filter_sanitizers)
{
	static const char *const may[] = {
		"open", "openat", "stat", "newfstatat", "statx", "readlink",
		"readlinkat", "getdents64", "access", "faccessat", "pipe",
		"sched_getparam", "sched_getscheduler",
	};
	size_t n = 0;

	for (size_t i = 0; i < COUNT(calls); i++) {
		bool found = false;

		if (calls[i].group != SANDBOX_SANITIZERS)
			continue;
		for (size_t j = 0; j < COUNT(may); j++)
			found |= strcmp(may[j], calls[i].name) == 0;
		CHECK(found, i);
		n++;
	}
	CHECK_INT(n, COUNT(may), 0);
}
