/* SPDX-License-Identifier: ISC */
#include "libglobal/slot_io.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libglobal/qformat.h"
#include "libutil/alloc.h"

#define COPY_CHUNK	((size_t)256 << 10)

/* slot_io_open - open a regular file */
int
slot_io_open(int dir_fd, const char *path, int flags, int *ret_fd)
{
	struct stat	st;
	int		fd, r = 0;

	fd = openat(dir_fd, path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
	    SLOT_FILE_MODE);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = -EINVAL;
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

/* slot_io_pwritev - write all of a vector */
int
slot_io_pwritev(int fd, struct iovec *iov, size_t count, uint64_t offset)
{
	ssize_t	n;

	for (;;) {
		while (count > 0 && iov->iov_len == 0) {
			iov++;
			count--;
		}
		if (count == 0)
			return 0;
		n = pwritev(fd, iov, (int)count, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		offset += (uint64_t)n;
		for (size_t i = 0; n > 0; i++) {
			size_t	part = size_min((size_t)n, iov[i].iov_len);

			if (part == 0)
				continue;
			iov[i].iov_base = (char *)iov[i].iov_base + part;
			iov[i].iov_len -= part;
			n -= (ssize_t)part;
		}
	}
}

/* slot_io_pread - read exactly len bytes */
int
slot_io_pread(int fd, void *out, size_t len, uint64_t offset)
{
	char	*at = out;
	ssize_t	 n;

	while (len > 0) {
		n = pread(fd, at, len, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		at += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

/* slot_io_sum - checksum a range, perhaps copying it */
int
slot_io_sum(int fd, uint64_t offset, uint64_t len, int to_fd,
    uint32_t *ret_crc)
{
	size_t		room = len < COPY_CHUNK ? (size_t)len : COPY_CHUNK;
	char		*chunk = xmalloc(room + 1);
	uint64_t	done = 0;
	uint32_t	crc = 0;
	struct iovec	iov;
	size_t		n;
	int		r = 0;

	while (done < len) {
		n = len - done < room ? (size_t)(len - done) : room;
		if ((r = slot_io_pread(fd, chunk, n, offset + done)) < 0)
			goto out;
		crc = qformat_crc(crc, slice_over(chunk, n));
		iov = (struct iovec){ chunk, n };
		if (to_fd >= 0 &&
		    (r = slot_io_pwritev(to_fd, &iov, 1, done)) < 0)
			goto out;
		done += n;
	}
	*ret_crc = crc;
out:
	free(chunk);
	return r;
}

/* slot_io_sync - flush a file with its size */
int
slot_io_sync(int fd)
{
	return fsync(fd) < 0 ? -errno : 0;
}

/* slot_io_walk - tell the names in a folder */
int
slot_io_walk(int dir_fd, const char *path, slot_io_name_fn *fn, void *arg)
{
	struct dirent	*e;
	DIR		*dir;
	int		 fd, r = 0;

	fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if ((dir = fdopendir(fd)) == NULL) {
		r = -errno;
		close(fd);
		return r;
	}
	while (r >= 0) {
		errno = 0;
		if ((e = readdir(dir)) == NULL) {
			r = -errno;
			break;
		}
		if (!slice_equal(slice_of(e->d_name), S(".")) &&
		    !slice_equal(slice_of(e->d_name), S("..")))
			r = fn(arg, dirfd(dir), e->d_name);
	}
	closedir(dir);
	return r < 0 ? r : 0;
}
