/* SPDX-License-Identifier: ISC */
/*
 * A dump is "BSN1", the time i64, and blocks: raw length u32, stored length
 * u32, CRC-32C of what is stored u32, and a zstd frame of records (key length
 * u16, value length u32, key, value); a block of raw length 0 and the count
 * of records u64 end it. It is taken in one read transaction and written
 * beside its name first, so a dump that has its name is whole.
 */
#include "libstore/snap.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "libstore/fileio.h"
#include "libstore/repair.h"
#include "libtask/folder.h"
#include "libutil/alloc.h"
#include "libutil/crc32c.h"
#include "libutil/cursor.h"

#define MAGIC		S("BSN1")
#define BLOCK_RAW	((size_t)1 << 20)
#define BLOCK_MAX	((size_t)16 << 20)
#define HEAD_LEN	12
#define NAME_MAX_LEN	40
#define KEEP		2	/* dumps */
#define RESTORE_BATCH	20000	/* records a transaction */

/* a dump being written */
struct snap_out {
	int		 fd;
	uint64_t	 at;
	uint64_t	 count;
	struct buf	 raw;
	struct buf	 stored;
};

/* out_flush - one block; an empty one ends the dump */
static int
out_flush(struct snap_out *o)
{
	size_t	bound = ZSTD_compressBound(o->raw.len), n = 0;
	struct buf head = BUF_INIT;
	char	*room;
	int	r;

	buf_reset(&o->stored);
	room = buf_room(&o->stored, bound);
	if (o->raw.len > 0) {
		n = ZSTD_compress(room, bound, o->raw.data, o->raw.len, 1);
		if (ZSTD_isError(n))
			return -ENOMEM;
		buf_grown(&o->stored, n);
	} else {
		buf_add_le64(&o->stored, o->count);
	}
	buf_add_le32(&head, (uint32_t)o->raw.len);
	buf_add_le32(&head, (uint32_t)o->stored.len);
	buf_add_le32(&head, crc32c(buf_slice(&o->stored)));
	r = fileio_pwrite(o->fd, buf_slice(&head), o->at);
	if (r == 0)
		r = fileio_pwrite(o->fd, buf_slice(&o->stored),
		    o->at + head.len);
	o->at += head.len + o->stored.len;
	buf_reset(&o->raw);
	buf_free(&head);
	return r;
}

/* snap_has - is that key space in dumps? Chunks get into packs, caches are
 * made anew */
static bool
snap_has(struct slice key)
{
	enum fresh_kind kind;
	uint32_t number;
	uint64_t id;

	if (key.data[0] == KEY_FRESH)
		return key_parse_fresh(key, &id, &kind, &number) == 0 &&
		    kind == FRESH_BODY;
	return key.data[0] != KEY_CACHE;
}

/* out_records - every record of the account */
static int
out_records(struct txn *t, struct snap_out *o)
{
	struct backend_range *range;
	struct slice key, value;
	int	r;

	r = backend_range(t->backend, SLICE_EMPTY, SLICE_EMPTY, false, &range);
	if (r < 0)
		return r;
	while ((r = backend_next(range, &key, &value)) != 0) {
		if (r == -EBADMSG)
			continue;	/* verify tells; the dump goes on */
		if (r < 0)
			break;
		if (!snap_has(key))
			continue;
		buf_add_le16(&o->raw, (uint16_t)key.len);
		buf_add_le32(&o->raw, (uint32_t)value.len);
		buf_add(&o->raw, key);
		buf_add(&o->raw, value);
		o->count++;
		if (o->raw.len >= BLOCK_RAW && (r = out_flush(o)) < 0)
			break;
	}
	backend_range_end(&range);
	if (r == 0 && o->raw.len > 0)
		r = out_flush(o);
	return r < 0 ? r : out_flush(o);
}

/* snap_dump - into an open file */
static int
snap_dump(struct account *a, int fd, int64_t now)
{
	struct snap_out o = { .fd = fd, .at = MAGIC.len + 8,
		.raw = BUF_INIT_MAX(BLOCK_MAX),
		.stored = BUF_INIT_MAX(2 * BLOCK_MAX) };
	struct buf head = BUF_INIT;
	struct txn *t = NULL;
	int	r;

	buf_add(&head, MAGIC);
	buf_add_le64(&head, (uint64_t)now);
	r = fileio_pwrite(fd, buf_slice(&head), 0);
	if (r == 0 && (r = txn_begin(a, false, &t)) == 0)
		r = out_records(t, &o);
	txn_abort(&t);
	if (r == 0 && fdatasync(fd) < 0)
		r = -errno;
	buf_free(&head);
	buf_free(&o.raw);
	buf_free(&o.stored);
	return r;
}

/* snap_newest - the time of the newest dump below a time, or -ENOENT */
static int
snap_newest(int dir, int64_t below, int64_t *ret_time)
{
	int	fd = openat(dir, "snap", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int64_t	best = -1;
	struct dirent *e;
	DIR	*d;

	if (fd < 0)
		return -errno;
	d = fdopendir(fd);
	if (d == NULL) {
		int r = -errno;

		close(fd);
		return r;
	}
	while ((e = readdir(d)) != NULL) {
		struct slice name = slice_of(e->d_name);
		uint64_t time;

		if (slice_has_suffix(name, S(".snap")) && slice_to_u64(
		    slice_sub(name, 0, name.len - 5), INT64_MAX, &time) == 0 &&
		    (int64_t)time < below && (int64_t)time > best)
			best = (int64_t)time;
	}
	closedir(d);
	if (best < 0)
		return -ENOENT;
	*ret_time = best;
	return 0;
}

/* snap_name - "snap/NNNNNNNNNNNNNNNN.snap" */
static void
snap_name(char name[NAME_MAX_LEN], int64_t time)
{
	snprintf(name, NAME_MAX_LEN, "snap/%016lld.snap", (long long)time);
}

/* snap_forget - all dumps but the newest ones */
static void
snap_forget(int dir)
{
	int64_t	time = INT64_MAX;
	char	name[NAME_MAX_LEN];

	for (unsigned i = 0; snap_newest(dir, time, &time) == 0; i++) {
		if (i < KEEP)
			continue;
		snap_name(name, time);
		if (unlinkat(dir, name, 0) < 0)
			return;		/* the next dump tries again */
	}
}

/* snap_write - a new dump */
int
snap_write(struct account *a)
{
	int64_t	now = account_now(a);
	char	name[NAME_MAX_LEN];
	int	fd, r;

	if (a->dir < 0)
		return -EOPNOTSUPP;
	if ((r = fileio_make_folder(a->dir, "snap")) < 0)
		return r;
	fd = openat(a->dir, "snap/new.tmp", O_WRONLY | O_CREAT | O_TRUNC |
	    O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = snap_dump(a, fd, now < 0 ? 0 : now);
	fileio_close(&fd);
	snap_name(name, now < 0 ? 0 : now);
	if (r == 0 && renameat(a->dir, "snap/new.tmp", a->dir, name) < 0)
		r = -errno;
	if (r == 0)
		r = folder_sync(a->dir, "snap");
	if (r < 0)
		(void)unlinkat(a->dir, "snap/new.tmp", 0);
	else
		snap_forget(a->dir);
	return r;
}

/* snap_time - of the newest dump */
int
snap_time(struct account *a, int64_t *ret_time)
{
	return a->dir < 0 ? -ENOENT : snap_newest(a->dir, INT64_MAX, ret_time);
}

/* a dump being read */
struct snap_in {
	int		 fd;
	uint64_t	 at;
	uint64_t	 count;
	bool		 is_end;
	struct buf	 raw;
	struct buf	 stored;
};

/* in_read - exactly so many bytes into a buf */
static int
in_read(struct snap_in *in, size_t len, struct buf *out)
{
	char	*room;
	int64_t	n;

	buf_reset(out);
	room = buf_room(out, len);
	if (room == NULL)
		return -EBADMSG;
	n = fileio_pread(in->fd, room, len, in->at);
	if (n < 0)
		return (int)n;
	if ((size_t)n != len)
		return -EBADMSG;
	buf_grown(out, len);
	in->at += len;
	return 0;
}

/* in_block - the next block, unpacked into raw */
static int
in_block(struct snap_in *in)
{
	uint32_t raw, stored, sum;
	struct cursor c;
	uint64_t count;
	char	*room;
	size_t	n;
	int	r;

	if ((r = in_read(in, HEAD_LEN, &in->stored)) < 0)
		return r;
	c = cursor_over(buf_slice(&in->stored));
	if ((r = cursor_le32(&c, &raw)) < 0 ||
	    (r = cursor_le32(&c, &stored)) < 0 ||
	    (r = cursor_le32(&c, &sum)) < 0)
		return r;
	if (raw > BLOCK_MAX || stored > 2 * BLOCK_MAX)
		return -EBADMSG;
	if ((r = in_read(in, stored, &in->stored)) < 0)
		return r;
	if (crc32c(buf_slice(&in->stored)) != sum)
		return -EBADMSG;
	if (raw == 0) {
		c = cursor_over(buf_slice(&in->stored));
		in->is_end = true;
		if ((r = cursor_le64(&c, &count)) < 0)
			return r;
		return count == in->count ? 0 : -EBADMSG;
	}
	buf_reset(&in->raw);
	room = buf_room(&in->raw, raw);
	n = ZSTD_decompress(room, raw, in->stored.data, in->stored.len);
	if (ZSTD_isError(n) || n != raw)
		return -EBADMSG;
	buf_grown(&in->raw, n);
	return 0;
}

/* in_put - the records of a block; with a NULL transaction only looked at */
static int
in_put(struct snap_in *in, struct backend_txn *t)
{
	struct cursor c = cursor_over(buf_slice(&in->raw));
	struct slice key, value;
	uint16_t key_len;
	uint32_t value_len;
	int	r = 0;

	while (r == 0 && !cursor_at_end(&c)) {
		if ((r = cursor_le16(&c, &key_len)) < 0 ||
		    (r = cursor_le32(&c, &value_len)) < 0 ||
		    (r = cursor_bytes(&c, key_len, &key)) < 0 ||
		    (r = cursor_bytes(&c, value_len, &value)) < 0)
			return r;
		in->count++;
		if (t != NULL)
			r = backend_put(t, key, value);
	}
	return r;
}

/* snap_read - a whole dump into a backend, or (NULL) only proved */
static int
snap_read(int fd, struct backend *b)
{
	struct snap_in in = { .fd = fd, .raw = BUF_INIT_MAX(BLOCK_MAX),
		.stored = BUF_INIT_MAX(2 * BLOCK_MAX) };
	struct backend_txn *t = NULL;
	uint64_t committed = 0;
	int	r = in_read(&in, MAGIC.len + 8, &in.stored);

	if (r == 0 && !slice_has_prefix(buf_slice(&in.stored), MAGIC))
		r = -EBADMSG;
	while (r == 0 && (r = in_block(&in)) == 0 && !in.is_end) {
		if (b != NULL && t == NULL)
			r = backend_begin(b, true, &t);
		if (r == 0)
			r = in_put(&in, t);
		if (r == 0 && t != NULL &&
		    in.count - committed > RESTORE_BATCH) {
			committed = in.count;
			r = backend_commit(&t);
		}
	}
	if (r == 0 && t != NULL)
		r = backend_commit(&t);
	backend_abort(&t);
	buf_free(&in.raw);
	buf_free(&in.stored);
	return r;
}

/* snap_find - the newest dump that can be read whole, opened */
static int
snap_find(int dir)
{
	int64_t	time = INT64_MAX;
	char	name[NAME_MAX_LEN];
	int	fd, r;

	while ((r = snap_newest(dir, time, &time)) == 0) {
		snap_name(name, time);
		fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			continue;
		if (snap_read(fd, NULL) == 0)
			return fd;
		close(fd);
	}
	return r;
}

/* restore_clean - what is left of a restore beside its result */
static void
restore_clean(int dir)
{
	/* each may be missing; a leftover is removed by the next restore */
	(void)unlinkat(dir, "restore/meta.mdb", 0);
	(void)unlinkat(dir, "restore/meta.mdb-lock", 0);
	(void)unlinkat(dir, "restore/pack", AT_REMOVEDIR);
	(void)unlinkat(dir, "restore", AT_REMOVEDIR);
}

/* restore_gap - leave out the numbers that were given after the dump, so that
 * none is given for a second thing: UIDs and mod-sequences that clients know,
 * email ids that packs have */
static int
restore_gap(struct repair *x, struct txn *t, uint64_t id)
{
	struct mailbox_slot *slot;
	int	r = txn_mailbox_any(t, (uint32_t)id, &slot);

	(void)x;
	if (r < 0)
		return r;
	if (slot->rec.uidnext < UINT32_MAX - RESTORE_UID_GAP)
		slot->rec.uidnext += RESTORE_UID_GAP;
	slot->rec.highest_modseq = t->rec.modseq;
	slot->rec.vanished_floor = t->rec.modseq;
	slot->is_dirty = true;
	t->is_changed = true;
	return 0;
}

/* restore_adjust - the gaps, in the restored environment */
static int
restore_adjust(struct backend **b)
{
	struct account_params p = ACCOUNT_PARAMS_INIT;
	struct repair x = { 0 };
	struct account *a;
	struct txn *t = NULL;
	int	r;

	if ((r = account_open_backend(b, &p, &a)) < 0)
		return r;
	x.account = a;
	if ((r = txn_begin(a, true, &t)) == 0) {
		if (t->rec.unknown_email == 0)
			t->rec.unknown_email = t->rec.next_email;
		t->rec.next_email += RESTORE_EMAIL_GAP;
		t->rec.modseq += RESTORE_MODSEQ_GAP;
		t->rec.change_floor = t->rec.modseq;
		t->is_changed = true;
		r = txn_finish(&t, 0);
	}
	if (r == 0)
		r = repair_each(&x, KEY_MAILBOX, 4, restore_gap);
	account_close(&a);
	return r;
}

/* restore_from - build the environment aside and move it into place whole */
static int
restore_from(int dir, const char *folder, int dump, uint64_t map_size)
{
	struct backend *b = NULL;
	struct buf path = BUF_INIT;
	int	r;

	restore_clean(dir);
	buf_addf(&path, "%s/restore", folder);
	if ((r = fileio_make_folder(dir, "restore")) == 0 &&
	    (r = backend_lmdb_open(buf_cstr(&path), map_size, &b)) == 0)
		r = snap_read(dump, b);
	if (r == 0)
		r = restore_adjust(&b);
	backend_close(&b);
	if (r == 0 && renameat(dir, "restore/meta.mdb", dir, "meta.mdb") < 0)
		r = -errno;
	if (r == 0)
		r = folder_sync(dir, ".");
	restore_clean(dir);
	buf_free(&path);
	return r;
}

/* snap_restore - a new environment from the newest dump */
int
snap_restore(const char *folder, uint64_t map_size)
{
	struct stat st;
	int	dir, fd = -1, r = 0;

	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	if (flock(dir, LOCK_EX | LOCK_NB) < 0)
		r = -EBUSY;
	else if (fstatat(dir, "meta.mdb", &st, 0) == 0)
		r = -EEXIST;
	else
		r = fd = snap_find(dir);
	if (r >= 0)
		r = restore_from(dir, folder, fd, map_size);
	fileio_close(&fd);
	fileio_close(&dir);
	return r;
}
