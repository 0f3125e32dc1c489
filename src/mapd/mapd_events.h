/* SPDX-License-Identifier: ISC */
#ifndef MAPD_MAPD_EVENTS_H
#define MAPD_MAPD_EVENTS_H

#define EVENTS_OWNER mapd
#define EVENTS_DEF "mapd/mapd_events.def"
#include "libutil/events_declare.h"

#endif
