/* SPDX-License-Identifier: ISC */
#include "pickup/pickup_events.h"

#define EVENTS_OWNER pickup
#define EVENTS_DEF "pickup/pickup_events.def"
#include "libutil/events_define.h"
