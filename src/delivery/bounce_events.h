/* SPDX-License-Identifier: ISC */
#ifndef DELIVERY_BOUNCE_EVENTS_H
#define DELIVERY_BOUNCE_EVENTS_H

#define EVENTS_OWNER bounce
#define EVENTS_DEF "delivery/bounce_events.def"
#include "libutil/events_declare.h"

#endif
