/* SPDX-License-Identifier: ISC */
/*
 * Routing of one final address. The transport of its class comes first, then
 * relay hosts, then transport_maps, which rule over both; relocated_maps and
 * the existence of the user come before all that.
 */
#include <stdio.h>

#include "libglobal/resolve_impl.h"

#define NEXTHOP_MAX	1000

/* how a class checks its users */
struct users {
	struct map_list	*maps;
	int64_t		 code;
	const char	*table;
};

/* users_of - the table of valid users of a class; false: it has none */
static bool
users_of(const struct resolver *r, enum resolve_class class, struct users *ret)
{
	const struct resolve_params *p = r->p;

	switch (class) {
	case RESOLVE_LOCAL:
		*ret = (struct users){ r->local_recipient_maps,
		    p->unknown_local_recipient_reject_code,
		    "local recipient table" };
		return true;
	case RESOLVE_ALIAS:
		*ret = (struct users){ r->virtual_alias_maps,
		    p->unknown_virtual_alias_reject_code,
		    "virtual alias table" };
		return true;
	case RESOLVE_MAILBOX:
		*ret = (struct users){ r->virtual_mailbox_maps,
		    p->unknown_virtual_mailbox_reject_code,
		    "virtual mailbox table" };
		return true;
	case RESOLVE_RELAY:
		*ret = (struct users){ r->relay_recipient_maps,
		    p->unknown_relay_recipient_reject_code,
		    "relay recipient table" };
		return true;
	default:
		return false;
	}
}

/* always_there - users of this host that no table needs to name */
static bool
always_there(const struct resolver *r, struct slice local)
{
	return slice_equal_nocase(local, S("postmaster")) ||
	    slice_equal_nocase(local, S("mailer-daemon")) ||
	    slice_equal_nocase(local, r->p->double_bounce_sender);
}

/* check_user - is there such a user? Sets *refused if there is none */
static int
check_user(const struct resolve_ctx *c, struct slice address,
    enum resolve_class class, bool in_database, struct status *refused)
{
	const struct resolver *r = c->r;
	struct slice local, domain;
	struct users users;
	bool exists;
	int e;

	if (!users_of(r, class, &users))
		return 0;
	map_search_cut(address, &local, &domain);
	if (class == RESOLVE_LOCAL && always_there(r, local))
		return 0;
	/* without a table all users are valid, but not where it is known that
	 * only aliases or accounts can be */
	if (class != RESOLVE_ALIAS && !in_database &&
	    map_list_is_empty(users.maps))
		return 0;
	e = in_database || class == RESOLVE_ALIAS ? -ENOENT :
	    resolve_look(c, users.maps, MAP_SEARCH_ADDRESS, address, NULL,
	    NULL);
	if (e < 0 && e != -ENOENT)
		return e;
	exists = e == 0;
	if (!exists)
		*refused = r->p->show_user_unknown_table_name ?
		    status_make((unsigned)users.code,
		    users.code < 500 ? "4.1.1" : "5.1.1",
		    "User unknown in %s", users.table) :
		    status_make((unsigned)users.code,
		    users.code < 500 ? "4.1.1" : "5.1.1", "User unknown");
	return 0;
}

/* check_moved - has the user moved? */
static int
check_moved(const struct resolve_ctx *c, struct slice address,
    struct status *refused)
{
	struct buf where = BUF_INIT_MAX(MAP_VALUE_MAX);
	int e;

	e = resolve_look(c, c->r->relocated_maps, MAP_SEARCH_ADDRESS, address,
	    &where, NULL);
	if (e == 0 && c->r->p->relocated_prefix_enable)
		*refused = status_make(550, "5.1.6", "User has moved to %.*s",
		    SLICE_ARG(buf_slice(&where)));
	else if (e == 0 &&
	    status_parse_enhanced(buf_slice(&where), refused) < 0)
		*refused = status_make(550, "5.1.6", "%.*s",
		    SLICE_ARG(buf_slice(&where)));
	buf_free(&where);
	return e == -ENOENT ? 0 : e;
}

/* set_transport - "transport:nexthop" of a parameter or table. An empty half
 * leaves what there is, but a transport alone sends to the domain. */
static void
set_transport(struct resolve_target *t, struct slice text, struct slice domain,
    struct arena *a)
{
	struct slice nexthop = slice_trim(text);
	struct slice transport = slice_trim(slice_split(&nexthop, ':'));

	if (transport.len > 0) {
		t->transport = arena_dup(a, transport);
		t->nexthop = domain;
	}
	if (nexthop.len > 0)
		t->nexthop = arena_dup(a, nexthop);
}

/* sender_key - how a table by sender is asked */
static struct slice
sender_key(struct slice sender, struct slice null_key)
{
	return sender.len == 0 ? null_key : sender;
}

/* by_sender - the text of a table by sender; DUNNO is none */
static int
by_sender(const struct resolve_ctx *c, struct map_list *l,
    struct slice null_key, struct buf *value)
{
	int e = resolve_look(c, l, MAP_SEARCH_ADDRESS,
	    sender_key(c->q->sender, null_key), value, NULL);

	if (e == 0 && slice_equal_nocase(buf_slice(value), S("DUNNO"))) {
		buf_reset(value);
		return -ENOENT;
	}
	return e;
}

/* route_away - transport and next hop of what is not for this host */
static int
route_away(const struct resolve_ctx *c, enum resolve_class class,
    struct slice domain, struct resolve_target *t)
{
	const struct resolve_params *p = c->r->p;
	struct buf value = BUF_INIT_MAX(MAP_VALUE_MAX);
	struct slice text = p->relay_transport;
	int e;

	e = by_sender(c, c->r->sender_dependent_relayhost_maps,
	    p->empty_address_relayhost_maps_lookup_key, &value);
	if (e == 0)
		t->nexthop = arena_dup(c->a, slice_trim(buf_slice(&value)));
	else if (e == -ENOENT)
		t->nexthop = p->relayhost.len > 0 ? p->relayhost : domain;
	else
		goto out;
	buf_reset(&value);
	e = 0;
	if (class == RESOLVE_DEFAULT) {
		e = by_sender(c, c->r->sender_dependent_default_transport_maps,
		    p->empty_address_default_transport_maps_lookup_key, &value);
		if (e < 0 && e != -ENOENT)
			goto out;
		text = e == 0 ? buf_slice(&value) : p->default_transport;
		e = 0;
	}
	/* unlike in transport_maps, a transport alone keeps the relay host */
	set_transport(t, text, t->nexthop, c->a);
out:
	buf_free(&value);
	return e;
}

/* route_by_class - before transport_maps */
static int
route_by_class(const struct resolve_ctx *c, enum resolve_class class,
    struct slice domain, struct slice account, struct resolve_target *t)
{
	const struct resolve_params *p = c->r->p;

	t->nexthop = domain;
	if (account.len > 0) {
		t->transport = S(RESOLVE_STORE);
		t->nexthop = arena_dup(c->a, account);
		return 0;
	}
	switch (class) {
	case RESOLVE_LOCAL:
		set_transport(t, p->local_transport, domain, c->a);
		return 0;
	case RESOLVE_MAILBOX:
		set_transport(t, p->virtual_transport, domain, c->a);
		return 0;
	default:
		return route_away(c, class, domain, t);
	}
}

/* look_transport - transport_maps: address, domain and its parents, * */
static int
look_transport(const struct resolve_ctx *c, struct slice address,
    struct buf *value)
{
	unsigned parts = MAP_SEARCH_TRANSPORT |
	    (c->r->transport_parents ? MAP_SEARCH_PARENTS : 0);
	int e = resolve_look(c, c->r->transport_maps, parts, address, value,
	    NULL);

	if (e == -ENOENT)
		e = map_list_get(c->r->transport_maps, MAP_LIST_FIXED_ONLY,
		    S("*"), value);
	return e;
}

/* refuse_by_transport - error: and retry: are answers, no ways */
static void
refuse_by_transport(const struct resolve_target *t, struct status *refused)
{
	bool is_retry = slice_equal(t->transport, S("retry"));

	if (!is_retry && !slice_equal(t->transport, S("error")))
		return;
	if (status_parse_enhanced(t->nexthop, refused) < 0)
		*refused = status_make(is_retry ? 450 : 550,
		    is_retry ? "4.0.0" : "5.0.0", "%.*s",
		    SLICE_ARG(t->nexthop));
	status_set_class(refused, is_retry ? 4 : 5);
}

/* is_discarded - does the address get no mail because of itself? */
static bool
has_bad_domain(const struct resolve_ctx *c, struct slice domain)
{
	struct domain parsed;

	return domain_parse(domain, c->a, DOMAIN_UTF8 | DOMAIN_LENIENT |
	    DOMAIN_LITERAL, &parsed) < 0;
}

/* resolve_route - where does a final address go? */
int
resolve_route(const struct resolve_ctx *c, struct slice address,
    enum resolve_class class, bool in_database, struct slice account,
    struct resolve_target *ret_target, struct status *refused)
{
	struct buf value = BUF_INIT_MAX(NEXTHOP_MAX);
	struct resolve_target t = { .address = address };
	struct slice local, domain;
	int e;

	*refused = (struct status)STATUS_INIT;
	map_search_cut(address, &local, &domain);
	if (local.len == 0 || has_bad_domain(c, domain)) {
		*refused = status_make(501, "5.1.3",
		    "Bad recipient address syntax");
		*ret_target = t;
		return 0;
	}
	if ((e = check_moved(c, address, refused)) < 0 ||
	    (refused->code == 0 && account.len == 0 &&
	    (e = check_user(c, address, class, in_database, refused)) < 0) ||
	    (e = route_by_class(c, class, domain, account, &t)) < 0)
		goto out;
	if (class != RESOLVE_ALIAS) {
		e = look_transport(c, address, &value);
		if (e == 0)
			set_transport(&t, buf_slice(&value), domain, c->a);
		else if (e != -ENOENT)
			goto out;
		e = 0;
	}
	if (refused->code == 0)
		refuse_by_transport(&t, refused);
	*ret_target = t;
out:
	buf_free(&value);
	return e;
}
