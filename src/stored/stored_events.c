/* SPDX-License-Identifier: ISC */
#include "stored/stored_events.h"

#define EVENTS_OWNER stored
#define EVENTS_DEF "stored/stored_events.def"
#include "libutil/events_define.h"
