/* SPDX-License-Identifier: ISC */
#ifndef PICKUP_PICKUP_EVENTS_H
#define PICKUP_PICKUP_EVENTS_H

#define EVENTS_OWNER pickup
#define EVENTS_DEF "pickup/pickup_events.def"
#include "libutil/events_declare.h"

#endif
