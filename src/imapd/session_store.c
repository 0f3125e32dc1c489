/* SPDX-License-Identifier: ISC */
/*
 * STORE (RFC 3501 6.4.6), EXPUNGE and UID EXPUNGE (RFC 4315 2.1), CLOSE and
 * UNSELECT (RFC 3691): large sets are cut into transactions, so that other
 * writers get their turn.
 */
#include "imapd/session_private.h"

/* messages one transaction changes */
#define STORE_BATCH	500

struct store_job {
	struct account		*account;
	uint32_t		 mailbox;
	const uint32_t		*uids;
	size_t			 count;
	struct flags_change	 change;
	struct arena		 arena;
	struct flags_result	 result;
};

/* store_job - a work item: change flags */
static int
store_job(void *arg)
{
	struct store_job *j = arg;

	return message_store(j->account, j->mailbox, j->uids, j->count,
	    &j->change, &j->arena, &j->result);
}

/* change_of - what the command asks for, as the store takes it */
static struct flags_change
change_of(const struct imap_command *cmd)
{
	static const enum flags_op ops[] = {
		[IMAP_STORE_SET] = FLAGS_SET,
		[IMAP_STORE_ADD] = FLAGS_ADD,
		[IMAP_STORE_REMOVE] = FLAGS_REMOVE,
	};

	return (struct flags_change){ .op = ops[cmd->store.how],
		.flags = session_store_flags(cmd->store.flags.system),
		.keywords = cmd->store.flags.keywords,
		.keyword_count = cmd->store.flags.keyword_count };
}

/* put_results - the flags as they are now. With .SILENT only of messages that
 * somebody else has changed since the client last heard of them: it cannot
 * know what they have (RFC 3501 6.4.6). */
static int
put_results(struct task *t, struct imap_session *s, const struct store_job *j)
{
	uint64_t	told = view_modseq(s->selected.view);
	int		r = 0;

	session_add_own(s, j->result.modseq);
	for (size_t i = 0; i < j->result.meta_count && r == 0; i++) {
		if (s->command.store.silent && j->result.before[i] <= told)
			continue;
		r = session_format_flags_fetch(s, &j->result.metas[i],
		    s->command.by_uid);
		if (r < 0)
			return session_failed(s, r, NULL);
		r = session_put(t, s);
	}
	return r;
}

/* session_store - STORE and UID STORE */
int
session_store(struct task *t, struct imap_session *s)
{
	struct store_job j = { .account = s->account,
		.mailbox = s->selected.mailbox, .arena = ARENA_INIT };
	uint32_t	*uids = ARENA_ARRAY(&s->arena, uint32_t, STORE_BATCH);
	struct session_walk w;
	bool		some_gone = false;
	int		r = 0;

	if (s->selected.read_only) {
		session_say(s, "NO", "READ-ONLY", "The mailbox is read-only");
		return 0;
	}
	if (!session_walk_begin(s, &s->command.set, s->command.by_uid, &w))
		return 0;
	j.change = change_of(&s->command);
	j.uids = uids;
	while (r == 0 && s->status[0] == 'O' &&
	    (j.count = session_walk_next(s, &w, uids, STORE_BATCH)) > 0) {
		r = session_commit(t, s, store_job, &j);
		if (r < 0) {
			r = session_failed(s, r, NULL);
			break;
		}
		some_gone |= j.result.meta_count < j.count;
		r = put_results(t, s, &j);
		arena_reset(&j.arena);
	}
	if (r == 0 && some_gone && !s->command.by_uid && s->status[0] == 'O')
		session_say(s, "NO", "EXPUNGEISSUED",
		    "Some messages were deleted meanwhile");
	arena_free(&j.arena);
	return r;
}

struct expunge_job {
	struct account	*account;
	uint32_t	mailbox;
	const uint32_t	*uids;
	size_t		count;
	uint32_t	*gone;
	size_t		gone_count;
};

/* expunge_job - a work item: remove what has \Deleted */
static int
expunge_job(void *arg)
{
	struct expunge_job *j = arg;

	return message_expunge(j->account, j->mailbox, j->uids, j->count,
	    true, j->gone, &j->gone_count);
}

/* keep_deleted - those of the UIDs that have \Deleted, in place. Mostly few
 * have: the rest costs no transaction. */
static int
keep_deleted(struct imap_session *s, uint32_t *uids, size_t *count,
    struct message_meta *metas)
{
	size_t	n, used = 0;
	int	r;

	r = message_fetch_uids(s->account, s->selected.mailbox, uids, *count,
	    metas, &n);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if ((metas[i].flags & FLAG_DELETED) != 0)
			uids[used++] = metas[i].uid;
	*count = used;
	return 0;
}

/* expunge - remove messages with \Deleted from the set */
static int
expunge(struct task *t, struct imap_session *s, struct imap_seqset *set,
    bool by_uid)
{
	uint32_t	*uids = ARENA_ARRAY(&s->arena, uint32_t, STORE_BATCH);
	struct message_meta *metas = ARENA_ARRAY(&s->arena,
			    struct message_meta, STORE_BATCH);
	struct expunge_job j = { s->account, s->selected.mailbox, uids, 0,
		ARENA_ARRAY(&s->arena, uint32_t, STORE_BATCH), 0 };
	struct session_walk w;
	int		r;

	if (!session_walk_begin(s, set, by_uid, &w))
		return 0;
	while ((j.count = session_walk_next(s, &w, uids, STORE_BATCH)) > 0) {
		if ((r = keep_deleted(s, uids, &j.count, metas)) < 0)
			return session_failed(s, r, NULL);
		r = j.count == 0 ? task_yield(t) :
		    session_commit(t, s, expunge_job, &j);
		if (r < 0)
			return session_failed(s, r, NULL);
	}
	return 0;
}

/* expunge_all - all messages with \Deleted */
static int
expunge_all(struct task *t, struct imap_session *s)
{
	struct mailbox_info info;
	struct imap_seqrange all = { 1, view_count(s->selected.view) };
	struct imap_seqset set = { &all, 1 };
	int		r;

	r = mailbox_get(s->account, s->selected.mailbox, &s->arena, &info);
	if (r < 0)
		return session_failed(s, r, NULL);
	if (info.deleted == 0 || all.last == 0)
		return 0;
	return expunge(t, s, &set, false);
}

/* session_expunge - EXPUNGE and UID EXPUNGE; the removals are told by
 * session_sync */
int
session_expunge(struct task *t, struct imap_session *s)
{
	if (s->selected.read_only) {
		session_say(s, "NO", "READ-ONLY", "The mailbox is read-only");
		return 0;
	}
	if (s->command.by_uid)
		return expunge(t, s, &s->command.set, true);
	return expunge_all(t, s);
}

/* session_close - CLOSE, which expunges and tells nothing, and UNSELECT */
int
session_close(struct task *t, struct imap_session *s)
{
	int	r = 0;

	if (s->command.id == IMAP_CMD_CLOSE && !s->selected.read_only)
		r = expunge_all(t, s);
	return r < 0 ? r : session_unselect(t, s);
}
