/* SPDX-License-Identifier: ISC */
/*
 * fulldisk: a library for LD_PRELOAD that makes a disk full, wherever a test
 * runs: nothing need be mounted.
 *
 * FULLDISK names a file that holds one number of 64 bits, the bytes that are
 * free on the disk it lies on; below 0: as many as one likes. It is mapped when
 * a program starts, so that daemons see its changes from within their
 * sandboxes. What makes a file longer takes from it; when it is used up such
 * a write is cut short, and the next one fails with ENOSPC. What lies within
 * a file's length has its blocks. What is removed gives nothing back: the
 * test says when there is room again.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT	__attribute__((visibility("default")))
#define PIECES	128

static int64_t	*room;		/* NULL: nothing is ever full */
static dev_t	 disk;

#define REAL(ret, name, ...) \
	static ret (*real)(__VA_ARGS__); \
	if (real == NULL) \
		*(void **)&real = dlsym(RTLD_NEXT, name)

__attribute__((constructor)) static void
begin(void)
{
	const char	*path = getenv("FULLDISK");
	int		 fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
	struct stat	 st;
	void		*p;

	if (fd < 0)
		return;
	p = mmap(NULL, sizeof(*room), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
	    0);
	if (p != MAP_FAILED && fstat(fd, &st) == 0) {
		disk = st.st_dev;
		room = p;
	}
	(void)close(fd);
}

/* take - room for more bytes; how many of them there are */
static uint64_t
take(uint64_t more)
{
	int64_t have = __atomic_load_n(room, __ATOMIC_RELAXED), part;

	do {
		if (have < 0)
			return more;
		part = (uint64_t)have < more ? have : (int64_t)more;
	} while (!__atomic_compare_exchange_n(room, &have, have - part, false,
	    __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return (uint64_t)part;
}

/* fits - how much of a write at that offset (-1: where the file is) can be
 * made */
static size_t
fits(int fd, size_t len, off_t offset)
{
	struct stat	st;
	uint64_t	end, more;
	int		saved = errno;

	if (room == NULL || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_dev != disk) {
		errno = saved;
		return len;
	}
	if (offset < 0)
		offset = (fcntl(fd, F_GETFL) & O_APPEND) != 0 ? st.st_size :
		    lseek(fd, 0, SEEK_CUR);
	errno = saved;
	end = (uint64_t)offset + len;
	if (end <= (uint64_t)st.st_size)
		return len;
	more = end - (uint64_t)st.st_size;
	if (more > len)
		more = len;
	return len - (size_t)(more - take(more));
}

/* full - the answer to a write of which nothing fits */
static ssize_t
full(void)
{
	errno = ENOSPC;
	return -1;
}

/* cut - the first bytes of a vector; how many pieces they are */
static int
cut(const struct iovec *iov, int n, size_t len, struct iovec *out)
{
	int i;

	for (i = 0; i < n && i < PIECES && len > 0; i++) {
		out[i] = iov[i];
		if (out[i].iov_len > len)
			out[i].iov_len = len;
		len -= out[i].iov_len;
	}
	return i;
}

static size_t
sum(const struct iovec *iov, int n)
{
	size_t len = 0;

	for (int i = 0; i < n; i++)
		len += iov[i].iov_len;
	return len;
}

EXPORT ssize_t
pwrite(int fd, const void *data, size_t len, off_t offset)
{
	size_t fit = fits(fd, len, offset);
	REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);

	return fit == 0 && len > 0 ? full() : real(fd, data, fit, offset);
}

EXPORT ssize_t	pwrite64(int, const void *, size_t, off_t)
		    __attribute__((alias("pwrite")));

EXPORT ssize_t
write(int fd, const void *data, size_t len)
{
	size_t fit = fits(fd, len, -1);
	REAL(ssize_t, "write", int, const void *, size_t);

	return fit == 0 && len > 0 ? full() : real(fd, data, fit);
}

EXPORT ssize_t
pwritev(int fd, const struct iovec *iov, int n, off_t offset)
{
	struct iovec	part[PIECES];
	size_t		len = sum(iov, n), fit = fits(fd, len, offset);
	REAL(ssize_t, "pwritev", int, const struct iovec *, int, off_t);

	if (fit == len)
		return real(fd, iov, n, offset);
	return fit == 0 ? full() :
	    real(fd, part, cut(iov, n, fit, part), offset);
}

EXPORT ssize_t	pwritev64(int, const struct iovec *, int, off_t)
		    __attribute__((alias("pwritev")));

EXPORT ssize_t
writev(int fd, const struct iovec *iov, int n)
{
	struct iovec	part[PIECES];
	size_t		len = sum(iov, n), fit = fits(fd, len, -1);
	REAL(ssize_t, "writev", int, const struct iovec *, int);

	if (fit == len)
		return real(fd, iov, n);
	return fit == 0 ? full() : real(fd, part, cut(iov, n, fit, part));
}

EXPORT int
fallocate(int fd, int mode, off_t offset, off_t length)
{
	REAL(int, "fallocate", int, int, off_t, off_t);

	if ((mode & FALLOC_FL_PUNCH_HOLE) == 0 &&
	    fits(fd, (size_t)length, offset) < (size_t)length)
		return (int)full();
	return real(fd, mode, offset, length);
}

EXPORT int	fallocate64(int, int, off_t, off_t)
		    __attribute__((alias("fallocate")));

/* daemons get an environment of master's; so it is handed on here */
EXPORT int
execve(const char *path, char *const argv[], char *const envp[])
{
	static char	 preload[4200], name[4200];
	char		*env[64];
	Dl_info		 info;
	int		 n = 0;
	REAL(int, "execve", const char *, char *const *, char *const *);

	if (room == NULL || dladdr((void *)begin, &info) == 0)
		return real(path, argv, envp);
	while (envp[n] != NULL && n < 60) {
		env[n] = envp[n];
		n++;
	}
	(void)snprintf(preload, sizeof(preload), "LD_PRELOAD=%s",
	    info.dli_fname);
	(void)snprintf(name, sizeof(name), "FULLDISK=%s", getenv("FULLDISK"));
	env[n++] = preload;
	env[n++] = name;
	env[n] = NULL;
	return real(path, argv, env);
}
