/* SPDX-License-Identifier: ISC */
/*
 * The message as it goes out: its pieces one after the other, edited where
 * the server takes no 8-bit content, lines cut where they are too long, dots
 * stuffed. Nothing but CRLF ends a line: what came in otherwise was mended
 * on its way in, and is mended here again should the facts say so.
 */
#include "delivery/smtp.h"

#include <stdlib.h>

#include "delivery/smtp_events.h"
#include "libmail/scan_data.h"
#include "libtask/work.h"
#include "libutil/alloc.h"

#define CHUNK	32768

struct writer {
	struct smtp_attempt	*a;
	struct smtp_session	*s;
	struct smtp_edits	 edits;
	size_t			 next_edit;
	struct smtp_data	 mend;
	struct smtp_stuff	 stuff;
	size_t			 limit;		/* of a line, or SIZE_MAX */
	size_t			 column;	/* in the present line */
	bool			 mends;
	char			*chunk;
};

struct read_job {
	void		*data;
	uint64_t	 at;
	size_t		 len;
	int		 fd;
};

static int
read_work(void *arg)
{
	struct read_job *j = arg;

	return memfile_pread(j->fd, j->at, j->data, j->len);
}

/* smtp_content_read - bytes of the content; -EIO if they cannot be had */
int
smtp_content_read(struct task *t, const struct smtp_attempt *a, uint64_t at,
    void *data, size_t len)
{
	struct read_job	j = { data, a->offset + at, len, a->fd };
	int		r;

	r = a->kind == MEMFILE_DISK ? work_run(t, read_work, &j) :
	    read_work(&j);
	if (r == 0 || r == -ECANCELED)
		return r;
	log_event(&a->log, EV_SMTP_CONTENT, KV_ERR("why", r));
	return -EIO;	/* not to be taken for the server's fault */
}

/* put - to the server, dots stuffed */
static int
put(struct task *t, struct writer *w, struct slice bytes)
{
	struct cursor	in = cursor_over(bytes);
	struct slice	piece;
	struct deadline	d;
	int		r = 0;

	while (r == 0 && smtp_stuff_next(&w->stuff, &in, &piece)) {
		deadline_begin(t, &d, w->a->p->smtp_data_xfer_timeout);
		r = stream_write(t, &w->s->stream, piece);
		r = deadline_end(t, &d, r);
	}
	return r;
}

/* cut_line - part of a line that is too long: a line end and a blank */
static int
cut_line(struct task *t, struct writer *w)
{
	w->column = 1;
	return put(t, w, S("\r\n "));
}

/* fold - lines over the limit are cut (smtp_line_length_limit) */
static int
fold(struct task *t, struct writer *w, struct slice bytes)
{
	int r = 0;

	if (w->limit == SIZE_MAX)
		return put(t, w, bytes);
	while (r == 0 && bytes.len > 0) {
		size_t end = slice_find(bytes, '\n');
		size_t len = end == SLICE_NONE ? bytes.len : end + 1;
		/* the line end itself does not count */
		size_t room = w->limit + 2 - size_min(w->column, w->limit);

		if (end == SLICE_NONE)
			room -= 2;
		if (len > room) {
			len = w->limit - w->column;
			end = SLICE_NONE;
		}
		if (len == 0) {
			r = cut_line(t, w);
			continue;
		}
		r = put(t, w, slice_sub(bytes, 0, len));
		w->column = end == SLICE_NONE ? w->column + len : 0;
		bytes = slice_from(bytes, len);
	}
	return r;
}

/* mend - line ends as they must be */
static int
mend(struct task *t, struct writer *w, struct slice bytes)
{
	struct cursor	in = cursor_over(bytes);
	struct slice	piece;
	int		r = 0;

	if (!w->mends)
		return fold(t, w, bytes);
	while (r == 0 && smtp_data_next(&w->mend, &in, &piece))
		r = fold(t, w, piece);
	return r;
}

/* plain - a range of the content as it is */
static int
plain(struct task *t, struct writer *w, uint64_t from, uint64_t to)
{
	int r = 0;

	while (r == 0 && from < to) {
		size_t len = to - from < CHUNK ? (size_t)(to - from) : CHUNK;

		if ((r = smtp_content_read(t, w->a, from, w->chunk, len)) < 0)
			break;
		r = mend(t, w, slice_over(w->chunk, len));
		from += len;
	}
	return r;
}

/* encoded - a range of the content in quoted-printable */
static int
encoded(struct task *t, struct writer *w, uint64_t from, uint64_t to)
{
	struct smtp_qp	q = SMTP_QP_INIT;
	struct buf	out = BUF_INIT;
	int		r = 0;

	while (r == 0 && from < to) {
		size_t len = to - from < CHUNK ? (size_t)(to - from) : CHUNK;

		if ((r = smtp_content_read(t, w->a, from, w->chunk, len)) < 0)
			break;
		smtp_qp_add(&q, slice_over(w->chunk, len), &out);
		from += len;
		if (from == to)
			smtp_qp_finish(&q, &out);
		r = mend(t, w, buf_slice(&out));
		buf_reset(&out);
	}
	buf_free(&out);
	return r;
}

/* edited - a range with its edits; an edit that begins in it is done whole,
 * for what it covers is always in one range */
static int
edited(struct task *t, struct writer *w, uint64_t from, uint64_t to)
{
	int r = 0;

	while (r == 0 && w->next_edit < w->edits.n) {
		const struct smtp_edit *e = &w->edits.v[w->next_edit];
		uint64_t end = e->offset + e->length;

		if (e->offset >= to && (e->length > 0 || e->offset > to))
			break;
		w->next_edit++;
		if (e->offset < from || end > to)
			continue;	/* its field was taken out */
		r = plain(t, w, from, e->offset);
		if (r == 0 && e->kind == SMTP_EDIT_QP)
			r = encoded(t, w, e->offset, end);
		else if (r == 0)
			r = mend(t, w, e->text);
		from = end;
	}
	return r < 0 ? r : plain(t, w, from, to);
}

/* pieces - the message */
static int
pieces(struct task *t, struct writer *w)
{
	const struct msg_envelope *e = w->a->e;
	int r = 0;

	for (size_t i = 0; r == 0 && i < e->pieces.n; i++) {
		const struct msg_piece *p = &e->pieces.v[i];

		r = p->of_content ?
		    edited(t, w, p->offset, p->offset + p->length) :
		    mend(t, w, p->text);
	}
	if (r == 0 && w->mends)
		r = fold(t, w, smtp_data_finish(&w->mend));
	return r;
}

/* needs_recoding - 8-bit content for a server that takes none */
static bool
needs_recoding(const struct smtp_attempt *a, const struct smtp_session *s)
{
	return (a->facts.flags & FACTS_8BIT_BODY) != 0 &&
	    !a->p->disable_mime_output_conversion &&
	    !reply_ehlo_has(&s->ehlo, REPLY_KEYWORD_8BITMIME);
}

/* smtp_content_send - the message and the dot behind it */
int
smtp_content_send(struct task *t, struct smtp_attempt *a,
    struct smtp_session *s)
{
	struct writer	w = { .a = a, .s = s, .limit = SIZE_MAX };
	struct deadline	d;
	uint64_t	limit = (uint64_t)a->p->smtp_line_length_limit;
	int		r = 0;

	s->stage = "sending message body";
	w.chunk = xmalloc(CHUNK);
	w.mends = (a->facts.flags & (FACTS_BARE_CR | FACTS_BARE_LF)) != 0;
	smtp_data_init(&w.mend, SMTP_DATA_PLAIN);
	if (limit > 1 && a->facts.longest_line > limit)
		w.limit = (size_t)limit;
	if (needs_recoding(a, s))
		r = smtp_recode(t, a, &w.edits);
	if (r == 0)
		r = pieces(t, &w);
	if (r == 0) {
		deadline_begin(t, &d, a->p->smtp_data_xfer_timeout);
		r = stream_write(t, &s->stream, smtp_stuff_finish(&w.stuff));
		if (r == 0)
			r = stream_flush(t, &s->stream);
		r = deadline_end(t, &d, r);
	}
	if (r < 0)
		s->broken = true;
	free(w.chunk);
	return r;
}
