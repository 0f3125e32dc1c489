/* SPDX-License-Identifier: ISC */
/*
 * resolve: what becomes of an address. It is brought into canonical form,
 * rewritten by canonical tables, expanded by aliases, put into one of five
 * classes, checked for existence, and routed, by Postfix's parameters and in
 * its order. mapd does this for all daemons.
 *
 * A resolver holds the open tables and never changes; when one of their files
 * did, the owner opens a new one. Several threads may ask it at once. Tables
 * may block. Accounts are not its own knowledge: it asks a function.
 */
#ifndef LIBGLOBAL_RESOLVE_H
#define LIBGLOBAL_RESOLVE_H

#include "libglobal/mynetworks.h"
#include "libglobal/resolve_params.h"
#include "libmail/status.h"

struct arena;
struct resolver;

#define RESOLVE_STORE	"store"		/* the transport into the mail store */
#define RESOLVE_ROUNDS_MAX	100	/* of user%host@here */

enum resolve_class {
	RESOLVE_LOCAL = 1,
	RESOLVE_ALIAS,
	RESOLVE_MAILBOX,
	RESOLVE_RELAY,
	RESOLVE_DEFAULT,
};

/* what an address is written for */
enum resolve_what {
	RESOLVE_ENVELOPE_SENDER,
	RESOLVE_ENVELOPE_RECIPIENT,
	RESOLVE_HEADER_SENDER,
	RESOLVE_HEADER_RECIPIENT,
};

/* what the configuration does not say about the host */
struct resolver_host {
	const struct mynetworks_interface	*interface;
	size_t					 interface_count;
};

/* Open all tables. One that cannot be opened fails its lookups (so the mail
 * waits) and is reported to found, as is each oddity; found may be NULL. */
struct resolver	*resolver_open(const struct resolve_params *p,
		    const struct resolver_host *host,
		    void (*found)(void *arg, const struct diag *), void *arg);
void		resolver_close(struct resolver **r);
/* has a file of a table changed since? */
bool		resolver_changed(struct resolver *r);

/* call back with each file that is read when the tables are opened again */
void		resolver_each_file(struct resolver *r,
		    void (*each)(void *arg, const char *path), void *arg);

/* --- who gets mail for an address, by the accounts database */
struct resolve_owner {
	struct slice	account;	/* an account's id; or "": go on with */
	struct slice	address;	/* ... this; an account's own address */
	bool		is_limited;	/* the account has a quota */
};

struct resolve_who {
	bool				 domain; /* it knows the domain */
	bool				 found;		/* and the address */
	const struct resolve_owner	*owner;
	size_t				 count;
};

/* 0 with an answer that lives until the function is called again; -EAGAIN: it
 * is not known yet: resolving goes on as far as it can without (so that all
 * that is unknown is asked for) and ends with that; or an error, which delays
 * the mail */
typedef int	resolve_who_fn(void *arg, struct slice address,
		    struct resolve_who *ret_who);

struct resolve_query {
	struct slice	 recipient;	/* local@domain, without quotes */
	struct slice	 given;		/* for replies, as the client gave it;
					   "": as recipient */
	struct slice	 sender;	/* the same; "" is the null sender */
	bool		 check;		/* refuse unknown recipients */
	bool		 may_relay;	/* to domains that are not ours */
	bool		 relay_unknown;	/* a table could not say whether so */
	bool		 may_block;	/* else -EINPROGRESS, where one might */
	resolve_who_fn	*who;		/* NULL: there are no accounts */
	void		*arg;
};

struct resolve_target {
	struct slice	 address;
	struct slice	 transport;	/* a service of master.cf, or store */
	struct slice	 nexthop;	/* for store the account's id */
	bool		 is_limited;	/* an account that has a quota */
};

struct resolve_result {
	struct status		 status; /* code 0: taken; else refused */
	enum resolve_class	 class;		/* of the recipient */
	struct slice		 recipient;	/* its canonical form */
	struct slice		 sender;	/* the same of the sender */
	struct resolve_target	*target;
	size_t			 count;
};

/* Where does mail for this recipient go? 0, also when it is refused or must
 * wait (the status says so); -EAGAIN, -EINPROGRESS: see above. A recipient
 * that becomes several, of which some are unknown, is taken: these have the
 * transport error, and the reason as next hop. */
MUST_USE int	resolve_recipient(struct resolver *r,
		    const struct resolve_query *q, struct arena *a,
		    struct resolve_result *ret_result);

/* The canonical form of an address that is no recipient of ours to be; local:
 * also complete it with $myorigin, else with remote_header_rewrite_domain. 0,
 * -EINPROGRESS, or the error of a table. */
MUST_USE int	resolve_rewrite(struct resolver *r, struct slice address,
		    enum resolve_what what, bool local, bool may_block,
		    struct arena *a, struct slice *ret_address);

/* Is the client in mynetworks? 1, 0, -EINPROGRESS, or the error of a table. */
MUST_USE int	resolve_client(struct resolver *r, struct slice name,
		    struct slice address, bool may_block);

#endif
