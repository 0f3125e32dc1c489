/* SPDX-License-Identifier: ISC */
/* What the files of resolve share; included by resolve*.c only. */
#ifndef LIBGLOBAL_RESOLVE_IMPL_H
#define LIBGLOBAL_RESOLVE_IMPL_H

#include "libglobal/map.h"
#include "libglobal/map_search.h"
#include "libglobal/match.h"
#include "libglobal/resolve.h"
#include "libglobal/rewrite.h"
#include "libutil/arena.h"
#include "libutil/buf.h"

struct resolver {
	const struct resolve_params	*p;
	struct resolve_params		 with;		/* p, mynetworks filled in */
	struct slice			 myorigin;	/* a file's is read */
	struct rewrite_rules		 rules;
	struct rewrite_rules		 remote_rules;
	struct map_search		 search;
	bool				 transport_parents;
	bool				 propagate_canonical;
	bool				 propagate_virtual;
	bool				 propagate_alias;
	unsigned			 canonical_in;	/* 1 << resolve_what */
	unsigned			 sender_canonical_in;
	unsigned			 recipient_canonical_in;
	unsigned			 masquerade_in;
	struct ip			*own;		/* this host's */
	size_t				 own_count;
#define TABLE(name, flags) struct map_list *name;
#include "libglobal/resolve_tables.def"
#define LIST(name, kind) struct match_list *name;
#include "libglobal/resolve_lists.def"
	struct arena			 arena;
};

/* one question under way */
struct resolve_ctx {
	struct resolver			*r;
	const struct resolve_query	*q;
	struct arena			*a;
};

/* 1, 0 or an error: is it one of this host's domains? */
MUST_USE int	resolve_is_local(struct resolver *r, struct slice domain);
/* -EINPROGRESS when the list might block and must not */
MUST_USE int	resolve_look(const struct resolve_ctx *c, struct map_list *l,
		    unsigned parts, struct slice address, struct buf *value,
		    struct slice *ret_extension);
MUST_USE int	resolve_match(const struct resolve_ctx *c, struct match_list *l,
		    struct slice name);
/* what the accounts database says; without one nothing is known */
MUST_USE int	resolve_who(const struct resolve_ctx *c, struct slice address,
		    struct resolve_who *ret_who);
/* the class of an address; in_database: by the accounts database */
MUST_USE int	resolve_class(const struct resolve_ctx *c, struct slice address,
		    enum resolve_class *ret_class, bool *ret_in_database);
/* Where does the address go, which is of that class? account: its owner's,
 * or "". Sets *refused (code 0: not) instead of an error when the address is
 * known to get no mail. */
MUST_USE int	resolve_route(const struct resolve_ctx *c, struct slice address,
		    enum resolve_class class, bool in_database,
		    struct slice account, struct resolve_target *ret_target,
		    struct status *refused);
/* the address as it is written from here on; tables of its class are asked */
MUST_USE int	resolve_canonical(const struct resolve_ctx *c,
		    enum resolve_what what, struct slice *address);
/* map the address by a table of addresses; -ENOENT: it has none for it */
MUST_USE int	resolve_map_once(const struct resolve_ctx *c,
		    struct map_list *l, bool propagate, struct slice address,
		    struct slice *ret_address);
/* put an extension ("+ext") behind the local part */
struct slice	resolve_add_extension(struct arena *a, struct slice address,
		    struct slice extension);

#endif
