/* SPDX-License-Identifier: ISC */
/*
 * Edits: a function a verb, each inside one transaction that is committed if
 * the function returns 0. What a human must mend is refused with a sentence.
 */
#include "libglobal/accounts_db.h"

#include <stdarg.h>
#include <stdio.h>

#include "libmail/addr.h"
#include "libutil/hex.h"
#include "libutil/utf8.h"

struct editing {
	struct accounts_txn		*txn;
	const struct accounts_edit	*e;
	struct accounts_edited		*done;
	struct arena			*arena;
	struct slice			 name;	/* in the form it is kept in */
};

/* refuse - why not */
static int __attribute__((format(printf, 2, 3)))
refuse(struct editing *x, const char *format, ...)
{
	va_list	ap;

	va_start(ap, format);
	(void)vsnprintf(x->done->text, sizeof(x->done->text), format, ap);
	va_end(ap);
	return -EINVAL;
}

/* --- names */

/* take_address - the name is an address, written as the grammar wants it */
static int
take_address(struct editing *x, struct slice text, struct slice *ret_address)
{
	struct addr	addr;
	int		r;

	r = addr_parse(text, x->arena, ADDR_UTF8, &addr);
	if (r == 0 && addr.domain.kind == DOMAIN_NAME &&
	    addr.local.len <= ADDR_LOCAL_MAX)
		r = accounts_address(addr_join(x->arena, addr.local,
		    addr.domain.name), x->arena, ret_address);
	else
		r = -EBADMSG;
	return r == 0 ? 0 : refuse(x, "\"%.*s\" is no address",
	    SLICE_ARG(slice_sub(text, 0, 200)));
}

/* take_name - the edit's name as an address in a domain that is ours */
static int
take_name(struct editing *x)
{
	struct accounts_domain	domain;
	struct slice		name;
	int			r;

	if ((r = take_address(x, x->e->name, &x->name)) < 0)
		return r;
	name = slice_from(x->name, slice_find_last(x->name, '@') + 1);
	r = accounts_load_domain(x->txn, name, &domain);
	return r == -ENOENT ? refuse(x, "the domain %.*s is not in the "
	    "database: add it first", SLICE_ARG(name)) : r;
}

/* take_domain - the edit's name as a domain */
static int
take_domain(struct editing *x)
{
	struct domain	d;

	if (domain_parse(x->e->name, x->arena, DOMAIN_UTF8, &d) < 0)
		return refuse(x, "\"%.*s\" is no domain",
		    SLICE_ARG(slice_sub(x->e->name, 0, 200)));
	x->name = d.name;
	return 0;
}

/* take_alias_name - an address, or the catch-all of a domain */
static int
take_alias_name(struct editing *x)
{
	struct accounts_domain	record;
	struct domain		d;
	int			r;

	if (!slice_has_prefix(x->e->name, S("@")))
		return take_name(x);
	if (domain_parse(slice_from(x->e->name, 1), x->arena, DOMAIN_UTF8,
	    &d) < 0)
		return refuse(x, "\"%.*s\" is no domain",
		    SLICE_ARG(slice_sub(x->e->name, 0, 200)));
	x->name = addr_join(x->arena, SLICE_EMPTY, d.name);
	if (!slice_has_prefix(x->name, S("@")))
		x->name = arena_printf(x->arena, "@%.*s", SLICE_ARG(d.name));
	r = accounts_load_domain(x->txn, d.name, &record);
	return r == -ENOENT ? refuse(x, "the domain %.*s is not in the "
	    "database: add it first", SLICE_ARG(d.name)) : r;
}

/* is_free - the name is no login name and no group */
static int
is_free(struct editing *x)
{
	struct accounts_login	login;
	struct accounts_group	group;
	int			r;

	if ((r = accounts_load_login(x->txn, x->name, &login)) != -ENOENT)
		return r == 0 ? refuse(x, "there is an account %.*s already",
		    SLICE_ARG(x->name)) : r;
	if ((r = accounts_load_group(x->txn, x->name, &group)) != -ENOENT)
		return r == 0 ? refuse(x, "there is a group %.*s already",
		    SLICE_ARG(x->name)) : r;
	return 0;
}

/* load - the account of that name; its texts live as long as the arena */
static int
load(struct editing *x, struct accounts_account *account)
{
	struct accounts_login	login;
	int			r;

	if ((r = take_address(x, x->e->name, &x->name)) < 0)
		return r;
	r = accounts_load_login(x->txn, x->name, &login);
	if (r == -ENOENT)
		return refuse(x, "there is no account %.*s",
		    SLICE_ARG(x->name));
	if (r < 0 || (r = accounts_load_account(x->txn, login.id,
	    account)) < 0)
		return r == -ENOENT ? -EBADMSG : r;
	account->id = arena_dup(x->arena, account->id);
	account->login = arena_dup(x->arena, account->login);
	account->password = arena_dup(x->arena, account->password);
	account->display_name = arena_dup(x->arena, account->display_name);
	(void)snprintf(x->done->account, sizeof(x->done->account), "%.*s",
	    SLICE_ARG(account->id));
	return 0;
}

static int
store(struct editing *x, const struct accounts_account *account)
{
	return accounts_store_account(x->txn, account->id, account);
}

/* --- values */

/* take_password - a hash; what it is made of its makers know */
static int
take_password(struct editing *x, struct slice *ret_hash)
{
	struct slice	v = x->e->value;

	if (v.len == 0 || v.len > ACCOUNTS_PASSWORD_MAX || !utf8_is_valid(v) ||
	    v.data[0] != '$' || slice_find(v, '\n') != SLICE_NONE)
		return refuse(x, "the password is no hash of a known kind");
	*ret_hash = v;
	return 0;
}

/* take_quota - "bytes messages" */
static int
take_quota(struct editing *x, uint64_t *ret_bytes, uint64_t *ret_messages)
{
	struct slice	rest = x->e->value, bytes, messages, more;
	uint64_t	b, m;

	if (!slice_next_word(&rest, " \t", &bytes) ||
	    !slice_next_word(&rest, " \t", &messages) ||
	    slice_next_word(&rest, " \t", &more) ||
	    slice_to_u64(bytes, INT64_MAX, &b) < 0 ||
	    slice_to_u64(messages, INT64_MAX, &m) < 0)
		return refuse(x, "a quota is two numbers, bytes and messages; "
		    "0 is no limit");
	*ret_bytes = b;
	*ret_messages = m;
	return 0;
}

/* exists - is the address an account or a group? */
static int
exists(struct editing *x, struct slice address)
{
	struct accounts_login	login;
	struct accounts_group	group;
	int			r;

	if ((r = accounts_load_login(x->txn, address, &login)) == -ENOENT)
		r = accounts_load_group(x->txn, address, &group);
	return r == -ENOENT ? refuse(x, "there is no account or group %.*s",
	    SLICE_ARG(slice_sub(address, 0, 200))) : r;
}

/* take_targets - addresses, a line each, once each, in their kept form */
static int
take_targets(struct editing *x, bool must_exist, struct buf *out)
{
	struct slice	rest = x->e->value, line, address;
	size_t		n = 0;
	int		r;

	while (slice_next_word(&rest, "\r\n", &line)) {
		line = slice_trim(line);
		if (line.len == 0)
			continue;
		if (n++ == ACCOUNTS_TARGETS_MAX)
			return refuse(x, "more than %d addresses",
			    ACCOUNTS_TARGETS_MAX);
		if ((r = take_address(x, line, &address)) < 0 ||
		    (must_exist && (r = exists(x, address)) < 0))
			return r;
		buf_add(out, address);
		buf_add_byte(out, '\n');
	}
	if (n == 0)
		return refuse(x, "no addresses are given");
	return buf_check(out) == 0 ? 0 : refuse(x, "the addresses are longer "
	    "than %d bytes", ACCOUNTS_TEXT_MAX);
}

/* --- accounts */

/* add_account - a new account, of a person or shared */
static int
add_account(struct editing *x, uint32_t flags, struct slice password)
{
	struct accounts_account	a = { .id = slice_of(x->e->id),
				    .password = password, .flags = flags,
				    .created = x->e->now,
				    .password_set = x->e->now }, other;
	struct accounts_login	login = { a.id };
	struct accounts_gone	gone;
	int			r;

	if ((r = take_name(x)) < 0 || (r = is_free(x)) < 0)
		return r;
	a.login = x->name;
	if ((r = accounts_load_account(x->txn, a.id, &other)) != -ENOENT ||
	    (r = accounts_load_gone(x->txn, a.id, &gone)) != -ENOENT)
		return r == 0 ? -EEXIST : r;
	(void)snprintf(x->done->account, sizeof(x->done->account), "%.*s",
	    SLICE_ARG(a.id));
	r = accounts_store_login(x->txn, x->name, &login);
	return r < 0 ? r : store(x, &a);
}

static int
account_add(struct editing *x)
{
	struct slice	hash;
	int		r;

	if ((r = take_password(x, &hash)) < 0)
		return r;
	return add_account(x, ACCOUNTS_ENABLED, hash);
}

static int
account_password(struct editing *x)
{
	struct accounts_account	a;
	int			r;

	if ((r = load(x, &a)) < 0)
		return r;
	if (a.flags & ACCOUNTS_SHARED)
		return refuse(x, "%.*s is a shared account; it has no "
		    "password", SLICE_ARG(x->name));
	if ((r = take_password(x, &a.password)) < 0)
		return r;
	a.password_set = x->e->now;
	x->done->is_void = true;
	return store(x, &a);
}

/* without - the lines of a text but for one; says whether it was there */
static bool
without(struct slice text, struct slice address, struct buf *out)
{
	struct slice	line;
	bool		had = false;

	while (slice_next_word(&text, "\n", &line)) {
		if (slice_equal(line, address)) {
			had = true;
			continue;
		}
		buf_add(out, line);
		buf_add_byte(out, '\n');
	}
	return had;
}

/* forget_in - take an address out of one record of members */
static int
forget_in(struct editing *x, const struct accounts_key *key,
    struct slice value)
{
	struct accounts_group	group;
	struct accounts_shared	shared;
	struct buf		out = BUF_INIT, record = BUF_INIT;
	bool			is_group = key->bytes[0] == SPACE_GROUP, had;
	int			r;

	if (is_group)
		r = accounts_group_decode(value, &group);
	else
		r = accounts_shared_decode(value, &shared);
	if (r < 0)
		return 0;	/* a damaged record is not made worse */
	had = without(is_group ? group.members : shared.members, x->name, &out);
	if (had && is_group) {
		group.members = buf_slice(&out);
		accounts_group_encode(&record, &group);
	} else if (had) {
		shared.members = buf_slice(&out);
		accounts_shared_encode(&record, &shared);
	}
	if (had)
		r = accounts_put(x->txn, key, buf_slice(&record));
	buf_free(&out);
	buf_free(&record);
	return r;
}

/* forget - take an address out of all groups, or all shared accounts */
static int
forget(struct editing *x, enum accounts_space space)
{
	struct accounts_key	at;
	struct slice		key, value;
	int			r;

	ignore(accounts_key_plain(&at, space, SLICE_EMPTY));	/* it is short */
	for (;;) {
		r = accounts_seek(x->txn, accounts_key_slice(&at), &key,
		    &value);
		if (r < 0 && r != -EBADMSG)
			return r == -ENOENT ? 0 : r;
		if (key.data[0] != (char)space)
			return 0;
		if (key.len >= sizeof(at.bytes))
			return -EBADMSG;
		memcpy(at.bytes, key.data, key.len);
		at.len = key.len;
		if (r == 0 && (r = forget_in(x, &at, value)) < 0)
			return r;
		at.bytes[at.len++] = '\0';	/* the next one */
	}
}

static int
account_delete(struct editing *x)
{
	struct accounts_account	a;
	struct accounts_gone	gone = { .deleted = x->e->now };
	struct accounts_key	key;
	int			r;

	if ((r = load(x, &a)) < 0)
		return r;
	gone.login = a.login;
	x->done->is_void = true;
	if ((r = accounts_key_address(&key, SPACE_LOGIN, x->name)) < 0 ||
	    (r = accounts_del(x->txn, &key)) < 0 ||
	    (r = accounts_key_plain(&key, SPACE_ACCOUNT, a.id)) < 0 ||
	    (r = accounts_del(x->txn, &key)) < 0 ||
	    (r = accounts_key_plain(&key, SPACE_SHARED, a.id)) < 0 ||
	    ((r = accounts_del(x->txn, &key)) < 0 && r != -ENOENT) ||
	    (r = accounts_store_gone(x->txn, a.id, &gone)) < 0 ||
	    (r = forget(x, SPACE_GROUP)) < 0)
		return r;
	return forget(x, SPACE_SHARED);
}

static int
account_enable(struct editing *x)
{
	struct accounts_account	a;
	int			r;

	if ((r = load(x, &a)) < 0)
		return r;
	a.flags |= ACCOUNTS_ENABLED;
	return store(x, &a);
}

static int
account_disable(struct editing *x)
{
	struct accounts_account	a;
	int			r;

	if ((r = load(x, &a)) < 0)
		return r;
	a.flags &= ~(uint32_t)ACCOUNTS_ENABLED;
	x->done->is_void = true;
	return store(x, &a);
}

static int
account_quota(struct editing *x)
{
	struct accounts_account	a;
	int			r;

	if ((r = load(x, &a)) < 0)
		return r;
	if (slice_equal(slice_trim(x->e->value), S("default"))) {
		a.flags &= ~(uint32_t)ACCOUNTS_OWN_QUOTA;
		a.quota_bytes = a.quota_messages = 0;
	} else if ((r = take_quota(x, &a.quota_bytes,
	    &a.quota_messages)) < 0) {
		return r;
	} else {
		a.flags |= ACCOUNTS_OWN_QUOTA;
	}
	return store(x, &a);
}

static int
account_name(struct editing *x)
{
	struct accounts_account	a;
	struct slice		name = slice_trim(x->e->value);
	int			r;

	if ((r = load(x, &a)) < 0)
		return r;
	if (name.len > ACCOUNTS_NAME_MAX || !utf8_is_valid(name))
		return refuse(x, "a display name is at most %d bytes of UTF-8",
		    ACCOUNTS_NAME_MAX);
	for (size_t i = 0; i < name.len; i++)
		if ((unsigned char)name.data[i] < ' ' || name.data[i] == 0x7f)
			return refuse(x, "there is a control character in the "
			    "display name");
	a.display_name = name;
	return store(x, &a);
}

/* --- domains */

static int
domain_add(struct editing *x)
{
	struct accounts_domain	d = { .created = x->e->now }, other;
	int			r;

	if ((r = take_domain(x)) < 0)
		return r;
	r = accounts_load_domain(x->txn, x->name, &other);
	if (r != -ENOENT)
		return r == 0 ? refuse(x, "the domain %.*s is in the database "
		    "already", SLICE_ARG(x->name)) : r;
	d.name = x->name;
	return accounts_store_domain(x->txn, x->name, &d);
}

/* load_domain - the domain of that name */
static int
load_domain(struct editing *x, struct accounts_domain *domain)
{
	int	r;

	if ((r = take_domain(x)) < 0)
		return r;
	r = accounts_load_domain(x->txn, x->name, domain);
	if (r == -ENOENT)
		return refuse(x, "the domain %.*s is not in the database",
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
	return !slice_has_prefix(key, from) ? 0 : refuse(x, "there are %s in "
	    "the domain %.*s: delete them first", what, SLICE_ARG(x->name));
}

static int
domain_delete(struct editing *x)
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

static int
domain_quota(struct editing *x)
{
	struct accounts_domain	domain;
	int			r;

	if ((r = load_domain(x, &domain)) < 0 ||
	    (r = take_quota(x, &domain.quota_bytes,
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

	if ((r = take_alias_name(x)) < 0)
		return r;
	r = accounts_load_group(x->txn, x->name, &group);
	if (r != -ENOENT)
		return r == 0 ? refuse(x, "there is a group %.*s already",
		    SLICE_ARG(x->name)) : r;
	r = accounts_load_alias(x->txn, x->name, &other);
	if (r == 0 && !replace)
		return refuse(x, "there is an alias %.*s already",
		    SLICE_ARG(x->name));
	if (r == 0)
		alias.created = other.created;
	/* one that is damaged can be replaced */
	r = r == -ENOENT || r == -EBADMSG ? 0 : r;
	if (r == 0)
		r = take_targets(x, false, &targets);
	alias.targets = buf_slice(&targets);
	if (r == 0)
		r = accounts_store_alias(x->txn, x->name, &alias);
	buf_free(&targets);
	return r;
}

static int
alias_add(struct editing *x)
{
	return put_alias(x, false);
}

static int
alias_set(struct editing *x)
{
	return put_alias(x, true);
}

static int
alias_delete(struct editing *x)
{
	struct accounts_key	key;
	int			r;

	if ((r = take_alias_name(x)) < 0 ||
	    (r = accounts_key_address(&key, SPACE_ALIAS, x->name)) < 0)
		return r;
	r = accounts_del(x->txn, &key);
	return r == -ENOENT ? refuse(x, "there is no alias %.*s",
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

	if ((r = take_name(x)) < 0)
		return r;
	if (accounts_load_login(x->txn, x->name, &login) != -ENOENT ||
	    accounts_load_alias(x->txn, x->name, &alias) != -ENOENT)
		return refuse(x, "there is an account or alias %.*s already",
		    SLICE_ARG(x->name));
	r = accounts_load_group(x->txn, x->name, &other);
	if (r == 0 && !replace)
		return refuse(x, "there is a group %.*s already",
		    SLICE_ARG(x->name));
	if (r == 0)
		group.created = other.created;
	r = r == -ENOENT || r == -EBADMSG ? 0 : r;
	if (r == 0)
		r = take_targets(x, true, &members);
	group.members = buf_slice(&members);
	if (r == 0)
		r = accounts_store_group(x->txn, x->name, &group);
	buf_free(&members);
	return r;
}

static int
group_add(struct editing *x)
{
	return put_group(x, false);
}

static int
group_set(struct editing *x)
{
	return put_group(x, true);
}

static int
group_delete(struct editing *x)
{
	struct accounts_key	key;
	int			r;

	if ((r = take_name(x)) < 0 ||
	    (r = accounts_key_address(&key, SPACE_GROUP, x->name)) < 0)
		return r;
	r = accounts_del(x->txn, &key);
	if (r == -ENOENT)
		return refuse(x, "there is no group %.*s", SLICE_ARG(x->name));
	if (r < 0 || (r = forget(x, SPACE_GROUP)) < 0)
		return r;
	return forget(x, SPACE_SHARED);
}

/* put_members - who uses a shared account */
static int
put_members(struct editing *x)
{
	struct accounts_shared	shared;
	struct buf		members = BUF_INIT_MAX(ACCOUNTS_TEXT_MAX);
	int			r;

	r = take_targets(x, true, &members);
	shared.members = buf_slice(&members);
	if (r == 0)
		r = accounts_store_shared(x->txn, slice_of(x->done->account),
		    &shared);
	buf_free(&members);
	return r;
}

static int
shared_add(struct editing *x)
{
	int	r;

	r = add_account(x, ACCOUNTS_ENABLED | ACCOUNTS_SHARED, SLICE_EMPTY);
	return r < 0 ? r : put_members(x);
}

static int
shared_set(struct editing *x)
{
	struct accounts_account	a;
	int			r;

	if ((r = load(x, &a)) < 0)
		return r;
	if (!(a.flags & ACCOUNTS_SHARED))
		return refuse(x, "%.*s is no shared account",
		    SLICE_ARG(x->name));
	x->done->is_void = true;
	return put_members(x);
}

/* --- all verbs */

static const struct {
	const char	*text;
	bool		 password;
} verbs[] = {
#define VERB(name, text, password, doc)	{ text, password },
#include "libglobal/accounts_verbs.def"
};

/* accounts_verb - by its text */
int
accounts_verb(struct slice text, enum accounts_verb *ret_verb)
{
	for (size_t i = 0; i < COUNT(verbs); i++) {
		if (!slice_equal(text, slice_of(verbs[i].text)))
			continue;
		*ret_verb = (enum accounts_verb)i;
		return 0;
	}
	return -ENOENT;
}

/* accounts_verb_has_password - must its value be hashed? */
bool
accounts_verb_has_password(enum accounts_verb verb)
{
	return verbs[verb].password;
}

/* accounts_id_make - lower-case hexadecimal */
void
accounts_id_make(const unsigned char random[8], char id[ACCOUNTS_ID_SIZE + 1])
{
	struct buf	b = BUF_INIT;

	hex_encode(&b, slice_over(random, 8));
	memcpy(id, buf_cstr(&b), ACCOUNTS_ID_SIZE + 1);
	buf_free(&b);
}

static int
apply(struct editing *x)
{
	switch (x->e->verb) {
	case ACCOUNTS_ACCOUNT_ADD:	return account_add(x);
	case ACCOUNTS_ACCOUNT_PASSWORD:	return account_password(x);
	case ACCOUNTS_ACCOUNT_DELETE:	return account_delete(x);
	case ACCOUNTS_ACCOUNT_ENABLE:	return account_enable(x);
	case ACCOUNTS_ACCOUNT_DISABLE:	return account_disable(x);
	case ACCOUNTS_ACCOUNT_QUOTA:	return account_quota(x);
	case ACCOUNTS_ACCOUNT_NAME:	return account_name(x);
	case ACCOUNTS_DOMAIN_ADD:	return domain_add(x);
	case ACCOUNTS_DOMAIN_DELETE:	return domain_delete(x);
	case ACCOUNTS_DOMAIN_QUOTA:	return domain_quota(x);
	case ACCOUNTS_ALIAS_ADD:	return alias_add(x);
	case ACCOUNTS_ALIAS_SET:	return alias_set(x);
	case ACCOUNTS_ALIAS_DELETE:	return alias_delete(x);
	case ACCOUNTS_GROUP_ADD:	return group_add(x);
	case ACCOUNTS_GROUP_SET:	return group_set(x);
	case ACCOUNTS_GROUP_DELETE:	return group_delete(x);
	case ACCOUNTS_SHARED_ADD:	return shared_add(x);
	case ACCOUNTS_SHARED_SET:	return shared_set(x);
	case ACCOUNTS_VERB_COUNT:	break;
	}
	return refuse(x, "no such verb");
}

/* accounts_edit - one change, in one transaction */
int
accounts_edit(struct accounts *a, const struct accounts_edit *e,
    struct accounts_edited *ret_edited)
{
	struct accounts_txn	txn;
	struct arena		arena = ARENA_INIT;
	struct accounts_edited	done = { .account = "" };
	struct editing		x = { .txn = &txn, .e = e, .done = &done,
				    .arena = &arena };
	int			r;

	if ((r = accounts_begin(a, true, &txn)) < 0)
		return r;
	r = apply(&x);
	if (r == 0)
		r = accounts_commit(&txn);
	accounts_abort(&txn);
	arena_free(&arena);
	if (r < 0)
		done.is_void = false;
	*ret_edited = done;
	return r;
}
