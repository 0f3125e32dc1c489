/* SPDX-License-Identifier: ISC */
/*
 * hash: a table from byte strings to pointers. Keys are copied in; values are
 * the caller's. The function is SipHash-2-4 with a process-wide random key
 * (hash_set_key, called once at start-up), so strangers cannot aim for
 * collisions. Also used alone, as hash_bytes, where a keyed 64-bit value of a
 * string is needed inside one process.
 */
#ifndef LIBUTIL_HASH_H
#define LIBUTIL_HASH_H

#include "libutil/slice.h"

struct hash_entry;

struct hash {
	struct hash_entry	**slot;
	size_t			  slot_count;	/* a power of two, or 0 */
	size_t			  count;
};

#define HASH_INIT	{ NULL, 0, 0 }

void		hash_set_key(uint64_t k0, uint64_t k1);
uint64_t	hash_bytes(struct slice s);
/* SipHash-2-4 under a key of the caller's: the same in every process */
uint64_t	hash_siphash(uint64_t k0, uint64_t k1, struct slice s);

/* NULL if the key is not there */
void	*hash_get(const struct hash *h, struct slice key);
/* put or replace; returns the value that was there before, or NULL */
void	*hash_put(struct hash *h, struct slice key, void *value);
/* remove; returns the value, or NULL */
void	*hash_remove(struct hash *h, struct slice key);
/* release the table (not the values) and leave it empty */
void	hash_free(struct hash *h);

/* walk in no order: begin with an all-zero iterator; false at the end. The
 * entry just returned may be removed, nothing else may change meanwhile. */
struct hash_iter {
	size_t			 slot;
	struct hash_entry	*next;
};
bool	hash_next(const struct hash *h, struct hash_iter *i,
	    struct slice *ret_key, void **ret_value);

#endif
