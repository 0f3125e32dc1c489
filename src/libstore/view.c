/* SPDX-License-Identifier: ISC */
/*
 * A view is an array of runs of consecutive UIDs, each with the sequence
 * number of its first. Where the directory says that a block has no holes,
 * the block is not read at all.
 */
#include "libstore/view.h"

#include "libstore/index.h"
#include "libstore/vanished.h"
#include "libutil/alloc.h"

struct run {
	uint32_t	uid;
	uint32_t	count;
	uint32_t	seq;
};

struct runs {
	struct run	*at;
	size_t		 len, cap;
	uint32_t	 total;		/* messages */
};

struct mailbox_view {
	struct account	*account;
	uint32_t	 mailbox;
	uint32_t	 uidvalidity;
	uint32_t	 uidnext;
	uint64_t	 modseq;
	uint64_t	 gone_modseq;
	uint64_t	 account_modseq;	/* at the last refresh */
	bool		 is_behind;	/* expunges are kept back */
	struct runs	 runs;
};

/* runs_add - UIDs behind all that are there */
static void
runs_add(struct runs *r, uint32_t uid, uint32_t count)
{
	struct run *last = r->len == 0 ? NULL : &r->at[r->len - 1];

	if (last != NULL && last->uid + last->count == uid) {
		last->count += count;
	} else {
		if (r->len == r->cap) {
			r->cap = r->cap == 0 ? 4 : 2 * r->cap;
			r->at = xreallocarray(r->at, r->cap,
			    sizeof(r->at[0]));
		}
		r->at[r->len++] = (struct run){ uid, count, r->total + 1 };
	}
	r->total += count;
}

/* runs_free - release and empty */
static void
runs_free(struct runs *r)
{
	free(r->at);
	*r = (struct runs){ 0 };
}

/* runs_read - the UIDs of a mailbox from one on, added */
static int
runs_read(struct txn *t, uint32_t mailbox, uint32_t from, struct runs *runs)
{
	struct index_walk w = { 0 };
	int	r;

	r = index_walk_begin(t, mailbox, from, UINT32_MAX, 0, &w);
	while (r >= 0 && (r = index_walk_next(&w)) == 1) {
		const struct dir_entry *e = w.entry;

		if (e->first_uid >= from &&
		    e->last_uid - e->first_uid + 1 == e->live) {
			runs_add(runs, e->first_uid, e->live);
			continue;
		}
		if ((r = index_walk_block(&w)) < 0)
			break;
		for (uint32_t i = uidblock_find(w.block, from);
		    i < w.block->count; i++)
			runs_add(runs, w.block->at[i].uid, 1);
	}
	index_walk_end(&w);
	return r;
}

/* runs_minus - what is in a but not in b, as ascending ranges on the heap */
static size_t
runs_minus(const struct runs *a, const struct runs *b,
    struct uid_range **ret_ranges)
{
	struct uid_range *list;
	size_t	n = 0, k = 0;

	list = NEW_ARRAY(struct uid_range, a->len + b->len + 1);
	for (size_t i = 0; i < a->len; i++) {
		uint64_t uid = a->at[i].uid;
		uint64_t end = uid + a->at[i].count;

		while (uid < end) {
			uint64_t stop = end;

			while (k < b->len && (uint64_t)b->at[k].uid +
			    b->at[k].count <= uid)
				k++;
			if (k < b->len && b->at[k].uid <= uid) {
				uid = (uint64_t)b->at[k].uid + b->at[k].count;
				continue;
			}
			if (k < b->len && b->at[k].uid < stop)
				stop = b->at[k].uid;
			list[n++] = (struct uid_range){ (uint32_t)uid,
				(uint32_t)(stop - 1) };
			uid = stop;
		}
	}
	*ret_ranges = list;
	return n;
}

/* view_load - a view of the mailbox as a transaction sees it */
static int
view_load(struct txn *t, struct mailbox_view *v,
    const struct mailbox_slot *slot)
{
	v->mailbox = slot->id;
	v->uidvalidity = slot->rec.uidvalidity;
	v->uidnext = slot->rec.uidnext;
	v->modseq = v->gone_modseq = slot->rec.highest_modseq;
	return runs_read(t, slot->id, 0, &v->runs);
}

/* view_begin - a transaction on the mailbox; -ENOENT also for a bare name */
static int
view_begin(struct account *a, uint32_t mailbox, struct txn **ret_txn,
    struct mailbox_slot **ret_slot)
{
	int	r;

	if ((r = txn_begin(a, false, ret_txn)) < 0 ||
	    (r = txn_mailbox(*ret_txn, mailbox, ret_slot)) < 0)
		return r;
	return ((*ret_slot)->rec.attributes & MAILBOX_NOSELECT) != 0 ?
	    -ENOENT : 0;
}

/* view_open - as it is now */
int
view_open(struct account *a, uint32_t mailbox, struct mailbox_view **ret_view)
{
	struct mailbox_view *v = NEW(struct mailbox_view);
	struct mailbox_slot *slot;
	struct txn *t = NULL;
	int	r;

	v->account = a;
	v->account_modseq = account_modseq(a);
	if ((r = view_begin(a, mailbox, &t, &slot)) == 0)
		r = view_load(t, v, slot);
	txn_abort(&t);
	if (r < 0)
		view_close(&v);
	else
		*ret_view = v;
	return r;
}

/* view_close - release it; no-op on NULL */
void
view_close(struct mailbox_view **v)
{
	if (*v != NULL)
		runs_free(&(*v)->runs);
	free(*v);
	*v = NULL;
}

/* view_get_state - what must be kept while the session sleeps */
void
view_get_state(const struct mailbox_view *v, struct view_state *ret_state)
{
	*ret_state = (struct view_state){ v->mailbox, v->uidvalidity,
		v->uidnext, v->runs.total, v->modseq, v->gone_modseq };
}

/* runs_union - living runs below a UID and vanished ranges below it */
static void
runs_union(const struct runs *alive, const struct uid_range *gone, size_t n,
    uint32_t below, struct runs *out)
{
	size_t	i = 0, k = 0;

	while (i < alive->len || k < n) {
		bool	first = k == n || (i < alive->len &&
			    alive->at[i].uid < gone[k].first);
		uint32_t uid = first ? alive->at[i].uid : gone[k].first;
		uint32_t count = first ? alive->at[i].count :
			    gone[k].last - gone[k].first + 1;

		if (uid >= below)
			break;
		runs_add(out, uid, count < below - uid ? count : below - uid);
		i += first;
		k += !first;
	}
}

/* view_restore - what lives, and what vanished since, below the UIDNEXT of
 * then */
int
view_restore(struct account *a, const struct view_state *state,
    struct mailbox_view **ret_view)
{
	struct mailbox_view *v = NEW(struct mailbox_view);
	struct uid_range *gone = NULL;
	struct runs alive = { 0 };
	struct mailbox_slot *slot;
	struct txn *t = NULL;
	size_t	n = 0;
	int	r;

	v->account = a;
	if ((r = view_begin(a, state->mailbox, &t, &slot)) < 0)
		goto out;
	r = slot->rec.uidvalidity == state->uidvalidity &&
	    slot->rec.uidnext >= state->uidnext ? 0 : -ESTALE;
	if (r == 0)
		r = vanished_read(t, slot, state->gone_modseq, &gone, &n);
	if (r == 0)
		r = runs_read(t, state->mailbox, 0, &alive);
	if (r < 0)
		goto out;
	runs_union(&alive, gone, n, state->uidnext, &v->runs);
	v->mailbox = state->mailbox;
	v->uidvalidity = state->uidvalidity;
	v->uidnext = state->uidnext;
	v->modseq = state->modseq;
	v->gone_modseq = state->gone_modseq;
	v->is_behind = true;
	r = v->runs.total == state->count ? 0 : -ESTALE;
out:
	txn_abort(&t);
	runs_free(&alive);
	free(gone);
	if (r < 0)
		view_close(&v);
	else
		*ret_view = v;
	return r;
}

uint32_t
view_count(const struct mailbox_view *v)
{
	return v->runs.total;
}

uint64_t
view_modseq(const struct mailbox_view *v)
{
	return v->modseq;
}

uint32_t
view_uidnext(const struct mailbox_view *v)
{
	return v->uidnext;
}

/* view_uid - by binary search over the runs */
uint32_t
view_uid(const struct mailbox_view *v, uint32_t seq)
{
	size_t low = 0, high = v->runs.len;

	if (seq == 0 || seq > v->runs.total)
		return 0;
	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (v->runs.at[mid].seq <= seq)
			low = mid;
		else
			high = mid;
	}
	return v->runs.at[low].uid + (seq - v->runs.at[low].seq);
}

/* view_seq_from - by binary search over the runs */
uint32_t
view_seq_from(const struct mailbox_view *v, uint32_t uid)
{
	size_t low = 0, high = v->runs.len;
	const struct run *run;

	/* the first run that ends behind uid */
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		run = &v->runs.at[mid];
		if (run->uid + (run->count - 1) < uid)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == v->runs.len)
		return 0;
	run = &v->runs.at[low];
	return run->uid >= uid ? run->seq : run->seq + (uid - run->uid);
}

/* view_seq - only if it is there */
uint32_t
view_seq(const struct mailbox_view *v, uint32_t uid)
{
	uint32_t seq = view_seq_from(v, uid);

	return seq != 0 && view_uid(v, seq) == uid ? seq : 0;
}

/* view_is_stale - did anything at all happen in the account? */
bool
view_is_stale(const struct mailbox_view *v)
{
	return v->is_behind || account_modseq(v->account) !=
	    v->account_modseq;
}

/* expunge_note - one message that the client must be told of */
static void
expunge_note(struct view_changes *c, struct arena *arena, size_t *cap,
    uint32_t uid, uint32_t seq)
{
	if (c->expunged_count == *cap) {
		struct view_expunge *more;

		*cap = *cap == 0 ? 16 : 2 * *cap;
		more = ARENA_ARRAY(arena, struct view_expunge, *cap);
		if (c->expunged_count > 0)
			memcpy(more, c->expunged,
			    c->expunged_count * sizeof(more[0]));
		c->expunged = more;
	}
	c->expunged[c->expunged_count] = (struct view_expunge){
		seq - (uint32_t)c->expunged_count, uid };
	c->expunged_count++;
}

/* view_remove - take ranges out of the runs and list what was in them */
static void
view_remove(struct mailbox_view *v, const struct uid_range *gone, size_t n,
    struct arena *arena, struct view_changes *c)
{
	struct runs left = { 0 };
	size_t	cap = 0, k = 0;

	for (size_t i = 0; i < v->runs.len; i++) {
		const struct run *run = &v->runs.at[i];
		uint64_t uid = run->uid, end = uid + run->count;

		while (uid < end) {
			while (k < n && gone[k].last < uid)
				k++;
			if (k < n && gone[k].first <= uid) {
				expunge_note(c, arena, &cap, (uint32_t)uid,
				    run->seq + (uint32_t)(uid - run->uid));
				uid++;
				continue;
			}
			uint64_t stop = k < n && gone[k].first < end ?
			    gone[k].first : end;

			runs_add(&left, (uint32_t)uid, (uint32_t)(stop - uid));
			uid = stop;
		}
	}
	runs_free(&v->runs);
	v->runs = left;
}

/* refresh_expunged - what vanished since the last time it was told */
static int
refresh_expunged(struct txn *t, struct mailbox_view *v,
    const struct mailbox_slot *slot, struct arena *arena,
    struct view_changes *c)
{
	struct uid_range *gone = NULL;
	struct runs now = { 0 };
	size_t	n = 0;
	int	r;

	r = vanished_read(t, slot, v->gone_modseq, &gone, &n);
	if (r == -ESTALE) {
		/* history was pruned under a long silence: compare */
		r = runs_read(t, v->mailbox, 0, &now);
		if (r == 0)
			n = runs_minus(&v->runs, &now, &gone);
	}
	if (r == 0) {
		if (n > 0)
			view_remove(v, gone, n, arena, c);
		v->gone_modseq = slot->rec.highest_modseq;
	}
	runs_free(&now);
	free(gone);
	return r;
}

/* refresh_changed - flags that changed in what the view has */
static int
refresh_changed(struct txn *t, struct mailbox_view *v, struct arena *arena,
    struct view_changes *c)
{
	struct index_walk w = { 0 };
	struct buf found = BUF_INIT_MAX(SIZE_MAX);
	int	r;

	if (v->uidnext <= 1)
		return 0;
	r = index_walk_begin(t, v->mailbox, 0, v->uidnext - 1, v->modseq, &w);
	while (r >= 0 && (r = index_walk_next(&w)) == 1) {
		if ((r = index_walk_block(&w)) < 0)
			break;
		for (uint32_t i = 0; i < w.block->count; i++) {
			const struct message_meta *m = &w.block->at[i];

			if (m->modseq > v->modseq && m->uid < v->uidnext)
				buf_add(&found, slice_over(m, sizeof(*m)));
		}
	}
	index_walk_end(&w);
	if (r == 0 && found.len > 0) {
		c->changed_count = found.len / sizeof(c->changed[0]);
		c->changed = ARENA_ARRAY(arena, struct message_meta,
		    c->changed_count);
		memcpy(c->changed, found.data, found.len);
	}
	buf_free(&found);
	return r;
}

/* refresh_in - all of it inside one transaction */
static int
refresh_in(struct txn *t, struct mailbox_view *v,
    const struct mailbox_slot *slot, bool may_expunge, struct arena *arena,
    struct view_changes *c)
{
	uint32_t before;
	int	r = 0;

	if (may_expunge && slot->rec.highest_modseq > v->gone_modseq)
		r = refresh_expunged(t, v, slot, arena, c);
	if (r < 0 || slot->rec.highest_modseq <= v->modseq)
		goto out;
	if ((r = refresh_changed(t, v, arena, c)) < 0)
		return r;
	before = v->runs.total;
	if (slot->rec.uidnext > v->uidnext)
		r = runs_read(t, v->mailbox, v->uidnext, &v->runs);
	if (r < 0)
		return r;
	c->added = v->runs.total - before;
	v->uidnext = slot->rec.uidnext;
	v->modseq = slot->rec.highest_modseq;
out:
	v->is_behind = v->gone_modseq < v->modseq;
	return r;
}

/* view_refresh - bring it up to date */
int
view_refresh(struct mailbox_view *v, bool may_expunge, struct arena *arena,
    struct view_changes *ret_changes)
{
	struct view_changes c = { 0 };
	uint64_t seen = account_modseq(v->account);
	struct mailbox_slot *slot;
	struct txn *t = NULL;
	int	r = 0;

	if (seen == v->account_modseq && (!v->is_behind || !may_expunge))
		goto out;
	r = view_begin(v->account, v->mailbox, &t, &slot);
	if (r == 0 && slot->rec.uidvalidity != v->uidvalidity)
		r = -ENOENT;
	if (r == -ENOENT) {
		c.is_gone = true;
		r = 0;
	} else if (r == 0) {
		r = refresh_in(t, v, slot, may_expunge, arena, &c);
	}
	if (r == 0)
		v->account_modseq = seen;
	txn_abort(&t);
out:
	c.count = v->runs.total;
	if (r == 0)
		*ret_changes = c;
	return r;
}
