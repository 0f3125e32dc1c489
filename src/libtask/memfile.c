/* SPDX-License-Identifier: ISC */
/*
 * A memory file is a memfd. Appends are pwrites at our own count, not at the
 * shared file offset, so that a descriptor lent to another process cannot move
 * where we write. The executable bit is sealed off where the kernel can
 * (MFD_NOEXEC_SEAL, Linux 6.3): what a stranger wrote is never a program.
 */
#include "libtask/memfile.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libutil/buf.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL	0x0008U
#endif

#define SEALS	(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

/* memfile_new - an empty memory file */
int
memfile_new(const char *name, uint64_t max, struct memfile *ret_file)
{
	const unsigned	flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int		fd;

	fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, flags);
	if (fd < 0)
		return -errno;
	*ret_file = (struct memfile){ .fd = fd, .max = max };
	return 0;
}

/* memfile_done - close it */
void
memfile_done(struct memfile *m)
{
	if (m->fd >= 0)
		(void)close(m->fd);	/* memory: nothing can be lost */
	*m = (struct memfile)MEMFILE_INIT;
}

/* memfile_take_fd - hand over the descriptor */
int
memfile_take_fd(struct memfile *m)
{
	int	fd = m->fd;

	*m = (struct memfile)MEMFILE_INIT;
	return fd;
}

/* pwrite_all - write all of it at an offset */
static int
pwrite_all(int fd, uint64_t offset, struct slice s)
{
	ssize_t	n;

	while (s.len > 0) {
		n = pwrite(fd, s.data, s.len, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENOSPC;
		offset += (uint64_t)n;
		s = slice_from(s, (size_t)n);
	}
	return 0;
}

/* can_grow - may len more bytes be appended? */
static int
can_grow(const struct memfile *m, size_t len)
{
	if (m->is_sealed)
		return -EPERM;
	if (len > m->max || m->size > m->max - len)
		return -EMSGSIZE;
	return 0;
}

/* memfile_append - write behind what is there */
int
memfile_append(struct memfile *m, struct slice s)
{
	int	r;

	if ((r = can_grow(m, s.len)) < 0 ||
	    (r = pwrite_all(m->fd, m->size, s)) < 0)
		return r;
	m->size += s.len;
	return 0;
}

/* memfile_appendv - write several pieces with one call where it can be */
int
memfile_appendv(struct memfile *m, const struct iovec *iov, size_t count)
{
	uint64_t	at = m->size;
	size_t		total = 0, done, part;
	ssize_t		n;
	int		r;

	if (count > IOV_MAX)
		return -EINVAL;
	for (size_t i = 0; i < count; i++)
		if (size_add(total, iov[i].iov_len, &total) < 0)
			return -EMSGSIZE;
	if ((r = can_grow(m, total)) < 0)
		return r;
	n = count == 0 ? 0 : pwritev(m->fd, iov, (int)count, (off_t)at);
	if (n < 0 && errno != EINTR)
		return -errno;

	/* after a short write the rest goes piece by piece */
	done = n < 0 ? 0 : (size_t)n;
	for (size_t i = 0; i < count && (size_t)n != total; i++) {
		struct slice piece = slice_over(iov[i].iov_base,
				 iov[i].iov_len);

		part = size_min(done, piece.len);
		done -= part;
		r = pwrite_all(m->fd, at + part, slice_from(piece, part));
		if (r < 0)
			return r;
		at += piece.len;
	}
	m->size += total;
	return 0;
}

/* memfile_write_at - change bytes before the seal */
int
memfile_write_at(struct memfile *m, uint64_t offset, struct slice s)
{
	if (m->is_sealed)
		return -EPERM;
	if (offset > m->size || s.len > m->size - offset)
		return -ERANGE;
	return pwrite_all(m->fd, offset, s);
}

/* memfile_truncate - drop bytes at the end */
int
memfile_truncate(struct memfile *m, uint64_t size)
{
	if (m->is_sealed)
		return -EPERM;
	if (size > m->size)
		return -ERANGE;
	if (ftruncate(m->fd, (off_t)size) < 0)
		return -errno;
	m->size = size;
	return 0;
}

/* memfile_seal - nobody changes it any more */
int
memfile_seal(struct memfile *m)
{
	if (m->is_sealed)
		return 0;
	if (fcntl(m->fd, F_ADD_SEALS, SEALS) < 0)
		return -errno;
	m->is_sealed = true;
	return 0;
}

/* memfile_check - is a received descriptor what it should be? */
int
memfile_check(int fd, uint64_t max, enum memfile_kind *ret_kind,
    uint64_t *ret_size)
{
	const int	needed = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	struct stat	st;
	int		mode, seals;

	if ((mode = fcntl(fd, F_GETFL)) < 0)
		return -errno;
	if ((mode & O_PATH) != 0 || (mode & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < 0)
		return -EINVAL;

	/*
	 * Files on a disk have no seals (EINVAL). Files on tmpfs answer with
	 * F_SEAL_SEAL alone: they are regular files for us, too.
	 */
	seals = fcntl(fd, F_GET_SEALS);
	if (seals >= 0 && (seals & needed) == needed)
		*ret_kind = MEMFILE_SEALED;
	else if ((seals < 0 || seals == F_SEAL_SEAL) &&
	    (mode & O_ACCMODE) == O_RDONLY)
		*ret_kind = MEMFILE_DISK;
	else
		return -EPERM;
	if ((uint64_t)st.st_size > max)
		return -EMSGSIZE;
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

/* memfile_pread - read exactly that range */
int
memfile_pread(int fd, uint64_t offset, void *data, size_t len)
{
	char	*p = data;
	ssize_t	 n;

	while (len > 0) {
		if (offset > INT64_MAX)
			return -ENODATA;
		n = pread(fd, p, len, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENODATA;
		p += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

/* memfile_read_buf - append a range to a buf */
int
memfile_read_buf(int fd, uint64_t offset, size_t len, struct buf *out)
{
	char	*room = buf_room(out, len);
	int	 r;

	if (room == NULL)
		return -EMSGSIZE;
	if ((r = memfile_pread(fd, offset, room, len)) < 0)
		return r;
	buf_grown(out, len);
	return 0;
}

/* memfile_map - see a sealed file as bytes */
int
memfile_map(int fd, struct slice *ret_content)
{
	enum memfile_kind kind;
	uint64_t	size;
	void		*p;
	int		r;

	if ((r = memfile_check(fd, SIZE_MAX, &kind, &size)) < 0)
		return r;
	if (kind != MEMFILE_SEALED)
		return -EPERM;
	if (size == 0) {
		*ret_content = SLICE_EMPTY;
		return 0;
	}
	p = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	*ret_content = slice_over(p, (size_t)size);
	return 0;
}

/* memfile_unmap - give the view back */
void
memfile_unmap(struct slice *content)
{
	if (content->len > 0)
		(void)munmap((void *)(uintptr_t)content->data, content->len);
	*content = SLICE_EMPTY;
}
