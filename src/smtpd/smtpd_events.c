/* SPDX-License-Identifier: ISC */
#include "smtpd/smtpd_events.h"

#define EVENTS_OWNER smtpd
#define EVENTS_DEF "smtpd/smtpd_events.def"
#include "libutil/events_define.h"
