/* SPDX-License-Identifier: ISC */
/*
 * The sandbox call itself, with rows made for the purpose; each case in a
 * forked child, because there is no way back. What real rows may and may not
 * do is tests/unit/libglobal/sandbox_rows_test.c.
 */
#include "libtask/sandbox.h"

#include "test.h"

#include <fcntl.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libtask/memfile.h"
#include "libutil/diag.h"

#define NOBODY	54321

static const struct sandbox_row small = {
	.daemon = "small", .user = "small", .group = "small",
	.root = SANDBOX_ROOT_EMPTY, .groups = SANDBOX_BASE | SANDBOX_THREADS,
	.files = 64,
};

/* a folder that only root can write to */
static const char *
empty_folder(void)
{
	static char path[512];

	(void)snprintf(path, sizeof(path), "%s/empty", test_tmpdir());
	(void)chmod(test_tmpdir(), 0755);
	(void)mkdir(path, 0755);
	return path;
}

static struct sandbox_request
request_for(const struct sandbox_row *row)
{
	return (struct sandbox_request){
		.row = row, .uid = NOBODY, .gid = NOBODY,
		.root = geteuid() == 0 ? empty_folder() : NULL,
		.root_fd = -1,
	};
}

static void
enter(const struct sandbox_row *row, struct sandbox_state *state)
{
	struct sandbox_request req = request_for(row);
	struct diag d = DIAG_INIT;

	if (sandbox_enter(&req, state, &d) < 0) {
		fprintf(stderr, "# %s\n", d.text);
		_exit(99);
	}
}

/* run in a child; its wait status. A child says what it found by its status */
static int
in_child(int (*fn)(void))
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	(void)test_tmpdir();		/* one for all children */
	pid = fork();
	if (pid == 0)
		_exit(fn());
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
	    1000 + WTERMSIG(status);
}

/* in a child: what went wrong is the number of the line */
#define MUST(cond)	do { if (!(cond)) { \
	fprintf(stderr, "# line %d: %s\n", __LINE__, #cond); return 1; } \
	} while (0)

static int
state_is_told(void)
{
	struct sandbox_state s = SANDBOX_STATE_INIT;
	bool was_root = geteuid() == 0;
	struct rlimit l;

	enter(&small, &s);
	MUST(s.has_user == was_root);
	MUST(s.has_root == was_root);
	MUST(s.has_no_caps && s.has_no_new_privs && s.is_undumpable);
	MUST(s.has_seccomp && s.refusals >= 0);
	MUST(s.landlock == sandbox_probe().landlock || s.landlock > 0);
	MUST(!was_root || (getuid() == NOBODY && getgid() == NOBODY));
	MUST(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	MUST(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	MUST(getrlimit(RLIMIT_CORE, &l) == 0 && l.rlim_max == 0);
	MUST(getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_max == 64);
	return 0;
}

TEST(sandbox_state)
{
	CHECK_INT(in_child(state_is_told), 0, 0);
}

static int
refusals_are_reported(void)
{
	struct sandbox_state s = SANDBOX_STATE_INIT;
	struct sandbox_refusal r;

	enter(&small, &s);
	MUST(sandbox_next_refusal(s.refusals, &r) == -EAGAIN);
	for (int i = 0; i < 1000; i++)
		MUST(syscall(SYS_getpriority, 0, 0) == -1 && errno == EPERM);
	MUST(kill(getppid(), 0) == -1 && errno == EPERM);
	MUST(sandbox_next_refusal(s.refusals, &r) == 0);
	MUST(strcmp(r.name, "getpriority") == 0);
	MUST(r.number == SYS_getpriority);
	MUST(sandbox_next_refusal(s.refusals, &r) == 0);
	MUST(strcmp(r.name, "kill") == 0);
	MUST(sandbox_next_refusal(s.refusals, &r) == -EAGAIN);
	return 0;
}

TEST(sandbox_refusals)
{
	CHECK_INT(in_child(refusals_are_reported), 0, 0);
}

static void *
thread(void *arg)
{
	int *result = arg;
	sigset_t all;
	void *p = malloc(100000);

	/* as the worker pool does it */
	sigfillset(&all);
	sigdelset(&all, SIGSYS);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	free(p);
	*result = syscall(SYS_getpriority, 0, 0) == -1 && errno == EPERM ?
	    42 : 1;
	return NULL;
}

static int
threads_work(void)
{
	struct sandbox_state s = SANDBOX_STATE_INIT;
	pthread_t t[4];
	int result[4] = { 0 };

	enter(&small, &s);
	for (int i = 0; i < 4; i++)
		MUST(pthread_create(&t[i], NULL, thread, &result[i]) == 0);
	for (int i = 0; i < 4; i++)
		MUST(pthread_join(t[i], NULL) == 0 && result[i] == 42);
	return 0;
}

static void *
sleeper(void *arg)
{
	(void)arg;
	pause();
	return NULL;
}

static int
threads_before_are_refused(void)
{
	struct sandbox_request req = request_for(&small);
	struct sandbox_state s = SANDBOX_STATE_INIT;
	struct diag d = DIAG_INIT;
	pthread_t t;

	MUST(pthread_create(&t, NULL, sleeper, NULL) == 0);
	MUST(sandbox_enter(&req, &s, &d) == -EBUSY);
	MUST(strstr(d.text, "threads") != NULL);
	return 0;
}

TEST(sandbox_threads)
{
	CHECK_INT(in_child(threads_work), 0, 0);
	CHECK_INT(in_child(threads_before_are_refused), 0, 0);
}

static int
abort_aborts(void)
{
	struct sandbox_state s = SANDBOX_STATE_INIT;

	enter(&small, &s);
	signal(SIGABRT, SIG_DFL);
	abort();
}

static int
fault_kills(void)
{
	struct sandbox_state s = SANDBOX_STATE_INIT;

	enter(&small, &s);
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
	return 0;
}

TEST(sandbox_death)
{
	CHECK_INT(in_child(abort_aborts), 1000 + SIGABRT, 0);
	if (!BARID_SANITIZERS)
		CHECK_INT(in_child(fault_kills), 1000 + SIGSEGV, 0);
}

static int
others_are_closed(void)
{
	struct sandbox_request req = request_for(&small);
	struct sandbox_state s = SANDBOX_STATE_INIT;
	int pair[2], lost, keep[2];
	struct stat st;

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	lost = open("/", O_RDONLY | O_DIRECTORY);
	MUST(lost > pair[1]);
	keep[0] = 2;
	keep[1] = pair[1];
	req.keep = keep;
	req.keep_count = 2;
	MUST(sandbox_enter(&req, &s, NULL) == 0);
	MUST(fcntl(pair[1], F_GETFD) >= 0);
	MUST(fcntl(2, F_GETFD) >= 0);
	/* the pipe of refusals may have taken its number */
	MUST(fstat(lost, &st) == -1 || !S_ISDIR(st.st_mode));
	MUST(send(pair[1], "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE);
	return 0;
}

static int
folders_are_refused(void)
{
	struct sandbox_request req = request_for(&small);
	struct sandbox_state s = SANDBOX_STATE_INIT;
	int keep[1];

	keep[0] = open("/", O_PATH | O_DIRECTORY);
	MUST(sandbox_enter(&req, &s, NULL) == -EISDIR);
	req.keep = keep;
	req.keep_count = 1;
	MUST(sandbox_enter(&req, &s, NULL) == -EISDIR);
	return 0;
}

TEST(sandbox_descriptors)
{
	CHECK_INT(in_child(others_are_closed), 0, 0);
	CHECK_INT(in_child(folders_are_refused), 0, 0);
}

static int
no_root_folder(void)
{
	struct sandbox_request req = request_for(&small);
	struct sandbox_state s = SANDBOX_STATE_INIT;
	struct diag d = DIAG_INIT;

	req.root = "/nonexistent";
	MUST(sandbox_enter(&req, &s, &d) == -ENOENT);
	MUST(strstr(d.text, "small") != NULL);
	if (geteuid() == 0) {
		req.root = NULL;
		MUST(sandbox_enter(&req, &s, NULL) == -EINVAL);
	}
	return 0;
}

static int
no_user(void)
{
	struct sandbox_request req = request_for(&small);
	struct sandbox_state s = SANDBOX_STATE_INIT;

	req.uid = 0;
	MUST(sandbox_enter(&req, &s, NULL) ==
	    (geteuid() == 0 ? -EINVAL : 0));
	return 0;
}

static int
unsafe_empty_folder(void)
{
	struct sandbox_request req = request_for(&small);
	struct sandbox_state s = SANDBOX_STATE_INIT;
	char path[600];

	if (geteuid() != 0)
		return 0;	/* nothing is promised there */
	(void)snprintf(path, sizeof(path), "%s/open", test_tmpdir());
	MUST(mkdir(path, 0777) == 0 && chmod(path, 0777) == 0);
	req.root = path;
	MUST(sandbox_enter(&req, &s, NULL) == -EPERM);
	return 0;
}

TEST(sandbox_bad_requests)
{
	CHECK_INT(in_child(no_root_folder), 0, 0);
	CHECK_INT(in_child(no_user), 0, 0);
	CHECK_INT(in_child(unsafe_empty_folder), 0, 0);
}

static const struct sandbox_row reader = {
	.daemon = "reader", .user = "reader", .group = "reader",
	.root = SANDBOX_ROOT_QUEUE,
	.groups = SANDBOX_BASE | SANDBOX_FILES_READ,
	.paths = { { "", SANDBOX_READ } },
};

/* landlock_is_gone - from now on this process has a kernel without it */
static bool
landlock_is_gone(void)
{
	scmp_filter_ctx c = seccomp_init(SCMP_ACT_ALLOW);
	bool ok = seccomp_rule_add(c, SCMP_ACT_ERRNO(ENOSYS),
	    SCMP_SYS(landlock_create_ruleset), 0) == 0 && seccomp_load(c) == 0;

	seccomp_release(c);
	return ok;
}

static int
without_landlock(void)
{
	struct sandbox_request req = request_for(&reader);
	struct sandbox_state s = SANDBOX_STATE_INIT;
	struct diag d = DIAG_INIT;
	char path[600];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/read", test_tmpdir());
	MUST(mkdir(path, 0755) == 0);
	req.root = path;
	(void)chmod(test_tmpdir(), 0755);
	if (geteuid() == 0)
		MUST(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
	MUST(landlock_is_gone());
	if (sandbox_enter(&req, &s, &d) < 0) {
		fprintf(stderr, "# %s\n", d.text);
		return 1;
	}
	MUST(s.landlock == 0 && !s.has_user && s.has_no_caps);
	if (!s.has_root) {
		fprintf(stderr, "# no user namespaces here\n");
		return 0;
	}
	fd = open(".", O_RDONLY | O_DIRECTORY);
	MUST(fd >= 0);
	MUST(open("/etc/passwd", O_RDONLY) == -1 && errno == ENOENT);
	MUST(open("../../etc/passwd", O_RDONLY) == -1 && errno == ENOENT);
	MUST(chroot(".") == -1 && errno == EPERM);
	return 0;
}

TEST(sandbox_without_landlock)
{
	CHECK_INT(in_child(without_landlock), 0, 0);
}

static int
filter_is_shared(void)
{
	struct sandbox_filter *f = NULL;
	int status;

	MUST(sandbox_filter_new(&small, &f, NULL) == 0);
	for (int i = 0; i < 3; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			struct sandbox_request req = request_for(&small);
			struct sandbox_state s = SANDBOX_STATE_INIT;

			req.filter = f;
			if (sandbox_enter(&req, &s, NULL) < 0)
				_exit(1);
			/* its own number is in it, not the parent's */
			if (syscall(SYS_tgkill, getpid(), getpid(), 0) != 0 ||
			    syscall(SYS_tgkill, getppid(), getppid(), 0) == 0)
				_exit(2);
			_exit(0);
		}
		MUST(waitpid(pid, &status, 0) == pid && status == 0);
	}
	sandbox_filter_free(&f);
	sandbox_filter_free(&f);
	return 0;
}

TEST(sandbox_filter)
{
	CHECK_INT(in_child(filter_is_shared), 0, 0);
}

TEST(sandbox_formats)
{
	struct sandbox_state s = SANDBOX_STATE_INIT;
	struct buf b = BUF_INIT;

	s.has_user = s.has_seccomp = true;
	s.landlock = 5;
	sandbox_state_format(&b, &s);
	CHECK_TEXT(buf_slice(&b), "user !root !caps !no_new_privs !undumpable "
	    "seccomp landlock=5", 0);
	buf_reset(&b);
	s.landlock = 0;
	sandbox_state_format(&b, &s);
	CHECK(slice_has_suffix(buf_slice(&b), S("!landlock")), 0);
	buf_free(&b);
	CHECK_TEXT(slice_of(sandbox_root_name(SANDBOX_ROOT_QUEUE)), "QUEUE", 0);
	CHECK_TEXT(slice_of(sandbox_group_name(SANDBOX_NET_CLIENT)),
	    "NET_CLIENT", 0);
}
