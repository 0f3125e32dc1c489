/* SPDX-License-Identifier: ISC */
/*
 * Dates read forward in one pass. Where RFC 5322 4.3 lets comments and folding
 * stand between parts, skip_cfws steps over them, which covers the strict
 * grammar as well.
 */
#include "libutil/calendar.h"

#include "libutil/cursor.h"

#define COMMENT_DEPTH_MAX	16

/* skip_comment - step over a comment whose "(" is taken */
static bool
skip_comment(struct cursor *c)
{
	int	depth = 1, byte;

	while (depth > 0) {
		byte = cursor_byte(c);
		if (byte == '\\')
			byte = cursor_byte(c) < 0 ? -1 : 0;
		if (byte < 0)
			return false;
		if (byte == '(' && ++depth > COMMENT_DEPTH_MAX)
			return false;
		if (byte == ')')
			depth--;
	}
	return true;
}

/* skip_cfws - step over blanks, folded lines and comments */
static bool
skip_cfws(struct cursor *c)
{
	for (;;) {
		if (cursor_skip_byte(c, '(')) {
			if (!skip_comment(c))
				return false;
		} else if (!cursor_skip_byte(c, ' ') &&
		    !cursor_skip_byte(c, '\t') && !cursor_skip_byte(c, '\r') &&
		    !cursor_skip_byte(c, '\n')) {
			return true;
		}
	}
}

/* digits - a number of least to most digits */
static int
digits(struct cursor *c, size_t least, size_t most, int *ret_value)
{
	struct slice	text = cursor_take_while(c, ascii_is_digit);
	uint32_t	value;

	if (text.len < least || text.len > most ||
	    slice_to_u32(text, 999999999, &value) < 0)
		return -EBADMSG;
	*ret_value = (int)value;
	return (int)text.len;
}

/* calendar_parse_month - the name of a month, three letters */
int
calendar_parse_month(struct cursor *c, int *ret_month)
{
	for (int m = 1; m <= 12; m++)
		if (cursor_skip_nocase(c, slice_of(calendar_month_name(m)))) {
			*ret_month = m;
			return 0;
		}
	return -EBADMSG;
}

/* parse_named_zone - the obsolete names, as RFC 5322 4.3 reads them */
static int
parse_named_zone(struct slice name)
{
	static const struct {
		struct slice	name;
		int		zone;
	} known[] = {
		{ S_INIT("EST"), -300 }, { S_INIT("EDT"), -240 },
		{ S_INIT("CST"), -360 }, { S_INIT("CDT"), -300 },
		{ S_INIT("MST"), -420 }, { S_INIT("MDT"), -360 },
		{ S_INIT("PST"), -480 }, { S_INIT("PDT"), -420 },
	};

	for (size_t i = 0; i < COUNT(known); i++)
		if (slice_equal_nocase(name, known[i].name))
			return known[i].zone;
	/* UT, GMT; military letters, which were used in both directions, and
	 * names nobody defined count as -0000 */
	return 0;
}

/* parse_zone - "+hhmm" or a name */
static int
parse_zone(struct cursor *c, int *ret_zone)
{
	bool	west = cursor_peek(c) == '-';
	int	value;

	if (cursor_skip_byte(c, '+') || cursor_skip_byte(c, '-')) {
		if (digits(c, 4, 4, &value) < 0 || value % 100 > 59)
			return -EBADMSG;
		value = value / 100 * 60 + value % 100;
		*ret_zone = west ? -value : value;
		return 0;
	}
	if (!ascii_is_alpha((char)cursor_peek(c)))
		return -EBADMSG;
	*ret_zone = parse_named_zone(cursor_take_while(c, ascii_is_alpha));
	return 0;
}

/* parse_day_month_year - the date, after the day of week */
static int
parse_day_month_year(struct cursor *c, struct calendar *cal)
{
	int	n;

	if (digits(c, 1, 2, &cal->day) < 0 || !skip_cfws(c) ||
	    calendar_parse_month(c, &cal->month) < 0 || !skip_cfws(c) ||
	    (n = digits(c, 2, 4, &cal->year)) < 0 || !skip_cfws(c))
		return -EBADMSG;
	if (n == 2 && cal->year < 50)		/* RFC 5322 4.3 */
		cal->year += 2000;
	else if (n < 4)
		cal->year += 1900;
	return 0;
}

/* parse_clock - hour ":" minute [":" second] */
static int
parse_clock(struct cursor *c, struct calendar *cal)
{
	if (digits(c, 1, 2, &cal->hour) < 0 || !skip_cfws(c) ||
	    !cursor_skip_byte(c, ':') || !skip_cfws(c) ||
	    digits(c, 2, 2, &cal->minute) < 0 || !skip_cfws(c))
		return -EBADMSG;
	cal->second = 0;
	if (!cursor_skip_byte(c, ':'))
		return 0;
	if (!skip_cfws(c) || digits(c, 2, 2, &cal->second) < 0 || !skip_cfws(c))
		return -EBADMSG;
	return 0;
}

/* calendar_parse_rfc5322 - the value of a Date field */
int
calendar_parse_rfc5322(struct slice text, int64_t *ret_seconds, int *ret_zone)
{
	struct cursor	c = cursor_over(text);
	struct calendar	cal = { 0 };
	int64_t		seconds;
	int		zone = 0, r;

	if (!skip_cfws(&c))
		return -EBADMSG;
	if (cursor_take_while(&c, ascii_is_alpha).len > 0) {
		if (!skip_cfws(&c))
			return -EBADMSG;
		(void)cursor_skip_byte(&c, ',');	/* some forget it */
		if (!skip_cfws(&c))
			return -EBADMSG;
	}
	if ((r = parse_day_month_year(&c, &cal)) < 0 ||
	    (r = parse_clock(&c, &cal)) < 0)
		return r;
	/* a missing zone is common in old mail and reads as -0000 */
	if (!cursor_at_end(&c) && (r = parse_zone(&c, &zone)) < 0)
		return r;
	if (!skip_cfws(&c) || !cursor_at_end(&c))
		return -EBADMSG;
	if ((r = calendar_seconds(&cal, zone, &seconds)) < 0)
		return r;
	*ret_seconds = seconds;
	*ret_zone = zone;
	return 0;
}

/* parse_fraction - "." digits, cut to microseconds */
static int
parse_fraction(struct cursor *c, int64_t *ret_us)
{
	struct slice	text;
	int64_t		us = 0;

	*ret_us = 0;
	if (!cursor_skip_byte(c, '.'))
		return 0;
	text = cursor_take_while(c, ascii_is_digit);
	if (text.len == 0)
		return -EBADMSG;
	for (size_t i = 0; i < 6; i++)
		us = us * 10 + (i < text.len ? text.data[i] - '0' : 0);
	*ret_us = us;
	return 0;
}

/* parse_iso_zone - "Z", or a sign and hh:mm */
static int
parse_iso_zone(struct cursor *c, int *ret_zone)
{
	bool	west = cursor_peek(c) == '-';
	int	hours, minutes;

	if (cursor_skip_nocase(c, S("Z"))) {
		*ret_zone = 0;
		return 0;
	}
	if ((!cursor_skip_byte(c, '+') && !cursor_skip_byte(c, '-')) ||
	    digits(c, 2, 2, &hours) < 0 || !cursor_skip_byte(c, ':') ||
	    digits(c, 2, 2, &minutes) < 0 || hours > 23 || minutes > 59)
		return -EBADMSG;
	*ret_zone = (hours * 60 + minutes) * (west ? -1 : 1);
	return 0;
}

/* calendar_parse_iso - an RFC 3339 date-time (RFC 3339 5.6) */
int
calendar_parse_iso(struct slice text, int64_t *ret_us, int *ret_zone)
{
	struct cursor	c = cursor_over(text);
	struct calendar	cal = { 0 };
	int64_t		seconds, us;
	int		zone, r;

	if (digits(&c, 4, 4, &cal.year) < 0 || !cursor_skip_byte(&c, '-') ||
	    digits(&c, 2, 2, &cal.month) < 0 || !cursor_skip_byte(&c, '-') ||
	    digits(&c, 2, 2, &cal.day) < 0 ||
	    (!cursor_skip_nocase(&c, S("T")) && !cursor_skip_byte(&c, ' ')) ||
	    digits(&c, 2, 2, &cal.hour) < 0 || !cursor_skip_byte(&c, ':') ||
	    digits(&c, 2, 2, &cal.minute) < 0 || !cursor_skip_byte(&c, ':') ||
	    digits(&c, 2, 2, &cal.second) < 0)
		return -EBADMSG;
	if ((r = parse_fraction(&c, &us)) < 0 ||
	    (r = parse_iso_zone(&c, &zone)) < 0)
		return r;
	if (!cursor_at_end(&c))
		return -EBADMSG;
	if ((r = calendar_seconds(&cal, zone, &seconds)) < 0)
		return r;
	*ret_us = seconds * 1000000 + us;
	*ret_zone = zone;
	return 0;
}
