/* SPDX-License-Identifier: ISC */
#ifndef DELIVERY_SMTP_EVENTS_H
#define DELIVERY_SMTP_EVENTS_H

#define EVENTS_OWNER smtp
#define EVENTS_DEF "delivery/smtp_events.def"
#include "libutil/events_declare.h"

#endif
