/* SPDX-License-Identifier: ISC */
/*
 * A batch is a list of changes with copies of all they need. Indexes are kept
 * by the commit itself: it reads the old record in the same transaction and so
 * knows which entries to take away. An old record that is damaged leaves its
 * entries behind; reads do not trust them, and qstate_reindex takes them away.
 */
#include "libglobal/qstate_backend.h"

#include <stdlib.h>

#include "libutil/alloc.h"

enum change_kind {
	CHANGE_MESSAGE,
	CHANGE_RCPT,
	CHANGE_RCPT_DONE,
	CHANGE_FINISH,
	CHANGE_UNLINKED,
	CHANGE_RETIRE,
	CHANGE_SLOT_ANEW,
	CHANGE_RECOVERED,
	CHANGE_DOUBTS,
};

struct change {
	struct change		*next;
	enum change_kind	 kind;
	struct queue_id		 id;
	struct queue_place	 place;		/* FINISH, RETIRE, SLOT_ANEW */
	uint64_t		 generation;	/* FINISH */
	uint32_t		 index;		/* RCPT_DONE */
	int64_t			 now;		/* RECOVERED */
	struct slice		 doubts;	/* DOUBTS */
	struct qstate_message	*message;
	struct qstate_rcpt	*rcpt;
};

struct qstate_batch {
	struct arena	  arena;
	struct change	 *first;
	struct change	**end;		/* where the next one is hung */
	size_t		  count;
};

/* a transaction and a place to build values in */
struct applying {
	const struct qstate	*s;
	struct qstate_txn	*txn;
	struct buf		 value;
	struct arena		 arena;	/* what must outlive a change */
};

/* qstate_batch_new - an empty batch */
struct qstate_batch *
qstate_batch_new(void)
{
	struct qstate_batch *b = NEW(struct qstate_batch);

	b->end = &b->first;
	return b;
}

/* qstate_batch_free - release it */
void
qstate_batch_free(struct qstate_batch **b_take)
{
	if (*b_take == NULL)
		return;
	arena_free(&(*b_take)->arena);
	free(*b_take);
	*b_take = NULL;
}

/* qstate_batch_reset - empty it */
void
qstate_batch_reset(struct qstate_batch *b)
{
	arena_reset(&b->arena);
	b->first = NULL;
	b->end = &b->first;
	b->count = 0;
}

/* qstate_batch_count - how many changes are in it */
size_t
qstate_batch_count(const struct qstate_batch *b)
{
	return b->count;
}

/* add - one more change */
static struct change *
add(struct qstate_batch *b, enum change_kind kind, const struct queue_id *id)
{
	struct change	*c = ARENA_NEW(&b->arena, struct change);

	c->kind = kind;
	if (id != NULL)
		c->id = *id;
	*b->end = c;
	b->end = &c->next;
	b->count++;
	return c;
}

/* qstate_batch_message - put a message */
void
qstate_batch_message(struct qstate_batch *b, const struct qstate_message *m)
{
	struct change	*c = add(b, CHANGE_MESSAGE, &m->id);

	c->message = ARENA_NEW(&b->arena, struct qstate_message);
	*c->message = *m;
	qstate_message_dup(&b->arena, c->message);
}

/* qstate_batch_rcpt - put a recipient */
void
qstate_batch_rcpt(struct qstate_batch *b, const struct queue_id *id,
    const struct qstate_rcpt *r)
{
	struct change	*c = add(b, CHANGE_RCPT, id);

	c->rcpt = ARENA_NEW(&b->arena, struct qstate_rcpt);
	*c->rcpt = *r;
	qstate_rcpt_dup(&b->arena, c->rcpt);
}

/* qstate_batch_rcpt_done - a recipient is finished */
void
qstate_batch_rcpt_done(struct qstate_batch *b, const struct queue_id *id,
    uint32_t index)
{
	add(b, CHANGE_RCPT_DONE, id)->index = index;
}

/* qstate_batch_finish - a message is finished */
void
qstate_batch_finish(struct qstate_batch *b, const struct queue_id *id,
    struct queue_place place, uint64_t generation)
{
	struct change	*c = add(b, CHANGE_FINISH, id);

	c->place = place;
	c->generation = generation;
}

/* qstate_batch_unlinked - a finished large file is gone from the disk */
void
qstate_batch_unlinked(struct qstate_batch *b, const struct queue_id *id)
{
	(void)add(b, CHANGE_UNLINKED, id);
}

/* qstate_batch_retire - a slot is never used again */
void
qstate_batch_retire(struct qstate_batch *b, struct slot_ref ref)
{
	add(b, CHANGE_RETIRE, NULL)->place = QUEUE_PLACE_IN_SLOT(ref);
}

/* qstate_batch_slot_anew - a slot's file is a new one */
void
qstate_batch_slot_anew(struct qstate_batch *b, struct slot_ref ref)
{
	add(b, CHANGE_SLOT_ANEW, NULL)->place = QUEUE_PLACE_IN_SLOT(ref);
}

/* qstate_batch_recovered - recovery is done */
void
qstate_batch_recovered(struct qstate_batch *b, int64_t now)
{
	add(b, CHANGE_RECOVERED, NULL)->now = now;
}

/* qstate_batch_doubts - what clients may send again */
void
qstate_batch_doubts(struct qstate_batch *b, struct slice doubts)
{
	add(b, CHANGE_DOUBTS, NULL)->doubts = arena_dup(&b->arena, doubts);
}

/* put - the built value under a key, with its checksum */
static int
put(struct applying *a, const struct qstate_key *key)
{
	struct slice	k = qstate_key_slice(key);
	int		r;

	qstate_seal(&a->value, k);
	r = a->s->be->put(a->txn, k, buf_slice(&a->value));
	buf_reset(&a->value);
	return r;
}

/* del - no such key is as good */
static int
del(struct applying *a, const struct qstate_key *key)
{
	int	r = a->s->be->del(a->txn, qstate_key_slice(key));

	return r == -ENOENT ? 0 : r;
}

/* put_index - an index entry of a message */
static int
put_index(void *arg, const struct qstate_key *key)
{
	return put(arg, key);
}

/* del_index - take such an entry away */
static int
del_index(void *arg, const struct qstate_key *key)
{
	return del(arg, key);
}

/* unindex - take away the index entries of the record that is there */
static int
unindex(struct applying *a, const struct queue_id *id)
{
	struct qstate_message old;
	int		      r;

	r = qstate_txn_message(a->s, a->txn, id, &old);
	if (r == -ENOENT || r == -EBADMSG)
		return 0;
	if (r < 0)
		return r;
	/* what a read lends is lost with the first change */
	qstate_message_dup(&a->arena, &old);
	r = qstate_each_index(&old, del_index, a);
	arena_reset(&a->arena);
	return r;
}

/* apply_message - put a message and its index entries */
static int
apply_message(struct applying *a, const struct qstate_message *m)
{
	struct qstate_key key;
	int		  r;

	if ((r = unindex(a, &m->id)) < 0)
		return r;
	qstate_key_message(&key, &m->id);
	qstate_message_encode(&a->value, m);
	if ((r = put(a, &key)) < 0)
		return r;
	return qstate_each_index(m, put_index, a);
}

/* rcpt_remove - take away a recipient and its index entry */
static int
rcpt_remove(struct applying *a, const struct queue_id *id, uint32_t index)
{
	struct qstate_rcpt old;
	struct qstate_key  key;
	int		   r;

	r = qstate_txn_rcpt(a->s, a->txn, id, index, &old);
	if (r == 0) {
		qstate_key_site(&key, old.site, id, index);
		r = del(a, &key);
	}
	if (r < 0 && r != -ENOENT && r != -EBADMSG)
		return r;
	qstate_key_rcpt(&key, id, index);
	return del(a, &key);
}

/* apply_rcpt - put a recipient and its index entry */
static int
apply_rcpt(struct applying *a, const struct queue_id *id,
    const struct qstate_rcpt *rcpt)
{
	struct qstate_key key;
	int		  r;

	if ((r = rcpt_remove(a, id, rcpt->index)) < 0)
		return r;
	qstate_key_rcpt(&key, id, rcpt->index);
	qstate_rcpt_encode(&a->value, rcpt);
	if ((r = put(a, &key)) < 0)
		return r;
	qstate_key_site(&key, rcpt->site, id, rcpt->index);
	return put(a, &key);
}

/* remove_rcpts - take away all recipients that are left */
static int
remove_rcpts(struct applying *a, const struct queue_id *id)
{
	struct qstate_key_parts parts;
	struct qstate_key	prefix;
	struct slice		key, value;
	int			r;

	qstate_key_rcpts_of(&prefix, id);
	for (;;) {
		r = a->s->be->seek(a->txn, qstate_key_slice(&prefix), &key,
		    &value);
		if (r == -ENOENT)
			return 0;
		if (r < 0)
			return r;
		if (!slice_has_prefix(key, qstate_key_slice(&prefix)))
			return 0;
		if (qstate_key_parse(key, &parts) == 0)
			r = rcpt_remove(a, id, parts.index);
		else
			r = a->s->be->del(a->txn, key);
		if (r < 0)
			return r;
	}
}

/* slot_update - put what is known of a slot, once changed */
static int
slot_update(struct applying *a, const struct qstate_slot *slot)
{
	struct qstate_key key;

	qstate_key_slot(&key, slot->ref);
	qstate_slot_encode(&a->value, slot);
	return put(a, &key);
}

/* slot_known - what is known of a slot; nothing if that is damaged */
static int
slot_known(struct applying *a, struct slot_ref ref,
    struct qstate_slot *ret_slot)
{
	int	r;

	r = qstate_txn_slot(a->s, a->txn, ref, ret_slot);
	if (r == -ENOENT || r == -EBADMSG) {
		*ret_slot = (struct qstate_slot){ .ref = ref };
		r = 0;
	}
	return r;
}

/* apply_finish - take a message away and remember that it was here */
static int
apply_finish(struct applying *a, const struct change *c)
{
	struct qstate_slot slot;
	struct qstate_key  key;
	int		   r;

	qstate_key_message(&key, &c->id);
	if ((r = unindex(a, &c->id)) < 0 || (r = del(a, &key)) < 0 ||
	    (r = remove_rcpts(a, &c->id)) < 0)
		return r;
	if (c->place.kind == QUEUE_PLACE_LARGE) {
		qstate_key_gone(&key, &c->id);
		return put(a, &key);
	}
	if ((r = slot_known(a, c->place.slot, &slot)) < 0)
		return r;
	slot.finished = c->id;
	slot.generation = c->generation;
	return slot_update(a, &slot);
}

/* apply_retire - a slot is out of service */
static int
apply_retire(struct applying *a, struct slot_ref ref)
{
	struct qstate_slot slot;
	int		   r;

	if ((r = slot_known(a, ref, &slot)) < 0)
		return r;
	slot.flags |= QSTATE_SLOT_RETIRED;
	return slot_update(a, &slot);
}

/* apply - one change */
static int
apply(struct applying *a, const struct change *c)
{
	struct qstate_key key;

	switch (c->kind) {
	case CHANGE_MESSAGE:
		return apply_message(a, c->message);
	case CHANGE_RCPT:
		return apply_rcpt(a, &c->id, c->rcpt);
	case CHANGE_RCPT_DONE:
		return rcpt_remove(a, &c->id, c->index);
	case CHANGE_FINISH:
		return apply_finish(a, c);
	case CHANGE_UNLINKED:
		qstate_key_gone(&key, &c->id);
		return del(a, &key);
	case CHANGE_RETIRE:
		return apply_retire(a, c->place.slot);
	case CHANGE_SLOT_ANEW:
		qstate_key_slot(&key, c->place.slot);
		return del(a, &key);
	case CHANGE_RECOVERED:
		qstate_key_meta(&key);
		buf_add_byte(&a->value, QSTATE_META_VERSION);
		buf_add_le64(&a->value, (uint64_t)c->now);
		return put(a, &key);
	case CHANGE_DOUBTS:
		qstate_key_doubts(&key);
		buf_add(&a->value, c->doubts);
		return put(a, &key);
	}
	return -EINVAL;
}

/* qstate_commit - all changes in one durable transaction */
int
qstate_commit(struct qstate *s, const struct qstate_batch *b)
{
	struct applying	a = { .s = s, .value = BUF_INIT,
			    .arena = ARENA_INIT };
	int		r;

	if (s->read_only)
		return -EROFS;
	if (atomic_load(&s->broken))
		return -EIO;
	if (b->count == 0)
		return 0;
	if ((r = s->be->begin(s->env, true, &a.txn)) < 0)
		goto out;
	for (const struct change *c = b->first; c != NULL && r == 0;
	    c = c->next)
		r = apply(&a, c);
	if (r == 0)
		r = s->be->commit(a.txn);
	else
		s->be->abort(a.txn);
out:
	/*
	 * After a failed flush nobody knows what the disk holds, and another
	 * would lie: the kernel forgets the error. A full disk is seen before.
	 */
	if (r < 0 && r != -ENOSPC)
		atomic_store(&s->broken, true);
	buf_free(&a.value);
	arena_free(&a.arena);
	return r;
}
