/* SPDX-License-Identifier: ISC */
/*
 * From a next hop to addresses (RFC 5321 5.1): MX records, or the host itself
 * where there are none; hosts in order of preference, equals in random order.
 * A host that is us, and what is no better than it, is left out: mail would
 * come back.
 */
#include "delivery/smtp.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "libglobal/dns.h"
#include "libmail/domain.h"
#include "libtask/loop.h"

#define MX_MAX		32	/* mail hosts whose addresses are asked for */
#define ADDRS_MAX	100	/* addresses that are kept of all */
#define DNS_LIMIT	60000	/* ms for all questions of one attempt */

struct finding {
	struct smtp_attempt	*a;
	struct smtp_host	*v;	/* ADDRS_MAX */
	size_t			 n;
	struct status		*bad;	/* why the last host has no address */
};

/* wants_family - does inet_protocols have it? */
static bool
wants_family(const struct smtp_params *p, bool v6)
{
	for (size_t i = 0; i < p->inet_protocols.count; i++) {
		struct slice word = p->inet_protocols.item[i];

		if (slice_equal(word, S("all")) ||
		    slice_equal(word, v6 ? S("ipv6") : S("ipv4")))
			return true;
	}
	return false;
}

/* set_addr - the socket address of raw bytes, 4 or 16 of them */
static void
set_addr(struct smtp_host *h, struct slice raw, uint16_t port)
{
	memset(&h->addr, 0, sizeof(h->addr));
	if (raw.len == 4) {
		struct sockaddr_in *in = (void *)&h->addr;

		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, raw.data, 4);
		h->len = sizeof(*in);
	} else {
		struct sockaddr_in6 *in = (void *)&h->addr;

		in->sin6_family = AF_INET6;
		in->sin6_port = htons(port);
		memcpy(&in->sin6_addr, raw.data, 16);
		h->len = sizeof(*in);
	}
}

/* add - one more address */
static void
add(struct task *t, struct finding *f, struct slice name, uint32_t preference,
    struct slice raw)
{
	const struct smtp_params	*p = f->a->p;
	struct smtp_host		*h = &f->v[f->n];
	bool				 v6 = raw.len == 16;

	if ((raw.len != 4 && !v6) || f->n == ADDRS_MAX || !wants_family(p, v6))
		return;
	set_addr(h, raw, f->a->hop.port);
	h->name = name;
	h->preference = preference;
	h->order = (uint32_t)f->n;
	if (p->smtp_randomize_addresses) {
		task_random(t, &h->order, sizeof(h->order));
		h->order >>= 1;
	}
	/* smtp_address_preference: 1 ipv4, 2 ipv6 */
	if (p->smtp_address_preference == (v6 ? 1 : 2))
		h->order |= UINT32_C(1) << 31;
	f->n++;
}

/* say_failure - why a question has no useful answer, as Postfix says it */
static void
say_failure(struct status *bad, struct slice name, const char *type,
    const struct msg_dns_answer *answer, int error)
{
	if (error < 0)
		*bad = status_make(450, "4.4.3", "Name service error for "
		    "name=%.*s type=%s: the resolver is not available",
		    SLICE_ARG(name), type);
	else if (answer->bogus || (answer->rcode != DNS_OK &&
	    answer->rcode != DNS_NXDOMAIN))
		*bad = status_make(450, "4.4.3", "Host or domain name not "
		    "found. Name service error for name=%.*s type=%s: %s%.*s",
		    SLICE_ARG(name), type, answer->bogus ?
		    "DNSSEC validation failure " : "Host not found, try again ",
		    SLICE_ARG(answer->text));
	else
		*bad = status_make(550, "5.4.4", "Host or domain name not "
		    "found. Name service error for name=%.*s type=%s: Host %s",
		    SLICE_ARG(name), type, answer->rcode == DNS_NXDOMAIN ?
		    "not found" : "found but no data record of requested type");
}

/* has_answer - is there something to work with? */
static bool
has_answer(const struct msg_dns_answer *answer, int error)
{
	return error == 0 && answer->rcode == DNS_OK && !answer->bogus &&
	    answer->records.n > 0;
}

/* add_family - the host's addresses of one family */
static int
add_family(struct task *t, struct finding *f, struct slice name,
    uint32_t preference, bool v6)
{
	struct msg_dns_answer	*answer = NULL;
	int			 r;

	if (!wants_family(f->a->p, v6))
		return 0;
	r = dns_ask(t, f->a->daemon, name, v6 ? DNS_AAAA : DNS_A, f->a->arena,
	    &answer);
	if (r == -ECANCELED)
		return r;
	if (has_answer(answer, r)) {
		for (size_t i = 0; i < answer->records.n; i++)
			add(t, f, name, preference, answer->records.v[i].data);
		return 0;
	}
	/* what may be better later counts more than what is not there */
	if (!status_is_temporary(f->bad))
		say_failure(f->bad, name, v6 ? "AAAA" : "A", answer, r);
	return 0;
}

/* add_host - the addresses of a host: a literal, or by the DNS */
static int
add_host(struct task *t, struct finding *f, struct slice name,
    uint32_t preference)
{
	unsigned char	raw[16];
	const char	*text = arena_text(f->a->arena, name);
	int		r;

	if (inet_pton(AF_INET, text, raw) == 1 ||
	    inet_pton(AF_INET6, text, raw) == 1) {
		add(t, f, name, preference, arena_dup(f->a->arena,
		    slice_over(raw, strchr(text, ':') == NULL ? 4 : 16)));
		return 0;
	}
	r = add_family(t, f, name, preference, true);
	return r < 0 ? r : add_family(t, f, name, preference, false);
}

/* is_us - is the mail host this one? */
static bool
is_us(const struct smtp_attempt *a, struct slice name)
{
	return slice_equal_nocase(name, a->p->myhostname) ||
	    slice_equal_nocase(name, a->p->smtp_helo_name);
}

/* ours - the preference from which on mail would come back to us */
static uint32_t
ours(const struct smtp_attempt *a, const struct msg_dns_answer *mx)
{
	uint32_t	best = UINT32_MAX;

	if (!a->hop.detect_loop)
		return best;
	for (size_t i = 0; i < mx->records.n; i++)
		if (is_us(a, mx->records.v[i].name) &&
		    mx->records.v[i].preference < best)
			best = mx->records.v[i].preference;
	return best;
}

/* is_null_mx - the domain takes no mail (RFC 7505) */
static bool
is_null_mx(const struct msg_dns_answer *mx)
{
	struct slice name = mx->records.v[0].name;

	return mx->records.n == 1 && (name.len == 0 || slice_equal(name, S(".")));
}

/* add_mail_hosts - what the MX records name */
static int
add_mail_hosts(struct task *t, struct finding *f,
    const struct msg_dns_answer *mx)
{
	struct smtp_attempt	*a = f->a;
	uint32_t		 limit = ours(a, mx);
	size_t			 tried = 0;
	int			 r = 0;

	if (is_null_mx(mx)) {
		*f->bad = status_make(556, "5.1.10", "Domain %.*s does not "
		    "accept mail (nullMX)", SLICE_ARG(a->hop.host));
		return 0;
	}
	for (size_t i = 0; r == 0 && i < mx->records.n; i++) {
		const struct msg_dns_record *m = &mx->records.v[i];

		if (m->preference >= limit || m->name.len == 0)
			continue;
		if (tried++ == MX_MAX)
			break;
		r = add_host(t, f, m->name, m->preference);
	}
	if (r == 0 && tried == 0)
		*f->bad = status_make(550, "5.4.6", "mail for %.*s loops "
		    "back to myself", SLICE_ARG(a->hop.host));
	else if (r == 0 && f->n == 0 &&
	    a->p->smtp_defer_if_no_mx_address_found)
		status_set_class(f->bad, 4);
	return r;
}

/* add_domain - mail hosts of a domain, or itself (RFC 5321 5.1) */
static int
add_domain(struct task *t, struct finding *f, struct slice name)
{
	struct smtp_attempt	*a = f->a;
	struct msg_dns_answer	*mx = NULL;
	int			 r;

	r = dns_ask(t, a->daemon, name, DNS_MX, a->arena, &mx);
	if (r == -ECANCELED)
		return r;
	if (has_answer(mx, r))
		return add_mail_hosts(t, f, mx);
	if ((r == 0 && mx->rcode == DNS_OK && !mx->bogus) ||
	    (a->p->ignore_mx_lookup_error && (r < 0 ||
	    mx->rcode != DNS_NXDOMAIN))) {
		if (a->hop.detect_loop && is_us(a, name)) {
			*f->bad = status_make(550, "5.4.6", "mail for %.*s "
			    "loops back to myself", SLICE_ARG(name));
			return 0;
		}
		return add_host(t, f, name, 0);
	}
	say_failure(f->bad, name, "MX", mx, r);
	return 0;
}

/* by_order - preference first */
static int
by_order(const void *x, const void *y)
{
	const struct smtp_host	*a = x, *b = y;

	if (a->preference != b->preference)
		return a->preference < b->preference ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* add_unix - a socket in the file system; master opens it */
static void
add_unix(struct finding *f)
{
	struct smtp_host *h = &f->v[0];

	h->addr.ss_family = AF_UNIX;
	h->name = f->a->p->myhostname;
	f->n = 1;
}

/* ascii_name - the name as the DNS has it */
static int
ascii_name(struct smtp_attempt *a, struct slice host, struct slice *ret_name)
{
	struct domain	d;
	int		r;

	r = domain_parse(host, a->arena, DOMAIN_UTF8 | DOMAIN_LENIENT, &d);
	if (r == 0)
		*ret_name = d.name;
	return r;
}

/* find - the questions */
static int
find(struct task *t, struct finding *f)
{
	struct smtp_hop	*hop = &f->a->hop;
	unsigned char	 raw[16];
	const char	*text = arena_text(f->a->arena, hop->host);
	struct slice	 name = hop->host;

	if (hop->is_unix) {
		add_unix(f);
		return 0;
	}
	if (inet_pton(AF_INET, text, raw) != 1 &&
	    inet_pton(AF_INET6, text, raw) != 1 &&
	    ascii_name(f->a, hop->host, &name) < 0) {
		*f->bad = status_make(550, "5.1.2", "%.*s is no host name",
		    SLICE_ARG(hop->host));
		return 0;
	}
	if (hop->use_mx)
		return add_domain(t, f, name);
	return add_host(t, f, name, 0);
}

/* smtp_resolve - addresses in the order in which to try them */
int
smtp_resolve(struct task *t, struct smtp_attempt *a, struct status *ret_bad)
{
	struct finding	f = { .a = a, .bad = ret_bad,
			    .v = ARENA_ARRAY(a->arena, struct smtp_host,
			    ADDRS_MAX) };
	struct deadline	d;
	size_t		limit = (size_t)a->p->smtp_mx_address_limit;
	int		r;

	*ret_bad = (struct status)STATUS_INIT;
	deadline_begin(t, &d, DNS_LIMIT);
	r = find(t, &f);
	r = deadline_end(t, &d, r);
	if (r == -ECANCELED)
		return r;
	if (f.n == 0 && (r < 0 || ret_bad->code == 0))
		*ret_bad = status_make(450, "4.4.3", "no address of %.*s was "
		    "found%s", SLICE_ARG(a->hop.host), r < 0 ? " in time" : "");
	qsort(f.v, f.n, sizeof(f.v[0]), by_order);
	a->hosts = f.v;
	a->host_count = limit == 0 ? f.n : size_min(f.n, limit);
	return 0;
}
