/* SPDX-License-Identifier: ISC */
#include "libtask/folder.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "libtask/io.h"
#include "libutil/alloc.h"

/* folder_sync - flush the names in a folder */
int
folder_sync(int dir_fd, const char *path)
{
	int	fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int	r = fd < 0 || fsync(fd) < 0 ? -errno : 0;

	fd_close(&fd);
	return r;
}

/* folder_sync_of - flush the names beside that one */
int
folder_sync_of(const char *path)
{
	struct slice	s = slice_of(path);
	size_t		slash = slice_find_last(s, '/');
	char		*folder = slash == SLICE_NONE ? slice_dup(S(".")) :
			    slice_dup(slice_sub(s, 0, size_max(slash, 1)));
	int		r = folder_sync(AT_FDCWD, folder);

	free(folder);
	return r;
}
