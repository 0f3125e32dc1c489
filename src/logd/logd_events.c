/* SPDX-License-Identifier: ISC */
#include "logd/logd_events.h"

#define EVENTS_OWNER logd
#define EVENTS_DEF "logd/logd_events.def"
#include "libutil/events_define.h"
