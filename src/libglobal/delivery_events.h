/* SPDX-License-Identifier: ISC */
#ifndef LIBGLOBAL_DELIVERY_EVENTS_H
#define LIBGLOBAL_DELIVERY_EVENTS_H

#define EVENTS_OWNER delivery
#define EVENTS_DEF "libglobal/delivery_events.def"
#include "libutil/events_declare.h"

#endif
