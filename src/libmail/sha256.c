/* SPDX-License-Identifier: ISC */
/* A lookup that lasts: the crypto library counts it as used to the end. Of
 * threads that are the first at once, one's is kept. */
#include "libmail/sha256.h"

#include <stdatomic.h>

#include "libutil/alloc.h"

/* sha256 - the digest; the first time this starts the library: 0.8 ms */
const EVP_MD *
sha256(void)
{
	static _Atomic(EVP_MD *) kept;
	EVP_MD *first = atomic_load(&kept), *md;

	if (first != NULL)
		return first;
	md = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (md == NULL)
		fatal("the crypto library has no SHA-256");
	if (atomic_compare_exchange_strong(&kept, &first, md))
		return md;
	EVP_MD_free(md);
	return first;
}
