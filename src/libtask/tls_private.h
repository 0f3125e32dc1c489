/* SPDX-License-Identifier: ISC */
/* What the files of tls share; for src/libtask/tls*.c only. */
#ifndef LIBTASK_TLS_PRIVATE_H
#define LIBTASK_TLS_PRIVATE_H

#include <openssl/ssl.h>

#include "libtask/tls.h"
#include "libutil/buf.h"
#include "libutil/hash.h"

/* the certificates for one name */
struct tls_host {
	SSL_CTX		*ssl;
	unsigned	 key_types;	/* bits: kinds of key it has */
};

struct tls_context {
	unsigned	 references;	/* its owner's, and each connection's */
	enum tls_role	 role;
	struct tls_host	 main;
	struct hash	 hosts;		/* lower-case host -> struct tls_host */
	BIO_METHOD	*bio;
	struct buf	 alpn;		/* as on the wire */
	uint64_t	 options;	/* the rest is for the hosts' SSL_CTX */
	int		 version_min;	/* 0: whatever there is */
	int		 version_max;
	struct buf	 ciphers;
	struct buf	 groups;
	unsigned char	 session_name[32];
	struct tls_ticket_key	ticket_keys[TLS_TICKET_KEYS_MAX];
	size_t		 ticket_key_count;
};

/* tls_params.c: read the parameters into the context */
MUST_USE int	tls_params_read(const struct tls_params *p,
		    struct tls_context *ctx, struct diag *diag);
/* tls_trust.c: load the authorities that a client trusts */
MUST_USE int	tls_trust_load(const struct tls_params *p, SSL_CTX *ssl,
		    struct diag *diag);
/* tls_ticket.c: let this SSL_CTX seal and open session tickets */
void		tls_ticket_setup(struct tls_context *ctx, SSL_CTX *ssl);
/* tls_context.c: a connection holds on to its context */
struct tls_context	*tls_context_hold(struct tls_context *ctx);
/* tls.c: OpenSSL's connection; lent */
SSL		*tls_session(const struct tls *tls);
/* why OpenSSL failed, by its error queue, which is emptied; its storage */
const char	*tls_library_error(void);

#endif
