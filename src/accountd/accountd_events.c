/* SPDX-License-Identifier: ISC */
#include "accountd/accountd_events.h"

#define EVENTS_OWNER accountd
#define EVENTS_DEF "accountd/accountd_events.def"
#include "libutil/events_define.h"
