/* SPDX-License-Identifier: ISC */
#ifndef STORED_STORED_EVENTS_H
#define STORED_STORED_EVENTS_H

#define EVENTS_OWNER stored
#define EVENTS_DEF "stored/stored_events.def"
#include "libutil/events_declare.h"

#endif
