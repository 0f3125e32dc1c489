/* SPDX-License-Identifier: ISC */
/* A mailbox of many messages: blocks and directory chunks are cut and merged,
 * and everything is found again. */
#include "store_test.h"

#include "libstore/view.h"

static struct test_clock test_time = { 1700000000 };

#define COUNT_ALL	10000

/* deliver_many - n messages of a few bytes */
static void
deliver_many(struct account *a, uint32_t mailbox, size_t n)
{
	static struct deliver_message m[ACCOUNT_BATCH_MAX];
	static struct deliver_place place[ACCOUNT_BATCH_MAX];

	while (n > 0) {
		size_t	k = size_min(n, ACCOUNT_BATCH_MAX);

		for (size_t i = 0; i < k; i++) {
			place[i] = (struct deliver_place){ .mailbox = mailbox };
			m[i] = (struct deliver_message){ .content = S("x"),
				.places = &place[i], .place_count = 1 };
		}
		CHECK_INT(message_deliver(a, m, k, 0), 0, n);
		n -= k;
	}
}

/* every_nth - UIDs from first in steps, at most a batch */
static size_t
every_nth(uint32_t first, uint32_t step, uint32_t *uids)
{
	size_t	n = 0;

	for (uint32_t uid = first; uid <= COUNT_ALL && n < ACCOUNT_BATCH_MAX;
	    uid += step)
		uids[n++] = uid;
	return n;
}

/* check_view - every UID at its sequence number */
static void
check_view(struct account *a, uint32_t mailbox, const bool *there, size_t row)
{
	struct mailbox_view *v;
	uint32_t seq = 0;

	if (CHECK_INT(view_open(a, mailbox, &v), 0, row) < 0)
		return;
	for (uint32_t uid = 1; uid <= COUNT_ALL; uid++) {
		seq += there[uid];
		if (view_seq(v, uid) != (there[uid] ? seq : 0) ||
		    (there[uid] && view_uid(v, seq) != uid)) {
			CHECK_INT(uid, 0, row);
			break;
		}
	}
	CHECK_INT(view_count(v), seq, row);
	view_close(&v);
}

static void
many_on(struct account *a)
{
	static uint32_t uids[ACCOUNT_BATCH_MAX];
	static bool there[COUNT_ALL + 1];
	uint32_t inbox = test_role(a, MAILBOX_ROLE_INBOX);
	struct arena arena = ARENA_INIT;
	struct flags_result res;
	struct slice wide = S("wide");
	struct flags_change change = { .op = FLAGS_ADD, .keywords = &wide,
		.keyword_count = 1 };
	size_t	n, gone;

	deliver_many(a, inbox, COUNT_ALL);
	memset(there + 1, true, COUNT_ALL);
	check_view(a, inbox, there, 0);
	/* forty keywords before it make this one wide, so blocks are cut */
	for (int i = 0; i < 40; i++) {
		struct slice name = arena_printf(&arena, "k%d", i);
		struct flags_change one = { .op = FLAGS_ADD,
			.keywords = &name, .keyword_count = 1 };
		uint32_t uid = 1;

		CHECK_INT(message_store(a, inbox, &uid, 1, &one, &arena, &res),
		    0, i);
	}
	for (uint32_t from = 1; from <= 7; from++) {
		n = every_nth(from, 20, uids);
		CHECK_INT(message_store(a, inbox, uids, n, &change, &arena,
		    &res), 0, from);
		CHECK_INT(res.meta_count, n, from);
	}
	CHECK_INT(test_verify(a, "cut blocks"), 0, 0);
	check_view(a, inbox, there, 1);
	/* take nearly all away, so blocks merge and chunks empty */
	for (uint32_t from = 1; from <= 20; from++) {
		if (from % 10 == 3)
			continue;
		n = every_nth(from, 20, uids);
		CHECK_INT(message_expunge(a, inbox, uids, n, false, uids,
		    &gone), 0, from);
		CHECK_INT(gone, n, from);
		for (size_t i = 0; i < n; i++)
			there[uids[i]] = false;
		if (from % 5 == 0)
			check_view(a, inbox, there, from);
	}
	CHECK_INT(test_verify(a, "merged blocks"), 0, 0);
	check_view(a, inbox, there, 2);
	deliver_many(a, inbox, 3000);
	CHECK_INT(test_verify(a, "grown again"), 0, 0);
	arena_free(&arena);
}

TEST(many_messages_mem)
{
	struct mem_medium *m = mem_medium_new();
	struct account *a;

	if (CHECK_INT(test_open_mem(m, &test_time, &a), 0, 0) == 0)
		many_on(a);
	account_close(&a);
	mem_medium_free(&m);
}

TEST(many_messages_lmdb)
{
	struct account *a;

	if (CHECK_INT(test_open(test_folder("many"), &test_time, &a), 0, 0) < 0)
		return;
	many_on(a);
	account_close(&a);
}
