/* SPDX-License-Identifier: ISC */
/*
 * The in-memory backend of the tests: a sorted array of records. A writing
 * transaction changes the array in place and keeps an undo list, and excludes
 * readers meanwhile, so what a medium holds between transactions is exactly
 * what is durable.
 */
#include "libstore/backend.h"

#include <pthread.h>
#include <stdlib.h>

#include "libutil/alloc.h"

struct mem_record {
	char	*data;		/* key, then value */
	size_t	 key_len;
	size_t	 value_len;
};

struct mem_pack {
	uint32_t	 number;
	struct buf	 bytes;
	size_t		 synced;	/* bytes that a crash leaves */
	bool		 is_named;	/* was ever synced */
};

struct mem_medium {
	struct mem_record	**record;
	size_t			  count, cap;
	struct mem_pack		 *pack;
	size_t			  pack_count;
	uint64_t		  steps;
	uint64_t		  commits;
	uint64_t		  crash_in;	/* steps; 0: not armed */
	enum mem_crash		  crash_when;
	bool			  is_crashed;
	pthread_rwlock_t	  lock;
};

struct mem_backend {
	struct backend		 head;
	struct mem_medium	*medium;
};

/* what stood at a key before: data NULL when nothing did */
struct mem_undo {
	struct mem_record	*before;
	struct buf		 key;
};

struct mem_txn {
	struct backend_txn	 head;
	struct mem_medium	*medium;
	struct mem_undo		*undo;
	size_t			 undo_count, undo_cap;
};

struct mem_range {
	struct backend_range	 head;
	struct mem_medium	*medium;
	size_t			 at, end;	/* indexes; reverse: at counts
						 * down from end */
	bool			 reverse;
};

static struct slice
record_key(const struct mem_record *r)
{
	return slice_over(r->data, r->key_len);
}

static struct slice
record_value(const struct mem_record *r)
{
	return slice_over(r->data + r->key_len, r->value_len);
}

/* record_new - key and value in one allocation */
static struct mem_record *
record_new(struct slice key, struct slice head, struct slice value)
{
	struct mem_record *r = NEW(struct mem_record);

	r->key_len = key.len;
	r->value_len = head.len + value.len;
	r->data = xmalloc(r->key_len + r->value_len + 1);
	memcpy(r->data, key.data, key.len);
	memcpy(r->data + key.len, head.data, head.len);
	if (value.len > 0)
		memcpy(r->data + key.len + head.len, value.data, value.len);
	return r;
}

static void
record_free(struct mem_record *r)
{
	if (r == NULL)
		return;
	free(r->data);
	free(r);
}

/* mem_find - the index of the first record whose key is >= key */
static size_t
mem_find(const struct mem_medium *m, struct slice key, bool *ret_equal)
{
	size_t low = 0, high = m->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (slice_compare(record_key(m->record[mid]), key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*ret_equal = low < m->count &&
	    slice_equal(record_key(m->record[low]), key);
	return low;
}

/* mem_set - put a record at its key, or remove it (NULL); the old one comes
 * back */
static struct mem_record *
mem_set(struct mem_medium *m, struct slice key, struct mem_record *r)
{
	bool	equal;
	size_t	at = mem_find(m, key, &equal);
	struct mem_record *old = equal ? m->record[at] : NULL;

	if (equal && r != NULL) {
		m->record[at] = r;
	} else if (equal) {
		memmove(&m->record[at], &m->record[at + 1],
		    (m->count - at - 1) * sizeof(m->record[0]));
		m->count--;
	} else if (r != NULL) {
		if (m->count == m->cap) {
			m->cap = m->cap == 0 ? 256 : 2 * m->cap;
			m->record = xreallocarray(m->record, m->cap,
			    sizeof(m->record[0]));
		}
		memmove(&m->record[at + 1], &m->record[at],
		    (m->count - at) * sizeof(m->record[0]));
		m->record[at] = r;
		m->count++;
	}
	return old;
}

/* mem_medium_new - an empty one */
struct mem_medium *
mem_medium_new(void)
{
	struct mem_medium *m = NEW(struct mem_medium);

	pthread_rwlock_init(&m->lock, NULL);
	return m;
}

/* mem_medium_free - with all it holds */
void
mem_medium_free(struct mem_medium **m)
{
	struct mem_medium *x = *m;

	*m = NULL;
	if (x == NULL)
		return;
	for (size_t i = 0; i < x->count; i++)
		record_free(x->record[i]);
	for (size_t i = 0; i < x->pack_count; i++)
		buf_free(&x->pack[i].bytes);
	pthread_rwlock_destroy(&x->lock);
	free(x->record);
	free(x->pack);
	free(x);
}

/* mem_medium_crash - arm a crash point */
void
mem_medium_crash(struct mem_medium *m, uint64_t n, enum mem_crash when)
{
	m->crash_in = n;
	m->crash_when = when;
}

bool
mem_medium_is_crashed(const struct mem_medium *m)
{
	return m->is_crashed;
}

uint64_t
mem_medium_steps(const struct mem_medium *m)
{
	return m->steps;
}

/* mem_medium_key - by place */
struct slice
mem_medium_key(const struct mem_medium *m, size_t n)
{
	return n < m->count ? record_key(m->record[n]) : SLICE_EMPTY;
}

/* mem_medium_damage - flip a bit of the value */
bool
mem_medium_damage(struct mem_medium *m, struct slice key)
{
	bool	equal;
	size_t	at = mem_find(m, key, &equal);
	struct mem_record *r;

	if (!equal)
		return false;
	r = m->record[at];
	r->data[r->key_len + r->value_len - 1] ^= 0x20;
	return true;
}

/* mem_is_crash - count a step; is it the one that the machine stops at? */
static bool
mem_is_crash(struct mem_medium *m)
{
	m->steps++;
	if (m->crash_in == 0 || --m->crash_in > 0)
		return false;
	m->is_crashed = true;
	return true;
}

/* mem_undo_all - put back what the transaction changed, last first */
static void
mem_undo_all(struct mem_txn *t)
{
	while (t->undo_count > 0) {
		struct mem_undo *u = &t->undo[--t->undo_count];

		record_free(mem_set(t->medium, buf_slice(&u->key), u->before));
		buf_free(&u->key);
	}
}

/* mem_forget_undo - the changes stay */
static void
mem_forget_undo(struct mem_txn *t)
{
	while (t->undo_count > 0) {
		struct mem_undo *u = &t->undo[--t->undo_count];

		record_free(u->before);
		buf_free(&u->key);
	}
}

/* mem_change - set a key and remember what was there */
static void
mem_change(struct mem_txn *t, struct slice key, struct mem_record *r)
{
	struct mem_undo *u;

	if (t->undo_count == t->undo_cap) {
		t->undo_cap = t->undo_cap == 0 ? 32 : 2 * t->undo_cap;
		t->undo = xreallocarray(t->undo, t->undo_cap,
		    sizeof(t->undo[0]));
	}
	u = &t->undo[t->undo_count++];
	u->key = (struct buf)BUF_INIT;
	buf_add(&u->key, key);
	u->before = mem_set(t->medium, key, r);
}

static int
mem_begin(struct backend *b, bool write, struct backend_txn **ret_txn)
{
	struct mem_medium *m = ((struct mem_backend *)b)->medium;
	struct mem_txn *t;

	if (write)
		pthread_rwlock_wrlock(&m->lock);
	else
		pthread_rwlock_rdlock(&m->lock);
	if (m->is_crashed) {
		pthread_rwlock_unlock(&m->lock);
		return -EIO;
	}
	t = NEW(struct mem_txn);
	t->head = (struct backend_txn){ b, write };
	t->medium = m;
	*ret_txn = &t->head;
	return 0;
}

static int
mem_get(struct backend_txn *txn, struct slice key, struct slice *ret_value)
{
	struct mem_medium *m = ((struct mem_txn *)txn)->medium;
	bool	equal;
	size_t	at = mem_find(m, key, &equal);

	if (!equal)
		return -ENOENT;
	*ret_value = record_value(m->record[at]);
	return 0;
}

static int
mem_put(struct backend_txn *txn, struct slice key, struct slice head,
    struct slice value)
{
	mem_change((struct mem_txn *)txn, key, record_new(key, head, value));
	return 0;
}

static int
mem_del(struct backend_txn *txn, struct slice key)
{
	bool	equal;

	(void)mem_find(((struct mem_txn *)txn)->medium, key, &equal);
	if (!equal)
		return -ENOENT;
	mem_change((struct mem_txn *)txn, key, NULL);
	return 0;
}

static int
mem_range(struct backend_txn *txn, struct slice first, struct slice end,
    bool reverse, struct backend_range **ret_range)
{
	struct mem_medium *m = ((struct mem_txn *)txn)->medium;
	struct mem_range *r = NEW(struct mem_range);
	bool	equal;

	r->head.txn = txn;
	r->medium = m;
	r->at = mem_find(m, first, &equal);
	r->end = end.len == 0 ? m->count : mem_find(m, end, &equal);
	r->reverse = reverse;
	*ret_range = &r->head;
	return 0;
}

static int
mem_next(struct backend_range *range, struct slice *ret_key,
    struct slice *ret_value)
{
	struct mem_range *r = (struct mem_range *)range;
	const struct mem_record *found;

	if (r->at >= r->end)
		return 0;
	found = r->medium->record[r->reverse ? --r->end : r->at++];
	*ret_key = record_key(found);
	*ret_value = record_value(found);
	return 1;
}

static void
mem_range_end(struct backend_range *range)
{
	free(range);
}

/* mem_end - release a transaction */
static void
mem_end(struct mem_txn *t)
{
	pthread_rwlock_unlock(&t->medium->lock);
	free(t->undo);
	free(t);
}

/* mem_commit - durable at once, unless the machine stops here */
static int
mem_commit(struct backend_txn *txn)
{
	struct mem_txn *t = (struct mem_txn *)txn;
	struct mem_medium *m = t->medium;
	int	r = 0;

	if (txn->is_write && m->is_crashed) {
		mem_undo_all(t);
		r = -EIO;
	} else if (txn->is_write && mem_is_crash(m)) {
		if (m->crash_when == MEM_CRASH_BEFORE)
			mem_undo_all(t);
		r = -EIO;
	} else if (txn->is_write) {
		m->commits++;
	}
	mem_forget_undo(t);
	mem_end(t);
	return r;
}

static void
mem_abort(struct backend_txn *txn)
{
	mem_undo_all((struct mem_txn *)txn);
	mem_end((struct mem_txn *)txn);
}

/* mem_compact - there is never anything to give back */
static int
mem_compact(struct backend *b)
{
	return ((struct mem_backend *)b)->medium->is_crashed ? -EIO : 0;
}

static int
mem_stats(struct backend *b, struct backend_stats *ret_stats)
{
	struct mem_medium *m = ((struct mem_backend *)b)->medium;
	struct backend_stats s = { 0 };

	pthread_rwlock_rdlock(&m->lock);
	s.entries = m->count;
	for (size_t i = 0; i < m->count; i++)
		s.bytes_total += m->record[i]->key_len +
		    m->record[i]->value_len;
	s.commits = m->commits;
	s.flushes = m->steps;
	pthread_rwlock_unlock(&m->lock);
	*ret_stats = s;
	return 0;
}

/* mem_pack - the pack of that number; NULL if there is none */
static struct mem_pack *
mem_pack(struct mem_medium *m, uint32_t number)
{
	for (size_t i = 0; i < m->pack_count; i++)
		if (m->pack[i].number == number)
			return &m->pack[i];
	return NULL;
}

static int
mem_pack_write(struct backend *b, uint32_t number, uint64_t offset,
    struct slice bytes)
{
	struct mem_medium *m = ((struct mem_backend *)b)->medium;
	struct mem_pack *p = mem_pack(m, number);

	if (m->is_crashed)
		return -EIO;
	if (p == NULL) {
		m->pack = xreallocarray(m->pack, m->pack_count + 1,
		    sizeof(m->pack[0]));
		p = &m->pack[m->pack_count++];
		*p = (struct mem_pack){ .number = number,
			.bytes = BUF_INIT_MAX((size_t)1 << 30) };
	}
	if (offset > p->bytes.len)
		return -EINVAL;
	buf_truncate(&p->bytes, offset);
	buf_add(&p->bytes, bytes);
	return buf_check(&p->bytes) < 0 ? -ENOSPC : 0;
}

/* mem_drop_pack - take it out of the table */
static void
mem_drop_pack(struct mem_medium *m, struct mem_pack *p)
{
	buf_free(&p->bytes);
	*p = m->pack[--m->pack_count];
}

/* mem_lose_unsynced - what a stopped machine forgets of its packs */
static void
mem_lose_unsynced(struct mem_medium *m)
{
	for (size_t i = m->pack_count; i > 0; i--) {
		struct mem_pack *p = &m->pack[i - 1];

		if (!p->is_named)
			mem_drop_pack(m, p);
		else
			buf_truncate(&p->bytes, p->synced);
	}
}

static int
mem_pack_sync(struct backend *b, uint32_t number)
{
	struct mem_medium *m = ((struct mem_backend *)b)->medium;
	struct mem_pack *p = mem_pack(m, number);
	bool	crash;

	if (m->is_crashed)
		return -EIO;
	if (p == NULL)
		return -ENOENT;
	crash = mem_is_crash(m);
	if (!crash || m->crash_when == MEM_CRASH_AFTER) {
		p->synced = p->bytes.len;
		p->is_named = true;
	}
	return crash ? -EIO : 0;
}

static int
mem_pack_read(struct backend *b, uint32_t number, uint64_t offset, void *bytes,
    size_t len)
{
	struct mem_medium *m = ((struct mem_backend *)b)->medium;
	struct mem_pack *p = mem_pack(m, number);

	if (m->is_crashed)
		return -EIO;
	if (p == NULL)
		return -ENOENT;
	if (offset > p->bytes.len || len > p->bytes.len - offset)
		return -EBADMSG;
	if (len > 0)
		memcpy(bytes, p->bytes.data + offset, len);
	return 0;
}

static int
mem_pack_size(struct backend *b, uint32_t number, uint64_t *ret_size)
{
	struct mem_pack *p = mem_pack(((struct mem_backend *)b)->medium,
	    number);

	if (p == NULL)
		return -ENOENT;
	*ret_size = p->bytes.len;
	return 0;
}

static int
mem_pack_remove(struct backend *b, uint32_t number)
{
	struct mem_medium *m = ((struct mem_backend *)b)->medium;
	struct mem_pack *p = mem_pack(m, number);

	if (m->is_crashed)
		return -EIO;
	if (p == NULL)
		return -ENOENT;
	mem_drop_pack(m, p);
	return 0;
}

static int
mem_pack_next(struct backend *b, uint32_t from, uint32_t *ret_pack)
{
	struct mem_medium *m = ((struct mem_backend *)b)->medium;
	bool	found = false;

	for (size_t i = 0; i < m->pack_count; i++) {
		uint32_t n = m->pack[i].number;

		if (n >= from && (!found || n < *ret_pack)) {
			*ret_pack = n;
			found = true;
		}
	}
	return found ? 0 : -ENOENT;
}

static void
mem_close(struct backend *b)
{
	free(b);
}

static const struct backend_ops mem_ops = {
	.name = "mem",
	.begin = mem_begin,
	.get = mem_get,
	.put = mem_put,
	.del = mem_del,
	.range = mem_range,
	.next = mem_next,
	.range_end = mem_range_end,
	.commit = mem_commit,
	.abort = mem_abort,
	.compact = mem_compact,
	.stats = mem_stats,
	.pack_write = mem_pack_write,
	.pack_sync = mem_pack_sync,
	.pack_read = mem_pack_read,
	.pack_size = mem_pack_size,
	.pack_remove = mem_pack_remove,
	.pack_next = mem_pack_next,
	.close = mem_close,
};

/* backend_mem_open - the machine is started on that medium */
int
backend_mem_open(struct mem_medium *m, struct backend **ret_backend)
{
	struct mem_backend *b = NEW(struct mem_backend);

	if (m->is_crashed)
		mem_lose_unsynced(m);
	m->is_crashed = false;
	m->crash_in = 0;
	b->head.ops = &mem_ops;
	b->medium = m;
	*ret_backend = &b->head;
	return 0;
}
