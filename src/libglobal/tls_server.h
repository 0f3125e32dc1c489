/* SPDX-License-Identifier: ISC */
/*
 * tls_server: a daemon's TLS context as a server, with certificates from signd
 * and keys that only signd holds. Made at the first use and again when signd
 * says that certificates changed or was started anew.
 */
#ifndef LIBGLOBAL_TLS_SERVER_H
#define LIBGLOBAL_TLS_SERVER_H

#include "libutil/size.h"

#include <stdbool.h>
#include <stdint.h>

struct daemon;
struct diag;
struct task;
struct tls_context;
struct tls_params;

/* all zero: nothing made yet. Lives as long as the daemon. */
struct tls_server {
	struct tls_context	*ctx;
	struct tls_context	*old;		/* connections may still use it */
	struct daemon		*daemon;
	uint64_t		 generation;	/* of the edge to signd */
	bool			 stale;
	bool			 making;
};

/* the context to begin a connection with, lent; -ENOENT and a sentence when
 * signd has no certificate for that daemon */
MUST_USE int	tls_server_context(struct task *t, struct tls_server *s,
		    struct daemon *d, const char *daemon,
		    const struct tls_params *params,
		    struct tls_context **ret_ctx, struct diag *diag);

#endif
