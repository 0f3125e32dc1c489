/* SPDX-License-Identifier: ISC */
/* A hash table and a list in order of the time they were added. */
#include "authd/verified.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "libutil/alloc.h"
#include "libutil/buf.h"

struct entry {
	struct list		link;
	struct verified_digest	digest;
	int64_t			at;
};

/* verified_digest - HMAC over the three, each with its length */
int
verified_digest(const unsigned char key[VERIFIED_DIGEST_SIZE],
    struct slice login, struct slice password, struct slice stored,
    struct verified_digest *ret_digest)
{
	struct buf	b = BUF_INIT;
	unsigned	len = 0;
	bool		ok;

	buf_add_le64(&b, login.len);
	buf_add(&b, login);
	buf_add_le64(&b, password.len);
	buf_add(&b, password);
	buf_add(&b, stored);
	ok = buf_check(&b) == 0 && HMAC(EVP_sha256(), key,
	    VERIFIED_DIGEST_SIZE, (const unsigned char *)b.data, b.len,
	    ret_digest->bytes, &len) != NULL && len == VERIFIED_DIGEST_SIZE;
	if (b.cap > 0)
		explicit_bzero(b.data, b.cap);
	buf_free(&b);
	return ok ? 0 : -EIO;
}

/* key_of - lends its bytes */
static struct slice
key_of(const struct verified_digest *d)
{
	return slice_over(d->bytes, sizeof(d->bytes));
}

/* verified_init - empty */
void
verified_init(struct verified *v)
{
	*v = (struct verified){ .by_digest = HASH_INIT };
	list_init(&v->recent);
}

/* drop - forget an entry */
static void
drop(struct verified *v, struct entry *e)
{
	(void)hash_remove(&v->by_digest, key_of(&e->digest));
	list_remove(&e->link);
	v->count--;
	free(e);
}

/* drop_oldest - forget until no more than that are left */
static void
drop_oldest(struct verified *v, size_t max)
{
	while (v->count > max)
		drop(v, CONTAINER_OF(v->recent.next, struct entry, link));
}

/* verified_free - forget all */
void
verified_free(struct verified *v)
{
	drop_oldest(v, 0);
	hash_free(&v->by_digest);
}

/* verified_has - was it tried not long ago? */
bool
verified_has(struct verified *v, const struct verified_digest *d, int64_t now,
    int64_t ttl)
{
	struct entry *e = hash_get(&v->by_digest, key_of(d));

	if (e == NULL)
		return false;
	if (now - e->at < ttl)
		return true;
	drop(v, e);
	return false;
}

/* verified_add - remember it */
void
verified_add(struct verified *v, const struct verified_digest *d, int64_t now,
    size_t max)
{
	struct entry *e = hash_get(&v->by_digest, key_of(d));

	if (e != NULL)
		drop(v, e);
	if (max > 0) {
		drop_oldest(v, max - 1);
		e = NEW(struct entry);
		e->digest = *d;
		e->at = now;
		(void)hash_put(&v->by_digest, key_of(d), e);	/* was not */
		list_add_tail(&v->recent, &e->link);
		v->count++;
	} else {
		drop_oldest(v, 0);
	}
}
