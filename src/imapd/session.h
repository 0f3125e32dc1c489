/* SPDX-License-Identifier: ISC */
/*
 * session: one logged-in IMAP client, from the end of its authentication to
 * its goodbye (RFC 3501 and what imap_capabilities.def announces). The
 * account process makes one for each client of its account; the front has the
 * connection, and the session the decrypted bytes, on a stream.
 *
 * All sessions of an account share an imap_shared, which knows what is
 * \Recent to whom, and the account's bell: they wake when somebody commits,
 * nothing polls.
 *
 * An account process may end while clients idle. It asks each session whether
 * it can sleep, cancels its task, takes its state (a few hundred bytes), and
 * frees it; another process makes it again from that state, and the client
 * notices nothing. A session that cannot be made again as it was says so to
 * the client with BYE.
 */
#ifndef IMAPD_SESSION_H
#define IMAPD_SESSION_H

#include "imapd/session_params.h"
#include "libstore/account.h"
#include "libstore/bell.h"
#include "libtask/stream.h"
#include "libutil/log.h"

struct imap_session;
struct imap_shared;

/* one for each account process; frees when no session is left */
struct imap_shared	*imap_shared_new(void);
void	imap_shared_free(struct imap_shared **shared);

/* who keeps large contents, which accounts share */
struct imap_big {
	/* keep what is in that sealed memory file: 1 it is durable and ours,
	 * under that hash; 0 the account must keep it itself; -ECANCELED */
	int	(*keep)(struct task *t, void *arg, int fd, uint64_t size,
		    uint8_t ret_hash[BODY_HASH_LEN]);
	/* is it still ours? On a worker's thread. */
	bool	(*has)(const uint8_t hash[BODY_HASH_LEN]);
	void	*arg;
};

/* everything is lent for the session's life */
struct imap_session_setup {
	struct account		*account;
	struct bell		*bell;		/* rung after each commit */
	struct imap_shared	*shared;
	struct stream		*stream;
	const struct imap_session_params *params;
	const struct log	*log;		/* the parent of its own */
	struct slice		 user;		/* as whom, for the log */
	struct slice		 tag;		/* of the command that logged in;
						 * the session answers it. Empty:
						 * the front did */
	struct imap_big		 big;		/* keep NULL: nobody does */
};

#define IMAP_SESSION_STATE_MAX	1024	/* bytes of a sleeping session */

struct imap_session	*imap_session_new(const struct imap_session_setup *setup);
/* a session that slept; -EBADMSG if the state is none. That its mailbox is
 * gone or changed too much turns out when it runs. */
MUST_USE int	imap_session_thaw(const struct imap_session_setup *setup,
		    struct slice state, struct imap_session **ret_session);
void	imap_session_free(struct imap_session **s);

/* serve the client until it says goodbye, goes away, or must go: then 0.
 * -ECANCELED with the state kept, when cancelled where it could sleep: then
 * it may be frozen (ask imap_session_can_sleep again: the client may have
 * spoken meanwhile), or go on with another call */
MUST_USE int	imap_session(struct task *t, struct imap_session *s);

/* send the client of a session that can sleep away, with a sentence for BYE;
 * its task has ended with -ECANCELED, as for sleep */
void	imap_session_dismiss(struct task *t, struct imap_session *s,
	    const char *why);

/* does it wait for the client, with nothing under way? True also in IDLE. */
bool	imap_session_can_sleep(const struct imap_session *s);
/* does it wait in IDLE: must it wake when mail comes? */
bool	imap_session_is_idling(const struct imap_session *s);
/* append its state; only if it can sleep and its task has ended */
void	imap_session_freeze(const struct imap_session *s, struct buf *out);

#endif
