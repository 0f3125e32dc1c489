/* SPDX-License-Identifier: ISC */
/*
 * keys: the keys of an account's one tree. A key is the byte of its key
 * space (keys.def) and then fixed-width big-endian integers, last perhaps
 * text, so that byte order is the order in which records are walked.
 * Used inside libstore only.
 */
#ifndef LIBSTORE_KEYS_H
#define LIBSTORE_KEYS_H

#include "libstore/backend.h"

enum keyspace {
#define KEYSPACE(name, byte, key, value) KEY_##name = byte,
#include "libstore/keys.def"
};

struct key {
	size_t	len;
	char	bytes[BACKEND_KEY_MAX];
};

/* is the first integer, a u32, kept inverted, so that the greatest comes
 * first? The functions below invert it, both ways */
bool	key_is_falling(enum keyspace space);

/* key_slice - lends its bytes */
static inline struct slice
key_slice(const struct key *k)
{
	return slice_over(k->bytes, k->len);
}

/* begin a key, then add its parts in order */
void	key_begin(struct key *k, enum keyspace space);
void	key_add_u8(struct key *k, uint8_t v);
void	key_add_u32(struct key *k, uint32_t v);
void	key_add_u64(struct key *k, uint64_t v);
/* -EMSGSIZE if the key would be too long; it is unchanged then */
MUST_USE int	key_add_bytes(struct key *k, struct slice bytes);
/* the least key that has not k as its prefix; for the end of a range */
void	key_after(struct key *ret_end, const struct key *k);

/* ready-made ones */
void	key_1(struct key *k, enum keyspace space);
void	key_u32(struct key *k, enum keyspace space, uint32_t a);
void	key_u64(struct key *k, enum keyspace space, uint64_t a);
void	key_u32_u32(struct key *k, enum keyspace space, uint32_t a, uint32_t b);
void	key_u64_u32(struct key *k, enum keyspace space, uint64_t a, uint32_t b);
void	key_u64_u64(struct key *k, enum keyspace space, uint64_t a, uint64_t b);
void	key_u32_u64_u32(struct key *k, enum keyspace space, uint32_t a,
	    uint64_t b, uint32_t c);

/*
 * What a delivery writes for one email stands together until it is packed, so
 * that it is one place in the tree and not three: body record, cache, and the
 * content in chunks.
 */
enum fresh_kind {
	FRESH_BODY = 1,
	FRESH_CACHE = 2,
	FRESH_CHUNK = 3,
};
void	key_fresh(struct key *k, uint64_t id, enum fresh_kind kind);
void	key_chunk(struct key *k, uint64_t id, uint32_t number);
/* number is 0 where there is none */
MUST_USE int	key_parse_fresh(struct slice key, uint64_t *ret_id,
		    enum fresh_kind *ret_kind, uint32_t *ret_number);

/* read the parts back from a slice that begins with the space's byte;
 * -EBADMSG if it does not or the length is another one */
MUST_USE int	key_parse_u32(struct slice key, enum keyspace space,
		    uint32_t *ret_a);
MUST_USE int	key_parse_u64(struct slice key, enum keyspace space,
		    uint64_t *ret_a);
MUST_USE int	key_parse_u32_u32(struct slice key, enum keyspace space,
		    uint32_t *ret_a, uint32_t *ret_b);
MUST_USE int	key_parse_u64_u32(struct slice key, enum keyspace space,
		    uint64_t *ret_a, uint32_t *ret_b);
MUST_USE int	key_parse_u64_u64(struct slice key, enum keyspace space,
		    uint64_t *ret_a, uint64_t *ret_b);
MUST_USE int	key_parse_u32_u64_u32(struct slice key, enum keyspace space,
		    uint32_t *ret_a, uint64_t *ret_b, uint32_t *ret_c);

/* the key as an operator reads it: the space's name and hex */
void	key_describe(struct buf *out, struct slice key);
/* the name of a key space, or NULL */
const char	*keyspace_name(char byte);

#endif
