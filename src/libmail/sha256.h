/* SPDX-License-Identifier: ISC */
/*
 * sha256: SHA-256 by the crypto library, which is asked for it once in a
 * process: to look it up each time takes longer than to hash a short text. It
 * needs nothing but memory, so nothing can fail; any thread may hash.
 */
#ifndef LIBMAIL_SHA256_H
#define LIBMAIL_SHA256_H

#include "libutil/slice.h"

#define SHA256_LEN	32

struct sha256 {
	struct evp_md_ctx_st	*ctx;	/* NULL: not begun */
};

void	sha256_begin(struct sha256 *h);
void	sha256_add(struct sha256 *h, struct slice bytes);
/* a text and its end, so that "ab", "c" is not "a", "bc" */
void	sha256_add_text(struct sha256 *h, struct slice text);
/* the hash of what was added; then another one may be added up */
void	sha256_take(struct sha256 *h, unsigned char ret_hash[SHA256_LEN]);
/* no-op if it was not begun */
void	sha256_done(struct sha256 *h);

/* of bytes that are all there */
void	sha256_of(struct slice bytes, unsigned char ret_hash[SHA256_LEN]);

#endif
