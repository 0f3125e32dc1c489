/* SPDX-License-Identifier: ISC */
/*
 * The message that a report is about, as it would have gone out: its pieces.
 * Whole if it is small enough to be returned, else only the header.
 */
#include "delivery/bounce.h"

#include "libtask/work.h"

#define RETURN_MAX	((uint64_t)32 << 20)
#define HEADER_MAX	((size_t)128 << 10)	/* of a header that is returned */

struct read_job {
	struct report	*rep;
	bool		 whole;
};

/* add_range - bytes of the content */
static int
add_range(const struct report *rep, uint64_t from, uint64_t to,
    struct buf *out)
{
	if (to <= from)
		return 0;
	return memfile_read_buf(rep->ask->content, rep->ask->offset + from,
	    (size_t)(to - from), out);
}

/* read_header - up to the empty line, that not included */
static int
read_header(struct report *rep)
{
	uint64_t	end = facts_header_end(&rep->facts);
	int		r = 0;

	for (size_t i = 0; r == 0 && i < rep->e->pieces.n; i++) {
		const struct msg_piece *p = &rep->e->pieces.v[i];
		uint64_t to = p->offset + p->length;

		if (p->of_content && p->offset >= end)
			break;
		if (to > end)
			to = end;
		/* a header of unusual size is cut, at the end of a line */
		if (p->of_content && to - p->offset >
		    HEADER_MAX - rep->header.len)
			to = p->offset + (HEADER_MAX - rep->header.len);
		if (p->of_content)
			r = add_range(rep, p->offset, to, &rep->header);
		else
			buf_add(&rep->header, slice_sub(p->text, 0,
			    HEADER_MAX - rep->header.len));
	}
	return r;
}

/* trim_header - whole lines, without the empty one at the end */
static void
trim_header(struct report *rep)
{
	size_t last = slice_find_last(buf_slice(&rep->header), '\n');

	buf_truncate(&rep->header, last == SLICE_NONE ? 0 : last + 1);
	if (slice_equal(buf_slice(&rep->header), S("\r\n")))
		buf_reset(&rep->header);
	else if (slice_has_suffix(buf_slice(&rep->header), S("\r\n\r\n")))
		buf_truncate(&rep->header, rep->header.len - 2);
}

/* read_whole - all pieces */
static int
read_whole(struct report *rep)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < rep->e->pieces.n; i++) {
		const struct msg_piece *p = &rep->e->pieces.v[i];

		if (p->of_content)
			r = add_range(rep, p->offset, p->offset + p->length,
			    &rep->content);
		else
			buf_add(&rep->content, p->text);
	}
	return r < 0 ? r : buf_check(&rep->content);
}

static int
read_work(void *arg)
{
	struct read_job	*j = arg;
	int		r;

	if ((r = read_header(j->rep)) < 0)
		return r;
	trim_header(j->rep);
	return j->whole ? read_whole(j->rep) : 0;
}

/* size_of - the message as it would have gone out; pieces that are not of
 * this content are -EBADMSG */
static int
size_of(const struct report *rep, uint64_t *ret_size)
{
	uint64_t total = 0;

	for (size_t i = 0; i < rep->e->pieces.n; i++) {
		const struct msg_piece *p = &rep->e->pieces.v[i];

		if (p->of_content && (p->offset > rep->e->content_length ||
		    p->length > rep->e->content_length - p->offset))
			return -EBADMSG;
		total += p->of_content ? p->length : p->text.len;
	}
	*ret_size = total;
	return 0;
}

/* bounce_read - header and maybe content */
int
bounce_read(struct task *t, struct report *rep)
{
	struct read_job	j = { rep, false };
	uint64_t	limit = rep->p->bounce_size_limit, size, total = 0;
	int		r;

	r = memfile_check(rep->ask->content, UINT64_MAX, &rep->kind, &size);
	if (r == 0 && (rep->ask->offset > size ||
	    rep->e->content_length > size - rep->ask->offset))
		r = -ENODATA;
	if (r == 0)
		r = size_of(rep, &total);
	if (r < 0)
		return r;
	if (facts_parse(rep->e->facts, rep->e->content_length, rep->arena,
	    &rep->facts) < 0)
		return -EBADMSG;
	if (limit == 0 || limit > RETURN_MAX)
		limit = RETURN_MAX;
	j.whole = total <= limit;
	return rep->kind == MEMFILE_DISK ? work_run(t, read_work, &j) :
	    read_work(&j);
}
