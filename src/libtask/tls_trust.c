/* SPDX-License-Identifier: ISC */
/*
 * The authorities a client trusts. All are read when the context is made,
 * a folder's too, because afterwards the process sees no file system.
 */
#include "libtask/tls_private.h"

#include <dirent.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "libutil/buf.h"
#include "libutil/diag.h"

#define CA_FILES_MAX	10000

/* tls_library_error - why OpenSSL failed */
const char *
tls_library_error(void)
{
	unsigned long	 e = ERR_peek_error();
	const char	*text = e == 0 ? NULL : ERR_reason_error_string(e);

	ERR_clear_error();
	return text == NULL ? "unknown error" : text;
}

/* tls_library_init - configuration file, providers, randomness */
void
tls_library_init(void)
{
	unsigned char	byte;

	(void)OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, NULL);
	/* seeds the generator, and says so itself if that fails */
	(void)RAND_bytes(&byte, 1);
	ERR_clear_error();
}

/* load_pem - trust each certificate of PEM text */
static int
load_pem(struct slice pem, X509_STORE *store, struct diag *diag)
{
	BIO		*b;
	X509		*x;
	size_t		 n = 0;

	if (pem.len > INT32_MAX)
		return diag_set(diag, 0, 0, "too many trusted certificates");
	b = BIO_new_mem_buf(pem.data, (int)pem.len);
	while ((x = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL) {
		n += X509_STORE_add_cert(store, x) == 1;
		X509_free(x);
	}
	BIO_free(b);
	ERR_clear_error();
	if (n == 0)
		return diag_set(diag, 0, 0,
		    "there is no certificate among the trusted ones");
	return 0;
}

/* is_hash_name - "1a2b3c4d.0", as c_rehash names certificates */
static bool
is_hash_name(struct slice name)
{
	struct slice	rest = name, head = slice_split(&rest, '.');

	if (head.len != 8 || rest.len == 0)
		return false;
	for (size_t i = 0; i < rest.len; i++)
		if (!ascii_is_digit(rest.data[i]))
			return false;
	return true;
}

/*
 * load_path - trust what is in a folder. OpenSSL itself looks only at hashed
 * names there, and so do we: the folder may hold the same authorities again
 * in one large file.
 */
static int
load_path(const char *path, SSL_CTX *ssl, struct diag *diag)
{
	struct buf	 file = BUF_INIT;
	DIR		*d = opendir(path);
	struct dirent	*e;
	size_t		 n = 0;
	int		 r = 0;

	if (d == NULL)
		return diag_set(diag, 0, 0, "cannot read the folder %s of "
		    "trusted certificates: %s", path, strerror(errno));
	while (n < CA_FILES_MAX && (e = readdir(d)) != NULL) {
		if (!is_hash_name(slice_of(e->d_name)))
			continue;
		buf_reset(&file);
		buf_addf(&file, "%s/%s", path, e->d_name);
		/* one that cannot be read makes nothing else untrusted */
		n += SSL_CTX_load_verify_file(ssl, buf_cstr(&file)) == 1;
	}
	(void)closedir(d);
	ERR_clear_error();
	if (n == 0)
		r = diag_set(diag, 0, 0, "the folder %s has no certificates "
		    "with hashed names: run \"openssl rehash %s\"", path, path);
	buf_free(&file);
	return r;
}

/* tls_trust_load - from a file, a folder and a text, whichever there are */
int
tls_trust_load(const struct tls_params *p, SSL_CTX *ssl, struct diag *diag)
{
	int	r;

	if (p->ca_file != NULL && p->ca_file[0] != '\0' &&
	    SSL_CTX_load_verify_file(ssl, p->ca_file) != 1)
		return diag_set(diag, 0, 0,
		    "cannot load the trusted certificates of %s: %s",
		    p->ca_file, tls_library_error());
	if (p->ca_path != NULL && p->ca_path[0] != '\0' &&
	    (r = load_path(p->ca_path, ssl, diag)) < 0)
		return r;
	if (p->ca_pem.len > 0)
		return load_pem(p->ca_pem, SSL_CTX_get_cert_store(ssl), diag);
	return 0;
}
