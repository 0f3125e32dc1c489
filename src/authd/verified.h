/* SPDX-License-Identifier: ISC */
/*
 * verified: passwords that were tried a short while ago, so that a client
 * that connects a thousand times is not hashed a thousand times. What is kept
 * is a digest of login, password and stored hash under a key of this process,
 * never a password; a new stored hash makes the old entries worthless. The
 * table is bounded; the one used longest ago goes first.
 */
#ifndef AUTHD_VERIFIED_H
#define AUTHD_VERIFIED_H

#include "libutil/hash.h"
#include "libutil/list.h"

#define VERIFIED_DIGEST_SIZE	32

struct verified {
	struct hash	by_digest;
	struct list	recent;		/* oldest first */
	size_t		count;
};

struct verified_digest {
	unsigned char	bytes[VERIFIED_DIGEST_SIZE];
};

/* what a trial is called; -EIO if there is no SHA-256 */
MUST_USE int	verified_digest(const unsigned char key[VERIFIED_DIGEST_SIZE],
		    struct slice login, struct slice password,
		    struct slice stored, struct verified_digest *ret_digest);

void	verified_init(struct verified *v);
void	verified_free(struct verified *v);
/* was it tried less than ttl ms ago? now in ms */
bool	verified_has(struct verified *v, const struct verified_digest *d,
	    int64_t now, int64_t ttl);
/* remember it; max 0 keeps nothing */
void	verified_add(struct verified *v, const struct verified_digest *d,
	    int64_t now, size_t max);

#endif
