/* SPDX-License-Identifier: ISC */
/* The events of IMAP sessions; session_events.def has the rows. */
#ifndef IMAPD_SESSION_EVENTS_H
#define IMAPD_SESSION_EVENTS_H

#define EVENTS_OWNER imap_session
#define EVENTS_DEF "imapd/session_events.def"
#include "libutil/events_declare.h"

#endif
