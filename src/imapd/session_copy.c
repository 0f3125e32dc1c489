/* SPDX-License-Identifier: ISC */
/*
 * COPY (RFC 3501 6.4.7) and MOVE (RFC 6851). COPY is all or nothing: when a
 * later transaction of it fails, what earlier ones copied is taken back. Each
 * message of a MOVE is moved or not.
 */
#include "imapd/session_private.h"

#define COPY_BATCH	500

struct copy_job {
	struct account		*account;
	uint32_t		 mailbox;
	uint32_t		 target;
	const uint32_t		*uids;
	size_t			 count;
	bool			 move;
	struct arena		 arena;
	struct copy_result	 result;
};

/* copy_job - a work item: copy or move messages */
static int
copy_job(void *arg)
{
	struct copy_job	*j = arg;

	return (j->move ? message_move : message_copy)(j->account, j->mailbox,
	    j->uids, j->count, j->target, &j->arena, &j->result);
}

/* what was done so far, for COPYUID */
struct copied {
	uint32_t	uidvalidity;
	struct buf	from;		/* sets, as COPYUID prints them */
	struct buf	to;
	struct imap_setwriter from_set;
	struct imap_setwriter to_set;
	size_t		count;
	bool		some_gone;
};

/* note_copied - add a transaction's result */
static void
note_copied(struct copied *c, const struct copy_result *result, size_t asked)
{
	c->uidvalidity = result->uidvalidity;
	c->some_gone |= result->count < asked;
	for (size_t i = 0; i < result->count; i++) {
		imap_setwriter_add(&c->from_set, result->from[i]);
		imap_setwriter_add(&c->to_set, result->to[i]);
		c->count++;
	}
}

/* find_target - the mailbox to copy to */
static int
find_target(struct imap_session *s, uint32_t *ret_id)
{
	struct mailbox_info info;
	int	r;

	r = mailbox_find(s->account, s->command.mailbox.name, &s->arena,
	    &info);
	if (r == 0 && info.is_noselect)
		r = -ENOENT;
	if (r == 0)
		*ret_id = info.id;
	return r;
}

struct undo_job {
	struct account	*account;
	uint32_t	mailbox;
	struct imap_seqset copied;	/* UIDs in the target */
};

/* undo_job - a work item: take back what was copied */
static int
undo_job(void *arg)
{
	struct undo_job	*j = arg;
	uint32_t	uids[64], gone[64];
	size_t		n = 0, gone_count;
	int		r = 0;

	for (size_t i = 0; i < j->copied.count && r == 0; i++) {
		struct imap_seqrange range = j->copied.ranges[i];

		while (r == 0 && range.first <= range.last) {
			uids[n++] = range.first++;
			if (n < COUNT(uids) && range.first <= range.last)
				continue;
			r = message_expunge(j->account, j->mailbox, uids, n,
			    false, gone, &gone_count);
			n = 0;
		}
	}
	return r;
}

/* undo - take back what earlier transactions of a COPY did */
static int
undo(struct task *t, struct imap_session *s, uint32_t target,
    const struct copied *c)
{
	struct undo_job	j = { s->account, target, { NULL, 0 } };
	int		r;

	if (c->count == 0)
		return 0;
	r = imap_seqset_parse(&s->arena, buf_slice(&c->to), &j.copied);
	return r < 0 ? r : session_commit(t, s, undo_job, &j);
}

/* copy_all - transaction after transaction; a negative errno is the store's */
static int
copy_all(struct task *t, struct imap_session *s, struct copy_job *j,
    struct session_walk *w, struct copied *c)
{
	uint32_t	*uids = ARENA_ARRAY(&s->arena, uint32_t, COPY_BATCH);
	int		r = 0;

	j->uids = uids;
	while (r == 0 &&
	    (j->count = session_walk_next(s, w, uids, COPY_BATCH)) > 0) {
		r = session_commit(t, s, copy_job, j);
		if (r == 0)
			note_copied(c, &j->result, j->count);
		arena_reset(&j->arena);
	}
	imap_setwriter_end(&c->from_set);
	imap_setwriter_end(&c->to_set);
	return r;
}

/* say_copied - COPYUID: in the tagged response, or, untagged, for MOVE before
 * the EXPUNGEs (RFC 6851 4.3) */
static void
say_copied(struct imap_session *s, const struct copied *c, bool untagged)
{
	struct buf	*out = untagged ? &s->out : &s->code;

	if (c->count == 0)
		return;
	if (untagged)
		buf_add_text(out, "* OK [");
	buf_addf(out, "COPYUID %u ", c->uidvalidity);
	buf_add(out, buf_slice(&c->from));
	buf_add_byte(out, ' ');
	buf_add(out, buf_slice(&c->to));
	if (untagged)
		buf_addf(out, "] %s\r\n", s->command.id == IMAP_CMD_MOVE ?
		    "Moved" : "Copied");
}

/* finish - what the client is told; r is what the store said */
static int
finish(struct task *t, struct imap_session *s, const struct copy_job *j,
    const struct copied *c, int r)
{
	int	undone = 0;

	if (r < 0 && !j->move)
		undone = undo(t, s, j->target, c);
	if (r < 0)
		r = session_failed(s, r, "TRYCREATE");
	else if (c->count == 0 && c->some_gone && !s->command.by_uid)
		session_say(s, "NO", "EXPUNGEISSUED",
		    "The messages were deleted meanwhile");
	/* copies that could not be taken back are there */
	if (s->status[0] == 'O' || j->move || undone < 0)
		say_copied(s, c, j->move || s->code.len > 0);
	return undone == -ECANCELED ? undone : r;
}

/* session_copy - COPY and MOVE, by number or UID */
int
session_copy(struct task *t, struct imap_session *s)
{
	struct copy_job	j = { .account = s->account,
		.mailbox = s->selected.mailbox, .arena = ARENA_INIT,
		.move = s->command.id == IMAP_CMD_MOVE };
	struct copied	c = { .from = BUF_INIT, .to = BUF_INIT };
	struct session_walk w;
	int		r;

	if (j.move && s->selected.read_only) {
		session_say(s, "NO", "READ-ONLY", "The mailbox is read-only");
		return 0;
	}
	if ((r = find_target(s, &j.target)) < 0)
		return session_failed(s, r, "TRYCREATE");
	if (!session_walk_begin(s, &s->command.set, s->command.by_uid, &w))
		return 0;
	imap_setwriter_begin(&c.from_set, &c.from);
	imap_setwriter_begin(&c.to_set, &c.to);
	r = copy_all(t, s, &j, &w, &c);
	r = finish(t, s, &j, &c, r);
	buf_free(&c.from);
	buf_free(&c.to);
	arena_free(&j.arena);
	return r;
}
