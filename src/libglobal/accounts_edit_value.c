/* SPDX-License-Identifier: ISC */
/* What edits are given: names and values, checked before anything changes. */
#include "libglobal/accounts_edit_impl.h"

#include <stdarg.h>
#include <stdio.h>

#include "libmail/addr.h"

/* edit_refuse - why not */
int
edit_refuse(struct editing *x, const char *format, ...)
{
	va_list	ap;

	va_start(ap, format);
	(void)vsnprintf(x->done->text, sizeof(x->done->text), format, ap);
	va_end(ap);
	return -EINVAL;
}

/* --- names */

/* edit_take_address - an address, written as the grammar wants it */
int
edit_take_address(struct editing *x, struct slice text,
    struct slice *ret_address)
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
	return r == 0 ? 0 : edit_refuse(x, "\"%.*s\" is no address",
	    SLICE_ARG(slice_sub(text, 0, 200)));
}

/* edit_take_name - the edit's name as an address in a domain that is ours */
int
edit_take_name(struct editing *x)
{
	struct accounts_domain	domain;
	struct slice		name;
	int			r;

	if ((r = edit_take_address(x, x->e->name, &x->name)) < 0)
		return r;
	name = slice_from(x->name, slice_find_last(x->name, '@') + 1);
	r = accounts_load_domain(x->txn, name, &domain);
	return r == -ENOENT ? edit_refuse(x, "the domain %.*s is not in the "
	    "database: add it first", SLICE_ARG(name)) : r;
}

/* edit_take_domain - the edit's name as a domain */
int
edit_take_domain(struct editing *x)
{
	struct domain	d;

	if (domain_parse(x->e->name, x->arena, DOMAIN_UTF8, &d) < 0)
		return edit_refuse(x, "\"%.*s\" is no domain",
		    SLICE_ARG(slice_sub(x->e->name, 0, 200)));
	x->name = d.name;
	return 0;
}

/* edit_take_alias_name - an address, or the catch-all of a domain */
int
edit_take_alias_name(struct editing *x)
{
	struct accounts_domain	record;
	struct domain		d;
	int			r;

	if (!slice_has_prefix(x->e->name, S("@")))
		return edit_take_name(x);
	if (domain_parse(slice_from(x->e->name, 1), x->arena, DOMAIN_UTF8,
	    &d) < 0)
		return edit_refuse(x, "\"%.*s\" is no domain",
		    SLICE_ARG(slice_sub(x->e->name, 0, 200)));
	x->name = addr_join(x->arena, SLICE_EMPTY, d.name);
	if (!slice_has_prefix(x->name, S("@")))
		x->name = arena_printf(x->arena, "@%.*s", SLICE_ARG(d.name));
	r = accounts_load_domain(x->txn, d.name, &record);
	return r == -ENOENT ? edit_refuse(x, "the domain %.*s is not in the "
	    "database: add it first", SLICE_ARG(d.name)) : r;
}

/* edit_is_free - the name is no login name and no group */
int
edit_is_free(struct editing *x)
{
	struct accounts_login	login;
	struct accounts_group	group;
	int			r;

	if ((r = accounts_load_login(x->txn, x->name, &login)) != -ENOENT)
		return r == 0 ? edit_refuse(x, "there is an account %.*s "
		    "already", SLICE_ARG(x->name)) : r;
	if ((r = accounts_load_group(x->txn, x->name, &group)) != -ENOENT)
		return r == 0 ? edit_refuse(x, "there is a group %.*s already",
		    SLICE_ARG(x->name)) : r;
	return 0;
}

/* --- values */

/* edit_take_quota - "bytes messages" */
int
edit_take_quota(struct editing *x, uint64_t *ret_bytes, uint64_t *ret_messages)
{
	struct slice	rest = x->e->value, bytes, messages, more;
	uint64_t	b, m;

	if (!slice_next_word(&rest, " \t", &bytes) ||
	    !slice_next_word(&rest, " \t", &messages) ||
	    slice_next_word(&rest, " \t", &more) ||
	    slice_to_u64(bytes, INT64_MAX, &b) < 0 ||
	    slice_to_u64(messages, INT64_MAX, &m) < 0)
		return edit_refuse(x, "a quota is two numbers, bytes and "
		    "messages; 0 is no limit");
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
	return r == -ENOENT ? edit_refuse(x, "there is no account or group "
	    "%.*s", SLICE_ARG(slice_sub(address, 0, 200))) : r;
}

/* edit_take_targets - addresses, a line each, once each, in their kept form */
int
edit_take_targets(struct editing *x, bool must_exist, struct buf *out)
{
	struct slice	rest = x->e->value, line, address;
	size_t		n = 0;
	int		r;

	while (slice_next_word(&rest, "\r\n", &line)) {
		line = slice_trim(line);
		if (line.len == 0)
			continue;
		if (n++ == ACCOUNTS_TARGETS_MAX)
			return edit_refuse(x, "more than %d addresses",
			    ACCOUNTS_TARGETS_MAX);
		if ((r = edit_take_address(x, line, &address)) < 0 ||
		    (must_exist && (r = exists(x, address)) < 0))
			return r;
		buf_add(out, address);
		buf_add_byte(out, '\n');
	}
	if (n == 0)
		return edit_refuse(x, "no addresses are given");
	return buf_check(out) == 0 ? 0 : edit_refuse(x, "the addresses are "
	    "longer than %d bytes", ACCOUNTS_TEXT_MAX);
}
