/* SPDX-License-Identifier: ISC */
#ifndef IMAPD_IMAPD_EVENTS_H
#define IMAPD_IMAPD_EVENTS_H

#define EVENTS_OWNER imapd
#define EVENTS_DEF "imapd/imapd_events.def"
#include "libutil/events_declare.h"

#endif
