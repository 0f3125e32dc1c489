/* SPDX-License-Identifier: ISC */
/*
 * session_body: reading a message for a session: its digest, made again if
 * the store has lost it, and its bytes in slices, read by a worker. Used by
 * FETCH; SEARCH runs on a worker itself and uses the functions without `t`.
 */
#ifndef IMAPD_SESSION_BODY_H
#define IMAPD_SESSION_BODY_H

#include "libstore/body.h"
#include "libstore/digest.h"
#include "libtask/task.h"

/* bytes read at once; a message up to that size costs one work item */
#define SESSION_BODY_PIECE	((size_t)65536)

/* a message being read; all zero but account and email is a fresh one */
struct session_body {
	struct account	*account;
	const struct email *email;
	struct body	*body;		/* NULL: not opened yet */
};

/* its bytes from that offset, 1..SESSION_BODY_PIECE, lent until the next
 * call; none at the end */
MUST_USE int	session_body_peek(struct task *t, struct session_body *b,
		    uint64_t offset, struct slice *ret_bytes);
/* its digest, in the arena or lent from the email's cache. -EBADMSG also
 * when digest and message do not fit */
MUST_USE int	session_body_digest(struct task *t, struct session_body *b,
		    struct arena *a, struct digest *ret_digest);
void	session_body_done(struct session_body *b);

/* the same two on a worker's thread */
MUST_USE int	session_body_open_here(struct session_body *b);
MUST_USE int	session_body_digest_here(struct session_body *b,
		    struct arena *a, struct digest *ret_digest);

#endif
