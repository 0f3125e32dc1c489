/* SPDX-License-Identifier: ISC */
/*
 * The keyless half of remote keys: key objects for OpenSSL, of the provider in
 * tls_key_provider.c, which is loaded into the process with the first of them.
 */
#include "libtask/tls_key_private.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/x509.h>

#include "libutil/diag.h"

/* OpenSSL's own state is global, and so is our part of it */
static OSSL_PROVIDER *loaded;

/* unload_provider - at the process's end */
static void
unload_provider(void)
{
	(void)OSSL_PROVIDER_unload(loaded);
	loaded = NULL;
}

/* load_provider - make the provider known to OpenSSL, once a process. The
 * default provider stays: it does all but the signing. */
static bool
load_provider(void)
{
	if (loaded != NULL)
		return true;
	if (OSSL_PROVIDER_add_builtin(NULL, "barid", tls_key_provider) != 1)
		return false;
	loaded = OSSL_PROVIDER_try_load(NULL, "barid", 1);
	return loaded != NULL && OPENSSL_atexit(unload_provider) == 1;
}

/* key_type_name - the name under which our provider has such keys */
static const char *
key_type_name(EVP_PKEY *key)
{
	static const char *const names[] = { "RSA", "EC", "ED25519" };

	for (size_t i = 0; i < COUNT(names); i++)
		if (EVP_PKEY_is_a(key, names[i]))
			return names[i];
	return NULL;
}

/* tls_key_remote - a key object for a certificate whose key is elsewhere */
int
tls_key_remote(X509 *certificate, tls_sign_fn *sign, void *arg,
    EVP_PKEY **ret_key, struct diag *diag)
{
	struct tls_key_binding b = { .sign = sign, .arg = arg };
	EVP_PKEY_CTX	*c = NULL;
	EVP_PKEY	*key = NULL;
	const char	*type;
	OSSL_PARAM	 params[2];
	int		 r;

	b.public = X509_get0_pubkey(certificate);
	type = b.public == NULL ? NULL : key_type_name(b.public);
	if (type == NULL) {
		(void)diag_set(diag, 0, 0, "the certificate's key is of no "
		    "kind that can be used: use RSA, EC or Ed25519");
		r = -ENOTSUP;
		goto out;
	}
	if ((r = tls_key_id_of(b.public, &b.id)) < 0)
		goto out;

	params[0] = OSSL_PARAM_construct_octet_string(TLS_KEY_PARAM_BINDING, &b,
	    sizeof(b));
	params[1] = OSSL_PARAM_construct_end();
	if (load_provider())
		c = EVP_PKEY_CTX_new_from_name(NULL, type, TLS_KEY_PROPERTIES);
	if (c == NULL || EVP_PKEY_fromdata_init(c) != 1 ||
	    EVP_PKEY_fromdata(c, &key, EVP_PKEY_KEYPAIR, params) != 1) {
		(void)diag_set(diag, 0, 0, "OpenSSL does not take a key of "
		    "ours: %s", ERR_reason_error_string(ERR_peek_error()));
		r = -EIO;
		goto out;
	}
	*ret_key = key;
out:
	ERR_clear_error();
	EVP_PKEY_CTX_free(c);
	return r;
}
