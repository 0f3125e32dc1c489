/* SPDX-License-Identifier: ISC */
/* Records come by mod-sequence; callers want them by UID. */
#include "libstore/vanished.h"

#include "libutil/alloc.h"

/* range_compare - by first UID */
static int
range_compare(const void *a, const void *b)
{
	const struct uid_range *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* vanished_merge - sort and join ranges; the new count. A UID vanishes once,
 * so ranges touch but do not overlap. */
static size_t
vanished_merge(struct uid_range *list, size_t n)
{
	size_t	kept = 0;

	if (n == 0)
		return 0;
	qsort(list, n, sizeof(list[0]), range_compare);
	for (size_t i = 1; i < n; i++) {
		if (list[kept].last + 1 == list[i].first)
			list[kept].last = list[i].last;
		else
			list[++kept] = list[i];
	}
	return kept + 1;
}

/* vanished_read - all after a mod-sequence */
int
vanished_read(struct txn *t, const struct mailbox_slot *slot, uint64_t since,
    struct uid_range **ret_ranges, size_t *ret_count)
{
	struct uid_range *list = NULL, add;
	struct backend_range *range;
	size_t	n = 0, cap = 0;
	struct slice key, value;
	struct key all, from;
	uint32_t mailbox;
	uint64_t modseq;
	int	r;

	if (since < slot->rec.vanished_floor)
		return -ESTALE;
	key_u32(&all, KEY_VANISHED, slot->id);
	key_u32_u64_u32(&from, KEY_VANISHED, slot->id, since + 1, 0);
	if ((r = txn_range(t, &all, &from, &range)) < 0)
		return r;
	while ((r = backend_next(range, &key, &value)) == 1) {
		if ((r = key_parse_u32_u64_u32(key, KEY_VANISHED, &mailbox,
		    &modseq, &add.first)) < 0 ||
		    (r = record_decode_u32(value, &add.last)) < 0)
			break;
		if (n == cap) {
			cap = cap == 0 ? 16 : 2 * cap;
			list = xreallocarray(list, cap, sizeof(list[0]));
		}
		list[n++] = add;
	}
	backend_range_end(&range);
	if (r < 0) {
		free(list);
		return r;
	}
	*ret_ranges = list;
	*ret_count = vanished_merge(list, n);
	return 0;
}

/* message_vanished - what an absent client missed */
int
message_vanished(struct account *a, uint32_t mailbox, uint64_t since,
    struct arena *arena, struct uid_range **ret_ranges, size_t *ret_count)
{
	struct uid_range *list = NULL, *copy;
	struct mailbox_slot *slot;
	struct txn *t = NULL;
	size_t	n = 0;
	int	r;

	if ((r = txn_begin(a, false, &t)) < 0 ||
	    (r = txn_mailbox(t, mailbox, &slot)) < 0 ||
	    (r = vanished_read(t, slot, since, &list, &n)) < 0)
		goto out;
	copy = ARENA_ARRAY(arena, struct uid_range, n + 1);
	if (n > 0)
		memcpy(copy, list, n * sizeof(copy[0]));
	*ret_ranges = copy;
	*ret_count = n;
out:
	free(list);
	txn_abort(&t);
	return r;
}
