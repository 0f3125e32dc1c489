/* SPDX-License-Identifier: ISC */
/*
 * Every way to give a status a text ends in set_text, which is where text
 * from outside becomes one harmless line. What a machine error means and what
 * enhanced codes are called stands in two tables.
 */
#include "libmail/status.h"

#include <assert.h>
#include <errno.h>

#include "libutil/buf.h"
#include "libutil/cursor.h"
#include "libutil/utf8.h"

#define DOTS		"..."
#define ENHANCED_MAX	999		/* RFC 3463 2: three digits */

/* append - put behind the text what fits of s; false when it did not */
static bool
append(struct status *st, struct slice s)
{
	size_t	room = STATUS_TEXT_MAX - st->text_len;
	bool	whole = s.len <= room;

	if (!whole) {
		/* make room for the dots, in what was there if need be */
		if (room < sizeof(DOTS) - 1) {
			st->text_len = (uint16_t)utf8_cut(
			    slice_over(st->text, st->text_len),
			    STATUS_TEXT_MAX - (sizeof(DOTS) - 1)).len;
			room = 0;
		} else {
			room -= sizeof(DOTS) - 1;
		}
		s = utf8_cut(s, room);
	}
	if (s.len > 0)
		memcpy(st->text + st->text_len, s.data, s.len);
	st->text_len = (uint16_t)(st->text_len + s.len);
	if (!whole) {
		memcpy(st->text + st->text_len, DOTS, sizeof(DOTS) - 1);
		st->text_len = (uint16_t)(st->text_len + sizeof(DOTS) - 1);
	}
	return whole;
}

/* clean - make the text behind `from` one line of UTF-8 */
static void
clean(struct status *s, size_t from)
{
	bool	utf8 = utf8_is_valid(slice_over(s->text, s->text_len));

	for (size_t i = from; i < s->text_len; i++) {
		unsigned char	b = (unsigned char)s->text[i];

		if (b < ' ' || b == 0x7f)
			s->text[i] = ' ';
		else if (b >= 0x80 && !utf8)
			s->text[i] = '?';
	}
	while (s->text_len > 0 && s->text[s->text_len - 1] == ' ')
		s->text_len--;
}

/* status_set_text - another text */
void
status_set_text(struct status *s, struct slice text)
{
	s->text_len = 0;
	(void)append(s, text);
	clean(s, 0);
}

/* status_prefix_text - put something before the text */
void
status_prefix_text(struct status *s, struct slice prefix)
{
	struct status	old = *s;

	s->text_len = 0;
	if (append(s, prefix))
		(void)append(s, status_text(&old));
	clean(s, 0);
}

/* status_of - a status of its parts */
struct status
status_of(unsigned code, struct status_code enhanced, struct slice text)
{
	struct status	s = STATUS_INIT;

	assert(code >= 200 && code <= 599 && code / 100 != 3);
	s.code = (uint16_t)code;
	if (enhanced.class == code / 100)
		s.enhanced = enhanced;
	else
		s.enhanced.class = (uint8_t)(code / 100);
	status_set_text(&s, text);
	return s;
}

/* status_vmake - a status with a printf-like text */
struct status
status_vmake(unsigned code, const char *enhanced, const char *format,
    va_list ap)
{
	struct status_code	parsed;
	/* one byte more than fits, so that too long a text is seen as such */
	char			text[STATUS_TEXT_MAX + 2];
	int			n;

	if (status_code_parse(slice_of(enhanced), &parsed) < 0)
		assert(!"an enhanced code of ours is malformed");
	n = vsnprintf(text, sizeof(text), format, ap);
	assert(n >= 0);
	return status_of(code, parsed,
	    slice_over(text, size_min((size_t)n, sizeof(text) - 1)));
}

/* status_make - the same with its arguments */
struct status
status_make(unsigned code, const char *enhanced, const char *format, ...)
{
	struct status	s;
	va_list		ap;

	va_start(ap, format);
	s = status_vmake(code, enhanced, format, ap);
	va_end(ap);
	return s;
}

static const struct errno_row {
	int		error;
	unsigned	code;
	const char	*enhanced;
	const char	*text;
} errno_rows[] = {
#define ROW(error, code, enhanced, text)	{ error, code, enhanced, text },
#include "libmail/errno_status.def"
};

/* status_from_errno - what an error of the machine means for the mail */
struct status
status_from_errno(int error, const char *what)
{
	static const struct errno_row other = { 0, 451, "4.3.0",
	    "Local error in processing" };
	const struct errno_row *row = &other;
	int	positive = error < 0 ? -error : error;

	for (size_t i = 0; i < COUNT(errno_rows); i++)
		if (errno_rows[i].error == positive)
			row = &errno_rows[i];
	if (what == NULL)
		return status_make(row->code, row->enhanced, "%s", row->text);
	return status_make(row->code, row->enhanced, "%s: %s", row->text, what);
}

/* take_code - "5.1.1", followed by a blank or the end */
static int
take_code(struct cursor *c, struct status_code *ret_code)
{
	struct cursor	at = *c;
	uint32_t	class, subject, detail;

	if (cursor_u32(&at, 5, &class) < 0 || !cursor_skip_byte(&at, '.') ||
	    cursor_u32(&at, ENHANCED_MAX, &subject) < 0 ||
	    !cursor_skip_byte(&at, '.') ||
	    cursor_u32(&at, ENHANCED_MAX, &detail) < 0)
		return -EBADMSG;
	if (class != 2 && class != 4 && class != 5)
		return -EBADMSG;
	if (!cursor_at_end(&at) && cursor_skip_blanks(&at) == 0)
		return -EBADMSG;
	*c = at;
	*ret_code = (struct status_code){ (uint8_t)class, (uint16_t)subject,
	    (uint16_t)detail };
	return 0;
}

/* status_code_parse - the whole slice is an enhanced code */
int
status_code_parse(struct slice in, struct status_code *ret_code)
{
	struct cursor		c = cursor_over(in);
	struct status_code	code;

	if (take_code(&c, &code) < 0 || !cursor_at_end(&c) ||
	    !ascii_is_digit(in.data[in.len - 1]))
		return -EBADMSG;
	*ret_code = code;
	return 0;
}

/* status_code_format - as 5.1.1 */
void
status_code_format(struct buf *out, struct status_code code)
{
	buf_addf(out, "%u.%u.%u", code.class, code.subject, code.detail);
}

/* status_code_gist - what the code means */
const char *
status_code_gist(struct status_code code)
{
	static const struct {
		uint16_t	subject, detail;
		const char	*gist;
	} rows[] = {
#define CODE(subject, detail, gist)	{ subject, detail, gist },
#include "libmail/status_codes.def"
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].subject == code.subject &&
		    rows[i].detail == code.detail)
			return rows[i].gist;
	return NULL;
}

/* status_parse - "550 5.1.1 text" */
int
status_parse(struct slice in, struct status *ret_status)
{
	struct cursor		c = cursor_over(in);
	struct slice		digits = cursor_take(&c, 3);
	struct status_code	enhanced = { 0, 0, 0 };
	uint32_t		code;

	if (digits.len != 3 || slice_to_u32(digits, 599, &code) < 0 ||
	    code < 200 || code / 100 == 3)
		return -EBADMSG;
	if (!cursor_at_end(&c) && cursor_skip_blanks(&c) == 0)
		return -EBADMSG;
	(void)take_code(&c, &enhanced);		/* it may be missing */
	*ret_status = status_of(code, enhanced, cursor_rest(&c));
	return 0;
}

/* status_parse_enhanced - "5.1.1 text" */
int
status_parse_enhanced(struct slice in, struct status *ret_status)
{
	struct cursor		c = cursor_over(in);
	struct status_code	enhanced;

	if (take_code(&c, &enhanced) < 0)
		return -EBADMSG;
	*ret_status = status_of(enhanced.class == 2 ? 250 :
	    enhanced.class == 4 ? 450 : 550, enhanced, cursor_rest(&c));
	return 0;
}

/* status_format - "550 5.1.1 text" */
void
status_format(struct buf *out, const struct status *s)
{
	buf_addf(out, "%03u ", s->code);
	status_code_format(out, s->enhanced);
	if (s->text_len > 0)
		buf_add_byte(out, ' ');
	buf_add(out, status_text(s));
}

/* status_equal - the same codes and text? */
bool
status_equal(const struct status *a, const struct status *b)
{
	return a->code == b->code && a->enhanced.class == b->enhanced.class &&
	    a->enhanced.subject == b->enhanced.subject &&
	    a->enhanced.detail == b->enhanced.detail &&
	    slice_equal(status_text(a), status_text(b));
}

/* status_set_class - the same reason in another class */
void
status_set_class(struct status *s, unsigned class)
{
	assert(class == 2 || class == 4 || class == 5);
	s->code = (uint16_t)(class * 100 + s->code % 100);
	s->enhanced.class = (uint8_t)class;
}
