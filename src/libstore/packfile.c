/* SPDX-License-Identifier: ISC */
/*
 * Each call opens the file it needs: three system calls, against a table of
 * descriptors that threads would share and a rewrite would have to empty.
 */
#include "libstore/packfile.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libstore/fileio.h"
#include "libtask/folder.h"

#define PACK_NAME_LEN	32

/* packfile_open - the file of that number */
static int
packfile_open(int dir, uint32_t pack, int flags)
{
	char	name[PACK_NAME_LEN];
	int	fd;

	snprintf(name, sizeof(name), "pack/%08u.pk", pack);
	fd = openat(dir, name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? -errno : fd;
}

/* packfile_write - bytes at an offset; makes the file */
int
packfile_write(int dir, uint32_t pack, uint64_t offset, struct slice bytes)
{
	int	fd = packfile_open(dir, pack, O_WRONLY | O_CREAT);
	int	r;

	if (fd < 0)
		return fd;
	r = fileio_pwrite(fd, bytes, offset);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

/* packfile_sync - what was written, and the file's name, are durable */
int
packfile_sync(int dir, uint32_t pack)
{
	int	fd = packfile_open(dir, pack, O_WRONLY);
	int	r = 0;

	if (fd < 0)
		return fd;
	if (fdatasync(fd) < 0)
		r = -errno;
	close(fd);
	return r < 0 ? r : folder_sync(dir, "pack");
}

/* packfile_read - exactly len bytes */
int
packfile_read(int dir, uint32_t pack, uint64_t offset, void *bytes, size_t len)
{
	int	fd = packfile_open(dir, pack, O_RDONLY);
	int64_t	n;

	if (fd < 0)
		return fd;
	n = fileio_pread(fd, bytes, len, offset);
	close(fd);
	if (n < 0)
		return (int)n;
	return (uint64_t)n == len ? 0 : -EBADMSG;
}

/* packfile_size - where the file ends */
int
packfile_size(int dir, uint32_t pack, uint64_t *ret_size)
{
	char	name[PACK_NAME_LEN];
	struct stat st;

	snprintf(name, sizeof(name), "pack/%08u.pk", pack);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

/* packfile_remove - unlink it; not flushed, for a pack that comes back after
 * a crash is known to be garbage by its number */
int
packfile_remove(int dir, uint32_t pack)
{
	char	name[PACK_NAME_LEN];

	snprintf(name, sizeof(name), "pack/%08u.pk", pack);
	return unlinkat(dir, name, 0) < 0 ? -errno : 0;
}

/* packfile_number - of a file name in pack/; false if it is none */
static bool
packfile_number(const char *name, uint32_t *ret_pack)
{
	struct slice s = slice_of(name);

	if (!slice_has_suffix(s, S(".pk")) || s.len < 8 + 3)
		return false;
	return slice_to_u32(slice_sub(s, 0, s.len - 3), UINT32_MAX,
	    ret_pack) == 0;
}

/* packfile_next - the least number from there on */
int
packfile_next(int dir, uint32_t from, uint32_t *ret_pack)
{
	int	fd = openat(dir, "pack", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;
	uint32_t best = UINT32_MAX, n;
	DIR	*d;

	if (fd < 0)
		return -errno;
	d = fdopendir(fd);
	if (d == NULL) {
		int r = -errno;

		close(fd);
		return r;
	}
	while ((e = readdir(d)) != NULL)
		if (packfile_number(e->d_name, &n) && n >= from && n < best)
			best = n;
	closedir(d);
	if (best == UINT32_MAX)
		return -ENOENT;
	*ret_pack = best;
	return 0;
}
