/* SPDX-License-Identifier: ISC */
/*
 * The folders of the queue, and slots as files: made, removed, found. A new
 * slot is written under a name of its own kind and renamed when it is whole,
 * so a slot that is found has its size and blocks for good.
 */
#include "libglobal/slot.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libglobal/slot_io.h"
#include "libtask/folder.h"
#include "libutil/alloc.h"
#include "libutil/diag.h"

#define NAME_ROOM	32
#define FILL_CHUNK	((size_t)256 << 10)
#define NUMBER_DIGITS	8
#define UNFINISHED	".new"

/* who owns a folder of the queue */
enum folder_owner { OF_CLEANUP, OF_QMGR };

static const struct folder {
	const char		*path;
	enum folder_owner	 owner;
} folders[] = {
	{ "slot",		OF_CLEANUP },
#define SLOT_CLASS(name, folder, bytes) { "slot/" folder, OF_CLEANUP },
#include "libglobal/slot_classes.def"
	{ "large",		OF_CLEANUP },
	{ "state.lmdb",		OF_QMGR },
};

/* folder_mode - where two users share a group, what is made in a folder
 * belongs to that group, whatever the maker's own is */
static mode_t
folder_mode(const struct queue_owner *o)
{
	return o->group == (gid_t)-1 ? 0750 : 02750;
}

/* uid_of - whose a folder is to be */
static uid_t
uid_of(const struct folder *f, const struct queue_owner *o)
{
	return f->owner == OF_QMGR ? o->qmgr : o->cleanup;
}

/* folder_make - one folder with owner and mode */
static int
folder_make(int queue_fd, const struct folder *f, const struct queue_owner *o)
{
	int	fd, r = 0;

	if (mkdirat(queue_fd, f->path, 0750) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(queue_fd, f->path,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fchown(fd, uid_of(f, o), o->group) < 0 ||
	    fchmod(fd, folder_mode(o)) < 0 || fsync(fd) < 0)
		r = -errno;
	close(fd);
	return r;
}

/* queue_folders_make - the queue's folders, as they must be */
int
queue_folders_make(int queue_fd, const struct queue_owner *o, struct diag *d)
{
	int	r;

	for (size_t i = 0; i < COUNT(folders); i++)
		if ((r = folder_make(queue_fd, &folders[i], o)) < 0) {
			(void)diag_set(d, 0, 0, "cannot make queue folder %s: "
			    "%s", folders[i].path, strerror(-r));
			return r;
		}
	/* a folder was flushed when it was made: before those in it were */
	if ((r = folder_sync(queue_fd, "slot")) < 0)
		return r;
	return folder_sync(queue_fd, ".");
}

/* folder_check - is a folder as it must be? */
static int
folder_check(int queue_fd, const struct folder *f, const struct queue_owner *o,
    struct diag *d)
{
	struct stat	st;
	uid_t		uid = uid_of(f, o) == (uid_t)-1 ? geteuid() :
			    uid_of(f, o);

	if (fstatat(queue_fd, f->path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return diag_set(d, 0, 0, "queue folder %s: %s; it is made when "
		    "the suite is started", f->path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return diag_set(d, 0, 0, "queue folder %s is no folder",
		    f->path);
	if (st.st_uid != uid)
		return diag_set(d, 0, 0, "queue folder %s belongs to user %u, "
		    "not to %u", f->path, (unsigned)st.st_uid, (unsigned)uid);
	if (o->group != (gid_t)-1 && st.st_gid != o->group)
		return diag_set(d, 0, 0, "queue folder %s belongs to group %u, "
		    "not to %u", f->path, (unsigned)st.st_gid,
		    (unsigned)o->group);
	if ((st.st_mode & 07777) != folder_mode(o))
		return diag_set(d, 0, 0, "queue folder %s has mode %04o, not "
		    "%04o", f->path, (unsigned)st.st_mode & 07777,
		    (unsigned)folder_mode(o));
	return 0;
}

/* queue_folders_check - are the queue's folders as they must be? */
int
queue_folders_check(int queue_fd, const struct queue_owner *o, struct diag *d)
{
	int	r = 0;

	for (size_t i = 0; i < COUNT(folders) && r == 0; i++)
		r = folder_check(queue_fd, &folders[i], o, d);
	return r;
}

/* fill - real zeros to the end: blocks that are only reserved would have to be
 * converted by the first flush of each message */
static int
fill(int fd, size_t size)
{
	char		*zeros = xcalloc(1, FILL_CHUNK);
	struct iovec	 iov;
	size_t		 done = 0;
	int		 r = 0;

	/* some file systems cannot reserve; writing does it as well */
	if (fallocate(fd, 0, 0, (off_t)size) < 0 && errno != EOPNOTSUPP)
		r = -errno;
	while (r == 0 && done < size) {
		iov = (struct iovec){ zeros,
		    size_min(FILL_CHUNK, size - done) };
		r = slot_io_pwritev(fd, &iov, 1, done);
		done += FILL_CHUNK;
	}
	free(zeros);
	return r == 0 ? slot_io_sync(fd) : r;
}

/* slot_make - one new slot, if there is none of that number */
static int
slot_make(int folder_fd, uint32_t number, size_t size)
{
	char	name[NAME_ROOM], unfinished[NAME_ROOM];
	int	fd, r;

	(void)snprintf(name, sizeof(name), "%08u", number);
	(void)snprintf(unfinished, sizeof(unfinished), "%08u" UNFINISHED,
	    number);
	if (faccessat(folder_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	r = slot_io_open(folder_fd, unfinished, O_RDWR | O_CREAT | O_TRUNC,
	    &fd);
	if (r < 0)
		return r;
	r = fill(fd, size);
	/* the umask must not decide who can read the queue */
	if (r == 0 && fchmod(fd, SLOT_FILE_MODE) < 0)
		r = -errno;
	close(fd);
	if (r == 0 && renameat(folder_fd, unfinished, folder_fd, name) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(folder_fd, unfinished, 0);
	return r;
}

/* class_open - the folder of a class */
static int
class_open(int queue_fd, uint8_t class, int *ret_fd)
{
	char	path[NAME_ROOM];

	if (class >= SLOT_CLASSES)
		return -EINVAL;
	(void)snprintf(path, sizeof(path), "slot/%s", slot_class_name(class));
	*ret_fd = openat(queue_fd, path,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *ret_fd < 0 ? -errno : 0;
}

/* slot_grow - make slots that are not there yet */
int
slot_grow(int queue_fd, uint8_t class, const uint32_t *numbers, size_t count)
{
	int	fd, r;

	if ((r = class_open(queue_fd, class, &fd)) < 0)
		return r;
	for (size_t i = 0; i < count && r == 0; i++)
		r = numbers[i] > SLOT_NUMBER_MAX ? -EINVAL :
		    slot_make(fd, numbers[i], slot_class_size(class));
	if (r == 0)
		r = slot_io_sync(fd);
	close(fd);
	return r;
}

/* slot_shrink - unlink slots */
int
slot_shrink(int queue_fd, uint8_t class, const uint32_t *numbers, size_t count)
{
	char	name[NAME_ROOM];
	int	fd, r;

	if ((r = class_open(queue_fd, class, &fd)) < 0)
		return r;
	for (size_t i = 0; i < count && r == 0; i++) {
		(void)snprintf(name, sizeof(name), "%08u", numbers[i]);
		if (unlinkat(fd, name, 0) < 0 && errno != ENOENT)
			r = -errno;
	}
	if (r == 0)
		r = slot_io_sync(fd);
	close(fd);
	return r;
}

/* a walk over the slots of one class */
struct scan {
	slot_found_fn	*found;
	void		*arg;
	size_t		 strange;
	uint8_t		 class;
};

/* scan_one - read the header of one slot and tell it */
static int
scan_one(struct scan *s, int folder_fd, const char *name, uint32_t number)
{
	struct slot_ref	  ref = { s->class, number };
	struct queue_head head;
	int		  fd, r;

	r = slot_io_open(folder_fd, name, O_RDONLY, &fd);
	if (r == 0) {
		r = slot_read_head(fd, ref, &head);
		close(fd);
	}
	return s->found(s->arg, ref, r, r == 0 ? &head : NULL);
}

/* scan_name - a name in the folder of a class */
static int
scan_name(void *arg, int folder_fd, const char *name)
{
	struct scan	*s = arg;
	struct slice	 text = slice_of(name);
	uint32_t	 number;

	/* an unfinished one never held a message; slot_grow writes it anew */
	if (slice_has_suffix(text, S(UNFINISHED)))
		return 0;
	if (text.len != NUMBER_DIGITS ||
	    slice_to_u32(text, SLOT_NUMBER_MAX, &number) < 0) {
		s->strange++;
		return 0;
	}
	return scan_one(s, folder_fd, name, number);
}

/* slot_scan - tell the header of every slot */
int
slot_scan(int queue_fd, slot_found_fn *found, void *arg, size_t *ret_strange)
{
	struct scan	s = { found, arg, 0, 0 };
	char		path[NAME_ROOM];
	int		r = 0;

	for (; s.class < SLOT_CLASSES && r == 0; s.class++) {
		(void)snprintf(path, sizeof(path), "slot/%s",
		    slot_class_name(s.class));
		r = slot_io_walk(queue_fd, path, scan_name, &s);
	}
	if (r == 0 && ret_strange != NULL)
		*ret_strange = s.strange;
	return r;
}
