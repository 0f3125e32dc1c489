/* SPDX-License-Identifier: ISC */
/* CREATE, DELETE, RENAME, SUBSCRIBE and UNSUBSCRIBE (RFC 3501 6.3.3 to 6.3.7,
 * RFC 6154 3): each is one call of the store, on a worker. */
#include "imapd/session_private.h"

struct mailbox_job {
	struct account		*account;
	struct slice		path;
	struct slice		to;		/* of RENAME */
	enum mailbox_role	role;		/* of CREATE */
	bool			subscribe;
};

/* create_job - a work item */
static int
create_job(void *arg)
{
	struct mailbox_job *j = arg;
	uint32_t	id;

	return mailbox_create(j->account, j->path, j->role, &id);
}

/* delete_job - a work item; 1 if upkeep is left */
static int
delete_job(void *arg)
{
	struct mailbox_job *j = arg;

	return mailbox_delete(j->account, j->path);
}

/* rename_job - a work item */
static int
rename_job(void *arg)
{
	struct mailbox_job *j = arg;

	return mailbox_rename(j->account, j->path, j->to);
}

/* subscribe_job - a work item */
static int
subscribe_job(void *arg)
{
	struct mailbox_job *j = arg;

	return mailbox_subscribe(j->account, j->path, j->subscribe);
}

/* upkeep_job - a work item: a piece of what a deletion left */
static int
upkeep_job(void *arg)
{
	return account_work(arg);
}

/* role_of_uses - the one use of a mailbox; false if the store cannot keep it */
static bool
role_of_uses(uint32_t uses, enum mailbox_role *ret_role)
{
	struct buf	name = BUF_INIT;
	bool		ok = true;

	*ret_role = MAILBOX_ROLE_NONE;
	if (uses != 0) {
		(void)imap_format_uses(&name, uses);
		/* of several names together none is one */
		*ret_role = mailbox_role_of_imap(buf_slice(&name));
		ok = *ret_role != MAILBOX_ROLE_NONE;
		buf_free(&name);
	}
	return ok;
}

/* may_be_made - is that a name for a new mailbox? Else NO is said. */
static bool
may_be_made(struct imap_session *s, struct slice name)
{
	const char	*fault = imap_mailbox_fault(name);

	if (fault != NULL)
		session_say(s, "NO", "CANNOT", fault);
	return fault == NULL;
}

/* session_create - CREATE */
int
session_create(struct task *t, struct imap_session *s)
{
	struct mailbox_job j = { .account = s->account,
		.path = s->command.mailbox.name };
	int	r;

	if (!may_be_made(s, j.path))
		return 0;
	if (!role_of_uses(s->command.create.uses, &j.role)) {
		session_say(s, "NO", "USEATTR",
		    "A mailbox can have one special use");
		return 0;
	}
	r = session_commit(t, s, create_job, &j);
	return r < 0 ? session_failed(s, r, NULL) : 0;
}

/* is_selected - is the selected mailbox the one of that name? */
static bool
is_selected(struct imap_session *s, struct slice name)
{
	struct mailbox_info info;

	return s->selected.view != NULL &&
	    mailbox_find(s->account, name, &s->arena, &info) == 0 &&
	    info.id == s->selected.mailbox;
}

/* close_selected - the session goes on without its mailbox; others that have
 * it are sent BYE (RFC 7162 3.2.11 has the code) */
static void
close_selected(struct imap_session *s)
{
	session_drop_selected(s);
	buf_add_text(&s->out,
	    "* OK [CLOSED] No mailbox is selected any more\r\n");
}

/* session_delete - DELETE */
int
session_delete(struct task *t, struct imap_session *s)
{
	struct mailbox_job j = { .account = s->account,
		.path = s->command.mailbox.name };
	bool	own = is_selected(s, j.path);
	int	r;

	r = session_commit(t, s, delete_job, &j);
	if (r >= 0 && own)
		close_selected(s);
	while (r == 1)
		r = work_run(t, upkeep_job, s->account);
	return r < 0 ? session_failed(s, r, "NONEXISTENT") : 0;
}

/* session_rename - RENAME */
int
session_rename(struct task *t, struct imap_session *s)
{
	struct mailbox_job j = { .account = s->account,
		.path = s->command.mailbox.name,
		.to = s->command.rename.to.name };
	/* INBOX is another mailbox then */
	bool	own = imap_is_inbox(j.path) && is_selected(s, j.path);
	int	r;

	if (!may_be_made(s, j.to))
		return 0;
	r = session_commit(t, s, rename_job, &j);
	if (r >= 0 && own)
		close_selected(s);
	return r < 0 ? session_failed(s, r, "NONEXISTENT") : 0;
}

/* session_subscribe - SUBSCRIBE and UNSUBSCRIBE */
int
session_subscribe(struct task *t, struct imap_session *s)
{
	struct mailbox_job j = { .account = s->account,
		.path = s->command.mailbox.name,
		.subscribe = s->command.id == IMAP_CMD_SUBSCRIBE };
	int	r = session_commit(t, s, subscribe_job, &j);

	/* clients that delete a mailbox unsubscribe without looking first */
	if (r == -ENOENT && !j.subscribe)
		r = 0;
	return r < 0 ? session_failed(s, r, "NONEXISTENT") : 0;
}
