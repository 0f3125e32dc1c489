/* SPDX-License-Identifier: ISC */
#include "signd/signd_events.h"

#define EVENTS_OWNER signd
#define EVENTS_DEF "signd/signd_events.def"
#include "libutil/events_define.h"
