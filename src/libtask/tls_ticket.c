/* SPDX-License-Identifier: ISC */
/*
 * Session tickets. All processes of a service hold the same keys, so that a
 * client may come back to any of them. A ticket of an older key is honoured
 * and replaced. Tickets of one service are void at another: the session id
 * context is a digest of its name.
 */
#include "libtask/tls_private.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#define TICKET_LIFETIME	7200	/* seconds */

/* key_init - set up encryption and authentication with that key */
static bool
key_init(struct tls_ticket_key *k, unsigned char *iv, EVP_CIPHER_CTX *cipher,
    EVP_MAC_CTX *mac, int encrypt)
{
	OSSL_PARAM	params[3];
	char		digest[] = "SHA256";

	params[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY,
	    k->hmac, sizeof(k->hmac));
	params[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
	    digest, 0);
	params[2] = OSSL_PARAM_construct_end();
	return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, k->aes, iv,
	    encrypt) == 1 && EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* on_ticket - OpenSSL seals (or opens) a ticket: with which key? */
static int
on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypt)
{
	struct tls_context	*ctx = SSL_CTX_get_app_data(
				    SSL_get_SSL_CTX(ssl));
	struct tls_ticket_key	*k = ctx->ticket_keys;

	if (encrypt) {
		if (ctx->ticket_key_count == 0)
			return 0;
		if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(
		    EVP_aes_256_cbc())) != 1 ||
		    !key_init(k, iv, cipher, mac, 1))
			return -1;
		memcpy(name, k->name, sizeof(k->name));
		return 1;
	}
	for (size_t i = 0; i < ctx->ticket_key_count; i++) {
		if (CRYPTO_memcmp(name, k[i].name, sizeof(k[i].name)) != 0)
			continue;
		if (!key_init(&k[i], iv, cipher, mac, 0))
			return -1;
		return i == 0 ? 1 : 2;		/* 2: give a newer one */
	}
	return 0;
}

/* allow - have tickets on or off, by whether there are keys */
static void
allow(struct tls_context *ctx, SSL_CTX *ssl)
{
	bool	on = ctx->ticket_key_count > 0 &&
		    (ctx->options & SSL_OP_NO_TICKET) == 0;

	/* without SSL_OP_NO_TICKET TLS 1.2 would seal with keys of its own,
	 * and with it TLS 1.3 would name sessions that nobody keeps */
	if (on)
		(void)SSL_CTX_clear_options(ssl, SSL_OP_NO_TICKET);
	else
		(void)SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET);
	(void)SSL_CTX_set_num_tickets(ssl, on ? 1 : 0);
}

/* tls_ticket_setup - prepare one SSL_CTX of a server */
void
tls_ticket_setup(struct tls_context *ctx, SSL_CTX *ssl)
{
	SSL_CTX_set_app_data(ssl, ctx);
	(void)SSL_CTX_set_session_id_context(ssl, ctx->session_name,
	    sizeof(ctx->session_name));
	(void)SSL_CTX_set_timeout(ssl, TICKET_LIFETIME);
	(void)SSL_CTX_set_tlsext_ticket_key_evp_cb(ssl, on_ticket);
	allow(ctx, ssl);
}

/* tls_context_set_ticket_keys - begin, rotate or end session tickets */
void
tls_context_set_ticket_keys(struct tls_context *ctx,
    const struct tls_ticket_key *keys, size_t count)
{
	struct hash_iter i = { 0 };
	struct slice	 name;
	void		*host;

	count = size_min(count, TLS_TICKET_KEYS_MAX);
	OPENSSL_cleanse(ctx->ticket_keys, sizeof(ctx->ticket_keys));
	if (count > 0)
		memcpy(ctx->ticket_keys, keys, count * sizeof(*keys));
	ctx->ticket_key_count = count;
	allow(ctx, ctx->main.ssl);
	while (hash_next(&ctx->hosts, &i, &name, &host))
		allow(ctx, ((struct tls_host *)host)->ssl);
}
