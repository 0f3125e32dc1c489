/* SPDX-License-Identifier: ISC */
/*
 * 8-bit content for a server without 8BITMIME (RFC 6152 3): the bodies of
 * parts with 8-bit bytes become quoted-printable, and the fields that named
 * their encoding say so; containers become 7bit. The facts of the message
 * tell where all that is: nothing is parsed again but the headers of parts.
 */
#include "delivery/smtp.h"

#include "libmail/header.h"

#define HEADER_MAX	((size_t)256 << 10)	/* of a part that is read */
#define QP_LINE		76

static const char QP_FIELD[] =
    "Content-Transfer-Encoding: quoted-printable\r\n";
static const char BIT7_FIELD[] = "Content-Transfer-Encoding: 7bit\r\n";

/* add - one more edit */
static void
add(struct smtp_edits *e, int kind, uint64_t offset, uint64_t length,
    struct slice text)
{
	e->v[e->n++] = (struct smtp_edit){ offset, length, text, kind };
}

/* set_encoding - put the field in place of the one there is, or at the top
 * of the header */
static int
set_encoding(struct task *t, struct smtp_attempt *a,
    const struct facts_part *part, const char *text, struct smtp_edits *e)
{
	size_t			 len = (size_t)(part->body - part->header);
	struct header_field	 field;
	struct buf		 raw = BUF_INIT_MAX(HEADER_MAX);
	char			*room = buf_room(&raw, len);
	int			 r;

	if (room == NULL)
		return -EMSGSIZE;
	r = smtp_content_read(t, a, part->header, room, len);
	buf_grown(&raw, len);
	if (r == 0 && header_find(buf_slice(&raw),
	    HEADER_CONTENT_TRANSFER_ENCODING, &field))
		add(e, SMTP_EDIT_REPLACE, part->header +
		    (uint64_t)(field.raw.data - raw.data), field.raw.len,
		    slice_of(text));
	else if (r == 0)
		add(e, SMTP_EDIT_REPLACE, part->header, 0, slice_of(text));
	buf_free(&raw);
	return r;
}

/* top_text - what a message that is not MIME gets: RFC 1428 3 */
static struct slice
top_text(const struct smtp_attempt *a)
{
	return facts_has(&a->facts, HEADER_MIME_VERSION) ? SLICE_EMPTY :
	    facts_has(&a->facts, HEADER_CONTENT_TYPE) ?
	    S("MIME-Version: 1.0\r\n") :
	    S("MIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=unknown-8bit\r\n");
}

/* recode_part - the edits of one part */
static int
recode_part(struct task *t, struct smtp_attempt *a,
    const struct facts_part *part, struct smtp_edits *e)
{
	bool	is_leaf = part->kind == PART_LEAF;
	bool	is_8bit = (part->flags & PART_8BIT) != 0;
	int	r;

	if (is_leaf && is_8bit && part->encoding != ENCODING_QP &&
	    part->encoding != ENCODING_BASE64) {
		if ((r = set_encoding(t, a, part, QP_FIELD, e)) < 0)
			return r;
		add(e, SMTP_EDIT_QP, part->body, part->end - part->body,
		    SLICE_EMPTY);
		return 0;
	}
	if (!is_leaf && (part->encoding == ENCODING_8BIT ||
	    part->encoding == ENCODING_BINARY))
		return set_encoding(t, a, part, BIT7_FIELD, e);
	return 0;
}

/* smtp_recode - all parts */
int
smtp_recode(struct task *t, struct smtp_attempt *a,
    struct smtp_edits *ret_edits)
{
	const struct facts	*f = &a->facts;
	struct smtp_edits	 e = { ARENA_ARRAY(a->arena, struct smtp_edit,
				     2 * (size_t)f->part_count + 1), 0 };
	struct slice		 top = top_text(a);
	int			 r = 0;

	if (top.len > 0 && f->part_count > 0)
		add(&e, SMTP_EDIT_REPLACE, f->parts[0].header, 0, top);
	for (uint32_t i = 0; r == 0 && i < f->part_count; i++)
		if ((f->parts[i].flags & PART_MADE_UP) == 0)
			r = recode_part(t, a, &f->parts[i], &e);
	if (r < 0)
		return r;
	*ret_edits = e;		/* in order, as the parts are */
	return 0;
}

/* soft - room for n more columns, by a soft line break if need be */
static void
soft(struct smtp_qp *q, unsigned n, struct buf *out)
{
	if (q->column + n > QP_LINE - 1) {
		buf_add_text(out, "=\r\n");
		q->column = 0;
	}
	q->column += n;
}

/* hex - a byte as =XX */
static void
hex(struct smtp_qp *q, unsigned byte, struct buf *out)
{
	soft(q, 3, out);
	buf_addf(out, "=%02X", byte);
}

/* release - what was held back is not at the end of a line (or is, and then
 * a blank must be encoded) */
static void
release(struct smtp_qp *q, bool line_ends, struct buf *out)
{
	if (q->blank >= 0) {
		if (line_ends)
			hex(q, (unsigned)q->blank, out);
		else {
			soft(q, 1, out);
			buf_add_byte(out, (char)q->blank);
		}
	}
	q->blank = -1;
	if (q->cr && !line_ends)
		hex(q, '\r', out);
	q->cr = false;
}

/* smtp_qp_add - encode one more run */
void
smtp_qp_add(struct smtp_qp *q, struct slice in, struct buf *out)
{
	for (size_t i = 0; i < in.len; i++) {
		unsigned char c = (unsigned char)in.data[i];

		if (c == '\n' && q->cr) {
			release(q, true, out);
			buf_add_text(out, "\r\n");
			q->column = 0;
			continue;
		}
		if (c == '\r' && !q->cr) {
			q->cr = true;
			continue;
		}
		release(q, false, out);
		if (c == '\r') {
			q->cr = true;
		} else if (c == ' ' || c == '\t') {
			q->blank = c;
		} else if (c < 33 || c > 126 || c == '=') {
			hex(q, c, out);
		} else {
			soft(q, 1, out);
			buf_add_byte(out, (char)c);
		}
	}
}

/* smtp_qp_finish - the run that ends here was the last */
void
smtp_qp_finish(struct smtp_qp *q, struct buf *out)
{
	bool cr = q->cr;

	q->cr = false;
	release(q, true, out);
	if (cr)
		hex(q, '\r', out);
}
