/* SPDX-License-Identifier: ISC */
/*
 * rewrite: the canonical form of an address: routes stripped, host!user and
 * user%host turned around, and what it lacks appended. Pure: asks no table.
 * Addresses are local@domain without quotes.
 */
#ifndef LIBGLOBAL_REWRITE_H
#define LIBGLOBAL_REWRITE_H

#include "libutil/slice.h"

struct arena;

struct rewrite_rules {
	struct slice	origin;		/* completes an address; "": do not */
	struct slice	mydomain;	/* completes a domain; "": do not */
	bool		swap_bangpath;	/* host!user is user@host */
	bool		percent_hack;	/* user%host is user@host */
};

/* the canonical form, in the arena; an empty address stays empty */
struct slice	rewrite_address(const struct rewrite_rules *rules,
		    struct slice address, struct arena *a);
/* One step out of the route in a local part without domain: host!user or
 * user%host becomes user@host. False when there is none. */
bool		rewrite_unroute(const struct rewrite_rules *rules,
		    struct slice local, struct arena *a,
		    struct slice *ret_address);
/* are there routing characters in a local part? */
bool		rewrite_has_route(const struct rewrite_rules *rules,
		    struct slice local);

#endif
