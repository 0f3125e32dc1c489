/* SPDX-License-Identifier: ISC */
/*
 * LMDB, in its default mode: a commit flushes the pages and then writes the
 * meta page with O_DSYNC, so what was committed survives a power cut and
 * there is nothing to recover. MDB_NOTLS, because transactions begin and end
 * on whatever thread runs the work item and each environment would else take
 * one of the process's 1,024 thread keys. Never MDB_WRITEMAP (a stray write
 * would reach the disk), never MDB_NOSYNC.
 *
 * LMDB is used in its narrowest form: one unnamed database, no nested
 * transactions, values through MDB_RESERVE.
 *
 * Compaction copies the environment to meta.mdb.new while writers wait and
 * readers go on, flushes it, and then, for the moment in which the file is
 * swapped, holds `swap` against readers too.
 */
#include "libstore/backend.h"

#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "libglobal/lmdb_file.h"
#include "libstore/fileio.h"
#include "libstore/packfile.h"
#include "libtask/folder.h"
#include "libutil/alloc.h"

#define META_NAME		"meta.mdb"
#define META_NEW		"meta.mdb.new"
#define MAP_SIZE_DEFAULT	((uint64_t)64 << 30)
#define COMPACT_MIN		((uint64_t)4 << 20)
#define ROOM_LOW		((uint64_t)16 << 10)
#define ROOM_MIN		((uint64_t)32 << 10)
#define ROOM_MAX		((uint64_t)4 << 20)
#define ROOM_DISK		((uint64_t)256 << 20)	/* free, to take any */
#define FLUSHES_OF_COMMIT	2
#define FLUSHES_OF_PACK_SYNC	2

struct lmdb_backend {
	struct backend		 head;
	MDB_env			*env;		/* NULL if it cannot be opened */
	MDB_dbi			 dbi;
	int			 dir;
	char			*path;		/* of meta.mdb */
	uint64_t		 map_size;
	pthread_mutex_t		 writer;
	pthread_rwlock_t	 swap;
	bool			 failed;	/* the last commit; the writer's */
	uint64_t		 file_size;	/* at least; the writer's */
	atomic_uint_fast64_t	 commits;
	atomic_uint_fast64_t	 flushes;
};

struct lmdb_txn {
	struct backend_txn	 head;
	MDB_txn			*txn;
};

struct lmdb_range {
	struct backend_range	 head;
	MDB_cursor		*cursor;
	bool			 begun;
	bool			 reverse;
	size_t			 first_len, end_len;
	char			 first[BACKEND_KEY_MAX];
	char			 end[BACKEND_KEY_MAX];
};

/* lmdb_error - an LMDB result as a negative errno */
static int
lmdb_error(int rc)
{
	switch (rc) {
	case 0:
		return 0;
	case MDB_NOTFOUND:
		return -ENOENT;
	case MDB_MAP_FULL:
		return -ENOSPC;
	case MDB_READERS_FULL:
		return -EAGAIN;
	case MDB_VERSION_MISMATCH:
		return -EPROTONOSUPPORT;
	case MDB_BAD_VALSIZE:
		return -EINVAL;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
		return -EUCLEAN;
	default:
		return rc > 0 ? -rc : -EIO;
	}
}

static struct lmdb_backend *
lmdb_of(struct backend *b)
{
	return (struct lmdb_backend *)b;
}

/* mend_size - a file that was cut off would be a fault on access, not an error;
 * with zeros in its place LMDB finds pages that are none and says so */
static int
mend_size(struct lmdb_backend *l)
{
	MDB_envinfo	info;
	MDB_stat	st;
	struct stat	file;
	uint64_t	used;
	int		fd;

	(void)mdb_env_info(l->env, &info);	/* these fail on NULL only */
	(void)mdb_env_stat(l->env, &st);
	used = (info.me_last_pgno + 1) * st.ms_psize;
	if (mdb_env_get_fd(l->env, &fd) != 0 || fstat(fd, &file) < 0)
		return EIO;
	if ((uint64_t)file.st_size >= used)
		return 0;
	return ftruncate(fd, (off_t)used) < 0 ? errno : 0;
}

/* lmdb_open_env - open the environment and its one database */
static int
lmdb_open_env(struct lmdb_backend *l)
{
	MDB_txn	*txn = NULL;
	int	rc;

	l->file_size = 0;		/* not known */
	rc = mdb_env_create(&l->env);
	if (rc == 0)
		rc = mdb_env_set_mapsize(l->env, l->map_size);
	if (rc == 0)
		rc = mdb_env_open(l->env, l->path, MDB_NOSUBDIR | MDB_NOTLS,
		    0600);
	if (rc == 0)
		rc = mend_size(l);
	/* a first transaction that writes would cost a commit at each open */
	if (rc == 0)
		rc = mdb_txn_begin(l->env, NULL, MDB_RDONLY, &txn);
	if (rc == 0)
		rc = mdb_dbi_open(txn, NULL, 0, &l->dbi);
	if (rc == 0)
		rc = mdb_txn_commit(txn);
	else if (txn != NULL)
		mdb_txn_abort(txn);
	if (rc != 0 && l->env != NULL) {
		mdb_env_close(l->env);
		l->env = NULL;
	}
	return lmdb_error(rc);
}

/*
 * lmdb_reopen - after a failed commit, before the next one.
 *
 * Nobody knows which pages of a failed flush the disk holds, and a second
 * flush would not say. But the pages were free ones that no meta page names,
 * and whoever takes them next writes them whole before a flush of its own. The
 * meta page is written after the data's flush succeeded, so whether the disk
 * has the old one or the new one, what it names is there. So the environment
 * on the disk is sound, and only LMDB's idea of it is thrown away: it answers
 * a short write of a full disk, too, with an error that it keeps.
 */
static int
lmdb_reopen(struct lmdb_backend *l)
{
	int	r;

	pthread_rwlock_wrlock(&l->swap);
	if (l->env != NULL)
		mdb_env_close(l->env);
	l->env = NULL;
	r = lmdb_open_env(l);
	if (r == 0)
		l->failed = false;
	pthread_rwlock_unlock(&l->swap);
	return r;
}

/* lmdb_unlock - what lmdb_begin took */
static void
lmdb_unlock(struct lmdb_backend *l, bool write)
{
	pthread_rwlock_unlock(&l->swap);
	if (write)
		pthread_mutex_unlock(&l->writer);
}

/* lmdb_begin - a transaction; writers one after the other */
static int
lmdb_begin(struct backend *b, bool write, struct backend_txn **ret_txn)
{
	struct lmdb_backend *l = lmdb_of(b);
	struct lmdb_txn *t;
	MDB_txn	*txn;
	int	rc;

	if (write) {
		pthread_mutex_lock(&l->writer);
		if (l->failed && (rc = lmdb_reopen(l)) < 0) {
			pthread_mutex_unlock(&l->writer);
			return rc;
		}
	}
	pthread_rwlock_rdlock(&l->swap);
	if (l->env == NULL) {
		lmdb_unlock(l, write);
		return -EIO;
	}
	rc = mdb_txn_begin(l->env, NULL, write ? 0 : MDB_RDONLY, &txn);
	if (rc != 0) {
		lmdb_unlock(l, write);
		return lmdb_error(rc);
	}
	t = NEW(struct lmdb_txn);
	t->head = (struct backend_txn){ b, write };
	t->txn = txn;
	*ret_txn = &t->head;
	return 0;
}

/* lmdb_get - lends a stored value */
static int
lmdb_get(struct backend_txn *txn, struct slice key, struct slice *ret_value)
{
	struct lmdb_txn *t = (struct lmdb_txn *)txn;
	MDB_val	k = { key.len, (void *)(uintptr_t)key.data }, v;
	int	rc = mdb_get(t->txn, lmdb_of(txn->backend)->dbi, &k, &v);

	if (rc == 0)
		*ret_value = slice_over(v.mv_data, v.mv_size);
	return lmdb_error(rc);
}

/* add_zeros - make a file longer */
static int
add_zeros(int fd, uint64_t from, uint64_t to)
{
	static const char	zeros[ROOM_MIN];
	ssize_t			n;

	while (from < to) {
		n = pwrite(fd, zeros, (size_t)(to - from < sizeof(zeros) ?
		    to - from : sizeof(zeros)), (off_t)from);
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		from += (uint64_t)n;
	}
	return 0;
}

/* lmdb_put - head and value become one */
static int
lmdb_put(struct backend_txn *txn, struct slice key, struct slice head,
    struct slice value)
{
	struct lmdb_txn *t = (struct lmdb_txn *)txn;
	MDB_val	k = { key.len, (void *)(uintptr_t)key.data };
	MDB_val	v = { head.len + value.len, NULL };
	int	rc;

	rc = mdb_put(t->txn, lmdb_of(txn->backend)->dbi, &k, &v, MDB_RESERVE);
	if (rc > 0)	/* the disk: is it full, or broken? */
		return lmdb_file_written(lmdb_of(txn->backend)->env, rc);
	if (rc < 0)
		return lmdb_error(rc);
	memcpy(v.mv_data, head.data, head.len);
	if (value.len > 0)
		memcpy((char *)v.mv_data + head.len, value.data, value.len);
	return 0;
}

/* lmdb_del - remove a key */
static int
lmdb_del(struct backend_txn *txn, struct slice key)
{
	struct lmdb_txn *t = (struct lmdb_txn *)txn;
	MDB_val	k = { key.len, (void *)(uintptr_t)key.data };

	return lmdb_error(mdb_del(t->txn, lmdb_of(txn->backend)->dbi, &k,
	    NULL));
}

/* lmdb_range - a cursor with its bounds */
static int
lmdb_range(struct backend_txn *txn, struct slice first, struct slice end,
    bool reverse, struct backend_range **ret_range)
{
	struct lmdb_txn *t = (struct lmdb_txn *)txn;
	struct lmdb_range *r;
	MDB_cursor *c;
	int	rc;

	if (first.len > BACKEND_KEY_MAX || end.len > BACKEND_KEY_MAX)
		return -EINVAL;
	rc = mdb_cursor_open(t->txn, lmdb_of(txn->backend)->dbi, &c);
	if (rc != 0)
		return lmdb_error(rc);
	r = NEW(struct lmdb_range);
	r->head.txn = txn;
	r->cursor = c;
	r->reverse = reverse;
	r->first_len = first.len;
	r->end_len = end.len;
	if (first.len > 0)
		memcpy(r->first, first.data, first.len);
	if (end.len > 0)
		memcpy(r->end, end.data, end.len);
	*ret_range = &r->head;
	return 0;
}

/* lmdb_seek - put the cursor on the first record of the walk */
static int
lmdb_seek(struct lmdb_range *r, MDB_val *k, MDB_val *v)
{
	int	rc;

	if (r->reverse ? r->end_len == 0 : r->first_len == 0)
		return mdb_cursor_get(r->cursor, k, v,
		    r->reverse ? MDB_LAST : MDB_FIRST);
	*k = r->reverse ? (MDB_val){ r->end_len, r->end } :
	    (MDB_val){ r->first_len, r->first };
	rc = mdb_cursor_get(r->cursor, k, v, MDB_SET_RANGE);
	if (!r->reverse)
		return rc;
	/* the bound itself and what is above it is not in the range */
	return mdb_cursor_get(r->cursor, k, v,
	    rc == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
}

/* lmdb_next - step and look at the bound */
static int
lmdb_next(struct backend_range *range, struct slice *ret_key,
    struct slice *ret_value)
{
	struct lmdb_range *r = (struct lmdb_range *)range;
	struct slice key;
	MDB_val	k, v;
	int	rc;

	if (!r->begun)
		rc = lmdb_seek(r, &k, &v);
	else
		rc = mdb_cursor_get(r->cursor, &k, &v,
		    r->reverse ? MDB_PREV : MDB_NEXT);
	r->begun = true;
	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc != 0)
		return lmdb_error(rc);
	key = slice_over(k.mv_data, k.mv_size);
	if (r->reverse ?
	    slice_compare(key, slice_over(r->first, r->first_len)) < 0 :
	    r->end_len > 0 &&
	    slice_compare(key, slice_over(r->end, r->end_len)) >= 0)
		return 0;
	*ret_key = key;
	*ret_value = slice_over(v.mv_data, v.mv_size);
	return 1;
}

/* lmdb_range_end - close the cursor */
static void
lmdb_range_end(struct backend_range *range)
{
	struct lmdb_range *r = (struct lmdb_range *)range;

	mdb_cursor_close(r->cursor);
	free(r);
}

/*
 * make_room - have zeros behind the pages in use. Most commits then overwrite
 * what the file system has given the file already, and their flushes write
 * neither its size nor its map of blocks. It is no harm if there is no room:
 * a commit makes the file longer itself.
 */
static void
make_room(struct lmdb_backend *l)
{
	MDB_envinfo	info;
	MDB_stat	st;
	struct stat	file;
	struct statvfs	fs;
	uint64_t	used, room;
	int		fd;

	(void)mdb_env_info(l->env, &info);	/* these fail on NULL only */
	(void)mdb_env_stat(l->env, &st);
	used = (info.me_last_pgno + 1) * st.ms_psize;
	if (used + ROOM_LOW <= l->file_size ||
	    mdb_env_get_fd(l->env, &fd) != 0 || fstat(fd, &file) < 0)
		return;
	l->file_size = (uint64_t)file.st_size;
	room = used / 4 < ROOM_MIN ? ROOM_MIN :
	    used / 4 > ROOM_MAX ? ROOM_MAX : used / 4;
	if (used + ROOM_LOW <= l->file_size ||
	    used + room > l->map_size || fstatvfs(fd, &fs) < 0 ||
	    (uint64_t)fs.f_bavail * fs.f_frsize < ROOM_DISK)
		return;
	if (add_zeros(fd, l->file_size > used ? l->file_size : used,
	    used + room) == 0)
		l->file_size = used + room;
}

/* lmdb_commit - two flushes, then it is durable */
static int
lmdb_commit(struct backend_txn *txn)
{
	struct lmdb_backend *l = lmdb_of(txn->backend);
	bool	write = txn->is_write;
	int	rc = mdb_txn_commit(((struct lmdb_txn *)txn)->txn);
	int	r = rc > 0 ? lmdb_file_committed(l->env, rc) :
		    lmdb_error(rc);

	if (rc != 0)
		l->failed = true;
	if (rc == 0 && write) {
		l->commits++;
		l->flushes += FLUSHES_OF_COMMIT;
		make_room(l);
	}
	lmdb_unlock(l, write);
	free(txn);
	return r;
}

/* lmdb_abort - end without a trace */
static void
lmdb_abort(struct backend_txn *txn)
{
	mdb_txn_abort(((struct lmdb_txn *)txn)->txn);
	lmdb_unlock(lmdb_of(txn->backend), txn->is_write);
	free(txn);
}

/* lmdb_usage - pages of the file and pages in use */
static int
lmdb_usage(struct lmdb_backend *l, struct backend_stats *s)
{
	MDB_envinfo info;
	MDB_stat st, free_st;
	MDB_txn	*txn;
	uint64_t used;
	int	rc;

	rc = mdb_txn_begin(l->env, NULL, MDB_RDONLY, &txn);
	if (rc != 0)
		return lmdb_error(rc);
	(void)mdb_env_info(l->env, &info);	/* fails on NULL only */
	rc = mdb_stat(txn, l->dbi, &st);
	if (rc == 0)
		rc = mdb_stat(txn, 0, &free_st);
	mdb_txn_abort(txn);
	if (rc != 0)
		return lmdb_error(rc);
	used = st.ms_branch_pages + st.ms_leaf_pages + st.ms_overflow_pages +
	    free_st.ms_branch_pages + free_st.ms_leaf_pages +
	    free_st.ms_overflow_pages + 2;
	s->entries = st.ms_entries;
	s->bytes_total = (info.me_last_pgno + 1) * st.ms_psize;
	s->bytes_free = used > info.me_last_pgno + 1 ? 0 :
	    (info.me_last_pgno + 1 - used) * st.ms_psize;
	return 0;
}

/* lmdb_stats - for the account's statistics */
static int
lmdb_stats(struct backend *b, struct backend_stats *ret_stats)
{
	struct lmdb_backend *l = lmdb_of(b);
	struct backend_stats s = { 0 };
	int	r = -EIO;

	pthread_rwlock_rdlock(&l->swap);
	if (l->env != NULL)
		r = lmdb_usage(l, &s);
	pthread_rwlock_unlock(&l->swap);
	if (r < 0)
		return r;
	s.commits = l->commits;
	s.flushes = l->flushes;
	*ret_stats = s;
	return 0;
}

/* lmdb_copy - a durable copy without the unused pages */
static int
lmdb_copy(struct lmdb_backend *l)
{
	int	fd, r;

	fd = openat(l->dir, META_NEW, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600);
	if (fd < 0)
		return -errno;
	r = lmdb_error(mdb_env_copyfd2(l->env, fd, MDB_CP_COMPACT));
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

/* lmdb_swap - put the copy in place of the environment */
static int
lmdb_swap(struct lmdb_backend *l)
{
	int	r = 0;

	pthread_rwlock_wrlock(&l->swap);
	/* LMDB forbids to have one file open twice, so close comes first */
	mdb_env_close(l->env);
	l->env = NULL;
	if (renameat(l->dir, META_NEW, l->dir, META_NAME) < 0)
		r = -errno;
	if (r == 0)
		r = folder_sync(l->dir, ".");
	/* whichever file has the name now is whole */
	if (lmdb_open_env(l) < 0 && r == 0)
		r = -EIO;
	l->failed = l->env == NULL;
	pthread_rwlock_unlock(&l->swap);
	return r;
}

/* lmdb_compact - copy and swap if over half is unused */
static int
lmdb_compact(struct backend *b)
{
	struct lmdb_backend *l = lmdb_of(b);
	struct backend_stats s;
	int	r;

	pthread_mutex_lock(&l->writer);
	r = l->env == NULL || l->failed ? -EIO : lmdb_usage(l, &s);
	if (r < 0 || s.bytes_total < COMPACT_MIN ||
	    s.bytes_free <= s.bytes_total / 2)
		goto out;
	r = lmdb_copy(l);
	if (r == 0)
		r = lmdb_swap(l);
	if (r < 0)
		(void)unlinkat(l->dir, META_NEW, 0);	/* made anew next time */
	else
		r = 1;
out:
	pthread_mutex_unlock(&l->writer);
	return r;
}

static int
lmdb_pack_write(struct backend *b, uint32_t pack, uint64_t offset,
    struct slice bytes)
{
	return packfile_write(lmdb_of(b)->dir, pack, offset, bytes);
}

static int
lmdb_pack_sync(struct backend *b, uint32_t pack)
{
	lmdb_of(b)->flushes += FLUSHES_OF_PACK_SYNC;
	return packfile_sync(lmdb_of(b)->dir, pack);
}

static int
lmdb_pack_read(struct backend *b, uint32_t pack, uint64_t offset, void *bytes,
    size_t len)
{
	return packfile_read(lmdb_of(b)->dir, pack, offset, bytes, len);
}

static int
lmdb_pack_size(struct backend *b, uint32_t pack, uint64_t *ret_size)
{
	return packfile_size(lmdb_of(b)->dir, pack, ret_size);
}

static int
lmdb_pack_remove(struct backend *b, uint32_t pack)
{
	return packfile_remove(lmdb_of(b)->dir, pack);
}

static int
lmdb_pack_next(struct backend *b, uint32_t from, uint32_t *ret_pack)
{
	return packfile_next(lmdb_of(b)->dir, from, ret_pack);
}

/* lmdb_close - release everything */
static void
lmdb_close(struct backend *b)
{
	struct lmdb_backend *l = lmdb_of(b);

	if (l->env != NULL)
		mdb_env_close(l->env);
	fileio_close(&l->dir);
	pthread_mutex_destroy(&l->writer);
	pthread_rwlock_destroy(&l->swap);
	free(l->path);
	free(l);
}

static const struct backend_ops lmdb_ops = {
	.name = "lmdb",
	.begin = lmdb_begin,
	.get = lmdb_get,
	.put = lmdb_put,
	.del = lmdb_del,
	.range = lmdb_range,
	.next = lmdb_next,
	.range_end = lmdb_range_end,
	.commit = lmdb_commit,
	.abort = lmdb_abort,
	.compact = lmdb_compact,
	.stats = lmdb_stats,
	.pack_write = lmdb_pack_write,
	.pack_sync = lmdb_pack_sync,
	.pack_read = lmdb_pack_read,
	.pack_size = lmdb_pack_size,
	.pack_remove = lmdb_pack_remove,
	.pack_next = lmdb_pack_next,
	.close = lmdb_close,
};

/* lmdb_open_folder - the folder, its pack/, and the environment */
static int
lmdb_open_folder(struct lmdb_backend *l, const char *folder)
{
	struct stat st;
	bool	is_new;
	int	r;

	if ((r = lmdb_file_check(l->path)) < 0)
		return r;
	l->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->dir < 0)
		return -errno;
	/* left by a compaction that was cut short; never the only copy */
	if (unlinkat(l->dir, META_NEW, 0) < 0 && errno != ENOENT)
		return -errno;
	if ((r = fileio_make_folder(l->dir, "pack")) < 0)
		return r;
	is_new = fstatat(l->dir, META_NAME, &st, 0) < 0;
	if (is_new && (r = lmdb_file_make(l->path, 0600)) < 0)
		return r;
	if ((r = lmdb_open_env(l)) < 0)
		return r;
	return is_new ? folder_sync(l->dir, ".") : 0;
}

/* backend_lmdb_open - an environment in an account's folder */
int
backend_lmdb_open(const char *folder, uint64_t map_size,
    struct backend **ret_backend)
{
	struct lmdb_backend *l;
	struct backend *b;
	struct buf path = BUF_INIT;
	int	r;

	buf_addf(&path, "%s/%s", folder, META_NAME);
	l = NEW(struct lmdb_backend);
	l->head.ops = &lmdb_ops;
	l->dir = -1;
	l->path = buf_take_text(&path);
	l->map_size = map_size == 0 ? MAP_SIZE_DEFAULT : map_size;
	pthread_mutex_init(&l->writer, NULL);
	pthread_rwlock_init(&l->swap, NULL);
	b = &l->head;
	r = lmdb_open_folder(l, folder);
	if (r == 0)
		*ret_backend = b;
	else
		backend_close(&b);
	return r;
}
