/* SPDX-License-Identifier: ISC */
/*
 * The header is at the end because envelope and checksums are known only when
 * the content is. It is found from the file's size; content and envelope
 * before it must fill the file exactly.
 */
#include "libglobal/large.h"

#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libglobal/slot_io.h"
#include "libtask/folder.h"

#define FOLDER		"large"
#define UNFINISHED	".tmp"
#define PATH_ROOM	(sizeof(FOLDER "/" UNFINISHED) + QUEUE_ID_MAX)

/* large_path - the name of a file below the queue folder */
static void
large_path(char out[PATH_ROOM], const struct queue_id *id, const char *suffix)
{
	(void)snprintf(out, PATH_ROOM, FOLDER "/%.*s%s", QUEUE_ID_MAX,
	    id->text, suffix);
}

/* is_free - is no committed file of that name there? */
static int
is_free(int queue_fd, const struct queue_id *id)
{
	char	path[PATH_ROOM];

	if (queue_id_is_empty(id))
		return -EINVAL;
	large_path(path, id, "");
	if (faccessat(queue_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return errno == ENOENT ? 0 : -errno;
}

/* lock - say that somebody writes this file. -ESTALE: a sweep that came
 * between its making and this has removed it. */
static int
lock(int fd)
{
	struct stat	st;

	if (flock(fd, LOCK_EX) < 0 || fstat(fd, &st) < 0)
		return -errno;
	return st.st_nlink == 0 ? -ESTALE : 0;
}

/* create_locked - make <id>.tmp and lock it */
static int
create_locked(int queue_fd, const char *path, int *ret_fd)
{
	int	fd, r;

	do {
		r = slot_io_open(queue_fd, path, O_RDWR | O_CREAT | O_EXCL,
		    &fd);
		if (r < 0)
			return r;
		if ((r = lock(fd)) < 0)
			close(fd);
	} while (r == -ESTALE);
	if (r < 0)
		(void)unlinkat(queue_fd, path, 0);
	else
		*ret_fd = fd;
	return r;
}

/* large_create - begin a file */
int
large_create(int queue_fd, const struct queue_id *id, struct large *ret_large)
{
	struct large	l = { *id, -1, 0, 0, false };
	char		path[PATH_ROOM];
	int		r;

	if ((r = is_free(queue_fd, id)) < 0)
		return r;
	large_path(path, id, UNFINISHED);
	if ((r = create_locked(queue_fd, path, &l.fd)) < 0)
		return r;
	/* the umask must not decide who can read the queue */
	if (fchmod(l.fd, SLOT_FILE_MODE) < 0) {
		r = -errno;
		large_abandon(queue_fd, &l);
		return r;
	}
	*ret_large = l;
	return 0;
}

/* large_write - append content */
int
large_write(struct large *l, struct slice bytes)
{
	struct iovec	iov = { (char *)(uintptr_t)bytes.data, bytes.len };
	int		r;

	if (l->fd < 0 || l->committed)
		return -EBADF;
	if ((r = slot_io_pwritev(l->fd, &iov, 1, l->len)) < 0)
		return r;
	l->len += bytes.len;
	l->crc = qformat_crc(l->crc, bytes);
	return 0;
}

/* large_commit - make the file whole, durable, and known by its name */
int
large_commit(int queue_fd, struct large *l, int64_t arrival,
    struct slice envelope)
{
	struct queue_head head = { .id = l->id, .place = QUEUE_PLACE_IN_LARGE,
			      .arrival = arrival, .generation = 1,
			      .content_len = l->len, .content_crc = l->crc };
	char		  block[QFORMAT_HEAD_SIZE];
	char		  from[PATH_ROOM], to[PATH_ROOM];
	struct iovec	  iov[2];
	int		  r;

	if (l->fd < 0 || l->committed)
		return -EBADF;
	if (envelope.len > QFORMAT_ENVELOPE_MAX)
		return -EMSGSIZE;
	head.envelope_len = (uint32_t)envelope.len;
	head.envelope_crc = qformat_crc(0, envelope);
	qformat_head_encode(block, &head);
	iov[0] = (struct iovec){ (char *)(uintptr_t)envelope.data,
	    envelope.len };
	iov[1] = (struct iovec){ block, sizeof(block) };
	if ((r = slot_io_pwritev(l->fd, iov, COUNT(iov), l->len)) < 0 ||
	    (r = slot_io_sync(l->fd)) < 0)
		return r;
	large_path(from, &l->id, UNFINISHED);
	large_path(to, &l->id, "");
	if (renameat(queue_fd, from, queue_fd, to) < 0)
		return -errno;
	if ((r = folder_sync(queue_fd, FOLDER)) < 0) {
		/* nobody knows which name the disk holds; the client hears no */
		(void)unlinkat(queue_fd, to, 0);
		return r;
	}
	l->committed = true;
	return 0;
}

/* large_abandon - close, and unlink if it was not committed */
void
large_abandon(int queue_fd, struct large *l)
{
	char	path[PATH_ROOM];

	if (l->fd >= 0 && !l->committed) {
		large_path(path, &l->id, UNFINISHED);
		/* a .tmp that stays is swept later */
		(void)unlinkat(queue_fd, path, 0);
	}
	large_close(l);
}

/* large_close - close the descriptor */
void
large_close(struct large *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

/* read_head - the header at the end, proved to belong to the file */
static int
read_head(int fd, const struct queue_id *id, struct queue_head *ret_head)
{
	char		  block[QFORMAT_HEAD_SIZE];
	struct queue_head head;
	struct stat	  st;
	uint64_t	  before;
	int		  r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size < QFORMAT_HEAD_SIZE)
		return -EBADMSG;
	before = (uint64_t)st.st_size - QFORMAT_HEAD_SIZE;
	if ((r = slot_io_pread(fd, block, sizeof(block), before)) < 0)
		return r;
	r = qformat_head_decode(slice_over(block, sizeof(block)), &head);
	if (r < 0)
		return r == -ENODATA ? -EBADMSG : r;
	if (head.place.kind != QUEUE_PLACE_LARGE ||
	    !queue_id_equal(&head.id, id) ||
	    head.envelope_len > before ||
	    head.content_len != before - head.envelope_len)
		return -EBADMSG;
	*ret_head = head;
	return 0;
}

/* read_envelope - the envelope block, verified */
static int
read_envelope(int fd, const struct queue_head *head, struct buf *ret_envelope)
{
	char	*room;
	int	 r;

	buf_reset(ret_envelope);
	if (head->envelope_len == 0)
		return qformat_check_envelope(head, SLICE_EMPTY);
	if ((room = buf_room(ret_envelope, head->envelope_len)) == NULL)
		return -EMSGSIZE;
	r = slot_io_pread(fd, room, head->envelope_len, head->content_len);
	if (r < 0)
		return r;
	r = qformat_check_envelope(head, slice_over(room, head->envelope_len));
	if (r == 0)
		buf_grown(ret_envelope, head->envelope_len);
	return r;
}

/* large_open - a committed file, to read */
int
large_open(int queue_fd, const struct queue_id *id, int *ret_fd,
    struct queue_head *ret_head, struct buf *ret_envelope)
{
	char	path[PATH_ROOM];
	int	fd, r;

	large_path(path, id, "");
	if ((r = slot_io_open(queue_fd, path, O_RDONLY, &fd)) < 0)
		return r;
	r = read_head(fd, id, ret_head);
	if (r == 0 && ret_envelope != NULL)
		r = read_envelope(fd, ret_head, ret_envelope);
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

/* large_reopen - a second, read-only descriptor of a file being written */
int
large_reopen(int queue_fd, const struct large *l, int *ret_fd)
{
	char	path[PATH_ROOM];

	large_path(path, &l->id, l->committed ? "" : UNFINISHED);
	return slot_io_open(queue_fd, path, O_RDONLY, ret_fd);
}

/* large_check_content - verify the content */
int
large_check_content(int fd, const struct queue_head *head)
{
	uint32_t	crc;
	int		r;

	r = slot_io_sum(fd, 0, head->content_len, -1, &crc);
	if (r == 0 && crc != head->content_crc)
		r = -EBADMSG;
	return r;
}

/* large_flush_folder - make names durable */
int
large_flush_folder(int queue_fd)
{
	return folder_sync(queue_fd, FOLDER);
}

/* large_unlink - remove a committed file, durably */
int
large_unlink(int queue_fd, const struct queue_id *id)
{
	char	path[PATH_ROOM];

	large_path(path, id, "");
	if (unlinkat(queue_fd, path, 0) < 0 && errno != ENOENT)
		return -errno;
	return folder_sync(queue_fd, FOLDER);
}

/* a walk over large files */
struct scan {
	large_found_fn	*found;
	void		*arg;
	size_t		 strange;
	int		 queue_fd;
};

/* scan_name - a name in the folder */
static int
scan_name(void *arg, int folder_fd, const char *name)
{
	struct scan	 *s = arg;
	struct queue_id	  id;
	struct queue_head head;
	int		  fd, r;

	(void)folder_fd;	/* large_open takes the queue folder's */
	if (slice_has_suffix(slice_of(name), S(UNFINISHED)))
		return 0;
	if (queue_id_parse(slice_of(name), &id) < 0) {
		s->strange++;
		return 0;
	}
	if ((r = large_open(s->queue_fd, &id, &fd, &head, NULL)) == 0)
		close(fd);
	return s->found(s->arg, &id, r, r == 0 ? &head : NULL);
}

/* large_scan - tell every committed file */
int
large_scan(int queue_fd, large_found_fn *found, void *arg, size_t *ret_strange)
{
	struct scan	s = { found, arg, 0, queue_fd };
	int		r;

	r = slot_io_walk(queue_fd, FOLDER, scan_name, &s);
	if (r == 0 && ret_strange != NULL)
		*ret_strange = s.strange;
	return r;
}

/* sweep_name - unlink an unfinished file that nobody writes */
static int
sweep_name(void *arg, int folder_fd, const char *name)
{
	size_t	*removed = arg;
	int	 fd, r;

	if (!slice_has_suffix(slice_of(name), S(UNFINISHED)))
		return 0;
	if ((r = slot_io_open(folder_fd, name, O_RDONLY, &fd)) < 0)
		return r == -ENOENT ? 0 : r;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		r = errno == EWOULDBLOCK ? 0 : -errno;
	else if (unlinkat(folder_fd, name, 0) == 0)
		++*removed;
	else if (errno != ENOENT)
		r = -errno;
	close(fd);
	return r;
}

/* large_sweep - unlink the unfinished files of the dead */
int
large_sweep(int queue_fd, size_t *ret_removed)
{
	size_t	removed = 0;
	int	r;

	r = slot_io_walk(queue_fd, FOLDER, sweep_name, &removed);
	if (r == 0)
		*ret_removed = removed;
	return r;
}
