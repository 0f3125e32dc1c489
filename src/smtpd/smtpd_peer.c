/* SPDX-License-Identifier: ISC */
/*
 * Who the client is: its address, and a host name only if that name leads back
 * to the address (RFC 1912 2.1); else unknown.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

#include "libglobal/dns.h"
#include "smtpd/smtpd.h"

/* smtpd_is_loopback - is the client on this host? */
bool
smtpd_is_loopback(const struct smtpd_client *c)
{
	return strncmp(c->address, "127.", 4) == 0 ||
	    strcmp(c->address, "::1") == 0;
}

/* address_text - the address without port; IPv4 in IPv6 as IPv4 */
static void
address_text(const struct sockaddr_storage *peer, char *out, size_t size)
{
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)peer;
	socklen_t len = peer->ss_family == AF_INET6 ? sizeof(*sin6) :
	    sizeof(struct sockaddr_in);

	/* a socket of the file system: as Postfix calls such clients */
	if (peer->ss_family == AF_UNIX) {
		(void)snprintf(out, size, "127.0.0.1");
		return;
	}
	if (peer->ss_family == AF_INET6 &&
	    IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
		(void)inet_ntop(AF_INET, sin6->sin6_addr.s6_addr + 12, out,
		    (socklen_t)size);
		return;
	}
	if ((peer->ss_family != AF_INET && peer->ss_family != AF_INET6) ||
	    getnameinfo((const struct sockaddr *)peer, len, out,
	    (socklen_t)size, NULL, 0, NI_NUMERICHOST) != 0)
		(void)snprintf(out, size, "unknown");
}

/* look_up - the verified name of the address */
static int
look_up(struct task *t, struct smtpd_client *c)
{
	struct deadline	d;
	int		r;

	deadline_begin(t, &d, c->p->smtpd_peername_timeout);
	r = dns_verified_name(t, c->daemon, c->address, c->name,
	    sizeof(c->name));
	r = deadline_end(t, &d, r);
	return r == -ECANCELED ? r : 0;	/* else it stays unknown */
}

/* smtpd_identify - fill in address and name */
int
smtpd_identify(struct task *t, struct smtpd_client *c,
    const struct sockaddr_storage *peer)
{
	int r = 0;

	address_text(peer, c->address, sizeof(c->address));
	(void)snprintf(c->name, sizeof(c->name), "unknown");
	if (smtpd_is_loopback(c))
		(void)snprintf(c->name, sizeof(c->name), "localhost");
	else if (c->p->smtpd_peername_lookup)
		r = look_up(t, c);
	(void)snprintf(c->who, sizeof(c->who), "%s[%.60s]", c->name, c->address);
	return r;
}
