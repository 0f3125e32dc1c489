/* SPDX-License-Identifier: ISC */
/*
 * The state on disk: one LMDB environment with default sync, so a commit is
 * durable when it returns, and MDB_NOTLS, so a read transaction belongs to no
 * thread. That one process at a time writes is proved by a lock on the folder
 * (flock), which also tells a tool whether qmgr runs; a tool that reads while
 * none does needs no lock file of LMDB's and so leaves none behind.
 */
#include "libglobal/qstate_backend.h"

#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libglobal/lmdb_file.h"
#include "libglobal/slot_io.h"
#include "libtask/folder.h"
#include "libutil/alloc.h"

#define FOLDER		"state.lmdb"
#define DATA_FILE	FOLDER "/data.mdb"
#define FILE_MODE	0640

struct env {
	MDB_env	*lmdb;
	MDB_dbi	 dbi;
	int	 lock_fd;	/* the folder, locked */
};

struct qstate_txn {
	MDB_txn		*lmdb;
	MDB_cursor	*cursor;	/* NULL: not needed yet */
	MDB_dbi		 dbi;
};

/* env_close - release everything */
static void
env_close(void *arg)
{
	struct env	*e = arg;

	if (e->lmdb != NULL)
		mdb_env_close(e->lmdb);
	if (e->lock_fd >= 0)
		close(e->lock_fd);
	free(e);
}

/* txn_begin - begin a transaction */
static int
txn_begin(void *arg, bool write, struct qstate_txn **ret_txn)
{
	struct env		*e = arg;
	struct qstate_txn	*txn = NEW(struct qstate_txn);
	int			 r;

	txn->dbi = e->dbi;
	r = mdb_txn_begin(e->lmdb, NULL, write ? 0 : MDB_RDONLY, &txn->lmdb);
	if (r != 0) {
		free(txn);
		return lmdb_errno(r);
	}
	*ret_txn = txn;
	return 0;
}

/* txn_abort - end without a change */
static void
txn_abort(struct qstate_txn *txn)
{
	if (txn->cursor != NULL)
		mdb_cursor_close(txn->cursor);
	mdb_txn_abort(txn->lmdb);
	free(txn);
}

/* txn_commit - end durably */
static int
txn_commit(struct qstate_txn *txn)
{
	MDB_env	*env = mdb_txn_env(txn->lmdb);
	int	r;

	if (txn->cursor != NULL)
		mdb_cursor_close(txn->cursor);
	r = mdb_txn_commit(txn->lmdb);
	free(txn);
	return lmdb_file_committed(env, r);
}

/* txn_get - the value under a key */
static int
txn_get(struct qstate_txn *txn, struct slice key, struct slice *ret_value)
{
	MDB_val	k = lmdb_val(key), v;
	int	r;

	if ((r = mdb_get(txn->lmdb, txn->dbi, &k, &v)) != 0)
		return lmdb_errno(r);
	*ret_value = slice_over(v.mv_data, v.mv_size);
	return 0;
}

/* txn_put - put or replace a value */
static int
txn_put(struct qstate_txn *txn, struct slice key, struct slice value)
{
	MDB_val	k = lmdb_val(key), v = lmdb_val(value);

	return lmdb_errno(mdb_put(txn->lmdb, txn->dbi, &k, &v, 0));
}

/* txn_del - remove a key */
static int
txn_del(struct qstate_txn *txn, struct slice key)
{
	MDB_val	k = lmdb_val(key);

	return lmdb_errno(mdb_del(txn->lmdb, txn->dbi, &k, NULL));
}

/* move - take the cursor somewhere */
static int
move(struct qstate_txn *txn, MDB_val *k, MDB_cursor_op op,
    struct slice *ret_key, struct slice *ret_value)
{
	MDB_val	v;
	int	r;

	if ((r = mdb_cursor_get(txn->cursor, k, &v, op)) != 0)
		return lmdb_errno(r);
	*ret_key = slice_over(k->mv_data, k->mv_size);
	*ret_value = slice_over(v.mv_data, v.mv_size);
	return 0;
}

/* txn_seek - the first key from here on */
static int
txn_seek(struct qstate_txn *txn, struct slice from, struct slice *ret_key,
    struct slice *ret_value)
{
	MDB_val	k = lmdb_val(from);
	int	r;

	if (txn->cursor == NULL) {
		r = mdb_cursor_open(txn->lmdb, txn->dbi, &txn->cursor);
		if (r != 0)
			return lmdb_errno(r);
	}
	return move(txn, &k, MDB_SET_RANGE, ret_key, ret_value);
}

/* txn_next - the key behind the last one told */
static int
txn_next(struct qstate_txn *txn, struct slice *ret_key,
    struct slice *ret_value)
{
	MDB_val	k;

	return move(txn, &k, MDB_NEXT, ret_key, ret_value);
}

static const struct qstate_backend lmdb_backend = {
	.begin = txn_begin,
	.abort = txn_abort,
	.commit = txn_commit,
	.get = txn_get,
	.put = txn_put,
	.del = txn_del,
	.seek = txn_seek,
	.next = txn_next,
	.close = env_close,
};

/* folder_path - the folder's name, for a library that takes only names */
static void
folder_path(char *out, size_t room, int queue_fd)
{
	if (queue_fd == AT_FDCWD)
		(void)snprintf(out, room, FOLDER);
	else
		(void)snprintf(out, room, "/proc/self/fd/%d/" FOLDER,
		    queue_fd);
}

/* lock - be the only writer, or one of the readers while there is none */
static int
lock(int queue_fd, int how, int *ret_fd)
{
	int	fd, r;

	fd = openat(queue_fd, FOLDER,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (flock(fd, how | LOCK_NB) < 0) {
		r = errno == EWOULDBLOCK ? -EBUSY : -errno;
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

/*
 * mend_size - a file that was cut off would be a fault on access, not an
 * error; with zeros in its place LMDB finds pages that are none and says so
 */
static int
mend_size(struct env *e, int queue_fd)
{
	MDB_envinfo	info;
	MDB_stat	st;
	struct stat	file;
	uint64_t	want;
	int		fd, r = 0;

	if (mdb_env_info(e->lmdb, &info) != 0 || mdb_env_stat(e->lmdb, &st) != 0)
		return -EIO;
	want = ((uint64_t)info.me_last_pgno + 1) * st.ms_psize;
	if (fstatat(queue_fd, DATA_FILE, &file, 0) < 0)
		return -errno;
	if ((uint64_t)file.st_size >= want)
		return 0;
	fd = openat(queue_fd, DATA_FILE, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)want) < 0)
		r = -errno;
	close(fd);
	return r;
}

/* map_open - open the environment in the locked folder */
static int
map_open(struct env *e, int queue_fd, size_t map_size, unsigned flags)
{
	char	 path[64], file[80];
	MDB_txn	*txn;
	int	 r;

	folder_path(path, sizeof(path), queue_fd);
	(void)snprintf(file, sizeof(file), "%s/data.mdb", path);
	if ((flags & MDB_RDONLY) == 0 &&
	    (r = lmdb_file_make(file, FILE_MODE)) < 0)
		return r;
	if ((r = mdb_env_create(&e->lmdb)) != 0 ||
	    (r = mdb_env_set_mapsize(e->lmdb, map_size)) != 0 ||
	    (r = mdb_env_open(e->lmdb, path, MDB_NOTLS | flags,
	    FILE_MODE)) != 0)
		return lmdb_errno(r);
	if ((r = mend_size(e, queue_fd)) < 0)
		return r;
	r = mdb_txn_begin(e->lmdb, NULL, flags & MDB_RDONLY, &txn);
	if (r != 0)
		return lmdb_errno(r);
	if ((r = mdb_dbi_open(txn, NULL, 0, &e->dbi)) != 0) {
		mdb_txn_abort(txn);
		return lmdb_errno(r);
	}
	if ((r = mdb_txn_commit(txn)) != 0)
		return lmdb_errno(r);
	/* LMDB flushes what is in the file, not the name of a new one */
	return flags & MDB_RDONLY ? 0 : folder_sync(queue_fd, FOLDER);
}

/* is_there - has anything been written yet? LMDB cannot read an empty file */
static int
is_there(int queue_fd)
{
	struct stat	st;

	if (fstatat(queue_fd, DATA_FILE, &st, 0) < 0)
		return -errno;
	return st.st_size == 0 ? -ENOENT : 0;
}

/* state_open - lock, open, attach */
static int
state_open(int queue_fd, size_t map_size, bool read_only,
    struct qstate **ret_state)
{
	struct env	*e = NEW(struct env);
	int		 r;

	e->lock_fd = -1;
	r = lock(queue_fd, read_only ? LOCK_SH : LOCK_EX, &e->lock_fd);
	if (r == 0 && read_only)
		r = is_there(queue_fd);
	if (r == 0)
		r = map_open(e, queue_fd, map_size,
		    read_only ? MDB_RDONLY | MDB_NOLOCK : 0);
	if (r == 0)
		r = qstate_attach(&lmdb_backend, e, read_only, ret_state);
	if (r < 0)
		env_close(e);
	return r;
}

/* qstate_open - open the state for qmgr */
int
qstate_open(int queue_fd, size_t map_size, struct qstate **ret_state)
{
	return state_open(queue_fd, map_size, false, ret_state);
}

/* qstate_open_read - open the state to read, while no qmgr runs */
int
qstate_open_read(int queue_fd, struct qstate **ret_state)
{
	return state_open(queue_fd, QSTATE_MAP_SIZE_DEFAULT, true, ret_state);
}
