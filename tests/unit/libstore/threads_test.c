/* SPDX-License-Identifier: ISC */
/*
 * One thread writes, packs and compacts while others read, refresh views and
 * open bodies: what each reads is whole, and no call waits for ever.
 */
#include "store_test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "libstore/pack.h"
#include "libstore/view.h"

#define ROUNDS	120
#define READERS	3

static struct test_clock test_time = { 1700000000 };

struct shared {
	struct account	*account;
	atomic_bool	 is_over;
	atomic_uint	 commits;
	atomic_uint	 wrong;
	atomic_uint	 bodies;
};

/* said - the commit callback */
static void
said(void *arg, const struct account_commit *c)
{
	struct shared *s = arg;

	if (c->modseq == 0 || (c->mailbox_count > 0 && c->mailboxes[0] == 0))
		s->wrong++;
	s->commits++;
}

static int64_t
now(void *arg)
{
	(void)arg;
	return test_time.now;
}

/* read_some - bodies of the newest messages: each is one letter repeated */
static void
read_some(struct shared *s, struct mailbox_view *v)
{
	struct message_meta metas[8];
	uint32_t count = view_count(v), from;
	size_t	n;

	if (count == 0)
		return;
	from = view_uid(v, count > 8 ? count - 7 : 1);
	if (message_fetch(s->account, 1, from, UINT32_MAX, metas, 8, &n) < 0) {
		s->wrong++;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct body *b = NULL;
		struct slice piece;
		int	r = body_open(s->account, metas[i].email, &b);

		/* it may be expunged by now */
		if (r == -ENOENT)
			continue;
		if (r < 0 || body_peek(b, 0, SIZE_MAX, &piece) < 0 ||
		    piece.len == 0 || piece.data[0] != piece.data[piece.len - 1])
			s->wrong++;
		else
			s->bodies++;
		body_close(&b);
	}
}

static void *
reader(void *arg)
{
	struct shared *s = arg;
	struct mailbox_view *v = NULL;
	struct arena arena = ARENA_INIT;

	if (view_open(s->account, 1, &v) < 0)
		s->wrong++;
	while (v != NULL && !s->is_over) {
		struct view_changes c;

		arena_reset(&arena);
		if (view_refresh(v, true, &arena, &c) < 0 ||
		    c.count != view_count(v))
			s->wrong++;
		read_some(s, v);
	}
	view_close(&v);
	arena_free(&arena);
	return NULL;
}

/* write_round - a batch in, some out, and upkeep */
static void
write_round(struct account *a, unsigned round)
{
	static char text[9000];
	struct arena arena = ARENA_INIT;
	struct message_meta metas[16];
	uint32_t uids[16];
	size_t	n = 0;

	for (unsigned i = 0; i < 8; i++) {
		memset(text, 'a' + (int)((round + i) % 26), sizeof(text));
		CHECK(test_deliver(a, 1, slice_over(text,
		    1 + (round * 331 + i * 977) % sizeof(text)), 0) > 0, round);
	}
	CHECK_INT(message_fetch(a, 1, 1, UINT32_MAX, metas, 7, &n), 0, round);
	for (size_t i = 0; i < n; i++)
		uids[i] = metas[i].uid;
	CHECK_INT(message_expunge(a, 1, uids, n, false, uids, &n), 0, round);
	if (round % 3 == 0)
		CHECK(pack_run(a, 1 << 20) >= 0, round);
	if (round % 7 == 0)
		CHECK(pack_rewrite(a, 1 << 20) >= 0, round);
	if (round % 5 == 0)
		CHECK(account_compact(a) >= 0, round);
	arena_free(&arena);
}

TEST(readers_beside_a_writer)
{
	struct shared s = { .account = NULL };
	struct account_params p = { .create = true, .id = S("anna"),
		.map_size = (uint64_t)1 << 30, .pack_size = 60000,
		.now = now, .on_commit = said, .arg = &s };
	pthread_t thread[READERS];

	if (CHECK_INT(account_open(test_folder("threads"), &p, &s.account), 0,
	    0) < 0)
		return;
	for (size_t i = 0; i < READERS; i++)
		CHECK_INT(pthread_create(&thread[i], NULL, reader, &s), 0, i);
	for (unsigned round = 0; round < ROUNDS; round++)
		write_round(s.account, round);
	s.is_over = true;
	for (size_t i = 0; i < READERS; i++)
		CHECK_INT(pthread_join(thread[i], NULL), 0, i);
	CHECK_INT(s.wrong, 0, 0);
	CHECK(s.bodies > 0, 0);
	CHECK(s.commits >= 8 * ROUNDS, 0);
	CHECK_INT(test_verify(s.account, "threads"), 0, 0);
	account_close(&s.account);
}
