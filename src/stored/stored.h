/* SPDX-License-Identifier: ISC */
/*
 * stored: what its files share. It knows which accounts there are, which of
 * them have a process, and who sleeps; it opens no account and reads no mail.
 *
 * Fronts and lmtpd ask for a channel to an account. The account's process is
 * started if need be, and gets one end of a socket pair; stored keeps neither
 * end. What a front sees is a handle for each session, good on that front and
 * for that account.
 */
#ifndef STORED_STORED_H
#define STORED_STORED_H

#include "libglobal/daemon.h"
#include "libglobal/ipc_account.h"
#include "libtask/work.h"
#include "libutil/hash.h"
#include "stored/stored_params.h"

#define ACCOUNT_DIGITS	16	/* of an account id */
#define HANDLE_LEN	32

/* sessions that one process may be given and has not begun: each is a
 * descriptor there, and may have to wait for room. A login waits, so that not
 * all of them are taken by those that slept, which come again. */
#define GIVEN_MAX	48
#define GIVEN_RESUMED	32	/* who waits is told from here on */

struct stored {
	struct daemon	*daemon;
	struct hash	 accounts;	/* struct account_entry, by id */
	struct hash	 sleepers;	/* struct sleeper, by handle */
	struct list	 idle;		/* entries, idle longest first */
	struct list	 ending;	/* entries, asked to end longest first */
	struct list	 room;		/* who waits for fewer processes */
	struct signal	 work;		/* for the task that ends processes */
	struct big_store *big;
	size_t		 running;
	bool		 said_unconfined;
	int64_t		 said_full;	/* loop ms */
	bool		 limits_due;	/* a task will tell processes */
};

/* life.c */
MUST_USE int	stored_prepare(struct daemon *d, struct diag *diag);
MUST_USE int	stored_run(struct task *t, struct daemon *d);
void	stored_free(struct stored **s_take);

/* somebody waits for something to change; see entries.c */
struct waiter {
	struct list	link;
	struct signal	signal;
};
MUST_USE int	wait_in(struct task *t, struct list *waiters);
void	wait_wake(struct list *waiters);

enum account_state {
	ACCOUNT_DOWN,
	ACCOUNT_STARTING,
	ACCOUNT_UP,
	ACCOUNT_ENDING,		/* asked to end; it may say no */
};

/* a process of an account; freed with its last user */
struct account_child {
	struct ipc_conn	conn;
	uint32_t	pid;
	unsigned	users;
	bool		is_cut;		/* we closed its channel */
};

struct account_entry {
	struct list		 link;		/* in stored.idle, .ending, or alone */
	struct list		 sleepers;
	struct list		 waiters;	/* for another state, or usage */
	struct stored		*stored;
	struct account_child	*child;
	char			*name;		/* login; NULL: not asked yet */
	enum account_state	 state;
	int			 failure;	/* of the last start */
	int64_t			 since;		/* idle, or ending; loop ms */
	uint64_t		 quota_bytes, quota_messages;
	uint64_t		 bytes, messages;
	uint32_t		 last_pid;	/* of the newest process; 0 */
	size_t			 given;		/* sessions, not begun yet */
	bool			 is_known;	/* name and quotas hold */
	bool			 usage_known;
	char			 id[ACCOUNT_DIGITS + 1];
};

/* entries.c */
bool	account_id_is_valid(struct slice id);
/* made if there is none; NULL if that is no account id */
struct account_entry	*entry_get(struct stored *s, struct slice id);
void	entry_set_state(struct account_entry *e, enum account_state state);
void	entry_set_idle(struct account_entry *e, bool idle);
void	entries_free(struct stored *s);
/* who the account is: asks authd, unless it was asked before. -ENOENT there
 * is no such account; -EAGAIN nobody can say now */
MUST_USE int	entry_identify(struct task *t, struct account_entry *e);
/* what authd says of itself */
MUST_USE int	on_auth_message(struct task *t, struct ipc_conn *c,
		    struct ipc_in *in, struct arena *a, void *arg);

/* children.c: the processes */
/* have a process that serves the account; -ENOENT, -EAGAIN, ... */
MUST_USE int	child_ensure(struct task *t, struct account_entry *e);
/* ask it to end, if it has nothing to do */
void	child_end(struct account_entry *e);
/* close its channel: it finishes what it does and ends */
void	child_cut(struct account_entry *e);
struct account_child	*child_hold(struct account_entry *e);
void	child_release(struct account_child *c);
/* a process that was counted in stored.running is none any more */
void	give_room(struct stored *s);
/* what the zygote says unasked */
MUST_USE int	on_zygote_message(struct task *t, struct ipc_conn *c,
		    struct ipc_in *in, struct arena *a, void *arg);
/* end those that were idle for long enough */
MUST_USE int	children_run(struct task *t, struct stored *s);

/* control.c: what an account process says, until its end */
MUST_USE int	control_task(struct task *t, void *arg);

/* folders.c: work for threads */
struct folder_job {
	char	path[ACCOUNT_DIGITS + 4];	/* shard/id */
};
void	folder_path(struct folder_job *j, const char *id);
/* make the account's folder if there is none */
int	folder_make(void *arg);
struct folder_list {
	struct arena	*arena;
	struct slice	*ids;
	size_t		 count;
};
int	folder_list(void *arg);

/* big.c: large bodies, shared by all accounts that have them */
struct big_store {
	struct work_lane	lane;	/* who links and unlinks takes turns */
	struct list		writing;	/* what is written now */
	struct list		waiters;	/* for one of those */
	uint64_t		count;	/* names of temporary files */
	uint64_t		run;	/* of this process, in them */
};
void	big_init(struct big_store *b, struct loop *l);
/* keep a body for that account: durable, and in its folder, when it returns */
MUST_USE int	big_keep(struct task *t, struct account_entry *e,
		    const struct msg_account_big *m, unsigned char ret_hash[32]);
/* a task of the daemon: remove bodies that no account has any more */
MUST_USE int	big_sweep_task(struct task *t, void *arg);

/* a caller's edge */
struct store_caller {
	struct stored	*stored;
	struct ipc_conn	 conn;
	struct list	 sleepers;
	uint32_t	 process;
	struct slice	 daemon;	/* lent */
};

/* callers.c */
MUST_USE int	store_serve(struct task *t, struct daemon *d, int *fd_take,
		    const struct daemon_caller *who);

/* sleepers.c: sessions by their handles */
struct sleeper {
	struct list		 of_account;
	struct list		 of_front;
	struct account_entry	*entry;
	struct store_caller	*front;
	struct arena		 arena;		/* of the slices */
	struct slice		 protocol;
	struct slice		 login;
	struct slice		 session;
	struct slice		 client_address;
	struct slice		 greeting;
	struct slice		 state;		/* empty: of a new session */
	uint64_t		 handover;	/* times it was given */
	char			 handle[HANDLE_LEN];
	bool			 asleep;	/* else its session is awake, */
	bool			 given;		/* or on its way to be so */
	bool			 idling;
	bool			 woken;		/* its front was told */
};
/* a session that begins on that front */
struct sleeper	*sleeper_new(struct store_caller *front,
		    struct account_entry *e, struct loop *l);
/* only of that front; NULL */
struct sleeper	*sleeper_find(struct store_caller *front,
		    struct slice handle);
void	sleeper_free(struct sleeper *s);
/* its state came from its account; unknown handles are void, and what is said
 * of an earlier hand-over than the last one */
void	sleeper_keep(struct account_entry *e,
	    const struct msg_account_frozen *m);
void	sleeper_over(struct account_entry *e,
	    const struct msg_account_over *m);
/* may it be given to the account's process? */
bool	sleeper_is_here(const struct sleeper *s);
/* it was given; until it has begun there it may be given once more */
void	sleeper_give(struct sleeper *s);
void	sleeper_begun(struct account_entry *e,
	    const struct msg_account_begun *m);
/* tell the fronts of those that idle */
void	sleepers_wake(struct account_entry *e);
/* forget those of an account that are awake, or all */
void	sleepers_drop(struct account_entry *e, bool all);
void	sleepers_drop_front(struct store_caller *front);

#endif
