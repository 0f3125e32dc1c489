/* SPDX-License-Identifier: ISC */
/* Certificates made on the fly, for tests of TLS. */
#ifndef TESTS_UNIT_LIBTASK_IDENTITY_H
#define TESTS_UNIT_LIBTASK_IDENTITY_H

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "libutil/buf.h"

static inline EVP_PKEY *
make_key(const char *type)
{
	if (strcmp(type, "RSA") == 0)
		return EVP_RSA_gen(2048);
	if (strcmp(type, "ED25519") == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return EVP_EC_gen(type);
}

static inline X509 *
make_certificate(EVP_PKEY *key, const char *names, EVP_PKEY *ca_key, X509 *ca)
{
	X509 *x = X509_new();
	X509_NAME *subject = X509_get_subject_name(x);
	X509_EXTENSION *e;
	X509V3_CTX v;
	static int number;
	char name[64];

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), ca == NULL ? 1 : 2);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	/* each authority under a name of its own */
	(void)snprintf(name, sizeof(name), "%s %d", ca == NULL ? "CA" : "leaf",
	    number++);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
	    (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x, ca == NULL ? subject :
	    X509_get_subject_name(ca));
	X509_set_pubkey(x, key);
	X509V3_set_ctx(&v, ca == NULL ? x : ca, x, NULL, NULL, 0);
	e = ca == NULL ?
	    X509V3_EXT_conf_nid(NULL, &v, NID_basic_constraints,
	    "critical,CA:TRUE") :
	    X509V3_EXT_conf_nid(NULL, &v, NID_subject_alt_name, names);
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
	X509_sign(x, ca_key, EVP_PKEY_is_a(ca_key, "ED25519") ? NULL :
	    EVP_sha256());
	return x;
}

static inline void
add_pem(struct buf *out, X509 *x, EVP_PKEY *key)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *data;
	long len;

	if (x != NULL)
		PEM_write_bio_X509(b, x);
	else
		PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL);
	len = BIO_get_mem_data(b, &data);
	buf_add(out, slice_over(data, (size_t)len));
	BIO_free(b);
}

/* a certificate with its key, and the authority that signed it */
struct identity {
	EVP_PKEY	*key;
	struct buf	 chain;
	struct buf	 key_pem;
	struct buf	 ca;
};

static inline void
identity_init(struct identity *i, const char *type, const char *names)
{
	EVP_PKEY *ca_key = EVP_EC_gen("P-256");
	X509 *ca = make_certificate(ca_key, NULL, ca_key, NULL);
	X509 *x;

	memset(i, 0, sizeof(*i));
	i->key = make_key(type);
	x = make_certificate(i->key, names, ca_key, ca);
	add_pem(&i->chain, x, NULL);
	add_pem(&i->key_pem, NULL, i->key);
	add_pem(&i->ca, ca, NULL);
	X509_free(x);
	X509_free(ca);
	EVP_PKEY_free(ca_key);
}

static inline void
identity_done(struct identity *i)
{
	EVP_PKEY_free(i->key);
	buf_free(&i->chain);
	buf_free(&i->key_pem);
	buf_free(&i->ca);
}

#endif
