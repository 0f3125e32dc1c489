/* SPDX-License-Identifier: ISC */
#ifndef SIGND_SIGND_EVENTS_H
#define SIGND_SIGND_EVENTS_H

#define EVENTS_OWNER signd
#define EVENTS_DEF "signd/signd_events.def"
#include "libutil/events_declare.h"

#endif
