/* SPDX-License-Identifier: ISC */
/* Walks over all records of a kind. */
#include "libglobal/accounts_db.h"

#include <stdio.h>


/* --- rows; each fills one from a record. -ENOENT: it is not of that list */

/* the lists there are */
struct listing {
	const char		*kind;
	enum accounts_space	 space;
	int			(*fill)(struct accounts_txn *txn,
				    struct slice key, struct slice value,
				    struct arena *arena,
				    struct accounts_row *row);
};

/* fill_domain - a row of domains */
static int
fill_domain(struct accounts_txn *txn, struct slice key, struct slice value,
    struct arena *arena, struct accounts_row *row)
{
	struct accounts_domain	d;
	int			r = accounts_domain_decode(value, &d);

	(void)txn;
	(void)key;
	if (r < 0)
		return r;
	row->name = arena_dup(arena, d.name);
	row->quota_bytes = d.quota_bytes;
	row->quota_messages = d.quota_messages;
	row->created = d.created;
	row->enabled = true;
	return 0;
}

/* fill_login - an account of either kind */
static int
fill_login(struct accounts_txn *txn, struct slice value, bool shared,
    struct arena *arena, struct accounts_row *row)
{
	struct accounts_login	login;
	struct accounts_account	a;
	int			r;

	if ((r = accounts_login_decode(value, &login)) < 0 ||
	    (r = accounts_load_account(txn, login.id, &a)) < 0)
		return r == -ENOENT ? -EBADMSG : r;
	if (((a.flags & ACCOUNTS_SHARED) != 0) != shared)
		return -ENOENT;
	row->name = arena_dup(arena, a.login);
	row->account = arena_dup(arena, a.id);
	row->display_name = arena_dup(arena, a.display_name);
	row->created = a.created;
	row->enabled = (a.flags & ACCOUNTS_ENABLED) != 0;
	if (a.flags & ACCOUNTS_OWN_QUOTA) {
		row->quota_bytes = a.quota_bytes;
		row->quota_messages = a.quota_messages;
	}
	return 0;
}

/* fill_account - a row of accounts */
static int
fill_account(struct accounts_txn *txn, struct slice key, struct slice value,
    struct arena *arena, struct accounts_row *row)
{
	(void)key;
	return fill_login(txn, value, false, arena, row);
}

/* fill_shared - a row of shared accounts */
static int
fill_shared(struct accounts_txn *txn, struct slice key, struct slice value,
    struct arena *arena, struct accounts_row *row)
{
	struct accounts_shared	s;
	int			r;

	(void)key;
	if ((r = fill_login(txn, value, true, arena, row)) < 0)
		return r;
	if ((r = accounts_load_shared(txn, row->account, &s)) < 0)
		return r == -ENOENT ? -EBADMSG : r;
	row->value = arena_dup(arena, s.members);
	return 0;
}

/* fill_alias - a row of aliases */
static int
fill_alias(struct accounts_txn *txn, struct slice key, struct slice value,
    struct arena *arena, struct accounts_row *row)
{
	struct accounts_alias	alias;
	int			r;

	(void)txn;
	if ((r = accounts_alias_decode(value, &alias)) < 0 ||
	    (r = accounts_key_to_address(key, arena, &row->name)) < 0)
		return r;
	row->value = arena_dup(arena, alias.targets);
	row->created = alias.created;
	row->enabled = true;
	return 0;
}

/* fill_group - a row of groups */
static int
fill_group(struct accounts_txn *txn, struct slice key, struct slice value,
    struct arena *arena, struct accounts_row *row)
{
	struct accounts_group	group;
	int			r;

	(void)txn;
	if ((r = accounts_group_decode(value, &group)) < 0 ||
	    (r = accounts_key_to_address(key, arena, &row->name)) < 0)
		return r;
	row->value = arena_dup(arena, group.members);
	row->created = group.created;
	row->enabled = true;
	return 0;
}

static const struct listing listings[] = {
	{ "account",	SPACE_LOGIN,	fill_account },
	{ "domain",	SPACE_DOMAIN,	fill_domain },
	{ "alias",	SPACE_ALIAS,	fill_alias },
	{ "group",	SPACE_GROUP,	fill_group },
	{ "shared",	SPACE_LOGIN,	fill_shared },
};

/* start_key - where a list goes on: behind that name, so with one more byte */
static int
start_key(const struct listing *l, struct slice after, struct arena *arena,
    struct accounts_key *key)
{
	struct slice	name;
	int		r;

	if (after.len == 0)
		return accounts_key_plain(key, l->space, SLICE_EMPTY);
	if (l->space == SPACE_DOMAIN)
		r = accounts_key_plain(key, l->space, after);
	else if (accounts_address(after, arena, &name) < 0)
		return -EINVAL;
	else
		r = accounts_key_address(key, l->space, name);
	if (r < 0 || key->len == sizeof(key->bytes))
		return -EINVAL;
	key->bytes[key->len++] = '\0';
	return 0;
}

/* one list being made */
struct page {
	struct accounts_row	*row;
	size_t			 count;
	size_t			 bytes;
};

/* fill_page - rows until the list or the page ends */
static int
fill_page(struct accounts_txn *txn, const struct listing *l,
    const struct accounts_key *from, struct arena *arena, struct page *page,
    bool *ret_more)
{
	struct slice	key, value;
	int		r, filled;

	*ret_more = false;
	r = accounts_seek(txn, accounts_key_slice(from), &key, &value);
	for (; r != -ENOENT; r = accounts_next(txn, &key, &value)) {
		struct accounts_row row = { .kind = slice_of(l->kind) };

		if (r < 0 && r != -EBADMSG)
			return r;
		if (key.len == 0 || key.data[0] != (char)l->space)
			break;
		if (r == -EBADMSG)
			continue;	/* accounts_check tells of it */
		filled = l->fill(txn, key, value, arena, &row);
		if (filled == -ENOENT || filled == -EBADMSG)
			continue;
		if (filled < 0)
			return filled;
		if (page->count == ACCOUNTS_PAGE_MAX ||
		    page->bytes + row.value.len > ACCOUNTS_PAGE_BYTES) {
			*ret_more = true;
			break;
		}
		page->bytes += row.value.len;
		page->row[page->count++] = row;
	}
	return 0;
}

/* accounts_list - a page of rows */
int
accounts_list(struct accounts *a, struct slice kind, struct slice after,
    struct arena *arena, struct accounts_row **ret_rows, size_t *ret_count,
    bool *ret_more)
{
	const struct listing	*l = NULL;
	struct accounts_txn	 txn;
	struct accounts_key	 from;
	struct page		 page = { .count = 0 };
	int			 r;

	for (size_t i = 0; i < COUNT(listings); i++)
		if (slice_equal(kind, slice_of(listings[i].kind)))
			l = &listings[i];
	if (l == NULL)
		return -EINVAL;
	if ((r = start_key(l, after, arena, &from)) < 0 ||
	    (r = accounts_begin(a, false, &txn)) < 0)
		return r;
	page.row = ARENA_ARRAY(arena, struct accounts_row, ACCOUNTS_PAGE_MAX);
	r = fill_page(&txn, l, &from, arena, &page, ret_more);
	accounts_abort(&txn);
	if (r == 0) {
		*ret_rows = page.row;
		*ret_count = page.count;
	}
	return r;
}

/* --- checking */

/* decodes - does the record have the shape of its kind? */
static int
decodes(struct slice key, struct slice value)
{
	union {
#define RECORD(name, version, doc)	struct accounts_##name name;
#define FIELD(record, type, name, max, doc)
#define END(name)
#include "libglobal/accounts_records.def"
	} u;

	switch (key.len == 0 ? 0 : key.data[0]) {
	case SPACE_FORMAT:
		return accounts_format_decode(value, &u.format);
	case SPACE_DOMAIN:
		return accounts_domain_decode(value, &u.domain);
	case SPACE_ACCOUNT:
		return accounts_account_decode(value, &u.account);
	case SPACE_LOGIN:
		return accounts_login_decode(value, &u.login);
	case SPACE_ALIAS:
		return accounts_alias_decode(value, &u.alias);
	case SPACE_GROUP:
		return accounts_group_decode(value, &u.group);
	case SPACE_SHARED:
		return accounts_shared_decode(value, &u.shared);
	case SPACE_GONE:
		return accounts_gone_decode(value, &u.gone);
	default:
		return -EBADMSG;
	}
}

/* refers - does what the record names exist, too? */
static int
refers(struct accounts_txn *txn, struct slice key, struct slice value)
{
	struct accounts_login	login;
	struct accounts_account	account;
	struct accounts_shared	shared;
	int			r = 0;

	if (key.data[0] == SPACE_LOGIN) {
		r = accounts_login_decode(value, &login);
		if (r == 0)
			r = accounts_load_account(txn, login.id, &account);
	} else if (key.data[0] == SPACE_ACCOUNT) {
		r = accounts_account_decode(value, &account);
		if (r == 0 && (account.flags & ACCOUNTS_SHARED))
			r = accounts_load_shared(txn, account.id, &shared);
		if (r == 0)
			r = accounts_load_login(txn, account.login, &login);
	}
	return r;
}

/* accounts_check - every record */
int
accounts_check(struct accounts *a, void (*found)(void *arg, const char *what),
    void *arg)
{
	struct accounts_txn	txn;
	struct slice		key, value;
	struct buf		what = BUF_INIT;
	int			r, count = 0;

	if ((r = accounts_begin(a, false, &txn)) < 0)
		return r;
	r = accounts_seek(&txn, S("\1"), &key, &value);
	for (; r == 0 || r == -EBADMSG; r = accounts_next(&txn, &key, &value)) {
		if (r == 0 && decodes(key, value) == 0 &&
		    refers(&txn, key, value) == 0)
			continue;
		buf_reset(&what);
		buf_addf(&what, "record %c ", key.len > 0 ? key.data[0] : '?');
		for (size_t i = 1; i < key.len; i++)
			buf_add_byte(&what, key.data[i] > ' ' ? key.data[i] :
			    ' ');
		found(arg, buf_cstr(&what));
		count++;
	}
	buf_free(&what);
	accounts_abort(&txn);
	return r == -ENOENT ? count : r;
}
