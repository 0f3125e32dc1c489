/* SPDX-License-Identifier: ISC */
/* See peer.h. */
#include "libtask/peer.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

/* peer_address - as text */
void
peer_address(const struct sockaddr_storage *peer, char *out, size_t size)
{
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)peer;
	socklen_t len = peer->ss_family == AF_INET6 ? sizeof(*sin6) :
	    sizeof(struct sockaddr_in);

	/* as Postfix calls such clients */
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

/* peer_is_loopback - is it this host? */
bool
peer_is_loopback(const char *address)
{
	return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}
