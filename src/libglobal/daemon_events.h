/* SPDX-License-Identifier: ISC */
#ifndef LIBGLOBAL_DAEMON_EVENTS_H
#define LIBGLOBAL_DAEMON_EVENTS_H

#define EVENTS_OWNER daemon
#define EVENTS_DEF "libglobal/daemon_events.def"
#include "libutil/events_declare.h"

#endif
