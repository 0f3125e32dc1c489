/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libglobal/qstate.h"
#include "libglobal/slot.h"

#define NOW	1700000000000000
#define SEC	1000000

/* each test runs on both implementations: in memory, and LMDB in a folder */
struct store {
	struct qstate_disk	*disk;		/* or NULL */
	int			 fd;
	struct qstate		*s;
	struct qstate_batch	*b;
	struct arena		 a;
};

static int
store_open(struct store *t)
{
	return t->disk != NULL ? qstate_open_memory(t->disk, &t->s) :
	    qstate_open(t->fd, 1 << 28, &t->s);
}

static struct store
store_new(bool memory)
{
	static unsigned count;
	struct store t = { .fd = -1, .b = qstate_batch_new() };
	const struct queue_owner self = QUEUE_OWNER_SELF;
	char path[300];

	if (memory) {
		t.disk = qstate_disk_new();
	} else {
		(void)snprintf(path, sizeof(path), "%s/s%u", test_tmpdir(),
		    count++);
		CHECK_INT(mkdir(path, 0755), 0, 0);
		t.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		CHECK_INT(queue_folders_make(t.fd, &self, NULL), 0, 0);
	}
	CHECK_INT(store_open(&t), 0, memory);
	return t;
}

static void
store_reopen(struct store *t)
{
	qstate_close(&t->s);
	CHECK_INT(store_open(t), 0, 0);
}

static void
store_free(struct store *t)
{
	size_t faults = 0;

	if (t->s != NULL) {
		CHECK_INT(qstate_verify(t->s, NULL, NULL, &faults), 0, 0);
		CHECK_INT(faults, 0, 0);
	}
	qstate_close(&t->s);
	qstate_batch_free(&t->b);
	qstate_disk_free(t->disk);
	arena_free(&t->a);
	if (t->fd >= 0)
		close(t->fd);
}

static int
commit(struct store *t)
{
	int r = qstate_commit(t->s, t->b);

	qstate_batch_reset(t->b);
	return r;
}

static struct queue_id
id_of(uint32_t n)
{
	struct queue_id_source source = QUEUE_ID_SOURCE(1);

	return queue_id_make(&source, 1700000000, n);
}

static struct qstate_message
message(uint32_t n)
{
	return (struct qstate_message){ .id = id_of(n),
	    .queue = QSTATE_DEFERRED,
	    .place = QUEUE_PLACE_IN_SLOT(((struct slot_ref){ 0, n })),
	    .generation = 5, .arrival = NOW, .next = NOW + n * SEC,
	    .expiry = NOW + 432000 * (int64_t)SEC, .attempts = 2,
	    .size = 4711, .rcpt_count = 2, .sender = S("Alice@Example.Org"),
	    .login = S("alice"), .reason = S("no route") };
}

static struct qstate_rcpt
rcpt(uint32_t index, struct slice site)
{
	return (struct qstate_rcpt){ .index = index, .attempts = 2,
	    .last_try = NOW, .address = S("bob@example.net"),
	    .original = S("bobby@example.net"), .site = site,
	    .transport = S("smtp"), .nexthop = site, .status = S("4.4.1"),
	    .reason = S("connect to mx: refused"), .remote = S("mx") };
}

/* put - a message with a recipient at each of two sites */
static void
put(struct store *t, uint32_t n)
{
	struct qstate_message m = message(n);
	struct qstate_rcpt r0 = rcpt(0, S("example.net"));
	struct qstate_rcpt r1 = rcpt(1, S("Example.COM"));

	qstate_batch_message(t->b, &m);
	qstate_batch_rcpt(t->b, &m.id, &r0);
	qstate_batch_rcpt(t->b, &m.id, &r1);
}

/* list - how many ids a filter names, in pieces of 3 */
static size_t
list(struct store *t, enum qstate_kind kind, struct slice text)
{
	const struct qstate_filter f = { kind, text };
	struct qstate_walk w = QSTATE_WALK_INIT;
	struct queue_id ids[3];
	size_t total = 0, count;

	while (!w.done && total < 10000) {
		CHECK_INT(qstate_list(t->s, &f, &w, ids, 3, &count), 0, 0);
		total += count;
	}
	return total;
}

TEST(qstate_put_get_finish)
{
	for (int memory = 0; memory < 2; memory++) {
		struct store t = store_new(memory);
		struct qstate_message m = message(9), got;
		struct qstate_rcpt *r;
		struct qstate_slot slot;
		struct queue_id big = id_of(10);
		size_t count, damaged;

		put(&t, 9);
		CHECK_INT(qstate_batch_count(t.b), 3, memory);
		CHECK_INT(commit(&t), 0, memory);
		store_reopen(&t);
		CHECK_INT(qstate_get(t.s, &m.id, &t.a, &got), 0, memory);
		CHECK_INT(got.next, m.next, memory);
		CHECK_INT(got.attempts, 2, memory);
		CHECK_INT(got.generation, 5, memory);
		CHECK_SLICE(got.sender, m.sender, memory);
		CHECK_SLICE(got.reason, m.reason, memory);
		CHECK(queue_place_equal(got.place, m.place), memory);
		CHECK_INT(qstate_rcpts(t.s, &m.id, 0, 10, &t.a, &r, &count,
		    &damaged), 0, memory);
		CHECK_INT(count, 2, memory);
		CHECK_INT(damaged, 0, memory);
		CHECK_TEXT(r[1].site, "Example.COM", memory);
		CHECK_TEXT(r[1].remote, "mx", memory);
		CHECK_INT(qstate_rcpts(t.s, &m.id, 1, 10, &t.a, &r, &count,
		    NULL), 0, memory);
		CHECK_INT(count, 1, memory);
		CHECK_INT(r[0].index, 1, memory);

		qstate_batch_rcpt_done(t.b, &m.id, 0);
		CHECK_INT(commit(&t), 0, memory);
		CHECK_INT(list(&t, QSTATE_KEY_BY_SITE, S("example.net")), 0,
		    memory);
		CHECK_INT(list(&t, QSTATE_KEY_BY_SITE, S("example.com")), 1,
		    memory);
		CHECK_INT(qstate_slot_get(t.s, m.place.slot, &slot), -ENOENT,
		    memory);
		qstate_batch_finish(t.b, &m.id, m.place, 5);
		qstate_batch_finish(t.b, &big, QUEUE_PLACE_IN_LARGE, 0);
		CHECK_INT(commit(&t), 0, memory);
		CHECK_INT(qstate_get(t.s, &m.id, &t.a, &got), -ENOENT, memory);
		CHECK_INT(list(&t, QSTATE_KEY_BY_SITE, S("example.com")), 0,
		    memory);
		CHECK_INT(list(&t, QSTATE_KEY_MESSAGE, SLICE_EMPTY), 0,
		    memory);
		CHECK_INT(qstate_slot_get(t.s, m.place.slot, &slot), 0,
		    memory);
		CHECK(queue_id_equal(&slot.finished, &m.id), memory);
		CHECK_INT(slot.generation, 5, memory);
		CHECK_INT(qstate_is_gone(t.s, &big), 0, memory);
		CHECK_INT(qstate_is_gone(t.s, &m.id), -ENOENT, memory);
		qstate_batch_unlinked(t.b, &big);
		qstate_batch_retire(t.b, m.place.slot);
		CHECK_INT(commit(&t), 0, memory);
		CHECK_INT(qstate_is_gone(t.s, &big), -ENOENT, memory);
		CHECK_INT(qstate_slot_get(t.s, m.place.slot, &slot), 0,
		    memory);
		CHECK_INT(slot.flags, QSTATE_SLOT_RETIRED, memory);
		CHECK(queue_id_equal(&slot.finished, &m.id), memory);
		qstate_batch_slot_anew(t.b, m.place.slot);
		CHECK_INT(commit(&t), 0, memory);
		CHECK_INT(qstate_slot_get(t.s, m.place.slot, &slot), -ENOENT,
		    memory);
		store_free(&t);
	}
}

TEST(qstate_indexes_follow)	/* what changed is found under the new name */
{
	for (int memory = 0; memory < 2; memory++) {
		struct store t = store_new(memory);
		struct qstate_message m = message(1);
		struct qstate_rcpt r = rcpt(0, S("new.example"));
		struct queue_id due[4];
		struct qstate_walk w = QSTATE_WALK_INIT;
		size_t count;
		int64_t next;

		put(&t, 1);
		CHECK_INT(commit(&t), 0, memory);
		CHECK_INT(list(&t, QSTATE_KEY_BY_SENDER,
		    S("ALICE@example.org")), 1, memory);
		CHECK_INT(list(&t, QSTATE_KEY_BY_LOGIN, S("alice")), 1,
		    memory);
		CHECK_INT(list(&t, QSTATE_KEY_BY_LOGIN, S("alic")), 0, memory);
		CHECK_INT(list(&t, QSTATE_KEY_BY_TIME, SLICE_EMPTY), 1,
		    memory);
		m.sender = SLICE_EMPTY;
		m.login = S("bob");
		m.next = NOW + 777 * SEC;
		qstate_batch_message(t.b, &m);
		qstate_batch_rcpt(t.b, &m.id, &r);
		CHECK_INT(commit(&t), 0, memory);
		CHECK_INT(list(&t, QSTATE_KEY_BY_SENDER,
		    S("alice@example.org")), 0, memory);
		CHECK_INT(list(&t, QSTATE_KEY_BY_SENDER, SLICE_EMPTY), 1,
		    memory);
		CHECK_INT(list(&t, QSTATE_KEY_BY_LOGIN, S("alice")), 0,
		    memory);
		CHECK_INT(list(&t, QSTATE_KEY_BY_LOGIN, S("bob")), 1, memory);
		CHECK_INT(list(&t, QSTATE_KEY_BY_SITE, S("example.net")), 0,
		    memory);
		CHECK_INT(list(&t, QSTATE_KEY_BY_SITE, S("new.example")), 1,
		    memory);
		CHECK_INT(qstate_next_due(t.s, NULL, &next), 0, memory);
		CHECK_INT(next, m.next, memory);
		CHECK_INT(qstate_due(t.s, &w, m.next - 1, due, 4, &count), 0,
		    memory);
		CHECK_INT(count, 0, memory);
		CHECK_INT(qstate_due(t.s, &w, m.next, due, 4, &count), 0,
		    memory);
		CHECK_INT(count, 1, memory);
		CHECK_INT(qstate_due(t.s, &w, m.next, due, 4, &count), 0,
		    memory);
		CHECK_INT(count, 0, memory);
		CHECK_INT(qstate_next_due(t.s, &w, &next), -ENOENT, memory);
		m.queue = QSTATE_HOLD;
		qstate_batch_message(t.b, &m);
		CHECK_INT(commit(&t), 0, memory);
		CHECK_INT(qstate_next_due(t.s, NULL, &next), -ENOENT, memory);
		store_free(&t);
	}
}

TEST(qstate_walks_in_pieces)
{
	for (int memory = 0; memory < 2; memory++) {
		struct store t = store_new(memory);
		struct qstate_walk w = QSTATE_WALK_INIT;
		struct queue_id ids[7];
		struct qstate_slot slots[3];
		size_t count, total = 0;
		int64_t next;

		for (uint32_t i = 0; i < 50; i++)
			put(&t, 49 - i);
		CHECK_INT(commit(&t), 0, memory);
		while (!w.done && total < 100) {
			CHECK_INT(qstate_due(t.s, &w, NOW + 40 * SEC, ids, 7,
			    &count), 0, memory);
			for (size_t i = 0; i < count; i++) {
				struct queue_id want = id_of((uint32_t)total);

				CHECK(queue_id_equal(&ids[i], &want), total);
				total++;
			}
		}
		CHECK_INT(total, 41, memory);
		CHECK_INT(qstate_next_due(t.s, &w, &next), 0, memory);
		CHECK_INT(next, NOW + 41 * SEC, memory);
		CHECK_INT(list(&t, QSTATE_KEY_MESSAGE, SLICE_EMPTY), 50,
		    memory);
		CHECK_INT(list(&t, QSTATE_KEY_BY_SITE, S("example.com")), 50,
		    memory);
		for (uint32_t i = 0; i < 5; i++) {
			struct qstate_message m = message(i);

			qstate_batch_finish(t.b, &m.id, m.place, 6);
		}
		CHECK_INT(commit(&t), 0, memory);
		w = (struct qstate_walk)QSTATE_WALK_INIT;
		for (total = 0; !w.done; total += count)
			CHECK_INT(qstate_slots(t.s, &w, slots, 3, &count), 0,
			    memory);
		CHECK_INT(total, 5, memory);
		store_free(&t);
	}
}

TEST(qstate_many_recipients_of_one_site_are_one_message)
{
	struct store t = store_new(true);
	struct qstate_message m = message(1);

	qstate_batch_message(t.b, &m);
	for (uint32_t i = 0; i < 1000; i++) {
		struct qstate_rcpt r = rcpt(i, S("example.net"));

		qstate_batch_rcpt(t.b, &m.id, &r);
	}
	put(&t, 2);
	CHECK_INT(commit(&t), 0, 0);
	CHECK_INT(list(&t, QSTATE_KEY_BY_SITE, S("example.net")), 2, 0);
	qstate_batch_finish(t.b, &m.id, m.place, 1);
	CHECK_INT(commit(&t), 0, 1);
	CHECK_INT(list(&t, QSTATE_KEY_BY_SITE, S("example.net")), 1, 1);
	store_free(&t);
}

TEST(qstate_long_texts)		/* cut in records, told apart in indexes */
{
	for (int memory = 0; memory < 2; memory++) {
		struct store t = store_new(memory);
		struct qstate_message m = message(1), got;
		static char a[2000], b[2000];

		memset(a, 'A', sizeof(a));
		memset(b, 'a', sizeof(b));
		b[400] = 'b';
		m.sender = slice_over(a, 450);
		m.reason = slice_over(a, sizeof(a));
		qstate_batch_message(t.b, &m);
		CHECK_INT(commit(&t), 0, memory);
		CHECK_INT(qstate_get(t.s, &m.id, &t.a, &got), 0, memory);
		CHECK_INT(got.sender.len, 450, memory);
		CHECK_INT(got.reason.len, QSTATE_TEXT_MAX, memory);
		CHECK_INT(list(&t, QSTATE_KEY_BY_SENDER, slice_over(a, 450)),
		    1, memory);
		CHECK_INT(list(&t, QSTATE_KEY_BY_SENDER, slice_over(b, 450)),
		    0, memory);
		CHECK_INT(list(&t, QSTATE_KEY_BY_SENDER, slice_over(a, 449)),
		    0, memory);
		store_free(&t);
	}
}

TEST(qstate_fresh_until_recovered)
{
	for (int memory = 0; memory < 2; memory++) {
		struct store t = store_new(memory);
		bool fresh = false;

		CHECK_INT(qstate_is_fresh(t.s, &fresh), 0, memory);
		CHECK(fresh, memory);
		put(&t, 1);
		CHECK_INT(commit(&t), 0, memory);
		CHECK_INT(qstate_is_fresh(t.s, &fresh), 0, memory);
		CHECK(fresh, memory);
		qstate_batch_recovered(t.b, NOW);
		CHECK_INT(commit(&t), 0, memory);
		store_reopen(&t);
		CHECK_INT(qstate_is_fresh(t.s, &fresh), 0, memory);
		CHECK(!fresh, memory);
		store_free(&t);
	}
}

TEST(qstate_crash_points)	/* a batch is there as a whole, or not at all */
{
	for (int kept = 0; kept < 2; kept++) {
		struct store t = store_new(true);

		put(&t, 1);
		CHECK_INT(commit(&t), 0, kept);
		qstate_disk_crash_at(t.disk, 2, kept);
		put(&t, 2);
		CHECK_INT(commit(&t), 0, kept);
		put(&t, 3);
		put(&t, 4);
		CHECK_INT(commit(&t), -EIO, kept);
		put(&t, 5);
		CHECK_INT(commit(&t), -EIO, kept);
		qstate_disk_revive(t.disk);
		store_reopen(&t);
		CHECK_INT(list(&t, QSTATE_KEY_MESSAGE, SLICE_EMPTY),
		    kept ? 4 : 2, kept);
		CHECK_INT(list(&t, QSTATE_KEY_BY_SITE, S("example.net")),
		    kept ? 4 : 2, kept);
		put(&t, 5);
		CHECK_INT(commit(&t), 0, kept);
		store_free(&t);
	}
}

TEST(qstate_failed_commit)	/* a full disk passes, a failed flush does not */
{
	struct store t = store_new(true);

	put(&t, 1);
	CHECK_INT(commit(&t), 0, 0);
	qstate_disk_fail_next(t.disk, ENOSPC);
	put(&t, 2);
	CHECK_INT(commit(&t), -ENOSPC, 0);
	CHECK_INT(list(&t, QSTATE_KEY_MESSAGE, SLICE_EMPTY), 1, 0);
	put(&t, 2);
	CHECK_INT(commit(&t), 0, 0);
	qstate_disk_fail_next(t.disk, EIO);
	put(&t, 3);
	CHECK_INT(commit(&t), -EIO, 1);
	CHECK_INT(commit(&t), -EIO, 2);		/* even an empty one */
	put(&t, 3);
	CHECK_INT(commit(&t), -EIO, 3);
	store_reopen(&t);
	put(&t, 3);
	CHECK_INT(commit(&t), 0, 4);
	CHECK_INT(list(&t, QSTATE_KEY_MESSAGE, SLICE_EMPTY), 3, 4);
	store_free(&t);
}

static void
count_fault(void *arg, const char *sentence)
{
	struct buf *b = arg;

	buf_add_text(b, sentence);
	buf_add_byte(b, '\n');
}

TEST(qstate_damage_is_isolated)
{
	struct store t = store_new(true);
	struct qstate_key k;
	struct qstate_message m = message(2), got;
	struct qstate_rcpt *r;
	struct buf b = BUF_INIT;
	size_t faults, count, damaged;

	for (uint32_t i = 1; i < 5; i++)
		put(&t, i);
	CHECK_INT(commit(&t), 0, 0);
	qstate_key_message(&k, &m.id);
	CHECK(qstate_disk_damage(t.disk, qstate_key_slice(&k)), 0);
	CHECK_INT(qstate_get(t.s, &m.id, &t.a, &got), -EBADMSG, 0);
	m = message(3);
	CHECK_INT(qstate_get(t.s, &m.id, &t.a, &got), 0, 0);
	qstate_key_rcpt(&k, &m.id, 1);
	CHECK(qstate_disk_damage(t.disk, qstate_key_slice(&k)), 1);
	CHECK_INT(qstate_rcpts(t.s, &m.id, 0, 10, &t.a, &r, &count, &damaged),
	    0, 1);
	CHECK_INT(count, 1, 1);
	CHECK_INT(damaged, 1, 1);
	CHECK_INT(qstate_verify(t.s, count_fault, &b, &faults), 0, 2);
	/* two records, and index entries that have none now */
	CHECK_INT(faults, 2 + 3 + 1, 2);
	CHECK(slice_find_slice(buf_slice(&b), S("recipient 1 of ")) !=
	    SLICE_NONE, 2);
	CHECK(slice_find_slice(buf_slice(&b), S("is damaged: its checksum "
	    "does not match")) != SLICE_NONE, 2);

	/* put anew, all is well; the indexes are mended */
	put(&t, 2);
	put(&t, 3);
	CHECK_INT(commit(&t), 0, 3);
	CHECK_INT(qstate_reindex(t.s), 0, 3);
	buf_free(&b);
	store_free(&t);
}

TEST(qstate_reindex_makes_all)
{
	for (int memory = 0; memory < 2; memory++) {
		struct store t = store_new(memory);

		for (uint32_t i = 0; i < 1200; i++)
			put(&t, i);
		CHECK_INT(commit(&t), 0, memory);
		CHECK_INT(qstate_reindex(t.s), 0, memory);
		CHECK_INT(list(&t, QSTATE_KEY_BY_SITE, S("example.net")), 1200,
		    memory);
		CHECK_INT(list(&t, QSTATE_KEY_BY_TIME, SLICE_EMPTY), 1200,
		    memory);
		store_free(&t);
	}
}

TEST(qstate_one_owner)		/* and readers only while there is none */
{
	struct store t = store_new(false);
	struct qstate *other = NULL;

	put(&t, 1);
	CHECK_INT(commit(&t), 0, 0);
	CHECK_INT(qstate_open(t.fd, 1 << 28, &other), -EBUSY, 0);
	CHECK_INT(qstate_open_read(t.fd, &other), -EBUSY, 0);
	qstate_close(&t.s);
	CHECK_INT(unlinkat(t.fd, "state.lmdb/lock.mdb", 0), 0, 1);
	CHECK_INT(qstate_open_read(t.fd, &t.s), 0, 1);
	CHECK_INT(qstate_open_read(t.fd, &other), 0, 1);
	CHECK_INT(list(&t, QSTATE_KEY_MESSAGE, SLICE_EMPTY), 1, 1);
	put(&t, 2);
	CHECK_INT(commit(&t), -EROFS, 1);
	/* it leaves no file behind that root would own */
	CHECK_INT(faccessat(t.fd, "state.lmdb/lock.mdb", F_OK, 0), -1, 1);
	qstate_close(&other);
	store_reopen(&t);
	store_free(&t);
}

static void *
commit_many(void *arg)
{
	struct store *t = arg;
	struct qstate_message m;

	for (uint32_t i = 0; i < 100; i++) {
		for (uint32_t k = 0; k < 10; k++)
			put(t, k);
		CHECK_INT(commit(t), 0, i);
		for (uint32_t k = 0; k < 10; k++) {
			m = message(k);
			qstate_batch_finish(t->b, &m.id, m.place, 6);
		}
		CHECK_INT(commit(t), 0, i);
	}
	return NULL;
}

TEST(qstate_reads_beside_commits)	/* all of a batch is seen, or nothing */
{
	struct store t = store_new(false);
	const struct qstate_filter all = { QSTATE_KEY_MESSAGE, SLICE_EMPTY };
	struct queue_id ids[20];
	pthread_t thread;
	size_t count;

	CHECK_INT(pthread_create(&thread, NULL, commit_many, &t), 0, 0);
	for (size_t i = 0; i < 2000; i++) {
		struct qstate_walk w = QSTATE_WALK_INIT;

		CHECK_INT(qstate_list(t.s, &all, &w, ids, 20, &count), 0, i);
		CHECK(count == 0 || count == 10, i);
	}
	CHECK_INT(pthread_join(thread, NULL), 0, 0);
	store_free(&t);
}

TEST(qstate_not_a_state)
{
	static const struct { const char *bytes; int r, read; } cases[] = {
		{ NULL,		0,		-ENOENT },
		{ "",		0,		-ENOENT },
		{ "no LMDB at all, but some text of a few dozen bytes, which "
		  "is longer than any header that it might have been taken "
		  "for. no LMDB at all, but some text of a few dozen bytes.",
		  -EBADMSG,	-EBADMSG },
	};
	const struct queue_owner self = QUEUE_OWNER_SELF;
	struct qstate *s = NULL;
	char path[300];
	int fd, file;

	for (size_t i = 0; i < COUNT(cases); i++) {
		(void)snprintf(path, sizeof(path), "%s/n%zu", test_tmpdir(),
		    i);
		CHECK_INT(mkdir(path, 0755), 0, i);
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		CHECK_INT(qstate_open(fd, 1 << 28, &s), -ENOENT, i);
		CHECK_INT(queue_folders_make(fd, &self, NULL), 0, i);
		if (cases[i].bytes != NULL) {
			file = openat(fd, "state.lmdb/data.mdb",
			    O_CREAT | O_WRONLY, 0640);
			CHECK(write(file, cases[i].bytes,
			    strlen(cases[i].bytes)) >= 0, i);
			close(file);
		}
		CHECK_INT(qstate_open_read(fd, &s), cases[i].read, i);
		qstate_close(&s);
		CHECK_INT(qstate_open(fd, 1 << 28, &s), cases[i].r, i);
		qstate_close(&s);
		close(fd);
	}
}

TEST(qstate_cut_off_file)	/* an error, not a fault */
{
	struct store t = store_new(false);
	struct qstate_message m = message(1), got;
	int r;

	for (uint32_t i = 0; i < 2000; i++)
		put(&t, i);
	CHECK_INT(commit(&t), 0, 0);
	qstate_close(&t.s);
	r = openat(t.fd, "state.lmdb/data.mdb", O_WRONLY);
	CHECK_INT(ftruncate(r, 3 * 4096), 0, 0);
	close(r);
	r = qstate_open(t.fd, 1 << 28, &t.s);
	if (r == 0)
		r = qstate_get(t.s, &m.id, &t.a, &got);
	CHECK_INT(r, -EBADMSG, 0);
	qstate_close(&t.s);
	store_free(&t);
}

TEST(qstate_full)		/* no room: nothing changes, and it goes on */
{
	struct store t = store_new(false);
	size_t before;
	int r = 0;

	qstate_close(&t.s);
	CHECK_INT(qstate_open(t.fd, 1 << 18, &t.s), 0, 0);
	put(&t, 0);
	CHECK_INT(commit(&t), 0, 0);
	for (uint32_t i = 1; r == 0 && i < 5000; i++) {
		before = list(&t, QSTATE_KEY_MESSAGE, SLICE_EMPTY);
		for (uint32_t k = 0; k < 10; k++)
			put(&t, i * 10 + k);
		r = commit(&t);
	}
	CHECK_INT(r, -ENOSPC, 0);
	CHECK_INT(list(&t, QSTATE_KEY_MESSAGE, SLICE_EMPTY), before, 0);
	qstate_close(&t.s);
	CHECK_INT(qstate_open(t.fd, 1 << 28, &t.s), 0, 1);
	put(&t, 60000);
	CHECK_INT(commit(&t), 0, 1);
	store_free(&t);
}

/* the disk is full in the middle of a write: it goes on when there is room */
TEST(qstate_full_disk)
{
	struct store t = store_new(false);
	struct rlimit old, small;
	size_t before = 0;
	uint32_t i;
	int r = 0;

	put(&t, 0);
	CHECK_INT(commit(&t), 0, 0);
	CHECK_INT(getrlimit(RLIMIT_FSIZE, &old), 0, 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	small = old;
	small.rlim_cur = 300000;
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &small), 0, 0);
	for (i = 1; r == 0 && i < 1000; i++) {
		before = list(&t, QSTATE_KEY_MESSAGE, SLICE_EMPTY);
		for (uint32_t k = 0; k < 10; k++)
			put(&t, i * 10 + k);
		r = commit(&t);
	}
	CHECK_INT(r, -ENOSPC, 0);
	CHECK_INT(list(&t, QSTATE_KEY_MESSAGE, SLICE_EMPTY), before, 0);
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &old), 0, 0);
	put(&t, 60000);
	CHECK_INT(commit(&t), 0, 1);
	CHECK_INT(list(&t, QSTATE_KEY_MESSAGE, SLICE_EMPTY), before + 1, 1);
	store_free(&t);
}

TEST(qstate_doubts)
{
	for (int memory = 0; memory < 2; memory++) {
		struct store t = store_new(memory);
		struct arena a = ARENA_INIT;
		struct slice got = SLICE_EMPTY;
		size_t faults = 0;

		CHECK_INT(qstate_doubts(t.s, &a, &got), -ENOENT, memory);
		qstate_batch_doubts(t.b, S("one"));
		qstate_batch_doubts(t.b, S("the other"));
		CHECK_INT(commit(&t), 0, memory);
		store_reopen(&t);
		CHECK_INT(qstate_doubts(t.s, &a, &got), 0, memory);
		CHECK_TEXT(got, "the other", memory);
		CHECK_INT(qstate_verify(t.s, NULL, NULL, &faults), 0, memory);
		CHECK_INT(faults, 0, memory);
		arena_free(&a);
		store_free(&t);
	}
}

TEST(qstate_keys_parse_back)
{
	const struct queue_id id = id_of(77);
	struct qstate_key_parts p;
	struct qstate_key k;

	qstate_key_meta(&k);
	CHECK_INT(qstate_key_parse(qstate_key_slice(&k), &p), 0, 0);
	CHECK_INT(p.kind, QSTATE_KEY_META, 0);
	qstate_key_rcpt(&k, &id, 0x01020304);
	CHECK_INT(qstate_key_parse(qstate_key_slice(&k), &p), 0, 1);
	CHECK(queue_id_equal(&p.id, &id) && p.index == 0x01020304, 1);
	qstate_key_slot(&k, (struct slot_ref){ 2, 99999999 });
	CHECK_INT(qstate_key_parse(qstate_key_slice(&k), &p), 0, 2);
	CHECK(p.slot.class == 2 && p.slot.number == 99999999, 2);
	qstate_key_time(&k, NOW, &id);
	CHECK_INT(qstate_key_parse(qstate_key_slice(&k), &p), 0, 3);
	CHECK(p.time == NOW && queue_id_equal(&p.id, &id), 3);
	qstate_key_site(&k, S("Example.ORG"), &id, 7);
	CHECK_INT(qstate_key_parse(qstate_key_slice(&k), &p), 0, 4);
	CHECK_TEXT(p.text, "example.org", 4);
	CHECK_INT(p.index, 7, 4);
	k.len--;
	CHECK_INT(qstate_key_parse(qstate_key_slice(&k), &p), -EBADMSG, 5);
	CHECK_INT(qstate_key_parse(S("Zx"), &p), -EBADMSG, 6);
	CHECK_INT(qstate_key_parse(SLICE_EMPTY, &p), -EBADMSG, 7);
}
