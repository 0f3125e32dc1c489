/* SPDX-License-Identifier: ISC */
/* Packs that fill and are rewritten, dumps, and what salvage brings back. */
#include "store_test.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "libstore/keys.h"
#include "libstore/pack.h"
#include "libstore/snap.h"

static struct test_clock test_time = { 1700000000 };

/* noise - bytes that do not compress, the same for the same seed */
static void
noise(uint32_t seed, size_t len, struct buf *out)
{
	uint64_t x = seed * 0x9e3779b97f4a7c15u + 1;

	buf_reset(out);
	while (out->len < len) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		buf_add_byte(out, (char)(x >> 32));
	}
}

/* open_small - packs of 100 kB */
static int
open_small(struct mem_medium *m, struct account **ret)
{
	struct account_params p = { .create = true, .id = S("anna"),
		.pack_size = 100000, .now = test_now, .arg = &test_time };
	struct backend *b;
	int	r = backend_mem_open(m, &b);

	return r < 0 ? r : account_open_backend(&b, &p, ret);
}

static void
check_noise(struct account *a, uint64_t email, uint32_t seed, size_t len)
{
	struct buf want = BUF_INIT;
	struct body *b = NULL;
	char	*got = malloc(len + 1);

	noise(seed, len, &want);
	if (CHECK_INT(body_open(a, email, &b), 0, seed) == 0) {
		CHECK_INT(body_read(b, 0, got, len + 1), len, seed);
		CHECK(memcmp(got, want.data, len) == 0, seed);
	}
	body_close(&b);
	buf_free(&want);
	free(got);
}

TEST(pack_rewrite)
{
	struct mem_medium *m = mem_medium_new();
	struct account_stats before, after;
	struct buf content = BUF_INIT;
	struct account *a;
	uint32_t uids[30];
	size_t	n = 0;
	int	r, rounds = 0;

	if (CHECK_INT(open_small(m, &a), 0, 0) < 0)
		return;
	for (uint32_t i = 0; i < 40; i++) {
		noise(i, 20000, &content);
		CHECK_INT(test_deliver(a, 1, buf_slice(&content), 0), i + 1,
		    i);
	}
	while ((r = pack_run(a, 50000)) == 1)
		;
	CHECK_INT(r, 0, 0);
	CHECK_INT(account_get_stats(a, &before), 0, 0);
	CHECK_INT(before.unpacked_bytes, 0, 0);
	CHECK_INT(before.pack_count, 10, 0);
	for (uint32_t i = 0; i < 40; i++)
		if (i % 4 != 3)
			uids[n++] = i + 1;
	CHECK_INT(message_expunge(a, 1, uids, n, false, uids, &n), 0, 0);
	while ((r = pack_rewrite(a, 50000)) == 1 && rounds++ < 100)
		CHECK_INT(test_verify(a, "rewriting"), 0, rounds);
	CHECK_INT(r, 0, 0);
	CHECK_INT(account_get_stats(a, &after), 0, 0);
	CHECK_INT(after.pack_live, before.pack_live / 4, 0);
	CHECK(after.pack_count <= 4, 0);
	for (uint32_t i = 3; i < 40; i += 4)
		check_noise(a, i + 1, i, 20000);
	buf_free(&content);
	account_close(&a);
	mem_medium_free(&m);
}

/* mail_of - deliver some mail of all kinds and pack most of it */
static void
mail_of(struct account *a)
{
	struct slice name = S("todo");
	struct buf content = BUF_INIT;
	struct arena arena = ARENA_INIT;
	struct copy_result copied;
	uint32_t uids[] = { 2, 3 };

	for (uint32_t i = 0; i < 12; i++) {
		struct deliver_place place = { .mailbox = 1,
			.keywords = &name, .keyword_count = i % 2 };
		struct deliver_message d = { .places = &place,
			.place_count = 1, .prefix = S("X-Prefix: 1\r\n"),
			.facts = { .subject = S("hello"),
			.cache_version = 1, .cache = S("cache") } };

		noise(i, 3000 + i * 1000, &content);
		d.content = buf_slice(&content);
		CHECK_INT(message_deliver(a, &d, 1, 0), 0, i);
		if (i == 9)
			CHECK_INT(pack_run(a, 1000000), 0, i);
	}
	CHECK_INT(message_copy(a, 1, uids, 2, 3, &arena, &copied), 0, 0);
	arena_free(&arena);
	buf_free(&content);
}

TEST(salvage_of_damage)
{
	/* the key's bytes behind the first */
	static const struct { enum keyspace space; struct slice key;
	    const char *what; } rows[] = {
		{ KEY_EMAIL, S_INIT("\0\0\0\0\0\0\0\5"), "email record" },
		{ KEY_BODY, S_INIT("\0\0\0\0\0\0\0\5"), "body record" },
		{ KEY_FRESH, S_INIT("\0\0\0\0\0\0\0\14\1"),
		    "body record that is not packed" },
		{ KEY_FRESH, S_INIT("\0\0\0\0\0\0\0\14\2"),
		    "cache that is not packed" },
		{ KEY_FRESH, S_INIT("\0\0\0\0\0\0\0\14\3\0\0\0\1"),
		    "chunk" },
		{ KEY_UIDS, S_INIT("\377\377\377\376\0\0\0\1"),
		    "UID block" },
		{ KEY_DIRECTORY, S_INIT("\0\0\0\1\0\0\0\1"),
		    "directory chunk" },
		{ KEY_MAILBOX, S_INIT("\0\0\0\1"), "mailbox record" },
		{ KEY_MAILBOX, S_INIT("\0\0\0\3"),
		    "another mailbox record" },
		{ KEY_NAME, S_INIT("\0\0\0\0INBOX"), "name" },
		{ KEY_CACHE, S_INIT("\0\0\0\0\0\0\0\3"), "cache" },
		{ KEY_PACK, S_INIT("\0\0\0\1"), "pack record" },
		{ KEY_KEYWORDS, S_INIT(""), "keyword table" },
		{ KEY_THREAD, S_INIT("\0\0\0\0\0\0\0\2"
		    "\0\0\0\0\0\0\0\15"), "thread entry" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mem_medium *m = mem_medium_new();
		struct salvage_result res;
		struct verify_result found;
		struct account *a;
		struct key k;

		if (CHECK_INT(open_small(m, &a), 0, i) < 0)
			return;
		mail_of(a);
		CHECK_INT(test_verify(a, "before the damage"), 0, i);
		key_begin(&k, rows[i].space);
		CHECK_INT(key_add_bytes(&k, rows[i].key), 0, i);
		CHECK(mem_medium_damage(m, key_slice(&k)), i);
		CHECK_INT(store_verify(a, 0, NULL, NULL, &found), 0, i);
		CHECK(found.findings > 0, i);
		CHECK_INT(store_salvage(a, NULL, NULL, &res), 0, i);
		CHECK_INT(test_verify(a, rows[i].what), 0, i);
		CHECK_INT(store_verify(a, 0, NULL, NULL, &found), 0, i);
		/* all mail but that whose only copy was hit is there */
		CHECK_INT(found.messages, 14, i);
		CHECK(test_deliver(a, 3, S("goes on"), 0) > 0 ||
		    rows[i].space == KEY_MAILBOX, i);
		account_close(&a);
		mem_medium_free(&m);
	}
}

/* records_of - how many there are */
static size_t
records_of(const struct mem_medium *m)
{
	size_t	n = 0;

	while (mem_medium_key(m, n).len > 0)
		n++;
	return n;
}

/* whatever is hit, salvage ends with an account that verifies and works */
TEST(salvage_of_random_damage)
{
	for (uint32_t seed = 1; seed <= 150; seed++) {
		struct mem_medium *m = mem_medium_new();
		struct salvage_result res;
		struct account *a;
		uint32_t id, x = seed * 2654435761u;

		if (CHECK_INT(open_small(m, &a), 0, seed) < 0)
			return;
		CHECK_INT(mailbox_create(a, S("a/b"), MAILBOX_ROLE_NONE, &id),
		    0, seed);
		mail_of(a);
		for (uint32_t i = 0; i < 1 + seed % 12; i++) {
			struct slice key;

			x = x * 1103515245 + 12345;
			key = mem_medium_key(m, (x >> 8) % records_of(m));
			/* without it there is no salvage */
			if (key.data[0] == KEY_ACCOUNT)
				continue;
			CHECK(mem_medium_damage(m, key), seed);
		}
		CHECK_INT(store_salvage(a, NULL, NULL, &res), 0, seed);
		CHECK_INT(test_verify(a, "random damage"), 0, seed);
		CHECK(test_deliver(a, test_role(a, MAILBOX_ROLE_INBOX),
		    S("goes on"), 0) > 0, seed);
		CHECK(pack_run(a, 1 << 20) == 0, seed);
		CHECK_INT(test_verify(a, "and goes on"), 0, seed);
		account_close(&a);
		mem_medium_free(&m);
	}
}

TEST(salvage_changes_nothing_when_well)
{
	struct mem_medium *m = mem_medium_new();
	struct verify_result before, after;
	struct salvage_result res;
	struct account *a;

	if (CHECK_INT(open_small(m, &a), 0, 0) < 0)
		return;
	mail_of(a);
	CHECK_INT(store_verify(a, 0, NULL, NULL, &before), 0, 0);
	CHECK_INT(store_salvage(a, test_print_finding,
	    (void *)(uintptr_t)"salvage", &res), 0, 0);
	CHECK_INT(res.recovered, 0, 0);
	CHECK_INT(res.damaged, 0, 0);
	CHECK_INT(store_verify(a, 0, NULL, NULL, &after), 0, 0);
	CHECK_INT(after.messages, before.messages, 0);
	CHECK_INT(after.findings, 0, 0);
	account_close(&a);
	mem_medium_free(&m);
}

/* lose - remove the metadata of a closed account */
static void
lose(const char *folder)
{
	char	path[400];

	snprintf(path, sizeof(path), "%s/meta.mdb", folder);
	CHECK_INT(unlink(path), 0, 0);
	snprintf(path, sizeof(path), "%s/meta.mdb-lock", folder);
	CHECK_INT(unlink(path), 0, 0);
}

TEST(snap_and_salvage)
{
	const char *folder = test_folder("snap");
	struct arena arena = ARENA_INIT;
	struct buf content = BUF_INIT;
	struct salvage_result res;
	struct mailbox_info info;
	struct account *a;
	int64_t	when = 0;
	uint32_t uid = 4;
	size_t	n;

	if (CHECK_INT(test_open(folder, &test_time, &a), 0, 0) < 0)
		return;
	mail_of(a);
	CHECK_INT(pack_run(a, 1000000), 0, 0);
	CHECK_INT(snap_write(a), 0, 0);
	CHECK_INT(snap_time(a, &when), 0, 0);
	CHECK_INT(when, test_time.now, 0);
	/* after the dump: one message goes, two come and are packed */
	CHECK_INT(message_expunge(a, 1, &uid, 1, false, &uid, &n), 0, 0);
	for (uint32_t i = 100; i < 102; i++) {
		noise(i, 5000, &content);
		CHECK_INT(test_deliver(a, 1, buf_slice(&content), FLAG_SEEN),
		    i - 87, i);
	}
	CHECK_INT(pack_run(a, 1000000), 0, 0);
	account_close(&a);
	CHECK_INT(snap_restore(folder, 1 << 30), -EEXIST, 0);
	lose(folder);
	CHECK_INT(snap_restore(folder, 1 << 30), 0, 0);
	if (CHECK_INT(test_open(folder, &test_time, &a), 0, 0) < 0)
		return;
	CHECK_INT(mailbox_get(a, 1, &arena, &info), 0, 0);
	CHECK_INT(info.total, 12, 0);
	/* new mail before the salvage must not hide what it will find */
	CHECK(test_deliver(a, 1, S("new"), 0) > 0, 0);
	CHECK_INT(pack_run(a, 1000000), 0, 0);
	CHECK_INT(store_salvage(a, test_print_finding,
	    (void *)(uintptr_t)"salvage", &res), 0, 0);
	CHECK_INT(test_verify(a, "salvaged"), 0, 0);
	CHECK_INT(mailbox_find(a, S("Recovered"), &arena, &info), 0, 0);
	CHECK_INT(info.total, 2, 0);
	CHECK_INT(info.unseen, 0, 0);		/* flags at packing */
	account_close(&a);
	buf_free(&content);
	arena_free(&arena);
}

TEST(snap_damaged)
{
	const char *folder = test_folder("snapbad");
	struct account *a;
	char	path[400];
	FILE	*f;

	if (CHECK_INT(test_open(folder, &test_time, &a), 0, 0) < 0)
		return;
	CHECK_INT(snap_write(a), 0, 0);
	test_time.now += 10;
	CHECK_INT(snap_write(a), 0, 0);
	snprintf(path, sizeof(path), "%s/snap/%016lld.snap", folder,
	    (long long)test_time.now);
	account_close(&a);
	f = fopen(path, "r+");
	if (CHECK(f != NULL, 0)) {
		CHECK_INT(fseek(f, 30, SEEK_SET), 0, 0);
		CHECK(fputc(0x55, f) != EOF, 0);
		CHECK_INT(fclose(f), 0, 0);
	}
	lose(folder);
	/* the older one is taken */
	CHECK_INT(snap_restore(folder, 1 << 30), 0, 0);
	CHECK_INT(test_open(folder, &test_time, &a), 0, 0);
	CHECK_INT(test_verify(a, "older dump"), 0, 0);
	account_close(&a);
}

/* count_files - in a folder below the account's */
static int
count_files(const char *folder, const char *below)
{
	char	path[400];
	struct dirent *e;
	DIR	*d;
	int	n = 0;

	snprintf(path, sizeof(path), "%s/%s", folder, below);
	d = opendir(path);
	while (d != NULL && (e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	if (d != NULL)
		closedir(d);
	return n;
}

TEST(big_bodies)
{
	const char *folder = test_folder("big");
	struct arena arena = ARENA_INIT;
	struct buf content = BUF_INIT;
	struct test_clock later = { (int64_t)time(NULL) + 86400 };
	struct copy_result copied;
	struct account *a;
	char	path[400];
	uint32_t uid = 1;
	size_t	n;
	FILE	*f;

	if (CHECK_INT(test_open(folder, &later, &a), 0, 0) < 0)
		return;
	noise(1, BODY_BIG, &content);
	CHECK_INT(test_deliver(a, 1, buf_slice(&content), 0), 1, 0);
	CHECK_INT(test_deliver(a, 1, buf_slice(&content), 0), 2, 0);
	CHECK_INT(count_files(folder, "big"), 1, 0);	/* one hash, one file */
	CHECK_INT(message_copy(a, 1, &uid, 1, 3, &arena, &copied), 0, 0);
	check_noise(a, 1, 1, BODY_BIG);
	CHECK_INT(test_verify(a, "big"), 0, 0);
	CHECK_INT(message_expunge(a, 1, &uid, 1, false, &uid, &n), 0, 0);
	CHECK_INT(message_expunge(a, 3, &uid, 1, false, &uid, &n), 0, 0);
	CHECK_INT(count_files(folder, "big"), 1, 1);
	check_noise(a, 2, 1, BODY_BIG);
	uid = 2;
	CHECK_INT(message_expunge(a, 1, &uid, 1, false, &uid, &n), 0, 0);
	CHECK_INT(n, 1, 0);
	CHECK_INT(count_files(folder, "big"), 0, 2);
	/* what a crash before the commit leaves is swept once */
	snprintf(path, sizeof(path), "%s/big/%064d", folder, 7);
	f = fopen(path, "w");
	CHECK(f != NULL && fclose(f) == 0, 0);
	CHECK_INT(account_work(a), 0, 0);
	CHECK_INT(count_files(folder, "big"), 0, 3);
	account_close(&a);
	buf_free(&content);
	arena_free(&arena);
}

TEST(disk_full)
{
	const char *folder = test_folder("full");
	struct rlimit old, small;
	struct buf content = BUF_INIT;
	struct account *a;
	int64_t	uid = 0, good = 0;

	if (CHECK_INT(test_open(folder, &test_time, &a), 0, 0) < 0)
		return;
	noise(1, 20000, &content);
	/* a limit on file size fails writes as a full disk does */
	(void)signal(SIGXFSZ, SIG_IGN);
	CHECK_INT(getrlimit(RLIMIT_FSIZE, &old), 0, 0);
	small = old;
	small.rlim_cur = 600000;
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &small), 0, 0);
	for (int i = 0; i < 100; i++) {
		uid = test_deliver(a, 1, buf_slice(&content), 0);
		if (uid < 0)
			break;
		good = uid;
	}
	CHECK_INT(uid, -ENOSPC, 0);
	CHECK(good > 5, good);
	CHECK_INT(test_deliver(a, 1, buf_slice(&content), 0), -ENOSPC, 0);
	CHECK_INT(test_verify(a, "full"), 0, 0);
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &old), 0, 0);
	/* there is room again, and nothing has to be mended */
	CHECK_INT(test_deliver(a, 1, buf_slice(&content), 0), good + 1, 0);
	CHECK_INT(pack_run(a, 1 << 24), 0, 0);
	CHECK_INT(test_verify(a, "room again"), 0, 0);
	account_close(&a);
	buf_free(&content);
}
