/* SPDX-License-Identifier: ISC */
/*
 * A file gets its name when all of it is on the disk, so it is whole or not
 * there. The folder cannot be flushed, because nobody but pickup may read it;
 * but the file that was renamed can, and with it goes its name: the file
 * systems of Linux log the two together.
 */
#include "postdrop/postdrop.h"

#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libtask/io.h"

#define FILE_MODE	0640	/* pickup reads it by its group */

/* fail - the first reason counts */
static void
fail(struct drop_writer *w, int error)
{
	if (w->refusal.code != 0)
		return;
	if (error == -ENOSPC || error == -EDQUOT)
		w->refusal = status_make(452, "4.3.1",
		    "Insufficient system storage");
	else if (error == -EFBIG)
		w->refusal = status_make(552, "5.3.4", "message file too big "
		    "(the limit of this process)");
	else
		w->refusal = status_make(451, "4.3.0",
		    "cannot write to the drop folder: %s", strerror(-error));
}

/* may_not - what to do about a folder that does not let us in */
static void
may_not(struct drop_writer *w)
{
	const struct group	*gr;
	struct stat		 st;

	if (stat(".", &st) < 0) {
		fail(w, -EACCES);
		return;
	}
	gr = getgrgid(st.st_gid);
	w->refusal = status_make(451, "4.3.5", "may not write to the drop "
	    "folder: postdrop must be installed setgid %s (chgrp %s, chmod "
	    "g+s), or run as root or user %u", gr == NULL ? "of the folder's "
	    "group" : gr->gr_name, gr == NULL ? "GROUP" : gr->gr_name,
	    (unsigned)st.st_uid);
}

/* own_group - root's files too must be readable by pickup */
static int
own_group(int fd)
{
	struct stat folder, st;

	if (stat(".", &folder) < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_gid != folder.st_gid && fchown(fd, (uid_t)-1,
	    folder.st_gid) < 0)
		return -errno;
	return fchmod(fd, FILE_MODE) < 0 ? -errno : 0;
}

/* drop_begin - a file under a name that nobody can guess */
void
drop_begin(struct drop_writer *w)
{
	uint64_t	number;
	int		r;

	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number)) {
		fail(w, -EIO);
		return;
	}
	(void)snprintf(w->name, sizeof(w->name), DROP_UNFINISHED "%016llx",
	    (unsigned long long)number);
	w->fd = open(w->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (w->fd < 0) {
		if (errno == EACCES || errno == EPERM)
			may_not(w);
		else
			fail(w, -errno);
	} else if ((r = own_group(w->fd)) < 0)
		fail(w, r);
}

/* put - bytes at that place */
static void
put(struct drop_writer *w, uint64_t at, struct slice s)
{
	while (s.len > 0 && w->refusal.code == 0) {
		ssize_t n = pwrite(w->fd, s.data, s.len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			fail(w, -errno);
			return;
		}
		s = slice_from(s, (size_t)n);
		at += (uint64_t)n;
	}
}

/* drop_envelope - behind the head, which is written last */
void
drop_envelope(struct drop_writer *w, struct slice envelope)
{
	w->head.envelope = (uint32_t)envelope.len;
	put(w, DROP_HEAD_SIZE, envelope);
}

/* drop_content - some more of it */
void
drop_content(struct drop_writer *w, struct slice bytes)
{
	if (w->refusal.code != 0)
		return;
	if (w->limit != 0 && w->head.content + bytes.len > w->limit) {
		w->refusal = status_make(552, "5.3.4",
		    "message file too big");
		return;
	}
	put(w, DROP_HEAD_SIZE + w->head.envelope + w->head.content, bytes);
	w->head.content += bytes.len;
}

/* drop_commit - flush, name, flush */
void
drop_commit(struct drop_writer *w)
{
	struct buf	 head = BUF_INIT;
	const char	*name = w->name + sizeof(DROP_UNFINISHED) - 1;

	drop_format_head(&head, &w->head);
	put(w, 0, buf_slice(&head));
	buf_free(&head);
	if (w->refusal.code != 0)
		return;
	if (fsync(w->fd) < 0 || rename(w->name, name) < 0) {
		fail(w, -errno);
		return;
	}
	memmove(w->name, name, DROP_NAME_LEN + 1);
	if (fsync(w->fd) < 0)
		fail(w, -errno);	/* drop_done takes it back */
	else
		fd_close(&w->fd);
}

/* drop_done - a file that is still open was not committed */
void
drop_done(struct drop_writer *w)
{
	if (w->fd >= 0)
		(void)unlink(w->name);	/* or pickup removes it */
	fd_close(&w->fd);
}
