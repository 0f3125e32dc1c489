/* SPDX-License-Identifier: ISC */
/* Verbs for accounts. */
#include "libglobal/accounts_edit_impl.h"

#include <stdio.h>

#include "libutil/utf8.h"

/* edit_load - the account of that name; its texts live as long as the arena */
int
edit_load(struct editing *x, struct accounts_account *account)
{
	struct accounts_login	login;
	int			r;

	if ((r = edit_take_address(x, x->e->name, &x->name)) < 0)
		return r;
	r = accounts_load_login(x->txn, x->name, &login);
	if (r == -ENOENT)
		return edit_refuse(x, "there is no account %.*s",
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

/* edit_store - what edit_load got, changed */
static int
edit_store(struct editing *x, const struct accounts_account *account)
{
	return accounts_store_account(x->txn, account->id, account);
}

/* edit_take_password - a hash; what it is made of its makers know */
static int
edit_take_password(struct editing *x, struct slice *ret_hash)
{
	struct slice	v = x->e->value;

	if (v.len == 0 || v.len > ACCOUNTS_PASSWORD_MAX || !utf8_is_valid(v) ||
	    v.data[0] != '$' || slice_find(v, '\n') != SLICE_NONE)
		return edit_refuse(x,
		    "the password is no hash of a known kind");
	*ret_hash = v;
	return 0;
}

/* edit_add_account - a new account, of a person or shared */
int
edit_add_account(struct editing *x, uint32_t flags, struct slice password)
{
	struct accounts_account	a = { .id = slice_of(x->e->id),
				    .password = password, .flags = flags,
				    .created = x->e->now,
				    .password_set = x->e->now }, other;
	struct accounts_login	login = { a.id };
	struct accounts_gone	gone;
	int			r;

	if ((r = edit_take_name(x)) < 0 || (r = edit_is_free(x)) < 0)
		return r;
	a.login = x->name;
	if ((r = accounts_load_account(x->txn, a.id, &other)) != -ENOENT ||
	    (r = accounts_load_gone(x->txn, a.id, &gone)) != -ENOENT)
		return r == 0 ? -EEXIST : r;
	(void)snprintf(x->done->account, sizeof(x->done->account), "%.*s",
	    SLICE_ARG(a.id));
	r = accounts_store_login(x->txn, x->name, &login);
	return r < 0 ? r : edit_store(x, &a);
}

/* edit_ACCOUNT_ADD - of a person */
int
edit_ACCOUNT_ADD(struct editing *x)
{
	struct slice	hash;
	int		r;

	if ((r = edit_take_password(x, &hash)) < 0)
		return r;
	return edit_add_account(x, ACCOUNTS_ENABLED, hash);
}

/* edit_ACCOUNT_PASSWORD - a new one; sessions end */
int
edit_ACCOUNT_PASSWORD(struct editing *x)
{
	struct accounts_account	a;
	int			r;

	if ((r = edit_load(x, &a)) < 0)
		return r;
	if (a.flags & ACCOUNTS_SHARED)
		return edit_refuse(x, "%.*s is a shared account; it has no "
		    "password", SLICE_ARG(x->name));
	if ((r = edit_take_password(x, &a.password)) < 0)
		return r;
	a.password_set = x->e->now;
	x->done->is_void = true;
	return edit_store(x, &a);
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

/* edit_forget - take an address out of all groups, or all shared accounts */
int
edit_forget(struct editing *x, enum accounts_space space)
{
	struct accounts_key	at;
	struct slice		key, value;
	int			r;

	ignore(accounts_key_plain(&at, space, SLICE_EMPTY));	/* short */
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

/* edit_ACCOUNT_DELETE - its id is remembered, so that it is never used again */
int
edit_ACCOUNT_DELETE(struct editing *x)
{
	struct accounts_account	a;
	struct accounts_gone	gone = { .deleted = x->e->now };
	struct accounts_key	key;
	int			r;

	if ((r = edit_load(x, &a)) < 0)
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
	    (r = edit_forget(x, SPACE_GROUP)) < 0)
		return r;
	return edit_forget(x, SPACE_SHARED);
}

/* edit_ACCOUNT_ENABLE - let it log in */
int
edit_ACCOUNT_ENABLE(struct editing *x)
{
	struct accounts_account	a;
	int			r;

	if ((r = edit_load(x, &a)) < 0)
		return r;
	a.flags |= ACCOUNTS_ENABLED;
	return edit_store(x, &a);
}

/* edit_ACCOUNT_DISABLE - let it not log in; sessions end */
int
edit_ACCOUNT_DISABLE(struct editing *x)
{
	struct accounts_account	a;
	int			r;

	if ((r = edit_load(x, &a)) < 0)
		return r;
	a.flags &= ~(uint32_t)ACCOUNTS_ENABLED;
	x->done->is_void = true;
	return edit_store(x, &a);
}

/* edit_ACCOUNT_QUOTA - limits of its own, or its domain's */
int
edit_ACCOUNT_QUOTA(struct editing *x)
{
	struct accounts_account	a;
	int			r;

	if ((r = edit_load(x, &a)) < 0)
		return r;
	if (slice_equal(slice_trim(x->e->value), S("default"))) {
		a.flags &= ~(uint32_t)ACCOUNTS_OWN_QUOTA;
		a.quota_bytes = a.quota_messages = 0;
	} else if ((r = edit_take_quota(x, &a.quota_bytes,
	    &a.quota_messages)) < 0) {
		return r;
	} else {
		a.flags |= ACCOUNTS_OWN_QUOTA;
	}
	return edit_store(x, &a);
}

/* edit_ACCOUNT_NAME - how the owner is called */
int
edit_ACCOUNT_NAME(struct editing *x)
{
	struct accounts_account	a;
	struct slice		name = slice_trim(x->e->value);
	int			r;

	if ((r = edit_load(x, &a)) < 0)
		return r;
	if (name.len > ACCOUNTS_NAME_MAX || !utf8_is_valid(name))
		return edit_refuse(x, "a display name is at most %d bytes "
		    "of UTF-8", ACCOUNTS_NAME_MAX);
	for (size_t i = 0; i < name.len; i++)
		if ((unsigned char)name.data[i] < ' ' || name.data[i] == 0x7f)
			return edit_refuse(x, "there is a control character "
			    "in the display name");
	a.display_name = name;
	return edit_store(x, &a);
}
