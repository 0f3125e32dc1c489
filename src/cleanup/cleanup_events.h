/* SPDX-License-Identifier: ISC */
#ifndef CLEANUP_CLEANUP_EVENTS_H
#define CLEANUP_CLEANUP_EVENTS_H

#define EVENTS_OWNER cleanup
#define EVENTS_DEF "cleanup/cleanup_events.def"
#include "libutil/events_declare.h"

#endif
