/* SPDX-License-Identifier: ISC */
/*
 * accounts_edit_impl: what the files of edits share. Each verb is a function
 * inside one transaction that is committed if it returns 0. What a human must
 * mend is refused with a sentence (-EINVAL). Included by accounts_edit*.c.
 */
#ifndef LIBGLOBAL_ACCOUNTS_EDIT_IMPL_H
#define LIBGLOBAL_ACCOUNTS_EDIT_IMPL_H

#include "libglobal/accounts_db.h"

struct editing {
	struct accounts_txn		*txn;
	const struct accounts_edit	*e;
	struct accounts_edited		*done;
	struct arena			*arena;
	struct slice			 name;	/* in the form it is kept in */
};

/* say why not; -EINVAL */
MUST_USE int	edit_refuse(struct editing *x, const char *format, ...)
		    __attribute__((format(printf, 2, 3)));

/* --- accounts_edit_value.c: names and values, checked */

/* a text as an address in the form it is kept in */
MUST_USE int	edit_take_address(struct editing *x, struct slice text,
		    struct slice *ret_address);
/* x->name from the edit: an address in a domain of ours; the same, or the
 * catch-all of one; a domain */
MUST_USE int	edit_take_name(struct editing *x);
MUST_USE int	edit_take_alias_name(struct editing *x);
MUST_USE int	edit_take_domain(struct editing *x);
/* x->name is no login name and no group yet */
MUST_USE int	edit_is_free(struct editing *x);
/* "bytes messages" */
MUST_USE int	edit_take_quota(struct editing *x, uint64_t *ret_bytes,
		    uint64_t *ret_messages);
/* addresses, a line each; must_exist: as accounts or groups */
MUST_USE int	edit_take_targets(struct editing *x, bool must_exist,
		    struct buf *out);

/* --- accounts_edit_account.c */

/* the account that the edit names; its texts live as long as the arena */
MUST_USE int	edit_load(struct editing *x, struct accounts_account *account);
/* a new account of that name */
MUST_USE int	edit_add_account(struct editing *x, uint32_t flags,
		    struct slice password);
/* take x->name out of all groups, or all shared accounts */
MUST_USE int	edit_forget(struct editing *x, enum accounts_space space);

/* --- the verbs */
#define VERB(name, text, password, doc)	\
	MUST_USE int	edit_##name(struct editing *x);
#include "libglobal/accounts_verbs.def"

#endif
