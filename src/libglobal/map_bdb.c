/* SPDX-License-Identifier: ISC */
/*
 * The module of hash and btree: Berkeley DB files as Postfix writes them.
 *
 * The library reads a file DB_CONFIG from its home folder, and without one
 * from the current folder, which may be anybody's (CVE-2017-10140). So every
 * environment has a home where no such file can ever be: a folder of the
 * kernel's.
 *
 * Postfix locks the file while it writes in place, so lookups hold its lock
 * (flock) as well.
 *
 * A file that was cut off in place would be a fault where the library maps it,
 * so it must not; and what it cannot read of a hash it takes for empty, so the
 * length is compared before each lookup.
 */
#include <db.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libglobal/map.h"
#include "libglobal/map_builder.h"
#include "libglobal/map_impl.h"
#include "libglobal/map_module.h"
#include "libutil/alloc.h"
#include "libutil/buf.h"

#define NO_CONFIG_HOME	"/proc/self"
#define BUILD_CACHE	((uint32_t)8 << 20)
#define BUILD_ELEMENTS	4096
/* the first page of every file (db_page.h, DBMETA) */
#define HEAD_PAGE_SIZE	20
#define HEAD_LAST_PAGE	32
#define HEAD_SIZE	36

struct db_table {
	pthread_mutex_t	 lock;		/* over the handle and nul */
	DB_ENV		*env;
	DB		*db;
	int		 fd;		/* for Postfix's lock, and the length */
	off_t		 length;	/* that the file must have */
	enum map_nul	 nul;
};

/* to_errno - the library's errors: above 0 they are errno's, below its own */
static int
to_errno(int r)
{
	if (r == 0)
		return 0;
	return r > 0 ? -r : r == DB_NOTFOUND ? -ENOENT :
	    r == DB_KEYEXIST ? -EEXIST : -EIO;
}

/* say_nothing - the library would write to standard error */
static void
say_nothing(const DB_ENV *env, const char *prefix, const char *text)
{
	(void)env;
	(void)prefix;
	(void)text;
}

/* open_env - an environment in this process's memory */
static int
open_env(DB_ENV **ret_env, uint32_t cache)
{
	DB_ENV *env;
	int r;

	if ((r = db_env_create(&env, 0)) != 0)
		return to_errno(r);
	env->set_errcall(env, say_nothing);
	if ((cache == 0 || (r = env->set_cachesize(env, 0, cache, 0)) == 0) &&
	    (r = env->open(env, NO_CONFIG_HOME,
	    DB_CREATE | DB_PRIVATE | DB_INIT_MPOOL, 0600)) == 0) {
		*ret_env = env;
		return 0;
	}
	(void)env->close(env, 0);	/* was not open */
	return to_errno(r);
}

/* fill - a DBT over bytes */
static DBT
fill(struct slice s)
{
	return (DBT){ .data = (void *)(uintptr_t)s.data,
	    .size = (uint32_t)s.len };
}

/* bytes_of - what a DBT holds */
static struct slice
bytes_of(const DBT *dbt)
{
	return slice_over(dbt->data, dbt->size);
}

/* find - look bytes up */
static int
find(void *arg, struct slice bytes, struct buf *value)
{
	struct db_table *dt = arg;
	DBT k = fill(bytes), v = { 0 };
	int r = dt->db->get(dt->db, NULL, &k, &v, 0);

	if (r == 0)
		buf_add(value, map_built_text(bytes_of(&v)));
	return to_errno(r);
}

/* begin - take the locks; -EUCLEAN: the file is cut short. end follows */
static int
begin(struct db_table *dt)
{
	struct stat st;

	(void)pthread_mutex_lock(&dt->lock);
	(void)flock(dt->fd, LOCK_SH);
	if (fstat(dt->fd, &st) < 0)
		return -errno;
	return st.st_size < dt->length ? -EUCLEAN : 0;
}

/* end - release the locks */
static void
end(struct db_table *dt)
{
	(void)flock(dt->fd, LOCK_UN);
	(void)pthread_mutex_unlock(&dt->lock);
}

/* db_get - look one key up */
static int
db_get(struct map_table *t, struct slice key, struct buf *value)
{
	struct db_table *dt = t->state;
	int r = begin(dt);

	if (r == 0)
		r = map_built_get(&dt->nul, key, find, dt, value);
	end(dt);
	return r;
}

/* next - the next entry */
static int
next(void *arg, struct slice *ret_key, struct slice *ret_value)
{
	DBC *cursor = arg;
	DBT k = { 0 }, v = { 0 };
	int r = to_errno(cursor->get(cursor, &k, &v, DB_NEXT));

	*ret_key = bytes_of(&k);
	*ret_value = bytes_of(&v);
	return r;
}

/* db_each - walk all keys */
static int
db_each(struct map_table *t, map_each_fn *each, void *arg)
{
	struct db_table *dt = t->state;
	DBC *cursor = NULL;
	int r = begin(dt);

	if (r == 0 &&
	    (r = to_errno(dt->db->cursor(dt->db, NULL, &cursor, 0))) == 0) {
		r = map_built_each(next, cursor, each, arg);
		(void)cursor->close(cursor);	/* only read */
	}
	end(dt);
	return r;
}

/* db_close - release the handles */
static void
db_close(struct map_table *t)
{
	struct db_table *dt = t->state;

	if (dt->db != NULL)
		(void)dt->db->close(dt->db, DB_NOSYNC);	/* only read */
	if (dt->env != NULL)
		(void)dt->env->close(dt->env, 0);
	if (dt->fd >= 0)
		(void)close(dt->fd);
	(void)pthread_mutex_destroy(&dt->lock);
	free(dt);
}

/* number_at - of the head; the library swaps what another machine wrote */
static uint32_t
number_at(const unsigned char *head, size_t at, bool swapped)
{
	uint32_t n;

	memcpy(&n, head + at, sizeof(n));
	return swapped ? __builtin_bswap32(n) : n;
}

/* find_length - how long the head of an open file says that it is */
static int
find_length(struct db_table *dt, const struct stat *st)
{
	unsigned char head[HEAD_SIZE];
	uint32_t page_size;
	ssize_t n = pread(dt->fd, head, sizeof(head), 0);
	int swapped, r;

	if (n < 0)
		return -errno;
	if (n < (ssize_t)sizeof(head))
		return -EUCLEAN;
	if ((r = to_errno(dt->db->get_byteswapped(dt->db, &swapped))) < 0)
		return r;
	page_size = number_at(head, HEAD_PAGE_SIZE, swapped != 0);
	dt->length = ((off_t)number_at(head, HEAD_LAST_PAGE, swapped != 0) +
	    1) * page_size;
	return st->st_size < dt->length ? -EUCLEAN : 0;
}

/* open_files - the lock's descriptor, then the library's */
static int
open_files(struct db_table *dt, const char *path, struct stat *ret_st)
{
	int r;

	if ((dt->fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return -errno;
	(void)flock(dt->fd, LOCK_SH);
	if (fstat(dt->fd, ret_st) < 0)
		return -errno;
	if ((r = open_env(&dt->env, 0)) == 0 &&
	    (r = to_errno(db_create(&dt->db, dt->env, 0))) == 0)
		r = to_errno(dt->db->open(dt->db, NULL, path, NULL, DB_UNKNOWN,
		    DB_RDONLY | DB_NOMMAP, 0));
	if (r == 0)
		r = find_length(dt, ret_st);
	(void)flock(dt->fd, LOCK_UN);
	return r;
}

/* bdb_open - hash:/file, btree:/file */
static int
bdb_open(struct map_table *t, const struct map_args *args, struct diag *d)
{
	static const struct map_table_ops ops = {
		db_get, db_each, NULL, db_close
	};
	struct db_table *dt = NEW(struct db_table);
	struct buf path = BUF_INIT;
	struct stat st;
	int r;

	(void)pthread_mutex_init(&dt->lock, NULL);
	dt->fd = -1;
	t->state = dt;
	t->ops = &ops;
	/* the library would take a relative name from its home */
	r = map_built_path(args, &path, d);
	if (r == 0 && (r = open_files(dt, buf_cstr(&path), &st)) < 0)
		r = map_built_error(d, args, buf_cstr(&path), r);
	if (r == 0) {
		map_watch(t, buf_cstr(&path), &st);
		map_note_age(t, args, &st);
	}
	buf_free(&path);
	return r;
}

/* --- writing */
struct db_builder {
	DB_ENV		*env;
	DB		*db;
	bool		 no_nul;
	struct buf	 key;
	struct buf	 value;
};

/* build_abort - release the handles; what was written is of no use */
static void
build_abort(void *state)
{
	struct db_builder *b = state;

	if (b->db != NULL)
		(void)b->db->close(b->db, DB_NOSYNC);
	if (b->env != NULL)
		(void)b->env->close(b->env, 0);
	buf_free(&b->key);
	buf_free(&b->value);
	free(b);
}

/* build_begin - a new file */
static int
build_begin(const struct map_type *type, const char *path, size_t size,
    bool no_nul, void **ret_state)
{
	bool is_hash = strcmp(type->name, "hash") == 0;
	struct db_builder *b = NEW(struct db_builder);
	int r;

	(void)size;
	b->no_nul = no_nul;
	if ((r = open_env(&b->env, BUILD_CACHE)) < 0 ||
	    (r = to_errno(db_create(&b->db, b->env, 0))) < 0)
		goto out;
	if (is_hash)
		(void)b->db->set_h_nelem(b->db, BUILD_ELEMENTS);
	r = to_errno(b->db->open(b->db, NULL, path, NULL,
	    is_hash ? DB_HASH : DB_BTREE, DB_CREATE | DB_EXCL, 0600));
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
	struct db_builder *b = state;
	DBT k, v;

	if (value.len >= UINT32_MAX)
		return -EFBIG;
	k = fill(map_built_bytes(key, !b->no_nul, &b->key));
	v = fill(map_built_bytes(value, !b->no_nul, &b->value));
	return to_errno(b->db->put(b->db, NULL, &k, &v,
	    overwrite ? 0 : DB_NOOVERWRITE));
}

/* build_del - take a key out */
static int
build_del(void *state, struct slice key)
{
	struct db_builder *b = state;
	DBT k = fill(map_built_bytes(key, !b->no_nul, &b->key));

	return to_errno(b->db->del(b->db, NULL, &k, 0));
}

/* build_finish - write and close */
static int
build_finish(void *state)
{
	struct db_builder *b = state;
	int r = to_errno(b->db->close(b->db, 0));

	b->db = NULL;
	build_abort(b);
	return r;
}

static const struct map_builder_ops builder = {
	build_begin, build_put, build_del, build_finish, build_abort
};

MAP_MODULE_EXPORT = { MAP_MODULE_VERSION, bdb_open, &builder };
