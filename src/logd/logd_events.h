/* SPDX-License-Identifier: ISC */
#ifndef LOGD_LOGD_EVENTS_H
#define LOGD_LOGD_EVENTS_H

#define EVENTS_OWNER logd
#define EVENTS_DEF "logd/logd_events.def"
#include "libutil/events_declare.h"

#endif
