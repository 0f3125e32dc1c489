/* SPDX-License-Identifier: ISC */
/*
 * signd: what its files share. All keys are read before the sandbox is
 * entered; after it there is no file the process could open. Whoever calls
 * gets certificates, signatures and ticket keys of its own daemon (or service,
 * where that has its own) only, and a signature only for what a TLS server signs (libtask/tls_key.h).
 */
#ifndef SIGND_SIGND_H
#define SIGND_SIGND_H

#include "libglobal/daemon.h"
#include "libtask/tls.h"
#include "libtask/work.h"
#include "signd/identities.h"
#include "signd/signd_events.h"
#include "signd/signd_params.h"

#define SIGND_WORKERS		4
#define SIGND_CALLS_MAX		1024	/* of one caller at once */
#define SIGND_FILE_MAX		((size_t)1 << 20)

enum signd_user_number {
#define USER(daemon)	SIGND_USER_##daemon,
#include "signd/signd_users.def"
	SIGND_USERS
};

/* a daemon that has certificates, or one service of it with its own */
struct signd_user {
	const char		*daemon;
	char			*service;	/* NULL: all others of it */
	struct identities	 identities;
	/* newest first */
	struct tls_ticket_key	 tickets[TLS_TICKET_KEYS_MAX];
	size_t			 ticket_count;
	char			 why[300];	/* there is no certificate */
};

struct signd {
	struct daemon		*daemon;
	struct signd_user	 users[SIGND_USERS];
	struct signd_user	*services;
	size_t			 service_count;
	struct list		 callers;
};

/* signd_load.c: files into identities */
void	signd_load(struct signd *s, const struct signd_params *p);
/* say in the log what expires or has expired; now in seconds since 1970 */
void	signd_notice(struct signd *s, int64_t now, int64_t notice_ms);

/* signd_serve.c */
struct signd	*signd_new(struct daemon *d);
/* walk daemons and services; NULL behind the last */
struct signd_user	*signd_user_at(struct signd *s, size_t i);
void	signd_free(struct signd **s);
MUST_USE int	signd_prepare(struct daemon *d, struct diag *diag);
MUST_USE int	signd_run(struct task *t, struct daemon *d);
MUST_USE int	signd_caller(struct task *t, struct daemon *d, int *fd_take,
		    const struct daemon_caller *who);

#endif
