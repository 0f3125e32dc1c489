/* SPDX-License-Identifier: ISC */
/*
 * The Gregorian calendar counted in days from 1 March of the year 0: with
 * February last, a leap day ends its year and months have closed formulas.
 * No time_t, no locale, no zone files.
 */
#include "libutil/calendar.h"

#include "libutil/buf.h"

#define DAY_SECONDS	86400
#define EPOCH_DAYS	719468		/* from 0000-03-01 to 1970-01-01 */
#define ERA_DAYS	146097		/* 400 years */
#define SECONDS_MIN	(-62167219200)	/* 0000-01-01 00:00:00 */
#define SECONDS_MAX	253402300799	/* 9999-12-31 23:59:59 */

static const char *const day_names[] = {
	"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"
};
static const char *const month_names[] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
};

/* floor_div - a / b rounded down */
static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* clamp - the nearest time that has a year of four digits */
static int64_t
clamp(int64_t seconds)
{
	if (seconds < SECONDS_MIN)
		return SECONDS_MIN;
	return seconds > SECONDS_MAX ? SECONDS_MAX : seconds;
}

/* calendar_of - seconds as a date and a time of day */
struct calendar
calendar_of(int64_t seconds, int zone)
{
	struct calendar	c;
	int64_t		local = clamp(clamp(seconds) + (int64_t)zone * 60);
	int64_t		day = floor_div(local, DAY_SECONDS);
	int		clock = (int)(local - day * DAY_SECONDS);
	int		in_era, year, in_year, month;

	c.weekday = (int)((day + 4) % 7 + 7) % 7;	/* 1970: Thursday */
	day += EPOCH_DAYS;
	in_era = (int)(day - floor_div(day, ERA_DAYS) * ERA_DAYS);
	year = (in_era - in_era / 1460 + in_era / 36524 -
	    in_era / 146096) / 365;
	in_year = in_era - (365 * year + year / 4 - year / 100);
	month = (5 * in_year + 2) / 153;		/* 0 is March */

	c.day = in_year - (153 * month + 2) / 5 + 1;
	c.month = month < 10 ? month + 3 : month - 9;
	c.year = year + (int)floor_div(day, ERA_DAYS) * 400 + (c.month <= 2);
	c.hour = clock / 3600;
	c.minute = clock / 60 % 60;
	c.second = clock % 60;
	return c;
}

/* month_days - how long is that month? */
static int
month_days(int year, int month)
{
	if (month == 2)
		return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ?
		    29 : 28;
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* is_possible - do the fields name a moment? */
static bool
is_possible(const struct calendar *c)
{
	return c->year >= 0 && c->year <= 9999 &&
	    c->month >= 1 && c->month <= 12 &&
	    c->day >= 1 && c->day <= month_days(c->year, c->month) &&
	    c->hour >= 0 && c->hour <= 23 &&
	    c->minute >= 0 && c->minute <= 59 &&
	    c->second >= 0 && c->second <= 60;
}

/* calendar_seconds - a date and a time of day as seconds */
int
calendar_seconds(const struct calendar *c, int zone, int64_t *ret_seconds)
{
	int	month, year, in_year;
	int64_t	day;

	if (!is_possible(c))
		return -ERANGE;
	month = (c->month + 9) % 12;
	year = c->year - (c->month <= 2);
	in_year = (153 * month + 2) / 5 + c->day - 1;
	day = (int64_t)365 * year + floor_div(year, 4) - floor_div(year, 100) +
	    floor_div(year, 400) + in_year - EPOCH_DAYS;
	*ret_seconds = day * DAY_SECONDS + c->hour * 3600 + c->minute * 60 +
	    c->second - (int64_t)zone * 60;
	return 0;
}

/* calendar_month_name - three letters */
const char *
calendar_month_name(int month)
{
	return month >= 1 && month <= 12 ? month_names[month - 1] : "???";
}

/* calendar_format_rfc5322 - as in a Date field */
void
calendar_format_rfc5322(struct buf *out, int64_t seconds, int zone)
{
	struct calendar	c = calendar_of(seconds, zone);
	int		z = zone < 0 ? -zone : zone;

	buf_addf(out, "%s, %d %s %04d %02d:%02d:%02d %c%02d%02d",
	    day_names[c.weekday], c.day, month_names[c.month - 1], c.year,
	    c.hour, c.minute, c.second, zone < 0 ? '-' : '+', z / 60 % 100,
	    z % 60);
}

/* calendar_format_iso - as in RFC 3339 */
void
calendar_format_iso(struct buf *out, int64_t us, int zone, int digits)
{
	int64_t		seconds = floor_div(us, 1000000);
	int		fraction = (int)((us % 1000000 + 1000000) % 1000000);
	struct calendar	c = calendar_of(seconds, zone);
	int		z = zone < 0 ? -zone : zone;

	buf_addf(out, "%04d-%02d-%02dT%02d:%02d:%02d", c.year, c.month, c.day,
	    c.hour, c.minute, c.second);
	if (digits == 3)
		buf_addf(out, ".%03d", fraction / 1000);
	else if (digits == 6)
		buf_addf(out, ".%06d", fraction);
	if (zone == 0)
		buf_add_byte(out, 'Z');
	else
		buf_addf(out, "%c%02d:%02d", zone < 0 ? '-' : '+', z / 60 % 100,
		    z % 60);
}

/* calendar_format_syslog - as at the beginning of a log line */
void
calendar_format_syslog(struct buf *out, int64_t seconds, int zone)
{
	struct calendar	c = calendar_of(seconds, zone);

	buf_addf(out, "%s %2d %02d:%02d:%02d", month_names[c.month - 1], c.day,
	    c.hour, c.minute, c.second);
}
