/* SPDX-License-Identifier: ISC */
#include "delivery/bounce_events.h"

#define EVENTS_OWNER bounce
#define EVENTS_DEF "delivery/bounce_events.def"
#include "libutil/events_define.h"
