/* SPDX-License-Identifier: ISC */
/*
 * slot_io: whole reads and writes of queue files, and walks over queue
 * folders; for slot and large only. Interrupted and short calls are gone on
 * with; a file that ends early is -EBADMSG.
 */
#ifndef LIBGLOBAL_SLOT_IO_H
#define LIBGLOBAL_SLOT_IO_H

#include <fcntl.h>
#include <sys/uio.h>

#include "libutil/slice.h"

#define SLOT_FILE_MODE	0640

/* open a regular file, never through a link; -errno */
MUST_USE int	slot_io_open(int dir_fd, const char *path, int flags,
		    int *ret_fd);
/* all of the vector, from that offset on; the vector is used up */
MUST_USE int	slot_io_pwritev(int fd, struct iovec *iov, size_t count,
		    uint64_t offset);
MUST_USE int	slot_io_pread(int fd, void *out, size_t len, uint64_t offset);
/* the checksum of a range of a file; written to to_fd from 0 on if >= 0 */
MUST_USE int	slot_io_sum(int fd, uint64_t offset, uint64_t len, int to_fd,
		    uint32_t *ret_crc);
MUST_USE int	slot_io_sync(int fd);

/* told each name but . and ..; a negative return ends the walk */
typedef int	slot_io_name_fn(void *arg, int folder_fd, const char *name);
MUST_USE int	slot_io_walk(int dir_fd, const char *path,
		    slot_io_name_fn *fn, void *arg);

#endif
