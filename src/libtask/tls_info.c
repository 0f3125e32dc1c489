/* SPDX-License-Identifier: ISC */
/*
 * What a finished handshake agreed on: for logs, Received fields, and the
 * channel bindings of SASL.
 */
#include "libtask/tls.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include "libtask/tls_private.h"

#include "libutil/buf.h"

/* tls_info - the short facts */
struct tls_info
tls_info(const struct tls *tls)
{
	SSL		*ssl = tls_session(tls);
	struct tls_info	 i = { .protocol = SSL_get_version(ssl) };

	i.cipher = SSL_get_cipher_name(ssl);
	i.cipher_bits = SSL_get_cipher_bits(ssl, &i.algorithm_bits);
	i.is_resumed = SSL_session_reused(ssl) == 1;
	return i;
}

/* add_key - " (prime256v1)" or " (2048 bits)", if the kind says too little */
static void
add_key(struct buf *out, EVP_PKEY *key)
{
	char	group[40];

	if (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "DH"))
		buf_addf(out, " (%d bits)", EVP_PKEY_get_bits(key));
	else if (EVP_PKEY_is_a(key, "EC") &&
	    EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1)
		buf_addf(out, " (%s)", group);
}

/* add_exchange - how the keys of the session were agreed on */
static void
add_exchange(struct buf *out, SSL *ssl)
{
	EVP_PKEY	*key = NULL;

	if (SSL_get_peer_tmp_key(ssl, &key) != 1 || key == NULL)
		return;
	buf_addf(out, " key-exchange %s", EVP_PKEY_is_a(key, "EC") ? "ECDHE" :
	    EVP_PKEY_is_a(key, "DH") ? "DHE" : EVP_PKEY_get0_type_name(key));
	add_key(out, key);
	EVP_PKEY_free(key);
}

/* add_signature - how the server has signed */
static void
add_signature(struct buf *out, SSL *ssl)
{
	bool	 is_server = SSL_is_server(ssl) == 1;
	X509	*x = is_server ? SSL_get_certificate(ssl) :
		     SSL_get0_peer_certificate(ssl);
	int	 type, digest;

	if (x == NULL || SSL_session_reused(ssl) == 1 ||
	    (is_server ? SSL_get_signature_type_nid(ssl, &type) :
	    SSL_get_peer_signature_type_nid(ssl, &type)) != 1)
		return;
	buf_addf(out, " server-signature %s",
	    type == EVP_PKEY_RSA_PSS ? "RSA-PSS" :
	    type == EVP_PKEY_RSA ? "RSA" :
	    type == EVP_PKEY_EC ? "ECDSA" : OBJ_nid2sn(type));
	add_key(out, X509_get0_pubkey(x));
	if ((is_server ? SSL_get_signature_nid(ssl, &digest) :
	    SSL_get_peer_signature_nid(ssl, &digest)) == 1 &&
	    digest != NID_undef)
		buf_addf(out, " server-digest %s", OBJ_nid2sn(digest));
}

/* tls_format_summary - one line, in the words of Postfix */
void
tls_format_summary(struct buf *out, const struct tls *tls)
{
	struct tls_info	 i = tls_info(tls);
	SSL		*ssl = tls_session(tls);

	buf_addf(out, "%s with cipher %s (%d/%d bits)", i.protocol, i.cipher,
	    i.cipher_bits, i.algorithm_bits);
	/* before TLS 1.3 the cipher's name says it all */
	if (SSL_version(ssl) >= TLS1_3_VERSION) {
		add_exchange(out, ssl);
		add_signature(out, ssl);
	}
	ERR_clear_error();
}

/* tls_trust_name - as the log says it */
const char *
tls_trust_name(enum tls_trust trust)
{
	switch (trust) {
	case TLS_TRUST_UNKNOWN:
		return "Untrusted";
	case TLS_TRUST_CA:
		return "Trusted";
	case TLS_TRUST_NAME:
		return "Verified";
	case TLS_TRUST_NONE:
		break;
	}
	return "Anonymous";
}

/* tls_server_name - the host that the client asked for */
const char *
tls_server_name(const struct tls *tls)
{
	const char	*name;

	name = SSL_get_servername(tls_session(tls), TLSEXT_NAMETYPE_host_name);
	return name == NULL ? "" : name;
}

/* tls_alpn - the protocol agreed on */
struct slice
tls_alpn(const struct tls *tls)
{
	const unsigned char	*name;
	unsigned		 len;

	SSL_get0_alpn_selected(tls_session(tls), &name, &len);
	return slice_over(name, len);
}

/*
 * exporter - RFC 9266. Before TLS 1.3 an empty context and none give different
 * bytes, and programs differ in which they take; there tls-unique is to be
 * had.
 */
static int
exporter(SSL *ssl, struct buf *out)
{
	static const char	label[] = "EXPORTER-Channel-Binding";
	unsigned char		bytes[32];

	if (SSL_version(ssl) < TLS1_3_VERSION ||
	    SSL_export_keying_material(ssl, bytes, sizeof(bytes), label,
	    sizeof(label) - 1, NULL, 0, 0) != 1)
		return -ENOTSUP;
	buf_add(out, slice_over(bytes, sizeof(bytes)));
	return 0;
}

/*
 * unique - the first Finished message of the handshake (RFC 5929 3.1): the
 * client's, or the server's when the session was resumed. Without the extended
 * master secret it is not unique at all (RFC 7627 6.3).
 */
static int
unique(SSL *ssl, struct buf *out)
{
	unsigned char	bytes[EVP_MAX_MD_SIZE];
	bool		by_client = SSL_session_reused(ssl) != 1;
	bool		by_us = by_client == (SSL_is_server(ssl) != 1);
	size_t		len;

	if (SSL_version(ssl) >= TLS1_3_VERSION ||
	    SSL_get_extms_support(ssl) != 1)
		return -ENOTSUP;
	len = by_us ? SSL_get_finished(ssl, bytes, sizeof(bytes)) :
	    SSL_get_peer_finished(ssl, bytes, sizeof(bytes));
	if (len == 0 || len > sizeof(bytes))
		return -ENOTSUP;
	buf_add(out, slice_over(bytes, len));
	return 0;
}

/* end_point - a digest of the server's certificate (RFC 5929 4.1) */
static int
end_point(SSL *ssl, struct buf *out)
{
	X509		*x = SSL_is_server(ssl) == 1 ?
			     SSL_get_certificate(ssl) :
			     SSL_get0_peer_certificate(ssl);
	const EVP_MD	*md;
	unsigned char	 bytes[EVP_MAX_MD_SIZE];
	unsigned	 len;
	int		 digest;

	if (x == NULL || X509_get_signature_info(x, &digest, NULL, NULL,
	    NULL) != 1 || digest == NID_undef)
		return -ENOTSUP;
	md = digest == NID_md5 || digest == NID_sha1 ? EVP_sha256() :
	    EVP_get_digestbynid(digest);
	if (md == NULL || X509_digest(x, md, bytes, &len) != 1)
		return -ENOTSUP;
	buf_add(out, slice_over(bytes, len));
	return 0;
}

/* tls_channel_binding - what ties a SASL exchange to this connection */
int
tls_channel_binding(const struct tls *tls, enum tls_binding binding,
    struct buf *ret_bytes)
{
	SSL	*ssl = tls_session(tls);
	int	 r = -ENOTSUP;

	if (SSL_is_init_finished(ssl) != 1)
		return -ENOTSUP;
	switch (binding) {
	case TLS_BINDING_EXPORTER:
		r = exporter(ssl, ret_bytes);
		break;
	case TLS_BINDING_UNIQUE:
		r = unique(ssl, ret_bytes);
		break;
	case TLS_BINDING_END_POINT:
		r = end_point(ssl, ret_bytes);
		break;
	}
	ERR_clear_error();
	return r;
}
