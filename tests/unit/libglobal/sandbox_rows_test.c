/* SPDX-License-Identifier: ISC */
/*
 * What each row of the table may and may not do: forbidden things are tried in
 * a forked child in every daemon's place, as root and as an unprivileged user.
 * Without the sandbox the same attempts must succeed, so that the test is
 * known to bite.
 */
#include "libglobal/sandbox_rows.h"

#include "test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libtask/memfile.h"
#include "libutil/diag.h"

#define NOBODY	54321

/* what an attempt knows; made before the child's sandbox */
static struct place {
	char	 folder[256];		/* of the test */
	char	 root[300];		/* the row's root folder */
	int	 port;			/* somebody listens there */
	pid_t	 parent;
	uid_t	 uid;
} place;

/* --- attempts: 0 or more if they succeed */

static int
try_passwd(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static int
try_passwd_upwards(void)
{
	return open("../../../../../../etc/passwd", O_RDONLY);
}

static int
try_proc(void)
{
	return open("/proc/self/environ", O_RDONLY);
}

static int
try_make_file(void)
{
	return open("/tmp/barid-drill", O_WRONLY | O_CREAT | O_EXCL, 0600);
}

static int
try_other_account(void)
{
	char path[400];

	(void)snprintf(path, sizeof(path), "%s/other/secret", place.folder);
	return open(path, O_RDONLY);
}

static int
try_other_account_upwards(void)
{
	return open("../other/secret", O_RDONLY);
}

static int
connect_to(int type, const void *to, socklen_t len)
{
	int fd = socket(((const struct sockaddr *)to)->sa_family, type, 0);

	return fd < 0 ? -1 : connect(fd, to, len);
}

static int
try_tcp(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	to.sin_port = htons((uint16_t)place.port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return connect_to(SOCK_STREAM, &to, sizeof(to));
}

static int
try_udp(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	to.sin_port = htons(53);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return connect_to(SOCK_DGRAM, &to, sizeof(to));
}

static int
try_unix(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%.80s/socket",
	    place.folder);
	return connect_to(SOCK_STREAM, &to, sizeof(to));
}

static int
try_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 0);
}

static int
try_datagram_pair(void)
{
	int fds[2];

	return socketpair(AF_UNIX, SOCK_DGRAM, 0, fds);
}

static int
try_listen(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return -1;
	return listen(fd, 1);
}

static int
try_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

static int
try_clone3(void)
{
	uint64_t args[11] = { [4] = SIGCHLD };
	long pid = syscall(SYS_clone3, args, sizeof(args));

	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : waitpid((pid_t)pid, NULL, 0) == pid ? 0 : -1;
}

static int
try_namespace(void)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL,
	    NULL, NULL);

	if (pid == 0)
		_exit(0);
	return (int)pid;
}

static int
try_exec(void)
{
	char *const argv[] = { (char []){ "true" }, NULL };
	int fds[2];
	pid_t pid;
	char c;

	/* a vfork child shares our memory, so the result comes by pipe */
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		execv("/bin/true", argv);
		_exit(write(fds[1], "x", 1) == 1);
	}
	if (pid < 0) {
		/* no fork: replace ourselves, which does not return */
		execv("/bin/true", argv);
		return -1;
	}
	close(fds[1]);
	return read(fds[0], &c, 1) == 0 ? 0 : -1;
}

static int
try_ptrace(void)
{
	return (int)ptrace(PTRACE_SEIZE, place.parent, NULL, NULL);
}

static int
try_read_parent(void)
{
	char c;
	struct iovec local = { &c, 1 }, remote = { &place, 1 };

	return (int)process_vm_readv(place.parent, &local, 1, &remote, 1, 0);
}

static int
try_signal(void)
{
	return kill(place.parent, 0);
}

static int
try_signal_thread(void)
{
	return (int)syscall(SYS_tgkill, place.parent, place.parent, 0);
}

static int
try_pidfd(void)
{
	return (int)syscall(SYS_pidfd_open, place.parent, 0);
}

static int
try_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

static int
try_code_later(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? -1 :
	    mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static int
try_become_root(void)
{
	return setuid(0);
}

static int
try_chroot(void)
{
	return chroot(".");
}

static int
try_unshare(void)
{
	return unshare(CLONE_NEWUSER);
}

static int
try_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int
try_limits(void)
{
	struct rlimit l = { 0, 0 };

	return setrlimit(RLIMIT_CORE, &l);
}

static int
try_memfile(void)
{
	return memfd_create("drill", MFD_CLOEXEC);
}

static int
try_keyctl(void)
{
	return (int)syscall(SYS_keyctl, 0 /* get keyring id */, -3, 1);
}

static int
try_io_uring(void)
{
	unsigned params[30] = { 0 };

	return (int)syscall(SYS_io_uring_setup, 1, params);
}

static int
try_ioctl(void)
{
	int fds[2];

	/* any that is not on the list; this one every pipe answers */
	return pipe(fds) < 0 ? -1 : ioctl(fds[0], FIOCLEX);
}

static int
try_own_signals(void)
{
	int fds[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0 ? -1 :
	    fcntl(fds[0], F_SETOWN, place.parent);
}

static int
try_confine(void)
{
	/* how many filters there are is nobody's business */
	return prctl(PR_SET_SECCOMP, 99, 0, 0, 0) < 0 && errno == EPERM ?
	    -1 : 0;
}

static const struct attempt {
	const char	*name;
	int		(*run)(void);
	unsigned	 allowed;	/* groups that may */
	bool		 as_root_only;	/* needs root where nothing forbids */
} attempts[] = {
	{ "open /etc/passwd", try_passwd, 0, false },
	{ "open ../../etc/passwd", try_passwd_upwards, 0, false },
	{ "open /proc/self/environ", try_proc, 0, false },
	{ "make a file in /tmp", try_make_file, 0, false },
	{ "open another's file", try_other_account, 0, false },
	{ "open another's file by ..", try_other_account_upwards, 0, false },
	{ "connect by TCP", try_tcp, SANDBOX_NET_CLIENT, false },
	{ "connect by UDP", try_udp, SANDBOX_NET_CLIENT, false },
	{ "connect to a Unix socket", try_unix, 0, false },
	{ "netlink socket", try_netlink, 0, false },
	{ "pair of datagram sockets", try_datagram_pair, 0, false },
	{ "listen", try_listen, 0, false },
	{ "fork", try_fork, SANDBOX_FORK, false },
	{ "clone3", try_clone3, 0, false },
	{ "new user namespace", try_namespace, 0, false },
	{ "execve", try_exec, 0, false },
	{ "ptrace master", try_ptrace, 0, false },
	{ "read master's memory", try_read_parent, 0, false },
	{ "signal to master", try_signal, 0, false },
	{ "signal to a thread of master", try_signal_thread, 0, false },
	{ "pidfd of master", try_pidfd, 0, false },
	{ "map code", try_code, 0, false },
	{ "make memory executable", try_code_later, 0, false },
	{ "become root", try_become_root, 0, true },
	{ "chroot", try_chroot, SANDBOX_CONFINE, true },
	{ "unshare", try_unshare, 0, false },
	{ "become dumpable", try_dumpable, SANDBOX_CONFINE, false },
	{ "set limits", try_limits, SANDBOX_CONFINE, false },
	{ "memory file", try_memfile, SANDBOX_MEMFILE, false },
	{ "keyctl", try_keyctl, 0, false },
	{ "io_uring", try_io_uring, 0, false },
	{ "strange ioctl", try_ioctl, 0, false },
	{ "signals by descriptor", try_own_signals, 0, false },
	{ "strange prctl", try_confine, 0, false },
};

#define ATTEMPTS	COUNT(attempts)

/* --- children */

/* what children tell, in memory they share with us */
static struct report {
	bool	entered;
	int	landlock;
	bool	done[64];
	bool	succeeded[64];
	bool	useful[16];
	char	text[600];
} *report;

/* make_place - folders as master would have made them, and a listener */
static void
make_place(void)
{
	static const char *const folders[] = { "empty", "work", "work/slot",
	    "work/large", "work/state.lmdb", "other" };
	struct sockaddr_in at = { .sin_family = AF_INET };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(at);
	char path[512];
	int fd;

	if (report != NULL)
		return;
	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	(void)snprintf(place.folder, sizeof(place.folder), "%s",
	    test_tmpdir());
	(void)chmod(place.folder, 0755);
	for (size_t i = 0; i < COUNT(folders); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", place.folder,
		    folders[i]);
		(void)mkdir(path, 0755);
		if (geteuid() == 0 && folders[i][0] == 'w')
			(void)!chown(path, NOBODY, NOBODY);
	}
	(void)snprintf(path, sizeof(path), "%s/other/secret", place.folder);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	close(fd);

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(fd, 100) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		abort();
	place.port = ntohs(at.sin_port);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%.80s/socket",
	    place.folder);
	if (bind(fd, (struct sockaddr *)&un, sizeof(un)) < 0 ||
	    listen(fd, 100) < 0)
		abort();
	(void)chmod(un.sun_path, 0777);
	place.parent = getpid();
}

static struct sandbox_request
request_for(const struct sandbox_row *row)
{
	bool empty = row->root == SANDBOX_ROOT_EMPTY;

	(void)snprintf(place.root, sizeof(place.root), "%s/%s", place.folder,
	    empty ? "empty" : "work");
	return (struct sandbox_request){
		.row = row, .uid = NOBODY, .gid = NOBODY,
		.root = row->root == SANDBOX_ROOT_NONE ? NULL : place.root,
		.root_fd = -1,
		.keep_chroot = (row->groups & SANDBOX_CONFINE) != 0,
	};
}

/* as another user from the start, as localserve runs */
static void
drop_root(void)
{
	if (geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
		_exit(98);
}

/* attack - try everything, or one thing that may end us */
static void
attack(size_t which)
{
	report->succeeded[which] = attempts[which].run() >= 0;
	report->done[which] = true;
}

/* what every row needs to live */
static void *
idle(void *arg)
{
	*(int *)arg = 1;
	return NULL;
}

static void
live(const struct sandbox_row *row)
{
	pthread_t t;
	int ran = 0, fds[2], fd;
	char *p = malloc(1 << 20);
	bool *u = report->useful;

	memset(p, 1, 1 << 20);
	free(p);
	u[0] = pthread_create(&t, NULL, idle, &ran) == 0 &&
	    pthread_join(t, NULL) == 0 && ran == 1;
	u[1] = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0, fds) == 0 && send(fds[0], "x", 1, MSG_NOSIGNAL) == 1;
	u[2] = (row->groups & SANDBOX_FILES_READ) == 0 ||
	    row->root == SANDBOX_ROOT_NONE ||
	    open(row->paths[0].path[0] == '\0' ? "." : row->paths[0].path,
	    O_RDONLY | O_DIRECTORY) >= 0;
	u[3] = true;
	for (size_t i = 0; i < SANDBOX_PATHS_MAX &&
	    row->paths[i].path != NULL; i++) {
		char path[100];

		if (row->paths[i].access < SANDBOX_MAKE ||
		    (row->groups & SANDBOX_FILES_WRITE) == 0)
			continue;	/* or it may only remove what is there */
		(void)snprintf(path, sizeof(path), "%s%sfile",
		    row->paths[i].path, row->paths[i].path[0] ? "/" : "");
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		u[3] = u[3] && fd >= 0 && pwrite(fd, "x", 1, 0) == 1 &&
		    unlink(path) == 0;
	}
}

/* AS_USER_BARE: on a kernel without Landlock */
enum { WITHOUT, AS_ROOT, AS_USER, AS_USER_BARE };

static int
child(const struct sandbox_row *row, int how, size_t which)
{
	struct sandbox_state s = SANDBOX_STATE_INIT;
	struct sandbox_request req;
	struct diag d = DIAG_INIT;

	if (how == AS_USER)
		drop_root();
	if (how == WITHOUT) {
		if (chdir(place.folder) < 0 || chdir("work") < 0)
			return 97;
		attack(which);
		return 0;
	}
	req = request_for(row);
	if (sandbox_enter(&req, &s, &d) < 0) {
		(void)snprintf(report->text, sizeof(report->text), "%s",
		    d.text);
		return 96;
	}
	report->entered = true;
	report->landlock = s.landlock;
	if (which == ATTEMPTS) {
		live(row);
		return 0;
	}
	attack(which);
	return 0;
}

static int
run_child(const struct sandbox_row *row, int how, size_t which)
{
	int status = -1;
	pid_t pid;

	memset(report, 0, sizeof(*report));
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(child(row, how, which));
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		abort();
	(void)unlink("/tmp/barid-drill");
	return WIFEXITED(status) ? WEXITSTATUS(status) :
	    1000 + WTERMSIG(status);
}

/* has_namespaces - may a user make one? Not inside of a chroot */
static bool
has_namespaces(void)
{
	int	status = -1;
	pid_t	pid;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		drop_root();
		_exit(unshare(CLONE_NEWUSER) == 0 ? 0 : 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(sandbox_drill_bites)
{
	bool namespaces;

	make_place();
	namespaces = has_namespaces();
	for (size_t i = 0; i < ATTEMPTS; i++) {
		int status;

		if (attempts[i].as_root_only && geteuid() != 0)
			continue;
		/* where the system allows nobody to make one */
		if (!namespaces && (attempts[i].run == try_namespace ||
		    attempts[i].run == try_unshare))
			continue;
		status = run_child(NULL, WITHOUT, i);
		/* execve may succeed by replacing the child */
		if (!(report->done[i] && report->succeeded[i]))
			test_fail(__FILE__, __LINE__, i,
			    "\"%s\" fails without a sandbox, too (%d)",
			    attempts[i].name, status);
	}
}

/* drill - every row, every attempt */
static void
drill(int how)
{
	const struct sandbox_row *row;
	size_t count = 0;

	make_place();
	for (size_t i = 0; (row = sandbox_row_at(i)) != NULL; i++) {
		if (row->groups == 0)
			continue;		/* stays root */
		for (size_t j = 0; j < ATTEMPTS; j++) {
			bool may = (attempts[j].allowed & row->groups) != 0;
			int status = run_child(row, how, j);

			if (strcmp(row->daemon, "mapd") == 0 &&
			    (attempts[j].run == try_passwd ||
			    attempts[j].run == try_passwd_upwards))
				continue;	/* its tables are there */
			if (attempts[j].as_root_only && how == AS_USER)
				may = false;
			if (!report->entered) {
				test_fail(__FILE__, __LINE__, i,
				    "%s: %s (%d)", row->daemon, report->text,
				    status);
				break;
			}
			if (!report->done[j] || report->succeeded[j] != may)
				test_fail(__FILE__, __LINE__, j,
				    "%s: \"%s\" %s (%d)", row->daemon,
				    attempts[j].name, !report->done[j] ?
				    "kills" : may ? "fails" : "succeeds",
				    status);
			count++;
		}
	}
	CHECK(count > 10 * ATTEMPTS, count);
}

TEST(sandbox_drill_as_root)	/* or as who we are */
{
	drill(geteuid() == 0 ? AS_ROOT : AS_USER);
}

TEST(sandbox_drill_as_user)
{
	drill(AS_USER);
}

TEST(sandbox_rows_can_live)
{
	const struct sandbox_row *row;

	make_place();
	for (int how = geteuid() == 0 ? AS_ROOT : AS_USER; how <= AS_USER;
	    how++)
		for (size_t i = 0; (row = sandbox_row_at(i)) != NULL; i++) {
			if (row->groups == 0)
				continue;
			CHECK_INT(run_child(row, how, ATTEMPTS), 0, i);
			for (size_t j = 0; j < 4; j++)
				CHECK(report->useful[j], i * 100 + j);
		}
}

/* --- the zygote and its children */

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
zygote(int how, bool confines)
{
	const struct sandbox_row *row = sandbox_row_find(S("zygote"));
	struct sandbox_state s = SANDBOX_STATE_INIT;
	struct sandbox_filter *filter = NULL;
	struct sandbox_request req;
	struct diag d = DIAG_INIT;
	int keep[3] = { 0, 1, 2 }, status;
	char path[400];
	pid_t pid;

	if (how != AS_ROOT)
		drop_root();
	if (how == AS_USER_BARE && !landlock_is_gone())
		return 9;
	if (sandbox_filter_new(sandbox_row_find(S("accountd")), &filter,
	    NULL) < 0)
		return 10;
	req = request_for(row);
	req.root = place.folder;	/* the store: work and other */
	if (sandbox_enter(&req, &s, &d) < 0)
		return 11;
	pid = fork();
	if (pid < 0)
		return 12;
	if (pid > 0)
		return waitpid(pid, &status, 0) != pid ? 13 :
		    WIFEXITED(status) ? WEXITSTATUS(status) : 14;

	(void)snprintf(path, sizeof(path), "%s/work",
	    s.has_root ? "" : place.folder);
	req = (struct sandbox_request){
		.row = sandbox_row_find(S("accountd")), .root = path,
		.root_fd = -1, .filter = filter, .keep = keep,
		.keep_count = 3,
	};
	if (sandbox_enter(&req, &s, &d) < 0) {
		(void)snprintf(report->text, sizeof(report->text), "%s",
		    d.text);
		return 15;
	}
	report->entered = true;
	report->landlock = s.landlock;
	if (!s.has_no_caps || !s.has_seccomp ||
	    s.has_root != (how == AS_ROOT ||
	    (how == AS_USER_BARE && confines)) ||
	    s.has_user != (how == AS_ROOT) || s.refusals < 0)
		return 16;
	live(req.row);
	for (size_t i = 0; confines && i < ATTEMPTS; i++)
		attack(i);
	return 0;
}

TEST(sandbox_zygote)
{
	make_place();
	for (int how = geteuid() == 0 ? AS_ROOT : AS_USER; how <= AS_USER_BARE;
	    how++) {
		/* with neither it says that accounts are not confined */
		bool confines = how != AS_USER_BARE || has_namespaces();
		int status = -1;
		pid_t pid;

		memset(report, 0, sizeof(*report));
		fflush(stdout);
		if ((pid = fork()) == 0)
			_exit(zygote(how, confines));
		CHECK(waitpid(pid, &status, 0) == pid, how);
		if (!CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, how))
			test_fail(__FILE__, __LINE__, (size_t)how, "%d: %s",
			    WEXITSTATUS(status), report->text);
		for (size_t i = 0; confines && i < ATTEMPTS; i++)
			if (!report->done[i] ||
			    report->succeeded[i] != ((attempts[i].allowed &
			    SANDBOX_MEMFILE) != 0))
				test_fail(__FILE__, __LINE__, i, "\"%s\" %s",
				    attempts[i].name,
				    report->succeeded[i] ? "succeeds" :
				    "fails or kills");
		for (size_t j = 0; j < 4; j++)
			CHECK(report->useful[j], j);
	}
}

TEST(sandbox_rows_table)
{
	const struct sandbox_row *row, *other;

	for (size_t i = 0; (row = sandbox_row_at(i)) != NULL; i++) {
		CHECK(sandbox_row_find(slice_of(row->daemon)) == row, i);
		CHECK(row->gist[0] != '\0', i);
		/* who may open nothing has no paths, and the reverse */
		CHECK((row->root == SANDBOX_ROOT_EMPTY || row->groups == 0) ==
		    (row->paths[0].path == NULL), i);
		if (row->root == SANDBOX_ROOT_EMPTY)
			CHECK((row->groups & (SANDBOX_FILES_READ |
			    SANDBOX_FILES_WRITE)) == 0, i);
		/* users are shared by the zygote and its children only */
		for (size_t j = 0; j < i; j++) {
			other = sandbox_row_at(j);
			CHECK(strcmp(row->user, other->user) != 0 ||
			    strcmp(row->user, "account") == 0, i);
		}
	}
	CHECK(sandbox_row_find(S("nonesuch")) == NULL, 0);
}
