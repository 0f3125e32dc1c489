/* SPDX-License-Identifier: ISC */
/*
 * Who is in a group, who gets mail for an address: walks over several records
 * in one transaction that reads.
 */
#include "libglobal/accounts_db.h"

#include "libmail/addr.h"
#include "libutil/hash.h"

/* --- members of groups */

/* one walk through groups in groups */
struct walk {
	struct accounts_txn	*txn;
	struct arena		*arena;
	struct hash		 seen;		/* addresses */
	struct accounts_target	*target;	/* the accounts found */
	size_t			 count;
	size_t			 room;
	struct slice		 id;		/* to look for; or empty: all */
	bool			 met;
};

/* is_new - see each address once, so that a ring of groups ends */
static bool
is_new(struct walk *w, struct slice address)
{
	if (hash_get(&w->seen, address) != NULL)
		return false;
	(void)hash_put(&w->seen, address, w);
	return w->seen.count <= ACCOUNTS_TARGETS_MAX;
}

/* set_account - make an account the target. Where its limits cannot be read
 * it has some: then whoever counts is asked */
static void
set_account(struct accounts_txn *txn, struct arena *arena,
    const struct accounts_account *account, struct accounts_target *target)
{
	uint64_t	bytes = 0, messages = 0;
	int		r;

	r = accounts_load_quota(txn, account, &bytes, &messages);
	target->account = arena_dup(arena, account->id);
	target->address = arena_dup(arena, account->login);
	target->is_limited = r < 0 || bytes != 0 || messages != 0;
}

/* add_target - one more account */
static void
add_target(struct walk *w, const struct accounts_account *account)
{
	struct accounts_target	*more;

	if (w->count == w->room) {
		w->room = w->room == 0 ? 16 : 2 * w->room;
		more = ARENA_ARRAY(w->arena, struct accounts_target, w->room);
		if (w->count > 0)
			memcpy(more, w->target, w->count * sizeof(*more));
		w->target = more;
	}
	set_account(w->txn, w->arena, account, &w->target[w->count++]);
}

static int	walk_members(struct walk *w, struct slice members, int depth);

/* walk_member - an account or a group */
static int
walk_member(struct walk *w, struct slice address, int depth)
{
	struct accounts_account	account;
	struct accounts_group	group;
	int			r;

	r = accounts_load_by_login(w->txn, address, &account);
	if (r == 0) {
		if (w->id.len > 0)
			w->met = w->met || slice_equal(account.id, w->id);
		else if (w->count < ACCOUNTS_TARGETS_MAX)
			add_target(w, &account);
		return 0;
	}
	if (r != -ENOENT)
		return r;
	r = accounts_load_group(w->txn, address, &group);
	if (r == 0 && depth < ACCOUNTS_DEPTH_MAX)
		r = walk_members(w, group.members, depth + 1);
	/* one that was deleted is passed over */
	return r == -ENOENT ? 0 : r;
}

/* walk_members - all lines of a record */
static int
walk_members(struct walk *w, struct slice members, int depth)
{
	struct slice	member;
	int		r = 0;

	while (r == 0 && !w->met && slice_next_word(&members, "\n", &member))
		if (is_new(w, member))
			r = walk_member(w, member, depth);
	return r;
}

/* accounts_may_share - is the member among those who use it? */
int
accounts_may_share(struct accounts *a, struct slice shared,
    struct slice member, bool *ret_may)
{
	struct accounts_txn	txn;
	struct accounts_shared	record;
	struct walk		w = { .txn = &txn, .id = member };
	int			r;

	if ((r = accounts_begin(a, false, &txn)) < 0)
		return r;
	r = accounts_load_shared(&txn, shared, &record);
	if (r == 0)
		r = walk_members(&w, record.members, 0);
	if (r == 0)
		*ret_may = w.met;
	hash_free(&w.seen);
	accounts_abort(&txn);
	return r;
}

/* --- who gets mail */

/* one question */
struct question {
	struct accounts_txn	*txn;
	struct arena		*arena;
	struct slice		 address;	/* as asked */
	struct slice		 extension;	/* with its delimiter */
	struct accounts_who	*who;
};

/* found_account - one target */
static void
found_account(struct question *q, const struct accounts_account *account)
{
	q->who->target = ARENA_NEW(q->arena, struct accounts_target);
	set_account(q->txn, q->arena, account, q->who->target);
	q->who->count = 1;
	q->who->found = true;
}

/* try_account - is it a login name? -ENOENT */
static int
try_account(struct question *q, struct slice address)
{
	struct accounts_account	account;
	int			r;

	r = accounts_load_by_login(q->txn, address, &account);
	if (r == 0)
		found_account(q, &account);
	return r;
}

/* extended - an alias's target with the extension of what was asked for */
static struct slice
extended(struct question *q, struct slice target)
{
	size_t	at = slice_find_last(target, '@');

	if (q->extension.len == 0 || at == SLICE_NONE)
		return arena_dup(q->arena, target);
	return arena_printf(q->arena, "%.*s%.*s%.*s",
	    SLICE_ARG(slice_sub(target, 0, at)), SLICE_ARG(q->extension),
	    SLICE_ARG(slice_from(target, at)));
}

/* count_lines - how many targets there can be */
static size_t
count_lines(struct slice text)
{
	struct slice	line;
	size_t		n = 0;

	while (n < ACCOUNTS_TARGETS_MAX && slice_next_word(&text, "\n", &line))
		n++;
	return n;
}

/* take_line - one target of an alias; an address that stands for itself and
 * is no account is none */
static int
take_line(struct question *q, struct slice address, struct slice line,
    struct accounts_target *target)
{
	struct accounts_account	account;
	int			r;

	if (!slice_equal(line, address) && !slice_equal(line, q->address)) {
		target->address = extended(q, line);
		return 1;
	}
	r = accounts_load_by_login(q->txn, line, &account);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	set_account(q->txn, q->arena, &account, target);
	return 1;
}

/* try_alias - other addresses, or the account of that name; -ENOENT */
static int
try_alias(struct question *q, struct slice address)
{
	struct accounts_alias	alias;
	struct accounts_target	*target;
	struct slice		lines, line;
	size_t			max, n = 0;
	int			r;

	if ((r = accounts_load_alias(q->txn, address, &alias)) < 0)
		return r;
	max = count_lines(alias.targets);
	target = ARENA_ARRAY(q->arena, struct accounts_target, max);
	lines = alias.targets;
	for (size_t i = 0; i < max && slice_next_word(&lines, "\n", &line);
	    i++) {
		if ((r = take_line(q, address, line, &target[n])) < 0)
			return r;
		n += (size_t)r;
	}
	if (n == 0)
		return -ENOENT;
	q->who->target = target;
	q->who->count = n;
	q->who->found = true;
	return 0;
}

/* try_group - the accounts in it; -ENOENT */
static int
try_group(struct question *q, struct slice address)
{
	struct accounts_group	group;
	struct walk		w = { .txn = q->txn, .arena = q->arena };
	int			r;

	if ((r = accounts_load_group(q->txn, address, &group)) < 0)
		return r;
	(void)is_new(&w, address);
	r = walk_members(&w, group.members, 0);
	hash_free(&w.seen);
	if (r < 0 || w.count == 0)
		return r < 0 ? r : -ENOENT;	/* nobody is left in it */
	q->who->target = w.target;
	q->who->count = w.count;
	q->who->found = true;
	return 0;
}

/* try - one spelling of the address; -ENOENT */
static int
try(struct question *q, struct slice address)
{
	int	r;

	if ((r = try_alias(q, address)) != -ENOENT ||
	    (r = try_group(q, address)) != -ENOENT)
		return r;
	return try_account(q, address);
}

/* try_all - the address, without its extension, the catch-all */
static int
try_all(struct question *q, const struct addr_delimiters *delimiters,
    bool extension)
{
	size_t			at = slice_find_last(q->address, '@');
	struct slice		local = slice_sub(q->address, 0, at);
	struct slice		domain = slice_from(q->address, at);
	struct addr_parts	parts = addr_split(local, delimiters);
	int			r;

	if ((r = try(q, q->address)) != -ENOENT)
		return r;
	if (parts.delimiter != '\0') {
		if (extension)
			q->extension = slice_from(local, parts.user.len);
		r = try(q, arena_printf(q->arena, "%.*s%.*s",
		    SLICE_ARG(parts.user), SLICE_ARG(domain)));
		q->extension = SLICE_EMPTY;
		if (r != -ENOENT)
			return r;
	}
	return try_alias(q, domain);
}

/* known_domain - 0 and whether to go on */
static int
known_domain(struct question *q)
{
	struct accounts_domain	domain;
	int			r;

	r = accounts_load_domain(q->txn, slice_from(q->address,
	    slice_find_last(q->address, '@') + 1), &domain);
	q->who->domain = r == 0;
	return r == -ENOENT ? 0 : r;
}

/* accounts_resolve - who gets mail for it? */
int
accounts_resolve(struct accounts *a, struct slice address,
    const struct addr_delimiters *delimiters, bool extension,
    struct arena *arena, struct accounts_who *ret_who)
{
	struct accounts_txn	txn;
	struct accounts_who	who = { .domain = false };
	struct question		q = { .txn = &txn, .arena = arena,
				    .who = &who };
	int			r;

	if (accounts_address(address, arena, &q.address) < 0) {
		*ret_who = who;
		return 0;
	}
	if ((r = accounts_begin(a, false, &txn)) < 0)
		return r;
	if ((r = known_domain(&q)) == 0 && who.domain)
		r = try_all(&q, delimiters, extension);
	accounts_abort(&txn);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret_who = who;
	return 0;
}

/* accounts_resolve_fast - an unknown domain, or an account and nothing else */
int
accounts_resolve_fast(struct accounts *a, struct slice address,
    struct arena *arena, struct accounts_who *ret_who)
{
	struct accounts_txn	txn;
	struct accounts_who	who = { .domain = false };
	struct question		q = { .txn = &txn, .arena = arena,
				    .who = &who };
	struct accounts_alias	alias;
	int			r;

	if (accounts_address(address, arena, &q.address) < 0) {
		*ret_who = who;
		return 0;
	}
	if ((r = accounts_begin(a, false, &txn)) < 0)
		return r;
	if ((r = known_domain(&q)) == 0 && who.domain &&
	    (r = accounts_load_alias(&txn, q.address, &alias)) == -ENOENT &&
	    (r = try_account(&q, q.address)) == -ENOENT)
		r = -EINPROGRESS;
	else if (r == 0 && who.domain && !who.found)
		r = -EINPROGRESS;
	accounts_abort(&txn);
	if (r == 0)
		*ret_who = who;
	return r;
}
