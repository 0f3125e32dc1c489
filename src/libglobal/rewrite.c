/* SPDX-License-Identifier: ISC */
#include "libglobal/rewrite.h"

#include "libutil/arena.h"

/* join - local@domain with an end */
static struct slice
join(struct arena *a, struct slice local, struct slice domain,
    struct slice behind)
{
	struct slice s;
	char *p;

	s.len = local.len + 1 + domain.len + behind.len;
	p = arena_alloc(a, s.len + 1);
	s.data = p;
	if (local.len > 0)
		memcpy(p, local.data, local.len);
	p += local.len;
	*p++ = '@';
	if (domain.len > 0)
		memcpy(p, domain.data, domain.len);
	p += domain.len;
	if (behind.len > 0)
		memcpy(p, behind.data, behind.len);
	return s;
}

/* strip_source_route - @a,@b:user@c means user@c (RFC 5321 4.1.1.3) */
static struct slice
strip_source_route(struct slice address)
{
	size_t colon = slice_find(address, ':');

	if (address.len > 0 && address.data[0] == '@' &&
	    colon != SLICE_NONE && colon + 1 < address.len)
		return slice_from(address, colon + 1);
	return address;
}

/* rewrite_unroute - one step out of the route */
bool
rewrite_unroute(const struct rewrite_rules *rules, struct slice local,
    struct arena *a, struct slice *ret_address)
{
	size_t at;

	if (rules->swap_bangpath &&
	    (at = slice_find(local, '!')) != SLICE_NONE) {
		*ret_address = join(a, slice_from(local, at + 1),
		    slice_sub(local, 0, at), SLICE_EMPTY);
		return true;
	}
	if (rules->percent_hack &&
	    (at = slice_find_last(local, '%')) != SLICE_NONE) {
		*ret_address = join(a, slice_sub(local, 0, at),
		    slice_from(local, at + 1), SLICE_EMPTY);
		return true;
	}
	return false;
}

/* rewrite_has_route - would it be read as a route? */
bool
rewrite_has_route(const struct rewrite_rules *rules, struct slice local)
{
	return slice_find(local, '@') != SLICE_NONE ||
	    (rules->swap_bangpath && slice_find(local, '!') != SLICE_NONE) ||
	    (rules->percent_hack && slice_find(local, '%') != SLICE_NONE);
}

/* strip_last_dot - "host." is "host"; ".." and "@." are left for the
 * diagnosis */
static struct slice
strip_last_dot(struct slice address)
{
	size_t n = address.len;

	if (n > 1 && address.data[n - 1] == '.' && address.data[n - 2] != '@' &&
	    address.data[n - 2] != '.' &&
	    slice_find(address, '@') != SLICE_NONE)
		address.len--;
	return address;
}

/* rewrite_address - the canonical form */
struct slice
rewrite_address(const struct rewrite_rules *rules, struct slice address,
    struct arena *a)
{
	struct slice domain;
	size_t at;

	address = strip_source_route(address);
	if (address.len == 0 || slice_equal(address, S("@")))
		return SLICE_EMPTY;
	if (slice_find(address, '@') == SLICE_NONE &&
	    !rewrite_unroute(rules, address, a, &address) &&
	    rules->origin.len > 0)
		address = join(a, address, rules->origin, SLICE_EMPTY);
	at = slice_find_last(address, '@');
	domain = at == SLICE_NONE ? SLICE_EMPTY : slice_from(address, at + 1);
	if (rules->mydomain.len > 0 && domain.len > 0 &&
	    domain.data[0] != '[' && slice_find(domain, '.') == SLICE_NONE) {
		struct slice more = arena_printf(a, ".%.*s",
		    SLICE_ARG(rules->mydomain));

		return join(a, slice_sub(address, 0, at), domain, more);
	}
	return arena_dup(a, strip_last_dot(address));
}
