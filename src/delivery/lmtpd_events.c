/* SPDX-License-Identifier: ISC */
#include "delivery/lmtpd_events.h"

#define EVENTS_OWNER lmtpd
#define EVENTS_DEF "delivery/lmtpd_events.def"
#include "libutil/events_define.h"
