/* SPDX-License-Identifier: ISC */
#ifndef SMTPD_SMTPD_EVENTS_H
#define SMTPD_SMTPD_EVENTS_H

#define EVENTS_OWNER smtpd
#define EVENTS_DEF "smtpd/smtpd_events.def"
#include "libutil/events_declare.h"

#endif
