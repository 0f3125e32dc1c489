/* SPDX-License-Identifier: ISC */
#include "delivery/smtp_events.h"

#define EVENTS_OWNER smtp
#define EVENTS_DEF "delivery/smtp_events.def"
#include "libutil/events_define.h"
