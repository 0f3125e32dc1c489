/* SPDX-License-Identifier: ISC */
#ifndef DNSD_DNSD_EVENTS_H
#define DNSD_DNSD_EVENTS_H

#define EVENTS_OWNER dnsd
#define EVENTS_DEF "dnsd/dnsd_events.def"
#include "libutil/events_declare.h"

#endif
