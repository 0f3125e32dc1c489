/* SPDX-License-Identifier: ISC */
/*
 * lmdb: one LMDB file name.lmdb as Postfix writes it: without a lock file, its
 * own locks on the file instead (fcntl). Ours are bound to the descriptor
 * (F_OFD_SETLKW), so that closing another map of the same file in this
 * process does not end them; they exclude Postfix's all the same.
 *
 * The library maps the file, so one that is cut off in place by something that
 * takes no lock (cp, truncate) would end the process. Its length is compared
 * before each lookup; what is left is a cut during one.
 */
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libglobal/lmdb_file.h"
#include "libglobal/map.h"
#include "libglobal/map_builder.h"
#include "libglobal/map_impl.h"
#include "libutil/alloc.h"
#include "libutil/buf.h"

#define LMDB_FLAGS	(MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS)
#define LMDB_KEY_MAX	511		/* the library's; with the NUL */
#define BUILD_MAP_SIZE	((size_t)256 << 20)

struct lmdb_table {
	pthread_mutex_t	 lock;		/* over the file's lock and nul */
	MDB_env		*env;
	MDB_dbi		 dbi;
	enum map_nul	 nul;
};

/* to_errno - the library's errors: above 0 they are errno's, below its own */
static int
to_errno(int r)
{
	if (r == 0)
		return 0;
	return r > 0 ? -r : r == MDB_NOTFOUND ? -ENOENT :
	    r == MDB_KEYEXIST ? -EEXIST : r == MDB_MAP_FULL ? -EFBIG :
	    r == MDB_BAD_VALSIZE ? -ENAMETOOLONG :
	    r == MDB_INVALID || r == MDB_VERSION_MISMATCH ? -EINVAL : -EIO;
}

/* file_lock - take or release the lock that Postfix takes */
static int
file_lock(MDB_env *env, short kind)
{
	struct flock lock = { .l_type = kind, .l_whence = SEEK_SET };
	int fd, r;

	if ((r = to_errno(mdb_env_get_fd(env, &fd))) < 0)
		return r;
	return fcntl(fd, F_OFD_SETLKW, &lock) < 0 ? -errno : 0;
}

/* fill - a value over bytes */
static MDB_val
fill(struct slice s)
{
	return (MDB_val){ s.len, (void *)(uintptr_t)s.data };
}

/* bytes_of - what a value holds */
static struct slice
bytes_of(const MDB_val *v)
{
	return slice_over(v->mv_data, v->mv_size);
}

/* begin - a read transaction under the file's lock */
static int
begin(struct lmdb_table *lt, MDB_txn **ret_txn)
{
	int r;

	(void)pthread_mutex_lock(&lt->lock);
	if ((r = file_lock(lt->env, F_RDLCK)) < 0)
		goto out;
	if ((r = lmdb_file_whole(lt->env)) < 0)
		goto unlock;
	r = mdb_txn_begin(lt->env, NULL, MDB_RDONLY, ret_txn);
	if (r == MDB_MAP_RESIZED) {
		(void)mdb_env_set_mapsize(lt->env, 0);
		r = mdb_txn_begin(lt->env, NULL, MDB_RDONLY, ret_txn);
	}
	r = to_errno(r);
unlock:
	if (r < 0)
		(void)file_lock(lt->env, F_UNLCK);
out:
	if (r < 0)
		(void)pthread_mutex_unlock(&lt->lock);
	return r;
}

/* end - of a read transaction */
static void
end(struct lmdb_table *lt, MDB_txn *txn)
{
	mdb_txn_abort(txn);
	(void)file_lock(lt->env, F_UNLCK);
	(void)pthread_mutex_unlock(&lt->lock);
}

struct looking {
	struct lmdb_table	*table;
	MDB_txn			*txn;
};

/* find - look bytes up */
static int
find(void *arg, struct slice bytes, struct buf *value)
{
	const struct looking *l = arg;
	MDB_val k = fill(bytes), v;
	int r = -ENOENT;

	if (k.mv_size > 0 && k.mv_size <= LMDB_KEY_MAX)
		r = to_errno(mdb_get(l->txn, l->table->dbi, &k, &v));
	if (r == 0)
		buf_add(value, map_built_text(bytes_of(&v)));
	return r;
}

/* lmdb_get - look one key up */
static int
lmdb_get(struct map_table *t, struct slice key, struct buf *value)
{
	struct looking l = { t->state, NULL };
	int r;

	if ((r = begin(l.table, &l.txn)) < 0)
		return r == -ENOENT ? -EIO : r;
	r = map_built_get(&l.table->nul, key, find, &l, value);
	end(l.table, l.txn);
	return r;
}

/* next - the next entry */
static int
next(void *arg, struct slice *ret_key, struct slice *ret_value)
{
	MDB_val k = { 0, NULL }, v = { 0, NULL };
	int r = to_errno(mdb_cursor_get(arg, &k, &v, MDB_NEXT));

	*ret_key = bytes_of(&k);
	*ret_value = bytes_of(&v);
	return r;
}

/* lmdb_each - walk all keys */
static int
lmdb_each(struct map_table *t, map_each_fn *each, void *arg)
{
	struct lmdb_table *lt = t->state;
	MDB_cursor *cursor;
	MDB_txn *txn;
	int r;

	if ((r = begin(lt, &txn)) < 0)
		return r;
	if ((r = to_errno(mdb_cursor_open(txn, lt->dbi, &cursor))) == 0) {
		r = map_built_each(next, cursor, each, arg);
		mdb_cursor_close(cursor);
	}
	end(lt, txn);
	return r;
}

/* lmdb_close - release the environment */
static void
lmdb_close(struct map_table *t)
{
	struct lmdb_table *lt = t->state;

	if (lt->env != NULL)
		mdb_env_close(lt->env);
	(void)pthread_mutex_destroy(&lt->lock);
	free(lt);
}

/* open_file - the environment and its only database */
static int
open_file(struct lmdb_table *lt, const char *path, struct stat *ret_st)
{
	MDB_txn *txn;
	int fd, r;

	if (lmdb_file_check(path) < 0)
		return -EINVAL;
	if ((r = to_errno(mdb_env_create(&lt->env))) < 0)
		return r;
	if ((r = to_errno(mdb_env_open(lt->env, path, LMDB_FLAGS | MDB_RDONLY,
	    0))) < 0)
		return r;
	if ((r = to_errno(mdb_env_get_fd(lt->env, &fd))) < 0)
		return r;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fstat(fd, ret_st) < 0)
		return -errno;
	if ((r = begin(lt, &txn)) < 0)
		return r;
	r = to_errno(mdb_dbi_open(txn, NULL, 0, &lt->dbi));
	end(lt, txn);
	return r;
}

/* map_open_lmdb - lmdb:/file */
int
map_open_lmdb(struct map_table *t, const struct map_args *args, struct diag *d)
{
	static const struct map_table_ops ops = {
		lmdb_get, lmdb_each, NULL, lmdb_close
	};
	struct lmdb_table *lt = NEW(struct lmdb_table);
	struct buf path = BUF_INIT;
	struct stat st;
	int r;

	(void)pthread_mutex_init(&lt->lock, NULL);
	t->state = lt;
	t->ops = &ops;
	r = map_built_path(args, &path, d);
	if (r == 0 && (r = open_file(lt, buf_cstr(&path), &st)) < 0)
		r = map_built_error(d, args, buf_cstr(&path), r);
	if (r == 0) {
		map_watch(t, buf_cstr(&path), &st);
		map_note_age(t, args, &st);
	}
	buf_free(&path);
	return r;
}

/* --- writing */
struct lmdb_builder {
	MDB_env		*env;
	MDB_txn		*txn;
	MDB_dbi		 dbi;
	bool		 no_nul;
	struct buf	 key;
	struct buf	 value;
};

/* build_abort - release the environment; what was written is of no use */
static void
build_abort(void *state)
{
	struct lmdb_builder *b = state;

	if (b->txn != NULL)
		mdb_txn_abort(b->txn);
	if (b->env != NULL)
		mdb_env_close(b->env);
	buf_free(&b->key);
	buf_free(&b->value);
	free(b);
}

/* create_file - empty, and surely new: the library would open any file */
static int
create_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);

	if (fd < 0)
		return -errno;
	return close(fd) < 0 ? -errno : 0;
}

/* build_begin - a new file and the one transaction that fills it */
static int
build_begin(const struct map_type *type, const char *path, size_t size,
    bool no_nul, void **ret_state)
{
	struct lmdb_builder *b = NEW(struct lmdb_builder);
	int r;

	(void)type;
	b->no_nul = no_nul;
	/* address space only: the file is as long as what is in it. It is
	 * flushed once, by who renames it: nobody reads it before */
	if ((r = create_file(path)) < 0 ||
	    (r = to_errno(mdb_env_create(&b->env))) < 0 ||
	    (r = to_errno(mdb_env_set_mapsize(b->env,
	    BUILD_MAP_SIZE + 16 * size))) < 0 ||
	    (r = to_errno(mdb_env_open(b->env, path, LMDB_FLAGS | MDB_NOSYNC,
	    0600))) < 0 ||
	    (r = to_errno(mdb_txn_begin(b->env, NULL, 0, &b->txn))) < 0)
		goto out;
	r = to_errno(mdb_dbi_open(b->txn, NULL, 0, &b->dbi));
out:
	if (r < 0)
		build_abort(b);
	else
		*ret_state = b;
	return r;
}

/* build_put - one key and its text */
static int
build_put(void *state, struct slice key, struct slice value, bool overwrite)
{
	struct lmdb_builder *b = state;
	MDB_val k = fill(map_built_bytes(key, !b->no_nul, &b->key));
	MDB_val v = fill(map_built_bytes(value, !b->no_nul, &b->value));

	return to_errno(mdb_put(b->txn, b->dbi, &k, &v,
	    overwrite ? 0 : MDB_NOOVERWRITE));
}

/* build_del - take a key out */
static int
build_del(void *state, struct slice key)
{
	struct lmdb_builder *b = state;
	MDB_val k = fill(map_built_bytes(key, !b->no_nul, &b->key));

	if (k.mv_size > LMDB_KEY_MAX)
		return -ENOENT;
	return to_errno(mdb_del(b->txn, b->dbi, &k, NULL));
}

/* build_finish - commit and close */
static int
build_finish(void *state)
{
	struct lmdb_builder *b = state;
	int r = to_errno(mdb_txn_commit(b->txn));

	b->txn = NULL;
	build_abort(b);
	return r;
}

const struct map_builder_ops map_builder_lmdb = {
	build_begin, build_put, build_del, build_finish, build_abort
};
