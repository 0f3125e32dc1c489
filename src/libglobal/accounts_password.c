/* SPDX-License-Identifier: ISC */
/*
 * Argon2 hashes are checked by libargon2, all others by libcrypt. What a hash
 * costs stands in it, so it is looked at when the hash comes in: one with
 * gigabytes of memory would stop all logins.
 */
#include "libglobal/accounts_password.h"

#include <argon2.h>
#include <crypt.h>

#include "libutil/alloc.h"
#include "libutil/buf.h"
#include "libutil/cursor.h"

#define DIGEST_SIZE	32
#define MEMORY_MAX	(512u << 10)	/* KiB */
#define PASSES_MAX	64
#define LANES_MAX	16
#define BCRYPT_MAX	16		/* 2^16 rounds: five seconds */
#define ROUNDS_MAX	5000000		/* of SHA-crypt */

/* schemes that others write before a hash; what is behind them is as we know
 * it */
static const char *const schemes[] = {
	"{CRYPT}", "{ARGON2ID}", "{ARGON2I}", "{BLF-CRYPT}", "{SHA512-CRYPT}",
	"{SHA256-CRYPT}", "{MD5-CRYPT}",
};

/* is_argon2 - is it libargon2's? */
static bool
is_argon2(struct slice hash)
{
	return slice_has_prefix(hash, S("$argon2id$")) ||
	    slice_has_prefix(hash, S("$argon2i$"));
}

/* check_argon2 - $argon2id$v=19$m=19456,t=2,p=1$salt$digest */
static int
check_argon2(struct slice hash)
{
	struct cursor	c = cursor_over(hash);
	uint32_t	version, m, t, p;
	struct slice	salt, digest;

	if ((!cursor_skip(&c, S("$argon2id$")) &&
	    !cursor_skip(&c, S("$argon2i$"))) ||
	    !cursor_skip(&c, S("v=")) ||
	    cursor_u32(&c, UINT32_MAX, &version) < 0 ||
	    !cursor_skip(&c, S("$m=")) || cursor_u32(&c, UINT32_MAX, &m) < 0 ||
	    !cursor_skip(&c, S(",t=")) || cursor_u32(&c, UINT32_MAX, &t) < 0 ||
	    !cursor_skip(&c, S(",p=")) || cursor_u32(&c, UINT32_MAX, &p) < 0 ||
	    !cursor_skip_byte(&c, '$'))
		return -EINVAL;
	salt = cursor_take_until(&c, '$');
	if (!cursor_skip_byte(&c, '$'))
		return -EINVAL;
	digest = cursor_rest(&c);
	if (salt.len == 0 || digest.len == 0 || t == 0 || p == 0 ||
	    slice_find(digest, '$') != SLICE_NONE)
		return -EINVAL;
	return m > MEMORY_MAX || t > PASSES_MAX || p > LANES_MAX ? -ERANGE : 0;
}

/* check_crypt - one that libcrypt knows, and at what cost */
static int
check_crypt(struct slice hash)
{
	struct cursor	c = cursor_over(hash);
	char		*text = slice_dup(hash);
	int		r = crypt_checksalt(text);
	uint32_t	n;

	free(text);
	if (r == CRYPT_SALT_INVALID || r == CRYPT_SALT_METHOD_DISABLED)
		return -EINVAL;
	/* a salt alone passes that check; a hash has a last part */
	if (slice_find_last(hash, '$') < 3)
		return -EINVAL;
	if (cursor_skip(&c, S("$2"))) {
		(void)cursor_byte(&c);
		if (!cursor_skip_byte(&c, '$') || cursor_u32(&c, 99, &n) < 0 ||
		    hash.len != 60)
			return -EINVAL;
		return n > BCRYPT_MAX ? -ERANGE : 0;
	}
	if (cursor_skip(&c, S("$5$rounds=")) ||
	    cursor_skip(&c, S("$6$rounds=")))
		return cursor_u32(&c, ROUNDS_MAX, &n);
	return 0;
}

/* password_take - check a hash from outside */
int
password_take(struct slice text, struct buf *out)
{
	int	r;

	text = slice_trim(text);
	for (size_t i = 0; i < COUNT(schemes); i++)
		if (slice_has_prefix_nocase(text, slice_of(schemes[i]))) {
			text = slice_from(text, strlen(schemes[i]));
			break;
		}
	if (text.len == 0 || text.len > PASSWORD_HASH_MAX ||
	    text.data[0] != '$')
		return -EINVAL;
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] > '~')
			return -EINVAL;
	r = is_argon2(text) ? check_argon2(text) : check_crypt(text);
	if (r == 0)
		buf_add(out, text);
	return r;
}

/* is_plain - could it be a password at all? */
static bool
is_plain(struct slice plain)
{
	return plain.len > 0 && plain.len <= PASSWORD_PLAIN_MAX &&
	    slice_find(plain, '\0') == SLICE_NONE;
}

/* password_hash - Argon2id */
int
password_hash(struct slice plain, const struct password_cost *cost,
    const unsigned char salt[PASSWORD_SALT_SIZE], struct buf *out)
{
	char	text[PASSWORD_HASH_MAX];
	int	r;

	if (!is_plain(plain))
		return -EINVAL;
	r = argon2id_hash_encoded(cost->passes, cost->memory_kib, cost->lanes,
	    plain.data, plain.len, salt, PASSWORD_SALT_SIZE, DIGEST_SIZE, text,
	    sizeof(text));
	if (r == ARGON2_MEMORY_ALLOCATION_ERROR)
		return -ENOMEM;
	if (r != ARGON2_OK)
		return -EINVAL;
	buf_add_text(out, text);
	return 0;
}

/* verify_argon2 - the text says which kind and what cost */
static int
verify_argon2(const char *hash, struct slice plain)
{
	argon2_type	type = strncmp(hash, "$argon2id$", 10) == 0 ?
			    Argon2_id : Argon2_i;

	switch (argon2_verify(hash, plain.data, plain.len, type)) {
	case ARGON2_OK:
		return 0;
	case ARGON2_VERIFY_MISMATCH:
		return -EKEYREJECTED;
	case ARGON2_MEMORY_ALLOCATION_ERROR:
		return -ENOMEM;
	default:
		return -EINVAL;
	}
}

/* verify_crypt - hash it again, and compare in constant time */
static int
verify_crypt(const char *hash, struct slice plain)
{
	struct crypt_data	*data = NEW(struct crypt_data);
	char			*text = slice_dup(plain);
	size_t			 len = strlen(hash);
	const char		*again;
	unsigned char		 differ = 0;
	int			 r = 0;

	again = crypt_rn(text, hash, data, (int)sizeof(*data));
	if (again == NULL) {
		r = errno == ENOMEM ? -ENOMEM : -EINVAL;
	} else if (strlen(again) != len) {
		r = -EKEYREJECTED;
	} else {
		for (size_t i = 0; i < len; i++)
			differ |= (unsigned char)(again[i] ^ hash[i]);
		r = differ == 0 ? 0 : -EKEYREJECTED;
	}
	explicit_bzero(data, sizeof(*data));
	explicit_bzero(text, plain.len);
	free(data);
	free(text);
	return r;
}

/* password_verify - does the password fit the hash? */
int
password_verify(struct slice hash, struct slice plain)
{
	char	*text;
	int	 r;

	if (hash.len == 0 || hash.data[0] != '$' ||
	    slice_find(hash, '\0') != SLICE_NONE)
		return -EINVAL;
	if (!is_plain(plain))
		return -EKEYREJECTED;
	text = slice_dup(hash);
	r = is_argon2(hash) ? verify_argon2(text, plain) :
	    verify_crypt(text, plain);
	free(text);
	return r;
}
