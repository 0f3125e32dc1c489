/* SPDX-License-Identifier: ISC */
/*
 * Each line's text is appended to one buf; the code of the first line is the
 * code of the reply. A 3yz is a reply, but no verdict on the mail.
 */
#include "libmail/reply.h"

#include "libutil/cursor.h"

/* read_code - three digits of a reply code (RFC 5321 4.2.3) */
static int
read_code(struct cursor *c, unsigned *ret_code)
{
	uint32_t	code;

	/* 1yz is not used in SMTP: who sends it waits for what never comes */
	if (slice_to_u32(cursor_take(c, 3), 599, &code) < 0 || code < 200)
		return -EBADMSG;
	*ret_code = code;
	return 0;
}

/* take_enhanced - note the enhanced code at the start of a text, if any */
static void
take_enhanced(struct reply *r, struct slice text)
{
	struct status_code	code;
	size_t			end = 0;

	while (end < text.len && !ascii_is_blank(text.data[end]))
		end++;
	if (status_code_parse(slice_sub(text, 0, end), &code) == 0)
		r->enhanced = code;
}

/* reply_add_line - one more line of the reply */
int
reply_add_line(struct reply *r, struct slice line)
{
	struct cursor	c = cursor_over(line);
	struct slice	text;
	unsigned	code = 0;
	int		separator;

	if (r->complete)
		reply_reset(r);
	if (line.len > REPLY_LINE_MAX || r->line_count == REPLY_LINES_MAX)
		return -EMSGSIZE;
	if (line.len < 3 || read_code(&c, &code) < 0)
		return -EBADMSG;
	if (r->line_count > 0 && code != r->code)
		return -EBADMSG;
	/* "250" alone, without the blank, comes from small servers */
	separator = cursor_byte(&c);
	if (separator != ' ' && separator != '-' && separator != -1)
		return -EBADMSG;

	text = cursor_rest(&c);
	take_enhanced(r, text);
	if (r->line_count > 0)
		buf_add_byte(&r->text, '\n');
	buf_add(&r->text, text);
	if (buf_check(&r->text) < 0)
		return -EMSGSIZE;
	r->code = code;
	r->line_count++;
	r->complete = separator != '-';
	return r->complete ? 1 : 0;
}

/* reply_reset - nothing came yet */
void
reply_reset(struct reply *r)
{
	r->code = 0;
	r->enhanced = (struct status_code){ 0, 0, 0 };
	r->line_count = 0;
	r->complete = false;
	buf_reset(&r->text);
}

/* reply_done - release the text */
void
reply_done(struct reply *r)
{
	reply_reset(r);
	buf_free(&r->text);
}

/* without_enhanced - the text behind an enhanced code of the given value */
static struct slice
without_enhanced(struct slice line, struct status_code enhanced)
{
	struct status_code	code;
	size_t			end = 0;

	while (end < line.len && !ascii_is_blank(line.data[end]))
		end++;
	if (status_code_parse(slice_sub(line, 0, end), &code) < 0 ||
	    code.class != enhanced.class || code.subject != enhanced.subject ||
	    code.detail != enhanced.detail)
		return line;
	return slice_trim(slice_from(line, end));
}

/* reply_status - the reply as what it says of the mail */
int
reply_status(const struct reply *r, struct status *ret_status)
{
	struct slice	rest = buf_slice(&r->text), line;
	struct buf	text = BUF_INIT;

	if (!r->complete || r->code / 100 == 3)
		return -EBADMSG;
	while (rest.len > 0) {
		line = without_enhanced(slice_split(&rest, '\n'), r->enhanced);
		if (text.len > 0 && line.len > 0)
			buf_add_byte(&text, ' ');
		buf_add(&text, line);
	}
	*ret_status = status_of(r->code, r->enhanced, buf_slice(&text));
	buf_free(&text);
	return 0;
}
