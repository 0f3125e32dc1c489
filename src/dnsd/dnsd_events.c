/* SPDX-License-Identifier: ISC */
#include "dnsd/dnsd_events.h"

#define EVENTS_OWNER dnsd
#define EVENTS_DEF "dnsd/dnsd_events.def"
#include "libutil/events_define.h"
