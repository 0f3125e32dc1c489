/* SPDX-License-Identifier: ISC */
/*
 * match_cidr: IP addresses and networks as values, for cidr tables,
 * mynetworks and other lists. Knows no sockets.
 */
#ifndef LIBGLOBAL_MATCH_CIDR_H
#define LIBGLOBAL_MATCH_CIDR_H

#include "libutil/slice.h"

struct ip {
	bool		is_v6;
	unsigned char	byte[16];	/* network order; IPv4 uses four */
};

struct cidr {
	struct ip	ip;
	unsigned	bits;
};

/* "192.0.2.1", "2001:db8::1", each also in [ ]; an IPv4 address mapped into
 * IPv6 becomes the IPv4 address. -EBADMSG for everything else. */
MUST_USE int	ip_parse(struct slice s, struct ip *ret_ip);
bool		ip_equal(const struct ip *a, const struct ip *b);
/* "network/bits" or an address alone; IPv6 in [ ] or not. -EBADMSG with a
 * reason in *ret_why, among others when the network has host bits set. */
MUST_USE int	cidr_parse(struct slice s, struct cidr *ret_cidr,
		    const char **ret_why);
bool		cidr_has(const struct cidr *c, const struct ip *ip);

#define CIDR_TEXT_MAX	52
/* "network/bits", an IPv6 network in [ ]; lends text */
const char	*cidr_format(const struct cidr *c, char text[CIDR_TEXT_MAX]);

#endif
