/* SPDX-License-Identifier: ISC */
#include "authd/authd_events.h"

#define EVENTS_OWNER authd
#define EVENTS_DEF "authd/authd_events.def"
#include "libutil/events_define.h"
