/* SPDX-License-Identifier: ISC */
/*
 * What becomes of an address before anybody asks where it goes: the canonical
 * form by rules, then sender_canonical_maps or recipient_canonical_maps, then
 * canonical_maps, then masquerading; each for the classes of addresses that
 * its parameter names.
 */
#include "libglobal/resolve_impl.h"

#define NESTING_MAX	10	/* results that are looked up again */

/* is_of - is the address of one of these classes? */
static bool
is_of(unsigned classes, enum resolve_what what)
{
	return (classes & 1u << what) != 0;
}

/* map_all - by a table, and what it gives by it again, until an address is
 * its own or is not there. A table that goes in circles is left at some
 * point of them, as Postfix does. */
static int
map_all(const struct resolve_ctx *c, struct map_list *l, struct slice *address)
{
	struct slice next;
	int e;

	for (int i = 0; i < NESTING_MAX; i++) {
		e = resolve_map_once(c, l, c->r->propagate_canonical, *address,
		    &next);
		if (e < 0)
			return e == -ENOENT ? 0 : e;
		if (slice_equal(*address, next))
			return 0;
		*address = next;
	}
	return 0;
}

/* masquerade - a host below one of masquerade_domains becomes that domain.
 * The first one that fits decides; with ! before it the host stays. */
static int
masquerade(const struct resolve_ctx *c, struct slice *address)
{
	const struct param_list *l = &c->r->p->masquerade_domains;
	struct slice local, domain, masq;
	bool cut;
	int m;

	map_search_cut(*address, &local, &domain);
	if (l->count == 0 || domain.len == 0)
		return 0;
	if ((m = resolve_match(c, c->r->masquerade_exceptions, local)) != 0)
		return m < 0 ? m : 0;
	for (size_t i = 0; i < l->count; i++) {
		masq = l->item[i];
		for (cut = true; slice_has_prefix(masq, S("!")); cut = !cut)
			masq = slice_from(masq, 1);
		if (slice_equal_nocase(domain, masq))
			break;
		if (domain.len <= masq.len + 1 ||
		    domain.data[domain.len - masq.len - 1] != '.' ||
		    !slice_has_suffix_nocase(domain, masq))
			continue;
		if (cut)
			*address = addr_join(c->a, local, masq);
		break;
	}
	return 0;
}

/* unroute - user%host@here and its like, hop by hop */
static int
unroute(const struct resolve_ctx *c, struct slice *address)
{
	struct resolver *r = c->r;
	struct slice local, domain;
	int e;

	for (int i = 0; ; i++) {
		*address = rewrite_address(&r->rules, *address, c->a);
		map_search_cut(*address, &local, &domain);
		if (!rewrite_has_route(&r->rules, local))
			return 0;
		if (!c->q->may_block && match_list_blocks(r->mydestination))
			return -EINPROGRESS;
		if ((e = resolve_is_local(r, domain)) <= 0)
			return e;
		if (i == RESOLVE_ROUNDS_MAX)
			return -EMSGSIZE;
		*address = local;
	}
}

/* by_tables - canonical tables and masquerading */
static int
by_tables(const struct resolve_ctx *c, enum resolve_what what,
    struct slice *address)
{
	struct resolver *r = c->r;
	int e = 0;

	if (is_of(r->sender_canonical_in, what))
		e = map_all(c, r->sender_canonical_maps, address);
	if (e == 0 && is_of(r->recipient_canonical_in, what))
		e = map_all(c, r->recipient_canonical_maps, address);
	if (e == 0 && is_of(r->canonical_in, what))
		e = map_all(c, r->canonical_maps, address);
	if (e == 0 && is_of(r->masquerade_in, what))
		e = masquerade(c, address);
	return e;
}

/* resolve_canonical - an envelope address, rewritten */
int
resolve_canonical(const struct resolve_ctx *c, enum resolve_what what,
    struct slice *address)
{
	int e;

	if (address->len == 0)
		return 0;		/* <> stays <> */
	if (what == RESOLVE_ENVELOPE_RECIPIENT) {
		if ((e = unroute(c, address)) < 0)
			return e;
	} else {
		*address = rewrite_address(&c->r->rules, *address, c->a);
	}
	return by_tables(c, what, address);
}

/* resolve_rewrite - a sender or header address, rewritten */
int
resolve_rewrite(struct resolver *r, struct slice address,
    enum resolve_what what, bool local, bool may_block, struct arena *a,
    struct slice *ret_address)
{
	struct resolve_query q = { .may_block = may_block };
	struct resolve_ctx c = { r, &q, a };
	int e;

	if (address.len == 0) {
		*ret_address = address;
		return 0;
	}
	if (local || r->p->remote_header_rewrite_domain.len > 0)
		address = rewrite_address(local ? &r->rules : &r->remote_rules,
		    address, a);
	if ((e = by_tables(&c, what, &address)) < 0)
		return e;
	*ret_address = address;
	return 0;
}
