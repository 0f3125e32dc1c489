/* SPDX-License-Identifier: ISC */
/*
 * accounts_password: password hashes as text. New ones are Argon2id; read are
 * Argon2 in its own text form and what crypt(5) knows (yescrypt, bcrypt,
 * SHA-512 and the like). Every call takes a good part of a tenth of a second
 * on purpose: authd makes them on workers.
 */
#ifndef LIBGLOBAL_ACCOUNTS_PASSWORD_H
#define LIBGLOBAL_ACCOUNTS_PASSWORD_H

#include "libutil/slice.h"

struct buf;

#define PASSWORD_SALT_SIZE	16
#define PASSWORD_PLAIN_MAX	1024
#define PASSWORD_HASH_MAX	512

/* what Argon2id is given */
struct password_cost {
	uint32_t	memory_kib;
	uint32_t	passes;
	uint32_t	lanes;
};

/*
 * Check a hash that somebody brought, and append it in the form it is kept in:
 * a scheme that other servers write before it ({ARGON2ID}, {BLF-CRYPT},
 * {CRYPT}, ...) is taken off. -EINVAL: none that password_verify can check;
 * -ERANGE: it would take too much memory or time.
 */
MUST_USE int	password_take(struct slice text, struct buf *out);
/* append the hash of a password; -EINVAL for one that is empty, too long or
 * has a NUL in it */
MUST_USE int	password_hash(struct slice plain,
		    const struct password_cost *cost,
		    const unsigned char salt[PASSWORD_SALT_SIZE],
		    struct buf *out);
/* 0 if it fits, -EKEYREJECTED if it does not; -EINVAL for a hash that is none,
 * -ENOMEM */
MUST_USE int	password_verify(struct slice hash, struct slice plain);

#endif
