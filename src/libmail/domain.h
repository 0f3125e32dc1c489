/* SPDX-License-Identifier: ISC */
/*
 * domain: what stands behind the @ of an address, the argument of HELO, a
 * next hop: a checked name or an address literal. Whoever reads one from
 * outside parses it once, here; past that line a domain is a struct domain.
 *
 * A domain has two texts, both lent from the arena given to the parser:
 * `name`, for comparing, look-ups and DNS (A-labels, lower case, no dot at
 * the end; two domains are the same if their names are the same bytes), and
 * `text`, as it was written. A literal's name is in one canonical form,
 * "[192.0.2.1]" or "[IPv6:2001:db8::1]", too.
 */
#ifndef LIBMAIL_DOMAIN_H
#define LIBMAIL_DOMAIN_H

#include "libutil/slice.h"

struct arena;
struct buf;

#define DOMAIN_MAX		255	/* RFC 5321 4.5.3.1.2 */
#define DOMAIN_LABEL_MAX	63	/* RFC 1035 2.3.4 */

enum domain_kind {
	DOMAIN_NONE,		/* there is none */
	DOMAIN_NAME,
	DOMAIN_IPV4,		/* an address literal */
	DOMAIN_IPV6,
};

struct domain {
	enum domain_kind	kind;
	struct slice		name;
	struct slice		text;
};

#define DOMAIN_INIT	{ DOMAIN_NONE, { NULL, 0 }, { NULL, 0 } }

enum {
	DOMAIN_UTF8	= 1 << 0,	/* U-labels (RFC 6531 3.3) */
	DOMAIN_LENIENT	= 1 << 1,	/* underscores, a dot at the end */
	DOMAIN_LITERAL	= 1 << 2,	/* [address] too, not names alone */
};

/*
 * domain_parse - the whole slice is a domain (RFC 5321 4.1.2)
 * -EBADMSG no domain, -EMSGSIZE over a limit, -EOPNOTSUPP it is not ASCII
 * and DOMAIN_UTF8 is not given, -EILSEQ it is not UTF-8.
 */
MUST_USE int	domain_parse(struct slice in, struct arena *a, unsigned flags,
		    struct domain *ret_domain);
/* the same without a copy: `in` lives as long as the arena already */
MUST_USE int	domain_parse_kept(struct slice in, struct arena *a,
		    unsigned flags, struct domain *ret_domain);

static inline bool
domain_equal(const struct domain *a, const struct domain *b)
{
	return a->kind == b->kind && slice_equal(a->name, b->name);
}

static inline bool
domain_is_literal(const struct domain *d)
{
	return d->kind == DOMAIN_IPV4 || d->kind == DOMAIN_IPV6;
}

/* the text is not ASCII: on the wire it needs SMTPUTF8, or its name instead */
bool	domain_is_utf8(const struct domain *d);
/* is it that name, or below it? Both as `name` is written. */
bool	domain_is_within(struct slice name, struct slice parent);
/* the name without its first label; empty if it has one label */
struct slice	domain_parent(struct slice name);
/* "192.0.2.1" or "2001:db8::1": a literal's address without its wrapping */
struct slice	domain_literal_address(const struct domain *d);

#endif
