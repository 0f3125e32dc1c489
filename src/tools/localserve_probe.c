/* SPDX-License-Identifier: ISC */
/* The proof that every service answers: its greeting, over TLS where it must. */
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "libtask/io.h"
#include "tools/localserve.h"
#include "tools/suite.h"

#define POLL_MS		100
#define GREETING_MAX	512
#define PATIENCE_S	2	/* for one try */

static int
connect_to(unsigned port)
{
	struct sockaddr_in	at = { .sin_family = AF_INET,
				    .sin_port = htons((uint16_t)port),
				    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct timeval		tv = { PATIENCE_S, 0 };
	int			fd;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) < 0 ||
	    connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		fd_close(&fd);
	return fd;
}

/* read_plain, read_tls - the first bytes that the service says */
static ssize_t
read_plain(int fd, char *text, size_t size)
{
	return read(fd, text, size);
}

static ssize_t
read_tls(SSL_CTX *ctx, int fd, char *text, size_t size)
{
	SSL	*ssl = SSL_new(ctx);
	size_t	 n = 0;

	if (ssl != NULL && SSL_set_fd(ssl, fd) == 1 &&
	    SSL_set1_host(ssl, "localhost") == 1 && SSL_connect(ssl) == 1 &&
	    SSL_read_ex(ssl, text, size, &n) == 1)
		(void)SSL_shutdown(ssl);	/* the connection ends anyway */
	SSL_free(ssl);
	ERR_clear_error();
	return (ssize_t)n;
}

/* answers - one try */
static bool
answers(struct localserve *l, const struct localserve_service *s, SSL_CTX *ctx)
{
	char		text[GREETING_MAX];
	struct slice	greeting;
	ssize_t		n;
	int		fd = connect_to(l->port + s->offset);

	if (fd < 0)
		return false;
	n = s->tls == LOCALSERVE_IMPLICIT ?
	    read_tls(ctx, fd, text, sizeof(text)) :
	    read_plain(fd, text, sizeof(text));
	fd_close(&fd);
	if (n <= 0)
		return false;
	greeting = slice_over(text, (size_t)n);
	return slice_has_prefix(greeting, S("220")) ||
	    slice_has_prefix(greeting, S("* OK"));
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* probe - until one service answers */
static int
probe(struct localserve *l, const struct localserve_service *s, SSL_CTX *ctx,
    int64_t end)
{
	struct timespec pause = { 0, POLL_MS * 1000000L };

	while (!answers(l, s, ctx)) {
		if (now_ms() > end)
			return tool_fail(l->tool, "service %s on port %u does "
			    "not answer; %s/data/log/maillog may say why",
			    s->name, l->port + s->offset, l->directory);
		if (suite_interrupted())
			return tool_fail(l->tool, "interrupted");
		(void)nanosleep(&pause, NULL);	/* ends early by a signal */
	}
	return TOOL_OK;
}

/* localserve_probe - all services */
int
localserve_probe(struct localserve *l, int64_t limit_ms)
{
	SSL_CTX	*ctx = SSL_CTX_new(TLS_client_method());
	int64_t	 end = now_ms() + limit_ms;
	int	 r = TOOL_OK;

	if (ctx == NULL || SSL_CTX_load_verify_file(ctx, l->ca_file) != 1) {
		SSL_CTX_free(ctx);
		return tool_fail(l->tool, "cannot use %s", l->ca_file);
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	for (const struct localserve_service *s = localserve_services;
	    s->name != NULL && r == TOOL_OK; s++)
		if (localserve_has(l, s))
			r = probe(l, s, ctx, end);
	SSL_CTX_free(ctx);
	return r;
}
