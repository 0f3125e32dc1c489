/* SPDX-License-Identifier: ISC */
/*
 * Two ends in one process, over a socket pair, with certificates made on the
 * fly. Most cases run with the key behind a sign function, which does what
 * signd does.
 */
#include "libtask/tls.h"

#include "test.h"
#include "unit/libtask/identity.h"

#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libutil/diag.h"

/* --- what signd does */

struct signer {
	EVP_PKEY	*key;
	int		 result;	/* other than 0: refuse so */
	int		 count;
	struct task	*t;		/* seen last */
	enum tls_scheme	 scheme;
};

static int
sign(struct task *t, void *arg, const struct tls_key_id *id,
    enum tls_scheme scheme, struct slice tbs, struct buf *ret_sig)
{
	struct signer *s = arg;
	struct tls_key_id own;

	s->t = t;
	s->count++;
	s->scheme = scheme;
	if (s->result != 0)
		return s->result;
	CHECK(tbs.len <= TLS_TBS_MAX, 0);
	if (tls_key_id_of(s->key, &own) < 0 ||
	    memcmp(&own, id, sizeof(own)) != 0)
		return -ENOKEY;
	return tls_key_sign_tbs(s->key, scheme, tbs, ret_sig);
}

/* --- two ends */

struct ends {
	int		 fd[2];
	struct tls	*server;
	struct tls	*client;
	int		 server_result;
	int		 client_result;
};

static void
ends_open(struct ends *e)
{
	memset(e, 0, sizeof(*e));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
	    e->fd) < 0)
		abort();
}

static void
ends_close(struct ends *e)
{
	tls_free(&e->server);
	tls_free(&e->client);
	close(e->fd[0]);
	close(e->fd[1]);
}

static struct task *
no_task(void)
{
	static char place;

	return (struct task *)(void *)&place;
}

/* shake hands until both ends have a result */
static void
ends_shake(struct ends *e)
{
	e->server_result = e->client_result = -EAGAIN;
	for (int i = 0; i < 100 && (e->server_result == -EAGAIN ||
	    e->client_result == -EAGAIN); i++) {
		if (e->client_result == -EAGAIN)
			e->client_result = tls_handshake(no_task(), e->client);
		if (e->server_result == -EAGAIN)
			e->server_result = tls_handshake(no_task(), e->server);
		if (e->server_result != -EAGAIN && e->server_result < 0)
			shutdown(e->fd[0], SHUT_WR);
		if (e->client_result != -EAGAIN && e->client_result < 0)
			shutdown(e->fd[1], SHUT_WR);
	}
}

static struct tls_context *
context(const struct tls_params *p, size_t row)
{
	struct tls_context *ctx = NULL;
	struct diag d = DIAG_INIT;

	if (CHECK_INT(tls_context_new(p, &ctx, &d), 0, row) < 0)
		test_fail(__FILE__, __LINE__, row, "%s", d.text);
	return ctx;
}

static void
start(struct ends *e, struct tls_context *server, struct tls_context *client,
    enum tls_level level, const char *sni, const char *name, size_t row)
{
	struct slice names[1] = { slice_of(name) };
	struct tls_peer peer = { level, sni, names, name != NULL };

	ends_open(e);
	CHECK_INT(tls_new(server, e->fd[0], 0, NULL, &e->server), 0, row);
	CHECK_INT(tls_new(client, e->fd[1], 0, &peer, &e->client), 0, row);
	ends_shake(e);
}

/* --- the cases */

TEST(tls_remote_key)
{
	static const struct {
		const char	*key;
		const char	*protocols;
		enum tls_scheme	 want;
		const char	*summary;	/* of the server, its begin */
	} cases[] = {
		{ "P-256",	"TLSv1.3",	TLS_SCHEME_ECDSA_SHA256,
		  "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) "
		  "key-exchange X25519 server-signature ECDSA (prime256v1) "
		  "server-digest SHA256" },
		{ "P-384",	"TLSv1.3",	TLS_SCHEME_ECDSA_SHA384,
		  "TLSv1.3" },
		{ "RSA",	"TLSv1.3",	TLS_SCHEME_RSA_PSS_SHA256,
		  "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) "
		  "key-exchange X25519 server-signature RSA-PSS (2048 bits) "
		  "server-digest SHA256" },
		{ "ED25519",	"TLSv1.3",	TLS_SCHEME_ED25519, "TLSv1.3" },
		{ "P-256",	"TLSv1.2",	TLS_SCHEME_ECDSA_SHA256,
		  "TLSv1.2 with cipher ECDHE-ECDSA-AES256-GCM-SHA384 "
		  "(256/256 bits)" },
		{ "RSA",	"TLSv1.2",	TLS_SCHEME_RSA_PSS_SHA256,
		  "TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 "
		  "(256/256 bits)" },
		{ "ED25519",	"TLSv1.2",	TLS_SCHEME_ED25519, "TLSv1.2" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct identity id;
		struct signer s = { 0 };
		struct tls_params sp = { .role = TLS_SERVER };
		struct tls_params cp = { .role = TLS_CLIENT };
		struct tls_context *server, *client;
		struct buf text = BUF_INIT;
		struct ends e;
		char got[64];

		identity_init(&id, cases[i].key, "DNS:mail.example.org");
		s.key = id.key;
		sp.protocols = cases[i].protocols;
		cp.ca_pem = buf_slice(&id.ca);
		server = context(&sp, i);
		client = context(&cp, i);
		CHECK_INT(tls_context_add_certificate(server, NULL,
		    buf_slice(&id.chain), sign, &s, NULL), 0, i);
		start(&e, server, client, TLS_LEVEL_VERIFY, "mail.example.org",
		    "mail.example.org", i);
		CHECK_INT(e.server_result, 0, i);
		CHECK_INT(e.client_result, 0, i);
		CHECK_INT(s.count, 1, i);
		CHECK(s.t == no_task(), i);
		CHECK_INT(s.scheme, cases[i].want, i);
		CHECK_INT(tls_peer_trust(e.client), TLS_TRUST_NAME, i);
		CHECK_TEXT(slice_of(tls_server_name(e.server)),
		    "mail.example.org", i);
		tls_format_summary(&text, e.server);
		CHECK(slice_has_prefix(buf_slice(&text),
		    slice_of(cases[i].summary)), i);
		buf_reset(&text);
		tls_format_summary(&text, e.client);
		CHECK(slice_has_prefix(buf_slice(&text),
		    slice_of(cases[i].summary)), i);

		CHECK_INT(tls_write(e.client, S("hello")), 5, i);
		CHECK_INT(tls_read(e.server, got, sizeof(got)), 5, i);
		CHECK_INT(tls_read(e.server, got, sizeof(got)), -EAGAIN, i);
		CHECK(!tls_wants_write(e.server), i);
		tls_close_notify(e.server);
		CHECK_INT(tls_read(e.client, got, sizeof(got)), 0, i);
		buf_free(&text);
		ends_close(&e);
		tls_context_free(&server);
		tls_context_free(&client);
		identity_done(&id);
	}
}

TEST(tls_signer_fails)
{
	static const struct { int result; bool wrong_key; } cases[] = {
		{ -ETIMEDOUT, false }, { -ECANCELED, false },
		{ -ENOKEY, true },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct identity id, other;
		struct signer s = { 0 };
		struct tls_params sp = { .role = TLS_SERVER };
		struct tls_params cp = { .role = TLS_CLIENT };
		struct tls_context *server = context(&sp, i);
		struct tls_context *client = context(&cp, i);
		struct ends e;

		identity_init(&id, "P-256", "DNS:a.example");
		identity_init(&other, "P-256", "DNS:a.example");
		s.key = cases[i].wrong_key ? other.key : id.key;
		s.result = cases[i].wrong_key ? 0 : cases[i].result;
		CHECK_INT(tls_context_add_certificate(server, NULL,
		    buf_slice(&id.chain), sign, &s, NULL), 0, i);
		start(&e, server, client, TLS_LEVEL_MAY, NULL, NULL, i);
		CHECK_INT(e.server_result, cases[i].result, i);
		CHECK(e.client_result < 0 && e.client_result != -EAGAIN, i);
		CHECK_INT(tls_handshake(no_task(), e.server), -EPROTO, i);
		ends_close(&e);
		tls_context_free(&server);
		tls_context_free(&client);
		identity_done(&id);
		identity_done(&other);
	}
}

static int
sign_with_other_key(struct task *t, void *arg, const struct tls_key_id *id,
    enum tls_scheme scheme, struct slice tbs, struct buf *ret_sig)
{
	(void)t;
	(void)id;
	return tls_key_sign_tbs(arg, scheme, tbs, ret_sig);
}

TEST(tls_wrong_signature)	/* the client must notice */
{
	struct identity id, other;
	struct tls_params sp = { .role = TLS_SERVER };
	struct tls_params cp = { .role = TLS_CLIENT };
	struct tls_context *server = context(&sp, 0);
	struct tls_context *client = context(&cp, 0);
	struct ends e;
	struct diag d = DIAG_INIT;

	identity_init(&id, "P-256", "DNS:a.example");
	identity_init(&other, "P-256", "DNS:a.example");
	CHECK_INT(tls_context_add_certificate(server, NULL,
	    buf_slice(&id.chain), sign_with_other_key, other.key, NULL), 0, 0);
	start(&e, server, client, TLS_LEVEL_MAY, NULL, NULL, 0);
	CHECK_INT(e.client_result, -EPROTO, 0);
	CHECK(tls_error_text(e.client)[0] != '\0', 0);
	ends_close(&e);
	/* a local key that is another's is refused at once */
	CHECK_INT(tls_context_add_identity(server, "b.example",
	    buf_slice(&id.chain), buf_slice(&other.key_pem), &d), -EBADMSG, 0);
	CHECK(strstr(d.text, "does not belong") != NULL, 0);
	tls_context_free(&server);
	tls_context_free(&client);
	identity_done(&id);
	identity_done(&other);
}

TEST(tls_verification)
{
	static const struct {
		const char	*names;		/* of the certificate */
		enum tls_level	 level;
		const char	*match;
		bool		 trusted;
		int		 want;
		enum tls_trust	 trust;
	} cases[] = {
		{ "DNS:a.example", TLS_LEVEL_VERIFY, "a.example", true, 0,
		  TLS_TRUST_NAME },
		{ "DNS:a.example", TLS_LEVEL_VERIFY, "A.Example", true, 0,
		  TLS_TRUST_NAME },
		{ "DNS:*.a.example", TLS_LEVEL_SECURE, "x.a.example", true, 0,
		  TLS_TRUST_NAME },
		{ "DNS:mx.a.example", TLS_LEVEL_SECURE, ".a.example", true, 0,
		  TLS_TRUST_NAME },
		{ "DNS:a.example", TLS_LEVEL_SECURE, ".a.example", true,
		  -EKEYREJECTED, TLS_TRUST_CA },
		{ "DNS:b.example", TLS_LEVEL_VERIFY, "a.example", true,
		  -EKEYREJECTED, TLS_TRUST_CA },
		{ "DNS:*.a.example", TLS_LEVEL_VERIFY, "y.x.a.example", true,
		  -EKEYREJECTED, TLS_TRUST_CA },
		{ "DNS:a.example", TLS_LEVEL_VERIFY, "a.example", false,
		  -EKEYREJECTED, TLS_TRUST_UNKNOWN },
		{ "DNS:a.example", TLS_LEVEL_VERIFY, NULL, true,
		  -EKEYREJECTED, TLS_TRUST_CA },
		{ "DNS:a.example", TLS_LEVEL_ENCRYPT, "a.example", false, 0,
		  TLS_TRUST_UNKNOWN },
		{ "DNS:b.example", TLS_LEVEL_MAY, "a.example", true, 0,
		  TLS_TRUST_CA },
		{ "DNS:a.example", TLS_LEVEL_MAY, NULL, false, 0,
		  TLS_TRUST_UNKNOWN },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct identity id;
		struct tls_params sp = { .role = TLS_SERVER };
		struct tls_params cp = { .role = TLS_CLIENT };
		struct tls_context *server, *client;
		struct ends e;

		identity_init(&id, "P-256", cases[i].names);
		if (cases[i].trusted)
			cp.ca_pem = buf_slice(&id.ca);
		server = context(&sp, i);
		client = context(&cp, i);
		CHECK_INT(tls_context_add_identity(server, NULL,
		    buf_slice(&id.chain), buf_slice(&id.key_pem), NULL), 0, i);
		start(&e, server, client, cases[i].level, NULL, cases[i].match,
		    i);
		CHECK_INT(e.client_result, cases[i].want, i);
		CHECK_INT(tls_peer_trust(e.client), cases[i].trust, i);
		CHECK((tls_error_text(e.client)[0] != '\0') ==
		    (cases[i].want < 0), i);
		CHECK((tls_peer_error(e.client)[0] == '\0') ==
		    cases[i].trusted, i);
		ends_close(&e);
		tls_context_free(&server);
		tls_context_free(&client);
		identity_done(&id);
	}
}

TEST(tls_starttls_injection)
{
	struct identity id;
	struct tls_params sp = { .role = TLS_SERVER };
	struct tls_params cp = { .role = TLS_CLIENT };
	struct tls_context *server = context(&sp, 0);
	struct tls_context *client = context(&cp, 0);
	struct tls_peer peer = { .level = TLS_LEVEL_MAY };
	struct tls *tls = NULL;
	struct ends e;

	identity_init(&id, "P-256", "DNS:a.example");
	CHECK_INT(tls_context_add_identity(server, NULL, buf_slice(&id.chain),
	    buf_slice(&id.key_pem), NULL), 0, 0);
	ends_open(&e);
	/* bytes read before the switch: refused by both ends */
	CHECK_INT(tls_new(server, e.fd[0], 1, NULL, &tls), -EPROTO, 0);
	CHECK_INT(tls_new(client, e.fd[1], 6, &peer, &tls), -EPROTO, 0);
	CHECK(tls == NULL, 0);

	/* bytes not read yet: they are no TLS record */
	CHECK_INT(tls_new(server, e.fd[0], 0, NULL, &e.server), 0, 0);
	CHECK_INT(tls_new(client, e.fd[1], 0, &peer, &e.client), 0, 0);
	CHECK(write(e.fd[1], "RSET\r\n", 6) == 6, 0);
	ends_shake(&e);
	CHECK_INT(e.server_result, -EPROTO, 0);
	CHECK(e.client_result < 0, 0);
	ends_close(&e);
	tls_context_free(&server);
	tls_context_free(&client);
	identity_done(&id);
}

TEST(tls_server_names)
{
	static const struct { const char *sni, *want; } cases[] = {
		{ NULL,			"main.example" },
		{ "a.example",		"a.example" },
		{ "A.EXAMPLE",		"a.example" },
		{ "x.b.example",	"*.b.example" },
		{ "y.x.b.example",	"*.b.example" },
		{ "b.example",		"main.example" },
		{ "c.example",		"main.example" },
		{ "192.0.2.1",		"main.example" },
	};
	struct identity id[3];
	struct tls_params sp = { .role = TLS_SERVER };
	struct tls_params cp = { .role = TLS_CLIENT };
	struct tls_context *server = context(&sp, 0);
	struct tls_context *client;
	struct buf ca = BUF_INIT;
	struct ends e;

	identity_init(&id[0], "P-256", "DNS:main.example");
	identity_init(&id[1], "P-256", "DNS:a.example");
	identity_init(&id[2], "RSA", "DNS:*.b.example");
	CHECK_INT(tls_context_add_identity(server, NULL,
	    buf_slice(&id[0].chain), buf_slice(&id[0].key_pem), NULL), 0, 0);
	CHECK_INT(tls_context_add_identity(server, "A.example",
	    buf_slice(&id[1].chain), buf_slice(&id[1].key_pem), NULL), 0, 0);
	CHECK_INT(tls_context_add_identity(server, ".b.example",
	    buf_slice(&id[2].chain), buf_slice(&id[2].key_pem), NULL), 0, 0);
	/* a second of the same kind */
	CHECK_INT(tls_context_add_identity(server, NULL,
	    buf_slice(&id[1].chain), buf_slice(&id[1].key_pem), NULL),
	    -EBADMSG, 0);
	for (size_t i = 0; i < 3; i++)
		buf_add(&ca, buf_slice(&id[i].ca));
	cp.ca_pem = buf_slice(&ca);
	client = context(&cp, 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *want = cases[i].want;

		/* the names of the certificate that comes are those we want */
		start(&e, server, client, TLS_LEVEL_MAY, cases[i].sni,
		    want[0] == '*' ? "q.b.example" : want, i);
		CHECK_INT(e.server_result, 0, i);
		CHECK_INT(tls_peer_trust(e.client), TLS_TRUST_NAME, i);
		ends_close(&e);
	}
	buf_free(&ca);
	tls_context_free(&server);
	tls_context_free(&client);
	for (size_t i = 0; i < 3; i++)
		identity_done(&id[i]);
}

TEST(tls_parameters)
{
	static const struct {
		const char *protocols, *ciphers, *exclude, *options;
		int want_min, want_max;		/* 0: an error */
	} cases[] = {
		{ "",			"",	"",	"",	0x301, 0x304 },
		{ ">=TLSv1.2",		"high",	"",	"",	0x303, 0x304 },
		{ "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1", "medium", "aNULL, MD5",
		  "NO_COMPRESSION, NO_RENEGOTIATION",		0x303, 0x304 },
		{ "!SSLv2,!SSLv3",	"low",	"",	"",	0x301, 0x304 },
		{ "TLSv1.2:TLSv1.3",	"HIGH",	"",	"0x10",	0x303, 0x304 },
		{ "TLSv1.2",		"export", "RC4+SHA", "", 0x303, 0x303 },
		{ ">=TLSv1.1 <=TLSv1.2", "",	"",	"",	0x302, 0x303 },
		{ ">=0x0304",		"",	"",	"",	0x304, 0x304 },
		{ "tlsv1.3",		"",	"",	"",	0x304, 0x304 },
		{ "SSLv2",		"",	"",	"",	0, 0 },
		{ "!TLSv1.4",		"",	"",	"",	0, 0 },
		{ ">=",			"",	"",	"",	0, 0 },
		{ ">=TLSv1.3 <=TLSv1.2", "",	"",	"",	0, 0 },
		{ "",			"strong", "",	"",	0, 0 },
		{ "",			"",	"!aNULL", "",	0, 0 },
		{ "",			"",	"HIGH",	"",	0, 0 },
		{ "",			"",	"",	"NO_FUN", 0, 0 },
		{ "",			"",	"",	"0x",	0, 0 },
	};
	struct tls_context *ctx;
	struct identity id;

	identity_init(&id, "P-256", "DNS:a.example");
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct tls_params p = { .role = TLS_SERVER,
		    .protocols = cases[i].protocols,
		    .ciphers = cases[i].ciphers,
		    .exclude_ciphers = cases[i].exclude,
		    .ssl_options = cases[i].options };
		struct diag d = DIAG_INIT;
		int r = tls_context_new(&p, &ctx, &d);

		CHECK_INT(r, cases[i].want_min == 0 ? -EBADMSG : 0, i);
		CHECK((d.text[0] != '\0') == (r < 0), i);
		if (r < 0)
			continue;
		/* by what a client of one version only gets */
		CHECK_INT(tls_context_add_identity(ctx, NULL,
		    buf_slice(&id.chain), buf_slice(&id.key_pem), NULL), 0, i);
		for (int v = 0x301; v <= 0x304; v++) {
			struct tls_context *client;
			struct ends e;
			char version[8];
			struct tls_params cp = { .role = TLS_CLIENT,
			    .protocols = version };

			(void)snprintf(version, sizeof(version), "0x%04x",
			    (unsigned)v);
			client = context(&cp, i);
			start(&e, ctx, client, TLS_LEVEL_MAY, NULL, NULL, i);
			CHECK((e.server_result == 0) ==
			    (v >= cases[i].want_min && v <= cases[i].want_max),
			    i * 10000 + (unsigned)v);
			ends_close(&e);
			tls_context_free(&client);
		}
		tls_context_free(&ctx);
	}
	identity_done(&id);
}

TEST(tls_bad_certificates)
{
	struct identity id;
	struct tls_params sp = { .role = TLS_SERVER };
	struct tls_params cp = { .role = TLS_CLIENT };
	struct tls_context *ctx = context(&sp, 0);
	struct tls_context *client = context(&cp, 0);
	struct diag d = DIAG_INIT;
	EVP_PKEY *key = NULL;

	identity_init(&id, "P-256", "DNS:a.example");
	CHECK_INT(tls_context_add_identity(ctx, NULL, S("nonsense"),
	    buf_slice(&id.key_pem), &d), -EBADMSG, 0);
	CHECK(strstr(d.text, "no certificate") != NULL, 0);
	CHECK_INT(tls_context_add_identity(ctx, NULL, buf_slice(&id.chain),
	    S(""), NULL), -EBADMSG, 1);
	CHECK_INT(tls_context_add_identity(client, NULL, buf_slice(&id.chain),
	    buf_slice(&id.key_pem), NULL), -EBADMSG, 2);
	CHECK_INT(tls_context_add_identity(ctx, "", buf_slice(&id.chain),
	    buf_slice(&id.key_pem), NULL), -EBADMSG, 3);
	CHECK_INT(tls_key_parse_pem(buf_slice(&id.chain), &key, NULL),
	    -EBADMSG, 4);
	cp.ca_file = "/nonexistent/ca.pem";
	CHECK_INT(tls_context_new(&cp, &client, NULL), -EBADMSG, 5);
	cp.ca_file = NULL;
	cp.ca_path = "/nonexistent";
	CHECK_INT(tls_context_new(&cp, &client, NULL), -EBADMSG, 6);
	cp.ca_path = test_tmpdir();
	CHECK_INT(tls_context_new(&cp, &client, NULL), -EBADMSG, 7);
	tls_context_free(&ctx);
	tls_context_free(&client);
	identity_done(&id);
}

TEST(tls_alpn)
{
	static const struct {
		const char *server, *client, *want;	/* NULL: refused */
	} cases[] = {
		{ "imap",	"imap",		"imap" },
		{ "imap",	"h2 imap",	"imap" },
		{ "imap",	"http/1.1 h2",	NULL },
		{ "imap",	NULL,		"" },
		{ NULL,		"imap",		"" },
	};
	struct identity id;

	identity_init(&id, "P-256", "DNS:a.example");
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct tls_params sp = { .role = TLS_SERVER,
		    .alpn = cases[i].server };
		struct tls_params cp = { .role = TLS_CLIENT,
		    .alpn = cases[i].client };
		struct tls_context *server = context(&sp, i);
		struct tls_context *client = context(&cp, i);
		struct ends e;

		CHECK_INT(tls_context_add_identity(server, NULL,
		    buf_slice(&id.chain), buf_slice(&id.key_pem), NULL), 0, i);
		start(&e, server, client, TLS_LEVEL_MAY, NULL, NULL, i);
		if (cases[i].want == NULL) {
			CHECK_INT(e.server_result, -EPROTO, i);
		} else if (CHECK_INT(e.server_result, 0, i) == 0) {
			CHECK_TEXT(tls_alpn(e.server), cases[i].want, i);
			CHECK_TEXT(tls_alpn(e.client), cases[i].want, i);
		}
		ends_close(&e);
		tls_context_free(&server);
		tls_context_free(&client);
	}
	identity_done(&id);
}

TEST(tls_channel_bindings)
{
	static const struct {
		const char	*protocols;
		enum tls_binding binding;
		size_t		 want;		/* bytes; 0: there is none */
	} cases[] = {
		{ "TLSv1.3", TLS_BINDING_EXPORTER, 32 },
		{ "TLSv1.2", TLS_BINDING_EXPORTER, 0 },
		{ "TLSv1.3", TLS_BINDING_UNIQUE, 0 },
		{ "TLSv1.2", TLS_BINDING_UNIQUE, 12 },
		{ "TLSv1.3", TLS_BINDING_END_POINT, 32 },
		{ "TLSv1.2", TLS_BINDING_END_POINT, 32 },
	};
	struct identity id;

	identity_init(&id, "P-256", "DNS:a.example");
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct tls_params sp = { .role = TLS_SERVER,
		    .protocols = cases[i].protocols };
		struct tls_params cp = { .role = TLS_CLIENT };
		struct tls_context *server = context(&sp, i);
		struct tls_context *client = context(&cp, i);
		struct buf a = BUF_INIT, b = BUF_INIT;
		struct ends e;
		int want = cases[i].want == 0 ? -ENOTSUP : 0;

		CHECK_INT(tls_context_add_identity(server, NULL,
		    buf_slice(&id.chain), buf_slice(&id.key_pem), NULL), 0, i);
		start(&e, server, client, TLS_LEVEL_MAY, NULL, NULL, i);
		CHECK_INT(tls_channel_binding(e.server, cases[i].binding, &a),
		    want, i);
		CHECK_INT(tls_channel_binding(e.client, cases[i].binding, &b),
		    want, i);
		CHECK_INT((long long)a.len, (long long)cases[i].want, i);
		CHECK(slice_equal(buf_slice(&a), buf_slice(&b)), i);
		buf_free(&a);
		buf_free(&b);
		ends_close(&e);
		tls_context_free(&server);
		tls_context_free(&client);
	}
	identity_done(&id);
}

TEST(tls_large_transfer)	/* partial writes, moving buffers, pending */
{
	enum { SIZE = 1 << 20 };
	struct identity id;
	struct tls_params sp = { .role = TLS_SERVER };
	struct tls_params cp = { .role = TLS_CLIENT };
	struct tls_context *server = context(&sp, 0);
	struct tls_context *client = context(&cp, 0);
	unsigned char *out = malloc(SIZE), *in = malloc(SIZE);
	size_t sent = 0, got = 0, waits = 0;
	struct ends e;

	identity_init(&id, "P-256", "DNS:a.example");
	RAND_bytes(out, SIZE);
	CHECK_INT(tls_context_add_identity(server, NULL, buf_slice(&id.chain),
	    buf_slice(&id.key_pem), NULL), 0, 0);
	start(&e, server, client, TLS_LEVEL_MAY, NULL, NULL, 0);
	/* connections outlive what the owner does to their contexts */
	tls_context_free(&server);
	tls_context_free(&client);
	while (got < SIZE && waits < 100000) {
		ssize_t n = sent == SIZE ? -EAGAIN :
		    tls_write(e.client, slice_over(out + sent, SIZE - sent));

		if (n > 0) {
			sent += (size_t)n;
			continue;
		}
		CHECK(n == -EAGAIN, sent);
		CHECK(sent == SIZE || tls_wants_write(e.client), sent);
		while ((n = tls_read(e.server, in + got,
		    size_min(SIZE - got, 1000))) > 0)
			got += (size_t)n;
		waits++;
	}
	CHECK(got == SIZE && memcmp(in, out, SIZE) == 0, 0);
	CHECK(waits > 1, 0);
	/* the peer vanishes without a goodbye */
	close(e.fd[1]);
	e.fd[1] = dup(e.fd[0]);
	CHECK_INT(tls_read(e.server, in, SIZE), -ECONNRESET, 0);
	CHECK_INT(tls_read(e.server, in, SIZE), -EPROTO, 1);
	free(in);
	free(out);
	ends_close(&e);
	identity_done(&id);
}

/* resume - does a client's session come back at that server? */
static bool
resume(struct tls_context *first, struct tls_context *second, size_t row)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());
	SSL_SESSION *session = NULL;
	bool resumed = false;

	for (int round = 0; round < 2; round++) {
		struct tls_context *server = round == 0 ? first : second;
		struct ends e;
		SSL *ssl = SSL_new(c);
		char byte;

		ends_open(&e);
		CHECK_INT(tls_new(server, e.fd[0], 0, NULL, &e.server), 0, row);
		SSL_set_fd(ssl, e.fd[1]);
		if (session != NULL)
			SSL_set_session(ssl, session);
		for (int i = 0; i < 20; i++) {
			(void)SSL_connect(ssl);
			(void)!tls_handshake(no_task(), e.server);
		}
		CHECK(SSL_is_init_finished(ssl), row);
		resumed = tls_info(e.server).is_resumed;
		CHECK_INT(tls_write(e.server, S("x")), 1, row);
		CHECK_INT(SSL_read(ssl, &byte, 1), 1, row);
		if (round == 0)
			session = SSL_get1_session(ssl);
		SSL_shutdown(ssl);
		SSL_free(ssl);
		ends_close(&e);
	}
	SSL_SESSION_free(session);
	SSL_CTX_free(c);
	return resumed;
}

TEST(tls_tickets)
{
	static const char *const versions[] = { "TLSv1.2", "TLSv1.3" };
	struct tls_ticket_key keys[2];
	struct identity id;

	RAND_bytes((unsigned char *)keys, sizeof(keys));
	identity_init(&id, "P-256", "DNS:a.example");
	for (size_t i = 0; i < COUNT(versions); i++) {
		struct tls_params p = { .role = TLS_SERVER,
		    .protocols = versions[i], .session_name = "smtpd" };
		struct tls_context *a = context(&p, i), *b = context(&p, i);
		struct tls_context *other, *off;
		struct tls_context *all[4];

		p.session_name = "imapd";
		other = context(&p, i);
		p.session_name = "smtpd";
		p.ssl_options = "NO_TICKET";
		off = context(&p, i);
		all[0] = a;
		all[1] = b;
		all[2] = other;
		all[3] = off;
		for (size_t j = 0; j < COUNT(all); j++)
			CHECK_INT(tls_context_add_identity(all[j], NULL,
			    buf_slice(&id.chain), buf_slice(&id.key_pem),
			    NULL), 0, i);
		CHECK(!resume(a, a, i), i);		/* no keys yet */
		tls_context_set_ticket_keys(a, keys, 1);
		CHECK(resume(a, a, i), i);
		CHECK(!resume(a, b, i), i);
		tls_context_set_ticket_keys(b, keys, 1);
		CHECK(resume(a, b, i), i);
		/* rotated: the older key still opens */
		tls_context_set_ticket_keys(b, (struct tls_ticket_key []){
		    keys[1], keys[0] }, 2);
		CHECK(resume(a, b, i), i);
		tls_context_set_ticket_keys(b, &keys[1], 1);
		CHECK(!resume(a, b, i), i);
		/* another service with the same keys */
		tls_context_set_ticket_keys(other, keys, 1);
		CHECK(!resume(a, other, i), i);
		tls_context_set_ticket_keys(off, keys, 1);
		CHECK(!resume(a, off, i), i);
		tls_context_set_ticket_keys(a, NULL, 0);
		CHECK(!resume(a, a, i), i);
		for (size_t j = 0; j < COUNT(all); j++)
			tls_context_free(&all[j]);
	}
	identity_done(&id);
}

TEST(tls_idle_memory)		/* 16 KiB a connection */
{
	enum { COUNT_IDLE = 200 };
	struct identity id;
	struct signer s = { 0 };
	struct tls_params sp = { .role = TLS_SERVER };
	struct tls_params cp = { .role = TLS_CLIENT };
	struct tls_context *server, *client;
	static struct ends e[COUNT_IDLE];
	size_t before, each;
	char got[64];

	server = context(&sp, 0);
	client = context(&cp, 0);
	identity_init(&id, "P-256", "DNS:a.example");
	s.key = id.key;
	CHECK_INT(tls_context_add_certificate(server, NULL,
	    buf_slice(&id.chain), sign, &s, NULL), 0, 0);
	before = 0;
	for (size_t i = 0; i < COUNT_IDLE; i++) {
		if (i == 1)
			before = mallinfo2().uordblks;
		start(&e[i], server, client, TLS_LEVEL_MAY, NULL, NULL, i);
		CHECK_INT(tls_write(e[i].client, S("NOOP\r\n")), 6, i);
		CHECK_INT(tls_read(e[i].server, got, sizeof(got)), 6, i);
		CHECK_INT(tls_read(e[i].server, got, sizeof(got)), -EAGAIN, i);
		tls_free(&e[i].client);
	}
	each = (mallinfo2().uordblks - before) / (COUNT_IDLE - 1);
	printf("# %zu bytes for an idle server connection\n", each);
	/* mallinfo2 knows nothing under the sanitizers */
	CHECK(BARID_SANITIZERS || each <= 16384, each);
	for (size_t i = 0; i < COUNT_IDLE; i++)
		ends_close(&e[i]);
	tls_context_free(&server);
	tls_context_free(&client);
	identity_done(&id);
}
