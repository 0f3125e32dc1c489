/* SPDX-License-Identifier: ISC */
/*
 * A value is a version byte, fixed fields in little endian, then texts, each
 * with a 16-bit length before it. Changing a layout means a new version; the
 * decoder of this one refuses it.
 */
#include "libglobal/qstate_record.h"

#include "libutil/cursor.h"

#define VERSION		1
#define FLAGS_KNOWN	(QSTATE_EXPIRE | QSTATE_WARNED | QSTATE_RECOVERED | \
			 QSTATE_NO_SENDER | QSTATE_NOTICED)

/* text_encode - a text, cut to what is kept */
static void
text_encode(struct buf *out, struct slice text, size_t max)
{
	text = slice_sub(text, 0, max);
	buf_add_le16(out, (uint16_t)text.len);
	buf_add(out, text);
}

/* text_decode - a text of at most max bytes */
static int
text_decode(struct cursor *c, size_t max, struct slice *ret_text)
{
	uint16_t	len;

	if (cursor_le16(c, &len) < 0 || len > max)
		return -EBADMSG;
	return cursor_bytes(c, len, ret_text);
}

/* version_decode - the byte in front */
static int
version_decode(struct cursor *c)
{
	int	version = cursor_byte(c);

	if (version == VERSION)
		return 0;
	return version > VERSION ? -EPROTONOSUPPORT : -EBADMSG;
}

/* time_decode - a time: no earlier than 1970 */
static int
time_decode(struct cursor *c, int64_t *ret_time)
{
	uint64_t	v;

	if (cursor_le64(c, &v) < 0 || v > INT64_MAX)
		return -EBADMSG;
	*ret_time = (int64_t)v;
	return 0;
}

/* place_encode - where a message lies */
static void
place_encode(struct buf *out, struct queue_place p)
{
	buf_add_byte(out, (char)p.kind);
	buf_add_byte(out, (char)p.slot.class);
	buf_add_le32(out, p.slot.number);
}

/* place_decode - where a message lies */
static int
place_decode(struct cursor *c, struct queue_place *ret_place)
{
	int		kind = cursor_byte(c), class = cursor_byte(c);
	uint32_t	number;

	if (cursor_le32(c, &number) < 0)
		return -EBADMSG;
	if (kind == QUEUE_PLACE_LARGE && class == 0 && number == 0) {
		*ret_place = QUEUE_PLACE_IN_LARGE;
		return 0;
	}
	if (kind != QUEUE_PLACE_SLOT || class < 0 || class >= SLOT_CLASSES ||
	    number > SLOT_NUMBER_MAX)
		return -EBADMSG;
	*ret_place = QUEUE_PLACE_IN_SLOT(
	    ((struct slot_ref){ (uint8_t)class, number }));
	return 0;
}

/* qstate_message_encode - a message as stored */
void
qstate_message_encode(struct buf *out, const struct qstate_message *m)
{
	buf_add_byte(out, VERSION);
	buf_add_byte(out, (char)m->queue);
	buf_add_le32(out, m->flags);
	place_encode(out, m->place);
	buf_add_le64(out, m->generation);
	buf_add_le64(out, (uint64_t)m->arrival);
	buf_add_le64(out, (uint64_t)m->next);
	buf_add_le64(out, (uint64_t)m->expiry);
	buf_add_le32(out, m->attempts);
	buf_add_le64(out, m->size);
	buf_add_le32(out, m->rcpt_count);
	text_encode(out, m->sender, QSTATE_ADDRESS_MAX);
	text_encode(out, m->login, QSTATE_ADDRESS_MAX);
	text_encode(out, m->reason, QSTATE_TEXT_MAX);
}

/* qstate_message_decode - a message as stored */
int
qstate_message_decode(struct slice in, const struct queue_id *id,
    struct qstate_message *ret_message)
{
	struct qstate_message m = { .id = *id };
	struct cursor	      c = cursor_over(in);
	int		      r, queue;

	if ((r = version_decode(&c)) < 0)
		return r;
	queue = cursor_byte(&c);
	if (queue < QSTATE_ACTIVE || queue > QSTATE_HOLD)
		return -EBADMSG;
	m.queue = (uint8_t)queue;
	if (cursor_le32(&c, &m.flags) < 0 || (m.flags & ~FLAGS_KNOWN) != 0 ||
	    place_decode(&c, &m.place) < 0 ||
	    cursor_le64(&c, &m.generation) < 0 ||
	    time_decode(&c, &m.arrival) < 0 || time_decode(&c, &m.next) < 0 ||
	    time_decode(&c, &m.expiry) < 0 ||
	    cursor_le32(&c, &m.attempts) < 0 || cursor_le64(&c, &m.size) < 0 ||
	    cursor_le32(&c, &m.rcpt_count) < 0 ||
	    text_decode(&c, QSTATE_ADDRESS_MAX, &m.sender) < 0 ||
	    text_decode(&c, QSTATE_ADDRESS_MAX, &m.login) < 0 ||
	    text_decode(&c, QSTATE_TEXT_MAX, &m.reason) < 0 ||
	    !cursor_at_end(&c))
		return -EBADMSG;
	*ret_message = m;
	return 0;
}

/* qstate_rcpt_encode - a recipient as stored */
void
qstate_rcpt_encode(struct buf *out, const struct qstate_rcpt *r)
{
	buf_add_byte(out, VERSION);
	buf_add_le32(out, r->attempts);
	buf_add_le64(out, (uint64_t)r->last_try);
	text_encode(out, r->address, QSTATE_ADDRESS_MAX);
	text_encode(out, r->original, QSTATE_ADDRESS_MAX);
	text_encode(out, r->site, QSTATE_ADDRESS_MAX);
	text_encode(out, r->transport, QSTATE_ADDRESS_MAX);
	text_encode(out, r->nexthop, QSTATE_ADDRESS_MAX);
	text_encode(out, r->status, QSTATE_ADDRESS_MAX);
	text_encode(out, r->reason, QSTATE_TEXT_MAX);
	text_encode(out, r->remote, QSTATE_ADDRESS_MAX);
}

/* qstate_rcpt_decode - a recipient as stored */
int
qstate_rcpt_decode(struct slice in, uint32_t index,
    struct qstate_rcpt *ret_rcpt)
{
	struct qstate_rcpt rcpt = { .index = index };
	struct cursor	   c = cursor_over(in);
	int		   r;

	if ((r = version_decode(&c)) < 0)
		return r;
	if (cursor_le32(&c, &rcpt.attempts) < 0 ||
	    time_decode(&c, &rcpt.last_try) < 0 ||
	    text_decode(&c, QSTATE_ADDRESS_MAX, &rcpt.address) < 0 ||
	    text_decode(&c, QSTATE_ADDRESS_MAX, &rcpt.original) < 0 ||
	    text_decode(&c, QSTATE_ADDRESS_MAX, &rcpt.site) < 0 ||
	    text_decode(&c, QSTATE_ADDRESS_MAX, &rcpt.transport) < 0 ||
	    text_decode(&c, QSTATE_ADDRESS_MAX, &rcpt.nexthop) < 0 ||
	    text_decode(&c, QSTATE_ADDRESS_MAX, &rcpt.status) < 0 ||
	    text_decode(&c, QSTATE_TEXT_MAX, &rcpt.reason) < 0 ||
	    text_decode(&c, QSTATE_ADDRESS_MAX, &rcpt.remote) < 0 ||
	    !cursor_at_end(&c))
		return -EBADMSG;
	*ret_rcpt = rcpt;
	return 0;
}

/* qstate_slot_encode - a slot as stored */
void
qstate_slot_encode(struct buf *out, const struct qstate_slot *s)
{
	buf_add_byte(out, VERSION);
	buf_add_le32(out, s->flags);
	buf_add_le64(out, s->generation);
	text_encode(out, queue_id_text(&s->finished), QUEUE_ID_MAX);
}

/* qstate_slot_decode - a slot as stored */
int
qstate_slot_decode(struct slice in, struct slot_ref ref,
    struct qstate_slot *ret_slot)
{
	struct qstate_slot s = { .ref = ref, .finished = QUEUE_ID_INIT };
	struct cursor	   c = cursor_over(in);
	struct slice	   id;
	int		   r;

	if ((r = version_decode(&c)) < 0)
		return r;
	if (cursor_le32(&c, &s.flags) < 0 ||
	    (s.flags & ~(uint32_t)QSTATE_SLOT_RETIRED) != 0 ||
	    cursor_le64(&c, &s.generation) < 0 ||
	    text_decode(&c, QUEUE_ID_MAX, &id) < 0 || !cursor_at_end(&c))
		return -EBADMSG;
	if (id.len > 0 && queue_id_parse(id, &s.finished) < 0)
		return -EBADMSG;
	*ret_slot = s;
	return 0;
}

/* sum - the checksum of a value under its key */
static uint32_t
sum(struct slice key, struct slice value)
{
	return qformat_crc(qformat_crc(0, key), value);
}

/* qstate_seal - end a value with its checksum */
void
qstate_seal(struct buf *b, struct slice key)
{
	buf_add_le32(b, sum(key, buf_slice(b)));
}

/* qstate_unseal - a stored value without its checksum, if that holds */
int
qstate_unseal(struct slice key, struct slice stored, struct slice *ret_value)
{
	struct slice	value;
	struct cursor	c;
	uint32_t	crc;

	if (stored.len < sizeof(crc))
		return -EBADMSG;
	value = slice_sub(stored, 0, stored.len - sizeof(crc));
	c = cursor_over(slice_from(stored, value.len));
	if (cursor_le32(&c, &crc) < 0 || crc != sum(key, value))
		return -EBADMSG;
	*ret_value = value;
	return 0;
}

/* qstate_message_dup - move a message's texts to the arena */
void
qstate_message_dup(struct arena *a, struct qstate_message *m)
{
	m->sender = arena_dup(a, m->sender);
	m->login = arena_dup(a, m->login);
	m->reason = arena_dup(a, m->reason);
}

/* qstate_rcpt_dup - move a recipient's texts to the arena */
void
qstate_rcpt_dup(struct arena *a, struct qstate_rcpt *r)
{
	r->address = arena_dup(a, r->address);
	r->original = arena_dup(a, r->original);
	r->site = arena_dup(a, r->site);
	r->transport = arena_dup(a, r->transport);
	r->nexthop = arena_dup(a, r->nexthop);
	r->status = arena_dup(a, r->status);
	r->reason = arena_dup(a, r->reason);
	r->remote = arena_dup(a, r->remote);
}
