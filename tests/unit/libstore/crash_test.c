/* SPDX-License-Identifier: ISC */
/*
 * A machine that stops at every step it can stop at. After each stop the
 * account is opened again and must verify; what a call had said it did is
 * there, what it said it did not do is there whole or not at all.
 */
#include "store_test.h"

#include "libstore/pack.h"

static struct test_clock test_time = { 1700000000 };

/* content_of - bytes that a number stands for */
static void
content_of(uint32_t n, struct buf *out)
{
	buf_reset(out);
	for (uint32_t i = 0; i < 50 + n * 37 % 400; i++)
		buf_addf(out, "%u.%u ", n, i);
}

/* what the caller knows */
struct caller {
	uint32_t	delivered;	/* numbers below were acknowledged */
	uint32_t	tried;		/* and at most this many tried */
	bool		moved;		/* UID 1 of INBOX to Junk, acknowledged */
	bool		tried_move;
};

/* run - the work that is interrupted; ends at the first error */
static void
run(struct account *a, struct caller *c)
{
	struct arena arena = ARENA_INIT;
	struct buf content = BUF_INIT;
	struct copy_result moved;
	uint32_t uid = 1;
	int	r = 0;

	for (uint32_t i = 0; i < 12 && r >= 0; i++) {
		struct deliver_place place = { .mailbox =
			test_role(a, MAILBOX_ROLE_INBOX) };
		struct delivery_mark mark = { .taken = i };
		struct deliver_message m = { .places = &place,
			.place_count = 1, .mark = &mark };

		content_of(i, &content);
		m.content = buf_slice(&content);
		memcpy(mark.id, &i, sizeof(i));
		c->tried = i + 1;
		r = message_deliver(a, &m, 1, i % 4 == 3 ? DELIVER_IMPORT : 0);
		if (r < 0)
			break;
		CHECK_INT(m.result, 0, i);
		c->delivered = i + 1;
		if (i % 5 == 4)
			r = pack_run(a, 10000);
		if (r >= 0 && i == 6) {
			c->tried_move = true;
			r = message_move(a, 1, &uid, 1,
			    test_role(a, MAILBOX_ROLE_JUNK), &arena, &moved);
			c->moved = r == 0;
		}
		if (r >= 0 && i == 9)
			r = pack_rewrite(a, 100000);
	}
	buf_free(&content);
	arena_free(&arena);
}

/* count_mail - messages, each with the content that it must have */
static uint32_t
count_mail(struct account *a, uint32_t mailbox, size_t row)
{
	struct message_meta metas[32];
	struct buf want = BUF_INIT;
	size_t	n = 0;

	CHECK_INT(message_fetch(a, mailbox, 1, UINT32_MAX, metas, 32, &n), 0,
	    row);
	for (size_t i = 0; i < n; i++) {
		struct body *b = NULL;
		char	got[8192];
		int64_t	len;

		content_of((uint32_t)metas[i].email - 1, &want);
		if (CHECK_INT(body_open(a, metas[i].email, &b), 0, row) < 0)
			continue;
		len = body_read(b, 0, got, sizeof(got));
		CHECK(slice_equal(slice_over(got, (size_t)len),
		    buf_slice(&want)), row);
		body_close(&b);
	}
	buf_free(&want);
	return (uint32_t)n;
}

/* look - after the machine was started again */
static void
look(struct account *a, const struct caller *c, size_t row)
{
	uint32_t inbox, junk;

	CHECK_INT(test_verify(a, "after a crash"), 0, row);
	inbox = count_mail(a, test_role(a, MAILBOX_ROLE_INBOX), row);
	junk = count_mail(a, test_role(a, MAILBOX_ROLE_JUNK), row);
	CHECK(inbox + junk >= c->delivered, row);
	CHECK(inbox + junk <= c->tried, row);
	CHECK(junk >= c->moved && junk <= c->tried_move, row);
}

/* again - the client tries once more: nothing may come twice */
static void
again(struct account *a, const struct caller *c, size_t row)
{
	struct deliver_place place = { .mailbox =
		test_role(a, MAILBOX_ROLE_INBOX) };
	struct delivery_mark mark = { .taken = 0 };
	struct deliver_message m = { .places = &place, .place_count = 1,
		.mark = &mark, .content = S("other") };
	uint32_t first = c->delivered - 1;

	if (c->delivered == 0)
		return;
	memcpy(mark.id, &first, sizeof(first));
	CHECK_INT(message_deliver(a, &m, 1, 0), 0, row);
	CHECK_INT(m.result, 1, row);
}

/* crash_at - one run that stops at that step; false if it came to its end */
static bool
crash_at(uint64_t step, enum mem_crash when)
{
	struct mem_medium *m = mem_medium_new();
	struct caller c = { 0 };
	struct account *a = NULL;
	bool	crashed;

	if (CHECK_INT(test_open_mem(m, &test_time, &a), 0, step) < 0)
		return false;
	mem_medium_crash(m, step, when);
	run(a, &c);
	crashed = mem_medium_is_crashed(m);
	account_close(&a);
	if (CHECK_INT(test_open_mem(m, &test_time, &a), 0, step) == 0) {
		look(a, &c, (size_t)step);
		again(a, &c, (size_t)step);
		CHECK(pack_run(a, 1000000) == 0, step);
		look(a, &c, (size_t)step);
	}
	account_close(&a);
	mem_medium_free(&m);
	return crashed;
}

TEST(crash_before_each_step)
{
	uint64_t step = 1;

	while (crash_at(step, MEM_CRASH_BEFORE))
		step++;
	CHECK(step > 15, 0);
}

TEST(crash_after_each_step)
{
	uint64_t step = 1;

	while (crash_at(step, MEM_CRASH_AFTER))
		step++;
	CHECK(step > 15, 0);
}

TEST(crash_while_made)
{
	for (int when = MEM_CRASH_BEFORE; when <= MEM_CRASH_AFTER; when++) {
		struct mem_medium *m = mem_medium_new();
		struct account *a = NULL;
		struct account_params p = { .create = true, .id = S("anna") };
		struct backend *b;

		CHECK_INT(backend_mem_open(m, &b), 0, when);
		mem_medium_crash(m, 1, (enum mem_crash)when);
		CHECK_INT(account_open_backend(&b, &p, &a), -EIO, when);
		CHECK_INT(test_open_mem(m, &test_time, &a), 0, when);
		CHECK_INT(test_verify(a, "made again"), 0, when);
		CHECK(test_role(a, MAILBOX_ROLE_INBOX) != 0, when);
		account_close(&a);
		mem_medium_free(&m);
	}
}
