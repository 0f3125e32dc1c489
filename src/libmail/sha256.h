/* SPDX-License-Identifier: ISC */
/*
 * sha256: SHA-256 as the crypto library's EVP functions take it. It is looked
 * up once in a process: to look it up each time, as EVP_sha256() makes them,
 * takes longer than to hash a short text.
 */
#ifndef LIBMAIL_SHA256_H
#define LIBMAIL_SHA256_H

#include <openssl/evp.h>

/* lent, for as long as the process lives; any thread may ask */
const EVP_MD	*sha256(void);

#endif
