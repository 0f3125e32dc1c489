/* SPDX-License-Identifier: ISC */
/*
 * A certificate authority that signs one certificate and is forgotten: its
 * key never leaves this function's memory.
 */
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libutil/buf.h"
#include "tools/localserve.h"

#define DAY		86400L
#define VALID_DAYS	825L	/* the longest that all clients accept */
#define KEEP_DAYS	30L	/* else it is made anew */

/* add_extension - by its name, as in openssl.cnf */
static bool
add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX	 ctx;
	X509_EXTENSION	*e;
	bool		 ok;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = e != NULL && X509_add_ext(cert, e, -1) == 1;
	X509_EXTENSION_free(e);
	return ok;
}

/* certificate - an empty one with a serial number, dates and names */
static X509 *
certificate(EVP_PKEY *key, const char *common_name, X509 *issuer)
{
	X509		*cert = X509_new();
	BIGNUM		*serial = BN_new();
	X509_NAME	*name;
	bool		 ok;

	if (cert == NULL || serial == NULL) {
		X509_free(cert);
		BN_free(serial);
		return NULL;
	}
	name = X509_get_subject_name(cert);
	ok = X509_set_version(cert, X509_VERSION_3) == 1 &&
	    BN_rand(serial, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
	    BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(cert)) != NULL &&
	    X509_gmtime_adj(X509_getm_notBefore(cert), -DAY) != NULL &&
	    X509_gmtime_adj(X509_getm_notAfter(cert), VALID_DAYS * DAY) !=
	    NULL && X509_set_pubkey(cert, key) == 1 &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
	    (const unsigned char *)common_name, -1, -1, 0) == 1 &&
	    X509_set_issuer_name(cert, issuer == NULL ? name :
	    X509_get_subject_name(issuer)) == 1;
	BN_free(serial);
	if (!ok) {
		X509_free(cert);
		cert = NULL;
	}
	return cert;
}

/* authority - the one that signs */
static X509 *
authority(EVP_PKEY *key)
{
	X509 *ca = certificate(key, "Barid localserve", NULL);

	if (ca != NULL && add_extension(ca, ca, NID_basic_constraints,
	    "critical,CA:TRUE,pathlen:0") && add_extension(ca, ca,
	    NID_key_usage, "critical,keyCertSign,cRLSign") &&
	    add_extension(ca, ca, NID_subject_key_identifier, "hash") &&
	    X509_sign(ca, key, EVP_sha256()) > 0)
		return ca;
	X509_free(ca);
	return NULL;
}

/* leaf - the one that the services show */
static X509 *
leaf(EVP_PKEY *key, X509 *ca, EVP_PKEY *ca_key, const char *domain)
{
	X509		*cert = certificate(key, "localhost", ca);
	struct buf	 names = BUF_INIT;
	bool		 ok;

	buf_addf(&names, "DNS:localhost,IP:127.0.0.1,IP:::1,DNS:%s,DNS:mail.%s",
	    domain, domain);
	ok = cert != NULL && add_extension(cert, ca, NID_basic_constraints,
	    "critical,CA:FALSE") && add_extension(cert, ca, NID_key_usage,
	    "critical,digitalSignature") && add_extension(cert, ca,
	    NID_ext_key_usage, "serverAuth") && add_extension(cert, ca,
	    NID_subject_alt_name, buf_cstr(&names)) && add_extension(cert, ca,
	    NID_authority_key_identifier, "keyid") &&
	    X509_sign(cert, ca_key, EVP_sha256()) > 0;
	buf_free(&names);
	if (!ok) {
		X509_free(cert);
		cert = NULL;
	}
	return cert;
}

/* write_pem - a certificate, or a key that only its owner may read */
static bool
write_pem(const char *folder, const char *name, X509 *cert, EVP_PKEY *key)
{
	struct buf	 path = BUF_INIT;
	BIO		*bio = NULL;
	bool		 ok = false;
	int		 fd;

	buf_addf(&path, "%s/%s", folder, name);
	(void)unlink(buf_cstr(&path));	/* one of an earlier run */
	fd = open(buf_cstr(&path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    key != NULL ? 0600 : 0644);
	if (fd >= 0)
		bio = BIO_new_fd(fd, BIO_CLOSE);
	if (bio != NULL)
		ok = (cert == NULL || PEM_write_bio_X509(bio, cert) == 1) &&
		    (key == NULL || PEM_write_bio_PKCS8PrivateKey(bio, key,
		    NULL, NULL, 0, NULL, NULL) == 1);
	ok = BIO_free(bio) == 1 && ok;
	buf_free(&path);
	return ok;
}

/* fits - is there a certificate that is good for the domain a while yet? */
static bool
fits(const char *folder, const char *domain)
{
	struct buf	 path = BUF_INIT;
	BIO		*bio;
	X509		*cert = NULL;
	time_t		 until = time(NULL) + KEEP_DAYS * DAY;
	bool		 good;

	buf_addf(&path, "%s/cert.pem", folder);
	bio = BIO_new_file(buf_cstr(&path), "r");
	if (bio != NULL)
		cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	good = cert != NULL && X509_check_host(cert, domain, 0, 0, NULL) == 1 &&
	    X509_cmp_time(X509_get0_notAfter(cert), &until) > 0;
	X509_free(cert);
	buf_free(&path);
	ERR_clear_error();
	return good;
}

/* certificate_make - ca.pem, cert.pem, key.pem */
int
certificate_make(struct tool *tool, const char *folder, const char *domain)
{
	EVP_PKEY	*ca_key = NULL, *key = NULL;
	X509		*ca = NULL, *cert = NULL;
	bool		 ok = false;

	if (fits(folder, domain))
		return TOOL_OK;
	if ((ca_key = EVP_EC_gen("P-256")) != NULL &&
	    (key = EVP_EC_gen("P-256")) != NULL &&
	    (ca = authority(ca_key)) != NULL &&
	    (cert = leaf(key, ca, ca_key, domain)) != NULL)
		ok = write_pem(folder, "ca.pem", ca, NULL) &&
		    write_pem(folder, "key.pem", NULL, key) &&
		    write_pem(folder, "cert.pem", cert, NULL);
	X509_free(cert);
	X509_free(ca);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
	return ok ? TOOL_OK : tool_fail(tool, "cannot make certificates in "
	    "%s: %s", folder, ERR_reason_error_string(ERR_peek_last_error()) ==
	    NULL ? strerror(errno) :
	    ERR_reason_error_string(ERR_peek_last_error()));
}
