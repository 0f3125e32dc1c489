/* SPDX-License-Identifier: ISC */
/*
 * What all backends share: the checksum in front of each value, and telling
 * of damage. The four bytes stand before the value and are handed to put
 * apart, so that nothing is copied to join them.
 */
#include "libstore/backend.h"

#include "libutil/crc32c.h"

#define SUM_LEN	4

/* backend_sum - the checksum of a value under its key */
static uint32_t
backend_sum(struct slice key, struct slice value)
{
	return crc32c_add(crc32c(key), value);
}

/* backend_open_value - check and strip the checksum of a stored value */
static int
backend_open_value(struct backend *b, struct slice key, struct slice stored,
    struct slice *ret_value)
{
	struct slice value = slice_from(stored, SUM_LEN);
	uint8_t head[SUM_LEN];
	uint32_t want;

	if (stored.len >= SUM_LEN) {
		memcpy(head, stored.data, SUM_LEN);
		want = head[0] | (uint32_t)head[1] << 8 |
		    (uint32_t)head[2] << 16 | (uint32_t)head[3] << 24;
		if (want == backend_sum(key, value)) {
			*ret_value = value;
			return 0;
		}
	}
	if (b->on_damage != NULL)
		b->on_damage(b->damage_arg, key);
	return -EBADMSG;
}

/* backend_begin - begin a transaction */
int
backend_begin(struct backend *b, bool write, struct backend_txn **ret_txn)
{
	return b->ops->begin(b, write, ret_txn);
}

/* backend_get - one value */
int
backend_get(struct backend_txn *t, struct slice key, struct slice *ret_value)
{
	struct slice stored;
	int	r;

	if ((r = t->backend->ops->get(t, key, &stored)) < 0)
		return r;
	return backend_open_value(t->backend, key, stored, ret_value);
}

/* backend_get_batch - many values, each with its own result */
int
backend_get_batch(struct backend_txn *t, const struct slice *keys, size_t n,
    struct slice *ret_values, int *ret_results)
{
	for (size_t i = 0; i < n; i++) {
		int r = backend_get(t, keys[i], &ret_values[i]);

		if (r < 0 && r != -ENOENT && r != -EBADMSG)
			return r;
		ret_results[i] = r;
	}
	return 0;
}

/* backend_put - write one value with its checksum */
int
backend_put(struct backend_txn *t, struct slice key, struct slice value)
{
	uint32_t sum = backend_sum(key, value);
	const uint8_t head[SUM_LEN] = { (uint8_t)sum, (uint8_t)(sum >> 8),
		(uint8_t)(sum >> 16), (uint8_t)(sum >> 24) };

	if (key.len == 0 || key.len > BACKEND_KEY_MAX)
		return -EINVAL;
	return t->backend->ops->put(t, key, slice_over(head, SUM_LEN), value);
}

/* backend_del - remove one key */
int
backend_del(struct backend_txn *t, struct slice key)
{
	return t->backend->ops->del(t, key);
}

/* backend_range - begin a walk */
int
backend_range(struct backend_txn *t, struct slice first, struct slice end,
    bool reverse, struct backend_range **ret_range)
{
	return t->backend->ops->range(t, first, end, reverse, ret_range);
}

/* backend_next - the next record of a walk */
int
backend_next(struct backend_range *r, struct slice *ret_key,
    struct slice *ret_value)
{
	struct backend *b = r->txn->backend;
	struct slice key, stored;
	int	found = b->ops->next(r, &key, &stored);

	if (found <= 0)
		return found;
	*ret_key = key;
	if (backend_open_value(b, key, stored, ret_value) < 0)
		return -EBADMSG;
	return 1;
}

/* backend_range_end - end a walk */
void
backend_range_end(struct backend_range **r)
{
	if (*r != NULL)
		(*r)->txn->backend->ops->range_end(*r);
	*r = NULL;
}

/* backend_commit - make it durable */
int
backend_commit(struct backend_txn **t)
{
	struct backend_txn *txn = *t;

	*t = NULL;
	return txn->backend->ops->commit(txn);
}

/* backend_abort - forget it */
void
backend_abort(struct backend_txn **t)
{
	struct backend_txn *txn = *t;

	*t = NULL;
	if (txn != NULL)
		txn->backend->ops->abort(txn);
}

/* backend_compact - give unused room back */
int
backend_compact(struct backend *b)
{
	return b->ops->compact(b);
}

/* backend_get_stats - sizes and counts */
int
backend_get_stats(struct backend *b, struct backend_stats *ret_stats)
{
	return b->ops->stats(b, ret_stats);
}

/* backend_close - end it */
void
backend_close(struct backend **b)
{
	if (*b != NULL)
		(*b)->ops->close(*b);
	*b = NULL;
}
