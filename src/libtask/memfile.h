/* SPDX-License-Identifier: ISC */
/*
 * memfile: a message's content in memory, as a descriptor. cleanup writes it
 * once and seals it; from then on nobody, the writer included, can change or
 * shorten it, and it travels between processes as a descriptor. Too large
 * content is a regular file instead, passed read-only; readers treat both the
 * same: memfile_check on receipt, then memfile_pread.
 *
 * Nothing here suspends: memory files never wait, and a read of a large file
 * is a read of the page cache or of a disk, which callers put on a worker.
 */
#ifndef LIBTASK_MEMFILE_H
#define LIBTASK_MEMFILE_H

#include <sys/uio.h>

#include "libutil/slice.h"

struct buf;

struct memfile {
	int		fd;		/* -1: none */
	uint64_t	size;		/* what was appended */
	uint64_t	max;		/* it never grows beyond */
	bool		is_sealed;
};

#define MEMFILE_INIT	{ -1, 0, 0, false }

/* an empty one; the name is for /proc only. It grows up to max bytes */
MUST_USE int	memfile_new(const char *name, uint64_t max,
		    struct memfile *ret_file);
/* close it; an empty memfile is a no-op */
void		memfile_done(struct memfile *m);
/* give the descriptor away and empty the memfile; -1 if it was empty */
int		memfile_take_fd(struct memfile *m);

/* append (at most IOV_MAX pieces); -EMSGSIZE beyond max (nothing is written
 * then), -ENOSPC or -ENOMEM when memory is short, -EPERM after the seal */
MUST_USE int	memfile_append(struct memfile *m, struct slice s);
MUST_USE int	memfile_appendv(struct memfile *m, const struct iovec *iov,
		    size_t count);
/* overwrite bytes that were appended before; -ERANGE outside of them */
MUST_USE int	memfile_write_at(struct memfile *m, uint64_t offset,
		    struct slice s);
/* shorten to size bytes; -ERANGE if it has fewer */
MUST_USE int	memfile_truncate(struct memfile *m, uint64_t size);
/* forbid every change, for all processes and for good; a second seal is a
 * no-op. -EBUSY while somebody has it mapped for writing */
MUST_USE int	memfile_seal(struct memfile *m);

enum memfile_kind {
	MEMFILE_SEALED,		/* memory, cannot change */
	MEMFILE_DISK,		/* a regular file, open for reading only */
};

/*
 * Look at a descriptor that came from another process. -EBADF if it is not
 * open or not readable, -EINVAL if it is neither a regular file nor a memory
 * file, -EPERM if it is a memory file that can still change or a regular file
 * that this process could write to, -EMSGSIZE over max.
 */
MUST_USE int	memfile_check(int fd, uint64_t max, enum memfile_kind *ret_kind,
		    uint64_t *ret_size);

/* exactly len bytes at that offset; -ENODATA if the file ends before */
MUST_USE int	memfile_pread(int fd, uint64_t offset, void *data, size_t len);
/* the same, appended to a buf; -EMSGSIZE if the buf cannot take it */
MUST_USE int	memfile_read_buf(int fd, uint64_t offset, size_t len,
		    struct buf *out);

/*
 * Map a whole sealed memory file for reading. A file that can still shrink is
 * refused (-EPERM): its reader would die of SIGBUS. Size 0 gives the empty
 * slice. memfile_unmap empties the slice.
 */
MUST_USE int	memfile_map(int fd, struct slice *ret_content);
void		memfile_unmap(struct slice *content);

#endif
