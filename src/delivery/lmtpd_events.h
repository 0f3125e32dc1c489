/* SPDX-License-Identifier: ISC */
#ifndef DELIVERY_LMTPD_EVENTS_H
#define DELIVERY_LMTPD_EVENTS_H

#define EVENTS_OWNER lmtpd
#define EVENTS_DEF "delivery/lmtpd_events.def"
#include "libutil/events_declare.h"

#endif
