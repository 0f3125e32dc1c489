/* SPDX-License-Identifier: ISC */
/*
 * items: records of other modules inside an account, under names of theirs:
 * Sieve scripts, identities, push subscriptions, annotations, submissions, due
 * tasks, junk filter counters. The bytes are the caller's.
 */
#ifndef LIBSTORE_ITEMS_H
#define LIBSTORE_ITEMS_H

#include "libstore/account.h"
#include "libutil/arena.h"

enum item_kind {
	ITEM_SIEVE,		/* name: the script's */
	ITEM_IDENTITY,		/* name: its id */
	ITEM_PUSH,		/* name: its id */
	ITEM_ANNOTATION,	/* name: mailbox u32 big-endian, entry */
	ITEM_SUBMISSION,	/* name: its id */
	ITEM_JUNK,		/* name: hash class */
};

#define ITEM_NAME_MAX	500
#define ITEM_SIZE_MAX	((size_t)4 << 20)

/* -ENOENT */
MUST_USE int	item_get(struct account *a, enum item_kind kind,
		    struct slice name, struct arena *arena,
		    struct slice *ret_bytes);
/* put or replace; raises the mod-sequence */
MUST_USE int	item_put(struct account *a, enum item_kind kind,
		    struct slice name, struct slice bytes);
/* -ENOENT */
MUST_USE int	item_remove(struct account *a, enum item_kind kind,
		    struct slice name);

struct item {
	struct slice	name;
	struct slice	bytes;
};
/* those whose name begins with prefix, by name, at most max, behind the name
 * after (empty: from the first) */
MUST_USE int	item_list(struct account *a, enum item_kind kind,
		    struct slice prefix, struct slice after, size_t max,
		    struct arena *arena, struct item **ret_items,
		    size_t *ret_count);

/* due tasks: something to do at a time, committed with the account */
struct due_task {
	int64_t		due;		/* seconds since 1970 */
	uint8_t		kind;		/* the caller's */
	uint64_t	id;
	struct slice	payload;
};
MUST_USE int	due_task_put(struct account *a, const struct due_task *task);
/* -ENOENT */
MUST_USE int	due_task_remove(struct account *a, const struct due_task *task);
/* those due at that time, oldest first, at most max */
MUST_USE int	due_task_list(struct account *a, int64_t now, size_t max,
		    struct arena *arena, struct due_task **ret_tasks,
		    size_t *ret_count);
/* the time of the next one; -ENOENT */
MUST_USE int	due_task_next(struct account *a, int64_t *ret_due);

#endif
