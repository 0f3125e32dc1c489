/* SPDX-License-Identifier: ISC */
/*
 * dns: asking dnsd. Every call may suspend; the caller brackets it with a
 * deadline.
 */
#ifndef LIBGLOBAL_DNS_H
#define LIBGLOBAL_DNS_H

#include "libglobal/ipc_dns.h"

struct daemon;
struct task;

enum dns_type {
	DNS_A = 1, DNS_CNAME = 5, DNS_PTR = 12, DNS_MX = 15, DNS_TXT = 16,
	DNS_AAAA = 28, DNS_TLSA = 52,
};

enum dns_rcode {
	DNS_OK = 0, DNS_SERVFAIL = 2, DNS_NXDOMAIN = 3,
};

/* look up; the answer is in the arena. An error is about dnsd; what the DNS
 * says stands in the answer (rcode, bogus). */
MUST_USE int	dns_ask(struct task *t, struct daemon *d, struct slice name,
		    enum dns_type type, struct arena *a,
		    struct msg_dns_answer **ret_answer);

/* the host name of an address (text), if the name leads back to it; name is
 * left as it was otherwise */
MUST_USE int	dns_verified_name(struct task *t, struct daemon *d,
		    const char *address, char *name, size_t size);

/* the name under which an address's PTR record is; -EBADMSG: no address */
MUST_USE int	dns_reverse_name(const char *address, char *out, size_t size);

#endif
