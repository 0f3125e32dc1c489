/* SPDX-License-Identifier: ISC */
/*
 * Questions for single records. Each is one transaction that reads; what it
 * found is copied into the arena before that ends.
 */
#include "libglobal/accounts.h"

#include <stdio.h>

#include "libglobal/accounts_db.h"
#include "libmail/addr.h"
#include "libutil/utf8.h"

/* --- addresses */

/* is_plain_text - UTF-8 without control characters and blanks at its ends? */
static bool
is_plain_text(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.data[i] < ' ' || s.data[i] == 0x7f)
			return false;
	return utf8_is_valid(s);
}

/* accounts_address - the form addresses are kept in */
int
accounts_address(struct slice text, struct arena *arena,
    struct slice *ret_address)
{
	size_t		at = slice_find_last(text, '@');
	struct slice	local;
	struct domain	domain;

	if (at == SLICE_NONE)
		return -EBADMSG;
	local = slice_sub(text, 0, at);
	if (local.len > ADDR_LOCAL_MAX || !is_plain_text(local) ||
	    domain_parse(slice_from(text, at + 1), arena,
	    DOMAIN_UTF8 | DOMAIN_LENIENT, &domain) < 0)
		return -EBADMSG;
	local = addr_fold(arena, local);
	if (local.len > ADDR_LOCAL_MAX)
		return -EBADMSG;
	*ret_address = arena_printf(arena, "%.*s@%.*s", SLICE_ARG(local),
	    SLICE_ARG(domain.name));
	return 0;
}

/* domain_of - what stands behind the "@" */
static struct slice
domain_of(struct slice address)
{
	return slice_from(address, slice_find_last(address, '@') + 1);
}

/* --- single records */

/* keep_account - copy the texts */
static void
keep_account(struct accounts_account *account, struct arena *arena)
{
	account->id = arena_dup(arena, account->id);
	account->login = arena_dup(arena, account->login);
	account->password = arena_dup(arena, account->password);
	account->display_name = arena_dup(arena, account->display_name);
}

/* accounts_domain - a domain's record */
int
accounts_domain(struct accounts *a, struct slice domain, struct arena *arena,
    struct accounts_domain *ret_domain)
{
	struct accounts_txn	txn;
	struct domain		d;
	struct accounts_domain	record;
	int			r;

	if (domain_parse(domain, arena, DOMAIN_UTF8 | DOMAIN_LENIENT, &d) < 0)
		return -ENOENT;
	if ((r = accounts_begin(a, false, &txn)) < 0)
		return r;
	r = accounts_load_domain(&txn, d.name, &record);
	if (r == 0) {
		record.name = arena_dup(arena, record.name);
		*ret_domain = record;
	}
	accounts_abort(&txn);
	return r;
}

/* accounts_by_id - an account's record */
int
accounts_by_id(struct accounts *a, struct slice id, struct arena *arena,
    struct accounts_account *ret_account)
{
	struct accounts_txn	txn;
	int			r;

	if ((r = accounts_begin(a, false, &txn)) < 0)
		return r;
	r = accounts_load_account(&txn, id, ret_account);
	if (r == 0)
		keep_account(ret_account, arena);
	accounts_abort(&txn);
	return r;
}

/* accounts_load_by_login - the account of a login name, lent */
int
accounts_load_by_login(struct accounts_txn *txn, struct slice address,
    struct accounts_account *ret_account)
{
	struct accounts_login	login;
	int			r;

	if ((r = accounts_load_login(txn, address, &login)) < 0)
		return r;
	r = accounts_load_account(txn, login.id, ret_account);
	return r == -ENOENT ? -EBADMSG : r;
}

/* accounts_by_login - the account of a login name */
int
accounts_by_login(struct accounts *a, struct slice login,
    struct arena *arena, struct accounts_account *ret_account)
{
	struct accounts_txn	txn;
	struct slice		address;
	int			r;

	if (accounts_address(login, arena, &address) < 0)
		return -ENOENT;
	if ((r = accounts_begin(a, false, &txn)) < 0)
		return r;
	r = accounts_load_by_login(&txn, address, ret_account);
	if (r == 0)
		keep_account(ret_account, arena);
	accounts_abort(&txn);
	return r;
}

/* accounts_load_quota - the limits that hold */
int
accounts_load_quota(struct accounts_txn *txn, const struct accounts_account *account,
    uint64_t *ret_bytes, uint64_t *ret_messages)
{
	struct accounts_domain	domain;
	int			r;

	if (account->flags & ACCOUNTS_OWN_QUOTA) {
		*ret_bytes = account->quota_bytes;
		*ret_messages = account->quota_messages;
		return 0;
	}
	r = accounts_load_domain(txn, domain_of(account->login), &domain);
	if (r == 0) {
		*ret_bytes = domain.quota_bytes;
		*ret_messages = domain.quota_messages;
	}
	return r == -ENOENT ? -EBADMSG : r;
}

/* accounts_quota - the limits that hold */
int
accounts_quota(struct accounts *a, const struct accounts_account *account,
    uint64_t *ret_bytes, uint64_t *ret_messages)
{
	struct accounts_txn	txn;
	int			r;

	if ((r = accounts_begin(a, false, &txn)) < 0)
		return r;
	r = accounts_load_quota(&txn, account, ret_bytes, ret_messages);
	accounts_abort(&txn);
	return r;
}
