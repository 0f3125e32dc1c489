/* SPDX-License-Identifier: ISC */
#ifndef ACCOUNTD_ACCOUNTD_EVENTS_H
#define ACCOUNTD_ACCOUNTD_EVENTS_H

#define EVENTS_OWNER accountd
#define EVENTS_DEF "accountd/accountd_events.def"
#include "libutil/events_declare.h"

#endif
