/* SPDX-License-Identifier: ISC */
#include "cleanup/cleanup_events.h"

#define EVENTS_OWNER cleanup
#define EVENTS_DEF "cleanup/cleanup_events.def"
#include "libutil/events_define.h"
