/* SPDX-License-Identifier: ISC */
/*
 * A fixed head, then the keys, little endian:
 *
 *	u8 version, u8 level, u64 time_us, u32 pid, t8 program, t8 event name,
 *	t16 wording, u8 context keys, u8 event keys, and for each key
 *	u8 type, t8 key, and t16 (a string) or u64 (any other type)
 *
 * where t8 and t16 are a length of that size and so many bytes. Sender and
 * reader are of the same installation, so another version is refused.
 */
#include "libutil/log_wire.h"

#include <limits.h>

#include "libutil/arena.h"
#include "libutil/buf.h"
#include "libutil/cursor.h"
#include "libutil/utf8.h"

#define VERSION		1
#define KEY_MAX		64
#define NAME_MAX_LEN	64
#define PROGRAM_MAX	128
#define WORDING_MAX	1024
/* one character more than is printed, so that the reader sees it was cut */
#define WIRE_VALUE_MAX	(LOG_VALUE_MAX + 4)

/* writing */

/* put_text8 - a short string */
static void
put_text8(struct buf *out, struct slice s, size_t max)
{
	s = slice_sub(s, 0, max);
	buf_add_byte(out, (char)s.len);
	buf_add(out, s);
}

/* put_text16 - a longer string */
static void
put_text16(struct buf *out, struct slice s, size_t max)
{
	s = utf8_cut(s, max);
	buf_add_le16(out, (uint16_t)s.len);
	buf_add(out, s);
}

/* put_kv - one key */
static void
put_kv(struct buf *out, const struct kv *kv)
{
	buf_add_byte(out, (char)kv->type);
	put_text8(out, slice_of(kv->key), KEY_MAX);
	if (kv->type == KV_TYPE_STR)
		put_text16(out, kv->value.s, WIRE_VALUE_MAX);
	else if (kv->type == KV_TYPE_UINT)
		buf_add_le64(out, kv->value.u);
	else
		buf_add_le64(out, (uint64_t)kv->value.i);
}

/* count_present - how many keys have a value */
static size_t
count_present(const struct kv *kvs, size_t count)
{
	size_t	n = 0;

	for (size_t i = 0; i < count; i++)
		n += kvs[i].type != KV_TYPE_ABSENT;
	return n;
}

/* log_record_encode - a record as bytes */
void
log_record_encode(struct buf *out, const struct log_record *r)
{
	const struct kv *kvs[2] = { r->context, r->kvs };
	const size_t	 counts[2] = { r->context_count, r->kv_count };

	buf_add_byte(out, VERSION);
	buf_add_byte(out, (char)r->event->level);
	buf_add_le64(out, (uint64_t)r->time_us);
	buf_add_le32(out, (uint32_t)r->pid);
	put_text8(out, r->program, PROGRAM_MAX);
	put_text8(out, slice_of(r->event->name), NAME_MAX_LEN);
	put_text16(out, slice_of(r->event->wording), WORDING_MAX);
	buf_add_byte(out, (char)count_present(kvs[0], counts[0]));
	buf_add_byte(out, (char)count_present(kvs[1], counts[1]));
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < counts[k]; i++)
			if (kvs[k][i].type != KV_TYPE_ABSENT)
				put_kv(out, &kvs[k][i]);
}

/* reading */

/* take_u8 - one byte of at most max */
static int
take_u8(struct cursor *c, unsigned max, unsigned *ret_value)
{
	int	byte = cursor_byte(c);

	if (byte < 0 || (unsigned)byte > max)
		return -EBADMSG;
	*ret_value = (unsigned)byte;
	return 0;
}

/* take_text8 - a short string */
static int
take_text8(struct cursor *c, unsigned max, struct slice *ret_text)
{
	unsigned	len;
	int		r;

	if ((r = take_u8(c, max, &len)) < 0)
		return r;
	return cursor_bytes(c, len, ret_text);
}

/* take_text16 - a longer string */
static int
take_text16(struct cursor *c, size_t max, struct slice *ret_text)
{
	uint16_t	len;
	int		r;

	if ((r = cursor_le16(c, &len)) < 0)
		return r;
	if (len > max)
		return -EMSGSIZE;
	return cursor_bytes(c, len, ret_text);
}

/* is_word - letters, digits and _ alone */
static bool
is_word(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_is_alnum(s.data[i]) && s.data[i] != '_')
			return false;
	return s.len > 0;
}

/* is_printable - ASCII that a terminal just shows */
static bool
is_printable(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] < 0x20 || s.data[i] == 0x7f)
			return false;
	return utf8_is_ascii(s);
}

/* take_kv - one key */
static int
take_kv(struct cursor *c, struct arena *a, struct kv *kv)
{
	struct slice	key;
	unsigned	type;
	uint64_t	number;
	int		r;

	if ((r = take_u8(c, KV_TYPE_SPAN, &type)) < 0 ||
	    (r = take_text8(c, KEY_MAX, &key)) < 0)
		return r;
	if (type == KV_TYPE_ABSENT || !is_word(key))
		return -EBADMSG;
	kv->type = (enum kv_type)type;
	kv->key = arena_text(a, key);
	if (kv->type == KV_TYPE_STR)
		return take_text16(c, WIRE_VALUE_MAX, &kv->value.s);
	if ((r = cursor_le64(c, &number)) < 0)
		return r;
	if (kv->type == KV_TYPE_UINT)
		kv->value.u = number;
	else
		kv->value.i = (int64_t)number;
	return 0;
}

/* take_event - what the sender says of the event */
static int
take_event(struct cursor *c, struct arena *a, unsigned level,
    struct event *event)
{
	struct slice	name, wording;
	int		r;

	if ((r = take_text8(c, NAME_MAX_LEN, &name)) < 0 ||
	    (r = take_text16(c, WORDING_MAX, &wording)) < 0)
		return r;
	if (!is_word(name) || !is_printable(wording))
		return -EBADMSG;
	event->name = arena_text(a, name);
	event->level = (enum log_level)level;
	event->wording = arena_text(a, wording);
	event->doc = "";
	return 0;
}

/* take_kvs - that many keys */
static int
take_kvs(struct cursor *c, struct arena *a, unsigned count,
    const struct kv **ret_kvs)
{
	struct kv	*kvs = ARENA_ARRAY(a, struct kv, count);
	int		 r;

	for (unsigned i = 0; i < count; i++)
		if ((r = take_kv(c, a, &kvs[i])) < 0)
			return r;
	*ret_kvs = kvs;
	return 0;
}

/* log_record_decode - bytes as a record */
int
log_record_decode(struct arena *a, struct slice bytes,
    struct log_record *ret_record)
{
	struct cursor		 c = cursor_over(bytes);
	struct log_record	 r = { 0 };
	struct event		*event = ARENA_NEW(a, struct event);
	unsigned		 version, level, contexts, kvs;
	uint64_t		 time;
	uint32_t		 pid;
	int			 err;

	if (bytes.len > LOG_WIRE_MAX)
		return -EMSGSIZE;
	if ((err = take_u8(&c, VERSION, &version)) < 0 ||
	    (err = take_u8(&c, LEVEL_COUNT - 1, &level)) < 0 ||
	    (err = cursor_le64(&c, &time)) < 0 ||
	    (err = cursor_le32(&c, &pid)) < 0 ||
	    (err = take_text8(&c, PROGRAM_MAX, &r.program)) < 0 ||
	    (err = take_event(&c, a, level, event)) < 0 ||
	    (err = take_u8(&c, LOG_CONTEXT_MAX, &contexts)) < 0 ||
	    (err = take_u8(&c, LOG_KVS_MAX, &kvs)) < 0 ||
	    (err = take_kvs(&c, a, contexts, &r.context)) < 0 ||
	    (err = take_kvs(&c, a, kvs, &r.kvs)) < 0)
		return err;
	if (version != VERSION || pid > INT_MAX || !cursor_at_end(&c))
		return -EBADMSG;
	r.time_us = (int64_t)time;
	r.pid = (pid_t)pid;
	r.event = event;
	r.context_count = contexts;
	r.kv_count = kvs;
	*ret_record = r;
	return 0;
}
