/* SPDX-License-Identifier: ISC */
/* The grammar only: days and months are libutil's calendar. */
#include "libmail/imap_date.h"

#include "libutil/calendar.h"

#define DAY_SECONDS	86400
#define ZONE_MAX	(24 * 60)

/* take_digits - exactly n digits, or -1 */
static int
take_digits(struct cursor *c, size_t n)
{
	int	value = 0;

	for (size_t i = 0; i < n; i++) {
		int	b = cursor_byte(c);

		if (b < '0' || b > '9')
			return -1;
		value = value * 10 + (b - '0');
	}
	return value;
}

/* take_day - one or two digits, 1 to 31; fixed: two, the first may be " " */
static int
take_day(struct cursor *c, bool fixed)
{
	int	second = cursor_peek_at(c, 1);

	if (fixed && cursor_skip_byte(c, ' '))
		return take_digits(c, 1);
	return take_digits(c, fixed || (second >= '0' && second <= '9') ?
	    2 : 1);
}

/* take_date - "17-Jul-1996", as seconds at its beginning */
static int
take_date(struct cursor *c, bool fixed, int64_t *ret_seconds)
{
	struct calendar	date = { .day = take_day(c, fixed) };

	if (date.day < 1 || !cursor_skip_byte(c, '-') ||
	    calendar_parse_month(c, &date.month) < 0 ||
	    !cursor_skip_byte(c, '-'))
		return -EBADMSG;
	date.year = take_digits(c, 4);
	if (date.year < 1)
		return -EBADMSG;
	return calendar_seconds(&date, 0, ret_seconds);
}

/* take_time - "02:44:25", as seconds */
static int
take_time(struct cursor *c)
{
	int	hour, minute, second;

	hour = take_digits(c, 2);
	if (hour < 0 || hour > 23 || !cursor_skip_byte(c, ':'))
		return -1;
	minute = take_digits(c, 2);
	if (minute < 0 || minute > 59 || !cursor_skip_byte(c, ':'))
		return -1;
	second = take_digits(c, 2);
	if (second < 0 || second > 60)	/* 60: a leap second */
		return -1;
	return (hour * 60 + minute) * 60 + second;
}

/* take_zone - "-0700", as minutes */
static int
take_zone(struct cursor *c, int *ret_zone)
{
	bool	west = cursor_peek(c) == '-';
	int	hours, minutes;

	if (!cursor_skip_byte(c, '-') && !cursor_skip_byte(c, '+'))
		return -EBADMSG;
	hours = take_digits(c, 2);
	minutes = take_digits(c, 2);
	if (hours < 0 || minutes < 0 || minutes > 59 ||
	    hours * 60 + minutes > ZONE_MAX)
		return -EBADMSG;
	*ret_zone = (hours * 60 + minutes) * (west ? -1 : 1);
	return 0;
}

/* imap_lex_day - a date of SEARCH */
int
imap_lex_day(struct imap_lex *l, int64_t *ret_day)
{
	struct cursor	start = l->c;
	bool		quoted = cursor_skip_byte(&l->c, '"');
	int64_t		seconds;

	if (take_date(&l->c, false, &seconds) < 0 ||
	    (quoted && !cursor_skip_byte(&l->c, '"'))) {
		l->c = start;
		return imap_lex_fail(l, "expected a date like 1-Feb-2026 "
		    "instead of %s", imap_lex_next(l));
	}
	*ret_day = imap_day_of(seconds);
	return 0;
}

/* imap_lex_moment - a date-time of APPEND */
int
imap_lex_moment(struct imap_lex *l, struct imap_moment *ret_moment)
{
	struct cursor	start = l->c;
	int64_t		date;
	int		time = -1, zone = 0;
	bool		ok;

	ok = cursor_skip_byte(&l->c, '"') &&
	    take_date(&l->c, true, &date) == 0 && cursor_skip_byte(&l->c, ' ');
	if (ok)
		time = take_time(&l->c);
	if (time < 0 || !cursor_skip_byte(&l->c, ' ') ||
	    take_zone(&l->c, &zone) < 0 || !cursor_skip_byte(&l->c, '"')) {
		l->c = start;
		return imap_lex_fail(l, "expected a date and time like "
		    "\" 1-Feb-2026 13:05:00 +0100\" instead of %s",
		    imap_lex_next(l));
	}
	ret_moment->seconds = date + time - zone * 60;
	ret_moment->zone = zone;
	return 0;
}

/* imap_format_moment - as INTERNALDATE wants it */
void
imap_format_moment(struct buf *out, struct imap_moment m)
{
	struct calendar	c = calendar_of(m.seconds, m.zone);
	int		zone = m.zone < 0 ? -m.zone : m.zone;

	buf_addf(out, "\"%2d-%s-%04d %02d:%02d:%02d %c%02d%02d\"", c.day,
	    calendar_month_name(c.month), c.year, c.hour, c.minute, c.second,
	    m.zone < 0 ? '-' : '+', zone / 60, zone % 60);
}

/* imap_day_of - the day of a moment, counted from 1970-01-01 */
int64_t
imap_day_of(int64_t seconds)
{
	int64_t	day = seconds / DAY_SECONDS;

	return seconds % DAY_SECONDS < 0 ? day - 1 : day;
}
