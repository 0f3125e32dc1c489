/* SPDX-License-Identifier: ISC */
/* Calls to dnsd, and what can be made of a few of them. */
#include "libglobal/dns.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "libglobal/daemon.h"

#define LIMIT		15000	/* ms that dnsd may take */
#define NAMES_MAX	4	/* PTR records that are looked at */

/* dns_ask - one question */
int
dns_ask(struct task *t, struct daemon *d, struct slice name,
    enum dns_type type, struct arena *a, struct msg_dns_answer **ret_answer)
{
	struct msg_dns_ask	 m = { name, (uint32_t)type, LIMIT };
	void			*reply;
	int			 r;

	r = edge_call_again(t, daemon_edge(d, "dnsd", &ipc_table_dns),
	    &msg_dns_ask_desc, &m, &msg_dns_answer_desc, a, &reply);
	if (r == 0)
		*ret_answer = reply;
	return r;
}

/* dns_reverse_name - "1.2.0.192.in-addr.arpa", or nibbles below ip6.arpa */
int
dns_reverse_name(const char *address, char *out, size_t size)
{
	static const char	hex[] = "0123456789abcdef";
	unsigned char		b[16];
	char			nibbles[65];

	if (inet_pton(AF_INET, address, b) == 1) {
		(void)snprintf(out, size, "%u.%u.%u.%u.in-addr.arpa", b[3], b[2],
		    b[1], b[0]);
		return 0;
	}
	if (inet_pton(AF_INET6, address, b) != 1)
		return -EBADMSG;
	for (size_t i = 0; i < 16; i++) {
		nibbles[i * 4] = hex[b[15 - i] & 15];
		nibbles[i * 4 + 2] = hex[b[15 - i] >> 4];
		nibbles[i * 4 + 1] = nibbles[i * 4 + 3] = '.';
	}
	nibbles[64] = '\0';
	(void)snprintf(out, size, "%sip6.arpa", nibbles);
	return 0;
}

/* leads_back - is the address one of the name's? */
static int
leads_back(struct task *t, struct daemon *d, struct slice name,
    const char *address, struct arena *a, bool *ret_does)
{
	unsigned char		 b[16];
	bool			 v4 = inet_pton(AF_INET, address, b) == 1;
	struct msg_dns_answer	*answer = NULL;
	int			 r;

	*ret_does = false;
	if (!v4 && inet_pton(AF_INET6, address, b) != 1)
		return -EBADMSG;
	r = dns_ask(t, d, name, v4 ? DNS_A : DNS_AAAA, a, &answer);
	if (r < 0)
		return r;
	for (size_t i = 0; i < answer->records.n; i++)
		if (slice_equal(answer->records.v[i].data,
		    slice_over(b, v4 ? 4 : 16)))
			*ret_does = true;
	return 0;
}

/* dns_verified_name - PTR, and back again */
int
dns_verified_name(struct task *t, struct daemon *d, const char *address,
    char *name, size_t size)
{
	struct msg_dns_answer	*answer = NULL;
	struct arena		 a = ARENA_INIT;
	char			 reverse[80];
	bool			 does = false;
	int			 r;

	if ((r = dns_reverse_name(address, reverse, sizeof(reverse))) < 0)
		return r;
	r = dns_ask(t, d, slice_of(reverse), DNS_PTR, &a, &answer);
	for (size_t i = 0; r == 0 && !does && i < answer->records.n &&
	    i < NAMES_MAX; i++) {
		struct slice host = answer->records.v[i].name;

		if (host.len == 0 || host.len >= size)
			continue;
		r = leads_back(t, d, host, address, &a, &does);
		if (r == 0 && does)
			(void)snprintf(name, size, "%.*s", SLICE_ARG(host));
	}
	arena_free(&a);
	return r;
}
