/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libglobal/large.h"
#include "libglobal/slot.h"
#include "libglobal/slot_pool.h"
#include "libutil/diag.h"

#define ARRIVAL	1700000000123456

/* queue_new - a queue folder with one slot of each class */
static int
queue_new(void)
{
	static const struct queue_owner self = { (uid_t)-1, (uid_t)-1,
	    (gid_t)-1 };
	static const uint32_t number = 7;
	static unsigned count;
	struct diag d = DIAG_INIT;
	char path[300];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/q%u", test_tmpdir(), count++);
	CHECK_INT(mkdir(path, 0755), 0, 0);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(fd >= 0, 0);
	CHECK_INT(queue_folders_make(fd, &self, &d), 0, 0);
	CHECK_TEXT(slice_of(d.text), "", 0);
	for (uint8_t class = 0; class < SLOT_CLASSES; class++)
		CHECK_INT(slot_grow(fd, class, &number, 1), 0, class);
	return fd;
}

static struct queue_id
id_of(uint32_t n)
{
	struct queue_id_source source = QUEUE_ID_SOURCE(n + 1);

	return queue_id_make(&source, 1700000000, n);
}

static struct slot_ref
ref_of(uint8_t class)
{
	return (struct slot_ref){ class, 7 };
}

/* memory_file - a memory file with that text */
static int
memory_file(struct slice text)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	CHECK_INT(write(fd, text.data, text.len), (long long)text.len, 0);
	return fd;
}

/* content_of - all of a file */
static struct slice
content_of(int fd, struct buf *b)
{
	struct stat st;

	buf_reset(b);
	CHECK_INT(fstat(fd, &st), 0, 0);
	if (st.st_size > 0) {
		char *room = buf_room(b, (size_t)st.st_size);

		CHECK_INT(pread(fd, room, (size_t)st.st_size, 0), st.st_size,
		    0);
		buf_grown(b, (size_t)st.st_size);
	}
	return buf_slice(b);
}

/* spoil - turn one bit of a file */
static void
spoil(int fd, off_t at)
{
	char c;

	CHECK_INT(pread(fd, &c, 1, at), 1, at);
	c ^= 4;
	CHECK_INT(pwrite(fd, &c, 1, at), 1, at);
}

TEST(slot_commit_and_read)
{
	int q = queue_new(), fd, part = memory_file(S("xxSubject: hi\r\nyy"));
	const struct slot_piece pieces[] = {
		SLOT_PIECE_BYTES(S("Received: from a\r\n")),
		SLOT_PIECE_FILE(part, 2, 13),
		SLOT_PIECE_BYTES(SLICE_EMPTY),
		SLOT_PIECE_BYTES(S("\r\nbody\r\n")),
	};
	struct slot_message m = { id_of(1), ARRIVAL, 3, S_INIT("envelope"),
	    pieces, COUNT(pieces) };
	struct buf b = BUF_INIT;
	struct queue_head h;
	int to;

	for (uint8_t class = 0; class < SLOT_CLASSES; class++) {
		CHECK_INT(slot_open_write(q, ref_of(class), &fd), 0, class);
		CHECK_INT(slot_read_head(fd, ref_of(class), &h), -ENODATA,
		    class);
		CHECK_INT(slot_commit(fd, ref_of(class), &m), 0, class);
		close(fd);
		CHECK_INT(slot_open_read(q, ref_of(class), &fd), 0, class);
		CHECK_INT(slot_read_head(fd, ref_of(class), &h), 0, class);
		CHECK(queue_id_equal(&h.id, &m.id), class);
		CHECK_INT(h.arrival, ARRIVAL, class);
		CHECK_INT(h.generation, 3, class);
		CHECK_INT(h.content_len, 18 + 13 + 8, class);
		CHECK_INT(slot_read_envelope(fd, &h, &b), 0, class);
		CHECK_SLICE(buf_slice(&b), S("envelope"), class);
		CHECK_INT(slot_check_content(fd, &h), 0, class);
		to = memory_file(SLICE_EMPTY);
		CHECK_INT(slot_copy_content(fd, &h, to), 0, class);
		CHECK_SLICE(content_of(to, &b), S("Received: from a\r\n"
		    "Subject: hi\r\n\r\nbody\r\n"), class);
		/* another slot's header is not believed */
		CHECK_INT(slot_read_head(fd, (struct slot_ref){ class, 8 }, &h),
		    -EBADMSG, class);
		close(to);
		close(fd);
	}
	buf_free(&b);
	close(part);
	close(q);
}

TEST(slot_sizes)
{
	static const struct {
		size_t envelope; uint64_t content; int r; uint8_t class;
	} cases[] = {
		{ 0,	0,				0, SLOT_SMALL },
		{ 100,	32768 - 128 - 100,		0, SLOT_SMALL },
		{ 101,	32768 - 128 - 100,		0, SLOT_MEDIUM },
		{ 0,	(256 << 10) - 128,		0, SLOT_MEDIUM },
		{ 0,	(256 << 10) - 127,		0, SLOT_BIG },
		{ 0,	(2 << 20) - 128,		0, SLOT_BIG },
		{ 0,	(2 << 20) - 127,		-EMSGSIZE, 0 },
		{ SIZE_MAX, 1,				-EMSGSIZE, 0 },
		{ 1,	UINT64_MAX,			-EMSGSIZE, 0 },
	};
	static char bytes[2 << 20];
	int q = queue_new(), fd;
	struct slot_message m = { .id = id_of(1), .piece_count = 1 };
	struct slot_piece piece;
	struct queue_head h;
	uint8_t class;

	for (size_t i = 0; i < COUNT(cases); i++) {
		class = 0;
		CHECK_INT(slot_class_for(cases[i].envelope, cases[i].content,
		    &class), cases[i].r, i);
		CHECK_INT(class, cases[i].class, i);
		if (cases[i].r < 0)
			continue;
		m.envelope = slice_over(bytes, cases[i].envelope);
		piece = SLOT_PIECE_BYTES(slice_over(bytes, cases[i].content));
		m.piece = &piece;
		m.generation = i + 1;
		CHECK_INT(slot_open_write(q, ref_of(class), &fd), 0, i);
		CHECK_INT(slot_commit(fd, ref_of(class), &m), 0, i);
		CHECK_INT(slot_read_head(fd, ref_of(class), &h), 0, i);
		CHECK_INT(slot_check_content(fd, &h), 0, i);
		close(fd);
		if (class == 0)
			continue;
		class--;
		CHECK_INT(slot_open_write(q, ref_of(class), &fd), 0, i);
		CHECK_INT(slot_commit(fd, ref_of(class), &m), -EMSGSIZE, i);
		close(fd);
	}
	close(q);
}

TEST(slot_piece_of_short_file)		/* an error, not a fault */
{
	int q = queue_new(), fd, part = memory_file(S("0123456789"));
	struct slot_piece piece = SLOT_PIECE_FILE(part, 5, 6);
	struct slot_message m = { .id = id_of(1), .piece = &piece,
	    .piece_count = 1 };

	CHECK_INT(slot_open_write(q, ref_of(0), &fd), 0, 0);
	CHECK_INT(slot_commit(fd, ref_of(0), &m), -ERANGE, 0);
	close(fd);
	close(part);
	close(q);
}

/* two hold a lease of one slot, because one of them was away too long */
TEST(slot_has_one_writer)
{
	int q = queue_new(), one, two, reader;
	struct slot_piece piece = SLOT_PIECE_BYTES(S("the content"));
	struct slot_message m = { id_of(1), ARRIVAL, 4, S_INIT("envelope"),
	    &piece, 1 };
	struct queue_head h;
	struct queue_id first;
	char c = 'x';

	CHECK_INT(slot_open_write(q, ref_of(0), &one), 0, 0);
	CHECK_INT(slot_open_write(q, ref_of(0), &two), 0, 0);
	CHECK_INT(slot_open_read(q, ref_of(0), &reader), 0, 0);
	/* who is first has it, whatever others believe */
	CHECK_INT(slot_commit(one, ref_of(0), &m), 0, 1);
	m.id = id_of(2);
	CHECK_INT(slot_commit(two, ref_of(0), &m), -ESTALE, 1);
	m.generation = 3;
	CHECK_INT(slot_commit(two, ref_of(0), &m), -ESTALE, 2);
	CHECK_INT(slot_read_head(two, ref_of(0), &h), 0, 2);
	first = id_of(1);
	CHECK(queue_id_equal(&h.id, &first), 2);
	CHECK_INT(slot_check_content(two, &h), 0, 2);
	/* the next use is another's */
	m.generation = 5;
	CHECK_INT(slot_commit(two, ref_of(0), &m), 0, 3);
	/* what a writer that died left in the middle is written over */
	CHECK_INT(pwrite(two, &c, 1, 128 + 8 + 3), 1, 4);
	m.id = id_of(3);
	CHECK_INT(slot_commit(one, ref_of(0), &m), 0, 4);
	/* one that is being written is nobody else's to write or to judge */
	CHECK_INT(flock(one, LOCK_EX), 0, 5);
	CHECK_INT(slot_lock_read(reader), -EBUSY, 5);
	m.generation = 6;
	CHECK_INT(slot_commit(two, ref_of(0), &m), -ESTALE, 5);
	CHECK_INT(flock(one, LOCK_UN), 0, 5);
	CHECK_INT(slot_lock_read(reader), 0, 6);
	CHECK_INT(slot_commit(two, ref_of(0), &m), -ESTALE, 6);
	close(reader);
	CHECK_INT(slot_commit(two, ref_of(0), &m), 0, 7);
	/* nor does anybody commit into what has no name any more */
	CHECK_INT(slot_shrink(q, 0, &(uint32_t){ 7 }, 1), 0, 8);
	m.generation = 7;
	CHECK_INT(slot_commit(one, ref_of(0), &m), -ENOENT, 8);
	CHECK_INT(slot_grow(q, 0, &(uint32_t){ 7 }, 1), 0, 9);
	CHECK_INT(slot_commit(one, ref_of(0), &m), -ENOENT, 9);
	close(one);
	close(two);
	close(q);
}

TEST(slot_pool_claim)
{
	static const struct {
		enum slot_pool_state	before;
		uint64_t		generation;
		int			want;
	} tries[] = {
		{ SLOT_POOL_FREE,	5,	0 },
		{ SLOT_POOL_LEASED,	5,	0 },
		{ SLOT_POOL_ASIDE,	5,	0 },
		{ SLOT_POOL_MISSING,	5,	0 },
		{ SLOT_POOL_USED,	4,	-EALREADY },
		{ SLOT_POOL_FREE,	4,	-EALREADY },
		{ SLOT_POOL_LEASED,	1,	-EALREADY },
		{ SLOT_POOL_USED,	5,	-EINVAL },
		{ SLOT_POOL_FREE,	6,	-EINVAL },
		{ SLOT_POOL_FREE,	0,	-EINVAL },
	};
	static const struct slot_pool_policy policy[SLOT_CLASSES];

	for (size_t i = 0; i < COUNT(tries); i++) {
		struct slot_pool *p = slot_pool_new(policy);
		struct slot_ref ref = { 0, 3 };
		bool leased = tries[i].before == SLOT_POOL_LEASED;

		slot_pool_add(p, ref, leased ? SLOT_POOL_FREE :
		    tries[i].before, 4);
		if (leased)
			CHECK_INT(slot_pool_move(p, ref, 9), 0, i);
		CHECK_INT(slot_pool_claim(p, ref, tries[i].generation),
		    tries[i].want, i);
		CHECK_INT(slot_pool_state(p, ref), tries[i].want == 0 ?
		    SLOT_POOL_USED : tries[i].before, i);
		CHECK_INT(slot_pool_generation(p, ref), tries[i].want == 0 ?
		    5 : 4, i);
		slot_pool_free(p);
	}
	/* one that we did not know; and one that nobody can have */
	{
		struct slot_pool *p = slot_pool_new(policy);

		CHECK_INT(slot_pool_claim(p, (struct slot_ref){ 0, 70 }, 1), 0,
		    1);
		CHECK_INT(slot_pool_claim(p, (struct slot_ref){ 0, 99999999 },
		    1), -EINVAL, 2);
		CHECK_INT(slot_pool_claim(p, (struct slot_ref){ 3, 0 }, 1),
		    -EINVAL, 3);
		slot_pool_free(p);
	}
}

TEST(slot_damage_is_found)		/* wherever a bit is turned */
{
	int q = queue_new(), fd, r;
	struct slot_piece piece = SLOT_PIECE_BYTES(S("the content"));
	struct slot_message m = { id_of(1), ARRIVAL, 1, S_INIT("envelope"),
	    &piece, 1 };
	struct queue_head h;
	struct buf b = BUF_INIT;

	CHECK_INT(slot_open_write(q, ref_of(0), &fd), 0, 0);
	for (off_t at = 0; at < 128 + 8 + 11; at++) {
		CHECK_INT(slot_commit(fd, ref_of(0), &m), 0, at);
		spoil(fd, at);
		r = slot_read_head(fd, ref_of(0), &h);
		CHECK_INT(r, at < 128 ? -EBADMSG : 0, at);
		if (r < 0)
			continue;
		CHECK_INT(slot_read_envelope(fd, &h, &b),
		    at < 136 ? -EBADMSG : 0, at);
		CHECK_INT(slot_check_content(fd, &h),
		    at >= 136 ? -EBADMSG : 0, at);
	}
	buf_free(&b);
	close(fd);
	close(q);
}

/*
 * A write that a power cut tore: any prefix, or any suffix, or only the middle
 * of the new message is on the disk, over an old one. It must read as the old
 * header, as the new message whole, or as damaged: never as a mixture.
 */
TEST(slot_torn_write)
{
	static char old_bytes[600], new_bytes[700];
	static char was[32768], is[32768], now[32768];
	int q = queue_new(), fd;
	struct slot_piece piece = SLOT_PIECE_BYTES(slice_over(old_bytes,
	    sizeof(old_bytes)));
	struct slot_message m = { id_of(1), ARRIVAL, 1, S_INIT("old one"),
	    &piece, 1 };
	struct queue_id new_id = id_of(2);
	struct queue_head h;
	size_t end = 128 + 10 + sizeof(new_bytes);

	memset(old_bytes, 'o', sizeof(old_bytes));
	memset(new_bytes, 'n', sizeof(new_bytes));
	CHECK_INT(slot_open_write(q, ref_of(0), &fd), 0, 0);
	CHECK_INT(slot_commit(fd, ref_of(0), &m), 0, 0);
	CHECK_INT(pread(fd, was, sizeof(was), 0), sizeof(was), 0);
	piece = SLOT_PIECE_BYTES(slice_over(new_bytes, sizeof(new_bytes)));
	m = (struct slot_message){ new_id, ARRIVAL, 2, S("newer one."),
	    &piece, 1 };
	CHECK_INT(slot_commit(fd, ref_of(0), &m), 0, 0);
	CHECK_INT(pread(fd, is, sizeof(is), 0), sizeof(is), 0);

	for (size_t cut = 0; cut <= end; cut++)
		for (int first_part = 0; first_part < 2; first_part++) {
			size_t from = first_part ? 0 : cut;
			size_t to = first_part ? cut : end;
			struct buf b = BUF_INIT;
			bool whole;
			int r;

			CHECK_INT(pwrite(fd, was, sizeof(was), 0), sizeof(was),
			    0);
			CHECK_INT(pwrite(fd, is + from, to - from,
			    (off_t)from), (long long)(to - from), 0);
			r = slot_read_head(fd, ref_of(0), &h);
			if (r < 0) {
				CHECK_INT(r, -EBADMSG, cut);
				continue;
			}
			whole = slot_read_envelope(fd, &h, &b) == 0 &&
			    slot_check_content(fd, &h) == 0;
			buf_free(&b);
			CHECK_INT(pread(fd, now, end, 0), (long long)end, cut);
			/* the parts that both have in common may be missing */
			if (queue_id_equal(&h.id, &new_id))
				CHECK(whole == (memcmp(now, is, end) == 0),
				    cut);
		}
	close(fd);
	close(q);
}

struct found {
	size_t count, messages, empty, bad;
};

static int
count_slot(void *arg, struct slot_ref ref, int r, const struct queue_head *h)
{
	struct found *f = arg;

	f->count++;
	f->messages += r == 0;
	f->empty += r == -ENODATA;
	f->bad += r == -EBADMSG;
	CHECK(r == 0 ? h != NULL && h->place.slot.number == ref.number :
	    h == NULL, ref.number);
	return 0;
}

TEST(slot_scan_finds_all)
{
	static const uint32_t more[] = { 0, 1, 2, 99999999 };
	static const uint32_t gone[] = { 1, 5 };
	int q = queue_new(), fd;
	struct slot_message m = { .id = id_of(1) };
	struct found f = { 0 };
	size_t strange;
	struct stat st;

	CHECK_INT(slot_grow(q, SLOT_SMALL, more, COUNT(more)), 0, 0);
	CHECK_INT(fstatat(q, "slot/32k/00000002", &st, 0), 0, 0);
	CHECK_INT(st.st_size, 32768, 0);
	CHECK(st.st_blocks * 512 >= 32768, 0);
	CHECK_INT(st.st_mode & 07777, 0640, 0);
	CHECK_INT(slot_open_write(q, (struct slot_ref){ 0, 2 }, &fd), 0, 0);
	CHECK_INT(slot_commit(fd, (struct slot_ref){ 0, 2 }, &m), 0, 0);
	close(fd);
	/* growing again leaves what is there alone */
	CHECK_INT(slot_grow(q, SLOT_SMALL, more, COUNT(more)), 0, 0);
	/* what a crash or a hand may leave there */
	close(openat(q, "slot/32k/00000003.new", O_CREAT | O_WRONLY, 0600));
	close(openat(q, "slot/32k/README", O_CREAT | O_WRONLY, 0600));
	close(openat(q, "slot/2m/00000001", O_CREAT | O_WRONLY, 0600));
	CHECK_INT(slot_scan(q, count_slot, &f, &strange), 0, 0);
	CHECK_INT(f.count, 8, 0);
	CHECK_INT(f.messages, 1, 0);
	CHECK_INT(f.empty, 6, 0);
	CHECK_INT(f.bad, 1, 0);			/* the file of no bytes */
	CHECK_INT(strange, 1, 0);
	CHECK_INT(slot_shrink(q, SLOT_SMALL, gone, COUNT(gone)), 0, 1);
	f = (struct found){ 0 };
	CHECK_INT(slot_scan(q, count_slot, &f, NULL), 0, 1);
	CHECK_INT(f.count, 7, 1);
	/* a link is not followed */
	CHECK_INT(symlinkat("00000002", q, "slot/32k/00000005"), 0, 2);
	CHECK_INT(slot_open_read(q, (struct slot_ref){ 0, 5 }, &fd), -ELOOP, 2);
	CHECK_INT(slot_open_read(q, (struct slot_ref){ 3, 5 }, &fd), -EINVAL,
	    2);
	close(q);
}

TEST(slot_folders_checked)
{
	int q = queue_new();
	struct queue_owner o = QUEUE_OWNER_SELF;
	struct diag d = DIAG_INIT;

	CHECK_INT(queue_folders_check(q, &o, &d), 0, 0);
	CHECK_INT(fchmodat(q, "slot/256k", 0755, 0), 0, 0);
	CHECK_INT(queue_folders_check(q, &o, &d), -EBADMSG, 0);
	CHECK_TEXT(slice_of(d.text),
	    "queue folder slot/256k has mode 0755, not 0750", 0);
	CHECK_INT(queue_folders_make(q, &o, NULL), 0, 1);
	CHECK_INT(queue_folders_check(q, &o, NULL), 0, 1);
	o.qmgr = geteuid() + 1;
	CHECK_INT(queue_folders_check(q, &o, NULL), -EBADMSG, 2);
	CHECK_INT(unlinkat(q, "large", AT_REMOVEDIR), 0, 3);
	o.qmgr = (uid_t)-1;
	CHECK_INT(queue_folders_check(q, &o, NULL), -EBADMSG, 3);
	close(q);
}

static int
count_large(void *arg, const struct queue_id *id, int r,
    const struct queue_head *h)
{
	struct found *f = arg;

	CHECK(r < 0 || queue_id_equal(&h->id, id), 0);
	f->count++;
	f->messages += r == 0;
	f->bad += r == -EBADMSG;
	return 0;
}

TEST(slot_files_of_the_group)		/* whoever makes them */
{
	struct queue_owner o = { geteuid(), geteuid(), 4242 };
	static const uint32_t number = 1;
	struct queue_id id = id_of(1);
	struct large l = LARGE_INIT;
	struct diag d = DIAG_INIT;
	int q = queue_new();
	struct stat st;

	if (geteuid() != 0)
		o.group = getegid();
	CHECK_INT(queue_folders_make(q, &o, &d), 0, 0);
	CHECK_INT(queue_folders_check(q, &o, &d), 0, 0);
	CHECK_TEXT(slice_of(d.text), "", 0);
	CHECK_INT(slot_grow(q, SLOT_SMALL, &number, 1), 0, 0);
	CHECK_INT(fstatat(q, "slot/32k/00000001", &st, 0), 0, 0);
	CHECK_INT(st.st_gid, o.group, 0);
	CHECK_INT(large_create(q, &id, &l), 0, 0);
	CHECK_INT(fstat(l.fd, &st), 0, 0);
	CHECK_INT(st.st_gid, o.group, 1);
	CHECK_INT(st.st_mode & 07777, 0640, 1);
	large_abandon(q, &l);
	close(q);
}

TEST(large_whole_life)
{
	int q = queue_new(), fd;
	struct large l = LARGE_INIT, other = LARGE_INIT;
	struct queue_id id = id_of(3), second = id_of(4);
	struct queue_head h;
	struct buf b = BUF_INIT;
	struct found f = { 0 };
	size_t strange, swept;

	CHECK_INT(large_create(q, &id, &l), 0, 0);
	CHECK_INT(large_create(q, &id, &other), -EEXIST, 0);
	CHECK_INT(large_write(&l, S("part one, ")), 0, 0);
	CHECK_INT(large_write(&l, S("part two")), 0, 0);
	CHECK_INT(large_reopen(q, &l, &fd), 0, 0);
	CHECK_INT(write(fd, "x", 1), -1, 0);		/* read-only */
	close(fd);
	CHECK_INT(large_open(q, &id, &fd, &h, &b), -ENOENT, 0);
	CHECK_INT(large_commit(q, &l, ARRIVAL, S("env")), 0, 0);
	CHECK_INT(large_write(&l, S("more")), -EBADF, 0);
	large_abandon(q, &l);				/* keeps it */
	CHECK_INT(large_create(q, &id, &other), -EEXIST, 1);

	CHECK_INT(large_open(q, &id, &fd, &h, &b), 0, 1);
	CHECK_SLICE(buf_slice(&b), S("env"), 1);
	CHECK_INT(h.content_len, 18, 1);
	CHECK_INT(h.arrival, ARRIVAL, 1);
	CHECK_SLICE(slice_sub(content_of(fd, &b), 0, 18),
	    S("part one, part two"), 1);
	CHECK_INT(large_check_content(fd, &h), 0, 1);
	close(fd);

	/* damage, leftovers, names that do not belong there */
	CHECK_INT(large_create(q, &second, &other), 0, 2);
	close(openat(q, "large/notes", O_CREAT | O_WRONLY, 0600));
	CHECK_INT(large_scan(q, count_large, &f, &strange), 0, 2);
	CHECK_INT(f.messages, 1, 2);
	CHECK_INT(strange, 1, 2);
	CHECK_INT(large_sweep(q, &swept), 0, 2);
	CHECK_INT(swept, 0, 2);			/* somebody writes it */
	large_close(&other);			/* as if that one died */
	CHECK_INT(large_sweep(q, &swept), 0, 3);
	CHECK_INT(swept, 1, 3);
	CHECK_INT(large_create(q, &second, &other), 0, 3);
	large_abandon(q, &other);
	fd = openat(q, "large", O_RDONLY | O_DIRECTORY);
	(void)renameat(fd, id.text, fd, second.text);
	close(fd);
	CHECK_INT(large_open(q, &second, &fd, &h, NULL), -EBADMSG, 3);
	CHECK_INT(large_unlink(q, &second), 0, 4);
	CHECK_INT(large_unlink(q, &second), 0, 4);
	CHECK_INT(large_open(q, &second, &fd, &h, NULL), -ENOENT, 4);
	buf_free(&b);
	close(q);
}

TEST(large_damage_is_found)
{
	int q = queue_new(), fd, w, r;
	struct queue_id id = id_of(3);
	struct queue_head h;
	struct buf b = BUF_INIT;

	for (off_t at = 0; at < 7 + 3 + 128; at++) {
		struct large l = LARGE_INIT;

		CHECK_INT(large_create(q, &id, &l), 0, at);
		CHECK_INT(large_write(&l, S("content")), 0, at);
		CHECK_INT(large_commit(q, &l, ARRIVAL, S("env")), 0, at);
		w = l.fd;
		spoil(w, at);
		r = large_open(q, &id, &fd, &h, &b);
		CHECK_INT(r, at < 7 ? 0 : -EBADMSG, at);
		if (r == 0) {
			CHECK_INT(large_check_content(fd, &h), -EBADMSG, at);
			close(fd);
		}
		large_close(&l);
		CHECK_INT(large_unlink(q, &id), 0, at);
	}
	buf_free(&b);
	close(q);
}

static const struct slot_pool_policy policy[SLOT_CLASSES] = {
	{ .keep = 4, .free_low = 2, .step = 3, .max = 10 },
	{ .keep = 0, .free_low = 0, .step = 1, .max = 1 },
	{ .keep = 0, .free_low = 0, .step = 1, .max = 0 },
};

TEST(slot_pool_leases)
{
	struct slot_pool *p = slot_pool_new(policy);
	struct slot_pool_walk w = { 0, 0 };
	struct slot_pool_counts c;
	struct slot_lease a, b, x;

	CHECK_INT(slot_pool_lease(p, 0, 1, &a), -EAGAIN, 0);
	slot_pool_add(p, (struct slot_ref){ 0, 0 }, SLOT_POOL_FREE, 0);
	slot_pool_add(p, (struct slot_ref){ 0, 3 }, SLOT_POOL_FREE, 41);
	slot_pool_add(p, (struct slot_ref){ 0, 5 }, SLOT_POOL_ASIDE, 0);
	CHECK_INT(slot_pool_lease(p, 0, 1, &a), 0, 0);
	CHECK_INT(a.ref.number, 3, 0);			/* the last one freed */
	CHECK_INT(a.generation, 42, 0);
	CHECK_INT(slot_pool_lease(p, 0, 2, &b), 0, 1);
	CHECK_INT(b.generation, 1, 1);
	CHECK_INT(slot_pool_lease(p, 0, 1, &x), -EAGAIN, 2);
	CHECK_INT(slot_pool_lease(p, 9, 1, &x), -EINVAL, 2);
	CHECK_INT(slot_pool_return(p, b.ref, 2), 0, 2);
	CHECK_INT(slot_pool_lease_again(p, a.ref, 2), -EINVAL, 2);
	CHECK_INT(slot_pool_lease_again(p, (struct slot_ref){ 1, 99 }, 2),
	    -EINVAL, 2);
	CHECK_INT(slot_pool_lease_again(p, b.ref, 2), 0, 2);

	/* untrue claims change nothing */
	CHECK_INT(slot_pool_use(p, a.ref, 2), -EINVAL, 3);
	CHECK_INT(slot_pool_return(p, a.ref, 7), -EINVAL, 3);
	CHECK_INT(slot_pool_release(p, a.ref), -EINVAL, 3);
	CHECK_INT(slot_pool_use(p, (struct slot_ref){ 0, 5 }, 1), -EINVAL, 3);
	CHECK_INT(slot_pool_use(p, (struct slot_ref){ 0, 99 }, 1), -EINVAL, 3);
	CHECK_INT(slot_pool_use(p, (struct slot_ref){ 3, 0 }, 1), -EINVAL, 3);

	CHECK(slot_pool_next_leased(p, 2, &w, &x), 4);
	CHECK_INT(x.ref.number, b.ref.number, 4);
	CHECK_INT(x.generation, 1, 4);
	CHECK(!slot_pool_next_leased(p, 2, &w, &x), 4);

	CHECK_INT(slot_pool_use(p, a.ref, 1), 0, 5);
	CHECK_INT(slot_pool_release(p, a.ref), 0, 5);
	CHECK_INT(slot_pool_lease(p, 0, 1, &a), 0, 5);
	CHECK_INT(a.generation, 43, 5);
	CHECK_INT(slot_pool_return(p, a.ref, 1), 0, 6);
	CHECK_INT(slot_pool_lease(p, 0, 1, &a), 0, 6);
	CHECK_INT(a.generation, 43, 6);			/* it was not used */
	CHECK_INT(slot_pool_set_aside(p, a.ref), 0, 7);
	CHECK_INT(slot_pool_state(p, a.ref), SLOT_POOL_ASIDE, 7);
	slot_pool_count(p, 0, &c);
	CHECK_INT(c.free, 0, 7);
	CHECK_INT(c.leased, 1, 7);
	CHECK_INT(c.aside, 2, 7);
	slot_pool_free(p);
}

TEST(slot_pool_grows_and_shrinks)
{
	struct slot_pool *p = slot_pool_new(policy);
	struct slot_lease l[10];
	struct slot_pool_counts c;
	uint32_t n[10];
	size_t count;

	count = slot_pool_want_growth(p, 0, n, COUNT(n));
	CHECK_INT(count, 4, 0);				/* what is kept */
	slot_pool_add(p, (struct slot_ref){ 0, 2 }, SLOT_POOL_FREE, 0);
	count = slot_pool_want_growth(p, 0, n, COUNT(n));
	CHECK_INT(count, 3, 1);
	CHECK(n[0] == 0 && n[1] == 1 && n[2] == 3, 1);	/* holes first */
	for (size_t i = 0; i < count; i++)
		slot_pool_add(p, (struct slot_ref){ 0, n[i] }, SLOT_POOL_FREE,
		    0);
	CHECK_INT(slot_pool_want_growth(p, 0, n, COUNT(n)), 0, 2);
	for (size_t i = 0; i < 3; i++) {
		CHECK_INT(slot_pool_lease(p, 0, 1, &l[i]), 0, i);
		CHECK_INT(slot_pool_use(p, l[i].ref, 1), 0, i);
	}
	CHECK_INT(slot_pool_want_growth(p, 0, n, COUNT(n)), 3, 3);
	for (uint32_t i = 4; i < 9; i++)
		slot_pool_add(p, (struct slot_ref){ 0, i }, SLOT_POOL_USED, 0);
	CHECK_INT(slot_pool_want_growth(p, 0, n, COUNT(n)), 1, 4);	/* max */
	slot_pool_add(p, (struct slot_ref){ 0, 9 }, SLOT_POOL_FREE, 0);
	CHECK_INT(slot_pool_want_growth(p, 0, n, COUNT(n)), 0, 5);
	CHECK_INT(slot_pool_take_surplus(p, 0, n, COUNT(n)), 0, 5);
	for (uint32_t i = 0; i < 9; i++)
		if (slot_pool_state(p, (struct slot_ref){ 0, i }) ==
		    SLOT_POOL_USED)
			CHECK_INT(slot_pool_release(p,
			    (struct slot_ref){ 0, i }), 0, i);
	count = slot_pool_take_surplus(p, 0, n, COUNT(n));
	CHECK_INT(count, 3, 6);
	CHECK_INT(n[0], 9, 6);				/* from the top */
	CHECK_INT(slot_pool_take_surplus(p, 0, n, COUNT(n)), 0, 7);
	slot_pool_count(p, 0, &c);
	CHECK_INT(c.free, 7, 7);
	/* made again, a slot counts on from its last use */
	CHECK_INT(slot_pool_state(p, (struct slot_ref){ 0, 9 }),
	    SLOT_POOL_MISSING, 7);
	slot_pool_add(p, (struct slot_ref){ 0, 9 }, SLOT_POOL_FREE, 57);
	slot_pool_remove(p, (struct slot_ref){ 0, 9 });
	slot_pool_add(p, (struct slot_ref){ 0, 9 }, SLOT_POOL_FREE, 0);
	CHECK_INT(slot_pool_lease(p, 0, 1, &l[0]), 0, 7);
	CHECK_INT(l[0].ref.number, 9, 7);
	CHECK_INT(l[0].generation, 58, 7);
	/* a shrunk pool does not want to grow at once */
	CHECK_INT(slot_pool_want_growth(p, 0, n, COUNT(n)), 0, 7);
	slot_pool_free(p);
}
