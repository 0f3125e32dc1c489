/* SPDX-License-Identifier: ISC */
/* The holder's half of remote keys: what is signed, and what is not. */
#include "libtask/tls_key.h"

#include "test.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "libutil/diag.h"

#define SPACES_16	"                "
#define SPACES_64	SPACES_16 SPACES_16 SPACES_16 SPACES_16
#define BYTES_16	"0123456789abcdef"
#define BYTES_32	BYTES_16 BYTES_16
#define SERVER_13	SPACES_64 "TLS 1.3, server CertificateVerify\0"
#define RANDOMS		BYTES_32 BYTES_32

#define VERIFY_256	SERVER_13 BYTES_32
#define EXCHANGE_P256	RANDOMS "\x03\x00\x17\x41" "\x04" BYTES_32 BYTES_32
#define EXCHANGE_X25519	RANDOMS "\x03\x00\x1d\x20" BYTES_32

TEST(tls_tbs_kind)
{
	static const struct {
		struct slice	in;
		enum tls_tbs	want;
	} cases[] = {
		{ S_INIT(VERIFY_256), TLS_TBS_VERIFY_13 },
		{ S_INIT(SERVER_13 BYTES_32 BYTES_16), TLS_TBS_VERIFY_13 },
		{ S_INIT(EXCHANGE_P256), TLS_TBS_EXCHANGE_12 },
		{ S_INIT(EXCHANGE_X25519), TLS_TBS_EXCHANGE_12 },

		{ S_INIT(""), TLS_TBS_NONE },
		/* a bare digest */
		{ S_INIT(BYTES_32), TLS_TBS_NONE },
		/* hash too short, too long, none */
		{ S_INIT(SERVER_13 BYTES_16), TLS_TBS_NONE },
		{ S_INIT(SERVER_13 BYTES_32 BYTES_32), TLS_TBS_NONE },
		{ S_INIT(SERVER_13), TLS_TBS_NONE },
		/* a client's signature */
		{ S_INIT(SPACES_64 "TLS 1.3, client CertificateVerify\0"
		    BYTES_32), TLS_TBS_NONE },
		/* one space too few */
		{ S_INIT(SPACES_16 SPACES_16 SPACES_16 "               "
		    "TLS 1.3, server CertificateVerify\0" BYTES_32),
		    TLS_TBS_NONE },
		/* explicit curve, unknown curve, wrong length of the point */
		{ S_INIT(RANDOMS "\x01\x00\x17\x41" "\x04" BYTES_32 BYTES_32),
		    TLS_TBS_NONE },
		{ S_INIT(RANDOMS "\x03\x00\x16\x41" "\x04" BYTES_32 BYTES_32),
		    TLS_TBS_NONE },
		{ S_INIT(RANDOMS "\x03\x00\x17\x20" BYTES_32), TLS_TBS_NONE },
		/* bytes missing, bytes left over */
		{ S_INIT(RANDOMS "\x03\x00\x1d\x20" BYTES_16), TLS_TBS_NONE },
		{ S_INIT(EXCHANGE_X25519 "x"), TLS_TBS_NONE },
		{ S_INIT(RANDOMS "\x03"), TLS_TBS_NONE },
		{ S_INIT(RANDOMS), TLS_TBS_NONE },
		/* a finite field exchange */
		{ S_INIT(RANDOMS "\x00\x10" BYTES_16 "\x00\x01\x02\x00\x10"
		    BYTES_16), TLS_TBS_NONE },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_INT(tls_tbs_kind(cases[i].in), cases[i].want, i);
}

static EVP_PKEY *
make_key(const char *type)
{
	if (strcmp(type, "RSA") == 0)
		return EVP_RSA_gen(2048);
	if (strcmp(type, "ED25519") == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return EVP_EC_gen(type);
}

/* is it a signature of these bytes? */
static bool
verifies(EVP_PKEY *key, const char *digest, bool pss, struct slice tbs,
    struct slice sig)
{
	EVP_MD_CTX *m = EVP_MD_CTX_new();
	EVP_PKEY_CTX *p;
	bool ok;

	ok = EVP_DigestVerifyInit_ex(m, &p, digest, NULL, NULL, key,
	    NULL) == 1 && (!pss ||
	    (EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(p,
	    RSA_PSS_SALTLEN_DIGEST) == 1)) &&
	    EVP_DigestVerify(m, (const unsigned char *)sig.data, sig.len,
	    (const unsigned char *)tbs.data, tbs.len) == 1;
	EVP_MD_CTX_free(m);
	return ok;
}

TEST(tls_key_sign_tbs)
{
	static const struct slice verify = S_INIT(VERIFY_256);
	static const struct slice exchange = S_INIT(EXCHANGE_P256);
	static const struct slice other = S_INIT(BYTES_32);
	static const struct {
		const char		*key;
		int			 scheme;
		const struct slice	*tbs;
		int			 want;
		const char		*digest;
		bool			 pss;
	} cases[] = {
		{ "RSA", TLS_SCHEME_RSA_PSS_SHA256, &verify, 0, "SHA256",
		  true },
		{ "RSA", TLS_SCHEME_RSA_PSS_SHA512, &exchange, 0, "SHA512",
		  true },
		{ "RSA", TLS_SCHEME_RSA_PKCS1_SHA384, &exchange, 0, "SHA384",
		  false },
		{ "P-256", TLS_SCHEME_ECDSA_SHA256, &verify, 0, "SHA256",
		  false },
		{ "P-256", TLS_SCHEME_ECDSA_SHA512, &exchange, 0, "SHA512",
		  false },
		{ "P-384", TLS_SCHEME_ECDSA_SHA384, &verify, 0, "SHA384",
		  false },
		{ "ED25519", TLS_SCHEME_ED25519, &verify, 0, NULL, false },
		{ "ED25519", TLS_SCHEME_ED25519, &exchange, 0, NULL, false },
		/* PKCS#1 is gone in 1.3, and the curve's digest is fixed */
		{ "RSA", TLS_SCHEME_RSA_PKCS1_SHA256, &verify, -EINVAL, NULL,
		  false },
		{ "P-256", TLS_SCHEME_ECDSA_SHA384, &verify, -EINVAL, NULL,
		  false },
		/* another kind of key; no scheme at all; SHA-1 */
		{ "RSA", TLS_SCHEME_ECDSA_SHA256, &verify, -EINVAL, NULL,
		  false },
		{ "P-256", TLS_SCHEME_RSA_PSS_SHA256, &verify, -EINVAL, NULL,
		  false },
		{ "ED25519", TLS_SCHEME_ECDSA_SHA256, &verify, -EINVAL, NULL,
		  false },
		{ "RSA", 0, &verify, -EINVAL, NULL, false },
		{ "RSA", 0x0201, &exchange, -EINVAL, NULL, false },
		/* no text of a TLS server */
		{ "P-256", TLS_SCHEME_ECDSA_SHA256, &other, -EPERM, NULL,
		  false },
		{ "RSA", TLS_SCHEME_RSA_PKCS1_SHA256, &other, -EPERM, NULL,
		  false },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		EVP_PKEY *key = make_key(cases[i].key);
		struct buf sig = BUF_INIT_MAX(TLS_SIG_MAX);

		CHECK_INT(tls_key_sign_tbs(key,
		    (enum tls_scheme)cases[i].scheme, *cases[i].tbs, &sig),
		    cases[i].want, i);
		if (cases[i].want == 0)
			CHECK(verifies(key, cases[i].digest, cases[i].pss,
			    *cases[i].tbs, buf_slice(&sig)), i);
		else
			CHECK_INT((long long)sig.len, 0, i);
		buf_free(&sig);
		tls_key_free(key);
	}
	CHECK_TEXT(slice_of(tls_scheme_name(TLS_SCHEME_RSA_PSS_SHA256)),
	    "rsa_pss_rsae_sha256", 0);
	CHECK_TEXT(slice_of(tls_scheme_name((enum tls_scheme)1)), "unknown",
	    0);
}

static int
never(struct task *t, void *arg, const struct tls_key_id *id,
    enum tls_scheme scheme, struct slice tbs, struct buf *ret_sig)
{
	(void)t;
	(void)id;
	(void)scheme;
	(void)tbs;
	(void)ret_sig;
	++*(int *)arg;
	return -EIO;
}

/* the key object must be good for nothing but a TLS handshake */
TEST(tls_key_remote_refuses)
{
	static const char *const kinds[] = { "RSA", "P-256", "ED25519" };

	for (size_t i = 0; i < COUNT(kinds); i++) {
		EVP_PKEY *real = make_key(kinds[i]), *key = NULL;
		X509 *x = X509_new();
		EVP_MD_CTX *m = EVP_MD_CTX_new();
		EVP_PKEY_CTX *c;
		OSSL_PARAM *params = NULL;
		unsigned char out[1024], in[32] = { 0 };
		size_t len = sizeof(out);
		int calls = 0;
		struct tls_key_id a, b;

		X509_set_pubkey(x, real);
		CHECK_INT(tls_key_remote(x, never, &calls, &key, NULL), 0, i);
		CHECK(EVP_PKEY_eq(key, real) == 1, i);
		CHECK_INT(EVP_PKEY_get_size(key), EVP_PKEY_get_size(real), i);
		CHECK_INT(tls_key_id_of(real, &a), 0, i);
		CHECK_INT(tls_key_id_of(X509_get0_pubkey(x), &b), 0, i);
		CHECK(memcmp(&a, &b, sizeof(a)) == 0, i);

		/* outside of a handshake nobody is asked */
		CHECK(EVP_DigestSignInit_ex(m, NULL, strcmp(kinds[i],
		    "ED25519") == 0 ? NULL : "SHA256", NULL, NULL, key,
		    NULL) == 1, i);
		CHECK(EVP_DigestSign(m, out, &len, in, sizeof(in)) != 1, i);
		CHECK_INT(calls, 0, i);
		EVP_MD_CTX_free(m);

		/* no signature of a digest, no decryption, no export */
		c = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
		CHECK(EVP_PKEY_sign_init(c) <= 0, i);
		CHECK(EVP_PKEY_decrypt_init(c) <= 0, i);
		CHECK(EVP_PKEY_derive_init(c) <= 0, i);
		EVP_PKEY_CTX_free(c);
		CHECK(EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &params) != 1, i);
		CHECK(params == NULL, i);
		EVP_PKEY_free(key);
		X509_free(x);
		tls_key_free(real);
	}
}

TEST(tls_key_of_no_use)
{
	EVP_PKEY *real = EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), *key = NULL;
	X509 *x = X509_new();
	struct diag d = DIAG_INIT;

	CHECK_INT(tls_key_remote(x, never, NULL, &key, NULL), -ENOTSUP, 0);
	X509_set_pubkey(x, real);
	CHECK_INT(tls_key_remote(x, never, NULL, &key, &d), -ENOTSUP, 1);
	CHECK(d.text[0] != '\0', 1);
	X509_free(x);
	EVP_PKEY_free(real);
}
