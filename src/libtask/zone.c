/* SPDX-License-Identifier: ISC */
/* The C library knows the zone; it is asked once a moment and never sets
 * anything after zone_load. */
#include "libtask/zone.h"

#include <time.h>

/* zone_load - read the zone while its file can be read */
void
zone_load(void)
{
	tzset();
}

/* zone_at - minutes east of Greenwich */
int
zone_at(int64_t seconds)
{
	time_t		when = (time_t)seconds;
	struct tm	tm;

	if (localtime_r(&when, &tm) == NULL)
		return 0;
	return (int)(tm.tm_gmtoff / 60);
}
