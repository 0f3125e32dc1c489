/* SPDX-License-Identifier: ISC */
/*
 * Reads: each is one short read transaction. Indexes only suggest: what they
 * say is believed once the record itself was read, so a stale or damaged
 * index entry costs a look and no more. A walk remembers the last key it told
 * and goes on behind it, whatever changed meanwhile.
 */
#include "libglobal/qstate_backend.h"

#include <stdlib.h>

#include "libutil/alloc.h"
#include "libutil/cursor.h"

/* qstate_txn_get - a value whose checksum holds */
int
qstate_txn_get(const struct qstate *s, struct qstate_txn *txn,
    const struct qstate_key *key, struct slice *ret_value)
{
	struct slice	stored;
	int		r;

	r = s->be->get(txn, qstate_key_slice(key), &stored);
	return r < 0 ? r : qstate_unseal(qstate_key_slice(key), stored,
	    ret_value);
}

/* qstate_txn_message - the record of a message */
int
qstate_txn_message(const struct qstate *s, struct qstate_txn *txn,
    const struct queue_id *id, struct qstate_message *ret_message)
{
	struct qstate_key key;
	struct slice	  value;
	int		  r;

	qstate_key_message(&key, id);
	if ((r = qstate_txn_get(s, txn, &key, &value)) < 0)
		return r;
	return qstate_message_decode(value, id, ret_message);
}

/* qstate_txn_rcpt - the record of a recipient */
int
qstate_txn_rcpt(const struct qstate *s, struct qstate_txn *txn,
    const struct queue_id *id, uint32_t index, struct qstate_rcpt *ret_rcpt)
{
	struct qstate_key key;
	struct slice	  value;
	int		  r;

	qstate_key_rcpt(&key, id, index);
	if ((r = qstate_txn_get(s, txn, &key, &value)) < 0)
		return r;
	return qstate_rcpt_decode(value, index, ret_rcpt);
}

/* qstate_txn_slot - the record of a slot */
int
qstate_txn_slot(const struct qstate *s, struct qstate_txn *txn,
    struct slot_ref ref, struct qstate_slot *ret_slot)
{
	struct qstate_key key;
	struct slice	  value;
	int		  r;

	qstate_key_slot(&key, ref);
	if ((r = qstate_txn_get(s, txn, &key, &value)) < 0)
		return r;
	return qstate_slot_decode(value, ref, ret_slot);
}

/* qstate_each_index - the index keys of a message */
int
qstate_each_index(const struct qstate_message *m,
    int (*fn)(void *arg, const struct qstate_key *key), void *arg)
{
	struct qstate_key key;
	int		  r = 0;

	if (m->queue == QSTATE_DEFERRED) {
		qstate_key_time(&key, m->next, &m->id);
		r = fn(arg, &key);
	}
	if (r == 0) {
		qstate_key_text(&key, QSTATE_KEY_BY_SENDER, m->sender, &m->id);
		r = fn(arg, &key);
	}
	if (r == 0 && m->login.len > 0) {
		qstate_key_text(&key, QSTATE_KEY_BY_LOGIN, m->login, &m->id);
		r = fn(arg, &key);
	}
	return r;
}

/* meta_check - is it a state of ours, and has recovery been done? */
static int
meta_check(struct qstate *s, bool *ret_fresh)
{
	struct qstate_txn *txn;
	struct qstate_key  key;
	struct slice	   value;
	struct cursor	   c;
	int		   r, version;

	if ((r = s->be->begin(s->env, false, &txn)) < 0)
		return r;
	qstate_key_meta(&key);
	r = qstate_txn_get(s, txn, &key, &value);
	*ret_fresh = r == -ENOENT;
	if (r == -ENOENT) {
		r = 0;
	} else if (r == 0) {
		c = cursor_over(value);
		version = cursor_byte(&c);
		if (version != QSTATE_META_VERSION)
			r = version > QSTATE_META_VERSION ? -EPROTONOSUPPORT :
			    -EBADMSG;
	}
	s->be->abort(txn);
	return r;
}

/* qstate_attach - a state over an open back end */
int
qstate_attach(const struct qstate_backend *be, void *env, bool read_only,
    struct qstate **ret_state)
{
	struct qstate	*s = NEW(struct qstate);
	bool		 fresh;
	int		 r;

	s->be = be;
	s->env = env;
	s->read_only = read_only;
	if ((r = meta_check(s, &fresh)) < 0) {
		free(s);
		return r;
	}
	*ret_state = s;
	return 0;
}

/* qstate_close - let go of the state */
void
qstate_close(struct qstate **state_take)
{
	struct qstate	*s = *state_take;

	*state_take = NULL;
	if (s == NULL)
		return;
	s->be->close(s->env);
	free(s);
}

/* qstate_is_fresh - has recovery not been done yet? */
int
qstate_is_fresh(struct qstate *s, bool *ret_fresh)
{
	return meta_check(s, ret_fresh);
}

/* qstate_get - a message, its texts copied */
int
qstate_get(struct qstate *s, const struct queue_id *id, struct arena *a,
    struct qstate_message *ret_message)
{
	struct qstate_txn *txn;
	int		   r;

	if ((r = s->be->begin(s->env, false, &txn)) < 0)
		return r;
	if ((r = qstate_txn_message(s, txn, id, ret_message)) == 0)
		qstate_message_dup(a, ret_message);
	s->be->abort(txn);
	return r;
}

/* qstate_doubts - the bytes of the doubts, copied */
int
qstate_doubts(struct qstate *s, struct arena *a, struct slice *ret_doubts)
{
	struct qstate_txn *txn;
	struct qstate_key  key;
	struct slice	   value;
	int		   r;

	if ((r = s->be->begin(s->env, false, &txn)) < 0)
		return r;
	qstate_key_doubts(&key);
	if ((r = qstate_txn_get(s, txn, &key, &value)) == 0)
		*ret_doubts = arena_dup(a, value);
	s->be->abort(txn);
	return r;
}

/* qstate_slot_get - what is known of a slot */
int
qstate_slot_get(struct qstate *s, struct slot_ref ref,
    struct qstate_slot *ret_slot)
{
	struct qstate_txn *txn;
	int		   r;

	if ((r = s->be->begin(s->env, false, &txn)) < 0)
		return r;
	r = qstate_txn_slot(s, txn, ref, ret_slot);
	s->be->abort(txn);
	return r;
}

/* qstate_is_gone - is a large file finished? */
int
qstate_is_gone(struct qstate *s, const struct queue_id *id)
{
	struct qstate_txn *txn;
	struct qstate_key  key;
	struct slice	   value;
	int		   r;

	if ((r = s->be->begin(s->env, false, &txn)) < 0)
		return r;
	qstate_key_gone(&key, id);
	r = qstate_txn_get(s, txn, &key, &value);
	s->be->abort(txn);
	return r;
}

/* a walk over the keys that begin with a prefix */
struct range {
	const struct qstate	*s;
	struct qstate_txn	*txn;
	struct slice		 prefix;
	struct slice		 key;	/* where it is */
	struct slice		 value;
	int			 r;	/* 0: key and value are valid */
};

/* range_check - past the prefix is the end */
static bool
range_check(struct range *g)
{
	if (g->r == 0 && !slice_has_prefix(g->key, g->prefix))
		g->r = -ENOENT;
	return g->r == 0;
}

/* range_begin - the first key of the prefix that is behind `last` */
static bool
range_begin(struct range *g, struct slice last)
{
	bool	go_on = last.len > 0;

	g->r = g->s->be->seek(g->txn, go_on ? last : g->prefix, &g->key,
	    &g->value);
	if (g->r == 0 && go_on && slice_equal(g->key, last))
		g->r = g->s->be->next(g->txn, &g->key, &g->value);
	return range_check(g);
}

/* range_next - the following key */
static bool
range_next(struct range *g)
{
	g->r = g->s->be->next(g->txn, &g->key, &g->value);
	return range_check(g);
}

/* range_end - the end of a range is no failure */
static int
range_end(struct range *g)
{
	int	r = g->r == -ENOENT ? 0 : g->r;

	g->s->be->abort(g->txn);
	return r;
}

/* note - remember in a walk where it is */
static void
note(struct qstate_walk *w, struct slice key)
{
	w->last.len = size_min(key.len, sizeof(w->last.data));
	memcpy(w->last.data, key.data, w->last.len);
}

/* qstate_rcpts - unfinished recipients of a message */
int
qstate_rcpts(struct qstate *s, const struct queue_id *id, uint32_t from,
    size_t max, struct arena *a, struct qstate_rcpt **ret_rcpts,
    size_t *ret_count, size_t *ret_damaged)
{
	struct qstate_rcpt     *rcpts = ARENA_ARRAY(a, struct qstate_rcpt, max);
	struct qstate_key	first, prefix;
	struct qstate_key_parts parts;
	struct slice		value;
	size_t			count = 0, damaged = 0;
	struct range		g = { .s = s };
	int			r;

	qstate_key_rcpts_of(&prefix, id);
	qstate_key_rcpt(&first, id, from);
	g.prefix = qstate_key_slice(&prefix);
	if ((r = s->be->begin(s->env, false, &g.txn)) < 0)
		return r;
	g.r = s->be->seek(g.txn, qstate_key_slice(&first), &g.key, &g.value);
	for (bool more = range_check(&g); more && count < max;
	    more = range_next(&g)) {
		if (qstate_key_parse(g.key, &parts) < 0 ||
		    qstate_unseal(g.key, g.value, &value) < 0 ||
		    qstate_rcpt_decode(value, parts.index,
		    &rcpts[count]) < 0) {
			damaged++;
			continue;
		}
		qstate_rcpt_dup(a, &rcpts[count++]);
	}
	if ((r = range_end(&g)) < 0)
		return r;
	*ret_rcpts = rcpts;
	*ret_count = count;
	if (ret_damaged != NULL)
		*ret_damaged = damaged;
	return 0;
}

/* qstate_due - deferred messages whose time has come */
int
qstate_due(struct qstate *s, struct qstate_walk *w, int64_t now,
    struct queue_id *ret_ids, size_t max, size_t *ret_count)
{
	struct qstate_key_parts parts;
	struct qstate_key	prefix;
	struct range		g = { .s = s };
	size_t			count = 0;
	int			r;

	qstate_key_prefix(&prefix, QSTATE_KEY_BY_TIME);
	g.prefix = qstate_key_slice(&prefix);
	if ((r = s->be->begin(s->env, false, &g.txn)) < 0)
		return r;
	w->done = true;
	for (bool more = range_begin(&g, qstate_key_slice(&w->last)); more;
	    more = range_next(&g)) {
		if (qstate_key_parse(g.key, &parts) < 0)
			continue;
		if (parts.time > now)
			break;
		if (count == max) {
			w->done = false;
			break;
		}
		ret_ids[count++] = parts.id;
		note(w, g.key);
	}
	if ((r = range_end(&g)) == 0)
		*ret_count = count;
	return r;
}

/* qstate_next_due - when the next deferred message is due */
int
qstate_next_due(struct qstate *s, const struct qstate_walk *w,
    int64_t *ret_time)
{
	struct qstate_key_parts parts;
	struct qstate_key	prefix;
	struct range		g = { .s = s };
	int			r, found = -ENOENT;

	qstate_key_prefix(&prefix, QSTATE_KEY_BY_TIME);
	g.prefix = qstate_key_slice(&prefix);
	if ((r = s->be->begin(s->env, false, &g.txn)) < 0)
		return r;
	for (bool more = range_begin(&g, w == NULL ? SLICE_EMPTY :
	    qstate_key_slice(&w->last)); more && found < 0;
	    more = range_next(&g))
		if (qstate_key_parse(g.key, &parts) == 0) {
			*ret_time = parts.time;
			found = 0;
		}
	r = range_end(&g);
	return r < 0 ? r : found;
}

/* list_prefix - what the keys that a filter names begin with */
static void
list_prefix(const struct qstate_filter *f, struct qstate_key *ret_prefix)
{
	if (f->kind == QSTATE_KEY_BY_SITE || f->kind == QSTATE_KEY_BY_SENDER ||
	    f->kind == QSTATE_KEY_BY_LOGIN)
		qstate_key_text_prefix(ret_prefix, f->kind, f->text);
	else
		qstate_key_prefix(ret_prefix, f->kind);
}

/* note_id - remember a key; of a message with many recipients at one site
 * only the first one is told: go on behind the last */
static void
note_id(struct qstate_walk *w, const struct qstate_filter *f,
    const struct qstate_key *prefix, const struct queue_id *id)
{
	struct slice	text = queue_id_text(id);

	memcpy(w->last.data, prefix->data, prefix->len);
	memcpy(w->last.data + prefix->len, text.data, text.len);
	w->last.len = prefix->len + text.len;
	if (f->kind == QSTATE_KEY_BY_SITE)
		w->last.data[w->last.len++] = '\1';
}

/* qstate_list - messages that a filter names */
int
qstate_list(struct qstate *s, const struct qstate_filter *f,
    struct qstate_walk *w, struct queue_id *ret_ids, size_t max,
    size_t *ret_count)
{
	struct qstate_key_parts parts;
	struct qstate_key	prefix;
	struct range		g = { .s = s };
	size_t			count = 0;
	bool			more;
	int			r;

	list_prefix(f, &prefix);
	g.prefix = qstate_key_slice(&prefix);
	if ((r = s->be->begin(s->env, false, &g.txn)) < 0)
		return r;
	more = range_begin(&g, qstate_key_slice(&w->last));
	while (more && count < max) {
		if (qstate_key_parse(g.key, &parts) < 0) {
			more = range_next(&g);
			continue;
		}
		ret_ids[count++] = parts.id;
		if (f->kind == QSTATE_KEY_BY_SITE) {
			note_id(w, f, &prefix, &parts.id);
			more = range_begin(&g, qstate_key_slice(&w->last));
		} else {
			note(w, g.key);
			more = range_next(&g);
		}
	}
	w->done = !more;
	if ((r = range_end(&g)) == 0)
		*ret_count = count;
	return r;
}

/* qstate_slots - what is known of slots */
int
qstate_slots(struct qstate *s, struct qstate_walk *w,
    struct qstate_slot *ret_slots, size_t max, size_t *ret_count)
{
	struct qstate_key_parts parts;
	struct qstate_key	prefix;
	struct range		g = { .s = s };
	struct slice		value;
	size_t			count = 0;
	bool			more;
	int			r;

	qstate_key_prefix(&prefix, QSTATE_KEY_SLOT);
	g.prefix = qstate_key_slice(&prefix);
	if ((r = s->be->begin(s->env, false, &g.txn)) < 0)
		return r;
	for (more = range_begin(&g, qstate_key_slice(&w->last));
	    more && count < max; more = range_next(&g)) {
		note(w, g.key);
		if (qstate_key_parse(g.key, &parts) == 0 &&
		    qstate_unseal(g.key, g.value, &value) == 0 &&
		    qstate_slot_decode(value, parts.slot,
		    &ret_slots[count]) == 0)
			count++;
	}
	w->done = !more;
	if ((r = range_end(&g)) == 0)
		*ret_count = count;
	return r;
}

/* qstate_gone - finished large files */
int
qstate_gone(struct qstate *s, struct qstate_walk *w, struct queue_id *ret_ids,
    size_t max, size_t *ret_count)
{
	const struct qstate_filter f = { QSTATE_KEY_GONE, SLICE_EMPTY };

	return qstate_list(s, &f, w, ret_ids, max, ret_count);
}
