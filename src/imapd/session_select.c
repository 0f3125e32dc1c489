/* SPDX-License-Identifier: ISC */
/*
 * The selected mailbox: SELECT and EXAMINE, CLOSE and UNSELECT, and what the
 * client is told of changes. The session's view is what the client believes;
 * only session_sync moves it on, and only where a command ends (or in IDLE).
 */
#include "imapd/session_private.h"

/* session_commit - run what writes on a worker, and ring the bell */
int
session_commit(struct task *t, struct imap_session *s, work_fn *fn, void *arg)
{
	int	r = work_run(t, fn, arg);

	if (r != -ECANCELED)
		bell_ring(s->setup.bell);
	return r;
}

/* session_add_own - a change that this command made */
void
session_add_own(struct imap_session *s, uint64_t modseq)
{
	uint64_t	*more;

	if (modseq == 0)
		return;
	if ((s->own_count & (s->own_count - 1)) == 0) {	/* 0, 1, 2, 4 ... */
		more = ARENA_ARRAY(&s->arena, uint64_t, s->own_count == 0 ? 1 :
		    2 * s->own_count);
		if (s->own_count > 0)
			memcpy(more, s->own, s->own_count * sizeof(*more));
		s->own = more;
	}
	s->own[s->own_count++] = modseq;
}

/* is_own - did this command make that change? */
static bool
is_own(const struct imap_session *s, uint64_t modseq)
{
	for (size_t i = 0; i < s->own_count; i++)
		if (s->own[i] == modseq)
			return true;
	return false;
}

/* a view that is opened, restored or refreshed: a big mailbox's index is read
 * on a worker */
struct view_job {
	struct account		*account;
	uint32_t		mailbox;	/* to open */
	const struct view_state	*state;		/* to restore */
	struct mailbox_view	*view;
	bool			may_expunge;
	struct arena		*arena;
	struct view_changes	changes;
};

/* open_job - a work item */
static int
open_job(void *arg)
{
	struct view_job	*j = arg;

	return view_open(j->account, j->mailbox, &j->view);
}

/* restore_job - a work item */
static int
restore_job(void *arg)
{
	struct view_job	*j = arg;

	return view_restore(j->account, j->state, &j->view);
}

/* refresh_job - a work item */
static int
refresh_job(void *arg)
{
	struct view_job	*j = arg;

	return view_refresh(j->view, j->may_expunge, j->arena, &j->changes);
}

/* report_size - messages that went and came. How many are recent is told
 * whenever that changed (RFC 3501 7.3.2): EXPUNGE does not say which it was. */
static int
report_size(struct task *t, struct imap_session *s,
    const struct view_changes *c)
{
	struct session_selected *sel = &s->selected;
	bool	tell_recent = c->added > 0;
	int	r;

	for (size_t i = 0; i < c->expunged_count; i++) {
		buf_addf(&s->out, "* %u EXPUNGE\r\n", c->expunged[i].seq);
		tell_recent |= session_is_recent(&sel->recent,
		    c->expunged[i].uid);
		if ((r = session_put(t, s)) < 0)
			return r;
	}
	if (c->added > 0) {
		session_claim_recent(sel, view_uidnext(sel->view));
		buf_addf(&s->out, "* %u EXISTS\r\n", c->count);
	}
	if (tell_recent)
		buf_addf(&s->out, "* %u RECENT\r\n",
		    session_recent_count(&sel->recent, sel->view));
	return 0;
}

/* report - what a refresh of the view found */
static int
report(struct task *t, struct imap_session *s, const struct view_changes *c)
{
	int	r;

	if ((r = report_size(t, s, c)) < 0)
		return r;
	for (size_t i = 0; i < c->changed_count; i++) {
		if (i % SESSION_BATCH == SESSION_BATCH - 1 &&
		    (r = task_yield(t)) < 0)
			return r;
		if (is_own(s, c->changed[i].modseq))
			continue;
		if ((r = session_format_flags_fetch(s, &c->changed[i],
		    true)) < 0 || (r = session_put(t, s)) < 0)
			return r;
	}
	return 0;
}

/* session_sync - tell the client what changed in its mailbox */
int
session_sync(struct task *t, struct imap_session *s, bool may_expunge)
{
	struct view_job	j = { .view = s->selected.view,
		.may_expunge = may_expunge, .arena = &s->arena };
	int		r;

	if (j.view == NULL || s->quit || !view_is_stale(j.view))
		return 0;
	if ((r = work_run(t, refresh_job, &j)) < 0)
		/* the view is as it was: nothing wrong was told */
		return session_failed(s, r, NULL);
	if (j.changes.is_gone) {
		buf_add_text(&s->out,
		    "* BYE The selected mailbox was deleted\r\n");
		s->quit = true;
		return 0;
	}
	return report(t, s, &j.changes);
}

struct claim {
	struct account	*account;
	uint32_t	mailbox;
	uint32_t	recent;
};

/* claim - a work item: what is recent was told to this session */
static int
claim(void *arg)
{
	struct claim	*c = arg;

	return mailbox_claim_recent(c->account, c->mailbox, &c->recent);
}

/* session_drop_selected - release the mailbox without waiting */
void
session_drop_selected(struct imap_session *s)
{
	struct session_selected *sel = &s->selected;

	view_close(&sel->view);
	session_unshare(s->setup.shared, &sel->shared);
	*sel = (struct session_selected){ .view = NULL };
}

/* session_unselect - leave the mailbox, if one is selected */
int
session_unselect(struct task *t, struct imap_session *s)
{
	struct session_selected *sel = &s->selected;
	struct claim	c = { s->account, sel->mailbox, 0 };
	int		r = 0;

	if (sel->view == NULL)
		return 0;
	if (!sel->read_only && session_must_store_recent(sel->shared))
		r = work_run(t, claim, &c);
	session_drop_selected(s);
	/* of \Recent nothing depends; a mailbox that is gone has none */
	return r == -ECANCELED ? r : 0;
}

/* claim_at_select - what is recent to a session that selects */
static int
claim_at_select(struct task *t, struct imap_session *s,
    const struct mailbox_info *info, struct session_selected *sel)
{
	struct claim	c = { s->account, info->id, info->recent_uid };
	uint32_t	uidnext = view_uidnext(sel->view);
	int		r;

	if (!sel->read_only && info->recent_uid < uidnext &&
	    (r = work_run(t, claim, &c)) < 0)
		return r;
	/* sessions that have it selected may have claimed more already */
	sel->shared = session_share(s->setup.shared, info->id, c.recent);
	session_claim_recent(sel, uidnext);
	return 0;
}

/* format_selected - the untagged responses of SELECT (RFC 3501 6.3.1) */
static int
format_selected(struct imap_session *s, const struct mailbox_info *info)
{
	struct session_selected *sel = &s->selected;
	uint32_t	unseen = 0;
	int		r;

	if ((r = session_format_mailbox_flags(s, info->keywords,
	    !sel->read_only)) < 0)
		return r;
	if (info->unseen > 0 && (r = message_first_unseen(s->account,
	    sel->mailbox, &unseen)) < 0)
		return r;
	buf_addf(&s->out, "* %u EXISTS\r\n* %u RECENT\r\n",
	    view_count(sel->view),
	    session_recent_count(&sel->recent, sel->view));
	/* the message may have come after the view was made */
	if (unseen != 0 && (unseen = view_seq(sel->view, unseen)) != 0)
		buf_addf(&s->out,
		    "* OK [UNSEEN %u] The first unseen message\r\n", unseen);
	buf_addf(&s->out, "* OK [UIDVALIDITY %u] UIDs are valid\r\n"
	    "* OK [UIDNEXT %u] The next UID\r\n", info->uidvalidity,
	    view_uidnext(sel->view));
	session_say(s, "OK", sel->read_only ? "READ-ONLY" : "READ-WRITE",
	    NULL);
	return 0;
}

/* open_selected - look the mailbox up and make a view of it */
static int
open_selected(struct task *t, struct imap_session *s, struct slice name,
    bool read_only)
{
	struct session_selected *sel = &s->selected;
	struct view_job	j = { .account = s->account };
	struct mailbox_info info;
	int		r;

	if ((r = mailbox_find(s->account, name, &s->arena, &info)) < 0)
		return r;
	if (info.is_noselect)
		return -ENOENT;
	j.mailbox = info.id;
	if ((r = work_run(t, open_job, &j)) < 0)
		return r;
	sel->view = j.view;
	sel->mailbox = info.id;
	sel->read_only = read_only;
	if ((r = claim_at_select(t, s, &info, sel)) < 0)
		return r;
	return format_selected(s, &info);
}

/* session_select - SELECT and EXAMINE */
int
session_select(struct task *t, struct imap_session *s)
{
	int	r;

	/* even if it fails, the mailbox that was selected no longer is
	 * (RFC 3501 6.3.1) */
	if ((r = session_unselect(t, s)) < 0)
		return r;
	r = open_selected(t, s, s->command.mailbox.name,
	    s->command.id == IMAP_CMD_EXAMINE);
	if (r < 0) {
		session_drop_selected(s);
		return session_failed(s, r, "NONEXISTENT");
	}
	return 0;
}

/* session_restore - the mailbox of a session that slept */
int
session_restore(struct task *t, struct imap_session *s)
{
	struct session_selected *sel = &s->selected;
	struct view_job	j = { .account = s->account, .state = &s->asleep };
	struct mailbox_info info;
	int		r;

	if (s->asleep.mailbox == 0)
		return 0;
	if ((r = work_run(t, restore_job, &j)) == 0)
		sel->view = j.view;
	if (r == 0)
		r = mailbox_get(s->account, s->asleep.mailbox, &s->arena,
		    &info);
	if (r < 0) {
		session_drop_selected(s);
		if (r == -ECANCELED)
			return r;
		/* it cannot be told what changed: the client must look anew */
		buf_add_text(&s->out, r == -ENOENT ?
		    "* BYE The selected mailbox was deleted\r\n" :
		    "* BYE The selected mailbox changed too much\r\n");
		s->quit = true;
		return 0;
	}
	sel->mailbox = info.id;
	sel->shared = session_share(s->setup.shared, info.id,
	    info.recent_uid);
	/* what came before it slept was claimed then */
	if (!sel->read_only)
		session_note_claimed(sel->shared, s->asleep.uidnext);
	return 0;
}
