/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libglobal/large.h"
#include "libglobal/qstate_recover.h"
#include "libglobal/slot.h"

#define NOW	1700000000000000
#define SLOTS	12

/* a queue folder with slots, and a state in memory */
struct queue {
	int			 fd;
	struct qstate_disk	*disk;
	struct qstate		*s;
	struct qstate_batch	*b;
	struct arena		 a;
	size_t			 described;
	uint32_t		 leased;	/* a slot, or 0 */
	struct seen {
		enum recover_finding	finding;
		struct queue_place	place;
		struct queue_id		id;
		uint64_t		generation;
		char			why[100];
		char			envelope[16];
	} seen[40];
	size_t			 count;
	struct recover_totals	 totals;
};

static struct queue_id
id_of(uint32_t n)
{
	struct queue_id_source source = QUEUE_ID_SOURCE(1);

	return queue_id_make(&source, 1700000000, n);
}

static struct slot_ref
ref_of(uint32_t n)
{
	return (struct slot_ref){ SLOT_SMALL, n };
}

static struct queue
queue_new(void)
{
	static unsigned count;
	const struct queue_owner self = QUEUE_OWNER_SELF;
	struct queue q = { .disk = qstate_disk_new(),
	    .b = qstate_batch_new() };
	uint32_t numbers[SLOTS];
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/r%u", test_tmpdir(), count++);
	CHECK_INT(mkdir(path, 0755), 0, 0);
	q.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(queue_folders_make(q.fd, &self, NULL), 0, 0);
	for (uint32_t i = 0; i < SLOTS; i++)
		numbers[i] = i;
	CHECK_INT(slot_grow(q.fd, SLOT_SMALL, numbers, SLOTS), 0, 0);
	CHECK_INT(qstate_open_memory(q.disk, &q.s), 0, 0);
	return q;
}

static void
queue_free(struct queue *q)
{
	qstate_close(&q->s);
	qstate_disk_free(q->disk);
	qstate_batch_free(&q->b);
	arena_free(&q->a);
	close(q->fd);
}

static void
commit(struct queue *q)
{
	CHECK_INT(qstate_commit(q->s, q->b), 0, 0);
	qstate_batch_reset(q->b);
}

/* fill - commit a message into a slot */
static void
fill(struct queue *q, uint32_t slot, uint32_t n, uint64_t generation)
{
	const struct slot_piece piece = SLOT_PIECE_BYTES(S("content"));
	struct slot_message m = { id_of(n), NOW, generation, S_INIT("env"),
	    &piece, 1 };
	int fd;

	CHECK_INT(slot_open_write(q->fd, ref_of(slot), &fd), 0, slot);
	CHECK_INT(slot_commit(fd, ref_of(slot), &m), 0, slot);
	close(fd);
}

/* spoil - turn a bit in a slot */
static void
spoil(struct queue *q, uint32_t slot, off_t at)
{
	char c;
	int fd;

	CHECK_INT(slot_open_write(q->fd, ref_of(slot), &fd), 0, slot);
	CHECK_INT(pread(fd, &c, 1, at), 1, slot);
	c ^= 1;
	CHECK_INT(pwrite(fd, &c, 1, at), 1, slot);
	close(fd);
}

/* know - let the state have a deferred message */
static void
know(struct queue *q, struct queue_place place, uint32_t n,
    uint64_t generation)
{
	struct qstate_message m = { .id = id_of(n), .queue = QSTATE_DEFERRED,
	    .place = place, .generation = generation, .next = NOW };

	qstate_batch_message(q->b, &m);
}

static int
describe(void *arg, const struct queue_head *head, struct slice envelope,
    struct arena *a, struct qstate_message *m, struct qstate_rcpt **ret_rcpts,
    size_t *ret_count)
{
	struct queue *q = arg;

	CHECK(head != NULL, 0);
	q->described++;
	if (!slice_equal(envelope, S("env")))
		return -EBADMSG;
	m->sender = S("a@example.org");
	m->rcpt_count = 1;
	*ret_rcpts = ARENA_NEW(a, struct qstate_rcpt);
	(*ret_rcpts)->address = (*ret_rcpts)->site = S("example.net");
	*ret_count = 1;
	return 0;
}

static bool
is_leased(void *arg, struct slot_ref ref)
{
	struct queue *q = arg;

	return q->leased != 0 && slot_ref_equal(ref, ref_of(q->leased));
}

static int
found(void *arg, const struct recover_item *item)
{
	struct queue *q = arg;
	struct seen *s = &q->seen[q->count++];

	s->finding = item->finding;
	s->place = item->place;
	s->id = item->id;
	s->generation = item->generation;
	(void)snprintf(s->why, sizeof(s->why), "%s",
	    item->why == NULL ? "" : item->why);
	(void)snprintf(s->envelope, sizeof(s->envelope), "%.*s",
	    SLICE_ARG(item->envelope));
	return 0;
}

static void
recover(struct queue *q, bool change)
{
	const struct recover_ops ops = { .arg = q, .describe = describe,
	    .is_leased = is_leased, .found = found };

	q->count = q->described = 0;
	if (change)
		CHECK_INT(qstate_recover(q->s, q->fd, NOW, &ops, &q->totals),
		    0, 0);
	else
		CHECK_INT(qstate_survey(q->s, q->fd, &ops, &q->totals), 0, 0);
}

/* about - what was told of a slot */
static const struct seen *
about(struct queue *q, uint32_t slot)
{
	static const struct seen none = { .finding = -1 };

	for (size_t i = 0; i < q->count; i++)
		if (q->seen[i].finding != RECOVER_MISSING && queue_place_equal(
		    q->seen[i].place, QUEUE_PLACE_IN_SLOT(ref_of(slot))))
			return &q->seen[i];
	return &none;
}

/* what is being written is neither damaged nor a message yet */
TEST(qstate_recover_in_the_middle_of_a_write)
{
	static const off_t spoilt[] = { 50, 130, 133 };
	struct queue q = queue_new();
	int fd;

	recover(&q, true);
	for (size_t i = 0; i < COUNT(spoilt); i++) {
		fill(&q, 0, 1, 1);
		spoil(&q, 0, spoilt[i]);
		CHECK_INT(slot_open_write(q.fd, ref_of(0), &fd), 0, i);
		CHECK_INT(flock(fd, LOCK_EX), 0, i);
		recover(&q, true);
		CHECK_INT(about(&q, 0)->finding, RECOVER_LEASED, i);
		close(fd);
		recover(&q, true);
		CHECK_INT(about(&q, 0)->finding, RECOVER_DAMAGED, i);
	}
	queue_free(&q);
}

TEST(qstate_recover_new_installation)
{
	struct queue q = queue_new();
	bool fresh;

	recover(&q, true);
	CHECK_INT(q.totals.free, SLOTS, 0);
	CHECK(!q.totals.state_lost, 0);
	CHECK_INT(q.count, SLOTS, 0);
	CHECK_INT(qstate_is_fresh(q.s, &fresh), 0, 0);
	CHECK(!fresh, 0);
	/* a first message is a new one from now on */
	fill(&q, 0, 1, 1);
	recover(&q, true);
	CHECK_INT(q.totals.fresh, 1, 1);
	queue_free(&q);
}

TEST(qstate_recover_every_rule)
{
	static const struct {
		enum recover_finding	finding;
		uint64_t		generation;
		const char		*why;
	} want[SLOTS] = {
		{ RECOVER_FREE,		0,	"" },
		{ RECOVER_FREE,		4,	"" },
		{ RECOVER_NEW,		5,	"" },
		{ RECOVER_KNOWN,	7,	"" },
		{ RECOVER_HELD,		9,	"the state is older than this "
		    "slot, or was restored" },
		{ RECOVER_DAMAGED,	0,	"the header is damaged" },
		{ RECOVER_DAMAGED,	0,	"a checksum does not match: "
		    "damaged, or a write that was cut short" },
		{ RECOVER_RETIRED,	0,	"" },
		{ RECOVER_DAMAGED,	0,	"a second copy of a message "
		    "that lies elsewhere" },
		{ RECOVER_FREE,		4,	"" },
		{ RECOVER_HELD,		1,	"its record in the state is "
		    "damaged" },
		{ RECOVER_HELD,		1,	"the state's record of its "
		    "slot is damaged" },
	};
	struct queue q = queue_new();
	struct qstate_message m;
	struct qstate_key k;
	struct queue_id id;
	uint64_t commits;

	recover(&q, true);
	for (uint32_t i = 0; i < 3; i++) {
		id = id_of(100 + i);
		qstate_batch_finish(q.b, &id,
		    QUEUE_PLACE_IN_SLOT(ref_of(i == 2 ? 9 : i + 1)), 4);
	}
	fill(&q, 1, 100, 4);		/* finished */
	fill(&q, 2, 102, 5);		/* new, after the finished one */
	know(&q, QUEUE_PLACE_IN_SLOT(ref_of(3)), 103, 7);
	fill(&q, 3, 103, 7);
	fill(&q, 4, 104, 9);		/* where the state knows of no use */
	fill(&q, 5, 105, 1);
	spoil(&q, 5, 30);
	fill(&q, 6, 106, 1);
	spoil(&q, 6, 133);
	fill(&q, 7, 107, 1);
	qstate_batch_retire(q.b, ref_of(7));
	fill(&q, 8, 103, 7);		/* as in slot 3 */
	fill(&q, 9, 102, 4);		/* finished, and its content is gone: */
	spoil(&q, 9, 133);		/* a write was cut short before the
					 * header */
	fill(&q, 10, 110, 1);
	know(&q, QUEUE_PLACE_IN_SLOT(ref_of(10)), 110, 1);
	fill(&q, 11, 111, 1);
	id = id_of(11111);
	qstate_batch_finish(q.b, &id, QUEUE_PLACE_IN_SLOT(ref_of(11)), 0);
	know(&q, QUEUE_PLACE_IN_SLOT(ref_of(0)), 120, 1);	/* nowhere */
	commit(&q);
	id = id_of(110);
	qstate_key_message(&k, &id);
	CHECK(qstate_disk_damage(q.disk, qstate_key_slice(&k)), 0);
	qstate_key_slot(&k, ref_of(11));
	CHECK(qstate_disk_damage(q.disk, qstate_key_slice(&k)), 0);

	for (int change = 0; change < 2; change++) {
		commits = qstate_disk_commits(q.disk);
		recover(&q, change);
		for (uint32_t i = 0; i < SLOTS; i++) {
			CHECK_INT(about(&q, i)->finding, want[i].finding, i);
			CHECK_INT(about(&q, i)->generation,
			    want[i].generation, i);
			CHECK_TEXT(slice_of(about(&q, i)->why), want[i].why,
			    i);
		}
		CHECK_TEXT(slice_of(about(&q, 2)->envelope), "env", change);
		CHECK_INT(q.totals.missing, 1, change);
		CHECK_INT(q.totals.held, 3, change);
		CHECK_INT(q.described, change ? 3 : 0, change);
		CHECK(!q.totals.state_lost, change);
		if (!change)
			CHECK_INT(qstate_disk_commits(q.disk) - commits, 0, 0);
	}
	id = id_of(104);
	CHECK_INT(qstate_get(q.s, &id, &q.a, &m), 0, 0);
	CHECK_INT(m.queue, QSTATE_HOLD, 0);
	CHECK(m.flags & QSTATE_RECOVERED, 0);
	CHECK_INT(m.generation, 9, 0);
	CHECK_TEXT(m.sender, "a@example.org", 0);
	CHECK_TEXT(m.reason, want[4].why, 0);
	/* the second time they are known */
	recover(&q, true);
	CHECK_INT(q.totals.held, 0, 2);
	CHECK_INT(q.totals.known, 4, 2);
	CHECK_INT(q.totals.fresh, 1, 2);
	queue_free(&q);
}

TEST(qstate_recover_removed_slots)	/* a file taken away begins anew */
{
	static const uint32_t taken[] = { 1, 2 };
	struct queue q = queue_new();
	struct queue_id id = id_of(1);
	struct qstate_slot slot;

	recover(&q, true);
	qstate_batch_retire(q.b, ref_of(1));
	qstate_batch_finish(q.b, &id, QUEUE_PLACE_IN_SLOT(ref_of(2)), 57);
	qstate_batch_retire(q.b, ref_of(3));
	commit(&q);
	CHECK_INT(slot_shrink(q.fd, SLOT_SMALL, taken, COUNT(taken)), 0, 0);
	recover(&q, true);
	CHECK_INT(q.totals.retired, 1, 0);
	CHECK_INT(qstate_slot_get(q.s, ref_of(1), &slot), -ENOENT, 1);
	CHECK_INT(qstate_slot_get(q.s, ref_of(2), &slot), -ENOENT, 2);
	CHECK_INT(qstate_slot_get(q.s, ref_of(3), &slot), 0, 3);
	CHECK_INT(slot_grow(q.fd, SLOT_SMALL, taken, COUNT(taken)), 0, 4);
	fill(&q, 1, 10, 1);
	/* one that is put back from elsewhere is not sent without asking */
	fill(&q, 2, 1, 57);
	recover(&q, true);
	CHECK_INT(about(&q, 1)->finding, RECOVER_NEW, 5);
	CHECK_INT(about(&q, 2)->finding, RECOVER_HELD, 5);
	queue_free(&q);
}

TEST(qstate_recover_leases_a_slot)	/* being written: nothing is said of it */
{
	struct queue q = queue_new();
	struct queue_id id = id_of(1);

	recover(&q, true);
	qstate_batch_finish(q.b, &id, QUEUE_PLACE_IN_SLOT(ref_of(5)), 8);
	commit(&q);
	fill(&q, 5, 2, 9);
	spoil(&q, 5, 20);
	q.leased = 5;
	recover(&q, true);
	CHECK_INT(about(&q, 5)->finding, RECOVER_LEASED, 0);
	CHECK_INT(about(&q, 5)->generation, 8, 0);
	CHECK_INT(q.totals.leased, 1, 0);
	q.leased = 0;
	recover(&q, true);
	CHECK_INT(about(&q, 5)->finding, RECOVER_DAMAGED, 1);
	queue_free(&q);
}

/* make_large - a committed large file */
static void
make_large(struct queue *q, uint32_t n)
{
	struct queue_id id = id_of(n);
	struct large l = LARGE_INIT;

	CHECK_INT(large_create(q->fd, &id, &l), 0, n);
	CHECK_INT(large_write(&l, S("content")), 0, n);
	CHECK_INT(large_commit(q->fd, &l, NOW, S("env")), 0, n);
	large_close(&l);
}

TEST(qstate_recover_large_files)
{
	struct queue q = queue_new();
	struct queue_id id = id_of(201), unfinished = id_of(205);
	struct large l = LARGE_INIT;
	int fd;

	recover(&q, true);
	make_large(&q, 200);
	make_large(&q, 201);
	make_large(&q, 202);
	make_large(&q, 203);
	CHECK_INT(large_create(q.fd, &unfinished, &l), 0, 0);
	large_close(&l);
	qstate_batch_finish(q.b, &id, QUEUE_PLACE_IN_LARGE, 0);
	know(&q, QUEUE_PLACE_IN_LARGE, 202, 1);
	know(&q, QUEUE_PLACE_IN_LARGE, 204, 1);
	commit(&q);
	id = id_of(203);
	fd = openat(q.fd, "large", O_RDONLY | O_DIRECTORY);
	{
		int file = openat(fd, id.text, O_WRONLY);

		CHECK_INT(pwrite(file, "C", 1, 0), 1, 0);
		close(file);
	}
	close(fd);
	recover(&q, true);
	CHECK_INT(q.totals.fresh, 1, 0);
	CHECK_INT(q.totals.gone, 1, 0);
	CHECK_INT(q.totals.known, 1, 0);
	CHECK_INT(q.totals.damaged, 1, 0);
	CHECK_INT(q.totals.missing, 1, 0);
	queue_free(&q);
}

TEST(qstate_recover_lost_state)		/* all is held, however often it starts */
{
	struct queue q = queue_new();
	struct queue_id id;
	struct qstate_message m;

	for (uint32_t i = 0; i < 5; i++)
		fill(&q, i, i, 3);
	make_large(&q, 50);
	/* the first start dies before its commit, and again with it done */
	for (int kept = 0; kept < 2; kept++) {
		const struct recover_ops ops = { .arg = &q,
		    .describe = describe, .found = found };

		qstate_disk_crash_at(q.disk, 1, kept);
		q.count = 0;
		CHECK_INT(qstate_recover(q.s, q.fd, NOW, &ops, &q.totals),
		    -EIO, kept);
		qstate_disk_revive(q.disk);
		qstate_close(&q.s);
		CHECK_INT(qstate_open_memory(q.disk, &q.s), 0, kept);
		if (!kept) {
			recover(&q, false);
			CHECK_INT(q.totals.held, 6, 0);
			CHECK(q.totals.state_lost, 0);
		}
	}
	recover(&q, true);
	CHECK_INT(q.totals.known, 6, 1);
	CHECK_INT(q.totals.fresh, 0, 1);
	for (uint32_t i = 0; i < 5; i++) {
		id = id_of(i);
		CHECK_INT(qstate_get(q.s, &id, &q.a, &m), 0, i);
		CHECK_INT(m.queue, QSTATE_HOLD, i);
		CHECK_TEXT(m.reason, "the queue's state was lost", i);
		/* released and delivered: the slot is free, and new mail in it
		 * is new */
		qstate_batch_finish(q.b, &id, m.place, m.generation);
	}
	commit(&q);
	fill(&q, 0, 70, 4);
	recover(&q, true);
	CHECK_INT(q.totals.free, SLOTS - 1, 2);
	CHECK_INT(q.totals.fresh, 1, 2);
	queue_free(&q);
}

/*
 * Every step of a message's life, with a crash after each: what was accepted
 * is found once, what was finished is found no more.
 */
TEST(qstate_recover_crash_at_every_step)
{
	for (uint64_t at = 1; at <= 3; at++)
		for (int kept = 0; kept < 2; kept++) {
			struct queue q = queue_new();
			struct queue_id id = id_of(1);
			int r = 0;

			recover(&q, true);
			fill(&q, 4, 1, 1);
			qstate_disk_crash_at(q.disk, at, kept);
			/* deferred, deferred again, delivered */
			for (int step = 1; step <= 3 && r == 0; step++) {
				if (step < 3)
					know(&q,
					    QUEUE_PLACE_IN_SLOT(ref_of(4)), 1,
					    1);
				else
					qstate_batch_finish(q.b, &id,
					    QUEUE_PLACE_IN_SLOT(ref_of(4)),
					    1);
				r = qstate_commit(q.s, q.b);
				qstate_batch_reset(q.b);
			}
			CHECK_INT(r, -EIO, at);
			qstate_disk_revive(q.disk);
			qstate_close(&q.s);
			CHECK_INT(qstate_open_memory(q.disk, &q.s), 0, at);
			recover(&q, true);
			if (at == 3 && kept) {
				CHECK_INT(q.totals.free, SLOTS, at);
			} else if (at == 1 && !kept) {
				CHECK_INT(q.totals.fresh, 1, at);
			} else {
				CHECK_INT(q.totals.known, 1, at);
			}
			CHECK_INT(q.totals.free + q.totals.fresh +
			    q.totals.known, SLOTS, at);
			queue_free(&q);
		}
}
