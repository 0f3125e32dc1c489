/* SPDX-License-Identifier: ISC */
/* Opening a file that is not there makes it; a forced flush and a rename make
 * it last. No transaction is needed, so none is made. */
#include "libglobal/lmdb_file.h"

#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define META_PAGES	2	/* that every environment has */
#define PAGE_MIN	4096
#define ROOM_MIN	((size_t)32 << 10)	/* without it a disk is full */

/* lmdb_errno - an LMDB result as a negative errno */
int
lmdb_errno(int e)
{
	switch (e) {
	case MDB_NOTFOUND:
		return -ENOENT;
	case MDB_MAP_FULL:
		return -ENOSPC;
	case MDB_READERS_FULL:
		return -EAGAIN;
	case MDB_VERSION_MISMATCH:
		return -EPROTONOSUPPORT;
	case MDB_INVALID:
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
		return -EBADMSG;
	case MDB_BAD_VALSIZE:
		return -EMSGSIZE;
	case MDB_PANIC:		/* after an error of the disk */
		return -ENOTRECOVERABLE;
	}
	return e > 0 ? -e : e == 0 ? 0 : -EIO;
}

/* lmdb_val - bytes as LMDB wants them; it does not change them */
MDB_val
lmdb_val(struct slice s)
{
	return (MDB_val){ s.len, (char *)(uintptr_t)s.data };
}

/* make - an empty environment, flushed */
static int
make(const char *path, mode_t mode)
{
	MDB_env	*env = NULL;
	int	rc;

	if ((rc = mdb_env_create(&env)) == 0)
		rc = mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOTLS |
		    MDB_NOLOCK, mode);
	if (rc == 0)
		rc = mdb_env_sync(env, 1);
	mdb_env_close(env);
	return lmdb_errno(rc);
}

/* lmdb_file_make - have one, whole, if nothing is there */
int
lmdb_file_make(const char *path, mode_t mode)
{
	struct stat	st;
	char		*new;
	int		r;

	if (stat(path, &st) == 0)
		return 0;
	if (errno != ENOENT)
		return -errno;
	if (asprintf(&new, "%s.new", path) < 0)
		return -ENOMEM;
	r = unlink(new) < 0 && errno != ENOENT ? -errno : make(new, mode);
	if (r == 0 && rename(new, path) < 0)
		r = -errno;
	free(new);
	return r;
}

/* lmdb_file_check - is it long enough to be one? */
int
lmdb_file_check(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	return st.st_size < META_PAGES * PAGE_MIN ? -EUCLEAN : 0;
}

/* lmdb_file_whole - is it as long as its pages need? The library reads the
 * first ones to tell, so those must be there */
int
lmdb_file_whole(MDB_env *env)
{
	MDB_envinfo	info;
	MDB_stat	pages;
	struct stat	st;
	int		fd, r;

	if ((r = mdb_env_get_fd(env, &fd)) != 0)
		return lmdb_errno(r);
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < META_PAGES * PAGE_MIN)
		return -EUCLEAN;
	if ((r = mdb_env_info(env, &info)) != 0 ||
	    (r = mdb_env_stat(env, &pages)) != 0)
		return lmdb_errno(r);
	return (uint64_t)st.st_size / pages.ms_psize <= info.me_last_pgno ?
	    -EUCLEAN : 0;
}

/* is_full - would a little more fit behind the end? What is written there is in
 * no use while nobody else can write, whose pages it would be */
static bool
is_full(MDB_env *env)
{
	static const char	zeros[ROOM_MIN];
	struct stat		st;
	ssize_t			n;
	int			fd;

	if (mdb_env_get_fd(env, &fd) != 0 || fstat(fd, &st) < 0)
		return false;
	n = pwrite(fd, zeros, sizeof(zeros), st.st_size);
	return n >= 0 ? (size_t)n < sizeof(zeros) :
	    errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
}

/* lmdb_file_written - the result of a write in a transaction */
int
lmdb_file_written(MDB_env *env, int e)
{
	if (e == EDQUOT || e == EFBIG || (e == EIO && is_full(env)))
		return -ENOSPC;
	return lmdb_errno(e);
}

/* lmdb_file_committed - the result of a commit, after which others may write:
 * a transaction of our own keeps them away */
int
lmdb_file_committed(MDB_env *env, int e)
{
	MDB_txn	*lock;
	int	r;

	if (e != EIO || mdb_txn_begin(env, NULL, 0, &lock) != 0)
		return e == EIO ? -EIO : lmdb_file_written(env, e);
	r = lmdb_file_written(env, e);
	mdb_txn_abort(lock);
	return r;
}
