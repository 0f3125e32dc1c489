/* SPDX-License-Identifier: ISC */
/*
 * match: lists of patterns as parameters hold them (mydestination,
 * relay_domains, mynetworks, ...). Patterns are tried in order and the first
 * that matches decides; "!" before it turns its answer around:
 *
 *	text		the same text, ASCII letters in any case
 *	/file		the patterns in that file
 *	type:name	is it a key of that table?
 *	.domain		every name below the domain (lists of domains, clients)
 *	domain		with MATCH_PARENTS also every name below it
 *	192.0.2.0/24	a network (lists of clients); IPv6 as [2001:db8::]/32
 *
 * A list is opened with its files and tables and does not change afterwards;
 * match_list_changed says when it is time to open a new one. Looking up may
 * block where its tables do.
 */
#ifndef LIBGLOBAL_MATCH_H
#define LIBGLOBAL_MATCH_H

#include "libutil/slice.h"

struct diag;
struct match_list;

#define MATCH_PATTERNS_MAX	1000000
#define MATCH_DEPTH_MAX		8	/* files inside files */

enum match_kind {
	MATCH_STRINGS,		/* whole texts only */
	MATCH_DOMAINS,		/* .domain matches what is below it */
	MATCH_CLIENTS,		/* networks, addresses, host names */
};

enum match_flag {
	MATCH_PARENTS	= 1 << 0,	/* domain matches what is below it */
	MATCH_TOLERATE	= 1 << 1,	/* as MAP_TOLERATE, for its tables */
};

MUST_USE int	match_list_open(struct slice text, enum match_kind kind,
		    unsigned flags, struct diag *d,
		    struct match_list **ret_list);
void		match_list_close(struct match_list **l);
bool		match_list_is_empty(const struct match_list *l);
/* 1 when the name matches, 0 when not, or the error of a table */
MUST_USE int	match_list_find(struct match_list *l, struct slice name);
/* the same for a client, by its name ("" or unknown: none) or its address */
MUST_USE int	match_list_find_client(struct match_list *l, struct slice name,
		    struct slice address);
/* has a file or table of the list changed since it was opened? */
bool		match_list_changed(struct match_list *l);
/* call back with each file that it reads when it is opened again */
void		match_list_each_file(struct match_list *l,
		    void (*each)(void *arg, const char *path), void *arg);
/* might a lookup block? (it has tables in files) */
bool		match_list_blocks(const struct match_list *l);

#endif
