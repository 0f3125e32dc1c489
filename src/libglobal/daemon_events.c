/* SPDX-License-Identifier: ISC */
#include "libglobal/daemon_events.h"

#define EVENTS_OWNER daemon
#define EVENTS_DEF "libglobal/daemon_events.def"
#include "libutil/events_define.h"
