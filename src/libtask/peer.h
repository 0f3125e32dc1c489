/* SPDX-License-Identifier: ISC */
/*
 * peer: who is at the other end of a connection, as text.
 */
#ifndef LIBTASK_PEER_H
#define LIBTASK_PEER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define PEER_ADDRESS_SIZE	64	/* room for any of them */

/* the address without its port, an IPv4 address in IPv6 as IPv4; a client at a
 * socket of the file system is on this host: 127.0.0.1. "unknown" for others */
void	peer_address(const struct sockaddr_storage *peer, char *out,
	    size_t size);
/* is that the text of an address of this very host? */
bool	peer_is_loopback(const char *address);

#endif
