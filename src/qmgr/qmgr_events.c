/* SPDX-License-Identifier: ISC */
#include "qmgr/qmgr_events.h"

#define EVENTS_OWNER qmgr
#define EVENTS_DEF "qmgr/qmgr_events.def"
#include "libutil/events_define.h"
