/* SPDX-License-Identifier: ISC */
#include "test.h"

#include "libutil/calendar.h"

FUZZ(calendar)			/* a date that reads, prints, and reads the same */
{
	int64_t	seconds, us, again;
	int	zone, zone_again;

	/* what a zone moves out of the years that are printed is left alone */
	if (calendar_parse_rfc5322(input, &seconds, &zone) == 0 &&
	    calendar_of(seconds, zone).year >= 1900) {
		calendar_format_rfc5322(scratch, seconds, zone);
		FUZZ_CHECK(calendar_parse_rfc5322(buf_slice(scratch), &again,
		    &zone_again) == 0);
		FUZZ_CHECK(again == seconds && zone_again == zone);
	}
	buf_reset(scratch);
	if (calendar_parse_iso(input, &us, &zone) == 0 &&
	    us > -INT64_C(62167000000000000) && us < INT64_C(253402000000000000)) {
		calendar_format_iso(scratch, us, zone, 6);
		FUZZ_CHECK(calendar_parse_iso(buf_slice(scratch), &again,
		    &zone_again) == 0);
		FUZZ_CHECK(again == us && zone_again == zone);
	}
}
