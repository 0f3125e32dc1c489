/* SPDX-License-Identifier: ISC */
/* Verbs for domains, aliases, groups and shared accounts. */
#include "libglobal/accounts_edit_impl.h"

#include "libmail/domain.h"

/* --- domains */

/* edit_DOMAIN_ADD - mail for it is ours from now on */
int
edit_DOMAIN_ADD(struct editing *x)
{
	struct accounts_domain	d = { .created = x->e->now }, other;
	int			r;

	if ((r = edit_take_domain(x)) < 0)
		return r;
	r = accounts_load_domain(x->txn, x->name, &other);
	if (r != -ENOENT)
		return r == 0 ? edit_refuse(x, "the domain %.*s is in the "
		    "database already", SLICE_ARG(x->name)) : r;
	d.name = x->name;
	return accounts_store_domain(x->txn, x->name, &d);
}

/* load_domain - the domain of that name */
static int
load_domain(struct editing *x, struct accounts_domain *domain)
{
	int	r;

	if ((r = edit_take_domain(x)) < 0)
		return r;
	r = accounts_load_domain(x->txn, x->name, domain);
	if (r == -ENOENT)
		return edit_refuse(x, "the domain %.*s is not in the database",
		    SLICE_ARG(x->name));
	if (r == 0)
		domain->name = x->name;
	return r;
}

/* is_used - is there a record of that kind in the domain? */
static int
is_used(struct editing *x, enum accounts_space space, const char *what)
{
	struct slice		from, key, value;
	struct accounts_key	start;
	int			r;

	if ((r = accounts_key_address(&start, space,
	    arena_printf(x->arena, "@%.*s", SLICE_ARG(x->name)))) < 0)
		return r;
	from = accounts_key_slice(&start);
	r = accounts_seek(x->txn, from, &key, &value);
	if (r == -ENOENT)
		return 0;
	if (r < 0 && r != -EBADMSG)
		return r;
	return !slice_has_prefix(key, from) ? 0 : edit_refuse(x,
	    "there are %s in the domain %.*s: delete them first", what,
	    SLICE_ARG(x->name));
}

/* edit_DOMAIN_DELETE - if nothing is in it */
int
edit_DOMAIN_DELETE(struct editing *x)
{
	struct accounts_domain	domain;
	struct accounts_key	key;
	int			r;

	if ((r = load_domain(x, &domain)) < 0 ||
	    (r = is_used(x, SPACE_LOGIN, "accounts")) < 0 ||
	    (r = is_used(x, SPACE_ALIAS, "aliases")) < 0 ||
	    (r = is_used(x, SPACE_GROUP, "groups")) < 0 ||
	    (r = accounts_key_plain(&key, SPACE_DOMAIN, x->name)) < 0)
		return r;
	return accounts_del(x->txn, &key);
}

/* edit_DOMAIN_QUOTA - limits of accounts without limits of their own */
int
edit_DOMAIN_QUOTA(struct editing *x)
{
	struct accounts_domain	domain;
	int			r;

	if ((r = load_domain(x, &domain)) < 0 ||
	    (r = edit_take_quota(x, &domain.quota_bytes,
	    &domain.quota_messages)) < 0)
		return r;
	return accounts_store_domain(x->txn, x->name, &domain);
}

/* --- aliases, groups, shared accounts */

/* put_alias - make or replace one */
static int
put_alias(struct editing *x, bool replace)
{
	struct accounts_alias	alias = { .created = x->e->now }, other;
	struct accounts_group	group;
	struct buf		targets = BUF_INIT_MAX(ACCOUNTS_TEXT_MAX);
	int			r;

	if ((r = edit_take_alias_name(x)) < 0)
		return r;
	r = accounts_load_group(x->txn, x->name, &group);
	if (r != -ENOENT)
		return r == 0 ? edit_refuse(x, "there is a group %.*s already",
		    SLICE_ARG(x->name)) : r;
	r = accounts_load_alias(x->txn, x->name, &other);
	if (r == 0 && !replace)
		return edit_refuse(x, "there is an alias %.*s already",
		    SLICE_ARG(x->name));
	if (r == 0)
		alias.created = other.created;
	/* one that is damaged can be replaced */
	r = r == -ENOENT || r == -EBADMSG ? 0 : r;
	if (r == 0)
		r = edit_take_targets(x, false, &targets);
	alias.targets = buf_slice(&targets);
	if (r == 0)
		r = accounts_store_alias(x->txn, x->name, &alias);
	buf_free(&targets);
	return r;
}

/* edit_ALIAS_ADD - a new one */
int
edit_ALIAS_ADD(struct editing *x)
{
	return put_alias(x, false);
}

/* edit_ALIAS_SET - a new one, or other targets */
int
edit_ALIAS_SET(struct editing *x)
{
	return put_alias(x, true);
}

/* edit_ALIAS_DELETE - forget it */
int
edit_ALIAS_DELETE(struct editing *x)
{
	struct accounts_key	key;
	int			r;

	if ((r = edit_take_alias_name(x)) < 0 ||
	    (r = accounts_key_address(&key, SPACE_ALIAS, x->name)) < 0)
		return r;
	r = accounts_del(x->txn, &key);
	return r == -ENOENT ? edit_refuse(x, "there is no alias %.*s",
	    SLICE_ARG(x->name)) : r;
}

/* put_group - make or replace one */
static int
put_group(struct editing *x, bool replace)
{
	struct accounts_group	group = { .created = x->e->now }, other;
	struct accounts_login	login;
	struct accounts_alias	alias;
	struct buf		members = BUF_INIT_MAX(ACCOUNTS_TEXT_MAX);
	int			r;

	if ((r = edit_take_name(x)) < 0)
		return r;
	if (accounts_load_login(x->txn, x->name, &login) != -ENOENT ||
	    accounts_load_alias(x->txn, x->name, &alias) != -ENOENT)
		return edit_refuse(x, "there is an account or alias %.*s "
		    "already", SLICE_ARG(x->name));
	r = accounts_load_group(x->txn, x->name, &other);
	if (r == 0 && !replace)
		return edit_refuse(x, "there is a group %.*s already",
		    SLICE_ARG(x->name));
	if (r == 0)
		group.created = other.created;
	r = r == -ENOENT || r == -EBADMSG ? 0 : r;
	if (r == 0)
		r = edit_take_targets(x, true, &members);
	group.members = buf_slice(&members);
	if (r == 0)
		r = accounts_store_group(x->txn, x->name, &group);
	buf_free(&members);
	return r;
}

/* edit_GROUP_ADD - a new one */
int
edit_GROUP_ADD(struct editing *x)
{
	return put_group(x, false);
}

/* edit_GROUP_SET - a new one, or other members */
int
edit_GROUP_SET(struct editing *x)
{
	return put_group(x, true);
}

/* has_line - is it one of the lines? */
static bool
has_line(struct slice text, struct slice wanted)
{
	struct slice line;

	while (slice_next_word(&text, "\n", &line))
		if (slice_equal(line, wanted))
			return true;
	return false;
}

/* add_members - those there are, and those of the edit that are new */
static int
add_members(struct editing *x, struct slice members, struct buf *out)
{
	struct buf	more = BUF_INIT_MAX(ACCOUNTS_TEXT_MAX);
	struct slice	rest = members, line;
	size_t		n = 0;
	int		r = edit_take_targets(x, true, &more);

	buf_add(out, members);
	while (slice_next_word(&rest, "\n", &line))
		n++;
	rest = buf_slice(&more);
	while (r == 0 && slice_next_word(&rest, "\n", &line)) {
		if (has_line(buf_slice(out), line))
			continue;
		buf_add(out, line);
		buf_add_byte(out, '\n');
		n++;
	}
	buf_free(&more);
	if (r == 0 && (n > ACCOUNTS_TARGETS_MAX || buf_check(out) < 0))
		r = edit_refuse(x, "%.*s would have more than %d members, or "
		    "members of more than %d bytes", SLICE_ARG(x->name),
		    ACCOUNTS_TARGETS_MAX, ACCOUNTS_TEXT_MAX);
	return r;
}

/* drop_members - those there are, without those of the edit */
static int
drop_members(struct editing *x, struct slice members, struct buf *out)
{
	struct buf	away = BUF_INIT_MAX(ACCOUNTS_TEXT_MAX);
	struct slice	rest, line;
	int		r = edit_take_targets(x, false, &away);

	rest = buf_slice(&away);
	while (r == 0 && slice_next_word(&rest, "\n", &line))
		if (!has_line(members, line))
			r = edit_refuse(x, "%.*s is no member of %.*s",
			    SLICE_ARG(line), SLICE_ARG(x->name));
	while (slice_next_word(&members, "\n", &line)) {
		if (has_line(buf_slice(&away), line))
			continue;
		buf_add(out, line);
		buf_add_byte(out, '\n');
	}
	buf_free(&away);
	return r;
}

typedef int	change_members_fn(struct editing *x, struct slice members,
		    struct buf *out);

/* change_group - other members, made of those there are */
static int
change_group(struct editing *x, change_members_fn *fn)
{
	struct accounts_group	group;
	struct buf		members = BUF_INIT_MAX(ACCOUNTS_TEXT_MAX);
	int			r;

	if ((r = edit_take_name(x)) < 0)
		return r;
	r = accounts_load_group(x->txn, x->name, &group);
	if (r == -ENOENT)
		return edit_refuse(x, "there is no group %.*s",
		    SLICE_ARG(x->name));
	if (r == 0)
		r = fn(x, group.members, &members);
	if (r == 0) {
		group.members = buf_slice(&members);
		r = accounts_store_group(x->txn, x->name, &group);
	}
	buf_free(&members);
	return r;
}

/* edit_GROUP_JOIN - more members */
int
edit_GROUP_JOIN(struct editing *x)
{
	return change_group(x, add_members);
}

/* edit_GROUP_LEAVE - fewer members */
int
edit_GROUP_LEAVE(struct editing *x)
{
	return change_group(x, drop_members);
}

/* edit_GROUP_DELETE - and forget it wherever it is a member */
int
edit_GROUP_DELETE(struct editing *x)
{
	struct accounts_key	key;
	int			r;

	if ((r = edit_take_name(x)) < 0 ||
	    (r = accounts_key_address(&key, SPACE_GROUP, x->name)) < 0)
		return r;
	r = accounts_del(x->txn, &key);
	if (r == -ENOENT)
		return edit_refuse(x, "there is no group %.*s",
		    SLICE_ARG(x->name));
	if (r < 0 || (r = edit_forget(x, SPACE_GROUP)) < 0)
		return r;
	return edit_forget(x, SPACE_SHARED);
}

/* put_members - who uses a shared account */
static int
put_members(struct editing *x)
{
	struct accounts_shared	shared;
	struct buf		members = BUF_INIT_MAX(ACCOUNTS_TEXT_MAX);
	int			r;

	r = edit_take_targets(x, true, &members);
	shared.members = buf_slice(&members);
	if (r == 0)
		r = accounts_store_shared(x->txn, slice_of(x->done->account),
		    &shared);
	buf_free(&members);
	return r;
}

/* edit_SHARED_ADD - an account without a password, and who uses it */
int
edit_SHARED_ADD(struct editing *x)
{
	int	r;

	r = edit_add_account(x, ACCOUNTS_ENABLED | ACCOUNTS_SHARED,
	    SLICE_EMPTY);
	return r < 0 ? r : put_members(x);
}

/* load_shared - a shared account */
static int
load_shared(struct editing *x)
{
	struct accounts_account	a;
	int			r;

	if ((r = edit_load(x, &a)) < 0)
		return r;
	return a.flags & ACCOUNTS_SHARED ? 0 : edit_refuse(x,
	    "%.*s is no shared account", SLICE_ARG(x->name));
}

/* edit_SHARED_SET - who uses it; sessions end */
int
edit_SHARED_SET(struct editing *x)
{
	int	r;

	if ((r = load_shared(x)) < 0)
		return r;
	x->done->is_void = true;
	return put_members(x);
}

/* change_shared - other users, made of those there are */
static int
change_shared(struct editing *x, change_members_fn *fn)
{
	struct accounts_shared	shared;
	struct buf		members = BUF_INIT_MAX(ACCOUNTS_TEXT_MAX);
	struct slice		id;
	int			r;

	if ((r = load_shared(x)) < 0)
		return r;
	id = slice_of(x->done->account);
	if ((r = accounts_load_shared(x->txn, id, &shared)) == 0 &&
	    (r = fn(x, shared.members, &members)) == 0) {
		shared.members = buf_slice(&members);
		r = accounts_store_shared(x->txn, id, &shared);
	}
	buf_free(&members);
	return r == -ENOENT ? -EBADMSG : r;
}

/* edit_SHARED_JOIN - more users */
int
edit_SHARED_JOIN(struct editing *x)
{
	return change_shared(x, add_members);
}

/* edit_SHARED_LEAVE - fewer users; sessions end */
int
edit_SHARED_LEAVE(struct editing *x)
{
	x->done->is_void = true;
	return change_shared(x, drop_members);
}

/* edit_SHARED_DELETE - with all that is in it */
int
edit_SHARED_DELETE(struct editing *x)
{
	int	r = load_shared(x);

	return r < 0 ? r : edit_ACCOUNT_DELETE(x);
}
