/* SPDX-License-Identifier: ISC */
/* A lookup that lasts: the crypto library counts it as used to the end. */
#include "libmail/sha256.h"

#include <pthread.h>

#include "libutil/alloc.h"

static EVP_MD	*found;

/* look_up - the first time this starts the library, which takes 0.8 ms */
static void
look_up(void)
{
	found = EVP_MD_fetch(NULL, "SHA256", NULL);
}

/* sha256 - the digest */
const EVP_MD *
sha256(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (pthread_once(&once, look_up) != 0 || found == NULL)
		fatal("the crypto library has no SHA-256");
	return found;
}
