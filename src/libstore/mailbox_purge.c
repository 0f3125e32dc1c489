/* SPDX-License-Identifier: ISC */
/* Removing the messages of a mailbox that was deleted, in bounded steps. */
#include "libstore/mailboxes.h"

#include "libstore/emails.h"

/* purge_list - messages to remove next, copied out; a block that cannot be
 * read is passed over: it goes with the mailbox */
static int
purge_list(struct txn *t, uint32_t mailbox, size_t max,
    struct message_meta *metas, size_t *ret_count)
{
	struct index_walk w = { 0 };
	size_t	n = 0;
	int	r;

	r = index_walk_begin(t, mailbox, 0, UINT32_MAX, 0, &w);
	while (r >= 0 && n < max && (r = index_walk_next(&w)) == 1) {
		if ((r = index_walk_block(&w)) == -EBADMSG)
			r = 0;
		else if (r == 0)
			for (uint32_t i = 0; i < w.block->count && n < max;
			    i++)
				metas[n++] = w.block->at[i];
	}
	index_walk_end(&w);
	*ret_count = n;
	/* a damaged directory hides the rest */
	return r < 0 && r != -EBADMSG ? r : 0;
}

/* purge_rest - the records that only the mailbox had; *budget 0: go on later */
static int
purge_rest(struct txn *t, uint32_t id, size_t *budget)
{
	static const enum keyspace spaces[] = { KEY_UIDS, KEY_DIRECTORY,
		KEY_VANISHED, KEY_ORDER, KEY_MORE_KEYWORDS, KEY_ANNOTATION };
	struct key k;
	int	r;

	/* or the kept blocks would be written behind our back */
	if ((r = txn_flush(t)) < 0)
		return r;
	for (size_t i = 0; i < COUNT(spaces); i++) {
		key_u32(&k, spaces[i], id);
		if ((r = txn_del_range(t, &k, budget)) < 0)
			return r;
	}
	return 0;
}

/* mailboxes_purge - a bounded step */
int
mailboxes_purge(struct txn *t, struct mailbox_slot *slot, size_t *budget)
{
	struct message_meta *metas = ARENA_ARRAY(&t->arena,
	    struct message_meta, *budget + 1);
	struct key k;
	size_t	n;
	int	r;

	if ((r = purge_list(t, slot->id, *budget, metas, &n)) < 0)
		return r;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = emails_expunge(t, slot, &metas[i]);
	if (r < 0)
		return r;
	*budget -= n;
	if (*budget > 0 && (r = purge_rest(t, slot->id, budget)) < 0)
		return r;
	if (*budget == 0)
		return 0;
	key_u32(&k, KEY_MAILBOX, slot->id);
	r = txn_del(t, &k);
	slot->is_removed = true;
	return r < 0 && r != -ENOENT ? r : 1;
}
