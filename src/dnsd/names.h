/* SPDX-License-Identifier: ISC */
/*
 * names: names as the DNS writes them and as we do, records of an answer, and
 * the servers to ask. Pure.
 */
#ifndef DNSD_NAMES_H
#define DNSD_NAMES_H

#include "libutil/slice.h"

struct arena;
struct msg_dns_record;

/* the name to ask for, in lower case and without the dot at its end, in the
 * arena; -EBADMSG: no name in the DNS can be written so */
MUST_USE int	name_take(struct slice in, struct arena *a,
		    struct slice *ret_name);
/* is it that name or below it? */
bool	name_is_within(struct slice name, const char *parent);
/* is its last label a number, as an address's is? no such name exists */
bool	name_is_numeric(struct slice name);

/*
 * One record of an answer from its RDATA: for MX, PTR and CNAME the name (empty
 * for "."), for others the bytes, lent. -EBADMSG: malformed, or a name with
 * bytes that no host has.
 */
MUST_USE int	record_take(int type, struct slice rdata, struct arena *a,
		    struct msg_dns_record *ret_record);
/* by preference; those of equal preference keep their order */
void	records_sort(struct msg_dns_record *records, size_t count);

#define DNS_SERVERS_MAX	16

/* "192.0.2.1@53" */
struct dns_server {
	char	text[64];
};

struct dns_servers {
	struct dns_server	v[DNS_SERVERS_MAX];
	size_t			count;
};

/* an address, perhaps with a port ("192.0.2.1:53", "[2001:db8::1]:53"), or
 * localhost; -EBADMSG. One too many is dropped. */
MUST_USE int	servers_add(struct dns_servers *s, struct slice text);
/* the nameserver lines of a resolv.conf */
void	servers_read(struct dns_servers *s, struct slice text);

#endif
