/* SPDX-License-Identifier: ISC */
/*
 * A context is an SSL_CTX for clients that name no host of ours, and for each
 * other host one more with the same settings and its own certificates; the
 * server name extension moves a connection from the first to the other.
 */
#include "libtask/tls_private.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "libutil/alloc.h"
#include "libutil/buf.h"
#include "libutil/diag.h"

#define CHAIN_MAX	16	/* certificates in one chain */
#define HOST_NAME_MAX_SIZE	255

/* host_find - whose certificates a client gets; NULL: the main ones */
static struct tls_host *
host_find(const struct tls_context *ctx, const char *asked)
{
	char		 lower[HOST_NAME_MAX_SIZE];
	struct slice	 name = slice_of(asked);
	struct tls_host	*host;

	if (name.len == 0 || name.len > sizeof(lower))
		return NULL;
	for (size_t i = 0; i < name.len; i++)
		lower[i] = ascii_lower(name.data[i]);
	name = slice_over(lower, name.len);
	host = hash_get(&ctx->hosts, name);
	while (host == NULL && name.len > 0) {
		size_t dot = slice_find(slice_from(name, 1), '.');

		name = dot == SLICE_NONE ? SLICE_EMPTY :
		    slice_from(name, 1 + dot);
		host = hash_get(&ctx->hosts, name);
	}
	return host;
}

/* on_server_name - the client has said which host it wants (RFC 6066 3) */
static int
on_server_name(SSL *ssl, int *alert, void *arg)
{
	struct tls_host	*host;

	(void)alert;
	host = host_find(arg, SSL_get_servername(ssl,
	    TLSEXT_NAMETYPE_host_name));
	if (host == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	return SSL_set_SSL_CTX(ssl, host->ssl) == NULL ?
	    SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_OK;
}

/*
 * on_alpn - agree on a protocol. A client that offers only others, a browser
 * say, is turned away: it was lured here by somebody (RFC 7301 3.2).
 */
static int
on_alpn(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_len,
    const unsigned char *offered, unsigned offered_len, void *arg)
{
	const struct tls_context *ctx = arg;
	unsigned char	*name;

	(void)ssl;
	if (SSL_select_next_proto(&name, ret_len,
	    (const unsigned char *)ctx->alpn.data, (unsigned)ctx->alpn.len,
	    offered, offered_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*ret_name = name;
	return SSL_TLSEXT_ERR_OK;
}

/* set_up - what all SSL_CTX of a context have in common */
static int
set_up(struct tls_context *ctx, SSL_CTX *ssl, struct diag *diag)
{
	(void)SSL_CTX_set_options(ssl, ctx->options);
	(void)SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS |
	    SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_NO_AUTO_CHAIN |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	(void)SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_read_ahead(ssl, 1);
	/* level 1 forbids what TLS 1.1 and older sign with */
	SSL_CTX_set_security_level(ssl,
	    ctx->version_min < TLS1_2_VERSION ? 0 : 1);
	if (SSL_CTX_set_min_proto_version(ssl, ctx->version_min) != 1 ||
	    SSL_CTX_set_max_proto_version(ssl, ctx->version_max) != 1)
		return diag_set(diag, 0, 0,
		    "OpenSSL speaks none of these TLS protocols");
	if (SSL_CTX_set_cipher_list(ssl, buf_cstr(&ctx->ciphers)) != 1)
		return diag_set(diag, 0, 0, "no cipher is left of \"%s\"",
		    buf_cstr(&ctx->ciphers));
	if (SSL_CTX_set1_groups_list(ssl, buf_cstr(&ctx->groups)) != 1)
		return diag_set(diag, 0, 0,
		    "OpenSSL does not take the groups \"%s\"",
		    buf_cstr(&ctx->groups));
	if (ctx->role == TLS_SERVER) {
		tls_ticket_setup(ctx, ssl);
		if (ctx->alpn.len > 0)
			SSL_CTX_set_alpn_select_cb(ssl, on_alpn, ctx);
	} else if (ctx->alpn.len > 0) {
		(void)SSL_CTX_set_alpn_protos(ssl,
		    (const unsigned char *)ctx->alpn.data,
		    (unsigned)ctx->alpn.len);
	}
	return 0;
}

/* tls_context_new - from parameters */
int
tls_context_new(const struct tls_params *p, struct tls_context **ret_ctx,
    struct diag *diag)
{
	struct tls_context	*ctx = NEW(struct tls_context);
	int			 r;

	ctx->references = 1;
	if ((r = tls_params_read(p, ctx, diag)) < 0)
		goto out;
	ctx->main.ssl = SSL_CTX_new(p->role == TLS_SERVER ?
	    TLS_server_method() : TLS_client_method());
	if (ctx->main.ssl == NULL) {
		r = diag_set(diag, 0, 0, "OpenSSL cannot be used: %s",
		    tls_library_error());
		goto out;
	}
	if (EVP_Digest(p->session_name == NULL ? "" : p->session_name,
	    slice_of(p->session_name).len, ctx->session_name, NULL,
	    EVP_sha256(), NULL) != 1) {
		r = diag_set(diag, 0, 0, "OpenSSL has no SHA-256");
		goto out;
	}
	if ((r = set_up(ctx, ctx->main.ssl, diag)) < 0)
		goto out;
	if (p->role == TLS_CLIENT) {
		r = tls_trust_load(p, ctx->main.ssl, diag);
		goto out;
	}
	(void)SSL_CTX_set_tlsext_servername_callback(ctx->main.ssl,
	    on_server_name);
	(void)SSL_CTX_set_tlsext_servername_arg(ctx->main.ssl, ctx);
out:
	ERR_clear_error();
	if (r < 0)
		tls_context_free(&ctx);
	else
		*ret_ctx = ctx;
	return r;
}

/* tls_context_hold - one more user */
struct tls_context *
tls_context_hold(struct tls_context *ctx)
{
	ctx->references++;
	return ctx;
}

/* tls_context_free - release it, or leave that to its last connection */
void
tls_context_free(struct tls_context **ctx)
{
	struct tls_context	*c = *ctx;
	struct hash_iter	 i = { 0 };
	struct slice		 name;
	void			*host;

	*ctx = NULL;
	if (c == NULL || --c->references > 0)
		return;
	while (hash_next(&c->hosts, &i, &name, &host)) {
		SSL_CTX_free(((struct tls_host *)host)->ssl);
		free(host);
	}
	hash_free(&c->hosts);
	SSL_CTX_free(c->main.ssl);
	BIO_meth_free(c->bio);
	buf_free(&c->alpn);
	buf_free(&c->ciphers);
	buf_free(&c->groups);
	OPENSSL_cleanse(c->ticket_keys, sizeof(c->ticket_keys));
	free(c);
}

/* host_get - the certificates of that host, made if they are not there */
static int
host_get(struct tls_context *ctx, const char *name, struct tls_host **ret_host,
    struct diag *diag)
{
	char		 lower[HOST_NAME_MAX_SIZE];
	struct slice	 s = slice_of(name);
	struct tls_host	*host;
	int		 r;

	if (name == NULL) {
		*ret_host = &ctx->main;
		return 0;
	}
	if (s.len == 0 || s.len > sizeof(lower))
		return diag_set(diag, 0, 0, "\"%s\" is no host name", name);
	for (size_t i = 0; i < s.len; i++)
		lower[i] = ascii_lower(name[i]);
	s = slice_over(lower, s.len);
	if ((host = hash_get(&ctx->hosts, s)) == NULL) {
		host = NEW(struct tls_host);
		host->ssl = SSL_CTX_new(TLS_server_method());
		r = host->ssl == NULL ?
		    diag_set(diag, 0, 0, "OpenSSL cannot be used: %s",
		    tls_library_error()) : set_up(ctx, host->ssl, diag);
		if (r < 0) {
			SSL_CTX_free(host->ssl);
			free(host);
			return r;
		}
		(void)hash_put(&ctx->hosts, s, host);
	}
	*ret_host = host;
	return 0;
}

/* read_chain - the certificates of a PEM text; at least one */
static int
read_chain(struct slice pem, STACK_OF(X509) *chain, struct diag *diag)
{
	BIO	*b;
	X509	*x;
	int	 r = 0;

	b = pem.len > INT32_MAX ? NULL :
	    BIO_new_mem_buf(pem.data, (int)pem.len);
	while (r == 0 && b != NULL &&
	    (x = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL) {
		if (sk_X509_num(chain) < CHAIN_MAX &&
		    sk_X509_push(chain, x) > 0)
			continue;
		X509_free(x);
		r = diag_set(diag, 0, 0,
		    "the certificate chain is longer than %d", CHAIN_MAX);
	}
	if (r == 0 && sk_X509_num(chain) < 1)
		r = diag_set(diag, 0, 0, "no certificate can be read: PEM is "
		    "expected, the server's own first");
	BIO_free(b);
	ERR_clear_error();
	return r;
}

/* claim_key_type - one certificate for each kind of key */
static int
claim_key_type(struct tls_host *host, X509 *leaf, struct diag *diag)
{
	EVP_PKEY	*key = X509_get0_pubkey(leaf);
	unsigned	 bit = 0;

	if (key != NULL && EVP_PKEY_is_a(key, "RSA"))
		bit = 1;
	else if (key != NULL && EVP_PKEY_is_a(key, "EC"))
		bit = 2;
	else if (key != NULL && EVP_PKEY_is_a(key, "ED25519"))
		bit = 4;
	if (bit == 0)
		return diag_set(diag, 0, 0, "the certificate's key is of no "
		    "kind that can be used: use RSA, EC or Ed25519");
	if ((host->key_types & bit) != 0)
		return diag_set(diag, 0, 0, "there is a certificate with a "
		    "key of that kind already");
	host->key_types |= bit;
	return 0;
}

/* install - give a host its chain and key */
static int
install(struct tls_host *host, STACK_OF(X509) *chain, EVP_PKEY *key,
    struct diag *diag)
{
	bool	ok;
	int	r;

	if ((r = claim_key_type(host, sk_X509_value(chain, 0), diag)) < 0)
		return r;
	if (SSL_CTX_use_certificate(host->ssl, sk_X509_value(chain, 0)) != 1)
		return diag_set(diag, 0, 0, "the certificate cannot be used: "
		    "%s", tls_library_error());
	if (SSL_CTX_use_PrivateKey(host->ssl, key) != 1)
		return diag_set(diag, 0, 0, "the private key does not belong "
		    "to the certificate: %s", tls_library_error());
	ok = SSL_CTX_clear_chain_certs(host->ssl) == 1;
	for (int i = 1; ok && i < sk_X509_num(chain); i++)
		ok = SSL_CTX_add1_chain_cert(host->ssl,
		    sk_X509_value(chain, i)) == 1;
	return ok ? 0 : diag_set(diag, 0, 0, "the certificate chain cannot be "
	    "used: %s", tls_library_error());
}

/* add - either with a key or with somebody who signs */
static int
add(struct tls_context *ctx, const char *name, struct slice chain_pem,
    struct slice key_pem, tls_sign_fn *sign, void *arg, struct diag *diag)
{
	STACK_OF(X509)	*chain = sk_X509_new_null();
	EVP_PKEY	*key = NULL;
	struct tls_host	*host;
	int		 r;

	if (ctx->role != TLS_SERVER) {
		r = diag_set(diag, 0, 0, "only a server shows a certificate");
		goto out;
	}
	if ((r = read_chain(chain_pem, chain, diag)) < 0)
		goto out;
	r = sign == NULL ? tls_key_parse_pem(key_pem, &key, diag) :
	    tls_key_remote(sk_X509_value(chain, 0), sign, arg, &key, diag);
	if (r < 0 || (r = host_get(ctx, name, &host, diag)) < 0)
		goto out;
	r = install(host, chain, key, diag);
out:
	ERR_clear_error();
	EVP_PKEY_free(key);
	sk_X509_pop_free(chain, X509_free);
	return r;
}

/* tls_context_add_certificate - a certificate whose key is elsewhere */
int
tls_context_add_certificate(struct tls_context *ctx, const char *host,
    struct slice chain_pem, tls_sign_fn *sign, void *arg, struct diag *diag)
{
	return add(ctx, host, chain_pem, SLICE_EMPTY, sign, arg, diag);
}

/* tls_context_add_identity - a certificate and its key */
int
tls_context_add_identity(struct tls_context *ctx, const char *host,
    struct slice chain_pem, struct slice key_pem, struct diag *diag)
{
	return add(ctx, host, chain_pem, key_pem, NULL, NULL, diag);
}
