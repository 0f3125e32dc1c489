/* SPDX-License-Identifier: ISC */
/*
 * accountd: what its files share. The program is two things: the zygote,
 * which master starts and stored asks for children, and its children, the
 * account processes, each of which opens one account and nothing else.
 *
 * An account process is a daemon without a master: stored is its only caller.
 * Deliveries wait in a list; one task files them, many in one commit. A
 * session is three tasks: the protocol's own, and one for each direction
 * between its front and it.
 */
#ifndef ACCOUNTD_ACCOUNTD_H
#define ACCOUNTD_ACCOUNTD_H

#include <pthread.h>

#include "accountd/accountd_params.h"
#include "imapd/session.h"
#include "libglobal/daemon.h"
#include "libglobal/ipc_deliver.h"
#include "libmail/status.h"
#include "libtask/sandbox.h"
#include "libutil/hash.h"

/* --- the zygote */

/* zygote.c */
MUST_USE int	zygote_prepare(struct daemon *d, struct diag *diag);
MUST_USE int	zygote_run(struct task *t, struct daemon *d);
MUST_USE int	zygote_serve(struct task *t, struct daemon *d, int *fd_take,
		    const struct daemon_caller *who);
/* is it the folder of an account: two digits, a slash, sixteen digits that
 * begin with the same two? */
bool	zygote_is_folder(struct slice folder);

/* what a child is made of; the descriptors are its own */
struct child_setup {
	struct daemon	*zygote;
	const struct sandbox_filter *filter;
	const char	*folder;	/* below the zygote's root */
	int		 control;
	int		 log;
};
/* child.c: be an account process; does not return */
void	child_main(const struct child_setup *setup) __attribute__((noreturn));

/* --- an account process */

/* what store threads tell; read on the loop's thread */
struct damage {
	pthread_mutex_t	lock;
	uint64_t	count;
	char		key[65];	/* of the last one, in hex */
};

struct account_process {
	struct daemon		*daemon;
	const struct accountd_params *p;
	struct imap_session_params imap_params;
	struct imap_shared	*imap;
	struct sandbox_state	 sandbox;
	struct ipc_conn		 control;	/* stored's */
	struct account		*account;	/* NULL: not open yet */
	struct bell		 bell;		/* rung after each commit */
	char			 id[65];
	struct damage		 damage;
	bool			 opened;	/* or tried to */
	struct list		 jobs;		/* deliveries that wait */
	size_t			 waiting;	/* how many */
	struct signal		 more_jobs;
	size_t			 deliveries;	/* asked for, not answered */
	bool			 at_upkeep;	/* a thread is */
	struct list		 sessions;	/* quiet longest first */
	size_t			 session_count;	/* that may be awake */
	struct list		 line;		/* sessions that wait for room */
	size_t			 in_line;
	struct signal		 room;		/* look who can sleep or come in */
	uint64_t		 told;		/* rings that stored knows of */
	bool			 has_sleepers;	/* stored has sessions */
	struct signal		 activity;	/* something began or ended */
	uint64_t		 activities;
	struct signal		 fewer;		/* a session ended or stays */
	bool			 ending;	/* asked to end, if it can */
};

/* note that something happened: the process is not idle */
void	process_active(struct account_process *ap);

/* process.c: what stored says, and the life of the process */
struct account_process	*process_new(void);
void	process_attach(struct account_process *ap, struct daemon *d);
void	process_free(struct account_process **ap_take);
/* has something changed that sleepers were not told of? */
bool	process_has_news(const struct account_process *ap);
/* have stored wake those of them that idle */
MUST_USE int	process_tell_news(struct account_process *ap);
/* log what store threads found since the last time */
void	process_say_damage(struct account_process *ap);
MUST_USE int	process_run(struct task *t, struct daemon *d);
/* the daemon's edges: to logd only, by way of stored; arg is the process */
MUST_USE int	process_connect(struct task *t, void *arg, const char *callee,
		    int *ret_fd);

/* big.c: contents that stored keeps */
/* have stored keep a content; 1 it does, under that hash; 0 it cannot */
MUST_USE int	big_keep(struct task *t, struct account_process *ap, int fd,
		    uint64_t offset, uint64_t length,
		    unsigned char ret_hash[32]);
/* is its file in our folder? An expunge may have unlinked the same content
 * between stored's naming it and our commit. Looks at the disk. */
bool	big_is_there(const unsigned char hash[32]);

/* deliver.c: one channel of a deliverer; and the task that files */
void	deliver_start(struct account_process *ap, int *fd_take);
MUST_USE int	deliver_writer(struct task *t, void *arg);

/* filing.c: a batch of deliveries, on a worker's thread */
struct delivery {
	struct list		 link;
	struct arena		 arena;		/* holds ask and results */
	struct msg_deliver_ask	*ask;
	struct slice		 mapped;	/* content, if mapped */
	struct buf		 copy;		/* or copied */
	struct deliver_message	*message;
	struct slice		 mailbox;	/* where it was put */
	struct status		 status;	/* what became of it */
	struct signal		 done;
	bool			 is_big;	/* stored keeps the content */
	unsigned char		 hash[32];	/* under this, then */
	bool			 is_gone;	/* but it is not there */
	bool			 is_duplicate;
	bool			 running;	/* lent to the writer */
	bool			 finished;
	bool			 abandoned;	/* nobody waits any more */
};
struct filing {
	struct account		*account;
	const struct accountd_params *p;
	struct delivery		**jobs;
	size_t			 count;
};
/* is the message nothing but added header text and then its content? */
bool	filing_is_plain(const struct msg_deliver_ask *ask);
/* a work item; each delivery has its status then */
int	filing_run(void *arg);
void	delivery_free(struct delivery *d);
/* the account's mailbox for that recipient: its extension's, or INBOX */
MUST_USE int	filing_mailbox(struct account *a, struct slice recipient,
		    struct slice delimiters, struct arena *arena,
		    uint32_t *ret_id, struct slice *ret_path);

/* sessions.c */
struct msg_account_session;
/* serve it in a task of its own; takes the message's channel, and the arena
 * that the message is in */
void	sessions_start(struct account_process *ap,
	    struct msg_account_session *m, struct arena *arena_take);
/* does every session wait for its client? */
bool	sessions_are_quiet(const struct account_process *ap);
/* a task of the process: who waits in line comes in as others go to sleep */
MUST_USE int	sessions_make_room(struct task *t, void *arg);
/* have all of them sleep; *ret_all: none is left */
MUST_USE int	sessions_sleep(struct task *t, struct account_process *ap,
		    bool *ret_all);

/* upkeep.c: tasks of an account process */
MUST_USE int	upkeep_watch(struct task *t, void *arg);
MUST_USE int	upkeep_tell(struct task *t, void *arg);
MUST_USE int	upkeep_pack(struct task *t, void *arg);
MUST_USE int	upkeep_idle(struct task *t, void *arg);

#endif
