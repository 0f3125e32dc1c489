/* SPDX-License-Identifier: ISC */
/*
 * authd: what its files share. It has the accounts database open and answers
 * for it: fronts and smtpd relay the steps of logins, stored confirms tickets,
 * mapd asks who gets mail, tools edit. Questions for single records are
 * answered at once, for they are in memory; walks, hashes and commits run on
 * workers.
 */
#ifndef AUTHD_AUTHD_H
#define AUTHD_AUTHD_H

#include "authd/authd_events.h"
#include "authd/authd_params.h"
#include "authd/failures.h"
#include "authd/tickets.h"
#include "authd/verified.h"
#include "libglobal/accounts.h"
#include "libglobal/daemon.h"
#include "libglobal/ipc_auth.h"
#include "libmail/addr.h"
#include "libmail/sasl.h"
#include "libtask/work.h"

#define AUTHD_WORKERS	20	/* hashes, a commit, walks */
#define AUTHD_CALLS_MAX	4096	/* of one caller at once */

/* who calls, as far as it matters */
enum authd_role {
	ROLE_LOGIN	= 1 << 0,	/* relays logins: smtpd and fronts */
	ROLE_MAPD	= 1 << 1,
	ROLE_STORED	= 1 << 2,
	ROLE_TOOL	= 1 << 3,
};

struct authd {
	struct daemon		*daemon;
	const char		*folder;	/* of the database */
	struct accounts		*accounts;
	struct work_lane	 hashing;
	struct work_lane	 writing;
	struct verified		 right;		/* passwords known to be so */
	struct verified		 wrong;
	struct failures		 failures;
	struct tickets		 tickets;
	struct list		 callers;
	unsigned		 waiting;	/* logins */
	unsigned char		 key[VERIFIED_DIGEST_SIZE];
	char			 default_domain[256];
};

/* one edge to us */
struct authd_caller {
	struct list		 link;
	struct authd		*authd;
	struct ipc_conn		 conn;
	struct list		 exchanges;
	size_t			 exchange_count;
	uint64_t		 last_exchange;
	enum authd_role		 role;
	uint32_t		 process;
	bool			 has_tickets;	/* it brings them to stored */
	char			 daemon[64];
};

/* who tries to log in, and how; all lent */
struct authd_attempt {
	struct slice		 protocol;
	struct slice		 mechanism;
	struct slice		 client;
	struct slice		 session;
	bool			 tls;
	struct sasl_login	 login;
};

/* auth_step.outcome */
enum authd_outcome {
	OUTCOME_GO_ON	= 1,
	OUTCOME_IN	= 2,
	OUTCOME_REFUSED	= 3,
	OUTCOME_LATER	= 4,
};

/* authd_serve.c */
struct authd	*authd_new(struct daemon *d, const char *folder);
void	authd_free(struct authd **a);
MUST_USE int	authd_prepare(struct daemon *d, struct diag *diag);
MUST_USE int	authd_run(struct task *t, struct daemon *d);
MUST_USE int	authd_reload(struct task *t, struct daemon *d);
MUST_USE int	authd_caller(struct task *t, struct daemon *d, int *fd_take,
		    const struct daemon_caller *who);
const struct authd_params	*authd_params(const struct authd *a);
/* log that the database cannot be read */
void	authd_database_failed(struct authd *a, int r);

/* authd_exchange.c: the steps of a login */
MUST_USE int	authd_start(struct task *t, struct authd_caller *c,
		    struct ipc_in *in, struct arena *arena);
MUST_USE int	authd_continue(struct task *t, struct authd_caller *c,
		    struct ipc_in *in, struct arena *arena);
void	authd_cancel(struct authd_caller *c, const struct msg_auth_cancel *m);
void	authd_exchanges_free(struct authd_caller *c);

/* authd_login.c: name and password are known: who is it? */
MUST_USE int	authd_login(struct task *t, struct authd_caller *c,
		    const struct authd_attempt *attempt, struct arena *arena,
		    struct msg_auth_step *ret_step);

/* authd_answer.c: questions and edits */
MUST_USE int	authd_confirm(struct task *t, struct authd_caller *c,
		    struct ipc_in *in, struct arena *arena);
MUST_USE int	authd_account(struct task *t, struct authd_caller *c,
		    struct ipc_in *in, struct arena *arena);
MUST_USE int	authd_exists(struct task *t, struct authd_caller *c,
		    struct ipc_in *in, struct arena *arena);
MUST_USE int	authd_list(struct task *t, struct authd_caller *c,
		    struct ipc_in *in, struct arena *arena);
/* authd_edit.c */
MUST_USE int	authd_edit(struct task *t, struct authd_caller *c,
		    struct ipc_in *in, struct arena *arena);

#endif
