/* SPDX-License-Identifier: ISC */
/* Loops around pread and pwrite, and the order of flushes of a new file. */
#include "libstore/fileio.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libtask/folder.h"

#define FILEIO_PATH_MAX	300	/* a name below an account's folder */

/* fileio_pwrite - write all of it */
int
fileio_pwrite(int fd, struct slice bytes, uint64_t offset)
{
	while (bytes.len > 0) {
		ssize_t n = pwrite(fd, bytes.data, bytes.len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes = slice_from(bytes, (size_t)n);
		offset += (size_t)n;
	}
	return 0;
}

/* fileio_pread - read all there is, up to len */
int64_t
fileio_pread(int fd, void *bytes, size_t len, uint64_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)bytes + done, len - done,
		    (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (int64_t)done;
}

/* fileio_make_folder - a folder for us alone */
int
fileio_make_folder(int dir, const char *name)
{
	if (mkdirat(dir, name, 0700) == 0)
		return folder_sync(dir, ".");
	return errno == EEXIST ? 0 : -errno;
}

/* fileio_write_new - the temporary file of fileio_replace */
static int
fileio_write_new(int dir, const char *path, struct slice bytes)
{
	int	fd, r;

	fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = fileio_pwrite(fd, bytes, 0);
	if (r == 0 && fdatasync(fd) < 0)
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

/* fileio_replace - a whole file or none */
int
fileio_replace(int dir, const char *folder, const char *name,
    struct slice bytes)
{
	char	path[FILEIO_PATH_MAX], tmp[FILEIO_PATH_MAX];
	int	r;

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >=
	    (int)sizeof(path) ||
	    snprintf(tmp, sizeof(tmp), "%s/%s.tmp", folder, name) >=
	    (int)sizeof(tmp))
		return -ENAMETOOLONG;
	if ((r = fileio_write_new(dir, tmp, bytes)) < 0)
		goto out;
	if (renameat(dir, tmp, dir, path) < 0) {
		r = -errno;
		goto out;
	}
	return folder_sync(dir, folder);
out:
	(void)unlinkat(dir, tmp, 0);	/* a leftover is harmless */
	return r;
}

/* fileio_close - close and forget */
void
fileio_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}
