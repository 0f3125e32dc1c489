/* SPDX-License-Identifier: ISC */
/*
 * The holder's half of remote keys. Whoever asks may be taken over by a
 * stranger; so what is signed is looked at as closely as it can be: it must
 * be a text that only a TLS server's handshake contains. A TLS 1.3 text says
 * so itself. A TLS 1.2 text is two random numbers and an ephemeral key, which
 * is little to hold on to: its shape is checked to the last byte.
 */
#include "libtask/tls_key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "libutil/buf.h"
#include "libutil/cursor.h"
#include "libutil/diag.h"

enum key_type {
	KEY_RSA_PKCS1,
	KEY_RSA_PSS,
	KEY_ECDSA,
	KEY_EDDSA,
};

static const struct scheme {
	enum tls_scheme	 number;
	enum key_type	 type;
	const char	*digest;
	const char	*name;
} schemes[] = {
#define SCHEME(name, number, type, digest, gist) \
	{ TLS_SCHEME_##name, KEY_##type, digest, gist },
#include "libtask/tls_schemes.def"
};

/* the curves a ServerKeyExchange may name, and how long their points are
 * (RFC 8422 5.1.1, 5.4; RFC 8446 4.2.8.2) */
static const struct {
	char		number;
	unsigned char	point_size;
} curves[] = {
	{ 23, 65 },		/* secp256r1 */
	{ 24, 97 },		/* secp384r1 */
	{ 25, 133 },		/* secp521r1 */
	{ 29, 32 },		/* x25519 */
	{ 30, 56 },		/* x448 */
};

/* scheme_find - the row of a number; NULL if there is none */
static const struct scheme *
scheme_find(enum tls_scheme number)
{
	for (size_t i = 0; i < COUNT(schemes); i++)
		if (schemes[i].number == number)
			return &schemes[i];
	return NULL;
}

/* tls_scheme_name - for the log */
const char *
tls_scheme_name(enum tls_scheme scheme)
{
	const struct scheme *s = scheme_find(scheme);

	return s == NULL ? "unknown" : s->name;
}

/* is_verify_13 - a server's CertificateVerify (RFC 8446 4.4.3) */
static bool
is_verify_13(struct slice tbs)
{
	struct cursor	c = cursor_over(tbs);

	for (int i = 0; i < 64; i++)
		if (!cursor_skip_byte(&c, ' '))
			return false;
	if (!cursor_skip(&c, S("TLS 1.3, server CertificateVerify")) ||
	    !cursor_skip_byte(&c, '\0'))
		return false;
	/* the transcript's hash: SHA-256 or SHA-384 */
	return cursor_left(&c) == 32 || cursor_left(&c) == 48;
}

/* is_exchange_12 - both randoms and an ECDHE key (RFC 8422 5.4) */
static bool
is_exchange_12(struct slice tbs)
{
	struct cursor	c = cursor_over(tbs);
	struct slice	head;

	if (cursor_take(&c, 64).len != 64 || cursor_bytes(&c, 4, &head) < 0)
		return false;
	for (size_t i = 0; i < COUNT(curves); i++)
		if (head.data[0] == 3 &&	/* named_curve */
		    head.data[1] == 0 && head.data[2] == curves[i].number &&
		    (unsigned char)head.data[3] == curves[i].point_size)
			return cursor_left(&c) == curves[i].point_size;
	return false;
}

/* tls_tbs_kind - which text of a TLS server is it? */
enum tls_tbs
tls_tbs_kind(struct slice tbs)
{
	if (is_verify_13(tbs))
		return TLS_TBS_VERIFY_13;
	if (is_exchange_12(tbs))
		return TLS_TBS_EXCHANGE_12;
	return TLS_TBS_NONE;
}

/* fits - may that key sign by this scheme in this version of TLS? */
static bool
fits(EVP_PKEY *key, const struct scheme *s, enum tls_tbs kind)
{
	char	group[32];
	size_t	len;

	switch (s->type) {
	case KEY_RSA_PKCS1:		/* gone in 1.3 (RFC 8446 4.2.3) */
		return EVP_PKEY_is_a(key, "RSA") && kind == TLS_TBS_EXCHANGE_12;
	case KEY_RSA_PSS:
		return EVP_PKEY_is_a(key, "RSA");
	case KEY_EDDSA:
		return EVP_PKEY_is_a(key, "ED25519");
	case KEY_ECDSA:
		break;
	}
	if (!EVP_PKEY_is_a(key, "EC") ||
	    EVP_PKEY_get_group_name(key, group, sizeof(group), &len) != 1)
		return false;
	/* 1.3 ties the digest to the curve, 1.2 does not */
	return kind == TLS_TBS_EXCHANGE_12 ||
	    (s->number == TLS_SCHEME_ECDSA_SHA256 &&
	    strcmp(group, "prime256v1") == 0) ||
	    (s->number == TLS_SCHEME_ECDSA_SHA384 &&
	    strcmp(group, "secp384r1") == 0) ||
	    (s->number == TLS_SCHEME_ECDSA_SHA512 &&
	    strcmp(group, "secp521r1") == 0);
}

/* sign - hash and sign; 0 or -EIO */
static int
sign(EVP_PKEY *key, const struct scheme *s, struct slice tbs,
    struct buf *ret_sig)
{
	EVP_MD_CTX	*m = EVP_MD_CTX_new();
	EVP_PKEY_CTX	*p;
	char		*room;
	size_t		 len = (size_t)EVP_PKEY_get_size(key);
	int		 r = -EIO;

	if (m == NULL || len > TLS_SIG_MAX ||
	    EVP_DigestSignInit_ex(m, &p, s->digest, NULL, NULL, key, NULL) != 1)
		goto out;
	if (s->type == KEY_RSA_PSS &&
	    (EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(p, RSA_PSS_SALTLEN_DIGEST) != 1))
		goto out;
	room = buf_room(ret_sig, len);
	if (room == NULL || EVP_DigestSign(m, (unsigned char *)room, &len,
	    (const unsigned char *)tbs.data, tbs.len) != 1)
		goto out;
	buf_grown(ret_sig, len);
	r = 0;
out:
	ERR_clear_error();
	EVP_MD_CTX_free(m);
	return r;
}

/* tls_key_sign_tbs - sign what a TLS server signs, nothing else */
int
tls_key_sign_tbs(EVP_PKEY *key, enum tls_scheme scheme, struct slice tbs,
    struct buf *ret_sig)
{
	const struct scheme	*s = scheme_find(scheme);
	enum tls_tbs		 kind = tls_tbs_kind(tbs);

	if (kind == TLS_TBS_NONE)
		return -EPERM;
	if (s == NULL || !fits(key, s, kind))
		return -EINVAL;
	return sign(key, s, tbs, ret_sig);
}

/* no_passphrase - a key that asks for one is refused, not asked about */
static int
no_passphrase(char *out, int size, int writing, void *arg)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

/* tls_key_parse_pem - read a private key */
int
tls_key_parse_pem(struct slice pem, EVP_PKEY **ret_key, struct diag *diag)
{
	BIO		*b = NULL;
	EVP_PKEY	*key = NULL;
	int		 r = 0;

	if (pem.len <= INT32_MAX)
		b = BIO_new_mem_buf(pem.data, (int)pem.len);
	if (b != NULL)
		key = PEM_read_bio_PrivateKey(b, NULL, no_passphrase, NULL);
	if (key == NULL)
		r = diag_set(diag, 0, 0, "no private key can be read: PEM "
		    "without a passphrase is expected");
	else if (!EVP_PKEY_is_a(key, "RSA") && !EVP_PKEY_is_a(key, "EC") &&
	    !EVP_PKEY_is_a(key, "ED25519"))
		r = diag_set(diag, 0, 0, "a private key of type %s cannot be "
		    "used: use RSA, EC or Ed25519",
		    EVP_PKEY_get0_type_name(key));
	else
		*ret_key = key;
	if (r < 0)
		EVP_PKEY_free(key);
	ERR_clear_error();
	BIO_free(b);
	return r;
}

/* tls_key_id_of - the digest of its public half */
int
tls_key_id_of(EVP_PKEY *key, struct tls_key_id *ret_id)
{
	unsigned char	*der = NULL;
	int		 len = i2d_PUBKEY(key, &der), ok;

	if (len <= 0) {
		ERR_clear_error();
		return -EINVAL;
	}
	ok = EVP_Digest(der, (size_t)len, ret_id->bytes, NULL, EVP_sha256(),
	    NULL);
	OPENSSL_free(der);
	return ok == 1 ? 0 : -EIO;
}

/* tls_key_free - release a key */
void
tls_key_free(EVP_PKEY *key)
{
	EVP_PKEY_free(key);
}
