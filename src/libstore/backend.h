/* SPDX-License-Identifier: ISC */
/*
 * backend: what keeps an account's records and packs. An ordered map from
 * byte-string keys to byte-string values with one writing transaction at a
 * time and any number of reading ones, and numbered append-only pack files
 * beside it. The rest of libstore uses nothing else, so that LMDB, the
 * in-memory map of the tests, or a store over the network can stand here.
 *
 * A value is kept with a CRC-32C over its key and itself. A value that fails
 * it is -EBADMSG, its key is told to the damage callback, and the records
 * beside it stay readable.
 *
 * A writing transaction begins and ends on one thread and excludes other
 * writers; so does a reading one, which excludes nobody, and must be short.
 * Slices that a transaction lends live until it ends, in a writing one until
 * its next put or del. No range may be open across a put or del.
 */
#ifndef LIBSTORE_BACKEND_H
#define LIBSTORE_BACKEND_H

#include "libutil/buf.h"
#include "libutil/slice.h"

struct backend;
struct backend_txn;
struct backend_range;

#define BACKEND_KEY_MAX		511

struct backend_stats {
	uint64_t	bytes_total;	/* size of the environment */
	uint64_t	bytes_free;	/* of it, in pages that nothing uses */
	uint64_t	entries;
	uint64_t	commits;	/* since it was opened */
	uint64_t	flushes;	/* device flushes these waited for */
};

/* What an implementation supplies. Keys and values here are raw: the value
 * that put gets in two parts comes back from get as one. */
struct backend_ops {
	const char	*name;
	int	(*begin)(struct backend *, bool write,
		    struct backend_txn **ret_txn);
	int	(*get)(struct backend_txn *, struct slice key,
		    struct slice *ret_value);
	int	(*put)(struct backend_txn *, struct slice key,
		    struct slice head, struct slice value);
	int	(*del)(struct backend_txn *, struct slice key);
	/* keys from first on, below end; reverse: the greatest below end
	 * first, down to first */
	int	(*range)(struct backend_txn *, struct slice first,
		    struct slice end, bool reverse,
		    struct backend_range **ret_range);
	/* 1, or 0 at the end */
	int	(*next)(struct backend_range *, struct slice *ret_key,
		    struct slice *ret_value);
	void	(*range_end)(struct backend_range *);
	int	(*commit)(struct backend_txn *);
	void	(*abort)(struct backend_txn *);
	int	(*compact)(struct backend *);
	int	(*stats)(struct backend *, struct backend_stats *ret_stats);
	/* packs: a write is durable after sync, which also makes the name of
	 * a new pack durable */
	int	(*pack_write)(struct backend *, uint32_t pack, uint64_t offset,
		    struct slice bytes);
	int	(*pack_sync)(struct backend *, uint32_t pack);
	/* exactly len bytes, or -EBADMSG if the pack ends before; -ENOENT */
	int	(*pack_read)(struct backend *, uint32_t pack, uint64_t offset,
		    void *bytes, size_t len);
	int	(*pack_size)(struct backend *, uint32_t pack,
		    uint64_t *ret_size);
	int	(*pack_remove)(struct backend *, uint32_t pack);
	/* the least pack number >= from; -ENOENT */
	int	(*pack_next)(struct backend *, uint32_t from,
		    uint32_t *ret_pack);
	void	(*close)(struct backend *);
};

/* The head of every implementation's own struct. */
struct backend {
	const struct backend_ops	*ops;
	void	(*on_damage)(void *arg, struct slice key);
	void	*damage_arg;
};

/* The heads of the implementation's transaction and range. */
struct backend_txn {
	struct backend	*backend;
	bool		 is_write;
};
struct backend_range {
	struct backend_txn	*txn;
};

/* a writing transaction waits for the one that is open */
MUST_USE int	backend_begin(struct backend *b, bool write,
		    struct backend_txn **ret_txn);
/* -ENOENT, -EBADMSG */
MUST_USE int	backend_get(struct backend_txn *t, struct slice key,
		    struct slice *ret_value);
/* n keys at once; ret_results[i] is 0 and ret_values[i] lent, or -ENOENT or
 * -EBADMSG. Fails as a whole only if the backend does. */
MUST_USE int	backend_get_batch(struct backend_txn *t,
		    const struct slice *keys, size_t n,
		    struct slice *ret_values, int *ret_results);
MUST_USE int	backend_put(struct backend_txn *t, struct slice key,
		    struct slice value);
/* 0, or -ENOENT if the key was not there */
MUST_USE int	backend_del(struct backend_txn *t, struct slice key);
/* keys with first <= key < end, ascending or descending; an empty end means
 * no upper bound. backend_next: 1 with a record, 0 at the end; -EBADMSG names
 * a damaged record in ret_key, and the walk may go on. */
MUST_USE int	backend_range(struct backend_txn *t, struct slice first,
		    struct slice end, bool reverse,
		    struct backend_range **ret_range);
MUST_USE int	backend_next(struct backend_range *r, struct slice *ret_key,
		    struct slice *ret_value);
/* ends it and empties the pointer; no-op on NULL */
void	backend_range_end(struct backend_range **r);
/* 0 only if what was written will survive a power cut; ends the transaction
 * whatever it returns, and empties the pointer */
MUST_USE int	backend_commit(struct backend_txn **t);
/* ends it, forgets what it wrote, empties the pointer; no-op on NULL */
void	backend_abort(struct backend_txn **t);
/* give unused room back to the file system, if over half is unused;
 * 1 if it did, 0 if there was no need. Waits for writers. */
MUST_USE int	backend_compact(struct backend *b);
MUST_USE int	backend_get_stats(struct backend *b,
		    struct backend_stats *ret_stats);
void	backend_close(struct backend **b);

/* meta.mdb and pack/ in the folder; map_size is the address space set aside,
 * the most the environment can grow to (0: 64 GiB). The folder's files are
 * made if they are not there. */
MUST_USE int	backend_lmdb_open(const char *folder, uint64_t map_size,
		    struct backend **ret_backend);

/*
 * The in-memory one. A medium holds what is durable and outlives the backends
 * that are opened on it, one at a time: that is how a test kills a process.
 */
struct mem_medium;
struct mem_medium	*mem_medium_new(void);
void	mem_medium_free(struct mem_medium **m);
MUST_USE int	backend_mem_open(struct mem_medium *m,
		    struct backend **ret_backend);
/* Crash points. Each commit and each pack sync is one step. At step n from
 * now (1: the next) the machine stops: before (MEM_CRASH_BEFORE) or after
 * (MEM_CRASH_AFTER) the step became durable. That call and all later ones
 * return -EIO; pack bytes that no sync covered are lost. 0 disarms. */
enum mem_crash { MEM_CRASH_BEFORE, MEM_CRASH_AFTER };
void	mem_medium_crash(struct mem_medium *m, uint64_t n, enum mem_crash when);
bool	mem_medium_is_crashed(const struct mem_medium *m);
/* steps done since it was made */
uint64_t	mem_medium_steps(const struct mem_medium *m);
/* damage a value in place, for tests; false if the key is not there */
bool	mem_medium_damage(struct mem_medium *m, struct slice key);
/* the key of the nth record, lent; empty behind the last */
struct slice	mem_medium_key(const struct mem_medium *m, size_t n);

#endif
