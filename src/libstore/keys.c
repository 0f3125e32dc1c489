/* SPDX-License-Identifier: ISC */
/* Building keys, and reading their fixed parts back. */
#include "libstore/keys.h"

#include <assert.h>

#include "libutil/hex.h"

/* key_begin - the byte of the key space */
void
key_begin(struct key *k, enum keyspace space)
{
	k->bytes[0] = (char)space;
	k->len = 1;
}

/* key_is_falling - INBOX, the first mailbox, is to be the last of the blocks,
 * so that its newest ones stand beside its newest dates */
bool
key_is_falling(enum keyspace space)
{
	return space == KEY_UIDS;
}

/* key_add_be - an integer of that many bytes, most significant first */
static void
key_add_be(struct key *k, uint64_t v, size_t width)
{
	assert(k->len + width <= sizeof(k->bytes));
	for (size_t i = 0; i < width; i++)
		k->bytes[k->len + i] = (char)(v >> (8 * (width - 1 - i)));
	k->len += width;
}

void
key_add_u8(struct key *k, uint8_t v)
{
	key_add_be(k, v, 1);
}

void
key_add_u32(struct key *k, uint32_t v)
{
	key_add_be(k, v, 4);
}

void
key_add_u64(struct key *k, uint64_t v)
{
	key_add_be(k, v, 8);
}

/* key_add_bytes - text, only as the last part */
int
key_add_bytes(struct key *k, struct slice bytes)
{
	if (bytes.len > sizeof(k->bytes) - k->len)
		return -EMSGSIZE;
	if (bytes.len > 0)
		memcpy(k->bytes + k->len, bytes.data, bytes.len);
	k->len += bytes.len;
	return 0;
}

/* key_after - raise the last byte that can be raised and drop the rest */
void
key_after(struct key *ret_end, const struct key *k)
{
	size_t len = k->len;

	while (len > 0 && (unsigned char)k->bytes[len - 1] == 0xff)
		len--;
	memmove(ret_end->bytes, k->bytes, len);	/* may be k itself */
	ret_end->len = len;
	if (len > 0)
		ret_end->bytes[len - 1]++;
}

void
key_1(struct key *k, enum keyspace space)
{
	key_begin(k, space);
}

void
key_u32(struct key *k, enum keyspace space, uint32_t a)
{
	key_begin(k, space);
	key_add_u32(k, key_is_falling(space) ? ~a : a);
}

void
key_u64(struct key *k, enum keyspace space, uint64_t a)
{
	key_begin(k, space);
	key_add_u64(k, a);
}

void
key_u32_u32(struct key *k, enum keyspace space, uint32_t a, uint32_t b)
{
	key_u32(k, space, a);
	key_add_u32(k, b);
}

void
key_u64_u32(struct key *k, enum keyspace space, uint64_t a, uint32_t b)
{
	key_u64(k, space, a);
	key_add_u32(k, b);
}

void
key_u64_u64(struct key *k, enum keyspace space, uint64_t a, uint64_t b)
{
	key_u64(k, space, a);
	key_add_u64(k, b);
}

void
key_u32_u64_u32(struct key *k, enum keyspace space, uint32_t a, uint64_t b,
    uint32_t c)
{
	key_u32(k, space, a);
	key_add_u64(k, b);
	key_add_u32(k, c);
}

/* key_fresh - of a body record or cache, or the prefix of the chunks */
void
key_fresh(struct key *k, uint64_t id, enum fresh_kind kind)
{
	key_u64(k, KEY_FRESH, id);
	key_add_u8(k, (uint8_t)kind);
}

/* key_chunk - of one chunk */
void
key_chunk(struct key *k, uint64_t id, uint32_t number)
{
	key_fresh(k, id, FRESH_CHUNK);
	key_add_u32(k, number);
}

/* key_is - has it that space and that many bytes behind it? */
static bool
key_is(struct slice key, enum keyspace space, size_t len)
{
	return key.len == 1 + len && key.data[0] == (char)space;
}

/* key_be - the integer of width bytes at an offset that is known to be there */
static uint64_t
key_be(struct slice key, size_t at, size_t width)
{
	uint64_t v = 0;

	for (size_t i = 0; i < width; i++)
		v = v << 8 | (unsigned char)key.data[at + i];
	return v;
}

/* key_first - the first integer, if it is a u32 */
static uint32_t
key_first(struct slice key, enum keyspace space)
{
	uint32_t v = (uint32_t)key_be(key, 1, 4);

	return key_is_falling(space) ? ~v : v;
}

int
key_parse_u32(struct slice key, enum keyspace space, uint32_t *ret_a)
{
	if (!key_is(key, space, 4))
		return -EBADMSG;
	*ret_a = key_first(key, space);
	return 0;
}

int
key_parse_u64(struct slice key, enum keyspace space, uint64_t *ret_a)
{
	if (!key_is(key, space, 8))
		return -EBADMSG;
	*ret_a = key_be(key, 1, 8);
	return 0;
}

int
key_parse_u32_u32(struct slice key, enum keyspace space, uint32_t *ret_a,
    uint32_t *ret_b)
{
	if (!key_is(key, space, 8))
		return -EBADMSG;
	*ret_a = key_first(key, space);
	*ret_b = (uint32_t)key_be(key, 5, 4);
	return 0;
}

int
key_parse_u64_u32(struct slice key, enum keyspace space, uint64_t *ret_a,
    uint32_t *ret_b)
{
	if (!key_is(key, space, 12))
		return -EBADMSG;
	*ret_a = key_be(key, 1, 8);
	*ret_b = (uint32_t)key_be(key, 9, 4);
	return 0;
}

int
key_parse_u64_u64(struct slice key, enum keyspace space, uint64_t *ret_a,
    uint64_t *ret_b)
{
	if (!key_is(key, space, 16))
		return -EBADMSG;
	*ret_a = key_be(key, 1, 8);
	*ret_b = key_be(key, 9, 8);
	return 0;
}

int
key_parse_u32_u64_u32(struct slice key, enum keyspace space, uint32_t *ret_a,
    uint64_t *ret_b, uint32_t *ret_c)
{
	if (!key_is(key, space, 16))
		return -EBADMSG;
	*ret_a = key_first(key, space);
	*ret_b = key_be(key, 5, 8);
	*ret_c = (uint32_t)key_be(key, 13, 4);
	return 0;
}

int
key_parse_fresh(struct slice key, uint64_t *ret_id, enum fresh_kind *ret_kind,
    uint32_t *ret_number)
{
	bool	chunk = key_is(key, KEY_FRESH, 13);

	if ((!chunk && !key_is(key, KEY_FRESH, 9)) ||
	    (chunk ? key.data[9] != FRESH_CHUNK : key.data[9] != FRESH_BODY &&
	    key.data[9] != FRESH_CACHE))
		return -EBADMSG;
	*ret_id = key_be(key, 1, 8);
	*ret_kind = (enum fresh_kind)key.data[9];
	*ret_number = chunk ? (uint32_t)key_be(key, 10, 4) : 0;
	return 0;
}

/* keyspace_name - for messages */
const char *
keyspace_name(char byte)
{
	static const struct {
		const char	*name;
		char		 byte;
	} spaces[] = {
#define KEYSPACE(name, byte, key, value) { #name, byte },
#include "libstore/keys.def"
	};

	for (size_t i = 0; i < COUNT(spaces); i++)
		if (spaces[i].byte == byte)
			return spaces[i].name;
	return NULL;
}

/* key_describe - "MAILBOX 00000001" */
void
key_describe(struct buf *out, struct slice key)
{
	const char *name = key.len == 0 ? NULL : keyspace_name(key.data[0]);
	struct key first = { 0 };

	if (name != NULL) {
		buf_add_text(out, name);
		buf_add_byte(out, ' ');
		if (key.len >= 5 && key_is_falling((enum keyspace)key.data[0]))
			key_add_u32(&first, ~(uint32_t)key_be(key, 1, 4));
		key = slice_from(key, 1 + first.len);
	}
	hex_encode(out, key_slice(&first));
	hex_encode(out, key);
}
