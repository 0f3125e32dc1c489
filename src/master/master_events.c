/* SPDX-License-Identifier: ISC */
#include "master/master_events.h"

#define EVENTS_OWNER master
#define EVENTS_DEF "master/master_events.def"
#include "libutil/events_define.h"
