/* SPDX-License-Identifier: ISC */
/* Accounts from making to closing: messages, flags, copies, bodies, quota. */
#include "store_test.h"

#include <fcntl.h>
#include <lmdb.h>
#include <unistd.h>

#include "libglobal/lmdb_file.h"
#include "libstore/items.h"
#include "libstore/pack.h"
#include "libstore/view.h"

static struct test_clock test_time = { 1700000000 };

TEST(account_open)
{
	struct account *a = NULL, *second = NULL;
	struct account_params none = { .create = false };
	struct account_quota q;
	const char *folder = test_folder("open");

	CHECK_INT(account_open(folder, &none, &a), -ENOENT, 0);
	if (CHECK_INT(test_open(folder, &test_time, &a), 0, 0) < 0)
		return;
	CHECK_TEXT(account_id(a), "anna", 0);
	CHECK_INT(account_modseq(a), 1, 0);
	CHECK_INT(test_open(folder, &test_time, &second), -EBUSY, 0);
	CHECK_INT(account_set_quota(a, 1000, 5), 0, 0);
	account_close(&a);
	CHECK_INT(test_open(folder, &test_time, &a), 0, 1);
	account_get_quota(a, &q);
	CHECK_INT(q.limit_bytes, 1000, 1);
	CHECK_INT(q.limit_count, 5, 1);
	CHECK_INT(account_modseq(a), 2, 1);
	CHECK_INT(test_verify(a, "reopened"), 0, 1);
	account_close(&a);
}

/* lose - take a record out of an environment, behind the store's back */
static void
lose(const char *folder, const char *key)
{
	char	path[400];
	MDB_val	k = { strlen(key), (void *)(uintptr_t)key };
	MDB_env	*env = NULL;
	MDB_txn	*txn = NULL;
	MDB_dbi	dbi;

	snprintf(path, sizeof(path), "%s/meta.mdb", folder);
	CHECK_INT(mdb_env_create(&env), 0, 0);
	CHECK_INT(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOTLS, 0600), 0, 0);
	CHECK_INT(mdb_txn_begin(env, NULL, 0, &txn), 0, 0);
	CHECK_INT(mdb_dbi_open(txn, NULL, 0, &dbi), 0, 0);
	CHECK_INT(mdb_del(txn, dbi, &k, NULL), 0, 0);
	CHECK_INT(mdb_txn_commit(txn), 0, 0);
	mdb_env_close(env);
}

/* put - a file in a folder */
static void
put(const char *folder, const char *name, const char *text)
{
	char	path[400];
	int	fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK_INT(write(fd, text, strlen(text)), (long long)strlen(text), 0);
	CHECK_INT(close(fd), 0, 0);
}

/* what a making that was cut short leaves is no account, and no obstacle */
TEST(account_begun)
{
	const char *folder = test_folder("begun");
	struct account_params none = { .create = false };
	struct account *a = NULL;
	char	path[400];

	CHECK_INT(mkdir(folder, 0700), 0, 0);
	snprintf(path, sizeof(path), "%s/pack", folder);
	CHECK_INT(mkdir(path, 0700), 0, 0);
	put(folder, "meta.mdb.new", "half a page");
	CHECK_INT(account_open(folder, &none, &a), -ENOENT, 0);
	snprintf(path, sizeof(path), "%s/meta.mdb", folder);
	CHECK_INT(lmdb_file_make(path, 0600), 0, 0);
	CHECK_INT(lmdb_file_make(path, 0600), 0, 1);	/* it is there */
	CHECK_INT(account_open(folder, &none, &a), -ENOENT, 1);
	CHECK_INT(test_open(folder, &test_time, &a), 0, 2);
	CHECK_INT(test_deliver(a, 1, S("x"), 0), 1, 2);
	account_close(&a);
	/* but around what is left of an account none is made */
	lose(folder, "2");		/* the account record */
	CHECK_INT(test_open(folder, &test_time, &a), -EBADMSG, 3);
	/* nor where its environment is lost */
	CHECK_INT(unlink(path), 0, 0);
	CHECK_INT(account_open(folder, &none, &a), -ENOENT, 4);
	snprintf(path, sizeof(path), "%s/pack", folder);
	put(path, "00000001.pk", "a pack");
	CHECK_INT(test_open(folder, &test_time, &a), -ENOENT, 5);
	snprintf(path, sizeof(path), "%s/pack/00000001.pk", folder);
	CHECK_INT(unlink(path), 0, 0);
	snprintf(path, sizeof(path), "%s/snap", folder);
	CHECK(mkdir(path, 0700) == 0 || errno == EEXIST, 0);
	put(path, "1.snap", "a dump");
	CHECK_INT(test_open(folder, &test_time, &a), -ENOENT, 6);
	snprintf(path, sizeof(path), "%s/snap/1.snap", folder);
	CHECK_INT(unlink(path), 0, 0);
	CHECK_INT(test_open(folder, &test_time, &a), 0, 7);
	account_close(&a);
}

/* an environment that was cut off is an error: no new account, no fault */
TEST(account_cut_off)
{
	static const off_t sizes[] = { 20000, 3 * 4096, 2 * 4096, 5000, 1, 0 };
	const char *folder = test_folder("cut");
	struct account *a = NULL;
	char	path[400];

	CHECK_INT(test_open(folder, &test_time, &a), 0, 0);
	for (int i = 0; i < 40; i++)
		CHECK(test_deliver(a, 1, S("Subject: x\r\n\r\nx"), 0) > 0, i);
	account_close(&a);
	snprintf(path, sizeof(path), "%s/meta.mdb", folder);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		CHECK_INT(truncate(path, sizes[i]), 0, i);
		if (test_open(folder, &test_time, &a) < 0)
			continue;
		CHECK(test_deliver(a, 1, S("x"), 0) < 0 ||
		    test_verify(a, "cut") > 0, i);
		account_close(&a);
	}
	CHECK_INT(test_open(folder, &test_time, &a), -EUCLEAN, 0);
}

TEST(account_first_mailboxes)
{
	static const char *want[] = { "INBOX", "Archive", "Drafts", "Junk",
		"Sent", "Trash" };
	struct mem_medium *m = mem_medium_new();
	struct arena arena = ARENA_INIT;
	struct mailbox_info *list;
	struct account *a;
	size_t	n;

	if (CHECK_INT(test_open_mem(m, &test_time, &a), 0, 0) == 0 &&
	    CHECK_INT(mailbox_list(a, &arena, &list, &n), 0, 0) == 0 &&
	    CHECK_INT(n, COUNT(want), 0) == COUNT(want))
		for (size_t i = 0; i < n; i++) {
			CHECK_TEXT(list[i].path, want[i], i);
			CHECK(list[i].is_subscribed, i);
			CHECK_INT(list[i].uidnext, 1, i);
		}
	arena_free(&arena);
	account_close(&a);
	mem_medium_free(&m);
}

/* check_body - whole content of an email, in pieces of odd sizes */
static void
check_body(struct account *a, uint64_t email, struct slice prefix,
    struct slice content, size_t row)
{
	struct buf all = BUF_INIT_MAX((size_t)1 << 30);
	struct body *b = NULL;
	size_t	step = 1;

	if (CHECK_INT(body_open(a, email, &b), 0, row) < 0)
		return;
	CHECK_INT(body_size(b), prefix.len + content.len, row);
	while (all.len < body_size(b)) {
		char	piece[7001];
		int64_t	n = body_read(b, all.len, piece,
		    size_min(step, sizeof(piece)));

		if (!CHECK(n > 0, row))
			break;
		buf_add(&all, slice_over(piece, (size_t)n));
		step = step * 3 + 1;
	}
	CHECK(slice_equal(slice_sub(buf_slice(&all), 0, prefix.len), prefix),
	    row);
	CHECK(slice_equal(slice_from(buf_slice(&all), prefix.len), content),
	    row);
	body_close(&b);
	buf_free(&all);
}

/* fill - text that compresses somewhat */
static void
fill(struct buf *b, size_t len, unsigned seed)
{
	buf_reset(b);
	while (b->len < len) {
		seed = seed * 1103515245 + 12345;
		buf_addf(b, "line %u of a message\r\n", seed >> 16 & 0xff);
	}
	buf_truncate(b, len);
}

static void
bodies_on(struct account *a)
{
	static const size_t sizes[] = { 0, 1, 4075, 4076, 4077, 8152, 16385,
		70000, 262143, 262144, 1000000 };
	uint32_t inbox = test_role(a, MAILBOX_ROLE_INBOX);
	struct buf text = BUF_INIT_MAX((size_t)1 << 30);
	uint64_t emails[COUNT(sizes)];

	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct deliver_place place = { .mailbox = inbox };
		struct deliver_message m = { .places = &place,
			.place_count = 1, .prefix = S("Received: x\r\n") };

		fill(&text, sizes[i], (unsigned)i);
		m.content = buf_slice(&text);
		CHECK_INT(message_deliver(a, &m, 1, 0), 0, i);
		CHECK_INT(m.result, 0, i);
		emails[i] = m.email;
		check_body(a, m.email, m.prefix, m.content, i);
	}
	CHECK_INT(test_verify(a, "bodies in the environment"), 0, 0);
	for (int i = 0; i < 20 && pack_run(a, 100000) == 1; i++)
		;
	CHECK_INT(pack_run(a, 100000), 0, 0);
	CHECK_INT(test_verify(a, "bodies in the pack"), 0, 0);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		fill(&text, sizes[i], (unsigned)i);
		check_body(a, emails[i], S("Received: x\r\n"),
		    buf_slice(&text), 100 + i);
	}
	buf_free(&text);
}

TEST(bodies_mem)
{
	struct mem_medium *m = mem_medium_new();
	struct account *a;

	if (CHECK_INT(test_open_mem(m, &test_time, &a), 0, 0) == 0)
		bodies_on(a);
	account_close(&a);
	mem_medium_free(&m);
}

TEST(bodies_lmdb)
{
	struct account *a;

	if (CHECK_INT(test_open(test_folder("bodies"), &test_time, &a), 0, 0) < 0)
		return;
	bodies_on(a);
	account_close(&a);
}

/* one delivery and what becomes of it */
static int
mark_deliver(struct account *a, const struct delivery_mark *mark,
    struct deliver_message *ret_message, struct deliver_place *place)
{
	int	r;

	*place = (struct deliver_place){
		.mailbox = test_role(a, MAILBOX_ROLE_INBOX) };
	*ret_message = (struct deliver_message){ .content = S("x\r\n"),
		.mark = mark, .places = place, .place_count = 1 };
	r = message_deliver(a, ret_message, 1, 0);
	return r < 0 ? r : ret_message->result;
}

TEST(delivery_ids)
{
	struct mem_medium *medium = mem_medium_new();
	struct delivery_mark mark = { { 7 }, { 7 }, 0, NULL, 0, 0 };
	struct deliver_place place[2] = { 0 };
	struct deliver_message m[2];
	struct test_clock hours = { 1700000000 };
	struct account *a;

	if (CHECK_INT(test_open_mem(medium, &hours, &a), 0, 0) < 0)
		return;
	for (size_t i = 0; i < 2; i++) {
		place[i].mailbox = test_role(a, MAILBOX_ROLE_INBOX);
		m[i] = (struct deliver_message){ .content = S("x\r\n"),
			.places = &place[i], .place_count = 1, .mark = &mark };
	}
	CHECK_INT(message_deliver(a, m, 2, 0), 0, 0);
	CHECK_INT(m[0].result, 0, 0);
	CHECK_INT(m[1].result, 1, 0);		/* within one batch too */
	CHECK_INT(m[1].email, m[0].email, 0);
	CHECK_INT(place[1].uid, place[0].uid, 0);
	hours.now += 24 * 3600;
	CHECK_INT(mark_deliver(a, &mark, &m[0], &place[0]), 1, 1);
	hours.now += 6 * 3600;
	CHECK_INT(mark_deliver(a, &mark, &m[0], &place[0]), 0, 2); /* forgotten */
	CHECK_INT(test_verify(a, "delivery ids"), 0, 0);
	account_close(&a);
	mem_medium_free(&medium);
}

/* many others, so that quarters and contents lie around those looked for */
static void
deliver_others(struct account *a, struct test_clock *clock, uint8_t tag)
{
	struct deliver_message	m;
	struct deliver_place	place;

	for (uint8_t i = 0; i < 40; i++) {
		struct delivery_mark mark = { { tag, i, 1 }, { (uint8_t)(i * 6),
			tag, i }, clock->now * 1000000, NULL, 0, 0 };

		CHECK_INT(mark_deliver(a, &mark, &m, &place), 0, i);
		clock->now += 600;
	}
}

TEST(delivery_contents)
{
	struct mem_medium *medium = mem_medium_new();
	struct test_clock clock = { 1700000000 };
	struct delivery_span before = { 50, 99 }, first = { 100, 100 };
	struct delivery_span two[2] = { before, first };
	struct delivery_span fourth = { 400, 400 }, fifth = { 500, 500 };
	struct delivery_span later = { 300, 400 };
	const struct {
		struct delivery_mark	mark;
		int			result;
	} rows[] = {
		{ { { 1 }, { 9 }, 100, NULL, 0, 0 }, 0 },
		{ { { 2 }, { 9 }, 200, NULL, 0, 0 }, 0 },	/* equal: a second one */
		{ { { 2 }, { 9 }, 200, NULL, 0, 0 }, 1 },	/* repeated by us */
		{ { { 3 }, { 9 }, 300, &before, 1, 0 }, 0 }, /* none was taken then */
		{ { { 4 }, { 9 }, 400, two, 2, 0 }, 1 },	/* the first, again */
		{ { { 4 }, { 9 }, 400, two, 2, 0 }, 1 },	/* repeated by us */
		{ { { 1 }, { 9 }, 100, NULL, 0, 0 }, 1 },
		{ { { 11 }, { 9 }, 410, two, 2, 0 }, 0 },	/* that was used up */
		{ { { 12 }, { 9 }, 420, &fourth, 1, 0 }, 1 }, /* nor was this heard */
		{ { { 5 }, { 8 }, 400, &first, 1, 0 }, 0 }, /* another content */
		/* the one that doubts comes in before the one it doubts */
		{ { { 6 }, { 10 }, 500, &later, 1, 0 }, 0 },
		{ { { 7 }, { 10 }, 350, NULL, 0, 0 }, 1 },
		{ { { 8 }, { 10 }, 450, NULL, 0, 0 }, 0 },
		{ { { 6 }, { 10 }, 500, &later, 1, 0 }, 1 },
		/* a copy of it comes, then one more that it doubts */
		{ { { 13 }, { 10 }, 600, &fifth, 1, 0 }, 1 },
		{ { { 14 }, { 10 }, 360, NULL, 0, 0 }, 1 },
		/* sent in the place of others, which come in behind it: it did
		 * not know them, but they are known to be in doubt now */
		{ { { 20 }, { 11 }, 500, NULL, 0, 0 }, 0 },
		{ { { 21 }, { 11 }, 300, NULL, 0, 400 }, 1 },
		{ { { 21 }, { 11 }, 300, NULL, 0, 400 }, 1 },
		{ { { 22 }, { 11 }, 200, NULL, 0, 500 }, 1 },
		/* it was taken before that was noticed: not in its place */
		{ { { 23 }, { 11 }, 490, NULL, 0, 501 }, 0 },
		/* that one goes on to stand for itself: what doubts it ... */
		{ { { 24 }, { 11 }, 600, &fifth, 1, 0 }, 1 },
		{ { { 25 }, { 11 }, 610, &fifth, 1, 0 }, 0 }, /* ... once */
		/* and one of those three comes in behind all of them */
		{ { { 26 }, { 11 }, 310, NULL, 0, 320 }, 1 },
		{ { { 27 }, { 11 }, 620, NULL, 0, 0 }, 0 },
		/* it is in doubt, and nothing was sent in its place yet */
		{ { { 28 }, { 12 }, 300, NULL, 0, 310 }, 0 },
		{ { { 29 }, { 12 }, 330, NULL, 0, 0 }, 0 },
	};
	struct deliver_message m;
	struct deliver_place place;
	struct account *a;

	if (CHECK_INT(test_open_mem(medium, &clock, &a), 0, 0) < 0)
		return;
	for (size_t i = 0; i < COUNT(rows); i++) {
		deliver_others(a, &clock, (uint8_t)(100 + i));
		/* nothing is forgotten within a day */
		clock.now -= 20 * 600;
		CHECK_INT(mark_deliver(a, &rows[i].mark, &m, &place),
		    rows[i].result, i);
	}
	CHECK_INT(test_verify(a, "contents"), 0, 0);
	account_close(&a);
	mem_medium_free(&medium);
}

TEST(quota)
{
	struct mem_medium *medium = mem_medium_new();
	struct account_quota q;
	struct account *a;
	uint32_t inbox, uid = 1;
	size_t	n;

	if (CHECK_INT(test_open_mem(medium, &test_time, &a), 0, 0) < 0)
		return;
	inbox = test_role(a, MAILBOX_ROLE_INBOX);
	CHECK_INT(account_set_quota(a, 10, 2), 0, 0);
	CHECK_INT(test_deliver(a, inbox, S("12345678901"), 0), -EDQUOT, 0);
	CHECK_INT(test_deliver(a, inbox, S("12345"), 0), 1, 0);
	CHECK_INT(test_deliver(a, inbox, S("123456"), 0), -EDQUOT, 1);
	CHECK_INT(test_deliver(a, inbox, S("1"), 0), 2, 1);
	CHECK_INT(test_deliver(a, inbox, S("1"), 0), -EDQUOT, 2);
	account_get_quota(a, &q);
	CHECK_INT(q.used_bytes, 6, 0);
	CHECK_INT(q.used_count, 2, 0);
	CHECK_INT(message_expunge(a, inbox, &uid, 1, false, &uid, &n), 0, 0);
	CHECK_INT(n, 1, 0);
	CHECK_INT(test_deliver(a, inbox, S("123456"), 0), 3, 3);
	CHECK_INT(test_verify(a, "quota"), 0, 0);
	account_close(&a);
	mem_medium_free(&medium);
}

TEST(threads)
{
	static const struct slice refs_c[] = { S_INIT("a@x"), S_INIT("b@x") };
	static const struct slice refs_late[] = { S_INIT("root@x") };
	const struct { struct email_facts facts; size_t like; } rows[] = {
		{ { .message_id = S("a@x") }, 0 },
		{ { .message_id = S("b@x"), .in_reply_to = S("a@x") }, 0 },
		{ { .message_id = S("c@x"), .references = refs_c,
		    .reference_count = 2 }, 0 },
		{ { .message_id = S("z@x") }, 3 },
		{ { .message_id = S("y@x"), .references = refs_late,
		    .reference_count = 1 }, 4 },
		{ { .message_id = S("root@x") }, 4 },	/* came late */
		{ { .message_id = S("w@x"), .in_reply_to = S("z@x"),
		    .references = refs_late, .reference_count = 1 }, 3 },
		{ { .sent_date = 1 }, 7 },
	};
	struct mem_medium *medium = mem_medium_new();
	uint64_t thread[COUNT(rows)];
	struct account *a;

	if (CHECK_INT(test_open_mem(medium, &test_time, &a), 0, 0) < 0)
		return;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct deliver_place place = { .mailbox =
			test_role(a, MAILBOX_ROLE_INBOX) };
		struct deliver_message m = { .content = S("x"),
			.places = &place, .place_count = 1,
			.facts = rows[i].facts };

		CHECK_INT(message_deliver(a, &m, 1, 0), 0, i);
		thread[i] = m.thread;
		CHECK_INT(thread[i], thread[rows[i].like], i);
		if (rows[i].like == i)
			for (size_t k = 0; k < i; k++)
				CHECK(thread[k] != thread[i], i);
	}
	account_close(&a);
	mem_medium_free(&medium);
}

TEST(keywords)
{
	struct mem_medium *medium = mem_medium_new();
	struct arena arena = ARENA_INIT;
	struct message_meta m;
	struct slice *names;
	struct account *a;
	size_t	n;
	uint32_t inbox, junk, uid = 1;

	if (CHECK_INT(test_open_mem(medium, &test_time, &a), 0, 0) < 0)
		return;
	inbox = test_role(a, MAILBOX_ROLE_INBOX);
	junk = test_role(a, MAILBOX_ROLE_JUNK);
	CHECK_INT(test_deliver(a, inbox, S("x"), FLAG_SEEN), 1, 0);
	/* sixty keywords: twelve of them go to the side record */
	for (int i = 0; i < 60; i++) {
		struct slice name = arena_printf(&arena, "Key%d", i);
		struct flags_change change = { .op = FLAGS_ADD,
			.keywords = &name, .keyword_count = 1 };
		struct flags_result res;

		CHECK_INT(message_store(a, inbox, &uid, 1, &change, &arena,
		    &res), 0, i);
		CHECK_INT(res.meta_count, 1, i);
	}
	CHECK_INT(message_fetch(a, inbox, 1, 1, &m, 1, &n), 0, 0);
	CHECK_INT(message_keywords(a, inbox, &m, &arena, &names, &n), 0, 0);
	CHECK_INT(n, 60, 0);
	CHECK_TEXT(names[59], "Key59", 0);
	{	/* other case is the same keyword; removing goes both ways */
		struct slice gone[] = { S_INIT("KEY59"), S_INIT("key3"),
			S_INIT("unknown") };
		struct flags_change change = { .op = FLAGS_REMOVE,
			.keywords = gone, .keyword_count = 3 };
		struct flags_result res;
		struct copy_result copied;

		CHECK_INT(message_store(a, inbox, &uid, 1, &change, &arena,
		    &res), 0, 0);
		CHECK_INT(message_keywords(a, inbox, &res.metas[0], &arena,
		    &names, &n), 0, 0);
		CHECK_INT(n, 58, 0);
		CHECK_INT(message_copy(a, inbox, &uid, 1, junk, &arena,
		    &copied), 0, 0);
		CHECK_INT(message_fetch(a, junk, 1, 1, &m, 1, &n), 0, 0);
		CHECK_INT(m.flags, res.metas[0].flags, 0);
		CHECK_INT(message_keywords(a, junk, &m, &arena, &names, &n),
		    0, 0);
		CHECK_INT(n, 58, 1);
		change = (struct flags_change){ .op = FLAGS_SET,
			.flags = FLAG_DRAFT };
		CHECK_INT(message_store(a, inbox, &uid, 1, &change, &arena,
		    &res), 0, 1);
		CHECK_INT(res.metas[0].flags, FLAG_DRAFT, 1);
		change.keywords = (struct slice[]){ S_INIT("\\Bad") };
		change.keyword_count = 1;
		CHECK_INT(message_store(a, inbox, &uid, 1, &change, &arena,
		    &res), -EINVAL, 2);
	}
	CHECK_INT(test_verify(a, "keywords"), 0, 0);
	arena_free(&arena);
	account_close(&a);
	mem_medium_free(&medium);
}

TEST(conditional_store)
{
	struct mem_medium *medium = mem_medium_new();
	struct arena arena = ARENA_INIT;
	struct flags_change change = { .op = FLAGS_ADD, .flags = FLAG_SEEN,
		.is_conditional = true };
	struct flags_result res;
	struct account *a;
	uint32_t inbox, uids[] = { 1, 2, 3 };

	if (CHECK_INT(test_open_mem(medium, &test_time, &a), 0, 0) < 0)
		return;
	inbox = test_role(a, MAILBOX_ROLE_INBOX);
	CHECK_INT(test_deliver(a, inbox, S("x"), 0), 1, 0);
	change.unchanged_since = account_modseq(a);
	CHECK_INT(test_deliver(a, inbox, S("x"), 0), 2, 0);
	CHECK_INT(message_store(a, inbox, uids, 3, &change, &arena, &res),
	    0, 0);
	CHECK_INT(res.meta_count, 1, 0);
	CHECK_INT(res.metas[0].modseq, account_modseq(a), 0);
	CHECK_INT(res.refused_count, 1, 0);
	CHECK_INT(res.refused[0], 2, 0);
	/* setting what is set changes nothing, not even the mod-sequence */
	change.is_conditional = false;
	CHECK_INT(message_store(a, inbox, uids, 1, &change, &arena, &res),
	    0, 1);
	CHECK_INT(res.modseq, 0, 1);
	CHECK_INT(res.meta_count, 1, 1);
	arena_free(&arena);
	account_close(&a);
	mem_medium_free(&medium);
}

TEST(deliver_all_or_nothing)
{
	struct mem_medium *medium = mem_medium_new();
	struct deliver_place place[2] = { { .mailbox = 1 }, { .mailbox = 999 } };
	struct deliver_message m[2];
	struct arena arena = ARENA_INIT;
	struct mailbox_info info;
	struct account *a;

	if (CHECK_INT(test_open_mem(medium, &test_time, &a), 0, 0) < 0)
		return;
	for (size_t i = 0; i < 2; i++)
		m[i] = (struct deliver_message){ .content = S("x"),
			.places = &place[i], .place_count = 1 };
	CHECK_INT(message_deliver(a, m, 2, DELIVER_ALL), -ENOENT, 0);
	CHECK_INT(mailbox_get(a, 1, &arena, &info), 0, 0);
	CHECK_INT(info.total, 0, 0);
	CHECK_INT(message_deliver(a, m, 2, DELIVER_EACH), 0, 1);
	CHECK_INT(m[0].result, 0, 1);
	CHECK_INT(m[1].result, -ENOENT, 1);
	CHECK_INT(mailbox_get(a, 1, &arena, &info), 0, 1);
	CHECK_INT(info.total, 1, 1);
	arena_free(&arena);
	account_close(&a);
	mem_medium_free(&medium);
}

TEST(several_places)
{
	struct mem_medium *medium = mem_medium_new();
	struct arena arena = ARENA_INIT;
	struct account *a;
	struct email e;
	size_t	n;
	uint32_t uid = 1;

	if (CHECK_INT(test_open_mem(medium, &test_time, &a), 0, 0) < 0)
		return;
	{
		struct deliver_place place[] = { { .mailbox = 1 },
			{ .mailbox = 3, .flags = FLAG_FLAGGED } };
		struct deliver_message m = { .content = S("both"),
			.places = place, .place_count = 2,
			.facts = { .subject = S("hello"), .cache_version = 3,
			.cache = S("cache") } };

		CHECK_INT(message_deliver(a, &m, 1, 0), 0, 0);
		CHECK_INT(message_get_emails(a, &m.email, 1, EMAIL_WANT_CACHE,
		    &arena, &e), 0, 0);
		CHECK_INT(e.result, 0, 0);
		CHECK_INT(e.place_count, 2, 0);
		CHECK_TEXT(e.subject, "hello", 0);
		CHECK_TEXT(e.cache, "cache", 0);
		CHECK_INT(e.cache_version, 3, 0);
		CHECK_INT(message_expunge(a, 1, &uid, 1, false, &uid, &n), 0,
		    0);
		CHECK_INT(message_get_emails(a, &m.email, 1, 0, &arena, &e), 0,
		    1);
		CHECK_INT(e.place_count, 1, 1);
		CHECK_INT(test_verify(a, "one place left"), 0, 0);
		CHECK_INT(message_expunge(a, 3, &uid, 1, false, &uid, &n), 0,
		    1);
		CHECK_INT(message_get_emails(a, &m.email, 1, 0, &arena, &e), 0,
		    2);
		CHECK_INT(e.result, -ENOENT, 2);
	}
	CHECK_INT(test_verify(a, "no place left"), 0, 0);
	arena_free(&arena);
	account_close(&a);
	mem_medium_free(&medium);
}

TEST(damaged_record)
{
	struct mem_medium *medium = mem_medium_new();
	struct arena arena = ARENA_INIT;
	struct verify_result res;
	struct account *a;
	struct email e[2];
	uint64_t ids[] = { 1, 2 };

	if (CHECK_INT(test_open_mem(medium, &test_time, &a), 0, 0) < 0)
		return;
	CHECK_INT(test_deliver(a, 1, S("x"), 0), 1, 0);
	CHECK_INT(test_deliver(a, 1, S("y"), 0), 2, 0);
	CHECK(mem_medium_damage(medium, S("5\0\0\0\0\0\0\0\1")), 0);
	CHECK_INT(message_get_emails(a, ids, 2, 0, &arena, e), 0, 0);
	CHECK_INT(e[0].result, -EBADMSG, 0);
	CHECK_INT(e[1].result, 0, 0);
	CHECK_INT(store_verify(a, 0, NULL, NULL, &res), 0, 0);
	CHECK(res.findings > 0, 0);
	arena_free(&arena);
	account_close(&a);
	mem_medium_free(&medium);
}

TEST(items)
{
	struct mem_medium *medium = mem_medium_new();
	struct arena arena = ARENA_INIT;
	struct due_task *tasks;
	struct item *list;
	struct slice got;
	struct account *a;
	int64_t	due;
	size_t	n;

	if (CHECK_INT(test_open_mem(medium, &test_time, &a), 0, 0) < 0)
		return;
	CHECK_INT(item_put(a, ITEM_SIEVE, S("main"), S("keep;")), 0, 0);
	CHECK_INT(item_put(a, ITEM_SIEVE, S("other"), S("stop;")), 0, 0);
	CHECK_INT(item_get(a, ITEM_SIEVE, S("main"), &arena, &got), 0, 0);
	CHECK_TEXT(got, "keep;", 0);
	CHECK_INT(item_list(a, ITEM_SIEVE, SLICE_EMPTY, S("main"), 10, &arena,
	    &list, &n), 0, 0);
	CHECK_INT(n, 1, 0);
	CHECK_TEXT(list[0].name, "other", 0);
	CHECK_INT(item_remove(a, ITEM_SIEVE, S("main")), 0, 0);
	CHECK_INT(item_get(a, ITEM_SIEVE, S("main"), &arena, &got), -ENOENT,
	    0);
	CHECK_INT(due_task_next(a, &due), -ENOENT, 0);
	for (uint64_t i = 3; i > 0; i--) {
		struct due_task t = { (int64_t)(100 * i), 1, i, S("p") };

		CHECK_INT(due_task_put(a, &t), 0, i);
	}
	CHECK_INT(due_task_next(a, &due), 0, 0);
	CHECK_INT(due, 100, 0);
	CHECK_INT(due_task_list(a, 200, 10, &arena, &tasks, &n), 0, 0);
	CHECK_INT(n, 2, 0);
	CHECK_INT(tasks[1].id, 2, 0);
	CHECK_INT(due_task_remove(a, &tasks[0]), 0, 0);
	CHECK_INT(due_task_next(a, &due), 0, 1);
	CHECK_INT(due, 200, 1);
	arena_free(&arena);
	account_close(&a);
	mem_medium_free(&medium);
}

TEST(compaction)
{
	struct buf text = BUF_INIT;
	struct account_stats before, after;
	struct account *a;
	uint32_t uids[200];
	size_t	n;

	if (CHECK_INT(test_open(test_folder("compact"), &test_time, &a), 0, 0) < 0)
		return;
	fill(&text, 60000, 1);
	for (uint32_t i = 0; i < 200; i++)
		uids[i] = (uint32_t)test_deliver(a, 1, buf_slice(&text), 0);
	CHECK_INT(account_compact(a), 0, 0);
	CHECK_INT(message_expunge(a, 1, uids, 190, false, uids, &n), 0, 0);
	CHECK_INT(n, 190, 0);
	CHECK_INT(account_get_stats(a, &before), 0, 0);
	CHECK_INT(account_compact(a), 1, 0);
	CHECK_INT(account_get_stats(a, &after), 0, 0);
	CHECK(after.backend.bytes_total < before.backend.bytes_total / 2, 0);
	CHECK_INT(test_verify(a, "compacted"), 0, 0);
	CHECK_INT(test_deliver(a, 1, buf_slice(&text), 0), 201, 0);
	account_close(&a);
	CHECK_INT(test_open(test_folder("compact"), &test_time, &a), 0, 1);
	CHECK_INT(test_verify(a, "compacted, reopened"), 0, 1);
	account_close(&a);
	buf_free(&text);
}
