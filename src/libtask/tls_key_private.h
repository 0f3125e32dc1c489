/* SPDX-License-Identifier: ISC */
/* What tls_key.c and tls_key_provider.c share. */
#ifndef LIBTASK_TLS_KEY_PRIVATE_H
#define LIBTASK_TLS_KEY_PRIVATE_H

#include <openssl/core.h>
#include <openssl/types.h>

#include "libtask/tls_key.h"

#define TLS_KEY_PROPERTIES	"provider=barid"
#define TLS_KEY_PARAM_BINDING	"barid-binding"

/* what tls_key_remote hands to the provider: by value, in a parameter */
struct tls_key_binding {
	EVP_PKEY		*public;	/* lent */
	struct tls_key_id	 id;
	tls_sign_fn		*sign;
	void			*arg;
};

/* the provider's entry, for OSSL_PROVIDER_add_builtin */
int	tls_key_provider(const OSSL_CORE_HANDLE *handle,
	    const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
	    void **provider);

#endif
