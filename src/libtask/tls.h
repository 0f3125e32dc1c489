/* SPDX-License-Identifier: ISC */
/*
 * tls: TLS on a non-blocking descriptor, for stream.c. Nothing here waits but
 * the handshake, in which a server's key operation may suspend the task.
 */
#ifndef LIBTASK_TLS_H
#define LIBTASK_TLS_H

#include <sys/types.h>

#include "libutil/slice.h"

struct task;
struct tls;
struct tls_context;

/* a connection that has not shaken hands; the descriptor is lent and must
 * outlive it. host: the name to ask for and check (clients), or NULL */
MUST_USE int	tls_new(struct tls_context *ctx, int fd, const char *host,
		    struct tls **ret_tls);
/* go on with the handshake: 0 when done, -EAGAIN when the descriptor must be
 * waited for (tls_wants_write says in which direction) */
MUST_USE int	tls_handshake(struct task *t, struct tls *tls);
/* some bytes; 0 at the end; -EAGAIN */
MUST_USE ssize_t	tls_read(struct tls *tls, void *data, size_t len);
MUST_USE ssize_t	tls_write(struct tls *tls, struct slice bytes);
bool	tls_wants_write(const struct tls *tls);
/* are decrypted bytes there that no poll would show? */
bool	tls_pending(const struct tls *tls);
/* send the closing alert if it can be sent now */
void	tls_close_notify(struct tls *tls);
/* no-op on NULL */
void	tls_free(struct tls **tls_take);

#endif
