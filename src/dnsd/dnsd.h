/* SPDX-License-Identifier: ISC */
/*
 * dnsd: what its files share. Questions of all daemons go through one
 * libunbound, which caches and validates. Its work is done on a thread of its
 * own; answers come back over a pipe that one of our tasks waits on.
 */
#ifndef DNSD_DNSD_H
#define DNSD_DNSD_H

#include "dnsd/dnsd_events.h"
#include "dnsd/dnsd_params.h"
#include "dnsd/hosts.h"
#include "dnsd/names.h"
#include "libglobal/daemon.h"
#include "libglobal/dns.h"

struct ub_ctx;
struct ub_result;

#define DNSD_CALLS_MAX	2000	/* of one caller at once */

/* one libunbound */
struct resolver {
	struct ub_ctx	*ctx;
	struct io	 io;		/* its pipe of answers */
	struct dnsd	*dnsd;
	bool		 running;	/* a task waits on the pipe */
};

struct dnsd {
	struct daemon		*daemon;
	struct hosts		 hosts;
	struct dns_servers	 servers;
	struct buf		 anchor;	/* text of the trust anchor */
	struct resolver		 plain;
	struct resolver		 validating;
	struct task_group	*tasks;		/* of dnsd_run */
	size_t			 under_way;
	bool			 own_servers;	/* dns_resolver is set */
	bool			 validates;	/* use the validating one */
	bool			 probed;	/* that is decided */
	bool			 full;		/* and it was said */
};

/* dnsd_start.c */
struct dnsd	*dnsd_new(struct daemon *d);
void	dnsd_free(struct dnsd **s);
MUST_USE int	dnsd_prepare(struct daemon *d, struct diag *diag);
MUST_USE int	dnsd_run(struct task *t, struct daemon *d);

/* dnsd_resolver.c */
/* make a resolver; the anchor is used if validate */
MUST_USE int	resolver_open(struct resolver *r, struct dnsd *s,
		    bool validate, struct diag *diag);
void	resolver_close(struct resolver *r);
/* ask and wait at most ms; the result is to be freed (ub_resolve_free).
 * -ETIMEDOUT, or -EIO and a sentence */
MUST_USE int	resolver_ask(struct task *t, struct resolver *r,
		    const char *name, int type, int64_t ms,
		    struct ub_result **ret_result, const char **ret_why);

/* dnsd_serve.c */
MUST_USE int	dnsd_caller(struct task *t, struct daemon *d, int *fd_take,
		    const struct daemon_caller *who);

#endif
