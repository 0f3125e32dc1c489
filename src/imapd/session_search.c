/* SPDX-License-Identifier: ISC */
/*
 * SEARCH (RFC 3501 6.4.4, RFC 4731): the program is prepared once (numbers
 * resolved, texts in one case, cheap keys first), then messages are looked at
 * in batches, each a work item. A batch is small where bodies must be read,
 * so that a client that goes away is noticed.
 */
#include "imapd/session_search.h"

#define BATCH_FLAGS	1000
#define BATCH_RECORDS	200
#define BATCH_BODIES	8

struct search {
	struct imap_session	*s;
	struct imap_search_key	*root;
	int64_t			now;
	const uint32_t		*uids;		/* of the batch */
	size_t			count;
	struct message_meta	*metas;		/* room for a batch */
	struct buf		found;		/* uint32_t: numbers or UIDs */
	struct slice		*keywords;	/* the account's */
	size_t			keyword_count;
	bool			some_damaged;
};

/* order - put cheap children before expensive ones, all the way down */
static void
order(struct imap_search_key *key)
{
	struct imap_search_key *sorted = NULL, **link, *next;

	if (key->child == NULL)
		return;
	for (struct imap_search_key *k = key->child; k != NULL; k = next) {
		next = k->next;
		order(k);
		for (link = &sorted; *link != NULL &&
		    search_cost(*link) <= search_cost(k);
		    link = &(*link)->next)
			;
		k->next = *link;
		*link = k;
	}
	key->child = sorted;
}

/* prepare_keyword - find the keyword's bit */
static void
prepare_keyword(const struct search *x, struct imap_search_key *key)
{
	key->number = UINT64_MAX;
	for (size_t i = 0; i < x->keyword_count; i++)
		if (slice_equal_nocase(x->keywords[i], key->text))
			key->number = i;
}

/* prepare - resolve numbers and fold texts, all the way down */
static void
prepare(struct search *x, struct imap_search_key *key)
{
	const struct mailbox_view *v = x->s->selected.view;
	uint32_t	count = view_count(v);
	struct buf	folded = BUF_INIT;

	for (struct imap_search_key *k = key->child; k != NULL; k = k->next)
		prepare(x, k);
	if (key->op == IMAP_SEARCH_SEQSET) {
		(void)imap_seqset_resolve(&key->set, count);
	} else if (key->op == IMAP_SEARCH_UID) {
		(void)imap_seqset_resolve(&key->set,
		    count == 0 ? view_uidnext(v) : view_uid(v, count));
	} else if (key->op == IMAP_SEARCH_KEYWORD ||
	    key->op == IMAP_SEARCH_UNKEYWORD) {
		prepare_keyword(x, key);
	} else if (key->text.len > 0) {
		search_fold(&folded, key->text);
		key->text = arena_dup(&x->s->arena, buf_slice(&folded));
		buf_free(&folded);
	}
}

/* match_one - look at one message */
static int
match_one(struct search *x, struct arena *a, const struct message_meta *meta)
{
	struct imap_session *s = x->s;
	struct search_message m = { .account = s->account,
		.selected = &s->selected, .now = x->now, .meta = meta,
		.seq = view_seq(s->selected.view, meta->uid), .arena = a };
	int	r = m.seq == 0 ? 0 : search_match(&m, x->root);
	uint32_t number = s->command.by_uid ? meta->uid : m.seq;

	if (r == 1)
		buf_add(&x->found, slice_over(&number, sizeof(number)));
	search_message_done(&m);
	return r;
}

/* search_job - a work item: look at a batch */
static int
search_job(void *arg)
{
	struct search	*x = arg;
	struct arena	a = ARENA_INIT;
	size_t		n = 0;
	int		r;

	r = message_fetch_uids(x->s->account, x->s->selected.mailbox, x->uids,
	    x->count, x->metas, &n);
	for (size_t i = 0; i < n && r >= 0; i++) {
		r = match_one(x, &a, &x->metas[i]);
		arena_reset(&a);
		if (r == -EBADMSG) {	/* what is damaged matches nothing */
			x->some_damaged = true;
			r = 0;
		} else if (r == -ENOENT) {
			r = 0;		/* gone meanwhile */
		}
	}
	arena_free(&a);
	return r < 0 ? r : buf_check(&x->found);
}

/* begin_walk - which messages to look at: if one of the keys that must all
 * hold is a set, only those in it */
static bool
begin_walk(struct search *x, struct session_walk *ret_walk)
{
	struct imap_session *s = x->s;
	uint32_t	count = view_count(s->selected.view);
	struct imap_seqset *all = ARENA_NEW(&s->arena, struct imap_seqset);

	for (struct imap_search_key *k = x->root->child; k != NULL;
	    k = k->next) {
		if (k->op != IMAP_SEARCH_UID && k->op != IMAP_SEARCH_SEQSET)
			continue;
		if (k->op == IMAP_SEARCH_UID)
			session_uids_to_seqs(s->selected.view, &k->set);
		else if (imap_seqset_resolve(&k->set, count) > count)
			break;		/* walk all: the set is sparse */
		k->op = IMAP_SEARCH_ALL;
		*ret_walk = (struct session_walk){ k->set, 0, 0 };
		return k->set.count > 0;
	}
	if (count == 0)
		return false;
	all->ranges = ARENA_NEW(&s->arena, struct imap_seqrange);
	all->ranges[0] = (struct imap_seqrange){ 1, count };
	all->count = 1;
	*ret_walk = (struct session_walk){ *all, 0, 0 };
	return true;
}

/* look_at_all - batch after batch */
static int
look_at_all(struct task *t, struct search *x)
{
	static const size_t sizes[] = {
		[SEARCH_COST_META] = BATCH_FLAGS,
		[SEARCH_COST_EMAIL] = BATCH_RECORDS,
		[SEARCH_COST_DIGEST] = BATCH_RECORDS,
		[SEARCH_COST_BODY] = BATCH_BODIES,
	};
	size_t		max = sizes[search_cost(x->root)];
	uint32_t	*uids = ARENA_ARRAY(&x->s->arena, uint32_t, max);
	struct session_walk w;
	int		r = 0;

	if (!begin_walk(x, &w))
		return 0;
	x->uids = uids;
	x->metas = ARENA_ARRAY(&x->s->arena, struct message_meta, max);
	while (r >= 0 &&
	    (x->count = session_walk_next(x->s, &w, uids, max)) > 0)
		r = work_run(t, search_job, x);
	return r;
}

/* put_found - "* SEARCH 2 3 5" */
static int
put_found(struct task *t, struct imap_session *s, const uint32_t *found,
    size_t count)
{
	int	r;

	buf_add_text(&s->out, "* SEARCH");
	for (size_t i = 0; i < count; i++) {
		buf_add_byte(&s->out, ' ');
		buf_add_u64(&s->out, found[i]);
		if ((r = session_put(t, s)) < 0)
			return r;
	}
	buf_add_text(&s->out, "\r\n");
	return 0;
}

/* put_extended - "* ESEARCH (TAG "a") UID COUNT 3 ALL 2:3,5" */
static void
put_extended(struct imap_session *s, const uint32_t *found, size_t count)
{
	uint32_t	wanted = s->command.search.wanted;
	struct imap_setwriter w;

	buf_add_text(&s->out, "* ESEARCH (TAG ");
	imap_format_string(&s->out, s->command.tag);
	buf_add_text(&s->out, s->command.by_uid ? ") UID" : ")");
	if ((wanted & IMAP_RETURN_MIN) != 0 && count > 0)
		buf_addf(&s->out, " MIN %u", found[0]);
	if ((wanted & IMAP_RETURN_MAX) != 0 && count > 0)
		buf_addf(&s->out, " MAX %u", found[count - 1]);
	if ((wanted & IMAP_RETURN_COUNT) != 0)
		buf_addf(&s->out, " COUNT %zu", count);
	if ((wanted & IMAP_RETURN_ALL) != 0 && count > 0) {
		buf_add_text(&s->out, " ALL ");
		imap_setwriter_begin(&w, &s->out);
		for (size_t i = 0; i < count; i++)
			imap_setwriter_add(&w, found[i]);
		imap_setwriter_end(&w);
	}
	buf_add_text(&s->out, "\r\n");
}

/* answer - what was found */
static int
answer(struct task *t, const struct search *x)
{
	const uint32_t	*found = (const uint32_t *)(const void *)x->found.data;
	size_t		count = x->found.len / sizeof(*found);
	struct imap_session *s = x->s;

	if (x->some_damaged)
		session_say(s, "OK", "CORRUPTION",
		    "Some messages are damaged and were passed over");
	if (!s->command.search.extended)
		return put_found(t, s, found, count);
	put_extended(s, found, count);
	return 0;
}

/* session_search - SEARCH and UID SEARCH */
int
session_search(struct task *t, struct imap_session *s)
{
	struct search	x = { .s = s, .root = &s->command.search.root,
		.now = task_wall(t) / 1000000, .found = BUF_INIT };
	struct deadline	d;
	int		r;

	if (s->command.search.charset == CHARSET_UNKNOWN) {
		session_say(s, "NO", "BADCHARSET (US-ASCII UTF-8 ISO-8859-1 "
		    "ISO-8859-15 WINDOWS-1252)",
		    "That charset is not known here");
		return 0;
	}
	r = account_keywords(s->account, &s->arena, &x.keywords,
	    &x.keyword_count);
	if (r == 0) {
		prepare(&x, x.root);
		order(x.root);
		deadline_begin(t, &d, s->params->imapd_search_timeout);
		r = look_at_all(t, &x);
		r = deadline_end(t, &d, r);
	}
	if (r == -ETIMEDOUT) {
		session_say(s, "NO", "LIMIT", "The search took too long");
		r = 0;
	} else if (r < 0) {
		r = session_failed(s, r, NULL);
	} else {
		r = answer(t, &x);
	}
	buf_free(&x.found);
	return r;
}
