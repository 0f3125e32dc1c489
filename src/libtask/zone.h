/* SPDX-License-Identifier: ISC */
/*
 * zone: the host's time zone, for dates that people read (log lines, Received,
 * reports). zone_load reads the zone's file, so it is called before the
 * sandbox; afterwards nothing is read.
 */
#ifndef LIBTASK_ZONE_H
#define LIBTASK_ZONE_H

#include <stdint.h>

void	zone_load(void);
/* minutes east of Greenwich at that moment (seconds since 1970) */
int	zone_at(int64_t seconds);

#endif
