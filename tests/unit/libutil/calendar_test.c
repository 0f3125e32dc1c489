/* SPDX-License-Identifier: ISC */
#include "test.h"

#include <time.h>

#include "libutil/calendar.h"
#include "libutil/cursor.h"

TEST(calendar_format)
{
	static const struct {
		int64_t us; int zone; const char *rfc5322, *iso, *syslog;
	} cases[] = {
		{ 0, 0, "Thu, 1 Jan 1970 00:00:00 +0000",
		    "1970-01-01T00:00:00.000Z", "Jan  1 00:00:00" },
		{ 1770091506007999, 60, "Tue, 3 Feb 2026 05:05:06 +0100",
		    "2026-02-03T05:05:06.007+01:00", "Feb  3 05:05:06" },
		{ 951782400000000, -330, "Mon, 28 Feb 2000 18:30:00 -0530",
		    "2000-02-28T18:30:00.000-05:30", "Feb 28 18:30:00" },
		{ 951868800000000, 0, "Wed, 1 Mar 2000 00:00:00 +0000",
		    "2000-03-01T00:00:00.000Z", "Mar  1 00:00:00" },
		{ -1000, 0, "Wed, 31 Dec 1969 23:59:59 +0000",
		    "1969-12-31T23:59:59.999Z", "Dec 31 23:59:59" },
		{ INT64_MAX, 0, "Fri, 31 Dec 9999 23:59:59 +0000",
		    "9999-12-31T23:59:59.775Z", "Dec 31 23:59:59" },
		{ INT64_MIN, 0, "Sat, 1 Jan 0000 00:00:00 +0000",
		    "0000-01-01T00:00:00.224Z", "Jan  1 00:00:00" },
	};
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t seconds = cases[i].us / 1000000 -
		    (cases[i].us % 1000000 < 0);

		buf_reset(&out);
		calendar_format_rfc5322(&out, seconds, cases[i].zone);
		CHECK_TEXT(buf_slice(&out), cases[i].rfc5322, i);
		buf_reset(&out);
		calendar_format_iso(&out, cases[i].us, cases[i].zone, 3);
		CHECK_TEXT(buf_slice(&out), cases[i].iso, i);
		buf_reset(&out);
		calendar_format_syslog(&out, seconds, cases[i].zone);
		CHECK_TEXT(buf_slice(&out), cases[i].syslog, i);
	}
	buf_reset(&out);
	calendar_format_iso(&out, 1, 0, 6);
	calendar_format_iso(&out, 1, 0, 0);
	CHECK_TEXT(buf_slice(&out),
	    "1970-01-01T00:00:00.000001Z1970-01-01T00:00:00Z", 0);
	buf_free(&out);
}

TEST(calendar_parse_rfc5322)
{
	static const struct { const char *in; int r; int64_t want; int zone; } cases[] = {
		{ "Tue, 3 Feb 2026 05:05:06 +0100", 0, 1770091506, 60 },
		{ "3 Feb 2026 05:05:06 +0100", 0, 1770091506, 60 },
		{ "  Tue,  03  feb  2026 05:05:06 +0100 (CET)  ", 0, 1770091506, 60 },
		{ "Tue, 3 Feb 2026 04:05 GMT", 0, 1770091500, 0 },
		{ "Tue, 3 Feb 26 04:05:06 UT", 0, 1770091506, 0 },
		{ "Mon, 3 Feb 2026 04:05:06 -0000", 0, 1770091506, 0 },
		{ "Tue, 3 Feb 2026 04:05:06", 0, 1770091506, 0 },
		{ "Tue 3 Feb 2026 04:05:06 Z", 0, 1770091506, 0 },
		{ "Tue, 3 Feb 2026\r\n 04:05:06 +0000", 0, 1770091506, 0 },
		{ "Tue,(a (b\\)) c)3(x)Feb(x)2026(x)04(x):(x)05:06(y)+0000(z)", 0,
		    1770091506, 0 },
		{ "Mon, 2 Feb 2026 23:05:06 EST", 0, 1770091506, -300 },
		{ "Tue, 3 Feb 126 04:05:06 +0000", 0, 1770091506, 0 },
		{ "1 Jan 70 0:00:00 +0000", 0, 0, 0 },
		{ "31 Dec 1998 23:59:60 +0000", 0, 915148800, 0 },
		{ "1 Jan 1970 00:00:00 +9959", 0, -(99 * 60 + 59) * 60, 5999 },
		{ "", -EBADMSG, 0, 0 }, { "Tue,", -EBADMSG, 0, 0 },
		{ "3 Fob 2026 04:05:06 +0000", -EBADMSG, 0, 0 },
		{ "30 Feb 2026 04:05:06 +0000", -ERANGE, 0, 0 },
		{ "29 Feb 2026 04:05:06 +0000", -ERANGE, 0, 0 },
		{ "0 Feb 2026 04:05:06 +0000", -ERANGE, 0, 0 },
		{ "3 Feb 2026 24:05:06 +0000", -ERANGE, 0, 0 },
		{ "3 Feb 2026 04:60:06 +0000", -ERANGE, 0, 0 },
		{ "3 Feb 2026 04:05:61 +0000", -ERANGE, 0, 0 },
		{ "3 Feb 2026 04:05:06 +00", -EBADMSG, 0, 0 },
		{ "3 Feb 2026 04:05:06 +0060", -EBADMSG, 0, 0 },
		{ "3 Feb 2026 04:05:06 +0000 x", -EBADMSG, 0, 0 },
		{ "3 Feb 2026 04:05:06 (", -EBADMSG, 0, 0 },
		{ "3 Feb 20260 04:05:06 +0000", -EBADMSG, 0, 0 },
		{ "3 Feb 2026 4 05:06 +0000", -EBADMSG, 0, 0 },
		{ "3 Feb 2026 04:5:06 +0000", -EBADMSG, 0, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t seconds = 4711;
		int zone = 17;

		CHECK_INT(calendar_parse_rfc5322(slice_of(cases[i].in), &seconds,
		    &zone), cases[i].r, i);
		CHECK_INT(seconds, cases[i].r < 0 ? 4711 : cases[i].want, i);
		CHECK_INT(zone, cases[i].r < 0 ? 17 : cases[i].zone, i);
	}
}

TEST(calendar_parse_iso)
{
	static const struct { const char *in; int r; int64_t want; int zone; } cases[] = {
		{ "2026-02-03T04:05:06Z", 0, 1770091506000000, 0 },
		{ "2026-02-03t05:05:06.007+01:00", 0, 1770091506007000, 60 },
		{ "2026-02-03 04:05:06.1234567z", 0, 1770091506123456, 0 },
		{ "2026-02-02T22:35:06-05:30", 0, 1770091506000000, -330 },
		{ "2026-02-03T04:05:06", -EBADMSG, 0, 0 },
		{ "2026-2-03T04:05:06Z", -EBADMSG, 0, 0 },
		{ "2026-02-03T04:05Z", -EBADMSG, 0, 0 },
		{ "2026-02-03T04:05:06.Z", -EBADMSG, 0, 0 },
		{ "2026-02-03T04:05:06+0100", -EBADMSG, 0, 0 },
		{ "2026-02-03T04:05:06+24:00", -EBADMSG, 0, 0 },
		{ "2026-13-03T04:05:06Z", -ERANGE, 0, 0 },
		{ "2026-02-03T04:05:06Zx", -EBADMSG, 0, 0 },
		{ "", -EBADMSG, 0, 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t us = 4711;
		int zone = 17;

		CHECK_INT(calendar_parse_iso(slice_of(cases[i].in), &us, &zone),
		    cases[i].r, i);
		CHECK_INT(us, cases[i].r < 0 ? 4711 : cases[i].want, i);
		CHECK_INT(zone, cases[i].r < 0 ? 17 : cases[i].zone, i);
	}
}

TEST(calendar_agrees)		/* with the C library, and with itself */
{
	struct buf out = BUF_INIT;
	size_t	days = 0;

	for (int64_t s = -62167219200; s < 253402300800; s += 8640007) {
		struct calendar c = calendar_of(s, 0);
		time_t t = (time_t)s;
		struct tm tm;
		int64_t again = 0;
		int zone = 0;

		gmtime_r(&t, &tm);
		if (c.year != tm.tm_year + 1900 || c.month != tm.tm_mon + 1 ||
		    c.day != tm.tm_mday || c.hour != tm.tm_hour ||
		    c.minute != tm.tm_min || c.second != tm.tm_sec ||
		    c.weekday != tm.tm_wday ||
		    calendar_seconds(&c, 0, &again) < 0 || again != s)
			CHECK(false, s);
		if (c.year < 1900)
			continue;
		buf_reset(&out);
		calendar_format_rfc5322(&out, s, 345);
		if (calendar_parse_rfc5322(buf_slice(&out), &again, &zone) < 0 ||
		    again != s || zone != 345)
			CHECK(false, s);
		days++;
	}
	CHECK(days > 10000, days);
	buf_free(&out);
}
