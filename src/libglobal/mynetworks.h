/* SPDX-License-Identifier: ISC */
/*
 * mynetworks: the networks that mynetworks_style stands for when mynetworks
 * is not set. The addresses of the host's interfaces are the caller's to
 * find out; here they become a list that match_list_open reads.
 */
#ifndef LIBGLOBAL_MYNETWORKS_H
#define LIBGLOBAL_MYNETWORKS_H

#include "libglobal/match_cidr.h"

struct buf;

enum mynetworks_style {
	MYNETWORKS_HOST,	/* the host itself */
	MYNETWORKS_SUBNET,	/* the networks its interfaces are in */
	MYNETWORKS_CLASS,	/* the IPv4 class A, B or C networks around */
};

struct mynetworks_interface {
	struct ip	ip;
	unsigned	bits;		/* of its network */
};

/* append "192.0.2.0/24 [2001:db8::]/64 ...", each network once */
void	mynetworks_format(struct buf *out, enum mynetworks_style style,
	    const struct mynetworks_interface *interface, size_t count);

#endif
