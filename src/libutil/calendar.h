/* SPDX-License-Identifier: ISC */
/*
 * calendar: points in time as text and back. All functions are pure: seconds
 * since 1970-01-01 UTC, and a zone in minutes east of UTC that the caller
 * knows. Years run from 0 to 9999; a time outside is taken as the nearest
 * inside. A leap second reads as the second after it.
 */
#ifndef LIBUTIL_CALENDAR_H
#define LIBUTIL_CALENDAR_H

#include "libutil/slice.h"

struct buf;
struct cursor;

struct calendar {
	int	year;		/* 0..9999 */
	int	month;		/* 1..12 */
	int	day;		/* 1..31 */
	int	hour;
	int	minute;
	int	second;		/* 0..59; 60 is taken by calendar_seconds */
	int	weekday;	/* 0 is Sunday; not read by calendar_seconds */
};

/* what clocks show in that zone */
struct calendar	calendar_of(int64_t seconds, int zone);
/* the reverse; -ERANGE if a field is not possible (30 February) */
MUST_USE int	calendar_seconds(const struct calendar *, int zone,
		    int64_t *ret_seconds);
/* "Jan" as 1 ... in any case, taken from the cursor; -EBADMSG */
MUST_USE int	calendar_parse_month(struct cursor *, int *ret_month);
/* 1 as "Jan" */
const char	*calendar_month_name(int month);

/* "Tue, 3 Feb 2026 04:05:06 +0100" (RFC 5322 3.3) */
void	calendar_format_rfc5322(struct buf *out, int64_t seconds, int zone);
/* the same and the obsolete forms: two-digit years, named zones, comments and
 * folding between all parts (RFC 5322 4.3). The day of week may be wrong or
 * missing: senders err there, and nobody is helped by losing the date */
MUST_USE int	calendar_parse_rfc5322(struct slice text, int64_t *ret_seconds,
		    int *ret_zone);

/* "2026-02-03T04:05:06.007+01:00", or "Z" for zone 0 (RFC 3339); digits says
 * how many follow the second: 0, 3 or 6 */
void	calendar_format_iso(struct buf *out, int64_t us, int zone, int digits);
/* an RFC 3339 date-time; a fraction is cut to microseconds */
MUST_USE int	calendar_parse_iso(struct slice text, int64_t *ret_us,
		    int *ret_zone);

/* "Feb  3 04:05:06", as syslog writes it (RFC 3164 4.1.2) */
void	calendar_format_syslog(struct buf *out, int64_t seconds, int zone);

#endif
