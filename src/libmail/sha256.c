/* SPDX-License-Identifier: ISC */
/* See sha256.h. */
#include "libmail/sha256.h"

#include <openssl/evp.h>
#include <stdatomic.h>

#include "libutil/alloc.h"

/* must - what only a broken library refuses */
static void
must(int ok)
{
	if (ok != 1)
		fatal("the SHA-256 of the crypto library does not work");
}

/* digest - looked up once, for good: the first time starts the library, which
 * takes 0.8 ms. Of threads that are the first at once, one's is kept. */
static const EVP_MD *
digest(void)
{
	static _Atomic(EVP_MD *) kept;
	EVP_MD *first = atomic_load(&kept), *md;

	if (first != NULL)
		return first;
	md = EVP_MD_fetch(NULL, "SHA256", NULL);
	must(md != NULL);
	if (atomic_compare_exchange_strong(&kept, &first, md))
		return md;
	EVP_MD_free(md);
	return first;
}

/* sha256_begin - nothing is added yet */
void
sha256_begin(struct sha256 *h)
{
	h->ctx = EVP_MD_CTX_new();
	must(h->ctx != NULL && EVP_DigestInit_ex(h->ctx, digest(), NULL) == 1);
}

/* sha256_add - some more bytes */
void
sha256_add(struct sha256 *h, struct slice bytes)
{
	if (bytes.len > 0)
		must(EVP_DigestUpdate(h->ctx, bytes.data, bytes.len));
}

/* sha256_add_text - a text and its end */
void
sha256_add_text(struct sha256 *h, struct slice text)
{
	sha256_add(h, text);
	sha256_add(h, slice_over("", 1));
}

/* sha256_take - the hash; then the next one */
void
sha256_take(struct sha256 *h, unsigned char ret_hash[SHA256_LEN])
{
	must(EVP_DigestFinal_ex(h->ctx, ret_hash, NULL));
	must(EVP_DigestInit_ex(h->ctx, NULL, NULL));
}

/* sha256_done - release it */
void
sha256_done(struct sha256 *h)
{
	EVP_MD_CTX_free(h->ctx);
	h->ctx = NULL;
}

/* sha256_of - of bytes that are all there */
void
sha256_of(struct slice bytes, unsigned char ret_hash[SHA256_LEN])
{
	static const char nothing[1];

	must(EVP_Digest(bytes.len == 0 ? nothing : bytes.data, bytes.len,
	    ret_hash, NULL, digest(), NULL));
}
