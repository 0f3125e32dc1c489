/* SPDX-License-Identifier: ISC */
#include "libglobal/delivery_events.h"

#define EVENTS_OWNER delivery
#define EVENTS_DEF "libglobal/delivery_events.def"
#include "libutil/events_define.h"
