/* SPDX-License-Identifier: ISC */
/*
 * A body in chunks, or one whose pack record is short, is read into memory
 * when it is opened: a quarter MiB at most, against a snapshot held open or
 * coping with a body that moves. A long pack record is read frame by frame,
 * and looked up again if its pack was rewritten meanwhile.
 */
#include "libstore/body.h"

#include <unistd.h>

#include "libmail/sha256.h"
#include "libstore/bodies.h"
#include "libstore/emails.h"
#include "libstore/fileio.h"
#include "libstore/packrec.h"
#include "libutil/alloc.h"

#define RECORD_IN_MEMORY	((uint64_t)512 << 10)
#define WINDOW_LEN		((size_t)64 << 10)
#define NO_FRAME		UINT32_MAX

struct body {
	struct account		*account;
	uint64_t		 id;
	enum body_location	 where;
	uint64_t		 size;		/* of the content */
	uint8_t			 hash[BODY_HASH_LEN];
	struct buf		 prefix;
	/* chunks: the content; big: a window of it; pack: frame's content */
	struct buf		 bytes;
	uint64_t		 bytes_at;
	/* pack */
	uint32_t		 pack;
	uint64_t		 offset;
	struct buf		 record;	/* whole, or its head */
	struct packrec		 rec;
	struct arena		 arena;
	struct packrec_zip	*zip;
	uint32_t		 frame;		/* that bytes has */
	/* big */
	int			 fd;
};

/* body_hash_content - SHA-256 */
void
body_hash_content(struct slice content, uint8_t ret_hash[BODY_HASH_LEN])
{
	sha256_of(content, ret_hash);
}

/* body_close - release it; no-op on NULL */
void
body_close(struct body **b)
{
	struct body *x = *b;

	*b = NULL;
	if (x == NULL)
		return;
	buf_free(&x->prefix);
	buf_free(&x->bytes);
	buf_free(&x->record);
	arena_free(&x->arena);
	packrec_zip_free(&x->zip);
	fileio_close(&x->fd);
	free(x);
}

/* body_read_record - the head of its pack record, or all of a short one */
static int
body_read_record(struct body *b, uint64_t stored)
{
	const struct backend *be = b->account->backend;
	uint64_t want = stored <= RECORD_IN_MEMORY ? stored :
	    PACKREC_HEAD_MIN;
	uint32_t head = 0;
	char	*room;
	int	r;

	if (want < PACKREC_HEAD_MIN)
		return -EBADMSG;
	buf_reset(&b->record);
	for (;;) {
		room = buf_room(&b->record, want - b->record.len);
		r = be->ops->pack_read(b->account->backend, b->pack,
		    b->offset + b->record.len, room, want - b->record.len);
		if (r < 0)
			return r;
		buf_grown(&b->record, want - b->record.len);
		if ((r = packrec_head_len(buf_slice(&b->record), &head)) < 0)
			return r;
		if (head <= want)
			break;
		want = head;
	}
	arena_reset(&b->arena);
	r = packrec_parse(slice_sub(buf_slice(&b->record), 0, head),
	    &b->arena, &b->rec);
	if (r < 0)
		return r;
	return b->rec.size == b->size &&
	    memcmp(b->rec.hash, b->hash, BODY_HASH_LEN) == 0 &&
	    b->rec.head_len + b->rec.payload_len == stored ? 0 : -EBADMSG;
}

/* body_locate - where it is now, and what is read at once */
static int
body_locate(struct body *b)
{
	struct body_record rec;
	struct txn *t = NULL;
	int	r;

	if ((r = txn_begin(b->account, false, &t)) < 0 ||
	    (r = bodies_get(t, b->id, &rec)) < 0)
		goto out;
	b->where = (enum body_location)rec.location;
	b->size = rec.size;
	memcpy(b->hash, rec.hash.bytes, BODY_HASH_LEN);
	buf_reset(&b->prefix);
	buf_add(&b->prefix, rec.prefix);
	b->pack = rec.pack;
	b->offset = rec.offset;
	if (rec.location == BODY_IN_CHUNKS) {
		buf_reset(&b->bytes);
		b->bytes.max = (size_t)PACKREC_CONTENT_MAX;
		r = bodies_read_chunks(t, b->id, rec.size, &b->bytes);
	} else if (rec.location != BODY_IN_PACK &&
	    rec.location != BODY_IS_BIG) {
		r = -EBADMSG;
	}
out:
	txn_abort(&t);
	if (r == 0 && b->where == BODY_IN_PACK)
		r = body_read_record(b, rec.stored);
	return r;
}

/* body_locate_again - for as long as rewriting moves it under our hands */
static int
body_locate_again(struct body *b)
{
	int	r = -ENOENT;

	for (int i = 0; r == -ENOENT && i < 3; i++)
		r = body_locate(b);
	return r;
}

/* body_of - the body id of an email */
static int
body_of(struct account *a, uint64_t email, uint64_t *ret_body)
{
	struct email_record rec;
	struct txn *t = NULL;
	int	r;

	if ((r = txn_begin(a, false, &t)) == 0 &&
	    (r = emails_get(t, email, &rec)) == 0)
		*ret_body = rec.body;
	txn_abort(&t);
	return r;
}

/* bodies_open - by the body's own id */
int
bodies_open(struct account *a, uint64_t id, struct body **ret_body)
{
	struct body *b = NEW(struct body);
	int	r;

	b->account = a;
	b->id = id;
	b->fd = -1;
	b->frame = NO_FRAME;
	b->zip = packrec_zip_new();
	r = body_locate_again(b);
	if (r == 0 && b->where == BODY_IS_BIG)
		r = a->p.big.open == NULL ? -EOPNOTSUPP :
		    a->p.big.open(a->p.big.arg, b->hash, &b->fd);
	/* expunged meanwhile, or was its file lost? */
	if (r == -ENOENT && b->where == BODY_IS_BIG &&
	    body_locate_again(b) == 0)
		r = -EBADMSG;
	if (r < 0)
		body_close(&b);
	else
		*ret_body = b;
	return r;
}

/* body_open - an email's bytes */
int
body_open(struct account *a, uint64_t email, struct body **ret_body)
{
	uint64_t id;
	int	r = body_of(a, email, &id);

	return r < 0 ? r : bodies_open(a, id, ret_body);
}

uint64_t
body_size(const struct body *b)
{
	return b->size + b->prefix.len;
}

struct slice
body_prefix(const struct body *b)
{
	return buf_slice(&b->prefix);
}

const uint8_t *
body_hash(const struct body *b)
{
	return b->hash;
}

/* frame_bytes - the stored bytes of a frame, from memory or from the pack */
static int
frame_bytes(struct body *b, const struct packrec_frame *f, uint64_t at,
    struct buf *scratch, struct slice *ret_bytes)
{
	const struct backend *be = b->account->backend;
	char	*room;
	int	r;

	at += b->rec.head_len;
	if (b->record.len > b->rec.head_len) {
		*ret_bytes = slice_sub(buf_slice(&b->record), at, f->stored);
		return 0;
	}
	room = buf_room(scratch, f->stored);
	r = be->ops->pack_read(b->account->backend, b->pack, b->offset + at,
	    room, f->stored);
	if (r < 0)
		return r;
	buf_grown(scratch, f->stored);
	*ret_bytes = buf_slice(scratch);
	return 0;
}

/* body_load_frame - unpack the frame that has that byte of the content */
static int
body_load_frame(struct body *b, uint64_t at)
{
	struct buf scratch = BUF_INIT;
	const struct packrec_frame *f;
	uint64_t raw_at, stored_at;
	struct slice stored;
	uint32_t frame;
	char	*room;
	int	r;

	if ((r = packrec_find(&b->rec, at, &frame, &raw_at, &stored_at)) < 0)
		return r;
	if (frame == b->frame)
		return 0;
	f = &b->rec.frames[frame];
	b->frame = NO_FRAME;
	r = frame_bytes(b, f, stored_at, &scratch, &stored);
	if (r == 0) {
		buf_reset(&b->bytes);
		room = buf_room(&b->bytes, f->raw);
		r = packrec_unzip(b->zip, f, stored, room);
	}
	if (r == 0) {
		buf_grown(&b->bytes, f->raw);
		b->bytes_at = raw_at;
		b->frame = frame;
	}
	buf_free(&scratch);
	return r;
}

/* body_load_window - read a piece of a big body */
static int
body_load_window(struct body *b, uint64_t at)
{
	int64_t	n;
	char	*room;

	if (at >= b->bytes_at && at < b->bytes_at + b->bytes.len)
		return 0;
	buf_reset(&b->bytes);
	room = buf_room(&b->bytes, WINDOW_LEN);
	n = fileio_pread(b->fd, room, WINDOW_LEN, at);
	if (n <= 0)
		return n < 0 ? (int)n : -EBADMSG;
	buf_grown(&b->bytes, (size_t)n);
	b->bytes_at = at;
	return 0;
}

/* body_load - have that byte of the content in memory */
static int
body_load(struct body *b, uint64_t at)
{
	int	r;

	if (b->where == BODY_IN_CHUNKS)
		return 0;
	if (b->where == BODY_IS_BIG)
		return body_load_window(b, at);
	r = body_load_frame(b, at);
	if (r != -ENOENT)
		return r;
	/* its pack was rewritten since it was opened */
	if ((r = body_locate_again(b)) < 0)
		return r;
	return body_load_frame(b, at);
}

/* body_peek - a piece, lent */
int
body_peek(struct body *b, uint64_t offset, size_t max, struct slice *ret_bytes)
{
	int	r;

	if (offset >= body_size(b)) {
		*ret_bytes = SLICE_EMPTY;
		return 0;
	}
	if (offset < b->prefix.len) {
		*ret_bytes = slice_sub(buf_slice(&b->prefix), offset, max);
		return 0;
	}
	offset -= b->prefix.len;
	if ((r = body_load(b, offset)) < 0)
		return r;
	*ret_bytes = slice_sub(buf_slice(&b->bytes),
	    (size_t)(offset - b->bytes_at), size_min(max,
	    b->size - offset < SIZE_MAX ? (size_t)(b->size - offset) :
	    SIZE_MAX));
	return 0;
}

/* body_read - pieces until all is there */
int64_t
body_read(struct body *b, uint64_t offset, void *bytes, size_t len)
{
	size_t	done = 0;

	while (done < len) {
		struct slice piece;
		int	r = body_peek(b, offset + done, len - done, &piece);

		if (r < 0)
			return r;
		if (piece.len == 0)
			break;
		memcpy((char *)bytes + done, piece.data, piece.len);
		done += piece.len;
	}
	return (int64_t)done;
}
