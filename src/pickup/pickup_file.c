/* SPDX-License-Identifier: ISC */
/*
 * The files of the drop folder, on workers. A file is what postdrop made when
 * it is a regular file with one name, of bounded size, whose head says how
 * long it is. What is no such file is never tried again.
 */
#include "pickup/pickup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libtask/work.h"

struct file_job {
	struct drop_file	*f;
	struct buf		*b;
	uint64_t		 limit;
	int			 folder;
};

/* read_exactly - so many bytes from there; -EBADMSG if there are fewer */
static int
read_exactly(int fd, uint64_t at, size_t len, struct buf *b)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, buf_room(b, len - done), len - done,
		    (off_t)(at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		buf_grown(b, (size_t)n);
		done += (size_t)n;
	}
	return 0;
}

/* broken - it is no drop file, and this is why */
static int
broken(struct drop_file *f, const char *why)
{
	f->why = why;
	return -EBADMSG;
}

/* look - is it a file that postdrop may have made? */
static int
look(struct drop_file *f, uint64_t limit, struct stat *st)
{
	if (fstat(f->fd, st) < 0)
		return -errno;
	f->irregular = !S_ISREG(st->st_mode);
	if (f->irregular)
		return broken(f, "no regular file");
	if (st->st_nlink > 1)
		return broken(f, "it has another name");
	if (st->st_nlink == 0)
		return -ENOENT;
	if (st->st_size < DROP_HEAD_SIZE)
		return broken(f, "it is cut short");
	if (limit != 0 && (uint64_t)st->st_size > DROP_HEAD_SIZE +
	    DROP_ENVELOPE_MAX + limit)
		return broken(f, "it is too large");
	return 0;
}

/* read_head - and the envelope behind it */
static int
read_head(struct drop_file *f, const struct stat *st)
{
	struct drop_head	h;
	struct buf		head = BUF_INIT;
	int			r;

	r = read_exactly(f->fd, 0, DROP_HEAD_SIZE, &head);
	if (r == 0 && drop_parse_head(buf_slice(&head), &h) < 0)
		r = broken(f, "it does not begin as one");
	buf_free(&head);
	if (r < 0)
		return r;
	if (h.content > (uint64_t)st->st_size || (uint64_t)st->st_size !=
	    DROP_HEAD_SIZE + h.envelope + h.content)
		return broken(f, "its length is wrong");
	f->at = DROP_HEAD_SIZE + h.envelope;
	f->end = f->at + h.content;
	return read_exactly(f->fd, DROP_HEAD_SIZE, h.envelope, &f->envelope);
}

static int
open_work(void *arg)
{
	struct file_job		*j = arg;
	struct drop_file	*f = j->f;
	struct stat		 st;
	int			 r;

	/* whoever made it may have made a pipe: do not wait for its writer */
	f->fd = openat(j->folder, f->name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	f->irregular = f->fd < 0 && (errno == ELOOP || errno == ENXIO);
	if (f->irregular)
		return broken(f, "no regular file");
	if (f->fd < 0)
		return -errno;
	if ((r = look(f, j->limit, &st)) < 0)
		return r;
	f->uid = st.st_uid;
	/* when it got its name, by the kernel's clock: no user can set it */
	f->arrival = (int64_t)st.st_ctim.tv_sec * 1000000 +
	    st.st_ctim.tv_nsec / 1000;
	return read_head(f, &st);
}

/* drop_file_open - open it, and read its envelope */
int
drop_file_open(struct task *t, int folder, uint64_t limit,
    struct drop_file *f)
{
	struct file_job j = { .f = f, .limit = limit, .folder = folder };

	return work_run(t, open_work, &j);
}

static int
read_work(void *arg)
{
	struct file_job		*j = arg;
	struct drop_file	*f = j->f;
	size_t			 len = (size_t)(f->end - f->at);
	int			 r;

	buf_reset(j->b);
	len = size_min(len, DROP_PIECE_MAX);
	if ((r = read_exactly(f->fd, f->at, len, j->b)) < 0)
		return r == -EBADMSG ? broken(f, "it was cut short") : r;
	f->at += len;
	return len > 0;
}

/* drop_file_read - the next run of content */
int
drop_file_read(struct task *t, struct drop_file *f, struct buf *b)
{
	struct file_job j = { .f = f, .b = b };

	return work_run(t, read_work, &j);
}

static int
remove_work(void *arg)
{
	struct file_job *j = arg;

	return unlinkat(j->folder, j->f->name, 0) < 0 ? -errno : 0;
}

/* drop_file_remove - its message is in the queue */
int
drop_file_remove(struct task *t, int folder, const struct drop_file *f)
{
	struct drop_file	copy = *f;
	struct file_job		j = { .f = &copy, .folder = folder };

	return work_run(t, remove_work, &j);
}

static int
aside_work(void *arg)
{
	struct file_job	*j = arg;
	char		 to[sizeof(DROP_CORRUPT) + DROP_NAME_LEN + 1];

	/* links and pipes hold nothing, and we may not make any */
	if (j->f->irregular)
		return remove_work(arg);
	(void)snprintf(to, sizeof(to), DROP_CORRUPT "/%s", j->f->name);
	return renameat(j->folder, j->f->name, j->folder, to) < 0 ? -errno : 0;
}

/* drop_file_set_aside - for the administrator to look at */
int
drop_file_set_aside(struct task *t, int folder, const struct drop_file *f)
{
	struct drop_file	copy = *f;
	struct file_job		j = { .f = &copy, .folder = folder };

	return work_run(t, aside_work, &j);
}

/* drop_file_close - forget it */
void
drop_file_close(struct drop_file *f)
{
	fd_close(&f->fd);
	buf_free(&f->envelope);
}
