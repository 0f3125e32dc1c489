/* SPDX-License-Identifier: ISC */
/*
 * fileio: whole reads and writes of files. Synchronous; for code that runs as a
 * work item.
 */
#ifndef LIBSTORE_FILEIO_H
#define LIBSTORE_FILEIO_H

#include "libutil/slice.h"

/* all of the bytes at that offset */
MUST_USE int	fileio_pwrite(int fd, struct slice bytes, uint64_t offset);
/* like pread, but goes on after short reads: the number of bytes, less than
 * len only at the end of the file */
MUST_USE int64_t	fileio_pread(int fd, void *bytes, size_t len,
			    uint64_t offset);
/* make it unless it is there */
MUST_USE int	fileio_make_folder(int dir, const char *name);
/* write a file so that after a crash the name has all of it or is as it was:
 * a temporary name beside it, flush, rename, flush of its folder */
MUST_USE int	fileio_replace(int dir, const char *folder, const char *name,
		    struct slice bytes);
/* close unless it is -1, and make it -1 */
void	fileio_close(int *fd);

#endif
