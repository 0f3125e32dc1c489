/* SPDX-License-Identifier: ISC */
/* sessions_impl: what sessions.c, sessions_pump.c and sessions_sleep.c share;
 * nobody else. */
#ifndef ACCOUNTD_SESSIONS_IMPL_H
#define ACCOUNTD_SESSIONS_IMPL_H

#include "accountd/accountd.h"
#include "libglobal/ipc_account.h"
#include "libglobal/ipc_front.h"

struct session {
	struct list		 link;
	struct account_process	*ap;
	struct arena		 arena;		/* of the message */
	struct msg_account_session *m;
	struct ipc_conn		 front;
	struct stream		 stream;	/* the session's end */
	struct io		 pump;		/* ours */
	struct imap_session	*imap;
	struct log		 log;
	struct task_group	*tasks;		/* while they run */
	bool			 begun;		/* its front has a frame of us */
	bool			 pumping;	/* bytes are in a pump's hands */
	bool			 asked;		/* sleep was said */
	bool			 refused;	/* and answered no */
	bool			 sleep_now;	/* and answered ok */
	bool			 asleep;	/* its state is with stored */
};

/* sessions_pump.c: bytes between the front's channel and the session's stream;
 * two tasks of s->tasks */
MUST_USE int	session_pump_in(struct task *t, void *arg);
MUST_USE int	session_pump_out(struct task *t, void *arg);
/* the front has its first frame: stored need not keep the session for another
 * process any more, in case that we end */
MUST_USE int	session_begun(struct task *t, struct session *s);
/* what the session wrote last, when its pumps have ended */
MUST_USE int	session_pump_rest(struct task *t, struct session *s);

/* sessions_sleep.c */
/* does it wait for its client, with nothing on the way? */
bool	session_can_sleep(struct session *s);
/* the front agreed: stop the session's tasks, unless something came */
MUST_USE int	session_on_sleep_ok(struct session *s);
/* something came: tell the front that it stays */
MUST_USE int	session_stay(struct session *s);
/* give its state to stored; then it sleeps */
MUST_USE int	session_freeze(struct task *t, struct session *s);

#endif
