/* SPDX-License-Identifier: ISC */
#include "imapd/imapd_events.h"

#define EVENTS_OWNER imapd
#define EVENTS_DEF "imapd/imapd_events.def"
#include "libutil/events_define.h"
