/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "libutil/diag.h"
#include "signd/identities.h"
#include "unit/libtask/identity.h"

/* a key, its certificate, and both as PEM */
struct pair {
	EVP_PKEY	*key;
	X509		*cert;
	struct buf	 key_pem;
	struct buf	 cert_pem;
};

static struct pair
pair_make(const char *type)
{
	struct pair	p = { .key = make_key(type) };

	p.cert = make_certificate(p.key, NULL, p.key, NULL);
	add_pem(&p.key_pem, NULL, p.key);
	add_pem(&p.cert_pem, p.cert, NULL);
	return p;
}

static void
pair_free(struct pair *p)
{
	EVP_PKEY_free(p->key);
	X509_free(p->cert);
	buf_free(&p->key_pem);
	buf_free(&p->cert_pem);
}

/* the text that a pattern stands for: a and b are keys, A and B certificates */
static void
compose(struct buf *out, const char *pattern, const struct pair *a,
    const struct pair *b)
{
	for (; *pattern != '\0'; pattern++)
		switch (*pattern) {
		case 'a': buf_add(out, buf_slice(&a->key_pem)); break;
		case 'b': buf_add(out, buf_slice(&b->key_pem)); break;
		case 'A': buf_add(out, buf_slice(&a->cert_pem)); break;
		case 'B': buf_add(out, buf_slice(&b->cert_pem)); break;
		case '-': buf_add_text(out, "-----BEGIN CERTIFICATE-----\n"
			    "AAAA\n"); break;
		case '?': buf_add_text(out, "-----BEGIN CERTIFICATE-----\n"
			    "AAAA\n-----END CERTIFICATE-----\n"); break;
		case 'p': buf_add_text(out, "-----BEGIN EC PARAMETERS-----\n"
			    "BggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n");
			break;
		default: buf_add_text(out, "words in between\n"); break;
		}
}

TEST(identities_chain)
{
	static const struct { const char *pattern; int want; size_t count; } cases[] = {
		{ "aA",		0,		1 },
		{ "a.A.",	0,		1 },
		{ "aAB",	0,		1 },	/* the chain goes on */
		{ "aAbB",	0,		2 },
		{ "paAbB",	0,		2 },
		{ "aAaA",	0,		2 },
		{ "",		-EBADMSG,	0 },
		{ "..",		-EBADMSG,	0 },
		{ "a",		-EBADMSG,	0 },
		{ "A",		-EBADMSG,	0 },
		{ "Aa",		-EBADMSG,	0 },	/* the key comes first */
		{ "aB",		-EBADMSG,	0 },
		{ "abA",	-EBADMSG,	0 },
		{ "aAbA",	-EBADMSG,	1 },	/* the first one serves */
		{ "aA-",	-EBADMSG,	0 },
		{ "aA?",	-EBADMSG,	0 },
		{ "aAAAAAAAAAAAAAAAAAAAAA", -EBADMSG, 0 },
	};
	struct pair		a = pair_make("RSA"), b = pair_make("P-256");
	struct identities	s;
	struct buf		text = BUF_INIT;
	struct diag		diag;

	for (size_t i = 0; i < COUNT(cases); i++) {
		s = (struct identities){ NULL, 0 };
		diag = (struct diag)DIAG_INIT;
		buf_reset(&text);
		compose(&text, cases[i].pattern, &a, &b);
		CHECK_INT(identities_add_chain(&s, "", "file.pem",
		    buf_slice(&text), &diag), cases[i].want, i);
		CHECK_INT(s.count, cases[i].count, i);
		CHECK((diag.text[0] != '\0') == (cases[i].want < 0), i);
		if (cases[i].want < 0)
			CHECK(strstr(diag.text, "file.pem") != NULL, i);
		if (s.count > 0) {
			CHECK(slice_has_prefix(buf_slice(&s.v[0].chain),
			    buf_slice(&a.cert_pem)), i);
			CHECK(identities_find(&s, slice_over(s.v[0].id.bytes,
			    TLS_KEY_ID_SIZE)) == &s.v[0], i);
			CHECK(s.v[0].not_after > s.v[0].not_before, i);
		}
		identities_free(&s);
	}
	/* no private key travels with a chain */
	s = (struct identities){ NULL, 0 };
	buf_reset(&text);
	compose(&text, "aAbB", &a, &b);
	CHECK_INT(identities_add_chain(&s, "h", "f", buf_slice(&text), NULL), 0,
	    0);
	for (size_t i = 0; i < s.count; i++)
		CHECK(!identities_has_key(buf_slice(&s.v[i].chain)), i);
	CHECK(identities_has_key(buf_slice(&text)), 0);
	CHECK(!identities_has_key(S("nothing")), 0);
	CHECK(identities_find(&s, S("short")) == NULL, 0);
	identities_free(&s);
	buf_free(&text);
	pair_free(&a);
	pair_free(&b);
}

TEST(identities_pair)
{
	static const struct { const char *certs, *key; int want; } cases[] = {
		{ "A",	"a",	0 },
		{ "AB",	"a",	0 },
		{ "aA",	"aA",	0 },	/* both in one file */
		{ "Aa",	"Aa",	0 },	/* in either order */
		{ "B",	"a",	-EBADMSG },
		{ "",	"a",	-EBADMSG },
		{ "A",	"",	-EBADMSG },
		{ "A",	"A",	-EBADMSG },
	};
	struct pair		a = pair_make("ED25519"), b = pair_make("RSA");
	struct identities	s = { NULL, 0 };
	struct buf		certs = BUF_INIT, key = BUF_INIT;
	struct diag		diag;

	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_reset(&certs);
		buf_reset(&key);
		compose(&certs, cases[i].certs, &a, &b);
		compose(&key, cases[i].key, &a, &b);
		diag = (struct diag)DIAG_INIT;
		CHECK_INT(identities_add_pair(&s, "", "file.pem",
		    buf_slice(&certs), buf_slice(&key), &diag), cases[i].want,
		    i);
		CHECK((diag.text[0] != '\0') == (cases[i].want < 0), i);
	}
	CHECK_INT(s.count, 4, 0);
	identities_free(&s);
	buf_free(&certs);
	buf_free(&key);
	pair_free(&a);
	pair_free(&b);
}
