/* SPDX-License-Identifier: ISC */
/*
 * A connection is an SSL on a BIO of ours that does recv and send on the
 * socket: no buffer between, no SIGPIPE, and the reason of a failure is kept.
 * Read-ahead makes one recv out of two; the buffer it needs is released with
 * SSL_MODE_RELEASE_BUFFERS whenever it is empty.
 *
 * OpenSSL's error queue belongs to the thread, and many tasks share it: it is
 * emptied before each call into OpenSSL and read right after.
 */
#include "libtask/tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include "libtask/tls_private.h"

#include "libutil/alloc.h"
#include "libutil/buf.h"
#include "libutil/cursor.h"

struct tls {
	struct tls_context *ctx;	/* held */
	SSL		*ssl;
	int		 fd;		/* lent */
	int		 io_error;	/* what recv or send said last; or 0 */
	bool		 wants_write;
	bool		 is_client;
	bool		 is_failed;	/* OpenSSL must not be called again */
	enum tls_level	 level;
	enum tls_trust	 trust;		/* client: of the server */
	struct buf	 names;		/* each with a NUL behind it */
	char		*error;		/* text of the last failure, or NULL */
};

/* --- the socket, as OpenSSL sees it */

/* bio_read - bytes from the socket */
static int
bio_read(BIO *b, char *data, int len)
{
	struct tls	*tls = BIO_get_data(b);
	ssize_t		 n;

	BIO_clear_retry_flags(b);
	do
		n = recv(tls->fd, data, (size_t)len, 0);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return (int)n;
	if (n < 0 && errno == EAGAIN) {
		BIO_set_retry_read(b);
		return -1;
	}
	tls->io_error = n == 0 ? -ECONNRESET : -errno;
	return -1;
}

/* bio_write - bytes to the socket */
static int
bio_write(BIO *b, const char *data, int len)
{
	struct tls	*tls = BIO_get_data(b);
	ssize_t		 n;

	BIO_clear_retry_flags(b);
	do
		n = send(tls->fd, data, (size_t)len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return (int)n;
	if (errno == EAGAIN)
		BIO_set_retry_write(b);
	else
		tls->io_error = -errno;
	return -1;
}

/* bio_ctrl - nothing is buffered: a flush is done at once */
static long
bio_ctrl(BIO *b, int command, long number, void *p)
{
	(void)b;
	(void)number;
	(void)p;
	return command == BIO_CTRL_FLUSH;
}

/* bio_create - ready at once */
static int
bio_create(BIO *b)
{
	BIO_set_init(b, 1);
	return 1;
}

/* bio_new - a BIO for that connection; its methods belong to the context */
static BIO *
bio_new(struct tls_context *ctx, struct tls *tls)
{
	BIO	*b;

	if (ctx->bio == NULL) {
		ctx->bio = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "stream");
		if (ctx->bio == NULL ||
		    BIO_meth_set_read(ctx->bio, bio_read) != 1 ||
		    BIO_meth_set_write(ctx->bio, bio_write) != 1 ||
		    BIO_meth_set_ctrl(ctx->bio, bio_ctrl) != 1 ||
		    BIO_meth_set_create(ctx->bio, bio_create) != 1)
			return NULL;
	}
	if ((b = BIO_new(ctx->bio)) != NULL)
		BIO_set_data(b, tls);
	return b;
}

/* --- results */

/* set_error - note why it failed */
static void
set_error(struct tls *tls, const char *text)
{
	free(tls->error);
	tls->error = slice_dup(slice_of(text));
}

/* begin_call - before each call into OpenSSL */
static void
begin_call(struct tls *tls)
{
	ERR_clear_error();
	tls->io_error = 0;
	free(tls->error);
	tls->error = NULL;
}

/* end_call - what a call that did not succeed means; 0 is a proper end */
static int
end_call(struct tls *tls, int result)
{
	int	r;

	switch (SSL_get_error(tls->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		tls->wants_write = false;
		return -EAGAIN;
	case SSL_ERROR_WANT_WRITE:
		tls->wants_write = true;
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	}
	tls->is_failed = true;
	if (tls->io_error != 0) {
		r = tls->io_error;
		set_error(tls, r == -ECONNRESET ? "the peer has ended the "
		    "connection" : strerror(-r));
	} else {
		r = -EPROTO;
		set_error(tls, tls_library_error());
	}
	ERR_clear_error();
	return r;
}

/* --- a connection's life */

/* is_address - "192.0.2.1" or "::1": no name for SNI (RFC 6066 3) */
static bool
is_address(const char *host)
{
	struct cursor	c = cursor_over(slice_of(host));

	if (strchr(host, ':') != NULL)
		return true;
	for (; !cursor_at_end(&c); (void)cursor_byte(&c))
		if (!ascii_is_digit((char)cursor_peek(&c)) &&
		    cursor_peek(&c) != '.')
			return false;
	return true;
}

/* set_up_client - whom to ask for, and how sure to be */
static int
set_up_client(struct tls *tls, const struct tls_peer *peer)
{
	for (size_t i = 0; i < peer->name_count; i++) {
		buf_add(&tls->names, peer->names[i]);
		buf_add_byte(&tls->names, '\0');
	}
	if (peer->sni != NULL && peer->sni[0] != '\0' &&
	    !is_address(peer->sni) &&
	    SSL_set_tlsext_host_name(tls->ssl, peer->sni) != 1)
		return -EINVAL;
	/*
	 * The handshake goes on whatever certificate comes, and the result is
	 * judged afterwards: the log then tells what was shown. Where no
	 * certificate is asked for, weak ones are no reason to send in clear.
	 */
	SSL_set_verify(tls->ssl, SSL_VERIFY_NONE, NULL);
	if (peer->level < TLS_LEVEL_VERIFY)
		SSL_set_security_level(tls->ssl, 0);
	return 0;
}

/* tls_new - a connection before its handshake */
int
tls_new(struct tls_context *ctx, int fd, size_t plaintext_left,
    const struct tls_peer *peer, struct tls **ret_tls)
{
	struct tls	*tls;
	BIO		*b;
	int		 r = 0;

	if (plaintext_left > 0)
		return -EPROTO;
	if ((ctx->role == TLS_CLIENT) != (peer != NULL) ||
	    (peer != NULL && peer->level == TLS_LEVEL_NONE))
		return -EINVAL;
	tls = NEW(struct tls);
	tls->ctx = tls_context_hold(ctx);
	tls->fd = fd;
	tls->is_client = peer != NULL;
	tls->ssl = SSL_new(ctx->main.ssl);
	b = tls->ssl == NULL ? NULL : bio_new(ctx, tls);
	if (b == NULL) {
		r = -ENOMEM;
		goto out;
	}
	SSL_set_bio(tls->ssl, b, b);
	SSL_set_app_data(tls->ssl, tls);
	if (peer == NULL) {
		SSL_set_accept_state(tls->ssl);
	} else {
		SSL_set_connect_state(tls->ssl);
		tls->level = peer->level;
		r = set_up_client(tls, peer);
	}
out:
	ERR_clear_error();
	if (r < 0)
		tls_free(&tls);
	else
		*ret_tls = tls;
	return r;
}

/* tls_free - release it */
void
tls_free(struct tls **tls)
{
	struct tls	*c = *tls;

	*tls = NULL;
	if (c == NULL)
		return;
	SSL_free(c->ssl);
	tls_context_free(&c->ctx);
	buf_free(&c->names);
	free(c->error);
	free(c);
}

/* --- the handshake */

/* has_name - is one of the names we accept in that certificate? */
static bool
has_name(const struct tls *tls, X509 *x)
{
	struct slice	rest = buf_slice(&tls->names), name;

	while (rest.len > 0) {
		name = slice_split(&rest, '\0');
		if (name.len > 0 && X509_check_host(x, name.data, name.len,
		    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1)
			return true;
	}
	return false;
}

/* judge - is the server's certificate what was asked for? */
static int
judge(struct tls *tls)
{
	X509	*x = SSL_get0_peer_certificate(tls->ssl);

	if (x == NULL)
		tls->trust = TLS_TRUST_NONE;
	else if (SSL_get_verify_result(tls->ssl) != X509_V_OK)
		tls->trust = TLS_TRUST_UNKNOWN;
	else
		tls->trust = has_name(tls, x) ? TLS_TRUST_NAME : TLS_TRUST_CA;
	buf_free(&tls->names);
	ERR_clear_error();
	if (tls->level < TLS_LEVEL_VERIFY || tls->trust == TLS_TRUST_NAME)
		return 0;
	set_error(tls, tls->trust == TLS_TRUST_CA ?
	    "the server certificate has none of the names asked for" :
	    tls_peer_error(tls));
	tls->is_failed = true;
	return -EKEYREJECTED;
}

/* tls_handshake - go on until it is done */
int
tls_handshake(struct task *t, struct tls *tls)
{
	struct tls_key_call call;
	int		result, r;

	if (tls->is_failed)
		return -EPROTO;
	begin_call(tls);
	tls_key_call_begin(&call, t);
	result = SSL_do_handshake(tls->ssl);
	r = tls_key_call_end(&call);
	if (result == 1)
		return tls->is_client ? judge(tls) : 0;
	if (r < 0) {
		/* no key: OpenSSL's own sentence would hide the reason */
		tls->is_failed = true;
		set_error(tls, "the private key could not be used");
		ERR_clear_error();
		return r;
	}
	r = end_call(tls, result);
	return r == 0 ? -ECONNRESET : r;
}

/* --- bytes */

/* tls_read - read some */
ssize_t
tls_read(struct tls *tls, void *data, size_t len)
{
	size_t	n;
	int	result;

	if (tls->is_failed)
		return -EPROTO;
	begin_call(tls);
	result = SSL_read_ex(tls->ssl, data, len, &n);
	return result == 1 ? (ssize_t)n : end_call(tls, result);
}

/* tls_write - write some */
ssize_t
tls_write(struct tls *tls, struct slice bytes)
{
	size_t	n;
	int	result, r;

	if (tls->is_failed)
		return -EPROTO;
	if (bytes.len == 0)
		return 0;
	begin_call(tls);
	result = SSL_write_ex(tls->ssl, bytes.data, bytes.len, &n);
	if (result == 1)
		return (ssize_t)n;
	r = end_call(tls, result);
	return r == 0 ? -ECONNRESET : r;
}

/* tls_close_notify - say goodbye, if the socket takes it */
void
tls_close_notify(struct tls *tls)
{
	if (tls->is_failed || SSL_is_init_finished(tls->ssl) != 1)
		return;
	begin_call(tls);
	(void)SSL_shutdown(tls->ssl);
	ERR_clear_error();
}

/* tls_wants_write - what -EAGAIN waits for */
bool
tls_wants_write(const struct tls *tls)
{
	return tls->wants_write;
}

/* tls_pending - is there input that needs no socket? */
bool
tls_pending(const struct tls *tls)
{
	return SSL_has_pending(tls->ssl) == 1;
}

/* tls_error_text - why the last call failed */
const char *
tls_error_text(const struct tls *tls)
{
	return tls->error == NULL ? "" : tls->error;
}

/* tls_peer_trust - what the server's certificate is worth */
enum tls_trust
tls_peer_trust(const struct tls *tls)
{
	return tls->trust;
}

/* tls_peer_error - why it is not trusted */
const char *
tls_peer_error(const struct tls *tls)
{
	long	result = SSL_get_verify_result(tls->ssl);

	if (!tls->is_client)
		return "";
	if (SSL_get0_peer_certificate(tls->ssl) == NULL)
		return "the server showed no certificate";
	return result == X509_V_OK ? "" : X509_verify_cert_error_string(result);
}

/* tls_session - OpenSSL's connection, for tls_info.c */
SSL *
tls_session(const struct tls *tls)
{
	return tls->ssl;
}
