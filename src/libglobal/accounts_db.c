/* SPDX-License-Identifier: ISC */
/*
 * That one process has the file is proved by a lock on its folder (flock): a
 * tool finds out whether authd runs, and while it does not may read without
 * LMDB's own lock file, which so is not left behind for authd by root.
 */
#include "libglobal/accounts_db.h"

#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "libglobal/lmdb_file.h"
#include "libglobal/slot_io.h"
#include "libtask/folder.h"
#include "libutil/alloc.h"
#include "libutil/crc32c.h"
#include "libutil/cursor.h"
#include "libutil/diag.h"

#define FILE_MODE	0600
#define LOCK_FILE	ACCOUNTS_FILE "-lock"
#define FORMAT_VERSION	1
#define MAP_SIZE	((size_t)(SIZE_MAX > UINT32_MAX ? (uint64_t)8 << 30 : \
			    (uint64_t)512 << 20))
#define CHECKSUM_SIZE	4
#define VALUE_MAX	((size_t)ACCOUNTS_TEXT_MAX + 4096)

struct accounts {
	MDB_env	*env;
	MDB_dbi	 dbi;
	int	 folder;	/* locked */
};

/* --- keys */

/* key_add - more bytes of a key */
static int
key_add(struct accounts_key *k, struct slice s)
{
	if (s.len > sizeof(k->bytes) - k->len)
		return -ENOENT;
	if (s.len > 0)
		memcpy(k->bytes + k->len, s.data, s.len);
	k->len += s.len;
	return 0;
}

/* accounts_key_plain - the kind and a name */
int
accounts_key_plain(struct accounts_key *k, enum accounts_space space,
    struct slice name)
{
	char	byte = (char)space;

	k->len = 0;
	ignore(key_add(k, slice_over(&byte, 1)));	/* there is room */
	return key_add(k, name);
}

/* accounts_key_address - the domain first: its addresses stand together */
int
accounts_key_address(struct accounts_key *k, enum accounts_space space,
    struct slice address)
{
	size_t	at = slice_find_last(address, '@');
	int	r;

	if (at == SLICE_NONE)
		return -ENOENT;
	r = accounts_key_plain(k, space, slice_from(address, at + 1));
	if (r < 0 ||
	    (r = key_add(k, slice_over("", 1))) < 0)
		return r;
	return key_add(k, slice_sub(address, 0, at));
}

/* accounts_key_to_address - the way back */
int
accounts_key_to_address(struct slice key, struct arena *arena,
    struct slice *ret_address)
{
	size_t		nul;

	key = slice_from(key, 1);
	if ((nul = slice_find(key, '\0')) == SLICE_NONE)
		return -EBADMSG;
	*ret_address = arena_printf(arena, "%.*s@%.*s",
	    SLICE_ARG(slice_from(key, nul + 1)),
	    SLICE_ARG(slice_sub(key, 0, nul)));
	return 0;
}

/* --- transactions */

/* accounts_begin - begin a transaction */
int
accounts_begin(struct accounts *a, bool write, struct accounts_txn *ret_txn)
{
	struct accounts_txn	txn = { .dbi = a->dbi };
	int			r;

	r = mdb_txn_begin(a->env, NULL, write ? 0 : MDB_RDONLY, &txn.lmdb);
	if (r != 0)
		return lmdb_errno(r);
	*ret_txn = txn;
	return 0;
}

/* close_cursor - before its transaction ends */
static void
close_cursor(struct accounts_txn *txn)
{
	if (txn->cursor != NULL)
		mdb_cursor_close(txn->cursor);
	txn->cursor = NULL;
}

/* accounts_commit - end durably */
int
accounts_commit(struct accounts_txn *txn)
{
	MDB_txn	*lmdb = txn->lmdb;
	MDB_env	*env = mdb_txn_env(lmdb);

	close_cursor(txn);
	txn->lmdb = NULL;
	return lmdb_file_committed(env, mdb_txn_commit(lmdb));
}

/* accounts_abort - end without a change */
void
accounts_abort(struct accounts_txn *txn)
{
	close_cursor(txn);
	if (txn->lmdb != NULL)
		mdb_txn_abort(txn->lmdb);
	txn->lmdb = NULL;
}

/* checksum - of a key and its value */
static uint32_t
checksum(struct slice key, struct slice value)
{
	return crc32c_add(crc32c(key), value);
}

/* opened - a stored value without its checksum, which must fit */
static int
opened(struct accounts_txn *txn, struct slice key, const MDB_val *v,
    struct slice *ret_value)
{
	struct slice	all = slice_over(v->mv_data, v->mv_size), value;
	struct cursor	c;
	uint32_t	sum;

	txn->damaged = key;
	if (all.len < CHECKSUM_SIZE)
		return -EBADMSG;
	value = slice_sub(all, 0, all.len - CHECKSUM_SIZE);
	c = cursor_over(slice_from(all, value.len));
	if (cursor_le32(&c, &sum) < 0 || sum != checksum(key, value))
		return -EBADMSG;
	*ret_value = value;
	return 0;
}

/* accounts_get - the value under a key */
int
accounts_get(struct accounts_txn *txn, const struct accounts_key *key,
    struct slice *ret_value)
{
	MDB_val	k = lmdb_val(accounts_key_slice(key)), v;
	int	r;

	if ((r = mdb_get(txn->lmdb, txn->dbi, &k, &v)) != 0)
		return lmdb_errno(r);
	return opened(txn, accounts_key_slice(key), &v, ret_value);
}

/* accounts_put - put or replace a value */
int
accounts_put(struct accounts_txn *txn, const struct accounts_key *key,
    struct slice value)
{
	struct buf	b = BUF_INIT_MAX(VALUE_MAX);
	MDB_val		k = lmdb_val(accounts_key_slice(key)), v;
	int		r;

	buf_add(&b, value);
	buf_add_le32(&b, checksum(accounts_key_slice(key), value));
	if ((r = buf_check(&b)) == 0) {
		v = lmdb_val(buf_slice(&b));
		r = lmdb_errno(mdb_put(txn->lmdb, txn->dbi, &k, &v, 0));
	}
	buf_free(&b);
	return r;
}

/* accounts_del - remove a key; -ENOENT if it is not there */
int
accounts_del(struct accounts_txn *txn, const struct accounts_key *key)
{
	MDB_val	k = lmdb_val(accounts_key_slice(key));

	return lmdb_errno(mdb_del(txn->lmdb, txn->dbi, &k, NULL));
}

/* move - take the cursor somewhere */
static int
move(struct accounts_txn *txn, MDB_val *k, MDB_cursor_op op,
    struct slice *ret_key, struct slice *ret_value)
{
	MDB_val	v;
	int	r;

	if ((r = mdb_cursor_get(txn->cursor, k, &v, op)) != 0)
		return lmdb_errno(r);
	*ret_key = slice_over(k->mv_data, k->mv_size);
	return opened(txn, *ret_key, &v, ret_value);
}

/* accounts_seek - the first record from here on */
int
accounts_seek(struct accounts_txn *txn, struct slice from,
    struct slice *ret_key, struct slice *ret_value)
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

/* accounts_next - the record behind the last one told */
int
accounts_next(struct accounts_txn *txn, struct slice *ret_key,
    struct slice *ret_value)
{
	MDB_val	k;

	return move(txn, &k, MDB_NEXT, ret_key, ret_value);
}

#define LOAD(record, space, make_key) \
/* load it, and decode it */ \
int \
accounts_load_##record(struct accounts_txn *txn, struct slice name, \
    struct accounts_##record *ret_record) \
{ \
	struct accounts_key	key; \
	struct slice		value; \
	int			r; \
	\
	if ((r = make_key(&key, space, name)) < 0 || \
	    (r = accounts_get(txn, &key, &value)) < 0) \
		return r; \
	return accounts_##record##_decode(value, ret_record); \
} \
\
/* encode it, and store it */ \
int \
accounts_store_##record(struct accounts_txn *txn, struct slice name, \
    const struct accounts_##record *r) \
{ \
	struct accounts_key	key; \
	struct buf		value = BUF_INIT_MAX(VALUE_MAX); \
	int			e; \
	\
	accounts_##record##_encode(&value, r); \
	if ((e = make_key(&key, space, name)) == 0 && \
	    (e = buf_check(&value)) == 0) \
		e = accounts_put(txn, &key, buf_slice(&value)); \
	buf_free(&value); \
	return e; \
}
LOAD(domain, SPACE_DOMAIN, accounts_key_plain)
LOAD(account, SPACE_ACCOUNT, accounts_key_plain)
LOAD(login, SPACE_LOGIN, accounts_key_address)
LOAD(alias, SPACE_ALIAS, accounts_key_address)
LOAD(group, SPACE_GROUP, accounts_key_address)
LOAD(shared, SPACE_SHARED, accounts_key_plain)
LOAD(gone, SPACE_GONE, accounts_key_plain)

/* --- opening */

/* lock - be the only writer, or one of the readers while there is none */
static int
lock(const char *folder, enum accounts_mode mode, int *ret_fd)
{
	int	how = mode == ACCOUNTS_WRITE ? LOCK_EX : LOCK_SH;
	int	fd, r;

	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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

/* give - a file that root made belongs to whom the folder belongs */
static int
give(int folder, const char *name)
{
	struct stat	dir, file;

	if (geteuid() != 0 || fstat(folder, &dir) < 0 || dir.st_uid == 0)
		return 0;
	if (fstatat(folder, name, &file, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (file.st_uid != 0)
		return 0;
	return fchownat(folder, name, dir.st_uid, dir.st_gid,
	    AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

/*
 * mend_size - a file that was cut off would be a fault on access, not an
 * error; with zeros in its place LMDB finds pages that are none and says so
 */
static int
mend_size(struct accounts *a)
{
	MDB_envinfo	info;
	MDB_stat	st;
	struct stat	file;
	uint64_t	want;
	int		fd, r = 0;

	if (mdb_env_info(a->env, &info) != 0 || mdb_env_stat(a->env, &st) != 0)
		return -EIO;
	want = ((uint64_t)info.me_last_pgno + 1) * st.ms_psize;
	if (fstatat(a->folder, ACCOUNTS_FILE, &file, 0) < 0)
		return -errno;
	if ((uint64_t)file.st_size >= want)
		return 0;
	fd = openat(a->folder, ACCOUNTS_FILE,
	    O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)want) < 0)
		r = -errno;
	close(fd);
	return r;
}

/* set_format - the first record of a new database, or a check of it */
static int
set_format(struct accounts_txn *txn, bool write)
{
	struct accounts_format	f = { FORMAT_VERSION, time(NULL) };
	struct accounts_key	key;
	struct buf		b = BUF_INIT;
	struct slice		value;
	int			r;

	ignore(accounts_key_plain(&key, SPACE_FORMAT, SLICE_EMPTY));
	r = accounts_get(txn, &key, &value);
	if (r == -ENOENT && write) {
		accounts_format_encode(&b, &f);
		r = accounts_put(txn, &key, buf_slice(&b));
		buf_free(&b);
		return r;
	}
	if (r == 0 && (r = accounts_format_decode(value, &f)) == 0 &&
	    f.version != FORMAT_VERSION)
		r = -EPROTONOSUPPORT;
	return r;
}

/* env_open - the environment in the locked folder */
static int
env_open(struct accounts *a, const char *folder, bool write)
{
	char			*path;
	struct accounts_txn	 txn = { .lmdb = NULL };
	unsigned		 flags = MDB_NOSUBDIR | MDB_NOTLS;
	int			 r;

	if (!write)
		flags |= MDB_RDONLY | MDB_NOLOCK;
	if (asprintf(&path, "%s/" ACCOUNTS_FILE, folder) < 0)
		return -ENOMEM;
	r = lmdb_file_check(path);
	if (r == 0 && write)
		r = lmdb_file_make(path, FILE_MODE);
	if (r < 0) {
		free(path);
		return r == -EUCLEAN ? -EBADMSG : r;
	}
	if ((r = mdb_env_create(&a->env)) == 0 &&
	    (r = mdb_env_set_mapsize(a->env, MAP_SIZE)) == 0)
		r = mdb_env_open(a->env, path, flags, FILE_MODE);
	free(path);
	if (r != 0)
		return lmdb_errno(r);
	if ((r = mend_size(a)) < 0 ||
	    (r = accounts_begin(a, write, &txn)) < 0)
		return r;
	r = lmdb_errno(mdb_dbi_open(txn.lmdb, NULL, 0, &a->dbi));
	txn.dbi = a->dbi;
	if (r == 0 && (r = set_format(&txn, write)) == 0)
		r = accounts_commit(&txn);
	accounts_abort(&txn);
	if (r == 0 && write && (r = give(a->folder, ACCOUNTS_FILE)) == 0)
		r = give(a->folder, LOCK_FILE);
	/* LMDB flushes what is in the file, not the name of a new one */
	if (r == 0 && write)
		r = folder_sync(a->folder, ".");
	return r;
}

/* explain - why it cannot be opened */
static void
explain(const char *folder, int r, struct diag *diag)
{
	const char	*why = strerror(-r);

	if (r == -EBUSY)
		why = "another process has it open (is the mail system "
		    "running?)";
	else if (r == -EBADMSG)
		why = "it is damaged; put a backup in its place";
	else if (r == -EPROTONOSUPPORT)
		why = "a later version of this program wrote it";
	(void)diag_set(diag, 0, 0, "the accounts database %s/" ACCOUNTS_FILE
	    " cannot be opened: %s", folder, why);
}

/* accounts_open - lock and open */
int
accounts_open(const char *folder, enum accounts_mode mode,
    struct accounts **ret_accounts, struct diag *diag)
{
	struct accounts	*a = NEW(struct accounts);
	struct stat	 st;
	int		 r;

	a->folder = -1;
	r = lock(folder, mode, &a->folder);
	/* LMDB cannot read what was never written */
	if (r == 0 && mode == ACCOUNTS_READ &&
	    fstatat(a->folder, ACCOUNTS_FILE, &st, 0) < 0)
		r = -errno;
	else if (r == 0 && mode == ACCOUNTS_READ && st.st_size == 0)
		r = -ENOENT;
	if (r == 0)
		r = env_open(a, folder, mode == ACCOUNTS_WRITE);
	if (r < 0) {
		explain(folder, r, diag);
		accounts_close(&a);
		return r;
	}
	*ret_accounts = a;
	return 0;
}

/* accounts_close - release everything; empties the pointer */
void
accounts_close(struct accounts **a_take)
{
	struct accounts	*a = *a_take;

	*a_take = NULL;
	if (a == NULL)
		return;
	if (a->env != NULL)
		mdb_env_close(a->env);
	if (a->folder >= 0)
		close(a->folder);
	free(a);
}
