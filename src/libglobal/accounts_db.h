/* SPDX-License-Identifier: ISC */
/*
 * accounts_db: the file of the accounts database: one LMDB environment with
 * one tree, its lock, keys, and values with checksums. Used by accounts*.c.
 *
 * LMDB syncs at each commit (its default), so a commit that returns 0 lasts.
 * With MDB_NOTLS a transaction that reads belongs to no thread.
 */
#ifndef LIBGLOBAL_ACCOUNTS_DB_H
#define LIBGLOBAL_ACCOUNTS_DB_H

#include "libglobal/accounts.h"

struct MDB_txn;
struct MDB_cursor;

#define ACCOUNTS_KEY_MAX	400	/* LMDB's own limit is 511 */

/* the kinds of records, each the first byte of its keys */
enum accounts_space {
	SPACE_FORMAT	= 'F',
	SPACE_DOMAIN	= 'D',
	SPACE_ACCOUNT	= 'A',
	SPACE_LOGIN	= 'N',
	SPACE_ALIAS	= 'L',
	SPACE_GROUP	= 'G',
	SPACE_SHARED	= 'S',
	SPACE_GONE	= 'X',
};

struct accounts_key {
	size_t	len;
	char	bytes[ACCOUNTS_KEY_MAX];
};

struct accounts_txn {
	struct MDB_txn		*lmdb;
	struct MDB_cursor	*cursor;
	unsigned		 dbi;
	struct slice		 damaged;	/* key of the last bad record */
};

static inline struct slice
accounts_key_slice(const struct accounts_key *k)
{
	return slice_over(k->bytes, k->len);
}

/* key of a domain or an id; of an address "local@domain". -ENOENT: it is too
 * long to be in the database, or has no "@" */
MUST_USE int	accounts_key_plain(struct accounts_key *k,
		    enum accounts_space space, struct slice name);
MUST_USE int	accounts_key_address(struct accounts_key *k,
		    enum accounts_space space, struct slice address);
/* the address of such a key, in the arena; -EBADMSG */
MUST_USE int	accounts_key_to_address(struct slice key, struct arena *arena,
		    struct slice *ret_address);

/* transactions; a writer is the only one */
MUST_USE int	accounts_begin(struct accounts *a, bool write,
		    struct accounts_txn *ret_txn);
MUST_USE int	accounts_commit(struct accounts_txn *txn);
/* no-op after a commit */
void		accounts_abort(struct accounts_txn *txn);

/* the value under a key, lent until the next write: -ENOENT, -EBADMSG */
MUST_USE int	accounts_get(struct accounts_txn *txn,
		    const struct accounts_key *key, struct slice *ret_value);
MUST_USE int	accounts_put(struct accounts_txn *txn,
		    const struct accounts_key *key, struct slice value);
MUST_USE int	accounts_del(struct accounts_txn *txn,
		    const struct accounts_key *key);
/* the first record at or behind a key; then the one behind the last. -ENOENT
 * at the end. The key is told with -EBADMSG, too; going on is possible. */
MUST_USE int	accounts_seek(struct accounts_txn *txn, struct slice from,
		    struct slice *ret_key, struct slice *ret_value);
MUST_USE int	accounts_next(struct accounts_txn *txn, struct slice *ret_key,
		    struct slice *ret_value);

/* get and decode: one function a record that lies under a name. Texts are
 * lent until the next write. */
#define ACCOUNTS_LOAD(record) \
	MUST_USE int	accounts_load_##record(struct accounts_txn *txn, \
			    struct slice name, \
			    struct accounts_##record *ret_record); \
	MUST_USE int	accounts_store_##record(struct accounts_txn *txn, \
			    struct slice name, \
			    const struct accounts_##record *r);
ACCOUNTS_LOAD(domain)
ACCOUNTS_LOAD(account)
ACCOUNTS_LOAD(login)
ACCOUNTS_LOAD(alias)
ACCOUNTS_LOAD(group)
ACCOUNTS_LOAD(shared)
ACCOUNTS_LOAD(gone)
#undef ACCOUNTS_LOAD
/* the account of a login name, which is in the form it is kept in; lent */
MUST_USE int	accounts_load_by_login(struct accounts_txn *txn,
		    struct slice address, struct accounts_account *ret_account);
/* the account's own limits, or its domain's; 0: none */
MUST_USE int	accounts_load_quota(struct accounts_txn *txn,
		    const struct accounts_account *account,
		    uint64_t *ret_bytes, uint64_t *ret_messages);

#endif
