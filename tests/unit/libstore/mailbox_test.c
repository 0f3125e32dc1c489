/* SPDX-License-Identifier: ISC */
/* Names, hierarchy, INBOX, subscriptions, deletion of much mail. */
#include "store_test.h"

static struct test_clock test_time = { 1700000000 };

TEST(mailbox_path_check)
{
	char	level[MAILBOX_LEVEL_MAX + 2];
	static const struct { const char *path; int want; } cases[] = {
		{ "a", 0 },
		{ "a/b c/d", 0 },
		{ "\xc3\xa4/\xe6\x97\xa5", 0 },
		{ "*%", 0 },
		{ "", -EINVAL },
		{ "/", -EINVAL },
		{ "/a", -EINVAL },
		{ "a/", -EINVAL },		/* create drops it before */
		{ "a//b", -EINVAL },
		{ "a\nb", -EINVAL },
		{ "a\x7f", -EINVAL },
		{ "\xff", -EINVAL },
		{ "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/"
		  "23/24/25/26/27/28/29/30/31/32", 0 },
		{ "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/"
		  "23/24/25/26/27/28/29/30/31/32/33", -ENAMETOOLONG },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_INT(mailbox_path_check(slice_of(cases[i].path)),
		    cases[i].want, i);
	memset(level, 'x', sizeof(level));
	CHECK_INT(mailbox_path_check(slice_over(level, MAILBOX_LEVEL_MAX)), 0,
	    0);
	CHECK_INT(mailbox_path_check(slice_over(level,
	    MAILBOX_LEVEL_MAX + 1)), -ENAMETOOLONG, 1);
}

enum op { CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE, FIND, ABSENT,
	NOSELECT, SUBSCRIBED, NOT_SUBSCRIBED };

/* is_subscribed - by the list */
static bool
is_subscribed(struct account *a, const char *path)
{
	struct arena arena = ARENA_INIT;
	struct slice *list;
	bool	found = false;
	size_t	n = 0;

	CHECK_INT(mailbox_list_subscribed(a, &arena, &list, &n), 0, 0);
	for (size_t i = 0; i < n; i++)
		found = found || slice_equal(list[i], slice_of(path));
	arena_free(&arena);
	return found;
}

static int
do_op(struct account *a, enum op op, const char *path, const char *to)
{
	struct arena arena = ARENA_INIT;
	struct slice s = slice_of(path);
	struct mailbox_info info = { 0 };
	uint32_t id;
	int	r;

	switch (op) {
	case CREATE:
		return mailbox_create(a, s, MAILBOX_ROLE_NONE, &id);
	case DELETE:
		return mailbox_delete(a, s);
	case RENAME:
		return mailbox_rename(a, s, slice_of(to));
	case SUBSCRIBE:
	case UNSUBSCRIBE:
		return mailbox_subscribe(a, s, op == SUBSCRIBE);
	case SUBSCRIBED:
	case NOT_SUBSCRIBED:
		return is_subscribed(a, path) == (op == SUBSCRIBED) ? 0 : -1;
	default:
		break;
	}
	r = mailbox_find(a, s, &arena, &info);
	if (op == ABSENT)
		r = r == -ENOENT ? 0 : -EEXIST;
	else if (r == 0 && info.is_noselect != (op == NOSELECT))
		r = -1;
	if (r == 0 && to != NULL && !slice_equal(info.path, slice_of(to)))
		r = -2;
	arena_free(&arena);
	return r;
}

TEST(mailbox_changes)
{
	static const struct { enum op op; const char *path, *to; int want; }
	steps[] = {
		{ FIND,		"inbox", "INBOX", 0 },
		{ CREATE,	"iNbOx", NULL, -EEXIST },
		{ CREATE,	"inbox/x", NULL, 0 },
		{ FIND,		"INBOX/x", "INBOX/x", 0 },
		{ ABSENT,	"INBOX/X", NULL, 0 },
		{ DELETE,	"inbox", NULL, -EPERM },
		{ CREATE,	"a/b/c", NULL, 0 },	/* parents too */
		{ NOSELECT,	"a/b", NULL, 0 },
		{ CREATE,	"a/b/", NULL, 0 },
		{ FIND,		"a/b", NULL, 0 },
		{ DELETE,	"a/b", NULL, 0 },	/* c is below */
		{ NOSELECT,	"a/b", NULL, 0 },
		{ DELETE,	"a/b", NULL, -ENOTEMPTY },
		{ RENAME,	"a/b/c", "a/b/c/d", -EINVAL },
		{ RENAME,	"a/b", "z/y", 0 },
		{ FIND,		"z/y/c", "z/y/c", 0 },
		{ ABSENT,	"a", NULL, 0 },		/* was there for b only */
		{ RENAME,	"z/y/c", "Sent", -EEXIST },
		{ RENAME,	"nowhere", "q", -ENOENT },
		{ SUBSCRIBE,	"z/y/c", NULL, 0 },
		{ RENAME,	"z/y/c", "c", 0 },
		{ ABSENT,	"z", NULL, 0 },
		{ SUBSCRIBED,	"c", NULL, 0 },
		{ DELETE,	"c", NULL, 0 },
		{ SUBSCRIBED,	"c", NULL, 0 },		/* the name stays */
		{ CREATE,	"c", NULL, 0 },
		{ SUBSCRIBED,	"c", NULL, 0 },
		{ UNSUBSCRIBE,	"c", NULL, 0 },
		{ NOT_SUBSCRIBED, "c", NULL, 0 },
		{ SUBSCRIBE,	"not/there", NULL, 0 },
		{ SUBSCRIBED,	"not/there", NULL, 0 },
		{ CREATE,	"not/there/below", NULL, 0 },
		{ UNSUBSCRIBE,	"not/there", NULL, 0 },
		{ NOT_SUBSCRIBED, "not/there", NULL, 0 },
		{ UNSUBSCRIBE,	"never", NULL, -ENOENT },
		{ DELETE,	"Trash", NULL, 0 },	/* the user's own choice */
	};
	struct mem_medium *m = mem_medium_new();
	struct account *a;

	if (CHECK_INT(test_open_mem(m, &test_time, &a), 0, 0) == 0)
		for (size_t i = 0; i < COUNT(steps); i++) {
			CHECK_INT(do_op(a, steps[i].op, steps[i].path,
			    steps[i].to), steps[i].want, i);
			CHECK_INT(test_verify(a, steps[i].path), 0, i);
		}
	account_close(&a);
	mem_medium_free(&m);
}

TEST(rename_inbox)
{
	struct mem_medium *m = mem_medium_new();
	struct arena arena = ARENA_INIT;
	struct mailbox_info before, inbox, old, child;
	struct account *a;
	uint32_t id;

	if (CHECK_INT(test_open_mem(m, &test_time, &a), 0, 0) < 0)
		return;
	CHECK_INT(mailbox_find(a, S("INBOX"), &arena, &before), 0, 0);
	CHECK_INT(mailbox_create(a, S("INBOX/child"), MAILBOX_ROLE_NONE, &id),
	    0, 0);
	CHECK_INT(test_deliver(a, before.id, S("x"), 0), 1, 0);
	CHECK_INT(mailbox_rename(a, S("inbox"), S("old/mail")), 0, 0);
	CHECK_INT(mailbox_find(a, S("INBOX"), &arena, &inbox), 0, 0);
	CHECK_INT(mailbox_find(a, S("old/mail"), &arena, &old), 0, 0);
	CHECK_INT(mailbox_find(a, S("INBOX/child"), &arena, &child), 0, 0);
	CHECK_INT(inbox.total, 0, 0);
	CHECK_INT(inbox.role, MAILBOX_ROLE_INBOX, 0);
	CHECK(inbox.is_subscribed, 0);
	CHECK(inbox.uidvalidity > before.uidvalidity, 0);
	CHECK_INT(old.total, 1, 0);
	CHECK_INT(old.role, MAILBOX_ROLE_NONE, 0);
	CHECK_INT(child.id, id, 0);
	CHECK_INT(test_verify(a, "INBOX renamed"), 0, 0);
	arena_free(&arena);
	account_close(&a);
	mem_medium_free(&m);
}

TEST(delete_much)
{
	static struct deliver_message msg[ACCOUNT_BATCH_MAX];
	static struct deliver_place place[ACCOUNT_BATCH_MAX];
	struct mem_medium *m = mem_medium_new();
	struct account_quota q;
	struct account *a;
	uint32_t id, again;
	int	r, rounds = 0;

	if (CHECK_INT(test_open_mem(m, &test_time, &a), 0, 0) < 0)
		return;
	CHECK_INT(mailbox_create(a, S("big"), MAILBOX_ROLE_NONE, &id), 0, 0);
	for (size_t i = 0; i < ACCOUNT_BATCH_MAX; i++) {
		place[i].mailbox = id;
		msg[i] = (struct deliver_message){ .content = S("hello"),
			.places = &place[i], .place_count = 1 };
	}
	for (int i = 0; i < 3; i++)
		CHECK_INT(message_deliver(a, msg, ACCOUNT_BATCH_MAX, 0), 0, i);
	CHECK_INT(mailbox_delete(a, S("big")), 1, 0);
	CHECK_INT(test_verify(a, "while it is deleted"), 0, 0);
	/* the name is free at once */
	CHECK_INT(mailbox_create(a, S("big"), MAILBOX_ROLE_NONE, &again), 0,
	    0);
	CHECK(again != id, 0);
	CHECK_INT(test_deliver(a, id, S("x"), 0), -ENOENT, 0);
	while ((r = account_work(a)) == 1 && rounds < 10)
		rounds++;
	CHECK_INT(r, 0, 0);
	account_get_quota(a, &q);
	CHECK_INT(q.used_count, 0, 0);
	CHECK_INT(q.used_bytes, 0, 0);
	CHECK_INT(test_verify(a, "deleted"), 0, 1);
	account_close(&a);
	mem_medium_free(&m);
}

TEST(recent)
{
	struct mem_medium *m = mem_medium_new();
	struct account *a;
	uint32_t recent = 0;

	if (CHECK_INT(test_open_mem(m, &test_time, &a), 0, 0) < 0)
		return;
	CHECK_INT(mailbox_claim_recent(a, 1, &recent), 0, 0);
	CHECK_INT(recent, 1, 0);
	CHECK_INT(test_deliver(a, 1, S("x"), 0), 1, 0);
	CHECK_INT(mailbox_claim_recent(a, 1, &recent), 0, 1);
	CHECK_INT(recent, 1, 1);
	CHECK_INT(mailbox_claim_recent(a, 1, &recent), 0, 2);
	CHECK_INT(recent, 2, 2);
	account_close(&a);
	mem_medium_free(&m);
}

TEST(history_is_pruned)
{
	struct mem_medium *m = mem_medium_new();
	struct test_clock days = { 1700000000 };
	struct arena arena = ARENA_INIT;
	struct uid_range *ranges;
	struct account *a;
	uint64_t start;
	size_t	n;

	if (CHECK_INT(test_open_mem(m, &days, &a), 0, 0) < 0)
		return;
	start = account_modseq(a);
	for (uint32_t i = 1; i <= 100; i++) {
		uint32_t uid = i;

		CHECK_INT(test_deliver(a, 1, S("x"), 0), i, i);
		CHECK_INT(message_expunge(a, 1, &uid, 1, false, &uid, &n), 0,
		    i);
		days.now += 86400;
	}
	CHECK_INT(message_vanished(a, 1, start, &arena, &ranges, &n), 0, 0);
	CHECK_INT(n, 1, 0);
	CHECK_INT(ranges[0].last, 100, 0);
	while (account_work(a) == 1)
		;
	CHECK_INT(message_vanished(a, 1, start, &arena, &ranges, &n), -ESTALE,
	    1);
	CHECK_INT(message_vanished(a, 1, account_modseq(a) - 20, &arena,
	    &ranges, &n), 0, 2);
	CHECK_INT(n, 1, 2);
	CHECK_INT(ranges[0].first, 91, 2);
	CHECK_INT(test_verify(a, "pruned"), 0, 0);
	arena_free(&arena);
	account_close(&a);
	mem_medium_free(&m);
}
