/* SPDX-License-Identifier: ISC */
/*
 * IMAP's parenthesized tree (RFC 3501 9: body). The parts are in the order in
 * which it names them, so this is one walk without recursion: a part is
 * opened, and closed when the next one is not below it.
 */
#include "libmail/imap_format.h"
#include "libmail/structure.h"

/* render_params - body-fld-param; charset: what a text has if it says none */
static void
render_params(struct buf *out, const struct mime_param *params, size_t count,
    bool charset)
{
	const char	*between = "(";

	for (size_t i = 0; i < count; i++) {
		struct slice	name = params[i].name;

		buf_add_text(out, between);
		/* names are tokens or RFC 2231's, which need no more than
		 * quotes; but who knows what a header has there */
		if (params[i].extended) {
			struct buf	star = BUF_INIT;

			buf_add(&star, name);
			buf_add_byte(&star, '*');
			imap_format_string(out, buf_slice(&star));
			buf_free(&star);
		} else {
			imap_format_string(out, name);
		}
		buf_add_byte(out, ' ');
		imap_format_string(out, params[i].value);
		between = " ";
		if (slice_equal_nocase(name, S("charset")))
			charset = false;
	}
	if (charset)	/* RFC 2046 4.1.2 */
		buf_addf(out, "%s\"charset\" \"us-ascii\"", between);
	buf_add_text(out, count > 0 || charset ? ")" : "NIL");
}

/* is_text - body-type-text? */
static bool
is_text(const struct facts_part *fp)
{
	return fp->type >= TYPE_TEXT_PLAIN && fp->type <= TYPE_TEXT_OTHER;
}

/* render_fields - what a part that is not multipart begins with */
static void
render_fields(struct buf *out, const struct structure *s, uint32_t i)
{
	const struct structure_part	*p = &s->parts[i];
	const struct facts_part		*fp = &s->facts.parts[i];

	imap_format_string(out, p->type);
	buf_add_byte(out, ' ');
	imap_format_string(out, p->subtype);
	buf_add_byte(out, ' ');
	render_params(out, p->params, p->param_count, is_text(fp));
	buf_add_byte(out, ' ');
	imap_format_nstring(out, p->id);
	buf_add_byte(out, ' ');
	imap_format_nstring(out, p->description);
	buf_add_byte(out, ' ');
	imap_format_string(out, p->encoding);
	buf_add_byte(out, ' ');
	buf_add_u64(out, fp->end - fp->body);
	if (fp->kind == PART_MESSAGE) {
		buf_add_byte(out, ' ');
		envelope_render(out, p->envelope);
		buf_add_byte(out, ' ');
	}
}

/* render_languages - body-fld-lang */
static void
render_languages(struct buf *out, const struct structure_part *p)
{
	if (p->language_count == 0) {
		buf_add_text(out, "NIL");
		return;
	}
	for (size_t i = 0; i < p->language_count; i++) {
		buf_add_byte(out, i == 0 ? '(' : ' ');
		imap_format_string(out, p->languages[i]);
	}
	buf_add_byte(out, ')');
}

/* render_extension - the extension data that all parts have in common */
static void
render_extension(struct buf *out, const struct structure_part *p)
{
	buf_add_byte(out, ' ');
	if (p->disposition.len == 0) {
		buf_add_text(out, "NIL");
	} else {
		buf_add_byte(out, '(');
		imap_format_string(out, p->disposition);
		buf_add_byte(out, ' ');
		render_params(out, p->disposition_params,
		    p->disposition_param_count, false);
		buf_add_byte(out, ')');
	}
	buf_add_byte(out, ' ');
	render_languages(out, p);
	buf_add_byte(out, ' ');
	imap_format_nstring(out, p->location);
}

/* close_part - what follows the parts below, or the fields of a leaf */
static void
close_part(struct buf *out, const struct structure *s, uint32_t i,
    bool extended)
{
	const struct structure_part	*p = &s->parts[i];
	const struct facts_part		*fp = &s->facts.parts[i];

	if (fp->kind == PART_MULTIPART) {
		buf_add_byte(out, ' ');
		imap_format_string(out, p->subtype);
	} else if (fp->kind == PART_MESSAGE || is_text(fp)) {
		buf_add_byte(out, ' ');
		buf_add_u64(out, fp->lines);
	}
	if (extended) {
		buf_add_byte(out, ' ');
		if (fp->kind == PART_MULTIPART)
			render_params(out, p->params, p->param_count, false);
		else
			imap_format_nstring(out, p->md5);
	}
	if (extended)
		render_extension(out, p);
	buf_add_byte(out, ')');
}

/* render - the whole tree */
static void
render(struct buf *out, const struct structure *s, bool extended)
{
	const struct facts_part	*parts = s->facts.parts;

	for (uint32_t i = 0; i < s->facts.part_count; i++) {
		uint32_t	done = i;

		buf_add_byte(out, '(');
		if (parts[i].kind != PART_MULTIPART)
			render_fields(out, s, i);
		while (done != FACTS_NO_PART && parts[done].after == i + 1) {
			close_part(out, s, done, extended);
			done = parts[done].parent;
		}
	}
}

/* structure_render_body - IMAP's BODY */
void
structure_render_body(struct buf *out, const struct structure *s)
{
	render(out, s, false);
}

/* structure_render_bodystructure - the same with extension data */
void
structure_render_bodystructure(struct buf *out, const struct structure *s)
{
	render(out, s, true);
}
