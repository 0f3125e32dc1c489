/* SPDX-License-Identifier: ISC */
/*
 * Who the client is: its address, and a host name only if that name leads back
 * to the address (RFC 1912 2.1); else unknown.
 */
#include <string.h>

#include "libglobal/dns.h"
#include "libtask/peer.h"
#include "smtpd/smtpd.h"

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

	peer_address(peer, c->address, sizeof(c->address));
	(void)snprintf(c->name, sizeof(c->name), "unknown");
	if (peer_is_loopback(c->address))
		(void)snprintf(c->name, sizeof(c->name), "localhost");
	else if (c->p->smtpd_peername_lookup)
		r = look_up(t, c);
	(void)snprintf(c->who, sizeof(c->who), "%s[%.60s]", c->name, c->address);
	return r;
}
