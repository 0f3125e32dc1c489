/* SPDX-License-Identifier: ISC */
/*
 * Chained buckets; the table doubles when it holds more entries than slots.
 * SipHash-2-4 is written after its description by Aumasson and Bernstein.
 */
#include "libutil/hash.h"

#include <stdlib.h>

#include "libutil/alloc.h"
#include "libutil/cursor.h"

struct hash_entry {
	struct hash_entry	*next;
	void			*value;
	uint64_t		 code;
	size_t			 len;
	char			 key[];
};

static uint64_t	key0 = 0x6261726964000001, key1 = 0x6261726964000002;

static inline uint64_t
rotate(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static void
sip_rounds(uint64_t v[4], int n)
{
	while (n-- > 0) {
		v[0] += v[1];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[0] = rotate(v[0], 32);
		v[2] += v[3];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[2] = rotate(v[2], 32);
	}
}

/* hash_siphash - SipHash-2-4 of s */
uint64_t
hash_siphash(uint64_t k0, uint64_t k1, struct slice s)
{
	uint64_t	v[4] = { k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
			    k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573 };
	struct cursor	c = cursor_over(s);
	uint64_t	m, last = (uint64_t)s.len << 56;

	while (cursor_le64(&c, &m) == 0) {
		v[3] ^= m;
		sip_rounds(v, 2);
		v[0] ^= m;
	}
	for (int shift = 0; !cursor_at_end(&c); shift += 8)
		last |= (uint64_t)cursor_byte(&c) << shift;
	v[3] ^= last;
	sip_rounds(v, 2);
	v[0] ^= last;
	v[2] ^= 0xff;
	sip_rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* hash_set_key - choose the process's key, before any table is filled */
void
hash_set_key(uint64_t k0, uint64_t k1)
{
	key0 = k0;
	key1 = k1;
}

/* hash_bytes - a keyed value of s, good in this process only */
uint64_t
hash_bytes(struct slice s)
{
	return hash_siphash(key0, key1, s);
}

/* find - the link that points at the entry, or at the end of its chain */
static struct hash_entry **
find(const struct hash *h, struct slice key, uint64_t code)
{
	struct hash_entry **at = &h->slot[code & (h->slot_count - 1)];

	while (*at != NULL && ((*at)->code != code ||
	    !slice_equal(slice_over((*at)->key, (*at)->len), key)))
		at = &(*at)->next;
	return at;
}

static void
grow(struct hash *h)
{
	size_t			  n = h->slot_count == 0 ? 16 : h->slot_count * 2;
	struct hash_entry	**slot = NEW_ARRAY(struct hash_entry *, n);
	struct hash_entry	 *e, *next;

	for (size_t i = 0; i < h->slot_count; i++)
		for (e = h->slot[i]; e != NULL; e = next) {
			next = e->next;
			e->next = slot[e->code & (n - 1)];
			slot[e->code & (n - 1)] = e;
		}
	free(h->slot);
	h->slot = slot;
	h->slot_count = n;
}

/* hash_get - the value under a key */
void *
hash_get(const struct hash *h, struct slice key)
{
	struct hash_entry *e;

	if (h->count == 0)
		return NULL;
	e = *find(h, key, hash_bytes(key));
	return e == NULL ? NULL : e->value;
}

/* hash_put - set the value under a key */
void *
hash_put(struct hash *h, struct slice key, void *value)
{
	uint64_t		  code = hash_bytes(key);
	struct hash_entry	**at, *e;
	void			 *old;

	if (h->count >= h->slot_count)
		grow(h);
	at = find(h, key, code);
	if (*at != NULL) {
		old = (*at)->value;
		(*at)->value = value;
		return old;
	}
	e = xmalloc(sizeof(*e) + key.len);
	e->next = NULL;
	e->value = value;
	e->code = code;
	e->len = key.len;
	if (key.len > 0)
		memcpy(e->key, key.data, key.len);
	*at = e;
	h->count++;
	return NULL;
}

/* hash_remove - take a key out */
void *
hash_remove(struct hash *h, struct slice key)
{
	struct hash_entry	**at, *e;
	void			 *value;

	if (h->count == 0)
		return NULL;
	at = find(h, key, hash_bytes(key));
	if ((e = *at) == NULL)
		return NULL;
	*at = e->next;
	value = e->value;
	free(e);
	h->count--;
	return value;
}

/* hash_free - release the table */
void
hash_free(struct hash *h)
{
	struct hash_entry *e, *next;

	for (size_t i = 0; i < h->slot_count; i++)
		for (e = h->slot[i]; e != NULL; e = next) {
			next = e->next;
			free(e);
		}
	free(h->slot);
	*h = (struct hash)HASH_INIT;
}

/* hash_next - the next entry of a walk */
bool
hash_next(const struct hash *h, struct hash_iter *i, struct slice *ret_key,
    void **ret_value)
{
	struct hash_entry *e = i->next;

	while (e == NULL && i->slot < h->slot_count)
		e = h->slot[i->slot++];
	if (e == NULL)
		return false;
	i->next = e->next;
	*ret_key = slice_over(e->key, e->len);
	*ret_value = e->value;
	return true;
}
