/* SPDX-License-Identifier: ISC */
/*
 * Random operations on an account and on a plain model of it; after each
 * batch the two are compared, sessions' views are refreshed and compared, and
 * the account is verified. A failure names its seed: BARID_SEED=n runs one,
 * BARID_OPS=n that many operations.
 */
#include "store_test.h"

#include "libstore/pack.h"
#include "libstore/view.h"

#define BOXES		6
#define MESSAGES	4000
#define KEYWORDS	56		/* some go to the side record */
#define BATCH		40		/* operations between comparisons */

struct model_message {
	uint32_t	uid;
	uint64_t	flags;			/* system */
	uint64_t	keywords;		/* bit i: keyword "ki" */
	uint32_t	content;		/* seed of it */
	uint32_t	size;
};

struct model_box {
	bool		is_there;
	uint32_t	id;
	uint32_t	uidnext;
	struct model_message	*msg;		/* by UID */
	size_t		count;
	/* a session's view, and what it must believe */
	struct mailbox_view	*view;
	uint32_t	*seen;			/* UIDs by sequence number */
	size_t		 seen_count;
};

struct model {
	struct account	*account;
	struct mem_medium	*medium;	/* NULL: a folder */
	const char	*folder;
	struct test_clock	clock;
	uint64_t	 random;
	struct model_box	 box[BOXES];
	uint32_t	 next_content;
	uint64_t	 seed;
	bool		 failed;
};

static const char *box_names[BOXES] = { "INBOX", "Archive", "a", "a/b",
	"a/b/c", "z" };

/* rnd - below n */
static uint32_t
rnd(struct model *m, uint32_t n)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 7;
	m->random ^= m->random << 17;
	return (uint32_t)(m->random >> 11) % n;
}

#define HOLD(m, cond) do { \
	if (!(m)->failed && !CHECK((cond), (m)->seed)) \
		(m)->failed = true; \
} while (0)

/* content_of - the bytes that a seed stands for */
static void
content_of(uint32_t seed, uint32_t size, struct buf *out)
{
	buf_reset(out);
	buf_addf(out, "%u:", seed);
	while (out->len < size)
		buf_add_byte(out, (char)('a' + (out->len * (seed | 1)) % 23));
	buf_truncate(out, size);
}

static void
keyword_names(uint64_t bits, struct arena *arena, struct slice **names,
    size_t *count)
{
	*names = ARENA_ARRAY(arena, struct slice, KEYWORDS);
	*count = 0;
	for (unsigned i = 0; i < KEYWORDS; i++)
		if ((bits >> i & 1) != 0)
			(*names)[(*count)++] = arena_printf(arena, "k%u", i);
}

static struct model_box *
pick_box(struct model *m)
{
	struct model_box *b = &m->box[rnd(m, BOXES)];

	return b->is_there ? b : &m->box[0];
}

/* random_keywords - few, and sometimes one that is rare */
static uint64_t
random_keywords(struct model *m)
{
	switch (rnd(m, 4)) {
	case 0:
		return (uint64_t)1 << rnd(m, KEYWORDS);
	case 1:
		return ((uint64_t)1 << rnd(m, 5)) | ((uint64_t)1 << rnd(m, 5));
	default:
		return 0;
	}
}

static void
box_add(struct model_box *b, struct model_message msg)
{
	b->msg = realloc(b->msg, (b->count + 1) * sizeof(b->msg[0]));
	b->msg[b->count++] = msg;
	b->uidnext = msg.uid + 1;
}

static void
op_deliver(struct model *m)
{
	struct arena arena = ARENA_INIT;
	size_t	n = 1 + rnd(m, rnd(m, 4) == 0 ? 150 : 4);
	struct deliver_message *msg = ARENA_ARRAY(&arena,
	    struct deliver_message, n);
	struct deliver_place *place = ARENA_ARRAY(&arena,
	    struct deliver_place, n);
	struct model_message *want = ARENA_ARRAY(&arena, struct model_message,
	    n);
	struct model_box *b = pick_box(m);
	struct buf content = BUF_INIT;

	for (size_t i = 0; i < n; i++) {
		struct slice *names;

		want[i] = (struct model_message){
			.flags = rnd(m, 32), .keywords = random_keywords(m),
			.content = m->next_content++,
			.size = rnd(m, rnd(m, 10) == 0 ? 30000 : 600) };
		content_of(want[i].content, want[i].size, &content);
		keyword_names(want[i].keywords, &arena, &names,
		    &place[i].keyword_count);
		place[i].keywords = names;
		place[i].flags = want[i].flags;
		place[i].mailbox = b->id;
		msg[i].content = arena_dup(&arena, buf_slice(&content));
		msg[i].places = &place[i];
		msg[i].place_count = 1;
		msg[i].internal_date = (int64_t)rnd(m, 1000000000);
		msg[i].has_date = true;
	}
	HOLD(m, message_deliver(m->account, msg, n,
	    rnd(m, 8) == 0 ? DELIVER_IMPORT : 0) == 0);
	for (size_t i = 0; i < n && !m->failed; i++) {
		HOLD(m, msg[i].result == 0 && place[i].uid >= b->uidnext);
		want[i].uid = place[i].uid;
		box_add(b, want[i]);
	}
	buf_free(&content);
	arena_free(&arena);
}

/* pick_uids - some of a box's UIDs, ascending, and sometimes ones that are
 * not there */
static size_t
pick_uids(struct model *m, struct model_box *b, uint32_t *uids)
{
	uint32_t span = rnd(m, 3) == 0 ? b->uidnext + 1 : 1 + rnd(m, 200);
	uint32_t from = 1 + rnd(m, b->uidnext);
	uint32_t one_in = 1 + rnd(m, 5);
	size_t	n = 0;

	for (uint32_t u = from; u - from < span && n < ACCOUNT_BATCH_MAX &&
	    u <= b->uidnext; u++)
		if (rnd(m, one_in) == 0)
			uids[n++] = u;
	return n;
}

static struct model_message *
box_find(struct model_box *b, uint32_t uid)
{
	for (size_t i = 0; i < b->count; i++)
		if (b->msg[i].uid == uid)
			return &b->msg[i];
	return NULL;
}

static void
box_remove(struct model_box *b, uint32_t uid)
{
	struct model_message *msg = box_find(b, uid);
	size_t	at;

	if (msg == NULL)
		return;
	at = (size_t)(msg - b->msg);
	memmove(msg, msg + 1, (b->count - at - 1) * sizeof(b->msg[0]));
	b->count--;
}

static void
op_flags(struct model *m)
{
	static uint32_t uids[ACCOUNT_BATCH_MAX];
	struct arena arena = ARENA_INIT;
	struct model_box *b = pick_box(m);
	size_t	n = pick_uids(m, b, uids), there = 0;
	uint64_t keywords = random_keywords(m);
	struct flags_change c = { .op = (enum flags_op)rnd(m, 3),
		.flags = rnd(m, 32) };
	struct flags_result res;
	struct slice *names;

	keyword_names(keywords, &arena, &names, &c.keyword_count);
	c.keywords = names;
	HOLD(m, message_store(m->account, b->id, uids, n, &c, &arena,
	    &res) == 0);
	for (size_t i = 0; i < n; i++) {
		struct model_message *msg = box_find(b, uids[i]);

		if (msg == NULL)
			continue;
		there++;
		if (c.op == FLAGS_ADD) {
			msg->flags |= c.flags;
			msg->keywords |= keywords;
		} else if (c.op == FLAGS_REMOVE) {
			msg->flags &= ~c.flags;
			msg->keywords &= ~keywords;
		} else {
			msg->flags = c.flags;
			msg->keywords = keywords;
		}
	}
	HOLD(m, m->failed || res.meta_count == there);
	arena_free(&arena);
}

static void
op_expunge(struct model *m)
{
	static uint32_t uids[ACCOUNT_BATCH_MAX], gone[ACCOUNT_BATCH_MAX];
	struct model_box *b = pick_box(m);
	size_t	n = pick_uids(m, b, uids), count = 0, want = 0;
	bool	only_deleted = rnd(m, 2) == 0;

	HOLD(m, message_expunge(m->account, b->id, uids, n, only_deleted,
	    gone, &count) == 0);
	for (size_t i = 0; i < n; i++) {
		struct model_message *msg = box_find(b, uids[i]);

		if (msg == NULL || (only_deleted &&
		    (msg->flags & FLAG_DELETED) == 0))
			continue;
		HOLD(m, want < count && gone[want] == uids[i]);
		want++;
		box_remove(b, uids[i]);
	}
	HOLD(m, count == want);
}

static void
op_transfer(struct model *m, bool move)
{
	static uint32_t uids[ACCOUNT_BATCH_MAX];
	struct arena arena = ARENA_INIT;
	struct model_box *b = pick_box(m), *to = pick_box(m);
	size_t	n = pick_uids(m, b, uids), k = 0;
	uint32_t before = b->uidnext;	/* b and to may be the same */
	struct copy_result res = { 0 };

	if (n > 100)
		n = 100;
	if (move)
		HOLD(m, message_move(m->account, b->id, uids, n, to->id,
		    &arena, &res) == 0);
	else
		HOLD(m, message_copy(m->account, b->id, uids, n, to->id,
		    &arena, &res) == 0);
	for (size_t i = 0; i < n && !m->failed; i++) {
		struct model_message *msg = box_find(b, uids[i]), copy;

		if (msg == NULL || uids[i] >= before)
			continue;
		HOLD(m, k < res.count && res.from[k] == uids[i] &&
		    res.to[k] >= to->uidnext);
		if (m->failed)
			break;
		copy = *msg;
		copy.uid = res.to[k++];
		if (move)
			box_remove(b, uids[i]);
		box_add(to, copy);
	}
	HOLD(m, k == res.count);
	arena_free(&arena);
}

static void
box_forget(struct model_box *b)
{
	view_close(&b->view);
	free(b->msg);
	free(b->seen);
	*b = (struct model_box){ 0 };
}

static void
box_open(struct model *m, struct model_box *b)
{
	HOLD(m, view_open(m->account, b->id, &b->view) == 0);
	b->seen_count = b->count;
	b->seen = realloc(b->seen, (b->count + 1) * sizeof(b->seen[0]));
	for (size_t i = 0; i < b->count; i++)
		b->seen[i] = b->msg[i].uid;
}

/* op_mailbox - make or delete "z", the one without others below */
static void
op_mailbox(struct model *m)
{
	struct model_box *b = &m->box[5];
	int	r;

	if (b->is_there) {
		r = mailbox_delete(m->account, S("z"));
		HOLD(m, r == 0 || r == 1);
		box_forget(b);
		while (r == 1)
			r = account_work(m->account);
		HOLD(m, r == 0);
		return;
	}
	HOLD(m, mailbox_create(m->account, S("z"), MAILBOX_ROLE_NONE,
	    &b->id) == 0);
	b->is_there = true;
	b->uidnext = 1;
	box_open(m, b);
}

/* op_rename - there and back */
static void
op_rename(struct model *m)
{
	struct arena arena = ARENA_INIT;
	struct mailbox_info info;

	HOLD(m, mailbox_rename(m->account, S("a/b"), S("moved/deep/b")) == 0);
	HOLD(m, mailbox_find(m->account, S("moved/deep/b/c"), &arena,
	    &info) == 0 && info.id == m->box[4].id);
	HOLD(m, mailbox_rename(m->account, S("moved/deep/b"), S("a/b")) == 0);
	HOLD(m, mailbox_find(m->account, S("moved"), &arena, &info) ==
	    -ENOENT);
	arena_free(&arena);
}

/* compare_view - apply what the refresh says and look whether the client
 * would be right */
static void
compare_view(struct model *m, struct model_box *b, bool may_expunge)
{
	struct arena arena = ARENA_INIT;
	struct view_changes c;

	if (m->failed)
		return;
	HOLD(m, view_refresh(b->view, may_expunge, &arena, &c) == 0);
	if (m->failed)
		return;
	HOLD(m, may_expunge || c.expunged_count == 0);
	for (size_t i = 0; i < c.expunged_count; i++) {
		uint32_t seq = c.expunged[i].seq;

		HOLD(m, seq >= 1 && seq <= b->seen_count &&
		    b->seen[seq - 1] == c.expunged[i].uid);
		if (m->failed)
			break;
		memmove(&b->seen[seq - 1], &b->seen[seq],
		    (b->seen_count - seq) * sizeof(b->seen[0]));
		b->seen_count--;
	}
	HOLD(m, b->seen_count + c.added == c.count &&
	    c.count == view_count(b->view));
	b->seen = realloc(b->seen, (c.count + 1) * sizeof(b->seen[0]));
	for (uint32_t seq = (uint32_t)b->seen_count + 1; seq <= c.count; seq++)
		b->seen[seq - 1] = view_uid(b->view, seq);
	b->seen_count = c.count;
	for (uint32_t seq = 1; seq <= c.count && !m->failed; seq++) {
		HOLD(m, view_uid(b->view, seq) == b->seen[seq - 1]);
		HOLD(m, view_seq(b->view, b->seen[seq - 1]) == seq);
	}
	if (may_expunge) {
		HOLD(m, c.count == b->count);
		for (size_t i = 0; i < b->count && !m->failed; i++)
			HOLD(m, b->seen[i] == b->msg[i].uid);
	}
	for (size_t i = 0; i < c.changed_count; i++) {
		struct model_message *msg = box_find(b, c.changed[i].uid);

		HOLD(m, msg != NULL &&
		    msg->flags == (c.changed[i].flags & FLAGS_SYSTEM));
	}
	arena_free(&arena);
}

static int
model_open(struct model *m)
{
	if (m->medium != NULL)
		return test_open_mem(m->medium, &m->clock, &m->account);
	return test_open(m->folder, &m->clock, &m->account);
}

/* op_reopen - another process, with the views brought back from their state */
static void
op_reopen(struct model *m)
{
	struct view_state state[BOXES];

	for (size_t i = 0; i < BOXES; i++)
		if (m->box[i].is_there) {
			compare_view(m, &m->box[i], true);
			view_get_state(m->box[i].view, &state[i]);
			view_close(&m->box[i].view);
		}
	account_close(&m->account);
	HOLD(m, model_open(m) == 0);
	for (size_t i = 0; i < BOXES && !m->failed; i++)
		if (m->box[i].is_there)
			HOLD(m, view_restore(m->account, &state[i],
			    &m->box[i].view) == 0);
}

static void
model_op(struct model *m)
{
	switch (rnd(m, 24)) {
	case 0: case 1: case 2: case 3: case 4: case 5: case 6:
		op_deliver(m);
		break;
	case 7: case 8: case 9: case 10: case 11:
		op_flags(m);
		break;
	case 12: case 13: case 14:
		op_expunge(m);
		break;
	case 15: case 16:
		op_transfer(m, false);
		break;
	case 17: case 18:
		op_transfer(m, true);
		break;
	case 19:
		HOLD(m, pack_run(m->account, 1 + rnd(m, 100000)) >= 0);
		break;
	case 20:
		HOLD(m, pack_rewrite(m->account, 100000) >= 0);
		break;
	case 21:
		op_mailbox(m);
		break;
	case 22:
		op_rename(m);
		break;
	default:
		if (rnd(m, 4) == 0)
			op_reopen(m);
		else
			HOLD(m, account_compact(m->account) >= 0);
		break;
	}
	m->clock.now += rnd(m, 30);
}

/* compare_message - flags, keywords and content of one message */
static void
compare_message(struct model *m, struct model_box *b,
    const struct message_meta *meta, const struct model_message *msg)
{
	struct arena arena = ARENA_INIT;
	struct buf want = BUF_INIT, got = BUF_INIT;
	uint64_t keywords = 0;
	struct body *body = NULL;
	struct slice *names = NULL;
	uint64_t bit;
	size_t	n = 0;

	HOLD(m, meta->uid == msg->uid);
	HOLD(m, (meta->flags & FLAGS_SYSTEM) == msg->flags);
	HOLD(m, message_keywords(m->account, b->id, meta, &arena, &names,
	    &n) == 0);
	for (size_t i = 0; i < n && !m->failed; i++)
		if (slice_to_u64(slice_from(names[i], 1), KEYWORDS - 1,
		    &bit) == 0)
			keywords |= (uint64_t)1 << bit;
	HOLD(m, keywords == msg->keywords);
	if (!m->failed && rnd(m, 20) == 0) {
		HOLD(m, body_open(m->account, meta->email, &body) == 0);
		if (body != NULL) {
			char	*room = buf_room(&got, msg->size + 1);
			int64_t	len = body_read(body, 0, room, msg->size + 1);

			content_of(msg->content, msg->size, &want);
			HOLD(m, len == (int64_t)msg->size && memcmp(room,
			    want.data == NULL ? "" : want.data,
			    msg->size) == 0);
		}
		body_close(&body);
	}
	buf_free(&want);
	buf_free(&got);
	arena_free(&arena);
}

static void
compare_box(struct model *m, struct model_box *b)
{
	static struct message_meta metas[MESSAGES];
	struct arena arena = ARENA_INIT;
	struct mailbox_info info;
	uint32_t unseen = 0, deleted = 0, first_unseen = 0, got;
	size_t	n = 0, total = 0;
	uint32_t from = 1;

	HOLD(m, mailbox_get(m->account, b->id, &arena, &info) == 0);
	while (!m->failed) {
		HOLD(m, message_fetch(m->account, b->id, from, UINT32_MAX,
		    metas, 97, &n) == 0);
		for (size_t i = 0; i < n && !m->failed; i++) {
			HOLD(m, total < b->count);
			if (!m->failed)
				compare_message(m, b, &metas[i],
				    &b->msg[total++]);
		}
		if (m->failed || n < 97)
			break;
		from = metas[n - 1].uid + 1;
	}
	for (size_t i = 0; i < b->count; i++) {
		bool is_unseen = (b->msg[i].flags & FLAG_SEEN) == 0;

		if (is_unseen && unseen++ == 0)
			first_unseen = b->msg[i].uid;
		deleted += (b->msg[i].flags & FLAG_DELETED) != 0;
	}
	HOLD(m, total == b->count && info.total == b->count);
	HOLD(m, info.unseen == unseen && info.deleted == deleted);
	HOLD(m, message_first_unseen(m->account, b->id, &got) == 0 &&
	    got == first_unseen);
	arena_free(&arena);
}

static void
model_compare(struct model *m)
{
	for (size_t i = 0; i < BOXES; i++)
		if (m->box[i].is_there) {
			compare_view(m, &m->box[i], rnd(m, 3) > 0);
			compare_box(m, &m->box[i]);
		}
	if (!m->failed)
		HOLD(m, test_verify(m->account, "model") == 0);
}

static void
model_run(struct mem_medium *medium, const char *folder, uint64_t seed,
    unsigned ops)
{
	struct model *m = calloc(1, sizeof(*m));
	struct arena arena = ARENA_INIT;

	m->medium = medium;
	m->folder = folder;
	m->seed = seed;
	m->random = seed * 0x9e3779b97f4a7c15u + 1;
	m->clock.now = 1700000000;
	HOLD(m, model_open(m) == 0);
	for (size_t i = 0; i < BOXES && !m->failed; i++) {
		struct slice name = slice_of(box_names[i]);
		struct mailbox_info info;

		if (i >= 2)
			HOLD(m, mailbox_create(m->account, name,
			    MAILBOX_ROLE_NONE, &m->box[i].id) == 0);
		HOLD(m, mailbox_find(m->account, name, &arena, &info) == 0);
		m->box[i].id = info.id;
		m->box[i].uidnext = 1;
		m->box[i].is_there = true;
		box_open(m, &m->box[i]);
	}
	for (unsigned i = 0; i < ops && !m->failed; i++) {
		model_op(m);
		if (i % BATCH == BATCH - 1)
			model_compare(m);
	}
	for (size_t i = 0; i < BOXES; i++)
		box_forget(&m->box[i]);
	account_close(&m->account);
	arena_free(&arena);
	free(m);
}

/* from_env - a number, for runs by hand */
static uint64_t
from_env(const char *name, uint64_t otherwise)
{
	uint64_t v;

	return slice_to_u64(slice_of(getenv(name)), UINT64_MAX, &v) == 0 ?
	    v : otherwise;
}

TEST(model_mem)
{
	uint64_t first = from_env("BARID_SEED", 1);
	uint64_t last = from_env("BARID_SEED", 4);
	unsigned ops = (unsigned)from_env("BARID_OPS", 600);

	for (uint64_t seed = first; seed <= last; seed++) {
		struct mem_medium *medium = mem_medium_new();

		model_run(medium, NULL, seed, ops);
		mem_medium_free(&medium);
	}
}

TEST(model_lmdb)
{
	uint64_t seed = from_env("BARID_SEED", 1000);

	model_run(NULL, test_folder("model"), seed,
	    (unsigned)from_env("BARID_OPS", 600));
}
