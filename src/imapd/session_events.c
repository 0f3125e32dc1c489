/* SPDX-License-Identifier: ISC */
/* The table behind session_events.h. */
#include "imapd/session_events.h"

#define EVENTS_OWNER imap_session
#define EVENTS_DEF "imapd/session_events.def"
#include "libutil/events_define.h"
