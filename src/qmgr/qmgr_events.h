/* SPDX-License-Identifier: ISC */
#ifndef QMGR_QMGR_EVENTS_H
#define QMGR_QMGR_EVENTS_H

#define EVENTS_OWNER qmgr
#define EVENTS_DEF "qmgr/qmgr_events.def"
#include "libutil/events_declare.h"

#endif
