/* SPDX-License-Identifier: ISC */
/*
 * The state in memory, for simulated tests: a sorted array. A write changes it
 * at once and keeps what it replaced, newest last, so that an abort can walk
 * back. Work items run inline on the simulated loop, so nothing reads beside a
 * write. Values are checksummed like those on disk, so damage is found alike.
 */
#include "libglobal/qstate_backend.h"

#include <assert.h>
#include <stdlib.h>

#include "libutil/alloc.h"

struct entry {
	struct slice	key;
	struct slice	value;
	char		bytes[];	/* both */
};

/* what a change replaced */
struct undo {
	struct entry	*put;		/* now there, or NULL */
	struct entry	*was;		/* was there, or NULL */
};

struct qstate_disk {
	struct entry	**entry;
	size_t		  count;
	size_t		  cap;
	uint64_t	  commits;
	uint64_t	  crash_at;	/* 0: never */
	bool		  crash_keeps;
	bool		  crashed;
	int		  fail_next;	/* errno, or 0 */
};

struct qstate_txn {
	struct qstate_disk	*disk;
	bool			 write;
	size_t			 at;	/* of the cursor */
	struct undo		*undo;
	size_t			 undo_count;
	size_t			 undo_cap;
};

/* qstate_disk_new - an empty disk */
struct qstate_disk *
qstate_disk_new(void)
{
	return NEW(struct qstate_disk);
}

/* qstate_disk_free - throw the disk away */
void
qstate_disk_free(struct qstate_disk *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->count; i++)
		free(d->entry[i]);
	free(d->entry);
	free(d);
}

/* qstate_disk_crash_at - let a later commit be the last thing done */
void
qstate_disk_crash_at(struct qstate_disk *d, uint64_t n, bool kept)
{
	d->crash_at = n == 0 ? 0 : d->commits + n;
	d->crash_keeps = kept;
}

/* qstate_disk_revive - the process starts again */
void
qstate_disk_revive(struct qstate_disk *d)
{
	d->crashed = false;
	d->crash_at = 0;
	d->fail_next = 0;
}

/* qstate_disk_fail_next - let the next commit fail */
void
qstate_disk_fail_next(struct qstate_disk *d, int error)
{
	d->fail_next = error;
}

/* qstate_disk_commits - how many were tried */
uint64_t
qstate_disk_commits(const struct qstate_disk *d)
{
	return d->commits;
}

/* find - the place of the first key that is not before this one */
static size_t
find(const struct qstate_disk *d, struct slice key)
{
	size_t	low = 0, high = d->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (slice_compare(d->entry[middle]->key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* is_at - is that key at its place? */
static bool
is_at(const struct qstate_disk *d, size_t at, struct slice key)
{
	return at < d->count && slice_equal(d->entry[at]->key, key);
}

/* qstate_disk_damage - spoil a value */
bool
qstate_disk_damage(struct qstate_disk *d, struct slice key)
{
	size_t		 at = find(d, key);
	struct entry	*e;

	if (!is_at(d, at, key))
		return false;
	e = d->entry[at];
	e->bytes[e->key.len + e->value.len / 2] ^= 0x20;
	return true;
}

/* swap_in - make e (or nothing) what stands under a key; returns what stood */
static struct entry *
swap_in(struct qstate_disk *d, struct slice key, struct entry *e)
{
	size_t		 at = find(d, key);
	struct entry	*was = is_at(d, at, key) ? d->entry[at] : NULL;

	if (was != NULL && e != NULL) {
		d->entry[at] = e;
	} else if (was != NULL) {
		memmove(&d->entry[at], &d->entry[at + 1],
		    (--d->count - at) * sizeof(e));
	} else if (e != NULL) {
		if (d->count == d->cap) {
			d->cap = size_max(64, d->cap * 2);
			d->entry = xreallocarray(d->entry, d->cap, sizeof(e));
		}
		memmove(&d->entry[at + 1], &d->entry[at],
		    (d->count++ - at) * sizeof(e));
		d->entry[at] = e;
	}
	return was;
}

/* change - put e (or nothing) under a key, remembering what stood there */
static void
change(struct qstate_txn *txn, struct slice key, struct entry *e)
{
	struct undo	u = { e, swap_in(txn->disk, key, e) };

	if (txn->undo_count == txn->undo_cap) {
		txn->undo_cap = size_max(64, txn->undo_cap * 2);
		txn->undo = xreallocarray(txn->undo, txn->undo_cap, sizeof(u));
	}
	txn->undo[txn->undo_count++] = u;
}

/* txn_begin - begin a transaction */
static int
txn_begin(void *env, bool write, struct qstate_txn **ret_txn)
{
	struct qstate_disk	*d = env;
	struct qstate_txn	*txn;

	if (d->crashed)
		return -EIO;
	txn = NEW(struct qstate_txn);
	txn->disk = d;
	txn->write = write;
	*ret_txn = txn;
	return 0;
}

/* txn_abort - walk back what was changed */
static void
txn_abort(struct qstate_txn *txn)
{
	struct undo	*u;

	while (txn->undo_count > 0) {
		u = &txn->undo[--txn->undo_count];
		(void)swap_in(txn->disk, u->put != NULL ? u->put->key :
		    u->was->key, u->was);	/* what it returns is u->put */
		free(u->put);
	}
	free(txn->undo);
	free(txn);
}

/* keep - the changes stay */
static void
keep(struct qstate_txn *txn)
{
	while (txn->undo_count > 0)
		free(txn->undo[--txn->undo_count].was);
	txn_abort(txn);
}

/* txn_commit - end durably, or as the test wants it */
static int
txn_commit(struct qstate_txn *txn)
{
	struct qstate_disk	*d = txn->disk;
	int			 r = -d->fail_next;

	d->fail_next = 0;
	d->commits++;
	if (d->crash_at == d->commits) {
		d->crashed = true;
		r = -EIO;
	}
	if (r == 0 || (d->crashed && d->crash_keeps))
		keep(txn);
	else
		txn_abort(txn);
	return r;
}

/* txn_get - the value under a key */
static int
txn_get(struct qstate_txn *txn, struct slice key, struct slice *ret_value)
{
	size_t	at = find(txn->disk, key);

	if (!is_at(txn->disk, at, key))
		return -ENOENT;
	*ret_value = txn->disk->entry[at]->value;
	return 0;
}

/* txn_put - put or replace a value */
static int
txn_put(struct qstate_txn *txn, struct slice key, struct slice value)
{
	struct entry	*e = xmalloc(sizeof(*e) + key.len + value.len);

	assert(txn->write);
	memcpy(e->bytes, key.data, key.len);
	if (value.len > 0)
		memcpy(e->bytes + key.len, value.data, value.len);
	e->key = slice_over(e->bytes, key.len);
	e->value = slice_over(e->bytes + key.len, value.len);
	change(txn, e->key, e);
	return 0;
}

/* txn_del - remove a key */
static int
txn_del(struct qstate_txn *txn, struct slice key)
{
	assert(txn->write);
	if (!is_at(txn->disk, find(txn->disk, key), key))
		return -ENOENT;
	change(txn, key, NULL);
	return 0;
}

/* tell - what the cursor is on */
static int
tell(const struct qstate_txn *txn, struct slice *ret_key,
    struct slice *ret_value)
{
	if (txn->at >= txn->disk->count)
		return -ENOENT;
	*ret_key = txn->disk->entry[txn->at]->key;
	*ret_value = txn->disk->entry[txn->at]->value;
	return 0;
}

/* txn_seek - the first key from here on */
static int
txn_seek(struct qstate_txn *txn, struct slice from, struct slice *ret_key,
    struct slice *ret_value)
{
	txn->at = find(txn->disk, from);
	return tell(txn, ret_key, ret_value);
}

/* txn_next - the key behind the last one told */
static int
txn_next(struct qstate_txn *txn, struct slice *ret_key,
    struct slice *ret_value)
{
	txn->at++;
	return tell(txn, ret_key, ret_value);
}

/* env_close - the disk stays */
static void
env_close(void *env)
{
	(void)env;
}

static const struct qstate_backend memory_backend = {
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

/* qstate_open_memory - a state on a disk of memory */
int
qstate_open_memory(struct qstate_disk *d, struct qstate **ret_state)
{
	return qstate_attach(&memory_backend, d, false, ret_state);
}
