/* SPDX-License-Identifier: ISC */
/*
 * A digest that is missing or of an old version is made from a copy of the
 * content in a memory file, which is mapped: that is rare, and the content
 * may be larger than what should lie on the heap.
 */
#include "imapd/session_body.h"

#include "libmail/scan.h"
#include "libtask/memfile.h"
#include "libtask/work.h"

/* session_body_open_here - open it, unless it is open */
int
session_body_open_here(struct session_body *b)
{
	return b->body != NULL ? 0 :
	    body_open(b->account, b->email->id, &b->body);
}

/* session_body_done - release it */
void
session_body_done(struct session_body *b)
{
	if (b->body != NULL)
		body_close(&b->body);
}

struct peek_job {
	struct session_body	*b;
	uint64_t		offset;
	struct slice		bytes;
};

/* peek_job - a work item */
static int
peek_job(void *arg)
{
	struct peek_job	*j = arg;
	int		r;

	if ((r = session_body_open_here(j->b)) < 0)
		return r;
	return body_peek(j->b->body, j->offset, SESSION_BODY_PIECE,
	    &j->bytes);
}

/* session_body_peek - bytes from that offset on */
int
session_body_peek(struct task *t, struct session_body *b, uint64_t offset,
    struct slice *ret_bytes)
{
	struct peek_job	j = { b, offset, SLICE_EMPTY };
	int		r;

	if ((r = work_run(t, peek_job, &j)) < 0)
		return r;
	*ret_bytes = j.bytes;
	return 0;
}

/* copy_content - the content, without the prefix, in a memory file; scanned
 * on the way */
static int
copy_content(struct body *body, struct scan *scan, struct memfile *m)
{
	uint64_t	at = body_prefix(body).len;
	struct slice	piece;
	int		r;

	r = memfile_new("message", body_size(body), m);
	while (r == 0) {
		if ((r = body_peek(body, at, SESSION_BODY_PIECE, &piece)) < 0 ||
		    piece.len == 0)
			break;
		scan_feed(scan, piece);
		r = memfile_append(m, piece);
		at += piece.len;
	}
	return r < 0 ? r : memfile_seal(m);
}

/* keep - give the store what was made again; that it fails is no harm */
static int
keep(struct session_body *b, struct slice cache)
{
	struct email_cache c = { b->email->id, DIGEST_VERSION, cache };

	if (cache.len > EMAIL_CACHE_MAX)
		return 0;
	return message_set_cache(b->account, &c, 1);
}

/* make_digest - from the message itself */
static int
make_digest(struct session_body *b, struct arena *a, struct slice *ret_cache)
{
	struct memfile	m = MEMFILE_INIT;
	struct slice	content = SLICE_EMPTY;
	struct scan	*scan = scan_new(NULL);
	int		r;

	if ((r = session_body_open_here(b)) < 0 ||
	    (r = copy_content(b->body, scan, &m)) < 0 ||
	    (r = memfile_map(m.fd, &content)) < 0)
		goto out;
	*ret_cache = digest_cache(content, scan_finish(scan), a);
	r = keep(b, *ret_cache);
	if (r == -ENOSPC || r == -EDQUOT || r == -EIO)
		r = 0;
out:
	memfile_unmap(&content);
	memfile_done(&m);
	scan_free(&scan);
	return r;
}

/* session_body_digest_here - its digest, on a worker's thread */
int
session_body_digest_here(struct session_body *b, struct arena *a,
    struct digest *ret_digest)
{
	struct digest	d;
	struct slice	cache;
	int		r = 0;

	if (digest_parse(b->email->cache_version, b->email->cache, &d) < 0 &&
	    ((r = make_digest(b, a, &cache)) < 0 ||
	    (r = digest_parse(DIGEST_VERSION, cache, &d)) < 0))
		return r;
	if (d.content_length > b->email->size)
		return -EBADMSG;
	*ret_digest = d;
	return 0;
}

struct digest_job {
	struct session_body	*b;
	struct arena		*arena;
	struct digest		digest;
};

/* digest_job - a work item */
static int
digest_job(void *arg)
{
	struct digest_job *j = arg;

	return session_body_digest_here(j->b, j->arena, &j->digest);
}

/* session_body_digest - its digest; a worker is asked only if it must be made
 * again */
int
session_body_digest(struct task *t, struct session_body *b, struct arena *a,
    struct digest *ret_digest)
{
	struct digest_job j = { b, a, { 0 } };
	int		r;

	if (digest_parse(b->email->cache_version, b->email->cache,
	    &j.digest) == 0 && j.digest.content_length <= b->email->size) {
		*ret_digest = j.digest;
		return 0;
	}
	if ((r = work_run(t, digest_job, &j)) < 0)
		return r;
	*ret_digest = j.digest;
	return 0;
}
