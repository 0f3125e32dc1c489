/* SPDX-License-Identifier: ISC */
#ifndef MASTER_MASTER_EVENTS_H
#define MASTER_MASTER_EVENTS_H

#define EVENTS_OWNER master
#define EVENTS_DEF "master/master_events.def"
#include "libutil/events_declare.h"

#endif
