/* SPDX-License-Identifier: ISC */
/*
 * libseccomp writes the program; we keep it as bytes, because the zygote's
 * children all load the same one and must not spend the time again. One
 * constant in it differs between processes, their own number: the program is
 * written with a number that no process has, and each fills in its own.
 *
 * Refused calls trap where we know how to give a return value to the
 * interrupted code. Elsewhere the kernel answers EPERM itself and nothing is
 * reported.
 */
#include "libtask/seccomp_filter.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libtask/memfile.h"
#include "libutil/alloc.h"
#include "libutil/diag.h"

#if defined(__x86_64__) || defined(__aarch64__)
#define REFUSE	SCMP_ACT_TRAP
#else
#define REFUSE	SCMP_ACT_ERRNO(EPERM)
#endif

#ifndef PR_SET_VMA
#define PR_SET_VMA	0x53564d41
#endif

#ifndef SYS_SECCOMP
#define SYS_SECCOMP	1	/* si_code of a refused call */
#endif

#define SECCOMP_OWN_PID		0x7ff1a9e5	/* above every pid_max */
/* where the kernel expects the flags of clone */
#ifdef __s390x__
#define SECCOMP_CLONE_FLAGS	1
#else
#define SECCOMP_CLONE_FLAGS	0
#endif

#define CONDITIONS_MAX	3

#define IS(n, value)	{ (n), SCMP_CMP_MASKED_EQ, 0xffffffffu, \
			    (scmp_datum_t)(value) & 0xffffffffu }
#define LACKS(n, bits)	{ (n), SCMP_CMP_MASKED_EQ, \
			    (scmp_datum_t)(unsigned)(bits), 0 }
#define NULL_ARG(n)	{ (n), SCMP_CMP_EQ, 0, 0 }

static const struct rule {
	enum sandbox_group	 group;
	int			 number;	/* < 0: not on this machine */
	unsigned		 condition_count;
	struct scmp_arg_cmp	 conditions[CONDITIONS_MAX];
} rules[] = {
#define ALLOW(group, call) \
	{ SANDBOX_##group, SCMP_SYS(call), 0, { { 0 } } },
#define ALLOW_IF(group, call, ...) \
	{ SANDBOX_##group, SCMP_SYS(call), \
	    sizeof((struct scmp_arg_cmp []){ __VA_ARGS__ }) / \
	    sizeof(struct scmp_arg_cmp), { __VA_ARGS__ } },
#include "libtask/seccomp_groups.def"
};

struct sandbox_filter {
	struct sock_filter	*code;
	unsigned short		 count;
};

/* sandbox_group_name - as in the table */
const char *
sandbox_group_name(enum sandbox_group group)
{
	switch (group) {
#define GROUP(name, gist)	case SANDBOX_##name: return #name;
#include "libtask/seccomp_groups.def"
	}
	return "?";
}

/* add_rules - what the row's groups allow */
static int
add_rules(scmp_filter_ctx c, unsigned groups)
{
	int	r;

	/* clone3 has its flags in memory, where no filter can look; who is
	 * told that there is no such call uses clone */
	r = seccomp_rule_add(c, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (r < 0)
		return r;
	for (size_t i = 0; i < COUNT(rules); i++) {
		if ((rules[i].group & groups) == 0 || rules[i].number < 0)
			continue;
		r = seccomp_rule_add_array(c, SCMP_ACT_ALLOW, rules[i].number,
		    rules[i].condition_count, rules[i].conditions);
		if (r < 0 && r != -EEXIST)
			return r;
	}
	return 0;
}

/* read_program - the program as bytes, through a memory file */
static int
read_program(scmp_filter_ctx c, struct sandbox_filter *f)
{
	struct memfile	m = MEMFILE_INIT;
	struct stat	st;
	size_t		size;
	int		r;

	if ((r = memfile_new("seccomp", 0, &m)) < 0 ||
	    (r = seccomp_export_bpf(c, m.fd)) < 0)
		goto out;
	r = -EIO;
	if (fstat(m.fd, &st) < 0 || st.st_size <= 0)
		goto out;
	size = (size_t)st.st_size;
	if (size % sizeof(*f->code) != 0 ||
	    size / sizeof(*f->code) > BPF_MAXINSNS)
		goto out;
	f->count = (unsigned short)(size / sizeof(*f->code));
	f->code = xmalloc(size);
	r = memfile_pread(m.fd, 0, f->code, size);
out:
	memfile_done(&m);
	return r;
}

/* sandbox_filter_new - compile a row's list */
int
sandbox_filter_new(const struct sandbox_row *row,
    struct sandbox_filter **ret_filter, struct diag *diag)
{
	struct sandbox_filter	*f = NEW(struct sandbox_filter);
	unsigned		 groups = row->groups;
	scmp_filter_ctx		 c = seccomp_init(REFUSE);
	int			 r = -ENOMEM;

	if (BARID_SANITIZERS)
		groups |= SANDBOX_SANITIZERS;
	/* a binary tree of calls instead of a list */
	if (c == NULL ||
	    (r = seccomp_attr_set(c, SCMP_FLTATR_CTL_OPTIMIZE, 2)) < 0 ||
	    (r = add_rules(c, groups)) < 0 ||
	    (r = read_program(c, f)) < 0) {
		(void)diag_set(diag, 0, 0, "cannot build the list of system "
		    "calls of %s: %s", row->daemon, strerror(-r));
		sandbox_filter_free(&f);
	} else {
		*ret_filter = f;
	}
	seccomp_release(c);
	return r;
}

/* sandbox_filter_free - release it */
void
sandbox_filter_free(struct sandbox_filter **filter)
{
	if (*filter != NULL)
		free((*filter)->code);
	free(*filter);
	*filter = NULL;
}

/* seccomp_filter_is_available - does the kernel know what we use? */
bool
seccomp_filter_is_available(void)
{
	uint32_t	action = REFUSE & SECCOMP_RET_ACTION_FULL;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0u,
	    &action) == 0;
}

/* seccomp_filter_load - fill in our number and hand it to the kernel */
int
seccomp_filter_load(const struct sandbox_filter *filter)
{
	size_t			 size = filter->count * sizeof(*filter->code);
	struct sock_filter	*code = xmalloc(size);
	struct sock_fprog	 program = { filter->count, code };
	int			 r = 0;

	memcpy(code, filter->code, size);
	for (size_t i = 0; i < filter->count; i++)
		if (BPF_CLASS(code[i].code) == BPF_JMP &&
		    code[i].k == SECCOMP_OWN_PID)
			code[i].k = (uint32_t)getpid();
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0u, &program) < 0)
		r = -errno;
	free(code);
	return r;
}

/* seccomp_filter_holds - try a call that no row allows */
bool
seccomp_filter_holds(void)
{
	/* without a filter the kernel says EFAULT */
	return prctl(PR_GET_SECCOMP) == SECCOMP_MODE_FILTER &&
	    syscall(SYS_execve, NULL, NULL, NULL) < 0 && errno == EPERM;
}

/* --- refused calls */

#define NUMBERS_MAX	1024
#define STACK_SIZE	((size_t)32 << 10)

/*
 * What the handler works on. A signal handler has no argument of ours, so
 * this is one of the few globals; it changes only while the sandbox is set
 * up, but for the marks of what was reported.
 */
static struct {
	int		 read_fd;
	int		 write_fd;	/* -1: silent */
	atomic_bool	 seen[NUMBERS_MAX];
} trap = { .read_fd = -1, .write_fd = -1 };

/* set_result - what the refused call shall have returned */
static bool
set_result(void *context, long result)
{
	ucontext_t	*u = context;

#if defined(__x86_64__)
	u->uc_mcontext.gregs[REG_RAX] = result;
	return true;
#elif defined(__aarch64__)
	u->uc_mcontext.regs[0] = (unsigned long long)result;
	return true;
#else
	(void)u;
	(void)result;
	return false;
#endif
}

/* on_refusal - the kernel has refused a call of the interrupted code */
static void
on_refusal(int signal_number, siginfo_t *info, void *context)
{
	int	saved = errno, number = info->si_syscall;

	(void)signal_number;
	if (info->si_code != SYS_SECCOMP || !set_result(context, -EPERM))
		return;
	if (trap.write_fd >= 0 && number >= 0 && number < NUMBERS_MAX &&
	    !atomic_exchange(&trap.seen[number], true)) {
		/* a full pipe loses reports, never the process's time */
		ssize_t n = write(trap.write_fd, &number, sizeof(number));
		(void)n;
	}
	errno = saved;
}

/* stack_install - a stack for the handler: those of tasks are small */
static int
stack_install(void)
{
	long		 page = sysconf(_SC_PAGESIZE);
	long		 least = sysconf(_SC_MINSIGSTKSZ);
	size_t		 size = STACK_SIZE;
	stack_t		 s;
	char		*p;

	if (sigaltstack(NULL, &s) < 0)
		return -errno;
	if ((s.ss_flags & SS_DISABLE) == 0)
		return 0;		/* a parent's, or a sanitizer's */
	while (least > 0 && (size_t)least + STACK_SIZE / 2 > size)
		size *= 2;
	p = mmap(NULL, size + (size_t)page, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return -errno;
	s = (stack_t){ .ss_sp = p + page, .ss_size = size };
	if (mprotect(s.ss_sp, size, PROT_READ | PROT_WRITE) < 0 ||
	    sigaltstack(&s, NULL) < 0) {
		int r = -errno;

		(void)munmap(p, size + (size_t)page);
		return r;
	}
	return 0;
}

/* trap_close - end the reports; a parent's in its child */
static void
trap_close(void)
{
	if (trap.read_fd >= 0)
		(void)close(trap.read_fd);
	if (trap.write_fd >= 0)
		(void)close(trap.write_fd);
	trap.read_fd = trap.write_fd = -1;
}

/* seccomp_trap_install - answer refused calls */
int
seccomp_trap_install(void)
{
	struct sigaction	a = { .sa_sigaction = on_refusal };
	sigset_t		set;
	int			r;

	trap_close();
	if ((r = stack_install()) < 0)
		return r;
	a.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
	sigemptyset(&a.sa_mask);
	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	/* a blocked SIGSYS would kill instead of being handled */
	if (sigaction(SIGSYS, &a, NULL) < 0 ||
	    sigprocmask(SIG_UNBLOCK, &set, NULL) < 0)
		return -errno;
	return 0;
}

/* seccomp_trap_report - begin to report */
int
seccomp_trap_report(int *ret_fd)
{
	int	fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	for (size_t i = 0; i < NUMBERS_MAX; i++)
		atomic_store(&trap.seen[i], false);
	trap.read_fd = fds[0];
	trap.write_fd = fds[1];
	*ret_fd = fds[0];
	return 0;
}

/* sandbox_next_refusal - what was refused; the name is looked up here, not in
 * the handler */
int
sandbox_next_refusal(int refusals, struct sandbox_refusal *ret_refusal)
{
	ssize_t	 n;
	int	 number;
	char	*name;

	n = read(refusals, &number, sizeof(number));
	if (n != (ssize_t)sizeof(number))
		return n < 0 ? -errno : -EAGAIN;
	name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
	ret_refusal->number = number;
	(void)snprintf(ret_refusal->name, sizeof(ret_refusal->name), "%s",
	    name == NULL ? "unknown" : name);
	free(name);
	return 0;
}
