/* SPDX-License-Identifier: ISC */
/* Questions about accounts: whose ticket, what account, who gets mail, and
 * lists for tools. */
#include "authd/authd.h"

/* answer_account - the answer to questions about one account */
static int
answer_account(struct authd_caller *c, struct ipc_in *in,
    const struct msg_auth_account_is *m)
{
	return ipc_reply(&c->conn, in->request, &msg_auth_account_is_desc, m);
}

/* describe - an account and its limits */
static int
describe(struct authd *a, struct slice id, bool login, struct arena *arena,
    struct msg_auth_account_is *m)
{
	struct accounts_account	account;
	int			r;

	r = accounts_by_id(a->accounts, id, arena, &account);
	if (r == 0)
		r = accounts_quota(a->accounts, &account, &m->quota_bytes,
		    &m->quota_messages);
	if (r < 0 && r != -ENOENT) {
		authd_database_failed(a, r);
		m->temporary = true;
	}
	/* mail still comes to a disabled account; its owner does not */
	if (r < 0 || (login && !(account.flags & ACCOUNTS_ENABLED)))
		return 0;
	m->found = true;
	m->account = account.id;
	m->login = account.login;
	return 0;
}

/* authd_confirm - stored: whose ticket is this? */
int
authd_confirm(struct task *t, struct authd_caller *c, struct ipc_in *in,
    struct arena *arena)
{
	const struct msg_auth_confirm	*m = in->msg;
	struct authd			*a = c->authd;
	struct msg_auth_account_is	 is = { .found = false };
	char				 id[64];
	int				 r;

	r = tickets_take(&a->tickets, m->ticket, m->process, task_now(t),
	    authd_params(a)->authd_ticket_ttl, id, sizeof(id));
	if (r == 0)
		r = describe(a, slice_of(id), true, arena, &is);
	else
		log_event(daemon_log(a->daemon), EV_AUTHD_TICKET_REFUSED,
		    KV_TEXT("why", r == -ENOENT ? "there is no such ticket" :
		    r == -ETIMEDOUT ? "it is too old" :
		    "it was given to another front"));
	return answer_account(c, in, &is);
}

/* authd_account - what is this account? */
int
authd_account(struct task *t, struct authd_caller *c, struct ipc_in *in,
    struct arena *arena)
{
	const struct msg_auth_account	*m = in->msg;
	struct msg_auth_account_is	 is = { .found = false };
	int				 r;

	(void)t;
	r = describe(c->authd, m->account, false, arena, &is);
	return r < 0 ? r : answer_account(c, in, &is);
}

/* --- who gets mail */

struct resolving {
	struct accounts		*accounts;
	struct slice		 address;
	struct addr_delimiters	 delimiters;
	bool			 extension;
	struct arena		*arena;
	struct accounts_who	 who;
};

/* resolve_work - on a worker */
static int
resolve_work(void *arg)
{
	struct resolving *x = arg;

	return accounts_resolve(x->accounts, x->address, &x->delimiters,
	    x->extension, x->arena, &x->who);
}

/* has_virtual - does the list name it? */
static bool
has_virtual(struct slice list)
{
	struct slice word;

	while (slice_next_word(&list, ", \t\r\n", &word))
		if (slice_equal_nocase(word, S("virtual")))
			return true;
	return false;
}

/* resolve - at once for what is quick, else on a worker */
static int
resolve(struct task *t, struct authd *a, struct resolving *x)
{
	const struct authd_params	*p = authd_params(a);
	int				 r;

	x->accounts = a->accounts;
	x->extension = has_virtual(p->propagate_unmatched_extensions);
	x->delimiters = (struct addr_delimiters){
	    arena_dup(x->arena, p->recipient_delimiter),
	    p->owner_request_special,
	    arena_dup(x->arena, p->double_bounce_sender) };
	r = accounts_resolve_fast(a->accounts, x->address, x->arena, &x->who);
	return r == -EINPROGRESS ? work_run(t, resolve_work, x) : r;
}

/* authd_exists - mapd: who gets mail for this address? */
int
authd_exists(struct task *t, struct authd_caller *c, struct ipc_in *in,
    struct arena *arena)
{
	const struct msg_auth_exists	*m = in->msg;
	struct resolving		 x = { .address = m->address,
					     .arena = arena };
	struct msg_auth_who		 who = { .domain = false };
	struct msg_auth_target		*target;
	int				 r;

	r = resolve(t, c->authd, &x);
	if (r == -ECANCELED)
		return r;
	if (r < 0) {
		authd_database_failed(c->authd, r);
		who.temporary = true;
	} else {
		target = ARENA_ARRAY(arena, struct msg_auth_target,
		    x.who.count);
		for (size_t i = 0; i < x.who.count; i++) {
			target[i].account = x.who.target[i].account;
			target[i].address = x.who.target[i].address;
			target[i].is_limited = x.who.target[i].is_limited;
		}
		who.domain = x.who.domain;
		who.found = x.who.found;
		who.targets.v = target;
		who.targets.n = x.who.count;
	}
	return ipc_reply(&c->conn, in->request, &msg_auth_who_desc, &who);
}

/* --- lists */

struct listing {
	struct accounts		*accounts;
	struct slice		 kind;
	struct slice		 after;
	struct arena		*arena;
	struct accounts_row	*rows;
	size_t			 count;
	bool			 more;
};

/* list_work - on a worker */
static int
list_work(void *arg)
{
	struct listing *l = arg;

	return accounts_list(l->accounts, l->kind, l->after, l->arena,
	    &l->rows, &l->count, &l->more);
}

/* authd_list - a tool: what is in the database? */
int
authd_list(struct task *t, struct authd_caller *c, struct ipc_in *in,
    struct arena *arena)
{
	const struct msg_auth_list	*m = in->msg;
	struct listing			 l = { .accounts = c->authd->accounts,
					     .kind = m->kind,
					     .after = m->after,
					     .arena = arena };
	struct msg_auth_rows		 rows = { .more = false };
	struct msg_auth_row		*row;
	int				 r;

	r = work_run(t, list_work, &l);
	if (r == -ECANCELED)
		return r;
	if (r < 0 && r != -EINVAL)
		authd_database_failed(c->authd, r);
	row = ARENA_ARRAY(arena, struct msg_auth_row, l.count);
	for (size_t i = 0; i < l.count; i++) {
		const struct accounts_row *from = &l.rows[i];

		row[i] = (struct msg_auth_row){ from->kind, from->name,
		    from->account, from->value, from->quota_bytes,
		    from->quota_messages, from->enabled, from->display_name,
		    from->created };
	}
	rows.rows.v = row;
	rows.rows.n = l.count;
	rows.more = l.more;
	rows.failed = r < 0;
	return ipc_reply(&c->conn, in->request, &msg_auth_rows_desc, &rows);
}
