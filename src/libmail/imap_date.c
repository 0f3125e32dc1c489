/* SPDX-License-Identifier: ISC */
/*
 * The calendar is computed with years that begin in March, so that the leap
 * day is the last one: days in whole 400 year eras, then within the era.
 */
#include "libmail/imap_date.h"

#define DAY_SECONDS	86400
#define ERA_DAYS	146097		/* days in 400 years */
#define EPOCH_DAYS	719468		/* from 0000-03-01 to 1970-01-01 */
#define ZONE_MAX	(24 * 60)

static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

/* imap_days_of - days since the epoch */
int64_t
imap_days_of(int64_t year, unsigned month, unsigned day)
{
	int64_t		y = month <= 2 ? year - 1 : year;
	int64_t		era = (y >= 0 ? y : y - 399) / 400;
	int64_t		yoe = y - era * 400;
	int64_t		doy = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) +
			    2) / 5 + (int64_t)day - 1;
	int64_t		doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * ERA_DAYS + doe - EPOCH_DAYS;
}

/* date_of - the date of a day since the epoch */
static void
date_of(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
	int64_t	z = days + EPOCH_DAYS;
	int64_t	era = (z >= 0 ? z : z - (ERA_DAYS - 1)) / ERA_DAYS;
	int64_t	doe = z - era * ERA_DAYS;
	int64_t	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t	mp = (5 * doy + 2) / 153;

	*day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
	*month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	*year = yoe + era * 400 + (*month <= 2);
}

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

/* take_month - a month's name, 1 to 12, or -1 */
static int
take_month(struct cursor *c)
{
	for (int i = 0; i < 12; i++)
		if (cursor_skip_nocase(c, slice_over(months[i], 3)))
			return i + 1;
	return -1;
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

/* take_date - "17-Jul-1996", as days since the epoch */
static int
take_date(struct cursor *c, bool fixed, int64_t *ret_day)
{
	int		day, month, year;
	int64_t		days, y;
	unsigned	m, d;

	day = take_day(c, fixed);
	if (day < 1 || !cursor_skip_byte(c, '-'))
		return -EBADMSG;
	month = take_month(c);
	if (month < 1 || !cursor_skip_byte(c, '-'))
		return -EBADMSG;
	year = take_digits(c, 4);
	if (year < 1)
		return -EBADMSG;
	days = imap_days_of(year, (unsigned)month, (unsigned)day);
	date_of(days, &y, &m, &d);
	if (d != (unsigned)day)		/* 31 June */
		return -EBADMSG;
	*ret_day = days;
	return 0;
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
	const char	*shown = imap_lex_next(l);
	bool		quoted = cursor_skip_byte(&l->c, '"');
	int64_t		day;

	if (take_date(&l->c, false, &day) < 0 ||
	    (quoted && !cursor_skip_byte(&l->c, '"')))
		return imap_lex_fail(l,
		    "expected a date like 1-Feb-2026 instead of %s", shown);
	*ret_day = day;
	return 0;
}

/* imap_lex_moment - a date-time of APPEND */
int
imap_lex_moment(struct imap_lex *l, struct imap_moment *ret_moment)
{
	int64_t	day;
	int	time = -1, zone = 0;
	bool	ok;

	ok = cursor_skip_byte(&l->c, '"') &&
	    take_date(&l->c, true, &day) == 0 && cursor_skip_byte(&l->c, ' ');
	if (ok)
		time = take_time(&l->c);
	if (time < 0 || !cursor_skip_byte(&l->c, ' ') ||
	    take_zone(&l->c, &zone) < 0 || !cursor_skip_byte(&l->c, '"'))
		return imap_lex_fail(l, "expected a date and time like "
		    "\" 1-Feb-2026 13:05:00 +0100\" before %s",
		    imap_lex_next(l));
	ret_moment->seconds = day * DAY_SECONDS + time - zone * 60;
	ret_moment->zone = zone;
	return 0;
}

/* imap_format_moment - as INTERNALDATE wants it */
void
imap_format_moment(struct buf *out, struct imap_moment m)
{
	int64_t		local = m.seconds + (int64_t)m.zone * 60;
	int64_t		days = local / DAY_SECONDS, time = local % DAY_SECONDS;
	int64_t		year;
	unsigned	month, day, zone;

	if (time < 0) {
		time += DAY_SECONDS;
		days--;
	}
	date_of(days, &year, &month, &day);
	zone = (unsigned)(m.zone < 0 ? -m.zone : m.zone);
	buf_addf(out, "\"%2u-%s-%04lld %02u:%02u:%02u %c%02u%02u\"", day,
	    months[month - 1], (long long)year, (unsigned)(time / 3600),
	    (unsigned)(time / 60 % 60), (unsigned)(time % 60),
	    m.zone < 0 ? '-' : '+', zone / 60, zone % 60);
}
