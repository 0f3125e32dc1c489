/* SPDX-License-Identifier: ISC */
/*
 * Text is compared as UTF-8 in one case (RFC 3501 6.4.4: case-insensitive).
 * A body is looked through part by part: transfer encoding and charset
 * undone, in windows that end where a line ends, each with the tail of the
 * one before, so that memory is bounded and no match is cut in two.
 */
#include "imapd/session_search.h"

#include "libmail/charset.h"
#include "libmail/header.h"
#include "libmail/rfc2047.h"
#include "libmail/transfer.h"
#include "libutil/cursor.h"
#include "libutil/utf8.h"

#define WINDOW		((size_t)131072)

/* capital letters and how far their small ones are: whole ranges, or every
 * second character (step 2). The scripts that mail in Latin, Greek, Cyrillic
 * and Armenian is written in. */
static const struct {
	uint32_t	first, last, step;
	uint32_t	distance;
} capitals[] = {
	{ 0x00c0, 0x00d6, 1, 32 }, { 0x00d8, 0x00de, 1, 32 },
	{ 0x0100, 0x012e, 2, 1 }, { 0x0132, 0x0136, 2, 1 },
	{ 0x0139, 0x0147, 2, 1 }, { 0x014a, 0x0176, 2, 1 },
	{ 0x0179, 0x017d, 2, 1 }, { 0x01cd, 0x01db, 2, 1 },
	{ 0x01de, 0x01ee, 2, 1 }, { 0x01f8, 0x021e, 2, 1 },
	{ 0x0222, 0x0232, 2, 1 }, { 0x0388, 0x038a, 1, 37 },
	{ 0x0391, 0x03a1, 1, 32 }, { 0x03a3, 0x03ab, 1, 32 },
	{ 0x0400, 0x040f, 1, 80 }, { 0x0410, 0x042f, 1, 32 },
	{ 0x0460, 0x0480, 2, 1 }, { 0x048a, 0x04be, 2, 1 },
	{ 0x04d0, 0x052e, 2, 1 }, { 0x0531, 0x0556, 1, 48 },
	{ 0x1e00, 0x1e94, 2, 1 }, { 0x1ea0, 0x1efe, 2, 1 },
};

/* small_of - the small letter of a character beyond ASCII */
static uint32_t
small_of(uint32_t c)
{
	for (size_t i = 0; i < COUNT(capitals) && c >= capitals[i].first; i++)
		if (c <= capitals[i].last &&
		    (c - capitals[i].first) % capitals[i].step == 0)
			return c + capitals[i].distance;
	return c;
}

/* search_fold - append text in one case */
void
search_fold(struct buf *out, struct slice text)
{
	struct cursor	c = cursor_over(text);

	while (!cursor_at_end(&c)) {
		int		b = cursor_peek(&c);
		uint32_t	u;

		if (b < 0x80 || utf8_decode(&c, &u) < 0)
			buf_add_byte(out, ascii_lower((char)cursor_byte(&c)));
		else
			utf8_encode(out, small_of(u));
	}
}

/* search_text_has - is the folded needle in the text? */
bool
search_text_has(struct slice text, struct slice needle)
{
	struct buf	folded = BUF_INIT;
	bool		has;

	search_fold(&folded, text);
	has = slice_find_slice(buf_slice(&folded), needle) != SLICE_NONE;
	buf_free(&folded);
	return has;
}

/* search_field_has - is it in a header field's value? */
bool
search_field_has(struct slice value, struct slice needle)
{
	struct buf	unfolded = BUF_INIT, decoded = BUF_INIT;
	bool		has;

	header_unfold(&unfolded, value);
	rfc2047_decode(&decoded, buf_slice(&unfolded));
	has = search_text_has(buf_slice(&decoded), needle);
	buf_free(&unfolded);
	buf_free(&decoded);
	return has;
}

/* a part that is looked through */
struct scan_part {
	struct slice	needle;
	enum charset	charset;
	struct transfer	transfer;
	struct buf	decoded;	/* bytes not looked at yet */
	struct buf	folded;		/* tail of the last window, this one */
	bool		found;
};

/* look - at the first len decoded bytes, which then go */
static void
look(struct scan_part *p, size_t len)
{
	struct slice	bytes = slice_sub(buf_slice(&p->decoded), 0, len);
	struct buf	utf8 = BUF_INIT;
	size_t		keep = p->needle.len - 1;

	if (!charset_to_utf8(&utf8, p->charset, bytes))
		buf_add(&utf8, bytes);	/* unknown: ASCII will be found */
	search_fold(&p->folded, buf_slice(&utf8));
	p->found = slice_find_slice(buf_slice(&p->folded), p->needle) !=
	    SLICE_NONE;
	if (p->folded.len > keep)
		buf_consume(&p->folded, p->folded.len - keep);
	buf_consume(&p->decoded, len);
	buf_free(&utf8);
}

/* take - more bytes of the part as they are in the message */
static void
take(struct scan_part *p, struct slice piece)
{
	size_t	line_end;

	transfer_decode(&p->transfer, piece, &p->decoded);
	if (p->decoded.len < WINDOW)
		return;
	/* a line end is never inside a character, nor in an encoded one */
	line_end = slice_find_last(buf_slice(&p->decoded), '\n');
	look(p, line_end == SLICE_NONE ? p->decoded.len : line_end + 1);
}

/* scan_range - look through a range of the message */
static int
scan_range(struct search_message *m, struct scan_part *p, uint64_t at,
    uint64_t end)
{
	struct slice	piece;
	int		r;

	while (at < end && !p->found) {
		r = body_peek(m->body.body, at, SESSION_BODY_PIECE, &piece);
		if (r < 0 || piece.len == 0)
			return r < 0 ? r : -EBADMSG;
		if (piece.len > end - at)
			piece.len = (size_t)(end - at);
		take(p, piece);
		at += piece.len;
	}
	if (!p->found) {
		transfer_finish(&p->transfer, &p->decoded);
		look(p, p->decoded.len);
	}
	return 0;
}

/* charset_of_part - what its Content-Type says */
static enum charset
charset_of_part(const struct structure_part *part)
{
	for (size_t i = 0; i < part->param_count; i++)
		if (slice_equal_nocase(part->params[i].name, S("charset")))
			return charset_of(part->params[i].value);
	return charset_of(SLICE_EMPTY);
}

/* scan_text_part - look through a text part */
static int
scan_text_part(struct search_message *m, const struct structure *st,
    uint32_t i, struct slice needle)
{
	const struct facts_part *part = &st->facts.parts[i];
	uint64_t	prefix = m->email.size - m->digest.content_length;
	struct scan_part p = { .needle = needle,
		.charset = charset_of_part(&st->parts[i]), .found = false };
	int		r;

	transfer_init(&p.transfer, (enum facts_encoding)part->encoding);
	r = scan_range(m, &p, prefix + part->body, prefix + part->end);
	buf_free(&p.decoded);
	buf_free(&p.folded);
	return r < 0 ? r : p.found;
}

/* scan_header - look through the header of a message inside the message */
static int
scan_header(struct search_message *m, const struct facts_part *part,
    struct slice needle)
{
	uint64_t	prefix = m->email.size - m->digest.content_length;
	struct buf	raw = BUF_INIT;
	struct slice	piece;
	uint64_t	at = prefix + part->header, end = prefix + part->body;
	int		r = 0;

	while (at < end && r == 0) {
		r = body_peek(m->body.body, at, SESSION_BODY_PIECE, &piece);
		if (r == 0 && piece.len == 0)
			r = -EBADMSG;
		if (r < 0)
			break;
		if (piece.len > end - at)
			piece.len = (size_t)(end - at);
		buf_add(&raw, piece);
		at += piece.len;
	}
	if (r == 0)
		r = search_field_has(buf_slice(&raw), needle);
	buf_free(&raw);
	return r;
}

/* is_text - a part that people read? */
static bool
is_text(const struct facts_part *part)
{
	return part->kind == PART_LEAF && (part->type == TYPE_TEXT_PLAIN ||
	    part->type == TYPE_TEXT_HTML || part->type == TYPE_TEXT_OTHER);
}

/* search_body_has - is it in the body? */
int
search_body_has(struct search_message *m, struct slice needle)
{
	const struct facts_part *parts;
	struct structure st;
	int		r;

	if ((r = structure_parse(m->digest.structure,
	    m->digest.content_length, m->arena, &st)) < 0 ||
	    (r = session_body_open_here(&m->body)) < 0)
		return r;
	parts = st.facts.parts;
	for (uint32_t i = 0; i < st.facts.part_count && r == 0; i++) {
		if (parts[i].parent != FACTS_NO_PART &&
		    parts[parts[i].parent].kind == PART_MESSAGE)
			r = scan_header(m, &parts[i], needle);
		if (r == 0 && is_text(&parts[i]))
			r = scan_text_part(m, &st, i, needle);
	}
	return r;
}
