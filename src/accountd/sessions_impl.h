/* SPDX-License-Identifier: ISC */
/* sessions_impl: what sessions.c, sessions_pump.c, sessions_room.c and
 * sessions_sleep.c share; nobody else. */
#ifndef ACCOUNTD_SESSIONS_IMPL_H
#define ACCOUNTD_SESSIONS_IMPL_H

#include "accountd/accountd.h"
#include "libglobal/ipc_account.h"
#include "libglobal/ipc_front.h"

struct session {
	struct list		 link;		/* in ap->sessions */
	struct list		 in_line;	/* in ap->line, or alone */
	struct account_process	*ap;
	struct arena		 arena;		/* of the message */
	struct msg_account_session *m;
	struct ipc_conn		 front;
	struct stream		 stream;	/* the session's end */
	struct io		 pump;		/* ours */
	struct imap_session	*imap;
	struct log		 log;
	struct task_group	*tasks;		/* while they run */
	struct signal		 turn;		/* it may come in, or is void */
	int64_t			 asked_at;	/* loop ms */
	bool			 is_in;		/* counted in ap->session_count */
	bool			 is_void;	/* handed over again meanwhile */
	bool			 left_alone;	/* it is as it was with stored */
	bool			 begun;		/* its front has a frame of us */
	bool			 pumping;	/* bytes are in a pump's hands */
	bool			 asked;		/* sleep was said */
	bool			 refused;	/* and answered no */
	bool			 sleep_now;	/* and answered ok */
	bool			 asleep;	/* its state is with stored */
};

/* sessions_room.c: at the limit newcomers wait until others sleep */
/* wait for room; -ETIMEDOUT or -EBUSY there is none */
MUST_USE int	session_come_in(struct task *t, struct session *s);
/* it goes: there may be room for the next one */
void	session_go_out(struct session *s);
/* it did something: others are quiet for longer */
void	session_active(struct session *s);

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
/* begin to put it to sleep; false if it cannot be now */
bool	session_ask_sleep(struct session *s);
/* the front agreed: stop the session's tasks, unless something came */
MUST_USE int	session_on_sleep_ok(struct session *s);
/* something came: tell the front that it stays */
MUST_USE int	session_stay(struct session *s);
/* give its state to stored; then it sleeps */
MUST_USE int	session_freeze(struct task *t, struct session *s);

#endif
