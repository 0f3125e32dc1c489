/* SPDX-License-Identifier: ISC */
/*
 * The OpenSSL provider named "barid", built into the process. Its keys are a
 * public key, a fingerprint and a function; its one operation is signing a
 * text in one piece. It has no operation that signs a digest and none that
 * decrypts.
 *
 * OpenSSL first tries the default provider with any key it meets, and asks
 * ours to export it there. That must fail for a selection with the private
 * half, or the public half alone would be taken for the whole key and every
 * handshake fail.
 */
#include "libtask/tls_key_private.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "libutil/alloc.h"
#include "libutil/buf.h"

struct remote_key {
	struct tls_key_binding	b;		/* b.public is owned here */
};

/* one signature being made */
struct remote_signature {
	struct remote_key	*key;		/* lent by OpenSSL */
	char			 digest[16];	/* "" for Ed25519 */
	int			 padding;	/* RSA */
	int			 salt_length;	/* RSA-PSS */
};

/*
 * The task for which OpenSSL works now: set in brackets around its calls,
 * because no argument of ours goes through them to the provider.
 */
static _Thread_local struct tls_key_call *current;

/* tls_key_call_begin - signatures are made for this task from now on */
void
tls_key_call_begin(struct tls_key_call *c, struct task *t)
{
	c->t = t;
	c->result = 0;
	current = c;
}

/* tls_key_call_end - no more; what the sign function said */
int
tls_key_call_end(struct tls_key_call *c)
{
	current = NULL;
	return c->result;
}

/* --- keys */

/* key_new - an empty key */
static void *
key_new(void *provider)
{
	(void)provider;
	return NEW(struct remote_key);
}

/* key_free - release it */
static void
key_free(void *key)
{
	struct remote_key *k = key;

	EVP_PKEY_free(k->b.public);
	free(k);
}

/* key_has - is it a key? the private half is there, elsewhere */
static int
key_has(const void *key, int selection)
{
	(void)selection;
	return ((const struct remote_key *)key)->b.public != NULL;
}

/* key_import - take over a binding; nothing else becomes a key of ours */
static int
key_import(void *key, int selection, const OSSL_PARAM params[])
{
	struct remote_key	*k = key;
	const OSSL_PARAM	*p;

	(void)selection;
	p = OSSL_PARAM_locate_const(params, TLS_KEY_PARAM_BINDING);
	if (p == NULL || p->data_type != OSSL_PARAM_OCTET_STRING ||
	    p->data_size != sizeof(k->b) || k->b.public != NULL)
		return 0;
	memcpy(&k->b, p->data, sizeof(k->b));
	return EVP_PKEY_up_ref(k->b.public);
}

/* key_import_types - what key_import takes */
static const OSSL_PARAM *
key_import_types(int selection)
{
	static const OSSL_PARAM types[] = {
		OSSL_PARAM_octet_string(TLS_KEY_PARAM_BINDING, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)selection;
	return types;
}

/* key_export - the public half only */
static int
key_export(void *key, int selection, OSSL_CALLBACK *take, void *arg)
{
	struct remote_key	*k = key;
	OSSL_PARAM		*params = NULL;
	int			 ok;

	if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0)
		return 0;
	if (EVP_PKEY_todata(k->b.public, EVP_PKEY_PUBLIC_KEY, &params) != 1)
		return 0;
	ok = take(params, arg);
	OSSL_PARAM_free(params);
	return ok;
}

/* key_export_types - what key_export gives */
static const OSSL_PARAM *
key_export_types(int selection)
{
	static const OSSL_PARAM types[] = {
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)selection;
	return types;
}

/* key_get_params - size and group, as of the public half */
static int
key_get_params(void *key, OSSL_PARAM params[])
{
	return EVP_PKEY_get_params(((struct remote_key *)key)->b.public,
	    params);
}

/* key_gettable_params - what key_get_params knows */
static const OSSL_PARAM *
key_gettable_params(void *provider)
{
	static const OSSL_PARAM types[] = {
		OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, NULL,
		    0),
		OSSL_PARAM_END,
	};

	(void)provider;
	return types;
}

/* key_match - are both the same key? */
static int
key_match(const void *a, const void *b, int selection)
{
	(void)selection;
	return EVP_PKEY_eq(((const struct remote_key *)a)->b.public,
	    ((const struct remote_key *)b)->b.public) == 1;
}

/* ec_operation_name - the signature algorithm of EC keys has its own name */
static const char *
ec_operation_name(int operation)
{
	return operation == OSSL_OP_SIGNATURE ? "ECDSA" : NULL;
}

#define ENTRY(number, function) { (number), (void (*)(void))(function) }
#define KEY_ENTRIES \
	ENTRY(OSSL_FUNC_KEYMGMT_NEW, key_new), \
	ENTRY(OSSL_FUNC_KEYMGMT_FREE, key_free), \
	ENTRY(OSSL_FUNC_KEYMGMT_HAS, key_has), \
	ENTRY(OSSL_FUNC_KEYMGMT_IMPORT, key_import), \
	ENTRY(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, key_import_types), \
	ENTRY(OSSL_FUNC_KEYMGMT_EXPORT, key_export), \
	ENTRY(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, key_export_types), \
	ENTRY(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get_params), \
	ENTRY(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_gettable_params), \
	ENTRY(OSSL_FUNC_KEYMGMT_MATCH, key_match)

static const OSSL_DISPATCH key_functions[] = { KEY_ENTRIES, { 0, NULL } };
static const OSSL_DISPATCH ec_key_functions[] = {
	KEY_ENTRIES,
	ENTRY(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, ec_operation_name),
	{ 0, NULL },
};

/* --- signatures */

/* signature_new - one signature, not set up yet */
static void *
signature_new(void *provider, const char *query)
{
	struct remote_signature *s = NEW(struct remote_signature);

	(void)provider;
	(void)query;
	s->padding = RSA_PKCS1_PADDING;
	s->salt_length = RSA_PSS_SALTLEN_DIGEST;
	return s;
}

/* signature_free - release it */
static void
signature_free(void *signature)
{
	free(signature);
}

/* get_padding - as a number or by name, OpenSSL uses both */
static int
get_padding(const OSSL_PARAM *p, int *ret_padding)
{
	if (p->data_type != OSSL_PARAM_UTF8_STRING)
		return OSSL_PARAM_get_int(p, ret_padding);
	if (strcmp(p->data, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0)
		*ret_padding = RSA_PKCS1_PSS_PADDING;
	else if (strcmp(p->data, OSSL_PKEY_RSA_PAD_MODE_PKCSV15) == 0)
		*ret_padding = RSA_PKCS1_PADDING;
	else
		return 0;
	return 1;
}

/* get_salt_length - TLS has only salts as long as the digest */
static int
get_salt_length(const OSSL_PARAM *p, int *ret_length)
{
	if (p->data_type != OSSL_PARAM_UTF8_STRING)
		return OSSL_PARAM_get_int(p, ret_length);
	*ret_length = RSA_PSS_SALTLEN_DIGEST;
	return strcmp(p->data, OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST) == 0;
}

/* signature_set_params - padding and salt of RSA */
static int
signature_set_params(void *signature, const OSSL_PARAM params[])
{
	struct remote_signature	*s = signature;
	const OSSL_PARAM	*p;

	if (params == NULL)
		return 1;
	p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
	if (p != NULL && !get_padding(p, &s->padding))
		return 0;
	p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN);
	return p == NULL || get_salt_length(p, &s->salt_length);
}

/* signature_settable_params - what signature_set_params knows */
static const OSSL_PARAM *
signature_settable_params(void *signature, void *provider)
{
	static const OSSL_PARAM types[] = {
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL,
		    0),
		OSSL_PARAM_END,
	};

	(void)signature;
	(void)provider;
	return types;
}

/* signature_init - with which key and digest */
static int
signature_init(void *signature, const char *digest, void *key,
    const OSSL_PARAM params[])
{
	struct remote_signature	*s = signature;

	if (key != NULL)
		s->key = key;
	if (digest == NULL)
		digest = "";
	if (strlen(digest) >= sizeof(s->digest))
		return 0;
	memcpy(s->digest, digest, strlen(digest) + 1);
	return signature_set_params(s, params);
}

enum { TYPE_RSA_PKCS1, TYPE_RSA_PSS, TYPE_ECDSA, TYPE_EDDSA };

/* type_of - the kind of signature that was set up; -1 for none of TLS's */
static int
type_of(const struct remote_signature *s)
{
	if (EVP_PKEY_is_a(s->key->b.public, "EC"))
		return TYPE_ECDSA;
	if (EVP_PKEY_is_a(s->key->b.public, "ED25519"))
		return TYPE_EDDSA;
	if (s->padding == RSA_PKCS1_PADDING)
		return TYPE_RSA_PKCS1;
	if (s->padding == RSA_PKCS1_PSS_PADDING &&
	    s->salt_length == RSA_PSS_SALTLEN_DIGEST)
		return TYPE_RSA_PSS;
	return -1;
}

/* scheme_of - TLS's number for it; false if it has none */
static bool
scheme_of(const struct remote_signature *s, enum tls_scheme *ret_scheme)
{
	static const struct {
		enum tls_scheme	 number;
		int		 type;
		const char	*digest;
	} schemes[] = {
#define SCHEME(name, number, type, digest, gist) \
		{ TLS_SCHEME_##name, TYPE_##type, digest },
#include "libtask/tls_schemes.def"
	};
	int type = type_of(s);

	for (size_t i = 0; i < COUNT(schemes); i++) {
		if (schemes[i].type != type)
			continue;
		if (schemes[i].digest != NULL &&
		    !EVP_MD_is_a(EVP_get_digestbyname(s->digest),
		    schemes[i].digest))
			continue;
		*ret_scheme = schemes[i].number;
		return true;
	}
	return false;
}

/* ask - have it signed by the key's holder, for the current task */
static int
ask(struct remote_signature *s, struct slice tbs, struct buf *ret_sig)
{
	struct tls_key_call	*c = current;
	struct tls_key_binding	*b = &s->key->b;
	enum tls_scheme		 scheme;
	int			 r;

	if (c == NULL)
		return -EPERM;
	if (!scheme_of(s, &scheme))
		r = -ENOTSUP;
	else
		r = b->sign(c->t, b->arg, &b->id, scheme, tbs, ret_sig);
	/* meanwhile other tasks used both of these */
	current = c;
	ERR_clear_error();
	c->result = r < 0 ? r : 0;
	return c->result;
}

/* signature_digest_sign - sign a text in one piece */
static int
signature_digest_sign(void *signature, unsigned char *sig, size_t *sig_len,
    size_t sig_max, const unsigned char *tbs, size_t tbs_len)
{
	struct remote_signature	*s = signature;
	struct buf		 out = BUF_INIT_MAX(TLS_SIG_MAX);
	int			 ok;

	if (sig == NULL) {
		*sig_len = (size_t)EVP_PKEY_get_size(s->key->b.public);
		return 1;
	}
	ok = ask(s, slice_over(tbs, tbs_len), &out) == 0 && out.len > 0 &&
	    buf_check(&out) == 0 && out.len <= sig_max;
	if (ok) {
		memcpy(sig, out.data, out.len);
		*sig_len = out.len;
	}
	buf_free(&out);
	return ok;
}

static const OSSL_DISPATCH signature_functions[] = {
	ENTRY(OSSL_FUNC_SIGNATURE_NEWCTX, signature_new),
	ENTRY(OSSL_FUNC_SIGNATURE_FREECTX, signature_free),
	ENTRY(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, signature_init),
	ENTRY(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, signature_digest_sign),
	ENTRY(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, signature_set_params),
	ENTRY(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS,
	    signature_settable_params),
	{ 0, NULL },
};

/* --- the provider */

#define ALGORITHM(names, functions) \
	{ (names), TLS_KEY_PROPERTIES, (functions), NULL }

/* provider_query - what we can do */
static const OSSL_ALGORITHM *
provider_query(void *provider, int operation, int *no_cache)
{
	static const OSSL_ALGORITHM keys[] = {
		ALGORITHM("RSA:rsaEncryption", key_functions),
		ALGORITHM("EC:id-ecPublicKey", ec_key_functions),
		ALGORITHM("ED25519", key_functions),
		{ NULL, NULL, NULL, NULL },
	};
	static const OSSL_ALGORITHM signatures[] = {
		ALGORITHM("RSA:rsaEncryption", signature_functions),
		ALGORITHM("ECDSA", signature_functions),
		ALGORITHM("ED25519", signature_functions),
		{ NULL, NULL, NULL, NULL },
	};

	(void)provider;
	*no_cache = 0;
	switch (operation) {
	case OSSL_OP_KEYMGMT:
		return keys;
	case OSSL_OP_SIGNATURE:
		return signatures;
	default:
		return NULL;
	}
}

/* tls_key_provider - how OpenSSL gets to know it */
int
tls_key_provider(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
    const OSSL_DISPATCH **out, void **provider)
{
	static const OSSL_DISPATCH functions[] = {
		ENTRY(OSSL_FUNC_PROVIDER_QUERY_OPERATION, provider_query),
		{ 0, NULL },
	};

	(void)in;
	*out = functions;
	*provider = (void *)(uintptr_t)handle;
	return 1;
}
