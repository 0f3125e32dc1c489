/* SPDX-License-Identifier: ISC */
/*
 * body: reading an email's bytes: the prefix of added header fields and then
 * the content, as one stream, wherever the content is kept. Opening copies
 * what is inside the environment and what is short in a pack, so an open body
 * is not disturbed by packing or expunging; longer ones are read in pieces.
 *
 * May block on the disk for packs and big bodies. One thread at a time.
 */
#ifndef LIBSTORE_BODY_H
#define LIBSTORE_BODY_H

#include "libstore/account.h"

struct body;

/* -ENOENT no such email, -EBADMSG damaged */
MUST_USE int	body_open(struct account *a, uint64_t email,
		    struct body **ret_body);
void	body_close(struct body **b);
/* bytes of prefix and content together */
uint64_t	body_size(const struct body *b);
/* the first bytes of it that are the prefix; lent while it is open */
struct slice	body_prefix(const struct body *b);
/* SHA-256 of the content without the prefix */
const uint8_t	*body_hash(const struct body *b);
/* like pread: the number of bytes read, less than len only at the end */
MUST_USE int64_t	body_read(struct body *b, uint64_t offset, void *bytes,
			    size_t len);
/* the same without a copy: a slice of 1..max bytes from that offset, lent
 * until the next call on this body; empty at the end */
MUST_USE int	body_peek(struct body *b, uint64_t offset, size_t max,
		    struct slice *ret_bytes);

/* the hash a content is known by */
void	body_hash_content(struct slice content, uint8_t ret_hash[BODY_HASH_LEN]);

#endif
