/* SPDX-License-Identifier: ISC */
/*
 * mapd: lookups, rewriting and routing for all daemons. What its files share.
 *
 *	mapd.c		main
 *	mapd_serve.c	questions and answers
 *	mapd_tables.c	the open tables, and when they are opened anew
 *	mapd_who.c	what authd knows about addresses, remembered
 */
#ifndef MAPD_MAPD_H
#define MAPD_MAPD_H

#include "libglobal/daemon.h"
#include "libglobal/resolve.h"
#include "libutil/hash.h"

/* tables that were opened together; those who use them keep them */
struct mapd_tables {
	struct arena		 arena;
	struct resolve_params	 params;
	struct resolver_host	 host;
	struct resolver		*resolver;
	unsigned		 users;
};

/* what authd said about one address */
struct mapd_known {
	int			 error;		/* it could not say */
	struct resolve_who	 who;
};

/* answers of authd, in one arena */
struct mapd_cache {
	struct arena	arena;
	struct hash	hash;		/* address in lower case: mapd_known */
	uint64_t	edge;		/* the connection that they came over */
	uint64_t	changes;	/* raised when they became void */
};

struct mapd {
	struct daemon		*daemon;
	struct mapd_tables	*tables;
	int64_t			 checked;	/* when their files were */
	bool			 checking;
	struct mapd_cache	 cache;
};

/* --- mapd_tables.c */
MUST_USE int	mapd_tables_open(struct mapd *m, struct diag *diag);
/* the present tables, after a look at their files; give them back */
struct mapd_tables	*mapd_tables_use(struct task *t, struct mapd *m);
void	mapd_tables_unuse(struct mapd_tables **tables);

/* --- mapd_who.c: one question's view of the accounts */
struct mapd_asker {
	struct mapd	*mapd;
	struct arena	*arena;		/* of the question */
	bool		 in_worker;	/* may not look into the cache */
	struct hash	 known;		/* address in lower case: mapd_known */
	struct slice	*wanted;
	size_t		 wanted_count;
	size_t		 wanted_room;
};

#define MAPD_ROUNDS_MAX	2000	/* of asking, for one recipient */

/* a resolve_who_fn; arg is a mapd_asker */
int	mapd_who(void *arg, struct slice address, struct resolve_who *ret_who);
/* be connected to authd, so that it is known whether answers still hold */
void	mapd_who_ready(struct task *t, struct mapd *m);
/* ask authd for all that is wanted. Only -ECANCELED is an error; what cannot
 * be known is remembered as such, for this question. */
MUST_USE int	mapd_who_ask(struct task *t, struct mapd_asker *asker);
void	mapd_asker_done(struct mapd_asker *asker);

/* --- mapd_serve.c */
daemon_edge_fn	mapd_edge;

#endif
