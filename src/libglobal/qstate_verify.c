/* SPDX-License-Identifier: ISC */
/*
 * Every record is read once, its checksum proved and its text decoded; then
 * each index entry must have its record, and each record its entries. Reading
 * goes in pieces of some hundred keys, so that no read transaction holds old
 * pages for long.
 */
#include "libglobal/qstate_backend.h"

#include <stdio.h>

#define PIECE		500
#define NAME_ROOM	160

struct verifying {
	const struct qstate	*s;
	struct qstate_txn	*txn;
	qstate_fault_fn		*fault;
	void			*arg;
	size_t			 faults;
};

/* key_name - a key as a human reads it */
static void
key_name(char out[NAME_ROOM], struct slice key)
{
	static const struct {
		enum qstate_kind	 kind;
		const char		*name;
	} kinds[] = {
		{ QSTATE_KEY_META, "description" },
		{ QSTATE_KEY_DOUBTS, "doubts" },
		{ QSTATE_KEY_MESSAGE, "message" },
		{ QSTATE_KEY_RCPT, "recipient of" },
		{ QSTATE_KEY_SLOT, "slot" },
		{ QSTATE_KEY_GONE, "finished large file" },
		{ QSTATE_KEY_BY_TIME, "time index entry of" },
		{ QSTATE_KEY_BY_SITE, "site index entry of" },
		{ QSTATE_KEY_BY_SENDER, "sender index entry of" },
		{ QSTATE_KEY_BY_LOGIN, "login index entry of" },
	};
	struct qstate_key_parts p;

	if (qstate_key_parse(key, &p) < 0) {
		(void)snprintf(out, NAME_ROOM, "unknown key of kind 0x%02x, "
		    "%zu bytes", key.len > 0 ? (unsigned char)key.data[0] : 0,
		    key.len);
		return;
	}
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (kinds[i].kind != p.kind)
			continue;
		if (p.kind == QSTATE_KEY_SLOT)
			(void)snprintf(out, NAME_ROOM, "slot %s/%08u",
			    slot_class_name(p.slot.class), p.slot.number);
		else if (p.kind == QSTATE_KEY_RCPT)
			(void)snprintf(out, NAME_ROOM, "recipient %u of %s",
			    p.index, p.id.text);
		else
			(void)snprintf(out, NAME_ROOM, "%s %s", kinds[i].name,
			    p.id.text);
	}
}

/* tell - one fault */
static void
tell(struct verifying *v, struct slice key, const char *what)
{
	char	name[NAME_ROOM], sentence[NAME_ROOM + 64];

	v->faults++;
	if (v->fault == NULL)
		return;
	key_name(name, key);
	(void)snprintf(sentence, sizeof(sentence), "%s: %s", name, what);
	v->fault(v->arg, sentence);
}

/* need_index - told each index key a record must have */
static int
need_index(void *arg, const struct qstate_key *key)
{
	struct verifying	*v = arg;
	struct slice		 value;
	int			 r;

	r = qstate_txn_get(v->s, v->txn, key, &value);
	if (r == -ENOENT)
		tell(v, qstate_key_slice(key), "is missing");
	return r == -ENOENT || r == -EBADMSG ? 0 : r;
}

/* check_rcpt - a recipient, its message, its index entry */
static int
check_rcpt(struct verifying *v, struct slice key, struct slice value,
    const struct qstate_key_parts *p)
{
	struct qstate_message m;
	struct qstate_rcpt    rcpt;
	struct qstate_key     index;
	int		      r;

	if (qstate_rcpt_decode(value, p->index, &rcpt) < 0) {
		tell(v, key, "cannot be decoded");
		return 0;
	}
	qstate_key_site(&index, rcpt.site, &p->id, p->index);
	if ((r = need_index(v, &index)) < 0)
		return r;
	if (qstate_txn_message(v->s, v->txn, &p->id, &m) == -ENOENT)
		tell(v, key, "has no message");
	return 0;
}

/* is_index_of - is this one of the record's index keys? */
static int
is_index_of(void *arg, const struct qstate_key *key)
{
	const struct slice *wanted = arg;

	return slice_equal(*wanted, qstate_key_slice(key)) ? -EEXIST : 0;
}

/* check_index - an index entry and the record it stands for */
static void
check_index(struct verifying *v, struct slice key,
    const struct qstate_key_parts *p)
{
	struct qstate_message m;
	struct qstate_rcpt    rcpt;
	struct qstate_key     want;
	bool		      held = false;

	if (p->kind == QSTATE_KEY_BY_SITE) {
		if (qstate_txn_rcpt(v->s, v->txn, &p->id, p->index,
		    &rcpt) == 0) {
			qstate_key_site(&want, rcpt.site, &p->id, p->index);
			held = slice_equal(key, qstate_key_slice(&want));
		}
	} else if (qstate_txn_message(v->s, v->txn, &p->id, &m) == 0) {
		held = qstate_each_index(&m, is_index_of, &key) == -EEXIST;
	}
	if (!held)
		tell(v, key, "has no such record");
}

/* check_one - a key and its value */
static int
check_one(struct verifying *v, struct slice key, struct slice stored)
{
	struct qstate_key_parts p;
	struct qstate_message	m;
	struct qstate_slot	slot;
	struct slice		value;

	if (qstate_key_parse(key, &p) < 0) {
		tell(v, key, "does not belong here");
		return 0;
	}
	if (qstate_unseal(key, stored, &value) < 0) {
		tell(v, key, "is damaged: its checksum does not match");
		return 0;
	}
	switch (p.kind) {
	case QSTATE_KEY_MESSAGE:
		if (qstate_message_decode(value, &p.id, &m) == 0)
			return qstate_each_index(&m, need_index, v);
		tell(v, key, "cannot be decoded");
		break;
	case QSTATE_KEY_SLOT:
		if (qstate_slot_decode(value, p.slot, &slot) < 0)
			tell(v, key, "cannot be decoded");
		break;
	case QSTATE_KEY_RCPT:
		return check_rcpt(v, key, value, &p);
	case QSTATE_KEY_BY_TIME:
	case QSTATE_KEY_BY_SITE:
	case QSTATE_KEY_BY_SENDER:
	case QSTATE_KEY_BY_LOGIN:
		check_index(v, key, &p);
		break;
	case QSTATE_KEY_META:
	case QSTATE_KEY_DOUBTS:
	case QSTATE_KEY_GONE:
		break;
	}
	return 0;
}

/* keep_key - remember where to go on */
static void
keep_key(struct qstate_key *k, struct slice key)
{
	k->len = size_min(key.len, sizeof(k->data));
	if (k->len > 0)
		memcpy(k->data, key.data, k->len);
}

/* check_piece - some keys behind the last one; -ENOENT at the end */
static int
check_piece(struct verifying *v, struct qstate_key *last)
{
	const struct qstate_backend *be = v->s->be;
	struct qstate_key	     at;
	struct slice		     key, value;
	int			     r;

	r = be->seek(v->txn, last->len > 0 ? qstate_key_slice(last) : S("\0"),
	    &key, &value);
	if (r == 0 && last->len > 0 &&
	    slice_equal(key, qstate_key_slice(last)))
		r = be->next(v->txn, &key, &value);
	for (size_t n = 0; r == 0 && n < PIECE; n++) {
		keep_key(&at, key);
		if ((r = check_one(v, key, value)) < 0)
			return r;
		*last = at;
		r = be->next(v->txn, &key, &value);
	}
	return r;
}

/* qstate_verify - prove all that is there */
int
qstate_verify(struct qstate *s, qstate_fault_fn *fault, void *arg,
    size_t *ret_faults)
{
	struct verifying	v = { s, NULL, fault, arg, 0 };
	struct qstate_key	last = { 0, "" };
	int			r = 0;

	while (r == 0) {
		if ((r = s->be->begin(s->env, false, &v.txn)) < 0)
			return r;
		r = check_piece(&v, &last);
		s->be->abort(v.txn);
	}
	if (r != -ENOENT)
		return r;
	*ret_faults = v.faults;
	return 0;
}

/* put_entry - an index entry, within a transaction */
static int
put_entry(void *arg, const struct qstate_key *key)
{
	struct verifying	*v = arg;
	struct buf		 value = BUF_INIT;
	int			 r;

	qstate_seal(&value, qstate_key_slice(key));
	r = v->s->be->put(v->txn, qstate_key_slice(key), buf_slice(&value));
	buf_free(&value);
	return r;
}

/* drop_kind - take away all keys of a kind */
static int
drop_kind(struct verifying *v, enum qstate_kind kind)
{
	const struct qstate_backend *be = v->s->be;
	struct qstate_key	     prefix, at;
	struct slice		     key, value;
	int			     r;

	qstate_key_prefix(&prefix, kind);
	for (;;) {
		r = be->seek(v->txn, qstate_key_slice(&prefix), &key, &value);
		if (r == -ENOENT || (r == 0 &&
		    !slice_has_prefix(key, qstate_key_slice(&prefix))))
			return 0;
		if (r < 0)
			return r;
		keep_key(&at, key);
		if ((r = be->del(v->txn, qstate_key_slice(&at))) < 0)
			return r;
	}
}

/* index_one - put the entries of a record; a damaged one has none */
static int
index_one(struct verifying *v, struct slice key, struct slice stored,
    struct arena *a)
{
	struct qstate_key_parts p;
	struct qstate_message	m;
	struct qstate_rcpt	rcpt;
	struct qstate_key	index;
	struct slice		value;

	if (qstate_key_parse(key, &p) < 0 ||
	    qstate_unseal(key, stored, &value) < 0)
		return 0;
	if (p.kind == QSTATE_KEY_MESSAGE &&
	    qstate_message_decode(value, &p.id, &m) == 0) {
		qstate_message_dup(a, &m);
		return qstate_each_index(&m, put_entry, v);
	}
	if (p.kind == QSTATE_KEY_RCPT &&
	    qstate_rcpt_decode(value, p.index, &rcpt) == 0) {
		qstate_key_site(&index, rcpt.site, &p.id, p.index);
		return put_entry(v, &index);
	}
	return 0;
}

/* index_kind - put the entries of all records of a kind */
static int
index_kind(struct verifying *v, enum qstate_kind kind)
{
	const struct qstate_backend *be = v->s->be;
	struct arena		     a = ARENA_INIT;
	struct qstate_key	     prefix, at;
	struct slice		     key, value;
	int			     r;

	qstate_key_prefix(&prefix, kind);
	at = prefix;
	for (;;) {
		/* changes move the cursor, so it is set anew each time */
		r = be->seek(v->txn, qstate_key_slice(&at), &key, &value);
		if (r == 0 && slice_equal(key, qstate_key_slice(&at)))
			r = be->next(v->txn, &key, &value);
		if (r < 0 || !slice_has_prefix(key, qstate_key_slice(&prefix)))
			break;
		keep_key(&at, key);
		if ((r = index_one(v, key, value, &a)) < 0)
			break;
		arena_reset(&a);
	}
	arena_free(&a);
	return r == -ENOENT ? 0 : r;
}

/* qstate_reindex - make the indexes anew */
int
qstate_reindex(struct qstate *s)
{
	static const enum qstate_kind indexes[] = { QSTATE_KEY_BY_TIME,
	    QSTATE_KEY_BY_SITE, QSTATE_KEY_BY_SENDER, QSTATE_KEY_BY_LOGIN };
	struct verifying v = { .s = s };
	int		 r;

	if (s->read_only)
		return -EROFS;
	if (atomic_load(&s->broken))
		return -EIO;
	if ((r = s->be->begin(s->env, true, &v.txn)) < 0)
		return r;
	for (size_t i = 0; i < COUNT(indexes) && r == 0; i++)
		r = drop_kind(&v, indexes[i]);
	if (r == 0)
		r = index_kind(&v, QSTATE_KEY_MESSAGE);
	if (r == 0)
		r = index_kind(&v, QSTATE_KEY_RCPT);
	if (r < 0) {
		s->be->abort(v.txn);
		return r;
	}
	if ((r = s->be->commit(v.txn)) < 0 && r != -ENOSPC)
		atomic_store(&s->broken, true);
	return r;
}
