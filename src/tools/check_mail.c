/* SPDX-License-Identifier: ISC */
/*
 * Where the host's own mail goes. What cron and the suite itself have to say
 * is for root and postmaster (RFC 5321 4.5.1), and on a new host nobody has
 * said yet who that is: their mail would be refused.
 *
 * The tables are asked here, accounts where they are kept: authd is asked
 * while the suite runs, else the database, by the user it belongs to.
 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libglobal/accounts.h"
#include "libglobal/daemons.h"
#include "libglobal/ipc_auth.h"
#include "libglobal/resolve.h"
#include "libmail/addr.h"
#include "libutil/conf.h"
#include "tools/change.h"
#include "tools/check.h"

/* what the accounts database has for an address; exit statuses, too */
enum known {
	KNOWN_ACCOUNT = TOOL_OK,	/* or an alias, or a group */
	KNOWN_NOT,			/* the domain, but not the address */
	KNOWN_NO_DOMAIN,
	KNOWN_ERROR,
};

struct question {
	struct check	*check;
	struct slice	 address;
	enum known	 known;
};

/* known_of - the same of the database's own answer */
static enum known
known_of(bool domain, bool found)
{
	if (found)
		return KNOWN_ACCOUNT;
	return domain ? KNOWN_NOT : KNOWN_NO_DOMAIN;
}

/* ask_talk - authd */
static int
ask_talk(struct task *t, struct ipc_conn *c, void *arg)
{
	struct question		*q = arg;
	struct msg_auth_exists	 m = { q->address };
	struct msg_auth_who	*who;
	void			*reply;
	int			 r;

	r = ipc_call(t, c, &msg_auth_exists_desc, &m, &msg_auth_who_desc,
	    &q->check->tool->arena, &reply);
	if (r == 0) {
		who = reply;
		q->known = who->temporary ? KNOWN_ERROR :
		    known_of(who->domain, who->found);
	}
	return r;
}

static int
ask_task(struct task *t, void *arg)
{
	struct question *q = arg;

	return tool_daemon(t, q->check->tool, "authd", &ipc_table_auth,
	    ask_talk, q);
}

/* ask_file - the database, in a child that is its owner */
static int
ask_file(struct tool *tool, void *arg)
{
	struct question		*q = arg;
	struct addr_delimiters	 delimiters = { slice_of(tool_value(tool,
				    "recipient_delimiter")), true,
				    slice_of(tool_value(tool,
				    "double_bounce_sender")) };
	struct accounts_who	 who;
	struct accounts		*a;
	int			 r = change_open(tool, true, &a);

	if (r < 0)
		return r == -ENOENT ? KNOWN_NO_DOMAIN : KNOWN_ERROR;
	r = accounts_resolve(a, q->address, &delimiters, false, &tool->arena,
	    &who);
	accounts_close(&a);
	return r < 0 ? KNOWN_ERROR : (int)known_of(who.domain, who.found);
}

/* ask - whoever can say */
static void
ask(struct question *q)
{
	struct tool	*tool = q->check->tool;
	struct stat	 st;

	q->known = KNOWN_ERROR;
	if (stat(change_folder(tool), &st) < 0 ||
	    access(change_folder(tool), R_OK) < 0)
		q->known = errno == ENOENT ? KNOWN_NO_DOMAIN : KNOWN_ERROR;
	else if (tool_is_running(tool) != 0)
		ignore(tool_run(ask_task, q));	/* then nobody knows */
	else
		q->known = (enum known)tool_as_user(tool, st.st_uid, st.st_gid,
		    ask_file, q);
}

/* who - the answer as the resolver wants it: that it is somebody will do */
static int
who(void *arg, struct slice address, struct resolve_who *ret_who)
{
	static const struct resolve_owner somebody = { .account = S("0") };
	struct question q = { arg, address, KNOWN_ERROR };

	ask(&q);
	if (q.known == KNOWN_ERROR)
		return -EIO;
	*ret_who = (struct resolve_who){ q.known != KNOWN_NO_DOMAIN,
	    q.known == KNOWN_ACCOUNT, &somebody, q.known == KNOWN_ACCOUNT };
	return 0;
}

/* is_served - does a daemon deliver by that transport? */
static bool
is_served(const struct check *c, struct slice transport)
{
	const struct mastercf_service	*row = mastercf_find(&c->tool->cf,
					    transport, MASTERCF_UNIX);
	const struct mastercf_command	*m = row == NULL ? NULL :
					    mastercf_command_find(row->command);

	if (slice_equal(transport, S("discard")))
		return true;		/* by intention */
	if (row != NULL)
		return m != NULL && m->how == MASTERCF_RUN;
	for (const struct daemon_row *d = daemons_table; d->name != NULL; d++)
		if (slice_equal(transport, slice_of(d->service)))
			return true;
	return false;
}

/* why_nowhere - a reason why nobody gets that mail; NULL: somebody does, or
 * it cannot be said */
static const char *
why_nowhere(struct check *c, const struct resolve_result *result)
{
	struct arena	*a = &c->tool->arena;

	if (result->status.code != 0)
		return result->status.code < 500 ? NULL :
		    arena_printf(a, "%.*s", (int)result->status.text_len,
		    result->status.text).data;
	for (size_t i = 0; i < result->count; i++)
		if (is_served(c, result->target[i].transport))
			return NULL;
	return result->count == 0 ? NULL : arena_printf(a, "it has no account, "
	    "and nothing delivers by %.*s",
	    SLICE_ARG(result->target[0].transport)).data;
}

/* check_recipient - does mail for that name reach anybody? */
static void
check_recipient(struct check *c, struct resolver *resolver, const char *name)
{
	struct arena		*a = &c->tool->arena;
	const char		*tables = tool_value(c->tool, "alias_maps");
	struct resolve_query	 q = { .check = true, .may_block = true,
				    .who = who, .arg = c };
	struct resolve_result	 result;
	const char		*why;

	if (resolve_rewrite(resolver, slice_of(name),
	    RESOLVE_ENVELOPE_RECIPIENT, true, true, a, &q.recipient) < 0 ||
	    resolve_recipient(resolver, &q, a, &result) < 0)
		return;
	why = why_nowhere(c, &result);
	if (why == NULL)
		return;
	if (result.class == RESOLVE_LOCAL)
		check_found(c, CHECK_WARNING, name, "mail for %.*s leads "
		    "nowhere: %s; name in alias_maps (%s) the address that is "
		    "to have it", SLICE_ARG(q.recipient), why,
		    tables[0] == '\0' ? "there are none" : tables);
	else
		check_found(c, CHECK_WARNING, name, "mail for %.*s leads "
		    "nowhere: %s; say who is to have it: barid alias add "
		    "%.*s ADDRESS, or a line in a table of virtual_alias_maps",
		    SLICE_ARG(q.recipient), why, SLICE_ARG(q.recipient));
}

/* check_mail - the mail of the host itself */
void
check_mail(struct check *c)
{
	struct resolver_host	 host = { NULL, 0 };
	struct resolve_params	 params;
	struct resolver		*resolver;
	struct diag		 diag = DIAG_INIT;

	/* what is wrong with parameters and tables was said */
	if (param_load(&resolve_param_table, c->tool->conf, &c->tool->arena,
	    &params, &diag) < 0)
		return;
	resolver = resolver_open(&params, &host, NULL, NULL);
	check_recipient(c, resolver, "postmaster");
	check_recipient(c, resolver, "root");
	resolver_close(&resolver);
}
