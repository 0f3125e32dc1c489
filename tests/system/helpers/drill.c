/* SPDX-License-Identifier: ISC */
/*
 * drill: hostile code in the place of a daemon. Preloaded into the daemons of
 * a suite, it lets a daemon start and enter its sandbox; then, at the
 * daemon's next wait, it tries what an intruder would try, and tells the
 * result over the descriptor that DRILL_FD names: one line an attempt,
 *
 *	NAME PID ATTEMPT yes|no
 *
 * NAME is the daemon; a process forked by it has "+child" behind. DRILL_DELAY
 * is how many waits to let pass. With DRILL_FORGE, the name of a daemon, the
 * library is in that one only, and forges messages instead (drill_forge.c), to
 * the detriment of DRILL_ACCOUNT. DRILL_PLACE is a folder with things to reach for:
 * `secret` (another's mail), `key` (signd's key), `socket`. DRILL_PORT is a
 * TCP port where somebody listens.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
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

#include "drill.h"

#define EXPORT	__attribute__((visibility("default")))

static int	say_fd = -1, port, delay = 1;
static bool	sandboxed;
static char	place[300], self_path[4200], forger[40], account_id[40];
static pid_t	started_as, done_as, master;
static int	waits;

__attribute__((constructor)) static void
begin(void)
{
	const char	*v;
	Dl_info		 info;

	if ((v = getenv("DRILL_FD")) == NULL)
		return;
	say_fd = (int)strtol(v, NULL, 10);
	if ((v = getenv("DRILL_PLACE")) != NULL)
		(void)snprintf(place, sizeof(place), "%s", v);
	if ((v = getenv("DRILL_PORT")) != NULL)
		port = (int)strtol(v, NULL, 10);
	if ((v = getenv("DRILL_DELAY")) != NULL)
		delay = (int)strtol(v, NULL, 10);
	sandboxed = getenv("DRILL_BARE") == NULL;
	if ((v = getenv("DRILL_FORGE")) != NULL) {
		(void)snprintf(forger, sizeof(forger), "%s", v);
		(void)snprintf(self_path, sizeof(self_path), "%s/progress",
		    place);
		drill_forge_prepare(self_path);
	}
	if ((v = getenv("DRILL_ACCOUNT")) != NULL)
		(void)snprintf(account_id, sizeof(account_id), "%s", v);
	if (dladdr((void *)begin, &info) != 0)
		(void)snprintf(self_path, sizeof(self_path), "%s",
		    info.dli_fname);
	started_as = getpid();
	master = getppid();
}

/* me - the daemon, and whether it is one that was forked by it */
static const char *
me(void)
{
	static char name[60];

	(void)snprintf(name, sizeof(name), "%s%s",
	    program_invocation_short_name, drill_is_child() ? "+child" : "");
	return name;
}

bool
drill_is_child(void)
{
	return getpid() != started_as;
}

bool
drill_is_own(int fd)
{
	return fd == say_fd;
}

const char *
drill_account(void)
{
	return account_id;
}

const char *
drill_place(void)
{
	return place;
}

/* drill_tell - one line for the test */
void
drill_tell(const char *what, const char *outcome)
{
	static char	line[2000];
	int		n = snprintf(line, sizeof(line), "%s %d %s %s\n",
			    me(), (int)getpid(), what, outcome);

	if (n >= (int)sizeof(line) || write(say_fd, line, (size_t)n) != n)
		_exit(99);
}

static void
say(const char *what, bool could)
{
	drill_tell(what, could ? "yes" : "no");
}

static int
reach(const char *name, int flags)
{
	char path[400];

	(void)snprintf(path, sizeof(path), "%s/%s", place, name);
	return open(path, flags | O_CLOEXEC, 0600);
}

static int	passwd(void) { return open("/etc/passwd", O_RDONLY); }
static int	upwards(void)
{
	return open("../../../../../../../../etc/passwd", O_RDONLY);
}
static int	proc(void) { return open("/proc/self/environ", O_RDONLY); }
static int	account(void) { return reach("secret", O_RDONLY); }
static int	key(void) { return reach("key", O_RDONLY); }
static int	make_file(void)
{
	char name[40];

	(void)snprintf(name, sizeof(name), "made-%d", (int)getpid());
	return reach(name, O_WRONLY | O_CREAT);
}

static int
unix_socket(void)
{
	struct sockaddr_un	to = { .sun_family = AF_UNIX };
	int			fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%.90s/socket", place);
	return fd < 0 ? -1 : connect(fd, (struct sockaddr *)&to, sizeof(to));
}

static int
internet(int type)
{
	struct sockaddr_in	to = { .sin_family = AF_INET };
	int			fd = socket(AF_INET, type, 0);

	to.sin_port = htons((uint16_t)port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return fd < 0 ? -1 : connect(fd, (struct sockaddr *)&to, sizeof(to));
}

static int	tcp(void) { return internet(SOCK_STREAM); }
static int	udp(void) { return internet(SOCK_DGRAM); }
static int	netlink(void) { return socket(AF_NETLINK, SOCK_RAW, 0); }

static int
listener(void)
{
	struct sockaddr_in	at = { .sin_family = AF_INET };
	int			fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return -1;
	return listen(fd, 1);
}

static int
forked(long pid)
{
	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 :
	    syscall(SYS_wait4, pid, NULL, 0, NULL) == pid ? 0 : -1;
}

static int	do_fork(void)
{
	return forked(syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
}
static int	namespace(void)
{
	return forked(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL,
	    NULL, NULL));
}

static int
program(void)
{
	char *const	argv[] = { (char []){ "true" }, NULL };
	char *const	envp[] = { NULL };
	int		status = -1;
	long		pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL,
			    NULL);

	if (pid == 0) {
		syscall(SYS_execve, "/bin/true", argv, envp);
		_exit(9);
	}
	if (pid < 0)		/* without a fork: is it refused at all? */
		return syscall(SYS_execve, "", argv, envp) < 0 &&
		    errno == EPERM ? -1 : 0;
	if (syscall(SYS_wait4, pid, &status, 0, NULL) != pid)
		return -1;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static int
trace(void)
{
	/* a child of its own: a process has one tracer only */
	long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0) {
		(void)sleep(2);
		_exit(0);
	}
	if (pid < 0)
		pid = master;
	return (int)syscall(SYS_ptrace, PTRACE_SEIZE, pid, 0, 0);
}

static int
memory(void)
{
	char		c;
	struct iovec	mine = { &c, 1 };
	struct iovec	its = { place, 1 };

	/* where this library lies in master too, it has been preloaded */
	if (syscall(SYS_process_vm_readv, master, &mine, 1, &its, 1, 0) >= 0)
		return 0;
	return errno == EFAULT ? 0 : -1;
}

static int	signal_master(void)
{
	return (int)syscall(SYS_kill, master, 0);
}
static int	pidfd(void) { return (int)syscall(SYS_pidfd_open, master, 0); }

static int
code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static int	root(void) { return (int)syscall(SYS_setuid, 0); }
static int	do_chroot(void) { return (int)syscall(SYS_chroot, "."); }
static int	do_unshare(void) { return unshare(CLONE_NEWNS); }
static int	dumpable(void) { return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); }
static int	keyctl(void)
{
	return (int)syscall(SYS_keyctl, 0, -3, 1);
}
static int	uring(void)
{
	unsigned params[30] = { 0 };

	return (int)syscall(SYS_io_uring_setup, 1, params);
}
static const struct attempt {
	const char	*name;
	int		(*run)(void);
} attempts[] = {
	{ "open-/etc/passwd", passwd },
	{ "open-../../etc/passwd", upwards },
	{ "open-/proc/self/environ", proc },
	{ "open-another-account", account },
	{ "read-signd's-key", key },
	{ "make-a-file-elsewhere", make_file },
	{ "connect-by-TCP", tcp },
	{ "connect-by-UDP", udp },
	{ "connect-to-a-Unix-socket", unix_socket },
	{ "netlink", netlink },
	{ "listen", listener },
	{ "fork", do_fork },
	{ "fork-and-exec", program },
	{ "new-namespace", namespace },
	{ "ptrace", trace },
	{ "read-master's-memory", memory },
	{ "signal-to-master", signal_master },
	{ "pidfd-of-master", pidfd },
	{ "make-code", code },
	{ "become-root", root },
	{ "chroot", do_chroot },
	{ "unshare", do_unshare },
	{ "become-dumpable", dumpable },
	{ "keyctl", keyctl },
	{ "io_uring", uring },
};

/* descriptors - what it holds and can write to, without writing */
static void
descriptors(void)
{
	for (int fd = 3; fd < 2000; fd++) {
		struct stat	st;
		char		what[60];
		int		flags;

		if (fd == say_fd || fstat(fd, &st) < 0)
			continue;
		flags = fcntl(fd, F_GETFL);
		if (S_ISDIR(st.st_mode)) {
			(void)snprintf(what, sizeof(what),
			    "hold-a-folder:%llu",
			    (unsigned long long)st.st_ino);
			say(what, true);
		} else if (S_ISREG(st.st_mode) && st.st_nlink > 0 &&
		    (flags & O_ACCMODE) != O_RDONLY) {
			(void)snprintf(what, sizeof(what),
			    "write-to-file:%llu",
			    (unsigned long long)st.st_ino);
			say(what, true);
		}
	}
}

/* may_drill - is it the turn of this process, and is it in its sandbox? */
static bool
may_drill(void)
{
	return say_fd >= 0 && done_as != getpid() &&
	    strcmp(program_invocation_short_name, "master") != 0 &&
	    (!sandboxed || prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2);
}

/* attack - what an intruder would try; one who forges does nothing else */
static void
attack(void)
{
	if (forger[0] == '\0') {
		descriptors();
		for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]);
		    i++)
			say(attempts[i].name, attempts[i].run() >= 0);
		say("done", true);
		if (!sandboxed && !drill_is_child())
			drill_wake();
		return;
	}
	if (strcmp(forger, me()) != 0)
		return;
	drill_forge();
	for (;;)		/* it serves nobody any more */
		(void)sleep(1);
}

EXPORT int
epoll_wait(int fd, struct epoll_event *events, int count, int timeout)
{
	static int (*real)(int, struct epoll_event *, int, int);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "epoll_wait");
	if (!may_drill())
		return real(fd, events, count, timeout);
	if (++waits <= delay)
		return real(fd, events, count, timeout < 0 || timeout > 200 ?
		    200 : timeout);
	done_as = getpid();
	waits = 0;
	attack();
	return real(fd, events, count, timeout);
}

/* what comes in says which conversation a descriptor carries */
EXPORT ssize_t
recvmsg(int fd, struct msghdr *m, int flags)
{
	static ssize_t (*real)(int, struct msghdr *, int);
	ssize_t n;

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "recvmsg");
	n = real(fd, m, flags);
	if (n > 0 && forger[0] != '\0' && m->msg_iovlen == 1)
		drill_learn(fd, m, (size_t)n);
	return n;
}

EXPORT int
close(int fd)
{
	static int (*real)(int);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "close");
	drill_role_set(fd, NULL, false, NULL);
	return fd == say_fd && say_fd >= 0 ? 0 : real(fd);
}

EXPORT int
close_range(unsigned from, unsigned to, int flags)
{
	static int (*real)(unsigned, unsigned, int);
	unsigned us = (unsigned)say_fd;
	int r = 0;

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "close_range");
	if (say_fd < 0 || us < from || us > to)
		return real(from, to, flags);
	if (us > from)
		r = real(from, us - 1, flags);
	if (r == 0 && us < to)
		r = real(us + 1, to, flags);
	return r;
}

EXPORT int
execve(const char *path, char *const argv[], char *const envp[])
{
	static const char	*names[] = { "DRILL_FD", "DRILL_PLACE",
				    "DRILL_PORT", "DRILL_DELAY", "DRILL_BARE",
				    "DRILL_FORGE", "DRILL_ACCOUNT",
				    "ASAN_OPTIONS" };
	static char	preload[4300], text[8][500];
	char		*env[64];
	const char	*slash = strrchr(path, '/');
	size_t		 length = strcspn(forger, "+");
	int		 n = 0;
	static int	(*real)(const char *, char *const *, char *const *);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "execve");
	if (say_fd < 0 || (length > 0 && slash != NULL &&
	    (strlen(slash + 1) != length ||
	    strncmp(forger, slash + 1, length) != 0)))
		return real(path, argv, envp);
	while (envp[n] != NULL && n < 50) {
		env[n] = envp[n];
		n++;
	}
	(void)snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", self_path);
	env[n++] = preload;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (getenv(names[i]) == NULL)
			continue;
		(void)snprintf(text[i], sizeof(text[i]), "%s=%s", names[i],
		    getenv(names[i]));
		env[n++] = text[i];
	}
	env[n] = NULL;
	return real(path, argv, env);
}
