/* SPDX-License-Identifier: ISC */
/*
 * Next hops as transport_maps and relayhost have them:
 *	domain, domain:port		mail hosts of the domain
 *	[host], [host]:port		that host
 *	[address], [IPv6:address]	that address, maybe with :port
 *	unix:path, inet:host:port	LMTP
 */
#include "delivery/smtp.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define PORT_DEFAULT	25

/* smtp_port_parse - a number or one of the names for mail */
int
smtp_port_parse(struct slice text, uint16_t *ret_port)
{
	static const struct {
		struct slice	name;
		uint16_t	port;
	} known[] = {
		{ S_INIT("smtp"), 25 }, { S_INIT("lmtp"), 24 },
		{ S_INIT("submission"), 587 }, { S_INIT("submissions"), 465 },
		{ S_INIT("smtps"), 465 },
	};
	uint32_t	n;

	for (size_t i = 0; i < COUNT(known); i++)
		if (slice_equal(text, known[i].name)) {
			*ret_port = known[i].port;
			return 0;
		}
	if (slice_to_u32(text, UINT16_MAX, &n) < 0 || n == 0)
		return -EBADMSG;
	*ret_port = (uint16_t)n;
	return 0;
}

/* split_port - cut ":port" off the end, if there is one */
static int
split_port(struct slice *rest, uint16_t *ret_port)
{
	size_t	colon = slice_find_last(*rest, ':');
	int	r;

	if (colon == SLICE_NONE)
		return 0;
	r = smtp_port_parse(slice_from(*rest, colon + 1), ret_port);
	if (r == 0)
		*rest = slice_sub(*rest, 0, colon);
	return r;
}

/* in_brackets - [host], with what may stand behind it */
static int
in_brackets(struct slice rest, struct smtp_hop *h)
{
	size_t	end = slice_find(rest, ']');
	int	r;

	if (end == SLICE_NONE)
		return -EBADMSG;
	h->host = slice_sub(rest, 1, end - 1);
	rest = slice_from(rest, end + 1);
	if (rest.len > 0 && rest.data[0] != ':')
		return -EBADMSG;
	if ((r = split_port(&rest, &h->port)) < 0)
		return r;
	if (slice_has_prefix_nocase(h->host, S("IPv6:")))
		h->host = slice_from(h->host, 5);
	return 0;
}

/* default_port - where the next hop names none */
static int
default_port(const struct smtp_params *p, struct smtp_hop *h)
{
	struct slice text = h->lmtp ? p->lmtp_tcp_port : p->smtp_tcp_port;

	return smtp_port_parse(text, &h->port);
}

/* smtp_hop_parse - take a next hop apart; slices are lent from it */
int
smtp_hop_parse(struct slice nexthop, bool lmtp, const struct smtp_params *p,
    struct smtp_hop *ret_hop)
{
	struct smtp_hop	h = { .text = nexthop, .lmtp = lmtp };
	struct slice	rest = nexthop;
	int		r;

	h.is_unix = slice_has_prefix(rest, S("unix:"));
	if (h.is_unix || slice_has_prefix(rest, S("inet:"))) {
		rest = slice_from(rest, 5);
		h.lmtp = true;
	}
	if (h.is_unix) {
		h.host = rest;
	} else {
		if ((r = default_port(p, &h)) < 0)
			return r;
		if (rest.len > 0 && rest.data[0] == '[') {
			r = in_brackets(rest, &h);
		} else {
			r = split_port(&rest, &h.port);
			h.host = rest;
			h.use_mx = !h.lmtp;
		}
		if (r < 0)
			return r;
	}
	if (h.host.len == 0 || slice_find(h.host, '\0') != SLICE_NONE)
		return -EBADMSG;
	/* on another port there may be a filter with our own name */
	h.detect_loop = !h.lmtp && h.port == PORT_DEFAULT;
	*ret_hop = h;
	return 0;
}

/* smtp_is_loopback - can only this host itself be reached there? */
bool
smtp_is_loopback(const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_UNIX)
		return true;
	if (addr->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)addr;

		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	}
	if (addr->ss_family == AF_INET6) {
		const struct in6_addr *in =
		    &((const struct sockaddr_in6 *)(const void *)addr)->sin6_addr;

		return IN6_IS_ADDR_LOOPBACK(in) ||
		    (IN6_IS_ADDR_V4MAPPED(in) && in->s6_addr[12] == 127);
	}
	return false;
}
