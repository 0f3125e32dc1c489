/* SPDX-License-Identifier: ISC */
/*
 * Keys sort as bytes, so numbers in them are big endian. Texts and ids end in
 * a NUL, which neither contains (a NUL in a text ends it), so that no key is
 * the beginning of another of its kind and a prefix with its NUL names exactly
 * one id or text.
 */
#include "libglobal/qstate_record.h"

#include <stdio.h>

#include "libutil/cursor.h"

_Static_assert(1 + QSTATE_INDEX_TEXT_MAX + 1 + QUEUE_ID_MAX + 1 + 4 <=
    QSTATE_KEY_MAX, "the longest key has room");

/* begin - an empty key of a kind */
static void
begin(struct qstate_key *k, enum qstate_kind kind)
{
	k->data[0] = (char)kind;
	k->len = 1;
}

/* add - bytes at the end; room was proved above */
static void
add(struct qstate_key *k, struct slice s)
{
	s = slice_sub(s, 0, sizeof(k->data) - k->len);
	if (s.len > 0)
		memcpy(k->data + k->len, s.data, s.len);
	k->len += s.len;
}

/* add_be - the low n bytes of a number, highest first */
static void
add_be(struct qstate_key *k, uint64_t value, size_t n)
{
	char	bytes[8];

	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(value >> (8 * (n - 1 - i)));
	add(k, slice_over(bytes, n));
}

/* lower_sum - the checksum of a text in lower case */
static uint32_t
lower_sum(struct slice text)
{
	uint32_t	crc = 0;
	char		c;

	for (size_t i = 0; i < text.len; i++) {
		c = ascii_lower(text.data[i]);
		crc = qformat_crc(crc, slice_over(&c, 1));
	}
	return crc;
}

/* add_text - an indexed text and the NUL behind it */
static void
add_text(struct qstate_key *k, struct slice text)
{
	char	tail[16];
	size_t	at = k->len, n = 0;

	text = slice_sub(text, 0, size_min(slice_find(text, '\0'), text.len));
	if (text.len > QSTATE_INDEX_TEXT_MAX) {
		n = (size_t)snprintf(tail, sizeof(tail), "~%08x",
		    lower_sum(text));
		text = slice_sub(text, 0, QSTATE_INDEX_TEXT_MAX - n);
	}
	add(k, text);
	for (; at < k->len; at++)
		k->data[at] = ascii_lower(k->data[at]);
	add(k, slice_over(tail, n));
	add(k, slice_over("", 1));
}

/* qstate_key_meta - the one record about the state itself */
void
qstate_key_meta(struct qstate_key *k)
{
	begin(k, QSTATE_KEY_META);
}

/* qstate_key_doubts - the one record of doubts */
void
qstate_key_doubts(struct qstate_key *k)
{
	begin(k, QSTATE_KEY_DOUBTS);
}

/* qstate_key_message - a message */
void
qstate_key_message(struct qstate_key *k, const struct queue_id *id)
{
	begin(k, QSTATE_KEY_MESSAGE);
	add(k, queue_id_text(id));
}

/* qstate_key_rcpts_of - what the keys of a message's recipients begin with */
void
qstate_key_rcpts_of(struct qstate_key *k, const struct queue_id *id)
{
	begin(k, QSTATE_KEY_RCPT);
	add(k, queue_id_text(id));
	add(k, slice_over("", 1));
}

/* qstate_key_rcpt - a recipient */
void
qstate_key_rcpt(struct qstate_key *k, const struct queue_id *id,
    uint32_t index)
{
	qstate_key_rcpts_of(k, id);
	add_be(k, index, 4);
}

/* qstate_key_slot - a slot */
void
qstate_key_slot(struct qstate_key *k, struct slot_ref ref)
{
	begin(k, QSTATE_KEY_SLOT);
	add_be(k, ref.class, 1);
	add_be(k, ref.number, 4);
}

/* qstate_key_gone - a finished large file */
void
qstate_key_gone(struct qstate_key *k, const struct queue_id *id)
{
	begin(k, QSTATE_KEY_GONE);
	add(k, queue_id_text(id));
}

/* qstate_key_time - a message by its next time */
void
qstate_key_time(struct qstate_key *k, int64_t time, const struct queue_id *id)
{
	begin(k, QSTATE_KEY_BY_TIME);
	add_be(k, time < 0 ? 0 : (uint64_t)time, 8);
	add(k, queue_id_text(id));
}

/* qstate_key_text_prefix - what the index keys of a text begin with */
void
qstate_key_text_prefix(struct qstate_key *k, enum qstate_kind kind,
    struct slice text)
{
	begin(k, kind);
	add_text(k, text);
}

/* qstate_key_text - a message by its sender or login */
void
qstate_key_text(struct qstate_key *k, enum qstate_kind kind,
    struct slice text, const struct queue_id *id)
{
	qstate_key_text_prefix(k, kind, text);
	add(k, queue_id_text(id));
}

/* qstate_key_site - a recipient by its site */
void
qstate_key_site(struct qstate_key *k, struct slice site,
    const struct queue_id *id, uint32_t index)
{
	qstate_key_text(k, QSTATE_KEY_BY_SITE, site, id);
	add(k, slice_over("", 1));
	add_be(k, index, 4);
}

/* qstate_key_prefix - what all keys of a kind begin with */
void
qstate_key_prefix(struct qstate_key *k, enum qstate_kind kind)
{
	begin(k, kind);
}

/* take_be - a number of n bytes */
static int
take_be(struct cursor *c, size_t n, uint64_t *ret_value)
{
	struct slice	bytes;
	uint64_t	v = 0;

	if (cursor_bytes(c, n, &bytes) < 0)
		return -EBADMSG;
	for (struct cursor b = cursor_over(bytes); !cursor_at_end(&b);)
		v = v << 8 | (uint64_t)cursor_byte(&b);
	*ret_value = v;
	return 0;
}

/* take_text - up to a NUL, and the NUL */
static int
take_text(struct cursor *c, struct slice *ret_text)
{
	struct slice	text = cursor_take_until(c, '\0');

	if (!cursor_skip_byte(c, '\0'))
		return -EBADMSG;
	*ret_text = text;
	return 0;
}

/* take_index - a recipient's number */
static int
take_index(struct cursor *c, uint32_t *ret_index)
{
	uint64_t	v;

	if (take_be(c, 4, &v) < 0)
		return -EBADMSG;
	*ret_index = (uint32_t)v;
	return 0;
}

/* slot_parse - class and number */
static int
slot_parse(struct cursor *c, struct slot_ref *ret_ref)
{
	uint64_t	class, number;

	if (take_be(c, 1, &class) < 0 || take_be(c, 4, &number) < 0 ||
	    class >= SLOT_CLASSES || number > SLOT_NUMBER_MAX)
		return -EBADMSG;
	*ret_ref = (struct slot_ref){ (uint8_t)class, (uint32_t)number };
	return 0;
}

/* rest_parse - what stands behind the kind, but for the slot's key */
static int
rest_parse(struct cursor *c, struct qstate_key_parts *p)
{
	struct slice	id;
	uint64_t	time;

	if (p->kind == QSTATE_KEY_BY_TIME) {
		if (take_be(c, 8, &time) < 0 || time > INT64_MAX)
			return -EBADMSG;
		p->time = (int64_t)time;
	}
	if ((p->kind == QSTATE_KEY_BY_SITE || p->kind == QSTATE_KEY_BY_SENDER ||
	    p->kind == QSTATE_KEY_BY_LOGIN) && take_text(c, &p->text) < 0)
		return -EBADMSG;
	if (p->kind == QSTATE_KEY_RCPT || p->kind == QSTATE_KEY_BY_SITE) {
		if (take_text(c, &id) < 0 || take_index(c, &p->index) < 0)
			return -EBADMSG;
	} else {
		id = cursor_take(c, cursor_left(c));
	}
	return queue_id_parse(id, &p->id);
}

/* qstate_key_parse - what a key names */
int
qstate_key_parse(struct slice key, struct qstate_key_parts *ret_parts)
{
	struct qstate_key_parts p = { .id = QUEUE_ID_INIT };
	struct cursor		c = cursor_over(key);
	int			kind = cursor_byte(&c), r = -EBADMSG;

	switch (kind) {
	case QSTATE_KEY_META:
	case QSTATE_KEY_DOUBTS:
		r = 0;
		break;
	case QSTATE_KEY_SLOT:
		r = slot_parse(&c, &p.slot);
		break;
	case QSTATE_KEY_MESSAGE:
	case QSTATE_KEY_RCPT:
	case QSTATE_KEY_GONE:
	case QSTATE_KEY_BY_TIME:
	case QSTATE_KEY_BY_SITE:
	case QSTATE_KEY_BY_SENDER:
	case QSTATE_KEY_BY_LOGIN:
		p.kind = (enum qstate_kind)kind;
		r = rest_parse(&c, &p);
		break;
	}
	if (r < 0 || !cursor_at_end(&c))
		return -EBADMSG;
	p.kind = (enum qstate_kind)kind;
	*ret_parts = p;
	return 0;
}
