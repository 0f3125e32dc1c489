/* SPDX-License-Identifier: ISC */
/*
 * FETCH (RFC 3501 6.4.5): messages in batches, so that a batch costs few
 * reads of the store and, if it sets \Seen, one commit; memory is bounded by
 * a batch's records. Everything that can fail about a message is tried before
 * its response begins; a message that cannot be read is left out, and the
 * tagged response says so.
 */
#include "imapd/session_fetch.h"

#include "imapd/session_events.h"

/* what all items together need, and what went wrong */
struct fetch {
	const struct imap_fetch	*want;
	bool			 wants_uid;
	bool			 wants_flags;
	bool			 needs_email;
	bool			 needs_digest;
	bool			 needs_structure;
	bool			 sets_seen;
	bool			 some_gone;
	bool			 some_damaged;
	struct arena		 arena;		/* of a batch */
	size_t			 meta_count;
	struct message_meta	 metas[SESSION_BATCH];
};

/* plan - what the items need */
static void
plan(struct fetch *f, const struct imap_session *s)
{
	for (size_t i = 0; i < f->want->count; i++) {
		const struct imap_fetch_item *item = &f->want->items[i];

		switch (item->kind) {
		case IMAP_FETCH_UID:
			f->wants_uid = true;
			continue;
		case IMAP_FETCH_FLAGS:
			f->wants_flags = true;
			continue;
		case IMAP_FETCH_ENVELOPE:
			f->needs_digest = true;
			break;
		default:
			break;
		}
		f->needs_email = true;
		f->needs_structure |= fetch_needs_structure(item);
		f->sets_seen |= item->sets_seen && !s->selected.read_only;
	}
	f->needs_digest |= f->needs_structure;
}

struct seen_job {
	struct account		*account;
	uint32_t		 mailbox;
	uint32_t		*uids;
	size_t			 count;
	struct arena		*arena;
	struct flags_result	 result;
};

/* seen_job - a work item: set \Seen */
static int
seen_job(void *arg)
{
	struct seen_job	*j = arg;
	struct flags_change change = { .op = FLAGS_ADD, .flags = FLAG_SEEN };

	return message_store(j->account, j->mailbox, j->uids, j->count,
	    &change, j->arena, &j->result);
}

/* set_seen - mark the batch's messages as seen; seen_now says which were not.
 * A full disk is no reason not to read mail. */
static int
set_seen(struct task *t, struct imap_session *s, struct fetch *f,
    bool *seen_now)
{
	struct seen_job	j = { s->account, s->selected.mailbox, NULL, 0,
		&f->arena, { 0 } };
	size_t		at = 0;
	int		r;

	j.uids = ARENA_ARRAY(&f->arena, uint32_t, SESSION_BATCH);
	for (size_t i = 0; i < f->meta_count; i++)
		if ((f->metas[i].flags & FLAG_SEEN) == 0)
			j.uids[j.count++] = f->metas[i].uid;
	if (j.count == 0)
		return 0;
	r = session_commit(t, s, seen_job, &j);
	if (r < 0)
		return r == -ENOSPC || r == -EDQUOT ? 0 : r;
	session_add_own(s, j.result.modseq);
	for (size_t i = 0; i < f->meta_count && at < j.result.meta_count;
	    i++) {
		if (f->metas[i].uid != j.result.metas[at].uid)
			continue;
		f->metas[i] = j.result.metas[at++];
		seen_now[i] = true;
	}
	return 0;
}

/* get_emails - the records of the batch's messages */
static int
get_emails(struct imap_session *s, struct fetch *f, struct email **ret_emails)
{
	uint64_t	*ids = ARENA_ARRAY(&f->arena, uint64_t, SESSION_BATCH);
	struct email	*emails = ARENA_ARRAY(&f->arena, struct email,
			    SESSION_BATCH);
	int		r;

	for (size_t i = 0; i < f->meta_count; i++)
		ids[i] = f->metas[i].email;
	r = message_get_emails(s->account, ids, f->meta_count,
	    f->needs_digest ? EMAIL_WANT_CACHE : 0, &f->arena, emails);
	if (r == 0)
		*ret_emails = emails;
	return r;
}

/* prepare - get what the message's items need */
static int
prepare(struct task *t, struct imap_session *s, struct fetch *f,
    struct fetch_message *m)
{
	int	r;

	if (m->email == NULL)
		return 0;
	if (m->email->result < 0)
		return m->email->result;
	m->body = (struct session_body){ s->account, m->email, NULL };
	if (f->needs_digest && (r = session_body_digest(t, &m->body,
	    &f->arena, &m->digest)) < 0)
		return r;
	if (f->needs_structure && (r = structure_parse(m->digest.structure,
	    m->digest.content_length, &f->arena, &m->structure)) < 0)
		return r;
	if (f->needs_digest && (r = envelope_parse(m->digest.envelope,
	    &f->arena, &m->envelope)) < 0)
		return r;
	return 0;
}

/* put_item - one item's name and value */
static int
put_item(struct task *t, struct imap_session *s, struct fetch_message *m,
    const struct imap_fetch_item *item)
{
	switch (item->kind) {
	case IMAP_FETCH_UID:
		buf_addf(&s->out, "UID %u", m->meta->uid);
		return 0;
	case IMAP_FETCH_FLAGS:
		buf_add_text(&s->out, "FLAGS ");
		return session_format_flags(s, m->meta);
	case IMAP_FETCH_INTERNALDATE:
		buf_add_text(&s->out, "INTERNALDATE ");
		imap_format_moment(&s->out,
		    (struct imap_moment){ m->email->internal_date, 0 });
		return 0;
	case IMAP_FETCH_RFC822_SIZE:
		buf_addf(&s->out, "RFC822.SIZE %llu",
		    (unsigned long long)m->email->size);
		return 0;
	case IMAP_FETCH_ENVELOPE:
		buf_add_text(&s->out, "ENVELOPE ");
		envelope_render(&s->out, &m->envelope);
		return 0;
	case IMAP_FETCH_BODY:
		buf_add_text(&s->out, "BODY ");
		structure_render_body(&s->out, &m->structure);
		return 0;
	case IMAP_FETCH_BODYSTRUCTURE:
		buf_add_text(&s->out, "BODYSTRUCTURE ");
		structure_render_bodystructure(&s->out, &m->structure);
		return 0;
	case IMAP_FETCH_RFC822:
	case IMAP_FETCH_RFC822_HEADER:
	case IMAP_FETCH_RFC822_TEXT:
	case IMAP_FETCH_SECTION:
		return fetch_section(t, s, m, item);
	}
	return 0;
}

/* put_message - the response for one message */
static int
put_message(struct task *t, struct imap_session *s, const struct fetch *f,
    struct fetch_message *m)
{
	static const struct imap_fetch_item flags = {
		.kind = IMAP_FETCH_FLAGS };
	size_t	count = f->want->count;
	int	r;

	if ((f->wants_flags || m->seen_now) &&
	    (r = session_tell_keywords(s, m->meta->flags)) < 0)
		return r;
	buf_addf(&s->out, "* %u FETCH (",
	    view_seq(s->selected.view, m->meta->uid));
	if (s->command.by_uid && !f->wants_uid)
		buf_addf(&s->out, "UID %u ", m->meta->uid);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_add_byte(&s->out, ' ');
		if ((r = put_item(t, s, m, &f->want->items[i])) < 0 ||
		    (r = session_put(t, s)) < 0)
			return r;
	}
	if (m->seen_now && !f->wants_flags) {
		buf_add_byte(&s->out, ' ');
		if ((r = put_item(t, s, m, &flags)) < 0)
			return r;
	}
	buf_add_text(&s->out, ")\r\n");
	return session_put(t, s);
}

/* fetch_message - one message */
static int
fetch_message(struct task *t, struct imap_session *s, struct fetch *f,
    struct fetch_message *m)
{
	int	r = prepare(t, s, f, m);

	if (r == 0) {
		/* once it is begun it must be ended, or the connection */
		r = put_message(t, s, f, m);
	} else if (r == -ENOENT) {
		f->some_gone = true;
		r = 0;
	} else if (r != -ECANCELED) {
		f->some_damaged = true;
		log_event(&s->log, EV_IMAP_SESSION_DAMAGED,
		    KV_UINT("mailbox", s->selected.mailbox),
		    KV_UINT("uid", m->meta->uid), KV_ERR("why", r));
		r = 0;
	}
	session_body_done(&m->body);
	return r;
}

/* fetch_batch - the messages of these UIDs */
static int
fetch_batch(struct task *t, struct imap_session *s, struct fetch *f,
    const uint32_t *uids, size_t n)
{
	bool		*seen_now = ARENA_ARRAY(&f->arena, bool, SESSION_BATCH);
	struct email	*emails = NULL;
	int		r;

	r = message_fetch_uids(s->account, s->selected.mailbox, uids, n,
	    f->metas, &f->meta_count);
	if (r == -ENOENT) {		/* the mailbox was deleted */
		r = 0;
		f->meta_count = 0;
	}
	f->some_gone |= f->meta_count < n;
	if (r == 0 && f->sets_seen)
		r = set_seen(t, s, f, seen_now);
	if (r == 0 && f->needs_email)
		r = get_emails(s, f, &emails);
	if (r < 0)
		return session_failed(s, r, NULL);
	for (size_t i = 0; i < f->meta_count; i++) {
		struct fetch_message m = { .meta = &f->metas[i],
			.email = emails == NULL ? NULL : &emails[i],
			.seen_now = seen_now[i] };

		if ((r = fetch_message(t, s, f, &m)) < 0)
			return r;
	}
	arena_reset(&f->arena);
	return task_yield(t);
}

/* say_result - what the tagged response says about messages left out */
static void
say_result(struct imap_session *s, const struct fetch *f)
{
	if (s->status[0] != 'O')
		return;			/* something worse was said */
	if (f->some_damaged)
		session_say(s, "NO", "CORRUPTION", "Some messages are damaged");
	else if (f->some_gone && !s->command.by_uid)
		session_say(s, "NO", "EXPUNGEISSUED",
		    "Some messages were deleted meanwhile");
}

/* session_fetch - FETCH and UID FETCH */
int
session_fetch(struct task *t, struct imap_session *s)
{
	struct fetch	*f = ARENA_NEW(&s->arena, struct fetch);
	uint32_t	*uids = ARENA_ARRAY(&s->arena, uint32_t, SESSION_BATCH);
	struct session_walk w;
	size_t		n;
	int		r = 0;

	f->want = &s->command.fetch;
	plan(f, s);
	if (!session_walk_begin(s, &s->command.set, s->command.by_uid, &w))
		return 0;
	while (r == 0 && s->status[0] == 'O' &&
	    (n = session_walk_next(s, &w, uids, SESSION_BATCH)) > 0)
		r = fetch_batch(t, s, f, uids, n);
	if (r == 0)
		say_result(s, f);
	arena_free(&f->arena);
	return r;
}
