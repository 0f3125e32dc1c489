/* SPDX-License-Identifier: ISC */
/*
 * The accounts of localserve. The folder may be that of an earlier run: what
 * is there already gets the password that was given now.
 */
#include <errno.h>

#include "libglobal/ipc_auth.h"
#include "libutil/buf.h"
#include "libutil/hash.h"
#include "tools/change.h"
#include "tools/localserve.h"

struct job {
	struct localserve	*serve;
	struct hash		 known;		/* "kind name" */
};

/* learn - the names that there are of a kind */
static int
learn(struct task *t, struct ipc_conn *c, struct job *job, const char *kind)
{
	struct arena		*a = &job->serve->tool->arena;
	struct msg_auth_list	 ask = { slice_of(kind), S("") };
	struct msg_auth_rows	*rows;
	void			*reply;
	int			 r;

	do {
		r = ipc_call(t, c, &msg_auth_list_desc, &ask,
		    &msg_auth_rows_desc, a, &reply);
		if (r < 0)
			return r;
		rows = reply;
		for (size_t i = 0; i < rows->rows.n; i++) {
			struct msg_auth_row *row =
			    (struct msg_auth_row *)rows->rows.v + i;

			ask.after = row->name;
			(void)hash_put(&job->known, arena_printf(a, "%s %.*s",
			    kind, SLICE_ARG(row->name)), job);
		}
	} while (rows->more && rows->rows.n > 0);
	return 0;
}

static bool
knows(struct job *job, const char *kind, const char *name)
{
	struct buf	b = BUF_INIT;
	bool		known;

	buf_addf(&b, "%s %s", kind, name);
	known = hash_get(&job->known, buf_slice(&b)) != NULL;
	(void)hash_put(&job->known, buf_slice(&b), job);
	buf_free(&b);
	return known;
}

/* add_domain - unless it is there */
static int
add_domain(struct task *t, struct ipc_conn *c, struct job *job,
    const char *domain)
{
	struct change change = { "domain-add", domain, "" };

	return knows(job, "domain", domain) ? 0 :
	    change_send(t, c, job->serve->tool, &change, 1);
}

/* add_account - or set the password of one that is there */
static int
add_account(struct task *t, struct ipc_conn *c, struct job *job,
    const char *name, const char *hash)
{
	struct localserve	*l = job->serve;
	const char		*at = strrchr(name, '@');
	struct change		 change = { "account-add", name, hash };
	int			 r;

	if (at == NULL) {
		change.name = arena_printf(&l->tool->arena, "%s@%s", name,
		    l->domain).data;
	} else if ((r = add_domain(t, c, job, at + 1)) < 0)
		return r;
	if (knows(job, "account", change.name))
		change.verb = "account-password";
	return change_send(t, c, l->tool, &change, 1);
}

static const char *
hash_of(struct localserve *l, const char *password)
{
	const char *hash = tool_password_hash(l->tool, password);

	if (hash == NULL)
		(void)tool_fail(l->tool, "the system cannot hash passwords "
		    "(crypt(5))");
	return hash;
}

/* add_prefixed - all of --accounts; the password is hashed once */
static int
add_prefixed(struct task *t, struct ipc_conn *c, struct job *job)
{
	struct localserve	*l = job->serve;
	const char		*hash;
	int			 r = 0;

	if (l->prefix == NULL)
		return 0;
	if ((hash = hash_of(l, l->prefix_password)) == NULL)
		return -EINVAL;
	for (uint32_t i = 1; i <= l->prefix_count && r == 0; i++)
		r = add_account(t, c, job, arena_printf(&l->tool->arena,
		    "%s%u", l->prefix, i).data, hash);
	return r;
}

static int
accounts_talk(struct task *t, struct ipc_conn *c, void *arg)
{
	struct job		*job = arg;
	struct localserve	*l = job->serve;
	int			 r;

	if ((r = learn(t, c, job, "domain")) < 0 ||
	    (r = learn(t, c, job, "account")) < 0) {
		(void)tool_fail(l->tool, "authd does not answer: %s",
		    strerror(-r));
		return r;
	}
	if ((r = add_domain(t, c, job, l->domain)) < 0)
		return r;
	for (size_t i = 0; i < l->account_count; i++) {
		const char *hash = hash_of(l, l->account[i].value);

		if (hash == NULL)
			return -EINVAL;
		r = add_account(t, c, job, l->account[i].name, hash);
		if (r < 0)
			return r;
	}
	return add_prefixed(t, c, job);
}

static int
accounts_task(struct task *t, void *arg)
{
	struct job *job = arg;

	return tool_daemon(t, job->serve->tool, "authd", &ipc_table_auth,
	    accounts_talk, job);
}

/* localserve_accounts - the domain and all accounts */
int
localserve_accounts(struct localserve *l)
{
	struct job	job = { l, HASH_INIT };
	int		r = tool_run(accounts_task, &job);

	hash_free(&job.known);
	return r < 0 ? TOOL_FAILED : TOOL_OK;
}
