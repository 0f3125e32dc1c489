/* SPDX-License-Identifier: ISC */
#include "mapd/mapd_events.h"

#define EVENTS_OWNER mapd
#define EVENTS_DEF "mapd/mapd_events.def"
#include "libutil/events_define.h"
