/* SPDX-License-Identifier: ISC */
/*
 * What one recipient becomes. Addresses wait in an array that grows at its
 * end while it is worked off at its front; a hash of those seen keeps loops
 * and doubles out, so the work is bounded by the number of addresses.
 */
#include "libglobal/resolve_impl.h"
#include "libutil/hash.h"

/* one address on its way */
struct step {
	struct slice	address;
	int64_t		depth;		/* how many aliases led to it */
	bool		no_virtual; /* an alias gave the same address back */
	bool		no_alias;
};

struct expansion {
	const struct resolve_ctx	*c;
	struct step			*step;
	size_t				 count;
	size_t				 room;
	struct hash			 seen;
	struct resolve_target		*target;
	struct status			*refused;	/* of each target */
	size_t				 target_count;
	size_t				 target_room;
};

/* resolve_add_extension - put an extension behind the local part */
struct slice
resolve_add_extension(struct arena *a, struct slice address,
    struct slice extension)
{
	struct slice local, domain, with;

	if (extension.len == 0)
		return address;
	map_search_cut(address, &local, &domain);
	with = arena_printf(a, "%.*s%.*s", SLICE_ARG(local),
	    SLICE_ARG(extension));
	return domain.len > 0 ? addr_join(a, with, domain) : with;
}

/* complete - an address of a table in canonical form; @domain takes the local
 * part of the address that was looked up */
static struct slice
complete(const struct resolve_ctx *c, struct slice result,
    struct slice address, struct slice extension)
{
	struct slice local, domain;

	if (result.len > 1 && result.data[0] == '@') {
		map_search_cut(address, &local, &domain);
		return rewrite_address(&c->r->rules, addr_join(c->a, local,
		    slice_from(result, 1)), c->a);
	}
	return rewrite_address(&c->r->rules, resolve_add_extension(c->a,
	    result, extension), c->a);
}

/* resolve_map_once - one address by a table of addresses */
int
resolve_map_once(const struct resolve_ctx *c, struct map_list *l,
    bool propagate, struct slice address, struct slice *ret_address)
{
	struct buf value = BUF_INIT_MAX(MAP_VALUE_MAX);
	struct slice extension = SLICE_EMPTY, rest, result;
	bool is_address;
	int e;

	e = resolve_look(c, l, MAP_SEARCH_ADDRESS, address, &value, &extension);
	if (e < 0)
		goto out;
	rest = buf_slice(&value);
	e = map_search_next(&rest, c->a, &result, &is_address);
	if (e > 0 && is_address) {
		*ret_address = complete(c, result, address,
		    propagate ? extension : SLICE_EMPTY);
		e = 0;
	} else {
		e = -EIO;	/* the table has no address there */
	}
out:
	buf_free(&value);
	return e;
}

/* push - one more address to work on */
static int
push(struct expansion *x, struct step step)
{
	struct step *more;
	const struct resolve_params *p = x->c->r->p;

	if (step.address.len >
	    (size_t)p->virtual_alias_address_length_limit ||
	    step.depth > p->virtual_alias_recursion_limit ||
	    x->count > (size_t)p->virtual_alias_expansion_limit)
		return -EMSGSIZE;
	if (x->count == x->room) {
		x->room = x->room == 0 ? 8 : x->room * 2;
		more = ARENA_ARRAY(x->c->a, struct step, x->room);
		if (x->count > 0)
			memcpy(more, x->step, x->count * sizeof(*more));
		x->step = more;
	}
	x->step[x->count++] = step;
	return 0;
}

/* push_results - the addresses of an alias's text. -EDOM when it names other
 * things than addresses; then nothing is pushed. */
static int
push_results(struct expansion *x, const struct step *from, struct slice text,
    struct slice extension, bool is_virtual)
{
	struct slice rest = text, result;
	size_t start = x->count;
	bool is_address;
	int e;

	while ((e = map_search_next(&rest, x->c->a, &result,
	    &is_address)) > 0) {
		struct step step = { .depth = from->depth + 1 };

		if (!is_address) {
			e = -EDOM;
			break;
		}
		if (result.len == 0)
			continue;
		step.address = complete(x->c, result, from->address, extension);
		/* an alias for itself, among others: it is final there */
		if (slice_equal_nocase(step.address, from->address)) {
			step.no_virtual = is_virtual || from->no_virtual;
			step.no_alias = !is_virtual || from->no_alias;
		}
		if ((e = push(x, step)) < 0)
			break;
	}
	if (e < 0)
		x->count = start;
	return e == -EBADMSG ? -EIO : e;
}

/* is_new - was the step not taken before? */
static bool
is_new(struct expansion *x, const struct step *step)
{
	char folded[MAP_KEY_MAX];
	size_t n = size_min(step->address.len, sizeof(folded) - 1);

	folded[0] = (char)('0' + step->no_virtual + 2 * step->no_alias);
	for (size_t i = 0; i < n && i + 1 < sizeof(folded); i++)
		folded[i + 1] = ascii_lower(step->address.data[i]);
	return hash_put(&x->seen, slice_over(folded, n + 1), x) == NULL;
}

/* add_target - route an address that is final: an account's, or NULL */
static int
add_target(struct expansion *x, struct slice address, enum resolve_class class,
    bool in_database, const struct resolve_owner *owner)
{
	struct slice account = owner == NULL ? SLICE_EMPTY : owner->account;
	struct resolve_target t;
	struct status refused;
	struct resolve_target *targets;
	struct status *statuses;
	int e;

	e = resolve_route(x->c, address, class, in_database, account, &t,
	    &refused);
	if (e < 0)
		return e;
	t.is_limited = owner != NULL && owner->is_limited;
	/* several addresses of one account are one delivery */
	for (size_t i = 0; i < x->target_count && account.len > 0; i++)
		if (slice_equal(x->target[i].transport, t.transport) &&
		    slice_equal(x->target[i].nexthop, t.nexthop) &&
		    slice_equal_nocase(x->target[i].address, t.address))
			return 0;
	if (x->target_count == x->target_room) {
		x->target_room = x->target_room == 0 ? 4 : x->target_room * 2;
		targets = ARENA_ARRAY(x->c->a, struct resolve_target,
		    x->target_room);
		statuses = ARENA_ARRAY(x->c->a, struct status, x->target_room);
		if (x->target_count > 0) {
			memcpy(targets, x->target,
			    x->target_count * sizeof(*targets));
			memcpy(statuses, x->refused,
			    x->target_count * sizeof(*statuses));
		}
		x->target = targets;
		x->refused = statuses;
	}
	x->target[x->target_count] = t;
	x->refused[x->target_count++] = refused;
	return 0;
}

/* find_owner - who gets mail for it by the accounts database: the address as
 * it is, without its extension, and for local users with $myorigin */
static int
find_owner(struct expansion *x, struct slice address, enum resolve_class class,
    struct resolve_who *ret_who, struct slice *ret_extension)
{
	const struct resolver *r = x->c->r;
	struct slice local, domain;
	struct addr_parts parts;
	int e;

	*ret_extension = SLICE_EMPTY;
	map_search_cut(address, &local, &domain);
	parts = addr_split(local, &r->search.delimiters);
	for (int origin = 0; origin <= (class == RESOLVE_LOCAL); origin++) {
		if (origin > 0 && slice_equal_nocase(domain, r->myorigin))
			break;
		if (origin > 0)
			domain = r->myorigin;
		e = resolve_who(x->c, addr_join(x->c->a, local, domain),
		    ret_who);
		if (e < 0 || ret_who->found)
			return e;
		if (parts.delimiter == '\0')
			continue;
		e = resolve_who(x->c, addr_join(x->c->a, parts.user, domain),
		    ret_who);
		if (e == 0 && ret_who->found)
			*ret_extension = slice_from(local, parts.user.len);
		if (e < 0 || ret_who->found)
			return e;
	}
	return 0;
}

/* owner_address - the address of a delivery into an account: the one that
 * was asked for, with its extension, if it is the account's own; else (by a
 * group or a catch-all) the account's, so that no two accounts share one */
static struct slice
owner_address(struct expansion *x, struct slice address,
    const struct resolve_owner *o)
{
	struct slice local, domain, own;
	struct addr_parts parts;

	map_search_cut(address, &local, &domain);
	parts = addr_split(local, &x->c->r->search.delimiters);
	own = addr_join(x->c->a, parts.user, domain);
	if (o->address.len == 0 || slice_equal_nocase(o->address, own) ||
	    slice_equal_nocase(o->address, address))
		return address;
	return arena_dup(x->c->a, o->address);
}

/* take_owners - targets for accounts, further steps for aliases */
static int
take_owners(struct expansion *x, const struct step *step,
    enum resolve_class class, bool in_database, const struct resolve_who *who,
    struct slice extension)
{
	int e = 0;

	for (size_t i = 0; i < who->count && e == 0; i++) {
		const struct resolve_owner *o = &who->owner[i];
		struct step next = { .depth = step->depth + 1 };

		if (o->account.len > 0) {
			e = add_target(x, owner_address(x, step->address, o),
			    class, in_database, o);
			continue;
		}
		next.address = complete(x->c, o->address, step->address,
		    x->c->r->propagate_virtual ? extension : SLICE_EMPTY);
		if (!slice_equal_nocase(next.address, step->address))
			e = push(x, next);
	}
	return e;
}

/* take_alias - a local user's alias; -ENOENT: there is none that can be
 * expanded here */
static int
take_alias(struct expansion *x, const struct step *step)
{
	const struct resolver *r = x->c->r;
	struct buf value = BUF_INIT_MAX(MAP_VALUE_MAX);
	struct slice local, domain, extension = SLICE_EMPTY;
	int e;

	map_search_cut(step->address, &local, &domain);
	e = resolve_look(x->c, r->alias_maps, 0, local, &value, &extension);
	if (e == 0)
		e = push_results(x, step, buf_slice(&value),
		    r->propagate_alias ? extension : SLICE_EMPTY, false);
	buf_free(&value);
	/* commands, files, lists: the local delivery agent's */
	return e == -EDOM ? -ENOENT : e;
}

/* take_virtual - a virtual alias; -ENOENT: there is none */
static int
take_virtual(struct expansion *x, const struct step *step)
{
	const struct resolver *r = x->c->r;
	struct buf value = BUF_INIT_MAX(MAP_VALUE_MAX);
	struct slice extension = SLICE_EMPTY;
	int e;

	e = resolve_look(x->c, r->virtual_alias_maps, MAP_SEARCH_ADDRESS,
	    step->address, &value, &extension);
	if (e == 0)
		e = push_results(x, step, buf_slice(&value),
		    r->propagate_virtual ? extension : SLICE_EMPTY, true);
	buf_free(&value);
	return e == -EDOM ? -EIO : e;
}

/* take_step - one address: alias, account, or final */
static int
take_step(struct expansion *x, struct step step)
{
	enum resolve_class class;
	struct resolve_who who;
	struct slice extension;
	bool in_database;
	int e;

	if (!is_new(x, &step))
		return 0;
	if (!step.no_virtual && (e = take_virtual(x, &step)) != -ENOENT)
		return e;
	if ((e = resolve_class(x->c, step.address, &class, &in_database)) < 0)
		return e;
	if (class == RESOLVE_LOCAL && !step.no_alias &&
	    (e = take_alias(x, &step)) != -ENOENT)
		return e;
	if (class == RESOLVE_LOCAL || class == RESOLVE_MAILBOX) {
		e = find_owner(x, step.address, class, &who, &extension);
		if (e < 0)
			return e;
		if (who.found)
			return take_owners(x, &step, class, in_database, &who,
			    extension);
	}
	return add_target(x, step.address, class, in_database, NULL);
}

/* refuse_relay - may not be relayed? Sets the status then */
static void
refuse_relay(const struct resolve_ctx *c, struct resolve_result *result)
{
	struct slice local, domain;
	bool routed;

	if (c->q->may_relay || result->class == RESOLVE_LOCAL)
		return;
	map_search_cut(result->recipient, &local, &domain);
	/* user%elsewhere@relayed could be relayed on by the next host */
	routed = rewrite_has_route(&c->r->rules, local);
	if (result->class != RESOLVE_DEFAULT && !routed)
		return;
	if (c->q->relay_unknown)
		result->status = status_make(451, "4.3.0",
		    "Temporary lookup failure");
	else
		result->status = status_make(
		    (unsigned)c->r->p->relay_domains_reject_code,
		    c->r->p->relay_domains_reject_code < 500 ? "4.7.1" :
		    "5.7.1", "Relay access denied");
}

/* finish - the targets, and whether all of them are refused */
static void
finish(struct expansion *x, const struct resolve_query *q,
    struct resolve_result *result)
{
	size_t refused = 0;

	result->target = x->target;
	result->count = x->target_count;
	for (size_t i = 0; i < x->target_count; i++) {
		const struct status *s = &x->refused[i];
		struct buf text = BUF_INIT;

		if (s->code == 0)
			continue;
		refused++;
		status_code_format(&text, s->enhanced);
		buf_addf(&text, " %.*s", SLICE_ARG(status_text(s)));
		x->target[i].transport = status_is_temporary(s) ? S("retry") :
		    S("error");
		x->target[i].nexthop = arena_dup(x->c->a, buf_slice(&text));
		buf_free(&text);
	}
	if (x->target_count == 0)
		result->status = status_make(550, "5.1.1",
		    "User unknown: its alias names nobody");
	else if (q->check && refused == x->target_count)
		result->status = x->refused[0];
}

/* name_recipient - put "<recipient>: ..." before what refuses it */
static void
name_recipient(const struct resolve_ctx *c, struct resolve_result *result)
{
	bool relay = result->status.enhanced.subject == 7;
	struct slice given = c->q->given;

	if (result->status.code == 0)
		return;
	if (given.len == 0)
		given = c->q->recipient;
	status_prefix_text(&result->status, arena_printf(c->a, "<%.*s>: %s",
	    SLICE_ARG(slice_sub(given, 0, ADDR_TEXT_MAX)),
	    relay || status_is_temporary(&result->status) ? "" :
	    "Recipient address rejected: "));
}

/* work_off - take all steps */
static int
work_off(struct expansion *x)
{
	bool unknown = false;
	int e = 0;

	for (size_t i = 0; i < x->count && e == 0; i++) {
		e = take_step(x, x->step[i]);
		if (e == -EAGAIN) {
			/* all that is to be asked for is asked at once */
			unknown = true;
			e = 0;
		}
	}
	return e == 0 && unknown ? -EAGAIN : e;
}

/* fail - what an error of the machine means for the recipient */
static void
fail(struct resolve_result *result, int e)
{
	bool too_many = e == -EMSGSIZE;

	result->status = status_make(451, too_many ? "4.6.0" : "4.3.0", "%s",
	    too_many ? "Alias expansion error" : "Temporary lookup failure");
}

/* resolve_recipient - what becomes of a recipient */
int
resolve_recipient(struct resolver *r, const struct resolve_query *q,
    struct arena *a, struct resolve_result *ret_result)
{
	struct resolve_query *with = ARENA_NEW(a, struct resolve_query);
	struct resolve_ctx c = { r, with, a };
	struct expansion x = { .c = &c };
	struct step first = { .depth = 0 };
	struct resolve_result *result = ARENA_NEW(a, struct resolve_result);
	bool in_database;
	int e;

	*with = *q;
	result->class = RESOLVE_DEFAULT;
	result->recipient = q->recipient;
	result->sender = q->sender;
	if ((e = resolve_canonical(&c, RESOLVE_ENVELOPE_SENDER,
	    &result->sender)) < 0)
		goto out;
	with->sender = result->sender;	/* tables are asked for that one */
	if ((e = resolve_canonical(&c, RESOLVE_ENVELOPE_RECIPIENT,
	    &result->recipient)) < 0 ||
	    (e = resolve_class(&c, result->recipient, &result->class,
	    &in_database)) < 0)
		goto out;
	refuse_relay(&c, result);
	first.address = result->recipient;
	if (result->status.code == 0 && (e = push(&x, first)) == 0 &&
	    (e = work_off(&x)) == 0)
		finish(&x, q, result);
out:
	hash_free(&x.seen);
	if (e == -EAGAIN || e == -EINPROGRESS)
		return e;
	if (e < 0)
		fail(result, e);
	name_recipient(&c, result);
	*ret_result = *result;
	return 0;
}
