/* SPDX-License-Identifier: ISC */
/*
 * PEM objects are taken one after the other: a private key begins an identity,
 * certificates go to the last one. An identity is complete when the next one
 * begins or the text ends.
 */
#include "signd/identities.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "libutil/alloc.h"
#include "libutil/diag.h"

/* one PEM object */
enum object {
	OBJECT_END,
	OBJECT_KEY,
	OBJECT_CERT,
	OBJECT_OTHER,		/* parameters and the like: passed over */
	OBJECT_BROKEN,
};

struct reader {
	BIO		*bio;
	struct buf	 key;		/* PEM of the last key */
	X509		*cert;		/* the last certificate */
};

/* open_reader - over a text that stays */
static int
open_reader(struct reader *r, struct slice pem)
{
	*r = (struct reader){ .key = BUF_INIT };
	r->bio = pem.len > INT32_MAX ? NULL :
	    BIO_new_mem_buf(pem.data, (int)pem.len);
	return r->bio == NULL ? -ENOMEM : 0;
}

/* wipe - forget the text of a key */
static void
wipe(struct buf *b)
{
	if (b->cap > 0)
		explicit_bzero(b->data, b->cap);
	buf_free(b);
}

/* close_reader - release it */
static void
close_reader(struct reader *r)
{
	wipe(&r->key);
	X509_free(r->cert);
	BIO_free(r->bio);
	ERR_clear_error();
}

/* keep_key - the object as PEM text of its own */
static bool
keep_key(struct reader *r, const char *name, const char *header,
    const unsigned char *data, long len)
{
	BIO	*out = BIO_new(BIO_s_secmem());
	char	*text;
	long	 n;

	wipe(&r->key);
	if (out == NULL || PEM_write_bio(out, name, header, data, len) <= 0) {
		BIO_free(out);
		return false;
	}
	n = BIO_get_mem_data(out, &text);
	if (n > 0)
		buf_add(&r->key, slice_over(text, (size_t)n));
	BIO_free(out);
	return n > 0;
}

/* next_object - take one from the text */
static enum object
next_object(struct reader *r)
{
	char		*name = NULL, *header = NULL;
	unsigned char	*data = NULL;
	const unsigned char *at;
	enum object	 what = OBJECT_OTHER;
	long		 len = 0;

	if (PEM_read_bio(r->bio, &name, &header, &data, &len) != 1) {
		what = ERR_GET_REASON(ERR_peek_last_error()) ==
		    PEM_R_NO_START_LINE ? OBJECT_END : OBJECT_BROKEN;
		ERR_clear_error();
		return what;
	}
	if (slice_has_suffix(slice_of(name), S("PRIVATE KEY"))) {
		what = keep_key(r, name, header, data, len) ? OBJECT_KEY :
		    OBJECT_BROKEN;
	} else if (slice_has_suffix(slice_of(name), S("CERTIFICATE"))) {
		at = data;
		X509_free(r->cert);
		r->cert = slice_has_prefix(slice_of(name), S("TRUSTED")) ?
		    d2i_X509_AUX(NULL, &at, len) : d2i_X509(NULL, &at, len);
		what = r->cert == NULL ? OBJECT_BROKEN : OBJECT_CERT;
	}
	OPENSSL_clear_free(data, (size_t)len);
	OPENSSL_free(name);
	OPENSSL_free(header);
	return what;
}

/* --- one identity being put together */

struct building {
	struct identities	*set;
	const char		*host;
	const char		*file;
	struct diag		*diag;
	EVP_PKEY		*key;
	struct buf		 chain;
	X509			*leaf;
	int			 certs;
};

/* drop - what was put together is not wanted */
static void
drop(struct building *b)
{
	tls_key_free(b->key);
	X509_free(b->leaf);
	buf_free(&b->chain);
	b->key = NULL;
	b->leaf = NULL;
	b->certs = 0;
}

/* seconds - a certificate's time */
static int64_t
seconds(const ASN1_TIME *when)
{
	ASN1_TIME	*epoch = ASN1_TIME_set(NULL, 0);
	int		 days, rest;
	int64_t		 s = 0;

	if (epoch != NULL && ASN1_TIME_diff(&days, &rest, epoch, when) == 1)
		s = (int64_t)days * 86400 + rest;
	ASN1_TIME_free(epoch);
	return s;
}

/* add - what was put together, to the set */
static void
add(struct building *b, const struct tls_key_id *id)
{
	struct identities	*s = b->set;
	struct signd_identity		*i;

	s->v = xreallocarray(s->v, s->count + 1, sizeof(*s->v));
	i = &s->v[s->count++];
	*i = (struct signd_identity){ .host = slice_dup(slice_of(b->host)),
	    .file = slice_dup(slice_of(b->file)), .chain = b->chain,
	    .key = b->key, .id = *id,
	    .not_before = seconds(X509_get0_notBefore(b->leaf)),
	    .not_after = seconds(X509_get0_notAfter(b->leaf)) };
	b->chain = (struct buf)BUF_INIT_MAX(IDENTITY_CHAIN_MAX);
	b->key = NULL;
	drop(b);
}

/* finish - the identity is complete, if there is one */
static int
finish(struct building *b)
{
	struct tls_key_id	id;
	int			r;

	if (b->key == NULL)
		return 0;
	if (b->leaf == NULL)
		return diag_set(b->diag, 0, 0, "%s: a private key without a "
		    "certificate behind it", b->file);
	if (X509_check_private_key(b->leaf, b->key) != 1) {
		ERR_clear_error();
		return diag_set(b->diag, 0, 0, "%s: the certificate does not "
		    "belong to the private key", b->file);
	}
	if (buf_check(&b->chain) < 0)
		return diag_set(b->diag, 0, 0, "%s: the certificate chain is "
		    "longer than %d bytes", b->file, IDENTITY_CHAIN_MAX);
	if (b->set->count == IDENTITIES_MAX)
		return diag_set(b->diag, 0, 0, "%s: more than %d certificates",
		    b->file, IDENTITIES_MAX);
	if ((r = tls_key_id_of(b->key, &id)) < 0)
		return r;
	add(b, &id);
	return 0;
}

/* take_key - the next identity begins */
static int
take_key(struct building *b, struct slice pem)
{
	struct diag	why = DIAG_INIT;

	if (tls_key_parse_pem(pem, &b->key, &why) < 0)
		return diag_set(b->diag, 0, 0, "%s: %s", b->file, why.text);
	return 0;
}

/* take_cert - one more certificate of the chain */
static int
take_cert(struct building *b, X509 *cert)
{
	BIO	*out;
	char	*text;
	long	 n;
	int	 r = 0;

	if (b->certs == IDENTITY_CERTS_MAX)
		return diag_set(b->diag, 0, 0, "%s: more than %d certificates "
		    "in one chain", b->file, IDENTITY_CERTS_MAX);
	out = BIO_new(BIO_s_mem());
	if (out == NULL || PEM_write_bio_X509(out, cert) != 1)
		r = -ENOMEM;
	n = r < 0 ? 0 : BIO_get_mem_data(out, &text);
	if (n > 0)
		buf_add(&b->chain, slice_over(text, (size_t)n));
	if (r == 0 && b->certs++ == 0) {
		X509_up_ref(cert);
		b->leaf = cert;
	}
	BIO_free(out);
	return r;
}

/* take - all objects of a text; keys: those in it begin identities */
static int
take(struct building *b, struct slice pem, bool keys)
{
	struct reader	reader;
	enum object	what = OBJECT_OTHER;
	int		r = open_reader(&reader, pem);

	while (r == 0 && (what = next_object(&reader)) != OBJECT_END) {
		if (what == OBJECT_BROKEN)
			r = diag_set(b->diag, 0, 0, "%s: it is not whole: a "
			    "PEM object cannot be read", b->file);
		else if (what == OBJECT_CERT && b->key == NULL)
			r = diag_set(b->diag, 0, 0, "%s: a certificate comes "
			    "before its private key", b->file);
		else if (what == OBJECT_CERT)
			r = take_cert(b, reader.cert);
		else if (what == OBJECT_KEY && keys && (r = finish(b)) == 0)
			r = take_key(b, buf_slice(&reader.key));
	}
	close_reader(&reader);
	return r;
}

/* building - nothing put together yet */
static struct building
building(struct identities *s, const char *host, const char *file,
    struct diag *diag)
{
	return (struct building){ .set = s, .host = host, .file = file,
	    .diag = diag, .chain = BUF_INIT_MAX(IDENTITY_CHAIN_MAX) };
}

/* identities_add_chain - keys and their certificates */
int
identities_add_chain(struct identities *s, const char *host, const char *file,
    struct slice pem, struct diag *diag)
{
	struct building	b = building(s, host, file, diag);
	size_t		before = s->count;
	int		r = take(&b, pem, true);

	if (r == 0)
		r = finish(&b);
	if (r == 0 && s->count == before)
		r = diag_set(diag, 0, 0, "%s: there is no private key in it",
		    file);
	drop(&b);
	return r;
}

/* identities_add_pair - certificates from here, the key from there */
int
identities_add_pair(struct identities *s, const char *host, const char *file,
    struct slice certs_pem, struct slice key_pem, struct diag *diag)
{
	struct building	b = building(s, host, file, diag);
	int		r = take_key(&b, key_pem);

	if (r == 0)
		r = take(&b, certs_pem, false);
	if (r == 0)
		r = finish(&b);
	drop(&b);
	return r;
}

/* identities_find - by the key's digest */
const struct signd_identity *
identities_find(const struct identities *s, struct slice id)
{
	for (size_t i = 0; i < s->count; i++)
		if (slice_equal(id, slice_over(s->v[i].id.bytes,
		    TLS_KEY_ID_SIZE)))
			return &s->v[i];
	return NULL;
}

/* identities_free - release all keys */
void
identities_free(struct identities *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->v[i].host);
		free(s->v[i].file);
		buf_free(&s->v[i].chain);
		tls_key_free(s->v[i].key);
	}
	free(s->v);
	*s = (struct identities){ NULL, 0 };
}

/* identities_has_key - is there a private key in the text? */
bool
identities_has_key(struct slice pem)
{
	struct reader	reader;
	enum object	what;
	bool		has = false;

	if (open_reader(&reader, pem) < 0)
		return false;
	do {
		what = next_object(&reader);
		has = has || what == OBJECT_KEY;
	} while (what != OBJECT_END && what != OBJECT_BROKEN);
	close_reader(&reader);
	return has;
}
