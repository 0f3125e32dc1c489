/* SPDX-License-Identifier: ISC */
/*
 * tls_key: private keys that live in another process. A network-facing process
 * knows a certificate and the fingerprint of its key; when a handshake needs a
 * signature, a function of the caller's has it made elsewhere (signd). The
 * other half, tls_key_sign_tbs, is what signd does with such a request: it
 * gets the text to be signed, never a bare digest, checks that it is one that
 * a TLS server signs, and hashes it itself. There is no decryption with a
 * remote key: RSA key exchange cannot be served.
 *
 * Keys are RSA, EC and Ed25519; TLS 1.2 (ECDHE) and 1.3.
 */
#ifndef LIBTASK_TLS_KEY_H
#define LIBTASK_TLS_KEY_H

#include "libutil/slice.h"

struct buf;
struct diag;
struct task;
struct evp_pkey_st;		/* OpenSSL's EVP_PKEY */
struct x509_st;

#define TLS_KEY_ID_SIZE	32	/* SHA-256 of the public key (SPKI, DER) */
#define TLS_TBS_MAX	512	/* the longest text a TLS server signs */
#define TLS_SIG_MAX	1024	/* the longest signature: RSA of 8192 bits */

struct tls_key_id {
	unsigned char	bytes[TLS_KEY_ID_SIZE];
};

/* how to sign; the numbers are TLS's (RFC 8446 4.2.3) */
enum tls_scheme {
#define SCHEME(name, number, type, digest, gist) \
	TLS_SCHEME_##name = number,
#include "libtask/tls_schemes.def"
};

/* its name as in the RFC, for logs; "unknown" for others */
const char	*tls_scheme_name(enum tls_scheme scheme);

/*
 * Have tbs signed by the key. May suspend. 0, or a negative errno, which is
 * what tls_handshake returns then. At most TLS_SIG_MAX bytes go into ret_sig.
 */
typedef int	tls_sign_fn(struct task *t, void *arg,
		    const struct tls_key_id *key, enum tls_scheme scheme,
		    struct slice tbs, struct buf *ret_sig);

/* --- the side that holds no key */

/*
 * A key object for OpenSSL whose signatures are made by sign(arg): usable by
 * SSL_CTX_use_PrivateKey with that certificate. -ENOTSUP if the certificate's
 * key is of no kind we know. arg is lent as long as the key lives. Freed with
 * EVP_PKEY_free.
 */
MUST_USE int	tls_key_remote(struct x509_st *certificate, tls_sign_fn *sign,
		    void *arg, struct evp_pkey_st **ret_key,
		    struct diag *diag);

/*
 * Brackets around OpenSSL calls that may need a signature (tls_handshake is
 * the one caller): inside them the key's function runs on behalf of t. The
 * bracket's end returns what the last sign function returned, or 0. A
 * signature asked for outside of a bracket is refused.
 */
struct tls_key_call {
	struct task	*t;
	int		 result;
};
void	tls_key_call_begin(struct tls_key_call *c, struct task *t);
int	tls_key_call_end(struct tls_key_call *c);

/* --- the side that holds keys */

/* the first private key of PEM text; no passphrases. Freed with
 * EVP_PKEY_free */
MUST_USE int	tls_key_parse_pem(struct slice pem,
		    struct evp_pkey_st **ret_key, struct diag *diag);
/* the name by which the other side asks for it */
MUST_USE int	tls_key_id_of(struct evp_pkey_st *key,
		    struct tls_key_id *ret_id);

/*
 * Sign one text of a TLS server. -EPERM if tbs is neither a server's
 * CertificateVerify of TLS 1.3 nor a ServerKeyExchange of TLS 1.2 with a named
 * curve, -EINVAL if the scheme does not fit the key or the version, -EIO if
 * OpenSSL fails.
 */
MUST_USE int	tls_key_sign_tbs(struct evp_pkey_st *key,
		    enum tls_scheme scheme, struct slice tbs,
		    struct buf *ret_sig);

/* what a text to be signed is */
enum tls_tbs {
	TLS_TBS_NONE,		/* nothing a TLS server signs */
	TLS_TBS_VERIFY_13,	/* CertificateVerify, RFC 8446 4.4.3 */
	TLS_TBS_EXCHANGE_12,	/* ServerKeyExchange, RFC 8422 5.4 */
};
enum tls_tbs	tls_tbs_kind(struct slice tbs);

/* release a key; NULL is a no-op */
void	tls_key_free(struct evp_pkey_st *key);

#endif
