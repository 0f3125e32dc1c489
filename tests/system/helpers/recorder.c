/* SPDX-License-Identifier: ISC */
/*
 * recorder: a library for LD_PRELOAD that records what a program does to
 * files, so that tests can rebuild the disk as it was after any step.
 *
 * RECORDER_FD names the descriptor of a file opened for appending. Each step is
 * one record in one write, made after the step and before the program hears of
 * it; a flush has two, around it, since it covers what was written before it
 * began. Files are told by inode number, names by the number of their folder.
 * The descriptor and the environment survive exec and the closing of others.
 * A write to a descriptor with O_SYNC or O_DSYNC is marked as flushed.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <dirent.h>

#define EXPORT	__attribute__((visibility("default")))
#define FDS	70000
#define MAX	(8u << 20)

enum { FD_UNKNOWN, FD_OTHER, FD_FILE, FD_FOLDER };

struct known {
	uint64_t	ino;
	uint8_t		kind;
	uint8_t		sync;
};

struct record {
	uint32_t	length;		/* of all */
	uint8_t		op;
	uint8_t		flag;
	uint16_t	name;		/* bytes of name, then data */
	uint32_t	pid;
	uint32_t	mode;
	uint32_t	uid, gid;
	uint64_t	ino, folder, offset, site;
};

static struct known	known[FDS];
static int		log_fd = -1;

#define REAL(ret, name, ...) \
	static ret (*real)(__VA_ARGS__); \
	if (real == NULL) \
		*(void **)&real = dlsym(RTLD_NEXT, name)

static ssize_t
raw_write(int fd, const struct iovec *iov, int n)
{
	static ssize_t (*real)(int, const struct iovec *, int);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "writev");
	return real(fd, iov, n);
}

__attribute__((constructor)) static void
begin(void)
{
	const char *text = getenv("RECORDER_FD");

	if (text != NULL)
		log_fd = (int)strtol(text, NULL, 10);
}

/* put - one record */
static void
put(struct record *r, const char *name, const struct iovec *data, int n,
    size_t length)
{
	struct iovec	v[66];
	int		saved = errno, count = 1;
	size_t		sum = 0;

	if (log_fd < 0)
		return;
	r->pid = (uint32_t)getpid();
	r->name = (uint16_t)(name == NULL ? 0 : strlen(name));
	v[0] = (struct iovec){ r, sizeof(*r) };
	if (r->name > 0)
		v[count++] = (struct iovec){ (void *)(uintptr_t)name, r->name };
	for (int i = 0; i < n && count < 66 && sum < length; i++) {
		size_t part = data[i].iov_len < length - sum ?
		    data[i].iov_len : length - sum;

		v[count++] = (struct iovec){ data[i].iov_base, part };
		sum += part;
	}
	if (sum < length) {
		fprintf(stderr, "recorder: too many pieces\n");
		abort();
	}
	r->length = (uint32_t)(sizeof(*r) + r->name + length);
	if (raw_write(log_fd, v, count) != (ssize_t)r->length) {
		fprintf(stderr, "recorder: cannot write\n");
		abort();
	}
	errno = saved;
}

/* look - what a descriptor is; asked once */
static struct known *
look(int fd)
{
	static struct known	none = { .kind = FD_OTHER };
	struct stat		st;
	struct known		*k;
	int			saved = errno, flags;

	if (fd < 0 || fd >= FDS || fd == log_fd)
		return &none;
	k = &known[fd];
	if (k->kind != FD_UNKNOWN)
		return k;
	k->kind = FD_OTHER;
	if (fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) ||
	    S_ISDIR(st.st_mode))) {
		k->ino = st.st_ino;
		k->kind = S_ISREG(st.st_mode) ? FD_FILE : FD_FOLDER;
		flags = fcntl(fd, F_GETFL);
		k->sync = flags >= 0 && (flags & O_DSYNC) != 0;
	}
	errno = saved;
	return k;
}

static void
forget(int fd)
{
	if (fd >= 0 && fd < FDS)
		known[fd].kind = FD_UNKNOWN;
}

/* folder_of - the number of the folder a path's last name is in */
static uint64_t
folder_of(int at, const char *path, const char **name)
{
	char		 text[4096];
	const char	*slash = strrchr(path, '/');
	struct stat	 st;
	int		 saved = errno;

	*name = slash == NULL ? path : slash + 1;
	if (slash == NULL)
		(void)snprintf(text, sizeof(text), ".");
	else
		(void)snprintf(text, sizeof(text), "%.*s",
		    slash == path ? 1 : (int)(slash - path), path);
	if (fstatat(at, text, &st, 0) < 0)
		st.st_ino = 0;
	errno = saved;
	return st.st_ino;
}

/* --- names */

static void
put_name(uint8_t op, int at, const char *path, int fd)
{
	struct record	 r = { .op = op };
	const char	*name;
	struct stat	 st;

	r.folder = folder_of(at, path, &name);
	if ((fd >= 0 ? fstat(fd, &st) :
	    fstatat(at, path, &st, AT_SYMLINK_NOFOLLOW)) == 0) {
		r.ino = st.st_ino;
		r.mode = st.st_mode;
		r.uid = st.st_uid;
		r.gid = st.st_gid;
	}
	put(&r, name, NULL, 0, 0);
}

static int
opened(int fd, int at, const char *path, int flags, int existed)
{
	struct record	 r = { .op = 'T' };
	int		 saved = errno;

	if (fd < 0)
		return fd;
	forget(fd);
	if ((flags & O_CREAT) != 0 && !existed)
		put_name('C', at, path, fd);
	else if ((flags & O_TRUNC) != 0 && look(fd)->kind == FD_FILE) {
		r.ino = look(fd)->ino;
		put(&r, NULL, NULL, 0, 0);
	}
	errno = saved;
	return fd;
}

static int
exists(int at, const char *path, int flags)
{
	struct stat	st;
	int		saved = errno, r;

	r = (flags & O_CREAT) == 0 ||
	    fstatat(at, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
	errno = saved;
	return r;
}

static mode_t
mode_of(int flags, va_list ap)
{
	return (flags & (O_CREAT | O_TMPFILE)) != 0 ?
	    (mode_t)va_arg(ap, int) : 0;
}

EXPORT int
openat(int at, const char *path, int flags, ...)
{
	va_list	ap;
	mode_t	mode;
	int	existed = exists(at, path, flags);
	REAL(int, "openat", int, const char *, int, ...);

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return opened(real(at, path, flags, mode), at, path, flags, existed);
}

EXPORT int
open(const char *path, int flags, ...)
{
	va_list	ap;
	mode_t	mode;
	int	existed = exists(AT_FDCWD, path, flags);
	REAL(int, "open", const char *, int, ...);

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return opened(real(path, flags, mode), AT_FDCWD, path, flags, existed);
}

EXPORT int	open64(const char *, int, ...) __attribute__((alias("open")));
EXPORT int	openat64(int, const char *, int, ...)
		    __attribute__((alias("openat")));

EXPORT int
mkdirat(int at, const char *path, mode_t mode)
{
	int r;
	REAL(int, "mkdirat", int, const char *, mode_t);

	if ((r = real(at, path, mode)) == 0)
		put_name('D', at, path, -1);
	return r;
}

EXPORT int
mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

EXPORT int
unlinkat(int at, const char *path, int flags)
{
	struct record	 r = { .op = 'U' };
	const char	*name;
	int		 ret;
	REAL(int, "unlinkat", int, const char *, int);

	r.folder = folder_of(at, path, &name);
	if ((ret = real(at, path, flags)) == 0)
		put(&r, name, NULL, 0, 0);
	return ret;
}

EXPORT int
unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

EXPORT int
rmdir(const char *path)
{
	return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

/* moved - 'R' rename or 'L' link: the new name follows the record */
static void
moved(uint8_t op, uint64_t from, const char *old, int at, const char *path)
{
	struct record	 r = { .op = op, .folder = from };
	const char	*name;
	struct iovec	 iov;

	r.ino = folder_of(at, path, &name);
	iov = (struct iovec){ (void *)(uintptr_t)name, strlen(name) };
	put(&r, old, &iov, 1, iov.iov_len);
}

EXPORT int
renameat2(int at, const char *path, int to_at, const char *to, unsigned flags)
{
	const char	*name;
	uint64_t	 from = folder_of(at, path, &name);
	int		 r;
	REAL(int, "renameat2", int, const char *, int, const char *, unsigned);

	if ((r = real(at, path, to_at, to, flags)) == 0)
		moved('R', from, name, to_at, to);
	return r;
}

EXPORT int
renameat(int at, const char *path, int to_at, const char *to)
{
	const char	*name;
	uint64_t	 from = folder_of(at, path, &name);
	int		 r;
	REAL(int, "renameat", int, const char *, int, const char *);

	if ((r = real(at, path, to_at, to)) == 0)
		moved('R', from, name, to_at, to);
	return r;
}

EXPORT int
rename(const char *path, const char *to)
{
	return renameat(AT_FDCWD, path, AT_FDCWD, to);
}

EXPORT int
linkat(int at, const char *path, int to_at, const char *to, int flags)
{
	const char	*name;
	uint64_t	 from = folder_of(at, path, &name);
	int		 r;
	REAL(int, "linkat", int, const char *, int, const char *, int);

	if ((r = real(at, path, to_at, to, flags)) == 0)
		moved('L', from, name, to_at, to);
	return r;
}

EXPORT int
link(const char *path, const char *to)
{
	return linkat(AT_FDCWD, path, AT_FDCWD, to, 0);
}

/* --- content */

static uint64_t
site_of(void *address)
{
	Dl_info info;

	if (dladdr(address, &info) == 0)
		return 0;
	return (uint64_t)((char *)address - (char *)info.dli_fbase);
}

static void
wrote(int fd, const struct iovec *iov, int n, ssize_t done, off_t offset,
    void *site)
{
	struct known	*k = look(fd);
	struct record	 r = { .op = 'N' };

	if (done <= 0 || k->kind != FD_FILE)
		return;
	r.ino = k->ino;
	r.offset = (uint64_t)offset;
	r.flag = k->sync;
	if (k->sync)
		r.site = site_of(site);
	put(&r, NULL, iov, n, (size_t)done);
}

#define WROTE(iov, n, r, offset) \
	wrote(fd, iov, n, r, offset, __builtin_return_address(0))

EXPORT ssize_t
pwritev(int fd, const struct iovec *iov, int n, off_t offset)
{
	ssize_t r;
	REAL(ssize_t, "pwritev", int, const struct iovec *, int, off_t);

	r = real(fd, iov, n, offset);
	WROTE(iov, n, r, offset);
	return r;
}

EXPORT ssize_t	pwritev64(int, const struct iovec *, int, off_t)
		    __attribute__((alias("pwritev")));

EXPORT ssize_t
pwrite(int fd, const void *data, size_t length, off_t offset)
{
	struct iovec	iov = { (void *)(uintptr_t)data, length };
	ssize_t		r;
	REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);

	r = real(fd, data, length, offset);
	WROTE(&iov, 1, r, offset);
	return r;
}

EXPORT ssize_t	pwrite64(int, const void *, size_t, off_t)
		    __attribute__((alias("pwrite")));

/* where a write without an offset went: known when it is done */
static off_t
went(int fd, ssize_t r)
{
	int	saved = errno;
	off_t	at = look(fd)->kind == FD_FILE ? lseek(fd, 0, SEEK_CUR) : 0;

	errno = saved;
	return at < r ? 0 : at - r;
}

EXPORT ssize_t
writev(int fd, const struct iovec *iov, int n)
{
	ssize_t r = raw_write(fd, iov, n);

	WROTE(iov, n, r, r > 0 ? went(fd, r) : 0);
	return r;
}

EXPORT ssize_t
write(int fd, const void *data, size_t length)
{
	struct iovec	iov = { (void *)(uintptr_t)data, length };
	ssize_t		r;
	REAL(ssize_t, "write", int, const void *, size_t);

	r = real(fd, data, length);
	WROTE(&iov, 1, r, r > 0 ? went(fd, r) : 0);
	return r;
}

EXPORT int
ftruncate(int fd, off_t length)
{
	struct record	r = { .op = 'T', .offset = (uint64_t)length };
	int		ret;
	REAL(int, "ftruncate", int, off_t);

	ret = real(fd, length);
	if (ret == 0 && look(fd)->kind == FD_FILE) {
		r.ino = look(fd)->ino;
		put(&r, NULL, NULL, 0, 0);
	}
	return ret;
}

EXPORT int	ftruncate64(int, off_t) __attribute__((alias("ftruncate")));

EXPORT int
fallocate(int fd, int mode, off_t offset, off_t length)
{
	struct record	r = { .op = 'A' };
	int		ret;
	REAL(int, "fallocate", int, int, off_t, off_t);

	ret = real(fd, mode, offset, length);
	if (ret == 0 && mode == 0 && look(fd)->kind == FD_FILE) {
		r.ino = look(fd)->ino;
		r.offset = (uint64_t)(offset + length);
		put(&r, NULL, NULL, 0, 0);
	}
	return ret;
}

EXPORT int	fallocate64(int, int, off_t, off_t)
		    __attribute__((alias("fallocate")));

/* flush - 'S' before, 'E' after; the id joins them */
static int
flush(int fd, int (*real)(int), void *site)
{
	static uint32_t	last;
	struct known	*k = look(fd);
	struct record	 r = { .op = 'S', .ino = k->ino };
	int		 ret;

	if (k->kind == FD_FILE || k->kind == FD_FOLDER) {
		r.offset = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
		r.site = site_of(site);
		put(&r, NULL, NULL, 0, 0);
	}
	ret = real(fd);
	if (ret == 0 && (k->kind == FD_FILE || k->kind == FD_FOLDER)) {
		r.op = 'E';
		put(&r, NULL, NULL, 0, 0);
	}
	return ret;
}

EXPORT int
fsync(int fd)
{
	REAL(int, "fsync", int);
	return flush(fd, real, __builtin_return_address(0));
}

EXPORT int
fdatasync(int fd)
{
	REAL(int, "fdatasync", int);
	return flush(fd, real, __builtin_return_address(0));
}

/* --- descriptors and programs */

EXPORT int
close(int fd)
{
	REAL(int, "close", int);

	if (fd == log_fd && log_fd >= 0)
		return 0;
	forget(fd);
	return real(fd);
}

EXPORT int
closedir(DIR *d)
{
	REAL(int, "closedir", DIR *);

	forget(dirfd(d));
	return real(d);
}

EXPORT int
dup2(int from, int to)
{
	REAL(int, "dup2", int, int);

	forget(to);
	return real(from, to);
}

EXPORT int
close_range(unsigned from, unsigned to, int flags)
{
	unsigned	us = (unsigned)log_fd;
	int		r = 0;
	REAL(int, "close_range", unsigned, unsigned, int);

	for (unsigned fd = from; fd <= to && fd < FDS; fd++)
		forget((int)fd);
	if (log_fd < 0 || us < from || us > to)
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
	static char	 preload[4200], fd[40];
	char		*env[64];
	Dl_info		 info;
	int		 n = 0;
	REAL(int, "execve", const char *, char *const *, char *const *);

	if (log_fd < 0 || dladdr((void *)begin, &info) == 0)
		return real(path, argv, envp);
	while (envp[n] != NULL && n < 60) {
		env[n] = envp[n];
		n++;
	}
	(void)snprintf(preload, sizeof(preload), "LD_PRELOAD=%s",
	    info.dli_fname);
	(void)snprintf(fd, sizeof(fd), "RECORDER_FD=%d", log_fd);
	env[n++] = preload;
	env[n++] = fd;
	env[n] = NULL;
	return real(path, argv, env);
}
