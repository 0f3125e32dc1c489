/* SPDX-License-Identifier: ISC */
/* Records of other modules: one key space a kind. */
#include "libstore/items.h"

#include "libstore/txn.h"
#include "libutil/alloc.h"

/* item_key - the key of an item */
static int
item_key(struct key *k, enum item_kind kind, struct slice name)
{
	static const enum keyspace spaces[] = {
		[ITEM_SIEVE] = KEY_SIEVE,
		[ITEM_IDENTITY] = KEY_IDENTITY,
		[ITEM_PUSH] = KEY_PUSH,
		[ITEM_ANNOTATION] = KEY_ANNOTATION,
		[ITEM_SUBMISSION] = KEY_SUBMISSION,
		[ITEM_JUNK] = KEY_JUNK,
	};

	if ((size_t)kind >= COUNT(spaces))
		return -EINVAL;
	if (name.len > ITEM_NAME_MAX)
		return -ENAMETOOLONG;
	key_begin(k, spaces[kind]);
	return key_add_bytes(k, name);
}

/* item_get - one, copied */
int
item_get(struct account *a, enum item_kind kind, struct slice name,
    struct arena *arena, struct slice *ret_bytes)
{
	struct slice value;
	struct txn *t = NULL;
	struct key k;
	int	r;

	if ((r = item_key(&k, kind, name)) == 0 &&
	    (r = txn_begin(a, false, &t)) == 0 &&
	    (r = txn_get(t, &k, &value)) == 0)
		*ret_bytes = arena_dup(arena, value);
	txn_abort(&t);
	return r;
}

/* item_put - put or replace */
int
item_put(struct account *a, enum item_kind kind, struct slice name,
    struct slice bytes)
{
	struct txn *t = NULL;
	struct key k;
	int	r;

	if (name.len == 0)
		return -EINVAL;
	if (bytes.len > ITEM_SIZE_MAX)
		return -EMSGSIZE;
	if ((r = item_key(&k, kind, name)) < 0 ||
	    (r = txn_begin(a, true, &t)) < 0)
		return r;
	(void)txn_modseq(t);
	return txn_finish(&t, txn_put(t, &k, bytes));
}

/* item_remove - -ENOENT if it was not there */
int
item_remove(struct account *a, enum item_kind kind, struct slice name)
{
	struct txn *t = NULL;
	struct key k;
	int	r;

	if ((r = item_key(&k, kind, name)) < 0 ||
	    (r = txn_begin(a, true, &t)) < 0)
		return r;
	r = txn_del(t, &k);
	if (r == 0)
		(void)txn_modseq(t);
	return txn_finish(&t, r);
}

/* list_items - a walk inside a transaction */
static int
list_items(struct txn *t, const struct key *all, const struct key *from,
    bool skip_first, size_t max, struct arena *arena, struct item *items,
    size_t *ret_count)
{
	struct backend_range *range;
	struct slice key, value;
	size_t	n = 0;
	int	r;

	if ((r = txn_range(t, all, from, &range)) < 0)
		return r;
	while (n < max && (r = backend_next(range, &key, &value)) != 0) {
		if (r == -EBADMSG)
			continue;
		if (r < 0)
			break;
		if (skip_first && slice_equal(key, key_slice(from)))
			continue;
		items[n].name = arena_dup(arena, slice_from(key, 1));
		items[n++].bytes = arena_dup(arena, value);
	}
	backend_range_end(&range);
	*ret_count = n;
	return r < 0 && r != -EBADMSG ? r : 0;
}

/* item_list - those with a prefix, behind a name */
int
item_list(struct account *a, enum item_kind kind, struct slice prefix,
    struct slice after, size_t max, struct arena *arena,
    struct item **ret_items, size_t *ret_count)
{
	bool	skip = slice_compare(after, prefix) > 0;
	struct item *items;
	struct txn *t = NULL;
	struct key all, from;
	size_t	n = 0;
	int	r;

	if (max > ACCOUNT_BATCH_MAX)
		max = ACCOUNT_BATCH_MAX;
	items = ARENA_ARRAY(arena, struct item, max + 1);
	if ((r = item_key(&all, kind, prefix)) < 0 ||
	    (r = item_key(&from, kind, skip ? after : prefix)) < 0 ||
	    (r = txn_begin(a, false, &t)) < 0)
		return r;
	/* a name equal to after is passed over, also where it is the prefix */
	skip = skip || (after.len > 0 && slice_equal(after, prefix));
	r = list_items(t, &all, &from, skip, max, arena, items, &n);
	txn_abort(&t);
	if (r == 0) {
		*ret_items = items;
		*ret_count = n;
	}
	return r;
}

/* task_key - ordered by time; times before 1970 are due at once */
static void
task_key(struct key *k, const struct due_task *task)
{
	key_u64(k, KEY_TASK, task->due < 0 ? 0 : (uint64_t)task->due);
	key_add_u8(k, task->kind);
	key_add_u64(k, task->id);
}

/* task_parse - of a key; the parts are of fixed width */
static int
task_parse(struct slice key, struct due_task *task)
{
	uint64_t due;

	if (key.len != 1 + 8 + 1 + 8 ||
	    key_parse_u64(slice_sub(key, 0, 9), KEY_TASK, &due) < 0)
		return -EBADMSG;
	task->due = (int64_t)due;
	task->kind = (uint8_t)key.data[9];
	task->id = 0;
	for (size_t i = 10; i < key.len; i++)
		task->id = task->id << 8 | (unsigned char)key.data[i];
	return 0;
}

/* due_task_put - put or replace */
int
due_task_put(struct account *a, const struct due_task *task)
{
	struct txn *t = NULL;
	struct key k;
	int	r;

	if (task->payload.len > ITEM_SIZE_MAX)
		return -EMSGSIZE;
	if ((r = txn_begin(a, true, &t)) < 0)
		return r;
	task_key(&k, task);
	return txn_finish(&t, txn_put(t, &k, task->payload));
}

/* due_task_remove - done */
int
due_task_remove(struct account *a, const struct due_task *task)
{
	struct txn *t = NULL;
	struct key k;
	int	r;

	if ((r = txn_begin(a, true, &t)) < 0)
		return r;
	task_key(&k, task);
	return txn_finish(&t, txn_del(t, &k));
}

/* due_task_list - oldest first */
int
due_task_list(struct account *a, int64_t now, size_t max, struct arena *arena,
    struct due_task **ret_tasks, size_t *ret_count)
{
	struct backend_range *range = NULL;
	struct due_task *tasks;
	struct slice key, value;
	struct txn *t = NULL;
	size_t	n = 0;
	struct key all;
	int	r;

	if (max > ACCOUNT_BATCH_MAX)
		max = ACCOUNT_BATCH_MAX;
	tasks = ARENA_ARRAY(arena, struct due_task, max + 1);
	key_1(&all, KEY_TASK);
	if ((r = txn_begin(a, false, &t)) < 0 ||
	    (r = txn_range(t, &all, NULL, &range)) < 0)
		goto out;
	while (n < max && (r = backend_next(range, &key, &value)) != 0) {
		if (r == -EBADMSG)
			continue;
		if (r < 0 || (r = task_parse(key, &tasks[n])) < 0)
			break;
		if (tasks[n].due > now)
			break;
		tasks[n++].payload = arena_dup(arena, value);
	}
	backend_range_end(&range);
	r = r < 0 ? r : 0;
out:
	txn_abort(&t);
	if (r == 0) {
		*ret_tasks = tasks;
		*ret_count = n;
	}
	return r;
}

/* due_task_next - when to look again */
int
due_task_next(struct account *a, int64_t *ret_due)
{
	struct backend_range *range = NULL;
	struct slice key, value;
	struct due_task task;
	struct txn *t = NULL;
	struct key all;
	int	r;

	key_1(&all, KEY_TASK);
	if ((r = txn_begin(a, false, &t)) < 0 ||
	    (r = txn_range(t, &all, NULL, &range)) < 0)
		goto out;
	do
		r = backend_next(range, &key, &value);
	while (r == -EBADMSG);
	backend_range_end(&range);
	if (r == 1)
		r = task_parse(key, &task);
	else if (r == 0)
		r = -ENOENT;
	if (r == 0)
		*ret_due = task.due;
out:
	txn_abort(&t);
	return r;
}
